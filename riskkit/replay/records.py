"""Records of int64 fields: how the compiled loop and the plain one see the same memory.

numba gives a record's fields as attributes; numpy's own record class does too, but hides fields behind its methods
(``base``, ``size``, ``min``). `Records` gives every field, as Python numbers, over the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

__all__ = ["Record", "Records", "at", "record_dtype", "table", "words"]


def record_dtype(fields: Sequence[str]) -> np.dtype:
    """A record of int64 fields; "name:f8" is a float."""
    split = [name.partition(":") for name in fields]
    return np.dtype([(name, kind or "<i8") for name, _, kind in split])


class Record:
    """One record of a structured array, read and written in place."""

    __slots__ = ("_columns", "_place")

    def __init__(self, columns: dict[str, np.ndarray], place: int) -> None:
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "_place", place)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._columns[name][self._place].item()
        except KeyError:
            raise AttributeError(f"the record has no field {name!r}; fields are {', '.join(self._columns)}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._columns:
            raise AttributeError(f"the record has no field {name!r}; fields are {', '.join(self._columns)}")
        self._columns[name][self._place] = value


class Records:
    """A structured array whose elements are `Record`s, counted from `skip`: with 1, the index -1 is its first."""

    def __init__(self, array: np.ndarray, skip: int = 0) -> None:
        self.array = array
        self.columns = {name: array[name] for name in array.dtype.names or ()}
        self.skip = skip

    def __len__(self) -> int:
        return len(self.array) - self.skip

    def __iter__(self) -> Iterator[Record]:
        return (self[place] for place in range(len(self)))

    def __getitem__(self, place: int) -> Record:
        return Record(self.columns, place + self.skip)


def _primitive(function: Any) -> Any:
    """Mark a function that compiled code replaces by the primitive of its name."""
    function.primitive = function.__name__
    return function


@_primitive
def at(records: Any, place: int) -> Any:
    """The record at a place, to be read and written."""
    return records[place]


@_primitive
def words(array: np.ndarray) -> Any:
    """What the compiled ``words`` (`riskkit._jit.pointers`) is in plain Python."""
    return Records(array) if array.dtype.names else array.reshape(-1)


@_primitive
def table(array: np.ndarray) -> Records:
    """What the compiled ``table`` is in plain Python."""
    return Records(array, 1)
