"""The displayed quantity of an iceberg order: it has to fit its order, and every rule judges the whole quantity.

Nothing of it enters the columns. One that does not fit makes its order a bad one, which is refused, or flagged for `lot_tick`.
Source: FIX 4.4 and later, DisplayQty (1138), which is at most OrderQty; RTS 9 (2017/566), Annex, counts an iceberg as one order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.amount import count
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.numbers import count_in
from riskkit.replay.ingest.rows import Row
from riskkit.replay.schema.columns import EventKind, RowFlag
from riskkit.replay.schema.universe import Instrument

NO_DISPLAY = "is no quantity that an order displays; it is a multiple of the lot above zero and at most the quantity"


def check_displays(
    frame: Frame, columns: Mapping[str, np.ndarray], stepped: Sequence[Instrument], lenient: np.ndarray
) -> None:
    """Refuse or flag the orders of a frame that display what does not fit; quantities are in the steps of their instrument."""
    rows = frame.rows_of(EventKind.ORDER) & ~frame.missing("display")
    code = columns["instrument"]
    counted = count_in(frame, "display", rows, [one.lot for one in stepped] or [Fraction(1)], code)
    steps = np.array([int(one.lot / one.qty_step) for one in stepped] + [1])[code]
    bad = rows & (counted.bad | counted.off | ~counted.positive | (counted.counts == 0))
    bad |= rows & (counted.counts > columns["qty"] // steps)
    frame.refuse(bad & ~lenient, "display", NO_DISPLAY)
    columns["flags"][bad & lenient] |= int(RowFlag.BAD_DISPLAY)


def check_display(value: Any, instrument: Instrument, row: Row, *, lenient: bool, nearest: bool) -> None:
    """Refuse or flag a live order that displays what does not fit."""
    if value is None:
        return
    found = count(value, instrument.lot, "display", nearest)
    whole = Fraction(row["qty"]) * instrument.qty_step / instrument.lot
    if not found.bad and not found.off and 0 < found.nearest <= whole:
        return
    if not lenient:
        raise InputError(f"display={shown(value)} {NO_DISPLAY}")
    row["flags"] |= int(RowFlag.BAD_DISPLAY)
