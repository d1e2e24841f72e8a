"""The live session by labels: the same decisions as a replay, bad input refused whole, actions that explain themselves."""

from __future__ import annotations

import re
import threading
import tracemalloc
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import random_scenarios
import scenario_runner
from live_rows import submit

from riskkit import Account, EventLog, InputError, Instrument, Rule, RuleSet
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session import Session
from riskkit.replay.results.decisions import DecisionKind
from riskkit.replay.rules.circuit_breaker import BreakerLimits
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import MISSING
from riskkit.rules import (
    AllowedInstruments,
    CashLimit,
    ConsecutiveErrors,
    DailyLoss,
    MaxOrderQty,
    MinOrderQty,
    OrderRate,
    PositionLimit,
    PriceCollar,
    RepeatedExecutionThrottle,
    TickLotCheck,
    TradingState,
    VolumeCap,
)

X = Instrument("X")
ORDER = {"account": "A", "instrument": "X", "side": "B", "qty": 2, "price": "10.50"}
SECOND = 1_000_000_000
DAY = 86_400 * SECOND


def session_of(*rules: Rule, **options) -> Session:
    accounts = options.pop("accounts", ["A", "B"])
    return Session.create(RuleSet(rules), [X, Instrument("Y", lot=5)], accounts, compiled=False, **options)


def decided(session: Session) -> tuple[bytes, int, str]:
    result = session.result()
    return result.rows.tobytes(), len(session), result.digest


# ---------------------------------------------------------------------- the same as a replay


def scenario_rows(scenario: dict) -> list[dict]:
    rows, names, latest = [], scenario_runner._Names(), 0
    for number, event in enumerate(scenario_runner.unroll(scenario), 1):
        late, latest = event["ts"] < latest, max(latest, event["ts"])
        rows += scenario_runner._rows(number, event, names, late)
    return rows


@pytest.mark.parametrize("seed", range(8))
def test_labels_one_at_a_time_give_the_digest_of_the_frame(seed):
    scenario = random_scenarios.scenario(seed, 50)
    log, _ = scenario_runner.log_of(scenario)
    rules = scenario_runner.rules_of(scenario)
    options = {"on_bad_order": "flag", "unknown_orders": "external", "ts_policy": "reject", "compiled": False}
    session = Session(rules, log.universe, scenario["mode"], **options)
    rows = scenario_rows(scenario)
    stop = next(at for at in range(20, 50) if rows[at].get("batch") is None)  # not within a list
    submit(session, rows[:stop])
    session = Session.restore(session.snapshot(), rules, compiled=False)
    submit(session, rows[stop:])
    expected = replay_log(log, rules, scenario["mode"], compiled=False)
    assert session.digest == expected.digest
    assert session.result().states() == expected.states()


def test_expiring_orders_lapse_where_the_door_lets_them():
    rows = [
        {**ORDER, "ts": 1, "kind": "order", "order_id": "a", "expires": 10},
        {**ORDER, "ts": 2, "kind": "order", "order_id": "b", "expires": 5},
        {**ORDER, "ts": 10, "kind": "order", "order_id": "c", "expires": 11},
        {"ts": 30, "kind": "price", "instrument": "X", "price": 11},
    ]
    rules = RuleSet([Rule("size", PositionLimit(limit=4))])
    log = EventLog.from_frame(pd.DataFrame(rows), [X], ["A"])
    session = Session(rules, log.universe, compiled=False)
    for at, row in enumerate(rows):
        if at == 2:
            session = Session.restore(session.snapshot(), rules, compiled=False)
        submit(session, [row])
    assert session.digest == replay_log(log, rules, compiled=False).digest
    assert len(session) == 7


