"""The live engine by label: single events, batches, and accounts that appear, beside a trivial compiled call and plain Python.

Every row's answers are asserted first. ``--only labels``, ``engine``, ``batches`` or ``status`` runs a part.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numba
import numpy as np
import pandas as pd

from benchmarks._bench import Bound, Row
from riskkit import Instrument, Rule, RuleSet
from riskkit.compat import RiskEngine
from riskkit.compat.rules import AccountVolumeLimitRule, Direction, Order, OrderRateLimitRule, Trade
from riskkit.replay.live.session import Session
from riskkit.replay.live.session_status import SessionStatus
from riskkit.replay.run.replay_log import replay_log
from riskkit.rules import MaxOrderQty, OrderRate

START, STEP_NS, SECOND = 10**18, 10**7, 10**9
SIZE, RATE = 500, 200
ORDERS, EVENTS, MANY = 20_000, 300_000, 10_000
TURNS = 60  # batches
PART = 50  # orders timed together, fewer than a moment's noise


def rows(only: str = "") -> Iterator[Any]:
    """The rows of all parts, or of one."""
    for name, part in {"labels": _labels, "engine": _engine, "batches": _batches, "status": _status}.items():
        if only in ("", name):
            yield from part()


@numba.njit
def _add(a: int, b: int, c: int) -> int:
    return a + b + c


class PlainRules:
    """The same two rules as a person writes them: a comparison, and a deque of times for each account."""

    def __init__(self) -> None:
        self.times: dict[str, deque[int]] = {}

    def process_order(self, *, ts: int, account: str, qty: int, **_: Any) -> list[str]:
        """Names of the rules that object."""
        found = ["size"] if qty > SIZE else []
        times = self.times.setdefault(account, deque())
        while times and times[0] <= ts - SECOND:
            times.popleft()
        if len(times) >= RATE:
            found.append("rate")
        elif not found:
            times.append(ts)
        return found


def _session() -> Session:
    rules = RuleSet([Rule("size", MaxOrderQty(SIZE)), Rule("rate", OrderRate(limit=RATE, window_ns=SECOND))])
    return Session.create(rules, [Instrument("ES", tick="0.25")], [f"A{k}" for k in range(10)], compiled=True)


def _orders(qty: int) -> list[dict[str, Any]]:
    return [
        {"ts": START + STEP_NS * k, "account": f"A{k % 10}", "instrument": "ES", "side": "B", "qty": qty + k % 7,
         "price": 5_100 + 0.25 * (k % 40), "order_id": f"a{k}"}
        for k in range(ORDERS)
    ]  # fmt: skip


def _labels() -> Iterator[Any]:
    """One order by label, passed and refused."""
    _add(1, 2, 3)
    for word, qty in (("passed", 1), ("refused", SIZE + 1)):
        session, plain, orders = _session(), PlainRules(), _orders(qty)
        ours, trivial = _times(session.process_order, orders)
        other, _ = _times(plain.process_order, orders)
        again = [bool(plain.process_order(**{**order, "ts": order["ts"] + 10**15})) for order in orders[:100]]
        assert again == [qty > SIZE] * 100
        assert session.digest == replay_log(session.log(), session.rules).digest
        assert len(session.result().rejections()) == ORDERS * (qty > SIZE)
        name = f"one order by label, two rules, {word}"
        typical = float(np.quantile(ours, 0.25))
        yield Row(name, typical, float(np.quantile(trivial, 0.25)), "a trivial compiled call", 15, at_least=False)
        yield Row(name, typical, float(np.quantile(other, 0.25)), "plain Python, dict and deque", 5, at_least=False)
        yield Bound(f"{name}: p99 of {PART} / median", float(np.quantile(ours, 0.99) / np.median(ours)), 5, "times")


def _times(call: Callable[..., Any], orders: list[dict[str, Any]]) -> np.ndarray:
    """Seconds of a call, and of the trivial one in turn with it, of parts of `PART` calls; the first ones compile."""
    found = []
    for start, end in pairwise(range(0, len(orders) + 1, PART)):
        part = orders[start:end]
        begun = time.perf_counter()
        for order in part:
            call(**order)
        between = time.perf_counter()
        for _ in part:
            _add(1, 2, 3)
        found.append((between - begun, time.perf_counter() - between))
    return np.array(found[len(found) // 10 :]).T / PART


def _engine() -> Iterator[Any]:
    """`RiskEngine` in a tight loop of orders and trades, with few accounts and with many that appear."""
    found = {}
    for accounts in (10, MANY):
        events = _orders_and_trades(accounts)
        engine = RiskEngine(
            [OrderRateLimitRule(RATE), AccountVolumeLimitRule(10**9, ["account", "product"])],
            {f"T{k}": "P" for k in range(5)},
            compiled=True,
        )
        calls = {Order: engine.process_order, Trade: engine.process_trade}
        for event in events[:100]:
            calls[type(event)](event)
        gc.collect()
        begun = time.perf_counter()
        for event in events[100:]:
            calls[type(event)](event)
        found[accounts] = (time.perf_counter() - begun) / (len(events) - 100)
        assert len(engine.universe.accounts) == accounts
        if accounts == 10:
            assert engine.digest == replay_log(engine.log(), engine.rules).digest
    yield Bound("RiskEngine, orders and trades of 10 accounts", 1 / found[10], 250_000, "events/s", at_least=True)
    yield Row(f"RiskEngine, {MANY:,} accounts that appear", found[MANY], found[10], "10 accounts", 0.7)


def _orders_and_trades(accounts: int) -> list[Any]:
    found: list[Any] = []
    ways = (Direction.ASK, Direction.BID)
    for k in range(EVENTS // 2):
        account = f"ACC{k * accounts // (EVENTS // 2)}" if accounts > 10 else f"ACC{k % accounts}"
        price, ts = 100.0 + 0.5 * (k % 40), START + 2 * STEP_NS * k
        found.append(Order(k, account, f"T{k % 5}", ways[k % 2], price, 1 + k % 7, ts))
        found.append(Trade(k, k, price, 1 + k % 3, ts + STEP_NS))
    return found


def _batches() -> Iterator[Any]:
    """Batches from a frame and from dicts, with and without ids."""
    for what, size, named, aim in (
        ("a frame of 1,000", 1_000, False, 2e6),
        ("a frame of 1,000 with ids", 1_000, True, 1e6),
        ("100 dicts", 100, False, 5e5),
    ):
        session, times = _session(), []
        for number in range(TURNS):
            frame = _frame(size, number, named)
            events = frame if size == 1_000 else frame.to_dict("records")
            begun = time.perf_counter()
            batch = session.process(events)
            times.append(time.perf_counter() - begun)
            assert not batch.errors and batch.passed.all()
        assert session.digest == replay_log(session.log(), session.rules).digest
        yield Bound(f"a batch by label, {what}", size / float(np.quantile(times, 0.25)), aim, "events/s", at_least=True)


def _frame(size: int, number: int, named: bool) -> pd.DataFrame:
    draw, place = np.random.default_rng(number), np.arange(number * size, (number + 1) * size)
    columns = {
        "ts": START + STEP_NS * place, "account": draw.choice([f"A{k}" for k in range(10)], size), "instrument": "ES",
        "side": draw.choice(["B", "S"], size), "qty": draw.integers(1, 9, size),
        "price": 5_100 + 0.25 * draw.integers(0, 100, size),
    }  # fmt: skip
    return pd.DataFrame(columns | ({"order_id": [f"o{k}" for k in place]} if named else {}))


def _status() -> Iterator[Any]:
    """What readers get after one event of one of many accounts, beside a copy of all."""
    accounts = [f"A{k}" for k in range(100_000)]
    session = Session.create(_session().rules, [Instrument("ES", tick="0.25")], accounts, compiled=True)
    session.process(
        [
            {"ts": START, "account": label, "instrument": "ES", "side": "B", "qty": 1, "price": 5_100}
            for label in accounts
        ]
    )
    times, pages = [], []
    for k in range(60):
        session.process_order(START + k, f"A{1_000 * k}", "ES", "B", 1, 5_100)
        for copies in (session.status, lambda: SessionStatus(session.engine)):
            begun = time.process_time()
            found = copies()
            times.append(time.process_time() - begun)
            pages.append(found.copy.copied["accounts"])
            del found  # not within the time of the next
    assert pages[20::2] == [1] * 50
    assert pages[21::2] == [pages[1]] * 50
    ours, other = (float(np.median(times[start::2])) for start in (20, 21))
    yield Row("status after an event, 100,000 accounts", ours, other, "a copy of all", 10)
