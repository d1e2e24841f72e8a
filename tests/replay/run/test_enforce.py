"""Enforce mode: what a refused order takes with it, and what becomes of the exits that it leaves behind."""

from __future__ import annotations

import pytest
from rows import load
from streams import log_of_rows, universe

from riskkit import Account, Instrument
from riskkit._check import InputError
from riskkit.replay.rules.circuit_breaker import BreakerLimits
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare import compare
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, TradingCommand
from riskkit.rules import DailyLoss, MaxOrderQty, PositionLimit

BUY, SELL = 1, -1
SMALL = RuleSet([Rule("size", PositionLimit(limit=10))])


def stream(*events: dict[str, int]):
    """Events a second apart in account 0 and instrument 0 unless they say otherwise."""
    rows = []
    for place, event in enumerate(events):
        row = {
            "ts": place * 1_000_000_000,
            "account": 0,
            "instrument": 0,
            "side": 0,
            "qty": 0,
            "price": MISSING,
            "order": -1,
        }
        rows.append(row | event)
    return log_of_rows(rows, universe(cash=0))


def order(place: int, side: int, qty: int, price: int = 100, **more: int) -> dict[str, int]:
    return {"kind": EventKind.ORDER, "side": side, "qty": qty, "price": price, "order": place, **more}


def fill(of: int, side: int, qty: int, price: int = 100, **more: int) -> dict[str, int]:
    return {"kind": EventKind.FILL, "side": side, "qty": qty, "price": price, "order": of, **more}


def codes(result) -> list[tuple[int, int]]:
    return [(int(row["seq"]), DecisionCode(int(row["code"]))) for row in result.rows]


def position(result, instrument: int = 0) -> int:
    table = result.state.positions[1:]
    found = table["qty"][table["instrument"] == instrument]
    return int(found.sum())


def enforce(log, rules=SMALL, **options):
    return replay_log(log, rules, "enforce", compiled=False, **options)


def test_a_refused_order_takes_fills_modifies_and_cancels_with_it():
    log = stream(
        order(0, BUY, 11),
        fill(0, BUY, 5),
        {"kind": EventKind.MODIFY, "side": BUY, "qty": 4, "price": 101, "order": 0},
        {"kind": EventKind.CANCEL, "order": 0},
    )
    result = enforce(log)
    assert codes(result) == [
        (0, DecisionCode.OBJECT),
        (1, DecisionCode.VANISH),
        (2, DecisionCode.VANISH),
        (3, DecisionCode.VANISH),
    ]
    assert position(result) == 0
    assert result.counts()["fills_vanished"] == 1
    assert result.counts()["orders_vanished"] == 2


def test_shadow_keeps_the_record():
    log = stream(order(0, BUY, 11), fill(0, BUY, 5))
    result = replay_log(log, SMALL, compiled=False)
    assert codes(result) == [(0, DecisionCode.OBJECT)]
    assert position(result) == 5


def test_a_child_vanishes_with_its_refused_parent():
    log = stream(order(0, BUY, 11), order(1, BUY, 1, parent=0), fill(1, BUY, 1), order(3, BUY, 1))
    result = enforce(log)
    assert codes(result) == [(0, DecisionCode.OBJECT), (1, DecisionCode.VANISH), (2, DecisionCode.VANISH)]
    assert position(result) == 0


def test_a_refused_modify_leaves_the_old_order():
    """Fills stand up to the old quantity and at no worse than the old price; the rest is cut and counted."""
    modify = {"kind": EventKind.MODIFY, "side": BUY, "qty": 20, "price": 102, "order": 0}
    log = stream(order(0, BUY, 10), modify, fill(0, BUY, 6), fill(0, BUY, 1, 101), fill(0, BUY, 8), fill(0, BUY, 2))
    result = enforce(log)
    assert codes(result) == [
        (1, DecisionCode.OBJECT),
        (3, DecisionCode.CUT),
        (4, DecisionCode.CUT),
        (5, DecisionCode.CUT),
    ]
    assert position(result) == 10
    assert result.counts()["fills_cut"] == 3


def test_the_fee_of_a_cut_fill_is_cut_with_it():
    modify = {"kind": EventKind.MODIFY, "side": BUY, "qty": 20, "price": MISSING, "order": 0}
    log = stream(order(0, BUY, 10), modify, fill(0, BUY, 20, fee=9))
    assert int(enforce(log).state.accounts["fees"][1]) == 4  # the floor of 9 x 10 / 20


def orphan_stream():
    """A buy of 11 that is refused, and the sell of 8 that closed most of it in the record."""
    return stream(*rows_of_orphans())


def rows_of_orphans():
    return order(0, BUY, 11), fill(0, BUY, 11), order(2, SELL, 8), fill(2, SELL, 8)


