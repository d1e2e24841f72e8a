"""What a user waits for where it was not expected: a first VaR, fits that roll, copulas, paths, autocovariances."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from benchmarks._bench import Bound, Row, best
from riskkit import rolling_var
from riskkit.covariance import ewma_covariance
from riskkit.montecarlo import GaussianCopula, GeometricBrownianMotion
from riskkit.performance import sharpe_ratio
from riskkit.var import student_t

COLD = """
import time, numpy, riskkit
returns = numpy.random.default_rng(0).normal(0.0, 0.01, (2520, 500))
start = time.process_time()
riskkit.value_at_risk(returns)
print(time.process_time() - start)
"""


def rows() -> Iterator[Row | Bound]:
    """Ours beside the plain way; equality first."""
    times = [float(subprocess.check_output([sys.executable, "-c", COLD], text=True)) for _ in range(5)]
    yield Bound("first VaR of 500 assets, 10 years, after import, CPU", min(times), 0.1, "s")
    rng = np.random.default_rng(0)
    yield from _rolling(0.01 * rng.standard_t(5, (900, 1)))
    yield from _copula(0.01 * rng.standard_t(5, (1_000, 20)))
    yield from _paths()
    yield from _sharpe(0.01 * rng.standard_normal(100_000))
    yield from _ewma(0.01 * rng.standard_normal((2_520, 500)))


def _rolling(series: np.ndarray) -> Iterator[Row]:
    def ours() -> np.ndarray:
        return rolling_var(series, 500, 0.99, "student_t").var[:, 0]

    def each() -> np.ndarray:
        return np.array([student_t(series[first : first + 500, 0], 0.99).var for first in range(len(series) - 500)])

    np.testing.assert_allclose(ours(), each(), rtol=1e-7)
    mine, other = best(ours, each, repeat=3)
    yield Row("rolling Student t, 400 windows of 500", mine, other, "each window anew", 8.0)


def _copula(history: np.ndarray) -> Iterator[Row]:
    model, n = GaussianCopula(history), 100_000

    def ours() -> np.ndarray:
        return model.sample(n, np.random.default_rng(1))

    def plain() -> np.ndarray:
        x = np.random.default_rng(1).standard_normal((n, 20)) @ model.root.T
        return np.take_along_axis(np.sort(history, axis=0), (ndtr(x) * len(history)).astype(np.int64), axis=0)

    np.testing.assert_allclose(ours().std(axis=0), plain().std(axis=0), rtol=0.05)
    mine, other = best(ours, plain, repeat=3)
    yield Row("Gaussian copula 10^5 x 20", mine, other, "five lines of numpy", 1.5, at_least=False)


def _paths() -> Iterator[Row]:
    def drawn(steps: int) -> np.ndarray:
        motion = GeometricBrownianMotion(np.full(20, 0.2), steps=steps)
        return motion.sample(100_000, np.random.default_rng(1))

    np.testing.assert_allclose(drawn(10), drawn(1), rtol=1e-12)
    mine, other = best(lambda: drawn(10), lambda: drawn(1), repeat=3)
    yield Row("returns of 10-step paths 10^5 x 20", mine, other, "one step, same law", 1.1, at_least=False)


def _sharpe(series: np.ndarray) -> Iterator[Row]:
    def ours() -> float:
        return sharpe_ratio(series, 252, definition="autocorrelated")

    def lags() -> float:
        deviation = series - series.mean()
        products = [deviation[lag:] @ deviation[:-lag] / (deviation @ deviation) for lag in range(1, 252)]
        variance = 252.0 + 2.0 * sum((252 - lag) * each for lag, each in enumerate(products, start=1))
        return float(series.mean() / series.std(ddof=1) * 252.0 / np.sqrt(variance))

    np.testing.assert_allclose(ours(), lags(), rtol=1e-7)
    mine, other = best(ours, lags, repeat=5)
    yield Row("autocorrelated Sharpe ratio, 10^5 periods", mine, other, "one product a lag", 1.0)


def _ewma(returns: np.ndarray) -> Iterator[Row]:
    weights = 0.06 * 0.94 ** np.arange(len(returns) - 1.0, -1.0, -1.0)

    def plain() -> np.ndarray:
        return (returns * weights[:, None]).T @ returns

    np.testing.assert_allclose(ewma_covariance(returns, start="zero"), plain(), rtol=1e-9, atol=1e-15)
    mine, other = best(lambda: ewma_covariance(returns), plain, repeat=7)
    yield Row("EWMA covariance 2,520 x 500", mine, other, "weighted product", 2.0, at_least=False)
