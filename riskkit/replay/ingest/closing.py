"""Orders that close a position: in place of a quantity they are for all that their account holds on the other side.

The row of such an order has no quantity and is flagged, also as one that may only reduce. The replay counts what is held when the
order comes, and once more when a trade triggers it. Source: Deribit, private/close_position (a reduce-only order that closes what is
there); a stop of a derivatives exchange that closes the position it finds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.amount import truth
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import truths
from riskkit.replay.ingest.rows import Row
from riskkit.replay.schema.columns import EventKind, RowFlag

FIELD = "close_position"
BESIDE = "is given beside a quantity; an order that closes a position is for what is held"
QUANTITIES = ("qty", "quote_qty", "display")
FLAGS = int(RowFlag.CLOSE_POSITION | RowFlag.REDUCE_ONLY)


def of_positions(frame: Frame) -> np.ndarray:
    """Mask of the orders that close a position."""
    rows = truths(frame, FIELD, frame.rows_of(EventKind.ORDER))
    for name in QUANTITIES:
        frame.refuse(rows & ~frame.missing(name), FIELD, BESIDE)
    return rows


def closes(row: Row, value: Any, given: dict[str, Any]) -> bool:
    """True if a live order closes a position: its row is flagged."""
    if not truth(value, FIELD):
        return False
    if any(one is not None for one in given.values()):
        raise InputError(f"{FIELD}={shown(value)} {BESIDE}")
    row["flags"] |= FLAGS
    return True
