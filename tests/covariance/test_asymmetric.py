"""GJR, EGARCH and FIGARCH: the recursions run by hand, the unit, and what bad news does."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln

from riskkit._check import InputError
from riskkit.covariance import fit_asymmetric_garch


def simulated(n=1500, seed=4):
    rng = np.random.default_rng(seed)
    variance, returns = 1.0, []
    for z in rng.standard_normal(n):
        e = math.sqrt(variance) * z
        returns.append(0.05 + e)
        variance = 0.05 + (0.03 + 0.12 * (e < 0)) * e * e + 0.86 * variance
    return 0.01 * np.array(returns)


RETURNS = simulated()


def test_gjr_is_found_again_and_its_volatility_is_the_recursion():
    fit = fit_asymmetric_garch(RETURNS, distribution="normal", horizon=3)
    p = fit.parameters
    assert fit.converged and p["gamma"] == pytest.approx(0.12, abs=0.06) and p["beta"] == pytest.approx(0.86, abs=0.06)
    variance, total = fit.volatility[0] ** 2, 0.0
    for t, value in enumerate(RETURNS):
        assert fit.volatility[t] ** 2 == pytest.approx(variance, rel=1e-6)
        e = value - p["mean"]
        total -= 0.5 * (math.log(2.0 * math.pi * variance) + e * e / variance)
        variance = p["omega"] + (p["alpha"] + p["gamma"] * (e < 0)) * e * e + p["beta"] * variance
    assert fit.log_likelihood == pytest.approx(total, rel=1e-7)
    assert fit.variances[0] == pytest.approx(variance, rel=1e-6)
    assert fit.variances[1] == pytest.approx(p["omega"] + fit.persistence * variance, rel=1e-6)


def test_egarch_volatility_is_the_recursion_in_any_unit():
    fit = fit_asymmetric_garch(RETURNS, "egarch")
    p, log_variance = fit.parameters, 2.0 * math.log(fit.volatility[0])
    for t in range(len(RETURNS)):
        assert 2.0 * math.log(fit.volatility[t]) == pytest.approx(log_variance, rel=1e-6)
        z = fit.residuals[t]
        log_variance = (
            p["omega"] + p["alpha"] * (abs(z) - math.sqrt(2.0 / math.pi)) + p["gamma"] * z + p["beta"] * log_variance
        )
    assert fit.variances[0] == pytest.approx(math.exp(log_variance), rel=1e-5)
    assert p["gamma"] < 0.0 and "omega" not in fit.standard_errors and fit.persistence == p["beta"]
    df, z = p["df"], fit.residuals
    logs = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * math.log((df - 2) * math.pi) - np.log(fit.volatility)
    total = float((logs - (df + 1) / 2 * np.log1p(z**2 / (df - 2))).sum())
    assert fit.log_likelihood == pytest.approx(total, rel=1e-6)


@pytest.mark.parametrize("model", ["gjr", "egarch", pytest.param("figarch", marks=pytest.mark.slow)])
def test_the_unit_does_not_matter(model):
    one = fit_asymmetric_garch(RETURNS, model, distribution="normal")
    for unit in (1e-5, 1e6):
        other = fit_asymmetric_garch(RETURNS * unit, model, distribution="normal")
        assert other.next_volatility == pytest.approx(unit * one.next_volatility, rel=1e-6)
        assert other.log_likelihood == pytest.approx(one.log_likelihood - len(RETURNS) * math.log(unit), rel=1e-9)


def test_print_labels_and_refusals():
    days = pd.bdate_range("2015-01-01", periods=len(RETURNS))
    fit = fit_asymmetric_garch(pd.Series(RETURNS, days, name="fund"), distribution="skewed_t")
    assert "GJR-GARCH(1,1), skewed t" in repr(fit) and list(fit.volatility.index) == list(days)
    assert {"df", "skew"} < set(fit.to_frame().index) and fit.plot().get_ylabel() == "volatility per period"
    for arguments, words in (
        (dict(model="egarch", horizon=2), "EGARCH has a variance forecast for one period"),
        (dict(model="tarch"), "model='tarch' is not one of"),
        (dict(distribution="cauchy"), "distribution='cauchy' is not one of"),
    ):
        with pytest.raises(InputError, match=words):
            fit_asymmetric_garch(RETURNS, **arguments)
    with pytest.raises(InputError, match="needs at least 50"):
        fit_asymmetric_garch(RETURNS[:49])
    with pytest.raises(InputError, match="is constant"):
        fit_asymmetric_garch(np.full(60, 0.01))
