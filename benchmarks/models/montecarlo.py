"""Monte Carlo VaR and ES of 10^6 scenarios of 50 assets beside the cost of its own draws and matrix product.

Run with one BLAS thread (OPENBLAS_NUM_THREADS=1) to read the rows as single core.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from benchmarks._bench import Row, best
from riskkit.attribution import portfolio
from riskkit.montecarlo import NormalReturns, SobolDraws, StudentTCopula, simulate_risk
from riskkit.montecarlo.draws import BLOCK

SCENARIOS, ASSETS, CONFIDENCE = 1_000_000, 50, 0.99


def rows() -> Iterator[Row]:
    """Ours beside its own floor and beside the way of the textbook; equality first."""
    rng = np.random.default_rng(0)
    root = rng.normal(0.0, 0.01, (ASSETS, ASSETS))
    covariance, positions = root @ root.T, rng.normal(0.0, 1.0, ASSETS)
    model = NormalReturns(covariance)

    def ours() -> tuple[float, float]:
        risk = simulate_risk(model, positions, SCENARIOS, draws=np.random.default_rng(1), confidence=CONFIDENCE)
        return risk.var, risk.es

    def draws_and_product() -> np.ndarray:
        """The fastest plain loop we know: blocks that stay in cache, one product a block, nothing else."""
        words = np.random.default_rng(1).integers(0, 2**32, size=4, dtype=np.uint32)
        stream = np.random.Generator(np.random.PCG64(np.random.SeedSequence(words.tolist()).spawn(3)[0]))
        loadings, block, pnl = model.root.T @ positions, np.empty((BLOCK, ASSETS)), np.empty(SCENARIOS)
        for start in range(0, SCENARIOS, BLOCK):
            part = block[: min(BLOCK, SCENARIOS - start)]
            stream.standard_normal(out=part)
            pnl[start : start + BLOCK] = part @ loadings
        return pnl

    def textbook() -> tuple[float, float]:
        """All scenarios in memory, all losses sorted."""
        returns = np.random.default_rng(1).standard_normal((SCENARIOS, ASSETS)) @ np.linalg.cholesky(covariance).T
        losses = np.sort(-(returns @ positions))[::-1]
        return tail(losses)

    def tail(losses: np.ndarray) -> tuple[float, float]:
        size = round(SCENARIOS * (1.0 - CONFIDENCE))
        return float(losses[size - 1]), float(losses[:size].mean())

    np.testing.assert_allclose(ours(), tail(np.sort(-draws_and_product())[::-1]), rtol=1e-12)
    np.testing.assert_allclose(ours(), textbook(), rtol=0.02)
    mine, floor = best(ours, draws_and_product, repeat=8)
    yield Row("Monte Carlo VaR and ES, 10^6 x 50", mine, floor, "its own draws and product", 1.2, at_least=False)
    mine, book = best(ours, textbook, repeat=2)
    yield Row("Monte Carlo VaR and ES, 10^6 x 50", mine, book, "textbook numpy, 400 MB", 1.5)

    line = model.project(positions)

    def projected() -> float:
        return simulate_risk(line, [1.0], 2**20, draws=SobolDraws(np.random.default_rng(1)), confidence=CONFIDENCE).var

    np.testing.assert_allclose(projected(), portfolio(positions, covariance, CONFIDENCE), rtol=1e-3)
    mine, other = best(projected, ours, repeat=3)
    yield Row("  the linear normal book in one dimension, Sobol", mine, other, "in 50 dimensions", 5.0)
    yield _copula(rng)


def _copula(rng: np.random.Generator) -> Row:
    """Scenarios of a copula with Student t margins beside scipy's distribution functions."""
    history = 0.01 * stats.multivariate_t(np.zeros(20), np.eye(20) * 0.5 + 0.5, 4).rvs(1000, random_state=rng)
    model = StudentTCopula(history, 4.0, margins="student_t")
    laws = [stats.t.fit(column) for column in history.T]
    joint = stats.multivariate_t(np.zeros(20), model.matrix, 4)

    def ours() -> np.ndarray:
        return model.sample(50_000, np.random.default_rng(1))

    def theirs() -> np.ndarray:
        levels = stats.t.cdf(joint.rvs(50_000, random_state=2), 4)
        return np.column_stack([stats.t.ppf(levels[:, j], *law) for j, law in enumerate(laws)])

    np.testing.assert_allclose(np.quantile(ours(), 0.05, axis=0), np.quantile(theirs(), 0.05, axis=0), rtol=0.05)
    mine, other = best(ours, theirs, repeat=3)
    return Row("t copula, Student t margins, 50,000 x 20", mine, other, "scipy multivariate_t, t.cdf, t.ppf", 1.0)