def test_a_session_restored_knows_orders_trades_and_pauses():
    rules = (Rule("errors", ConsecutiveErrors(limit=2, open_ns=SECOND)), Rule("size", PositionLimit(limit=100)))
    session = session_of(*rules, auto_register=Instrument("any", tick="0.5"))
    session.process_order(ts=1, order_id="a", **ORDER)
    session.process_trade(ts=2, order_id="a", qty=1, price="10.50", trade_id=7)
    session.process_order(ts=2, **{**ORDER, "instrument": "new", "account": "C", "price": 3})
    for ts in (3, 4):
        paused = session.process_error(ts=ts, account="A")
    assert [action.action for action in paused] == [DecisionKind.PAUSE]
    again = Session.restore(session.snapshot(), session.rules, compiled=False)
    for one in (session, again):
        assert "duplicate" in one.process_trade(ts=5, order_id="a", qty=1, price="10.50", trade_id=7)[0].reason
        with pytest.raises(InputError, match="order_id='a' is used already"):
            one.process_order(ts=5, order_id="a", **ORDER)
        resumed = one.tick(4 + SECOND)
        assert [(action.action, action.key) for action in resumed] == [(DecisionKind.RESUME, "A")]
        one.process_order(ts=5 + SECOND, **{**ORDER, "instrument": "other", "price": "2.5"})
    assert decided(session) == decided(again)
    with pytest.raises(InputError, match="not of a Session"):
        Session.restore(Engine(session.rules, session.universe, compiled=False).snapshot(), session.rules)


# ---------------------------------------------------------------------- bad input


BAD = [
    ("process_order", {"price": float("nan")}, "price=None is not a price"),
    ("process_order", {"price": None}, "a market order says type='market'"),
    ("process_order", {"price": "10.505"}, "is not on the tick 0.01 of X"),
    ("process_order", {"price": -1}, "is not above zero"),
    ("process_order", {"price": float("inf")}, "is not a price"),
    ("process_order", {"price": 5, "type": "market"}, "is the price of a market order"),
    ("process_order", {"type": "pegged"}, "is not limit, market, stop, stop_limit, trailing or peg"),
    ("process_order", {"type": "stop_limit", "price": 5}, "stop=None is not a price; this type of order has a stop"),
    ("process_order", {"price": 5, "stop": 6}, "stop=6 is a field of other types of order (stop, stop_limit)"),
    ("process_order", {"type": "stop", "stop": 6, "price": 5}, "price=5 is the price of a stop order; leave it empty"),
    ("process_order", {"qty": 0}, "a quantity is a number above zero"),
    ("process_order", {"qty": -2}, "a quantity is a number above zero"),
    ("process_order", {"qty": True}, "is not a quantity"),
    ("process_order", {"qty": "1.5"}, "is not a multiple of the lot 1 of X"),
    ("process_order", {"qty": 1e16}, "too large to be exact as a float"),
    ("process_order", {"qty": 2**63}, "is beyond 64 bits in units of 1"),
    ("process_order", {"qty": 2**61}, "could overflow 64 bits"),
    ("process_order", {"side": "up"}, "is not a side; use B or S"),
    ("process_order", {"side": None}, "is not a side"),
    ("process_order", {"account": "Z"}, "account='Z' is not declared"),
    ("process_order", {"account": None}, "is not a label"),
    ("process_order", {"instrument": "Z"}, "instrument='Z' is not declared"),
    ("process_order", {"order_id": "a"}, "is used already by the order of event 0"),
    ("process_order", {"parent_id": "?"}, "does not name an earlier order"),
    ("process_order", {"expires": 5}, "is not after the time of its order"),
    ("process_order", {"reserve": "1.001"}, "is not on the tick"),
    ("process_order", {"ts": 4}, "is earlier than the event before it, at 5"),
    ("process_order", {"ts": 5.0}, "is not a time"),
    ("process_order", {"ts": pd.Timestamp("2024-01-01")}, "is not a time"),
    ("process_order", {"ts": 2**62}, "is not a time from 1824 to 2116"),
    ("process_modify", {"order_id": "?"}, "does not name an earlier order"),
    ("process_modify", {"order_id": None}, "is not the id of an order"),
    ("process_modify", {"order_id": "a", "qty": -1}, "0 (unchanged) or above"),
    ("process_modify", {"order_id": "a", "price": "much"}, "is not a price"),
    ("process_modify", {"order_id": "a", "children": 0}, "is not a number of messages"),
    ("process_modify", {"order_id": "a", "side": "S"}, "of the other side"),
    ("process_cancel", {"order_id": "a", "account": "B"}, "of another account or instrument"),
    ("process_trade", {"order_id": "?", "qty": 1, "price": 1}, "does not name an earlier order"),
    ("process_trade", {"order_id": "a", "qty": 1, "price": 1, "side": "S"}, "of the other side"),
    ("process_trade", {"order_id": "a", "qty": 1, "price": float("nan")}, "is not a price"),
    ("process_trade", {"order_id": "a", "qty": 1, "price": 1, "fee": "0.001"}, "not a multiple of the quantum"),
    ("process_trade", {"account": "A", "instrument": "X", "qty": 1, "price": 1}, "is not a side"),
    ("process_price", {"instrument": "X"}, "a price event has at least one"),
    ("process_price", {"instrument": "X", "bid": "x"}, "bid='x' is not a price"),
    ("process_cash", {"account": "A", "amount": float("nan")}, "is not an amount of money"),
    ("process_cash", {"account": "A", "amount": 2**54}, "could reach"),
    ("process_cash", {"account": "A", "amount": 1, "flow": "gift"}, "is not one of DEPOSIT"),
    ("process_cash", {"account": "A", "amount": 1, "currency": "EUR"}, "is not a currency of this universe"),
    ("process_equity", {"account": "A", "equity": None}, "is not an amount of money"),
    ("process_closed_trade", {"account": "A", "instrument": "X", "side": "long", "ret": "x"}, "is not a return"),
    ("command", {"cmd": "halt!"}, "is not one of ACTIVE"),
]


