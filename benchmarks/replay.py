"""The fused loop: order rate, volume cap, breaker and book over 10 million events.

Beside it stand a bare compiled scan of the same columns (what reading them costs) and the same rules as a team would
write them in an afternoon, with dicts and deques. Decisions are asserted equal first. The log looks like a real one:
an account's order is followed by its fill and by a price.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._bench import Bound, Row, best, seconds
from riskkit._jit import kernel
from riskkit.replay.engine.compiler import ReplayLoop, fixed_arguments, shape_of
from riskkit.replay.engine.order_columns import assign_slots
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.state import calendars, new_state, opening
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.circuit_breaker import BreakerLimits
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import REQUIRED, EventKind
from riskkit.replay.schema.universe import Account, Instrument, Universe, exact
from riskkit.rules import OrderRate, VolumeCap

EVENTS = 10_000_000
ACCOUNTS, INSTRUMENTS = 64, 32
LIMIT, WINDOW, CAP, LOSS, OPEN = 9, 1_000_000_000, 6_400_000, 1_200_000, 32
DAY = 86_400_000_000_000
OPEN_NS = 1_699_972_200_000_000_000  # 14:30 UTC: ten million events make a trading day of six and a half hours
RULES = RuleSet(
    [
        Rule("rate", OrderRate(limit=LIMIT, window_ns=WINDOW)),
        Rule("cap", VolumeCap(limit=CAP)),
        Rule("breaker", BreakerLimits(daily_loss=LOSS / 100, open_positions=OPEN)),
    ]
)


def columns(size: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Order, fill, price, again and again; about one order in fifty is refused."""
    draw = np.random.default_rng(seed)
    turns = size // 3 + 1
    kind = np.tile(np.array([EventKind.ORDER, EventKind.FILL, EventKind.PRICE], np.int8), turns)[:size]
    account = np.repeat((draw.beta(1.0, 1.6, turns) * ACCOUNTS).astype(np.int32), 3)[:size]
    instrument = np.repeat(draw.integers(0, INSTRUMENTS, turns, dtype=np.int32), 3)[:size]
    side = np.repeat(draw.choice(np.array([-1, 1], np.int8), turns), 3)[:size]
    quoted = kind == EventKind.PRICE
    pair = account * INSTRUMENTS + instrument
    return {
        "ts": OPEN_NS + np.cumsum(draw.integers(1, 4_600_000, size)),
        "kind": kind,
        "account": np.where(quoted, np.int32(-1), account),
        "instrument": instrument,
        "pair": np.where(quoted, np.int32(-1), pair).astype(np.int32),
        "side": np.where(quoted, np.int8(0), side),
        "qty": np.repeat(draw.integers(1, 100, turns), 3)[:size],
        "price": np.repeat(10_000 + draw.integers(-100, 101, turns), 3)[:size],
        "order": np.full(size, -1),
    }


def log_of(found: dict[str, np.ndarray]) -> EventLog:
    """The columns as a log of 64 accounts in 32 instruments."""
    universe = Universe(
        tuple(Instrument(f"I{i}") for i in range(INSTRUMENTS)),
        tuple(Account(f"A{a}") for a in range(ACCOUNTS)),
        {"USD": exact("0.01", "quantum")},
    )
    accounts = np.repeat(np.arange(ACCOUNTS), INSTRUMENTS)
    instruments = np.tile(np.arange(INSTRUMENTS), ACCOUNTS)
    return EventLog(found, accounts, instruments, universe, known_hash=b"\0" * 32)


@kernel
def scan(ts, kind, account, instrument, pair, side, qty, price, order):
    """Read every column once."""
    total = 0
    for i in range(len(ts)):
        total += ts[i] ^ kind[i] ^ account[i] ^ instrument[i] ^ pair[i] ^ side[i] ^ qty[i] ^ price[i] ^ order[i]
    return total


class Message(NamedTuple):
    """An event as the afternoon's code passes it around."""

    seq: int
    ts: int
    kind: int
    account: int
    pair: int
    side: int
    qty: int
    price: int


