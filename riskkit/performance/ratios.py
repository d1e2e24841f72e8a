"""Risk-adjusted performance: annualized return and volatility, Sharpe, Sortino, Omega and Calmar ratios.

Returns are simple, per period, oldest first: (n_obs,) gives a float, (n_obs, n_series) one number per series.
"""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import (
    InputError,
    OnRefusal,
    constant,
    finite_number,
    float_array,
    one_of,
    positive,
    refuse_disorder,
    returns_array,
    whole_number,
)
from riskkit._types import ReturnsLike
from riskkit.covariance import sample_volatility
from riskkit.performance.drawdown import max_drawdown
from riskkit.performance.moments import excess_kurtosis, skewness
from riskkit.performance.series import (
    above_total_loss,
    documented,
    gain_over_risk,
    per_series,
    periods_of,
    refuse_yearly_rate,
    without_risk_free,
    without_spread,
)

NEGATIVE_VARIANCE = "returns have autocorrelations under which the variance of a year is negative; use fewer lags"
Sharpe = Literal["arithmetic", "geometric", "autocorrelated", "per_period"]


@documented
def annualized_return(
    returns: ReturnsLike,
    periods_per_year: float | None = None,
    *,
    method: Literal["geometric", "arithmetic"] = "geometric",
) -> Any:
    """Annualized return.

    Parameters
    ----------
    periods_per_year : float, optional
        252 for daily, 52 for weekly, 12 for monthly returns; not given: told by the dates of the returns.
    method : {"geometric", "arithmetic"}
        Constant yearly return that compounds to the same wealth, (product of 1 + r)^(periods / n) - 1; or periods ×
        mean.

    Returns
    -------
    float or (n_series,)
        Fraction per year; -1 after a total loss.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 2.

    Examples
    --------
    >>> round(annualized_return([0.02, -0.01, 0.03], 12), 6)
    0.170282
    >>> round(annualized_return([0.02, -0.01, 0.03], 12, method="arithmetic"), 6)
    0.16
    """
    one_of(method, ("geometric", "arithmetic"), "method")
    periods = periods_of(returns, periods_per_year)
    array = returns_array(returns, fractions=True)
    if method == "arithmetic":
        return per_series(array.mean(axis=0) * periods, returns)
    return per_series(_compounded(array, periods), returns)


@documented
def annualized_volatility(returns: ReturnsLike, periods_per_year: float | None = None, *, ddof: int = 1) -> Any:
    """Annualized volatility: standard deviation × sqrt(periods per year).

    Parameters
    ----------
    periods_per_year : float, optional
        252 for daily, 52 for weekly, 12 for monthly returns; not given: told by the dates of the returns.

    Returns
    -------
    float or (n_series,)
        Fraction per square root of a year; the volatility of yearly returns only if returns are uncorrelated (tested
        by `riskkit.returns.sqrt_time_test`).

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> round(annualized_volatility([0.02, -0.01, 0.03], 12), 6)
    0.072111
    """
    return sample_volatility(returns, ddof=ddof) * math.sqrt(periods_of(returns, periods_per_year))


@documented
def sharpe_ratio(
    returns: ReturnsLike,
    periods_per_year: float | None = None,
    *,
    definition: Sharpe = "arithmetic",
    risk_free: Any = 0.0,
    ddof: int = 1,
    lags: int | None = None,
    on_refusal: OnRefusal = "nan",
) -> Any:
    """Sharpe ratio: mean return in excess of the risk-free rate over its standard deviation.

    Parameters
    ----------
    periods_per_year : float, optional
        252 for daily, 52 for weekly, 12 for monthly returns; needed by all definitions except ``"per_period"``.
    definition : {"arithmetic", "geometric", "autocorrelated", "per_period"}
        - ``"per_period"``: mean / sd, not annualized;
        - ``"arithmetic"``: periods × mean / (sd × sqrt(periods));
        - ``"geometric"``: compounded return per year / (sd × sqrt(periods));
        - ``"autocorrelated"``: the arithmetic one, corrected for the autocorrelation of returns, which makes a smooth
          record worth less than sqrt(periods) times its ratio per period.
    lags : int, optional
        Number of autocorrelations for ``"autocorrelated"``; at most, and by default, periods_per_year - 1.

    Returns
    -------
    float or (n_series,)
        Dimensionless; per period or annualized by definition.

    Raises
    ------
    InputError
        NaN, infinity, constant returns (all columns of a table), fewer than two observations, or no `periods_per_year`
        where it is needed.

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
    one_of(definition, get_args(Sharpe), "definition")
    excess = without_risk_free(returns, risk_free)
    refuse_yearly_rate(risk_free, "risk_free", returns, periods_per_year)
    flat = constant(excess, np.abs(float_array(returns, "returns")).max(axis=0))
    why: Any = without_spread("a Sharpe ratio")
    volatility = np.where(flat, np.nan, sample_volatility(excess, ddof=ddof))
    per_period = excess.mean(axis=0) / volatility
    if definition == "per_period":
        return per_series(per_period, returns, why, on_refusal)
    periods = periods_of(returns, periods_per_year, "; or definition='per_period'")
    if definition == "arithmetic":
        return per_series(per_period * math.sqrt(periods), returns, why, on_refusal)
    if definition == "geometric":
        ratio = _compounded(excess, periods) / (volatility * math.sqrt(periods))
        return per_series(ratio, returns, why, on_refusal)
    refuse_disorder(returns, "returns")
    squares = np.where(flat, np.nan, ((excess - excess.mean(axis=0)) ** 2).sum(axis=0))
    factor = _lo_factor(excess, squares, whole_number(periods, "periods_per_year"), lags)
    return per_series(per_period * factor, returns, np.where(flat, why, NEGATIVE_VARIANCE), on_refusal)


@documented
def sharpe_standard_error(
    returns: ReturnsLike,
    periods_per_year: float | None = None,
    *,
    risk_free: Any = 0.0,
    method: Literal["moments", "normal"] = "moments",
    on_refusal: OnRefusal = "nan",
) -> Any:
    """Standard error of the Sharpe ratio, under returns independent over time.

    Parameters
    ----------
    method : {"moments", "normal"}
        With the sample skewness and kurtosis, or under normal returns. Negative skewness increases the error.

    Returns
    -------
    float or (n_series,)
        sqrt((1 - S × SR + (K + 2)/4 × SR²) / n), S the skewness, K the excess kurtosis; of the ratio ``"per_period"``,
        or of ``"arithmetic"`` if `periods_per_year` is given.

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
    refuse_yearly_rate(risk_free, "risk_free", returns, periods_per_year)
    ratio = np.asarray(sharpe_ratio(returns, definition="per_period", risk_free=risk_free, on_refusal=on_refusal))
    excess = without_risk_free(returns, risk_free)
    skew, kurtosis = (skewness(excess), excess_kurtosis(excess)) if method == "moments" else (0.0, 0.0)
    error = np.sqrt((1.0 - skew * ratio + (kurtosis + 2.0) / 4.0 * ratio**2) / len(excess))
    scale = 1.0 if periods_per_year is None else math.sqrt(positive(periods_per_year, "periods_per_year"))
    return per_series(error * scale, returns, without_spread("a Sharpe ratio"), on_refusal)


