"""A Series in the place of a mapping: the answers are those of the mapping, and labels are given once."""

import numpy as np
import pandas as pd
import pytest
from refusing import refusal

from riskkit import covariance, frtb, instruments, stress
from riskkit._plain import mapping_of

COVARIANCE = pd.DataFrame([[0.04, 0.01], [0.01, 0.02]], ["A", "B"], ["A", "B"])
HISTORY = pd.DataFrame(
    np.random.default_rng(1).normal(0.0, 0.01, (300, 2)), pd.bdate_range("2020-01-01", periods=300), ["A", "B"]
)
LATE = HISTORY.assign(A=HISTORY["A"].where(HISTORY.index >= HISTORY.index[100]))
PARTIAL = {"spring": ("2020-04-01", "2020-06-30")}
BOOK = pd.Series({"A": 1e5, "B": 1e5})

CALLS = {
    "shocks of moves given others": lambda of: stress.conditional_moves(COVARIANCE, of({"A": -0.1})).mean,
    "scenario of similar periods": lambda of: stress.similar_periods(HISTORY, of({"A": -0.01, "B": 0.0})),
    "moves of a scenario": lambda of: stress.shock_scenarios({"x": of({"A": -0.1})}, factors=["A", "B"]),
    "views on means": lambda of: stress.entropy_pooling(HISTORY, of({"A": 0.001})).probabilities,
    "pairs": lambda of: stress.stress_covariance(COVARIANCE, pairs=of({("A", "B"): 0.3})).covariance,
    "proxies of returns": lambda of: stress.historical_stress(BOOK, LATE, PARTIAL, proxies=of({"A": "B"})).table,
    "proxies of gaps": lambda of: covariance.complete_returns(LATE, "proxy", proxies=of({"A": ["B"]})).returns,
    "policies of gaps": lambda of: covariance.complete_returns(LATE, of({"A": "zero_fill"})).returns,
    "cash flows and rates": lambda of: (
        instruments.key_rates(of({1.0: 5.0, 2.0: 105.0}), of({1.0: 0.02, 2.0: 0.03})).price
    ),
    "delta, FX": lambda of: frtb.fx_delta(of({"TRY": 3e5, "ZAR": 2e5})).capital,
    "delta, rates": lambda of: frtb.girr_delta(of({"USD": of({1.0: 5.0, 2.0: 3.0})})).capital,
    "delta, equity": lambda of: frtb.equity_delta(of({5: [1.0, 2.0], 8: [3.0]}), repo=of({8: [4.0]})).capital,
    "delta, credit": lambda of: frtb.credit_delta(of({4: [("X", 5.0, "bond", 3.0)]})).capital,
    "delta, commodities": lambda of: frtb.commodity_delta(of({2: [("Brent", 1, "Le Havre", 3.0)]})).capital,
    "vega, rates": lambda of: frtb.girr_vega(of({"USD": of({(1, 5): 8.0, (5, 10): -3.0})})).capital,
    "vega, FX": lambda of: frtb.fx_vega({"EURUSD": of({0.5: 2.0, 1.0: -5.0})}).capital,
    "vega, equity": lambda of: frtb.equity_vega(of({5: [("X", 0.5, 2.0)]})).capital,
    "curvature, rates": lambda of: frtb.girr_curvature(of({"EUR": (3.0, -1.0), "USD": (2.0, 2.5)})).capital,
    "curvature, equity": lambda of: frtb.equity_curvature(of({1: of({"X": (1.0, -4.0), "Y": (-1.0, 6.0)})})).capital,
    "curvature": lambda of: frtb.aggregate_curvature(of({"a": [[1.0, -4.0]], "b": [[3.0, 2.0]]}), 0.15, 0.5).capital,
    "buckets": lambda of: frtb.aggregate_buckets(of({"a": [1.0, -4.0], "b": [3.0, 2.0]}), 0.15, 0.5).names,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_series_answers_as_the_mapping_of_its_labels(call):
    found, expected = call(pd.Series), call(dict)
    assert found.equals(expected) if hasattr(expected, "equals") else found == expected


def test_a_label_that_stands_twice_is_refused_and_nothing_else_is_changed():
    twice = pd.Series([0.1, 0.2], ["A", "A"])
    assert "shocks has 'A' more than once" in refusal(lambda: stress.conditional_moves(COVARIANCE, twice))
    for value in ("A", ["A"], {"A": 1}, 3.0, np.ones(2), pd.DataFrame([[1.0]])):
        assert mapping_of(value, "shocks") is value
