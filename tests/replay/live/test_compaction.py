"""A session that forgets decides as one that keeps everything, after whatever event it forgets, and however little it keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import random_log, whole_lists

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.engine_tables import Past
from riskkit.replay.schema.columns import DecisionCode, EventKind
from riskkit.rules import (
    ChildOrderLimit,
    DailyLoss,
    DuplicateOrder,
    MarketMakerProtection,
    OrderRate,
    Pace,
    PositionLimit,
    PriceCollar,
    SelfTradePrevention,
)

RULES = RuleSet(
    [
        Rule("rate", OrderRate(limit=9, window_ns="1h")),
        Rule("pace", Pace(limit=3, window_ns="20min", max_queue=4)),
        Rule("size", PositionLimit(limit=25)),
        Rule("own", SelfTradePrevention()),
        Rule("twice", DuplicateOrder(limit=1, window_ns="2h")),
        Rule("parent", ChildOrderLimit()),
        Rule("collar", PriceCollar(pct="0.04", reference="own_fill")),
        Rule("burst", MarketMakerProtection(qty_limit=12, window_ns="20min", freeze_ns="1h")),
        Rule("day", DailyLoss(limit=30), scope="strategy"),
        Rule("desk", DailyLoss(limit=30, measure="realised"), scope="desk"),
    ]
)
LONG, SHORT = 1 << 60, 3 * 400_000_000_000


class Rolling:
    """An engine that forgets, with what it has forgotten."""

    def __init__(self, log: EventLog, mode: str) -> None:
        self.engine = Engine(RULES, log.universe, mode, compiled=False)
        self.moved: list[Past] = []

    def forget(self, ids_ns: int) -> None:
        self.moved.append(self.engine.compact(ids_ns))
        self.engine.past = self.past

    def past(self) -> Past:
        columns = [part.columns for part in self.moved]
        joined = {name: np.concatenate([one[name] for one in columns]) for name in columns[0]}
        return Past(joined, np.concatenate([part.rows for part in self.moved]))

    def again(self) -> Rolling:
        """The same from a snapshot."""
        other = Rolling.__new__(Rolling)
        other.engine, other.moved = Engine.restore(self.engine.snapshot(), RULES, compiled=False), self.moved
        other.engine.past = other.past if self.moved else None
        return other


@pytest.mark.lengthy
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), opened=st.booleans(), mode=st.sampled_from(["shadow", "enforce"]), data=st.data())
def test_with_a_long_horizon_nothing_is_lost(seed, opened, mode, data):
    log = random_log(seed, 120, opened=opened, venue=True, actions=True)
    stops = {whole_lists(log, stop) for stop in data.draw(st.lists(st.integers(1, len(log)), max_size=4))}
    rolling, first = Rolling(log, mode), 0
    for stop in sorted(stops | {len(log)}):
        rolling.engine.feed(log, first, stop)
        rolling.forget(LONG)
        rolling, first = rolling.again(), stop
    whole = replay_log(log, RULES, mode, compiled=False)
    assert rolling.engine.digest == whole.digest
    assert rolling.engine.result().digest == whole.digest
    assert rolling.engine.result().accounts().equals(whole.accounts())
    assert len(rolling.engine._journal) < len(log)


@pytest.mark.lengthy
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), opened=st.booleans(), mode=st.sampled_from(["shadow", "enforce"]), data=st.data())
def test_with_a_short_horizon_what_was_taken_is_decided_as_in_a_replay(seed, opened, mode, data):
    """Events of what is forgotten are refused; all others are decided as without forgetting."""
    log = random_log(seed, 120, opened=opened, venue=True, actions=True)
    every = data.draw(st.integers(1, 40))
    rolling, row, taken, numbers = Rolling(log, mode), 0, 0, {-1: -1}
    while row < len(log):
        stop = whole_lists(log, row + 1)
        events = [rolling_row(log, at, numbers, rolling.engine.size - row) for at in range(row, stop)]
        try:
            assert None not in events
            rolling.engine.take(events)
            numbers |= {at: rolling.engine.size - stop + at for at in range(row, stop)}
            taken += 1
        except (InputError, AssertionError) as error:
            assert isinstance(error, AssertionError) or "is not kept: it is older than" in str(error)
        if stop // every > row // every:
            rolling.forget(SHORT)
        row = stop
    whole = replay_log(rolling.engine.log(), RULES, mode, compiled=False)
    assert rolling.engine.digest == whole.digest
    assert rolling.engine.result().accounts().equals(whole.accounts())
    assert taken > 40


def rolling_row(log: EventLog, at: int, numbers: dict[int, int], shift: int) -> dict[str, int] | None:
    """A row under the numbers that its events have; None if one of them was not taken."""
    row = {name: int(column[at]) for name, column in log.columns.items()}
    for name in ("order", "parent", "fill", "batch"):
        if row[name] >= 0:
            number = numbers.get(row[name]) if row[name] < at and name != "batch" else row[name] + shift
            if number is None:
                return None
            row[name] = number
    return row


@pytest.mark.lengthy
def test_memory_does_not_grow_with_history():
    sizes = []
    log = random_log(4, 600, venue=True, actions=True)
    rolling = Rolling(log, "shadow")
    numbers: dict[int, int] = {-1: -1}
    for row in range(len(log)):
        event = rolling_row(log, row, numbers, rolling.engine.size - row)
        if event is None or event["batch"] >= 0:
            continue
        try:
            rolling.engine.take([event])
            numbers[row] = rolling.engine.size - 1
        except InputError:
            continue
        if row % 50 == 49:
            rolling.forget(SHORT)
            sizes.append(
                (len(rolling.engine._journal), len(rolling.engine.state.orders), len(rolling.engine.state.fills))
            )
    assert max(sizes[6:])[0] <= 2 * max(sizes[:6])[0]
    with pytest.raises(InputError, match=r"event 0 is not kept: it is older than the session's horizon"):
        rolling.engine.row(0)
    assert (rolling.engine.result().rows["code"] == DecisionCode.OBJECT).any()


def test_a_journal_of_which_everything_is_kept_is_read_once():
    log = random_log(2, 1, venue=True, actions=True).columns
    rolling = Rolling(random_log(2, 30, venue=True, actions=True), "shadow")
    order = {"account": 0, "instrument": 0, "side": 1, "qty": 2, "price": 100}
    for number in range(3):
        rolling.engine.push(int(log["ts"][0]) + number, EventKind.ORDER, order=number, **order)
    digest = rolling.engine.digest
    for _ in range(2):
        rolling.forget(LONG)
        assert len(rolling.engine.log()) == rolling.engine.size == 3
        assert rolling.engine.result().digest == rolling.engine.digest == digest
