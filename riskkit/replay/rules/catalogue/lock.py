"""Locks after closed trades: shared by the rules on closed trades.

A lock refuses orders that do not only reduce a position, under the rule's id, until a time that is fixed at its start
and does not change as trades age out. The lookback of a close at t is (t - lookback, t]. The lock ends `stop_ns` after
the last close counted, or at the next `unlock_at` at or after it; with `candle_ns` the end is rounded up to the next
multiple, and an exact multiple to the following one, as ccxt rounds candles.

The workspace has two queues of closes: with `per_side` for long and for short trades, else one queue is used.
Times are in nanoseconds, returns in billionths. Source: the protections of freqtrade.
"""

from __future__ import annotations

from typing import Any

from riskkit._docs import counted
from riskkit.replay.kernels.queue import QUEUE
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.parameters import duration_text
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.constants import DAY_NS, LARGEST

FIELDS = ("memory", "until", "short_until")
WORDS = 2 * QUEUE


def closes(state: Record, params: Any, event: EventRow) -> int:
    """Queue for this close, by side with `per_side`."""
    return state.memory + (QUEUE if params.per_side != 0 and event.side < 0 else 0)


def lock_end(params: Any, last: int) -> int:
    """End of a lock whose last close counted was at `last`."""
    if params.unlock_at < LARGEST:
        end = last - last % DAY_NS + params.unlock_at
        if end < last:
            end += DAY_NS
    else:
        end = last + params.stop_ns
    if params.candle_ns > 0:
        end = (end // params.candle_ns + 1) * params.candle_ns
    return end


def lock(state: Record, params: Any, event: EventRow, last: int) -> None:
    """Start or extend a lock."""
    end = lock_end(params, last)
    if params.per_side != 0 and event.side < 0:
        state.short_until = max(state.short_until, end)
    else:
        state.until = max(state.until, end)


def locked(state: Record, params: Any, event: EventRow) -> Verdict:
    """Verdict on an order: OBJECT while its side is locked."""
    until = state.until
    if params.per_side != 0 and event.side < 0:
        until = state.short_until
    return Verdict(OBJECT if event.ts < until else PASS, event.ts, until)


def many(params: Any, trades: str = "closed trade") -> str:
    """Number of closed trades that lock, in words."""
    if params.breach == "reach":
        return f"{params.trade_limit:,} or more {trades}s"
    return f"more than {counted(params.trade_limit, trades)}"


def lock_text(params: Any) -> str:
    """Orders and duration of the lock, in words."""
    if params.unlock_at is not None:
        until = f"until {params.unlock_at} UTC"
    else:
        until = f"for {duration_text(params.stop_ns)}"
    candle = f" (rounded up to {duration_text(params.candle_ns)})" if params.candle_ns else ""
    side = " on the side of the trades" if params.per_side else ""
    return f"no order{side} {until}{candle} after"


LOCK: dict[str, Any] = {
    "state": FIELDS,
    "check": locked,
    "workspace_size": WORDS,
    "updates_on": frozenset({EventKind.TRADE}),
    "may_pause": None,
    "exempt_reducing": True,
    "observes": Measure.TIME,
    "standing": True,
}  # common fields of the lock rules
