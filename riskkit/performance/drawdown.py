"""Drawdown: the fall of wealth below its running peak, and its summary measures.

The argument `input` defines wealth:

- ``"returns"``: returns compounded from a wealth of 1 *before* the first one, so that a first loss is a drawdown;
- ``"summed_returns"``: 1 plus the sum of the returns, for a book of constant size;
- ``"prices"``: the values themselves, prices or an equity curve; the first value is the first peak;
- ``"pnl"``: P&L in money, added to a curve that starts at 0.

A drawdown is a positive fraction of the peak, 0.25 for a loss of 25 %; of P&L it is money, 250 for a fall by 250.
"""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from riskkit._check import (
    InputError,
    finite_array,
    labels_of,
    observations,
    one_of,
    positive,
    refuse_prices,
    with_labels,
)
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._tail import n_tail as tail_size
from riskkit.performance.series import Input, above_total_loss, documented, per_series


@documented
def drawdown_series(values: Any, *, input: Input = "returns") -> Any:
    """Drawdown at the end of every period.

    Returns
    -------
    as `values`
        Fraction of the running peak, 0 at a peak; above 1 only if summed returns or an equity curve fall below zero.
        With returns and P&L, drawdowns up to the rounding error n_obs × 2.2e-16 (of the largest value of the curve) are
        0, so that a return to the peak is a full recovery.

    References
    ----------
    Chekhlov, Uryasev and Zabarankin (2005), Drawdown Measure in Portfolio Optimization, International Journal of
    Theoretical and Applied Finance 8, 13-58. Bacon (2008), Practical Portfolio Performance
    Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> drawdown_series([-0.1, 0.2, -0.5]).round(6).tolist()
    [0.1, 0.0, 0.5]
    >>> drawdown_series([100.0, 120.0, 90.0], input="prices").tolist()
    [0.0, 0.0, 0.25]
    >>> drawdown_series([-100.0, 300.0, -250.0], input="pnl").tolist()
    [100.0, 0.0, 250.0]
    """
    drawdown = _drawdowns(values, input)
    return with_labels(drawdown, labels_of(values, 0), labels_of(values, 1), getattr(values, "name", None))


@documented
def max_drawdown(values: Any, *, input: Input = "returns") -> Any:
    """Maximum drawdown: the largest fall of wealth from its running peak.

    Returns
    -------
    float or (n_series,)
        Positive fraction of the peak, money with ``input="pnl"``; 0 if wealth never falls.

    References
    ----------
    Magdon-Ismail and Atiya (2004), Maximum drawdown, Risk 17(10), 99-102.

    Examples
    --------
    >>> round(max_drawdown([0.10, -0.20, 0.05, -0.10]), 6)
    0.244
    >>> round(max_drawdown([5000, 5100, 4900, 5200, 4800, 5050], input="prices"), 4)
    0.0769
    """
    return per_series(_drawdowns(values, input).max(axis=0), values)


@documented
def pain_index(values: Any, *, input: Input = "returns") -> Any:
    """Pain index: mean drawdown over all periods, including those at a peak.

    Returns
    -------
    float or (n_series,)
        Positive fraction.

    References
    ----------
    Becker and Moore (2006), The Pain Index; Bacon (2008), chapter 4.

    Examples
    --------
    >>> round(pain_index([0.10, -0.20, 0.05, -0.10]), 6)
    0.151
    """
    return per_series(_drawdowns(values, input).mean(axis=0), values)


@documented
def ulcer_index(values: Any, *, input: Input = "returns") -> Any:
    """Ulcer index: root mean square of the drawdowns of all periods.

    Returns
    -------
    float or (n_series,)
        Positive fraction (Martin gives it in percent).

    References
    ----------
    Martin and McCann (1989), The Investor's Guide to Fidelity Funds.

    Examples
    --------
    >>> round(ulcer_index([0.10, -0.20, 0.05, -0.10]), 6)
    0.176873
    """
    return per_series(np.sqrt((_drawdowns(values, input) ** 2).mean(axis=0)), values)


