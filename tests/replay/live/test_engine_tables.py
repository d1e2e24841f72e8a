"""What an engine has in memory: room, labels, zones, decisions of an event, the state that another engine goes on with."""

from __future__ import annotations

import numpy as np
import pytest
from marks import needs_compiling

from riskkit import Rule, RuleSet
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import Account, Instrument, Universe
from riskkit.rules import DailyLoss, DuplicateOrder, MaxOrderQty

X, SIZE = Instrument("X"), RuleSet([Rule("size", MaxOrderQty(limit=5))])
ORDER = {"account": 0, "instrument": 0, "side": 1, "price": 100}


def universe() -> Universe:
    return Universe((X,), (Account("A"),), {"USD": X.tick})


def engine(rules: RuleSet = SIZE, labels: Universe | None = None) -> Engine:
    return Engine(rules, labels or universe(), compiled=False)


def test_the_decisions_of_one_event_are_those_of_all_at_its_number():
    live = engine()
    for ts, qty in enumerate((1, 9, 3, 8)):
        live.push(ts, EventKind.ORDER, qty=qty, **ORDER)
    assert [len(live.decisions_on(number)) for number in range(4)] == [0, 1, 0, 1]
    assert live.decisions_on(3) == live.last(1)


def test_facts_of_the_loop():
    assert not engine().finds_duplicates
    assert engine(RuleSet([Rule("twice", DuplicateOrder(limit=1, window_ns="1s"))])).finds_duplicates
    assert engine().loop.shape.rules[0].name.startswith("max_order_qty")
    late = engine(RuleSet([Rule("loss", DailyLoss(limit=5, tz="America/New_York", roll_hour=17))]))
    assert late.zones == set()  # days begin with the first event
    late.push(0, EventKind.ORDER, qty=1, **ORDER)
    assert late.zones == {("America/New_York", 17)}


@pytest.mark.lengthy
def test_room_for_many_events_is_made_before_they_come():
    live = engine()
    live.push(0, EventKind.ORDER, qty=1, **ORDER)
    live.make_room(5_000)
    columns = live.journal.columns["ts"]
    for ts in range(5_000):
        live.push(ts, EventKind.ORDER, qty=1, **ORDER)
    assert live.journal.columns["ts"] is columns and live.growth.follows()


def test_labels_that_appear_come_in_without_a_replay():
    live = engine(labels=OpenUniverse(universe(), X))
    live.push(0, EventKind.ORDER, qty=1, **ORDER)
    live.labels.add("accounts", "B")
    assert live.follows()
    live.push(1, EventKind.ORDER, qty=9, **{**ORDER, "account": 1})
    assert len(live.decisions_on(1)) == 1


def test_another_engine_goes_on_with_state_and_decisions():
    first, second = engine(), engine()
    for live in (first, second):
        live.push(0, EventKind.ORDER, qty=9, **ORDER)
    second.go_on(first.state.copy(), [first.last(1).copy()])
    for live in (first, second):
        live.push(1, EventKind.ORDER, qty=7, **ORDER)
    assert first.digest == second.digest and np.array_equal(first.last(2), second.last(2))


@needs_compiling
def test_the_last_row_of_a_compiled_step_is_the_last_decision():
    live = Engine(SIZE, universe())
    prepared = live.prepare(0, EventKind.ORDER, qty=9, **ORDER)
    for _ in range(3):
        assert live.submit(prepared) == 1
    assert live.last_row() == live.last(1).tobytes()
