"""Dynamic conditional correlation: the recursion and likelihood by hand, units, pairs, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest

from riskkit._check import InputError
from riskkit.covariance import (
    correlation_from_covariance,
    dcc_path,
    ewma_initial,
    ewma_variance,
    fit_dcc,
    fit_garch,
)


def simulated(n=1200, a=0.05, b=0.92, seed=5, n_assets=3):
    rng = np.random.default_rng(seed)
    target = 0.4 + 0.6 * np.eye(n_assets)
    q, rows = target, []
    for _ in range(n):
        d = 1.0 / np.sqrt(np.diag(q))
        z = np.linalg.cholesky(q * np.outer(d, d)) @ rng.standard_normal(n_assets)
        rows.append(z)
        q = (1.0 - a - b) * target + a * np.outer(z, z) + b * q
    return 0.01 * np.array(rows)


RETURNS = simulated()


@pytest.fixture(scope="module")
def fitted():
    return fit_dcc(RETURNS)


def by_hand(z, a, b, target):
    q, path = target, []
    for row in z:
        q = (1.0 - a - b) * target + a * np.outer(row, row) + b * q
        path.append(correlation_from_covariance(q))
    return path


def test_the_parameters_are_found_again(fitted):
    assert fitted.converged and fitted.a == pytest.approx(0.05, abs=0.025) and fitted.b == pytest.approx(0.92, abs=0.05)


def test_the_path_and_the_likelihood_are_the_recursion(fitted):
    target = fitted.residuals.T @ fitted.residuals / len(RETURNS)
    path = by_hand(fitted.residuals, fitted.a, fitted.b, target)
    assert dcc_path(fitted.residuals, fitted.a, fitted.b) == pytest.approx(np.array(path))
    assert fitted.correlation == pytest.approx(path[-1]) and fitted.long_run == pytest.approx(target)
    margins = [fit_garch(column, distribution="normal") for column in RETURNS.T]
    total = sum(margin.log_likelihood for margin in margins)
    for z, matrix in zip(fitted.residuals, [correlation_from_covariance(target), *path], strict=False):
        total -= 0.5 * (math.log(np.linalg.det(matrix)) + z @ np.linalg.solve(matrix, z) - z @ z)
    assert fitted.log_likelihood == pytest.approx(total)
    volatility = [margin.next_volatility for margin in margins]
    assert fitted.covariance == pytest.approx(fitted.correlation * np.outer(volatility, volatility))


def test_two_assets_are_their_only_pair():
    full, pairs = fit_dcc(RETURNS[:, :2]), fit_dcc(RETURNS[:, :2], "pairs")
    assert (pairs.a, pairs.b) == pytest.approx((full.a, full.b), abs=1e-4)
    assert pairs.log_likelihood == pytest.approx(full.log_likelihood, abs=1e-4)


def test_margins_without_a_fit(fitted):
    quick = fit_dcc(RETURNS, "pairs", margins="ewma")
    variances = np.vstack([ewma_initial(RETURNS), ewma_variance(RETURNS)])
    assert np.asarray(quick.residuals) == pytest.approx(RETURNS / np.sqrt(variances[:-1]))
    assert np.diag(quick.covariance) == pytest.approx(variances[-1])
    assert quick.correlation == pytest.approx(fitted.correlation, abs=0.1)
    silent = RETURNS.copy()
    silent[:100, 0] = 0.0
    assert np.isfinite(fit_dcc(silent, "pairs", margins="ewma").covariance).all()


def test_a_likelihood_by_pairs_takes_some_of_very_many(monkeypatch):
    wide = simulated(400, n_assets=5)
    whole = fit_dcc(wide, "pairs", margins="ewma")
    monkeypatch.setattr("riskkit.covariance.dcc.MOST_PAIRS", 2)
    some = fit_dcc(wide, "pairs", margins="ewma")
    assert some.a != whole.a
    assert (some.a, some.b) == pytest.approx((whole.a, whole.b), abs=0.15)


def test_the_unit_does_not_matter_and_names_come_out(fitted):
    table = pd.DataFrame(RETURNS * 1e7, pd.bdate_range("2019-01-01", periods=len(RETURNS)), ["a", "b", "c"])
    fit = fit_dcc(table)
    assert fit.correlation.to_numpy() == pytest.approx(fitted.correlation, abs=1e-5)
    assert list(fit.covariance.columns) == ["a", "b", "c"] and "DCC(1,1) of 3 assets" in repr(fit)
    assert fit.plot() is not None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fit_dcc(RETURNS[:, 0]), "at least two assets"),
        (lambda: fit_dcc(RETURNS * [1.0, 0.0, 0.0]), "1 assets that move"),
        (lambda: fit_dcc(np.column_stack([RETURNS[:, 0], RETURNS[:, 0]])), "shocks are collinear"),
        (lambda: fit_dcc(RETURNS, "some"), "likelihood='some' is not one of"),
        (lambda: dcc_path(RETURNS, 0.5, 0.5), "with a sum below 1"),
        (lambda: dcc_path(RETURNS, 0.1, 0.5, np.eye(2)), "for 3 assets"),
        (
            lambda: dcc_path(np.zeros((100_000, 200)), 0.1, 0.5, np.eye(200)),
            "fit_dcc forecasts the next period without it",
        ),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