@pytest.mark.parametrize(("call", "fields", "why"), BAD)
def test_bad_input_is_refused_whole(call, fields, why):
    session = session_of(Rule("rate", OrderRate(limit=50, window_ns="1s")))
    session.process_order(ts=5, order_id="a", **ORDER)
    before = decided(session)
    given = {**(ORDER if call == "process_order" else {}), **fields}
    with pytest.raises(InputError) as refused:
        getattr(session, call)(**{**({} if call == "command" else {"ts": 5}), **given})
    assert why in str(refused.value)
    assert decided(session) == before
    assert session.process_order(ts=5, order_id="b", **ORDER) == []


@pytest.mark.parametrize(
    ("call", "fields", "sentence"),
    [
        ("process_cancel", {}, "order_id=None is not the id of an order; a cancel names its order"),
        (
            "process_modify",
            {"order_id": None, "qty": 1},
            "order_id=None is not the id of an order; a modify names its order",
        ),
        (
            "process_price",
            {"instrument": "X"},
            "price=None is not a price; a price event has at least one of price, bid and ask",
        ),
        ("process_order", {**ORDER, "side": None}, "side=None is not a side; use B or S"),
        ("process_order", {**ORDER, "qty": None}, "qty=None is not a quantity; a quantity is a number above zero"),
    ],
)
def test_what_is_not_given_is_said_to_be_absent(call, fields, sentence):
    with pytest.raises(InputError) as refused:
        getattr(session_of(), call)(**{"ts": 5, **fields})
    assert str(refused.value) == sentence


def test_a_list_is_refused_whole():
    session = session_of(Rule("rate", OrderRate(limit=3, window_ns="1s")))
    good = {"instrument": "X", "side": "B", "qty": 1, "price": 10}
    for bad, why in [
        ([good, {**good, "price": "x"}], "is not a price"),
        ([{**good, "order_id": 1}, {**good, "order_id": 1}], "used twice in the list"),
        ([good, {**good, "account": "B"}], "is another account"),
        ([], "is an empty list"),
    ]:
        with pytest.raises(InputError, match=why):
            session.process_order_list(ts=0, account="A", orders=bad)
    assert len(session) == 0
    assert session.process_order_list(ts=0, account="A", orders=[good] * 3) == []
    found = session.process_order_list(ts=1, account="A", orders=[good, good])
    assert {action.action for action in found} == {DecisionKind.REJECT}
    assert found[0].observed == 5


def test_an_account_keeps_to_one_currency():
    things = [X, Instrument("E", currency="EUR")]
    session = Session.create(RuleSet([]), things, ["A", Account("B", {"EUR": 5})], compiled=False)
    session.process_order(ts=0, **ORDER)
    with pytest.raises(InputError, match="account 'A' would mix USD and EUR"):
        session.process_order(ts=0, **{**ORDER, "instrument": "E"})
    with pytest.raises(InputError, match="account 'B' would mix EUR and USD"):
        session.process_cash(ts=0, account="B", amount=1, currency="USD")
    mixed = Session.create(RuleSet([]), things, ["A"], currencies="many", compiled=False)
    mixed.process_order(ts=0, **ORDER)
    mixed.process_order(ts=0, **{**ORDER, "instrument": "E"})
    assert len(mixed) == 2


