"""Drawdown: how far wealth stands below its highest point so far, and what is measured on that path.

Every function takes ``of``, which says what wealth is made of:

- ``"returns"``: returns compounded from a wealth of 1 *before* the first one, so a loss on the first day counts;
- ``"summed_returns"``: 1 plus the sum of the returns, a book of constant size;
- ``"prices"``: the values themselves, a price or an equity curve; its first value is the first peak.

A drawdown is a positive fraction of the peak: 0.25 is a quarter lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import (
    InputError,
    finite_array,
    labels_of,
    one_of,
    positive,
    returns_array,
    with_labels,
)
from riskkit._tail import tail_size
from riskkit.performance.series import above_total_loss, per_series

__all__ = [
    "conditional_drawdown_at_risk",
    "drawdown_path",
    "max_drawdown",
    "pain_index",
    "risk_score",
    "ulcer_index",
]

WEALTH_OF = ("returns", "summed_returns", "prices")


def drawdown_path(values: Any, *, of: str = "returns") -> Any:
    """Drawdown at the end of every period.

    Parameters
    ----------
    values : (n_obs,) or (n_obs, n_series)
        Simple returns per period, or prices; oldest first.
    of : {"returns", "summed_returns", "prices"}
        What wealth is made of; see the head of this module.

    Returns
    -------
    as `values`
        Fraction of the running peak, 0 at a peak. More than 1 only where summed returns or a curve of equity fall
        below zero. With returns, what is no more than rounding (n_obs × 2.2e-16) counts as 0, so that a wealth which
        returns to its peak has recovered.

    Raises
    ------
    InputError
        NaN, infinity, no observation; a return below -1 to be compounded; a first price that is not above zero.

    References
    ----------
    Chekhlov, Uryasev and Zabarankin (2005), Drawdown Measure in Portfolio Optimization, International Journal of
    Theoretical and Applied Finance 8, 13-58. Bacon (2008), Practical Portfolio Performance
    Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> drawdown_path([-0.1, 0.2, -0.5]).round(6).tolist()
    [0.1, 0.0, 0.5]
    >>> drawdown_path([100.0, 120.0, 90.0], of="prices").tolist()
    [0.0, 0.0, 0.25]
    """
    fall = _falls(values, of)
    return with_labels(fall, labels_of(values, 0), labels_of(values, 1), getattr(values, "name", None))


def max_drawdown(values: Any, *, of: str = "returns") -> Any:
    """The largest fall of wealth from its running peak.

    Parameters
    ----------
    values, of
        As in `drawdown_path`.

    Returns
    -------
    float or (n_series,)
        Positive fraction of the peak; 0 for a wealth that never falls.

    Raises
    ------
    InputError
        As in `drawdown_path`.

    References
    ----------
    Magdon-Ismail and Atiya (2004), Maximum drawdown, Risk 17(10), 99-102.

    Examples
    --------
    >>> round(max_drawdown([0.10, -0.20, 0.05, -0.10]), 6)
    0.244
    >>> round(max_drawdown([5000, 5100, 4900, 5200, 4800, 5050], of="prices"), 4)
    0.0769
    """
    return per_series(_falls(values, of).max(axis=0), values)


def pain_index(values: Any, *, of: str = "returns") -> Any:
    """Mean drawdown over all periods, those at a peak included.

    Parameters
    ----------
    values, of
        As in `drawdown_path`.

    Returns
    -------
    float or (n_series,)
        Positive fraction.

    Raises
    ------
    InputError
        As in `drawdown_path`.

    References
    ----------
    Becker and Moore (2006), The Pain Index; Bacon (2008), chapter 4.

    Examples
    --------
    >>> round(pain_index([0.10, -0.20, 0.05, -0.10]), 6)
    0.151
    """
    return per_series(_falls(values, of).mean(axis=0), values)


def ulcer_index(values: Any, *, of: str = "returns") -> Any:
    """Root mean square of the drawdowns of all periods.

    Parameters
    ----------
    values, of
        As in `drawdown_path`.

    Returns
    -------
    float or (n_series,)
        Positive fraction (Martin gives it in percent).

    Raises
    ------
    InputError
        As in `drawdown_path`.

    References
    ----------
    Martin and McCann (1989), The Investor's Guide to Fidelity Funds.

    Examples
    --------
    >>> round(ulcer_index([0.10, -0.20, 0.05, -0.10]), 6)
    0.176873
    """
    return per_series(np.sqrt((_falls(values, of) ** 2).mean(axis=0)), values)


def conditional_drawdown_at_risk(values: Any, confidence: float = 0.95, *, of: str = "returns") -> Any:
    """CDaR: mean of the worst drawdowns, exactly 1 - `confidence` of all periods.

    Parameters
    ----------
    values, of
        As in `drawdown_path`.
    confidence : float
        0.95 averages the worst 5 % of the periods; the last of them counts with the fraction that fills the mass. Near
        1 it is the maximum drawdown, near 0 the `pain_index`.

    Returns
    -------
    float or (n_series,)
        Positive fraction.

    Raises
    ------
    InputError
        As `drawdown_path`, and a confidence that is not between 0 and 1.

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
    fall = -np.sort(-_falls(values, of), axis=0)
    mass = tail_size(len(fall), confidence)
    whole = min(int(mass), len(fall) - 1)
    return per_series((fall[:whole].sum(axis=0) + (mass - whole) * fall[whole]) / mass, values)


def risk_score(drawdown: Any, max_drawdown_limit: float) -> Any:
    """How much of a drawdown limit is used up, from 0 (at the peak) to 1 (at or beyond the limit).

    Parameters
    ----------
    drawdown : float or array
        Positive fraction (or money), such as `max_drawdown` or the path of `drawdown_path`.
    max_drawdown_limit : float
        The limit in the same unit, above zero.

    Returns
    -------
    float, or as `drawdown`
        min(1, drawdown / limit).

    Raises
    ------
    InputError
        NaN, a negative drawdown, a limit that is not above zero.

    Examples
    --------
    >>> risk_score(0.05, 0.20), risk_score(0.30, 0.20)
    (0.25, 1.0)
    """
    limit = positive(max_drawdown_limit, "max_drawdown_limit")
    fall = finite_array(drawdown, "drawdown")
    if (fall < 0.0).any():
        raise InputError(f"drawdown holds {fall.min():g}; a fall below the peak is positive, 0.1 for 10 %")
    score = np.minimum(1.0, fall / limit)
    if score.ndim == 0:
        return float(score)
    return with_labels(score, labels_of(drawdown, 0), labels_of(drawdown, 1), getattr(drawdown, "name", None))


def _falls(values: Any, of: str) -> np.ndarray:
    """The drawdown path as an array of its own."""
    one_of(of, WEALTH_OF, "of")
    if of == "prices":
        wealth = returns_array(values, "prices")
        if (wealth[0] <= 0.0).any():
            raise InputError(f"prices begins with {wealth[0].min():g}; a fall is a fraction of a peak above zero")
        peak = np.maximum.accumulate(wealth, axis=0)
        return (peak - wealth) / peak
    array = returns_array(values)
    with np.errstate(over="ignore"):
        wealth = np.cumprod(1.0 + above_total_loss(array), axis=0) if of == "returns" else 1.0 + array.cumsum(axis=0)
    if not np.isfinite(wealth).all():
        raise InputError(f"returns reaches {array.max():g}, and wealth leaves the range of numbers; give fractions")
    peak = np.maximum(np.maximum.accumulate(wealth, axis=0), 1.0)
    fall = (peak - wealth) / peak
    fall[fall <= len(fall) * np.finfo(float).eps] = 0.0
    return fall
