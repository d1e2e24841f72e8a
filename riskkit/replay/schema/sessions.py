"""Trading sessions of exchanges, with their holidays and half days, from the package exchange_calendars."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.schema.constants import NEVER

ALWAYS = "24/7"
FIRST, LAST = "1990-01-01", "2039-12-31"  # of the sessions, whatever the day is on which they are asked for


@lru_cache(maxsize=64)
def sessions_of(calendar: str) -> tuple[int, ...]:
    """Open and close of every session from 1990 to 2039, one after the other, in nanoseconds; "24/7" is one session.

    Raises
    ------
    InputError
        If exchange_calendars is not installed, or has no such calendar.

    Examples
    --------
    >>> len(sessions_of("24/7"))
    2
    """
    if calendar == ALWAYS:
        return -NEVER, NEVER
    calendars = _library(calendar)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pandas tells the authors of the package
        try:
            found = calendars.get_calendar(calendar)
        except (calendars.errors.InvalidCalendarName, TypeError, AttributeError):
            raise InputError(
                f"calendar={shown(calendar)} is not a calendar of exchange_calendars; use the code of a market such as 'XNYS'"
            ) from None
        first, last = found.bound_min(), found.bound_max()
        first = FIRST if first is None else max(FIRST, str(first.date()))
        last = LAST if last is None else min(LAST, str(last.date()))
        schedule = calendars.get_calendar(calendar, start=first, end=last).schedule
    times = [schedule[name].dt.tz_localize(None).astype("datetime64[ns]").astype("int64") for name in ("open", "close")]
    return tuple(time for session in zip(*times, strict=True) for time in session)


def calendar_version(calendar: str) -> str:
    """What a calendar's sessions depend on: its name, and the version of the package."""
    return calendar if calendar == ALWAYS else f"{calendar} of exchange_calendars {_library(calendar).__version__}"


def _library(calendar: str) -> Any:
    """The package, imported at its first use."""
    try:
        import exchange_calendars
        import exchange_calendars.errors
    except ImportError:
        raise InputError(
            f"calendar={shown(calendar)} needs the package exchange_calendars; install riskkit[calendars]"
        ) from None
    return exchange_calendars
