"""Halts: intervals of time in which rules halted keys, from the trips and releases of a result."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.timeline import Timeline
from riskkit.replay.schema.columns import DecisionCode, EventKind
from riskkit.replay.schema.constants import DAY_NS

BY_HAND = "(paused by a command)"
"""Said in place of a rule where a command refuses."""


class Spans(NamedTuple):
    """One entry per halt of a key by a rule, in order of start; int64 arrays.

    ``until`` is the actual or scheduled end; `riskkit.replay.schema.constants.NEVER` if only a command ends it. ``last``
    is the time of the last event.
    """

    rule: np.ndarray
    key: np.ndarray
    since: np.ndarray
    until: np.ndarray
    last: int

    def lengths(self, timeline: Timeline | None = None) -> np.ndarray:
        """Nanoseconds of each halt up to the last event; with a timeline, without closed time."""
        until = np.minimum(self.until, self.last)
        if timeline is not None:
            return np.maximum(timeline.places(until) - timeline.places(self.since), 0)
        return np.maximum(until - self.since, 0)

    def elapsed(self, times: np.ndarray, timeline: Timeline | None = None) -> np.ndarray:
        """Nanoseconds of all halts between each of the ascending times and the next, up to the last event.

        Shape (n_times - 1,); with a timeline, without closed time.
        """
        places = (lambda ts: ts) if timeline is None else timeline.places
        since, at = places(self.since), places(np.minimum(times, self.last))
        until = np.maximum(places(np.minimum(self.until, self.last)), since)

        def after(edges: np.ndarray) -> np.ndarray:
            """Sum of the times since the edges that are over; it may wrap around, its differences do not."""
            edges = np.sort(edges)
            count = np.searchsorted(edges, at, "right")
            return count * at - np.concatenate([[0], np.cumsum(edges)])[count]

        return np.diff(after(since) - after(until))


def spans_of(transitions: np.ndarray, ts: np.ndarray) -> Spans:
    """Halts from the rows of trips and releases; a trip of a halted key ends the halt and starts another."""
    found: list[list[int]] = []
    open: dict[tuple[int, int], list[int]] = {}
    for code, cause, key, seq, until in transitions[["code", "cause", "key", "seq", "until"]].tolist():
        now = int(ts[seq])
        last = open.pop((cause, key), None)
        if last is not None:
            last[3] = min(last[3], now)
        if code == DecisionCode.TRIP:
            open[cause, key] = [cause, key, now, until]
            found.append(open[cause, key])
    rule, key, since, until = np.array(found, np.int64).reshape(-1, 4).T
    return Spans(rule, key, since, until, last=int(ts.max()) if len(ts) else 0)


def unmatched_trades(log: EventLog, rows: np.ndarray) -> tuple[int, float]:
    """Number of trades with only one side left, and the quantity without a counterparty.

    Only fills of one instrument and day (UTC) with the same ``trade_id`` are known to be sides of one trade.
    """
    columns = log.columns
    if "trade_id" not in columns:
        return 0, 0.0
    stands = np.where(columns["kind"] == EventKind.FILL, columns["qty"], 0)
    stands[rows["seq"][np.isin(rows["code"], (DecisionCode.VANISH, DecisionCode.DUP))]] = 0
    cut = rows[rows["code"] == DecisionCode.CUT]
    stands[cut["seq"]] = cut["limit"]
    sides = np.flatnonzero((columns["kind"] == EventKind.FILL) & (columns["trade_id"] >= 0))
    if not len(sides):
        return 0, 0.0
    named = [columns["trade_id"][sides], columns["instrument"][sides], columns["ts"][sides] // DAY_NS]
    trades = np.unique(np.stack(named), axis=1, return_inverse=True)[1].reshape(-1)
    signed = log.universe.quantities((columns["side"] * stands)[sides], columns["instrument"][sides])
    two = np.bincount(trades) >= 2
    left = np.abs(np.bincount(trades, weights=signed))[two]
    return int((left > 0).sum()), float(left.sum())
