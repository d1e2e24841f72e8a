"""ES tests: statistics against plain twins, nulls against whole simulated paths, sizes by simulation."""

import math

import numpy as np
import pandas as pd
import pytest
from naive import var_backtest as naive

from riskkit._check import InputError
from riskkit.var_backtest import (
    acerbi_szekely_critical,
    acerbi_szekely_p_value,
    acerbi_szekely_ridge,
    acerbi_szekely_z1,
    acerbi_szekely_z2,
    du_escanciano_conditional,
    du_escanciano_unconditional,
    mcneil_frey_bootstrap,
    mcneil_frey_z,
    nolde_ziegel_general,
    nolde_ziegel_one_sided,
    nolde_ziegel_simple,
)
from riskkit.var_backtest.core.tail_simulation import draw_excesses, draw_tails, null_distribution, tail_draws

P, CONFIDENCE = 0.025, 0.975
Z = 1.959963984540054
NORMAL_ES = math.exp(-Z * Z / 2) / math.sqrt(2 * math.pi) / P


@pytest.fixture(scope="module")
def forecast():
    """A thousand days with changing volatility, forecast a little too low."""
    rng = np.random.default_rng(11)
    sd = 0.01 * np.exp(0.3 * np.sin(np.arange(1000) / 40))
    returns = 1.1 * sd * rng.standard_normal(1000)
    return returns, Z * sd, NORMAL_ES * sd, sd


def test_acerbi_szekely_against_loops(forecast):
    returns, var, es, _ = forecast
    assert acerbi_szekely_z1(returns, var, es, CONFIDENCE).statistic == pytest.approx(
        naive.z1(returns, var, es), rel=1e-10
    )
    assert acerbi_szekely_z2(returns, var, es, CONFIDENCE).statistic == pytest.approx(
        naive.z2(returns, var, es, P), rel=1e-10
    )
    expected = naive.minimally_biased(returns, var, es, P)
    assert acerbi_szekely_ridge(returns, var, es, CONFIDENCE).statistic == pytest.approx(expected, rel=1e-10)


def test_acerbi_szekely_published_critical_values():
    # Acerbi and Szekely (2014): at 250 days and 97.5 % Z2 has 5 % points -0.70 (normal) and -0.82 (t3).
    assert acerbi_szekely_critical(250, CONFIDENCE) == pytest.approx(-0.70, abs=0.015)
    assert acerbi_szekely_critical(250, CONFIDENCE, null="t3") == pytest.approx(-0.82, abs=0.025)
    assert acerbi_szekely_critical(250, CONFIDENCE, null="t100") == pytest.approx(-0.70, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("null", ["normal", "t3"])
def test_simulated_nulls_against_whole_paths(null):
    from scipy.stats import norm, t

    distribution = norm() if null == "normal" else t(3)
    quantile = -distribution.ppf(P)
    es = -distribution.expect(lambda x: x, lb=-np.inf, ub=-quantile) / P
    expected = naive.null_statistics(
        120, P, quantile, es, lambda n, rng: distribution.rvs(size=n, random_state=rng), 3000, np.random.default_rng(3)
    )
    draws = tail_draws(120, P, null)
    assert null_distribution(null).es(P) == pytest.approx(es, rel=1e-6)
    for name, values in expected.items():
        found = getattr(draws, name)
        for level in (0.05, 0.25, 0.5):
            share = np.mean(values <= np.quantile(found, level))
            ties = np.mean(np.isclose(values, np.quantile(found, level)))
            error = 4 * math.sqrt(level * (1 - level) / 3000)
            assert level - error <= share <= level + ties + error, (name, level)


def test_drawn_tails_follow_the_law_scaled_or_not():
    from scipy.stats import norm

    draws = draw_tails(250, P, "normal", 20_000, np.random.default_rng(4), scale=1.25)
    true_p = norm.sf(Z / 1.25)
    assert draws.hits.mean() == pytest.approx(250 * true_p, rel=0.01)
    mean_loss = 1.25 * norm.pdf(Z / 1.25) / true_p
    assert draws.losses.sum() / draws.hits.sum() == pytest.approx(mean_loss / NORMAL_ES, rel=0.002)
    excess = draw_excesses(P, "t5", (200_000,), np.random.default_rng(5))
    assert excess.min() >= 0.0
    assert excess.mean() == pytest.approx(1.0, abs=0.02)


@pytest.mark.slow
def test_the_null_is_drawn_once_and_kept():
    first = tail_draws(250, P, "normal")
    assert tail_draws(250, P, "normal") is first
    assert tail_draws(250, P, "normal", rng=np.random.default_rng(1)) is not first
    assert tail_draws(100_000, 0.05, "normal").hits.size == 1000


@pytest.mark.slow
def test_simulated_p_values_are_uniform_under_the_null():
    rng, n_samples = np.random.default_rng(6), 250
    tests = (
        acerbi_szekely_z1,
        acerbi_szekely_z2,
        acerbi_szekely_ridge,
        lambda *a: nolde_ziegel_simple(*a, n_draws=199, rng=rng),
        lambda *a: nolde_ziegel_one_sided(*a, n_draws=199, rng=rng),
        lambda *a: nolde_ziegel_general(*a, sd=0.01, n_draws=199, rng=rng),
        lambda *a: mcneil_frey_z(*a, n_draws=199, rng=rng),
    )
    rejected, asymptotic = np.zeros(len(tests)), np.zeros(len(tests))
    for _ in range(n_samples):
        returns = 0.01 * rng.standard_normal(250)
        for k, test in enumerate(tests):
            outcome = test(returns, 0.01 * Z, 0.01 * NORMAL_ES, CONFIDENCE)
            rejected[k] += outcome.reject
            asymptotic[k] += outcome.p_value is not None and outcome.p_value <= 0.05
    assert (rejected / n_samples <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / n_samples)).all()
    assert (rejected[[0, 1, 2]] / n_samples >= 0.015).all()
    # What the simulated p-value is for: the chi-square one rejects every fifth true model.
    assert asymptotic[3] / n_samples > 0.15


