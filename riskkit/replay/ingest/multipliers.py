"""Convert changes of an instrument's multiplier: the new one over the one that the instrument declares, as a fraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.rows import Row, row_of
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import Instrument, exact

FIELD = "multiplier"
NO_MULTIPLIER = (
    "is not a multiplier; a multiplier is a number above zero, and over that of the declaration a fraction of numbers up to "
    f"{MILLION:,}"
)


def times_of(value: Any, instrument: Instrument) -> Fraction | None:
    """The multiplier over the declared one; None if it is none."""
    if isinstance(value, (bool, np.bool_)):
        return None
    try:
        found = exact(value, FIELD) / instrument.multiplier
    except InputError:
        return None
    return found if 0 < found.numerator <= MILLION and found.denominator <= MILLION else None


def multiplier_times(frame: Frame, code: np.ndarray, instruments: Sequence[Instrument]) -> dict[int, Fraction]:
    """The multiplier of each event over the declared one, by row."""
    rows = frame.rows_of(EventKind.MULTIPLIER)
    if not rows.any():
        return {}
    frame.refuse(rows & frame.missing(FIELD), FIELD, NO_MULTIPLIER)
    found = {}
    for row in np.flatnonzero(rows).tolist():
        times = times_of(frame.column(FIELD).iloc[row], instruments[code[row]])
        if times is None:
            frame.refuse_row(row, FIELD, NO_MULTIPLIER)
        else:
            found[row] = times
    return found


def multiplier_events(columns: Mapping[str, np.ndarray], times: Mapping[int, Fraction]) -> None:
    """Fill qty and price of MULTIPLIER events."""
    for row, one in times.items():
        columns["qty"][row], columns["price"][row] = one.numerator, one.denominator


def multiplier_row(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live change of a multiplier as a row."""
    row = row_of(ts, EventKind.MULTIPLIER, {"instrument": entries.instrument(given.get("instrument"))})
    times = times_of(given.get(FIELD), entries.universe.instruments[row["instrument"]])
    if times is None:
        raise InputError(f"{FIELD}={shown(given.get(FIELD))} {NO_MULTIPLIER}")
    return [{**row, "qty": times.numerator, "price": times.denominator}]
