"""Normal, Student t, Cornish-Fisher, extreme value, filtered historical and entropic VaR against their twins."""

import math
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import var as naive
from scipy import integrate, stats

import riskkit as rk
from riskkit._check import InputError
from riskkit.covariance import fit_garch
from riskkit.var import parametric
from riskkit.var._student_t_fit import digamma, trigamma
from riskkit.var.parametric.cornish_fisher_distribution import kurtosis_range

rng = np.random.default_rng(11)
RETURNS = 0.0005 + 0.01 * rng.standard_t(4, 600)
TABLE = 0.01 * rng.standard_t(5, (400, 3))
LEVELS = [0.9, 0.95, 0.975, 0.99, 0.999]


# Closed forms


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_normal_and_t_closed_forms_are_integrals_of_their_distributions(level):
    for volatility, mean in ((1.0, 0.0), (0.02, 0.001)):
        distribution = {"confidence": level, "mean": mean}
        var, es = naive.distribution_var_es(stats.norm(mean, volatility), level)
        assert parametric.normal_var(volatility, **distribution) == pytest.approx(var, rel=1e-10)
        assert parametric.normal_es(volatility, **distribution) == pytest.approx(es, rel=1e-7)
        for nu in (2.5, 4, 30):
            var, es = naive.distribution_var_es(stats.t(nu, mean, volatility), level)
            assert parametric.student_t_var(volatility, df=nu, scaled=False, **distribution) == pytest.approx(
                var, rel=1e-9
            )
            assert parametric.student_t_es(volatility, df=nu, scaled=False, **distribution) == pytest.approx(
                es, rel=1e-6
            )
            scale = volatility * math.sqrt((nu - 2) / nu)
            var, es = naive.distribution_var_es(stats.t(nu, mean, scale), level)
            assert parametric.student_t_var(volatility, df=nu, **distribution) == pytest.approx(var, rel=1e-9)
            assert parametric.student_t_es(volatility, df=nu, **distribution) == pytest.approx(es, rel=1e-6)


def test_a_scaled_t_has_the_given_variance():
    draws = stats.t(5, 0, 0.02 * math.sqrt(3 / 5)).std()
    assert draws == pytest.approx(0.02)
    assert parametric.student_t_var(0.02, 0.99, df=5, scaled=False) / parametric.student_t_var(
        0.02, 0.99, df=5
    ) == pytest.approx(math.sqrt(5 / 3))


def test_z_can_be_rounded_and_horizon_and_value_are_explicit():
    assert parametric.normal_var(0.02, confidence=0.95, z=1.65, value=1e6) == pytest.approx(33_000)
    assert parametric.normal_var(0.02, confidence=0.95, z=1.65, value=1e6, horizon=10) == pytest.approx(
        33_000 * math.sqrt(10)
    )
    assert parametric.normal_var(0.02, 0.95, mean=0.001, horizon=4) == pytest.approx(
        0.02 * 2 * 1.6448536269514722 - 0.004
    )
    assert parametric.normal_es(1.0, 0.95, z=1.65) == pytest.approx(stats.norm.pdf(1.65) / 0.05)
    assert rk.var.normal(RETURNS, 0.95, z=1.65).var == pytest.approx(1.65 * RETURNS.std(ddof=1) - RETURNS.mean())
    assert parametric.normal_var(1.0, 0.99, mean=3.0) < 0, "not floored at zero"


def test_closed_forms_of_many_portfolios_and_confidences():
    volatilities = pd.Series([0.01, 0.02], index=["a", "b"])
    both = parametric.normal_var(volatilities, [0.95, 0.99])
    assert both.shape == (2, 2) and both.loc[0.99, "b"] == pytest.approx(parametric.normal_var(0.02, 0.99))
    assert parametric.normal_es(volatilities).index.tolist() == ["a", "b"]
    alone = [parametric.student_t_var(s, 0.99, df=4) for s in (0.01, 0.02)]
    assert parametric.student_t_var([0.01, 0.02], 0.99, df=4).tolist() == pytest.approx(alone, rel=1e-12)
    assert parametric.cornish_fisher_var(volatilities, [0.95, 0.99], skewness=-0.3, excess_kurtosis=1.0).shape == (
        2,
        2,
    )
    assert (
        type(parametric.normal_var(0.01)) is float
        and type(parametric.cornish_fisher_es(0.01, skewness=-0.3, excess_kurtosis=1.0)) is float
    )


