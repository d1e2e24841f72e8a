"""What an answer costs does not grow with the events before it: the same calls and as much memory after eight times as many.

Calls of Python and C functions are counted, so a loop over events in either would be seen; a copy of all events would be
seen in the memory.
"""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from interrupts import interrupted

import riskkit as rk
from riskkit.desk import (
    AlertSystem,
    DeskLimits,
    DuckDBStore,
    LiveDesk,
    MarketStream,
    ParquetStore,
    PositionTracker,
    RiskManager,
    Tick,
)
from riskkit.desk.store import parquet
from riskkit.desk.store.queries import as_frame

MINUTE = 60 * 10**9
FEW, MANY = 20, 160
WINDOW = 8


def desk_after(events: int) -> tuple[LiveDesk, PositionTracker]:
    """A desk that has traded at every bar, and a tracker with as many trades."""
    manager = RiskManager(
        1_000_000, limits=DeskLimits(var_limit=1e9, max_drawdown=0.9), bars_per_day=390, min_bars=0, keep=WINDOW
    )
    manager.add_ticker("A", price=100.0, volatility=0.01)
    rules = [
        rk.Rule("rate", rk.rules.OrderRate(limit=5, window_ns="1s")),
        rk.Rule("day", rk.rules.DailyLoss(limit=10**6)),
        rk.Rule("size", rk.rules.PositionLimit(limit=10**6)),
    ]
    session = rk.Session.create(
        rk.RuleSet(rules), [rk.Instrument("A", tick="0.01")], [rk.Account("desk")], mode="enforce", compiled=False
    )
    ticks = [Tick((bar + 1) * MINUTE, "A", 100.0 + bar % 7) for bar in range(events + 1)]
    desk = LiveDesk(manager, MarketStream(ticks), session=session, alerts=AlertSystem([]))
    tracker = PositionTracker({"A": 1}, window=WINDOW, remember=WINDOW)
    tracker.set_price("A", 100, 1)
    for event in range(events):
        desk.step()
        side, amount = ("buy", 1) if event % 2 == 0 else ("sell", -1)
        assert desk.execute("A", 1, side).executed
        tracker.update("ann", "m", "A", amount, 100, timestamp=event + 1, trade_id=event)
    return desk, tracker


ANSWERS: dict[str, Callable[[LiveDesk, PositionTracker], Any]] = {
    "status": lambda desk, tracker: desk.session.status(),
    "states": lambda desk, tracker: desk.trading_state(),
    "utilization": lambda desk, tracker: desk.utilization(),
    "limits": lambda desk, tracker: desk.limits(),
    "check": lambda desk, tracker: desk.check("A", 1, "buy"),
    "dashboard metrics": lambda desk, tracker: desk.metrics(),
    "portfolio state": lambda desk, tracker: desk.manager.get_portfolio_state(),
    "limits of the manager": lambda desk, tracker: desk.manager.get_limit_utilization(),
    "exposure": lambda desk, tracker: tracker.exposure("ann"),
    "user metrics": lambda desk, tracker: tracker.metrics("ann"),
}


def cost(ask: Callable[[], Any]) -> tuple[int, int]:
    """Calls of functions while asking, and the memory in bytes that is needed at most."""
    ask()  # what is made once
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        ask()
    finally:
        sys.setprofile(None)
    tracemalloc.start()
    ask()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return calls, peak


@pytest.fixture(scope="module")
def desks() -> list[tuple[LiveDesk, PositionTracker]]:
    return [desk_after(FEW), desk_after(MANY)]


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_costs_as_much_after_eight_times_the_events(name, desks):
    (calls, peak), (later_calls, later_peak) = (cost(lambda desk=desk: ANSWERS[name](*desk)) for desk in desks)
    assert later_calls <= calls + 20
    assert later_peak <= 1.2 * peak + 4_000


@pytest.mark.parametrize("query", ["user_daily_pnl", "current_positions"])
def test_a_summary_of_a_store_reads_what_is_new(query, tmp_path, monkeypatch):
    read, asked = [], parquet._read
    monkeypatch.setattr(parquet, "_read", lambda part, columns: read.append(part.first) or asked(part, columns))

    def answer(store):
        del read[:]
        found = getattr(store, query)().to_csv()
        return found, list(read)

    with ParquetStore(tmp_path, part_rows=4) as store:
        store.follow(book := PositionTracker({"ETH": "1e-18"}))
        for turn in range(40):
            book.update(f"u{turn % 3}", "m", "ETH", (-1) ** (turn // 3), 9 + turn, timestamp=turn * 10**13)
            if turn % 10 == 9:
                found, parts = answer(store)
                again = answer(ParquetStore(tmp_path))
                assert found == again[0] and len(parts) <= 4 < len(again[1]) + (turn < 10) * 4
        assert answer(store) == (found, []), "nothing is new"
        for instant in (0, 60, 150):
            book.update("ann", "m", "ETH", 1, 9 + instant, timestamp=10**15 + instant)
            interrupted(lambda: answer(store), instant)
            assert answer(store)[0] == answer(ParquetStore(tmp_path))[0]


@pytest.mark.parametrize("query", ["user_daily_pnl", "current_positions"])
def test_a_summary_of_a_database_reads_what_is_new(query, tmp_path, monkeypatch):
    read, asked = [], DuckDBStore.sql
    monkeypatch.setattr(DuckDBStore, "sql", lambda store, text: read.append(found := asked(store, text)) or found)

    def answer(store):
        del read[:]
        found = getattr(store, query)()
        new = sum(map(len, read))
        assert found.equals(as_frame(query, store._answer(query))), "of the whole log"
        return new

    with DuckDBStore(tmp_path / "store", part_rows=4) as store:
        store.follow(book := PositionTracker({"ETH": "1e-18", "USD": "1e-6"}))
        for turn in range(400):
            book.update(f"u{turn % 40}", "m", "ETH", (-1) ** (turn // 120), f"{9 + turn}.25", timestamp=turn * 10**13)
            if turn % 50 == 49:
                assert answer(store) <= 110  # rows, of 400
            if turn == 270:
                store.checkpoint()
                book.swap("ann", "m", "ETH", 1, "USD", 9, value=9, timestamp=10**16)
        assert answer(store) == 0, "nothing is new"
        for instant in (0, 60, 150):
            book.update("ann", "m", "ETH", 1, 9 + instant, timestamp=10**16 + instant)
            interrupted(lambda: answer(store), instant)
            answer(store)


def test_a_loop_and_a_copy_would_be_seen():
    few, many = list(range(1_000)), list(range(10_000))
    assert cost(lambda: [abs(n) for n in many])[0] > cost(lambda: [abs(n) for n in few])[0] + 5_000
    assert cost(lambda: many[:])[1] > 5 * cost(lambda: few[:])[1]
