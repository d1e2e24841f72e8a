"""The circuit breaker by itself and as a rule: what trips, what ends it, and that both are one."""

from __future__ import annotations

import threading
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from refusing import refusal

from riskkit import Account, CircuitBreaker, EventLog, Instrument, Rule, RuleSet, replay_log
from riskkit.replay import Engine
from riskkit.replay.schema.columns import DecisionCode
from riskkit.rules import BreakerLimits, DailyLoss

HOUR = 3_600_000_000_000
DAY = 24 * HOUR


def ns(text: str, tz: str = "UTC") -> int:
    return int(pd.Timestamp(text, tz=tz).as_unit("ns").value)


# ---------------------------------------------------------------------- the day's loss


def test_a_loss_that_is_reached_trips():
    breaker = CircuitBreaker(daily_loss=100)
    breaker.record_trade("-99.99")
    assert breaker.can_execute() and breaker.daily_loss == 99.99
    breaker.record_trade("-0.01")
    assert not breaker.can_execute()
    assert breaker.reason == "the day's loss reached 100"


def test_a_profit_reduces_the_loss_but_never_below_zero():
    breaker = CircuitBreaker(daily_loss=100)
    for pnl, loss in ((-40, 40.0), (15, 25.0), (1_000, 0.0), (-99, 99.0)):
        breaker.record_trade(pnl)
        assert breaker.daily_loss == loss
    assert breaker.can_execute(), "the earlier profit is no credit, but the loss is not yet 100"
    breaker.record_trade(-1)
    assert not breaker.can_execute()


@pytest.mark.parametrize("tenth", [0.1, "0.1", Decimal("0.1"), np.float64(0.1)])
def test_money_is_exact(tenth):
    """Ten times ten cents is a dollar, which the sum of ten floats is not."""
    breaker = CircuitBreaker(daily_loss=1)
    for _ in range(9):
        breaker.record_trade(-float(tenth) if isinstance(tenth, float) else f"-{tenth}")
    assert breaker.can_execute()
    breaker.record_trade("-0.10")
    assert breaker.daily_loss == 1.0 and not breaker.can_execute()


def test_asking_waits_for_no_other_thread():
    breaker, found = CircuitBreaker(), []
    with breaker._lock:
        thread = threading.Thread(target=lambda: found.append(breaker.can_execute()))
        thread.start()
        thread.join()
    assert found == [True]


def test_a_fraction_of_the_quantum_is_rounded_half_to_even():
    breaker = CircuitBreaker(daily_loss=1, quantum="0.01")
    breaker.record_trade("-0.005")
    assert breaker.daily_loss == 0.0
    breaker.record_trade("-0.015")
    assert breaker.daily_loss == 0.02
    fine = CircuitBreaker(daily_loss=1, quantum="0.001")
    fine.record_trade("-0.005")
    assert fine.daily_loss == 0.005


def test_a_limit_of_zero_trips_at_the_first_trade():
    breaker = CircuitBreaker(daily_loss=0)
    assert breaker.can_execute()
    breaker.record_trade(5)
    assert not breaker.can_execute()


# ---------------------------------------------------------------------- positions and errors


def test_one_position_too_many_is_refused_and_trips():
    breaker = CircuitBreaker(open_positions=2)
    assert [breaker.open_position() for _ in range(3)] == [True, True, False]
    assert breaker.tripped and breaker.open_positions == 2
    breaker.close_position()
    assert not breaker.open_position(), "it is tripped, whatever is open"
    breaker.reset()
    assert breaker.open_positions == 1 and breaker.open_position()


def test_closing_what_is_not_open_is_refused():
    assert refusal(CircuitBreaker().close_position) == (
        "close_position: no position is open; call it once for each open_position"
    )


def test_errors_trip_only_in_a_row():
    breaker = CircuitBreaker(consecutive_errors=3)
    breaker.record_error()
    breaker.record_error()
    breaker.record_success()
    breaker.record_error()
    breaker.record_error()
    assert breaker.can_execute() and breaker.errors == 2
    breaker.record_error()
    assert not breaker.can_execute() and breaker.reason == "3 errors in a row"


def test_without_limits_nothing_trips_by_itself():
    breaker = CircuitBreaker()
    for _ in range(50):
        assert breaker.open_position()
        breaker.record_error()
        breaker.record_trade(-(10**9))
    assert breaker.can_execute()


