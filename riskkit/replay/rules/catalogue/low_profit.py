"""Low profit: a low sum of recent closed trades locks trading.

Unit: sum of returns of closed trades, fractions. Source: freqtrade's LowProfitPairs. A sum of exactly `required`
passes. Start and end of a lock: see `riskkit.replay.rules.catalogue.lock`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.queue import append, expire, length, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.lock import LOCK, closes, lock, lock_text, many
from riskkit.replay.rules.evidence import CLOSED_TRADES
from riskkit.replay.rules.parameters import Breach, Count, Duration, Flag, Limit, Return, TimeOfDay, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.schema.columns import EventRow


class LowProfitLock(NamedTuple):
    """A sum of less than `required` of `trade_limit` or more closes in `lookback_ns` locks.

    Parameters
    ----------
    required
        Sum of returns below which trading is locked.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("low_profit", LowProfitLock(lookback_ns="6h", trade_limit=2, stop_ns="1h")))
    low_profit: no order for 1 h after 2 or more closed trades within 6 h whose returns add up to less than 0 %,
    for each account. Orders and modifications that would breach it are rejected, unless they only reduce a
    position (severity WARN).
    """

    lookback_ns: Duration
    trade_limit: Limit[Count] = 1
    required: Return = 0
    stop_ns: Duration = 0
    unlock_at: TimeOfDay = None
    candle_ns: Duration = 0
    per_side: Flag = False
    breach: Breach = "reach"


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Add the return of a closed trade; lock if the sum is too low."""
    queue = closes(state, params, event)
    expire(memory, queue, event.ts - params.lookback_ns)
    append(memory, queue, event.ts, event.price)
    if length(memory, queue) > params.trade_limit and total(memory, queue) < params.required:
        lock(state, params, event, event.ts)
    return 0


def sentence(params: LowProfitLock) -> str:
    """The limit in words."""
    sum_of = f"whose returns add up to less than {float(params.required) * 100:g} %"
    return f"{lock_text(params)} {many(params)} within {duration_text(params.lookback_ns)} {sum_of}"


LOW_PROFIT = register(
    RuleType(
        name="low_profit",
        parameters=LowProfitLock,
        update=update,
        nodes_per_event=1,
        evidence=(CLOSED_TRADES,),
        one_of=("stop_ns", "unlock_at", "candle_ns"),
        sentence=sentence,
        **LOCK,
    )
)