@pytest.mark.parametrize(
    ("policy", "left", "what"),
    [
        ("keep", -8, []),
        ("clip", 0, [(2, DecisionCode.ORPHAN), (3, DecisionCode.VANISH)]),
        ("drop", 0, [(2, DecisionCode.ORPHAN), (3, DecisionCode.VANISH)]),
    ],
)
def test_orphan_exits(policy, left, what):
    result = enforce(orphan_stream(), orphans=policy)
    assert codes(result)[2:] == what
    assert position(result) == left
    assert result.counts()["orphans"] == 1
    assert result.counts()["orphans_dropped"] == (policy != "keep")


def test_by_default_an_orphan_exit_opens_nothing():
    result = enforce(orphan_stream())
    assert result.options["orphans"] == "clip" and position(result) == 0


def test_the_result_gives_the_profit_under_each_policy():
    """The short that is opened by an orphan exit loses 8 times 50; nobody ordered it."""
    log = stream(*rows_of_orphans(), {"kind": EventKind.PRICE, "account": -1, "price": 150})
    for policy in ("keep", "clip", "drop"):
        result = enforce(log, orphans=policy)
        assert result.profit_by_orphan_policy == {"keep": -4.0, "clip": 0.0, "drop": 0.0}
        assert "if orphan exits are kept" in str(result)
    assert enforce(stream(order(0, BUY, 1))).profit_by_orphan_policy == {}
    found = compare(log, SMALL, compiled=False)
    assert any("depends on the 1 orphan exit" in line for line in found.sentences())


def test_modifies_are_counted_apart_from_orders():
    larger = {"kind": EventKind.MODIFY, "side": BUY, "qty": 20, "price": MISSING, "order": 0}
    log = stream(order(0, BUY, 1), larger, larger, larger)
    assert enforce(log).refused_by_kind() == {"orders": (0, 1), "modifies": (3, 3)}
    found = compare(log, SMALL, compiled=False).sentences()
    assert found[0] == "The limits object to 0 of 1 orders (0.0 %) and 3 of 3 modifies (100.0 %) as they were sent."


@pytest.mark.parametrize(("policy", "left"), [("keep", -5), ("clip", 0), ("drop", 3)])
def test_an_orphan_exit_beside_what_is_still_held(policy, left):
    """Of two buys one is refused; the sell of both would go short by the refused part."""
    log = stream(
        order(0, BUY, 3),
        fill(0, BUY, 3),
        order(2, BUY, 11),
        fill(2, BUY, 5),
        order(4, SELL, 8),
        fill(4, SELL, 4),
        fill(4, SELL, 4),
    )
    result = enforce(log, orphans=policy)
    assert position(result) == left
    if policy == "clip":
        assert (4, DecisionCode.CLIPPED) in codes(result)


def test_an_exit_that_still_reduces_is_no_orphan():
    log = stream(order(0, BUY, 10), fill(0, BUY, 10), order(2, SELL, 4), fill(2, SELL, 4))
    result = enforce(log, orphans="drop")
    assert codes(result) == []
    assert result.counts()["orphans"] == 0


@pytest.mark.parametrize(("on_trip", "left"), [("leave", 7), ("cancel_working", 4)])
def test_a_trip_may_cancel_what_works(on_trip, left):
    rules = RuleSet([Rule("errors", BreakerLimits(consecutive_errors=1))])
    log = stream(order(0, BUY, 7), fill(0, BUY, 4), {"kind": EventKind.ERROR, "instrument": -1}, fill(0, BUY, 3))
    result = enforce(log, rules, on_trip=on_trip)
    assert position(result) == left
    assert result.counts()["cancelled"] == (on_trip == "cancel_working")


