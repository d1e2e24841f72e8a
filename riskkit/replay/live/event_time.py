"""Time of a live event: in order, or late by a declared policy."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.ingest.amount import instant
from riskkit.replay.ingest.times import check_first_number
from riskkit.replay.schema.columns import MISSING


def event_time(ts: Any, latest: int, policy: str, untimed: bool, simulated: bool = False) -> tuple[int, bool]:
    """The time of an event after one at `latest`, and whether it is late; `untimed`: None is that of the last event.

    Numbers of a `simulated` session are nanoseconds whatever their size.

    Raises
    ------
    InputError
        If it is no time, or earlier and the policy is "raise".
    """
    if ts is None and untimed:
        return (0 if latest == MISSING else latest), False
    now = instant(ts)
    if latest in (MISSING, 0) and not simulated and isinstance(ts, Integral):
        check_first_number(int(ts), after_zero=latest == 0)
    if now >= latest:
        return now, False
    if policy == "raise":
        raise InputError(
            f"ts={shown(ts)} is earlier than the event before it, at {latest}; send events in order, or use "
            "ts_policy='reject' or 'clamp'"
        )
    return (latest, False) if policy == "clamp" else (now, True)
