"""Requirements of margin: the least of each model."""

from __future__ import annotations

import pytest
from rows import load

from riskkit import Account, Instrument, Rule, RuleSet, replay_log
from riskkit.rules import InitialMargin


def required(arrays, instrument="X"):
    """The requirement of an order, and the equity that is below it."""
    order = {"ts": 1, "kind": "order", "account": "A", "instrument": instrument, "side": "B", "qty": 1, "price": 100}
    price = {"ts": 0, "kind": "price", "instrument": instrument, "price": 100}
    listed = [Instrument(name) for name in arrays]
    log = load(price, order, instruments=listed, accounts=[Account("A", cash={"USD": -1})])
    rules = RuleSet([Rule("margin", InitialMargin("scan", arrays=arrays))])
    frame = replay_log(log, rules, compiled=False).to_frame()
    return frame[["observed", "limit"]].to_numpy().tolist()


@pytest.mark.parametrize("array", [[40, 100], [0, 0]])
def test_a_position_that_loses_in_no_scenario_requires_nothing(array):
    assert required({"X": array, "Z": [-1, -1]}) == [[0.0, -1.0]]


@pytest.mark.parametrize("instrument", ["X", "Y"])
@pytest.mark.parametrize("worst", range(3))
def test_the_worst_scenario_counts_wherever_it_stands(worst, instrument):
    arrays = {name: [-1, -1, -1] for name in ("X", "Y", "Z")}
    arrays[instrument][worst] = -70
    assert required(arrays, instrument) == [[70.0, -1.0]]
