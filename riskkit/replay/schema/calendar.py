"""Trading days as int64 boundaries, computed before the loop.

A trading day is the date of the local clock in a time zone, minus `roll_hour` hours: with ``roll_hour=17`` it starts at
17:00 local time, in summer and in winter.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.schema.constants import DAY_NS, NEVER

EPOCH = dt.date(1970, 1, 1)
SESSION = re.compile(r"session(?: (\d{1,2}):00 (\S+))?")


@lru_cache(maxsize=64)
def day_starts(tz: str, roll_hour: int, first_ns: int, last_ns: int) -> np.ndarray:
    """Starts of all trading days from that of `first_ns` to the one after `last_ns`.

    Parameters
    ----------
    tz : str
        An IANA time zone, as "UTC" or "America/New_York".
    roll_hour : int
        Local hour at which a day starts, 0 to 23; with 17 a day has the date of the midnight after its start.
    first_ns, last_ns : int
        Nanoseconds since the epoch, UTC.

    Returns
    -------
    ndarray of int64, shape (n_days + 1,)
        Increasing boundaries; day i is [starts[i], starts[i+1]).

    Examples
    --------
    >>> starts = day_starts("America/New_York", 17, 1_710_000_000_000_000_000, 1_710_100_000_000_000_000)
    >>> (np.diff(starts) / 3.6e12).tolist()  # the clocks went forward on 2024-03-10
    [24.0, 23.0]
    """
    if isinstance(roll_hour, bool) or not isinstance(roll_hour, int) or not 0 <= roll_hour <= 23:
        raise InputError(f"roll_hour={shown(roll_hour)} is not an hour from 0 to 23")
    try:
        zone = ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise InputError(f"tz={shown(tz)} is not a time zone; use a name such as 'UTC' or 'America/New_York'") from None
    first, last = (EPOCH + dt.timedelta(days=ns // DAY_NS + days) for ns, days in ((first_ns, -2), (last_ns, 2)))
    months = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    found = np.concatenate([_starts_in(month, roll_hour, zone) for month in months])
    found = np.unique(found)  # a zone that skipped a day (Samoa, 2011) starts two days at once
    begin, end = np.searchsorted(found, (first_ns, last_ns), "right")
    found = found[max(0, begin - 1) : end + 1]
    found.flags.writeable = False
    return found


def session_ends(text: str, ts: np.ndarray, tz: str) -> np.ndarray:
    """End of the trading day of each time: "session" (midnight in `tz`) or, for example, "session 17:00 America/New_York".

    Parameters
    ----------
    text : str
        The word, optionally with the hour and zone at which the day ends.
    ts : ndarray of int64
        Nanoseconds since the epoch.
    tz : str
        The zone of the word alone.

    Raises
    ------
    InputError
        If the text, hour or zone is invalid.

    Examples
    --------
    >>> session_ends("session", np.array([1, 86_400_000_000_000]), "UTC").tolist()
    [86400000000000, 172800000000000]
    """
    match = SESSION.fullmatch(text)
    if not match:
        raise InputError(
            f"{text!r} is not a time; for the end of the session write 'session' or 'session 17:00 Asia/Tokyo'"
        )
    zone, hour = (match[2], int(match[1])) if match[2] else (tz, 0)
    if not len(ts):
        return ts
    starts = day_starts(zone, hour, int(ts.min()), int(ts.max()))
    return starts[np.searchsorted(starts, ts, "right")]


@lru_cache(maxsize=4096)
def _starts_in(month: int, roll_hour: int, zone: ZoneInfo) -> np.ndarray:
    """Starts of the days of a month (counted from year 0), as far as int64 counts."""
    year, month = month // 12, month % 12 + 1
    days = range(1, calendar.monthrange(year, month)[1] + 1)
    starts = [_start(dt.date(year, month, day), roll_hour, zone) for day in days]
    return np.array([start for start in starts if start < NEVER], np.int64)


def _start(day: dt.date, roll_hour: int, zone: ZoneInfo) -> int:
    """Instant at which the local clock first shows the roll hour on `day`, or skips it.

    A skipped hour starts at the change of the clocks; of a repeated hour, the first counts.
    """
    local = dt.datetime(day.year, day.month, day.day, roll_hour, tzinfo=zone)
    seconds = _seconds(local)
    before, after = local.utcoffset(), local.replace(fold=1).utcoffset()
    assert before is not None and after is not None
    if before < after:  # skipped: the clocks changed after `early`, and by `seconds` they had
        early = _seconds(local.replace(fold=1))
        while seconds - early > 1:
            middle = (early + seconds) // 2
            changed = dt.datetime.fromtimestamp(middle, zone).utcoffset() == after
            early, seconds = (early, middle) if changed else (middle, seconds)
    return seconds * 1_000_000_000


def _seconds(local: dt.datetime) -> int:
    """Seconds since the epoch, UTC."""
    return (local.astimezone(dt.UTC) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(seconds=1)
