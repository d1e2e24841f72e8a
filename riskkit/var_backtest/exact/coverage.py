"""Exact distributions of Kupiec's coverage tests: the binomial number of hits, the geometric day of the first hit.

The chi-square p-value of the POF test is asymptotic: with 250 days at 99 % the nominal 5 % test rejects 9.5 % of
correct models. The exact p-value is the probability, under a correct model, of a number of hits at least as extreme.
Three orders of "extreme" are in use: the probability of the number (`order="probability"`, as in R's binom.test), its
likelihood ratio (`order="lr"`), and its distance from the expected number (`order="distance"`, that of the normal and
the proportion test). All keep the nominal size; the first wastes least of it. `order="asymptotic"` is the chi-square
p-value. The test, its p-value and its region of non-rejection take the same orders and the same default, so that they
agree in every cell.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from riskkit._check import one_of, probability, whole_number
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit.var_backtest.core.distributions import binomial_pmf, chi_square_quantile, chi_square_tail
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import hit_count

Order = Literal["probability", "lr", "distance", "asymptotic"]
ORDERS: tuple[Order, ...] = get_args(Order)
TIE = 1e-9
"""Relative difference below which two values are the same number computed two ways."""


class Region(NamedTuple):
    """Rejection bounds of a two-sided test; None on a side where it never rejects."""

    reject_at_or_below: int | None
    reject_at_or_above: int | None


def pof_lr(n_hits: Any, n_obs: int, p: float) -> np.ndarray:
    """Return -2 ln of the likelihood of hit probability `p` over that of n_hits/n_obs, with 0 ln 0 = 0."""
    from scipy.special import xlogy

    x = np.asarray(n_hits, dtype=float)
    gain = xlogy(x, x / (n_obs * p)) + xlogy(n_obs - x, (n_obs - x) / (n_obs * (1.0 - p)))
    return np.maximum(2.0 * gain, 0.0)


@documented
def pof_p_value(
    n_hits: int, n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, order: Order = "probability"
) -> float:
    """P-value of the number of hits.

    Returns
    -------
    float
        Probability of a number of hits at least as extreme, hits independent with probability 1 - confidence.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, proportion of failures.
    .. [2] Hirji (2006), Exact Analysis of Discrete Data (probability and likelihood ratio orders).

    Examples
    --------
    >>> round(pof_p_value(6, 250, 0.99), 6)
    0.041183
    >>> round(pof_p_value(6, 250, 0.99, order="lr"), 6)
    0.122242
    """
    n_obs = whole_number(n_obs, "n_obs")
    return float(pof_p_values(n_obs, tail_probability(confidence), order)[hit_count(n_hits, n_obs)])


@documented
def pof_size(n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, significance: float = 0.05) -> float:
    """Probability that the asymptotic (chi-square) POF test rejects a correct model.

    Returns
    -------
    float
        A probability.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(pof_size(250, 0.99), 4)
    0.0948
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_probability(confidence)
    return float(min(binomial_pmf(n_obs, p)[_rejected(n_obs, p, significance, "asymptotic")].sum(), 1.0))