# ---------------------------------------------------------------------- tripping and resetting


def test_a_trip_by_hand_lasts_until_the_reset():
    breaker = CircuitBreaker()
    breaker.trip("fat finger", now=ns("2024-03-11 10:00"))
    assert not breaker.can_execute()
    breaker.trip("again", now=ns("2024-03-11 11:00"))
    assert breaker.status() == {
        "tripped": True,
        "reason": "fat finger",
        "since": pd.Timestamp("2024-03-11 10:00", tz="UTC"),
        "daily_loss": 0.0,
        "open_positions": 0,
        "errors": 0,
    }
    breaker.reset()
    assert breaker.status()["since"] is None and breaker.can_execute() and breaker.reason == ""


def test_a_reset_starts_without_loss_or_errors():
    breaker = CircuitBreaker(daily_loss=10, consecutive_errors=2)
    breaker.record_error()
    breaker.record_trade(-10)
    breaker.reset()
    assert breaker.daily_loss == 0.0 and breaker.errors == 0
    breaker.record_trade(-9)
    breaker.record_error()
    assert breaker.can_execute()


def test_the_day_turns_at_the_declared_hour_in_summer_and_in_winter():
    """17:00 in New York is 22:00 UTC before, and 21:00 after, the clocks went forward on 2024-03-10."""
    breaker = CircuitBreaker(daily_loss=10, tz="America/New_York", roll_hour=17)
    for before, at in (("2024-03-08 21:59", "2024-03-08 22:00"), ("2024-03-11 20:59", "2024-03-11 21:00")):
        breaker.check_daily_reset(ns(before))
        breaker.record_trade(-10, now=ns(before))
        assert not breaker.can_execute(ns(before) + 59_999_999_999)
        assert breaker.check_daily_reset(ns(at))
        assert breaker.can_execute() and breaker.daily_loss == 0.0
        assert not breaker.check_daily_reset(ns(at))


def test_the_first_time_told_begins_a_day_but_ends_none():
    breaker = CircuitBreaker(daily_loss=10)
    breaker.record_trade(-10)
    assert not breaker.check_daily_reset(ns("2024-03-11"))
    assert not breaker.can_execute(ns("2024-03-11 23:59"))
    assert breaker.can_execute(ns("2024-03-12"))


def test_days_without_a_call_turn_once():
    breaker = CircuitBreaker(daily_loss=10)
    breaker.record_trade(-9, now=ns("2024-03-11"))
    assert breaker.check_daily_reset(ns("2024-03-20 12:00"))
    assert not breaker.check_daily_reset(ns("2024-03-20 23:59"))
    assert breaker.check_daily_reset(ns("2024-03-21"))


def test_a_trip_may_hold_beyond_the_day():
    breaker = CircuitBreaker(daily_loss=10, hold="reset")
    breaker.record_trade(-10, now=ns("2024-03-11"))
    assert not breaker.can_execute(ns("2024-03-12")) and breaker.daily_loss == 0.0
    breaker.reset()
    assert breaker.can_execute()


def test_times_as_people_have_them():
    noon = pd.Timestamp("2024-03-11 12:00", tz="Europe/London")
    for now in (noon, noon.to_pydatetime(), str(noon), ns("2024-03-11 12:00"), np.int64(ns("2024-03-11 12:00"))):
        breaker = CircuitBreaker()
        breaker.trip(now=now)
        assert breaker.since == noon


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        ("noon", "now='noon' is not a time; use a Timestamp or nanoseconds since the epoch"),
        (1.5, "now=1.5 is not a time; use a Timestamp or nanoseconds since the epoch"),
        (True, "now=True is not a time; use a Timestamp or nanoseconds since the epoch"),
        (pd.NaT, "now=NaT is not a time; use a Timestamp or nanoseconds since the epoch"),
        ("2024-03-11", "now='2024-03-11' has no time zone; write pd.Timestamp(..., tz='America/New_York')"),
    ],
)
def test_what_is_no_time_is_refused(now, sentence):
    assert refusal(CircuitBreaker().check_daily_reset, now) == sentence


def test_a_time_that_goes_back_is_refused_and_changes_nothing():
    breaker = CircuitBreaker(consecutive_errors=1)
    breaker.check_daily_reset(100)
    assert refusal(breaker.record_error, 99) == "now=99 is earlier than the previous time; pass events in time order"
    assert breaker.errors == 0 and breaker.can_execute(100)