def test_normal_shortfall_by_simulation_of_quantiles():
    for target in (None, -1.0, 3.0):
        distribution = stats.norm(0.5, 2.0)
        cut = 0.5 if target is None else target
        below = distribution.ppf(distribution.cdf(cut) * (np.arange(200_000) + 0.5) / 200_000)
        found = parametric.normal_shortfall(2.0, mean=0.5, target=target)
        assert found.probability == pytest.approx(distribution.cdf(cut))
        assert found.average_shortfall == pytest.approx((cut - below).mean(), rel=1e-4)
        assert found.regret == pytest.approx(((below - cut) ** 2).mean(), rel=1e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: parametric.normal_var(-0.01), "at least zero"),
        (lambda: parametric.normal_var(math.nan), "nan"),
        (lambda: parametric.normal_var([0.01, 0.02], mean=[0.0]), "shape"),
        (lambda: parametric.normal_var(0.01, [0.9, 0.95], z=1.65), "one confidence"),
        (lambda: parametric.normal_var(0.01, horizon=0), "above zero"),
        (lambda: parametric.normal_var(0.01, value=-5), "above zero"),
        (lambda: parametric.student_t_var(0.01, df=2.0), "not above 2"),
        (lambda: parametric.student_t_es(0.01, df=1.0, scaled=False), "not above 1"),
        (lambda: parametric.student_t_var(0.01, df=0.0, scaled=False), "not above 0"),
        (lambda: parametric.quantile_multiplier(0.95, "sd"), "'var', 'es'"),
        (lambda: parametric.quantile_multiplier(0.95, z=1.65, df=4), "one of them"),
        (lambda: parametric.quantile_multiplier(0.99, "es", z=1.65), "z=1.65 is the normal quantile of 0.9505, not of"),
        (
            lambda: rk.value_at_risk(RETURNS, 0.975, method="normal", z=2.33),
            "quantile of 0.9901, not of confidence=0.975",
        ),
        (lambda: parametric.normal_shortfall(0.0), "above zero"),
        (lambda: parametric.normal_shortfall(1.0, target=-99.0), "so far below the mean"),
        (lambda: rk.var.normal(RETURNS, [0.9, 0.95], z=1.65), "one confidence"),
        (lambda: rk.var.normal(RETURNS, mean="median"), "'sample', 'zero'"),
        (lambda: rk.var.normal(RETURNS, volatility="garch"), "'sample', 'ewma'"),
        (lambda: rk.var.normal(RETURNS, horizon=-1), "above zero"),
        (lambda: rk.var.student_t(RETURNS, scaled=False), "go with a given df"),
        (lambda: rk.var.student_t(RETURNS, df=2), "not above 2"),
    ],
)
def test_closed_form_arguments_that_do_not_fit(call, words):
    with pytest.raises(InputError, match=words):
        call()


# Normal and Student t of a sample


@pytest.mark.parametrize("mean", ["sample", "zero"])
@pytest.mark.parametrize("ddof", [0, 1])
def test_mean_conventions_have_names(mean, ddof):
    centre = RETURNS.mean() if mean == "sample" else 0.0
    sigma = math.sqrt(sum((r - centre) ** 2 for r in RETURNS) / (600 - ddof))
    risk = rk.var.normal(RETURNS, 0.99, mean=mean, ddof=ddof, horizon=10)
    var, es = naive.distribution_var_es(stats.norm(10 * centre, sigma * math.sqrt(10)), 0.99)
    assert (risk.var, risk.es) == (pytest.approx(var, rel=1e-10), pytest.approx(es, rel=1e-7))
    assert risk.horizon == 10
    given = rk.var.student_t(RETURNS, 0.99, df=6, mean=mean, ddof=ddof)
    var, es = naive.distribution_var_es(stats.t(6, centre, sigma * math.sqrt(4 / 6)), 0.99)
    assert (given.var, given.es) == (pytest.approx(var, rel=1e-9), pytest.approx(es, rel=1e-6))


def test_ewma_normal_uses_tomorrow_s_volatility():
    path = naive.ewma_path(RETURNS.tolist(), 0.94)
    risk = rk.var.normal(RETURNS, 0.95, mean="zero", volatility="ewma")
    assert risk.var == pytest.approx(1.6448536269514722 * math.sqrt(path[-1]), rel=1e-12)


