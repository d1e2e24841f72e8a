"""Expectile VaR: the only coherent risk measure that is elicitable, so that forecasts of it can be scored by themselves."""

from __future__ import annotations

import math

import numpy as np

from riskkit._check import InputError, finite_number, positive, probability
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import Quantity, ReturnsLike
from riskkit.var._inputs import read_sample
from riskkit.var.parametric.elliptical import normal_density


def expectile_var(returns: ReturnsLike, tau: float) -> Quantity:
    """Minus the tau-expectile of the observed returns: gains above it, weighted tau, balance losses below, weighted 1 - tau.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L.
    tau : float
        Level as a fraction: 0.5 is the mean; 0.00145 is the 99 % VaR where returns are normal.

    Returns
    -------
    float or (n_portfolios,)
        Loss, in the unit of `returns`; coherent for a tau of at most 0.5.

    Raises
    ------
    InputError
        NaN, infinity, no rows, or a tau that is not above 0 and at most 0.5.

    References
    ----------
    Newey and Powell (1987), Asymmetric least squares estimation and testing, Econometrica 55, 819-847. Bellini and Di
    Bernardino (2017), Risk management with expectiles, European J. Finance 23, 487-506.

    Examples
    --------
    >>> round(expectile_var([-0.05, -0.03, -0.02, -0.01, 0.0, 0.005, 0.01, 0.02, 0.03, 0.04], 0.05), 6)
    0.032321
    """
    level = probability(tau, "tau")
    if level > 0.5:
        raise InputError(
            f"tau={tau:g} is above 0.5, and measures gains; that of a VaR is small: normal_expectile_level({tau:g})"
        )
    sample = read_sample(returns, ordered=False)
    ranked = np.sort(sample.table, axis=0)
    below = np.arange(1.0, len(ranked) + 1.0)[:, None]  # observations at or below each one
    sums = np.cumsum(ranked - ranked[0], axis=0)  # from the worst, so that nothing cancels
    # with the k worst below it the expectile is a weighted mean; it lies between the k-th and the next for one k only
    means = ((1.0 - level) * sums + level * (sums[-1] - sums)) / (
        (1.0 - level) * below + level * (len(ranked) - below)
    ) + ranked[0]
    after = np.vstack([ranked[1:], np.full((1, ranked.shape[1]), np.inf)])
    at = np.argmax(means <= after, axis=0)
    return sample.per_portfolio(-means[at, np.arange(ranked.shape[1])])


def normal_expectile_var(volatility: float, tau: float, *, mean: float = 0.0) -> float:
    """Minus the tau-expectile of a normal return.

    Parameters
    ----------
    volatility : float
        Standard deviation, above zero.
    tau : float
        Level as a fraction, between 0 and 1.
    mean : float
        Mean return.

    Returns
    -------
    float
        Loss, in the unit of `volatility`.

    Raises
    ------
    InputError
        A tau that is not between 0 and 1, or a volatility not above zero.

    References
    ----------
    Bellini and Di Bernardino (2017), Risk management with expectiles, European J. Finance 23, 487-506, section 2.

    Examples
    --------
    >>> round(normal_expectile_var(0.02, 0.01), 6)
    0.034349
    """
    from scipy.optimize import brentq

    level, sd = probability(tau, "tau"), positive(volatility, "volatility")
    odds = math.log(level / (1.0 - level))
    root = float(brentq(lambda z: _log_odds(z) - odds, -37.0, 37.0, xtol=1e-13))
    return -(finite_number(mean, "mean") + sd * root)


def normal_expectile_level(confidence: float = DEFAULT_CONFIDENCE) -> float:
    """Level tau at which the expectile of a normal return is its VaR.

    Parameters
    ----------
    confidence : float
        0.99 for 99 %.

    Returns
    -------
    float
        The tau for `expectile_var`, a fraction.

    Raises
    ------
    InputError
        A confidence below 0.5 or not below 1.

    References
    ----------
    Bellini and Di Bernardino (2017), Risk management with expectiles, European J. Finance 23, 487-506, table 1.

    Examples
    --------
    >>> round(normal_expectile_level(0.99), 5)
    0.00145
    """
    from scipy.special import ndtri

    return 1.0 / (1.0 + math.exp(-_log_odds(float(ndtri(tail_probability(confidence))))))


def _log_odds(z: float) -> float:
    """Logarithm of tau / (1 - tau) for the expectile z of a standard normal: mean shortfall below over mean excess above."""
    return math.log(_shortfall(z)) - math.log(_shortfall(-z))


def _shortfall(z: float) -> float:
    """Mean of max(z - X, 0) for a standard normal X; far below zero, where the terms cancel, by its expansion."""
    from scipy.special import ndtr

    if z < -10.0:
        square = z * z
        return normal_density(z) / square * (1.0 - 3.0 / square + 15.0 / square**2 - 105.0 / square**3)
    return float(z * ndtr(z)) + normal_density(z)
