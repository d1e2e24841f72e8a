"""Input validation: every check and its error message.

A check returns the value in the form that models use, or raises `InputError` with a sentence that names the argument,
its value, and the values allowed. Kernels do not check again.
"""

from __future__ import annotations

import datetime
import importlib
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

import numpy as np

Amount = int | float | str | Decimal  # read exactly; a float as its shortest decimal text
Duration = int | str | datetime.timedelta  # nanoseconds, a text such as "1s", or a Timedelta


class InputError(ValueError):
    """Invalid input; the message is one sentence that says which values are allowed.

    Examples
    --------
    >>> confidence_level(95)
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: confidence=95 is not between 0 and 1; use 0.95 for 95%
    """


def confidence_level(value: Any, name: str = "confidence") -> float:
    """Return a confidence strictly between 0 and 1, as 0.99 for 99 %."""
    number = finite_number(value, name)
    if not 0.0 < number < 1.0:
        hint = f"; use {number / 100:g} for {number:g}%" if 1.0 < number < 100.0 else "; use 0.95 for 95%"
        raise InputError(f"{name}={value!r} is not between 0 and 1{hint}")
    return number


def positive(value: Any, name: str, *, zero: bool = False) -> float:
    """Return a finite number above zero (or at least zero with ``zero=True``)."""
    number = finite_number(value, name)
    if number < 0 or (number == 0 and not zero):
        raise InputError(f"{name}={value!r} is not {'at least zero' if zero else 'above zero'}")
    return number


def whole_number(value: Any, name: str, *, at_least: int = 1) -> int:
    """Return an integer of at least `at_least`; 5.0 becomes 5, 5.5 is rejected."""
    number = finite_number(value, name)
    if number != int(number) or number < at_least:
        raise InputError(f"{name}={value!r} is not an integer of at least {at_least}")
    return int(number)


def one_of(value: Any, choices: Sequence[str], name: str) -> str:
    """Return `value` if it is one of the named choices."""
    if value not in choices:
        raise InputError(f"{name}={value!r} is not one of {', '.join(map(repr, choices))}")
    return str(value)


def finite_array(value: Any, name: str, *, ndim: int | None = None, order: Literal["C", "K"] = "C") -> np.ndarray:
    """Return a float64 array without NaN or infinity, of `ndim` dimensions if given.

    In row-major order, or with ``order="K"`` in the order of the input: a DataFrame is column-major, and reordering
    copies it.
    """
    try:
        array = np.asarray(value, dtype=np.float64, order=order)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} holds a value that is not a number ({error})") from None
    if ndim is not None and array.ndim != ndim:
        raise InputError(f"{name} has {array.ndim} dimensions and shape {array.shape}; it needs {ndim}")
    if array.size == 0:
        raise InputError(f"{name} is empty (shape {array.shape}); give at least one number")
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        where = first[0] if array.ndim == 1 else first
        raise InputError(
            f"{name} holds {array[first]} at position {where} ({int(bad.sum())} such values); "
            "drop or fill them before the call"
        )
    return array


def returns_array(value: Any, name: str = "returns", *, min_obs: int = 1, order: Literal["C", "K"] = "C") -> np.ndarray:
    """Return finite returns of shape (n_obs,) or (n_obs, n_series) with at least `min_obs` rows."""
    array = finite_array(value, name, order=order)
    if array.ndim not in (1, 2):
        raise InputError(f"{name} has shape {array.shape}; it needs (n_obs,) or (n_obs, n_series)")
    if array.shape[0] < min_obs:
        raise InputError(f"{name} has {array.shape[0]} observations; at least {min_obs} are needed")
    return array


def labels_of(value: Any, axis: int) -> Any:
    """Return the pandas labels along `axis` (0 rows, 1 columns) of a Series or DataFrame; None for an array."""
    if axis == 0:
        index = getattr(value, "index", None)
        return None if callable(index) else index
    return getattr(value, "columns", None)


def optional(module: str, extra: str) -> Any:
    """Import a module of an optional extra, or raise with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ImportError(f"{module} is not installed; it comes with: pip install 'riskkit[{extra}]'") from None


def with_labels(array: np.ndarray, rows: Any = None, columns: Any = None, name: Any = None) -> Any:
    """Return `array` as a Series or DataFrame with these labels; without labels, `array` itself.

    The data are not copied, so `array` must not belong to the user.
    """
    if rows is None and columns is None:
        return array
    import pandas as pd

    if array.ndim == 1:
        return pd.Series(array, index=rows, name=name, copy=False)
    return pd.DataFrame(array, index=rows, columns=columns, copy=False)


def finite_number(value: Any, name: str) -> float:
    """Return a finite number; strings and booleans are rejected."""
    if isinstance(value, (bool, str)):
        raise InputError(f"{name}={value!r} is not a number")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name}={value!r} is not a number") from None
    if not math.isfinite(number):
        raise InputError(f"{name}={value!r} is not finite")
    return number
