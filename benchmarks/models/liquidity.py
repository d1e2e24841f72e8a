"""Liquidation of a portfolio with cross-impact beside a quadratic solver of scipy; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize

from benchmarks._bench import Row, best
from riskkit.liquidity import CrossImpact, liquidate_portfolio

ASSETS, TRADES, AVERSION = 10, 20, 1e-6


def rows() -> Iterator[Row]:
    """The recursion beside a search with the exact gradient."""
    rng = np.random.default_rng(0)
    root, push = rng.standard_normal((ASSETS, ASSETS)), rng.standard_normal((ASSETS, ASSETS))
    covariance, temporary = root @ root.T / ASSETS + np.eye(ASSETS), 1e-6 * (push @ push.T / ASSETS + np.eye(ASSETS))
    start = 1e5 * rng.standard_normal(ASSETS)
    market, interval = CrossImpact(covariance, temporary), 1.0 / TRADES

    def ours() -> np.ndarray:
        return liquidate_portfolio(start, 1.0, TRADES, market, risk_aversion=AVERSION).holdings

    def objective(inner: np.ndarray) -> tuple[float, np.ndarray]:
        held = np.vstack([start / 1e5, inner.reshape(-1, ASSETS), np.zeros(ASSETS)])
        sold = -np.diff(held, axis=0)
        push, pull = 1e6 * sold @ temporary / interval, interval * held[1:-1] @ covariance * 1e6 * AVERSION
        value = (push * sold).sum() + (pull * held[1:-1]).sum()
        return value, (2.0 * (push[1:] - push[:-1] + pull)).ravel()

    def search() -> np.ndarray:
        even = np.outer(np.linspace(1.0, 0.0, TRADES + 1)[1:-1], start / 1e5).ravel()
        found = minimize(
            objective, even, jac=True, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-10, "maxiter": 5000}
        )
        return np.vstack([start, 1e5 * found.x.reshape(-1, ASSETS), np.zeros(ASSETS)])

    np.testing.assert_allclose(ours(), search(), atol=30.0)
    mine, other = best(ours, search, repeat=3)
    yield Row("liquidation of 10 assets in 20 trades, exact", mine, other, "scipy L-BFGS-B, exact gradient", 1.0)