def test_understated_es_is_found(forecast):
    returns, var, es, sd = forecast
    for test in (acerbi_szekely_z2, acerbi_szekely_ridge, nolde_ziegel_one_sided):
        assert test(returns, 0.7 * var, 0.7 * es, CONFIDENCE).reject, test.__name__
    assert acerbi_szekely_z1(returns, var, 0.8 * es, CONFIDENCE).reject
    assert mcneil_frey_z(returns, var, 0.8 * es, CONFIDENCE).reject
    assert mcneil_frey_bootstrap(returns, var, 0.8 * es, sd=sd).reject
    assert not nolde_ziegel_one_sided(returns, 2 * var, 2 * es, CONFIDENCE).reject


def test_a_wrong_var_hardly_moves_the_minimally_biased_statistic():
    returns = np.random.default_rng(8).standard_normal(200_000)
    right = acerbi_szekely_ridge(returns, Z, NORMAL_ES, CONFIDENCE, n_draws=99).statistic
    assert right == pytest.approx(0.0, abs=0.01)
    for factor in (0.9, 1.1):
        # By Rockafellar and Uryasev the true VaR is where ES is least: a wrong one costs second order, to one side.
        found = acerbi_szekely_ridge(returns, factor * Z, NORMAL_ES, CONFIDENCE, n_draws=99).statistic
        assert -0.04 < found - right < 0.0
        assert abs(acerbi_szekely_z2(returns, factor * Z, NORMAL_ES, CONFIDENCE, n_draws=99).statistic) > 0.2


def test_absolute_minimally_biased_statistic(forecast):
    returns, var, es, _ = forecast
    days = es - var - np.maximum(-returns - var, 0) / P
    outcome = acerbi_szekely_ridge(returns, var, es, CONFIDENCE, relative=False)
    assert outcome.statistic == pytest.approx(days.mean(), rel=1e-10)
    assert outcome.details["z"] == pytest.approx(days.mean() / (days.std(ddof=1) / math.sqrt(1000)))


