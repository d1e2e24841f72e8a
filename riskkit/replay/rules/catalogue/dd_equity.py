"""Drawdown of the equity that closed trades leave: a fall from its peak locks trading.

Unit: fraction of the peak. Source: freqtrade's MaxDrawdown with the calculation mode "equity". The equity at the start of the
lookback is the first one above zero that is known (the opening one, if there is one) and the profits of the trades closed at or
before t - lookback; the peak begins with it, so that a first losing trade counts (freqtrade raises there, and does not lock). Exactly
the limit passes. Later deposits change nothing. Start and end of a lock: see `riskkit.replay.rules.catalogue.lock`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, equity
from riskkit.replay.kernels.integers import exceeds_fraction
from riskkit.replay.kernels.queue import FIRST, NEXT, VALUE, append, first_time, first_value, length, pop
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.lock import FIELDS, LOCK, closes, lock, lock_text, many
from riskkit.replay.rules.evidence import CLOSED_TRADES
from riskkit.replay.rules.parameters import Breach, Count, Duration, Flag, Limit, Proportion, TimeOfDay, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.schema.columns import EventKind, EventRow

MARK = int(EventKind.MARK)


class EquityDrawdownLock(NamedTuple):
    """A fall of more than `max_dd` of the equity over `trade_limit` or more closes in `lookback_ns` from its peak locks.

    Parameters
    ----------
    max_dd
        Largest fall that does not lock, as a fraction of the peak.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("equity", EquityDrawdownLock(max_dd="0.1", lookback_ns="1d", trade_limit=3, stop_ns="2h")))
    equity: no order for 2 h after 3 or more closed trades within 1 d in which the equity that they leave fell
    by more than 10 % from its peak, for each account. Orders and modifications that would breach it are
    rejected, unless they only reduce a position (severity WARN).
    """

    max_dd: Limit[Proportion]
    lookback_ns: Duration
    trade_limit: Limit[Count] = 1
    stop_ns: Duration = 0
    unlock_at: TimeOfDay = None
    candle_ns: Duration = 0
    per_side: Flag = False
    breach: Breach = "reach"


def falls_beyond(memory: Words, queue: int, start: int, max_dd: int) -> bool:
    """True if the equity falls by more than a fraction of its peak, which begins at `start`."""
    running = start
    peak = start
    node = memory[queue + FIRST]
    for _ in range(length(memory, queue)):
        running += memory[node + VALUE]
        peak = max(peak, running)
        if peak > 0 and exceeds_fraction(peak - running, max_dd, peak, 0):
            return True
        node = memory[node + NEXT]
    return False


def reset(state: Record, book: Book) -> None:
    """Note the first equity above zero; nothing is reset."""
    if state.start == 0:
        state.start = max(equity(book.account), 0)


def update(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> int:
    """Add the profit of a closed trade, and settle those before the lookback; lock if the equity falls too far."""
    if event.kind == MARK:
        reset(state, book)
        return 0
    queue = closes(state, params, event)
    short = queue != state.memory
    append(memory, queue, event.ts, event.qty)
    while first_time(memory, queue) <= event.ts - params.lookback_ns and length(memory, queue) > 1:
        if short:
            state.short_settled += first_value(memory, queue)
        else:
            state.settled += first_value(memory, queue)
        pop(memory, queue)
    start = state.start + (state.short_settled if short else state.settled)
    if length(memory, queue) > params.trade_limit and falls_beyond(memory, queue, start, params.max_dd):
        lock(state, params, event, event.ts)
    return 0


def sentence(params: EquityDrawdownLock) -> str:
    """The limit in words."""
    fall = f"in which the equity that they leave fell by more than {float(params.max_dd) * 100:g} % from its peak"
    return f"{lock_text(params)} {many(params)} within {duration_text(params.lookback_ns)} {fall}"


DD_EQUITY = register(
    RuleType(
        name="dd_equity",
        parameters=EquityDrawdownLock,
        update=update,
        reset=reset,
        nodes_per_event=1,
        of_equity=frozenset({"max_dd"}),
        reads=frozenset({"equity"}),
        requires=frozenset({"marks"}),
        looks_at=frozenset({"positions", "cash"}),
        evidence=(CLOSED_TRADES,),
        one_of=("stop_ns", "unlock_at", "candle_ns"),
        sentence=sentence,
        **{
            **LOCK,
            # own fields first: numba warns of a record that begins as that of the other locks
            "state": ("start", "settled", "short_settled", *FIELDS),
            "updates_on": frozenset({EventKind.TRADE, EventKind.MARK}),
        },
    )
)
