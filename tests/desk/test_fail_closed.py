"""No trade passes because something failed inside its check: it is refused, with what failed, and changes nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from random_scenarios import refusing_rule

import riskkit as rk
from riskkit import InputError
from riskkit.compat import BaseRule, Direction, Order, RiskEngine, Trade
from riskkit.desk import (
    DeskLimits,
    DuckDBStore,
    LiveDesk,
    MarketStream,
    ParquetStore,
    PositionTracker,
    RiskManager,
    RiskState,
    validate,
)
from riskkit.desk.core.exact import ExactPrice
from riskkit.desk.manager import ledger, limit_check, risk
from riskkit.desk.market.live_covariance import LiveCovariance
from riskkit.replay.rules import circuit_breaker
from riskkit.replay.rules.rule import _TYPES
from riskkit.rules import MaxOrderQty

# which judge modifies, cancels, fills and credit, each in a test of its own
OF_OTHER_MESSAGES = {"reserve_price", "layering", "spoofing", "cancel_burst", "momentum_ignition", "credit"}
LIMITS = DeskLimits(var_limit=1e6, max_position_size=0.9, max_drawdown=0.9)
PLACES = {
    "cash": (limit_check.LimitChecker, "_insolvent"),
    "VaR limit": (limit_check.LimitChecker, "_var_exceeded"),
    "size limit": (limit_check.LimitChecker, "_size_exceeded"),
    "drawdown limit": (limit_check.LimitChecker, "_drawdown_exceeded"),
    "estimator": (risk.IncrementalRisk, "after"),
    "covariance": (LiveCovariance, "matrix"),
    "price": (ExactPrice, "money"),
    "book": (ledger.Ledger, "balanced"),
    "state": (limit_check, "corruption"),
}
ERRORS = [
    RuntimeError("gone\nAPPROVED"),
    ZeroDivisionError(),
    MemoryError(),
    KeyError("A"),
    RecursionError(),
    OSError(5, "I/O"),
]


def manager() -> RiskManager:
    made = RiskManager(10_000, limits=LIMITS, bars_per_day=1)
    made.add_ticker("A", price=100.0, volatility=0.02)
    return made


def failing(error: BaseException):
    def fail(*args: object, **options: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", PLACES)
def test_a_trade_is_refused_if_its_check_fails(place, error, monkeypatch):
    desk = manager()
    before = desk.digest
    with monkeypatch.context() as patch:
        where, name = PLACES[place]
        patch.setattr(where, name, property(failing(error)) if name == "matrix" else failing(error))
        checks = [desk.check_trade_impact("A", 1, "buy"), desk.execute_trade("A", 1, "buy")]
        for check in checks:
            assert not check.approved and not check.executed
            assert check.reason.startswith(f"the check failed: {type(error).__name__}") and "\n" not in check.reason
    assert desk.digest == before and desk.execute_trade("A", 1, "buy").executed


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_risk_that_is_no_number_is_beyond_its_limit(wrong):
    desk = manager()
    desk._risk.covariance.matrix[0, 0] = wrong
    assert not desk.execute_trade("A", 1, "buy").approved
    state = RiskState()
    state.reading.__dict__["current_drawdown"] = np.nan
    assert not validate({"ticker": "A", "side": "buy", "quantity": 1, "price": 1.0}, {}, 100.0, state=state).approved


@pytest.mark.parametrize("method", ["process_order", "probe"])
def test_a_live_desk_refuses_if_its_rules_fail(method, monkeypatch):
    rules = rk.RuleSet([rk.Rule("size", MaxOrderQty(limit=5))])
    session = rk.Session.create(rules, [rk.Instrument("A")], [rk.Account("desk")], mode="enforce", compiled=False)
    desk = LiveDesk(manager(), MarketStream([]), session=session)
    assert desk.check("A", 1, "buy").approved
    monkeypatch.setattr(rk.Session, method, failing(RuntimeError("gone")))
    asked = {"process_order": desk.execute, "probe": desk.check}[method]("A", 1, "buy")
    assert asked.reason == "the check failed: RuntimeError: gone"
    assert not asked.approved and desk.manager.approved == 0


@pytest.mark.parametrize("name", ["check", "day_starts"])
def test_a_breaker_says_no_if_its_check_fails(name, monkeypatch):
    breaker = rk.CircuitBreaker(open_positions=1)
    monkeypatch.setattr(circuit_breaker, name, failing(RuntimeError("gone")))
    assert not breaker.open_position(now=10**18)
    assert breaker.open_positions == 0


def tracked() -> PositionTracker:
    return PositionTracker({"A": 1})


TRADES = {
    RiskManager: (manager, lambda book: book.execute_trade("A", 1, "buy", timestamp=1)),
    PositionTracker: (tracked, lambda book: book.update("ann", "m", "A", 1, 100, timestamp=1)),
}


@pytest.mark.parametrize("step", ["ready", "prepared", "_write"])
@pytest.mark.parametrize("kind", TRADES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("store", [DuckDBStore, ParquetStore])
def test_no_trade_is_booked_that_its_store_cannot_write(store, kind, step, monkeypatch, tmp_path):
    make, trade = TRADES[kind]
    book = make()
    with store(tmp_path / "store", part_rows=1) as journal:
        journal.follow(book)
        assert booked(trade, book)  # the buffer is full now, so the next trade is written first
        before = book.digest
        for error in ERRORS:
            with monkeypatch.context() as patch:
                patch.setattr(journal, step, failing(error))
                assert not booked(trade, book)
            assert book.digest == before
        assert journal.rebuild().digest == before
        assert booked(trade, book)
        assert journal.rebuild().digest == book.digest


def booked(trade: Callable[[Any], Any], book: Any) -> bool:
    """Whether a trade was booked; not if it raises."""
    try:
        done = trade(book)
    except Exception:
        return False
    return getattr(done, "executed", True)


# ---------------------------------------------------------------------- replay, session, engine


def broken(rule: rk.Rule, error: BaseException) -> rk.Rule:
    """A rule whose check fails."""
    names = inspect.signature(getattr(rule.kind.check, "py_func", rule.kind.check)).parameters
    found = {"fail": failing(error)}
    exec(f"def check({', '.join(names)}):\n    fail()\n", found)
    made, kind = copy(rule), copy(rule.kind)  # not checked again: the fault comes later
    object.__setattr__(kind, "check", found["check"])
    object.__setattr__(made, "kind", kind)
    return made


def order_of(made: rk.Session, n: int) -> list[rk.Decision]:
    return made.process_order(
        ts=n * 10**9, account="A", instrument="X", side="B", qty=1, price=100, order_id=f"o{n}", strategy="s"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(_TYPES.keys() - OF_OTHER_MESSAGES))
def test_no_order_passes_a_session_or_a_replay_if_a_rule_fails(name):
    rule = refusing_rule(name)
    whole = rk.Session.create(
        rk.RuleSet([]), [rk.Instrument("X")], [rk.Account("A", cash={"USD": 1_000})], compiled=False
    )
    for n in range(3):
        order_of(whole, n)
    rules = rk.RuleSet([broken(rule, RuntimeError("gone"))])
    with pytest.raises((RuntimeError, InputError), match=r"gone|no rule of this set can be judged"):
        rk.replay_log(whole.log(), rules, mode="enforce", compiled=False)
    made = rk.Session.create(rules, [rk.Instrument("X")], [rk.Account("A")], mode="enforce", compiled=False)
    made.process_price(ts=0, instrument="X", price=100)
    for n in range(3):
        with pytest.raises(InputError, match="the rules failed: RuntimeError: gone; the event was not taken"):
            order_of(made, n)
        with pytest.raises(InputError, match="does not name an earlier order"):
            made.answer_of(f"o{n}")
    assert len(made) == 1 and made.digest == made.result().digest
    assert made.process_price(ts=10**10, instrument="X", price=101) == []


ORDER = {"account": "A", "instrument": "X", "side": "B", "qty": 2, "price": 100, "strategy": "s"}
EVENTS: list[
    tuple[str, dict[str, Any]]
] = [  # of each kind, with accounts, instruments and strategies that come with them
    ("price", {"instrument": "X", "price": 100}),
    ("order", {**ORDER, "order_id": "o"}),
    ("modify", {"order_id": "o", "qty": 3}),
    ("trade", {"order_id": "o", "qty": 1, "price": 100, "trade_id": "t"}),
    ("price", {"instrument": "X", "price": 101, "bid": 100, "ask": 102}),
    ("cancel", {"order_id": "o"}),
    ("closed_trade", {"account": "A", "instrument": "X", "side": "B", "pnl": -5}),
    ("error", {"account": "A"}),
    ("execution", {"account": "A", "strategy": "s"}),
    ("correct", {"account": "A", "instrument": "X", "trade_id": "t", "qty": 1, "price": 99}),
    ("bust", {"account": "A", "instrument": "X", "trade_id": "t"}),
    ("equity", {"account": "A", "equity": 5}),
    ("order", {**ORDER, "order_id": "p", "qty": 4}),
    ("reset_breaker", {"account": "A"}),
    ("credit", {"account": "A", "reserve_id": "r", "step": "reserve", "amount": 5, "currency": "USD"}),
    ("credit", {"account": "A", "reserve_id": "r", "step": "commit"}),
    ("credit", {"account": "A", "reserve_id": "r", "step": "release", "amount": 2}),
    ("split", {"instrument": "X", "ratio": 2}),
    ("multiplier", {"instrument": "X", "multiplier": 2}),
    ("phase", {"instrument": "X", "phase": "auction"}),
    ("adjust", {"account": "A", "instrument": "X", "side": "B", "qty": 1}),
    ("transfer", {"from": "A", "to": "B", "instrument": "X", "qty": 1, "price": 100}),
    ("roll", {"from": "X", "to": "Y", "from_price": 100, "to_price": 100}),
    ("snapshot", {"account": "A", "positions": {"X": 2}}),
    ("expiry", {"instrument": "X", "price": 100}),
]
STEPS = ("check", "update", "evict", "amend", "on_new_day", "reset")
FUNCTIONS = [(name, step) for name in sorted(_TYPES) for step in STEPS if getattr(_TYPES[name], step) is not None]
BY_THE_LOOP = {("var_limit", "update")}  # called with the covariance, after a bar


def failing_once(rule: rk.Rule, step: str, armed: list[Exception]) -> rk.Rule:
    """A rule of which a function raises what is in the list, once."""
    real = getattr(rule.kind, step)
    real = getattr(real, "py_func", real)

    def once(*given: Any) -> Any:
        if armed:
            raise armed.pop()
        return real(*given)

    names = ", ".join(inspect.signature(real).parameters)
    found = {"once": once}
    exec(f"def {step}({names}):\n    return once({names})\n", found)
    made, kind = copy(rule), copy(rule.kind)
    object.__setattr__(kind, step, found[step])
    object.__setattr__(made, "kind", kind)
    return made


def happen(made: rk.Session, kind: str, ts: int, given: dict[str, Any]) -> None:
    """An event, or the command that ends pauses."""
    if kind == "reset_breaker":
        made.reset_breaker(now=ts, **given)
    else:
        getattr(made, f"process_{kind}")(ts=ts, **given)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "step"), FUNCTIONS)
def test_an_event_in_which_any_function_of_a_rule_fails_was_never_there(name, step):
    armed: list[Exception] = []
    rules = rk.RuleSet([failing_once(refusing_rule(name), step, armed)])
    made = rk.Session.create(
        rules, [rk.Instrument("X"), rk.Instrument("Y")], [rk.Account("A", cash={"USD": 1_000}), "B"], compiled=False
    )
    failed = 0
    for n, (kind, given) in enumerate(EVENTS):
        before, size, ts = made.digest, len(made), n * 10**9 + (86_400 * 10**9 if n > 18 else 0)
        armed.append(RuntimeError("gone"))
        try:
            happen(made, kind, ts, given)
        except InputError as error:
            assert made.digest == before and len(made) == size
            armed.clear()
            if "the rules failed: RuntimeError: gone; the event was not taken" in str(error):
                failed += 1
                happen(made, kind, ts, given)
            else:
                assert kind in ("split", "multiplier")  # which some rules do not take
        armed.clear()
    assert len(made) >= len(EVENTS) - 1 and made.digest == made.result().digest
    assert failed or (name, step) in BY_THE_LOOP


def test_a_session_whose_rules_fail_for_good_takes_no_more():
    """Also the replay of the events before fails: then it says so, and no call raises what is inside."""
    rule = rk.Rule("shape", rk.rules.MomentumIgnition())
    armed: list[Exception] = []
    rules = rk.RuleSet([failing_once(rule, "update", armed)])
    made = rk.Session.create(rules, [rk.Instrument("X")], ["A"], mode="enforce", compiled=False)
    fill = {"account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 100}
    made.process_price(ts=0, instrument="X", price=100)
    made.process_trade(ts=1, **fill)
    armed += [RuntimeError("gone")] * 5
    with pytest.raises(InputError, match="the rules failed: RuntimeError: gone; the session takes no more events"):
        made.process_trade(ts=2, **fill)
    armed.clear()
    for _ in range(2):
        with pytest.raises(InputError, match="the session takes no more events"):
            made.process_order(ts=3, **fill)


@pytest.mark.parametrize("parameters", [rk.rules.Layering(), rk.rules.Spoofing(), rk.rules.CancelBurst(1)])
def test_no_cancel_is_taken_if_a_rule_of_cancels_fails(parameters):
    rules = rk.RuleSet([broken(rk.Rule("shape", parameters), RuntimeError("gone"))])
    made = rk.Session.create(rules, [rk.Instrument("X")], [rk.Account("A")], mode="enforce", compiled=False)
    order_of(made, 0)
    before = made.digest
    for _ in range(2):
        with pytest.raises(InputError, match="the rules failed: RuntimeError: gone; the event was not taken"):
            made.process_cancel(ts=10**9, order_id="o0")
    assert len(made) == 1 and made.digest == before == made.result().digest


def test_no_fill_is_taken_if_a_rule_of_fills_fails():
    rules = rk.RuleSet([broken(rk.Rule("shape", rk.rules.MomentumIgnition()), RuntimeError("gone"))])
    made = rk.Session.create(rules, [rk.Instrument("X")], [rk.Account("A")], mode="enforce", compiled=False)
    made.process_price(ts=0, instrument="X", price=100)
    before = made.digest
    with pytest.raises(InputError, match="the rules failed: RuntimeError: gone; the event was not taken"):
        made.process_trade(ts=10**9, account="A", instrument="X", side="B", qty=1, price=100)
    assert len(made) == 1 and made.digest == before == made.result().digest


def test_no_credit_is_reserved_if_its_rule_fails():
    rules = rk.RuleSet([broken(rk.Rule("line", rk.rules.CreditLimit(10)), RuntimeError("gone"))])
    made = rk.Session.create(rules, [rk.Instrument("X")], [rk.Account("A")], mode="enforce", compiled=False)
    made.process_price(ts=0, instrument="X", price=100)
    before = made.digest
    with pytest.raises(InputError, match="the rules failed: RuntimeError: gone; the event was not taken"):
        made.process_credit(ts=10**9, account="A", reserve_id="r", step="reserve", amount=5, currency="USD")
    assert len(made) == 1 and made.digest == before == made.result().digest


def test_no_modify_passes_if_a_rule_of_modifies_fails():
    rules = rk.RuleSet([broken(rk.Rule("reserve", rk.rules.ReservePrice()), RuntimeError("gone"))])
    made = rk.Session.create(rules, [rk.Instrument("X")], [rk.Account("A")], mode="enforce", compiled=False)
    order = {"account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 100, "reserve": 101}
    made.process_order(ts=0, order_id="o", **order)
    before = made.digest
    for price in (101, 102):
        with pytest.raises(InputError, match="the rules failed: RuntimeError: gone; the event was not taken"):
            made.process_modify(ts=1, order_id="o", price=price)
    assert len(made) == 1 and made.digest == before == made.result().digest
    with pytest.raises(RuntimeError, match="gone"):
        rk.replay_log(modified(order), rules, mode="enforce", compiled=False)


def modified(order: dict) -> rk.EventLog:
    """A log of an order and a modify of it."""
    made = rk.Session.create(rk.RuleSet([]), [rk.Instrument("X")], [rk.Account("A")], compiled=False)
    made.process_order(ts=0, order_id="o", **order)
    made.process_modify(ts=1, order_id="o", price=102)
    return made.log()


def test_a_session_goes_on_as_if_the_order_had_never_come():
    def broken_once(params, book, event):
        if event.qty == 4:
            raise RuntimeError("gone")
        return MaxOrderQty_check(params, book, event)

    rule = rk.Rule("size", MaxOrderQty(limit=5))
    MaxOrderQty_check = rule.kind.check.py_func if hasattr(rule.kind.check, "py_func") else rule.kind.check
    rules = rk.RuleSet([replace(rule, kind=replace(rule.kind, check=broken_once))])
    one, other = (
        rk.Session.create(
            rules, [rk.Instrument("X")], [rk.Account("A")], auto_register=rk.Instrument("Y"), compiled=False
        )
        for _ in range(2)
    )
    for n, qty in enumerate([1, 4, 6, 2, 4, 3]):
        given = {
            "ts": n,
            "account": f"A{n}",
            "instrument": f"X{n}",
            "side": "B",
            "qty": qty,
            "price": 100,
            "order_id": n,
        }
        for made in (one, other):
            if qty != 4:
                made.process_order(**given)
            elif made is one:
                with pytest.raises(InputError, match="the event was not taken"):
                    made.process_order(**given)
    assert len(one) == len(other) == 4 and one.log().to_frame().iloc[:, 4:].equals(other.log().to_frame().iloc[:, 4:])
    assert one.digest == one.result().digest
    again = rk.Session.restore(one.snapshot(), rules, compiled=False)
    assert again.digest == one.digest


class Broken(BaseRule):
    def on_order(self, order, context):
        raise RuntimeError("gone\nPASS")

    def on_trade(self, trade, context):
        raise KeyError("A")


def test_an_engine_refuses_if_a_rule_of_ones_own_fails():
    engine = RiskEngine([Broken()], contract_to_product={"X": "X"}, compiled=False)
    (refused,) = engine.process_order(Order(1, "A", "X", Direction.BID, 100, 1, 0))
    assert refused.action == rk.replay.DecisionKind.REJECT
    assert refused.reason == "the order is refused by Broken: it failed, RuntimeError: gone PASS."
    (paused,) = engine.process_trade(Trade(1, 1, 100, 1, 1))
    assert (
        paused.action == rk.replay.DecisionKind.PAUSE
        and paused.reason == "A is paused by Broken: it failed, KeyError: 'A'."
    )
    assert engine.paused("A")
