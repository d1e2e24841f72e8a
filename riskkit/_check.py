"""Input validation: every check and its error message.

A check returns the value in the form that models use, or raises `InputError` with a sentence that names the argument,
its value, and the values allowed. Kernels do not check again.
"""

from __future__ import annotations

import datetime
import importlib
import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Real
from types import NoneType
from typing import Any, Literal, TypeVar, get_args

import numpy as np

from riskkit._docs import counted, with_article

Amount = int | float | str | Decimal  # read exactly; a float as its shortest decimal text
Duration = int | str | datetime.timedelta  # nanoseconds, a text such as "1s", or a Timedelta
OnRefusal = Literal["nan", "raise"]  # a column without an answer has NaN, or is refused with all others
ROUNDING = 1e-8  # spread of rounding relative to the numbers, as of equal returns from prices in float64
MOST_SHOWN = 60  # characters of a value in a message
MOST_SAID = 600  # characters of a message
FILLING = "; riskkit.covariance.complete_returns fills gaps of returns by a declared rule"
LARGEST_COUNT = 2**53  # up to which every integer is exact as a float

T = TypeVar("T")


class InputError(ValueError):
    """Invalid input; the message is one sentence that says which values are allowed.

    Examples
    --------
    >>> confidence_level(95)
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: confidence=95 is not between 0 and 1; use 0.95 for 95%
    """

    def __str__(self) -> str:
        """Return the message, on one line; of one that a name or a cell from outside makes endless, its beginning and its end."""
        text = super().__str__()
        if len(text) > MOST_SAID:
            text = f"{text[: MOST_SAID - 200]} ... {text[-195:]}"
        return text if text.isprintable() else one_line(text)


def one_line(text: str) -> str:
    r"""A text on one line of characters that can be printed, for a terminal or a log.

    Examples
    --------
    >>> one_line("boom\nCRITICAL\x1b[2J forged")
    'boom CRITICAL [2J forged'
    """
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def shown(value: Any) -> str:
    """The value for a message, cut if it is long; an integer of thousands of digits has no text in Python.

    Examples
    --------
    >>> shown("x"), shown(10**5000), shown(np.int64(-1)), shown(Decimal("1.5"))
    ("'x'", 'an integer of 16610 bits', '-1', '1.5')
    """
    if isinstance(value, (np.integer, np.floating, np.bool_)):  # whose repr names its type
        value = value.item()
    if isinstance(value, int) and value.bit_length() > 1600:
        return f"an integer of {value.bit_length()} bits"
    try:
        text = str(value) if isinstance(value, (Decimal, Fraction)) else repr(value)
    except (
        ValueError,
        RecursionError,
        NotImplementedError,
    ):  # such an integer within, a list in a list in a list, a late year
        return f"{with_article(type(value).__name__)} that is too large or too deep to show"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}... ({len(text)} characters)"


def confidence_level(value: Any, name: str = "confidence") -> float:
    """Return the confidence of a loss, as 0.99 for 99 %: at least 0.5, for below it is a tail probability or a VaR of gains."""
    level = probability(value, name, of_loss=True)
    if level < 0.5:
        raise InputError(f"{name}={shown(value)} is below 0.5; did you mean {name}={1.0 - level:.10g}?")
    return level


def probability(value: Any, name: str, *, of_loss: bool = False) -> float:
    """Return a number strictly between 0 and 1, as 0.99 for 99 %; percent is named, that of a loss from 50 % on."""
    number = finite_number(value, name)
    if not 0.0 < number < 1.0:
        is_percent = (50.0 if of_loss else 1.0) <= number < 100.0 and number != 1.0
        hint = f"; use {number / 100:g} for {number:g}%" if is_percent else "; use 0.95 for 95%"
        raise InputError(f"{name}={shown(value)} is not between 0 and 1{hint}")
    return number


def positive(value: Any, name: str, *, zero: bool = False) -> float:
    """Return a finite number above zero (or at least zero with ``zero=True``)."""
    number = finite_number(value, name)
    if number < 0 or (number == 0 and not zero):
        raise InputError(f"{name}={shown(value)} is not {'at least zero' if zero else 'above zero'}")
    return number


