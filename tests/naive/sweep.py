"""Slow plain twins of the sweeps, written from what they promise and not from how they do it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction

from riskkit import EventLog
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag


def accepted(ts: list[int], keys: list[int], window: int, limit: int) -> list[bool]:
    """Which messages a sliding window lets through, where a refused one leaves no trace."""
    stands: list[int] = []
    said = []
    for i, now in enumerate(ts):
        inside = sum(1 for j in stands if keys[j] == keys[i] and now - window < ts[j] <= now)
        said.append(inside + 1 <= limit)
        if said[-1]:
            stands.append(i)
    return said


def earned(log: EventLog, horizon: int | None) -> dict[int, Fraction]:
    """What the fills of each order were worth `horizon` after it, less fees, in money."""
    events = [
        dict(zip(log.columns, row, strict=True))
        for row in zip(*(c.tolist() for c in log.columns.values()), strict=True)
    ]
    skipped = int(RowFlag.BAD_TS | RowFlag.DUPLICATE)
    found: dict[int, Fraction] = {}
    for row, order in enumerate(events):
        if order["kind"] != EventKind.ORDER or order.get("flags", 0) & skipped:
            continue
        due = None if horizon is None else order["ts"] + horizon
        shown = [e for e in events if not e.get("flags", 0) & skipped and (due is None or e["ts"] <= due)]
        shown = [e for e in shown if e["instrument"] == order["instrument"]]
        quotes = [e["price"] for e in shown if e["kind"] == EventKind.PRICE and e["price"] != MISSING]
        trades = [e["price"] for e in shown if e["kind"] == EventKind.FILL]
        mark = quotes[-1] if quotes else trades[-1] if trades else 0
        total = Fraction(0)
        for fill in shown:
            if fill["kind"] == EventKind.FILL and fill["order"] == row:
                instrument = log.universe.instruments[fill["instrument"]]
                steps = fill["side"] * fill["qty"] * (mark - fill["price"])
                total += steps * instrument.price_step * instrument.qty_step * instrument.multiplier
                total -= fill.get("fee", 0) * log.universe.quantum
        found[row] = total
    return found


def smallest_cover(masks: Iterable[int], bits: int) -> int:
    """The size of the smallest set of bits of which every mask has one."""
    wanted = [mask for mask in masks if mask]
    for size in range(bits + 1):
        for some in itertools.combinations(range(bits), size):
            if all(any(mask >> bit & 1 for bit in some) for mask in wanted):
                return size
    raise AssertionError("no set of these bits does it")