class RateLimit:
    """At most LIMIT accepted orders of an account in a second."""

    def __init__(self) -> None:
        self.recent: dict[int, deque[int]] = defaultdict(deque)

    def on_order(self, order: Message, book: PlainBook) -> bool:
        """Say whether the order may pass, and count it if so."""
        recent = self.recent[order.account]
        while recent and recent[0] <= order.ts - WINDOW:
            recent.popleft()
        if len(recent) + 1 > LIMIT:
            return False
        recent.append(order.ts)
        return True

    def on_fill(self, fill: Message, book: PlainBook) -> None:
        """Fills do not count."""

    def new_day(self) -> None:
        """The window knows no days."""


class Cap:
    """At most CAP lots of fills of an account in a day."""

    def __init__(self) -> None:
        self.traded: dict[int, int] = defaultdict(int)

    def on_order(self, order: Message, book: PlainBook) -> bool:
        """Say whether the order would still fit."""
        return self.traded[order.account] + order.qty <= CAP

    def on_fill(self, fill: Message, book: PlainBook) -> None:
        """Count the fill."""
        self.traded[fill.account] += fill.qty

    def new_day(self) -> None:
        """Start at zero."""
        self.traded.clear()


class PlainBreaker:
    """Trips on the day's realised loss and on too many open positions."""

    def __init__(self) -> None:
        self.loss: dict[int, int] = defaultdict(int)
        self.tripped: set[int] = set()

    def on_order(self, order: Message, book: PlainBook) -> bool:
        """Say whether the account may trade; the order that opens one too many trips."""
        if order.account in self.tripped:
            return False
        if book.held[order.pair] == 0 and book.opened[order.account] >= OPEN:
            self.tripped.add(order.account)
            return False
        return True

    def on_fill(self, fill: Message, book: PlainBook) -> None:
        """Move the day's loss by what the fill realised."""
        self.loss[fill.account] = max(self.loss[fill.account] - book.realised, 0)
        if self.loss[fill.account] >= LOSS:
            self.tripped.add(fill.account)

    def new_day(self) -> None:
        """Start the day without loss."""
        self.loss.clear()
        self.tripped.clear()


class PlainBook:
    """Positions at average cost, and what the last fill realised."""

    def __init__(self) -> None:
        self.held: dict[int, int] = defaultdict(int)
        self.cost: dict[int, int] = defaultdict(int)
        self.opened: dict[int, int] = defaultdict(int)
        self.realised = 0

    def on_fill(self, fill: Message) -> None:
        """Book a fill."""
        was, pair = self.held[fill.pair], fill.pair
        self.realised = 0
        money = fill.qty * fill.price
        if was * fill.side < 0:
            size = abs(was)
            closing = min(fill.qty, size)
            released = self.cost[pair] * closing // size
            part = money * closing // fill.qty
            self.realised = -fill.side * part - released
            self.cost[pair] += fill.side * (money - part) - released
        else:
            self.cost[pair] += fill.side * money
        self.held[pair] = was + fill.side * fill.qty
        self.opened[fill.account] += (was == 0) - (self.held[pair] == 0)


def messages(found: dict[str, np.ndarray]) -> list[Message]:
    """The events as objects, made before the clock starts."""
    columns_of = (found[name].tolist() for name in ("ts", "kind", "account", "pair", "side", "qty", "price"))
    return list(map(Message, range(len(found["ts"])), *columns_of))


def afternoon(stream: list[Message]) -> list[tuple[int, int]]:
    """The same three rules and the book in plain Python: (event, mask of the rules that object)."""
    rules = [RateLimit(), Cap(), PlainBreaker()]
    book = PlainBook()
    day = None
    decisions = []
    for event in stream:
        if event.ts // DAY != day:
            day = event.ts // DAY
            for rule in rules:
                rule.new_day()
        if event.kind == EventKind.ORDER:
            mask = 0
            for bit, rule in enumerate(rules):
                if not rule.on_order(event, book):
                    mask |= 1 << bit
            if mask:
                decisions.append((event.seq, mask))
        elif event.kind == EventKind.FILL:
            book.on_fill(event)
            for rule in rules:
                rule.on_fill(event, book)
    return decisions


