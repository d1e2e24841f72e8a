"""Tails, options, views and learned quantiles beside scipy and statsmodels; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.stats import expectile, genextreme, norm

from benchmarks._bench import Row, best
from riskkit.attribution import risk_budgeting
from riskkit.instruments import european_option
from riskkit.stress import entropy_pooling
from riskkit.var import expectile_var
from riskkit.var.learned import har_features, quantile_regression
from riskkit.var.tails import block_maxima


def rows() -> Iterator[Row]:
    """One row a model."""
    rng = np.random.default_rng(0)
    returns = 0.01 * rng.standard_t(4, 100_000)
    np.testing.assert_allclose(expectile_var(returns, 0.01), -expectile(returns, 0.01), rtol=1e-6)
    mine, other = best(lambda: expectile_var(returns, 0.01), lambda: expectile(returns, 0.01))
    yield Row("expectile VaR of 100,000 returns, exact", mine, other, "scipy.stats.expectile, iterated", 0.5)

    maxima = -returns.reshape(-1, 250).min(axis=1)
    ours = block_maxima(returns, 250)
    shape, location, scale = genextreme.fit(maxima)
    assert ours.log_likelihood >= genextreme.logpdf(maxima, shape, location, scale).sum() - 1e-3
    mine, other = best(lambda: block_maxima(returns, 250), lambda: genextreme.fit(maxima), repeat=3)
    yield Row("extreme value fit to 400 maxima", mine, other, "scipy genextreme.fit", 1.0)

    yield _option(rng)
    yield _quantile_regression(returns[:2500])
    yield from _weights(rng)


def _option(rng: np.random.Generator) -> Row:
    """All eight numbers beside the price alone."""
    spots = 100.0 * np.exp(0.2 * rng.standard_normal(200_000))

    def price_alone() -> np.ndarray:
        d1 = (np.log(spots / 100.0) + 0.5 * 0.04) / 0.2
        return spots * norm.cdf(d1) - 100.0 * norm.cdf(d1 - 0.2)

    np.testing.assert_allclose(european_option(spots, 100.0, 1.0, 0.2).price, price_alone(), atol=1e-9)
    mine, other = best(lambda: european_option(spots, 100.0, 1.0, 0.2), price_alone)
    return Row("option, 200,000 spots, price and 7 greeks", mine, other, "price by scipy.stats.norm", 0.5)


def _quantile_regression(returns: np.ndarray) -> Row:
    features = har_features(returns)[:-1]
    target = returns[22:]
    model = sm.QuantReg(target, features)
    ours, theirs = quantile_regression(features, target, 0.05), model.fit(q=0.05).params
    gap = target - features @ theirs
    assert ours.loss <= np.mean(gap * (0.05 - (gap < 0.0))) + 1e-15
    mine, other = best(lambda: quantile_regression(features, target, 0.05), lambda: model.fit(q=0.05), repeat=3)
    return Row("quantile regression, 2,478 x 4, exact", mine, other, "statsmodels QuantReg, iterated", 0.5)


def _weights(rng: np.random.Generator) -> Iterator[Row]:
    root = rng.standard_normal((50, 80))
    covariance = root @ root.T

    def by_solver() -> np.ndarray:
        found = minimize(
            lambda x: 0.5 * x @ covariance @ x - np.log(x).sum() / 50.0,
            np.full(50, 0.1),
            jac=lambda x: covariance @ x - 1.0 / (50.0 * x),
            bounds=[(1e-9, None)] * 50,
            options={"ftol": 1e-15, "gtol": 1e-9},
        )
        return found.x / found.x.sum()

    np.testing.assert_allclose(risk_budgeting(covariance), by_solver(), rtol=1e-3)
    mine, other = best(lambda: risk_budgeting(covariance), by_solver)
    yield Row("risk parity of 50 assets", mine, other, "scipy L-BFGS-B", 1.0)

    moves = rng.standard_normal((10_000, 5))
    means = {0: 0.1, 3: -0.2}

    def dual() -> np.ndarray:
        gaps = moves[:, [0, 3]] - [0.1, -0.2]
        best_tilt = minimize(lambda tilt: np.log(np.mean(np.exp(gaps @ tilt))), np.zeros(2), method="BFGS").x
        weights = np.exp(gaps @ best_tilt)
        return weights / weights.sum()

    np.testing.assert_allclose(entropy_pooling(moves, means).probabilities, dual(), rtol=1e-3)
    mine, other = best(lambda: entropy_pooling(moves, means), dual)
    yield Row("entropy pooling, 10,000 scenarios, 2 views", mine, other, "scipy BFGS on the dual, to 1e-3", 0.5)
