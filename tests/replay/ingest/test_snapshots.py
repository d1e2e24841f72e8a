"""Snapshots of frames and of a live session: one digest, and the sentences about what does not fit."""

from __future__ import annotations

import pandas as pd
import pytest
from refusing import refusal as refusal_of
from rows import NAMED, ORDER, column, load, refusal

from riskkit import Account, EventLog, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay.ingest.snapshots import TWICE, UNSIDED
from riskkit.rules import PositionLimit

STATED = {"ts": 2, "kind": "snapshot", "account": "A", "instrument": "X", "side": "B", "qty": 3}
REST = {**STATED, "order_id": "a", "price": 10.5}
RULES = RuleSet([Rule("size", PositionLimit(limit=20))])


def session(**options):
    return Session.create(RULES, [Instrument("X"), Instrument("Y")], [Account("A")], compiled=False, **options)


def test_adjacent_rows_of_an_account_and_a_time_are_one_snapshot():
    rows = [NAMED, STATED, {**REST, "order_id": "a"}, {**STATED, "account": "B"}, {**STATED, "ts": 3}]
    log = load(*rows)
    assert (column(log, "batch"), column(log, "order")) == ([-1, 1, 1, 3, 4], [0, -1, 0, -1, -1])
    labelled = load(STATED | {"batch": "one"}, {**REST, "batch": "two"})
    assert column(labelled, "batch") == [0, 1]


def test_an_order_that_nobody_knew_is_known_from_there_on():
    log = load(REST, {**NAMED, "ts": 3, "kind": "cancel"}, {**ORDER, "ts": 4, "order_id": "b"})
    assert column(log, "order") == [0, 0, 2]
    assert log.order_labels.by_row == {0: "a", 2: "b"}
    assert refusal(REST, {**NAMED, "ts": 3}).startswith(
        "row 1, column 'order_id': 'a' is used already by the order of row 0"
    )


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([{**STATED, "side": None}], f"row 0, column 'side': nothing {UNSIDED}"),
        ([{**STATED, "qty": -3}], "row 0, column 'qty': -3 is not a quantity; a quantity is 0 or above"),
        ([{**REST, "qty": 0}], "row 0, column 'qty': 0 is not a quantity; a quantity is a number above zero"),
        ([STATED, STATED], f"row 1, column 'instrument': 'X' {TWICE}"),
        ([REST, REST], f"row 1, column 'order_id': 'a' {TWICE}"),
        ([NAMED, {**REST, "side": "S"}], "row 1, column 'order_id': 'a' names an order of the other side"),
        (
            [NAMED, {**REST, "account": "B"}],
            "row 1, column 'order_id': 'a' names an order of another account or instrument",
        ),
    ],
)
def test_a_row_that_does_not_fit_is_refused(rows, why):
    assert refusal(*rows).startswith(why)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"positions": [3]}, "positions=[3] is not a mapping of instruments to quantities, below zero if short"),
        ({"positions": {"X": "x"}}, "positions='x' is not a quantity; a position is a number, below zero if short"),
        ({"positions": {"X": "0.5"}}, "qty='0.5' is not a multiple of the lot 1 of X"),
        ({"positions": {"Z": 1}}, "instrument='Z' is not declared (instruments are X, Y)"),
        ({"orders": "a"}, "orders='a' is not a list of orders, each a mapping of its fields"),
        ({"orders": [{"instrument": "X"}]}, "order_id=None is not the id of an order; a snapshot names its orders"),
        ({"orders": [{"order_id": "a", "size": 1}]}, "field 'size' is not known of an event of kind 'snapshot order'"),
        (
            {"orders": [{"order_id": "o", "instrument": "X", "side": "S", "qty": 1}]},
            "order_id='o' names an order of the other side",
        ),
        (
            {"orders": [{"order_id": "o", "instrument": "Y", "side": "B", "qty": 1}]},
            "order_id='o' names an order of another account",
        ),
        ({"orders": [{"order_id": "n", "instrument": "X", "side": "B", "qty": 1}] * 2}, f"order_id='n' {TWICE}"),
        ({"orders": [{"order_id": "n", "instrument": "X", "side": "B", "qty": 0}]}, "qty=0 is not a quantity"),
        ({"account": "Z"}, "account='Z' is not declared (accounts are A)"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_and_changes_nothing(fields, why):
    one = session()
    one.process_order(ts=1, account="A", instrument="X", side="B", qty=5, price=10, order_id="o")
    digest = one.digest
    assert refusal_of(one.process_snapshot, **{"ts": 2, "account": "A", **fields}).startswith(why)
    assert (one.digest, len(one)) == (digest, 1)
    one.process_order(ts=3, account="A", instrument="X", side="B", qty=1, price=10, order_id="n")


def test_a_session_without_instruments_has_nothing_to_compare():
    empty = Session.create(RULES, [], ["A"], compiled=False)
    assert refusal_of(empty.process_snapshot, ts=1, account="A").startswith("a snapshot needs an instrument")


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_a_frame_and_a_session_give_one_digest(mode):
    rows = [
        {**ORDER, "order_id": "a", "qty": 6},
        {**ORDER, "order_id": "b", "qty": 5},
        {**STATED, "side": "S", "qty": 2},
        {**STATED, "instrument": "Y", "qty": 1},
        {**REST, "qty": 4, "price": 10.25},
        {**REST, "order_id": "z", "qty": 7, "price": None},
        {**ORDER, "ts": 3, "qty": 12, "order_id": "c"},
        {**ORDER, "ts": 3, "qty": 11, "order_id": "d"},
        {**STATED, "ts": 5, "qty": 0, "side": None},
        {**ORDER, "ts": 6, "qty": 20},
    ]
    one = session(mode=mode)
    for row in rows[:2]:
        one.process_order(**{name: value for name, value in row.items() if name != "kind"})
    orders = [{name: row[name] for name in ("order_id", "instrument", "side", "qty", "price")} for row in rows[4:6]]
    said = one.process_snapshot(ts=2, account="A", positions={"X": -2, "Y": "1"}, orders=orders)
    for row in rows[6:8]:
        one.process_order(**{name: value for name, value in row.items() if name != "kind"})
    one.process_snapshot(ts=5, account="A")
    one.process_order(**{name: value for name, value in rows[-1].items() if name != "kind"})
    frame = pd.DataFrame(rows).astype(object)
    log = EventLog.from_frame(frame.where(frame.notna(), None), [Instrument("X"), Instrument("Y")], [Account("A")])
    assert one.result().digest == replay_log(log, RULES, mode=mode, compiled=False).digest
    assert one.log().event_hash == log.event_hash
    assert [str(action.action) for action in said] == ["ALERT"] * len(said) and len(said) == 5


def test_a_late_snapshot_changes_nothing():
    one = session(ts_policy="reject")
    one.process_trade(ts=5, account="A", instrument="X", side="B", qty=3, price=10)
    one.process_snapshot(ts=4, account="A", positions={"X": 9})
    one.process_order(ts=6, account="A", instrument="X", side="B", qty=1, price=10)
    assert one.result().state.positions["qty"][1:].tolist() == [3]
    assert one.result().digest == replay_log(one.log(), RULES, compiled=False).digest