def test_late_events_by_policy():
    rate = Rule("rate", OrderRate(limit=1, window_ns=10))
    reject, clamp = session_of(rate, ts_policy="reject"), session_of(rate, ts_policy="clamp")
    for session in (reject, clamp):
        session.process_order(ts=100, **ORDER)
    late = reject.process_order(ts=99, **ORDER)
    assert [(action.action, action.rule) for action in late] == [(DecisionKind.REJECT, "")]
    assert "earlier than the event before it" in late[0].reason
    assert [action.rule for action in clamp.process_order(ts=99, **ORDER)] == ["rate"]
    assert clamp.log().columns["ts"].tolist() == [100, 100]


def test_what_could_overflow_is_refused_by_the_engine_of_codes_too():
    session = session_of(Rule("size", PositionLimit(limit=1)))
    live = Engine(session.rules, session.universe, compiled=False)
    order = {"account": 0, "instrument": 0, "side": 1, "qty": 1, "price": 1_000}
    live.push(0, 0, **order)
    before = live.result().rows.tobytes(), live.size
    for fields, why in [
        ({"qty": 2**58}, "could overflow 64 bits"),
        ({"price": 2**61}, "could overflow 64 bits"),
        ({"qty": 2**70}, "beyond 64 bits"),
        ({"qty": -1}, "not those of an order"),
        ({"account": -1}, "needs an account"),
        ({"side": 9}, "is not a side"),
    ]:
        with pytest.raises(InputError, match=why):
            live.push(0, 0, **{**order, **fields})
    with pytest.raises(InputError, match="is earlier"):
        live.push(-1, 0, **order)
    with pytest.raises(InputError, match="not a kind"):
        live.push(0, 15, **order)
    assert (live.result().rows.tobytes(), live.size) == before
    for _ in range(3):  # many that fit alone and not together
        live.push(0, 0, **{**order, "qty": 2**48})
    with pytest.raises(InputError, match="could overflow"):
        for _ in range(2_000):
            live.push(0, 0, **{**order, "qty": 2**47})
    assert np.abs(live.result().state.positions["open_buy_qty"]).max() < 2**62


def test_beyond_the_quick_bound_the_door_is_asked():
    """Turnover of many accounts may pass the sum that is kept, as long as no balance could leave 64 bits."""
    people = [f"A{a}" for a in range(3)]
    session = Session.create(RuleSet([]), [X], people, quantum="0.01", compiled=False)
    for account in people:
        session.process_cash(ts=0, account=account, amount=2 * 10**15)
    assert session._live._reach.words[0] > 2**58
    session.process_order(ts=0, **{**ORDER, "account": "A0"})
    with pytest.raises(InputError, match="its balance could reach"):
        session.process_cash(ts=0, account="A0", amount=2 * 10**15)


# ---------------------------------------------------------------------- auto_register


def test_labels_are_registered_at_first_sight():
    known = Rule("known", AllowedInstruments(instruments=("X",)), action="ALERT")
    session = session_of(
        Rule("rate", OrderRate(limit=2, window_ns="1s")), known, auto_register=Instrument("any", tick="0.25", lot="0.1")
    )
    session.process_order(ts=0, **ORDER)
    first = session.process_order(ts=1, **{**ORDER, "account": "C", "instrument": "N", "qty": "0.3", "price": "7.25"})
    assert [(action.action, action.rule) for action in first] == [(DecisionKind.ALERT, "known")]
    with pytest.raises(InputError, match="is not on the tick 0.25 of M"):
        session.process_order(ts=2, **{**ORDER, "account": "D", "instrument": "M", "price": "7.20"})
    assert [account.id for account in session.universe.accounts] == ["A", "B", "C"]
    assert [one.id for one in session.universe.instruments] == ["X", "Y", "N"]
    assert session.process_order(ts=3, strategy="s", connection="c", **ORDER) == []
    assert [action.rule for action in session.process_order(ts=4, **ORDER)] == ["rate"]
    assert replay_log(session.log(), session.rules, compiled=False).digest == session.digest


