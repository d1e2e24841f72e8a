"""Cooldown: any closed trade locks trading for a while.

Unit: closed trades. Source: freqtrade's CooldownPeriod. How a lock begins and ends: see `riskkit.replay.rules.lock`.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.columns import Kind
from riskkit.replay.parameters import DayTime, Duration, Flag
from riskkit.replay.rule import SCOPES, Measure, RuleType, register
from riskkit.replay.rules.lock import FIELDS, WORDS, lock, locked, phrase

__all__ = ["COOLDOWN", "Cooldown"]


class Cooldown(NamedTuple):
    """A closed trade locks (`lookback_ns` is taken for the likeness with its siblings and decides nothing).

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("cooldown", Cooldown(stop_ns="5min")))
    cooldown: any closed trade locks all orders for 5 min from the last of them, for each account; what breaches
    it is refused (WARN).
    """

    stop_ns: Duration = 0
    lookback_ns: Duration = 0
    unlock_at: DayTime = None
    candle_ns: Duration = 0
    per_side: Flag = False


def check(state, params, event):
    """Whether the order's side is locked."""
    return locked(state, params, event)


def record(state, params, event):
    """Lock at every close."""
    lock(state, params, event, event.ts)
    return 0


def memory_words(params: Cooldown) -> int:
    """Words of workspace for a key."""
    return WORDS


def sentence(params: Cooldown) -> str:
    """What it limits, in words."""
    return f"any closed trade {phrase(params)}"


COOLDOWN = register(
    RuleType(
        name="cooldown",
        parameters=Cooldown,
        state=FIELDS,
        check=check,
        record=record,
        memory=memory_words,
        judges=frozenset({Kind.ORDER, Kind.MODIFY}),
        watches=frozenset({Kind.TRADE}),
        scopes=SCOPES,
        pauses=None,
        reduces=True,
        observes=Measure.TIME,
        standing=True,
        sentence=sentence,
    )
)
