"""Entropy pooling, conditional moves, similar periods and shocks of rates: optimality, other formulas, refusals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from riskkit import stress
from riskkit._check import InputError
from riskkit.stress import INDEX_DROPS, conditional_moves, entropy_pooling, rate_shocks, similar_periods

RNG = np.random.default_rng(9)
NAMES = ["shares", "bonds", "oil"]
ROOT = np.array([[0.2, 0.0, 0.0], [-0.02, 0.06, 0.0], [0.1, 0.05, 0.3]])
COVARIANCE = pd.DataFrame(ROOT @ ROOT.T, NAMES, NAMES)
HISTORY = pd.DataFrame(RNG.standard_normal((300, 3)) @ ROOT.T / 16.0, pd.bdate_range("2020-01-01", periods=300), NAMES)


@given(st.floats(-0.8, 0.8), st.floats(0.5, 1.8), st.sampled_from([1e-8, 1.0, 1e7]))
def test_views_hold_in_any_unit_and_nothing_else_is_nearer(shift, stretch, unit):
    x = np.linspace(-2.0, 2.0, 41)
    variance = stretch * x.var() - shift**2
    if variance < 0.2:
        return
    found = entropy_pooling(unit * x, {0: unit * shift}, {0: unit**2 * variance})
    p = found.probabilities
    assert p.sum() == pytest.approx(1.0) and p.min() > 0.0
    assert p @ x == pytest.approx(shift, abs=1e-7) and p @ x**2 - shift**2 == pytest.approx(variance, rel=1e-6)
    # the optimum tilts the prior by the exponential of a quadratic function, and no other probabilities do
    assert np.diff(np.log(p), 3) == pytest.approx(0.0, abs=1e-6)


def test_a_general_solver_finds_no_better_probabilities():
    x = RNG.standard_normal((12, 2))
    prior = np.arange(1.0, 13.0) / 78.0
    found = entropy_pooling(x, {1: 0.3}, prior=prior)
    other = minimize(
        lambda p: float(p @ np.log(p / prior)),
        prior,
        bounds=[(1e-9, 1.0)] * 12,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1.0},
            {"type": "eq", "fun": lambda p: p @ x[:, 1] - 0.3},
        ],
    )
    assert found.probabilities == pytest.approx(other.x, abs=1e-4)
    assert found.relative_entropy <= other.fun + 1e-9
    assert found.mean[1] == pytest.approx(0.3) and found.expected(x[:, 1]) == pytest.approx(0.3)


def test_a_view_that_is_the_prior_changes_nothing_and_names_come_out():
    found = entropy_pooling(HISTORY, {"oil": HISTORY["oil"].mean()})
    assert found.relative_entropy == pytest.approx(0.0, abs=1e-12) and found.effective_scenarios == pytest.approx(300.0)
    assert list(found.covariance) == NAMES and found.probabilities.index.equals(HISTORY.index)
    assert found.covariance.to_numpy() == pytest.approx(np.cov(HISTORY.T, ddof=0))
    assert list(found.expected(HISTORY).index) == NAMES
    assert "effective scenarios" in repr(found) and found.plot().get_ylabel() == "probability"


def test_conditional_moves_are_those_of_simulated_normal_moves():
    moves = RNG.standard_normal((400_000, 3)) @ ROOT.T
    near = moves[np.abs(moves[:, 0] + 0.3) < 0.01]
    found = conditional_moves(COVARIANCE, {"shares": -0.3})
    assert found.mean.to_numpy() == pytest.approx(near.mean(axis=0), abs=0.02)
    assert found.covariance.to_numpy()[1:, 1:] == pytest.approx(np.cov(near[:, 1:].T), abs=0.01)
    scenario = stress.shock_scenarios({"x": {"shares": -0.3}}, others="expected", covariance=COVARIANCE)
    assert found.mean.to_numpy() == pytest.approx(scenario.to_numpy()[0])
    assert found.distance == pytest.approx(1.5)


def test_conditional_moves_do_not_depend_on_units():
    units = np.array([1e-6, 1.0, 1e5])
    one = conditional_moves(COVARIANCE, {"shares": -0.3, "oil": 0.1}, mean=[0.01, 0.0, 0.0])
    other = conditional_moves(
        COVARIANCE * np.outer(units, units), {"shares": -0.3e-6, "oil": 1e4}, mean=[1e-8, 0.0, 0.0]
    )
    assert other.mean.to_numpy() == pytest.approx(one.mean.to_numpy() * units)
    assert other.distance == pytest.approx(one.distance)
    all_of_them = conditional_moves(COVARIANCE, dict.fromkeys(NAMES, 0.1))
    assert all_of_them.distance == pytest.approx(stress.mahalanobis_distance([0.1] * 3, COVARIANCE))
    assert (all_of_them.covariance.to_numpy() == 0.0).all()


def test_similar_periods_by_a_loop():
    scenario = {"shares": -0.02, "oil": 0.01}
    inverse = np.linalg.inv(np.cov(HISTORY[["shares", "oil"]].T))
    distances = []
    for _, row in HISTORY[["shares", "oil"]].iterrows():
        gap = row.to_numpy() - [-0.02, 0.01]
        distances.append(np.sqrt(gap @ inverse @ gap))
    table = similar_periods(HISTORY, scenario, 4)
    assert table["distance"].tolist() == pytest.approx(sorted(distances)[:4])
    assert HISTORY.loc[table["period"], "oil"].tolist() == table["oil"].tolist()
    spread = similar_periods(HISTORY.to_numpy(), {0: -0.02}, 10, apart=20)["period"].sort_values().to_numpy()
    assert np.diff(spread).min() >= 20


def test_rates_and_indices():
    table = rate_shocks([0.0, 5.0, 1e3], 200.0, 300.0, 150.0)
    assert table["short_up"].tolist() == pytest.approx([300.0, 85.951439, 0.0], abs=1e-5)
    assert (table["parallel_up"] == -table["parallel_down"]).all() and table["long_up"].iloc[-1] == pytest.approx(150.0)
    assert table["steepener"].iloc[0] == pytest.approx(-195.0) and table["flattener"].iloc[-1] == pytest.approx(-90.0)
    assert all(-1.0 < drop.move < 0.0 and drop.start < drop.end for drop in INDEX_DROPS)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: entropy_pooling([1.0, 2.0], {0: 3.0}), "the views cannot be met"),
        (lambda: entropy_pooling([1.0, 2.0, 3.0], {0: 2.0}, {0: 1.5}), "the views cannot be met"),
        (lambda: entropy_pooling(HISTORY, {"gold": 0.0}), "no factor is called 'gold'"),
        (lambda: entropy_pooling(HISTORY), "no view is given"),
        (lambda: entropy_pooling([1.0, 2.0], {0: 1.5}, {0: 0.0}), "is not above zero"),
        (lambda: entropy_pooling([1.0, 2.0], {0: 1.5}, prior=[0.5, 0.6]), "prior is not 2 probabilities"),
        (lambda: entropy_pooling([1.0, 2.0], {0: 1.5}).expected([1.0]), "values has 1 rows for 2 scenarios"),
        (lambda: conditional_moves(COVARIANCE, {}), "shocks is empty"),
        (lambda: conditional_moves(COVARIANCE, {"gold": 0.1}), "moves 'gold'"),
        (lambda: conditional_moves([[1.0, 1.0], [1.0, 1.0]], {0: 1.0, 1: 2.0}), "are impossible together"),
        (lambda: conditional_moves(COVARIANCE, {"oil": 0.1}, mean=[0.0]), "mean has shape"),
        (lambda: similar_periods(HISTORY, {"gold": 0.1}), "scenario moves 'gold'"),
        (lambda: similar_periods(HISTORY, {}), "scenario is empty"),
        (lambda: rate_shocks([-1.0], 1.0, 1.0, 1.0), "tenors holds -1"),
    ],
)
def test_refusals(call, words):
    with pytest.raises(InputError, match=words):
        call()
