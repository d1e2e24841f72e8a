"""Convert numbers to integer ticks, lots and quanta, exactly or not at all.

A float within a billionth of a step of an integer is that integer: 0.1 + 0.2 is 30 cents. Texts and Decimals are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskkit._check import InputError
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import OutOfRange, decimal_text, exact

MAXIMUM = LARGEST
NUMBERS_OF_TRUTH: tuple[Any, ...] = (0, 1)  # False and True equal them


class Counted(NamedTuple):
    """A column counted in units, each array of shape (n_events,).

    ``off`` marks no integer number of units (``counts`` is the nearest), ``bad`` no finite number, ``positive`` above 0.
    """

    counts: np.ndarray
    off: np.ndarray
    bad: np.ndarray
    positive: np.ndarray


def count_in(
    frame: Frame,
    name: str,
    rows: np.ndarray,
    units: Sequence[Fraction],
    code: np.ndarray | None,
    whole: bool = False,
) -> Counted:
    """Count a column at `rows` (a mask) in units, one unit per code (None: the first unit for all).

    Nothing is off the grid if the frame is rounded, unless the number has to be `whole`.
    """
    out = Counted(np.zeros(frame.size, np.int64), *(np.zeros(frame.size, bool) for _ in range(3)))
    at = np.flatnonzero(rows)
    if not len(at):
        return out
    series = frame.column(name) if len(at) == frame.size else frame.column(name).iloc[at]
    codes = np.zeros(len(at), np.int64) if code is None else code[at]
    dtype = series.dtype
    if pd.api.types.is_bool_dtype(dtype):
        frame.refuse(rows, name, "is not a number")
    if pd.api.types.is_integer_dtype(dtype) and (found := _integers(series, units, codes)) is not None:
        pass
    elif pd.api.types.is_any_real_numeric_dtype(dtype):
        found = _floats(series, units, codes)
        large = np.abs(found.counts) >= 2**53
        if large.any():
            why = "is too large to be exact as a float; give a string"
            frame.refuse_row(int(at[np.argmax(large)]), name, why, OutOfRange if frame.nearest else InputError)
    else:
        found = _written(series, units, codes)
        large = found.counts == MAXIMUM
        if large.any():
            first = int(np.argmax(large))
            unit = decimal_text(units[int(codes[first])])
            frame.refuse_row(int(at[first]), name, f"is beyond 64 bits in units of {unit}", OutOfRange)
    for target, values in zip(out, found, strict=True):
        target[at] = values
    if frame.nearest and not whole:
        out.off[:] = False
    return out


def _integers(series: pd.Series, units: Sequence[Fraction], codes: np.ndarray) -> Counted | None:
    """Integers in integer arithmetic, or None if a product could overflow."""
    number = series.to_numpy()
    if number.dtype.kind != "i":
        return None
    number = number.astype(np.int64, copy=False)
    largest = max(abs(int(number.min())), abs(int(number.max())))
    if largest * max(unit.denominator for unit in units) >= MAXIMUM or max(u.numerator for u in units) >= MAXIMUM:
        return None
    numerator, denominator = _terms(units, codes, np.int64)
    scaled = number * denominator
    if np.ndim(numerator) == 0 and numerator == 1:
        count, off = scaled, np.zeros(len(number), bool)
    else:
        count, rest = np.divmod(scaled, numerator)
        off = rest != 0
    return Counted(count, off, np.zeros(len(number), bool), number > 0)


def _floats(series: pd.Series, units: Sequence[Fraction], codes: np.ndarray) -> Counted:
    """Floats: the nearest integer number of units, off if it differs by more than a billionth."""
    number = series.to_numpy(float, na_value=np.nan)
    numerator, denominator = _terms(units, codes, np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = number * denominator / numerator if np.any(numerator != 1) else number * denominator
        nearest = np.rint(steps)
        bad = ~np.isfinite(steps)
        off = np.abs(steps - nearest) > 1e-9 + np.abs(nearest) * 1e-15
    if bad.any():
        nearest = np.where(bad, 0.0, nearest)
        off &= ~bad
    nearest = np.clip(nearest, -(2.0**62), 2.0**62)
    return Counted(nearest.astype(np.int64), off, bad, number > 0)


def _terms(units: Sequence[Fraction], codes: np.ndarray, dtype: Any) -> tuple[Any, Any]:
    """Numerators and denominators of the units at each row; scalars if all units are equal."""
    numerator = np.array([unit.numerator for unit in units], dtype)
    denominator = np.array([unit.denominator for unit in units], dtype)
    if len(set(units)) == 1:
        return numerator[0], denominator[0]
    return numerator[codes], denominator[codes]


def _written(series: pd.Series, units: Sequence[Fraction], codes: np.ndarray) -> Counted:
    """Texts, Decimals and mixtures, each distinct value parsed once; a number beyond 64 bits counts as `MAXIMUM`."""
    of_value, values = distinct_values(series)
    keys, pairs = pd.factorize(codes.astype(np.int64) * len(values) + of_value)
    read = [_read(value) for value in values]
    table = np.zeros(len(pairs), [("count", "i8"), ("off", "?"), ("bad", "?"), ("positive", "?")])
    for index, pair in enumerate(pairs.tolist()):
        number = read[pair % len(values)]
        steps = None if number is None else number / units[pair // len(values)]
        if number is None or steps is None:
            table[index] = 0, False, True, False
        elif abs(steps) >= MAXIMUM:
            table[index] = MAXIMUM, False, False, False
        else:
            table[index] = round(steps), steps.denominator != 1, False, number > 0
    counted = Counted(*(table[name][keys] for name in ("count", "off", "bad", "positive")))
    if any(isinstance(value, Number) and value in NUMBERS_OF_TRUTH for value in values):
        counted.bad[:] |= np.fromiter((isinstance(value, (bool, np.bool_)) for value in series), bool, len(series))
    return counted


def distinct_values(series: pd.Series) -> tuple[np.ndarray, Any]:
    """The code of each row's value, and the values by their code; a missing value is one of them."""
    if not isinstance(series.dtype, pd.CategoricalDtype):
        return pd.factorize(series.astype(object), use_na_sentinel=False)
    values = np.array([*series.cat.categories, None], object)
    return series.cat.codes.to_numpy(np.int64) % len(values), values  # the code of a missing value is -1


def _read(value: object) -> Fraction | None:
    try:
        return exact(value, "number")
    except InputError:
        return None
