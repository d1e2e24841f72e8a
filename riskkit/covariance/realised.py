"""Volatility from returns within the day: realised variance, its part without jumps, and how exact they are."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import refuse_overflow, refuse_prices, single_series
from riskkit._docs import with_described_fields


@with_described_fields
class RealisedMeasures(NamedTuple):
    """Variance of a day, measured within it.

    Attributes
    ----------
    variance : float
        Realised variance: the sum of squared returns, in the square of their unit.
    bipower : float
        Bipower variation: the part of the variance that is no jump, from products of neighbouring returns.
    jump : float
        Realised variance less bipower variation, at least zero, in the square of the unit of the returns.
    quarticity : float
        Realised quarticity, in the fourth power of the unit of the returns.
    tripower_quarticity : float
        Quarticity without jumps, from products of three neighbouring returns.
    n_obs : int
        Number of returns.

    Examples
    --------
    >>> from riskkit.covariance import realised_measures
    >>> round(realised_measures([0.4, -0.3, 0.1, 0.6, -0.9, 0.2, 0.3, -0.1]).variance, 2)
    1.57
    """

    variance: float
    bipower: float
    jump: float
    quarticity: float
    tripower_quarticity: float
    n_obs: int

    @property
    def volatility(self) -> float:
        """Square root of the realised variance, in the unit of the returns."""
        return math.sqrt(self.variance)

    @property
    def variance_error(self) -> float:
        """Standard error of the realised variance, in its unit, on a day without jumps."""
        return math.sqrt(2.0 * self.quarticity / self.n_obs)


def realised_measures(returns: Any) -> RealisedMeasures:
    """Realised variance, bipower variation, jump and quarticity of the returns within a day.

    Parameters
    ----------
    returns : (n_obs,)
        Logarithmic returns over equal spans of the day, in order, at least three.

    Returns
    -------
    RealisedMeasures
        Without factors for small samples: n/(n-1) times the bipower variation is the version that has one.

    Raises
    ------
    InputError
        NaN, infinity, or fewer than three returns.

    References
    ----------
    Barndorff-Nielsen and Shephard (2004), Power and bipower variation with stochastic volatility and jumps, J. Financial
    Econometrics 2, 1-37. Andersen, Bollerslev and Diebold (2007), Roughing it up, Rev. Economics and Statistics 89, 701-720.

    Examples
    --------
    >>> day = realised_measures([0.4, -0.3, 0.1, 0.6, -0.9, 0.2, 0.3, -0.1])
    >>> round(day.bipower, 4), day.jump, round(day.volatility, 4)
    (1.6022, 0.0, 1.253)
    """
    array = single_series(returns, "returns", min_obs=3, ordered=True)
    refuse_prices(array, "returns")
    refuse_overflow(array, "returns", 1e75)
    n, size = len(array), np.abs(array)
    variance = float(array @ array)
    bipower = 0.5 * math.pi * float(size[1:] @ size[:-1])
    cubic = size ** (4.0 / 3.0)
    moment = 2.0 ** (2.0 / 3.0) * math.gamma(7.0 / 6.0) / math.gamma(0.5)  # E |z|^(4/3) of a standard normal z
    return RealisedMeasures(
        variance=variance,
        bipower=bipower,
        jump=max(variance - bipower, 0.0),
        quarticity=n / 3.0 * float((array**4).sum()),
        tripower_quarticity=n / moment**3 * float((cubic[2:] * cubic[1:-1] * cubic[:-2]).sum()),
        n_obs=n,
    )
