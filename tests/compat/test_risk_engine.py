"""The short form as the issue writes it, but for its import line."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from live_folders import leave

from riskkit import Decision, InputError, Rule
from riskkit.compat import BaseRule, Direction, Order, RiskEngine, Trade, build_config
from riskkit.compat.rules import AccountVolumeLimitRule, OrderRateLimitRule
from riskkit.replay import DecisionKind
from riskkit.replay.run.replay_log import replay_log
from riskkit.rules import PositionLimit

SECOND = 1_000_000_000
MILLI = 1_000_000


def order(oid, ts, account="ACC_001", contract="T2303", volume=1, direction=Direction.BID) -> Order:
    return Order(oid, account, contract, direction, 100.0, volume, ts)


def engine_of(*rules, **options) -> RiskEngine:
    return RiskEngine(rules=list(rules), compiled=False, **options)


def said(actions: list[Decision]) -> list[tuple[str, str]]:
    return [(action.action.name, action.key) for action in actions]


@pytest.mark.xdist_group("short")  # one process compiles this loop
def test_the_short_form_runs_verbatim():
    cfg = build_config({"contract_to_product": {"T2303": "T10Y", "T2306": "T10Y"}, "rules": [
        {"type": "OrderRateLimitRule", "threshold": 50, "window_ns": 1_000_000_000, "bucket_ns": 1_000_000},
        {"type": "AccountVolumeLimitRule", "daily_cap": 1000, "dimensions": ["account", "product"]}]})  # fmt: skip
    engine = RiskEngine(rules=cfg.rules, contract_to_product=cfg.contract_to_product)
    assert engine.tick() == []
    for oid in range(50):
        assert engine.process_order(order(oid, oid * MILLI)) == []
    paused = engine.process_order(order(50, 50 * MILLI))
    assert [(a.action, a.rule, a.observed, a.limit, a.headroom) for a in paused] == [
        (DecisionKind.PAUSE, "OrderRateLimitRule", 51, 50, -1),
        (DecisionKind.REJECT, "OrderRateLimitRule", 51, 50, -1),
    ]
    assert engine.paused("ACC_001") and not engine.paused("ACC_002")
    assert said(engine.process_order(order(51, 60 * MILLI))) == [("REJECT", "ACC_001")]
    assert engine.process_order(order(52, 60 * MILLI, account="ACC_002")) == []
    assert engine.tick() == []
    resumed = engine.process_order(order(53, 2 * SECOND))
    assert said(resumed) == [("RESUME", "ACC_001")]
    assert not engine.paused("ACC_001")
    for tid, oid in enumerate([0, 1, 2, 3]):
        assert engine.process_trade(Trade(tid, oid, 100.0, 250, 2 * SECOND)) == []
    capped = engine.process_trade(Trade(9, 53, 100.0, 250, 2 * SECOND))
    assert [(a.action, a.rule, a.key, a.observed, a.limit, a.headroom) for a in capped] == [
        (DecisionKind.PAUSE, "AccountVolumeLimitRule", "ACC_001/T10Y", 1250, 1000, -250)
    ]
    assert said(engine.process_order(order(60, 3 * SECOND, contract="T2306"))) == [("REJECT", "ACC_001/T10Y")]
    assert engine.process_order(order(61, 3 * SECOND, contract="OTHER")) == []
    assert engine.process_order(order(62, 100_000 * SECOND, contract="T2306"))[0].action is DecisionKind.REJECT, (
        "days do not"
    )
    assert said(engine.reset_daily()) == [("RESUME", "ACC_001/T10Y")]
    assert engine.process_order(order(63, 100_001 * SECOND, contract="T2306")) == []
    again = replay_log(engine.log(), engine.session.rules)
    assert again.digest == engine.digest


def test_both_doors_give_the_same_names():
    import riskkit

    assert (
        riskkit.compat.RiskEngine is RiskEngine
        and riskkit.compat.Order is Order
        and riskkit.compat.build_config is build_config
    )
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        from riskkit.replay import Nothing  # noqa: F401


@pytest.mark.parametrize("bucket", [0, 5])
def test_the_rate_pauses_and_resumes_as_a_counter_of_every_order_would(bucket):
    """Twin: a deque of the times of all orders of the window, in whole buckets where asked."""
    draw = np.random.default_rng(4)
    engine = engine_of(OrderRateLimitRule(threshold=3, window_ns=50, bucket_ns=bucket))
    windows: dict[str, deque[int]] = {"A": deque(), "B": deque()}
    paused: set[str] = set()
    now, seen = 0, []
    for oid in range(400):
        now += int(draw.integers(0, 25))
        account = str(draw.choice(["A", "B"]))
        ticks = draw.random() < 0.3
        for window in windows.values():
            while (
                window
                and (window[0] // bucket * bucket if bucket else window[0])
                <= (now // bucket * bucket if bucket else now) - 50
            ):
                window.popleft()
        expected = []
        if ticks:
            found = engine.tick(now)
            expected = [("RESUME", a) for a in sorted(paused) if len(windows[a]) <= 3]
            paused -= {a for _, a in expected}
            found = sorted(found, key=lambda action: action.key)
        else:
            found = engine.process_order(order(oid, now, account))
            windows[account].append(now)
            beyond = len(windows[account]) > 3
            if beyond:
                expected = [] if account in paused else [("PAUSE", account)]
                expected += [("REJECT", account)]
                paused.add(account)
            elif account in paused:
                expected = [("RESUME", account)]
                paused.discard(account)
        assert said(found) == expected, (oid, now)
        seen += said(found)
    assert {name for name, _ in seen} == {"PAUSE", "REJECT", "RESUME"}


@pytest.mark.lengthy
@pytest.mark.parametrize(
    ("dimensions", "keys"),
    [
        (["account"], ["A"]),
        (["account", "contract"], ["A/T2303"]),
        (["account", "product"], ["A/T10Y"]),
        (["account", "contract", "product"], ["A/T2303"]),
        (["contract"], ["T2303"]),
        (["product"], ["T10Y"]),
    ],
)
def test_the_cap_by_dimensions(dimensions, keys):
    engine = engine_of(
        AccountVolumeLimitRule(daily_cap=5, dimensions=dimensions),
        contract_to_product={"T2303": "T10Y", "T2306": "T10Y"},
    )
    orders = [("A", "T2303"), ("A", "T2306"), ("B", "T2303")]
    for oid, (account, contract) in enumerate(orders):
        engine.process_order(order(oid, 0, account, contract))
    trades = [Trade(tid, oid, 100, volume, 1) for tid, (oid, volume) in enumerate([(0, 5), (0, 1), (1, 1), (2, 1)])]
    found = [engine.process_trade(trade) for trade in trades]
    assert found[0] == []
    assert [action.key for action in found[1]] == keys
    reset = engine.reset_daily()
    assert {action.action for action in reset} == {DecisionKind.RESUME}
    assert engine.process_order(order(9, 2, "A", "T2303")) == []


def test_what_does_not_fit_is_refused():
    for config, why in [
        ({"rules": [{"type": "OrderRateLimit"}]}, "is not known"),
        ({"rules": [{"type": "OrderRateLimitRule", "limit": 5}]}, "unexpected keyword"),
        ({"rules": [{"type": "OrderRateLimitRule", "threshold": -1}]}, "is not a count"),
        ({"rules": [{"type": "AccountVolumeLimitRule", "dimensions": "account"}]}, "is a string"),
        ({"rules": [{"type": "AccountVolumeLimitRule", "dimensions": []}]}, "is empty"),
        ({"rules": [{"type": "AccountVolumeLimitRule", "dimensions": ["desk"]}]}, "is not one of"),
        ({"rule": []}, "has the keys"),
        ([], "got a list"),
    ]:
        with pytest.raises(InputError, match=why):
            build_config(config)
    with pytest.raises(InputError, match="is not a rule"):
        engine_of("rate")
    engine = engine_of(OrderRateLimitRule(3))
    engine.process_order(order(1, 5))
    for bad, why in [
        (order(1, 6), "is used already"),
        (order(2, 6, volume=-1), "is not a quantity"),
        (order(2, 6, direction="UP"), "is not a side"),
        (Order(2, "A", "T", Direction.BID, float("nan"), 1, 6), "is not a price"),
        (Order(2, None, "T", Direction.BID, 1, 1, 6), "is not a label"),
    ]:
        with pytest.raises(InputError, match=why):
            engine.process_order(bad)
    with pytest.raises(InputError, match="does not name an earlier order"):
        engine.process_trade(Trade(1, 7, 100, 1, 6))
    assert len(engine.session) == 1
    assert engine.process_order(order(2, 3)) == []  # earlier than the one before: taken at its time
    assert engine.log().columns["ts"].tolist() == [5, 5]


def test_catalogue_rules_and_two_of_one_kind():
    entry = {"id": "size", "type": "position_limit", "params": {"limit": "2"}}
    rate = {"type": "OrderRateLimitRule", "threshold": 2}
    cfg = build_config({"rules": [entry, rate, {**rate, "threshold": 1, "window_ns": 10}]})
    engine = RiskEngine(rules=cfg.rules, compiled=False)
    assert [rule.id for rule in engine.session.rules] == ["size", "OrderRateLimitRule", "OrderRateLimitRule-2"]
    assert [a.rule for a in engine.process_order(order(0, 0, account="B", volume=3))] == ["size"]
    assert engine.process_order(order(1, 0)) == []
    second = engine.process_order(order(2, 1))
    assert [(a.action.name, a.rule) for a in second] == [
        ("PAUSE", "OrderRateLimitRule-2"),
        ("REJECT", "OrderRateLimitRule-2"),
    ]
    assert [a.rule for a in engine.process_cancel(1, 2)] == []
    third = engine.process_order(order(3, 2))
    assert [(a.action.name, a.rule) for a in third] == [
        ("PAUSE", "OrderRateLimitRule"),
        ("REJECT", "OrderRateLimitRule"),
    ]
    assert "OrderRateLimitRule-2 objects too" in third[1].reason
    assert engine_of(Rule("size", PositionLimit(limit=1))).process_order(order(1, 0, volume=2))[0].rule == "size"


class Lunch(BaseRule):
    """No account trades more than once with one contract at a time; a person of its own would say so."""

    def __init__(self):
        self.seen: list[str] = []

    def on_order(self, order, context):
        assert context.status.size > 0
        if order.volume > 5:
            yield self.act(DecisionKind.PAUSE, order.account_id, "too much for lunch", order.timestamp, order.volume, 5)

    def on_trade(self, trade, context):
        self.seen.append(context.contract_to_product.get("T2303", ""))
        return [self.act(DecisionKind.ALERT, "ACC_001", "a trade", trade.timestamp)]

    def on_tick(self, now_ns):
        if now_ns >= SECOND:
            yield self.act(DecisionKind.RESUME, "ACC_001", "lunch is over", now_ns)


def test_a_rule_of_ones_own():
    rule = Lunch()
    engine = engine_of(rule, contract_to_product={"T2303": "T10Y"})
    assert engine.process_order(order(1, 0)) == []
    found = engine.process_order(order(2, 1, volume=7))
    assert [(a.action, a.rule, a.observed, a.limit, a.headroom) for a in found] == [
        (DecisionKind.PAUSE, "Lunch", 7, 5, -2)
    ]
    assert said(engine.process_order(order(3, 2))) == [("REJECT", "ACC_001")]
    assert [a.action for a in engine.process_trade(Trade(1, 1, 100, 1, 3))] == [DecisionKind.ALERT]
    assert rule.seen == ["T10Y"]
    assert engine.tick(10) == []
    assert said(engine.tick(SECOND)) == [("RESUME", "ACC_001")]
    assert engine.process_order(order(4, SECOND)) == []
    assert replay_log(engine.log(), engine.session.rules, compiled=False).digest == engine.digest
    quiet = engine_of(BaseRule())
    assert quiet.process_order(order(1, 0)) == quiet.tick(1) == quiet.process_trade(Trade(1, 1, 1, 1, 2)) == []


def test_an_engine_restored_goes_on():
    def rules():
        return [OrderRateLimitRule(1, SECOND), AccountVolumeLimitRule(3)]

    engine = engine_of(*rules(), contract_to_product={"T2303": "T10Y"})
    for oid in (1, 2):
        engine.process_order(order(oid, oid))
    again = RiskEngine.restore(engine.snapshot(), rules(), compiled=False)
    for one in (engine, again):
        assert one.paused("ACC_001") and one.contract_to_product == {"T2303": "T10Y"}
        assert said(one.process_order(order(3, 3))) == [("REJECT", "ACC_001")]
        assert said(one.tick(2 * SECOND)) == [("RESUME", "ACC_001")]
        assert said(one.process_trade(Trade(1, 1, 100, 4, 2 * SECOND))) == [("PAUSE", "ACC_001")]
        assert said(one.resume("ACC_001"))[0] == ("RESUME", "ACC_001")
        assert said(one.pause("ACC_001")) == [("PAUSE", "ACC_001")]
        assert said(one.reset_breaker())[0] == ("RESUME", "everything")
        assert one.process_price("T2303", 99, 3 * SECOND) == [] == one.process_cancel(1, 3 * SECOND)
    assert engine.digest == again.digest == again.result().digest
    with pytest.raises(InputError, match="under other rules"):
        RiskEngine.restore(engine.snapshot(), [OrderRateLimitRule(2, SECOND)], compiled=False)


def test_an_engine_in_a_folder_goes_on_after_a_kill_with_its_pauses(tmp_path):
    products, rules = {"T2303": "T10Y"}, [OrderRateLimitRule(2, SECOND), AccountVolumeLimitRule(10)]
    twin = engine_of(*rules, contract_to_product=products)
    engine = RiskEngine.open(tmp_path, rules, products, compiled=False)
    for oid in range(40):
        now = (oid // 4) * SECOND + oid
        for one in (engine, twin):
            one.session.process_price(ts=now, instrument="T2303", price=100)
        event = Trade(oid, oid - 1, 100.0, 1, now) if oid % 4 == 1 else order(oid, now, account=f"A{oid % 3}")
        call = "process_trade" if oid % 4 == 1 else "process_order"
        assert said(getattr(engine, call)(event)) == said(getattr(twin, call)(event))
        if oid % 5 == 2:
            leave(engine.session)
            engine = RiskEngine.open(tmp_path, rules, compiled=False)
        if oid % 8 == 7:
            assert said(engine.tick(now + SECOND // 2)) == said(twin.tick(now + SECOND // 2))
    assert engine.digest == twin.digest and engine.contract_to_product == products
    with engine:
        assert [engine.paused(f"A{k}") for k in range(3)] == [twin.paused(f"A{k}") for k in range(3)]
    engine_of().close()