def _once(engine: ReplayLoop, log: EventLog, columns_of_log: dict[str, np.ndarray], slots: int) -> list[np.ndarray]:
    ts = log.columns["ts"]
    found = calendars(RULES, int(ts[0]), int(ts[-1]))
    params = [rule.to_integers(log.universe) for rule in RULES]
    opened = opening(log.universe, log.pair_account, log.pair_instrument)
    state = new_state(log.universe, opened, RULES, params, found, slots)
    fixed = fixed_arguments(RULES, params, found, Samples.none(ACCOUNTS), log.universe)
    return list(engine.feed(state, columns_of_log, fixed, 0, len(log)))


def rows(only: str = "") -> Iterator[Any]:
    """The loop's rows; ``--only memory`` runs the hundred million events alone."""
    if only in ("", "speed"):
        yield from _speed()
    if only in ("", "memory"):
        yield from _memory()


def _speed() -> Iterator[Any]:
    found = columns(EVENTS)
    log = log_of(found)
    engine = ReplayLoop(RULES, shape_of(RULES, found, enforce=False, sampled=False, cancels=False, opened=False))
    part = min(3_000_000, EVENTS)
    few = {name: array[:part] for name, array in found.items()}
    ours = replay_log(log_of(few), RULES)
    decided = ours.rows[ours.rows["code"] <= 4]
    stream = messages(few)
    start = time.perf_counter()
    plain = afternoon(stream)
    plain_time = (time.perf_counter() - start) / part
    assert plain == list(zip(decided["seq"].tolist(), decided["mask"].tolist(), strict=True)), "decisions differ"
    assert part < 3_000_000 or {1, 4} <= {mask for _, mask in plain}, "the log does not exercise the rules"
    names = list(REQUIRED)
    slots, count = assign_slots(found, engine.shape) if engine.shape.orders else (np.zeros(0, np.int32), 0)
    given = {**log.columns, "slots": slots}
    loop, bare = best(
        lambda: _once(engine, log, given, count), lambda: scan(*(found[name] for name in names)), repeat=7
    )
    print(
        f"{EVENTS / loop / 1e6:.1f} million events a second, {loop / EVENTS * 1e9:.1f} ns an event, "
        f"{len(plain):,} of {part:,} events decided otherwise than by a pass"
    )
    yield Row(
        "replay: rate + cap + breaker + book, an event",
        loop / EVENTS,
        bare / EVENTS,
        "bare scan of the columns",
        9,
        False,
    )
    yield Row("replay: rate + cap + breaker + book, an event", loop / EVENTS, plain_time, "dicts and deques", 100)


def _memory() -> Iterator[Any]:
    """Replay a mapped log of 100 million events in a process of its own and read its anonymous memory."""
    folder = Path(tempfile.mkdtemp(prefix="riskkit-"))
    try:
        done = subprocess.run([sys.executable, "-c", MAPPED, str(folder)], capture_output=True, text=True, check=True)
        used, took, rows_found = done.stdout.split()
        print(f"100 million mapped events in {seconds(float(took))}, {int(rows_found):,} rows")
        yield Bound("replay: 100 million mapped events, anonymous memory", int(used) / 2**20, 1024, "MiB")
    finally:
        shutil.rmtree(folder)


MAPPED = """
import sys, threading, time
import numpy as np
from benchmarks.replay import DAY, RULES, columns, log_of
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.run.replay_log import replay_log
def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))
folder, size, turns = sys.argv[1], 100_000_000, 20
piece = columns(size // turns // 3 * 3)
log = log_of({name: array[:3] for name, array in piece.items()})
log.save(folder)
whole = len(piece["ts"]) * turns

for name, array in piece.items():
    out = np.lib.format.open_memmap(f"{folder}/{name}.npy", "w+", array.dtype, (whole,))
    for turn in range(turns):
        out[turn * len(array):(turn + 1) * len(array)] = array + (turn * DAY if name == "ts" else 0)
    del out
del piece, log
mapped = EventLog.open(folder)
most, done = [0], threading.Event()
def watch():
    while not done.wait(0.02):
        most[0] = max(most[0], anonymous())
thread = threading.Thread(target=watch)
thread.start()
start = time.perf_counter()
result = replay_log(mapped, RULES)
took = time.perf_counter() - start
done.set()
thread.join()
print(max(most[0], anonymous()), took, len(result.rows))
"""
