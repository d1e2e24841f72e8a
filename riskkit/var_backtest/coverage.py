"""Is the share of hits what it should be? Binomial, proportion, Kupiec POF and Kupiec TUFF."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import confidence_level, whole_number
from riskkit._show import percent
from riskkit._tail import tail_mass
from riskkit.var_backtest.distributions import (
    binomial_cdf,
    binomial_upper_tail,
    chi_square_quantile,
    chi_square_tail,
    normal_tail,
)
from riskkit.var_backtest.exact_coverage import Region, pof_exact_p_value, pof_lr
from riskkit.var_backtest.hits import hit_count
from riskkit.var_backtest.outcome import Outcome, undefined

__all__ = [
    "binomial_tail_test",
    "binomial_z_test",
    "kupiec_pof",
    "kupiec_tuff",
    "proportion_test",
    "tuff_exact_p_value",
    "tuff_lr",
    "tuff_nonrejection_region",
]


def binomial_z_test(n_hits: int, n_obs: int, confidence: float = 0.99) -> Outcome:
    """Two-sided test of the number of hits by the normal approximation.

    Parameters
    ----------
    n_hits, n_obs : int
        Number of hits and of days.
    confidence : float
        0.99 means 99 % VaR.

    Returns
    -------
    Outcome
        statistic z = (x - n p)/sqrt(n p (1 - p)); exact p-value P(abs(X - n p) >= abs(x - n p)), as in
        `proportion_test`.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Jorion (2007), Value at Risk, 3rd ed., chapter 6.

    Examples
    --------
    >>> outcome = binomial_z_test(57, 1043, 0.95)
    >>> round(outcome.statistic, 5), round(outcome.p_value, 5)
    (0.68905, 0.49079)
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    z = (n_hits - n_obs * p) / math.sqrt(n_obs * p * (1.0 - p))
    return Outcome(
        "Binomial z",
        _null(p),
        _seen(n_hits, n_obs, p),
        z,
        "standard normal, two-sided",
        2.0 * normal_tail(abs(z)),
        pof_exact_p_value(n_hits, n_obs, confidence, order="distance"),
        "enumeration",
    )


def binomial_tail_test(n_hits: int, n_obs: int, confidence: float = 0.99) -> Outcome:
    """Test, exactly and on one side, whether there are too many hits.

    Parameters
    ----------
    n_hits : int
        Number of hits, from 0 to `n_obs`.
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.

    Returns
    -------
    Outcome
        statistic = number of hits; p-value P(X >= x), exact.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Basel Committee (1996), Supervisory Framework for the Use of "Backtesting", table 1 (type 1 error).

    Examples
    --------
    >>> round(binomial_tail_test(10, 250, 0.99).p_value, 6)
    0.00025
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    tail = binomial_upper_tail(n_hits, n_obs, p)
    null = f"a hit has probability {percent(p)} or less"
    return Outcome(
        "Binomial tail", null, _seen(n_hits, n_obs, p), float(n_hits), "binomial, upper tail", tail, tail, "binomial"
    )


def proportion_test(n_hits: int, n_obs: int, confidence: float = 0.99) -> Outcome:
    """Chi-square proportion test with Yates' continuity correction, which is not Kupiec's test.

    Parameters
    ----------
    n_hits : int
        Number of hits, from 0 to `n_obs`.
    n_obs : int
        Number of days.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.

    Returns
    -------
    Outcome
        statistic (abs(x - n p) - min(0.5, abs(x - n p)))²/(n p (1 - p)), 1 df; `details["expected"]` = n p.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Yates (1934), Contingency Tables Involving Small Numbers and the chi² Test.

    Examples
    --------
    >>> round(proportion_test(6, 250, 0.99).p_value, 5)
    0.05653
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    gap = abs(n_hits - n_obs * p)
    statistic = (gap - min(0.5, gap)) ** 2 / (n_obs * p * (1.0 - p))
    return Outcome(
        "Proportion (Yates)",
        _null(p),
        _seen(n_hits, n_obs, p),
        statistic,
        "chi-square, 1 df",
        chi_square_tail(statistic, 1),
        pof_exact_p_value(n_hits, n_obs, confidence, order="distance"),
        "enumeration",
        df=1,
        details={"expected": n_obs * p},
    )


