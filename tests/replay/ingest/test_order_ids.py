"""Order ids under each declared policy: what an event names, what is refused, and the same live as from a frame."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_rows import submit
from rows import CANCEL, FILL, MODIFY, NAMED, ORDER, X, column, load, refusal

from riskkit import EventLog, InputError, Instrument, Rule, RuleSet, Session, compare
from riskkit.compat import RiskEngine
from riskkit.compat.rules import Direction, Order, Trade
from riskkit.replay.ingest.order_ids import WITHIN
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import ANSWERS, FIRST_EXTERNAL, OrderStatus, kind_word
from riskkit.replay.schema.constants import DAY_NS
from riskkit.rules import PositionLimit, SelfTradePrevention

RULES = RuleSet([Rule("size", PositionLimit(limit=6)), Rule("own", SelfTradePrevention())])
NAMING = ("fill", "cancel", "modify", "error", *map(kind_word, ANSWERS))


def session_with(**options: Any) -> Session:
    return Session.create(RULES, [X], ["A", "B"], compiled=False, **options)


# ---------------------------------------------------------------------- the rule, in a few lines


def naive_orders(rows: list[dict[str, Any]], policy: str) -> list[int]:
    """The order column that a policy gives, event by event; a refusal is a ValueError."""
    orders: dict[Any, list[int]] = {}
    before: dict[Any, int] = {}
    found = []
    for number, row in enumerate(rows):
        key = (row["order_id"], row["account"] if "account" in policy else "")
        named = orders.setdefault(key, [])
        same = [at for at in named if "day" not in policy or rows[at]["ts"] // DAY_NS == row["ts"] // DAY_NS]
        if row["kind"] == "order":
            if same:
                raise ValueError(f"row {number}: is used already by the order of row {same[0]}")
            if any(
                one["order_id"] == row["order_id"]
                and ("account" not in policy or one["account"] == row["account"])
                and ("day" not in policy or one["ts"] // DAY_NS == row["ts"] // DAY_NS)
                for one, of in zip(rows, found, strict=False)
                if of <= FIRST_EXTERNAL
            ):
                raise ValueError(f"row {number}: was named before")
            named.append(number)
            found.append(number)
        elif named:
            if rows[named[-1]]["account"] != row["account"]:
                raise ValueError(f"row {number}: another account")
            found.append(named[-1])
        else:
            found.append(before.setdefault((row["order_id"], row["account"]), FIRST_EXTERNAL - len(before)))
    return found


@st.composite
def frames(draw) -> list[dict[str, Any]]:
    """Events of few ids in two accounts over three days, all buys of X."""
    ts, rows = 0, [{**NAMED, "ts": 0, "price": 10, "order_id": "0"}]
    for _ in range(draw(st.integers(1, 14))):
        ts += draw(st.sampled_from([0, 1, DAY_NS // 2]))
        kind = draw(st.sampled_from(["order"] * len(NAMING) + list(NAMING)))
        row = {"ts": ts, "kind": kind, "account": draw(st.sampled_from("AB")), "order_id": draw(st.sampled_from("123"))}
        row |= {} if kind == "error" else {"instrument": "X"}
        row |= {"side": "B", "qty": draw(st.integers(1, 3)), "price": 10} if kind in ("order", "fill", "modify") else {}
        rows.append(row)
    return rows


@pytest.mark.parametrize("policy", WITHIN)
@settings(max_examples=40, deadline=None)
@given(rows=frames(), cut=st.integers(0, 14))
def test_frame_and_session_resolve_ids_as_the_policy_says(policy, rows, cut):
    options = {"order_ids": policy, "unknown_orders": "external"}
    try:
        expected = naive_orders(rows, policy)
    except ValueError:
        with pytest.raises(InputError):
            EventLog.from_frame(pd.DataFrame(rows), [X], ["A", "B"], unit="ns", **options)
        with pytest.raises(InputError):
            submit(session_with(**options), rows)
        return
    log = EventLog.from_frame(pd.DataFrame(rows), [X], ["A", "B"], unit="ns", **options)
    assert column(log, "order") == expected
    session = session_with(quantum=log.universe.quantum, **options)
    submit(session, rows[:cut])
    session = Session.restore(session.snapshot(), RULES, compiled=False)
    submit(session, rows[cut:])
    assert session.log().columns["order"].tolist() == expected
    assert session.result().rows.tobytes() == replay_log(log, RULES, compiled=False).rows.tobytes()
    assert session.log().external == log.external


def test_an_id_is_that_of_one_order_unless_a_policy_is_declared():
    other, next_day = {**NAMED, "account": "B"}, {**NAMED, "ts": 1 + DAY_NS}
    assert column(load(NAMED, other, order_ids="account"), "order") == [0, 1]
    assert column(load(NAMED, next_day, order_ids="day", unit="ns"), "order") == [0, 1]
    assert column(load(NAMED, other, {**next_day}, order_ids="account_day", unit="ns"), "order") == [0, 1, 2]
    for rows, policy, says in [
        ((NAMED, other), "day", "within a day (UTC); if they are used again, give order_ids='account_day'"),
        ((NAMED, next_day), "account", "within an account; if they are used again, give order_ids='account_day'"),
        ((NAMED, NAMED), "account_day", "within a day (UTC) of an account"),
    ]:
        assert refusal(*rows, order_ids=policy, unit="ns") == (
            f"row 1, column 'order_id': 'a' is used already by the order of row 0; ids are unique {says}"
        )


def test_an_order_of_yesterday_is_filled_today_and_its_children_know_it():
    child = {**ORDER, "ts": 2 + DAY_NS, "parent_id": "a"}
    rows = [NAMED, {**FILL, "ts": 1 + DAY_NS}, child, {**NAMED, "ts": 3 + DAY_NS}, {**child, "ts": 4 + DAY_NS}]
    log = load(*rows, order_ids="day", unit="ns")
    assert column(log, "order") == [0, 0, -1, 3, -1]
    assert column(log, "parent") == [-1, -1, 0, -1, 3]


def test_children_belong_to_a_parent_of_their_own_account_if_ids_are_those_of_accounts():
    rows = [NAMED, {**NAMED, "account": "B"}, {**ORDER, "parent_id": "a"}, {**ORDER, "account": "B", "parent_id": "a"}]
    assert column(load(*rows, order_ids="account"), "parent") == [-1, -1, 0, 1]


def test_a_live_cancel_needs_its_account_only_if_several_have_the_id():
    session = session_with(order_ids="account")
    order = {name: value for name, value in NAMED.items() if name not in ("ts", "kind")}
    session.process_order(ts=1, **order)
    session.process_cancel(ts=2, order_id="a")
    session.process_order(ts=3, **{**order, "account": "B"})
    with pytest.raises(
        InputError, match=r"order_id='a' is the id of an order in several accounts \(A, B\); give the account"
    ):
        session.process_cancel(ts=4, order_id="a")
    session.process_cancel(ts=4, order_id="a", account="B")
    assert session.log().columns["order"].tolist() == [0, 0, 2, 2]


# ---------------------------------------------------------------------- orders from before the log


def kept(*kinds: str) -> list[dict[str, Any]]:
    """An event of each kind of the order "old"."""
    bases = {"fill": FILL, "modify": MODIFY, "error": {"ts": 2, "kind": "error", "account": "A"}}
    return [{**bases.get(kind, {**CANCEL, "kind": kind}), "order_id": "old"} for kind in kinds]


@pytest.mark.parametrize("kind", NAMING)
@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_events_of_orders_from_before_the_log_are_kept_and_counted(kind, mode):
    rows = [*kept(kind, kind), {**NAMED, "ts": 2}, *kept(kind)]
    assert refusal(*rows).startswith(
        "row 0, column 'order_id': 'old' does not name an earlier order; if it is of an order"
    )
    log = load(*rows, unknown_orders="external")
    assert column(log, "order") == [-2, -2, 2, -2]
    result = replay_log(log, RULES, mode, compiled=False)
    assert (result.summary()["external_events"], result.summary()["external_orders"]) == (3, 1)
    assert "from before the log" in str(log) and "3 events of 1 order\n" in str(result)
    assert result.positions()["qty"].sum() == (6 if kind == "fill" else 0)
    assert result.counts()["unnamed_fills"] == 0
    assert result.state.orders["status"][0] == OrderStatus.UNKNOWN, "the record of no order"
    assert result.state.accounts["working"].sum() == 1


def test_a_log_without_them_says_nothing():
    result = replay_log(load(NAMED), RULES, compiled=False)
    assert "from before" not in str(result) + str(result.log)
    assert result.state.counts[Counter.UNNAMED_FILLS] == 0


def test_a_comparison_says_what_is_from_before_the_log_and_what_cannot_be():
    ended = [{**NAMED, "ts": 2}, {**CANCEL, "ts": 3}, {**CANCEL, "ts": 4}]
    found = compare(load(*kept("fill"), *ended, unknown_orders="external"), RULES, compiled=False).sentences()
    assert found[:2] == [
        "The log has 1 event of 1 order from before it; the fills among them are booked.",
        "The log as recorded has 1 cancel of done orders.",
    ]
    assert compare(load(NAMED), RULES, compiled=False).sentences()[0].startswith("The limits object to")


def test_parents_are_orders_of_the_log():
    says = "row 0, column 'parent_id': 'old' does not name an earlier order"
    assert refusal({**ORDER, "parent_id": "old"}, unknown_orders="external") == says


def test_an_order_cannot_come_after_its_events():
    assert refusal(*kept("fill"), {**NAMED, "order_id": "old"}, ts_policy="clamp", unknown_orders="external") == (
        "row 0, column 'order_id': 'old' names a later order"
    )
    session = session_with(unknown_orders="external")
    submit(session, kept("fill"))
    with pytest.raises(InputError, match="order_id='old' is used already by event 0, of an order from before the log"):
        submit(session, [{**NAMED, "ts": 3, "order_id": "old"}])


def test_what_expires_moves_no_external_order():
    rows = [*kept("fill"), {**NAMED, "ts": 2, "expires": 3}, {**NAMED, "ts": 4, "order_id": "b"}, *kept("cancel")]
    log = load(*rows, unknown_orders="external", ts_policy="clamp", unit="ns")
    assert column(log, "order") == [-2, 1, 1, 3, -2]


def test_stored_logs_keep_them(tmp_path):
    log = load(*kept("fill", "cancel"), unknown_orders="external")
    log.to_parquet(tmp_path / "log.parquet")
    assert EventLog.from_parquet(tmp_path / "log.parquet").external == log.external == (2, 1)


def test_the_small_engine_takes_the_same_policies():
    engine = RiskEngine([], unknown_orders="external", order_ids="day", compiled=False)
    engine.process_trade(Trade(1, 7, 100, 2, 0, account_id="A", contract_id="T", direction=Direction.BID))
    engine.process_cancel(7, 1, account_id="A", contract_id="T")
    for day in range(2):
        engine.process_order(Order(8, "A", "T", Direction.BID, 100, 1, 2 + day * DAY_NS))
        engine.process_trade(Trade(2, 8, 100, 1, 3 + day * DAY_NS))
    assert engine.log().columns["order"].tolist() == [-2, -2, 2, 2, 4, 4]
    assert engine.status().position("A", "T") == 4


# ---------------------------------------------------------------------- one order is one order


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ({"side": "S"}, "names an order of the other side"),
        ({"instrument": "Y"}, "names an order of another account or instrument"),
        ({"kind": "cancel", "instrument": "Y"}, "names an order of another account or instrument"),
        ({"kind": "expire", "instrument": "Y"}, "names an order of another account or instrument"),
        ({}, ""),
        ({"kind": "cancel"}, ""),
        ({"account": "B", "side": "S", "instrument": "Y"}, ""),  # another account's order of that id
        ({"order_id": "z", "side": "S"}, ""),
    ],
)
@pytest.mark.parametrize("policy", ["unique", "day"])
def test_an_order_from_before_the_log_has_one_side_and_instrument(second, why, policy):
    rows = [{**FILL, "order_id": "e"}, {**FILL, "order_id": "e", **second}]
    both = {"instruments": (X, Instrument("Y")), "unknown_orders": "external", "order_ids": policy}
    session = Session.create(
        RULES, [X, Instrument("Y")], ["A", "B"], compiled=False, unknown_orders="external", order_ids=policy
    )
    submit(session, rows[:1])
    if not why:
        load(*rows, **both)
        submit(session, rows[1:])
        return
    assert refusal(*rows, **both) == f"row 1, column 'order_id': 'e' {why}"
    with pytest.raises(InputError, match=f"order_id='e' {why}"):
        submit(session, rows[1:])
    if policy == "day":
        rows[1]["ts"] += DAY_NS  # the id of another order
        load(*rows, **both)
        submit(session, rows[1:])


@pytest.mark.parametrize("name", ["order_id", "trade_id", "account", "instrument", "strategy", "connection"])
@pytest.mark.parametrize(("one", "other"), [(7, "7"), ("7", " 7"), (7.0, "7 "), ("7", 7), ("a", "a\t")])
def test_names_of_several_types_or_with_spaces_are_one_name(name, one, other):
    rows = [{**NAMED, "order_id": "o"}, {**FILL, "order_id": "o"}, {**FILL, "order_id": "o"}]
    first = 1 if name == "trade_id" else 0
    spelt = [{**row, name: other if at == 2 else one} if at >= first else row for at, row in enumerate(rows)]
    plain = [{**row, name: str(other).strip()} if at >= first else row for at, row in enumerate(rows)]
    found, expected = (load(*given, instruments=None) for given in (spelt, plain))
    assert found.universe == expected.universe
    assert all(column(found, one) == column(expected, one) for one in expected.columns)
