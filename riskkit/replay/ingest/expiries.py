"""Orders that lapse: an EXPIRE row at the time at which each stops working."""

from __future__ import annotations

import numpy as np
import pandas as pd

from riskkit._check import InputError
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.times import TimeForm, timestamps
from riskkit.replay.schema.calendar import session_ends
from riskkit.replay.schema.columns import MISSING, OPTIONAL, ROW_NUMBERS, EventKind, RowFlag

INSERTED = {**{name: absent for name, (_, absent) in OPTIONAL.items()}, "side": 0, "qty": 0, "price": MISSING}
FROM_ORDER = ("account", "instrument", "pair", "strategy", "connection")


def expiry_times(frame: Frame, stamps: np.ndarray, form: TimeForm) -> np.ndarray:
    """Times at which orders lapse (MISSING if they do not); "session" is the end of the trading day."""
    given = frame.column("expires")
    if not (pd.api.types.is_object_dtype(given.dtype) or pd.api.types.is_string_dtype(given.dtype)):
        return timestamps(frame, "expires", form)[0]
    texts = np.array([text if isinstance(text, str) else "" for text in given], object)
    ends = np.full(frame.size, MISSING, np.int64)
    for text in sorted({text for text in texts if text.startswith("session")}):
        rows = np.flatnonzero(texts == text)
        try:
            ends[rows] = session_ends(text, stamps[rows], form.tz)
        except InputError as error:
            frame.refuse_row(int(rows[0]), "expires", f"is no end of a session: {error}")
    day = ends != MISSING
    if not day.any():
        return timestamps(frame, "expires", form)[0]
    others = given.mask(day)
    if others.isna().all():
        return ends
    return np.where(day, ends, timestamps(frame.with_column("expires", others), "expires", form)[0])


def check_expiries(frame: Frame, stamps: np.ndarray, expires: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Check that orders lapse after their time, and that a modify does not change it; return times by order row."""
    rows = frame.rows_of(EventKind.ORDER)
    given = expires != MISSING
    frame.refuse(rows & given & (expires <= stamps), "expires", "is not after the time of its order")
    changed = frame.rows_of(EventKind.MODIFY) & given & (order >= 0) & (expires != expires[np.maximum(order, -1)])
    frame.refuse(changed, "expires", "is not the time at which its order lapses; cancel the order and send another")
    return np.where(rows, expires, MISSING)


def insert_expiries(columns: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Insert an EXPIRE row for every named order that lapses within the log, before the events of that time.

    Return the columns and each row's former row (-1: inserted; None if nothing was inserted). References between rows
    are renumbered. An order that lapses after the last event needs no row.
    """
    if "expires" not in columns:
        return columns, None
    expires, order = columns["expires"], columns["order"]
    latest = np.maximum.accumulate(columns["ts"])
    lapses = (expires != MISSING) & (order >= 0) & (columns["flags"] & int(RowFlag.BAD_TS) == 0)
    rows = np.flatnonzero(lapses & (expires <= latest[-1] if len(latest) else False))
    if not len(rows):
        return columns, None
    rows = rows[np.argsort(expires[rows], kind="stable")]
    before = np.searchsorted(latest, expires[rows], "left")
    size = len(latest)
    moved = np.arange(size) + np.searchsorted(before, np.arange(size), "right")
    inserted = before + np.arange(len(rows))
    source = np.full(size + len(rows), -1, np.int64)
    source[moved] = np.arange(size)
    wider = {}
    for name, column in columns.items():
        values = np.where(column >= 0, moved[column], column) if name in ROW_NUMBERS else column
        grown = np.full(size + len(rows), INSERTED.get(name, -1), values.dtype)
        grown[moved] = values
        if name in FROM_ORDER:
            grown[inserted] = values[rows]
        wider[name] = grown
    wider["ts"][inserted] = expires[rows]
    wider["kind"][inserted] = int(EventKind.EXPIRE)
    wider["order"][inserted] = moved[rows]
    return wider, source
