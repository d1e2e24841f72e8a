"""Processes that are killed while they write to a store, and what it holds afterwards; run by tests/desk/test_store.py.

A writer goes on with the store, takes one trade, flushes, and tells through a pipe how many events are on the disk; it
is killed with SIGKILL at a moment that a seed decides. The next one finds every event that was told of, and the digest
of a tracker that took the same trades without a store.
"""

from __future__ import annotations

import json
import os
import random
import sys
from functools import partial
from pathlib import Path

from killed import last_told, tell

from riskkit.desk import DuckDBStore, ParquetStore, PositionTracker


def start() -> PositionTracker:
    return PositionTracker({"ETH": "1e-18"})


def take(tracker: PositionTracker, n: int) -> None:
    """Trade number n is the same in every process."""
    tracker.update(f"u{n % 3}", "m", "ETH", 1 + n % 4 if n % 3 else "-0.5", 1_800 + n % 7, n, n)


def write(path: str, kind: str, pipe: int) -> None:
    store = opened(path, kind)
    if len(store):
        tracker = store.resume()
    else:
        tracker = start()
        store.follow(tracker)
    while True:
        tell(pipe, len(store))
        take(tracker, len(store))
        store.flush()


def opened(path: str, kind: str) -> ParquetStore | DuckDBStore:
    return ParquetStore(path) if kind == "parquet" else DuckDBStore(path)


def main(path: str, kind: str, kills: int) -> None:
    draw = random.Random(11)
    twin, told_most, unfinished, ahead = start(), 0, 0, 0
    for _ in range(kills):
        told_most = last_told(partial(write, path, kind), draw, at_any_time=True) or told_most
        if kind == "parquet":
            unfinished += any(name.startswith(".") for name in os.listdir(path))
        store = opened(path, kind)
        assert len(store) >= told_most, f"{len(store)} events are there, {told_most} were told of"
        ahead += len(store) > told_most
        taken = sum(user["trades"] for user in twin.state()["books"]["users"])
        for n in range(taken + 1, len(store)):  # the first event is the opening
            take(twin, n)
        assert store.rebuild().digest == twin.digest, "what was rebuilt is not what was taken"
        assert len(store.trade_events()) == len(store) - 1
        store.close()
    print(json.dumps({"events": told_most, "unfinished": unfinished, "ahead": ahead}))


if __name__ == "__main__":
    main(str(Path(sys.argv[1])), sys.argv[2], int(sys.argv[3]))
