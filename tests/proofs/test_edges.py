"""Every edge of every rule, to the lot, the tick, the cent and the nanosecond: just below, equal, just above.

Each row of the table is a rule, a stream of which one number is free, and what becomes of its last event for three
numbers side by side: False passes, True is objected to. The answers are worked out by hand from the rules' words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from rows import load

import riskkit as rk
from riskkit import Account, Instrument, Rule
from riskkit.replay.results.what_if import SAID
from riskkit.replay.rules.rule import _TYPES
from riskkit.rules import (
    AllowedInstruments,
    BreakerLimits,
    CancelBurst,
    CashLimit,
    ChildOrderLimit,
    ConcentrationLimit,
    ConsecutiveErrors,
    ConsecutiveLosses,
    CreditLimit,
    DailyLoss,
    DrawdownLimit,
    DuplicateOrder,
    EquityDrawdownLock,
    InitialMargin,
    Layering,
    Leverage,
    LimitUpLimitDown,
    LongOnly,
    LowProfitLock,
    MaintenanceMargin,
    MarketBreaker,
    MarketMakerProtection,
    MaxActiveOrders,
    MaxExposure,
    MaxOrderNotional,
    MaxOrderQty,
    MessageThrottle,
    MinOrderNotional,
    MinOrderQty,
    MomentumIgnition,
    NettingSet,
    OrderRate,
    OrderToTradeRatio,
    Pace,
    PositionLimit,
    PriceBand,
    PriceCollar,
    PriceVelocity,
    QuoteStuffing,
    ReduceOnly,
    RepeatedExecutionThrottle,
    ReservePrice,
    ScenarioLimit,
    SelfMatchPrevention,
    SelfTradePrevention,
    SessionHours,
    Spoofing,
    StoplossGuard,
    TickLotCheck,
    TradeCooldown,
    TradeDrawdownLock,
    TradingState,
    UnexecutedOrders,
    UnexecutedVolume,
    VarLimit,
    VolumeCap,
)

S = 1_000_000_000
START = 1_709_649_000 * S  # 2024-03-05 14:30 UTC
MIDNIGHT = 1_709_683_200 * S
NEW_YORK_17 = 1_709_676_000 * S  # 17:00 local is 22:00 UTC in winter
SPRING_17 = 1_710_104_400 * S  # 2024-03-10, the day the clocks went forward: 17:00 local is 21:00 UTC
X, Y = Instrument("X", tick="0.01", lot="1"), Instrument("Y", tick="0.01", lot="1")
D = Instrument("D", delta="0.25")
STOP = {"type": "stop", "stop": 110}
RICH = Account("A", {"USD": 1_000})
ELSEWHERE = {"var_limit", "session_hours"}  # in floats, and of a calendar: their edges are in files of their own
HOME = ("riskkit.replay.rules.", "riskkit.replay.rules.circuit_breaker")
CATALOGUE = {
    name: kind
    for name, kind in _TYPES.items()
    if (kind.check or kind.update).__module__.startswith(HOME) and name not in ELSEWHERE
}
Row = dict[str, Any]


class Edge(NamedTuple):
    """A rule, a stream of one free number, and (number, whether the last event is objected to) three times."""

    rule: Any
    stream: Callable[[Any], list[Row]]
    points: Sequence[tuple[Any, bool]]
    options: dict[str, Any] = {}


def order(ts: int = 0, side: str = "B", qty: Any = 1, price: Any = 100, **more: Any) -> Row:
    row = {"ts": START + ts, "kind": "order", "account": "A", "instrument": "X", "side": side, "qty": qty, **more}
    return {**({"type": "market"} if price is None else {"price": price}), **row}


def event(kind: str, ts: int = 0, **more: Any) -> Row:
    return {"ts": START + ts, "kind": kind, "account": "A", **more}


def fill(ts: int = 0, side: str = "B", qty: Any = 1, price: Any = 100, **more: Any) -> Row:
    return event("fill", ts, **{"instrument": "X", "side": side, "qty": qty, "price": price, **more})


def reserved(amount: Any, ts: int = 0, name: str = "r", **more: Any) -> Row:
    return credit("reserve", ts, name, amount=amount, **more)


def credit(step: str, ts: int, name: str, **more: Any) -> Row:
    return event("credit", ts, step=step, reserve_id=name, **more)


def price(last: Any = 100, ts: int = 0, instrument: str = "X") -> Row:
    return {"ts": START + ts, "kind": "price", "instrument": instrument, "price": last}


def close(last: Any = 100, instrument: str = "X") -> Row:
    return {**price(last, instrument=instrument), "kind": "close"}


def dividend(amount: Any, instrument: str = "X") -> Row:
    return {"ts": START, "kind": "dividend", "instrument": instrument, "amount": amount}


def funding(rate: Any) -> Row:
    return {"ts": START, "kind": "funding", "instrument": "X", "rate": rate}


def split(ratio: str = "3/2", instrument: str = "X") -> Row:
    return {"ts": START, "kind": "split", "instrument": instrument, "ratio": ratio}


def expiry(last: Any) -> Row:
    return {**price(last), "kind": "expiry"}


def adjusted(qty: Any = 1, side: str = "B", **more: Any) -> Row:
    return event("adjust", instrument="X", side=side, qty=qty, **more)


def stated(qty: Any = 0, **more: Any) -> Row:
    return event("snapshot", instrument="X", side="B", qty=qty, **more)


def trade(ts: int = 0, pnl: Any = 0, ret: Any = 0, **more: Any) -> Row:
    return event("trade", ts, instrument="X", side="long", pnl=pnl, ret=ret, exit="stop_loss", **more)


def cancel(ts: int, order_id: str) -> Row:
    return event("cancel", ts, instrument="X", order_id=order_id)


def modify(ts: int, order_id: str, **more: Any) -> Row:
    return event("modify", ts, instrument="X", side="B", order_id=order_id, **more)


def cmd(command: str, ts: int = 0) -> Row:
    return event("control", ts, cmd=command)


def rise(below: Any, equal: Any, above: Any) -> list[tuple[Any, bool]]:
    """A limit that a value equal to it keeps."""
    return [(below, False), (equal, False), (above, True)]


def reach(below: Any, equal: Any, above: Any) -> list[tuple[Any, bool]]:
    """A limit that a value equal to it breaks."""
    return [(below, False), (equal, True), (above, True)]


def least(below: Any, equal: Any, above: Any) -> list[tuple[Any, bool]]:
    return [(below, True), (equal, False), (above, False)]


def rise_false(below: Any, equal: Any, above: Any) -> list[tuple[Any, bool]]:
    """A condition of a shape that a value equal to it still meets."""
    return [(below, True), (equal, True), (above, False)]


def clears(at: int) -> list[tuple[int, bool]]:
    """A window, pause or lock that is over exactly `at`."""
    return [(at - 1, True), (at, False), (at + 1, False)]


def two(ts: int) -> list[Row]:
    return [order(), order(ts)]


def at(instant: int) -> list[tuple[int, bool]]:
    return clears(instant - START)


def many(count: int) -> list[Row]:
    return [order(place) for place in range(count)]


def listed(count: int) -> list[Row]:
    return [order(batch="list") for _ in range(count)]


def cancelled(*times: int, entered: int = 0) -> list[Row]:
    """An order for each time, entered at one time, and its cancel."""
    orders = [order(entered, order_id=str(k)) for k in range(len(times))]
    return [*orders, *(cancel(ts, str(k)) for k, ts in enumerate(times))]


def quote(bid: Any, ask: Any, ts: int = 0) -> Row:
    return {"ts": START + ts, "kind": "price", "instrument": "X", "bid": bid, "ask": ask}


def ignited(ts: int = 1, qty: Any = 5, to: Any = "100.05", others: Any = 0) -> list[Row]:
    """Own buys of 10 at the ask from 100 on, some of others, a price; then a sale."""
    bought = [price(), quote(99, 100), fill(qty=10)]
    rest = [{**fill(qty=others), "account": "B"}] if others else []
    return [*bought, *rest, price(to), fill(ts, "S", qty, price=to)]


STUFFING = QuoteStuffing(messages=4, window_ns=100, fills="0.25", cancels="0.5", lifetime_ns=10)
IGNITION = MomentumIgnition(move=5, window_ns=100, reversal_ns=200)
REACH = {"breach": "reach"}
LADDER: dict[str, Any] = {"sensitivities": {"X": ["0.5", "0.1", "4"]}, "spot_moves": [-5, 5], "vol_moves": [-2, 2]}
BRACKETS = [[1_000, "0.5"], [5_000, "1"]]
OTHER = [{**price(100), "instrument": "Y"}, {**fill(), "instrument": "Y"}]  # one Y at 100 in the account
TABLE: dict[str, Edge] = {
    # ------------------------------------------------------------------ messages
    "order_rate count": Edge(OrderRate(3, "1s"), many, rise(2, 3, 4)),
    "order_rate count reached": Edge(OrderRate(3, "1s", **REACH), many, reach(2, 3, 4)),
    "order_rate list": Edge(OrderRate(3, "1s"), listed, rise(2, 3, 4)),
    "order_rate sliding": Edge(OrderRate(1, 100), two, clears(100)),
    "order_rate fixed": Edge(OrderRate(1, 100, "fixed_from_first"), two, clears(100)),
    "order_rate day": Edge(OrderRate(1, window="calendar_day"), two, at(MIDNIGHT)),
    "order_rate day of New York": Edge(
        OrderRate(1, window="calendar_day", tz="America/New_York", roll_hour=17), two, at(NEW_YORK_17)
    ),
    "order_rate day in which the clocks change": Edge(
        OrderRate(1, window="calendar_day", tz="America/New_York", roll_hour=17),
        lambda ts: [order(SPRING_17 - START - 3600 * S), order(ts)],
        at(SPRING_17),
    ),
    "order_rate buckets": Edge(OrderRate(1, 100, bucket_ns=10), two, clears(100)),  # START is the start of a bucket
    "order_rate buckets forget early": Edge(
        OrderRate(1, 100, bucket_ns=10), lambda ts: [order(9), order(ts)], clears(100)
    ),
    "order_rate buckets before the present one": Edge(
        OrderRate(2, 100, bucket_ns=10), lambda ts: [order(), order(15), order(ts)], clears(100)
    ),
    "order_rate second window": Edge(
        OrderRate(1, 100, "fixed_from_first"), lambda ts: [order(), order(100), order(ts)], clears(200)
    ),
    "order_rate pause": Edge(
        Rule("r", OrderRate(1, 10), action="PAUSE", hold="1us"),
        lambda ts: [order(), order(5), order(ts)],
        clears(1_005),
    ),
    "pace window": Edge(Pace(1, 100, max_queue=0), two, clears(100)),
    "pace token": Edge(Pace(1, refill_ns=100, max_queue=0), two, clears(100)),
    "pace second token": Edge(
        Pace(2, refill_ns=100, max_queue=0), lambda ts: [order(), order(), order(150), order(ts)], clears(200)
    ),
    "pace queue": Edge(Pace(2, "1s", max_queue=3), many, rise(4, 5, 6)),
    "pace queue moves up": Edge(  # the second goes at 100, so that one more may wait
        Pace(1, 100, max_queue=1), lambda ts: [order(), order(), order(ts)], clears(100)
    ),
    "pace list": Edge(Pace(3, "1s"), listed, rise(2, 3, 4)),
    "message_level count": Edge(MessageThrottle(2, window_ns="3s"), many, rise(5, 6, 7)),
    "message_level window": Edge(
        MessageThrottle(1, window_ns="3s"), lambda ts: [order(), order(1), order(2), order(ts)], clears(3 * S)
    ),
    "message_level logout": Edge(  # 4 messages a second are refused, the fifth puts the login out for good
        MessageThrottle(3, 4), lambda n: [*many(n), order(10 * S)], [(3, False), (4, False), (5, True)]
    ),
    "duplicate count": Edge(DuplicateOrder(2), many, rise(1, 2, 3)),
    "duplicate count reached": Edge(DuplicateOrder(2, **REACH), many, reach(1, 2, 3)),
    "duplicate window": Edge(DuplicateOrder(1, 100), two, clears(100)),
    "duplicate price": Edge(
        DuplicateOrder(1), lambda p: [order(), order(1, price=p)], [("99.99", False), ("100", True), ("100.01", False)]
    ),
    "order_to_trade count": Edge(
        OrderToTradeRatio(limit=2, window_ns="1s"), lambda n: [fill(), *many(n)], rise(1, 2, 3)
    ),
    "order_to_trade fraction reached": Edge(
        OrderToTradeRatio(limit="1.5", window_ns="1s", **REACH), lambda n: [fill(), fill(), *many(n)], reach(2, 3, 4)
    ),
    "order_to_trade window": Edge(OrderToTradeRatio(limit=1, window_ns=100), two, clears(100)),
    "order_to_trade fill": Edge(  # two messages for one fill, until the fill is out of the window
        OrderToTradeRatio(limit=2, window_ns=100),
        lambda ts: [fill(), fill(), order(50), order(50), order(51), order(ts)],
        [(99, False), (100, True), (101, True)],
    ),
    "layering": Edge(
        Rule("r", Layering(prices=2, window_ns="1s")),
        lambda n: [
            order(side="S", qty=10 - n, order_id="a"),
            order(side="S", qty=n, price=101, order_id="b"),
            fill(),
            cancel(1, "b"),
        ],
        [(7, False), (8, True), (9, True)],
    ),
    "layering window": Edge(
        Rule("r", Layering(prices=1, window_ns=100)),
        lambda ts: [order(side="S", order_id="a"), fill(), cancel(ts, "a")],
        clears(100),
    ),
    "layering prices": Edge(
        Rule("r", Layering(prices=3, share=0)),
        lambda n: [*(order(side="S", price=100 + k % n, order_id=str(k)) for k in range(4)), fill(), cancel(1, "0")],
        reach(2, 3, 4),
    ),
    "spoofing": Edge(
        Rule("r", Spoofing()),
        lambda q: [order(side="S", qty=q, order_id="a"), fill(qty=2), cancel(1, "a")],
        reach(9, 10, 11),
    ),
    "spoofing share": Edge(
        Rule("r", Spoofing(multiple=3)),
        lambda n: [
            order(side="S", qty=10 - n, order_id="a"),
            order(side="S", qty=n, order_id="b"),
            fill(),
            cancel(1, "b"),
        ],
        [(7, False), (8, True), (9, True)],
    ),
    "spoofing window": Edge(
        Rule("r", Spoofing(window_ns=100)),
        lambda ts: [order(side="S", qty=9, order_id="a"), fill(), cancel(ts, "a")],
        clears(100),
    ),
    "cancel_burst": Edge(  # it speaks once
        Rule("r", CancelBurst(3, "1s")), lambda n: cancelled(*range(n)), [(2, False), (3, True), (4, False)]
    ),
    "cancel_burst exceeded": Edge(
        Rule("r", CancelBurst(3, "1s", breach="exceed")),
        lambda n: cancelled(*range(n)),
        [(3, False), (4, True), (5, False)],
    ),
    "cancel_burst window": Edge(Rule("r", CancelBurst(2, 100)), lambda ts: cancelled(0, ts), clears(100)),
    "cancel_burst again": Edge(  # a cancel that finds fewer ends a burst
        Rule("r", CancelBurst(2, 100)),
        lambda ts: cancelled(0, 1, ts, ts + 1),
        [(100, False), (101, True), (102, True)],
    ),
    "quote_stuffing": Edge(
        Rule("r", STUFFING._replace(cancels="0.2")),
        lambda n: [*(order() for _ in range(n - 2)), *cancelled(1)],
        reach(3, 4, 5),
    ),
    "quote_stuffing window": Edge(
        Rule("r", STUFFING._replace(cancels="0.2")),
        lambda ts: [order(), *cancelled(ts, entered=ts), order(ts)],
        clears(100),
    ),
    "quote_stuffing lifetime": Edge(
        Rule("r", STUFFING), lambda ts: cancelled(ts, ts), [(9, True), (10, True), (11, False)]
    ),
    "quote_stuffing median of an even number": Edge(
        Rule("r", STUFFING), lambda ts: cancelled(4, ts), [(15, True), (16, True), (17, False)]
    ),
    "quote_stuffing fills": Edge(
        Rule("r", STUFFING), lambda n: [*(fill() for _ in range(n)), *cancelled(1, 1)], rise_false(0, 1, 2)
    ),
    "quote_stuffing cancels": Edge(
        Rule("r", STUFFING), lambda n: [*(order() for _ in range(n)), *cancelled(1, 1)], rise_false(1, 2, 3)
    ),
    "momentum_ignition": Edge(Rule("r", IGNITION), lambda q: ignited(qty=q), reach(4, 5, 6)),
    "momentum_ignition move": Edge(
        Rule("r", IGNITION), lambda p: ignited(to=p), [("100.04", False), ("100.05", True), ("100.06", True)]
    ),
    "momentum_ignition share": Edge(Rule("r", IGNITION), lambda q: ignited(others=q), rise_false(9, 10, 11)),
    "momentum_ignition reversal": Edge(Rule("r", IGNITION), lambda ts: ignited(ts), clears(200)),
    "momentum_ignition window": Edge(
        Rule("r", IGNITION),
        lambda ts: [price(), quote(99, 100), fill(qty=10), price("100.05", ts), fill(ts, "S", 5)],
        clears(100),
    ),
    "order_to_trade least": Edge(OrderToTradeRatio(limit=1, window_ns="1s", least=3), many, rise(2, 3, 4)),
    "price_band": Edge(
        PriceBand(variation="0.5"), lambda p: [price(), order(price=p)], rise("100.49", "100.50", "100.51")
    ),
    "price_band below": Edge(
        PriceBand(variation="0.5"), lambda p: [price(), order(price=p)], least("99.49", "99.50", "99.51")
    ),
    "price_band reached": Edge(
        PriceBand(pct="0.01", **REACH), lambda p: [price(), order(price=p)], reach("100.99", "101", "101.01")
    ),
    "price_band aggressive buy": Edge(
        PriceBand(variation="0.5", sides="aggressive"),
        lambda p: [price(), order(price=p)],
        rise(50, "100.50", "100.51"),
    ),
    "price_band aggressive sell": Edge(
        PriceBand(variation="0.5", sides="aggressive"),
        lambda p: [price(), order(side="S", price=p)],
        least("99.49", "99.50", 150),
    ),
    "price_band multiple": Edge(
        PriceBand(up="1.2", down="0.2"), lambda p: [price(), order(price=p)], rise("119.99", "120", "120.01")
    ),
    "price_band multiple below": Edge(
        PriceBand(up="1.2", down="0.2"), lambda p: [price(), order(price=p)], least("19.99", "20", "20.01")
    ),
    "price_band multiple reached": Edge(
        PriceBand(up="1.2", down="0.2", **REACH),
        lambda p: [price(), order(price=p)],
        [("19.99", True), ("20", True), ("20.01", False)],
    ),
    "price_band by side": Edge(
        PriceBand(up="1.2", down="0.2", ask_up="5", ask_down="0.8", sides="by_side"),
        lambda p: [price(), order(side="S", price=p)],
        least("79.99", "80", "80.01"),
    ),
    "price_band mean": Edge(  # of 100 and 101
        PriceBand(variation="0.5", reference="mean", window_ns="1s"),
        lambda p: [price(), price(101), order(price=p)],
        rise("100.99", "101", "101.01"),
    ),
    "price_band vwap": Edge(  # of 1 at 100 and 3 at 101: 100.75
        PriceBand(variation="0.5", reference="vwap", window_ns="1s"),
        lambda p: [fill(), fill(qty=3, price=101), order(price=p)],
        rise("101.24", "101.25", "101.26"),
    ),
    "price_band vwap window": Edge(  # with the first fill 101, without it 102
        PriceBand(variation="0.5", reference="vwap", window_ns=100),
        lambda ts: [fill(), fill(60, price=102), order(ts, price="102.5")],
        clears(100),
    ),
    "price_band window": Edge(
        PriceBand(variation="0.5", reference="mean", window_ns=100),
        lambda ts: [price(), price(102, 60), order(ts, price=102)],
        clears(100),
    ),
    "price_band close": Edge(
        PriceBand(pct="0.1", reference="close"),
        lambda p: [close(), price(130), order(price=p)],
        rise("109.99", 110, "110.01"),
    ),
    "price_band age": Edge(
        PriceBand(pct="0.1", reference="close", max_age_ns=100),
        lambda ts: [close(), order(ts)],
        rise(99, 100, 101),
    ),
    "velocity": Edge(
        PriceVelocity(max_move=2, window_ns="1s"),
        lambda p: [price(99), price(101), order(1, price=p)],
        rise(100, 101, "101.01"),
    ),
    "velocity below": Edge(
        PriceVelocity(max_move=2, window_ns="1s"),
        lambda p: [price(99), price(101), order(1, price=p)],
        least("98.99", 99, 100),
    ),
    "velocity reached": Edge(
        PriceVelocity(max_move=2, window_ns="1s", **REACH),
        lambda p: [price(99), order(1, price=p)],
        reach(100, 101, 102),
    ),
    "velocity window": Edge(
        PriceVelocity(max_move=2, window_ns=100), lambda ts: [price(99), order(ts, price=102)], clears(100)
    ),
    "velocity long window": Edge(
        PriceVelocity(max_move=9, window_ns=10, long_max_move=2, long_window_ns=100),
        lambda ts: [price(99), order(ts, price=102)],
        clears(100),
    ),
    "luld upper": Edge(LimitUpLimitDown(), lambda p: [close(), order(price=p)], rise(104, 105, "105.01")),
    "luld lower": Edge(LimitUpLimitDown(), lambda p: [close(), order(side="S", price=p)], least("94.99", 95, 96)),
    "luld 20 %": Edge(LimitUpLimitDown(), lambda p: [close("0.75"), order(price=p)], rise("0.89", "0.9", "0.91")),
    "luld pause": Edge(
        LimitUpLimitDown(),
        lambda ts: [close(), {**price(), "bid": 105}, order(ts * S)],
        [(14, False), (15, True), (315, False)],
    ),
    "luld last 25 minutes": Edge(
        LimitUpLimitDown(), lambda s: [close(), order((6 * 3600 + 300 + s) * S, price=106)], least(-1, 0, 1)
    ),
    "market_breaker": Edge(
        MarketBreaker("X"), lambda p: [close(), price(p), order(1)], [("93.01", False), (93, True), ("92.99", True)]
    ),
    "market_breaker halt": Edge(
        MarketBreaker("X", halt_ns=100), lambda ts: [close(), price(93), order(ts)], clears(100)
    ),
    "market_breaker last halt": Edge(
        MarketBreaker("X", last_halt="09:31"),
        lambda ts: [close(), price(93, 60 * S + ts), order(61 * S)],
        [(-1, True), (0, True), (1, False)],
    ),
    "unexecuted_orders": Edge(UnexecutedOrders(limit=2), lambda n: [fill(), fill(), *many(n)], rise(5, 6, 7)),
    "unexecuted_orders reached": Edge(
        UnexecutedOrders("0.5", **REACH), lambda n: [fill(), fill(), *many(n)], reach(2, 3, 4)
    ),
    "unexecuted_orders modify": Edge(
        UnexecutedOrders(limit=3),
        lambda n: [*many(n), order(1, order_id="a"), modify(2, "a", price=101)],
        rise(0, 1, 2),
    ),
    "unexecuted_volume": Edge(  # 5 filled: 5 / 5 - 1 = 0 and 10 more may be ordered
        UnexecutedVolume(limit=2), lambda q: [fill(qty=5), order(qty=10), order(1, qty=q)], rise(4, 5, 6)
    ),
    "unexecuted_volume reached": Edge(
        UnexecutedVolume("0.5", **REACH), lambda q: [fill(qty=2), fill(qty=2), order(1, qty=q)], reach(5, 6, 7)
    ),
    "unexecuted_volume modify": Edge(  # 4 ordered, one of them filled: 3 leave the book, and 6 come
        UnexecutedVolume(limit=12),
        lambda q: [order(qty=4, order_id="a"), fill(order_id="a"), modify(2, "a", qty=q)],
        rise(5, 6, 7),
    ),
    "unexecuted_volume cancel": Edge(  # the rest of 3 leaves the book
        UnexecutedVolume(limit=12),
        lambda q: [
            order(qty=4, order_id="a"),
            fill(order_id="a"),
            event("cancel", 1, instrument="X", order_id="a"),
            order(2, qty=q),
        ],
        rise(5, 6, 7),
    ),
    "repeat_exec_throttle": Edge(
        RepeatedExecutionThrottle(3),
        lambda n: [*(event("execution", strategy="s") for _ in range(n)), order(strategy="s")],
        reach(2, 3, 4),
    ),
    # ------------------------------------------------------------------ one order
    "max_order_qty": Edge(MaxOrderQty(5), lambda q: [order(qty=q)], rise(4, 5, 6)),
    "max_order_qty reached": Edge(MaxOrderQty(5, **REACH), lambda q: [order(qty=q)], reach(4, 5, 6)),
    "min_order_qty": Edge(MinOrderQty(5), lambda q: [order(qty=q)], least(4, 5, 6)),
    "max_order_notional": Edge(
        MaxOrderNotional(200), lambda p: [order(qty=2, price=p)], rise("99.99", "100", "100.01")
    ),
    "max_order_notional of a sell below the market": Edge(
        MaxOrderNotional(200),
        lambda p: [price(p), order(side="S", qty=2, price="0.01")],
        rise("99.99", "100", "100.01"),
    ),
    **{
        f"{kind.__name__} of a sell below the market": Edge(
            kind(notional=200),
            lambda p: [price(p), order(side="S", qty=2, price="0.01")],
            rise("99.99", "100", "100.01"),
        )
        for kind in (PositionLimit, VolumeCap)
    },
    "min_order_notional of a sell below the market": Edge(
        MinOrderNotional(200),
        lambda p: [price(p), order(side="S", qty=2, price="0.01")],
        least("99.99", "100", "100.01"),
    ),
    "max_order_notional at ask": Edge(
        MaxOrderNotional(200),
        lambda p: [{**price(1), "ask": p}, order(qty=2, price=None)],
        rise("99.99", "100", "100.01"),
    ),
    "min_order_notional": Edge(
        MinOrderNotional(200), lambda p: [order(qty=2, price=p)], least("99.99", "100", "100.01")
    ),
    "lot_tick quantity": Edge(
        TickLotCheck(), lambda q: [order(qty=q)], [("0.9", True), ("1", False), ("1.1", True)], {"on_bad_order": "flag"}
    ),
    "lot_tick display": Edge(
        TickLotCheck(),
        lambda shown: [order(qty=3, display=shown)],
        [("2", False), ("3", False), ("4", True)],
        {"on_bad_order": "flag"},
    ),
    "lot_tick price": Edge(
        TickLotCheck(),
        lambda p: [order(price=p)],
        [("99.999", True), ("100", False), ("100.001", True)],
        {"on_bad_order": "flag"},
    ),
    "lot_tick zero": Edge(
        TickLotCheck(),
        lambda p: [order(price=p)],
        [("-0.01", True), ("0", True), ("0.01", False)],
        {"on_bad_order": "flag"},
    ),
    "known_instrument": Edge(
        AllowedInstruments(instruments=("X",)),
        lambda label: [order(instrument=label)],
        [("W", True), ("X", False), ("Y", True)],
    ),
    "price_collar age": Edge(
        PriceCollar("0.5", max_age_ns=100, on_missing_price="reject"),
        lambda ts: [price(), order(ts)],
        rise(99, 100, 101),
    ),
    "price_collar of a close": Edge(
        PriceCollar(pct="0.05", reference="close"),
        lambda p: [close(), order(1, price=p)],
        rise("104.99", "105", "105.01"),
    ),
    "price_collar age of a close": Edge(
        PriceCollar("0.5", reference="close", max_age_ns=100), lambda ts: [close(), order(ts)], rise(99, 100, 101)
    ),
    "price_collar above": Edge(
        PriceCollar(pct="0.05"), lambda p: [price(), order(price=p)], rise("104.99", "105", "105.01")
    ),
    "price_collar below": Edge(
        PriceCollar(pct="0.05"), lambda p: [price(), order(price=p)], least("94.99", "95", "95.01")
    ),
    "price_collar ticks": Edge(
        PriceCollar(ticks=2), lambda p: [price(), order(price=p)], rise("100.01", "100.02", "100.03")
    ),
    "self_match": Edge(
        SelfMatchPrevention("cancel_both"),
        lambda p: [order(side="S", order_id="a"), order(1, price=p)],
        reach(99, 100, 101),
    ),
    "self_match decrement": Edge(
        SelfMatchPrevention("decrement"),
        lambda n: [order(side="S", qty=3, order_id="a"), order(1, qty=n)],
        [(2, True), (3, True), (4, False)],
    ),
    "position_limit while a cancel is on its way": Edge(
        PositionLimit(10),
        lambda n: [order(qty=8, order_id="a"), event("cancel", instrument="X", order_id="a", **WAITS), order(1, qty=n)],
        rise(1, 2, 3),
    ),
    "mmp of vega": Edge(
        MarketMakerProtection(vega_limit="7.5", window_ns="1s"),
        lambda n: [fill(instrument="S", qty=n), order(1)],
        rise(14, 15, 16),
    ),
    "mmp of tagged orders": Edge(
        MarketMakerProtection(5, "1s", tagged=True),
        lambda n: [
            *(order(order_id="a", qty=9, mmp=True), order(order_id="b", qty=9)),
            *(fill(order_id="b", qty=9), fill(order_id="a", qty=n), order(1, mmp=True)),
        ],
        rise(4, 5, 6),
    ),
    "self_match of one id": Edge(
        Rule("r", SelfMatchPrevention("cancel_both"), scope="smp_id"),
        lambda p: [order(side="S", account="B", order_id="a", smp_id="t"), order(1, price=p, smp_id="t")],
        reach(99, 100, 101),
    ),
    "self_trade of one id": Edge(
        Rule("r", SelfTradePrevention(), scope="smp_id"),
        lambda smp_id: [order(side="S", order_id="a", smp_id="8"), order(1, price=100, smp_id=smp_id)],
        [("7", False), ("8", True), ("9", False)],
    ),
    "self_trade and a stop to buy": Edge(
        SelfTradePrevention(),
        lambda p: [price(), order(price=None, order_id="st", **STOP), price(p), order(side="S", price=120)],
        reach("109.99", "110", "110.01"),
    ),
    "self_trade and a stop to sell": Edge(
        SelfTradePrevention(),
        lambda p: [price(120), order(side="S", price=None, order_id="st", **STOP), price(p), order(price=100)],
        [("110.01", False), ("110", True), ("109.99", True)],
    ),
    "self_trade and a stop that trails": Edge(
        SelfTradePrevention(),
        lambda p: (
            [order(side="S", price=None, order_id="st", type="trailing", offset=5), price(100), price(105), price(p)]
            + [order(price=90)]
        ),
        [("100.01", False), ("100", True), ("99.99", True)],
    ),
    "max_order_notional of a stop": Edge(
        MaxOrderNotional(1_100),
        lambda p: [price(), order(qty=10, price=None, type="stop", stop=p)],
        rise("109.99", "110", "110.01"),
    ),
    "max_order_notional of a stop with slippage": Edge(
        MaxOrderNotional(1_100),
        lambda p: [order(instrument="S", qty=10, price=None, type="stop", stop=p)],
        rise("109.48", "109.49", "109.50"),
    ),
    "price_collar of a stop limit": Edge(
        PriceCollar(ticks=100),
        lambda p: [price(), order(price=p, type="stop_limit", stop=110)],
        rise("110.99", "111", "111.01"),
    ),
    "cash of a stop": Edge(
        CashLimit(),
        lambda p: [price(90), order(qty=10, price=None, type="stop", stop=p)],
        rise("99.99", "100", "100.01"),
    ),
    "self_trade after a dividend": Edge(
        SelfTradePrevention(),
        lambda p: [order(price=35, order_id="b"), dividend("0.205"), order(side="S", price=p)],
        [("34.80", False), ("34.79", True), ("34.78", True)],
    ),
    "self_trade after a dividend of about a cent": Edge(
        SelfTradePrevention(),
        lambda amount: [order(price=35, order_id="b"), dividend(amount), order(side="S", price=35)],
        [("0.009999999", True), ("0.01", False), ("0.010000001", False)],
    ),
    "cash after a dividend": Edge(
        CashLimit(),
        lambda p: [fill(qty=10, price=100), dividend("1.205"), order(price=p)],
        rise("12.04", "12.05", "12.06"),
    ),
    "cash after a funding": Edge(
        CashLimit(),
        lambda p: [fill(qty=10, price=100), funding("-0.001"), order(price=p)],
        rise("0.99", "1", "1.01"),
    ),
    "cash after an expiry": Edge(
        CashLimit(),
        lambda p: [fill(qty=10, price=100), expiry(90), order(instrument="Y", price=p)],
        rise("899.99", "900", "900.01"),
    ),
    "self_trade after a split": Edge(
        SelfTradePrevention(),
        lambda p: [order(price=10, order_id="b"), split(), order(side="S", price=p)],
        [("6.67", False), ("6.66", True), ("6.65", True)],
    ),
    "cash after a reverse split": Edge(
        CashLimit(),
        lambda p: [fill(qty=15, price=10), split("1/10"), order(instrument="Y", price=p)],
        rise("899.99", "900", "900.01"),
    ),
    "daily_loss after an expiry": Edge(
        DailyLoss(limit=10),
        lambda p: [fill(qty=10, price=100), expiry(p), order(instrument="Y")],
        [("99.01", False), ("99", True), ("98.99", True)],
    ),
    "position_limit after a transfer": Edge(
        PositionLimit(limit=20),
        lambda q: [
            fill(qty=10),
            {**adjusted(3, "S", price=90), "batch": 1},
            {**adjusted(3, price=90, account="B"), "batch": 1},
            order(qty=q),
        ],
        rise(12, 13, 14),
    ),
    "daily_loss after an adjustment with a cost": Edge(
        DailyLoss(limit=10),
        lambda p: [price(100), adjusted(5, price=p), order()],
        [("101.99", False), ("102", True), ("102.01", True)],
    ),
    "volume_cap after a roll": Edge(
        VolumeCap(limit=20, working=False),
        lambda q: [
            fill(qty=7),
            {**price(100), "kind": "roll", "batch": 1},
            {**price(100, instrument="Y"), "kind": "roll", "account": "A", "batch": 1},
            order(qty=q),
        ],
        rise(12, 13, 14),
    ),
    "position_limit after a snapshot": Edge(
        PositionLimit(limit=20),
        lambda q: [order(qty=10, order_id="a"), stated(7), stated(3, order_id="a", price=100), order(qty=q)],
        rise(9, 10, 11),
    ),
    "volume_cap after an inferred fill": Edge(
        VolumeCap(limit=20, working=False),
        lambda q: [order(qty=10, order_id="a"), stated(7), stated(3, order_id="a"), order(qty=q)],
        rise(12, 13, 14),
    ),
    "volume_cap after an adjustment": Edge(
        VolumeCap(limit=20, working=False),
        lambda q: [fill(qty=1), stated(7), order(qty=q)],
        rise(18, 19, 20),
    ),
    "cash after an inferred fill": Edge(
        CashLimit(),
        lambda p: [order(qty=5, order_id="a"), stated(5), order(price=p)],
        rise("499.99", "500", "500.01"),
    ),
    "daily_loss after an adjustment": Edge(
        DailyLoss(limit=10),
        lambda p: [price(100), fill(qty=1), stated(5), price(p), order()],
        [("98.01", False), ("98", True), ("97.99", True)],
    ),
    "self_trade buy": Edge(
        SelfTradePrevention(),
        lambda p: [order(side="S", order_id="a"), order(1, price=p)],
        [("99.99", False), ("100", True), ("100.01", True)],
    ),
    "self_trade sell": Edge(
        SelfTradePrevention(),
        lambda p: [order(order_id="a"), order(1, side="S", price=p)],
        [("99.99", True), ("100", True), ("100.01", False)],
    ),
    "reserve_price": Edge(
        ReservePrice(),
        lambda p: [order(order_id="a", reserve=101), modify(1, "a", price=p)],
        rise("100.99", "101", "101.01"),
    ),
    "reduce_only": Edge(
        ReduceOnly(), lambda q: [fill(qty=3), order(1, side="S", qty=q, reduce_only=True)], rise(2, 3, 4)
    ),
    "trading_state reducing": Edge(
        TradingState(), lambda q: [fill(qty=3), cmd("REDUCING"), order(1, side="S", qty=q)], rise(2, 3, 4)
    ),
    "order_to_parent": Edge(
        ChildOrderLimit(),
        lambda q: [order(qty=5, order_id="p"), order(1, qty=2, parent_id="p"), order(2, qty=q, parent_id="p")],
        rise(2, 3, 4),
    ),
    "order_to_parent modify": Edge(  # the child's own four lots, one of them filled, do not count twice
        ChildOrderLimit(),
        lambda q: [
            order(qty=5, order_id="p"),
            order(1, qty=4, order_id="c", parent_id="p"),
            fill(2, qty=1, order_id="c"),
            modify(3, "c", qty=q),
        ],
        rise(4, 5, 6),
    ),
    # ------------------------------------------------------------------ positions and money
    "position_limit modify": Edge(  # the four lots that work do not count twice
        PositionLimit(5), lambda q: [order(qty=4, order_id="o"), modify(1, "o", qty=q)], rise(4, 5, 6)
    ),
    "position_limit": Edge(PositionLimit(5), lambda q: [fill(qty=3), order(1, qty=q)], rise(1, 2, 3)),
    "position_limit reached": Edge(PositionLimit(5, **REACH), lambda q: [fill(qty=3), order(1, qty=q)], reach(1, 2, 3)),
    "position_limit working": Edge(
        PositionLimit(5), lambda q: [fill(qty=1), order(1, qty=2, order_id="a"), order(2, qty=q)], rise(1, 2, 3)
    ),
    "position_limit money": Edge(
        PositionLimit(notional=300), lambda p: [fill(qty=2), order(1, price=p)], rise("99.99", "100", "100.01")
    ),
    "position_limit money reached": Edge(
        PositionLimit(notional=300, **REACH),
        lambda p: [fill(qty=2), order(1, price=p)],
        reach("99.99", "100", "100.01"),
    ),
    "position_limit gross": Edge(
        PositionLimit(5, measure="gross"), lambda q: [fill(qty=3), order(1, side="S", qty=q)], rise(1, 2, 3)
    ),
    "active_orders": Edge(
        MaxActiveOrders(2), lambda n: [order(place, order_id=place) for place in range(n)], rise(1, 2, 3)
    ),
    "cash": Edge(CashLimit(), lambda p: [order(qty=10, price=p)], rise("99.99", "100", "100.01")),
    "cash held": Edge(
        CashLimit(), lambda p: [order(qty=5, order_id="a"), order(1, qty=5, price=p)], rise("99.99", "100", "100.01")
    ),
    "cash fee": Edge(CashLimit(fee="0.25"), lambda p: [order(qty=8, price=p)], rise("99.99", "100", "100.01")),
    "cash fee in part of a cent": Edge(  # 99.901 cents of fee are 1.00
        CashLimit(fee="0.001"), lambda p: [order(price=p)], rise("998.99", "999", "999.01")
    ),
    "long_only": Edge(LongOnly(), lambda q: [fill(qty=3), order(1, side="S", qty=q)], rise(2, 3, 4)),
    "max_exposure": Edge(MaxExposure(500), lambda q: [price(), fill(qty=3), order(1, qty=q)], rise(1, 2, 3)),
    "max_exposure net": Edge(
        MaxExposure(200, measure="net"), lambda q: [price(), fill(qty=3, side="S"), order(1, qty=q)], rise(4, 5, 6)
    ),
    "max_exposure net short": Edge(
        MaxExposure(500, measure="net"),
        lambda q: [price(), fill(qty=3, side="S"), order(1, side="S", qty=q)],
        rise(1, 2, 3),
    ),
    "max_exposure age": Edge(
        MaxExposure(500, max_mark_age_ns=100), lambda ts: [price(), order(ts)], rise(99, 100, 101)
    ),
    "concentration": Edge(
        ConcentrationLimit("0.75"), lambda q: [price(), *OTHER, fill(), order(1, qty=q)], rise(1, 2, 3)
    ),
    "netting_set": Edge(  # two of Y are one of X
        NettingSet({"s": {"X": 1, "Y": "0.5"}}, limit="2.5"), lambda q: [*OTHER, order(1, qty=q)], rise(1, 2, 3)
    ),
    "netting_set exposure": Edge(
        NettingSet({"s": {"X": 1, "Y": "0.5"}}, exposure=300), lambda q: [price(), order(1, qty=q)], rise(2, 3, 4)
    ),
    "leverage": Edge(Leverage("0.5"), lambda q: [price(), order(1, qty=q)], rise(4, 5, 6)),
    # ------------------------------------------------------------------ margin
    "initial_margin reg_t": Edge(InitialMargin("reg_t"), lambda q: [price(), order(1, qty=q)], rise(19, 20, 21)),
    "initial_margin of a rate that grows with size": Edge(  # 10 lots: 1,000 × (50 % + 10 × 5 %)
        InitialMargin("linear_tier", base="0.5", per_unit="0.05"), lambda q: [price(), order(1, qty=q)], rise(9, 10, 11)
    ),
    "initial_margin bracket": Edge(  # 1,500 × 100 % - 500
        InitialMargin("brackets", table=BRACKETS),
        lambda p: [price(p), order(1, qty=10)],
        rise("149.99", "150", "150.01"),
    ),
    "initial_margin last bracket": Edge(
        InitialMargin("brackets", table=[[500, "0.1"]]), lambda q: [price(), order(1, qty=q)], rise(4, 5, 6)
    ),
    "initial_margin scan": Edge(
        InitialMargin("scan", arrays={"X": [40, -100, 0]}), lambda q: [price(), order(1, qty=q)], rise(9, 10, 11)
    ),
    "initial_margin portfolio": Edge(  # 50 a lot
        InitialMargin("portfolio", ranges={"X": ["-0.25", "0.5"]}),
        lambda q: [price(), order(1, side="S", qty=q)],
        rise(19, 20, 21),
    ),
    "initial_margin portfolio of a house model": Edge(
        InitialMargin("portfolio", method="var", confidence="0.6", arrays={"X": [-50, -25, 1]}, factor=2),
        lambda q: [price(), order(1, qty=q)],
        rise(19, 20, 21),
    ),
    "initial_margin scan with a minimum": Edge(
        InitialMargin("scan", arrays={"X": [1, -1]}, short_option_minimum={"X": 50}),
        lambda q: [price(), order(1, side="S", qty=q)],
        rise(19, 20, 21),
    ),
    "initial_margin scan with a charge": Edge(  # 9 Y are held: 900 - 100 + 125 for each spread
        InitialMargin(
            "scan",
            arrays={"X": [100, -100], "Y": [100, -100]},
            intra_spread=[{"legs": {"X": 1, "Y": 1}, "charge": "125"}],
        ),
        lambda q: [price(), *OTHER[:1], {**fill(qty=9), "instrument": "Y"}, order(1, side="S", qty=q)],
        rise(3, 4, 5),
    ),
    "scenario_limit": Edge(  # falls by 5 and 2 in volatility: -5 × 0.5 + 12.5 × 0.1 - 2 × 4 = -9.25
        ScenarioLimit(limit=925, **LADDER), lambda q: [order(qty=q)], rise(99, 100, 101)
    ),
    "scenario_limit of a cell": Edge(  # one short loses 11.75 in the last one
        ScenarioLimit(cell_limits=[99, 99, 99, "23.5"], **LADDER), lambda q: [order(side="S", qty=q)], rise(1, 2, 3)
    ),
    "scenario_limit age": Edge(
        ScenarioLimit(limit=99, as_of=START, max_age_ns=10, **LADDER),
        lambda ts: [order(ts, side="S")],
        rise(9, 10, 11),
    ),
    "maintenance_margin reg_t long": Edge(  # 20 at 100 with 1,000: 20 p - 1,000 covers 5 p
        MaintenanceMargin("reg_t"),
        lambda p: [price(), fill(qty=20), price(p, 1), order(2)],
        least("66.66", "66.67", "66.68"),
    ),
    "maintenance_margin reg_t short": Edge(  # 20 at 100 with 1,000: 3,000 - 20 p covers 6 p
        MaintenanceMargin("reg_t"),
        lambda p: [price(), fill(side="S", qty=20), price(p, 1), order(2, side="S")],
        rise("115.37", "115.38", "115.39"),
    ),
    "maintenance_margin equal": Edge(
        MaintenanceMargin("reg_t"),
        lambda amount: [price(), fill(qty=20), event("equity", 1, equity=amount), order(2)],
        least("499.99", "500", "500.01"),
    ),
    "maintenance_margin is over": Edge(
        MaintenanceMargin("reg_t"),
        lambda amount: [price(), fill(qty=20), event("equity", equity=1), event("equity", 1, equity=amount), order(2)],
        least("499.99", "500", "500.01"),
    ),
    "volume_cap": Edge(VolumeCap(5), lambda q: [fill(qty=3), order(1, qty=q)], rise(1, 2, 3)),
    "volume_cap reached": Edge(VolumeCap(5, **REACH), lambda q: [fill(qty=3), order(1, qty=q)], reach(1, 2, 3)),
    "volume_cap money": Edge(
        VolumeCap(notional=300), lambda p: [fill(qty=2), order(1, price=p)], rise("99.99", "100", "100.01")
    ),
    "volume_cap money reached": Edge(
        VolumeCap(notional=300, **REACH), lambda p: [fill(qty=2), order(1, price=p)], reach("99.99", "100", "100.01")
    ),
    "volume_cap ordered": Edge(
        VolumeCap(5, measure="ordered"), lambda q: [order(qty=3), order(1, qty=q)], rise(1, 2, 3)
    ),
    "volume_cap day": Edge(VolumeCap(3), lambda ts: [fill(qty=3), order(ts)], at(MIDNIGHT)),
    "volume_cap pause": Edge(
        Rule("r", VolumeCap(3, tz="America/New_York", roll_hour=17), action="PAUSE"),
        lambda ts: [fill(qty=3), order(1), order(ts)],
        at(NEW_YORK_17),
    ),
    # ------------------------------------------------------------------ losses
    "drawdown": Edge(
        DrawdownLimit("0.05"),  # of 1,000; one lot bought at 100
        lambda p: [price(), fill(), price(p, 1), order(2)],
        [("50.01", False), ("50", False), ("49.99", True)],
    ),
    "drawdown reached": Edge(
        DrawdownLimit("0.05", **REACH),
        lambda p: [price(), fill(), price(p, 1), order(2)],
        [("50.01", False), ("50", True), ("49.99", True)],
    ),
    "drawdown money": Edge(
        DrawdownLimit(money=50),
        lambda p: [price(), fill(), price(110, 1), price(p, 2), order(3)],
        [("60.01", False), ("60", False), ("59.99", True)],
    ),
    "daily_loss": Edge(
        DailyLoss(50),
        lambda p: [price(), fill(), price(p, 1), order(2)],
        [("50.01", False), ("50", True), ("49.99", True)],
    ),
    "daily_loss realised": Edge(
        DailyLoss(50, measure="realised"),
        lambda p: [fill(), fill(1, "S", price=p), order(2)],
        [("50.01", False), ("50", True), ("49.99", True)],
    ),
    "daily_loss realised fees": Edge(
        DailyLoss(50, measure="realised"),
        lambda fee: [fill(), fill(1, "S", price=60, fee=fee), order(2)],
        reach("9.99", "10", "10.01"),
    ),
    "daily_loss realised funding": Edge(  # a payment received offsets a loss
        DailyLoss(50, measure="realised"),
        lambda amount: [
            fill(),
            event("cash", 1, flow="funding", currency="USD", amount=amount),
            fill(2, "S", price=40),
            order(3),
        ],
        [("9.99", True), ("10", True), ("10.01", False)],
    ),
    "daily_loss day": Edge(
        DailyLoss(50, tz="America/New_York", roll_hour=17),
        lambda ts: [price(), fill(), price(40, 1), order(ts)],
        at(NEW_YORK_17),
    ),
    "consecutive_losses": Edge(
        ConsecutiveLosses(3), lambda n: [*(trade(pnl=-1) for _ in range(n)), order(1)], reach(2, 3, 4)
    ),
    "consecutive_losses size": Edge(
        ConsecutiveLosses(1), lambda pnl: [trade(pnl=pnl), order(1)], [("-0.01", True), ("0", False), ("0.01", False)]
    ),
    "consecutive_errors": Edge(
        ConsecutiveErrors(3), lambda n: [*(event("error") for _ in range(n)), order(1)], reach(2, 3, 4)
    ),
    "credit": Edge(CreditLimit(500), lambda n: [reserved(300), reserved(n, 1, "s")], rise("199.99", "200", "200.01")),
    "credit reached": Edge(
        CreditLimit(500, **REACH), lambda n: [reserved(300), reserved(n, 1, "s")], reach("199.99", "200", "200.01")
    ),
    "credit used": Edge(
        CreditLimit(500),
        lambda n: [reserved(300), credit("commit", 1, "r"), reserved(n, 2, "s")],
        rise("199.99", "200", "200.01"),
    ),
    "credit released": Edge(
        CreditLimit(500),
        lambda n: [reserved(300), credit("commit", 1, "r"), credit("release", 2, "r", amount=n), reserved(250, 3, "s")],
        least("49.99", "50", "50.01"),
    ),
    "credit released too much": Edge(
        CreditLimit(500),
        lambda n: [reserved(300), credit("commit", 1, "r"), credit("release", 2, "r", amount=n), reserved(500, 3, "s")],
        [("299.99", True), ("300", False), ("300.01", True)],
    ),
    "credit of two accounts": Edge(
        Rule("r", CreditLimit(500), scope="global"),
        lambda n: [{**reserved(300), "account": "B"}, reserved(n, 1, "s")],
        rise("199.99", "200", "200.01"),
    ),
    "credit converted": Edge(
        Rule("r", CreditLimit(500), currency="USD"),
        lambda n: [
            {"ts": START, "kind": "fx", "pair": "EURUSD", "price": "1.25"},
            reserved(300, currency="USD"),
            reserved(n, 1, "s", currency="EUR"),
        ],
        rise("159.99", "160", "160.01"),
    ),
    "credit age of a rate": Edge(
        Rule("r", CreditLimit(500), currency="USD", max_age_ns=100),
        lambda ts: [
            {"ts": START, "kind": "fx", "pair": "EURUSD", "price": "1.25"},
            reserved(1, ts, currency="EUR"),
        ],
        rise(99, 100, 101),
    ),
    "credit age": Edge(CreditLimit(500, ttl_ns=100), lambda ts: [reserved(300), reserved(300, ts, "s")], clears(100)),
    "credit age of another": Edge(  # two reservations of one time, of which one is used
        CreditLimit(500, ttl_ns=100),
        lambda ts: [reserved(300), reserved(100, 0, "s"), credit("commit", 1, "r"), reserved(200, ts, "t")],
        clears(100),
    ),
    "consecutive_errors pause": Edge(
        ConsecutiveErrors(1, open_ns=100), lambda ts: [event("error"), order(ts)], clears(100)
    ),
    "consecutive_errors probes": Edge(
        ConsecutiveErrors(1, open_ns=100, half_open=True, probes=3),
        lambda n: [event("error"), *(order(200) for _ in range(n))],
        reach(3, 4, 5),
    ),
    "consecutive_errors probe without an answer": Edge(
        ConsecutiveErrors(1, open_ns=100, half_open=True, probes=2, probe_timeout_ns=70),
        lambda ts: [event("error"), order(200), order(ts)],
        reach(269, 270, 271),
    ),
    "consecutive_errors answer of an order from before": Edge(
        ConsecutiveErrors(1, open_ns=100, half_open=True, probes=2),
        lambda name: [
            *(order(order_id="p"), event("error"), order(200, order_id="q"), event("error", 201, order_id=name)),
            order(202),
        ],
        [("p", False), ("q", True), (None, True)],
    ),
    "breaker loss": Edge(
        BreakerLimits(daily_loss=50),
        lambda p: [fill(), fill(1, "S", price=p), order(2)],
        [("50.01", False), ("50", True), ("49.99", True)],
    ),
    "breaker loss with fees": Edge(
        BreakerLimits(daily_loss=50),
        lambda fee: [fill(), fill(1, "S", price=60, fee=fee), order(2)],
        reach("9.99", "10", "10.01"),
    ),
    "breaker positions": Edge(
        BreakerLimits(open_positions=2),
        lambda n: [*({**fill(), "instrument": label} for label in ("Y", "V", "W")[:n]), order(1)],
        reach(1, 2, 3),
    ),
    "breaker errors": Edge(
        BreakerLimits(consecutive_errors=3), lambda n: [*(event("error") for _ in range(n)), order(1)], reach(2, 3, 4)
    ),
    "breaker day": Edge(BreakerLimits(consecutive_errors=1), lambda ts: [event("error"), order(ts)], at(MIDNIGHT)),
    "mmp": Edge(MarketMakerProtection(3, "1s"), lambda q: [fill(qty=q), order(1)], rise(2, 3, 4)),
    "mmp window": Edge(
        MarketMakerProtection(3, 100), lambda ts: [fill(qty=2), fill(ts, qty=2), order(ts)], clears(100)
    ),
    "mmp window from the first fill": Edge(
        MarketMakerProtection(3, 100, window="fixed_from_first"),
        lambda ts: [fill(qty=1), fill(50, qty=2), fill(ts, qty=1), order(ts)],
        clears(100),
    ),
    "mmp delta": Edge(
        MarketMakerProtection(window_ns="1s", delta_limit="1.5"),
        lambda q: [fill(qty=q, instrument="D"), order(1)],
        rise(5, 6, 7),
    ),
    "mmp delta reached": Edge(
        MarketMakerProtection(window_ns="1s", delta_limit="1.5", **REACH),
        lambda q: [fill(), fill(side="S"), fill(qty=q, instrument="D"), order(1)],
        reach(5, 6, 7),
    ),
    "mmp freeze": Edge(MarketMakerProtection(3, 100, 500), lambda ts: [fill(qty=4), order(ts)], clears(500)),
    # ------------------------------------------------------------------ locks after trades
    "cooldown": Edge(TradeCooldown(stop_ns=100), lambda ts: [trade(), order(ts)], clears(100)),
    "cooldown unlock_at": Edge(TradeCooldown(unlock_at="15:00"), lambda ts: [trade(), order(ts)], clears(1800 * S)),
    "cooldown unlock_at this very time": Edge(  # the first such time from the close on: now
        TradeCooldown(unlock_at="14:30"), lambda ts: [trade(ts), order(ts + 1)], [(-1, False), (0, False), (1, True)]
    ),
    "cooldown candle": Edge(  # an exact multiple moves on by one too
        TradeCooldown(stop_ns=100, candle_ns=50), lambda ts: [trade(), order(ts)], clears(150)
    ),
    "stoploss_guard count": Edge(
        StoplossGuard(3, "1s", "1s"), lambda n: [*(trade(ret="-0.1") for _ in range(n)), order(1)], reach(2, 3, 4)
    ),
    "stoploss_guard return": Edge(
        StoplossGuard(1, "1s", "1s"),
        lambda ret: [trade(ret=ret), order(1)],
        [("-0.000000001", True), ("0", False), ("0.000000001", False)],
    ),
    "stoploss_guard lookback": Edge(
        StoplossGuard(2, 100, "1s"), lambda ts: [trade(ret="-0.1"), trade(ts, ret="-0.1"), order(ts)], clears(100)
    ),
    "stoploss_guard lock": Edge(StoplossGuard(1, 100, 300), lambda ts: [trade(ret="-0.1"), order(ts)], clears(300)),
    "low_profit": Edge(
        LowProfitLock("1s", 2, "0.1", "1s"),
        lambda ret: [trade(ret="0.05"), trade(ret=ret), order(1)],
        least("0.049999999", "0.05", "0.050000001"),
    ),
    "low_profit lookback": Edge(  # a gain that is out of the window helps no more
        LowProfitLock(100, 1, "0", "1s"),
        lambda ts: [trade(ret="0.2"), trade(ts, ret="-0.1"), order(ts)],
        [(99, False), (100, True), (101, True)],
    ),
    "low_profit lock": Edge(LowProfitLock(100, 1, "0", 300), lambda ts: [trade(ret="-0.1"), order(ts)], clears(300)),
    "dd_trades": Edge(
        TradeDrawdownLock("0.1", "1s", 1, "1s"),
        lambda ret: [trade(ret="0.3"), trade(ret=ret), order(1)],
        [("-0.099999999", False), ("-0.1", False), ("-0.100000001", True)],
    ),
    "dd_equity": Edge(  # of 1,000
        EquityDrawdownLock("0.1", "1s", 1, "1s"),
        lambda pnl: [trade(pnl=pnl), order(1)],
        [("-99.99", False), ("-100", False), ("-100.01", True)],
    ),
    "dd_equity peak": Edge(  # of 1,500
        EquityDrawdownLock("0.1", "1s", 1, "1s"),
        lambda pnl: [trade(pnl=500), trade(pnl=pnl), order(1)],
        [("-149.99", False), ("-150", False), ("-150.01", True)],
    ),
    "dd_equity lookback": Edge(  # what is settled is where the peak begins
        EquityDrawdownLock("0.1", 100, 1, "1s"),
        lambda ts: [trade(pnl="-80"), trade(ts, pnl="-50"), order(ts)],
        clears(100),
    ),
    "dd_equity lock": Edge(
        EquityDrawdownLock("0.1", 100, 1, 300), lambda ts: [trade(pnl=-200), order(ts)], clears(300)
    ),
    "dd_trades lookback": Edge(
        TradeDrawdownLock("0.1", 100, 1, "1s"),
        lambda ts: [trade(ret="-0.1"), trade(ts, ret="-0.1"), order(ts)],
        clears(100),
    ),
    "dd_trades lock": Edge(
        TradeDrawdownLock("0.1", 100, 1, 300), lambda ts: [trade(ret="-0.2"), order(ts)], clears(300)
    ),
}

# one breach of every rule type: its parameters, a stream, and what is shown of the last event's refusal
FALLEN = [price(), fill(), price(75, 1), order(2)]  # one lot bought at 100 with 1,000 in cash: 25, or 2.5 %
NOTHING = (None, None, None, "")
LOCKED = (START + 1, START + 100, -99, "time")
SHOWN: dict[str, tuple[Any, list[dict[str, Any]], tuple[Any, ...]]] = {
    "active_orders": (MaxActiveOrders(2), [order(n, order_id=n) for n in range(3)], (3, 2, -1, "count")),
    "breaker": (
        BreakerLimits(daily_loss=50_000, open_positions=1),
        [{**fill(), "instrument": "Y"}, order(1)],
        (2, 1, -1, "count"),
    ),
    "cash": (CashLimit(), [order(qty=11)], (1100, 1000, -100, "USD")),
    "concentration": (ConcentrationLimit("0.75"), [price(), *OTHER, fill(), order(1, qty=3)], (400, 375, -25, "USD")),
    "consecutive_errors": (ConsecutiveErrors(3), [*[event("error")] * 3, order(1)], (3, 3, 0, "count")),
    "consecutive_losses": (ConsecutiveLosses(3), [*[trade(pnl=-1)] * 3, order(1)], (3, 3, 0, "count")),
    "cooldown": (TradeCooldown(stop_ns=100), [trade(), order(1)], LOCKED),
    "credit": (CreditLimit(500), [reserved(300), reserved("200.5", 1, "s")], (500.5, 500, -0.5, "USD")),
    "daily_loss": (DailyLoss(20), FALLEN, (25, 20, -5, "USD")),
    "dd_trades": (TradeDrawdownLock("0.1", "1s", 1, 100), [trade(ret="-0.2"), order(1)], LOCKED),
    "dd_equity": (EquityDrawdownLock("0.1", "1s", 1, 100), [trade(pnl=-200), order(1)], LOCKED),
    "drawdown": (DrawdownLimit("0.01"), FALLEN, (0.025, 0.01, -0.015, "fraction")),
    "drawdown money": (DrawdownLimit("0.9", "20"), FALLEN, (25, 20, -5, "USD")),
    "duplicate": (DuplicateOrder(2), many(1) * 3, (3, 2, -1, "count")),
    "initial_margin": (InitialMargin("reg_t"), [price(), order(1, qty=21)], (1050, 1000, -50, "USD")),
    "known_instrument": (AllowedInstruments(instruments=("Y",)), [order()], NOTHING),
    "netting_set position": (NettingSet({"s": {"X": "0.5"}}, limit=1), [order(qty=3)], (1.5, 1, -0.5, "quantity")),
    "netting_set": (NettingSet({"s": {"X": 1}}, exposure=250), [price(), order(1, qty=3)], (300, 250, -50, "USD")),
    "leverage": (Leverage("0.5"), [price(), order(1, qty=6)], (600, 500, -100, "USD")),
    "long_only": (LongOnly(), [fill(qty=3), order(1, side="S", qty=4)], (4, 3, -1, "quantity")),
    "lot_tick": (TickLotCheck(), [order(price="0")], NOTHING),
    "low_profit": (LowProfitLock("1s", 1, "0", 100), [trade(ret="-0.1"), order(1)], LOCKED),
    "maintenance_margin": (
        MaintenanceMargin("reg_t"),
        [price(), fill(qty=20), event("equity", 1, equity=499), order(2)],
        (500, 499, -1, "USD"),
    ),
    "max_exposure": (MaxExposure(500), [price(), fill(qty=3), order(1, qty=3)], (600, 500, -100, "USD")),
    "max_order_notional": (MaxOrderNotional("200.5"), [order(qty=3)], (300, 200.5, -99.5, "USD")),
    "max_order_qty": (MaxOrderQty(5), [order(qty=6)], (6, 5, -1, "quantity")),
    "message_level": (MessageThrottle(1), many(2), (2, 1, -1, "count")),
    "min_order_notional": (MinOrderNotional(200), [order()], (100, 200, -100, "USD")),
    "min_order_qty": (MinOrderQty(5), [order(qty=4)], (4, 5, -1, "quantity")),
    "mmp": (MarketMakerProtection(3, "1s"), [fill(qty=4), order(1)], (4, 3, -1, "quantity")),
    "mmp delta": (
        MarketMakerProtection(window_ns="1s", delta_limit="2.5"),
        [fill(qty=3), order(1)],
        (3, 2.5, -0.5, "delta"),
    ),
    "order_rate": (OrderRate(3, "1s"), many(4), (4, 3, -1, "count")),
    "pace": (Pace(1, "1s", max_queue=1), many(3), (2, 1, -1, "count")),
    "order_to_parent": (
        ChildOrderLimit("0.5"),
        [order(qty=6, order_id="p"), order(1, qty=4, parent_id="p")],
        (4, 3, -1, "quantity"),
    ),
    "order_to_trade": (OrderToTradeRatio(1, "1s"), many(3)[:2], (2, 1, -1, "messages a fill")),
    "layering": (
        Layering(prices=1),
        [order(side="S", qty=5, order_id="a"), fill(), cancel(1, "a")],
        (5, 4, -1, "quantity"),
    ),
    "spoofing": (Spoofing(), [order(side="S", qty=5, order_id="a"), fill(), cancel(1, "a")], (5, 4, -1, "quantity")),
    "cancel_burst": (CancelBurst(2, "1s"), cancelled(0, 1), (2, 2, 0, "count")),
    "quote_stuffing": (STUFFING, cancelled(1, 1), (4, 4, 0, "count")),
    "momentum_ignition": (IGNITION, ignited(qty=6), (6, 5, -1, "quantity")),
    "price_band": (PriceBand(up="1.2"), [price(), order(1, price=121)], (121, 120, -1, "price")),
    "velocity": (PriceVelocity(2, "1s"), [price(), order(1, price=103)], (103, 102, -1, "price")),
    "luld": (LimitUpLimitDown(), [close(), order(1, price=106)], (106, 105, -1, "price")),
    "market_breaker": (MarketBreaker("X", halt_ns=100), [close(), price(93), order(1)], LOCKED),
    "unexecuted_orders": (UnexecutedOrders(1), many(3), (2, 1, -1, "messages a fill")),
    "unexecuted_volume": (UnexecutedVolume(1), [fill(qty=2), order(qty=5)], (3, 2, -1, "quantity")),
    "position_limit": (PositionLimit(5, 100_000), [fill(qty=3), order(1, qty=3)], (6, 5, -1, "quantity")),
    "position_limit money": (PositionLimit(500, 50), [order(price=60)], (60, 50, -10, "USD")),
    "price_collar": (PriceCollar("0.025"), [price(), order(1, price=150)], (50, 2.5, -47.5, "price")),
    "reduce_only": (
        ReduceOnly(),
        [fill(qty=3), order(1, side="S", qty=4, reduce_only=True)],
        (4, 3, -1, "quantity"),
    ),
    "repeat_exec_throttle": (
        RepeatedExecutionThrottle(3),
        [*[event("execution", strategy="s")] * 3, order(strategy="s")],
        (3, 3, 0, "count"),
    ),
    "reserve_price": (
        ReservePrice(),
        [order(order_id="a", reserve=101), modify(1, "a", price=102)],
        (102, 101, -1, "price"),
    ),
    "self_match": (
        SelfMatchPrevention("cancel_both"),
        [order(side="S", qty=3, order_id="a"), order(1, price=102)],
        (3, 0, -3, "quantity"),
    ),
    "scenario_limit": (ScenarioLimit(limit=9, **LADDER), [order()], (9.25, 9, -0.25, "USD")),
    "self_trade": (
        SelfTradePrevention(),
        [order(side="S", order_id="a"), order(1, price=102)],
        (102, 100, -2, "price"),
    ),
    "self_trade sell": (
        SelfTradePrevention(),
        [order(order_id="a"), order(1, side="S", price=98)],
        (98, 100, -2, "price"),
    ),
    "session_hours": (SessionHours("XNYS"), [order(-1)], (START - 1, START, -1, "time")),
    "stoploss_guard": (StoplossGuard(1, "1s", 100), [trade(ret="-0.1"), order(1)], LOCKED),
    "trading_state": (TradingState(), [event("control", cmd="HALTED"), order(1)], NOTHING),
    "var_limit": (
        VarLimit(10, warmup=2, bar_ns="1s"),
        [price(100, 0), price(100, 1 * S), order(2 * S)],
        (1, 2, 1, "count"),
    ),
    "volume_cap": (VolumeCap(5, 100_000), [fill(qty=3), order(1, qty=3)], (6, 5, -1, "quantity")),
    "volume_cap money": (VolumeCap(500, 250), [fill(qty=2), order(1)], (300, 250, -50, "USD")),
}

# what trips a rule, and one event that trips it again only if the state of before the pause is kept
PAUSED_100: dict[str, tuple[Any, list[Row], Row]] = {
    "breaker": (BreakerLimits(consecutive_errors=2), [event("error"), event("error")], event("error", 100)),
    "consecutive_errors": (ConsecutiveErrors(2), [event("error"), event("error")], event("error", 100)),
    "consecutive_losses": (ConsecutiveLosses(2), [trade(pnl=-1), trade(pnl=-1)], trade(100, pnl=-1)),
    "drawdown": (DrawdownLimit("0.05"), [price(), fill(), price(49)], price(48, 100)),
    "mmp": (MarketMakerProtection(3, "1s"), [fill(qty=4)], fill(100, qty=3)),
}


SLIPPING = Instrument("S", stop_slippage="0.51", vega="0.5")
WAITS = {"cancel_frees": "confirmed"}


def objected(edge: Edge, number: Any) -> bool:
    """Whether the rule objects to the last event of the stream."""
    one = edge.rule if isinstance(edge.rule, Rule) else Rule("r", edge.rule)
    log = load(
        *edge.stream(number), instruments=(X, Y, D, SLIPPING, *map(Instrument, "VW")), accounts=[RICH], **edge.options
    )
    rows = rk.replay_log(log, rk.RuleSet([one]), compiled=False).rows
    return bool(((rows["seq"] == len(log) - 1) & np.isin(rows["code"], SAID)).any())


@pytest.mark.parametrize("name", TABLE)
def test_just_below_equal_and_just_above(name):
    edge = TABLE[name]
    assert len(edge.points) == 3
    assert [objected(edge, number) for number, _ in edge.points] == [said for _, said in edge.points]


def test_no_rule_of_the_catalogue_is_left_out():
    tried = {(edge.rule if isinstance(edge.rule, Rule) else Rule("r", edge.rule)).type for edge in TABLE.values()}
    assert tried == set(CATALOGUE)


@pytest.mark.parametrize("kind", ["window_ns", "open_ns", "freeze_ns", "lookback_ns", "stop_ns"])
def test_no_window_of_the_catalogue_is_left_out(kind):
    """Every rule with a time of this name has an edge whose three numbers are a nanosecond apart."""
    near = set()
    for edge in TABLE.values():
        numbers = [number for number, _ in edge.points]
        if all(isinstance(number, int) for number in numbers) and numbers[2] - numbers[0] == 2 and numbers[1] > 50:
            near.add((edge.rule if isinstance(edge.rule, Rule) else Rule("r", edge.rule)).type)
    with_one = {name for name, one in CATALOGUE.items() if kind in one.parameters._fields}
    assert with_one and with_one <= near


@pytest.mark.parametrize("name", PAUSED_100)
def test_a_pause_is_over_and_its_cause_forgotten_at_the_very_nanosecond(name):
    parameters, cause, again = PAUSED_100[name]
    kept = Rule("r", parameters, action="PAUSE", hold="100ns")
    at_end = {"A": [*cause, again, order(101)], "B": [*cause, {**again, "ts": again["ts"] - 1}, order(100)]}
    assert not objected(Edge(kept, at_end.get, ()), "A")
    assert objected(Edge(kept, at_end.get, ()), "B") is False, "the pause is over, whatever came within it"
    assert objected(Edge(kept, lambda ts: [*cause, order(ts)], ()), 99)


def test_no_rule_that_forgets_after_a_pause_is_left_out():
    forgetful = {name for name, kind in CATALOGUE.items() if kind.reset is not None and kind.action != "REJECT"}
    assert forgetful == set(PAUSED_100)
