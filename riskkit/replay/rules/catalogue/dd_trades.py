"""Drawdown of closed trades: a fall of their running sum locks trading.

Unit: running sum of returns, fractions (not compounded). Source: freqtrade's MaxDrawdown. The peak starts at zero at
the beginning of the lookback; strict. How a lock begins and ends: see `riskkit.replay.rules.catalogue.lock`.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.queue import append, expire, length
from riskkit.replay.rules.catalogue.lock import LOCK, closes, lock, phrase
from riskkit.replay.rules.parameters import Breach, Count, DayTime, Duration, Flag, Limit, Return, duration_text
from riskkit.replay.rules.rule import RuleType, register


class TradeDrawdownLock(NamedTuple):
    """`trade_limit` closes or more in `lookback_ns` whose running sum fell by more than `max_dd` from its peak lock.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("dd_trades", TradeDrawdownLock(max_dd="0.1", lookback_ns="1d", trade_limit=3, stop_ns="2h")))
    dd_trades: 3 or more closed trades within 1 d whose running sum fell by more than 10 % locks all orders for
    2 h from the last of them, for each account; what breaches it is refused (WARN).
    """

    max_dd: Limit[Return]
    lookback_ns: Duration
    trade_limit: Limit[Count] = 1
    stop_ns: Duration = 0
    unlock_at: DayTime = None
    candle_ns: Duration = 0
    per_side: Flag = False
    breach: Breach = "reach"


def deepest_fall(memory, queue):
    """The deepest fall of the running sum of a queue's returns from its peak, which starts at zero."""
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


def update(state, params, event, memory):
    """Add the return of a close, and lock where the sum has fallen too far."""
    queue = closes(state, params, event)
    expire(memory, queue, event.ts - params.lookback_ns)
    append(memory, queue, event.ts, event.price)
    if length(memory, queue) > params.trade_limit and deepest_fall(memory, queue) > params.max_dd:
        lock(state, params, event, event.ts)
    return 0


def sentence(params: TradeDrawdownLock) -> str:
    """What it limits, in words."""
    many = f"{params.trade_limit:,} or more" if params.breach == "reach" else f"more than {params.trade_limit:,}"
    fall = f"whose running sum fell by more than {float(params.max_dd) * 100:g} %"
    return f"{many} closed trades within {duration_text(params.lookback_ns)} {fall} {phrase(params)}"


DD_TRADES = register(
    RuleType(
        name="dd_trades",
        parameters=TradeDrawdownLock,
        update=update,
        cells=1,
        sentence=sentence,
        **LOCK,
    )
)