@pytest.mark.parametrize("nu", [2, 4, 8])
def test_student_t_fit_is_the_maximum_of_the_likelihood(nu):
    for n in (60, 400):
        x = 0.02 * np.random.default_rng(nu * n).standard_t(nu, n) + 0.003
        found = rk.var.student_t(x, 0.99).parameters
        location, scale, degrees = naive.student_t_mle(x)
        ours = stats.t.logpdf(x, found["df"], found["location"], found["scale"]).sum()
        theirs = stats.t.logpdf(x, degrees, location, scale).sum()
        assert ours >= theirs - 1e-9
        assert found["df"] == pytest.approx(degrees, rel=1e-3)
        assert found["scale"] == pytest.approx(scale, rel=1e-4)
        assert found["location"] == pytest.approx(location, abs=1e-4 * scale)


def test_student_t_fit_moves_with_shift_and_scale():
    base, moved = rk.var.student_t(RETURNS, LEVELS), rk.var.student_t(3.0 * RETURNS + 0.2, LEVELS)
    np.testing.assert_allclose(moved.var, 3.0 * base.var - 0.2, rtol=1e-8)
    np.testing.assert_allclose(moved.es, 3.0 * base.es - 0.2, rtol=1e-8)
    assert moved.parameters["df"] == pytest.approx(base.parameters["df"], rel=1e-8)


def test_student_t_fit_at_the_ends_of_nu():
    thin = rk.var.student_t(stats.norm.ppf((np.arange(500) + 0.5) / 500), 0.99)
    assert thin.parameters["df"] == 10_000
    assert thin.var == pytest.approx(2.33, abs=0.02)
    wild = rk.var.student_t(np.tan(math.pi * ((np.arange(301) + 0.5) / 301 - 0.5)) ** 3, 0.99)
    assert wild.parameters["df"] == 0.5 and wild.es == math.inf and wild.var > 0


def test_digamma_and_trigamma():
    from scipy.special import polygamma, psi

    for x in (0.05, 0.3, 1.0, 2.5, 9.9, 10.0, 400.0, 5_000.5):
        assert digamma(x) == pytest.approx(float(psi(x)), rel=1e-13, abs=1e-13)
        assert trigamma(x) == pytest.approx(float(polygamma(1, x)), rel=1e-12)


# Cornish-Fisher


@pytest.mark.slow
def test_domain_is_where_the_expansion_rises():
    checked = 0
    for s in np.linspace(-3.0, 3.0, 13):
        for k in np.linspace(-1.0, 14.0, 31):
            low, high = kurtosis_range(s) if abs(s) < parametric.CORNISH_FISHER_MAX_SKEWNESS else (99.0, 99.0)
            if min(abs(k - low), abs(k - high)) > 0.02:  # on the edge a grid cannot tell
                assert parametric.cornish_fisher_in_domain(s, k) is naive.cornish_fisher_rises(s, k), (s, k)
                checked += parametric.cornish_fisher_in_domain(s, k)
    assert checked > 50
    assert parametric.cornish_fisher_in_domain(0.0, 8.0) and not parametric.cornish_fisher_in_domain(0.0, 8.001)
    assert not parametric.cornish_fisher_in_domain(8.0, 6.0), "falling everywhere is not rising"
    assert parametric.cornish_fisher_in_domain([0.0, 5.0], [1.0, 1.0]).tolist() == [True, False]


def test_max_skewness_is_where_the_domain_ends():
    s = np.linspace(0.0, 3.0, 30_001)
    any_kurtosis = [s_i for s_i in s if parametric.cornish_fisher_in_domain(s_i, 4.0 + 11.0 * s_i**2 / 9.0)]
    assert max(any_kurtosis) == pytest.approx(parametric.CORNISH_FISHER_MAX_SKEWNESS, abs=2e-4)


@pytest.mark.parametrize(("s", "k"), [(0.0, 0.0), (-0.7, 2.1), (1.2, 5.0), (0.0, 8.0), (2.4, 11.0)])
def test_moments_of_the_distribution(s, k):
    np.testing.assert_allclose(
        parametric.cornish_fisher_moments(s, k), naive.cornish_fisher_moments(s, k), rtol=1e-7, atol=1e-9
    )
    # Maillard (2012), the second moment as printed
    assert parametric.cornish_fisher_moments(s, k)[0] == pytest.approx(1 + k**2 / 96 + 25 * s**4 / 1296 - k * s**2 / 36)


