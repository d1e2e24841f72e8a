"""Independence, durations, dynamic quantile: statistics against plain twins, exact distributions against brute force."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marks import heavy_as_plain_python
from naive import var_backtest as naive

from riskkit._check import InputError
from riskkit.var_backtest import (
    christoffersen_attainable_size,
    christoffersen_conditional,
    christoffersen_critical,
    christoffersen_independence,
    christoffersen_p_value,
    christoffersen_pelletier,
    christoffersen_size,
    dynamic_quantile,
    haas_tbf,
    haas_tbfi,
    hit_transitions,
    kupiec_pof,
)
from riskkit.var_backtest.core.simulated_hits import monte_carlo_p_value, simulate_hit_days, simulate_markov_hit_days
from riskkit.var_backtest.exact.markov import markov_cells
from riskkit.var_backtest.independence.christoffersen import simulated_christoffersen

hit_sequences = st.lists(st.booleans(), min_size=1, max_size=60)


@settings(deadline=None)
@given(hits=hit_sequences)
def test_transitions_against_a_loop(hits):
    n = naive.transitions(hits)
    assert hit_transitions(hits) == (n[0, 0], n[0, 1], n[1, 0], n[1, 1])
    assert sum(hit_transitions(hits)) == len(hits) - 1


@settings(deadline=None)
@given(hits=hit_sequences)
def test_christoffersen_against_the_formula(hits):
    outcome = christoffersen_independence(hits)
    assert outcome.statistic == pytest.approx(naive.independence_lr(hits), abs=1e-9)
    assert outcome.statistic == christoffersen_independence(hit_transitions(hits)).statistic
    assert christoffersen_conditional(hits, 0.9).statistic == pytest.approx(naive.cc_lr(hits, 0.1), abs=1e-9)


@pytest.mark.parametrize("n", [1, 2, 3, 8, 11])
@pytest.mark.parametrize("p", [0.05, 0.4])
def test_exact_law_against_all_sequences(n, p):
    all_of_them = [
        (naive.cc_lr(hits, p), naive.independence_lr(hits), probability)
        for hits, probability in naive.all_sequences(n, p)
    ]
    cells = markov_cells(n, p, p, p, p)
    assert cells.probability.sum() == pytest.approx(1.0)
    for test, column in (("cc", 0), ("independence", 1)):
        for observed in sorted({round(row[column], 7) for row in all_of_them})[:: max(1, n // 4)]:
            expected = sum(row[2] for row in all_of_them if row[column] >= observed - 1e-6)
            found = christoffersen_p_value(max(observed - 5e-7, 0.0), n, 1 - p, test=test)
            assert found == pytest.approx(expected, rel=1e-9)
        critical = 5.991464547107979 if test == "cc" else 3.841458820694124
        expected = sum(row[2] for row in all_of_them if row[column] > critical)
        assert christoffersen_size(n, 1 - p, test=test) == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_exact_law_of_clustered_hits_against_all_sequences():
    n, p, first, after_no_hit, after_hit = 9, 0.1, 0.15, 0.08, 0.5
    cells = markov_cells(n, p, first, after_no_hit, after_hit)
    for threshold in (0.5, 2.0, 4.0):
        expected = sum(
            naive.markov_probability(hits, first, after_no_hit, after_hit)
            for hits, _ in naive.all_sequences(n, p)
            if naive.cc_lr(hits, p) >= threshold
        )
        assert cells.probability[cells.cc >= threshold].sum() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("test", ["cc", "independence"])
@pytest.mark.parametrize(("n", "confidence"), [(10, 0.9), (60, 0.95), (250, 0.99), (250, 0.975), (1500, 0.99)])
@pytest.mark.parametrize("nominal", [0.01, 0.05, 0.1])
def test_exact_size_never_exceeds_nominal(n, confidence, test, nominal):
    size = christoffersen_attainable_size(n, confidence, significance=nominal, test=test)
    assert 0.0 <= size <= nominal
    critical = christoffersen_critical(n, confidence, significance=nominal, test=test)
    if math.isfinite(critical):
        assert christoffersen_p_value(critical, n, confidence, test=test) == pytest.approx(size, rel=1e-6)


def test_exact_law_of_long_samples_still_sums_to_one():
    for n, p in [(4527, 0.025), (100_000, 0.01)]:
        assert markov_cells(n, p, p, p, p).probability.sum() == pytest.approx(1.0, abs=1e-9)
    # With many hits the chi-square distribution is right.
    assert christoffersen_size(20_000, 0.95) == pytest.approx(0.05, abs=0.003)


def test_simulated_statistics_are_those_of_the_hits():
    n, p = 40, 0.1
    days = simulate_hit_days(n, p, 200, np.random.default_rng(1))
    for row, cc, independence in zip(
        days,
        simulated_christoffersen(days, n, p, "cc"),
        simulated_christoffersen(days, n, p, "independence"),
        strict=True,
    ):
        hits = np.isin(np.arange(1, n + 1), row)
        assert cc == pytest.approx(naive.cc_lr(hits, p), abs=1e-9)
        assert independence == pytest.approx(naive.independence_lr(hits), abs=1e-9)


def test_simulated_hits_have_the_stated_law():
    rng, n, p = np.random.default_rng(2), 300, 0.05
    days = simulate_hit_days(n, p, 4000, rng)
    counts = (days <= n).sum(axis=1)
    assert counts.mean() == pytest.approx(n * p, abs=4 * math.sqrt(n * p * (1 - p) / 4000))
    assert counts.var() == pytest.approx(n * p * (1 - p), rel=0.1)
    clustered = simulate_markov_hit_days(n, p, 0.3, 4000, rng)
    counts = (clustered <= n).sum(axis=1)
    followed = ((np.diff(clustered, axis=1) == 1) & (clustered[:, 1:] <= n)).sum() / (clustered < n).sum()
    assert counts.mean() == pytest.approx(n * p, rel=0.03)
    assert followed == pytest.approx(0.3, abs=0.01)
    assert (clustered[:, 0] == 1).mean() == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 4000))


@settings(deadline=None)
@given(hits=hit_sequences.filter(any))
def test_haas_against_sums_of_tuff(hits):
    p = 0.1
    times = naive.times_between(hits)
    expected = sum(naive.tuff_lr(v, p) for v in times)
    outcome = haas_tbfi(hits, 1 - p, n_draws=0)
    assert outcome.statistic == pytest.approx(expected, abs=1e-8)
    assert outcome.df == len(times)
    mixed = haas_tbf(hits, 1 - p, n_draws=0)
    assert mixed.statistic == pytest.approx(expected + naive.pof_lr(sum(hits), len(hits), p), abs=1e-8)
    assert mixed.df == len(times) + 1


@settings(deadline=None, max_examples=40)
@given(hits=st.lists(st.integers(0, 3).map(lambda k: k == 0), min_size=20, max_size=120))
def test_weibull_against_a_two_dimensional_search(hits):
    outcome = christoffersen_pelletier(hits, n_draws=0)
    if outcome.p_value is None:
        waits = naive.weibull_waits(hits) if any(hits) else []
        observed = {wait for wait, censored in waits if not censored}
        assert len(observed) == 0 or max(observed) == min(observed) >= max(wait for wait, _ in waits)
        return
    b, free, tied = naive.weibull_fit(hits)
    assert outcome.details["ll_restricted"] == pytest.approx(tied, rel=1e-9)
    assert outcome.details["ll_unrestricted"] >= free - 1e-7
    assert outcome.details["ll_unrestricted"] == pytest.approx(free, rel=1e-6, abs=1e-6)
    assert outcome.details["weibull_b"] == pytest.approx(b, rel=1e-3)


@pytest.mark.parametrize("lags", [0, 1, 4])
def test_dynamic_quantile_against_least_squares(lags):
    rng = np.random.default_rng(5)
    returns = rng.standard_normal(400)
    var = 1.3 + 0.4 * rng.random(400)
    hits = (returns < -var).tolist()
    expected, rank = naive.dynamic_quantile(hits, var, 0.05, lags)
    outcome = dynamic_quantile(returns, var, 0.95, lags=lags, n_draws=0)
    assert outcome.statistic == pytest.approx(expected, rel=1e-9)
    assert outcome.df == rank == lags + 2


def test_dynamic_quantile_with_named_regressors():
    rng = np.random.default_rng(6)
    returns = rng.standard_normal(300)
    var = 1.3 + 0.4 * rng.random(300)
    shifted = [np.nan, *(returns[:-1] ** 2)]
    expected, rank = naive.dynamic_quantile((returns < -var).tolist(), var, 0.05, 2, extra=(shifted,))
    names = ("constant", "hits", "var", "squared_returns")
    outcome = dynamic_quantile(returns, var, 0.95, lags=2, regressors=names, n_draws=0)
    assert outcome.statistic == pytest.approx(expected, rel=1e-9)
    assert outcome.df == rank == 5
    assert outcome.details["regressors"] == "const, Hit(t-1..t-2), VaR(t), r(t-1)^2"


def test_dynamic_quantile_counts_only_what_is_not_redundant():
    returns = np.random.default_rng(7).standard_normal(100)
    constant = dynamic_quantile(returns, 1.5, 0.95, n_draws=0)
    assert constant.df == 5 and "1 of them redundant" in constant.finding
    no_hits = dynamic_quantile(np.zeros(100), 1.5, 0.95, n_draws=0)
    assert no_hits.df == 1
    assert no_hits.statistic == pytest.approx(96 * 0.05 / 0.95)


@pytest.mark.slow
@heavy_as_plain_python
@pytest.mark.parametrize(
    ("test", "confidence", "n_obs"),
    [
        ("tbf", 0.99, 250),
        ("tbf", 0.9, 400),
        ("weibull", 0.95, 250),
        ("weibull", 0.8, 500),
        ("dq", 0.99, 250),
        ("dq", 0.95, 60),
    ],
)
def test_simulated_p_values_keep_the_level_where_asymptotic_ones_do_not(test, confidence, n_obs):
    # 300 null samples: three standard errors of a 5 % rate are 3.8 %.
    rng, n_samples = np.random.default_rng(8), 300
    returns = rng.random((n_samples, n_obs))
    exact, asymptotic = [], []
    for row in returns:
        hits = row < 1 - confidence
        if test == "dq":
            outcome = dynamic_quantile(row - 1.0, np.full(n_obs, confidence), confidence, n_draws=199, rng=rng)
        else:
            call = haas_tbf if test == "tbf" else christoffersen_pelletier
            outcome = call(hits, confidence, n_draws=199, rng=rng)
        exact.append(outcome.exact_p_value is not None and outcome.exact_p_value <= 0.05)
        asymptotic.append(outcome.p_value is not None and outcome.p_value <= 0.05)
    assert np.mean(exact) <= 0.05 + 0.038
    if (test, confidence) in {("tbf", 0.9), ("weibull", 0.8), ("dq", 0.99)}:
        assert np.mean(asymptotic) > 0.09


def test_monte_carlo_p_value_is_never_zero_and_counts_ties():
    assert monte_carlo_p_value(9.0, np.zeros(99)) == 0.01
    assert monte_carlo_p_value(0.0, np.zeros(99)) == 1.0
    assert monte_carlo_p_value(-1.0, np.array([0.0, -1.0, -2.0]), lower=True) == 0.75


EDGES = {
    "no hits": [False] * 30,
    "all hits": [True] * 30,
    "consecutive hits only": [False] * 10 + [True] * 3 + [False] * 17,
    "last day only": [False] * 29 + [True],
    "first day only": [True] + [False] * 29,
    "first and last": [True] + [False] * 28 + [True],
    "one day, no hit": [False],
    "one day, a hit": [True],
    "alternating": [True, False] * 8,
}


@pytest.mark.parametrize("name", EDGES)
def test_edge_cases_are_defined(name):
    hits = EDGES[name]
    independence = christoffersen_independence(hits, 0.99)
    assert 0.0 <= independence.p_value <= 1.0 and 0.0 <= independence.exact_p_value <= 1.0
    cc = christoffersen_conditional(hits, 0.99)
    assert cc.statistic == pytest.approx(kupiec_pof(sum(hits), len(hits), 0.99).statistic + independence.statistic)
    tbf = haas_tbf(hits, 0.99)
    assert math.isfinite(tbf.statistic) and 0.0 <= tbf.p_value <= 1.0
    assert (haas_tbfi(hits, 0.99).p_value is None) == (not any(hits))
    weibull = christoffersen_pelletier(hits, 0.99)
    if name in (
        "no hits",
        "last day only",
        "first day only",
        "all hits",
        "first and last",
        "one day, a hit",
        "alternating",
    ):
        assert weibull.p_value is None and not weibull.reject and weibull.note
    assert "not applicable" in christoffersen_pelletier([False], 0.99).verdict
    returns = np.where(hits, -1.0, 0.0)
    dq = dynamic_quantile(returns, 0.5, 0.99)
    assert (dq.p_value is None) == (len(hits) <= 4)
    assert repr(dq) and dq.verdict


def test_no_hits_have_no_dependence():
    assert christoffersen_independence([False] * 250).statistic == 0.0
    assert christoffersen_independence([True] * 250).statistic == 0.0
    assert christoffersen_independence((249, 0, 0, 0)).p_value == 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: christoffersen_conditional([0, 2], 0.99), "other than 0 and 1"),
        (lambda: christoffersen_conditional([], 0.99), "empty"),
        (lambda: christoffersen_conditional([[True, False]], 0.99), "one series at a time"),
        (lambda: christoffersen_independence((1, 2, 3)), "transition counts"),
        (lambda: christoffersen_independence((1, 2, 3, -1)), "n11=-1"),
        (lambda: christoffersen_p_value(1.0, 250, test="pof"), "'cc', 'independence'"),
        (lambda: dynamic_quantile([0.1] * 9, 0.1, regressors=("const",)), "'constant', 'hits'"),
        (lambda: dynamic_quantile([0.1] * 9, 0.1, regressors=()), "at least 'constant'"),
        (lambda: dynamic_quantile([0.1] * 9, [0.1] * 8), "shape"),
        (lambda: haas_tbf([True, False], 0.99, rng=3), "Generator"),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_the_default_seed_gives_the_same_answer_twice_and_another_generator_another():
    hits = [day % 9 == 0 for day in range(100)]
    assert haas_tbf(hits, 0.9).exact_p_value == haas_tbf(hits, 0.9).exact_p_value
    first, second = (haas_tbf(hits, 0.9, rng=np.random.default_rng(seed)).exact_p_value for seed in (1, 2))
    assert first != second and abs(first - second) < 0.1