# ---------------------------------------------------------------------- arguments and showing


@pytest.mark.lengthy
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"daily_loss": -1}, "rule 'breaker': daily_loss=-1 is negative; a limit is at or above zero"),
        ({"daily_loss": "much"}, "rule 'breaker': daily_loss='much' is not a number"),
        ({"open_positions": -1}, "rule 'breaker': open_positions=-1 is not a count: a whole number at or above zero"),
        ({"consecutive_errors": 1.5},
         "rule 'breaker': consecutive_errors=1.5 is not a count: a whole number at or above zero"),
        ({"tz": "Mars"}, "tz='Mars' is not a time zone; use a name such as 'UTC' or 'America/New_York'"),
        ({"roll_hour": 24}, "rule 'breaker': roll_hour=24 is not an hour from 0 to 23"),
        ({"quantum": 0}, "quantum=0 is not above zero"),
        ({"hold": "forever"}, "hold='forever' is not one of 'session', 'reset'"),
    ],
)  # fmt: skip
def test_arguments_that_do_not_fit_are_refused(fields, sentence):
    assert refusal(CircuitBreaker, **fields) == sentence


@pytest.mark.parametrize("pnl", [float("nan"), float("inf"), "lots", None, True])
def test_a_profit_that_is_no_number_is_refused_and_changes_nothing(pnl):
    breaker = CircuitBreaker(daily_loss=1)
    assert refusal(breaker.record_trade, pnl).startswith(f"pnl={pnl!r} is not a ")
    assert breaker.daily_loss == 0.0 and breaker.can_execute()


def test_it_shows_where_it_stands():
    breaker = CircuitBreaker(daily_loss=500, consecutive_errors=2, tz="America/New_York", roll_hour=17)
    assert repr(breaker).splitlines()[0] == "Circuit breaker: closed, orders may go"
    breaker.record_trade(-12.5)
    breaker.record_error(ns("2024-03-11 10:00"))
    breaker.record_error(ns("2024-03-11 10:00"))
    lines = [" ".join(line.split()) for line in repr(breaker).splitlines()]
    assert lines[0] == "Circuit breaker: tripped (2 errors in a row)"
    assert lines[2:] == [
        "since 2024-03-11 10:00:00+00:00",
        "daily loss 12.5 of 500",
        "open positions 0",
        "errors 2 in a row of 2",
        "trading day 17:00 America/New_York",
    ]
    assert "<caption" in breaker._repr_html_() and "tripped (2 errors in a row)" in breaker._repr_html_()


# ---------------------------------------------------------------------- threads


def test_threads_together_open_no_more_than_is_allowed():
    breaker = CircuitBreaker(open_positions=20)
    granted = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        granted.extend(breaker.open_position() for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 20 == breaker.open_positions and breaker.tripped


def test_threads_lose_no_trade():
    breaker = CircuitBreaker(daily_loss=10**6)

    def work() -> None:
        for _ in range(300):
            breaker.record_trade(-1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert breaker.daily_loss == 1200.0


# ---------------------------------------------------------------------- the same as the rule


INSTRUMENTS = [Instrument(f"I{i}") for i in range(5)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "send", "arrive", "withdraw", "close", "trade", "error", "ack", "reset"]),
        st.sampled_from([0, 1, HOUR, 7 * HOUR, DAY]),
        st.integers(0, 4),
        st.integers(-400, 400),
    ),
    max_size=60,
)


