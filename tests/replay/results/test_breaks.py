"""Reconciliation breaks: a row for each difference, in the words and numbers of people."""

from __future__ import annotations

import numpy as np
from refusing import refusal
from rows import NAMED, ORDER, load

from riskkit import Account, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay import reconciliation_breaks
from riskkit.rules import PositionLimit

SIZE = RuleSet([Rule("size", PositionLimit(limit=20))])
STATED = {"ts": 2, "kind": "snapshot", "account": "A", "instrument": "X"}


def test_positions_come_first_and_one_side_may_not_know_an_order():
    rows = [
        {**NAMED, "qty": 6},
        {**ORDER, "order_id": "b", "qty": 5},
        {**STATED, "side": "S", "qty": "2.5"},
        {**STATED, "side": "B", "qty": 4, "price": 10, "order_id": "z"},
        {**STATED, "side": "B", "qty": 6, "price": 10, "order_id": "a"},
    ]
    lots = Instrument("X", lot="0.5")
    found = reconciliation_breaks(replay_log(load(*rows, instruments=[lots]), SIZE, compiled=False))
    assert found.index.tolist() == [2, 2, 2] and found["account"].tolist() == ["A"] * 3
    assert found[["what", "instrument", "order_id"]].to_numpy().tolist() == [
        ["position", "X", ""],
        ["order", "X", "b"],
        ["order", "X", "z"],
    ]
    np.testing.assert_array_equal(found[["believed", "venue"]], [[0, -2.5], [5, np.nan], [np.nan, 4]])
    table = replay_log(load(*rows, instruments=[lots]), SIZE, compiled=False).to_frame()
    assert table["until"].isna().all() and table["decision"].str.contains("differs from the venue's").all()


def test_what_agrees_is_no_break():
    result = replay_log(load(NAMED, {**STATED, "side": "B", "qty": 2, "order_id": "a"}), SIZE, compiled=False)
    found = reconciliation_breaks(result)
    assert len(found) == 0 and list(found) == ["time", "what", "account", "instrument", "order_id", "believed", "venue"]


def test_a_session_says_each_difference_as_an_alert():
    session = Session.create(SIZE, [Instrument("X")], [Account("A")], compiled=False)
    session.process_order(ts=1, account="A", instrument="X", side="B", qty=6, price=10, order_id="a")
    order = {"order_id": "z", "instrument": "X", "side": "S", "qty": 2, "price": 11}
    said = session.process_snapshot(ts=2, account="A", positions={"X": -3}, orders=[order])
    assert [(str(one.action), one.account) for one in said] == [("ALERT", "A")] * 3
    assert [one.reason for one in said] == [
        "-3 is held in X by the venue, nothing as we believed.",
        "nothing of the order of event 0 works at the venue, 6 as we believed.",
        "2 of the order of event 2 works at the venue, nothing as we believed.",
    ]
    assert len(reconciliation_breaks(session.result())) == 3
    assert "position differs from the venue's" in str(session.result().explain(1))


def test_only_a_result_has_breaks():
    assert refusal(reconciliation_breaks, 5) == "result is an int; give a ReplayResult"