# ---------------------------------------------------------------------- actions


def test_actions_carry_the_units_of_the_rule():
    session = session_of(
        Rule("size", PositionLimit(limit=4)),
        Rule("collar", PriceCollar(pct="0.1", on_missing_price="allow")),
        Rule("cap", VolumeCap(notional="100.50")),
        Rule("small", MinOrderQty(limit=2)),
        Rule("free", CashLimit()),
        accounts=[Account("A", {"USD": "60.25"}), "B"],
    )
    session.process_price(ts=0, instrument="X", price=10)
    order = {"account": "A", "instrument": "X", "side": "B", "price": 10}

    def said(**fields):
        found = session.process_order(ts=1, **{**order, **fields})[0]
        return found.action.name, found.rule, found.key, found.observed, found.limit, found.headroom

    assert said(qty=5) == ("REJECT", "size", "A", 5, 4, -1)
    assert said(qty=2, price=Decimal("11.50")) == ("REJECT", "collar", "A", 1.5, 1, -0.5)
    assert said(qty=1) == ("REJECT", "small", "A", 1, 2, -1)
    session.process_cash(ts=1, account="A", amount=-50)
    assert said(qty=2) == ("REJECT", "free", "A", 20, 10.25, -9.75)
    found = session.process_order(ts=1, **{**order, "qty": 2})[0]
    assert (found.ts, found.seq, found.account, found.instrument) == (1, 6, "A", "X")
    assert isinstance(found.limit, float) and found.until is None
    assert "observed 20 USD, limit 10.25 USD" in str(found)


def test_trips_say_what_was_seen_and_when_they_end():
    session = session_of(
        Rule("day", DailyLoss(limit="5.00")),
        Rule("breaker", BreakerLimits(consecutive_errors=2, daily_loss=100), hold="1min"),
        Rule("rate", OrderRate(limit=1, window_ns="1s"), action="PAUSE", hold="1s", scope="account_product"),
    )
    session.process_order(ts=0, order_id="a", **ORDER)
    session.process_trade(ts=0, order_id="a", qty=2, price="10.50")
    loss = session.process_price(ts=SECOND, instrument="X", price=8)
    assert [(a.action, a.rule, a.key, a.observed, a.limit, a.headroom) for a in loss] == [
        (DecisionKind.PAUSE, "day", "A", 5, 5, 0)
    ]
    assert loss[0].until == 86_400 * SECOND and "1970-01-02" in loss[0].reason
    refused = session.process_order(ts=SECOND, **ORDER)
    assert [(a.action, a.rule) for a in refused] == [(DecisionKind.REJECT, "day")]
    assert "A is paused by day, until 1970-01-02" in refused[0].reason
    session.process_error(ts=SECOND, account="B")
    halted = session.process_error(ts=SECOND, account="B")
    assert [(a.action, a.rule, a.key, a.observed, a.limit) for a in halted] == [
        (DecisionKind.HALT, "breaker", "B", 2, 2)
    ]
    rate = [session.process_order(ts=2 * SECOND, **{**ORDER, "account": "A", "side": "S", "qty": 1}) for _ in range(2)]
    assert [(a.action, a.rule, a.key, a.observed, a.limit) for a in rate[1]] == [
        (DecisionKind.REJECT, "rate", "A/X", 2, 1),
        (DecisionKind.PAUSE, "rate", "A/X", 2, 1),
    ]
    resumed = session.tick(61 * SECOND)
    assert [(a.action, a.rule, a.key) for a in resumed] == [
        (DecisionKind.RESUME, "breaker", "B"),
        (DecisionKind.RESUME, "rate", "A/X"),
    ]
    assert [(a.action, a.rule) for a in session.reset_daily()] == [(DecisionKind.RESUME, "day")]
    assert session.tick() == []
    assert replay_log(session.log(), session.rules, compiled=False).digest == session.digest


