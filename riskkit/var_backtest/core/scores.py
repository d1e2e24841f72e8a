"""Consistent scoring functions: the quantile loss of VaR and the joint FZ0 loss of VaR and ES."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import with_labels
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


def quantile(returns: np.ndarray, var: np.ndarray, p: float) -> np.ndarray:
    """Quantile loss of checked arrays of any one shape."""
    return np.asarray((p - (returns < -var)) * (returns + var))


def fz0(returns: np.ndarray, var: np.ndarray, es: np.ndarray, p: float) -> np.ndarray:
    """FZ0 loss of checked arrays of any one shape."""
    return np.asarray(np.maximum(-returns - var, 0.0) / (p * es) + var / es + np.log(es) - 1.0)
