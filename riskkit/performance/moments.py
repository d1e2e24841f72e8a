"""Skewness and excess kurtosis, of the population or corrected for sample bias."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import OnRefusal, constant, one_of, returns_array
from riskkit._types import ReturnsLike
from riskkit.performance.series import documented, per_series, without_spread

Method = Literal["population", "sample"]


@documented
def skewness(returns: ReturnsLike, *, method: Method = "population", on_refusal: OnRefusal = "nan") -> Any:
    """Skewness: third central moment over the cubed standard deviation, negative for large losses.

    Parameters
    ----------
    method : {"population", "sample"}
        Moments with divisor n (g1); or corrected for bias (G1, as in spreadsheets), from 3 observations.

    Returns
    -------
    float or (n_series,)
        Dimensionless.

    References
    ----------
    Joanes and Gill (1998), Comparing measures of sample skewness and kurtosis, The Statistician 47, 183-189: g1, G1.

    Examples
    --------
    >>> returns = [0.02, 0.01, 0.01, -0.04]
    >>> round(skewness(returns), 6), round(skewness(returns, method="sample"), 6)
    (-1.046622, -1.812802)
    """
    one_of(method, get_args(Method), "method")
    array = returns_array(returns, min_obs=3 if method == "sample" else 2)
    n = len(array)
    factor = 1.0 if method == "population" else math.sqrt(n * (n - 1.0)) / (n - 2.0)
    return per_series(factor * _standardized_moment(array, 3), returns, without_spread("skewness"), on_refusal)


@documented
def excess_kurtosis(returns: ReturnsLike, *, method: Method = "population", on_refusal: OnRefusal = "nan") -> Any:
    """Excess kurtosis: fourth central moment over the squared variance, minus 3 (the normal value).

    Parameters
    ----------
    method : {"population", "sample"}
        Moments with divisor n (g2); or corrected for bias (G2), from 4 observations.

    Returns
    -------
    float or (n_series,)
        Dimensionless.

    References
    ----------
    Joanes and Gill (1998), Comparing measures of sample skewness and kurtosis, The Statistician 47, 183-189: g2, G2.

    Examples
    --------
    >>> returns = [0.02, 0.01, 0.01, -0.04]
    >>> round(excess_kurtosis(returns), 6), round(excess_kurtosis(returns, method="sample"), 6)
    (-0.735537, 3.483471)
    """
    one_of(method, get_args(Method), "method")
    array = returns_array(returns, min_obs=4 if method == "sample" else 2)
    n = len(array)
    kurtosis = _standardized_moment(array, 4) - 3.0
    if method == "sample":
        kurtosis = (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * kurtosis + 6.0)
    return per_series(kurtosis, returns, without_spread("kurtosis"), on_refusal)


def _standardized_moment(array: np.ndarray, order: int) -> Any:
    """Mean of the standardized deviations to the power `order`, scaled by the largest against underflow.

    NaN for constant returns.
    """
    deviation = array - array.mean(axis=0)
    deviation = deviation / np.where(constant(array), np.nan, np.abs(deviation).max(axis=0))
    return (deviation**order).mean(axis=0) / (deviation**2).mean(axis=0) ** (order / 2)
