"""Convert times to int64 nanoseconds since the epoch, UTC, and put them in order."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from riskkit._check import InputError
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.replay.schema.constants import LARGEST

# a window of up to 2**62 ns can be subtracted from a time without overflow
LATEST = LARGEST
SPAN = "is not a time from 1824 to 2116, the range in which windows of rules fit into 64 bits"


def timestamps(frame: Frame, name: str, tz: str) -> np.ndarray:
    """A column of times in nanoseconds, MISSING without one; times without a zone are in `tz`."""
    series = frame.column(name)
    kind = series.dtype
    if pd.api.types.is_integer_dtype(kind):
        found = series.fillna(MISSING).to_numpy(np.int64)
    elif pd.api.types.is_float_dtype(kind) and (frame.missing(name).any() or not frame.size):
        found = _integral_floats(frame, name)
    elif pd.api.types.is_bool_dtype(kind) or pd.api.types.is_float_dtype(kind):
        raise InputError(f"column {name!r} is {kind}; times are Timestamps or integer nanoseconds since the epoch")
    else:
        found = _instants(frame, name, tz)
    out = (np.abs(found) >= LATEST) & (found != MISSING)
    frame.refuse(out, name, SPAN)
    return found


def _integral_floats(frame: Frame, name: str) -> np.ndarray:
    """Integers that a gap in their column made floats, if all are exact."""
    number = frame.column(name).to_numpy(float, na_value=np.nan)
    missing = frame.missing(name)
    inexact = ~missing & ~((np.abs(number) < 2**53) & (number == np.rint(number)))
    frame.refuse(inexact, name, "is no exact time; give Timestamps, or integer nanoseconds of dtype 'Int64'")
    return np.where(missing, MISSING, np.where(missing, 0, number).astype(np.int64))


def _instants(frame: Frame, name: str, tz: str) -> np.ndarray:
    """Timestamps, texts or datetimes in nanoseconds."""
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise InputError(f"tz={tz!r} is not a time zone; use a name such as 'UTC' or 'America/New_York'") from None
    series = frame.column(name)
    try:
        times = pd.to_datetime(series)
        times = times.dt.tz_localize(tz) if times.dt.tz is None else times
    except (ValueError, TypeError, AttributeError) as error:
        row = _first_bad(series)
        if row is not None:
            frame.refuse_row(row, name, "is not a time")
        raise InputError(f"column {name!r} has invalid times: {' '.join(str(error).split())}") from None
    missing = times.isna().to_numpy()
    instants = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    unit = np.datetime_data(instants.dtype)[0]
    coarse = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    counts = instants.astype(np.int64)
    frame.refuse(~missing & (np.abs(counts) >= LATEST // coarse), name, SPAN)
    return np.where(missing, MISSING, np.where(missing, 0, counts) * coarse)


def _first_bad(series: pd.Series) -> int | None:
    """The first row that is no time, if any."""
    for row, value in enumerate(series):
        try:
            pd.Timestamp(value)
        except (ValueError, TypeError):
            return row
    return None


def in_time_order(frame: Frame, stamps: np.ndarray, policy: str, flags: np.ndarray) -> np.ndarray:
    """Apply `ts_policy` to times below the previous one; ``sort`` has been applied already."""
    if not len(stamps):
        return stamps
    latest = np.maximum.accumulate(stamps)
    late = stamps < latest
    if policy == "clamp":
        return latest
    if policy == "reject":
        flags[late] |= int(RowFlag.BAD_TS)
    elif late.any():
        why = "is earlier than the row before it; sort the frame, or use ts_policy='reject', 'clamp' or 'sort'"
        frame.refuse(late, "ts", why)
    return stamps
