"""Orders that lapse: an EXPIRE row at the time at which each stops working.

A DAY order lapses at the end of its session (midnight, unless ``expires`` names another), a GTC order never. An IOC or FOK order is
done with the events of its own time: it works for none a nanosecond later, and what is filled of it by then is booked all the same.
That comes from the order, not from the venue, whose answer may be late or missing in a log.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError, shown
from riskkit.replay.ingest.amount import expiry, word
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import word_codes
from riskkit.replay.ingest.times import TimeForm, timestamps
from riskkit.replay.schema.calendar import session_ends
from riskkit.replay.schema.columns import MISSING, OPTIONAL, ROW_NUMBERS, EventKind, RowFlag

INSERTED = {**{name: absent for name, (_, absent) in OPTIONAL.items()}, "side": 0, "qty": 0, "price": MISSING}
NO_TIF = "goes with no tif but DAY, whose session it names; leave out one of them"


class TimeInForce(IntEnum):
    """How long an order works (column ``tif``)."""

    GTC = 0  # until it is cancelled; the default
    DAY = 1
    IOC = 2  # at once, for what can be filled
    FOK = 3  # at once, for all or nothing


FROM_ORDER = ("account", "instrument", "pair", "strategy", "connection")


def with_sessions(frame: Frame) -> tuple[Frame, np.ndarray]:
    """The frame with the session of each DAY order in ``expires``, and a mask of the orders that work at their own time alone."""
    tif = word_codes(frame, "tif", frame.rows_of(EventKind.ORDER), TimeInForce, TimeInForce.GTC)
    rows = frame.rows_of(EventKind.ORDER) & ~frame.missing("tif")
    expires = frame.column("expires") if frame.has("expires") else pd.Series([None] * frame.size, dtype=object)
    silent = expires.isna().to_numpy() if frame.has("expires") else np.ones(frame.size, bool)
    frame.refuse(rows & (tif != TimeInForce.DAY) & ~silent, "expires", NO_TIF)
    day = rows & (tif == TimeInForce.DAY) & silent
    if day.any():
        frame = frame.with_column("expires", expires.astype(object).mask(day, "session"))
    return frame, rows & (tif >= TimeInForce.IOC)


def lapse_of(tif: Any, expires: Any, ts: int) -> int:
    """Time at which a live order lapses, MISSING if it does not."""
    code = TimeInForce.GTC if tif is None else word(tif, TimeInForce, "tif")
    if expires is None:
        return ts + 1 if code >= TimeInForce.IOC else expiry("session", ts) if code == TimeInForce.DAY else MISSING
    if tif is not None and code != TimeInForce.DAY:
        raise InputError(f"expires={shown(expires)} {NO_TIF}")
    return expiry(expires, ts)


def expiry_times(frame: Frame, stamps: np.ndarray, form: TimeForm) -> np.ndarray:
    """Times at which orders lapse (MISSING if they do not); "session" is the end of the trading day."""
    if not frame.has("expires"):
        return np.full(frame.size, MISSING, np.int64)
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
