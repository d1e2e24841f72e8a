"""What rules cost, in multiples of a bare scan of the same columns in the same run.

Decisions are asserted equal first: compiled against plain Python on a prefix of the same log. All limits are so wide
that little is refused (about one order in fifty): a refusal writes a row, and rows are not what is measured.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks._bench import Bound, Row, best
from benchmarks.replay import columns, log_of, scan
from riskkit._jit import kernel
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.live.engine import Engine
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import Stage, replay_log
from riskkit.replay.schema.columns import REQUIRED, EventKind

EVENTS, PART, PREFIX = 6_000_000, 1_000_000, 3_000
WIDE = 10**12
FIVE = {
    "order_rate": {"limit": 9, "window_ns": "1s"},
    "volume_cap": {"limit": 6_400_000},
    "max_order_qty": {"limit": 99},
    "max_order_notional": {"limit": 9_999},
    "position_limit": {"limit": 2_000},
    "breaker": {"daily_loss": 1_200_000, "open_positions": 32},
}
# what can judge a log of unnamed orders, fills and prices; the rules of trades, errors and lists wait for theirs
WHOLE: dict[str, dict[str, Any]] = {
    **FIVE,
    "active_orders": {"limit": 99},
    "cash": {},
    "concentration": {"limit": 1, "above": WIDE},
    "consecutive_errors": {"limit": 9},
    "consecutive_losses": {"limit": 10**9},
    "cooldown": {"stop_ns": 1},
    "daily_loss": {"limit": WIDE},
    "dd_trades": {"max_dd": 100, "lookback_ns": "1h", "stop_ns": 1},
    "drawdown": {"money": WIDE},
    "duplicate": {"limit": 10**6, "window_ns": "1s"},
    "known_instrument": {},
    "leverage": {"limit": 10**6},
    "long_only": {},
    "lot_tick": {},
    "low_profit": {"lookback_ns": "1h", "required": -100, "stop_ns": 1},
    "max_exposure": {"limit": WIDE},
    "message_level": {"reject_mps": 10**6},
    "min_order_notional": {"limit": 1},
    "min_order_qty": {"limit": 1},
    "mmp": {"qty_limit": 10**9, "window_ns": "1ms"},
    "order_to_trade": {"limit": 10**6, "window_ns": "1ms"},
    "price_collar": {"pct": "0.5"},
    "reduce_only": {},
    "repeat_exec_throttle": {"limit": 10**9},
    "self_trade": {},
    "stoploss_guard": {"trade_limit": 10**6, "lookback_ns": "1h", "stop_ns": 1},
    "trading_state": {},
}


def rules_of(names: Any) -> RuleSet:
    """Rules by their types, in that order; the ones that would stop everything only warn."""
    rules = []
    for name in names:
        alert = {"action": "ALERT"} if name in ("cash", "leverage", "long_only") else {}
        rules.append({"id": name, "type": name, "params": WHOLE[name], **alert})
    return RuleSet.from_dict({"rules": rules})


def rows(only: str = "") -> Iterator[Any]:
    """The rows; ``--only loop``, ``whole``, ``compile``, ``live`` or ``start`` runs a part."""
    parts = {"loop": _loop, "whole": _whole, "compile": _compile, "live": _live, "start": _start}
    for name, part in parts.items():
        if only in ("", name):
            yield from part()


# ---------------------------------------------------------------------- the loop


def _staged(found: dict[str, np.ndarray], names: Any) -> Any:
    """A replay of the columns through these rules, ready to be timed, after its decisions were compared."""
    rules = rules_of(names)
    options: dict[str, Any] = {"orphans": "keep", "on_trip": "leave", "sample_ns": None}
    few = log_of({name: array[:PREFIX] for name, array in found.items()})
    ours, plain = (
        Stage(few, rules, "shadow", **options, compiled=compiled).replay(rules) for compiled in (True, False)
    )
    assert ours.digest == plain.digest, f"{names}: they differ"
    stage = Stage(log_of(found), rules, "shadow", **options, compiled=True)
    return lambda: stage.replay(rules)


def _loop() -> Iterator[Any]:
    found = columns(EVENTS)
    names = list(FIVE)
    five, four = _staged(found, names), _staged(found, names[:-1])
    refused = len(five().rejections()) / EVENTS
    assert 0 < refused < 0.03, refused
    with_breaker, without, bare = best(five, four, lambda: scan(*(found[name] for name in REQUIRED)), repeat=7)
    yield Row(
        "rules: five, the breaker and the book, a replay", with_breaker, bare, "bare scan of the columns", 12, False
    )
    yield Bound("rules: the breaker, loop with minus loop without", (with_breaker - without) / bare, 2, "scans")
    rules = rules_of(names)
    shape = shape_of(rules, found, enforce=False, sampled=False, cancels=False, opened=False)
    text = specialise(shape).text
    called = set(re.findall(r"\b(?:check|record|advance)_(\w+)\(", text))
    assert called == {rule.name for rule in shape.rules}
    yield Bound("rules: in the loop's text, of those not chosen", len(called) - len(rules), 0, "rules")


def _whole() -> Iterator[Any]:
    """The book costs what a loop without rules costs; a part, what its rule adds to that."""
    found = columns(PART)
    book, *parts, whole = best(
        _staged(found, []), *(_staged(found, [name]) for name in WHOLE), _staged(found, list(WHOLE)), repeat=3
    )
    added = sum(part - book for part in parts)
    name = f"rules: all {len(WHOLE)} together"
    yield Row(name, whole - book, added, "the sum of each by itself", 1.3, False)


# ---------------------------------------------------------------------- compiling and starting

COMPILE = """
import sys, time
import numpy as np
from benchmarks.replay import columns, log_of
from benchmarks.rules import FIVE, PREFIX, rules_of
from riskkit.replay.run.replay_log import replay_log
log = log_of(columns(PREFIX))
start = time.process_time()
replay_log(log, rules_of(list(FIVE)[: int(sys.argv[1])]))
print(time.process_time() - start)
"""


def _compile() -> Iterator[Any]:
    """Cold processes with empty caches, in turn: five rules, and six; in processor time, for the machine is shared."""
    took: dict[int, list[float]] = {5: [], 6: []}
    for _ in range(3):
        for count, found in took.items():
            with tempfile.TemporaryDirectory(prefix="riskkit-") as folder:
                env = {**os.environ, "RISKKIT_CACHE": folder}
                command = [sys.executable, "-c", COMPILE, str(count)]
                done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
                found.append(float(done.stdout))
    yield Bound("rules: compiling one rule more, empty caches", min(took[6]) - min(took[5]), 2, "s")


FIRST = """
import pandas as pd
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.run.replay_log import replay_log
from benchmarks.rules import FIVE, rules_of
frame = pd.DataFrame({"ts": [1], "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 1.0})
replay_log(EventLog.from_frame(frame), rules_of(FIVE))
"""


def _start() -> Iterator[Any]:
    """Fresh processes, in turn: the first decision with a warm cache, and the two imports."""
    times: dict[str, list[float]] = {FIRST: [], "import pandas, numba": []}
    for _ in range(5):
        for code, found in times.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            found.append(time.perf_counter() - start)
    ours, other = (min(found[1:]) for found in times.values())  # the first one fills the cache
    yield Row("rules: first decision of a fresh process", ours, other, "import pandas, numba", 3, False)


# ---------------------------------------------------------------------- one event at a time


@kernel
def trivial(number):
    """What a call of compiled code costs that does nothing."""
    return number + 1


def _live() -> Iterator[Any]:
    """Orders and fills prepared beforehand, one call each; short stretches, for a time slice of others hurts all."""
    found = columns(PREFIX)
    log = log_of(found)
    rules = rules_of(FIVE)
    live = Engine(rules, log.universe)
    fields = ("account", "instrument", "side", "qty", "price")
    rows = [{name: int(found[name][at]) for name in fields} for at in range(PREFIX)]
    kinds = [EventKind(int(kind)) for kind in found["kind"]]
    events = [
        live.prepare(
            int(ts),
            kind,
            **({"instrument": row["instrument"], "price": row["price"]} if kind == EventKind.PRICE else row),
        )
        for ts, kind, row in zip(found["ts"], kinds, rows, strict=True)
    ]
    stretches, calls = [], []
    submit, call = live.submit, trivial.dispatcher if hasattr(trivial, "dispatcher") else trivial
    call(1)
    for start in range(0, PREFIX, 100):
        part = events[start : start + 100]
        begun = time.perf_counter()
        for event in part:
            submit(event)
        between = time.perf_counter()
        for number in range(100):
            call(number)
        ended = time.perf_counter()
        stretches.append((between - begun) / 100)
        calls.append((ended - between) / 100)
    assert live.result().digest == replay_log(live.log(), rules).digest
    yield Row(
        "rules: one prepared event from Python", min(stretches[3:]), min(calls), "a trivial compiled call", 10, False
    )