@given(st.floats(-0.99, 0.99), st.floats(0.01, 0.99))
@settings(max_examples=200, deadline=None)
def test_correction_finds_the_parameters_of_given_moments(share, height):
    s = share * parametric.CORNISH_FISHER_MAX_SKEWNESS
    low, high = kurtosis_range(s)
    k = low + height * (high - low)
    variance, skewness, kurtosis = parametric.cornish_fisher_moments(s, k)
    distribution = parametric.fit_cornish_fisher(skewness, kurtosis)
    assert distribution.skewness[0] == pytest.approx(s, abs=1e-8)
    assert distribution.kurtosis[0] == pytest.approx(k, rel=1e-8, abs=1e-8)
    assert distribution.deviation[0] == pytest.approx(math.sqrt(variance), rel=1e-9)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("s", "k"), [(-0.5, 1.0), (-1.0, 3.0), (0.4, 2.0)])
def test_cornish_fisher_var_and_es(level, s, k):
    var, es = naive.cornish_fisher_var_es(s, k, 1.0, level)
    assert parametric.cornish_fisher_var(
        2.0, level, skewness=s, excess_kurtosis=k, corrected=False, mean=0.1
    ) == pytest.approx(2 * var - 0.1, rel=1e-10)
    assert parametric.cornish_fisher_es(
        2.0, level, skewness=s, excess_kurtosis=k, corrected=False, mean=0.1
    ) == pytest.approx(2 * es - 0.1, rel=1e-6)
    variance, skewness, kurtosis = parametric.cornish_fisher_moments(s, k)
    var, es = naive.cornish_fisher_var_es(s, k, math.sqrt(variance), level)
    assert parametric.cornish_fisher_var(1.0, level, skewness=skewness, excess_kurtosis=kurtosis) == pytest.approx(
        var, rel=1e-8
    )
    assert parametric.cornish_fisher_es(1.0, level, skewness=skewness, excess_kurtosis=kurtosis) == pytest.approx(
        es, rel=1e-6
    )
    boudt = parametric.cornish_fisher_es(1.0, level, skewness=s, excess_kurtosis=k, definition="boudt", corrected=False)
    assert boudt == pytest.approx(naive.edgeworth_es(s, k, level), rel=1e-6)
    operational = parametric.cornish_fisher_es(
        1.0, level, skewness=s, excess_kurtosis=k, definition="operational", corrected=False
    )
    assert operational == max(
        boudt, parametric.cornish_fisher_var(1.0, level, skewness=s, excess_kurtosis=k, corrected=False)
    )


def test_corrected_distribution_has_the_moments_of_the_sample():
    skewness, kurtosis = -1.5345, 32.975  # S&P 500, 1987-2009: far outside the domain as parameters
    distribution = parametric.fit_cornish_fisher(skewness, kurtosis)
    assert naive.cornish_fisher_rises(distribution.skewness[0], distribution.kurtosis[0])
    u = (np.arange(2_000_000) + 0.5) / 2_000_000
    draws = distribution.quantile(stats.norm.ppf(u))
    assert draws.std() == pytest.approx(1.0, rel=1e-3)
    assert stats.skew(draws) == pytest.approx(skewness, rel=0.01)
    assert stats.kurtosis(draws) == pytest.approx(kurtosis, rel=0.02)
    assert parametric.cornish_fisher_var(0.01, 0.99, skewness=skewness, excess_kurtosis=kurtosis) < 0.05
    wrong = parametric.cornish_fisher_var(
        0.01, 0.99, skewness=skewness, excess_kurtosis=kurtosis, corrected=False, out_of_domain="allow"
    )
    assert wrong > 0.1


def test_horizon_of_independent_sums():
    day = parametric.cornish_fisher_var(0.01, 0.99, skewness=-0.6, excess_kurtosis=3.0, horizon=9)
    assert day == pytest.approx(
        parametric.cornish_fisher_var(0.03, 0.99, skewness=-0.2, excess_kurtosis=1 / 3), rel=1e-12
    )


