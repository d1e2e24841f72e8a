"""Consistent scoring functions: quantile loss of VaR, joint FZ0 loss of VaR and ES, loss of an expectile."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import probability, with_labels
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import ReturnsLike
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import es_sample, sample


@documented
def quantile_loss(returns: ReturnsLike, var: Any, confidence: float = DEFAULT_CONFIDENCE) -> Any:
    """Quantile (pinball, tick) loss of VaR, day by day; smaller is better.

    Returns
    -------
    (n_obs,) array, or Series with the labels of `returns`
        (p - hit)(return + VaR), in units of the returns, never negative.

    References
    ----------
    .. [1] Koenker and Bassett (1978), Regression Quantiles.
    .. [2] Gneiting (2011), Making and Evaluating Point Forecasts, on consistent scores.

    Examples
    --------
    >>> quantile_loss([0.01, -0.03], 0.02, 0.9).round(6).tolist()
    [0.003, 0.009]
    """
    checked = sample(returns, var)
    loss = quantile(checked.returns, checked.var, tail_probability(confidence))
    return with_labels(loss, checked.index, name="quantile_loss")


@documented
def fz0_loss(returns: ReturnsLike, var: Any, es: Any, confidence: float = DEFAULT_CONFIDENCE) -> Any:
    """Joint loss of VaR and ES of degree zero (Fissler-Ziegel), day by day; smaller is better.

    Returns
    -------
    (n_obs,) array, or Series with the labels of `returns`
        hit (loss - VaR)/(p ES) + VaR/ES + ln ES - 1. Differences between models do not depend on the units.

    References
    ----------
    .. [1] Fissler and Ziegel (2016), Higher Order Elicitability and Osband's Principle.
    .. [2] Patton, Ziegel and Chen (2019), Dynamic Semiparametric Models for Expected Shortfall (and Value-at-Risk),
       eq. (6).

    Examples
    --------
    >>> fz0_loss([0.01, -0.03], 0.02, 0.025, 0.9).round(6).tolist()
    [-3.888879, 0.111121]
    """
    checked, p = es_sample(returns, var, es), tail_probability(confidence)
    loss = fz0(checked.returns, checked.var, checked.es, p)
    return with_labels(loss, checked.index, name="fz0_loss")


def expectile_loss(returns: ReturnsLike, var: Any, tau: float) -> Any:
    """Asymmetric squared loss of an expectile forecast, day by day; smaller is better.

    Parameters
    ----------
    returns : (n_obs,) array or Series
        Realized returns, gains positive, oldest first.
    var : (n_obs,) array or Series, or a number
        Expectile VaR forecasts for the same days, as `riskkit.var.expectile_var` gives them: positive losses.
    tau : float
        Level of the expectile as a fraction: 0.00145 goes with 99 % VaR of normal returns.

    Returns
    -------
    (n_obs,) array, or Series with the labels of `returns`
        The square of return + VaR, times 1 - tau where it is below zero and tau elsewhere; in the square of the
        unit of the returns.

    Raises
    ------
    InputError
        NaN, infinity, forecasts of other days, or a tau that is not between 0 and 1.

    References
    ----------
    .. [1] Newey and Powell (1987), Asymmetric least squares estimation and testing, Econometrica 55, 819-847.
    .. [2] Bellini and Di Bernardino (2017), Risk management with expectiles, European J. Finance 23, 487-506.

    Examples
    --------
    >>> expectile_loss([0.01, -0.03], 0.02, 0.1).round(6).tolist()
    [9e-05, 9e-05]
    """
    level = probability(tau, "tau")
    checked = sample(returns, var)
    gap = checked.returns + checked.var
    return with_labels(np.where(gap < 0.0, 1.0 - level, level) * gap**2, checked.index, name="expectile_loss")


def quantile(returns: np.ndarray, var: np.ndarray, p: float) -> np.ndarray:
    """Quantile loss of checked arrays of any one shape."""
    return np.asarray((p - (returns < -var)) * (returns + var))


def fz0(returns: np.ndarray, var: np.ndarray, es: np.ndarray, p: float) -> np.ndarray:
    """FZ0 loss of checked arrays of any one shape."""
    return np.asarray(np.maximum(-returns - var, 0.0) / (p * es) + var / es + np.log(es) - 1.0)
