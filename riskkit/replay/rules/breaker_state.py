"""State of a `CircuitBreaker` as plain data for JSON, checked leaf by leaf when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import decimal_text, exact

FORMAT = 1
COUNTED = ("loss", "open", "errors")
MONEY = {"daily_loss": (str, type(None))}
COUNTS = dict.fromkeys(("open_positions", "consecutive_errors"), (int, type(None)))
TEXTS = dict.fromkeys(("tz", "quantum", "hold", "on_bad_time"), (str,))
OPTIONS: dict[str, tuple[type, ...]] = {**MONEY, **COUNTS, **TEXTS, **dict.fromkeys(("roll_hour", "max_ahead"), (int,))}
"""Arguments that make a breaker of this state, and their types."""
LEAVES: dict[str, tuple[type, ...]] = {
    **{"format": (int,), **OPTIONS, **dict.fromkeys(COUNTED, (int,))},
    **{"now": (int, type(None)), "day_end": (int,), "since": (int, type(None)), "tripped": (bool,), "reason": (str,)},
}


def plain_state(breaker: Any) -> dict[str, Any]:
    """Limits, loss, positions, errors, trip and time."""
    limits = breaker.limits
    return {
        "format": FORMAT,
        "daily_loss": None if limits.daily_loss is None else decimal_text(exact(limits.daily_loss, "daily_loss")),
        **{name: getattr(limits, name) for name in ("open_positions", "consecutive_errors", "tz", "roll_hour")},
        **{"quantum": decimal_text(breaker._quantum), "hold": breaker.hold, "max_ahead": breaker._max_ahead},
        "on_bad_time": "clamp" if breaker._clamps else "refuse",
        **{name: int(getattr(breaker._state, name)) for name in COUNTED},
        **{"now": breaker._now, "day_end": breaker._day_end, "since": breaker._since},
        **{"tripped": breaker.tripped, "reason": breaker.reason},
    }


def checked_state(state: Any) -> dict[str, Any]:
    """The state, if every leaf has its type and size.

    Raises
    ------
    InputError
        It names the first leaf that does not fit.
    """
    if not isinstance(state, Mapping) or set(state) != set(LEAVES):
        raise InputError("the state was not written by a CircuitBreaker: it has other fields")
    for name, kinds in LEAVES.items():
        value = state[name]
        lowest = 0 if name in COUNTED else 1 - LARGEST
        if type(value) not in kinds or (type(value) is int and not lowest <= value < LARGEST):
            raise InputError(f"the state was not written by a CircuitBreaker: {name}={shown(value)}")
    if state["format"] != FORMAT:
        raise InputError(f"the state has format {state['format']}; this riskkit reads format {FORMAT}")
    return dict(state)


def fill(breaker: Any, state: dict[str, Any]) -> None:
    """Put a checked state into a new breaker."""
    for name in COUNTED:
        setattr(breaker._state, name, state[name])
    breaker._now, breaker._day_end, breaker._since = state["now"], state["day_end"], state["since"]
    breaker.tripped, breaker.reason = state["tripped"], state["reason"]