def test_people_pause_and_resume():
    session = session_of(
        Rule("state", TradingState()), Rule("breaker", BreakerLimits(consecutive_errors=1), hold="reset")
    )
    assert [(a.action, a.key) for a in session.pause("A", 1)] == [(DecisionKind.PAUSE, "A")]
    refused = session.process_order(ts=2, **ORDER)
    assert "A is paused by a command" in refused[0].reason
    assert [a.action for a in session.resume("A")] == [DecisionKind.RESUME]
    assert session.process_order(ts=2, **ORDER) == []
    assert [a.action for a in session.process_error(ts=3, account="A")] == [DecisionKind.HALT]
    reset = session.reset_breaker("A")
    assert [(a.action, a.rule) for a in reset] == [(DecisionKind.RESUME, ""), (DecisionKind.RESUME, "breaker")]
    assert session.process_order(ts=4, **ORDER) == []
    assert [a.action for a in session.command("HALTED")] == [DecisionKind.HALT]
    assert [a.rule for a in session.process_order(ts=5, **ORDER)] == ["state"]


def test_several_rules_object_and_warn():
    session = session_of(
        Rule("one", OrderRate(limit=0, window_ns=1)),
        Rule("two", OrderRate(limit=0, window_ns=1)),
        Rule("warn", PositionLimit(limit=1), action="ALERT"),
        Rule("warned", PositionLimit(limit=0), action="ALERT"),
    )
    assert session.process_order(ts=0, **ORDER)[0].reason.endswith("two, warn, warned object too.")
    alerts = session_of(*list(session.rules)[2:]).process_order(ts=0, **ORDER)
    assert [(a.action, a.rule, a.observed) for a in alerts] == [
        (DecisionKind.ALERT, "warn", 2),
        (DecisionKind.ALERT, "warned", None),
    ]
    assert DecisionKind.ALERT < DecisionKind.REJECT < DecisionKind.REDUCE_ONLY < DecisionKind.PAUSE < DecisionKind.HALT
    assert str(DecisionKind.PAUSE) == "PAUSE" and DecisionKind.PAUSE is DecisionKind.PAUSE_ORDER


def test_off_grid_orders_are_flagged_where_asked():
    fine = Instrument("X", price_step="0.001")
    session = Session.create(
        RuleSet([Rule("grid", TickLotCheck())]), [fine], ["A"], on_bad_order="flag", compiled=False
    )
    assert [a.rule for a in session.process_order(ts=0, **{**ORDER, "price": "10.505"})] == ["grid"]
    assert [a.rule for a in session.process_order(ts=0, **{**ORDER, "price": float("nan")})] == ["grid"]
    assert [a.rule for a in session.process_order(ts=0, **{**ORDER, "qty": -1})] == ["grid"]
    with pytest.raises(InputError, match="declare it with a finer price_step"):
        session.process_order(ts=0, **{**ORDER, "price": "10.5005"})
    with pytest.raises(InputError, match="is not on the tick"):
        session.process_price(ts=0, instrument="X", price="10.505")


# ---------------------------------------------------------------------- looking


def test_a_view_stands_still():
    session = session_of(Rule("rate", OrderRate(limit=5, window_ns="1s")), Rule("cap", VolumeCap(limit=10)))
    session.process_order(ts=0, order_id="a", **ORDER)
    session.process_trade(ts=0, order_id="a", qty=2, price="10.50")
    status = session.status()
    session.process_trade(ts=0, account="A", instrument="X", side="B", qty=1, price="10.50")
    assert (status.size, status.position("A", "X"), session.status().position("A", "X")) == (2, 2.0, 3.0)
    assert status.position("A", "nothing") == 0.0
    assert status.accounts().loc["A", "cash"] == -21.0
    assert status.positions().loc[("A", "X"), "qty"] == 2.0
    assert status.states() == {"A": "ACTIVE", "B": "ACTIVE"}
    used = status.utilization().set_index(["rule", "key"])
    assert used.loc[("rate", "A"), ["observed", "limit", "headroom"]].tolist() == [1, 5, 4]
    assert used.loc[("cap", "A"), ["observed", "limit", "headroom"]].tolist() == [2, 10, 8]
    session.tick(SECOND)
    assert session.status().utilization().set_index(["rule", "key"]).loc[("rate", "A"), "observed"] == 0
    assert "after 2 events" in repr(status)
    empty = session_of(Rule("cap", VolumeCap(limit=10))).status()
    assert (empty.size, empty.ts, empty.states()) == (0, 0, {"A": "ACTIVE", "B": "ACTIVE"})


