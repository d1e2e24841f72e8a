"""Performance summary of one series: return, risk, drawdown and risk-adjusted ratios in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_number, labels_of, refuse_prices, single_series, with_labels
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row, amounts, percent
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import ReturnsLike
from riskkit.performance.drawdown import conditional_drawdown_at_risk, max_drawdown, pain_index, risk_score, ulcer_index
from riskkit.performance.drawdown_episodes import drawdown_table
from riskkit.performance.moments import excess_kurtosis, skewness
from riskkit.performance.ratios import (
    annualized_return,
    annualized_volatility,
    calmar_ratio,
    omega_ratio,
    sharpe_ratio,
    sharpe_standard_error,
    sortino_ratio,
)
from riskkit.performance.series import documented, periods_of, refuse_yearly_rate, without_risk_free
from riskkit.performance.trades import max_consecutive_losses, payoff_ratio, profit_factor, win_rate
from riskkit.var.historical_simulation import historical

LEVELS = (0.95, 0.99)
"""Confidences of VaR and ES in a summary: the two that limits and tear sheets are written in."""


@dataclass(frozen=True, repr=False, eq=False)
class PerformanceSummary(Exported):
    """Performance measures of one return series; None for an undefined one (a Sharpe ratio without a spread).

    Attributes
    ----------
    returns : (n_obs,)
        Simple returns per period.
    periods_per_year : float
        252 for daily, 52 for weekly, 12 for monthly returns.
    n_obs : int
        Number of returns.
    annualised_return : float
        Compounded return per year, a fraction.
    annualised_volatility : float or None
        Sample standard deviation per year, a fraction.
    sharpe_ratio : float or None
        Annualized Sharpe ratio, arithmetic.
    sharpe_standard_error : float or None
        Standard error of `sharpe_ratio`, with the sample skewness and kurtosis.
    sortino_ratio : float or None
        Annualized Sortino ratio about the threshold.
    calmar_ratio : float or None
        Annualized return over maximum drawdown.
    omega_ratio : float or None
        Sum of gains over sum of losses about the threshold.
    var_95, es_95, var_99, es_99 : float or None
        Historical VaR and ES of one period at 95 and 99 %, as `riskkit.var.historical` has them: loss as a positive fraction.
    max_drawdown : float
        Positive fraction of the peak.
    current_drawdown : float
        Positive fraction of the peak at the end.
    cdar : float
        Conditional drawdown at risk at `confidence`, a positive fraction of the peak.
    ulcer_index : float
        Root mean square of the drawdowns, a positive fraction of the peak.
    pain_index : float
        Mean of the drawdowns, a positive fraction of the peak.
    win_rate : float or None
        Share of gains among gains and losses, a fraction.
    payoff_ratio : float or None
        Mean gain over mean loss.
    profit_factor : float or None
        Sum of gains over sum of losses.
    consecutive_losses : int
        Largest number of losses in a row.
    skewness : float or None
        Population skewness.
    excess_kurtosis : float or None
        Population excess kurtosis.
    risk_score : float or None
        Maximum drawdown over its limit, at most 1; None without a limit.
    confidence : float
        Confidence of `cdar` as a fraction: 0.95 for 95 %.

    Examples
    --------
    >>> from riskkit import performance_summary
    >>> record = performance_summary([0.10, -0.20, 0.05, -0.10], 12)
    >>> round(record.max_drawdown, 6), record.win_rate, round(record.var_95, 6)
    (0.244, 0.5, 0.2)
    """

    returns: Any
    periods_per_year: float
    n_obs: int
    annualised_return: float
    annualised_volatility: float | None
    sharpe_ratio: float | None
    sharpe_standard_error: float | None
    sortino_ratio: float | None
    calmar_ratio: float | None
    omega_ratio: float | None
    var_95: float | None
    es_95: float | None
    var_99: float | None
    es_99: float | None
    max_drawdown: float
    current_drawdown: float
    cdar: float
    ulcer_index: float
    pain_index: float
    win_rate: float | None
    payoff_ratio: float | None
    profit_factor: float | None
    consecutive_losses: int
    skewness: float | None
    excess_kurtosis: float | None
    risk_score: float | None
    confidence: float

    def to_frame(self) -> Any:
        """All measures as a frame of one row."""
        import pandas as pd

        names = [field.name for field in fields(self) if field.name != "returns"]
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def plot(self, axes: Any = None) -> Any:
        """Draw wealth and, below it, the drawdown; return both axes.

        Parameters
        ----------
        axes : two matplotlib Axes, optional
            Axes of wealth and of the drawdown; by default those of a new figure.
        """
        import matplotlib.pyplot as plt
        from matplotlib.ticker import LogLocator

        if axes is None:
            _, axes = plt.subplots(2, 1, sharex=True, height_ratios=(2, 1), layout="constrained")
        rows = labels_of(self.returns, 0)
        wealth = np.cumprod(1.0 + single_series(self.returns, "returns"))
        axes[0].plot(np.arange(len(wealth)) if rows is None else rows, wealth, linewidth=0.9, color=plot.STRONG)
        axes[0].axhline(1.0, color=plot.INK, linewidth=0.5)
        axes[0].set_yscale("log")
        ratio = wealth.max() / max(wealth.min(), 1e-300)
        axes[0].yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if ratio < 100.0 else (1.0,)))
        axes[0].yaxis.set_major_formatter("{x:g}")
        axes[0].yaxis.set_minor_formatter("{x:g}" if ratio < 5.0 else "")
        axes[0].set_ylabel("wealth, from 1")
        plot.dress(axes[0], f"{self.annualised_return:.1%} a year")
        table = drawdown_table(self.returns, top=3)
        table.plot(axes[1])
        axes[1].set_title("", loc="left")
        return axes

    def _title(self) -> str:
        return f"Performance over {counted(self.n_obs, 'period')}, {self.periods_per_year:g} a year"

    def _rows(self) -> list[Row]:
        error = self.sharpe_standard_error
        rows: list[Row] = [
            ("annualised return", _percentage(self.annualised_return), "compounded"),
            ("annualised volatility", _percentage(self.annualised_volatility), ""),
            ("Sharpe ratio", self.sharpe_ratio, "" if error is None else f"± {error:.3g}"),
            ("Sortino ratio", self.sortino_ratio, ""),
            ("Calmar ratio", self.calmar_ratio, ""),
            ("Omega ratio", self.omega_ratio, ""),
            *self._tail_rows(),
            ("maximum drawdown", _percentage(self.max_drawdown), "of the peak"),
            ("current drawdown", _percentage(self.current_drawdown), "of the peak"),
            (f"CDaR at {percent(self.confidence)}", _percentage(self.cdar), "of the peak"),
            ("ulcer index", _percentage(self.ulcer_index), ""),
            ("pain index", _percentage(self.pain_index), ""),
            ("win rate", _percentage(self.win_rate), "of the periods with a gain or a loss"),
            ("payoff ratio", self.payoff_ratio, "mean gain / mean loss"),
            ("profit factor", self.profit_factor, "sum of gains / sum of losses"),
            ("longest run of losses", self.consecutive_losses, "periods"),
            ("skewness", self.skewness, ""),
            ("excess kurtosis", self.excess_kurtosis, ""),
        ]
        if self.risk_score is not None:
            rows.append(("risk score", self.risk_score, "of the drawdown limit"))
        return rows

    def _tail_rows(self) -> list[Row]:
        return [
            (f"{name} {percent(level)}", _percentage(value), "historical, of one period")
            for level, values in zip(LEVELS, ((self.var_95, self.es_95), (self.var_99, self.es_99)), strict=True)
            for name, value in zip(("VaR", "ES"), values, strict=True)
        ]


@documented
def performance_summary(
    returns: ReturnsLike,
    periods_per_year: float | None = None,
    *,
    risk_free: Any = 0.0,
    threshold: float = 0.0,
    confidence: float = DEFAULT_CONFIDENCE,
    max_drawdown_limit: float | None = None,
) -> PerformanceSummary:
    """Summarize the performance of one return series.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period as fractions, oldest first, none below -1.
    periods_per_year : float, optional
        252 for daily, 52 for weekly, 12 for monthly returns; by default what the dates of the returns tell.
    confidence : float
        Confidence of the conditional drawdown at risk as a fraction: 0.95 for 95 %.
    max_drawdown_limit : float, optional
        Drawdown limit of the risk score as a fraction of the peak.

    Returns
    -------
    Performance
        All measures; None for those undefined for a short, constant or riskless series.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapters 2 and 4; and those of
    each measure.

    Examples
    --------
    >>> record = performance_summary([0.02, -0.10, 0.03, 0.08], 12, max_drawdown_limit=0.2)
    >>> round(record.max_drawdown, 6), record.risk_score
    (0.1, 0.5)
    >>> round(record.sharpe_ratio, 6), round(record.calmar_ratio, 6), record.win_rate
    (0.340411, 0.649053, 0.75)
    """
    array = single_series(returns, "returns", ordered=True)
    refuse_prices(array, "returns", fractions=True)
    periods_per_year = periods_of(returns, periods_per_year)
    without_risk_free(returns, risk_free)  # refuse an invalid rate here: below it would only make the ratio undefined
    finite_number(threshold, "threshold")
    for rate, name in ((risk_free, "risk_free"), (threshold, "threshold")):
        refuse_yearly_rate(rate, name, array, periods_per_year)
    worst = max_drawdown(array)
    (var_95, es_95), (var_99, es_99) = (_value_at_risk(array, level) for level in LEVELS)
    return PerformanceSummary(
        returns=with_labels(array.copy(), labels_of(returns, 0), name=getattr(returns, "name", None)),
        periods_per_year=float(periods_per_year),
        n_obs=len(array),
        annualised_return=annualized_return(array, periods_per_year),
        annualised_volatility=_defined(lambda: annualized_volatility(array, periods_per_year)),
        sharpe_ratio=_defined(lambda: sharpe_ratio(array, periods_per_year, risk_free=risk_free)),
        sharpe_standard_error=_defined(lambda: sharpe_standard_error(array, periods_per_year, risk_free=risk_free)),
        sortino_ratio=_defined(lambda: sortino_ratio(array, periods_per_year, threshold=threshold)),
        calmar_ratio=_defined(lambda: calmar_ratio(array, periods_per_year)),
        omega_ratio=_defined(lambda: omega_ratio(array, threshold)),
        var_95=var_95,
        es_95=es_95,
        var_99=var_99,
        es_99=es_99,
        max_drawdown=worst,
        current_drawdown=drawdown_table(array).current_drawdown,
        cdar=conditional_drawdown_at_risk(array, confidence),
        ulcer_index=ulcer_index(array),
        pain_index=pain_index(array),
        win_rate=_defined(lambda: win_rate(array)),
        payoff_ratio=_defined(lambda: payoff_ratio(array)),
        profit_factor=_defined(lambda: profit_factor(array)),
        consecutive_losses=max_consecutive_losses(array),
        skewness=_defined(lambda: skewness(array)),
        excess_kurtosis=_defined(lambda: excess_kurtosis(array)),
        risk_score=None if max_drawdown_limit is None else risk_score(worst, max_drawdown_limit),
        confidence=float(confidence),
    )


def _value_at_risk(array: np.ndarray, confidence: float) -> tuple[float | None, float | None]:
    """Historical VaR and ES of one period, or None if they are undefined for this series."""
    try:
        risk: Any = historical(array, confidence)
    except InputError:
        return None, None
    return risk.var, risk.es


def _percentage(value: float | None) -> str | None:
    return None if value is None else amounts([value], fractions=True)[0]


def _defined(measure: Callable[[], float]) -> float | None:
    """The measure, or None if it is undefined for this series."""
    try:
        return measure()
    except InputError:
        return None
