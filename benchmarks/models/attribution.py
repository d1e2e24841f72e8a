"""Component and incremental VaR of 500 assets beside Riskfolio, the bare formula, and a loop over trades.

Run with one BLAS thread (OPENBLAS_NUM_THREADS=1) to read the rows as single core.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks._bench import Row, best
from riskkit.attribution import component, historical, incremental

ASSETS, DAYS, Z = 500, 750, 2.3263478740408408  # of the confidence 0.99


def rows() -> Iterator[Row]:
    """Ours beside others; equality first."""
    rng = np.random.default_rng(0)
    returns = rng.normal(0.0, 0.01, (DAYS, ASSETS)) + rng.normal(0.0, 0.01, (DAYS, 1))
    covariance, weights = np.cov(returns.T), rng.dirichlet(np.ones(ASSETS))
    yield from _component(returns, covariance, weights)
    yield from _incremental(rng, covariance, weights)
    yield from _historical(returns, weights)


def _component(returns: np.ndarray, covariance: np.ndarray, weights: np.ndarray) -> Iterator[Row]:
    def ours() -> np.ndarray:
        return component(weights, covariance)

    def bare() -> np.ndarray:
        gradient = covariance @ weights
        return weights * gradient * (Z / np.sqrt(weights @ gradient))

    # Riskfolio's measure for a book by its covariance matrix is "MV", whose contributions sum to the standard
    # deviation: times z they are the components of normal VaR. It takes central differences, 2 × 500 revaluations.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from riskfolio.src.RiskFunctions import Risk_Contribution

    def riskfolio() -> np.ndarray:
        return Z * np.asarray(Risk_Contribution(weights[:, None], returns, covariance, rm="MV"))

    np.testing.assert_allclose(ours(), bare(), rtol=1e-10)
    np.testing.assert_allclose(ours(), riskfolio(), rtol=1e-4)
    mine, other = best(ours, riskfolio, repeat=3)
    yield Row("component VaR, 500 assets", mine, other, "Riskfolio Risk_Contribution", 1000.0)
    mine, other = best(ours, bare, repeat=15)
    yield Row("component VaR, 500 assets", mine, other, "bare closed form", 2.0, at_least=False)
    names = [f"asset {i}" for i in range(ASSETS)]
    frame, series = pd.DataFrame(covariance, index=names, columns=names), pd.Series(weights, index=names)
    np.testing.assert_allclose(component(series, frame), ours(), rtol=1e-12)
    labelled, plain = best(lambda: component(series, frame), ours)
    yield Row("  the same as DataFrame", labelled, plain + 2e-3, "arrays + 2 ms", 1.0, at_least=False)


def _incremental(rng: np.random.Generator, covariance: np.ndarray, weights: np.ndarray) -> Iterator[Row]:
    amounts = rng.normal(0.0, 0.01, ASSETS)
    trades = np.diag(amounts)
    baskets = rng.normal(0.0, 0.001, (ASSETS, ASSETS))

    def var(book: np.ndarray) -> float:
        return Z * float(np.sqrt(book @ covariance @ book))

    def loop(moves: np.ndarray) -> np.ndarray:
        return np.array([var(weights + trade) - var(weights) for trade in moves])

    def loop_with_var_before_kept(moves: np.ndarray) -> np.ndarray:
        before = var(weights)
        return np.array([var(weights + trade) - before for trade in moves])

    def one_instrument() -> np.ndarray:
        return incremental(weights, covariance, amounts, by="instrument")

    def any_basket() -> np.ndarray:
        return incremental(weights, covariance, baskets)

    np.testing.assert_allclose(one_instrument(), loop(trades), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(any_basket(), loop(baskets), rtol=1e-7, atol=1e-12)
    mine, other = best(one_instrument, lambda: loop(trades), repeat=7)
    yield Row("incremental VaR, 500 trades in one asset each", mine, other, "loop, VaR after - before", 500.0)
    mine, other = best(one_instrument, lambda: loop_with_var_before_kept(trades), repeat=7)
    yield Row("incremental VaR, 500 trades in one asset each", mine, other, "loop, VaR before kept", 250.0)
    mine, other = best(any_basket, lambda: loop_with_var_before_kept(baskets), repeat=3)
    yield Row("incremental VaR, 500 trades in all 500 assets", mine, other, "loop, VaR before kept", 2.0)


def _historical(returns: np.ndarray, weights: np.ndarray) -> Iterator[Row]:
    """With standard errors, beside one evaluation of the same weights by plain numpy, without."""
    from scipy.stats import beta

    edges = beta.cdf(np.arange(DAYS + 1) / DAYS, (DAYS + 1) * 0.99, (DAYS + 1) * 0.01)

    def ours() -> np.ndarray:
        return historical(weights, returns).component

    def plain() -> np.ndarray:
        order = np.argsort(-(returns @ weights), kind="stable")
        return np.diff(edges) @ (-returns * weights)[order]

    np.testing.assert_allclose(ours(), plain(), rtol=1e-7, atol=1e-14)
    mine, other = best(ours, plain)
    yield Row("historical components 750 x 500, with errors", mine, other, "numpy, without errors", 2.0, at_least=False)
