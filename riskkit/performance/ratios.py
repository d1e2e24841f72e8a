"""Return for risk: annualised return, Sharpe, Sortino, Omega and Calmar, each with its definition by name.

Returns are simple, per period, oldest first: (n_obs,) gives a float, (n_obs, n_series) one number per series.
`periods_per_year` is 252 for days, 52 for weeks, 12 for months.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, one_of, positive, returns_array, whole_number
from riskkit.covariance import sample_volatility
from riskkit.performance.drawdown import max_drawdown
from riskkit.performance.moments import excess_kurtosis, skewness
from riskkit.performance.series import above_total_loss, gain_over_risk, per_series, refuse_constant, without_risk_free

__all__ = [
    "annualised_return",
    "annualised_volatility",
    "calmar_ratio",
    "downside_deviation",
    "omega_ratio",
    "sharpe_ratio",
    "sharpe_standard_error",
    "sortino_ratio",
]

SHARPE = ("per_period", "arithmetic", "geometric", "autocorrelated")


def annualised_return(returns: Any, periods_per_year: float, *, method: str = "geometric") -> Any:
    """Return per year.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Simple returns per period.
    periods_per_year : float
        252, 52, 12, ...
    method : {"geometric", "arithmetic"}
        The constant yearly return that compounds to the same wealth, (product of 1 + r)^(periods / n) - 1; or
        periods × mean.

    Returns
    -------
    float or (n_series,)
        Fraction per year; -1 when everything was lost.

    Raises
    ------
    InputError
        NaN, infinity, no observation, a return below -1 to be compounded, a result outside the range of numbers.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 2.

    Examples
    --------
    >>> round(annualised_return([0.02, -0.01, 0.03], 12), 6)
    0.170282
    >>> round(annualised_return([0.02, -0.01, 0.03], 12, method="arithmetic"), 6)
    0.16
    """
    one_of(method, ("geometric", "arithmetic"), "method")
    periods = positive(periods_per_year, "periods_per_year")
    array = returns_array(returns)
    if method == "arithmetic":
        return per_series(array.mean(axis=0) * periods, returns)
    return per_series(_compounded(array, periods), returns)


def annualised_volatility(returns: Any, periods_per_year: float, *, ddof: int = 1) -> Any:
    """Standard deviation × sqrt(periods per year).

    Parameters
    ----------
    returns, periods_per_year
        As in `annualised_return`.
    ddof : int
        The divisor of the variance is n - ddof: 1 for the sample, 0 for the population.

    Returns
    -------
    float or (n_series,)
        Fraction per square root of a year. It is the volatility of a year only if returns are uncorrelated:
        `riskkit.returns.check_square_root_time` measures that.

    Raises
    ------
    InputError
        NaN, infinity, or not more than `ddof` observations.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> round(annualised_volatility([0.02, -0.01, 0.03], 12), 6)
    0.072111
    """
    return sample_volatility(returns, ddof=ddof) * math.sqrt(positive(periods_per_year, "periods_per_year"))


def sharpe_ratio(
    returns: Any,
    periods_per_year: float | None = None,
    *,
    definition: str = "arithmetic",
    risk_free: Any = 0.0,
    ddof: int = 1,
    lags: int | None = None,
) -> Any:
    """Sharpe ratio of the returns in excess of the risk-free rate, by one of four definitions.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Simple returns per period.
    periods_per_year : float, optional
        Needed by every definition but ``"per_period"``.
    definition : {"arithmetic", "geometric", "autocorrelated", "per_period"}
        - ``"per_period"``: mean / sd, not annualised;
        - ``"arithmetic"``: periods × mean / (sd × sqrt(periods));
        - ``"geometric"``: compounded return per year / (sd × sqrt(periods));
        - ``"autocorrelated"``: the arithmetic one, corrected for the autocorrelation of the returns: a smooth record
          is not worth sqrt(periods) times its period.
    risk_free : float or (n_obs,)
        Risk-free return per period.
    ddof : int
        The divisor of the variance is n - ddof.
    lags : int, optional
        Autocorrelations that ``"autocorrelated"`` uses, at most and by default periods per year - 1, as far as the
        series reaches.

    Returns
    -------
    float or (n_series,)

    Raises
    ------
    InputError
        NaN, infinity, a constant series (no spread to divide by), fewer than two observations, or no
        `periods_per_year` where one is needed.

    References
    ----------
    Sharpe (1994), The Sharpe Ratio, Journal of Portfolio Management 21(1), 49-58. Lo (2002), The Statistics of Sharpe
    Ratios, Financial Analysts Journal 58(4), 36-52: eq. 20 (autocorrelated).

    Examples
    --------
    >>> returns = [0.02, -0.01, 0.03, 0.00]
    >>> round(sharpe_ratio(returns, definition="per_period"), 6)
    0.547723
    >>> round(sharpe_ratio(returns, 12), 6), round(sharpe_ratio(returns, 12, definition="geometric"), 6)
    (1.897367, 1.979096)
    """
    one_of(definition, SHARPE, "definition")
    excess = without_risk_free(returns, risk_free)
    refuse_constant(excess, returns, "a Sharpe ratio")
    volatility = sample_volatility(excess, ddof=ddof)
    per_period = excess.mean(axis=0) / volatility
    if definition == "per_period":
        return per_series(per_period, returns)
    if periods_per_year is None:
        raise InputError("periods_per_year is missing; give 252 for days, or definition='per_period'")
    periods = positive(periods_per_year, "periods_per_year")
    if definition == "arithmetic":
        return per_series(per_period * math.sqrt(periods), returns)
    if definition == "geometric":
        return per_series(_compounded(excess, periods) / (volatility * math.sqrt(periods)), returns)
    return per_series(per_period * _lo_factor(excess, whole_number(periods, "periods_per_year"), lags), returns)


def sharpe_standard_error(
    returns: Any, periods_per_year: float | None = None, *, risk_free: Any = 0.0, method: str = "moments"
) -> Any:
    """Standard error of the Sharpe ratio ``"per_period"``, or of ``"arithmetic"`` when `periods_per_year` is given.

    Parameters
    ----------
    returns, risk_free
        As in `sharpe_ratio`; assumed independent over time.
    periods_per_year : float, optional
        Annualises the error, as the ratio is.
    method : {"moments", "normal"}
        With the measured skewness and kurtosis; or as if returns were normal. Losses that come in crashes make the
        error larger.

    Returns
    -------
    float or (n_series,)
        sqrt((1 - S × SR + (K + 2)/4 × SR²) / n), S the skewness, K the excess kurtosis.

    Raises
    ------
    InputError
        As `sharpe_ratio`.

    References
    ----------
    Lo (2002), The Statistics of Sharpe Ratios, Financial Analysts Journal 58(4), 36-52: eq. 9 (normal). Mertens (2002),
    Comments on variance of the IID estimator in Lo (2002) (moments).

    Examples
    --------
    >>> returns = [0.02, -0.01, 0.03, 0.00]
    >>> round(sharpe_standard_error(returns, method="normal"), 6), round(sharpe_standard_error(returns), 6)
    (0.53619, 0.506705)
    """
    one_of(method, ("moments", "normal"), "method")
    ratio = np.asarray(sharpe_ratio(returns, definition="per_period", risk_free=risk_free))
    excess = without_risk_free(returns, risk_free)
    skew, kurtosis = (skewness(excess), excess_kurtosis(excess)) if method == "moments" else (0.0, 0.0)
    error = np.sqrt((1.0 - skew * ratio + (kurtosis + 2.0) / 4.0 * ratio**2) / len(excess))
    scale = 1.0 if periods_per_year is None else math.sqrt(positive(periods_per_year, "periods_per_year"))
    return per_series(error * scale, returns)


def downside_deviation(returns: Any, threshold: float = 0.0, *, divisor: str = "all") -> Any:
    """Root mean square of the shortfalls below a threshold.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Returns per period.
    threshold : float
        Return per period below which it is a shortfall (minimum acceptable return).
    divisor : {"all", "below"}
        Mean over all periods, or only over those below the threshold. The second rewards a strategy for
        small losses added to large ones.

    Returns
    -------
    float or (n_series,)
        Positive fraction per period; 0 where nothing lies below the threshold.

    Raises
    ------
    InputError
        NaN, infinity, no observation.

    References
    ----------
    Sortino and van der Meer (1991), Downside Risk, Journal of Portfolio Management 17(4), 27-31.

    Examples
    --------
    >>> returns = [0.02, -0.01, 0.03, -0.02]
    >>> round(downside_deviation(returns), 6), round(downside_deviation(returns, divisor="below"), 6)
    (0.01118, 0.015811)
    """
    one_of(divisor, ("all", "below"), "divisor")
    array = returns_array(returns)
    shortfall = np.minimum(array - finite_number(threshold, "threshold"), 0.0)
    count = len(array) if divisor == "all" else np.maximum((shortfall < 0.0).sum(axis=0), 1)
    return per_series(np.sqrt((shortfall**2).sum(axis=0) / count), returns)


def sortino_ratio(
    returns: Any, periods_per_year: float | None = None, *, threshold: float = 0.0, divisor: str = "all"
) -> Any:
    """Mean return above a threshold over the downside deviation about it.

    Parameters
    ----------
    returns, threshold, divisor
        As in `downside_deviation`.
    periods_per_year : float, optional
        Multiplies by its square root; without it the ratio is per period.

    Returns
    -------
    float or (n_series,)
        Infinite where nothing lies below the threshold and the mean lies above it.

    Raises
    ------
    InputError
        NaN, infinity, or every return equal to the threshold.

    References
    ----------
    Sortino and Price (1994), Performance Measurement in a Downside Risk Framework, Journal of Investing 3(3), 59-64.

    Examples
    --------
    >>> round(sortino_ratio([0.02, -0.01, 0.03, -0.02]), 6)
    0.447214
    """
    mean = returns_array(returns).mean(axis=0) - finite_number(threshold, "threshold")
    scale = 1.0 if periods_per_year is None else math.sqrt(positive(periods_per_year, "periods_per_year"))
    deviation = downside_deviation(returns, threshold, divisor=divisor)
    refusal = "returns equals the threshold everywhere; a Sortino ratio is undefined"
    return per_series(gain_over_risk(mean * scale, deviation, refusal), returns)


def omega_ratio(returns: Any, threshold: float = 0.0) -> Any:
    """Sum of the returns above a threshold over the sum of the shortfalls below it.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Returns per period.
    threshold : float
        Return per period.

    Returns
    -------
    float or (n_series,)
        1 where the mean is the threshold; infinite where nothing lies below it.

    Raises
    ------
    InputError
        NaN, infinity, or every return equal to the threshold.

    References
    ----------
    Keating and Shadwick (2002), A Universal Performance Measure, Journal of Performance Measurement 6(3), 59-84.

    Examples
    --------
    >>> round(omega_ratio([0.02, -0.01, 0.03, -0.02]), 6)
    1.666667
    """
    distance = returns_array(returns) - finite_number(threshold, "threshold")
    gain, loss = np.maximum(distance, 0.0).sum(axis=0), np.maximum(-distance, 0.0).sum(axis=0)
    refusal = "returns equals the threshold everywhere; Omega is undefined"
    return per_series(gain_over_risk(gain, loss, refusal), returns)


def calmar_ratio(returns: Any, periods_per_year: float) -> Any:
    """Compounded return per year over the maximum drawdown.

    Parameters
    ----------
    returns, periods_per_year
        As in `annualised_return`. (Young's own ratio is over 36 months: give those.)

    Returns
    -------
    float or (n_series,)
        Infinite for a gain without any drawdown.

    Raises
    ------
    InputError
        NaN, infinity, a return below -1, or returns that are all zero.

    References
    ----------
    Young (1991), Calmar Ratio: A Smoother Tool, Futures 20(1), 40.

    Examples
    --------
    >>> round(calmar_ratio([0.02, -0.10, 0.03, 0.08], 12), 6)
    0.649053
    """
    gain = annualised_return(returns, periods_per_year)
    refusal = "returns is zero everywhere; a Calmar ratio is undefined"
    return per_series(gain_over_risk(gain, max_drawdown(returns), refusal), returns)


def _compounded(array: np.ndarray, periods: float) -> Any:
    """Compounded return per year, by logarithms so that a long record does not overflow."""
    with np.errstate(divide="ignore", over="ignore"):
        answer = np.expm1(np.log1p(above_total_loss(array)).sum(axis=0) * (periods / len(array)))
    if not np.isfinite(answer).all():
        raise InputError(f"returns reaches {array.max():g}, and its yearly return leaves the range of numbers")
    return answer


def _lo_factor(excess: np.ndarray, periods: int, lags: int | None) -> Any:
    """Lo (2002), eq. 20: the Sharpe ratio of `periods` periods over that of one."""
    most = min(periods - 1, len(excess) - 1)
    used = most if lags is None else min(most, whole_number(lags, "lags", at_least=0))
    deviation = excess - excess.mean(axis=0)
    total = (deviation**2).sum(axis=0)
    variance = np.full(excess.shape[1:], float(periods))
    for lag in range(1, used + 1):
        variance += 2.0 * (periods - lag) * (deviation[lag:] * deviation[:-lag]).sum(axis=0) / total
    if (variance <= 0.0).any():
        raise InputError("returns have autocorrelations under which the variance of a year is negative; use fewer lags")
    return periods / np.sqrt(variance)
