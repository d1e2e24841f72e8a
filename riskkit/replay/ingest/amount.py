"""Convert one value of a live event by the rules of a frame's column: a number, a time, a word, a label."""

from __future__ import annotations

import datetime
import math
from fractions import Fraction
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.columns import FRAME_COLUMNS
from riskkit.replay.ingest.labels import SIDES, TRUTHS, label_text
from riskkit.replay.ingest.rows import Row
from riskkit.replay.schema.calendar import session_ends
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.decimals import ROUND_IT, TOO_LARGE
from riskkit.replay.schema.names import name_text
from riskkit.replay.schema.universe import Instrument, decimal_text, exact

EXACT_FLOAT = 2**53
MAX_MESSAGES = 2**31


class Count(NamedTuple):
    """A number counted in units: the nearest integer, whether it is off the grid or no finite number, the exact count."""

    nearest: int
    off: bool
    bad: bool
    steps: Fraction


def instant(value: Any, name: str = "ts") -> int:
    """Nanoseconds since the epoch of an integer, or of a time with a zone.

    Examples
    --------
    >>> import datetime
    >>> instant(5), instant(datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc))
    (5, 1000000000)
    """
    if isinstance(value, Integral) and not isinstance(value, bool):
        found = int(value)
    elif isinstance(value, datetime.datetime) and value.tzinfo is not None:  # a Timestamp is one too
        since = value - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        found = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1_000
        found += int(getattr(since, "nanoseconds", 0))
    else:
        raise InputError(
            f"{name}={shown(value)} is not a time; give nanoseconds since the epoch or a Timestamp with a zone"
        )
    if abs(found) >= LARGEST:
        raise InputError(
            f"{name}={shown(value)} is not a time from 1824 to 2116, the range in which windows fit in 64 bits"
        )
    return found


def expiry(value: Any, ts: int) -> int:
    """Time at which an order of time `ts` lapses: a time, or the end of a session (midnight UTC, or as in the text)."""
    if isinstance(value, str) and value.startswith("session"):
        return int(session_ends(value, np.array([ts], np.int64), "UTC")[0])
    found = instant(value, "expires")
    if found <= ts:
        raise InputError(f"expires={shown(value)} is not after the time of its order")
    return found


def count(value: Any, unit: Fraction, name: str, nearest: bool = False) -> Count:
    """Count a number in units; a float within a billionth of an integer number of units is that number.

    With `nearest` no number is off the grid.
    """
    bad = Count(0, False, True, Fraction(0))
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool) or value is None:
        return bad
    if isinstance(value, float):
        if not math.isfinite(value):
            return bad
        steps = value * unit.denominator / unit.numerator
        if not abs(steps) < EXACT_FLOAT:
            raise InputError(f"{name}={shown(value)} is too large to be exact as a float; give a string")
        found = round(steps)
        off = not nearest and abs(steps - found) > 1e-9 + abs(found) * 1e-15
        return Count(found, off, False, exact(value, name) / unit)
    try:
        counted = exact(value, name) / unit
    except InputError:
        return bad
    if abs(counted) >= LARGEST:
        raise InputError(f"{name}={shown(value)} is beyond 64 bits in units of {decimal_text(unit)}; {TOO_LARGE}")
    return Count(round(counted), not nearest and counted.denominator != 1, False, counted)


def quantity(value: Any, instrument: Instrument, row: Row, lenient: bool, nearest: bool = False) -> int:
    """Quantity in steps; a bad or off-lot one is refused, or flagged in the row if `lenient`."""
    found = count(value, instrument.lot, "qty", nearest)
    modify = row["kind"] == EventKind.MODIFY
    if not found.bad and not (found.steps < 0 if modify else found.steps <= 0):
        return _steps(found, value, "qty", instrument, row, lenient)
    if not lenient:
        fits = "is 0 (unchanged) or above" if modify else "is a number above zero"
        raise InputError(f"qty={shown(value)} is not a quantity; a quantity {fits}")
    row["flags"] |= int(RowFlag.BAD_QTY) | (int(RowFlag.OFF_LOT) if found.off else 0)
    return 0