@documented
def conditional_drawdown_at_risk(
    values: Any, confidence: float = DEFAULT_CONFIDENCE, *, input: Input = "returns"
) -> Any:
    """Conditional drawdown at risk (CDaR): mean of the largest 1 - `confidence` share of the drawdowns.

    Parameters
    ----------
    confidence : float
        Confidence as a fraction: 0.95 averages the worst 5 % of the periods, the last of them with a fractional
        weight. Towards 1 it is the maximum drawdown, towards 0 the `pain_index`.

    Returns
    -------
    float or (n_series,)
        Positive fraction.

    References
    ----------
    Chekhlov, Uryasev and Zabarankin (2005), Drawdown Measure in Portfolio Optimization, International Journal of
    Theoretical and Applied Finance 8, 13-58 (one path); the tail mass is split as in Rockafellar and Uryasev (2002),
    Conditional value-at-risk for general loss distributions, Journal of Banking and Finance 26, proposition 8.

    Examples
    --------
    >>> round(conditional_drawdown_at_risk([0.10, -0.20, 0.05, -0.10], 0.5), 6)
    0.222
    """
    largest = -np.sort(-_drawdowns(values, input), axis=0)
    n_tail = tail_size(len(largest), confidence)
    full = min(int(n_tail), len(largest) - 1)
    return per_series((largest[:full].sum(axis=0) + (n_tail - full) * largest[full]) / n_tail, values)


@documented
def risk_score(drawdown: Any, max_drawdown_limit: float) -> Any:
    """Utilization of a drawdown limit, from 0 (at the peak) to 1 (at or beyond the limit).

    Parameters
    ----------
    drawdown : float or array
        Positive fraction of the peak, such as `max_drawdown` or `drawdown_series`.
    max_drawdown_limit : float
        Limit as a fraction of the peak, above zero.

    Returns
    -------
    float, or as `drawdown`
        min(1, drawdown / limit).

    Examples
    --------
    >>> risk_score(0.05, 0.20), risk_score(0.30, 0.20)
    (0.25, 1.0)
    """
    limit = positive(max_drawdown_limit, "max_drawdown_limit")
    depth = finite_array(drawdown, "drawdown")
    if (depth < 0.0).any():
        raise InputError(f"drawdown holds {depth.min():g}; a drawdown is a positive fraction, 0.1 for 10 %")
    score = np.minimum(1.0, depth / limit)
    if score.ndim == 0:
        return float(score)
    return with_labels(score, labels_of(drawdown, 0), labels_of(drawdown, 1), getattr(drawdown, "name", None))


def _drawdowns(values: Any, input: Input) -> np.ndarray:
    """The drawdown path as a new array."""
    one_of(input, get_args(Input), "input")
    if input == "prices":
        wealth = observations(values, "prices", ordered=True)
        if (wealth[0] <= 0.0).any():
            raise InputError(f"prices starts with {wealth[0].min():g}; a drawdown is a fraction of a peak above zero")
        peak = np.maximum.accumulate(wealth, axis=0)
        return np.asarray((peak - wealth) / peak)
    array = observations(values, "pnl" if input == "pnl" else "returns", ordered=True)
    if input == "pnl":
        refuse_prices(array, "pnl", instead='input="prices"')
        curve = array.cumsum(axis=0)
        return _rounded(np.maximum(np.maximum.accumulate(curve, axis=0), 0.0) - curve, np.abs(curve).max(axis=0))
    refuse_prices(array, "returns", fractions=True, instead='input="prices", or simple_returns(returns)')
    with np.errstate(over="ignore"):
        wealth = np.cumprod(1.0 + above_total_loss(array), axis=0) if input == "returns" else 1.0 + array.cumsum(axis=0)
    if not np.isfinite(wealth).all():
        raise InputError(f"returns reaches {array.max():g}, and wealth overflows; give fractions")
    peak = np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    return _rounded((peak - wealth) / peak, 1.0)


def _rounded(drawdown: np.ndarray, largest: Any) -> np.ndarray:
    """Set the drawdowns to 0 that are the rounding error of sums (products) of numbers up to `largest`."""
    return np.where(drawdown <= len(drawdown) * np.finfo(float).eps * largest, 0.0, drawdown)
