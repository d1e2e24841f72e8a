"""Data as they are: gaps, closes at different hours, stale prices, bars; beside pandas and numpy; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks._bench import Row, beside
from riskkit.covariance import (
    asynchronous_covariance,
    complete_returns,
    incomplete_covariance,
    incomplete_ewma_variance,
    range_volatility,
    realised_measures,
)
from riskkit.returns import price_flags

DAYS, ASSETS, STEPS = 1_000, 20, 30


def rows() -> Iterator[Row]:
    """One row a policy or estimator."""
    rng = np.random.default_rng(0)
    returns = 0.01 * (rng.standard_normal((DAYS, ASSETS)) + rng.standard_normal((DAYS, 1)))
    holes = returns.copy()
    for column in range(ASSETS):  # later listings and a week of holidays
        holes[: 10 * column, column] = np.nan
        holes[500 + column : 505 + column, column] = np.nan
    frame = pd.DataFrame(holes)
    yield beside(
        f"pairwise covariance, {DAYS:,} days of {ASSETS} with gaps",
        lambda: incomplete_covariance(holes, "pairwise").covariance,
        lambda: frame.cov(),
        "pandas cov",
        1.0,
    )
    yield _likelihood(holes)
    yield beside(
        f"EWMA variance with gaps, {ASSETS} series",
        lambda: incomplete_ewma_variance(holes),
        lambda: (frame**2).ewm(alpha=0.06, ignore_na=False).mean().iloc[-1],
        "pandas ewm",
        1.0,
    )
    yield beside(
        "gaps filled with zero, what was done kept",
        lambda: complete_returns(holes, "zero_fill").returns,
        lambda: frame.fillna(0.0),
        "pandas fillna",
        1.0,
        checks=1e-3,
    )
    yield beside(
        "covariance of closes at different hours",
        lambda: asynchronous_covariance(returns),
        lambda: _lagged(returns),
        "numpy, two products",
        1.0,
        checks=5e-4,
    )
    yield _flags(100.0 * np.exp(np.cumsum(returns, axis=0)))
    yield _bars(rng)
    yield _realised(0.001 * rng.standard_normal(1_440))


def _likelihood(holes: np.ndarray) -> Row:
    """As many steps of expectation and maximisation, a period at a time."""
    fit = incomplete_covariance(holes)

    def by_period() -> np.ndarray:
        mean, covariance = np.nanmean(holes, axis=0), np.diag(np.nanvar(holes, axis=0))
        for _ in range(STEPS):
            total, square = np.zeros(ASSETS), np.zeros((ASSETS, ASSETS))
            for row in holes:
                seen, gone = np.flatnonzero(~np.isnan(row)), np.flatnonzero(np.isnan(row))
                filled, left = row.copy(), np.zeros((ASSETS, ASSETS))
                if len(gone):
                    slopes = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[np.ix_(seen, gone)])
                    filled[gone] = mean[gone] + (row[seen] - mean[seen]) @ slopes
                    left[np.ix_(gone, gone)] = covariance[np.ix_(gone, gone)] - covariance[np.ix_(gone, seen)] @ slopes
                total, square = total + filled, square + np.outer(filled, filled) + left
            mean = total / len(holes)
            covariance = square / len(holes) - np.outer(mean, mean)
        return covariance

    return beside(
        f"covariance by likelihood, {fit.iterations} steps to the end",
        lambda: incomplete_covariance(holes).covariance,
        by_period,
        f"numpy, {STEPS} steps, period by period",
        5.0,
        rtol=1e-5,
        repeat=1,
    )


def _lagged(returns: np.ndarray) -> np.ndarray:
    later = returns[1:].T @ returns[:-1] / (len(returns) - 1)
    return returns.T @ returns / len(returns) + later + later.T


def _flags(prices: np.ndarray) -> Row:
    prices[-10:, 3], prices[700:, 5] = prices[-11, 3], 1.5 * prices[700:, 5]
    frame = pd.DataFrame(prices)

    def ours() -> list[float]:
        found = price_flags(frame)
        return [*found["size"].dropna(), (found["flag"] == "stale").sum()]

    def by_pandas() -> list[float]:
        """Lee and Mykland's statistic of moves, and runs of five without one."""
        moves = np.log(frame).diff()
        usual = np.pi / 2.0 * (moves.abs() * moves.abs().shift()).rolling(59).mean().shift()
        sizes = (moves / usual**0.5).to_numpy().T
        runs = ((moves == 0.0).astype(int).rolling(5).sum() == 5).to_numpy()
        return [*sizes[np.abs(sizes) >= 6.0], (runs[1:] & ~runs[:-1]).sum()]

    return beside("stale prices and jumps of 20 series flagged", ours, by_pandas, "pandas rolling", 0.5)


def _bars(rng: np.random.Generator) -> Row:
    open_, gap = 100.0 + rng.standard_normal((2, 2_500)), np.abs(rng.standard_normal((2, 2_500)))
    first, last = open_
    top, bottom = np.maximum(first, last) + gap[0], np.minimum(first, last) - gap[1]

    def garman_klass() -> float:
        range_, move = np.log(top / bottom), np.log(last / first)
        return float(np.sqrt(np.mean(0.5 * range_**2 - (2.0 * np.log(2.0) - 1.0) * move**2)))

    def ours() -> float:
        return range_volatility(first, top, bottom, last, "garman_klass")

    return beside("volatility of 2,500 bars (Garman-Klass)", ours, garman_klass, "numpy, two lines", 1.0, checks=5e-4)


def _realised(returns: np.ndarray) -> Row:
    def by_numpy() -> list[float]:
        size = np.abs(returns)
        return [float((returns**2).sum()), float(np.pi / 2.0 * (size[1:] * size[:-1]).sum())]

    def ours() -> list[float]:
        found = realised_measures(returns)
        return [found.variance, found.bipower]

    return beside(
        "realised measures of 1,440 minutes, all five", ours, by_numpy, "numpy, two of them", 1.0, checks=5e-4
    )
