"""Recursions of GJR, EGARCH and FIGARCH at given parameters, and the variance forecasts of GJR."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, positive, shown, whole_number


def gjr_path(
    shocks: Any, variance: float, *, omega: float, alpha: float, gamma: float = 0.0, beta: float
) -> np.ndarray:
    """Variances after each shock: omega + (alpha + gamma if the shock e is a loss) e² + beta h.

    Parameters
    ----------
    shocks : (n_obs,)
        Returns less their mean, oldest first.
    variance : float
        Variance that was forecast for the first of them.
    omega, alpha, gamma, beta : float
        Parameters of `fit_asymmetric_garch`; with gamma of 0 those of GARCH(1,1).

    Returns
    -------
    (n_obs,)
        Variance forecast for the period after each shock, in the square of their unit.

    Raises
    ------
    InputError
        NaN, infinity, or a variance or parameter below zero (gamma may be, down to -alpha).

    References
    ----------
    Glosten, Jagannathan and Runkle (1993), On the relation between the expected value and the volatility of the nominal excess
    return on stocks, J. Finance 48, 1779-1801, eq. 5.

    Examples
    --------
    >>> gjr_path([-1.0, 0.6], 1.3, omega=0.03, alpha=0.04, gamma=0.1, beta=0.88).round(5).tolist()
    [1.314, 1.20072]
    """
    values = finite_array(shocks, "shocks", ndim=1)
    news = values**2 * (alpha + gamma * (values < 0.0))
    first = positive(variance, "variance", zero=True)
    _check_gjr(omega, alpha, gamma, beta)
    return recursion(omega + news, beta, first)


def gjr_forecast(
    variance: float, horizon: int, *, omega: float, alpha: float, gamma: float = 0.0, beta: float
) -> np.ndarray:
    """Variances expected for the next periods, of shocks of which half are losses.

    Parameters
    ----------
    variance : float
        Forecast for the next period.
    horizon : int
        Number of periods.
    omega, alpha, gamma, beta
        As in `gjr_path`.

    Returns
    -------
    (horizon,)
        The first is `variance`; each further one is omega + (alpha + gamma/2 + beta) times the one before.

    Raises
    ------
    InputError
        A variance or parameter below zero, or a horizon that is not a whole number.

    References
    ----------
    Glosten, Jagannathan and Runkle (1993), J. Finance 48, 1779-1801.

    Examples
    --------
    >>> gjr_forecast(1.5, 3, omega=0.03, alpha=0.04, gamma=0.1, beta=0.88).round(5).tolist()
    [1.5, 1.485, 1.47045]
    """
    _check_gjr(omega, alpha, gamma, beta)
    path = np.empty(whole_number(horizon, "horizon"))
    path[0] = positive(variance, "variance", zero=True)
    for t in range(1, len(path)):
        path[t] = omega + (alpha + 0.5 * gamma + beta) * path[t - 1]
    return path


def egarch_path(
    residuals: Any, variance: float, *, omega: float, alpha: float, gamma: float, beta: float
) -> np.ndarray:
    """Variances after each shock: ln h' = omega + alpha (abs z - sqrt(2/pi)) + gamma z + beta ln h.

    Parameters
    ----------
    residuals : (n_obs,)
        Shocks z in standard deviations of their period, oldest first.
    variance : float
        Variance that was forecast for the first of them, above zero.
    omega, alpha, gamma, beta : float
        Parameters of `fit_asymmetric_garch`; gamma below zero where losses move the volatility more.

    Returns
    -------
    (n_obs,)
        Variance forecast for the period after each shock.

    Raises
    ------
    InputError
        NaN, infinity, or a variance not above zero.

    References
    ----------
    Nelson (1991), Conditional heteroskedasticity in asset returns: a new approach, Econometrica 59, 347-370, eq. 2.2.

    Examples
    --------
    >>> egarch_path([0.5, -1.2], 1.1, omega=-0.01, alpha=0.12, gamma=-0.08, beta=0.97).round(6).tolist()
    [1.006727, 1.151145]
    """
    z = finite_array(residuals, "residuals", ndim=1)
    numbers = {"omega": omega, "alpha": alpha, "gamma": gamma, "beta": beta}
    o, a, g, b = (finite_number(value, name) for name, value in numbers.items())
    news = a * (np.abs(z) - math.sqrt(2.0 / math.pi)) + g * z
    return np.exp(recursion(o + news, b, math.log(positive(variance, "variance"))))


def figarch_weights(periods: int, *, d: float, phi: float, beta: float) -> np.ndarray:
    """Weights of past squared shocks in the variance of FIGARCH(1,d,1), the latest first; they fall as a power.

    Parameters
    ----------
    periods : int
        Number of past periods.
    d : float
        Fractional order, a fraction between 0 and 1.
    phi, beta : float
        Parameters of `fit_asymmetric_garch`.

    Returns
    -------
    (periods,)
        The variance is omega / (1 - beta) plus the weighted sum.

    Raises
    ------
    InputError
        NaN, infinity, or a d that is not between 0 and 1.

    References
    ----------
    Baillie, Bollerslev and Mikkelsen (1996), Fractionally integrated generalized autoregressive conditional
    heteroskedasticity, J. Econometrics 74, 3-30, eq. 13.

    Examples
    --------
    >>> figarch_weights(4, d=0.4, phi=0.2, beta=0.5).round(4).tolist()
    [0.1, 0.09, 0.085, 0.0713]
    """
    order, p, b = finite_number(d, "d"), finite_number(phi, "phi"), finite_number(beta, "beta")
    if not 0.0 <= order <= 1.0:
        raise InputError(f"d={d!r} is not between 0 and 1; 0 is GARCH, 1 never forgets a shock")
    lag = np.arange(1.0, whole_number(periods, "periods"))
    fractional = order * np.cumprod(np.append(1.0, (lag - order) / (lag + 1.0)))
    first = p - b + order
    return np.append(first, recursion(fractional[1:] - p * fractional[:-1], b, first))


def recursion(pushes: np.ndarray, b: float, first: Any) -> np.ndarray:
    """X' = push + b x along the first axis, from `first` on, which is left out."""
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -b], pushes, axis=0, zi=np.asarray(b * first)[None])[0])


def _check_gjr(omega: Any, alpha: Any, gamma: Any, beta: Any) -> None:
    for name, value in {"omega": omega, "alpha": alpha, "beta": beta}.items():
        positive(value, name, zero=True)
    if finite_number(gamma, "gamma") < -alpha:
        raise InputError(
            f"gamma={shown(gamma)} is below -alpha={-alpha!r}; the variance after a loss would be negative"
        )
