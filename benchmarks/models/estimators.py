"""Shrunk covariances, and the test of a desk's P&L, beside the field's packages; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import ks_2samp, spearmanr
from sklearn.covariance import OAS, LedoitWolf

from benchmarks._bench import Row, best
from riskkit import covariance, frtb


def rows() -> Iterator[Row]:
    """One row an estimator."""
    rng = np.random.default_rng(0)
    returns = rng.standard_normal((500, 200)) + rng.standard_normal((500, 1))
    for name, method, package in (("Ledoit-Wolf", "ledoit_wolf", LedoitWolf), ("OAS", "oas", OAS)):
        yield _shrunk(returns, name, method, package)
    yield _desk(rng)


def _shrunk(returns: np.ndarray, name: str, method: str, package: type) -> Row:
    def ours() -> np.ndarray:
        return covariance.shrunk_covariance(returns, method).covariance

    np.testing.assert_allclose(ours(), package().fit(returns).covariance_, rtol=1e-9, atol=1e-12)
    mine, other = best(ours, lambda: package().fit(returns), repeat=5)
    return Row(f"{name} covariance, 500 days of 200 assets", mine, other, f"scikit-learn {package.__name__}", 0.5)


def _desk(rng: np.random.Generator) -> Row:
    actual = rng.standard_normal(250)
    model = actual + 0.1 * rng.standard_normal(250)

    def scipy() -> tuple[float, float]:
        return spearmanr(actual, model).statistic, ks_2samp(actual, model, method="asymp").statistic

    found = frtb.attribution_test(actual, model)
    np.testing.assert_allclose((found.spearman, found.kolmogorov_smirnov), scipy(), rtol=1e-12)
    mine, other = best(lambda: frtb.attribution_test(actual, model), scipy)
    return Row("P&L attribution test, 250 days", mine, other, "scipy spearmanr, ks_2samp", 1.0)
