"""Scores, comparisons of forecasts, corrections for many tests."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive import var_backtest as naive

from riskkit._check import InputError
from riskkit.var_backtest import adjust_p_values, diebold_mariano, fz0_loss, model_confidence_set, quantile_loss


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(1)
    var = 1.2 + rng.random(500)
    return rng.standard_normal(500), var, 1.3 * var


def test_losses_against_loops(sample):
    returns, var, es = sample
    assert quantile_loss(returns, var, 0.95) == pytest.approx(naive.quantile_loss(returns, var, 0.05), rel=1e-10)
    assert fz0_loss(returns, var, es, 0.95) == pytest.approx(naive.fz0_loss(returns, var, es, 0.05), rel=1e-9)


def test_the_true_forecast_has_the_smallest_expected_loss():
    from scipy.stats import norm

    returns = np.random.default_rng(2).standard_normal(400_000)
    var, es = norm.ppf(0.95), norm.pdf(norm.ppf(0.95)) / 0.05
    best = quantile_loss(returns, var, 0.95).mean()
    best_joint = fz0_loss(returns, var, es, 0.95).mean()
    for factor in (0.85, 1.15):
        assert quantile_loss(returns, factor * var, 0.95).mean() > best
        assert fz0_loss(returns, factor * var, es, 0.95).mean() > best_joint
        assert fz0_loss(returns, var, factor * es, 0.95).mean() > best_joint


def test_labels_in_labels_out(sample):
    returns, var, es = sample
    days = pd.date_range("2020-01-01", periods=500)
    series = pd.Series(returns, index=days)
    assert quantile_loss(series, var, 0.95).index.equals(days)
    assert fz0_loss(series, pd.Series(var, index=days), es, 0.95).name == "fz0_loss"


@pytest.mark.parametrize("horizon", [1, 3])
def test_diebold_mariano_against_the_formula(horizon):
    rng = np.random.default_rng(3)
    first, second = rng.random(200), rng.random(200) + 0.05
    outcome = diebold_mariano(first, second, horizon=horizon)
    assert outcome.statistic == pytest.approx(naive.diebold_mariano(first, second, horizon), rel=1e-9)
    mirrored = diebold_mariano(second, first, horizon=horizon)
    assert mirrored.statistic == -outcome.statistic and mirrored.p_value == outcome.p_value


def test_diebold_mariano_of_one_step_is_a_t_test():
    from scipy.stats import ttest_1samp

    rng = np.random.default_rng(4)
    first, second = rng.random(50), rng.random(50)
    # The correction turns the divisor n into n - 1: the ordinary t test.
    plain = ttest_1samp(first - second, 0.0)
    outcome = diebold_mariano(first, second)
    assert (outcome.statistic, outcome.p_value) == pytest.approx((plain.statistic, plain.pvalue), rel=1e-10)


def test_diebold_mariano_edge_cases():
    assert diebold_mariano([1.0, 2.0], [1.0, 2.0]).p_value == 1.0
    assert diebold_mariano([2.0, 3.0], [1.0, 2.0]).p_value is None
    assert diebold_mariano([2.0], [1.0]).p_value is None
    assert diebold_mariano([1.0, 2.0, 1.0], [1.0, 1.0, 2.0], horizon=3).p_value is None
    with pytest.raises(InputError, match="same days"):
        diebold_mariano([1.0, 2.0], [1.0])


def losses(seed, shifts, n_obs=400):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n_obs, len(shifts))) + rng.standard_normal((n_obs, 1)) + np.array(shifts)


@pytest.mark.slow
def test_model_confidence_set_against_a_plain_one():
    table = losses(5, [0.0, 0.05, 0.1, 0.3])
    expected = naive.model_confidence_set(table, 8, 1500, np.random.default_rng(6))
    found = model_confidence_set(table, block=8, n_bootstrap=4000).to_frame()["p_value"]
    assert [found[str(k)] for k in range(4)] == pytest.approx(expected, abs=0.045)


@pytest.mark.parametrize(("statistic", "method"), [("range", "R"), ("max", "max")])
def test_model_confidence_set_against_arch(statistic, method):
    from arch.bootstrap import MCS

    table = losses(7, [0.0, 0.04, 0.08, 0.12, 0.35])
    other = MCS(table, 0.1, reps=2000, method=method, block_size=8, seed=8)
    other.compute()
    found = model_confidence_set(table, block=8, n_bootstrap=4000, statistic=statistic).to_frame()["p_value"]
    for model in range(5):
        assert found[str(model)] == pytest.approx(other.pvalues.loc[model, "Pvalue"], abs=0.045)


def test_the_set_contains_the_best_models_as_often_as_it_says():
    kept = 0
    for seed in range(60):
        chosen = model_confidence_set(losses(seed, [0.0, 0.0, 0.4], 150), set_confidence=0.9, n_bootstrap=199).included
        kept += {"0", "1"} <= set(chosen)
    # Two equally good models both stay with probability at least 0.9: 54 of 60, less three standard errors.
    assert kept >= 47


def test_model_confidence_set_of_named_equal_and_single_models():
    table = pd.DataFrame(losses(9, [0.0, 1.0]), columns=["good", "bad"])
    chosen = model_confidence_set(table)
    assert chosen.models == ("good", "bad") and chosen.included == ("good",)
    assert "good" in repr(chosen) and chosen.to_frame().index.name == "model"
    same = model_confidence_set(np.column_stack([table["good"], table["good"]]))
    assert same.included == ("0", "1")
    assert model_confidence_set(table[["bad"]]).included == ("bad",)
    assert model_confidence_set(np.array([[1.0, 2.0]])).models == ("0", "1")
    constant = model_confidence_set(np.column_stack([np.zeros(50), np.ones(50)]))
    assert constant.included == ("0",)


p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@settings(deadline=None)
@given(p_values=p_lists)
def test_adjusted_p_values_against_the_procedures(p_values):
    assert adjust_p_values(p_values, "holm") == pytest.approx(naive.holm(p_values), abs=1e-12)
    assert adjust_p_values(p_values, "benjamini-hochberg") == pytest.approx(
        naive.benjamini_hochberg(p_values), abs=1e-12
    )
    for method in ("holm", "benjamini-hochberg", "benjamini-yekutieli", "bonferroni"):
        assert (adjust_p_values(p_values, method) >= np.array(p_values) - 1e-12).all()


def test_adjusted_p_values_against_scipy():
    from scipy.stats import false_discovery_control

    p_values = np.random.default_rng(10).random(40) ** 3
    assert adjust_p_values(p_values, "benjamini-hochberg") == pytest.approx(false_discovery_control(p_values))
    assert adjust_p_values(p_values, "benjamini-yekutieli") == pytest.approx(
        false_discovery_control(p_values, method="by")
    )


def test_holm_holds_the_family_error():
    rng = np.random.default_rng(11)
    false = sum(bool((adjust_p_values(rng.random(20)) <= 0.05).any()) for _ in range(2000))
    assert false / 2000 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


def test_missing_p_values_stay_missing_and_do_not_count():
    frame = pd.DataFrame({"a": [0.01, np.nan], "b": [0.02, 0.5]}, index=["x", "y"])
    adjusted = adjust_p_values(frame)
    assert adjusted.loc["x", "a"] == pytest.approx(0.03) and math.isnan(adjusted.loc["y", "a"])
    assert frame.loc["x", "a"] == 0.01
    assert np.isnan(adjust_p_values([np.nan])).all()
    with pytest.raises(InputError, match="between 0 and 1"):
        adjust_p_values([0.5, 1.5])
    with pytest.raises(InputError, match="'holm'"):
        adjust_p_values([0.5], "sidak")