def whole_number(value: Any, name: str, *, at_least: int = 1) -> int:
    """Return an integer of at least `at_least`; 5.0 becomes 5, 5.5 is rejected."""
    number = finite_number(value, name)
    if number != int(number) or number < at_least:
        raise InputError(f"{name}={shown(value)} is not an integer of at least {at_least}")
    if number > LARGEST_COUNT:
        raise InputError(f"{name}={shown(value)} is above 2**53, the largest count")
    return int(number)


def one_of(value: Any, choices: Sequence[str], name: str) -> str:
    """Return `value` if it is one of the named choices."""
    if not isinstance(value, (str, int, float, NoneType)) or value not in choices:  # an array is not compared
        raise InputError(f"{name}={shown(value)} is not one of {', '.join(map(repr, choices))}")
    return str(value)


def instance(value: Any, kind: type[T], name: str) -> T:
    """Return `value` if it is of the class `kind`."""
    if not isinstance(value, kind):
        raise InputError(f"{name} is {with_article(type(value).__name__)}; give {with_article(kind.__name__)}")
    return value


def _labels(table: Any, place: tuple[int, ...]) -> str:
    """The labels of a place of a pandas object, after a comma; empty for anything else."""
    if not hasattr(table, "iloc"):
        return ""
    row = f", row {str(table.index[place[0]]).removesuffix(' 00:00:00')}"
    return f"{row} of {table.columns[place[1]]!r}" if len(place) > 1 else row


def finite_array(value: Any, name: str, *, ndim: int | None = None, order: Literal["C", "K"] = "C") -> np.ndarray:
    """Return a float64 array without NaN or infinity, of `ndim` dimensions if given; ``order="K"`` is that of the input."""
    array = float_array(value, name, order=order)
    if ndim is not None and array.ndim != ndim:
        raise InputError(f"{name} has {array.ndim} dimensions and shape {array.shape}; it needs {ndim}")
    if array.size == 0:
        raise InputError(f"{name} is empty (shape {array.shape}); give at least one number")
    bad = ~np.isfinite(array)
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"position {first[0] if array.ndim == 1 else first}{_labels(value, first)}"
        count = int(bad.sum())
        raise InputError(
            f"{name} holds {array[first]} at {place} ({counted(count, 'such value')}); drop or fill "
            f"{'them' if count > 1 else 'it'} before the call{FILLING if 'returns' in name else ''}"
        )
    return array


def float_array(value: Any, name: str, *, order: Literal["C", "K"] = "K") -> np.ndarray:
    """Return numbers as float64, missing and masked ones as NaN; without a copy where they are float64 already."""
    value = as_pandas(value)
    columns = labels_of(value, 1)
    for i, dtype in enumerate([getattr(value, "dtype", None)] if columns is None else value.dtypes):
        if getattr(dtype, "kind", "f") in NOT_NUMBERS:
            where = "" if columns is None else f" in column {columns[i]!r}"
            raise InputError(f"{name} holds a value that is not a number ({NOT_NUMBERS[dtype.kind]}{where})")
    if isinstance(value, np.ma.MaskedArray):
        return np.asarray(np.ma.filled(value.astype(np.float64, order=order), np.nan))
    if hasattr(value, "to_numpy"):
        array = value.to_numpy()
    else:
        try:
            array = np.asarray(value)
        except ValueError:
            raise InputError(f"{name} has rows of different lengths; give the same number of values in each") from None
    if array.dtype == object:
        array = np.array([_number(entry, name) for entry in array.flat], dtype=np.float64).reshape(array.shape)
    elif array.dtype.kind in NOT_NUMBERS or _has_boolean(value):
        kind = NOT_NUMBERS.get(array.dtype.kind, "booleans")
        raise InputError(f"{name} holds a value that is not a number ({kind})")
    with np.errstate(over="ignore"):  # longer floats become infinite, which is refused by name
        return np.asarray(array, dtype=np.float64, order=order)


NOT_NUMBERS = {"b": "booleans", "c": "complex numbers", "m": "time differences", "M": "dates", "V": "records"}
NOT_NUMBERS |= dict.fromkeys("SU", "text")
"""Kinds of numpy types that convert to float silently, or to a number that was not meant."""


