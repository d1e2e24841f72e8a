"""Distortion risk: the mean loss under probabilities that are shifted to the tail; ES and spectral measures are such."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, positive
from riskkit._types import Quantity, ReturnsLike
from riskkit.var._inputs import read_sample

Distortion = Callable[[Any], Any]
"""Weight of the worst outcomes of probability u, for an array of u: 0 at 0, 1 at 1, never falling."""


def distortion_risk(returns: ReturnsLike, distortion: Distortion) -> Quantity:
    """Mean loss of the observed returns, each weighted by a distortion of its rank.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L.
    distortion : callable
        Weight of the worst outcomes of probability u, for an array of u between 0 and 1: `exponential_spectrum`,
        `wang_transform`, `minvar`, or your own. Coherent if it is concave; ``lambda u: np.minimum(u / 0.01, 1)`` is the 99 % ES.

    Returns
    -------
    float or (n_portfolios,)
        Loss, in the unit of `returns`.

    Raises
    ------
    InputError
        NaN, infinity, no rows, or a distortion that does not rise from 0 to 1.

    References
    ----------
    Acerbi (2002), Spectral measures of risk: a coherent representation of subjective risk aversion, J. Banking and
    Finance 26, 1505-1518, eq. 13. Wang (2000), A class of distortion operators for pricing financial and insurance risks,
    J. Risk and Insurance 67, 15-36.

    Examples
    --------
    >>> round(distortion_risk([-0.03, 0.01, -0.01, 0.02, 0.0], exponential_spectrum(5.0)), 6)
    0.020884
    """
    sample = read_sample(returns, ordered=False)
    weights = distortion_weights(distortion, len(sample.table))
    return sample.per_portfolio(-(weights @ np.sort(sample.table, axis=0)))


def distortion_weights(distortion: Distortion, n_obs: int) -> np.ndarray:
    """Weight of each of `n_obs` observations, worst first; they sum to 1."""
    levels = _values(distortion, np.linspace(0.0, 1.0, n_obs + 1))
    if abs(levels[0]) > 1e-12 or abs(levels[-1] - 1.0) > 1e-12 or (np.diff(levels) < -1e-12).any():
        raise InputError(
            f"distortion runs from {levels[0]:g} to {levels[-1]:g}; it is the weight of the worst outcomes of probability u, "
            "which rises from 0 at u = 0 to 1 at u = 1"
        )
    return np.diff(levels)


def normal_distortion_risk(volatility: float, distortion: Distortion, *, mean: float = 0.0) -> float:
    """Distortion risk of a normal return.

    Parameters
    ----------
    volatility : float
        Standard deviation, above zero.
    distortion : callable
        As in `distortion_risk`.
    mean : float
        Mean return.

    Returns
    -------
    float
        Loss, in the unit of `volatility`.

    Raises
    ------
    InputError
        A volatility not above zero, or a distortion that does not rise from 0 to 1.

    References
    ----------
    Wang (2000), A class of distortion operators for pricing financial and insurance risks, J. Risk and Insurance 67,
    15-36, eq. 2 (integral of the distorted probabilities); with his transform it is lambda × volatility - mean.

    Examples
    --------
    >>> round(normal_distortion_risk(0.02, wang_transform(0.5)), 6), round(normal_distortion_risk(1.0, exponential_spectrum(20.0)), 4)
    (0.01, 1.8537)
    """
    from scipy.integrate import quad
    from scipy.special import ndtr

    sd = positive(volatility, "volatility")
    distortion_weights(distortion, 1000)
    above = quad(lambda z: float(_values(distortion, ndtr(-z))), 0.0, np.inf, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
    below = quad(
        lambda z: 1.0 - float(_values(distortion, ndtr(z))), 0.0, np.inf, epsabs=1e-13, epsrel=1e-12, limit=200
    )
    return sd * (above - below[0]) - finite_number(mean, "mean")


def exponential_spectrum(aversion: float) -> Distortion:
    """Distortion of the exponential spectral measure: (1 - exp(-k u)) / (1 - exp(-k)).

    Parameters
    ----------
    aversion : float
        k above zero, without unit: near zero all outcomes weigh the same, at 100 the worst percent weighs 63 %.

    Returns
    -------
    callable
        For `distortion_risk`.

    Raises
    ------
    InputError
        A risk aversion not above zero.

    References
    ----------
    Dowd and Cotter (2006), Extreme spectral risk measures: an application to futures clearinghouse margin requirements,
    J. Banking and Finance 30, 3469-3485, eq. 7.

    Examples
    --------
    >>> round(float(exponential_spectrum(100.0)(0.01)), 3)
    0.632
    """
    k = positive(aversion, "aversion")
    return lambda u: np.expm1(-k * np.asarray(u)) / math.expm1(-k)


def wang_transform(market_price: float) -> Distortion:
    """Distortion of Wang: the normal quantile of u, moved by lambda.

    Parameters
    ----------
    market_price : float
        Lambda, the market price of risk in standard deviations: a normal loss becomes worse by so many volatilities.

    Returns
    -------
    callable
        For `distortion_risk`.

    Raises
    ------
    InputError
        NaN or infinity.

    References
    ----------
    Wang (2000), A class of distortion operators for pricing financial and insurance risks, J. Risk and Insurance 67,
    15-36, eq. 3.

    Examples
    --------
    >>> round(float(wang_transform(0.5)(0.01)), 4)
    0.0339
    """
    from scipy.special import ndtr, ndtri

    shift = finite_number(market_price, "market_price")
    return lambda u: ndtr(ndtri(np.asarray(u)) + shift)


def minvar(stress: float) -> Distortion:
    """Distortion MINVAR: 1 - (1 - u)^(1 + x), the mean of the worst of 1 + x draws.

    Parameters
    ----------
    stress : float
        x of at least zero, without unit: number of further draws; at zero all outcomes weigh the same.

    Returns
    -------
    callable
        For `distortion_risk`.

    Raises
    ------
    InputError
        A stress below zero.

    References
    ----------
    Cherny and Madan (2009), New measures for performance evaluation, Rev. Financial Studies 22, 2571-2606.

    Examples
    --------
    >>> round(float(minvar(9.0)(0.01)), 4), round(distortion_risk([-1.0, 1.0], minvar(1.0)), 6)
    (0.0956, 0.5)
    """
    x = positive(stress, "stress", zero=True)
    return lambda u: 1.0 - (1.0 - np.asarray(u)) ** (1.0 + x)


def _values(distortion: Distortion, u: Any) -> np.ndarray:
    return finite_array(distortion(u), "distortion")
