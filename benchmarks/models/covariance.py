"""EWMA portfolio variance and covariance paths, 2,500 days of 100 assets, one core."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks._bench import Row, best
from riskkit.covariance import EwmaCovariance, ewma_covariance_path, ewma_portfolio_variance

DAYS, ASSETS, DECAY = 2_500, 100, 0.94


def rows() -> Iterator[Row]:
    """Ours beside the best numpy loops that update in place; equality first."""
    rng = np.random.default_rng(0)
    returns = rng.normal(0.0, 0.01, (DAYS, ASSETS))
    fixed, changing = rng.dirichlet(np.ones(ASSETS)), rng.dirichlet(np.ones(ASSETS), DAYS)
    start = returns[:75].T @ returns[:75] / 75

    def numpy_portfolio(weights: np.ndarray) -> np.ndarray:
        out = np.empty(DAYS)
        for t, covariance in enumerate(numpy_in_place(returns, start)):
            out[t] = weights[t] @ covariance @ weights[t]
        return out

    yield from _portfolio("fixed weights", returns, fixed, start, lambda: numpy_portfolio(np.tile(fixed, (DAYS, 1))))
    yield from _portfolio("changing weights", returns, changing, start, lambda: numpy_portfolio(changing))

    np.testing.assert_allclose(ewma_covariance_path(returns, DECAY, start), numpy_kept(returns, start), rtol=1e-9)
    ours, other = best(
        lambda: ewma_covariance_path(returns, DECAY, start), lambda: numpy_kept(returns, start), repeat=3
    )
    yield Row("EWMA covariance path 2,500 x 100, kept (200 MB)", ours, other, "numpy in place", 1.0)
    frame = pd.DataFrame(returns)
    labelled, plain = best(
        lambda: ewma_covariance_path(frame, DECAY, start), lambda: ewma_covariance_path(returns, DECAY, start), repeat=9
    )
    yield Row("  the same as DataFrame", labelled, plain + 2e-3, "arrays + 2 ms", 1.0, at_least=False)

    state = EwmaCovariance.init(returns, DECAY, start)
    for mine, theirs in zip(state.stream(returns), numpy_in_place(returns, start), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-18)
    ours, other = best(lambda: _drain(state.stream(returns)), lambda: _drain(numpy_in_place(returns, start)), repeat=3)
    yield Row("EWMA covariance path 2,500 x 100, one at a time", ours, other, "numpy in place", 1.0)


def _portfolio(name: str, returns: np.ndarray, weights: np.ndarray, start: np.ndarray, numpy_way) -> Iterator[Row]:
    def ours() -> np.ndarray:
        return ewma_portfolio_variance(returns, weights, DECAY, start)

    np.testing.assert_allclose(ours(), numpy_way(), rtol=1e-9)
    mine, other = best(ours, numpy_way, repeat=3)
    yield Row(f"EWMA portfolio variance 2,500 x 100, {name}", mine, other, "numpy in place", 6.0)

    frame = pd.DataFrame(returns)
    labelled = pd.Series(weights) if weights.ndim == 1 else pd.DataFrame(weights)
    with_labels, without = best(lambda: ewma_portfolio_variance(frame, labelled, DECAY, start), ours, repeat=15)
    yield Row(f"  the same as DataFrame, {name}", with_labels, without + 2e-3, "arrays + 2 ms", 1.0, at_least=False)


def numpy_in_place(returns: np.ndarray, start: np.ndarray) -> Iterator[np.ndarray]:
    """The best loop we know in numpy: scaled returns, an outer product into a buffer, two updates in place."""
    scaled = returns * np.sqrt(1.0 - DECAY)
    covariance, product = start.copy(), np.empty_like(start)
    for row in scaled:
        np.multiply(row[:, None], row, out=product)
        covariance *= DECAY
        covariance += product
        yield covariance


def numpy_kept(returns: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The same, every matrix written straight to its place."""
    scaled = returns * np.sqrt(1.0 - DECAY)
    out, product, last = np.empty((len(returns), *start.shape)), np.empty_like(start), start
    for t, row in enumerate(scaled):
        np.multiply(last, DECAY, out=out[t])
        np.multiply(row[:, None], row, out=product)
        out[t] += product
        last = out[t]
    return out


def _drain(matrices: Iterator[np.ndarray]) -> None:
    for _ in matrices:
        pass