def test_times_with_a_zone_are_times():
    session = session_of(Rule("rate", OrderRate(limit=1, window_ns=10)))
    session.process_order(ts=pd.Timestamp("2024-03-05 14:30:00.000000001", tz="UTC"), **ORDER)
    session.process_order(ts=np.int64(1_709_649_000_000_000_011), **ORDER)
    assert session.log().columns["ts"].tolist() == [1_709_649_000_000_000_001, 1_709_649_000_000_000_011]
    assert len(session.result().rows) == 0


# ---------------------------------------------------------------------- events of an account


def test_an_ack_ends_a_run_of_errors():
    session = session_of(Rule("errors", ConsecutiveErrors(limit=2)))
    for ts, call in enumerate((session.process_error, session.process_ack, session.process_error)):
        assert call(ts=ts, account="A") == []
    [halted] = session.process_error(ts=3, account="A")
    assert (halted.action, halted.rule, halted.key) == (DecisionKind.PAUSE, "errors", "A")
    assert replay_log(session.log(), session.rules, compiled=False).digest == session.digest


def test_executions_are_counted_by_account():
    session = session_of(Rule("executions", RepeatedExecutionThrottle(limit=2)))
    for ts in range(2):
        session.process_execution(ts=ts, account="A")
    session.process_execution(ts=2, account="B")
    [refused] = session.process_order(ts=3, **ORDER)
    assert (refused.action, refused.rule, refused.observed) == (DecisionKind.REJECT, "executions", 2)
    assert session.process_order(ts=4, **{**ORDER, "account": "B"}) == []
    assert replay_log(session.log(), session.rules, compiled=False).digest == session.digest


@pytest.mark.parametrize(("unit", "scale"), [("seconds", 10**9), ("milliseconds", 10**6), ("microseconds", 10**3)])
def test_a_first_time_of_another_unit_is_refused_and_the_ways_out_work(unit, scale):
    number = 1_709_649_000 * 10**9 // scale
    session = session_of(Rule("rate", OrderRate(limit=50, window_ns="1s")))
    with pytest.raises(
        InputError, match=f"ts={number} has the size of a date in {unit}, .* multiply it by {scale:,}, or"
    ):
        session.process_order(ts=number, **ORDER)
    assert len(session) == 0
    session.process_order(ts=number * scale, **ORDER)
    simulated = session_of(Rule("rate", OrderRate(limit=50, window_ns="1s")))
    simulated.tick(0)
    assert simulated.process_order(ts=number, **ORDER) == []


BEGINNINGS = {
    "an order": lambda session: session.process_order(ts=0, **ORDER),
    "two orders": lambda session: [session.process_order(ts=0, **ORDER) for _ in range(2)],
    "a price": lambda session: session.process_price(ts=0, instrument="X", price=5),
    "a command without a time": lambda session: (session.pause("A"), session.resume("A")),
}


@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize(("unit", "scale"), [("milliseconds", 10**6), ("microseconds", 10**3)])
def test_a_time_of_another_unit_after_a_0_is_refused_too(begin, unit, scale):
    number = 1_709_649_123_456_789 * 1_000 // scale
    session = session_of(Rule("rate", OrderRate(limit=50, window_ns="1s")))
    BEGINNINGS[begin](session)
    before, said = (
        session.digest,
        f"ts={number} has the size of a date in {unit} after a 0, .* multiply it by {scale:,}, or",
    )
    rows = pd.DataFrame([{"ts": number, "kind": "order", **ORDER}])
    for call in (
        lambda: session.process_order(ts=number, **ORDER),
        lambda: session.process_price(ts=number, instrument="X", price=5),
    ):
        with pytest.raises(InputError, match=said):
            call()
    assert re.match(said, session.process(rows).errors[0])
    assert session.digest == before
    session.process_order(ts=number * scale, **ORDER)
    assert session.latest == number * scale
    session.process_order(ts=number * scale + 1, **ORDER)


