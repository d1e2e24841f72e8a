"""What the venue says back: rejects, expiries, busts and corrections, in every way of running and from every door."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_rows import submit
from marks import needs_compiling
from naive.replay import interpret
from one_digest import assert_one_digest
from random_scenarios import PARAMETERS, scenario
from refusing import refusal
from scenario_runner import run
from streams import random_log

from riskkit import Account, EventLog, InputError, Instrument, Rule, RuleSet, Session
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import AMENDS, ANSWERS, EventKind, kind_word
from riskkit.rules import (
    DailyLoss,
    MarketMakerProtection,
    MaxOrderQty,
    OrderRate,
    OrderToTradeRatio,
    PositionLimit,
    SelfTradePrevention,
    VolumeCap,
)

NEW = [kind_word(kind) for kind in (*ANSWERS, *AMENDS)]
RULES = RuleSet(
    [
        Rule("size", PositionLimit(limit=25)),
        Rule("traded", VolumeCap(limit=80, tz="America/New_York", roll_hour=17), scope="global"),
        Rule("own", SelfTradePrevention()),
        Rule("burst", MarketMakerProtection(qty_limit=12, window_ns="20min", freeze_ns="1h")),
        Rule("ratio", OrderToTradeRatio(limit=3, window_ns="1h", least=4)),
        Rule("day", DailyLoss(limit=30), scope="strategy"),
        Rule("desk", DailyLoss(limit=30, measure="realised"), scope="desk"),
    ]
)


@pytest.mark.xdist_group("generic")
@needs_compiling
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), opened=st.booleans(), data=st.data())
def test_every_way_of_running_gives_one_digest(seed, opened, data):
    assert_one_digest(random_log(seed, 120, opened=opened, venue=True, actions=True), RULES, data)


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_a_rule_decides_as_the_naive_interpreter_whatever_the_venue_says(name, long):
    for seed in range(3 if long else 2):
        given_ = scenario(7000 * seed + len(name), 90, types=[name], weights=dict.fromkeys(NEW, 7))
        found, twin = run(given_, "plain"), interpret(given_)
        assert found.decisions == twin.decisions
        if long or not seed:
            assert run(given_, "live") == found


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_books_without_a_busted_fill_are_those_of_a_log_without_it(seed):
    """Position, cash, profit and fees; and with a correction those of a log that had it so from the start."""
    log = random_log(seed, 60)
    fills = [
        row for row in range(len(log)) if log.columns["kind"][row] == EventKind.FILL and not log.columns["flags"][row]
    ]
    if not fills:
        return
    fill, kind = fills[seed % len(fills)], AMENDS[seed % 2]
    columns = {name: column.copy() for name, column in log.columns.items()}
    known = {name: int(columns[name][fill]) for name in ("account", "instrument", "pair", "side")}
    last = dict.fromkeys(columns, 0) | {"order": -1, "batch": -1, "parent": -1, "strategy": -1, "connection": -1}
    last |= {**known, "kind": int(kind), "fill": fill, "ts": int(columns["ts"].max()), "trade_id": -1, "weight": 1}
    last |= {"qty": 5, "price": 99} if kind == EventKind.CORRECT else {}
    told = {name: [*column.tolist(), last[name]] for name, column in columns.items()}
    told = {name: pd.Series(values, dtype=columns[name].dtype).to_numpy() for name, values in told.items()}
    columns["qty"][fill] = last["qty"]
    columns["price"][fill] = last["price"] if kind == EventKind.CORRECT else columns["price"][fill]
    columns["fee"][fill] = columns["fee"][fill] if kind == EventKind.CORRECT else 0
    pairs = log.pair_account, log.pair_instrument
    rules = RuleSet([Rule("day", DailyLoss(limit=10**9))])
    amended, clean = (
        replay_log(EventLog(made, *pairs, log.universe), rules, compiled=False).state for made in (told, columns)
    )
    for name in ("qty", "cost", "realised"):
        assert (amended.positions[name] == clean.positions[name]).all(), name
    for name in ("cash", "realised", "fees", "cost"):
        assert (amended.accounts[name] == clean.accounts[name]).all(), name


def test_a_stream_without_the_new_kinds_has_the_loop_that_it_had():
    log = random_log(3, 60)
    shape = shape_of(RULES, log.columns, enforce=True, sampled=False, cancels=False, opened=False)
    text = specialise(shape).text
    assert not any(word in text for word in ("former_qty", "fill_records", "noted", "take_out", "all_fills"))


# ---------------------------------------------------------------------- the doors

ORDER = {"account": "A", "instrument": "X", "side": "B", "price": 10}
LIMIT = RuleSet([Rule("pos", PositionLimit(limit=25))])


def both_ways(rows, rules=LIMIT):
    """Numbers of the rows that are refused, by a frame and by a live session, which must agree."""
    rows = [{"ts": ts, **row} for ts, row in enumerate(rows)]
    frame = pd.DataFrame(rows).astype(object)
    log = EventLog.from_frame(frame.where(frame.notna(), None), [Instrument("X", tick="0.01")], [Account("A")])
    result = replay_log(log, rules, compiled=False)
    live = Session.create(rules, [Instrument("X", tick="0.01")], ["A"], compiled=False)
    submit(live, rows)
    assert live.result().digest == result.digest
    return sorted({int(row["seq"]) for row in result.rows})


def end(kind, number):
    """An event that ends an order; an error has no instrument."""
    row = {"kind": kind, "account": "A", "order_id": f"o{number}"}
    return row if kind == "error" else {**row, "instrument": "X"}


@pytest.mark.parametrize("kind", ["error", "reject", "expire", "cancel"])
def test_an_order_that_is_followed_by_its_end_works_no_longer(kind):
    rows = []
    for number in range(9):
        rows += [{"kind": "order", **ORDER, "qty": 10, "order_id": f"o{number}"}]
        rows += [end(kind, number)]
    assert both_ways(rows) == []
    assert both_ways([row for row in rows if row["kind"] == "order"]) == list(range(2, 9))


def test_an_error_without_an_order_ends_none():
    rows = [{"kind": "order", **ORDER, "qty": 10, "order_id": f"o{number}"} for number in range(3)]
    assert both_ways([*rows[:1], {"kind": "error", "account": "A"}, *rows[1:]]) == [3]


@pytest.mark.parametrize(("kind", "refused"), [("reject", []), ("expire", []), ("error", []), ("cancel", [1, 3, 5])])
def test_only_a_cancel_counts_as_the_traders(kind, refused):
    rules = RuleSet([Rule("rate", OrderRate(limit=0, window_ns="1s", kinds=("cancel",)), action="ALERT"), *LIMIT])
    rows = []
    for number in range(3):
        rows += [{"kind": "order", **ORDER, "qty": 1, "order_id": f"o{number}"}]
        rows += [end(kind, number)]
    assert both_ways(rows, rules) == refused


def test_a_rejected_modify_leaves_what_was_before_it():
    modify = {"kind": "modify", "account": "A", "instrument": "X", "order_id": "a", "qty": 1}
    order = {"kind": "order", **ORDER, "qty": 20, "order_id": "a"}
    more = {"kind": "order", **ORDER, "qty": 10}
    answer = {"kind": "modify_reject", "account": "A", "instrument": "X", "order_id": "a"}
    assert both_ways([order, modify, more]) == []
    assert both_ways([order, modify, answer, more]) == [3]
    assert both_ways([order, modify, answer, answer, {**more, "qty": 5}]) == [], "there is one modify to undo"


def test_a_cancel_that_the_venue_refused_brings_back_what_is_left():
    order, cancel = {"kind": "order", **ORDER, "qty": 20, "order_id": "a"}, {**ORDER, "kind": "cancel", "order_id": "a"}
    fill, answer = {**ORDER, "kind": "fill", "qty": 5, "order_id": "a"}, {**cancel, "kind": "cancel_reject"}
    more = {"kind": "order", **ORDER, "qty": 10}
    assert both_ways([order, cancel, fill, answer, more]) == [4], "5 held, 15 working, 10 more"
    assert both_ways([order, cancel, cancel, answer, more]) == [4], "a second cancel does not confirm the first"
    assert both_ways([order, cancel, {**cancel, "kind": "expire"}, answer, more]) == [], "it has expired since"


FILL = {"kind": "fill", **ORDER, "qty": 10, "trade_id": "t"}
BUST = {"kind": "bust", "account": "A", "instrument": "X", "trade_id": "t"}


@pytest.mark.parametrize("again", [{}, {"qty": 3}, {"price": 11}, {"fee": 2}])
def test_the_id_of_a_busted_fill_is_never_new(again):
    rows = [FILL, BUST, {**FILL, **again}, {"kind": "order", **ORDER, "qty": 1}]
    rows = [{"ts": ts, **row} for ts, row in enumerate(rows)]
    log = EventLog.from_frame(pd.DataFrame(rows), [Instrument("X", tick="0.01")])
    assert replay_log(log, LIMIT, compiled=False).summary()["duplicates"] == 1


def test_a_corrected_fill_repeats_in_its_old_and_its_new_contents_only():
    correct = {**FILL, "kind": "correct", "qty": 8, "price": 10}
    more = {"kind": "order", **ORDER, "qty": 17}
    for qty in (8, 10):
        assert both_ways([FILL, correct, {**FILL, "qty": qty}, more]) == [2], "17 and 8 are 25"
    with pytest.raises(InputError, match="with another quantity, price, fee or order; a fill is booked once"):
        both_ways([FILL, correct, {**FILL, "qty": 9}])


def test_a_corrected_fill_keeps_its_fee_unless_the_correction_has_one():
    paid, more = {**FILL, "fee": 2}, {"kind": "order", **ORDER, "qty": 17}
    correct = {**paid, "kind": "correct", "qty": 8}
    for fee, fits in ((None, 2), (3, 3)):
        rows = [paid, {**correct, "fee": fee}]
        assert both_ways([*rows, {**paid, "qty": 8, "fee": fits}, more]) == [2], "17 and 8 are 25"
        with pytest.raises(InputError, match="with another quantity, price, fee or order; a fill is booked once"):
            both_ways([*rows, {**paid, "qty": 8, "fee": 4}])


SENTENCES = [
    ([BUST], "row 0, column 'trade_id': 't' does not name an earlier fill of its account and instrument"),
    (
        [FILL, {**BUST, "trade_id": None}],
        "row 1, column 'trade_id': nothing is not the id of a fill; a bust names its fill",
    ),
    ([FILL, {**FILL, "side": "S"}, BUST], "row 2, column 'trade_id': 't' names a buy and a sell; give the side"),
    (
        [{**ORDER, "kind": "reject"}],
        "row 0, column 'order_id': nothing is not the id of an order; a reject names its order",
    ),
]


@pytest.mark.parametrize(("rows", "sentence"), SENTENCES)
def test_what_names_nothing_is_refused(rows, sentence):
    frame = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(rows)])
    assert refusal(EventLog.from_frame, frame, [Instrument("X", tick="0.01")]) == sentence


def test_orders_that_lapse_move_the_rows_to_which_a_bust_refers():
    rows = [
        {"ts": 0, "kind": "order", **ORDER, "qty": 1, "order_id": "a", "expires": 1},
        {"ts": 2, **FILL},
        {"ts": 3, **BUST},
    ]
    log = EventLog.from_frame(pd.DataFrame(rows), [Instrument("X", tick="0.01")])
    assert log.columns["kind"].tolist() == [EventKind.ORDER, EventKind.EXPIRE, EventKind.FILL, EventKind.BUST]
    assert log.columns["fill"].tolist() == [-1, -1, -1, 2]


def test_the_fee_of_a_fill_that_was_dropped_is_not_given_back():
    """A bust books the position anew, without the fills of refused orders and without their fees."""
    frame = pd.DataFrame(
        [
            {"kind": "order", "order_id": 1, "qty": 9, "price": 10},
            {"kind": "fill", "order_id": 1, "qty": 9, "price": 10, "fee": 3},
            {"kind": "fill", "trade_id": "a", "qty": 1, "price": 10, "fee": 1},
            {"kind": "fill", "trade_id": "b", "qty": 2, "price": 10, "fee": 1},
            {"kind": "bust", "trade_id": "b"},
        ]
    ).assign(ts=range(5), account="A", instrument="X", side="B")
    result = replay_log(
        EventLog.from_frame(frame), RuleSet([Rule("size", MaxOrderQty(limit=5))]), "enforce", compiled=False
    )
    assert result.counts()["fills_vanished"] == 1
    assert result.accounts()[["cash", "fees"]].to_numpy().tolist() == [[-11.0, 1.0]]


def test_a_cancel_that_waits_for_the_venue_is_the_same_at_every_door():
    size = RuleSet([Rule("size", PositionLimit(limit=25))])
    order = {
        "ts": 1,
        "kind": "order",
        "account": "A",
        "instrument": "X",
        "side": "B",
        "qty": 20,
        "price": 10,
        "order_id": "a",
    }
    about = {"kind": "cancel", "account": "A", "instrument": "X", "order_id": "a"}
    rows = [order, {**about, "ts": 2, "cancel_frees": "confirmed"}, {**order, "ts": 3, "order_id": "b"}]
    rows += [{**about, "ts": 4, "kind": "expire"}, {**order, "ts": 5, "order_id": "c"}]
    log = EventLog.from_frame(pd.DataFrame(rows), [Instrument("X")])
    replayed = replay_log(log, size, "enforce", compiled=False)
    assert replayed.rejections()["seq"].tolist() == [2]
    assert not any(log.order_faults.values())
    session = Session(size, log.universe, mode="enforce", compiled=False)
    submit(session, rows)
    assert session.digest == replayed.digest
    freed = [{**row, "cancel_frees": "request"} if row["kind"] == "cancel" else row for row in rows]
    same = EventLog.from_frame(pd.DataFrame(freed), [Instrument("X")])
    assert replay_log(same, size, "enforce", compiled=False).rejections()["seq"].tolist() == [4]
    for word in ("later", ""):
        wrong = [order, {**about, "ts": 2, "cancel_frees": word}]
        if word:
            assert "cancel_frees" in refusal(EventLog.from_frame, pd.DataFrame(wrong), [Instrument("X")])
            assert "cancel_frees" in refusal(session.process_cancel, ts=6, order_id="c", cancel_frees=word)
        else:  # an empty cell is the default
            assert "flags" not in EventLog.from_frame(pd.DataFrame(wrong), [Instrument("X")]).columns