@documented
def downside_deviation(
    returns: ReturnsLike, threshold: float = 0.0, *, divisor: Literal["all", "below"] = "all"
) -> Any:
    """Downside deviation: root mean square of the shortfalls below a threshold.

    Returns
    -------
    float or (n_series,)
        Positive fraction per period; 0 without a return below the threshold.

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


@documented
def sortino_ratio(
    returns: ReturnsLike,
    periods_per_year: float | None = None,
    *,
    threshold: float = 0.0,
    divisor: Literal["all", "below"] = "all",
    on_refusal: OnRefusal = "nan",
) -> Any:
    """Sortino ratio: mean return in excess of a threshold over the downside deviation.

    Returns
    -------
    float or (n_series,)
        Dimensionless; infinite for a gain without a return below the threshold.

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
    refuse_yearly_rate(threshold, "threshold", returns, periods_per_year)
    deviation = downside_deviation(returns, threshold, divisor=divisor)
    why = "returns equals the threshold everywhere; a Sortino ratio is undefined"
    return per_series(gain_over_risk(mean * scale, deviation), returns, why, on_refusal)


@documented
def omega_ratio(returns: ReturnsLike, threshold: float = 0.0, *, on_refusal: OnRefusal = "nan") -> Any:
    """Omega ratio: sum of the gains above a threshold over the sum of the shortfalls below it.

    Returns
    -------
    float or (n_series,)
        1 if the mean equals the threshold; infinite without a return below it.

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
    why = "returns equals the threshold everywhere; Omega is undefined"
    return per_series(gain_over_risk(gain, loss), returns, why, on_refusal)


@documented
def calmar_ratio(returns: ReturnsLike, periods_per_year: float | None = None, *, on_refusal: OnRefusal = "nan") -> Any:
    """Calmar ratio: annualized return over the maximum drawdown, originally over 36 months.

    Parameters
    ----------
    periods_per_year : float, optional
        252 for daily, 52 for weekly, 12 for monthly returns; not given: told by the dates of the returns.

    Returns
    -------
    float or (n_series,)
        Dimensionless; infinite for a gain without a drawdown.

    References
    ----------
    Young (1991), Calmar Ratio: A Smoother Tool, Futures 20(1), 40.

    Examples
    --------
    >>> round(calmar_ratio([0.02, -0.10, 0.03, 0.08], 12), 6)
    0.649053
    """
    gain = annualized_return(returns, periods_per_year)
    why = "returns is zero everywhere; a Calmar ratio is undefined"
    return per_series(gain_over_risk(gain, max_drawdown(returns)), returns, why, on_refusal)


def _compounded(array: np.ndarray, periods: float) -> Any:
    """Compounded return per year, by logarithms against overflow."""
    with np.errstate(divide="ignore", over="ignore"):
        answer = np.expm1(np.log1p(above_total_loss(array)).sum(axis=0) * (periods / len(array)))
    if not np.isfinite(answer).all():
        raise InputError(f"returns reaches {array.max():g}, and its yearly return overflows")
    return answer


def _lo_factor(excess: np.ndarray, total: Any, periods: int, lags: int | None) -> Any:
    """Lo (2002), eq. 20: the Sharpe ratio of `periods` periods over that of one; NaN where their variance is negative."""
    max_lags = min(periods - 1, len(excess) - 1)
    used = max_lags if lags is None else min(max_lags, whole_number(lags, "lags", at_least=0))
    deviation = excess - excess.mean(axis=0)
    length = 1 << (len(excess) + used).bit_length()  # zeros that keep the ends apart
    spectrum = np.fft.rfft(deviation, length, axis=0)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, length, axis=0)[1 : used + 1]
    variance = periods + 2.0 * np.tensordot(periods - np.arange(1.0, used + 1.0), products, axes=1) / total
    return periods / np.sqrt(np.where(variance > 0.0, variance, np.nan))