@documented
def pof_attainable_size(
    n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, significance: float = 0.05, order: Order = "probability"
) -> float:
    """Probability that the POF test of an order rejects a correct model.

    Returns
    -------
    float
        A probability, at most `significance` in the exact orders.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(pof_attainable_size(250, 0.99), 4), round(pof_attainable_size(250, 0.99, order="lr"), 4)
    (0.0412, 0.0137)
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_probability(confidence)
    return float(min(binomial_pmf(n_obs, p)[_rejected(n_obs, p, significance, order)].sum(), 1.0))


@documented
def pof_nonrejection_region(
    n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, significance: float = 0.05, order: Order = "probability"
) -> Region:
    """Numbers of hits at which `kupiec_pof` starts to reject, below and above the expected number.

    Returns
    -------
    Region
        `reject_at_or_below`, the largest rejected number below n p, and `reject_at_or_above`, the smallest above; None
        where there is none.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, tables of
       non-rejection regions.

    Examples
    --------
    >>> pof_nonrejection_region(255, 0.99)
    Region(reject_at_or_below=None, reject_at_or_above=6)
    >>> pof_nonrejection_region(255, 0.99, order="asymptotic")
    Region(reject_at_or_below=0, reject_at_or_above=7)
    """
    n_obs, p = whole_number(n_obs, "n_obs"), tail_probability(confidence)
    rejected = np.flatnonzero(_rejected(n_obs, p, significance, order))
    below, above = rejected[rejected < n_obs * p], rejected[rejected > n_obs * p]
    return Region(int(below[-1]) if below.size else None, int(above[0]) if above.size else None)


def pof_p_values(n_obs: int, p: float, order: str) -> np.ndarray:
    """Return the p-value of every number of hits, shape (n_obs + 1,)."""
    one_of(order, ORDERS, "order")
    x = np.arange(n_obs + 1)
    if order == "asymptotic":
        return chi_square_tail(pof_lr(x, n_obs, p), 1)
    pmf = binomial_pmf(n_obs, p)
    # The larger, the more extreme.
    if order == "probability":
        extreme = -np.log(np.maximum(pmf, 1e-320))
    else:
        extreme = pof_lr(x, n_obs, p) if order == "lr" else np.abs(x - n_obs * p)
    ranking = np.argsort(extreme)
    mass_from = np.cumsum(pmf[ranking][::-1])[::-1]
    first = np.searchsorted(extreme[ranking], extreme - TIE * np.maximum(extreme, 1.0), side="left")
    return np.asarray(np.minimum(mass_from[np.minimum(first, n_obs)], 1.0))


def _rejected(n_obs: int, p: float, significance: float, order: str) -> np.ndarray:
    """Decision of the POF test for every number of hits, (n_obs + 1,) booleans."""
    return pof_p_values(n_obs, p, order) <= probability(significance, "significance")


def tuff_lr(first_hit: Any, p: float) -> np.ndarray:
    """Return the likelihood ratio of a first hit on the given days."""
    from scipy.special import xlog1py

    v = np.asarray(first_hit, dtype=float)
    return np.asarray(
        np.maximum(2.0 * (xlog1py(v - 1.0, -1.0 / v) - np.log(v) - math.log(p) - xlog1py(v - 1.0, -p)), 0.0)
    )


@documented
def tuff_p_value(first_hit: int, confidence: float = DEFAULT_CONFIDENCE) -> float:
    """Exact p-value of the day of the first hit.

    Returns
    -------
    float
        P(LR(V) >= LR(first_hit)), V the geometric day of the first hit.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models.

    Examples
    --------
    >>> round(tuff_p_value(1, 0.99), 6)
    0.010482
    """
    p = tail_probability(confidence)
    observed = float(tuff_lr(whole_number(first_hit, "first_hit"), p))
    early, late = _days_beyond(observed * (1.0 - 1e-12), p)
    # P(V <= early) + P(V >= late), with powers through log1p so that a small p keeps its digits.
    early_mass = -math.expm1(early * math.log1p(-p))
    return min(early_mass + math.exp((late - 1) * math.log1p(-p)), 1.0)


@documented
def tuff_nonrejection_region(confidence: float = DEFAULT_CONFIDENCE, *, significance: float = 0.05) -> Region:
    """Days of the first hit at which the asymptotic TUFF test starts to reject: too early, and too late.

    Returns
    -------
    Region
        `reject_at_or_below` (None if no day is too early) and `reject_at_or_above`, days counted from 1.

    References
    ----------
    .. [1] Kupiec (1995), Techniques for Verifying the Accuracy of Risk Measurement Models, table of non-rejection
       regions.

    Examples
    --------
    >>> tuff_nonrejection_region(0.98)
    Region(reject_at_or_below=3, reject_at_or_above=219)
    """
    early, late = _days_beyond(math.nextafter(_critical_lr(significance), math.inf), tail_probability(confidence))
    return Region(early or None, late)


def _critical_lr(significance: float) -> float:
    """Likelihood ratio, chi-square with 1 df, beyond which an asymptotic test rejects."""
    return chi_square_quantile(1.0 - probability(significance, "significance"), 1)


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
