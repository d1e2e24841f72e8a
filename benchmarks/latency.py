"""What one decision costs when it is waited for: by label or prepared, with and without the collector, one writer or four.

``notebooks/low_latency.md`` cites these rows. Every way of feeding the engine is asserted to decide alike first.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks._bench import Calls, Row, best
from benchmarks.replay import columns, log_of
from benchmarks.rules import FIVE, rules_of
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session import Session
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.run.replay_log import Stage, replay_log
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import Account, Instrument, Universe

EVENTS = 20_000
WRITERS = 4
A_CALL = 2_000  # events that the loop takes in the time of one call, at the most
BATCHES = (1, 10, 100, 1_000, 10_000)
FIELDS = ("account", "instrument", "side", "qty", "price")
FEW, MANY = 50, 800  # instruments


def rows(only: str = "") -> Iterator[Any]:
    """The rows; ``--only forms``, ``collector``, ``pinned``, ``writers``, ``batches`` or ``pairs`` runs a part."""
    parts = {"forms": _forms, "collector": _collector, "pinned": _pinned, "writers": _writers, "batches": _batches}
    parts["pairs"] = _pairs
    log = log_of(columns(EVENTS))
    for name, part in parts.items():
        if only in ("", name):
            yield from part(log)


def _prepared(log: EventLog) -> tuple[Engine, list[Any]]:
    """An engine, and every event of the log checked and built beforehand."""
    live = Engine(rules_of(FIVE), log.universe)
    events = []
    for place in range(len(log)):
        fields = {name: int(log.columns[name][place]) for name in FIELDS}
        kind = EventKind(int(log.columns["kind"][place]))
        if kind == EventKind.PRICE:
            fields = {name: fields[name] for name in ("instrument", "price")}
        events.append(live.prepare(int(log.columns["ts"][place]), kind, **fields))
    return live, events


def _timed(function: Callable[[Any], Any], items: list[Any]) -> np.ndarray:
    times = np.empty(len(items))
    clock = time.perf_counter
    for place, item in enumerate(items):
        start = clock()
        function(item)
        times[place] = clock() - start
    return times[len(times) // 10 :]  # the first ones compile and make room


def _forms(log: EventLog) -> Iterator[Any]:
    """The same events by label, by code, and prepared: the same decisions."""
    rules = rules_of(FIVE)
    expected = replay_log(log, rules).rows[["seq", "cause", "code"]].tolist()
    live, events = _prepared(log)
    prepared = _timed(live.submit, events)
    assert live.result().rows[["seq", "cause", "code"]].tolist() == expected
    coded = Engine(rules, log.universe)
    as_codes = [
        (int(log.columns["ts"][place]), EventKind(int(log.columns["kind"][place])),
         {name: int(log.columns[name][place]) for name in FIELDS})
        for place in range(len(log))
    ]  # fmt: skip
    by_code = _timed(lambda event: coded.push(event[0], event[1], **event[2]), as_codes)
    assert coded.result().rows[["seq", "cause", "code"]].tolist() == expected
    session = Session(rules, log.universe)
    frame = log.to_frame()
    names = {
        EventKind.ORDER: session.process_order,
        EventKind.FILL: session.process_trade,
        EventKind.PRICE: session.process_price,
    }
    by_label = _timed(lambda event: names[event[0]](**event[1]), _labelled(frame, log))
    yield Calls("an event by label (Session)", by_label)
    yield Calls("an event by code (Engine.push)", by_code)
    yield Calls("an event prepared (Engine.submit)", prepared)


def _labelled(frame: Any, log: EventLog) -> list[tuple[EventKind, dict[str, Any]]]:
    """The events as a person has them; those that are neither order, fill nor price are left out."""
    found = []
    for kind, row in zip(log.columns["kind"].tolist(), frame.to_dict("records"), strict=True):
        if kind == EventKind.PRICE:
            found.append((EventKind.PRICE, {name: row[name] for name in ("ts", "instrument", "price")}))
        elif kind in (EventKind.ORDER, EventKind.FILL):
            found.append((EventKind(kind), {name: row[name] for name in ("ts", *FIELDS)}))
    return found


def _collector(log: EventLog) -> Iterator[Any]:
    """The garbage collector in a hot window: a strategy keeps twenty small lists an event, beside 300,000 old ones."""
    heap = [[place] for place in range(300_000)]
    found = {}
    for name, switch in (("on", gc.enable), ("off", gc.disable)):
        live, events = _prepared(log)
        kept: list[list[int]] = []
        gc.collect()
        switch()
        try:
            found[name] = _timed(lambda event: _decide_and_keep(live, event, kept), events)  # noqa: B023
        finally:
            gc.enable()
    assert len(heap) == 300_000
    yield Calls("an event of a strategy, collector on", found["on"])
    yield Calls("an event of a strategy, collector off", found["off"])
    slow = [float(times.max()) for times in (found["off"], found["on"])]
    yield Row("  the slowest event of all, collector off", *slow, "collector on", 2.0)


def _decide_and_keep(live: Engine, event: Any, kept: list[list[int]]) -> None:
    live.submit(event)
    kept.extend([place] for place in range(20))


def _pinned(log: EventLog) -> Iterator[Any]:
    """The writer kept on one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = os.sched_getaffinity(0)
    live, events = _prepared(log)
    yield Calls("prepared, on any core", _timed(live.submit, events))
    live, events = _prepared(log)
    os.sched_setaffinity(0, {max(cores)})
    try:
        times = _timed(live.submit, events)
    finally:
        os.sched_setaffinity(0, cores)
    yield Calls("prepared, on one core", times)