def told_and_recorded(breaker: CircuitBreaker, steps: list, start: int) -> tuple[list[dict], list[bool], list[int]]:
    """Tell the breaker a stream, and write it down: the events, which orders pass, and the events that trip."""
    rows = [{"ts": start, "kind": kind, "account": "A"} for kind in ("error", "ack")]  # so that the rule can be judged
    breaker.record_error(start)
    breaker.record_success(start)
    passes, trips, held, sent = [], [], {}, {}
    now = start
    for order_id, (what, wait, which, amount) in enumerate(steps):
        now += wait
        breaker.check_daily_reset(now)
        was_tripped = breaker.tripped
        event = {"ts": now, "account": "A", "instrument": f"I{which}", "side": "B", "qty": 1, "price": "10.00"}
        if what == "send" and which not in held and which not in sent:  # works until it arrives or is withdrawn
            rows.append({**event, "kind": "order", "order_id": order_id})
            passes.append(breaker.open_position(now))
            sent |= {which: order_id} if passes[-1] else {}
        elif what == "arrive" and which in sent:
            rows.append({**event, "kind": "fill", "order_id": sent.pop(which)})
            held[which] = None
        elif what == "withdraw" and which in sent:
            rows.append({**event, "kind": "cancel", "order_id": sent.pop(which)})
            breaker.close_position(now)
        elif what == "open" and which not in held and which not in sent:
            rows.append({**event, "kind": "order", "order_id": order_id})
            passes.append(breaker.open_position(now))
            if breaker.tripped and not was_tripped:
                trips.append(len(rows) - 1)
            rows.append({**event, "kind": "fill", "order_id": order_id})  # vanishes if the order is refused
            held |= {which: None} if passes[-1] else {}
            continue
        if what == "close" and which in held:
            del held[which]
            rows.append({**event, "kind": "fill", "side": "S", "price": str(Decimal(1000 + amount) / 100)})
            breaker.record_trade(Decimal(amount) / 100, now)
            breaker.close_position(now)
        elif what == "trade":
            rows.append({**event, "kind": "trade", "pnl": str(Decimal(amount) / 100)})
            breaker.record_trade(Decimal(amount) / 100)
        elif what == "error":
            rows.append({**event, "kind": "error"})
            breaker.record_error(now)
        elif what == "ack":
            rows.append({**event, "kind": "ack"})
            breaker.record_success()
        elif what == "reset":
            rows.append({"ts": now, "kind": "control", "cmd": "RESET", "account": "A"})
            breaker.reset(now)
        if breaker.tripped and not was_tripped:
            trips.append(len(rows) - 1)
    rows.append({"ts": now, "kind": "clock"})  # the last step may have told the time and no more
    return rows, passes, trips


@settings(max_examples=80, deadline=None)
@given(STEPS, st.sampled_from(["session", "reset"]), st.sampled_from([("UTC", 0), ("America/New_York", 17)]))
def test_it_is_the_rule(steps, hold, zone):
    tz, roll_hour = zone
    limits = BreakerLimits(daily_loss=6, open_positions=2, consecutive_errors=2, tz=tz, roll_hour=roll_hour)
    breaker = CircuitBreaker(*limits[:3], tz=tz, roll_hour=roll_hour, hold=hold)
    rows, passes, trips = told_and_recorded(breaker, steps, ns("2024-03-08 12:00"))
    assume(any(row["kind"] not in ("control", "clock", "ack") for row in rows))
    log = EventLog.from_frame(pd.DataFrame(rows), INSTRUMENTS, [Account("A")], quanta={"USD": "0.01"})
    result = replay_log(log, RuleSet([Rule("breaker", limits, hold=hold)]), "enforce", compiled=False)
    refused = set(result.rejections()["seq"].tolist())
    orders = np.flatnonzero(log.columns["kind"] == 0).tolist()
    assert [seq not in refused for seq in orders] == passes
    assert result.rows["seq"][result.rows["code"] == DecisionCode.TRIP].tolist() == trips
    record = result.state.rules[0][1]
    assert (record["loss"], record["open"] + record["opening"], record["errors"]) == (
        round(breaker.daily_loss * 100),
        breaker.open_positions,
        breaker.errors,
    )


ONE = {"account": "A", "side": "B", "qty": 1, "price": 10}
SENT = [{**ONE, "kind": "order", "instrument": f"I{i}", "order_id": i} for i in range(3)]
ENDS = [
    {"kind": "cancel"},
    {"kind": "expire"},
    {"kind": "reject"},
    {"kind": "error", "instrument": None},
    {"kind": "modify", "qty": 1, "price": 9},
    {"kind": "fill", "side": "B", "qty": 1, "price": 10},
]


def refused_of(rows: list[dict], mode: str = "enforce", **limits) -> list[int]:
    """Orders that a breaker refuses, the same live."""
    frame = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(rows)])
    log = EventLog.from_frame(frame, INSTRUMENTS, ["A"], unit="ns")
    rules = RuleSet([Rule("breaker", BreakerLimits(**limits), action="REJECT")])
    result = replay_log(log, rules, mode, compiled=False)
    live = Engine(rules, log.universe, mode, compiled=False)
    live.feed(log)
    assert live.digest == result.digest
    return result.rejections()["seq"].tolist()


