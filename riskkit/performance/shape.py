"""Shape of a track record: its right tail beside its left, and how straight wealth grew."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, OnRefusal, probability, returns_array
from riskkit._types import ReturnsLike
from riskkit.performance.series import above_total_loss, documented, gain_over_risk, per_series


@documented
def tail_ratio(returns: ReturnsLike, coverage: float = 0.9, *, on_refusal: OnRefusal = "nan") -> Any:
    """Size of the upper quantile of the returns over that of the lower one: above 1, large gains exceed large losses.

    Parameters
    ----------
    coverage : float
        Probability between the two quantiles, a fraction: 0.9 for those at 5 and 95 %, interpolated linearly.

    Returns
    -------
    float or (n_series,)
        Dimensionless; infinite if the lower quantile is zero.

    References
    ----------
    Quantopian (2016), empyrical, tail_ratio.

    Examples
    --------
    >>> round(tail_ratio([-0.02, -0.01, 0.0, 0.01, 0.04]), 4)
    1.8889
    """
    array = returns_array(returns)
    inner = 0.5 * (1.0 - probability(coverage, "coverage"))
    low, high = np.abs(np.quantile(array, [inner, 1.0 - inner], axis=0))
    return per_series(
        gain_over_risk(high, low), returns, "returns has quantiles of zero; a tail ratio is undefined", on_refusal
    )


@documented
def stability(returns: ReturnsLike, *, on_refusal: OnRefusal = "nan") -> Any:
    """Share of the variance of cumulated logarithmic returns that a straight line in time explains.

    Returns
    -------
    float or (n_series,)
        R² between 0 and 1, whether wealth rose or fell.

    References
    ----------
    Quantopian (2016), empyrical, stability_of_timeseries.

    Examples
    --------
    >>> round(stability([0.01, 0.02, -0.01, 0.02, 0.01]), 4)
    0.8069
    """
    array = returns_array(returns, min_obs=3, ordered=True)
    if (array <= -1.0).any():
        above_total_loss(array)
        raise InputError("returns holds -1, a total loss; nothing is left that could grow")
    wealth = np.log1p(array).cumsum(axis=0)
    wealth = wealth - wealth.mean(axis=0)
    time = np.arange(len(array)) - 0.5 * (len(array) - 1.0)
    spread = (wealth**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = (time @ wealth) ** 2 / (time @ time) / spread
    return per_series(explained, returns, "returns is zero everywhere; wealth neither grows nor falls", on_refusal)