def kupiec_pof(n_hits: int, n_obs: int, confidence: float = 0.99) -> Outcome:
    """Kupiec's test of the proportion of failures (unconditional coverage).

    Parameters
    ----------
    n_hits, n_obs : int
        Number of hits and of days.
    confidence : float
        0.99 means 99 % VaR.

    Returns
    -------
    Outcome
        statistic LR = -2 ln[(1-p)^(n-x) p^x / ((1-x/n)^(n-x) (x/n)^x)] with 0 ln 0 = 0; `p_value` chi-square, 1 df;
        `exact_p_value` by enumeration in likelihood order; `details["exact_p_value_lr_order"]` in LR order.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, proportion of failures.

    Examples
    --------
    >>> outcome = kupiec_pof(15, 1000, 0.99)
    >>> round(outcome.statistic, 2), outcome.reject
    (2.19, False)
    """
    n_hits, n_obs, p = _counts(n_hits, n_obs, confidence)
    statistic = float(pof_lr(n_hits, n_obs, p))
    exact = {order: pof_exact_p_value(n_hits, n_obs, confidence, order=order) for order in ("likelihood", "lr")}
    return Outcome(
        "Kupiec POF",
        _null(p),
        _seen(n_hits, n_obs, p),
        statistic,
        "chi-square, 1 df",
        chi_square_tail(statistic, 1),
        exact["likelihood"],
        "enumeration, likelihood order",
        df=1,
        details={"exact_p_value_lr_order": exact["lr"]},
    )


def kupiec_tuff(
    first_hit: int | None, confidence: float = 0.99, *, n_obs: int | None = None, test_confidence: float = 0.95
) -> Outcome:
    """Kupiec's test of the time until the first failure.

    Parameters
    ----------
    first_hit : int or None
        Day of the first hit, counted from 1; None if there was none in `n_obs` days.
    confidence : float
        0.99 means 99 % VaR.
    n_obs : int
        Number of days; only needed without a hit.
    test_confidence : float
        Decides, without a hit, whether the wait is already too long.

    Returns
    -------
    Outcome
        statistic LR = -2 ln[p (1-p)^(v-1) / ((1/v) (1-1/v)^(v-1))], 1 df, and its exact p-value. Without a hit the
        test is undefined, unless n_obs > 1/p and a first hit on day n_obs + 1 would already be too late: then
        that LR.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, time until first failure.

    Examples
    --------
    >>> round(kupiec_tuff(1, 0.99).statistic, 4)
    9.2103
    >>> kupiec_tuff(None, 0.99, n_obs=100).p_value is None
    True
    """
    p = tail_mass(confidence)
    name, null = "Kupiec TUFF", f"the first hit comes as soon as hits of probability {percent(p)} make it"
    if first_hit is None:
        critical = chi_square_quantile(confidence_level(test_confidence, "test_confidence"), 1)
        n_obs = whole_number(n_obs, "n_obs (needed without a first_hit)")
        late = n_obs + 1
        if n_obs <= 1.0 / p or float(tuff_lr(late, p)) <= critical:
            return undefined(name, null, f"no hit in {n_obs:,} days, which is not yet too long")
        finding = f"no hit in {n_obs:,} days where the first is expected after {1 / p:,.6g}"
    else:
        late = whole_number(first_hit, "first_hit")
        finding = f"the first hit on day {late:,} where day {1 / p:,.6g} is expected"
    statistic = float(tuff_lr(late, p))
    return Outcome(
        name,
        null,
        finding,
        statistic,
        "chi-square, 1 df",
        chi_square_tail(statistic, 1),
        tuff_exact_p_value(late, confidence),
        "enumeration, LR order",
        df=1,
    )