@pytest.mark.parametrize("mean", ["sample", "zero"])
def test_cornish_fisher_of_a_sample(mean):
    x = RETURNS
    centre = x.mean() if mean == "sample" else 0.0
    sigma = math.sqrt(((x - centre) ** 2).sum() / 599)
    risk = rk.var.cornish_fisher(x, 0.99, mean=mean)
    same = {"skewness": stats.skew(x), "excess_kurtosis": stats.kurtosis(x), "confidence": 0.99, "mean": centre}
    assert risk.var == pytest.approx(parametric.cornish_fisher_var(sigma, **same), rel=1e-9)
    assert risk.es == pytest.approx(parametric.cornish_fisher_es(sigma, **same), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: parametric.cornish_fisher_var(0.01, skewness=-1.5, excess_kurtosis=33.0, corrected=False),
            "outside the domain; out_of_domain='allow'",
        ),
        (
            lambda: parametric.cornish_fisher_var(0.01, skewness=0.0, excess_kurtosis=-1.9),
            "moments of no Cornish-Fisher distribution.*corrected=False",
        ),
        (
            lambda: parametric.cornish_fisher_var(0.01, skewness=0.0, excess_kurtosis=60.0),
            "moments of no Cornish-Fisher distribution",
        ),
        (lambda: parametric.cornish_fisher_var(0.01, skewness=3.0, excess_kurtosis=1.0), "which no distribution has"),
        (
            lambda: parametric.cornish_fisher_var([0.01, 0.02], skewness=[0.0, 0.0], excess_kurtosis=[1.0, -1.9]),
            r"at \(1,\), 1 such",
        ),
        (
            lambda: parametric.cornish_fisher_var([0.01, 0.02], skewness=[0.0], excess_kurtosis=[1.0, 1.0]),
            "one number of each, or one per portfolio",
        ),
        (
            lambda: parametric.cornish_fisher_es(0.01, 0.95, skewness=0.0, excess_kurtosis=1.0, definition="boudt"),
            "corrected=False with it",
        ),
        (
            lambda: parametric.cornish_fisher_es(0.01, 0.95, skewness=0.0, excess_kurtosis=1.0, definition="mean"),
            "'exact', 'boudt'",
        ),
        (lambda: rk.var.cornish_fisher(RETURNS, out_of_domain="ignore"), "'refuse', 'allow'"),
    ],
)
def test_cornish_fisher_refuses_out_loud(call, words):
    with pytest.raises(InputError, match=words):
        call()


# Extreme value theory


def test_gpd_closed_form_as_hull_prints_it():
    # Hull (2018), section 22.7: losses in thousands over 160, xi 0.436, beta 32.532, 22 of 500
    assert parametric.gpd_var(160, 0.99, scale=32.532, shape=0.436, n_obs=500, n_excesses=22) == pytest.approx(
        227.8, abs=0.1
    )
    assert parametric.gpd_es(160, 0.99, scale=32.532, shape=0.436, n_obs=500, n_excesses=22) == pytest.approx(
        337.9, abs=0.2
    )


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.3, 0.9])
def test_gpd_risk_is_that_of_the_distribution(shape):
    for level in (0.95, 0.99, 0.999):
        share = (1 - level) / 0.1
        tail = stats.genpareto(shape, scale=0.01)
        var = 0.02 + tail.isf(share)
        assert parametric.gpd_var(0.02, level, scale=0.01, shape=shape, n_obs=1000, n_excesses=100) == pytest.approx(
            var, rel=1e-9
        )
        beyond = np.mean(tail.isf(share * (np.arange(400_000) + 0.5) / 400_000))
        if shape < 0.5:
            assert parametric.gpd_es(0.02, level, scale=0.01, shape=shape, n_obs=1000, n_excesses=100) == pytest.approx(
                0.02 + beyond, rel=1e-3
            )
    near = parametric.gpd_es(0.02, [0.95, 0.99], scale=0.01, shape=1e-9, n_obs=1000, n_excesses=100)
    np.testing.assert_allclose(
        near, parametric.gpd_es(0.02, [0.95, 0.99], scale=0.01, shape=0.0, n_obs=1000, n_excesses=100), rtol=1e-7
    )
    assert parametric.gpd_es(0.02, 0.99, scale=0.01, shape=1.0, n_obs=1000, n_excesses=100) == math.inf


