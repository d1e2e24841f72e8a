"""A session in a folder: what durable costs, how much it remembers, how fast it is there again. Answers are asserted first.

Flushes take 4 ms each here, as those of an ordinary disk, whatever the disk of this machine does.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks._bench import Bound, Row
from riskkit.replay.live import write_ahead_log
from riskkit.replay.live.journal_folder import STATE, file_of, firsts
from riskkit.replay.live.journaled_session import JournaledSession
from riskkit.replay.live.open_journal import open_journal
from riskkit.replay.live.session import Session
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.universe import Instrument
from riskkit.rules import MaxOrderQty, OrderRate
from riskkit.service.engine import EngineService
from riskkit.service.turns import Turns

EVENTS = 100_000
BATCH = 1_000
FLUSH = 0.004
THREADS, TASKS, EACH = 256, 1_000, 50
TICK_NS = 1_000_000
RULES = RuleSet([Rule("size", MaxOrderQty(limit=5)), Rule("rate", OrderRate(limit=600, window_ns="1s"))])


def rows(only: str = "") -> Iterator[Any]:
    """The rows; ``--only commit`` or ``history`` runs a part."""
    real = write_ahead_log.flush
    write_ahead_log.flush = _slow
    try:
        for name, part in {"commit": _commit, "history": _history}.items():
            if only in ("", name):
                yield from part()
    finally:
        write_ahead_log.flush = real


def _slow(handle: int) -> None:
    time.sleep(FLUSH)


def _opened(folder: str, **options: str) -> JournaledSession:
    return Session.open(folder, RULES, [Instrument("ES")], ["A"], horizon="10s", segment_events=EVENTS // 4, **options)


def _take(session: Session, count: int) -> None:
    """Orders, each filled at once, from where the session is."""
    start = len(session)
    for n in range(start, start + count):
        if n % 2:
            session.process_trade(ts=n * TICK_NS, order_id=n - 1, qty=1, price=100, trade_id=n)
        else:
            side = "BS"[n // 2 % 2]
            session.process_order(ts=n * TICK_NS, account="A", instrument="ES", side=side, qty=1, price=100, order_id=n)


def _take_durably(session: JournaledSession, count: int) -> None:
    for _ in range(count // BATCH):
        with session.together():
            _take(session, BATCH)


def _commit() -> Iterator[Any]:
    """Events that are on disk before they are answered: in batches and in threads, beside the same session in memory."""
    twin = Session.create(RULES, [Instrument("ES")], ["A"], compiled=True)
    with tempfile.TemporaryDirectory() as folder, _opened(folder) as session:
        _take(twin, 2 * BATCH)
        _take_durably(session, 2 * BATCH)
        times = []
        for one in (lambda: _take(twin, EVENTS), lambda: _take_durably(session, EVENTS)):
            start = time.perf_counter()
            one()
            times.append((time.perf_counter() - start) / EVENTS)
        assert session.digest == twin.digest
        yield Bound(f"durable single calls, {BATCH:,} a flush", 1 / times[1], 50_000, "/s", at_least=True)
        name = f"a durable event, {BATCH:,} a flush of {FLUSH * 1e3:g} ms"
        yield Row(name, times[1], times[0], "in memory", 1 + FLUSH / BATCH / times[0] + 0.5, at_least=False)
    with tempfile.TemporaryDirectory() as folder, _opened(folder) as session:
        frames = [_frame(number) for number in range(EVENTS // BATCH)]
        session.process(frames[0])
        start = time.perf_counter()
        for frame in frames[1:]:
            assert not session.process(frame).errors
        rate = (EVENTS - BATCH) / (time.perf_counter() - start)
        assert session.digest == replay_log(session.log(), RULES).digest
        yield Bound(f"durable frames of {BATCH:,}, a flush each", rate, 50_000, "/s", at_least=True)
    with tempfile.TemporaryDirectory() as folder, _opened(folder) as session:
        _take(session, 2)
        threads = [threading.Thread(target=_prices, args=(session,)) for _ in range(THREADS)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        rate = (len(session) - 2) / (time.perf_counter() - start)
        assert len(session) == 2 + THREADS * EACH
        yield Bound(f"durable single calls of {THREADS} threads that wait each", rate, 50_000, "/s", at_least=True)
    with tempfile.TemporaryDirectory() as folder, _opened(folder, durability="none") as session:
        _take(session, 2)
        start = time.process_time()
        asyncio.run(_asked(session))
        rate = (len(session) - 2) / (time.process_time() - start)
        assert len(session) == 2 + TASKS * EACH
        yield Bound(
            f"durable single calls of {TASKS:,} tasks that wait each, in a CPU-second",
            rate,
            50_000,
            "/s",
            at_least=True,
        )


async def _asked(session: JournaledSession) -> None:
    """Orders of tasks of one loop, as the service answers requests: all of a turn share a flush."""
    engine = EngineService(session)
    turns = Turns(engine, waits=True, most=TASKS)

    async def ask() -> None:
        for n in range(EACH):
            answer = engine.decide("price", {"ts": TICK_NS, "instrument": "ES", "price": 100 + n % 10})
            await turns.durable("a key", answer.seq)

    await asyncio.gather(*[ask() for _ in range(TASKS)])
    await turns.close()


def _prices(session: JournaledSession) -> None:
    for n in range(EACH):
        session.process_price(ts=TICK_NS, instrument="ES", price=100 + n % 10)


def _frame(number: int) -> pd.DataFrame:
    """Orders, each filled at once."""
    place = np.arange(number * BATCH, (number + 1) * BATCH)
    filled = place % 2 == 1
    return pd.DataFrame(
        {
            "ts": place * TICK_NS, "kind": np.where(filled, "fill", "order"), "account": "A", "instrument": "ES",
            "side": np.where(place // 2 % 2, "S", "B"), "qty": 1, "price": 100, "order_id": place - filled,
        }
    )  # fmt: skip


def _history() -> Iterator[Any]:
    """Memory, snapshot and recovery of a session that has run ten times as long."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for count in (EVENTS, 9 * EVENTS):
            session = _opened(folder)
            _take_durably(session, count)
            session.roll()
            gc.collect()
            memory, rows_kept = _resident(), len(session.engine.journal)
            session.close()
            size = file_of(Path(folder), firsts(Path(folder), STATE)[-1], STATE).stat().st_size
            start = time.perf_counter()
            session = _opened(folder)
            found.append((memory, rows_kept, size, time.perf_counter() - start))
            digest = session.digest
            session.close()
        assert open_journal(folder).digest == digest
        (memory, kept, size, seconds), (memory_later, kept_later, size_later, seconds_later) = found
        yield Bound("rows in memory after ten times the events", kept_later / kept, 1.05, "x")
        yield Bound("resident memory after ten times the events", memory_later / memory, 1.05, "x")
        yield Bound("snapshot after ten times the events", size_later / size, 1.05, "x")
        yield Bound("recovery after ten times the events", seconds_later, 2, "s")
        yield Row("recovery after ten times the events", seconds_later, seconds, "before", 1.3, at_least=False)


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