def tuff_lr(first_hit: Any, p: float) -> np.ndarray:
    """Return the likelihood ratio of a first hit on the given days."""
    from scipy.special import xlog1py

    v = np.asarray(first_hit, dtype=float)
    return np.maximum(2.0 * (xlog1py(v - 1.0, -1.0 / v) - np.log(v) - math.log(p) - xlog1py(v - 1.0, -p)), 0.0)


def tuff_exact_p_value(first_hit: int, confidence: float = 0.99) -> float:
    """Exact p-value of the day of the first hit: P(LR(V) >= LR(first_hit)), V geometric.

    Parameters
    ----------
    first_hit : int
        Day of the first hit, counted from 1.
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.

    Returns
    -------
    float
        P(LR(V) >= LR(first_hit)), V the geometric day of the first hit.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(tuff_exact_p_value(1, 0.99), 6)
    0.010482
    """
    p = tail_mass(confidence)
    observed = float(tuff_lr(whole_number(first_hit, "first_hit"), p))
    early, late = _days_beyond(observed * (1.0 - 1e-12), p)
    # P(V <= early) + P(V >= late), with powers through log1p so that a small p keeps its digits.
    early_mass = -math.expm1(early * math.log1p(-p))
    return min(early_mass + math.exp((late - 1) * math.log1p(-p)), 1.0)


def tuff_nonrejection_region(confidence: float = 0.99, *, test_confidence: float = 0.95) -> Region:
    """Days of the first hit at which TUFF starts to reject: too early, and too late.

    Parameters
    ----------
    confidence : float
        0.99 means 99 % VaR: hits have probability 0.01.
    test_confidence : float
        1 - level of the test: 0.95 for a 5 % test.

    Returns
    -------
    Region
        `reject_at_or_below` (None if no day is too early) and `reject_at_or_above`, days counted from 1.

    Raises
    ------
    InputError
        An argument does not fit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, table of non-rejection
       regions.

    Examples
    --------
    >>> tuff_nonrejection_region(0.98)
    Region(reject_at_or_below=3, reject_at_or_above=219)
    """
    critical = chi_square_quantile(confidence_level(test_confidence, "test_confidence"), 1)
    early, late = _days_beyond(math.nextafter(critical, math.inf), tail_mass(confidence))
    return Region(early or None, late)


def _days_beyond(critical: float, p: float) -> tuple[int, int]:
    """Last day before 1/p and first day from 1/p on whose LR is at least `critical`; day 0 where there is none."""
    # The LR falls until day 1/p and rises from there, so both ends are found by bisection.
    middle = max(math.ceil(1.0 / p), 1)
    low, high = 0, middle
    while high - low > 1:
        day = (low + high) // 2
        low, high = (day, high) if tuff_lr(day, p) >= critical else (low, day)
    early = low
    low, high = middle - 1, 2 * middle
    while tuff_lr(high, p) < critical:
        high *= 2
    while high - low > 1:
        day = (low + high) // 2
        low, high = (low, day) if tuff_lr(day, p) >= critical else (day, high)
    return early, high


def _counts(n_hits: Any, n_obs: Any, confidence: Any) -> tuple[int, int, float]:
    n_obs = whole_number(n_obs, "n_obs")
    return hit_count(n_hits, n_obs), n_obs, tail_mass(confidence)


def _null(p: float) -> str:
    return f"a hit has probability {percent(p)}"


def _seen(n_hits: int, n_obs: int, p: float) -> str:
    # How unusual, in the direction seen: the share of correct models that do no better.
    expected = n_obs * p
    if n_hits > expected:
        share = f"a correct model has as many in {percent(round(binomial_upper_tail(n_hits, n_obs, p), 6))} of samples"
    elif n_hits < expected:
        share = f"a correct model has as few in {percent(round(binomial_cdf(n_hits, n_obs, p), 6))} of samples"
    else:
        share = "exactly as expected"
    return f"{n_hits:,} hits in {n_obs:,} days, {expected:,.6g} expected; {share}"