@pytest.mark.parametrize(("listed", "working"), [(False, True), (True, True), (True, False)])
def test_orders_of_one_instant_open_no_more_positions_than_are_allowed(listed, working):
    rows = [{**row, "ts": 0, "batch": 1 if listed else None} for row in SENT]
    refused = refused_of(rows, open_positions=2, working=working)
    assert refused == ([0, 1, 2] if listed else [2])  # a list is refused whole
    assert refused_of(rows, open_positions=3, working=working) == []
    assert refused_of([{**row, "ts": 0} for row in SENT], open_positions=0, working=False) == [0, 1, 2]
    assert refused_of([{**row, "ts": 0} for row in SENT], open_positions=1, working=False) == []


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end["kind"])
def test_an_order_that_ends_unfilled_opens_nothing(end):
    frees = end["kind"] not in ("modify", "fill")
    rows = [SENT[0], {"account": "A", "instrument": "I0", "order_id": 0, **end}, SENT[1]]
    assert refused_of(rows, open_positions=1) == ([] if frees else [2])


def test_two_orders_of_one_position_open_one():
    other = {**SENT[0], "side": "S", "price": 11, "order_id": "ask"}
    close = {**other, "kind": "fill", "order_id": None}
    assert refused_of([SENT[0], other, SENT[1]], open_positions=1) == [2]
    assert refused_of([SENT[0], other, SENT[1]], open_positions=2) == []
    flat = [SENT[0], other, {**SENT[0], "kind": "fill"}, {**close, "order_id": "ask"}, SENT[1]]
    assert refused_of(flat, open_positions=1) == []
    half = [{**SENT[0], "qty": 2}, {**SENT[0], "kind": "fill"}, close, SENT[1]]
    assert refused_of(half, open_positions=1) == [3], "closed, and what is left of the order opens it again"


def test_working_orders_of_a_strategy_are_refused_with_the_way_out():
    assert refusal(Rule, "r", BreakerLimits(open_positions=1), scope="strategy") == (
        "rule 'r' (breaker): a position that working orders would open is an account's, not a strategy's; give working=False"
    )
    Rule("r", BreakerLimits(open_positions=1, working=False), scope="strategy")
    Rule("r", BreakerLimits(daily_loss=1), scope="strategy")


@pytest.mark.parametrize("scope", ["account", "account_instrument", "account_product", "desk", "firm", "global"])
def test_positions_that_are_held_from_the_start_are_open(scope):
    one = {"account": "A", "side": "B", "qty": 1, "price": "10.00"}
    rows = [
        {**one, "ts": 1, "kind": "order", "instrument": "I0", "order_id": "more"},  # of what is open already
        {**one, "ts": 2, "kind": "order", "instrument": "I2", "order_id": "third"},
    ]
    accounts = [Account("A", positions={"I0": 5, "I1": -5}, desk="D", firm="F"), Account("B", desk="E", firm="G")]
    log = EventLog.from_frame(pd.DataFrame(rows), INSTRUMENTS, accounts, quanta={"USD": "0.01"})
    rules = RuleSet([Rule("breaker", BreakerLimits(open_positions=2), scope=scope)])
    result = replay_log(log, rules, compiled=False)
    mine = scope in ("account_instrument", "account_product")  # there every key has one position at most
    assert result.rejections()["seq"].tolist() == ([] if mine else [1])
    assert result.state.rules[0]["open"][1:].sum() == 2
    live = Engine(rules, log.universe, compiled=False)
    live.feed(log)
    assert live.digest == result.digest


@pytest.mark.parametrize(("fee", "stopped"), [(0, 0), (2, 0), (3, 1)])
def test_fees_count_in_the_loss_of_the_day_as_in_daily_loss(fee, stopped):
    fill = {"kind": "fill", "account": "A", "instrument": "X", "qty": 1, "fee": fee}
    rows = [{**fill, "side": "B", "price": 10}, {**fill, "side": "S", "price": 5}]
    order = {"kind": "order", "account": "A", "instrument": "X", "qty": 1, "side": "B", "price": 5}
    frame = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate([*rows, order])])
    log = EventLog.from_frame(frame, [Instrument("X")], unit="ns")
    for parameters in (BreakerLimits(daily_loss=11), DailyLoss(limit=11, measure="realised")):
        refused = replay_log(log, RuleSet([Rule("r", parameters)]), compiled=False).rejections()["seq"].tolist()
        assert refused == [2] * stopped
