"""Convert quantities to lots and prices to ticks, or to finer steps if off-grid orders are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np

from riskkit.replay.ingest.closing import of_positions
from riskkit.replay.ingest.columns import NEEDED_BY
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.numbers import MAXIMUM, count_in
from riskkit.replay.ingest.order_types import ORDER_TYPES, UNPRICED
from riskkit.replay.ingest.quote_quantities import of_amounts
from riskkit.replay.schema.columns import MISSING, SETTLES, EventKind, RowFlag
from riskkit.replay.schema.decimals import ROUND_IT
from riskkit.replay.schema.universe import Instrument, decimal_text, exact

PRICE = "a price is a finite number"
PRICED = {
    EventKind.ORDER: f"{PRICE} (a market order says type='market')",
    EventKind.PRICE: "a price event has at least one of price, bid and ask",
}
FINEST = 10**6  # an off-grid number is kept to a millionth of its tick or lot


def quantities(
    frame: Frame, code: np.ndarray, declared: Sequence[Instrument], lenient: np.ndarray, flags: np.ndarray
) -> tuple[np.ndarray, dict[int, Fraction]]:
    """Lots of orders, modifies, fills and snapshots; and by row the off-lot quantities of orders that are kept, in lots."""
    modify, stated = frame.rows_of(EventKind.MODIFY), frame.rows_of(EventKind.SNAPSHOT) & frame.missing("order_id")
    needs = frame.rows_of(*NEEDED_BY["qty"]) & ~stated & ~of_amounts(frame) & ~of_positions(frame)
    missing = frame.missing("qty")
    lots = [instrument.lot for instrument in declared] or [Fraction(1)]
    counted = count_in(frame, "qty", (needs | modify | stated) & ~missing, lots, code)
    bad = counted.bad | (needs & ~counted.positive) | (stated & missing)
    bad |= (
        (modify | stated) & ~counted.positive & ((counted.counts != 0) | counted.off)
    )  # below zero, also by half a lot

    def above(row: int) -> str:
        return "0 (unchanged) or above" if modify[row] else "0 or above" if stated[row] else "a number above zero"

    frame.refuse(bad & ~lenient, "qty", lambda row: f"is not a quantity; a quantity is {above(row)}")
    frame.refuse(counted.positive & ~bad & (counted.counts == 0) & ~counted.off, "qty", _lost(declared, code, "lot"))
    frame.refuse(counted.off & ~lenient, "qty", _off(declared, code, "a multiple of the lot", "lot"))
    flags[bad & lenient] |= int(RowFlag.BAD_QTY)
    flags[counted.off & lenient] |= int(RowFlag.OFF_LOT)
    count = np.where(bad, 0, counted.counts) if bad.any() else counted.counts
    return count, _as_written(frame, "qty", counted.off & lenient & ~bad, lots, code)


def prices(
    frame: Frame,
    code: np.ndarray,
    declared: Sequence[Instrument],
    lenient: np.ndarray,
    flags: np.ndarray,
    types: np.ndarray,
) -> tuple[np.ndarray, dict[int, Fraction]]:
    """Ticks of orders, modifies, fills and price events (else MISSING); and by row the off-tick prices kept.

    `types` are the places of orders in `ORDER_TYPES`, of which some have no limit.
    """
    missing, unpriced = frame.missing("price"), np.array([not one.priced for one in ORDER_TYPES.values()])[types]
    frame.refuse(unpriced & ~missing, "price", lambda row: UNPRICED.format([*ORDER_TYPES][types[row]]))
    rows = (
        frame.rows_of(
            EventKind.ORDER,
            EventKind.FILL,
            EventKind.PRICE,
            EventKind.CLOSE,
            EventKind.MODIFY,
            EventKind.CORRECT,
            EventKind.SNAPSHOT,
            EventKind.ADJUST,
            *SETTLES,
        )  # fmt: skip
        & ~missing
    )
    ticks = [instrument.tick for instrument in declared] or [Fraction(1)]
    counted = count_in(frame, "price", rows, ticks, code)
    quoted = frame.rows_of(EventKind.PRICE) & ~(frame.missing("bid") & frame.missing("ask"))
    free = np.array([one.pegged for one in ORDER_TYPES.values()])[types]
    needs = frame.rows_of(*NEEDED_BY["price"]) & ~unpriced & ~free & ~quoted
    bad = counted.bad | (needs & missing)
    low = rows & ~bad & ~counted.positive & _only_above_zero(declared, code)
    frame.refuse(bad & ~lenient, "price", lambda row: f"is not a price; {_what_fits(frame, row)}")
    frame.refuse(low & ~lenient, "price", "is not above zero; declare the instrument with negative_price=True")
    frame.refuse(counted.positive & (counted.counts == 0) & ~counted.off, "price", _lost(declared, code, "tick"))
    frame.refuse(counted.off & ~lenient, "price", _off(declared, code, "on the tick", "tick"))
    flags[(bad | low) & lenient] |= int(RowFlag.BAD_PRICE)
    flags[counted.off & lenient] |= int(RowFlag.OFF_TICK)
    count = np.where(rows & ~bad, counted.counts, MISSING)
    return count, _as_written(frame, "price", counted.off & lenient & ~bad, ticks, code)


def _what_fits(frame: Frame, row: int) -> str:
    """The price that an event of this kind has, in words."""
    if frame.missing("price")[row] or frame.kind[row] == EventKind.ORDER:
        return PRICED.get(EventKind(frame.kind[row]), PRICE)
    return PRICE


def optional_prices(
    frame: Frame, name: str, rows: np.ndarray, code: np.ndarray, declared: Sequence[Instrument]
) -> np.ndarray:
    """Ticks of a bid, an ask, a reserve price or a stop; MISSING without one."""
    rows = rows & ~frame.missing(name)
    counted = count_in(frame, name, rows, [instrument.tick for instrument in declared] or [Fraction(1)], code)
    frame.refuse(counted.bad, name, "is not a price; a price is a finite number")
    low = rows & ~counted.positive & _only_above_zero(declared, code)
    frame.refuse(low, name, "is not above zero; declare the instrument with negative_price=True")
    frame.refuse(counted.positive & (counted.counts == 0) & ~counted.off, name, _lost(declared, code, "tick"))
    frame.refuse(counted.off, name, _off(declared, code, "on the tick", "tick"))
    return np.where(rows, counted.counts, MISSING)


def _only_above_zero(declared: Sequence[Instrument], code: np.ndarray) -> np.ndarray:
    return np.array([not instrument.negative_price for instrument in declared] + [False])[code]


def _off(declared: Sequence[Instrument], code: np.ndarray, what: str, unit: str) -> Callable[[int], str]:
    """Error message of a number off the grid."""

    def why(row: int) -> str:
        instrument = declared[code[row]]
        return f"is not {what} {decimal_text(getattr(instrument, unit))} of {instrument.id}; {ROUND_IT}"

    return why


def _lost(declared: Sequence[Instrument], code: np.ndarray, unit: str) -> Callable[[int], str]:
    """Error message of a number that would be rounded to nothing."""

    def why(row: int) -> str:
        instrument = declared[code[row]]
        size = decimal_text(getattr(instrument, unit))
        return f"is rounded to 0 at the {unit} {size} of {instrument.id}; declare a finer {unit}"

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
    frame: Frame, counts: dict[str, np.ndarray], kept: dict[int, Fraction], code: np.ndarray, finer: Sequence[int]
) -> list[int]:
    """Count columns in steps so fine that the off-grid numbers kept (of the first column) are integers as well.

    Return the number of steps in each instrument's unit: a multiple of `finer`.
    """
    cuts = list(finer)
    for row, steps in kept.items():
        cuts[code[row]] = math.lcm(cuts[code[row]], steps.denominator)
    if max(cuts, default=1) == 1:
        return cuts
    factor = np.array([*cuts, 1], np.int64)[code]
    for index, (name, count) in enumerate(counts.items()):
        known = count != MISSING
        plain = np.where(known, count, 0)
        frame.refuse(np.abs(plain) >= MAXIMUM // factor, name, "is too large beside the fine off-grid orders kept here")
        counts[name] = np.where(known, plain * factor, MISSING)
        for row, steps in kept.items() if index == 0 else ():
            counts[name][row] = int(steps * cuts[code[row]])
    return cuts
