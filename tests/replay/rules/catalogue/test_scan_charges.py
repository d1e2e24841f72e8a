"""What is added to risk arrays: a check leaves nothing behind, spreads share legs, butterflies, and commodities by underlying."""

from __future__ import annotations

import numpy as np
import pytest
from rows import load
from scenario_runner import rules_of

from riskkit import Account, InputError, Instrument, Rule, RuleSet, replay_log
from riskkit.rules import InitialMargin

ARRAYS = {"A": [100, -100], "B": [90, -90], "C": [80, -80]}


def required(positions, order, traded=None, **charges):
    """The requirement after an order, of an account with nothing."""
    label, side, qty = order
    rows = [{"kind": "price", "instrument": "A", "price": 1, "ts": 0}]
    rows.append({"kind": "order", "account": "X", "instrument": label, "side": side, "qty": qty, "price": 1, "ts": 1})
    traded = traded or [Instrument(name) for name in ARRAYS]
    log = load(*rows, instruments=traded, accounts=[Account("X", {"USD": -(10**6)}, positions)], unit="ns")
    result = replay_log(log, RuleSet([Rule("m", InitialMargin("scan", arrays=ARRAYS, **charges))]), compiled=False)
    (observed,) = result.to_frame()["observed"].tolist()
    return observed


def test_a_spread_takes_what_those_before_have_left():
    """Of 3 A 2 are in the first spread, with both B, so that 1 of 2 short C is in the second: 300 - 340 + 2 x 7 + 1 x 11."""
    spreads = [{"legs": {"A": 1, "B": -1}, "charge": 7}, {"legs": {"A": 1, "C": -1}, "charge": 11}]
    held = {"A": 3, "B": -2, "C": -1}
    assert required(held, ("C", "S", 1), intra_spread=spreads) == 40 + 14 + 11
    assert required(held, ("C", "S", 1), intra_spread=spreads[::-1]) == 40 + 2 * 11 + 7


def test_a_butterfly_is_a_spread_of_three_legs():
    spread = [{"legs": {"A": 1, "B": -2, "C": 1}, "charge": 50}]
    assert required({"A": 4, "B": -4}, ("C", "B", 2), intra_spread=spread) == 200 + 2 * 50
    assert required({"A": -4, "B": 5}, ("C", "S", 2), intra_spread=spread) == 110 + 2 * 50


def test_a_working_order_makes_a_charge_and_no_credit():
    for name, money, found in (("intra_spread", {"charge": 50}, 100 + 50), ("inter_spread", {"credit": 1}, 100 + 90)):
        both = {} if name == "intra_spread" else {"commodities": {"a": ["A"], "b": ["B"]}}
        rows = [
            {"kind": "price", "instrument": "A", "price": 1, "ts": 0},
            {
                "kind": "order",
                "account": "X",
                "instrument": "B",
                "side": "S",
                "qty": 1,
                "price": 1,
                "ts": 1,
                "order_id": "w",
            },
            {"kind": "order", "account": "X", "instrument": "A", "side": "B", "qty": 1, "price": 1, "ts": 2},
        ]
        log = load(
            *rows, instruments=[Instrument(label) for label in ARRAYS], accounts=[Account("X", {"USD": 0})], unit="ns"
        )
        rule = InitialMargin("scan", arrays=ARRAYS, **{name: [{"legs": {"A": 1, "B": -1}, **money}]}, **both)
        result = replay_log(log, RuleSet([Rule("m", rule)]), compiled=False)
        assert result.to_frame()["observed"].tolist() == [90, found]


def test_a_check_leaves_the_data_as_they_were():
    rule = InitialMargin(
        "scan",
        arrays=ARRAYS,
        intra_spread=[{"legs": {"A": 1, "B": -1}, "charge": 7}],
        short_option_minimum={"B": 3},
    )
    events = [
        {"kind": "order", "account": "X", "instrument": "A", "side": "B", "qty": 1, "price": 1, "ts": ts}
        for ts in (1, 2)
    ]
    held = {"A": 3, "B": -2}
    states = []
    for rows in (events[:1], events):
        log = load(
            *rows,
            instruments=[Instrument(label) for label in ARRAYS],
            accounts=[Account("X", {"USD": 0}, held)],
            unit="ns",
        )
        states.append(replay_log(log, RuleSet([Rule("m", rule)]), compiled=False).state.memory)
    np.testing.assert_array_equal(*states)


def test_legs_are_whole_lots():
    with pytest.raises(InputError, match="intra_spread: '1/2' of 'A' is not a whole number of its lots"):
        required({}, ("A", "B", 1), intra_spread=[{"legs": {"A": "0.5", "B": -1}, "charge": 7}])


def test_commodities_are_those_of_an_underlying_where_a_file_says_so():
    listed = [{"id": "ES"}, {"id": "C", "underlying": "ES"}, {"id": "NQ"}]
    margin = {"id": "m", "type": "margin", "params": {"model": "scan", "arrays": {"ES": [1], "C": [2], "NQ": [3]}}}
    (rule,) = rules_of({"rules": [margin], "instruments": listed})
    assert rule.parameters.commodities == {"ES": ["ES", "C"], "NQ": ["NQ"]}
