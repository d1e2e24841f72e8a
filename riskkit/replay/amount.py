"""A number, a time or a word of one live event, read as the door reads a column of them."""

from __future__ import annotations

import datetime
import math
from fractions import Fraction
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit.replay.constants import LARGEST
from riskkit.replay.door.labels import SIDES, label_text
from riskkit.replay.universe import decimal_text, exact

__all__ = ["Count", "count", "instant", "label", "messages", "side", "word"]

EXACT_FLOAT = 2**53
MOST_MESSAGES = 2**31


class Count(NamedTuple):
    """A number in whole units; ``off``: it is not one (``whole`` is the nearest), ``bad``: it is no finite number."""

    whole: int
    off: bool
    bad: bool
    steps: Fraction


def instant(value: Any, name: str = "ts") -> int:
    """Nanoseconds since the epoch of an integer, or of a time that has a zone.

    Examples
    --------
    >>> import datetime
    >>> instant(5), instant(datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc))
    (5, 1000000000)
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        found = int(value)
    elif isinstance(value, datetime.datetime) and value.tzinfo is not None:  # a Timestamp is one too
        found = _nanoseconds(value)
    else:
        raise InputError(f"{name}={value!r} is not a time; give nanoseconds since the epoch or a Timestamp with a zone")
    if abs(found) >= LARGEST:
        raise InputError(f"{name}={value!r} is not a time from 1824 to 2116, the years that rules can count")
    return found


def _nanoseconds(value: Any) -> int:
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    since = value - epoch
    whole = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
    return whole + int(getattr(since, "nanoseconds", 0))


def count(value: Any, unit: Fraction, name: str) -> Count:
    """Count a number in units, as the door does: a float within a billionth of a whole number of units is that."""
    bad = Count(0, False, True, Fraction(0))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or value is None:
        return bad
    if isinstance(value, float):
        if not math.isfinite(value):
            return bad
        steps = value * unit.denominator / unit.numerator
        nearest = round(steps)
        if abs(nearest) >= EXACT_FLOAT:
            raise InputError(f"{name}={value!r} is too large to be exact as a float; give a string")
        off = abs(steps - nearest) > 1e-9 + abs(nearest) * 1e-15
        return Count(nearest, off, False, exact(value, name) / unit)
    try:
        whole = exact(value, name) / unit
    except InputError:
        return bad
    if abs(whole) >= LARGEST:
        raise InputError(f"{name}={value!r} is beyond 64 bits in units of {decimal_text(unit)}; count in larger ones")
    return Count(round(whole), whole.denominator != 1, False, whole)


def label(value: Any, what: str) -> str:
    """A label as text; nothing, or what is no number, is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)) or not label_text(value):
        raise InputError(f"{what}={value!r} is not a label")
    return label_text(value)


def word(value: Any, known: Any, name: str) -> int:
    """The code of one of a few words."""
    code = known.__members__.get(label_text(value).upper())
    if code is None:
        raise InputError(f"{name}={value!r} is not one of {', '.join(known.__members__)}")
    return int(code)


def side(value: Any) -> int:
    """+1 of a buy, -1 of a sell."""
    found = SIDES.get(label_text(value).upper(), 0) if value is not None else 0
    if not found:
        raise InputError(f"side={value!r} is not a side; use B or S")
    return found


def messages(children: Any) -> int:
    """How many messages a modify or a list stands for."""
    if isinstance(children, bool) or not isinstance(children, (int, np.integer)) or not 1 <= children < MOST_MESSAGES:
        raise InputError(f"children={children!r} is not a number of messages, 1 or more")
    return int(children)
