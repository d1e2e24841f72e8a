"""Requirements of margin: the least of each model."""

from __future__ import annotations

import pytest
from rows import load

from riskkit import Account, Instrument, Rule, RuleSet, replay_log
from riskkit.rules import InitialMargin


@pytest.mark.parametrize("arrays", [[40, 100], [0, 0]])
def test_a_position_that_loses_in_no_scenario_requires_nothing(arrays):
    order = {"ts": 1, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 100}
    price = {"ts": 0, "kind": "price", "instrument": "X", "price": 100}
    account = Account("A", cash={"USD": -1})  # the requirement is compared, and shown
    log = load(price, order, instruments=[Instrument("X")], accounts=[account])
    rules = RuleSet([Rule("margin", InitialMargin("scan", arrays={"X": arrays}))])
    frame = replay_log(log, rules, compiled=False).to_frame()
    assert frame[["observed", "limit"]].to_numpy().tolist() == [[0.0, -1.0]]
