"""Snapshots of the venue: every rule decides as its twin, the books add up, and a loop without any has no trace of them."""

from __future__ import annotations

import numpy as np
import pytest
from naive.replay import interpret
from proofs.test_scenarios import agree
from random_scenarios import PARAMETERS, scenario, with_stops
from rows import load
from scenario_runner import number_of, run
from streams import random_log

from riskkit import Account, Instrument, Rule, RuleSet, Session, replay_log
from riskkit.replay import reconciliation_breaks
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.specialise import specialise
from riskkit.rules import DailyLoss, PositionLimit

OFTEN = {"snapshot": 10, "modify_reject": 6, "cancel_reject": 6, "bust": 4, "correct": 4}
SIZE = RuleSet([Rule("size", PositionLimit(limit=9))])
BUY = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}
FILL = {**BUY, "kind": "fill"}
STATED = {"kind": "snapshot", "account": "A", "instrument": "X"}


def exact(text):
    return None if text is None else number_of(text)


@pytest.mark.lengthy
@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_rule_decides_as_the_naive_interpreter_whatever_the_venue_says(name):
    for seed in range(2):
        told = with_stops(scenario(9000 * seed + len(name), 60, types=[name], weights=OFTEN), seed)
        agree(told)
        found, twin = run(told, "plain"), interpret(told)
        names = ("event", "what", "id", "ours", "theirs")
        must = [dict(zip(names, row, strict=True)) for row in twin.differences]
        assert [{**row, "ours": exact(row["ours"]), "theirs": exact(row["theirs"])} for row in found.breaks] == must
        assert run(told, "live") == found


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
@pytest.mark.parametrize("seed", range(8))
def test_the_books_add_up_after_every_snapshot(seed, mode):
    log = random_log(seed, 200, venue=True, actions=True, opened=seed % 2 == 0)
    state = replay_log(log, SIZE, mode=mode, compiled=False).state
    positions = state.positions[1:]
    for code, account in enumerate(state.accounts[1:]):
        unrealised = account["value"] - account["cost"]
        profit = account["realised"] + unrealised - account["fees"] + account["funding"]
        assert account["cash"] + account["value"] - account["net_deposits"] == profit
        mine = positions[positions["account"] == code]
        assert (account["cost"], account["realised"]) == (mine["cost"].sum(), mine["realised"].sum())
    assert not positions["stated"].any() and not state.orders["stated"].any()


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
@pytest.mark.parametrize("seed", range(5))
def test_afterwards_the_book_is_the_venues(seed, mode):
    """A second snapshot that says the same finds nothing: of an account whose messages no rule refuses."""
    told = scenario(seed, 40, types=["lot_tick"], without=["bust", "correct"])
    told["rules"][0]["action"], told["mode"] = "ALERT", mode
    rng = np.random.default_rng(seed)
    held = {"X": str(rng.integers(-3, 4)), "Y": "0.3"}
    orders = [{"order_id": "new", "instrument": "X", "side": "S", "qty": "2", "price": "103"}]
    last = {
        "ts": told["events"][-1]["ts"] + 10**15,
        "kind": "snapshot",
        "account": "A",
        "positions": held,
        "orders": orders,
    }
    found = run({**told, "events": [*told["events"], last, last]}, "plain")
    number = len(told["events"]) + 2
    assert [row for row in found.breaks if row["event"] == number] == []
    assert number_of(found.positions["A|X"]) == number_of(held["X"])


def test_a_bust_after_a_snapshot_takes_back_its_fill_only():
    rows = [
        {**FILL, "ts": 1, "qty": 4, "trade_id": "t"},
        {**STATED, "ts": 2, "qty": 6, "side": "B"},
        {"ts": 3, "kind": "bust", "account": "A", "instrument": "X", "trade_id": "t"},
        {**BUY, "ts": 4},
    ]
    accounts = replay_log(load(*rows), SIZE, compiled=False).accounts()
    assert replay_log(load(*rows), SIZE, compiled=False).state.positions["qty"][1:].tolist() == [2]
    assert accounts["cash"].tolist() == [0] and accounts["realised"].tolist() == [0]


def test_lots_from_before_the_first_mark_are_worth_what_it_says_and_no_profit():
    rules = RuleSet([Rule("loss", DailyLoss(limit=1))])
    stated, marked = {**STATED, "ts": 1, "qty": 6, "side": "B"}, {"kind": "price", "instrument": "X"}
    rows = [stated, {**marked, "ts": 2, "price": 50}, {**marked, "ts": 3, "price": 49.9}]
    assert not replay_log(load(*rows, {**BUY, "ts": 4}), rules, compiled=False).rejections().shape[0]
    rows[-1]["price"] = 49.8
    result = replay_log(load(*rows, {**BUY, "ts": 4}), rules, compiled=False)
    assert len(result.rejections()) == 1 and result.accounts()["cash"].tolist() == [0]


def test_what_a_replay_refuses_the_venue_knows():
    """The venue's position has the fill of the order that is refused here: it is no difference, and is not booked."""
    rows = [
        {**BUY, "ts": 1, "qty": 99, "order_id": "big"},
        {**FILL, "ts": 2, "qty": 99, "order_id": "big"},
        {**STATED, "ts": 3, "qty": 101, "side": "B"},
    ]
    result = replay_log(load(*rows), SIZE, mode="enforce", compiled=False)
    assert result.state.positions["qty"][1:].tolist() == [2]
    assert reconciliation_breaks(result)[["believed", "venue"]].to_numpy().tolist() == [[99, 101]]


def test_a_loop_without_snapshots_has_nothing_of_them():
    log = random_log(3, 60)
    shape = shape_of(SIZE, log.columns, enforce=True, sampled=True, cancels=True, opened=True)
    assert not shape.snapshots and "stated" not in specialise(shape).text and "reconcile" not in specialise(shape).text


def test_a_session_bounds_what_snapshots_move():
    session = Session.create(SIZE, [Instrument("X")], [Account("A", {"USD": 0})], compiled=False)
    session.process_price(ts=1, instrument="X", price=1)
    for ts in range(2, 40):
        session.process_snapshot(ts=ts, account="A", positions={"X": (-1) ** ts * 10**9})
    session.process_order(ts=99, account="A", instrument="X", side="B", qty=1, price=1)
    assert session.result().digest == replay_log(session.log(), SIZE, compiled=False).digest
    assert session.result().accounts()["cash"].tolist() == [0]
