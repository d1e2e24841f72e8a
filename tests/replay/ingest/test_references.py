"""Events know their order, orders their parent and list, and an order that lapses gets a row."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import CANCEL, FILL, MODIFY, NAMED, ORDER, PRICE, X, column, load, refusal

from riskkit import EventLog, InputError, Instrument, RuleSet, Session
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import EventKind, RowFlag

# ---------------------------------------------------------------------- references


def test_events_know_the_row_of_their_order():
    unnamed = {**ORDER, "ts": 2}
    log = load(NAMED, unnamed, FILL, {**FILL, "order_id": None}, MODIFY, CANCEL)
    assert column(log, "order") == [0, -1, 0, -1, 0, 0]


def test_order_ids_of_numbers_and_gaps():
    rows = [{**ORDER, "order_id": 9}, PRICE, {**ORDER, "order_id": 10, "parent_id": 9}, {**FILL, "order_id": 10}]
    log = load(*rows)
    assert column(log, "order") == [0, -1, 2, 2]
    assert column(log, "parent") == [-1, -1, 0, -1]


def test_large_order_ids_are_not_rounded():
    frame = pd.DataFrame([ORDER, ORDER, {**FILL, "ts": 2}])
    frame["order_id"] = np.array([2**60, 2**60 + 1, 2**60 + 1])
    log = EventLog.from_frame(frame, [X])
    assert column(log, "order") == [0, 1, 1]
    frame["parent_id"] = pd.array([None, 2**60, None], "Int64")
    assert column(EventLog.from_frame(frame, [X]), "parent") == [-1, 0, -1]


def test_a_list_weighs_its_length_once():
    rows = [ORDER, *[{**ORDER, "batch": "l"}] * 3, *[{**ORDER, "batch": "m"}] * 2, ORDER]
    log = load(*rows)
    assert column(log, "batch") == [-1, 1, 1, 1, 4, 4, -1]
    assert column(log, "weight") == [1, 3, 0, 0, 2, 0, 1]


def test_children_are_the_weight_of_a_modify_and_of_a_list():
    log = load({**NAMED, "batch": "l", "children": 7}, {**ORDER, "batch": "l"}, {**MODIFY, "children": 4}, MODIFY)
    assert column(log, "weight") == [7, 0, 4, 1]


DAY = 86_400 * 10**9
MIDNIGHT = 19_787 * DAY  # in 2024
FILLS = st.fixed_dictionaries(
    {
        "ts": st.sampled_from([MIDNIGHT + shift for shift in (-DAY, -1, 0, 1, DAY)]),
        "account": st.sampled_from("AB"),
        "instrument": st.sampled_from("XY"),
        "side": st.sampled_from("BS"),
        "trade_id": st.sampled_from(["28457", "1", None]),
        "qty": st.sampled_from([1, 1, 1, 2]),
        "price": st.sampled_from([10, 10, 10, 11]),
        "fee": st.sampled_from([None, None, None, 0.5]),
        "order_id": st.sampled_from([None, None, "1", "2"]),  # orders of the account, instrument and side
    }
)
ORDERS = [
    {
        "ts": MIDNIGHT - DAY,
        "kind": "order",
        "account": account,
        "instrument": instrument,
        "side": side,
        "qty": 99,
        "price": 10,
        "order_id": f"{account}{instrument}{side}{number}",
    }
    for account, instrument, side, number in product("AB", "XY", "BS", "12")
]


def _order_of(fill):
    """The order of a fill, if it names one: of its account, instrument and side."""
    number = fill["order_id"]
    return number and fill["account"] + fill["instrument"] + fill["side"] + number


@settings(max_examples=300)
@given(st.lists(FILLS, max_size=6))
def test_a_fill_is_a_duplicate_by_account_instrument_side_id_and_day(fills):
    """Compared with a dict, for a frame and for a session; a fill with other contents is refused by both."""
    fills = [{**fill, "order_id": _order_of(fill)} for fill in sorted(fills, key=lambda fill: fill["ts"])]
    booked, flags, clash = {}, [], None
    for row, fill in enumerate(fills, len(ORDERS)):
        key = (*(fill[name] for name in ("account", "instrument", "side", "trade_id")), fill["ts"] // DAY)
        known, first = booked.setdefault(key, (row, fill)) if fill["trade_id"] else (row, fill)
        orders = {first["order_id"], fill["order_id"]} - {None}
        if len(orders) > 1 or any(first[name] != fill[name] for name in ("qty", "price", "fee")):
            clash = known, row
            break
        flags.append(int(RowFlag.DUPLICATE) if known != row else 0)
    units = [X, Instrument("Y")]
    session = Session(RuleSet([]), load(ORDER, instruments=units, accounts=["A", "B"]).universe, compiled=False)
    for order in ORDERS:
        session.process_order(**{name: value for name, value in order.items() if name != "kind"})
    for fill in fills[: len(flags)]:
        session.process_trade(**fill)
    frame = [*ORDERS, *({"kind": "fill", **fill} for fill in fills)]
    said = "with another quantity, price, fee or order; a fill is booked once"
    if clash:
        assert f"row {clash[1]}, column 'trade_id'" in (message := refusal(*frame, instruments=units))
        assert f"the fill of row {clash[0]} too, {said}" in message
        with pytest.raises(InputError, match=f"the fill of event {clash[0]} too, {said}"):
            session.process_trade(**fills[clash[1] - len(ORDERS)])
        assert len(session) == clash[1]
    if flags:
        flags = [0] * len(ORDERS) + flags
        log = load(*frame[: len(flags)], instruments=units)
        assert log.columns.get("flags", np.zeros(len(flags))).tolist() == flags
        assert session.digest == replay_log(session.log(), RuleSet([]), compiled=False).digest
        assert session.log().columns.get("flags", np.zeros(len(flags))).tolist() == flags


def test_strategies_belong_to_accounts_and_are_taken_from_the_order():
    other = {**ORDER, "account": "B", "strategy": "s"}
    log = load({**NAMED, "strategy": "s"}, FILL, MODIFY, CANCEL, {**other, "ts": 2}, {**ORDER, "ts": 2})
    assert log.universe.strategies == ("A/s", "B/s")
    assert column(log, "strategy") == [0, 0, 0, 0, 1, -1]


def test_connections_are_logins_whoever_uses_them():
    rows = [
        {**NAMED, "connection": "c"},
        FILL,
        MODIFY,
        {**CANCEL, "connection": "d"},
        {**ORDER, "ts": 2, "account": "B", "connection": "c"},
    ]
    log = load(*rows)  # fmt: skip
    assert log.universe.connections == ("c", "d")
    assert column(log, "connection") == [0, -1, 0, 1, 0]


def test_reduce_only_marks_the_order_and_its_modifies():
    rows = [
        {**NAMED, "reduce_only": True},
        MODIFY,
        {**ORDER, "ts": 2, "reduce_only": False},
        {**FILL, "reduce_only": True},
    ]
    for yes, no in ((True, False), ("true", "False"), (1, 0)):
        written = [{**row, "reduce_only": {True: yes, False: no}.get(row.get("reduce_only"))} for row in rows]
        assert column(load(*written), "flags") == [RowFlag.REDUCE_ONLY, RowFlag.REDUCE_ONLY, 0, 0]


# ---------------------------------------------------------------------- expiries


def test_an_expiry_comes_before_the_events_of_its_time():
    rows = [{**NAMED, "expires": 4}, {**PRICE, "ts": 3}, {**PRICE, "ts": 4}, {**FILL, "ts": 5}]
    log = load(*rows)
    assert column(log, "kind") == [EventKind.ORDER, EventKind.PRICE, EventKind.EXPIRE, EventKind.PRICE, EventKind.FILL]
    assert column(log, "ts") == [1, 3, 4, 4, 5]
    assert column(log, "order") == [0, -1, 0, -1, 0]
    assert column(log, "pair") == [0, -1, 0, -1, 0]
    assert log.source_rows.tolist() == [0, 1, -1, 2, 3]


def test_references_follow_their_rows():
    rows = [
        {**NAMED, "expires": 2},
        {**PRICE, "ts": 3},
        {**ORDER, "ts": 3, "order_id": "b", "batch": 1, "expires": 4},
        {**ORDER, "ts": 3, "order_id": "c", "batch": 1, "expires": 4, "parent_id": "a"},
        {**FILL, "ts": 9, "order_id": "c"},
    ]
    log = load(*rows)
    kinds = [
        EventKind.ORDER,
        EventKind.EXPIRE,
        EventKind.PRICE,
        EventKind.ORDER,
        EventKind.ORDER,
        EventKind.EXPIRE,
        EventKind.EXPIRE,
        EventKind.FILL,
    ]
    assert column(log, "kind") == kinds
    assert column(log, "order") == [0, 0, -1, 3, 4, 3, 4, 4]
    assert column(log, "batch") == [-1, -1, -1, 3, 3, -1, -1, -1]
    assert column(log, "parent") == [-1, -1, -1, -1, 0, -1, -1, -1]


def test_orders_that_cannot_lapse_get_no_row():
    never = [{**ORDER, "expires": 3}, {**NAMED, "expires": 99}, {**PRICE, "ts": 4}]
    assert column(load(*never), "kind") == [EventKind.ORDER, EventKind.ORDER, EventKind.PRICE]
    late = [{**PRICE, "ts": 5}, {**NAMED, "ts": 4, "expires": 6}, {**PRICE, "ts": 7}]
    assert EventKind.EXPIRE not in column(load(*late, ts_policy="reject"), "kind")


def test_expiries_of_sorted_and_late_rows():
    rows = [{**PRICE, "ts": 9}, {**NAMED, "ts": 1, "expires": 5}, {**PRICE, "ts": 5}]
    log = load(*rows, ts_policy="sort")
    assert column(log, "ts") == [1, 5, 5, 9] and log.source_rows.tolist() == [1, -1, 2, 0]
    late = [{**NAMED, "ts": 4, "expires": 6}, {**PRICE, "ts": 7}, {**PRICE, "ts": 5}, {**PRICE, "ts": 8}]
    log = load(*late, ts_policy="reject")
    assert column(log, "kind") == [EventKind.ORDER, EventKind.EXPIRE, EventKind.PRICE, EventKind.PRICE, EventKind.PRICE]
    assert column(log, "flags") == [0, 0, 0, RowFlag.BAD_TS, 0]


def test_expiries_as_timestamps_with_gaps():
    day = pd.Timestamp("2024-01-02", tz="UTC")
    rows = [{**NAMED, "ts": day, "expires": day + pd.Timedelta("1h")}, {**PRICE, "ts": day + pd.Timedelta("2h")}]
    assert column(load(*rows), "kind") == [EventKind.ORDER, EventKind.EXPIRE, EventKind.PRICE]


def test_orders_for_the_session_lapse_when_the_trading_day_turns():
    day = 86_400_000_000_000
    hour = day // 24
    rows = [
        {**ORDER, "ts": 5, "order_id": "a", "expires": "session"},
        {**ORDER, "ts": 5, "order_id": "b", "expires": "session 17:00 America/New_York"},  # 22:00 UTC in winter
        {**ORDER, "ts": 23 * hour, "order_id": "c", "expires": "session 17:00 America/New_York"},
        {**ORDER, "ts": 23 * hour, "order_id": "d", "expires": pd.Timestamp(day + 7, tz="UTC")},
        {**ORDER, "ts": 23 * hour, "order_id": "e", "expires": None},
        {**PRICE, "ts": 3 * day},
    ]
    log = load(*rows)
    ends = {
        int(order): int(ts)
        for kind, order, ts in zip(*(column(log, name) for name in ("kind", "order", "ts")), strict=True)
        if kind == EventKind.EXPIRE
    }
    assert ends == {0: day, 1: 22 * hour, 3: day + 22 * hour, 4: day + 7}
    live = Session(RuleSet([]), log.universe, compiled=False)
    for row in rows[:4]:
        live.process_order(**{name: row[name] for name in row if name != "kind"})
    live.process_price(ts=3 * day, instrument="X", price=10.5)
    assert live.log().columns["ts"][np.flatnonzero(live.log().columns["kind"] == EventKind.EXPIRE)].tolist() == sorted(
        ends.values()
    )
    assert "row 0, column 'expires': 'session 25:00 UTC' is no end of a session" in refusal(
        {**NAMED, "expires": "session 25:00 UTC"}
    )
    assert "is not a time" in refusal({**NAMED, "expires": "sessions"})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5), st.booleans()), min_size=1, max_size=12))
def test_expiries_against_a_plain_merge(orders):
    """Every row as (time, 0 for an expiry, else 1), merged by sorting."""
    orders = sorted(orders, key=lambda order: order[0])
    rows = [
        {**ORDER, "ts": ts, "order_id": n, "expires": ts + span if lapses else None}
        for n, (ts, span, lapses) in enumerate(orders)
    ]
    log = load(*rows)
    last = orders[-1][0]
    merged = [(ts, 1, n) for n, (ts, _, _) in enumerate(orders)]
    merged += [(ts + span, 0, n) for n, (ts, span, lapses) in enumerate(orders) if lapses and ts + span <= last]
    merged.sort()
    place = {n: at for at, (_, is_order, n) in enumerate(merged) if is_order}
    assert column(log, "ts") == [ts for ts, _, _ in merged]
    assert column(log, "kind") == [EventKind.ORDER if is_order else EventKind.EXPIRE for _, is_order, _ in merged]
    assert column(log, "order") == [place[n] for _, _, n in merged]
