"""Cooldown: a closed trade locks trading for a time.

Unit: closed trades. Source: freqtrade's CooldownPeriod. Start and end of a lock:
`riskkit.replay.rules.catalogue.lock`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.lock import LOCK, lock, lock_text
from riskkit.replay.rules.evidence import CLOSED_TRADES
from riskkit.replay.rules.parameters import Duration, Flag, TimeOfDay
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.schema.columns import EventRow


class TradeCooldown(NamedTuple):
    """A closed trade locks trading.

    Parameters
    ----------
    lookback_ns
        Accepted for symmetry and ignored.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("cooldown", TradeCooldown(stop_ns="5min")))
    cooldown: no order for 5 min after any closed trade, for each account. Orders and modifications that would
    breach it are rejected, unless they only reduce a position (severity WARN).
    """

    stop_ns: Duration = 0
    lookback_ns: Duration = 0
    unlock_at: TimeOfDay = None
    candle_ns: Duration = 0
    per_side: Flag = False


def update(state: Record, params: Any, event: EventRow) -> int:
    """Lock at every closed trade."""
    lock(state, params, event, event.ts)
    return 0


COOLDOWN = register(
    RuleType(
        name="cooldown",
        parameters=TradeCooldown,
        update=update,
        evidence=(CLOSED_TRADES,),
        one_of=("stop_ns", "unlock_at", "candle_ns"),
        sentence=lambda params: f"{lock_text(params)} any closed trade",
        **LOCK,
    )
)
