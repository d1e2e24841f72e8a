"""What an answer costs after a million events: views, checks, metrics of a desk; processor time, so that a busy machine is no matter.

`tests/desk/test_growth_of_answers.py` counts the calls and the memory of the same answers after few events and many.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._bench import Bound
from riskkit import Account, Instrument, Rule, RuleSet
from riskkit.desk import (
    AlertSystem,
    DeskLimits,
    LiveDesk,
    MarketStream,
    ParquetStore,
    PositionTracker,
    RiskManager,
    Tick,
)
from riskkit.replay.live.session import Session
from riskkit.rules import DailyLoss, OrderRate, PositionLimit

FEW, MANY = 1_000, 1_000_000
MINUTE = 60 * 10**9
ASKED = 200

ANSWERS: dict[str, Callable[[LiveDesk, PositionTracker, ParquetStore], Any]] = {
    "view of the session": lambda desk, tracker, store: desk.session.status(),
    "utilization in that view": lambda desk, tracker, store: desk.session.status().utilization(),
    "probe of an order": lambda desk, tracker, store: desk.session.probe(**ORDER),
    "check of a trade": lambda desk, tracker, store: desk.check("T3", 1, "buy"),
    "dashboard metrics": lambda desk, tracker, store: desk.metrics(),
    "limits of the desk": lambda desk, tracker, store: desk.limits(),
    "portfolio state": lambda desk, tracker, store: desk.manager.get_portfolio_state(),
    "exposure of a user": lambda desk, tracker, store: tracker.exposure("u7"),
    "metrics of a user": lambda desk, tracker, store: tracker.metrics("u7"),
    "positions of a store": lambda desk, tracker, store: store.current_positions(),
    "daily profit of a store": lambda desk, tracker, store: store.user_daily_pnl(),
}
ORDER = {"account": "desk", "instrument": "T3", "side": "B", "qty": 1, "price": 100}


def rows(only: str = "") -> Iterator[Any]:
    """Every answer after a thousand events of each object and after a million."""
    few, many = _after(FEW), _after(MANY)
    for name, ask in ANSWERS.items():
        if only in name:
            before, after = (_seconds(ask, made) for made in (few, many))
            yield Bound(f"{name} after {MANY:,} events ({1e3 * before:.3g} ms after {FEW:,})", 1e3 * after, 1.0, "ms")


def _after(events: int) -> tuple[LiveDesk, PositionTracker, ParquetStore]:
    """A desk, a tracker and its store, whose session, manager and positions have taken so many events each."""
    tickers = [f"T{k}" for k in range(5)]
    rules = [
        Rule("rate", OrderRate(limit=5, window_ns="1s")),
        Rule("day", DailyLoss(limit=10**9)),
        Rule("size", PositionLimit(limit=10**6)),
    ]
    instruments = [Instrument(ticker, tick="0.01") for ticker in tickers]
    session = Session.create(RuleSet(rules), instruments, [Account("desk")], mode="enforce", compiled=True)
    session.process_price(ts=0, instrument="T3", price=100)
    taken = session.process(_orders_and_fills(events))
    assert not taken.errors and len(session) == events + 1

    manager = RiskManager(10**9, limits=DeskLimits(var_limit=1e9), bars_per_day=390)
    moves = np.random.default_rng(1).normal(0.0, 0.001, (60, 5))
    manager.warm_up(pd.DataFrame(100.0 * np.exp(np.cumsum(moves, axis=0)), columns=tickers))
    tracker = PositionTracker({"ETH": "1e-18"}, remember=50_000)
    tracker.set_price("ETH", 2_000, 0)
    store = ParquetStore(tempfile.mkdtemp(prefix="riskkit-growth-"))
    store.follow(tracker)
    for turn in range(events):
        manager.execute_trade("T3", 1, "sell" if turn % 2 else "buy")
        tracker.update(f"u{turn % 100}", "m", "ETH", -1 if turn // 100 % 3 else 1, 2_000 + turn % 7, turn, turn)
    manager.execute_trade("T3", 5, "buy")

    ticks = [Tick(session.latest + (bar + 1) * MINUTE, "T3", 100.0 + bar % 3) for bar in range(3)]
    desk = LiveDesk(manager, MarketStream(ticks), session=session, alerts=AlertSystem([]))
    desk.step(3)
    assert desk.check("T3", 1, "buy").approved
    return desk, tracker, store


def _orders_and_fills(events: int) -> pd.DataFrame:
    """Orders of one unit, bought and sold in turn, each filled at once."""
    number = np.arange(events) // 2
    labels = pd.Series(number).map("o{}".format)
    filled = np.arange(events) % 2 == 1
    return pd.DataFrame(
        {
            "ts": np.arange(events) * 10**9,
            "kind": np.where(filled, "fill", "order"),
            "account": "desk",
            "instrument": "T3",
            "side": np.where(number % 2, "S", "B"),
            "qty": 1,
            "price": 100,
            "order_id": labels,
        }
    )


def _seconds(ask: Callable[..., Any], made: tuple[LiveDesk, PositionTracker, ParquetStore]) -> float:
    """Processor time of one answer, each after another event of the session: the middle of many."""
    times, session = np.empty(ASKED), made[0].session
    for turn in range(ASKED):
        session.process_price(ts=session.latest + 1, instrument="T3", price=100 + turn % 3)
        begun = time.process_time()
        ask(*made)
        times[turn] = time.process_time() - begun
    return float(np.median(times))
