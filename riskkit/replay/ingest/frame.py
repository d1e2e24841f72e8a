"""The frame under conversion: access to its columns, and error messages that name a row."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError, refuse_objects, shown
from riskkit.replay.ingest.columns import FRAME_COLUMNS, name_columns
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.names import WHY, first_bad

INTEGERS = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")  # with gaps, as no float could


class Frame:
    """Columns by name, masks of missing values and of kinds, and errors with the row of the caller's frame.

    ``kind`` is set as soon as it is known; `rows_of` uses it. ``source_rows`` is each event's row in the caller's frame
    once the events have been sorted. ``nearest`` rounds what lies between two ticks, lots or units of money.
    """

    def __init__(self, frame: pd.DataFrame, headings: Mapping[str, Hashable]) -> None:
        self.frame = frame
        self.headings = headings
        self.size = len(frame)
        self.source_rows: np.ndarray | None = None
        self.nearest = False
        self.kind = np.zeros(self.size, np.int8)
        self._missing: dict[str, np.ndarray] = {}
        self._rows_of: dict[tuple[EventKind, ...], np.ndarray] = {}

    @classmethod
    def read(cls, frame: Any, columns: Mapping[Any, str] | None = None, ignore: Collection[Any] = ()) -> Frame:
        """Take a frame under the names of `riskkit.replay.ingest.columns`."""
        frame = pandas_frame(frame)
        names = name_columns(list(frame.columns), columns, ignore)
        for name in ("ts", "kind"):
            if name not in names.values():
                raise InputError(f"column {name!r} is missing; it holds {FRAME_COLUMNS[name]}")
        named = cls(frame[list(names)].set_axis(list(names.values()), axis=1), {name: at for at, name in names.items()})
        for name in names.values():
            named._refuse_no_cells(name)
        named.frame = _without_blanks(named.frame)
        return named

    def _refuse_no_cells(self, name: str) -> None:
        """Refuse what is no cell of a table, such as a list: it cannot be compared or told from another."""
        column = self.column(name)
        if not pd.api.types.is_object_dtype(column.dtype):
            return
        try:
            pd.factorize(column)
        except (TypeError, ArithmeticError):
            self.refuse(~column.map(_is_cell).to_numpy(bool), name, "is no number, text or time")
            raise

    def in_order(self, order: np.ndarray) -> Frame:
        """The same events in another order, with their rows in the caller's frame."""
        moved = Frame(self.frame.iloc[order].reset_index(drop=True), self.headings)
        moved.source_rows, moved.nearest = order, self.nearest
        return moved

    def with_column(self, name: str, values: pd.Series) -> Frame:
        """The same events with a column replaced."""
        changed = Frame(self.frame.assign(**{name: values}), self.headings)
        changed.source_rows, changed.kind, changed.nearest = self.source_rows, self.kind, self.nearest
        return changed

    def has(self, name: str) -> bool:
        """True if the frame has the column."""
        return name in self.frame.columns

    def column(self, name: str) -> pd.Series:
        """The values of a column."""
        return self.frame[name]

    def missing(self, name: str) -> np.ndarray:
        """Mask of the rows without a value (all rows if there is no such column)."""
        if name not in self._missing:
            absent = self.column(name).isna().to_numpy() if self.has(name) else np.ones(self.size, bool)
            self._missing[name] = absent
        return self._missing[name]

    def rows_of(self, *kinds: EventKind) -> np.ndarray:
        """Mask of the rows of these kinds of event, not to be changed."""
        if kinds not in self._rows_of:
            wanted = np.zeros(len(EventKind), bool)
            wanted[[int(kind) for kind in kinds]] = True
            self._rows_of[kinds] = wanted[self.kind]
        return self._rows_of[kinds]

    def check_names(self, name: str, codes: np.ndarray, names: Any) -> None:
        """Refuse the first row whose label (by its code) is no name."""
        bad = first_bad(names)
        if bad is not None:
            self.refuse(codes == bad, name, WHY)

    def source_row(self, row: int) -> int:
        """An event's row in the caller's frame, counted from 0."""
        return int(row if self.source_rows is None else self.source_rows[row])

    def refuse(self, rows: np.ndarray, name: str, why: str | Callable[[int], str]) -> None:
        """Raise an error for the first of `rows` (a mask), if any."""
        if rows.any():
            self.refuse_row(int(np.flatnonzero(rows)[0]), name, why)

    def refuse_row(
        self, row: int, name: str, why: str | Callable[[int], str], error: type[InputError] = InputError
    ) -> None:
        """Raise an error that names the row, the column and the value."""
        value = self.column(name).iloc[row] if self.has(name) else None
        value = value.item() if isinstance(value, np.generic) else value
        number = self.has(name) and pd.api.types.is_numeric_dtype(self.column(name).dtype)
        text = "nothing" if _is_cell(value) and pd.isna(value) is True and not number else shown(value)
        heading = self.headings.get(name, name)
        column = repr(name) if heading == name else f"{heading!r} ({name})"
        reason = why if isinstance(why, str) else why(row)
        raise error(f"row {self.source_row(row)}, column {column}: {text} {reason}")


def _is_cell(value: Any) -> bool:
    """True for a value that can be compared; a list and a signaling NaN cannot."""
    try:
        return hash(value) is not None
    except TypeError:
        return False


def pandas_frame(table: Any) -> pd.DataFrame:
    """A table with one row per event as a pandas DataFrame: of pandas, polars, pyarrow or DuckDB, with exact numbers.

    Raises
    ------
    InputError
        If it is no table; a lazy one has to be collected first.

    Examples
    --------
    >>> import pyarrow as pa
    >>> pandas_frame(pa.table({"order_id": [2**60 + 1, None]}))["order_id"].tolist()
    [1152921504606846977, <NA>]
    """
    if isinstance(table, pd.DataFrame):
        return table
    if not hasattr(table, "__arrow_c_stream__") or not hasattr(table, "columns"):
        lazy = "; collect it first" if hasattr(table, "collect") else ""
        raise InputError(
            f"frame is a {type(table).__name__}{lazy}; give a table of pandas, polars, pyarrow or DuckDB with one row per event"
        )
    refuse_objects(table)
    import pyarrow as pa

    integers = {getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")() for name in INTEGERS}
    return pa.table(table).to_pandas(types_mapper=integers.get, ignore_metadata=True)


def _without_blanks(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its empty texts missing; every other text ("NA", "null") is a word."""
    for name in frame.columns:
        dtype = frame[name].dtype
        if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
            blank = frame[name].isin([""])
            frame = frame.assign(**{name: frame[name].mask(blank)}) if blank.any() else frame
    return frame
