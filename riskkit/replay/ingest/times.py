"""Convert times to int64 nanoseconds since the epoch, UTC, and put them in order.

A text is ISO 8601 or of a declared form; nothing is guessed. A number has a unit: the declared one, or the one in which
every number of the column is a date from 1980 to 2099 (the four ranges do not overlap). A column that begins with a
number below them all, as 0, is the time of a simulation, in nanoseconds, but where all after a 0 are dates in another unit;
what reads as a date is refused: its digits, as 20240305, a column of years or months, and the days of spreadsheets. Nothing is
cut: digits beyond nanoseconds are refused.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from riskkit._check import InputError, one_of, shown
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import SPANS
from riskkit.replay.schema.universe import exact

# a window of up to 2**62 ns can be subtracted from a time without overflow
LATEST = LARGEST
SPAN = "is not a time from 1824 to 2116, the range in which windows of rules fit into 64 bits"
UNITS = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
DATES = (315_532_800, 4_102_444_800)  # seconds since the epoch of 1980-01-01 and 2100-01-01
OFFSET = r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"
DATE = r"(?:19|20)\d{6}"
WAY_OUT = "say unit='s', 'ms', 'us' or 'ns'"
FINER = re.compile(r"\d[.,]\d{9}0*[1-9]")  # than nanoseconds
TOO_FINE = "has digits beyond nanoseconds, and nothing is cut; round it"
LONGEST = 64  # characters of a time; pandas takes seconds to refuse a long text
STEPS = {"ms": 10**9, "us": 3_600 * 10**9}  # simulated times of such size are multiples, few dates are
SERIAL_DAYS = (29_221, 73_051)  # days of spreadsheets of 1980-01-01 and 2100-01-01


class TimeForm(NamedTuple):
    """How the times of a table are written: the zone of those without one, the unit of numbers, the form of texts."""

    tz: str = "UTC"
    unit: str | None = None
    form: str | None = None

    @classmethod
    def checked(cls, tz: str, unit: str | None, form: str | None) -> TimeForm:
        """The form, or an error that names the argument."""
        try:
            ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise InputError(
                f"tz={shown(tz)} is not a time zone; use a name such as 'UTC' or 'America/New_York'"
            ) from None
        if unit is not None:
            one_of(unit, tuple(UNITS), "unit")
        if form is not None and (not isinstance(form, str) or "%" not in form):
            raise InputError(f"time_format={shown(form)} is not a form of times, as '%d.%m.%Y %H:%M:%S'")
        return cls(tz, unit, form)


def timestamps(frame: Frame, name: str, form: TimeForm) -> tuple[np.ndarray, str]:
    """A column of times in nanoseconds (MISSING without one), and the unit of its numbers ("" without numbers)."""
    series = frame.column(name)
    if pd.api.types.is_bool_dtype(series.dtype):
        raise InputError(f"column {name!r} is {series.dtype}; times are Timestamps, ISO 8601 texts or numbers")
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return _nanoseconds(frame, name, _with_zone(frame, name, series, form.tz)), ""
    numbers = _numbers(frame, name, form)
    if numbers is not None:
        return _of_numbers(frame, name, numbers, form)
    return _nanoseconds(frame, name, _of_texts(frame, name, form)), ""


def _numbers(frame: Frame, name: str, form: TimeForm) -> pd.Series | None:
    """The column if it holds only numbers, also as texts; without its missing values."""
    series = frame.column(name)
    given = series[~frame.missing(name)]
    if pd.api.types.is_numeric_dtype(series.dtype):
        return given
    if form.form is not None or not len(given):
        return None
    integers = _integers_of(given)
    texts = integers is None and given.map(lambda value: isinstance(value, str)).to_numpy(bool).all()
    if integers is not None or (texts and given.str.fullmatch(r"\s*[+-]?\d+(?:\.\d+)?\s*").all()):
        if given.iloc[:1].str.fullmatch(DATE).all() and given.str.fullmatch(DATE).all():
            frame.refuse(~frame.missing(name), name, "is a date without dashes; give time_format='%Y%m%d'")
        return given if integers is None else integers
    if given.map(is_number).to_numpy(bool).all():
        return given.astype(object)  # a categorical column too
    return None


def _integers_of(given: pd.Series) -> pd.Series | None:
    """Texts that are all integers of 64 bits, as such; None if any is something else."""
    if not isinstance(given.dtype, pd.StringDtype) or not given.iloc[0].strip().lstrip("+-").isdecimal():
        return None
    found = pd.to_numeric(given, errors="coerce")
    return found if found.dtype.kind == "i" else None


def _of_numbers(frame: Frame, name: str, given: pd.Series, form: TimeForm) -> tuple[np.ndarray, str]:
    """Numbers in their unit as nanoseconds."""
    at = np.flatnonzero(~frame.missing(name))
    found = np.full(frame.size, MISSING, np.int64)
    if not len(at):
        return found, ""
    numbers, rests = _whole_parts(frame, name, given, at)
    unit = form.unit or _unit_of(frame, name, numbers, at)
    span = SPANS[unit]
    out = np.zeros(frame.size, bool)
    out[at] = np.abs(numbers.astype(float)) >= LATEST / span
    frame.refuse(out, name, SPAN if unit == "ns" else f"{SPAN}, in {UNITS[unit]}; {WAY_OUT}")
    found[at] = numbers * span
    for index, rest in rests.items():
        if span == 1:
            frame.refuse_row(int(at[index]), name, f"is no whole number of nanoseconds; {WAY_OUT}")
        if (rest * span).denominator != 1 and not isinstance(
            given.iloc[index], float
        ):  # a float is as near as it can be
            frame.refuse_row(int(at[index]), name, TOO_FINE)
        found[at[index]] += round(rest * span)
    return found, unit


def _whole_parts(frame: Frame, name: str, given: pd.Series, at: np.ndarray) -> tuple[np.ndarray, dict[int, Any]]:
    """The integer part of each number, and by position the exact rest of those that have one."""
    if given.dtype.kind == "i" or isinstance(given.dtype, pd.Int64Dtype):
        return given.to_numpy(np.int64), {}
    whole, rests = np.zeros(len(given), np.int64), {}
    for index, value in enumerate(given.tolist()):
        large = isinstance(value, float) and abs(value) >= 2**53
        try:
            number = exact(value.strip() if isinstance(value, str) else value, name)
        except InputError:
            frame.refuse_row(int(at[index]), name, "is not a time")
        if large:
            frame.refuse_row(
                int(at[index]), name, "is no exact time as a float; give integers of dtype 'Int64', or Timestamps"
            )
        if abs(number) >= LATEST:
            frame.refuse_row(int(at[index]), name, SPAN)
        whole[index] = number.numerator // number.denominator
        if number.denominator != 1:
            rests[index] = number - int(whole[index])
    return whole, rests


def is_number(value: Any) -> bool:
    """True for a number of any type that is no truth value.

    Examples
    --------
    >>> is_number(Decimal(1)), is_number(np.int64(1)), is_number(True), is_number("1")
    (True, True, False, False)
    """
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool)


def date_of_digits(number: int) -> str:
    """The date from 1980 to 2099 whose digits a number has; empty if there is none.

    Examples
    --------
    >>> date_of_digits(20240229), date_of_digits(20230229), date_of_digits(5)
    ('2024-02-29', '', '')
    """
    if not 1980_00_00 < number < 2100_00_00:
        return ""
    try:
        return str(datetime.date(number // 10**4, number // 100 % 100, number % 100))
    except ValueError:
        return ""


def dates_of_numbers(low: int, high: int) -> str:
    """What numbers from `low` to `high` are if all are years, months in digits, or days of a spreadsheet; empty if not.

    Examples
    --------
    >>> dates_of_numbers(2019, 2024), dates_of_numbers(45_000, 45_365)
    ('years', 'days as spreadsheets count them, from 1899-12-30')
    >>> dates_of_numbers(202_401, 202_412), dates_of_numbers(0, 2024)
    ('months in digits', '')
    """
    if 1980 <= low <= high < 2100:
        return "years"
    if SERIAL_DAYS[0] <= low <= high < SERIAL_DAYS[1]:
        return "days as spreadsheets count them, from 1899-12-30"
    return "months in digits" if 1980_01 <= low <= high <= 2099_12 else ""


def iso_time(text: str) -> pd.Timestamp | None:
    """One time as ISO 8601 has it; None if a text is another, or is finer than nanoseconds.

    Examples
    --------
    >>> iso_time("2024-03-05 14:30Z"), iso_time("05.03.2024"), iso_time("now")
    (Timestamp('2024-03-05 14:30:00+0000', tz='UTC'), None, None)
    """
    if len(text) > LONGEST or FINER.search(text) or not text.lstrip()[:4].isdecimal():
        return None
    try:
        return pd.to_datetime(text.strip(), format="ISO8601")
    except (ValueError, OverflowError):
        return None


def unit_by_size(number: int) -> str:
    """The unit in which a number is a date from 1980 to 2099; empty if there is none.

    Examples
    --------
    >>> unit_by_size(1_709_649_000), unit_by_size(1_709_649_000_000), unit_by_size(5)
    ('s', 'ms', '')
    """
    seconds = ((unit, 10**9 // SPANS[unit]) for unit in UNITS)
    return next((unit for unit, scale in seconds if DATES[0] * scale <= number < DATES[1] * scale), "")


def is_other_date(number: int) -> bool:
    """True for a number that reads as a date, but not in nanoseconds: its digits, a year, a day or another unit.

    Examples
    --------
    >>> is_other_date(20240305), is_other_date(2024), is_other_date(1_709_649_000), is_other_date(1_709_649_000 * 10**9)
    (True, True, True, False)
    """
    return bool(date_of_digits(number) or dates_of_numbers(number, number) or unit_by_size(number) not in ("", "ns"))


def unit_after_zero(numbers: np.ndarray) -> str:
    """The unit, milliseconds or microseconds, in which all numbers but 0 are dates; empty if there is none, or all are round.

    Dates in seconds are the first seconds of a simulation in nanoseconds.

    Examples
    --------
    >>> unit_after_zero(np.array([0, 1_709_649_000_250])), unit_after_zero(np.array([0, 999_999_999]))
    ('ms', '')
    """
    later = numbers[numbers != 0]
    if not len(later):
        return ""
    low, high = (unit_by_size(int(number)) for number in (later.min(), later.max()))
    return low if low == high in STEPS and (later % STEPS[low]).any() else ""


def check_first_number(number: int, after_zero: bool = False) -> None:
    """Refuse the first time of a live session if its size says that it is not in nanoseconds; also one after a 0."""
    if not after_zero and date_of_digits(number):
        raise InputError(
            f"ts={number} has the digits of a date, and a session counts nanoseconds; give a Timestamp with a zone"
        )
    unit = unit_after_zero(np.array([number])) if after_zero else unit_by_size(number)
    if unit not in ("", "ns"):
        size = f"has the size of a date in {UNITS[unit]}{' after a 0' if after_zero else ''}"
        raise InputError(
            f"ts={number} {size}, and a session counts nanoseconds; multiply it by {SPANS[unit]:,}, or give a Timestamp with "
            "a zone (a simulation begins with tick(0))"
        )


def _unit_of(frame: Frame, name: str, numbers: np.ndarray, at: np.ndarray) -> str:
    """The unit that the size of all numbers tells."""
    first = int(numbers[0])
    if date := date_of_digits(first):
        why = f"is the date {date} in digits; give it as a text and time_format='%Y%m%d', or unit='ns'"
        frame.refuse_row(int(at[0]), name, why)
    if dates := dates_of_numbers(int(numbers.min()), int(numbers.max())):
        why = f"is no time of a unit, for all numbers of the column are {dates}; give Timestamps, or unit='ns' if it is not so"
        frame.refuse_row(int(at[0]), name, why)
    if first == 0 and (unit := unit_after_zero(numbers)):
        why = f"has the size of a date in {UNITS[unit]}, as all numbers after the 0, which has no unit; {WAY_OUT}"
        frame.refuse_row(int(at[np.flatnonzero(numbers)[0]]), name, why)
    if 0 <= first < DATES[0]:  # no date in any unit: the time of a simulation
        return "ns"
    unit = unit_by_size(first)
    low, high = (bound * 10**9 // SPANS[unit or "ns"] for bound in DATES)
    odd = (numbers < low) | (numbers >= high)
    if odd.any():
        row = int(at[np.argmax(odd)])
        other = f", as the numbers before it are {UNITS[unit]}" if unit and row else ""
        frame.refuse_row(row, name, f"has no unit that its size tells{other}; {WAY_OUT}")
    return unit


def _of_texts(frame: Frame, name: str, form: TimeForm) -> pd.Series:
    """Texts, datetimes and dates as Timestamps in UTC, NaT where missing."""
    series = frame.column(name)
    found = pd.Series(pd.NaT, index=series.index, dtype="datetime64[ns, UTC]")
    missing = frame.missing(name)
    texts = series.map(lambda value: isinstance(value, str)).to_numpy(bool) & ~missing
    zoned, plain = np.zeros(frame.size, bool), texts.copy()
    if form.form is None and texts.any():
        zoned[texts] = series[texts].str.strip().str.contains(r"\d[T ]\d.*?" + OFFSET).to_numpy(bool)
        plain &= ~zoned
    pattern = form.form or "ISO8601"
    for rows, utc in ((zoned, True), (plain, bool(form.form and "%z" in form.form))):
        if rows.any():
            read = pd.to_datetime(series[rows].str.strip(), format=pattern, utc=utc, errors="coerce")
            bad = np.zeros(frame.size, bool)
            bad[rows] = read.isna().to_numpy()
            frame.refuse(bad, name, _not_of_form(form.form))
            bad[rows] = series[rows].str.contains(FINER).to_numpy(bool)
            frame.refuse(bad, name, TOO_FINE)
            part = read if utc else _with_zone(frame, name, read, form.tz, np.flatnonzero(rows))
            bad[rows] = _beyond(part)
            frame.refuse(bad, name, SPAN)
            found[rows] = part.dt.as_unit("ns")
    for row in np.flatnonzero(~texts & ~missing).tolist():
        found.iloc[row] = _moment(frame, name, row, form.tz)
    return found


def _not_of_form(form: str | None) -> str:
    if form is not None:
        return f"is not a time of the form {form!r}"
    return (
        "is not a time as ISO 8601 has it, 2024-03-05T14:30:00; give time_format=, as '%d.%m.%Y %H:%M:%S', for another"
    )


def _moment(frame: Frame, name: str, row: int, tz: str) -> pd.Timestamp:
    """A datetime or a date of a mixed column, in UTC."""
    value = frame.column(name).iloc[row]
    if not isinstance(value, (datetime.date, np.datetime64)):
        frame.refuse_row(row, name, "is not a time")
    single = _with_zone(frame, name, pd.Series([pd.Timestamp(value)]), tz, np.array([row]))
    if _beyond(single)[0]:
        frame.refuse_row(row, name, SPAN)
    return single.dt.as_unit("ns").iloc[0]


def _with_zone(frame: Frame, name: str, times: pd.Series, tz: str, rows: np.ndarray | None = None) -> pd.Series:
    """Times in UTC; those without a zone are in `tz`, where no hour may be missing or occur twice."""
    if times.dt.tz is not None:
        return times.dt.tz_convert("UTC")
    local = times.dt.tz_localize(tz, ambiguous="NaT", nonexistent="NaT")
    lost = (local.isna() & times.notna()).to_numpy()
    if lost.any():
        first = int(np.argmax(lost))
        skipped = times.iloc[[first]].dt.tz_localize(tz, ambiguous=True, nonexistent="NaT").isna().iloc[0]
        what = "is in the hour that the clocks skip" if skipped else "is in the hour that the clocks repeat"
        frame.refuse_row(
            first if rows is None else int(rows[first]),
            name,
            f"{what} in {tz}; write its offset, as 2024-11-03T01:30:00-04:00, or convert the times to UTC",
        )
    return local.dt.tz_convert("UTC")


def _counts(times: pd.Series) -> tuple[np.ndarray, int]:
    """Timestamps in UTC as numbers of their own precision, and its nanoseconds."""
    instants = times.dt.tz_localize(None).to_numpy()
    return instants.astype(np.int64), SPANS[np.datetime_data(instants.dtype)[0]]


def _beyond(times: pd.Series) -> np.ndarray:
    """Where Timestamps of any precision, in UTC, leave the range of times."""
    counts, coarse = _counts(times)
    beyond: np.ndarray = times.notna().to_numpy() & (np.abs(counts) >= LATEST // coarse)
    return beyond


def _nanoseconds(frame: Frame, name: str, times: pd.Series) -> np.ndarray:
    """Timestamps of any precision in UTC as nanoseconds."""
    frame.refuse(_beyond(times), name, SPAN)
    missing, (counts, coarse) = times.isna().to_numpy(), _counts(times)
    return np.where(missing, MISSING, np.where(missing, 0, counts) * coarse)


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