def _number(entry: Any, name: str) -> float:
    """An entry of an array of objects; None and the missing values of pandas are NaN."""
    if entry is None or type(entry).__name__ in ("NAType", "NaTType"):
        return math.nan
    if isinstance(entry, (bool, np.bool_)) or not isinstance(entry, (Real, Decimal)):
        raise InputError(f"{name} holds a value that is not a number ({shown(entry)})")
    try:
        return float(entry)
    except OverflowError:
        return math.inf
    except ValueError:  # a signaling NaN
        return math.nan


def _has_boolean(value: Any) -> bool:
    """True for a boolean anywhere in nested lists, which numpy reads as 0 or 1."""
    if isinstance(value, (list, tuple)):
        return any(map(_has_boolean, value))
    return isinstance(value, (bool, np.bool_))


def observations(
    value: Any, name: str, *, min_obs: int = 1, order: Literal["C", "K"] = "C", ordered: bool = False
) -> np.ndarray:
    """Return finite numbers, (n_obs,) or (n_obs, n_series), of at least `min_obs` rows; ``ordered=True``: dates must rise."""
    array = finite_array(value, name, order=order)
    if array.ndim not in (1, 2):
        raise InputError(f"{name} has shape {array.shape}; it needs (n_obs,) or (n_obs, n_series)")
    if array.shape[0] < min_obs:
        raise InputError(f"{name} has {counted(array.shape[0], 'observation')}; at least {min_obs} are needed")
    refuse_overflow(array, name)
    if ordered:
        refuse_disorder(value, name)
    return array


def refuse_overflow(array: np.ndarray, name: str, largest: float = 1e150) -> None:
    """Refuse numbers whose squares (or, with 1e75, fourth powers) are beyond a float; a missing one is none."""
    found = (np.fmax.reduce(array, None), np.fmin.reduce(array, None)) if array.size else (0.0,)
    if abs(most := max(found, key=abs)) > largest:
        raise InputError(f"{name} holds {most:g}; give it in a unit that keeps it below {largest:g}")


def returns_array(
    value: Any,
    name: str = "returns",
    *,
    min_obs: int = 1,
    order: Literal["C", "K"] = "C",
    ordered: bool = False,
    fractions: bool = False,
) -> np.ndarray:
    """Return `observations` that are returns, or P&L unless ``fractions=True``; prices are refused."""
    array = observations(value, name, min_obs=min_obs, order=order, ordered=ordered)
    refuse_prices(array, name, fractions=fractions)
    return array


def single_series(value: Any, name: str, *, min_obs: int = 1, ordered: bool = False) -> np.ndarray:
    """Return the `observations` of one series, given as (n_obs,) or (n_obs, 1)."""
    array = observations(value, name, min_obs=min_obs, ordered=ordered)
    if array.ndim == 2 and array.shape[1] != 1:
        raise InputError(f"{name} has shape {array.shape}; give one series at a time, (n_obs,)")
    return array.reshape(len(array))


def refuse_disorder(value: Any, name: str, *, repeats: bool = False) -> None:
    """Refuse rows whose dates are not oldest first, each once; with ``repeats=True`` a date may be repeated.

    Rows without labels, and labels that are not dates, are taken in the order given.
    """
    index = labels_of(value, 0)
    if getattr(index, "nlevels", 1) > 1:
        raise InputError(f"{name} has {index.nlevels} labels a row; riskkit.read.prices makes a row for each day")
    if index is None or not _are_dates(index) or (index.is_monotonic_increasing and (repeats or index.is_unique)):
        return
    sort = f"{name}.sort_index()" if hasattr(value, "sort_index") else f"its rows sorted by {index.name!r}"
    if index.hasnans:
        raise InputError(f"{name} has no date at row {int(np.argmax(index.isna()))}; drop or date the row")
    if not index.is_monotonic_increasing:
        later = np.asarray(index[1:] < index[:-1])
        row = int(np.argmax(later))
        which = "newest first" if later.all() else "not in order of time"
        raise InputError(
            f"{name} is {which}: row {row} is {_date(index[row])}, and row {row + 1} {_date(index[row + 1])}; "
            f"the order matters here, so give {sort}"
        )
    row = int(np.argmax(index.duplicated()))
    raise InputError(
        f"{name} has {_date(index[row])} twice, at rows {row - 1} and {row}; give each date once, "
        "for example by index.duplicated()"
    )


