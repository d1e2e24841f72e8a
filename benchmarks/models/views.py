"""Stress: conditional moves, factors, similar periods, reverse stress, beside numpy, statsmodels and scipy; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import statsmodels.api as sm
from scipy.optimize import minimize

from benchmarks._bench import Row, beside
from riskkit.stress import (
    conditional_moves,
    factor_loadings,
    factor_scenarios,
    mahalanobis_distance,
    reverse_stress,
    similar_periods,
    stress_covariance,
    stress_test,
)

DAYS, FACTORS, ASSETS = 5_000, 20, 200


def rows() -> Iterator[Row]:
    """One row a question."""
    rng = np.random.default_rng(0)
    moves = rng.standard_normal((DAYS, FACTORS)) + rng.standard_normal((DAYS, 1))
    covariance = np.cov(moves.T)
    yield from _given(moves, covariance)
    yield from _factors(moves, moves @ rng.standard_normal((FACTORS, ASSETS)) + rng.standard_normal((DAYS, ASSETS)))
    held = rng.standard_normal(FACTORS)
    yield _reverse(held, covariance)
    yield beside(
        "stress test of 20 positions in 5,000 scenarios",
        lambda: np.ravel(stress_test(held, moves).losses),
        lambda: -moves @ held,
        "numpy, totals alone",
        1.0,
        checks=2e-3,
    )
    scale = np.sqrt(np.diag(covariance))

    def by_numpy() -> np.ndarray:
        matrix = covariance / np.outer(scale, scale)
        changed = matrix + 0.5 * (0.9 - matrix)
        np.fill_diagonal(changed, 1.0)
        return changed * np.outer(scale, scale)

    yield beside(
        "correlations of 20 assets moved halfway to 0.9",
        lambda: stress_covariance(covariance, toward=0.9, strength=0.5).covariance,
        by_numpy,
        "numpy",
        1.0,
        checks=2e-3,
    )


def _given(moves: np.ndarray, covariance: np.ndarray) -> Iterator[Row]:
    known, others = [0, 7], [i for i in range(FACTORS) if i not in (0, 7)]
    shock = np.array([-3.0, 2.0])

    def solved() -> np.ndarray:
        out = np.empty(FACTORS)
        out[known] = shock
        out[others] = covariance[np.ix_(others, known)] @ np.linalg.solve(covariance[np.ix_(known, known)], shock)
        return out

    yield beside(
        "moves of 20 factors given two of them",
        lambda: conditional_moves(covariance, {0: -3.0, 7: 2.0}).mean,
        solved,
        "numpy solve, mean alone",
        1.0,
        checks=1e-3,
    )
    inner = np.linalg.inv(np.cov(moves[:, known].T))

    def nearest() -> np.ndarray:
        gaps = moves[:, known] - shock
        return np.sort(np.sqrt(np.einsum("ij,jk,ik->i", gaps, inner, gaps)))[:10]

    yield beside(
        "the 10 periods of 5,000 most like a scenario",
        lambda: similar_periods(moves, {0: -3.0, 7: 2.0}, 10)["distance"],
        nearest,
        "numpy, distances alone",
        1.0,
        checks=5e-3,
    )
    inverse = np.linalg.inv(covariance)
    yield beside(
        "distances of 5,000 scenarios of 20 factors",
        lambda: mahalanobis_distance(moves, covariance),
        lambda: np.sqrt(np.einsum("ij,jk,ik->i", moves, inverse, moves)),
        "numpy einsum, inverse given",
        0.5,
    )


def _factors(moves: np.ndarray, returns: np.ndarray) -> Iterator[Row]:
    design = sm.add_constant(moves)

    def each() -> np.ndarray:
        return np.array([sm.OLS(column, design).fit().params[1:] for column in returns.T])

    yield beside(
        "loadings of 200 assets on 20 factors",
        lambda: factor_loadings(returns, moves).loadings,
        each,
        "statsmodels OLS, asset by asset",
        5.0,
        rtol=1e-7,
        repeat=2,
    )
    loadings = factor_loadings(returns, moves)
    yield beside(
        "1,000 scenarios of factors to 200 assets",
        lambda: factor_scenarios(loadings, moves[:1_000]),
        lambda: moves[:1_000] @ np.asarray(loadings.loadings).T,
        "numpy, one product",
        1.0,
        checks=2e-3,
    )


def _reverse(held: np.ndarray, covariance: np.ndarray) -> Row:
    """The nearest scenario that loses 10, by a solver with a constraint."""
    inverse = np.linalg.inv(covariance)

    def solver() -> np.ndarray:
        found = minimize(
            lambda x: x @ inverse @ x,
            -held * 10.0 / (held @ held),
            jac=lambda x: 2.0 * inverse @ x,
            constraints={"type": "eq", "fun": lambda x: held @ x + 10.0, "jac": lambda x: held},
            method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500},
        )
        return found.x

    return beside(
        "reverse stress of 20 positions",
        lambda: reverse_stress(held, 10.0, covariance).scenario,
        solver,
        "scipy SLSQP",
        5.0,
        rtol=1e-3,
        atol=1e-4,
    )
