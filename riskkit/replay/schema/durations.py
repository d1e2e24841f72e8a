"""Durations: nanoseconds from a text, a Timedelta or an integer, and back."""

from __future__ import annotations

import datetime
import re
from fractions import Fraction
from numbers import Integral
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.schema.constants import DAY_NS, LARGEST
from riskkit.replay.schema.decimals import decimal_of

SPANS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9, "d": DAY_NS}
MAX_AHEAD = "366d"  # a time with a wrong unit is further ahead; a feed that never rests declares less
MICROSECOND = datetime.timedelta(microseconds=1)


def duration(value: Any, name: str, *, zero: bool = True) -> int:
    """Nanoseconds of a duration, at least 0 and below 2**62 (146 years).

    Parameters
    ----------
    value : int, str, Timedelta, numpy.timedelta64 or datetime.timedelta
        Nanoseconds, or a text such as "500ms", "1s", "5min", "1d".
    name : str
        The argument, for the message.
    zero : bool
        False refuses a duration of zero.

    Raises
    ------
    InputError
        If the value is no duration, negative, no whole number of nanoseconds, or 2**62 ns or longer.

    Examples
    --------
    >>> duration("1.5s", "window_ns"), duration(datetime.timedelta(minutes=1), "window_ns"), duration(5, "window_ns")
    (1500000000, 60000000000, 5)
    """
    found = _nanoseconds(value, name)
    if not 0 <= found < LARGEST:
        why = "is negative" if found < 0 else "is 2**62 ns (146 years) or longer"
        raise InputError(f"{name}={shown(value)} {why}; a duration is from 0 to 53,000 days")
    if not zero and found == 0:
        raise InputError(f"{name}={shown(value)} is not above zero")
    return found


def _nanoseconds(value: Any, name: str) -> int:
    """Nanoseconds of any size and sign."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,40}(?:\.\d{1,40})?)\s*(ns|us|ms|s|min|h|d)\s*", value, re.ASCII)
        if match:
            span = Fraction(decimal_of(match[1], name)) * SPANS[match[2]]
            if span.denominator != 1:
                raise InputError(f"{name}={shown(value)} is not a whole number of nanoseconds")
            return int(span)
    elif isinstance(value, datetime.timedelta) and value == value:  # NaT differs from itself
        return value // MICROSECOND * 1_000 + int(getattr(value, "nanoseconds", 0))
    elif type(value).__name__ == "timedelta64" and value == value:
        import numpy as np

        found = value.astype("timedelta64[ns]")
        if found.astype(value.dtype) == value:
            return int(found.astype(np.int64))
    elif isinstance(value, Integral) and hasattr(value, "__index__") and not isinstance(value, bool):
        return int(value)
    raise InputError(
        f"{name}={shown(value)} is not a duration; use a text such as '500ms', '5min' or '1d', a Timedelta, or integer "
        "nanoseconds"
    )


def refuse_ahead(stamp: int, last: int | None, most: int, name: str) -> None:
    """Refuse a time that is far ahead of the one before it: a stray one would make every right one late.

    Raises
    ------
    InputError
        If `stamp` is more than `most` nanoseconds after `last`.

    Examples
    --------
    >>> refuse_ahead(4 * 10**18, 0, duration("366d", "max_ahead"), "timestamp")
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: timestamp=4000000000000000000 is 46,296 d 7 h after the time before it; max_ahead is 366 d
    """
    if last is not None and stamp - last > most:
        raise InputError(
            f"{name}={stamp} is {span_text(stamp - last)} after the time before it; max_ahead is {span_text(most)}"
        )


def span_text(nanoseconds: int) -> str:
    """A length of time in its two largest units: 4 min 53 s; what is shorter than the second is left out.

    Examples
    --------
    >>> span_text(293_000_000_000), span_text(1_500), span_text(0)
    ('4 min 53 s', '1 us 500 ns', '0 ns')
    """
    parts: list[str] = []
    for unit, size in reversed(SPANS.items()):
        count, nanoseconds = divmod(nanoseconds, size)
        if parts or count:
            parts.append(f"{count:,} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(filter(None, parts)) or "0 ns"


def duration_text(nanoseconds: Any) -> str:
    """A duration in its largest exact unit: 5 min."""
    nanoseconds = duration(nanoseconds, "duration")
    for unit in ("d", "h", "min", "s", "ms", "us"):
        if nanoseconds and nanoseconds % SPANS[unit] == 0:
            return f"{nanoseconds // SPANS[unit]:,} {unit}"
    return f"{nanoseconds:,} ns"