def refuse_other_rows(value: Any, name: str, other: Any, other_name: str) -> None:
    """Refuse two tables that have not one row each for the same periods, by number and by label."""
    n, n_other = (np.shape(as_pandas(table))[0] for table in (value, other))
    if n != n_other:
        raise InputError(f"{name} has {n} rows and {other_name} {n_other}; give both for the same periods")
    rows, others = labels_of(value, 0), labels_of(other, 0)
    if rows is None or others is None or rows.equals(others):
        return
    differ = [i for i, (label, beside) in enumerate(zip(rows, others, strict=True)) if label != beside]
    if differ:
        row = differ[0]
        raise InputError(
            f"{name} and {other_name} have {n} rows each, but of other periods: row {row} is {_date(rows[row])} in "
            f"{name} and {_date(others[row])} in {other_name}; give both for the same periods"
        )


def as_dates(index: Any) -> Any:
    """Return labels that are dates (times, periods, dates or ISO 8601 text) as a DatetimeIndex; others unchanged."""
    import pandas as pd

    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    kind = index.inferred_type
    if kind in ("date", "datetime") or (kind == "string" and _are_dates(index)):
        try:
            return pd.DatetimeIndex(index)
        except ValueError:
            return index
    return index


def random_generator(rng: Any, name: str = "rng", otherwise: str = "") -> np.random.Generator:
    """Return a numpy Generator; a seed and what else is not one are refused."""
    if not isinstance(rng, np.random.Generator):
        seed = int(rng) if isinstance(rng, (int, np.integer)) and not isinstance(rng, bool) else "seed"
        raise InputError(
            f"{name}={shown(rng)} is not a numpy Generator; give numpy.random.default_rng({seed}){otherwise}"
        )
    return rng


def _are_dates(index: Any) -> bool:
    """True for dates, periods and times of any type, and for text that begins as in 2020-01-31."""
    kind = index.inferred_type
    return kind in ("datetime64", "datetime", "date", "period", "timedelta64", "timedelta") or (
        kind == "string" and re.match(r"\d{4}-\d\d-\d\d", str(index[0])) is not None
    )


def _date(label: Any) -> str:
    """A date without the time of midnight."""
    return str(label).removesuffix(" 00:00:00")


def refuse_prices(array: np.ndarray, name: str, *, fractions: bool = False, instead: str | None = None) -> None:
    """Refuse prices given as returns: columns of numbers above zero that are large and change little from row to row.

    Returns of a money market are above zero and change little too, but are small. P&L may be large and without a loss:
    that of a market maker varies by more, fees are independent from row to row, while a price strays far beside its
    steps, and interest seldom falls. It takes ten rows to tell. Fractions (``fractions=True``) are never that large.
    """
    n_obs = len(array)
    if n_obs < (2 if fractions else 10):
        return
    table = array.reshape(n_obs, -1)
    gains = np.flatnonzero((table > 0.0).all(axis=0))
    found = [column for column in gains.tolist() if _like_prices(table[:, column], fractions)]
    if not found:
        return
    first, every = table[:, found[0]], len(found) == table.shape[1]
    what = name if every else f"column {found[0]} of {name}"
    meant = (f"simple_returns({name})" if every else "simple_returns of it") if instead is None else instead
    raise InputError(
        f"{what} looks like prices, not returns: all {n_obs} rows are above zero, around {np.median(first):g}, and most "
        f"change by less than {LARGEST_STEP:.0%}; give {meant}"
    )


def _like_prices(series: np.ndarray, fractions: bool) -> bool:
    """True if numbers above zero are large, change little from row to row and stray far beside their steps."""
    with np.errstate(over="ignore"):
        steps = np.abs(np.diff(np.log(series)))
    if np.median(series) <= LARGEST_RETURN or np.quantile(steps, 0.9) > LARGEST_STEP:
        return False
    changes = np.diff(series)
    is_independent = (changes**2).mean() >= series.var()  # von Neumann's ratio is then near 2
    seldom = min((changes > 0.0).mean(), (changes < 0.0).mean()) < 0.1
    return fractions or not (is_independent or seldom)