@pytest.mark.parametrize("shape", [-0.4, 0.0, 0.25, 0.8])
def test_gpd_fit_is_the_maximum_of_the_likelihood(shape):
    y = stats.genpareto.rvs(shape, scale=0.02, size=150, random_state=3)
    fit = parametric.fit_gpd(y)
    their_shape, their_scale = naive.gpd_mle(y)
    assert fit.shape == pytest.approx(their_shape, abs=1e-5)
    assert fit.scale == pytest.approx(their_scale, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(stats.genpareto.logpdf(y, fit.shape, scale=fit.scale).sum(), rel=1e-9)
    assert fit.log_likelihood >= stats.genpareto.logpdf(y, their_shape, scale=their_scale).sum() - 1e-7


def test_gpd_standard_errors_are_the_spread_of_fits():
    fits = [parametric.fit_gpd(stats.genpareto.rvs(0.2, size=400, random_state=seed)) for seed in range(200)]
    assert np.std([fit.shape for fit in fits]) == pytest.approx(fits[0].shape_standard_error, rel=0.25)
    assert np.std([fit.scale for fit in fits]) == pytest.approx(fits[0].scale_standard_error, rel=0.25)
    steep = parametric.fit_gpd(1.0 - np.linspace(0.0, 0.99, 50) ** 3)
    assert steep.shape < -0.5 and math.isnan(steep.shape_standard_error)


def test_peaks_over_threshold():
    risk = rk.var.evt(RETURNS, [0.95, 0.99, 0.999])
    losses = np.sort(-RETURNS)[::-1]
    found = risk.parameters
    assert (found["threshold"], found["n_excesses"]) == (losses[60], 60)
    fit = parametric.fit_gpd(losses[:60] - losses[60])
    assert (found["shape"], found["scale"]) == (pytest.approx(fit.shape), pytest.approx(fit.scale))
    tail = {"scale": fit.scale, "shape": fit.shape, "n_obs": 600, "n_excesses": 60}
    np.testing.assert_allclose(risk.var, parametric.gpd_var(losses[60], [0.95, 0.99, 0.999], **tail))
    np.testing.assert_allclose(risk.es, parametric.gpd_es(losses[60], [0.95, 0.99, 0.999], **tail))
    given = rk.var.evt(RETURNS, 0.99, threshold=losses[60])
    assert given.var == pytest.approx(risk.var[1], rel=1e-12)
    many = rk.var.evt(TABLE, 0.99, threshold=[0.01, 0.012, 0.015])
    assert many.parameters["threshold"].tolist() == [0.01, 0.012, 0.015]


@pytest.mark.parametrize("n_obs", [597, 598, 599, 600])
def test_a_tenth_of_the_losses_serves_90_percent_whatever_their_number(n_obs):
    sample = RETURNS[:n_obs]
    risk, losses = rk.var.value_at_risk(sample, [0.9, 0.95], "evt"), np.sort(-sample)[::-1]
    found = risk.parameters
    assert found["n_excesses"] == n_obs // 10 and found["threshold"] == losses[n_obs // 10]
    if n_obs % 10:  # between two ranks: the loss that the historical VaR takes as well, which is the threshold
        assert risk.var[0] == found["threshold"] == rk.var.historical(sample, 0.9).var
    else:
        assert risk.var[0] == pytest.approx(found["threshold"])
    assert risk.es[0] == pytest.approx(found["threshold"] + found["scale"] / (1.0 - found["shape"]))
    assert risk.var[0] < risk.var[1] and risk.es[0] < risk.es[1]
    with pytest.raises(InputError, match=r"allows \d\d\.?\d{0,2}% or more$") as refused:
        rk.var.evt(sample, 0.85)
    lowest = float(str(refused.value).split()[-3].rstrip("%")) / 100
    assert rk.var.evt(sample, lowest).var == pytest.approx(found["threshold"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rk.var.evt(RETURNS, 0.8), "only 60 of 600 .* allows 89.84% or more"),
        (lambda: rk.var.evt(RETURNS, 0.99, threshold=9.0), "0 losses over the threshold"),
        (lambda: rk.var.evt(RETURNS, 0.99, threshold=[0.01, 0.02]), "one number or one per portfolio"),
        (lambda: rk.var.evt(RETURNS[:20], 0.99), "2 losses over"),
        (lambda: rk.var.evt(RETURNS, tail_fraction=1.0), "between 0 and 1"),
        (lambda: rk.var.evt(RETURNS, tail_fraction=0.0), "above zero"),
        (lambda: parametric.fit_gpd([1.0, 2.0, 3.0]), "at least 5"),
        (lambda: parametric.fit_gpd([1.0, 2.0, 3.0, 0.0, 5.0]), "above zero"),
        (lambda: parametric.fit_gpd([1.0] * 10), "not all equal"),
        (lambda: parametric.gpd_var(0.02, scale=0.0, shape=0.1, n_obs=100, n_excesses=10), "above zero"),
        (lambda: parametric.gpd_var(0.02, scale=0.1, shape=0.1, n_obs=10, n_excesses=100), "more than n_obs"),
    ],
)
def test_evt_refuses(call, words):
    with pytest.raises(InputError, match=words):
        call()


