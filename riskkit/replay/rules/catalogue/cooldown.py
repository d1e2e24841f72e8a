"""Cooldown: any closed trade locks trading for a while.

Unit: closed trades. Source: freqtrade's CooldownPeriod. How a lock begins and ends: see `riskkit.replay.rules.catalogue.lock`.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.catalogue.lock import LOCK, lock, phrase
from riskkit.replay.rules.parameters import DayTime, Duration, Flag
from riskkit.replay.rules.rule import RuleType, register


class TradeCooldown(NamedTuple):
    """A closed trade locks (`lookback_ns` is taken for the likeness with its siblings and decides nothing).

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("cooldown", TradeCooldown(stop_ns="5min")))
    cooldown: any closed trade locks all orders for 5 min from the last of them, for each account; what breaches
    it is refused (WARN).
    """

    stop_ns: Duration = 0
    lookback_ns: Duration = 0
    unlock_at: DayTime = None
    candle_ns: Duration = 0
    per_side: Flag = False


def update(state, params, event):
    """Lock at every close."""
    lock(state, params, event, event.ts)
    return 0


COOLDOWN = register(
    RuleType(
        name="cooldown",
        parameters=TradeCooldown,
        update=update,
        sentence=lambda params: f"any closed trade {phrase(params)}",
        **LOCK,
    )
)
