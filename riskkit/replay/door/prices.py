"""Quantities in lots and prices in ticks; where orders are kept off that grid, in steps that hold them too."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pandas as pd

from riskkit.replay.columns import MISSING, Flag, Kind
from riskkit.replay.door.frame import Frame
from riskkit.replay.door.numbers import MAXIMUM, count_in
from riskkit.replay.universe import Instrument, decimal_text, exact

__all__ = ["optional_prices", "prices", "quantities", "refine"]

FINEST = 10**6  # an off-grid number is kept to a millionth of its tick or lot


def quantities(
    frame: Frame, code: np.ndarray, declared: Sequence[Instrument], judged: np.ndarray, flags: np.ndarray
) -> tuple[np.ndarray, dict[int, Fraction]]:
    """Lots of orders, modifies and fills, and the off-lot quantities of judged orders, in lots, by row."""
    modify, needs = frame.rows_of(Kind.MODIFY), frame.rows_of(Kind.ORDER, Kind.FILL)
    missing = frame.missing("qty")
    lots = [instrument.lot for instrument in declared] or [Fraction(1)]
    counted = count_in(frame, "qty", (needs | modify) & ~missing, lots, code)
    bad = counted.bad | (needs & ~counted.positive)
    frame.refuse(bad & ~judged, "qty", "is not a quantity; a quantity is a number above zero")
    below = modify & (counted.whole < 0)
    frame.refuse(below & ~judged, "qty", "is not a quantity; a modify's is 0 (unchanged) or above")
    bad |= below
    frame.refuse(counted.off & ~judged, "qty", _off(declared, code, "a multiple of the lot", "lot"))
    flags[bad & judged] |= int(Flag.BAD_QTY)
    flags[counted.off & judged] |= int(Flag.OFF_LOT)
    count = np.where(bad, 0, counted.whole) if bad.any() else counted.whole
    return count, _as_written(frame, "qty", counted.off & judged & ~bad, lots, code)


def prices(
    frame: Frame, code: np.ndarray, declared: Sequence[Instrument], judged: np.ndarray, flags: np.ndarray
) -> tuple[np.ndarray, dict[int, Fraction]]:
    """Ticks of orders, modifies, fills and price events (else MISSING), and off-tick ones of judged orders by row."""
    missing, market = frame.missing("price"), _market(frame)
    frame.refuse(market & ~missing, "price", "is the price of a market order; leave it empty")
    rows = frame.rows_of(Kind.ORDER, Kind.FILL, Kind.PRICE, Kind.MODIFY) & ~missing
    ticks = [instrument.tick for instrument in declared] or [Fraction(1)]
    counted = count_in(frame, "price", rows, ticks, code)
    quoted = frame.rows_of(Kind.PRICE) & ~(frame.missing("bid") & frame.missing("ask"))
    needs = frame.rows_of(Kind.ORDER, Kind.FILL, Kind.PRICE) & ~market & ~quoted
    bad = counted.bad | (needs & missing)
    low = rows & ~bad & ~counted.positive & _only_above_zero(declared, code)
    frame.refuse(
        bad & ~judged, "price", "is not a price; a price is a finite number (a market order says type='market')"
    )
    frame.refuse(low & ~judged, "price", "is not above zero; declare the instrument with negative_price=True")
    frame.refuse(counted.off & ~judged, "price", _off(declared, code, "on the tick", "tick"))
    flags[(bad | low) & judged] |= int(Flag.BAD_PRICE)
    flags[counted.off & judged] |= int(Flag.OFF_TICK)
    count = np.where(rows & ~bad, counted.whole, MISSING)
    return count, _as_written(frame, "price", counted.off & judged & ~bad, ticks, code)


def optional_prices(
    frame: Frame, name: str, rows: np.ndarray, code: np.ndarray, declared: Sequence[Instrument]
) -> np.ndarray:
    """Ticks of a bid, an ask or a reserve where there is one, else MISSING."""
    rows = rows & ~frame.missing(name)
    counted = count_in(frame, name, rows, [instrument.tick for instrument in declared] or [Fraction(1)], code)
    frame.refuse(counted.bad, name, "is not a price; a price is a finite number")
    low = rows & ~counted.positive & _only_above_zero(declared, code)
    frame.refuse(low, name, "is not above zero; declare the instrument with negative_price=True")
    frame.refuse(counted.off, name, _off(declared, code, "on the tick", "tick"))
    return np.where(rows, counted.whole, MISSING)


def _market(frame: Frame) -> np.ndarray:
    """Market orders, which have no price."""
    if not frame.has("type"):
        return np.zeros(frame.size, bool)
    codes, words = pd.factorize(frame.column("type"))
    known = {"limit": 0, "market": 1}
    table = np.array([known.get(str(word).lower(), -1) for word in words] + [0], np.int8)
    found = table[codes]
    orders = frame.rows_of(Kind.ORDER)
    frame.refuse(orders & (found < 0), "type", "is not limit or market")
    return orders & (found == 1)


def _only_above_zero(declared: Sequence[Instrument], code: np.ndarray) -> np.ndarray:
    return np.array([not instrument.negative_price for instrument in declared] + [False])[code]


def _off(declared: Sequence[Instrument], code: np.ndarray, what: str, unit: str) -> Callable[[int], str]:
    """Why a number that is no whole number of units does not fit."""

    def why(row: int) -> str:
        instrument = declared[code[row]]
        return f"is not {what} {decimal_text(getattr(instrument, unit))} of {instrument.id}"

    return why


def _as_written(
    frame: Frame, name: str, rows: np.ndarray, units: Sequence[Fraction], code: np.ndarray
) -> dict[int, Fraction]:
    """Off-grid numbers in units, to a millionth of one, by row."""
    series = frame.column(name) if rows.any() else None
    kept = {}
    for row in np.flatnonzero(rows).tolist():
        assert series is not None
        steps = exact(series.iloc[row], name) / units[code[row]]
        kept[row] = Fraction(round(steps * FINEST), FINEST)
    return kept


def refine(
    frame: Frame, counts: dict[str, np.ndarray], kept: dict[int, Fraction], code: np.ndarray, size: int
) -> list[int]:
    """Count columns in steps so fine that the kept off-grid numbers, which belong to the first one, are whole as well.

    Returns into how many steps each instrument's unit is cut (1 where nothing is off it).
    """
    cuts = [1] * size
    for row, steps in kept.items():
        cuts[code[row]] = math.lcm(cuts[code[row]], steps.denominator)
    if max(cuts, default=1) == 1:
        return cuts
    factor = np.array([*cuts, 1], np.int64)[code]
    for place, (name, count) in enumerate(counts.items()):
        known = count != MISSING
        plain = np.where(known, count, 0)
        frame.refuse(np.abs(plain) >= MAXIMUM // factor, name, "is too large beside the fine off-grid orders kept here")
        counts[name] = np.where(known, plain * factor, MISSING)
        for row, steps in kept.items() if place == 0 else ():
            counts[name][row] = int(steps * cuts[code[row]])
    return cuts