# Filtered historical simulation


@pytest.mark.parametrize("level", [0.9, 0.99])
def test_filtered_historical_against_hull_and_white_by_hand(level):
    for window in (None, 100):
        risk = rk.var.filtered_historical(RETURNS, level, decay=0.9, window=window)
        var, es = naive.filtered_var_es(RETURNS.tolist(), 0.9, level, window)
        assert (risk.var, risk.es) == (pytest.approx(var, rel=1e-10), pytest.approx(es, rel=1e-10))


def test_filtered_risk_follows_volatility():
    calm, wild = rng.normal(0, 0.005, 300), rng.normal(0, 0.03, 60)
    filtered = rk.var.filtered_historical(np.concatenate([calm, wild]), 0.95)
    assert filtered.var > 1.5 * rk.var.historical(np.concatenate([calm, wild]), 0.95).var


def test_filtered_by_garch():
    fitted = fit_garch(RETURNS)
    risk = rk.var.filtered_historical(RETURNS, 0.95, volatility="garch")
    scenarios = fitted.mean + fitted.next_volatility * np.asarray(fitted.residuals)
    assert risk.var == pytest.approx(naive.inverted_cdf_var(scenarios.tolist(), 0.95), rel=1e-12)
    assert risk.es == pytest.approx(naive.tail_mass_es(scenarios.tolist(), 0.95), rel=1e-10)
    assert risk.parameters["alpha"] == fitted.alpha


def test_filtered_by_garch_without_arch(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch", None)
    with pytest.raises(ImportError, match=r"riskkit\[garch\]"):
        rk.var.filtered_historical(RETURNS, volatility="garch")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"volatility": "sample"}, "'ewma', 'garch'"),
        ({"decay": 1.0}, "decay"),
        ({"start": "zero"}, "volatility of zero"),
        ({"window": 601}, "longer than returns"),
        ({"window": 0}, "at least 1"),
        ({"quantile": "x"}, "quantile='x'"),
    ],
)
def test_filtered_refuses(options, words):
    with pytest.raises(InputError, match=words):
        rk.var.filtered_historical(RETURNS, **options)
    with pytest.raises(InputError, match="is zero; nothing scales"):
        rk.var.filtered_historical([0.0] * 100)


# Entropic VaR


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.99])
def test_entropic_var_against_its_definition(level):
    ours = rk.var.evar(TABLE, level)
    for j in range(3):
        assert ours[j] == pytest.approx(naive.entropic_var(TABLE[:, j], level), rel=1e-7)
    assert (ours >= rk.var.historical(TABLE, level).es).all()
    np.testing.assert_allclose(rk.var.evar(5.0 * TABLE - 0.3, level), 5.0 * ours + 0.3, rtol=1e-9)


def test_entropic_var_where_the_worst_loss_is_all_of_the_tail():
    assert rk.var.evar([-3.0, -3.0, 1.0, 2.0], 0.5) == 3.0
    assert rk.var.evar([-3.0, 1.0, 2.0], 0.99) == 3.0
    assert rk.var.evar([0.01] * 5, 0.9) == -0.01
    assert rk.var.evar([-3.0, 1.0, 2.0, 1.0], 0.5) < 3.0


def test_entropic_labels():
    frame = pd.DataFrame(TABLE, columns=["a", "b", "c"])
    assert rk.var.evar(frame, [0.9, 0.95]).loc[0.9, "b"] == pytest.approx(rk.var.evar(TABLE[:, 1], 0.9), rel=1e-9)


@pytest.mark.parametrize("p", [0.01, 0.05])
def test_the_tail_mean_of_cornish_fisher_is_the_integral_of_its_quantile(p):
    expansion = parametric.fit_cornish_fisher(np.array([-0.3]), np.array([0.8]))
    integral, _ = integrate.quad(lambda q: float(expansion.quantile(stats.norm.ppf(q))[0]), 0.0, p)
    assert expansion.tail_mean(stats.norm.ppf(p), p) == pytest.approx([-integral / p], rel=1e-6)
