"""Distribution functions from scipy.special (scipy.stats is slow to load)."""

from __future__ import annotations

from typing import Any

import numpy as np


def chi_square_tail(statistic: Any, df: float) -> Any:
    """Return P(X >= statistic) of a chi-square with `df` degrees of freedom; a float for a number."""
    from scipy.special import chdtrc

    tail = chdtrc(df, np.maximum(statistic, 0.0))
    return tail if np.ndim(tail) else float(tail)


def chi_square_quantile(probability: float, df: float) -> float:
    """Return the `probability` quantile of a chi-square with `df` degrees of freedom."""
    from scipy.special import chdtri

    return float(chdtri(df, 1.0 - probability))


def normal_tail(z: float) -> float:
    """Return P(Z >= z), Z standard normal."""
    from scipy.special import ndtr

    return float(ndtr(-z))


def normal_quantile(probability: float) -> float:
    """Return the standard normal quantile."""
    from scipy.special import ndtri

    return float(ndtri(probability))


def student_t_two_sided(t: float, df: float) -> float:
    """Return P(abs(T) >= abs(t)), T Student t with `df` degrees of freedom."""
    from scipy.special import stdtr

    return float(2.0 * stdtr(df, -abs(t)))


def binomial_pmf(n_obs: int, p: float) -> np.ndarray:
    """Return P(X = 0), ..., P(X = n_obs), X binomial; shape (n_obs + 1,)."""
    from scipy.special import gammaln, xlog1py, xlogy

    x = np.arange(n_obs + 1)
    log_choose = gammaln(n_obs + 1.0) - gammaln(x + 1.0) - gammaln(n_obs - x + 1.0)
    return np.exp(log_choose + xlogy(x, p) + xlog1py(n_obs - x, -p))


def binomial_cdf(x: int, n_obs: int, p: float) -> float:
    """Return P(X <= x), X binomial."""
    from scipy.special import bdtr

    return 0.0 if x < 0 else float(bdtr(x, n_obs, p))


def binomial_upper_tail(x: int, n_obs: int, p: float) -> float:
    """Return P(X >= x), X binomial."""
    from scipy.special import bdtrc

    return 1.0 if x <= 0 else float(bdtrc(x - 1, n_obs, p))


def x_log_x(x: Any) -> np.ndarray:
    """Return x ln x with 0 ln 0 = 0."""
    from scipy.special import xlogy

    return np.asarray(xlogy(x, x))
