"""Weights, hedges and attribution by factor and segment beside skfolio, scipy and numpy; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from benchmarks._bench import Row, beside, best
from riskkit.attribution import (
    best_hedge,
    brinson_fachler,
    by_factor,
    cornish_fisher,
    hierarchical_risk_parity,
    maximum_diversification,
    minimum_variance,
    parametric,
    pnl_by_factor,
)
from riskkit.covariance import factor_covariance

DAYS, ASSETS = 1_000, 100


def rows() -> Iterator[Row]:
    """Weights first, then attribution."""
    rng = np.random.default_rng(0)
    common = 0.01 * rng.standard_normal((DAYS, 3))
    loadings = rng.standard_normal((ASSETS, 3))
    returns = common @ loadings.T + 0.01 * rng.standard_normal((DAYS, ASSETS))
    covariance, held = np.cov(returns.T), rng.standard_normal(ASSETS)
    yield from _weights(returns, covariance)
    yield _hedge(held, covariance)
    yield from _factors(returns, loadings, common, held)
    yield _higher_moments(returns, held)
    yield _segments(rng)


def _weights(returns: np.ndarray, covariance: np.ndarray) -> Iterator[Row]:
    from skfolio.distance import PearsonDistance
    from skfolio.optimization import HierarchicalRiskParity

    def library() -> np.ndarray:
        model = HierarchicalRiskParity(distance_estimator=PearsonDistance())
        return np.asarray(model.fit(pd.DataFrame(returns)).weights_)

    assert np.isclose(library().sum(), 1.0) and np.isclose(hierarchical_risk_parity(covariance).sum(), 1.0)
    mine, other = best(lambda: hierarchical_risk_parity(covariance), library, repeat=3)
    yield Row("hierarchical risk parity of 100 assets", mine, other, "skfolio, its own linkage", 2.0)
    ones, scale = np.ones(ASSETS), np.sqrt(np.diag(covariance))

    def solved(target: np.ndarray) -> np.ndarray:
        weights = np.linalg.solve(covariance, target)
        return weights / weights.sum()

    for name, ours, target in (
        ("least variance", minimum_variance, ones),
        ("most diversification", maximum_diversification, scale),
    ):
        yield beside(
            f"weights of {name}, 100 assets",
            lambda ours=ours: ours(covariance),
            lambda target=target: solved(target),
            "numpy solve",
            1.0,
            rtol=1e-7,
            checks=2e-3,
        )


def _hedge(held: np.ndarray, covariance: np.ndarray) -> Row:
    """The best trade in each of the assets, by a search for each."""
    few = 20

    def search() -> list[float]:
        found = []
        for i in range(few):
            step = np.eye(ASSETS)[i]
            found.append(
                minimize(
                    lambda size, step=step: (held + size[0] * step) @ covariance @ (held + size[0] * step),
                    [0.0],
                    method="BFGS",
                    options={"gtol": 1e-12},
                ).x[0]
            )
        return found

    return beside(
        "best hedges of 100 assets (search: 20 of them)",
        lambda: np.asarray(best_hedge(held, covariance).trade)[:few],
        search,
        "scipy BFGS, asset by asset",
        10.0,
        rtol=1e-3,
        atol=1e-4,
    )


def _factors(returns: np.ndarray, loadings: np.ndarray, common: np.ndarray, held: np.ndarray) -> Iterator[Row]:
    model = factor_covariance(returns, 3)
    z = 2.3263478740408408

    def by_numpy() -> np.ndarray:
        betas, matrix = np.asarray(model.loadings), np.asarray(model.factor_covariance)
        exposure = betas.T @ held
        total = np.sqrt(exposure @ matrix @ exposure + held**2 @ np.asarray(model.specific_variance))
        return z * exposure * (matrix @ exposure) / total

    yield beside(
        "VaR of 100 assets by factor",
        lambda: by_factor(held, model).by_factor,
        by_numpy,
        "numpy",
        1.0,
        checks=2e-3,
    )
    yield beside(
        "P&L of 100 assets by factor, 1,000 days",
        lambda: np.asarray(pnl_by_factor(held, returns, loadings, common))[:, :3],
        lambda: common * (held @ loadings),
        "numpy, factors alone",
        1.0,
        checks=5e-3,
    )
    covariance = np.cov(returns.T)
    gradient = covariance @ held
    centre = returns.mean(axis=0)
    yield beside(
        "VaR of 100 assets by asset, from returns",
        lambda: parametric(held, returns).component,
        lambda: held * (z * gradient / np.sqrt(held @ gradient) - centre),
        "numpy, covariance given",
        1.0,
        checks=5e-3,
    )


def _higher_moments(returns: np.ndarray, held: np.ndarray) -> Row:
    """Components by central differences of the total, two revaluations an asset."""

    def total(book: np.ndarray) -> float:
        return float(cornish_fisher(book, returns, 0.95).total)

    def differences() -> np.ndarray:
        steps = 1e-4 * np.eye(ASSETS)[:20]
        return np.array([h * (total(held + s) - total(held - s)) / 2e-4 for h, s in zip(held, steps, strict=False)])

    return beside(
        "Cornish-Fisher components (differences: 20 of 100)",
        lambda: np.asarray(cornish_fisher(held, returns, 0.95).component)[:20],
        differences,
        "central differences",
        10.0,
        rtol=1e-4,
        atol=1e-6,
        repeat=2,
    )


def _segments(rng: np.random.Generator) -> Row:
    ours, theirs = rng.dirichlet(np.ones(20)), rng.dirichlet(np.ones(20))
    gained, index = 0.01 * rng.standard_normal((2, 20))

    def by_numpy() -> np.ndarray:
        return (ours - theirs) * (index - theirs @ index)

    return beside(
        "active return of 20 segments in three effects",
        lambda: np.asarray(brinson_fachler(ours, gained, theirs, index))[:, 0],
        by_numpy,
        "numpy, allocation alone",
        1.0,
        checks=5e-3,
    )