def price(
    value: Any, instrument: Instrument, row: Row, name: str = "price", lenient: bool = False, nearest: bool = False
) -> int:
    """Price in steps; a bad or off-tick one is refused, or flagged in the row if `lenient`."""
    found = count(value, instrument.tick, name, nearest)
    if found.bad and not lenient:
        market = " (a market order says type='market')" if row["kind"] == EventKind.ORDER and name == "price" else ""
        raise InputError(f"{name}={shown(value)} is not a price; a price is a finite number{market}")
    low = not found.bad and found.steps <= 0 and not instrument.negative_price
    if low and not lenient:
        raise InputError(f"{name}={shown(value)} is not above zero; declare the instrument with negative_price=True")
    if found.bad or low:
        row["flags"] |= int(RowFlag.BAD_PRICE)
    return MISSING if found.bad else _steps(found, value, name, instrument, row, lenient)


def _steps(found: Count, value: Any, name: str, instrument: Instrument, row: Row, lenient: bool) -> int:
    """Integer steps of a quantity or price."""
    grid, unit, flag = ("a multiple of the lot", "lot", RowFlag.OFF_LOT)
    step, argument = instrument.qty_step, "qty_step"
    if name != "qty":
        grid, unit, flag = ("on the tick", "tick", RowFlag.OFF_TICK)
        step, argument = instrument.price_step, "price_step"
    size = getattr(instrument, unit)
    if not found.off and found.nearest == 0 and found.steps > 0:
        raise InputError(
            f"{name}={shown(value)} is rounded to 0 at the {unit} {decimal_text(size)} of {instrument.id}; declare a "
            f"finer {unit}"
        )
    if not found.off:
        return found.nearest * int(size / step)
    steps = found.steps * size / step
    if not lenient or steps.denominator != 1:
        how = f"; declare it with a finer {argument}" if lenient else f"; {ROUND_IT}"
        raise InputError(f"{name}={shown(value)} is not {grid} {decimal_text(size)} of {instrument.id}{how}")
    row["flags"] |= int(flag)
    return int(steps)


def money(value: Any, quantum: Fraction, name: str, nearest: bool = False) -> int:
    """An amount of money in quanta."""
    found = count(value, quantum, name, nearest)
    if found.bad:
        raise InputError(f"{name}={shown(value)} is not an amount of money")
    if found.off:
        raise InputError(
            f"{name}={shown(value)} is not a multiple of the quantum of money, {decimal_text(quantum)}; {ROUND_IT}"
        )
    return found.nearest


def label(value: Any, name: str) -> str:
    """A label as text."""
    if value is None:
        raise InputError(f"{name}={shown(value)} is not a label; give the {FRAME_COLUMNS[name]}")
    return name_text(value, name)


def word(value: Any, known: Any, name: str) -> int:
    """The code of a word."""
    code = known.__members__.get(label_text(value).upper())
    if code is None:
        raise InputError(f"{name}={shown(value)} is not one of {', '.join(known.__members__)}")
    return int(code)


def side(value: Any) -> int:
    """+1 of a buy, -1 of a sell."""
    found = SIDES.get(label_text(value).upper(), 0) if value is not None else 0
    if not found:
        raise InputError(f"side={shown(value)} is not a side; use B or S")
    return found


def truth(value: Any, name: str) -> bool:
    """A truth: True, False, or one of their words."""
    found = TRUTHS.get(label_text(value).upper())
    if found is None:
        raise InputError(f"{name}={shown(value)} is not True or False")
    return bool(found)


def messages(children: Any) -> int:
    """Number of messages that a modify or a list counts for."""
    found = count(children, Fraction(1), "children")
    if found.bad or found.off or not 1 <= found.nearest < MAX_MESSAGES:
        raise InputError(f"children={shown(children)} is not a number of messages, 1 or more")
    return found.nearest
