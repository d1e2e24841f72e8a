"""Performance of a track record.

Summary
    performance_summary, PerformanceSummary
Drawdown
    drawdown_series, max_drawdown, conditional_drawdown_at_risk, pain_index, ulcer_index, risk_score, drawdown_table,
    DrawdownTable, Drawdown
Risk-adjusted return
    annualized_return, annualized_volatility, sharpe_ratio, sharpe_standard_error, sortino_ratio, omega_ratio,
    calmar_ratio, downside_deviation
Against a benchmark
    compare_to_benchmark, BenchmarkComparison, tracking_error, information_ratio, capture_ratio
Over time
    monthly_table, rolling_performance, rolling_measure (any of these)
Moments
    skewness, excess_kurtosis
Shape
    tail_ratio, stability
Trades
    win_rate, average_trade, payoff_ratio, profit_factor, max_consecutive_losses, trade_statistics, TradeStatistics
"""

from riskkit._names import suggest_names
from riskkit.performance.benchmark import (
    BenchmarkComparison,
    capture_ratio,
    compare_to_benchmark,
    information_ratio,
    tracking_error,
)
from riskkit.performance.calendar import monthly_table, rolling_measure, rolling_performance
from riskkit.performance.drawdown import (
    conditional_drawdown_at_risk,
    drawdown_series,
    max_drawdown,
    pain_index,
    risk_score,
    ulcer_index,
)
from riskkit.performance.drawdown_episodes import Drawdown, DrawdownTable, drawdown_table
from riskkit.performance.moments import excess_kurtosis, skewness
from riskkit.performance.ratios import (
    annualized_return,
    annualized_volatility,
    calmar_ratio,
    downside_deviation,
    omega_ratio,
    sharpe_ratio,
    sharpe_standard_error,
    sortino_ratio,
)
from riskkit.performance.shape import stability, tail_ratio
from riskkit.performance.summary import PerformanceSummary, performance_summary
from riskkit.performance.trades import (
    TradeStatistics,
    average_trade,
    max_consecutive_losses,
    payoff_ratio,
    profit_factor,
    trade_statistics,
    win_rate,
)

__all__ = [
    "BenchmarkComparison",
    "capture_ratio",
    "compare_to_benchmark",
    "information_ratio",
    "monthly_table",
    "rolling_measure",
    "rolling_performance",
    "tracking_error",
    "Drawdown",
    "DrawdownTable",
    "PerformanceSummary",
    "TradeStatistics",
    "annualized_return",
    "annualized_volatility",
    "average_trade",
    "calmar_ratio",
    "conditional_drawdown_at_risk",
    "max_consecutive_losses",
    "downside_deviation",
    "drawdown_series",
    "drawdown_table",
    "excess_kurtosis",
    "max_drawdown",
    "omega_ratio",
    "pain_index",
    "payoff_ratio",
    "performance_summary",
    "profit_factor",
    "risk_score",
    "sharpe_ratio",
    "sharpe_standard_error",
    "skewness",
    "sortino_ratio",
    "stability",
    "tail_ratio",
    "trade_statistics",
    "ulcer_index",
    "win_rate",
]

suggest_names(
    __name__,
    {
        "performance_summary": "stats summary metrics perf_stats returns_stats show_perf_stats",
        "annualized_return": "CAGR annual_return",
        "annualized_volatility": "annual_volatility",
        "sharpe_ratio": "smart_sharpe",
        "max_drawdown": "maxdrawdown mdd maximum_drawdown",
        "drawdown_series": "underwater to_drawdown_series",
        "drawdown_table": "drawdown_details top_drawdowns gen_drawdown_table",
        "monthly_table": "monthly_returns monthly_heatmap aggregate_returns",
        "compare_to_benchmark": "greeks beta alpha alpha_beta portalpha treynor_ratio",
        "information_ratio": "inforatio",
        "conditional_drawdown_at_risk": "CDaR",
        "rolling_performance": "rolling_sharpe rolling_sortino",
        "rolling_measure": "rolling_volatility",
        "trade_statistics": "trades trade_analyzer trade_stats",
    },
)
