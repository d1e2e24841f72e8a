"""Convert splits: the new units for old ones to qty and price, and what becomes of open orders to side.

A frame's prices of an instrument that is split are counted in steps so fine that a price stays exact in new units; a live session
has the steps with which the instrument is declared (``price_step``), and its marks are rounded to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text, word_codes
from riskkit.replay.ingest.rows import Row, row_of
from riskkit.replay.schema.columns import EventKind, SplitOrders
from riskkit.replay.schema.universe import exact

LARGEST_RATIO = 1000  # of new units, and of old ones
FINEST_STEPS = 10**6  # of a tick
NO_SPLIT = "is not a split; a split is new units for old ones, as 3/2, both from 1 to 1000"


def ratio_of(value: Any) -> Fraction | None:
    """New units for one old one; None if it is no split."""
    try:
        new, _, old = label_text(value).partition("/")
        found = exact(new, "ratio") / exact(old, "ratio") if old else exact(value, "ratio")
    except (InputError, ZeroDivisionError):
        return None
    fits = 0 < found.numerator <= LARGEST_RATIO and found.denominator <= LARGEST_RATIO and found != 1
    return found if fits and not isinstance(value, bool) else None


def split_ratios(frame: Frame) -> dict[int, Fraction]:
    """The ratio of each split by row."""
    rows = frame.rows_of(EventKind.SPLIT)
    if not rows.any():
        return {}
    frame.refuse(rows & frame.missing("ratio"), "ratio", NO_SPLIT)
    found = {}
    for row in np.flatnonzero(rows).tolist():
        ratio = ratio_of(frame.column("ratio").iloc[row])
        if ratio is None:
            frame.refuse_row(row, "ratio", NO_SPLIT)
        else:
            found[row] = ratio
    return found


def finer_steps(ratios: Mapping[int, Fraction], code: np.ndarray, count: int) -> list[int]:
    """Price steps of a tick for each instrument, in which its prices stay exact in new units, as far as they may be cut."""
    cuts = [1] * count
    for row, ratio in ratios.items():
        finer = cuts[code[row]] * ratio.numerator
        cuts[code[row]] = finer if finer <= FINEST_STEPS else cuts[code[row]]
    return cuts


def split_events(frame: Frame, columns: dict[str, np.ndarray], ratios: Mapping[int, Fraction]) -> None:
    """Convert the ratios of SPLIT events to qty and price, and what becomes of orders to side."""
    if not ratios:
        return
    rows = frame.rows_of(EventKind.SPLIT)
    words = word_codes(frame, "orders", rows, SplitOrders, SplitOrders.FINRA)
    columns["side"] = np.where(rows, words, columns["side"])
    for row, ratio in ratios.items():
        columns["qty"][row], columns["price"][row] = ratio.numerator, ratio.denominator


def split_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live split as a row."""
    row = row_of(ts, EventKind.SPLIT, {"instrument": entries.instrument(given.get("instrument"))})
    ratio = ratio_of(given.get("ratio"))
    if ratio is None:
        raise InputError(f"ratio={shown(given.get('ratio'))} {NO_SPLIT}")
    mode = scalars.word(given.get("orders", "finra"), SplitOrders, "orders")
    return [{**row, "qty": ratio.numerator, "price": ratio.denominator, "side": mode}]
