"""Stop-loss guard: too many stop-losses within the lookback lock trading.

Unit: closed trades. Source: freqtrade's StoplossGuard. Losing closes by stop-loss count; `trade_limit` of them
lock. Start and end of a lock: see `riskkit.replay.rules.catalogue.lock`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.queue import append, expire, length
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.lock import LOCK, closes, lock, lock_text, many
from riskkit.replay.rules.evidence import CLOSED_TRADES, Need
from riskkit.replay.rules.parameters import Breach, Count, Duration, Flag, Limit, TimeOfDay, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.schema.columns import EventRow
from riskkit.replay.schema.columns import RowFlag as Flags

STOP_LOSS = int(Flags.STOP_LOSS)


class StoplossGuard(NamedTuple):
    """Fewer than `trade_limit` losing stop-losses in `lookback_ns`, else a lock (``exceed``: at most).

    Parameters
    ----------
    trade_limit
        Number of losing stop-losses that locks.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("stoploss_guard", StoplossGuard(trade_limit=4, lookback_ns="1d", stop_ns="2h")))
    stoploss_guard: no order for 2 h after 4 or more stop-loss exits at a loss within 1 d, for each account.
    Orders and modifications that would breach it are rejected, unless they only reduce a position (severity
    WARN).
    """

    trade_limit: Limit[Count]
    lookback_ns: Duration
    stop_ns: Duration = 0
    unlock_at: TimeOfDay = None
    candle_ns: Duration = 0
    per_side: Flag = False
    breach: Breach = "reach"


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Count a losing stop-loss; lock if there are too many."""
    if event.flags & STOP_LOSS != 0 and event.price < 0:
        queue = closes(state, params, event)
        expire(memory, queue, event.ts - params.lookback_ns)
        append(memory, queue, event.ts, 1)
        if length(memory, queue) > params.trade_limit:
            lock(state, params, event, event.ts)
    return 0


def sentence(params: StoplossGuard) -> str:
    """The limit in words."""
    return f"{lock_text(params)} {many(params, 'stop-loss exit')} at a loss within {duration_text(params.lookback_ns)}"


STOPLOSS_GUARD = register(
    RuleType(
        name="stoploss_guard",
        parameters=StoplossGuard,
        update=update,
        nodes_per_event=1,
        evidence=(CLOSED_TRADES, Need(("stop-loss",))),
        one_of=("stop_ns", "unlock_at", "candle_ns"),
        sentence=sentence,
        **LOCK,
    )
)
