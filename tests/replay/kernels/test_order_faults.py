"""Events of orders that are done, against a plain twin: each order as a small object."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streams import random_log

from riskkit import EventLog, RuleSet
from riskkit.replay.kernels.order_faults import AMENDED, FAULTS, count_faults, order_faults
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import EventKind, RowFlag


def naive(log):
    """The faults of a log, event by event."""
    found, orders = dict.fromkeys(FAULTS, 0), {}
    rows = pd.DataFrame({name: log.columns[name] for name in ("kind", "order", "qty")})
    rows["flags"] = log.columns.get("flags", 0)
    for event in rows[rows["flags"] & int(RowFlag.BAD_TS | RowFlag.DUPLICATE) == 0].itertuples():
        if event.order == event.Index:
            orders[event.order] = SimpleNamespace(qty=event.qty, filled=0, done=event.qty == 0, former=0)
        if event.order not in orders and event.kind == EventKind.SNAPSHOT and event.order >= 0:
            orders[event.order] = SimpleNamespace(qty=0, filled=0, done=True, former=0)  # its own event came too late
        if event.order not in orders or event.kind == EventKind.ORDER:
            continue
        order, name = orders[event.order], EventKind(event.kind).name.lower()
        if name in ("cancel_reject", "modify_reject"):
            if order.former > order.filled:
                order.qty, order.done = order.former, False
            order.former = 0
            continue
        if name == "snapshot":
            order.qty, order.done, order.former = order.filled + event.qty, False, 0
            continue
        if order.done and name in ("fill", "cancel", "modify"):
            found[{"fill": "fills", "cancel": "cancels", "modify": "modifies"}[name] + "_of_done_orders"] += 1
        if name == "fill":
            order.filled += event.qty
            found["overfills"] += not order.done and order.filled > order.qty
        elif name == "modify" and event.qty > 0 and not order.done:
            order.former, order.qty = order.qty, event.qty
        elif name != "modify":
            order.former = order.qty if name == "cancel" and not order.done else 0
            order.done = True
        order.done |= order.filled >= order.qty
    return found


def naive_amends(log):
    """Busts and corrections after a bust of the same fill, event by event."""
    busted, found = set(), 0
    for kind, fill, flags in zip(
        *(log.columns.get(name, [0] * len(log)) for name in ("kind", "fill", "flags")), strict=True
    ):
        if (
            kind in (EventKind.BUST, EventKind.CORRECT)
            and fill >= 0
            and not flags & int(RowFlag.BAD_TS | RowFlag.DUPLICATE)
        ):
            found += fill in busted
            busted |= {fill} if kind == EventKind.BUST else set()
    return found


@given(st.integers(0, 10**6), st.booleans())
def test_faults_are_those_of_the_plain_twin(seed, venue):
    log = random_log(seed, 120, venue=venue)
    assert order_faults(log.columns) == {**naive(log), AMENDED: naive_amends(log)}


def test_compiled_counts_are_those_of_the_plain_twin():
    log = random_log(1, 4_000)
    found, flags = np.zeros(len(FAULTS), np.int64), log.columns.get("flags", np.zeros(0, np.int32))
    count_faults(*(log.columns[name] for name in ("kind", "order", "qty")), flags, found)
    assert dict(zip(FAULTS, found.tolist(), strict=True)) == naive(log) and all(naive(log).values())


EVENTS = {
    "overfills": ["fill 20"],
    "fills_of_done_orders": ["fill 10", "fill 1"],
    "cancels_of_done_orders": ["fill 10", "cancel 0"],
    "modifies_of_done_orders": ["cancel 0", "modify 12"],
}


def log_with(events):
    rows = [{"kind": "order", "qty": 10}]
    rows += [{"kind": kind, "qty": int(qty) or None} for kind, qty in (event.split() for event in events)]
    same = {"account": "A", "instrument": "X", "side": "B", "price": 5, "order_id": "o"}
    return EventLog.from_frame(pd.DataFrame([{"ts": ts, **same, **row} for ts, row in enumerate(rows)]))


@pytest.mark.parametrize("end", ["fill 10", "cancel 0", "expire 0", "reject 0", "error 0"])
@pytest.mark.parametrize("late", ["fill 1", "cancel 0", "modify 12"])
def test_an_event_of_an_order_that_has_ended_is_counted_however_it_ended(end, late):
    result = replay_log(log_with([end, late]), RuleSet([]), compiled=False)
    name = {"fill": "fills", "cancel": "cancels", "modify": "modifies"}[late.split()[0]]
    assert {key: count for key, count in result.summary().items() if key in FAULTS and count} == {
        f"{name}_of_done_orders": 1
    }
    assert not any(
        fault.replace("_", " ") in str(replay_log(log_with([end]), RuleSet([]), compiled=False)) for fault in FAULTS
    )


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_a_result_shows_what_cannot_be(fault, mode):
    result = replay_log(log_with(EVENTS[fault]), RuleSet([]), mode, compiled=False)
    assert {name: result.summary()[name] for name in FAULTS} == {**dict.fromkeys(FAULTS, 0), fault: 1}
    assert f"{fault.replace('_', ' ')}  " in str(result)


def test_a_result_of_a_sound_log_says_nothing_of_them():
    text = str(replay_log(log_with(["fill 4", "modify 12", "fill 8"]), RuleSet([]), compiled=False))
    assert "done orders" not in text and "overfills" not in text


AMENDS = {"kind": "fill", "account": "A", "instrument": "X", "side": "B", "qty": 10, "price": 5, "trade_id": "t"}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [("bust", 0), ("correct bust", 0), ("bust bust", 1), ("bust correct bust", 2), ("correct correct", 0)],
)
def test_a_bust_of_a_busted_fill_is_counted_and_said(kinds, expected):
    rows = [AMENDS, *({**AMENDS, "kind": kind} for kind in kinds.split())]
    log = EventLog.from_frame(pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(rows)]))
    result = replay_log(log, RuleSet([]), compiled=False)
    assert log.order_faults[AMENDED] == result.summary()[AMENDED] == expected
    assert ("amends of busted fills" in str(result)) == bool(expected)
    assert result.accounts()["profit"].sum() == 0
