"""Drawdown of closed trades: a fall of their cumulative return locks trading.

Unit: running sum of returns, fractions (not compounded). Source: freqtrade's MaxDrawdown. The peak is zero at the
start of the lookback; exactly the limit passes. Start and end of a lock: see `riskkit.replay.rules.catalogue.lock`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.queue import append, expire, length
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.lock import LOCK, closes, lock, lock_text, many
from riskkit.replay.rules.evidence import CLOSED_TRADES
from riskkit.replay.rules.parameters import Breach, Count, Duration, Flag, Limit, Return, TimeOfDay, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.schema.columns import EventRow


class TradeDrawdownLock(NamedTuple):
    """A fall of more than `max_dd` of the sum of `trade_limit` or more closes in `lookback_ns` from its peak locks.

    Parameters
    ----------
    max_dd
        Largest fall of the sum of returns from its peak that does not lock.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("dd_trades", TradeDrawdownLock(max_dd="0.1", lookback_ns="1d", trade_limit=3, stop_ns="2h")))
    dd_trades: no order for 2 h after 3 or more closed trades within 1 d whose running sum fell by more than 10
    %, for each account. Orders and modifications that would breach it are rejected, unless they only reduce a
    position (severity WARN).
    """

    max_dd: Limit[Return]
    lookback_ns: Duration
    trade_limit: Limit[Count] = 1
    stop_ns: Duration = 0
    unlock_at: TimeOfDay = None
    candle_ns: Duration = 0
    per_side: Flag = False
    breach: Breach = "reach"


def max_drawdown(memory: Words, queue: int) -> int:
    """Maximum drawdown of the running sum of a queue's returns; the peak starts at zero."""
    running = 0
    peak = 0
    fall = 0
    cell = memory[queue]
    for _ in range(length(memory, queue)):
        running += memory[cell + 2]
        peak = max(peak, running)
        fall = max(fall, peak - running)
        cell = memory[cell]
    return fall


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Add the return of a closed trade; lock if the drawdown is too large."""
    queue = closes(state, params, event)
    expire(memory, queue, event.ts - params.lookback_ns)
    append(memory, queue, event.ts, event.price)
    if length(memory, queue) > params.trade_limit and max_drawdown(memory, queue) > params.max_dd:
        lock(state, params, event, event.ts)
    return 0


def sentence(params: TradeDrawdownLock) -> str:
    """The limit in words."""
    fall = f"whose running sum fell by more than {float(params.max_dd) * 100:g} %"
    return f"{lock_text(params)} {many(params)} within {duration_text(params.lookback_ns)} {fall}"


DD_TRADES = register(
    RuleType(
        name="dd_trades",
        parameters=TradeDrawdownLock,
        update=update,
        nodes_per_event=1,
        evidence=(CLOSED_TRADES,),
        one_of=("stop_ns", "unlock_at", "candle_ns"),
        sentence=sentence,
        **LOCK,
    )
)
