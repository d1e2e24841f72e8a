"""Performance against a benchmark: tracking error, information and capture ratios, beta and alpha."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    OnRefusal,
    constant,
    one_of,
    positive,
    refuse_other_rows,
    returns_array,
    single_series,
)
from riskkit._docs import shared_parameters
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit._types import ReturnsLike
from riskkit.performance.ratios import annualized_return
from riskkit.performance.series import above_total_loss, gain_over_risk, per_series, periods_of, without_risk_free

InformationRatio = Literal["arithmetic", "geometric", "per_period"]
Capture = Literal["annualized", "mean", "cumulative"]
Side = Literal["up", "down"]
documented = shared_parameters(
    {
        "returns": "(n_obs,) or (n_obs, n_series)\n    Simple returns per period as fractions.",
        "benchmark": "(n_obs,)\n    Returns of the benchmark in the same periods.",
        "on_refusal": '{"nan", "raise"}\n    A column for which the measure is undefined has NaN, or is refused with all others.',
    }
)


@documented
def tracking_error(returns: ReturnsLike, benchmark: ReturnsLike, periods_per_year: float | None = None) -> Any:
    """Standard deviation (n - 1) of the returns less those of a benchmark.

    Parameters
    ----------
    periods_per_year : float, optional
        252 for daily, 12 for monthly returns; per period without it.

    Returns
    -------
    float or (n_series,)
        Fraction per year, or per period.

    References
    ----------
    Grinold and Kahn (1999), Active Portfolio Management, 2nd ed., chapter 3.

    Examples
    --------
    >>> round(tracking_error([0.02, -0.01, 0.03], [0.01, 0.00, 0.01]), 6)
    0.015275
    """
    active = _active(returns, benchmark)
    periods = 1.0 if periods_per_year is None else positive(periods_per_year, "periods_per_year")
    return per_series(active.std(axis=0, ddof=1) * math.sqrt(periods), returns)


@documented
def information_ratio(
    returns: ReturnsLike,
    benchmark: ReturnsLike,
    periods_per_year: float | None = None,
    *,
    definition: InformationRatio = "arithmetic",
    on_refusal: OnRefusal = "nan",
) -> Any:
    """Information ratio: return over that of a benchmark, per unit of tracking error.

    Parameters
    ----------
    periods_per_year : float, optional
        252 for daily, 12 for monthly returns; not given: told by the dates; "per_period" needs none.
    definition : {"arithmetic", "geometric", "per_period"}
        Mean active return of a year; difference of the two compounded returns of a year; or mean over deviation per period.

    Returns
    -------
    float or (n_series,)
        Dimensionless; infinite without a tracking error.

    References
    ----------
    Grinold and Kahn (1999), Active Portfolio Management, 2nd ed., chapter 5. Bacon (2008), Practical Portfolio
    Performance Measurement and Attribution, 2nd ed., section 4.6 (geometric).

    Examples
    --------
    >>> round(information_ratio([0.02, -0.01, 0.03], [0.01, 0.00, 0.01], 12), 4)
    1.5119
    """
    one_of(definition, get_args(InformationRatio), "definition")
    active = _active(returns, benchmark)
    deviation = np.where(constant(active, np.abs(returns_array(returns)).max(axis=0)), 0.0, active.std(axis=0, ddof=1))
    why = "returns equals the benchmark; an information ratio is undefined"
    if definition == "per_period":
        return per_series(gain_over_risk(active.mean(axis=0), deviation), returns, why, on_refusal)
    periods = periods_of(returns, periods_per_year, "; or definition='per_period'")
    gain = active.mean(axis=0) * periods
    if definition == "geometric":
        gain = np.asarray(annualized_return(returns, periods)) - annualized_return(benchmark, periods)
    gain = np.where((active == 0.0).all(axis=0), 0.0, gain)  # two compounded returns differ by rounding
    return per_series(gain_over_risk(gain, deviation * math.sqrt(periods)), returns, why, on_refusal)


@documented
def capture_ratio(
    returns: ReturnsLike,
    benchmark: ReturnsLike,
    side: Side = "up",
    *,
    definition: Capture = "annualized",
    periods_per_year: float = 12.0,
) -> Any:
    """Capture ratio: return in the periods in which a benchmark gained (lost), over that of the benchmark in these.

    Parameters
    ----------
    side : {"up", "down"}
        Periods with a benchmark return above, or below, zero.
    definition : {"annualized", "mean", "cumulative"}
        Of the compounded return per year of these periods; of their mean return; or of their compounded return.
    periods_per_year : float
        For "annualized": 12 for monthly returns.

    Returns
    -------
    float or (n_series,)
        1 is the benchmark; below 1 on the down side is less loss.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., section 3.7. Morningstar (2010),
    Upside and Downside Capture Ratio Methodology (annualized).

    Examples
    --------
    >>> round(capture_ratio([0.02, -0.01, 0.03], [0.01, -0.02, 0.02], definition="mean"), 4)
    1.6667
    """
    one_of(side, get_args(Side), "side")
    one_of(definition, get_args(Capture), "definition")
    array, market = _pair(returns, benchmark)
    chosen = market > 0.0 if side == "up" else market < 0.0
    if not chosen.any():
        raise InputError(f"benchmark never {'gained' if side == 'up' else 'lost'}; the {side} capture is undefined")
    ours, theirs = array[chosen], market[chosen]
    if definition == "mean":
        return per_series(ours.mean(axis=0) / theirs.mean(), returns)
    power = 1.0 if definition == "cumulative" else positive(periods_per_year, "periods_per_year") / len(theirs)
    grown, market_grown = (np.expm1(power * np.log1p(above_total_loss(each)).sum(axis=0)) for each in (ours, theirs))
    return per_series(grown / market_grown, returns)


@dataclass(frozen=True, repr=False, eq=False)
class BenchmarkComparison(Exported):
    """A track record beside its benchmark.

    Attributes
    ----------
    beta : float
        Slope of the regression on the benchmark.
    beta_standard_error : float
        Of the slope, for independent residuals.
    alpha : float
        Intercept of the regression: return per period that the benchmark does not explain, a fraction.
    r_squared : float
        Share of the variance explained, a fraction.
    residual_volatility : float
        Standard deviation of the residuals (n - 2), per period.
    tracking_error : float
        Fraction per year.
    information_ratio : float
        Arithmetic, annualized.
    up_capture, down_capture : float
        Annualized capture ratios; NaN where the benchmark never gained (lost).
    up_beta, down_beta : float
        Slopes in the periods with a benchmark return above, and at most, zero; NaN for fewer than two.
    treynor_ratio : float
        Excess return per year and unit of beta.
    m_squared : float
        Return per year at the volatility of the benchmark (Modigliani), a fraction per year.
    batting_average : float
        Share of periods with more return than the benchmark, a fraction.
    n_obs : int
        Number of periods.

    Examples
    --------
    >>> from riskkit.performance import compare_to_benchmark
    >>> round(compare_to_benchmark([0.02, -0.01, 0.03], [0.01, -0.02, 0.02], 12).beta, 4)
    1.0
    """

    beta: float
    beta_standard_error: float
    alpha: float
    r_squared: float
    residual_volatility: float
    tracking_error: float
    information_ratio: float
    up_capture: float
    down_capture: float
    up_beta: float
    down_beta: float
    treynor_ratio: float
    m_squared: float
    batting_average: float
    n_obs: int

    def _title(self) -> str:
        return "Performance against a benchmark"

    def _rows(self) -> list[Row]:
        units = {
            **{"beta": f"± {self.beta_standard_error:.2g}", "alpha": "per period", "residual_volatility": "per period"},
            **{"tracking_error": "per year", "m_squared": "per year at its volatility"},
        }
        names = [name for name in self.__dataclass_fields__ if name != "beta_standard_error"]
        return [
            (name.replace("_", " ").replace("n obs", "periods"), getattr(self, name), units.get(name, ""))
            for name in names
        ]

    def to_frame(self) -> Any:
        """One row per measure."""
        import pandas as pd

        return pd.Series({name: getattr(self, name) for name in self.__dataclass_fields__}, name="value").to_frame()

    def plot(self, ax: Any = None) -> Any:
        """Draw both capture ratios and betas beside those of the benchmark, which are 1."""
        ax = plot.axes(ax)
        names = ("up_capture", "down_capture", "up_beta", "down_beta")
        ax.bar([name.replace("_", " ") for name in names], [getattr(self, name) for name in names], color=plot.STRONG)
        ax.axhline(1.0, color=plot.WARM, lw=1, ls="--")
        plot.dress(ax, self._title())
        return ax


@documented
def compare_to_benchmark(
    returns: ReturnsLike, benchmark: ReturnsLike, periods_per_year: float | None = None, *, risk_free: Any = 0.0
) -> BenchmarkComparison:
    """Track record beside its benchmark: regression, tracking error, information and capture ratios.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period as fractions.
    periods_per_year : float, optional
        252 for daily, 12 for monthly returns; not given: told by the dates of the returns.
    risk_free : float or (n_obs,)
        Risk-free return per period; regression, Treynor ratio and M² are of the returns above it.

    Returns
    -------
    BenchmarkComparison
        All measures.

    Raises
    ------
    InputError
        NaN, infinity, other periods, fewer than three, or a constant benchmark.

    References
    ----------
    Jensen (1968), The performance of mutual funds in the period 1945-1964, J. Finance 23, 389-416. Treynor (1965), How to
    rate management of investment funds, Harvard Business Review 43, 63-75. Modigliani and Modigliani (1997), Risk-adjusted
    performance, J. Portfolio Management 23(2), 45-54.

    Examples
    --------
    >>> result = compare_to_benchmark([0.02, -0.01, 0.03, 0.00], [0.01, -0.02, 0.02, 0.01], 12)
    >>> round(result.beta, 4), round(result.tracking_error, 4)
    (0.8889, 0.0346)
    """
    periods = periods_of(returns, periods_per_year)
    single_series(returns, "returns", min_obs=3)
    ours, market = _pair(returns, benchmark)
    ours = ours.reshape(len(ours))
    if constant(market):
        raise InputError("benchmark is constant; there is no beta to it")
    above = without_risk_free(ours, risk_free)
    market_above = without_risk_free(market, risk_free)
    moves = market_above - market_above.mean()
    beta = float(moves @ above / (moves @ moves))
    alpha = float(above.mean() - beta * market_above.mean())
    residual = above - alpha - beta * market_above
    volatility = math.sqrt(float(residual @ residual) / (len(above) - 2))
    deviation = 0.0 if constant(above) else float(above.std(ddof=1))
    ratio = float(above.mean()) / deviation if deviation else math.nan
    return BenchmarkComparison(
        beta=beta,
        beta_standard_error=volatility / math.sqrt(float(moves @ moves)),
        alpha=alpha,
        r_squared=(beta * float(market_above.std(ddof=1)) / deviation) ** 2 if deviation else 0.0,
        residual_volatility=volatility,
        tracking_error=tracking_error(ours, market, periods),
        information_ratio=information_ratio(ours, market, periods) if (ours != market).any() else math.nan,
        up_capture=capture_ratio(ours, market, "up", periods_per_year=periods) if (market > 0.0).any() else math.nan,
        down_capture=capture_ratio(ours, market, "down", periods_per_year=periods)
        if (market < 0.0).any()
        else math.nan,
        up_beta=_slope(above[market > 0.0], market_above[market > 0.0]),
        down_beta=_slope(above[market <= 0.0], market_above[market <= 0.0]),
        treynor_ratio=float(above.mean() * periods / beta) if beta else math.nan,
        m_squared=float(ratio * market_above.std(ddof=1) * periods + (np.mean(market - market_above)) * periods),
        batting_average=float(np.mean(ours > market)),
        n_obs=len(ours),
    )


def _slope(values: np.ndarray, market: np.ndarray) -> float:
    if len(values) < 2 or constant(market):
        return math.nan
    moves = market - market.mean()
    return float(moves @ values / (moves @ moves))


def _pair(returns: Any, benchmark: Any) -> tuple[np.ndarray, np.ndarray]:
    """Returns and those of the benchmark in the same periods, oldest first."""
    refuse_other_rows(returns, "returns", benchmark, "benchmark")
    market = single_series(benchmark, "benchmark", min_obs=2)
    return returns_array(returns, fractions=True), market


def _active(returns: Any, benchmark: Any) -> np.ndarray:
    array, market = _pair(returns, benchmark)
    active: np.ndarray = array - (market if array.ndim == 1 else market[:, None])
    return active
