"""E-processes: against bettors one day after the other, Ville's inequality, and what they find."""

import math

import numpy as np
import pandas as pd
import pytest
from naive import var_backtest as naive

from riskkit._check import InputError
from riskkit.var_backtest import es_e_process, var_e_process
from riskkit.var_backtest.sequential import CLUSTER_ODDS, ES_BETS, HIT_ODDS

P = 0.025
Z = 1.959963984540054
NORMAL_ES = math.exp(-Z * Z / 2) / math.sqrt(2 * math.pi) / P


def test_var_wealth_against_bettors():
    hits = np.random.default_rng(1).random(300) < 0.05
    found = var_e_process(hits, 0.975).e_process
    assert found == pytest.approx(naive.var_wealth(hits, P, HIT_ODDS, CLUSTER_ODDS), rel=1e-9)


def test_es_wealth_against_bettors():
    returns = np.random.default_rng(2).standard_normal(400) * 1.1
    var, es = np.full(400, Z), np.full(400, NORMAL_ES)
    bets = [min(P * bet, 0.5) for bet in ES_BETS]
    found = es_e_process(returns, var, es, 0.975)
    assert found.e_process == pytest.approx(naive.es_wealth(returns, var, es, P, bets), rel=1e-9)
    found = es_e_process(returns, var, es, 0.975, method="gree")
    assert found.e_process == pytest.approx(naive.gree_wealth(returns, var, es, P), rel=1e-9)


@pytest.mark.slow
def test_ville_the_alarm_ever_rings_in_at_most_five_percent_of_true_models():
    rng, samples = np.random.default_rng(3), 600
    returns = rng.standard_normal((samples, 1500))
    alarms = np.array(
        [
            [
                var_e_process(row < -Z, 0.975).reject,
                es_e_process(row, Z, NORMAL_ES, 0.975).reject,
                es_e_process(row, Z, NORMAL_ES, 0.975, method="gree").reject,
            ]
            for row in returns
        ]
    )
    assert (alarms.mean(axis=0) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / samples)).all()


def test_looking_every_day_breaks_a_fixed_sample_test_but_not_the_e_process():
    from scipy.special import bdtrc

    rng, samples, n = np.random.default_rng(4), 300, 1000
    hits = rng.random((samples, n)) < 0.05
    days = np.arange(1, n + 1)
    p_values = bdtrc(hits.cumsum(axis=1) - 1, days, 0.05)
    assert np.mean((np.where(hits.cumsum(axis=1) > 0, p_values, 1.0) <= 0.05).any(axis=1)) > 0.2
    assert np.mean([var_e_process(row, 0.95).reject for row in hits]) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / samples)


def test_what_is_wrong_is_found():
    rng = np.random.default_rng(5)
    assert np.mean([var_e_process(rng.random(1000) < 0.03, 0.99).reject for _ in range(50)]) > 0.9
    clustered = []
    for _ in range(50):
        hits, yesterday = [], False
        for _ in range(2000):
            yesterday = rng.random() < (0.4 if yesterday else 0.006)
            hits.append(yesterday)
        clustered.append(var_e_process(hits, 0.99).reject)
    assert np.mean(clustered) > 0.8
    assert np.mean([es_e_process(1.3 * rng.standard_normal(1000), Z, NORMAL_ES, 0.975).reject for _ in range(50)]) > 0.9


def test_too_few_hits_can_be_bet_on():
    process = var_e_process(np.zeros(2000, dtype=bool), 0.99, hit_odds=(0.1, 0.5), cluster_odds=())
    assert process.reject and "exactly" in process.null
    assert not var_e_process(np.zeros(2000, dtype=bool), 0.99).reject


def test_labels_alarm_and_frame():
    days = pd.date_range("2020-01-01", periods=6)
    process = var_e_process(pd.Series([True] * 6, index=days), 0.99)
    assert process.e_process.index.equals(days)
    assert process.alarm == 2 and "2020-01-03" in process.verdict
    frame = process.to_frame()
    assert frame["alarm"].tolist() == [False, False, True, True, True, True]
    assert frame["p_value"].is_monotonic_decreasing
    assert "anytime p-value" in repr(process)


def test_edge_cases():
    assert var_e_process([False], 0.99).p_value == 1.0
    assert var_e_process([True] * 5000, 0.99).p_value == 0.0
    # ES equal to VaR says that no loss goes beyond: one that does is conclusive, in either way of betting.
    assert es_e_process([-0.05, 0.0], 0.02, 0.02).p_value == 0.0
    assert es_e_process([0.0, -0.05], 0.02, 0.02, method="gree").log_e.size == 2
    assert es_e_process([0.0, 0.0], 0.02, 0.02).p_value == 1.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: es_e_process([0.1], 0.2, 0.1), "es is below var"),
        (lambda: es_e_process([0.1], 0.1, 0.2, method="kelly"), "'mixture', 'gree'"),
        (lambda: var_e_process([True], hit_odds=(), cluster_odds=()), "at least one bet"),
        (lambda: var_e_process([True], hit_odds=(-1.0,)), "hit_odds"),
        (lambda: var_e_process([0.5]), "other than 0 and 1"),
        (lambda: var_e_process([True], significance=5), "significance=5"),
    ],
)
def test_what_does_not_fit_is_named(call, words):
    with pytest.raises(InputError, match=words):
        call()
