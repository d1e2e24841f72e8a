"""Convert dividends: the amount on one unit to billionths of money, and to the ticks by which prices fall, rounded up."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.numbers import MAXIMUM, count_in
from riskkit.replay.ingest.rows import Row, row_of
from riskkit.replay.schema.columns import RATE_UNIT, EventKind
from riskkit.replay.schema.decimals import ROUND_IT
from riskkit.replay.schema.universe import Instrument, OutOfRange, Universe

UNIT = Fraction(1, RATE_UNIT)
NO_DIVIDEND = "is not a dividend; a dividend is an amount of money above zero on one unit"
TOO_FINE = f"is not a dividend with at most nine decimals; {ROUND_IT}"


def dividend_events(frame: Frame, columns: dict[str, np.ndarray], universe: Universe) -> None:
    """Convert the amounts of DIVIDEND events to qty and price."""
    rows = frame.rows_of(EventKind.DIVIDEND)
    if not rows.any():
        return
    counted = count_in(frame, "amount", rows & ~frame.missing("amount"), [UNIT], None)
    frame.refuse(rows & (counted.bad | ~counted.positive), "amount", NO_DIVIDEND)
    frame.refuse(rows & (counted.off | (counted.counts == 0)), "amount", TOO_FINE)
    for row in np.flatnonzero(rows).tolist():
        traded = universe.instruments[columns["instrument"][row]]
        columns["qty"][row] = counted.counts[row]
        columns["price"][row] = fall(int(counted.counts[row]), traded, universe)


def dividend_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live dividend as a row."""
    row = row_of(ts, EventKind.DIVIDEND, {"instrument": entries.instrument(given.get("instrument"))})
    found = scalars.count(given.get("amount"), UNIT, "amount", entries.nearest)
    if found.bad or found.steps <= 0:
        raise InputError(f"amount={shown(given.get('amount'))} {NO_DIVIDEND}")
    if found.off or found.nearest == 0:
        raise InputError(f"amount={shown(given.get('amount'))} {TOO_FINE}")
    traded = entries.universe.instruments[row["instrument"]]
    return [{**row, "qty": found.nearest, "price": fall(found.nearest, traded, entries.universe)}]


def fall(billionths: int, instrument: Instrument, universe: Universe) -> int:
    """Ticks by which prices fall, of which the payment on a lot is exact in 64 bits."""
    paid = billionths * universe.payment(instrument)
    ticks = ceil(billionths * UNIT / instrument.price_step)
    if paid.numerator * paid.denominator >= MAXIMUM or ticks >= MAXIMUM:
        raise OutOfRange(
            f"a dividend of {float(billionths * UNIT):g} on {instrument.id!r} could overflow 64 bits in units of this log"
        )
    return ticks