@pytest.mark.parametrize(
    ("scope", "cancelled"),
    [("account", {"a", "b"}), ("account_instrument", {"a"}), ("account_product", {"a"}), ("strategy", {"a"}),
     ("connection", {"a", "d"}), ("desk", {"a", "b", "c"}), ("firm", {"a", "b", "c", "d"}),
     ("global", {"a", "b", "c", "d", "e"})],
)  # fmt: skip
def test_a_trip_cancels_what_works_under_its_key_and_nothing_else(scope, cancelled):
    order = {"kind": "order", "side": "B", "qty": 1, "price": 10}
    works = [
        {**order, "order_id": "a", "account": "A", "instrument": "X", "strategy": "s", "connection": "k"},
        {**order, "order_id": "b", "account": "A", "instrument": "Y", "strategy": "t", "connection": "m"},
        {**order, "order_id": "c", "account": "B", "instrument": "X", "strategy": "s", "connection": "m"},
        {**order, "order_id": "d", "account": "C", "instrument": "X", "strategy": "t", "connection": "k"},
        {**order, "order_id": "e", "account": "D", "instrument": "Y", "strategy": "t", "connection": "m"},
    ]
    trips = {**works[0], "order_id": "f", "qty": 9}
    later = [{**one, "kind": "fill"} for one in works]
    rows = [{"ts": ts, **row} for ts, row in enumerate([*works, trips, *later])]
    groups = {"A": ("1", "F"), "B": ("1", "F"), "C": ("2", "F"), "D": ("3", "G")}
    accounts = [Account(name, desk=desk, firm=firm) for name, (desk, firm) in groups.items()]
    log = load(*rows, instruments=(Instrument("X"), Instrument("Y")), accounts=accounts, unit="ns")
    rules = RuleSet([Rule("size", MaxOrderQty(limit=8), scope=scope, action="HALT")])
    result = enforce(log, rules, on_trip="cancel_working")
    vanished = result.rows["seq"][result.rows["code"] == DecisionCode.VANISH]
    assert {rows[seq]["order_id"] for seq in vanished} == cancelled
    assert result.counts()["cancelled"] == len(cancelled)


def test_an_unnamed_fill_cannot_be_blocked():
    result = enforce(stream(order(0, BUY, 11), fill(-1, BUY, 11)))
    assert position(result) == 11
    assert result.counts()["unnamed_fills"] == 1


def test_what_only_reduces_passes_a_pause_but_not_a_halt():
    pause = RuleSet([Rule("loss", DailyLoss(limit=1))])
    halt = RuleSet([Rule("loss", DailyLoss(limit=1), action="HALT")])
    events = [fill(-1, BUY, 5), {"kind": EventKind.PRICE, "account": -1, "price": 50}]
    events += [order(2, SELL, 5), order(3, SELL, 1), order(4, BUY, 1), {"kind": EventKind.CANCEL, "order": 2}]
    log = stream(*events)
    refused = lambda rules: replay_log(log, rules, compiled=False).rejections()["seq"].tolist()  # noqa: E731
    assert refused(pause) == [3, 4]  # 3 would flip once 2 is filled
    assert refused(halt) == [2, 3, 4]


def test_a_person_pauses_and_resumes():
    log = stream(
        {"kind": EventKind.CONTROL, "account": -1, "instrument": -1, "side": TradingCommand.PAUSE},
        order(1, BUY, 1),
        {"kind": EventKind.CONTROL, "account": 0, "instrument": -1, "side": TradingCommand.RESUME},
        order(3, BUY, 1),
    )
    result = enforce(log)
    assert codes(result) == [(1, DecisionCode.HELD)]
    assert result.refusals_by_rule()["(paused by a command)"] == 1
    assert "refused: paused" in result.explain(1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mode": "live"}, "mode='live' is not one of 'shadow', 'enforce'"),
        ({"orphans": "sell"}, "orphans='sell' is not one of 'keep', 'clip', 'drop'"),
        ({"on_trip": "stop"}, "on_trip='stop' is not one of 'leave', 'cancel_working'"),
        ({"chunk": 0}, "chunk=0 is not above zero"),
        ({"sample_ns": -1}, "sample_ns=-1 is negative; a duration is from 0 to 53,000 days"),
    ],
)
def test_a_wrong_argument_gets_a_sentence(options, sentence):
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        replay_log(stream(order(0, BUY, 1)), SMALL, compiled=False, **options)


@pytest.mark.lengthy
def test_shadow_judges_each_rule_as_if_alone():
    """A rule's bit is the same in any rule set: its windows and pauses are its own."""
    from proofs.test_proof import RULES
    from streams import random_log

    log = random_log(17, 150)
    together = replay_log(log, RULES, compiled=False)
    masks = {int(row["seq"]): int(row["mask"]) for row in together.rows if row["code"] <= DecisionCode.ALERTED}
    for k, rule in enumerate(RULES):
        alone = replay_log(log, RuleSet([rule]), compiled=False)
        bits = {int(row["seq"]) for row in alone.rows if row["code"] <= DecisionCode.ALERTED and row["mask"] & 1}
        assert bits == {seq for seq, mask in masks.items() if (mask >> k) & 1}, rule.id


def test_an_order_that_was_filled_beyond_its_quantity_has_no_room_after_a_refused_modify():
    modify = {"kind": EventKind.MODIFY, "side": BUY, "qty": 90, "price": 100, "order": 0}
    result = enforce(stream(order(0, BUY, 5), fill(0, BUY, 7), modify, fill(0, BUY, 1)))
    assert codes(result) == [(2, DecisionCode.OBJECT), (3, DecisionCode.CUT)]
    assert result.rows[["observed", "limit"]].tolist()[1] == (1, 0)
    assert position(result) == 7