def refuse_size(shape: Sequence[int], what: str, instead: str) -> None:
    """Refuse an answer of more than `LARGEST_ANSWER` bytes before any of it is computed."""
    size = 8 * math.prod(shape)
    if size > LARGEST_ANSWER:
        by = " x ".join(f"{n:,}" for n in shape)
        raise InputError(f"{what} would need {size / 1e9:,.1f} GB ({by} numbers); {instead}")


LARGEST_ANSWER = 4_000_000_000  # bytes that a single array may have
LARGEST_RETURN = 0.5  # typical return without a loss that is taken for one
LARGEST_STEP = 0.3  # change that nine of ten steps of a price stay below


def as_pandas(value: Any) -> Any:
    """Return a table of polars, pyarrow or another Arrow library as a DataFrame, a column as an array.

    The column of dates becomes the index; without one, the column of text, which names the rows of a matrix. Anything
    that is not from an Arrow library is returned unchanged, except that numbers by name (a dict) become a Series.
    """
    if isinstance(value, Mapping) and all(np.ndim(entry) == 0 for entry in value.values()):
        import pandas as pd

        return pd.Series(value)
    whole, parts = hasattr(value, "__arrow_c_array__"), hasattr(value, "__arrow_c_stream__")
    if not (whole or parts) or hasattr(value, "iloc"):
        return value
    refuse_objects(value)
    import pyarrow as pa

    if not hasattr(value, "columns"):
        return (pa.array if whole else pa.chunked_array)(value).to_pandas().to_numpy()
    table = pa.table(value)
    is_date, is_text = pa.types.is_temporal, lambda kind: "string" in str(kind)
    frame = table.to_pandas(date_as_object=False, ignore_metadata=True)
    for kind in (is_date, is_text):
        names = [field.name for field in table.schema if kind(field.type)]
        if len(names) == 1:
            frame = frame.set_index(names[0])
            return frame.rename_axis(None) if names[0].startswith("__index_level_") else frame
    return frame


def refuse_objects(table: Any) -> None:
    """Refuse a table or column of polars that holds Python objects: through Arrow come their addresses alone."""
    schema = getattr(table, "schema", None)
    kinds = schema if isinstance(schema, Mapping) else {getattr(table, "name", ""): getattr(table, "dtype", "")}
    for name, kind in kinds.items():
        if str(kind) == "Object":
            column = f"column {name!r}" if name else "a column"
            raise InputError(f"{column} has the type Object; give it one of its own, as polars.Date or polars.Float64")


def constant(values: np.ndarray, size: Any = 0.0) -> Any:
    """True where numbers or columns vary by no more than the rounding of them, or of `size`, from which they were computed."""
    largest = np.maximum(np.abs(values).max(axis=0), size)
    flat = np.ptp(values, axis=0) <= ROUNDING * largest
    return flat if np.ndim(flat) else bool(flat)


def labels_of(value: Any, axis: int) -> Any:
    """Return the pandas labels along `axis` (0 rows, 1 columns) of a table or Series; None for an array.

    An Arrow table without a column of dates or text has no row labels.
    """
    table = as_pandas(value)
    if axis == 1:
        return getattr(table, "columns", None)
    index = getattr(table, "index", None)
    is_numbered = table is not value and getattr(index, "inferred_type", None) == "integer"
    return None if callable(index) or is_numbered else index


def refuse_columns(refusals: Mapping[Any, str], on_refusal: OnRefusal) -> None:
    """Refuse a table of which some columns, by name, have no answer, if ``on_refusal="raise"``."""
    if one_of(on_refusal, get_args(OnRefusal), "on_refusal") == "raise" and refusals:
        column, why = next(iter(refusals.items()))
        raise InputError(f"column {column!r}: {why}; on_refusal='nan' answers for the other columns")


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
    """Return a finite number; what `finite_array` refuses in an array is refused here too."""
    if (
        isinstance(value, (bool, str, bytes, bytearray, np.ma.core.MaskedConstant))
        or getattr(getattr(value, "dtype", None), "kind", "f") in NOT_NUMBERS
    ):
        raise InputError(f"{name}={shown(value)} is not a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    except (TypeError, ValueError):
        raise InputError(f"{name}={shown(value)} is not a number") from None
    if not math.isfinite(number):
        raise InputError(f"{name}={shown(value)} is not finite")
    return number
