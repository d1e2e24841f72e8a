"""Consistent scoring functions of VaR, of VaR and ES together, of an expectile and of a variance."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    finite_array,
    labels_of,
    probability,
    refuse_other_rows,
    single_series,
    with_labels,
)
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


@documented
def asymmetric_laplace_loss(returns: ReturnsLike, var: Any, es: Any, confidence: float = DEFAULT_CONFIDENCE) -> Any:
    """Joint score of VaR and ES by the asymmetric Laplace likelihood, day by day; smaller is better.

    Returns
    -------
    (n_obs,) array, or Series with the labels of `returns`
        ln ES - ln (1 - p) + (return + VaR)(p - hit)/(p ES). Beside `fz0_loss` it has return/ES more, which two models share
        only where they have the same ES.

    References
    ----------
    .. [1] Taylor (2019), Forecasting Value at Risk and Expected Shortfall Using a Semiparametric Approach Based on the
       Asymmetric Laplace Distribution, J. Business and Economic Statistics 37, 121-133, eq. (8).

    Examples
    --------
    >>> asymmetric_laplace_loss([0.01, -0.03], 0.02, 0.025, 0.9).round(6).tolist()
    [-2.383519, 0.016481]
    """
    checked, p = es_sample(returns, var, es), tail_probability(confidence)
    loss = fz0(checked.returns, checked.var, checked.es, p) + checked.returns / checked.es + 1.0 - np.log1p(-p)
    return with_labels(loss, checked.index, name="asymmetric_laplace_loss")


def qlike_loss(variance: Any, forecast: Any) -> Any:
    """Quasi-likelihood loss of variance forecasts, day by day; smaller is better.

    Parameters
    ----------
    variance : (n_obs,) array or Series
        Measured variance, above zero, oldest first: a realised variance, or a squared return that is not zero.
    forecast : (n_obs,) array or Series, or a number
        Forecasts for the same days, above zero.

    Returns
    -------
    (n_obs,) array, or Series with the labels of `variance`
        variance/forecast - ln (variance/forecast) - 1, never negative, without a unit. Models are ranked as by the true variance
        where the measure is only unbiased.

    Raises
    ------
    InputError
        NaN, infinity, a number not above zero, or forecasts of other days.

    References
    ----------
    .. [1] Patton (2011), Volatility forecast comparison using imperfect volatility proxies, J. Econometrics 160, 246-256,
       proposition 4 with b = -2.

    Examples
    --------
    >>> qlike_loss([1e-4, 2e-4], 1e-4).round(4).tolist()
    [0.0, 0.3069]
    """
    measured, given = single_series(variance, "variance", ordered=True), finite_array(forecast, "forecast")
    if given.ndim:
        refuse_other_rows(variance, "variance", forecast, "forecast")
    for name, array in (("variance", measured), ("forecast", given)):
        if not array.min() > 0.0:
            raise InputError(f"{name} holds {array.min():g}; a variance is above zero")
    ratio = measured / given.reshape(-1)
    return with_labels(ratio - np.log(ratio) - 1.0, labels_of(as_pandas(variance), 0), name="qlike_loss")


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