def test_mcneil_frey_against_scipy(forecast):
    from scipy.stats import ttest_1samp

    returns, var, es, sd = forecast
    excess = (-returns - es)[returns < -var]
    expected = ttest_1samp(excess, 0.0).statistic
    assert mcneil_frey_z(returns, var, es).statistic == pytest.approx(expected, rel=1e-10)
    assert mcneil_frey_bootstrap(returns, var, es).statistic == pytest.approx(-expected, rel=1e-10)
    scaled = ttest_1samp((excess / sd[returns < -var]), 0.0).statistic
    assert mcneil_frey_bootstrap(returns, var, es, sd=sd).statistic == pytest.approx(-scaled, rel=1e-10)


def test_bootstrap_against_a_plain_one(forecast):
    returns, var, es, _ = forecast
    x = (returns + 0.93 * es)[returns < -var]
    rng, draws = np.random.default_rng(9), []
    for _ in range(4000):
        drawn = rng.choice(x, size=x.size)
        draws.append(drawn.mean() / (drawn.std(ddof=1) / math.sqrt(x.size)))
    t = x.mean() / (x.std(ddof=1) / math.sqrt(x.size))
    centred = np.array(draws) - np.mean(draws)
    outcome = mcneil_frey_bootstrap(returns, var, 0.93 * es)
    assert outcome.details["one_sided"] == pytest.approx(np.mean(centred <= t), abs=0.03)
    assert outcome.details["two_sided"] == pytest.approx(np.mean(np.abs(centred) >= abs(t)), abs=0.03)


def test_nolde_ziegel_against_the_paper(forecast):
    returns, var, es, sd = forecast
    statistic, z = naive.nolde_ziegel(returns, var, es, P)
    assert nolde_ziegel_simple(returns, var, es, CONFIDENCE, n_draws=0).statistic == pytest.approx(statistic, rel=1e-9)
    statistic, _ = naive.nolde_ziegel(returns, var, es, P, sd)
    assert nolde_ziegel_general(returns, var, es, CONFIDENCE, sd=sd, n_draws=0).statistic == pytest.approx(
        statistic, rel=1e-9
    )
    printed = nolde_ziegel_one_sided(returns, var, es, CONFIDENCE, alternative="as_printed", n_draws=0)
    assert [printed.details["z_var"], printed.details["z_es"]] == pytest.approx(z, rel=1e-9)
    oriented = nolde_ziegel_one_sided(returns, var, es, CONFIDENCE, n_draws=0)
    assert [oriented.details["z_var"], oriented.details["z_es"]] == pytest.approx([-z[0], z[1]], rel=1e-9)


def test_nolde_ziegel_p_values_have_one_degree_of_freedom_for_each_column(forecast):
    returns, var, es, sd = forecast
    simple = nolde_ziegel_simple(returns, var, es, n_draws=0)
    assert simple.df == 2
    assert simple.p_value == pytest.approx(math.exp(-simple.statistic / 2), rel=1e-9)
    general = nolde_ziegel_general(returns, var, es, sd=sd, n_draws=0)
    assert general.df == 1
    assert general.p_value == pytest.approx(math.erfc(math.sqrt(general.statistic / 2)), rel=1e-9)


def test_hommel_and_bonferroni():
    from scipy.stats import norm

    returns = np.array([0.01, -0.03, 0.0, -0.01, 0.02, -0.05, 0.01, 0.0, 0.01, 0.02])
    found = {c: nolde_ziegel_one_sided(returns, 0.02, 0.03, 0.9, correction=c) for c in ("hommel", "bonferroni")}
    small, large = sorted(norm.sf(list(found["hommel"].details.values())))
    assert found["bonferroni"].p_value == pytest.approx(min(2 * small, 1))
    assert found["hommel"].p_value == pytest.approx(min(1.5 * min(2 * small, large), 1))


def test_du_escanciano_against_loops():
    pit = np.random.default_rng(12).random(400) ** 1.2
    for lags in (1, 4):
        mean, z, statistic = naive.du_escanciano(pit, 0.1, lags)
        outcome = du_escanciano_conditional(pit, 0.9, lags=lags, n_draws=0)
        assert outcome.statistic == pytest.approx(statistic, rel=1e-10)
        assert outcome.df == lags
    outcome = du_escanciano_unconditional(pit, 0.9, n_draws=0)
    assert (outcome.statistic, outcome.details["z"]) == pytest.approx((mean, z), rel=1e-10)


