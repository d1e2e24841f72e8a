"""Historical VaR and ES of many portfolios, and rolling ones, beside bottleneck, skfolio and polars; one core."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks._bench import Row, best
from riskkit.var import historical, rolling_var, value_at_risk

DAYS, PORTFOLIOS = 2_500, 5_000
ROLLING_DAYS, SERIES, WINDOW = 8_000, 20, 250


def rows() -> Iterator[Row]:
    """Ours beside what people use; equality first."""
    rng = np.random.default_rng(0)
    returns = 0.01 * rng.standard_t(4, (DAYS, PORTFOLIOS))
    for confidence in (0.99, 0.95):
        yield from _many_portfolios(returns, confidence)
    series = 0.01 * rng.standard_t(4, (ROLLING_DAYS, SERIES))
    for confidence in (0.99, 0.95):
        yield from _rolling(series, confidence)
    yield from _rolling_normal(series)


def _many_portfolios(returns: np.ndarray, confidence: float) -> Iterator[Row]:
    import bottleneck
    from skfolio import measures

    worst = round(DAYS * (1.0 - confidence))  # a whole number here, so a plain mean is the tail-mass ES
    task = f"VaR+ES {confidence:.0%}, {PORTFOLIOS:,} x {DAYS:,}"

    def ours() -> tuple[np.ndarray, np.ndarray]:
        risk = historical(returns, confidence)
        return risk.var, risk.es

    def partition() -> tuple[np.ndarray, np.ndarray]:
        tail = bottleneck.partition(returns, worst - 1, axis=0)[:worst]
        return -tail[-1], -tail.mean(axis=0)

    def skfolio() -> tuple[np.ndarray, np.ndarray]:
        return measures.value_at_risk(returns, beta=confidence), measures.cvar(returns, beta=confidence)

    for mine, theirs in zip(ours(), partition(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12)
    np.testing.assert_allclose(ours()[1], skfolio()[1], rtol=1e-9)
    # At a step of the empirical cdf skfolio takes the smaller of the two losses: sorted[int(n p)]
    np.testing.assert_array_equal(historical(returns, confidence, quantile="floor_index").var, skfolio()[0])

    mine, bottleneck_way, skfolio_way = best(ours, partition, skfolio, repeat=6)
    yield Row(task, mine, bottleneck_way, "bottleneck.partition", 3.0)
    yield Row(task, mine, skfolio_way, "skfolio value_at_risk, cvar", 8.0)

    frame = pd.DataFrame(returns)
    labelled, plain = best(lambda: historical(frame, confidence), ours, repeat=3)
    yield Row("  the same as DataFrame", labelled, plain + 2e-3, "arrays + 2 ms", 1.0, at_least=False)


def _rolling(series: np.ndarray, confidence: float) -> Iterator[Row]:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    import polars

    columns = polars.DataFrame({str(i): column for i, column in enumerate(series.T)})
    p = 1.0 - confidence
    # `lower` takes sorted[floor((window - 1) q)]: this q makes it the ceil(window p)-th worst
    rank = math.ceil(round(WINDOW * p, 9))
    quantile = (rank - 0.5) / (WINDOW - 1)

    def ours() -> np.ndarray:
        return rolling_var(series, WINDOW, confidence).var

    def polars_way() -> polars.DataFrame:
        return columns.select(polars.all().rolling_quantile(quantile, interpolation="lower", window_size=WINDOW))

    np.testing.assert_array_equal(ours(), -polars_way().to_numpy()[WINDOW - 1 : -1])
    last = historical(series[-WINDOW - 1 : -1], confidence)
    np.testing.assert_allclose(rolling_var(series, WINDOW, confidence).es[-1], last.es, rtol=1e-12)

    mine, other = best(ours, polars_way, repeat=25)
    task = f"rolling {WINDOW} d {confidence:.0%}, {SERIES} x {ROLLING_DAYS:,}, VaR+ES"
    yield Row(task, mine, other, "polars rolling_quantile, VaR only", 8.0)

    frame = pd.DataFrame(series, index=pd.RangeIndex(ROLLING_DAYS))
    labelled, plain = best(lambda: rolling_var(frame, WINDOW, confidence), ours, repeat=9)
    yield Row("  the same as DataFrame", labelled, plain + 2e-3, "arrays + 2 ms", 1.0, at_least=False)


def _rolling_normal(series: np.ndarray) -> Iterator[Row]:
    """Windows anew, exactly, beside pandas' running sums: what exactness costs."""
    frame = pd.DataFrame(series)
    z = value_at_risk([1.0, -1.0], 0.99, "normal", mean="zero", ddof=0).var

    def pandas_way() -> pd.DataFrame:
        window = frame.rolling(WINDOW)
        return z * window.std() - window.mean()

    ours = rolling_var(series, WINDOW, 0.99, "normal").var
    np.testing.assert_allclose(ours, pandas_way().to_numpy()[WINDOW - 1 : -1], rtol=1e-9)
    mine, other = best(lambda: rolling_var(series, WINDOW, 0.99, "normal"), pandas_way, repeat=3)
    yield Row(f"rolling normal, {SERIES} x {ROLLING_DAYS:,}, VaR+ES", mine, other, "pandas std, mean (VaR only)", 0.1)
