"""Realised volatility, HAR, regimes and the recursions: loops, other packages, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from riskkit._check import InputError
from riskkit.covariance import (
    egarch_path,
    figarch_weights,
    fit_asymmetric_garch,
    fit_har,
    gjr_forecast,
    gjr_path,
    realised_measures,
    regime_filter,
    shrunk_covariance,
)

RNG = np.random.default_rng(8)
DAY = 0.001 * RNG.standard_normal(400)
RETURNS = 0.01 * RNG.standard_t(5, 600)
MATRIX = [[0.97, 0.03], [0.08, 0.92]]


def test_measures_by_loops_and_in_any_unit():
    found = realised_measures(DAY)
    products = [abs(DAY[i] * DAY[i - 1]) for i in range(1, len(DAY))]
    assert found.variance == pytest.approx(sum(x * x for x in DAY))
    assert found.bipower == pytest.approx(math.pi / 2.0 * sum(products))
    assert found.tripower_quarticity == pytest.approx(found.quarticity, rel=0.3)  # there are no jumps
    assert found.quarticity == pytest.approx(3.0 * (400 * 1e-6) ** 2 / 3.0, rel=0.3)
    larger = realised_measures(1e5 * DAY)
    assert larger.volatility == pytest.approx(1e5 * found.volatility)
    assert larger.tripower_quarticity == pytest.approx(1e20 * found.tripower_quarticity)
    assert found.variance_error == pytest.approx(math.sqrt(2.0 * found.quarticity / 400))


def test_a_jump_is_in_the_variance_and_not_in_bipower_variation():
    jumped = DAY.copy()
    jumped[200] += 0.05
    assert realised_measures(jumped).jump == pytest.approx(0.0025, rel=0.1)


def test_har_against_statsmodels():
    variances = np.exp(0.5 * np.sin(np.arange(500) / 25.0) + 0.3 * RNG.standard_normal(500))
    for logs in (False, True):
        values = np.log(variances) if logs else variances
        rows = [[1.0, *(values[t - lag : t].mean() for lag in (1, 5, 22))] for t in range(22, 501)]
        theirs = sm.OLS(values[22:], rows[:-1]).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
        fit = fit_har(variances, logs=logs)
        assert [fit.intercept, *fit.coefficients] == pytest.approx(theirs.params)
        assert fit.standard_errors == pytest.approx(theirs.bse) and fit.r_squared == pytest.approx(theirs.rsquared)
        following = float(np.array(rows[-1]) @ theirs.params)
        wanted = math.exp(following + 0.5 * theirs.mse_resid) if logs else following
        assert fit.next_variance == pytest.approx(wanted) and fit.n_obs == 478
    assert fit_har(1e-4 * variances, logs=True).next_variance == pytest.approx(1e-4 * fit.next_variance)
    days = pd.bdate_range("2020-01-01", periods=500)
    assert fit_har(pd.Series(variances, days)).fitted.index[0] == days[22]
    assert "mean of 22" in repr(fit)


def test_regimes_against_statsmodels():
    model = sm.tsa.MarkovRegression(RETURNS, k_regimes=2, trend="c", switching_trend=False, switching_variance=True)
    theirs = model.filter([0.97, 0.08, 0.0005, 5e-5, 4e-4])
    found = regime_filter(RETURNS, MATRIX, [5e-5, 4e-4], mean=0.0005)
    assert found.filtered == pytest.approx(theirs.filtered_marginal_probabilities)
    assert found.log_likelihood == pytest.approx(theirs.llf)
    assert found.predicted == pytest.approx(found.filtered[-1] @ np.array(MATRIX))
    assert found.next_variance == pytest.approx(found.predicted @ [5e-5, 4e-4])


def test_paths_are_those_of_the_fits():
    moving, h = [], 1e-4
    for z in RNG.standard_normal(1200):
        moving.append(math.sqrt(h) * z)
        h = 2e-6 + (0.03 + 0.12 * (z < 0.0)) * moving[-1] ** 2 + 0.88 * h
    returns = np.array(moving)
    fit = fit_asymmetric_garch(returns, "gjr", distribution="normal", horizon=4)
    p = {name: fit.parameters[name] for name in ("omega", "alpha", "gamma", "beta")}
    path = gjr_path(returns - fit.parameters["mean"], fit.volatility[0] ** 2, **p)
    assert np.sqrt(path[:-1]) == pytest.approx(fit.volatility[1:], rel=1e-5)
    assert gjr_forecast(path[-1], 4, **p) == pytest.approx(fit.variances, rel=1e-5)
    fit = fit_asymmetric_garch(returns, "egarch", distribution="normal")
    p = {name: fit.parameters[name] for name in ("omega", "alpha", "gamma", "beta")}
    path = egarch_path(fit.residuals, fit.volatility[0] ** 2, **p)
    assert np.sqrt(path[:-1]) == pytest.approx(fit.volatility[1:], rel=1e-5)


def test_figarch_without_memory_is_garch_and_its_weights_sum_to_less_than_one():
    plain = figarch_weights(6, d=0.0, phi=0.9, beta=0.8)
    assert plain == pytest.approx([0.1 * 0.8**k for k in range(6)])
    assert 0.9 < figarch_weights(5000, d=0.4, phi=0.2, beta=0.5).sum() < 1.0


def test_shrinkage_to_one_correlation_element_by_element():
    x = RNG.standard_normal((40, 4)) @ RNG.standard_normal((4, 4))
    n, y = len(x), x - x.mean(axis=0)
    s = y.T @ y / n
    sd = np.sqrt(np.diag(s))
    r = np.mean([s[i, j] / sd[i] / sd[j] for i in range(4) for j in range(4) if i != j])
    f = np.array([[s[i, i] if i == j else r * sd[i] * sd[j] for j in range(4)] for i in range(4)])
    products = y[:, :, None] * y[:, None, :] - s
    pi = (products**2).mean(axis=0)
    theta = np.array([[(products[:, i, i] * products[:, i, j]).mean() for j in range(4)] for i in range(4)])
    rho = np.trace(pi) + sum(
        0.5 * r * (sd[j] / sd[i] * theta[i, j] + sd[i] / sd[j] * theta[j, i])
        for i in range(4)
        for j in range(4)
        if i != j
    )
    weight = (pi.sum() - rho) / ((s - f) ** 2).sum() / n
    found = shrunk_covariance(x, "constant_correlation")
    assert found.shrinkage == pytest.approx(min(max(weight, 0.0), 1.0))
    assert found.covariance == pytest.approx(found.shrinkage * f + (1.0 - found.shrinkage) * s)
    assert shrunk_covariance(x[:, :2], "constant_correlation").shrinkage == 0.0
    assert "their mean" in found.plot().get_title(loc="left")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: realised_measures([0.1, 0.2]), "at least 3 are needed"),
        (lambda: fit_har(np.full(100, 1.0)), "variances is constant"),
        (lambda: fit_har([1.0] * 20), "27 are needed for these lags"),
        (lambda: fit_har([1.0, -1.0] * 50), "a variance is at least zero"),
        (lambda: fit_har([1.0, 0.0] * 50, logs=True), "above zero for its logarithm"),
        (lambda: fit_har([1.0, 2.0] * 50, [5, 5]), "lags=\\[5, 5\\] needs at least one number, and each once"),
        (lambda: regime_filter(RETURNS, [[0.9, 0.2], [0.1, 0.9]], [1.0, 2.0]), "with a sum of 1"),
        (lambda: regime_filter(RETURNS, MATRIX, [1.0, 2.0, 3.0]), "for 3 regimes"),
        (lambda: regime_filter(RETURNS, MATRIX, [1.0, 0.0]), "is above zero"),
        (lambda: gjr_path([1.0], 1.0, omega=0.1, alpha=0.1, gamma=-0.2, beta=0.8), "gamma=-0.2 is below -alpha"),
        (lambda: gjr_path([1.0], -1.0, omega=0.1, alpha=0.1, beta=0.8), "variance=-1.0"),
        (lambda: gjr_forecast(1.0, 0, omega=0.1, alpha=0.1, beta=0.8), "horizon=0"),
        (lambda: egarch_path([1.0], 0.0, omega=0.1, alpha=0.1, gamma=0.0, beta=0.8), "variance=0.0"),
        (lambda: figarch_weights(5, d=2.0, phi=0.1, beta=0.5), "d=2.0 is not between 0 and 1"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e8, 1e18])
def test_har_of_variances_in_another_unit_is_the_same(unit):
    variances = 1.0 + 0.5 * np.sin(np.arange(300) / 30.0) + 0.1 * np.random.default_rng(1).standard_normal(300)
    one, other = fit_har(variances), fit_har(unit * variances)
    assert other.coefficients == pytest.approx(one.coefficients)
    assert other.standard_errors == pytest.approx(one.standard_errors * np.array([unit, 1.0, 1.0, 1.0]))
    found = (other.intercept, other.next_variance, other.r_squared, other.residual_variance)
    assert found == pytest.approx(
        (unit * one.intercept, unit * one.next_variance, one.r_squared, unit**2 * one.residual_variance)
    )
    np.testing.assert_allclose(other.fitted, unit * np.asarray(one.fitted))
