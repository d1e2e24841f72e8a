"""Performance, beside pandas, statsmodels and loops: rolling, by month, against a benchmark, drawdowns; equality first."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import statsmodels.api as sm

from benchmarks._bench import Row, beside
from riskkit.performance import (
    compare_to_benchmark,
    drawdown_series,
    drawdown_table,
    monthly_table,
    omega_ratio,
    performance_summary,
    rolling_measure,
    rolling_performance,
    sortino_ratio,
    tracking_error,
    trade_statistics,
)

DAYS, WINDOW = 5_000, 250


def rows() -> Iterator[Row]:
    """One row a table."""
    rng = np.random.default_rng(0)
    index = pd.bdate_range("2000-01-03", periods=DAYS)
    market = pd.Series(0.0002 + 0.01 * rng.standard_t(5, DAYS), index)
    returns = 0.8 * market + 0.005 * rng.standard_normal(DAYS)
    yield from _rolling(returns)
    yield _by_month(returns)
    yield from _against(returns, market)
    yield from _drawdowns(returns)
    wide = 0.01 * rng.standard_normal((1_000, 500))
    yield beside(
        "omega ratio of 500 series",
        lambda: omega_ratio(wide),
        lambda: [column[column > 0.0].sum() / -column[column < 0.0].sum() for column in wide.T],
        "numpy, series by series",
        1.0,
    )
    pnl = rng.standard_normal(10_000)
    yield beside(
        "statistics of 10,000 trades",
        lambda: trade_statistics(pnl).profit_factor,
        lambda: pnl[pnl > 0.0].sum() / -pnl[pnl < 0.0].sum(),
        "numpy, one of them",
        1.0,
        checks=2e-3,
    )
    yield beside(
        "summary of 5,000 days",
        lambda: performance_summary(returns, 252).annualised_volatility,
        lambda: returns.std() * math.sqrt(252),
        "pandas, one of its figures",
        1.0,
        checks=20e-3,
    )


def _rolling(returns: pd.Series) -> Iterator[Row]:
    def fall(window: np.ndarray) -> float:
        wealth = np.cumprod(1.0 + window)
        return float((1.0 - wealth / np.maximum(np.maximum.accumulate(wealth), 1.0)).max())

    def by_pandas() -> np.ndarray:
        return returns.rolling(WINDOW).apply(fall, raw=True).to_numpy()[WINDOW - 1 :]

    def ours() -> np.ndarray:
        return rolling_performance(returns, WINDOW, 252)["max_drawdown"].dropna().to_numpy()

    yield beside("rolling table of 4 figures, 4,751 windows", ours, by_pandas, "pandas apply, drawdown alone", 1.0)

    def each() -> np.ndarray:
        array = returns.to_numpy()
        return np.array([sortino_ratio(array[i : i + WINDOW]) for i in range(DAYS - WINDOW + 1)])

    def in_blocks() -> np.ndarray:
        return rolling_measure(sortino_ratio, returns, WINDOW).dropna().to_numpy()

    yield beside("any measure (Sortino) in 4,751 windows", in_blocks, each, "window by window", 5.0)


def _by_month(returns: pd.Series) -> Row:
    def by_pandas() -> np.ndarray:
        return (np.expm1(np.log1p(returns).resample("YE").sum())).to_numpy()

    return beside(
        "monthly and yearly table of 5,000 days",
        lambda: monthly_table(returns)["year"],
        by_pandas,
        "pandas resample, years alone",
        0.2,
    )


def _against(returns: pd.Series, market: pd.Series) -> Iterator[Row]:
    design = sm.add_constant(market)

    def library() -> float:
        return float(sm.OLS(returns, design).fit().params.iloc[1])

    yield beside(
        "comparison with a benchmark, 20 figures",
        lambda: compare_to_benchmark(returns, market, 252).beta,
        library,
        "statsmodels OLS, beta alone",
        0.2,
    )
    yield beside(
        "tracking error of 5,000 days",
        lambda: tracking_error(returns, market, 252),
        lambda: (returns - market).std() * math.sqrt(252),
        "pandas",
        1.0,
        checks=1e-3,
    )


def _drawdowns(returns: pd.Series) -> Iterator[Row]:
    def by_pandas() -> pd.Series:
        wealth = (1.0 + returns).cumprod()
        return 1.0 - wealth / wealth.cummax().clip(lower=1.0)

    yield beside("drawdown of 5,000 days", lambda: drawdown_series(returns), by_pandas, "pandas", 0.3, atol=1e-12)

    def by_hand() -> list[float]:
        wealth, top, depth, found = 1.0, 1.0, 0.0, []
        for move in returns.tolist():
            wealth *= 1.0 + move
            if wealth >= top:
                if depth:
                    found.append(depth)
                top, depth = wealth, 0.0
            else:
                depth = max(depth, 1.0 - wealth / top)
        return sorted([*found, depth] if depth else found, reverse=True)[:20]

    def ours() -> list[float]:
        table = drawdown_table(returns, top=20)
        return [table[i].depth for i in range(20)]

    yield beside("table of all drawdowns of 5,000 days", ours, by_hand, "Python, depths alone", 0.2)
