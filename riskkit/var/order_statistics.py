"""Order statistics: tail counts and ranks, weights of observations, and the sampling error of a quantile."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from riskkit._check import InputError, finite_number, positive, probability, shown, whole_number
from riskkit._docs import with_described_fields
from riskkit._tail import n_tail, tail_probability, var_rank
from riskkit.var.parametric import quantile_multiplier
from riskkit.var.parametric.elliptical import normal_density

__all__ = [
    "RankInterval",
    "age_weights",
    "confidence_ranks",
    "quantile_standard_error",
    "tail_probability",
    "n_tail",
    "var_rank",
]


def age_weights(n_obs: int, decay: float) -> np.ndarray:
    """Weights of observations by age, oldest first: decay^(n-i) (1 - decay)/(1 - decay^n) for the i-th of n.

    Parameters
    ----------
    n_obs : int
        Observations, at least one.
    decay : float
        Weight of an observation over that of the next newer one, above 0 and at most 1; 0.98 to 0.995 are usual.

    Returns
    -------
    (n_obs,)
        They sum to 1. With decay=1 all are equal.

    Raises
    ------
    InputError
        A decay outside (0, 1], or no observations.

    References
    ----------
    Boudoukh, Richardson and Whitelaw (1998), The best of both worlds, Risk 11(5), 64-67, step 1. Hull (2018), Options,
    Futures and Other Derivatives, 10th ed., section 22.2.

    Examples
    --------
    >>> age_weights(3, 0.5).round(4).tolist()
    [0.1429, 0.2857, 0.5714]
    """
    n_obs, decay = whole_number(n_obs, "n_obs"), finite_number(decay, "decay")
    if not 0.0 < decay <= 1.0:
        raise InputError(f"decay={shown(decay)} is not above 0 and at most 1; 0.98 is usual for daily data")
    weights: np.ndarray = decay ** np.arange(n_obs - 1, -1, -1.0)
    return weights / n_obs if decay == 1.0 else weights * ((1.0 - decay) / (1.0 - decay**n_obs))


def quantile_standard_error(
    n_obs: int, confidence: float, *, density: float | None = None, volatility: float | None = None
) -> float:
    """Asymptotic standard error of a sample quantile: sqrt(c (1 - c)/n)/f.

    Parameters
    ----------
    n_obs : int
        Independent observations.
    confidence : float
        c, as 0.99.
    density : float
        Density f at the quantile, per unit of loss; or
    volatility : float
        Volatility of a normal distribution, whose density at its c-quantile is used.

    Returns
    -------
    float
        In the unit of the losses.

    Raises
    ------
    InputError
        Not exactly one of density and volatility, or one that is not above zero.

    References
    ----------
    Kendall and Stuart (1977), The Advanced Theory of Statistics 1, chapter 10; Hull (2018), Options, Futures and Other
    Derivatives, 10th ed., section 22.2 (accuracy of VaR).

    Examples
    --------
    >>> round(quantile_standard_error(500, 0.99, volatility=10.0), 2)
    1.67
    """
    p = tail_probability(confidence)
    if (density is None) == (volatility is None):
        raise InputError("give either the density at the quantile or the volatility of a normal distribution")
    if volatility is not None:
        density = normal_density(quantile_multiplier(confidence)) / positive(volatility, "volatility")
    return math.sqrt(p * (1.0 - p) / whole_number(n_obs, "n_obs")) / positive(density, "density")


@with_described_fields
class RankInterval(NamedTuple):
    """Ranks of two losses that enclose the true VaR, counted from the worst; None: beyond the sample.

    Attributes
    ----------
    high : int or None
        Rank of the larger loss.
    low : int or None
        Rank of the smaller loss.
    coverage : float
        Exact probability for independent losses with a continuous distribution.

    Examples
    --------
    >>> from riskkit.var.order_statistics import confidence_ranks
    >>> ranks = confidence_ranks(250, 0.99, 0.90)
    >>> ranks.high, ranks.low, round(ranks.coverage, 4)
    (None, 6, 0.9588)
    """

    high: int | None
    low: int | None
    coverage: float


def confidence_ranks(n_obs: int, confidence: float, coverage: float = 0.9) -> RankInterval:
    """Ranks of two losses that enclose the true VaR with at least a given probability, for any distribution.

    The number of losses beyond the true VaR is binomial(n, p). The ranks cut off at most half of 1 - coverage at
    each end.

    Parameters
    ----------
    n_obs : int
        Independent observations.
    confidence : float
        0.99 for 99 %.
    coverage : float
        Probability of enclosing the VaR.

    Returns
    -------
    RankInterval
        high, low, coverage. With too few observations for an upper end, `high` is None.

    Raises
    ------
    InputError
        A confidence or coverage outside (0, 1).

    References
    ----------
    David and Nagaraja (2003), Order Statistics, 3rd ed., section 7.1. Dowd (2005), Measuring Market Risk, 2nd ed.,
    section 7.4.

    Examples
    --------
    >>> confidence_ranks(500, 0.99, 0.9)
    RankInterval(high=2, low=10, coverage=0.929)
    >>> confidence_ranks(100, 0.99, 0.9)
    RankInterval(high=None, low=4, coverage=0.982)
    """
    from scipy.special import bdtr

    n, p = whole_number(n_obs, "n_obs"), tail_probability(confidence)
    cut = (1.0 - probability(coverage, "coverage")) / 2.0
    margin = 20.0 + 10.0 * math.sqrt(n * p)  # the binomial probability beyond is zero in floats
    first, last = max(0, math.floor(n * p - margin)), min(n, math.ceil(n * p + margin))
    cdf = bdtr(np.arange(first, last + 1.0), n, p)  # P(at most k losses beyond the VaR), k from first to last
    high = first + int(np.searchsorted(cdf, cut, side="right"))  # largest k with P(fewer than k beyond) <= cut
    low = first + int(np.searchsorted(cdf, 1.0 - cut, side="left")) + 1  # smallest k with P(k or more beyond) <= cut
    enclosed = (bdtr(low - 1.0, n, p) if low <= n else 1.0) - (bdtr(high - 1.0, n, p) if high else 0.0)
    return RankInterval(high or None, low if low <= n else None, float(enclosed))