def _writers(log: EventLog) -> Iterator[Any]:
    """One thread that writes, or four that share a session: the same number of events."""

    def write(session: Session, part: list[tuple[str, dict[str, Any]]]) -> None:
        for _, event in part:
            session.process_price(**event)

    prices = [(name, event) for name, event in _labelled(log.to_frame(), log) if name == EventKind.PRICE]
    prices = [(name, {**event, "ts": 0}) for name, event in prices]

    def one() -> None:
        write(Session(rules_of(FIVE), log.universe), prices)

    def many() -> None:
        session = Session(rules_of(FIVE), log.universe)
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(lambda first: write(session, prices[first::WRITERS]), range(WRITERS)))
        assert len(session) == len(prices)

    ours, other = best(one, many, repeat=3)
    yield Row(f"{len(prices):,} prices by label, one writer", ours, other, f"{WRITERS} threads", 1.0)


def _batches(log: EventLog) -> Iterator[Any]:
    """A recorded log in batches: what a call into compiled code costs, spread over the events of a batch."""
    rules = rules_of(FIVE)
    options: dict[str, Any] = {"orphans": "keep", "on_trip": "leave", "sample_ns": None, "compiled": True}
    stage = Stage(log, rules, "shadow", **options)
    whole = stage.replay(rules).digest
    assert all(stage.replay(rules, chunk=size).digest == whole for size in BATCHES)
    ways = [lambda size=size: stage.replay(rules, chunk=size) for size in (*BATCHES, len(log))]
    *times, least = best(*ways, repeat=3)
    for size, taken in zip(BATCHES, times, strict=True):
        aim = 2.0 + A_CALL / size
        yield Row(f"a log in batches of {size:,}", taken, least, "in one", aim, at_least=False)


def _pairs(_: EventLog) -> Iterator[Any]:
    """The first order of an account in an instrument: it adds records, whose number is not that of the instruments."""
    few, many = (float(np.median(_first_orders(count))) for count in (FEW, MANY))
    yield Row(f"the first order of a pair, {MANY} instruments", many, few, f"{FEW} instruments", 2.0, at_least=False)


def _first_orders(count: int) -> np.ndarray:
    instruments = tuple(Instrument(f"X{number}") for number in range(count))
    universe = Universe(instruments, (Account("A"), Account("B")), {"USD": instruments[0].tick})
    live = Engine(rules_of(FIVE), universe)

    def first(instrument: int) -> None:
        live.push(1, EventKind.ORDER, account=0, instrument=instrument, side=1, qty=1, price=100)

    return _timed(first, list(range(FEW)))