@pytest.mark.parametrize("step", [1, 10**6, 999_999_999, 10**9, 1_709_649_123, 400 * 10**9, 7 * 86_400 * 10**9])
def test_a_simulation_goes_on_from_0_in_small_or_round_steps(step):
    session = session_of(Rule("rate", OrderRate(limit=50, window_ns="1s")))
    for turn in range(3):
        session.process_order(ts=turn * step, **ORDER)
    assert session.latest == 2 * step


def test_the_latest_time_of_a_session_is_that_of_its_last_event():
    session = session_of()
    assert session.latest == MISSING
    session.process_order(ts=7, **ORDER)
    assert session.latest == 7


def test_an_equity_from_outside_replaces_the_computed_one():
    session = session_of(Rule("day", DailyLoss(limit=10), action="PAUSE"))
    session.process_equity(ts=1, account="A", equity=100)
    session.process_equity(ts=DAY, account="A", equity=100)
    (pause,) = session.process_equity(ts=DAY + 1, account="A", equity=80)
    assert (pause.action, pause.rule, pause.observed) == (DecisionKind.PAUSE, "day", 20)


def test_the_formatter_of_a_session_has_the_rules_and_their_limits_in_lots():
    session = session_of(Rule("size", PositionLimit(limit=3)))
    assert [rule.id for rule in session.formatter.rules] == ["size"]
    assert session.formatter.params[0].limit == 3 / session.universe.quantity_unit


def test_what_the_venue_says_back_moves_what_works_and_what_is_held():
    """A position of at most 10: each answer frees or takes what the next order needs."""
    rules = RuleSet([Rule("position", PositionLimit(limit=10))])
    session = Session.create(rules, [Instrument("X")], [Account("A")], mode="enforce", compiled=False)
    whose = {"account": "A", "instrument": "X"}

    def passes(ts, order_id, qty):
        found = session.process_order(ts=ts, **whose, side="B", qty=qty, price=10, order_id=order_id)
        return all(decision.action != DecisionKind.REJECT for decision in found)

    assert passes(1, "a", 10) and not passes(2, "b", 1)
    session.process_reject(ts=3, **whose, order_id="a")
    assert passes(4, "c", 10)
    session.process_cancel(ts=5, **whose, order_id="c")
    session.process_cancel_reject(ts=6, **whose, order_id="c")
    assert not passes(7, "d", 1)
    session.process_modify(ts=8, **whose, side="B", qty=4, price=10, order_id="c")
    session.process_modify_reject(ts=9, **whose, order_id="c")
    assert not passes(10, "e", 1)
    session.process_expire(ts=11, **whose, order_id="c")
    session.process_trade(ts=12, **whose, side="B", qty=10, price=10, trade_id="t")
    session.process_correct(ts=13, **whose, trade_id="t", qty=8, price=10)
    assert passes(14, "f", 2) and not passes(15, "g", 1)
    session.process_bust(ts=16, **whose, trade_id="t")
    assert passes(17, "h", 8) and not passes(18, "i", 1)


def test_the_status_costs_the_same_after_many_events():
    made = Session.create(
        RuleSet([Rule("size", MaxOrderQty(limit=5))]), [Instrument("X")], [Account("A")], compiled=False
    )
    sizes = []
    for n in range(1_200):
        made.process_order(ts=n, account="A", instrument="X", side="B", qty=1, price=100, order_id=n)
        if n in (99, 1_199):
            tracemalloc.start()
            made.status().states()
            sizes.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert sizes[1] < 1.5 * sizes[0]


def test_a_reader_does_not_wait_for_a_call_and_gets_what_the_next_one_publishes():
    session = session_of()
    session.process_trade(ts=0, **ORDER)
    assert session.status().size == 1
    session.process_trade(ts=1, **ORDER)
    found = []

    def beside(read):
        """What a reader gets while this thread is in a call."""
        with session._lock:
            thread = threading.Thread(target=lambda: found.append(read()))
            thread.start()
            thread.join()
        return found[-1]

    assert beside(session.status).size == 1
    session.process_trade(ts=2, **ORDER)
    later = beside(session.status)
    assert (later.size, later.position("A", "X")) == (3, 6)
    session.process_trade(ts=3, **ORDER)
    assert later.position("A", "X") == 6 and session.status().size == 4