@pytest.mark.slow
def test_du_escanciano_simulated_p_values_keep_the_level():
    rng = np.random.default_rng(13)
    rejected = np.zeros(2)
    for _ in range(300):
        pit = rng.random(250)
        rejected[0] += du_escanciano_unconditional(pit, 0.95, n_draws=199, rng=rng).reject
        rejected[1] += du_escanciano_conditional(pit, 0.95, n_draws=199, rng=rng).reject
    assert (rejected / 300 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)).all()
    assert (rejected / 300 >= 0.015).all()


EDGES = {
    "no hits": np.zeros(30),
    "all hits": np.full(30, -0.05),
    "equal hits": np.where(np.arange(30) % 9 == 0, -0.05, 0.0),
    "last day only": np.where(np.arange(30) == 29, -0.05, 0.0),
    "one day": np.array([0.01]),
    "one hit": np.array([-0.05]),
}


@pytest.mark.parametrize("name", EDGES)
@pytest.mark.parametrize("es", [0.025, 0.02, 0.01])
def test_edge_cases_are_defined(name, es):
    returns = EDGES[name]
    for test in (
        acerbi_szekely_z1,
        acerbi_szekely_z2,
        acerbi_szekely_ridge,
        nolde_ziegel_simple,
        nolde_ziegel_one_sided,
        lambda *a: nolde_ziegel_general(*a, sd=0.01),
        lambda *a: acerbi_szekely_ridge(*a, relative=False),
        mcneil_frey_z,
        lambda *a: mcneil_frey_bootstrap(*a[:3]),
    ):
        outcome = test(returns, 0.02, es, 0.99)
        if outcome.p_value is None:
            assert outcome.note and not outcome.reject and "not applicable" in outcome.verdict
        else:
            assert 0.0 <= outcome.p_value <= 1.0 and math.isfinite(outcome.statistic)
        assert repr(outcome)
    if not (returns < -0.02).any():
        assert acerbi_szekely_z1(returns, 0.02, es).p_value is None
        assert acerbi_szekely_z2(returns, 0.02, es).statistic == 1.0


def test_p_value_of_a_given_statistic():
    critical = acerbi_szekely_critical(500, CONFIDENCE, significance=0.1)
    assert acerbi_szekely_p_value(critical, 500, CONFIDENCE) == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: acerbi_szekely_z2([0.1], 0.1, 0.0), "ES above zero"),
        (lambda: acerbi_szekely_z2([0.1], 0.1, None), "es is missing"),
        (lambda: acerbi_szekely_z2([0.1, math.nan], 0.1, 0.2), "returns holds nan"),
        (lambda: acerbi_szekely_z2([0.1], 0.1, 0.2, null="t2"), "more than 2 degrees"),
        (lambda: acerbi_szekely_z2([0.1], 0.1, 0.2, null="cauchy"), "not 'normal'"),
        (lambda: acerbi_szekely_critical(250, statistic="z3"), "'z1', 'z2'"),
        (lambda: nolde_ziegel_general([0.1], 0.1, 0.2, sd=0.0), "not above zero"),
        (lambda: nolde_ziegel_general([0.1], 0.1, 0.2, sd=[0.1, 0.1]), "sd has shape"),
        (lambda: nolde_ziegel_one_sided([0.1], 0.1, 0.2, correction="holm"), "'hommel', 'bonferroni'"),
        (lambda: du_escanciano_unconditional([0.5, 1.5]), "between 0 and 1"),
        (lambda: mcneil_frey_bootstrap([0.1], 0.1, 0.2, sd=-1.0), "not above zero"),
        (
            lambda: acerbi_szekely_z2(pd.Series([0.1], index=["a"]), pd.Series([0.1], index=["b"]), 0.2),
            "row 0 is b in var and a in returns",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()
