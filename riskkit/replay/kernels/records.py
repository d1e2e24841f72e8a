"""Records of int64 fields: one memory for the compiled loop and for plain Python.

numba gives a record's fields as attributes; numpy's own record class does too, but hides fields behind its methods
(``base``, ``size``, ``min``). `Records` gives every field, as Python numbers, over the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, wraps
from typing import Any

import numpy as np

# annotations of kernels: compiled, these are pointers; in plain Python a `RecordView`, a `Records`, an ndarray
Record = Any  # one record, its fields read and written as attributes
Words = Any  # int64 or float64 memory that many keys share, addressed by index


def record_dtype(fields: Iterable[str]) -> np.dtype:
    """The dtype of a record of int64 fields; "name:f8" is a float. A dict of fields maps each to its meaning."""
    split = [name.partition(":") for name in fields]
    return np.dtype([(name, kind or "<i8") for name, _, kind in split])


def whole(table: np.ndarray) -> np.ndarray:
    """A table as records without fields: numpy copies each of them at once, and others field by field."""
    return table.view(f"V{table.dtype.itemsize}") if table.dtype.names else table


def copied(table: np.ndarray) -> np.ndarray:
    """A copy of a table.

    Examples
    --------
    >>> table = np.zeros(2, record_dtype(["a", "b"]))
    >>> copied(table).dtype.names, copied(table).tolist()
    (('a', 'b'), [(0, 0), (0, 0)])
    """
    return whole(table).copy().view(table.dtype)


def stacked(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Tables one after the other, at the price of bytes if their fields are the same.

    Examples
    --------
    >>> tables = [np.zeros(size, record_dtype(["a", "b"])) for size in (1, 0, 2)]
    >>> stacked(tables).tolist()
    [(0, 0), (0, 0), (0, 0)]
    """
    kind = tables[0].dtype
    if any(table.dtype != kind for table in tables):
        return np.concatenate(tables)
    return np.concatenate([whole(table) for table in tables]).view(kind)


def extended(table: np.ndarray, more: np.ndarray, count: int = 1) -> np.ndarray:
    """A table with `count` copies of the records `more` at the end.

    Examples
    --------
    >>> table = np.zeros(1, record_dtype(["a", "b"]))
    >>> extended(table, np.array([(1, 2)], table.dtype), 2).tolist()
    [(0, 0), (1, 2), (1, 2)]
    """
    found = np.empty(len(table) + count * len(more), table.dtype)
    whole(found)[: len(table)] = whole(table)
    whole(found)[len(table) :].reshape(count, len(more))[:] = whole(more)
    return found


class RecordView:
    """One record of a structured array, read and written in place; each dtype has a class with its fields."""

    __slots__ = ("_columns", "_index")

    def __init__(self, columns: tuple[memoryview, ...], index: int) -> None:
        self._columns = columns
        self._index = index

    def __getattr__(self, name: str) -> Any:
        fields = ", ".join(field for field in vars(type(self)) if not field.startswith("_"))
        raise AttributeError(f"the record has no field {name!r}; fields are {fields}")


def _field(column: int) -> property:
    """A field as an attribute: a memoryview reads a Python number in a fraction of the time of an array."""

    def read(record: Any) -> Any:
        return record._columns[column][record._index]

    def write(record: Any, value: Any) -> None:
        memory = record._columns[column]
        try:
            memory[record._index] = value
        except (TypeError, ValueError):
            np.asarray(memory)[record._index] = value  # what numpy converts or refuses

    return property(read, write)


@cache
def _view_class(names: tuple[str, ...]) -> type[RecordView]:
    fields = {name: _field(column) for column, name in enumerate(names)}
    return type("RecordView", (RecordView,), {"__slots__": (), "__doc__": RecordView.__doc__, **fields})


class Records:
    """A structured array whose elements are `RecordView`s, counted from `skip`: with 1, the index -1 is its first."""

    def __init__(self, array: np.ndarray, skip: int = 0) -> None:
        names = array.dtype.names or ()
        self.array = array
        self.skip = skip
        self._columns = tuple(memoryview(array[name]) for name in names)  # type: ignore[arg-type]
        self._view = _view_class(names)

    def __len__(self) -> int:
        return len(self.array) - self.skip

    def __iter__(self) -> Iterator[RecordView]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> RecordView:
        return self._view(self._columns, index + self.skip)


class RecordObject:
    """One record of a structured array as a Python object: a field is read in a tenth of the time of that of a `RecordView`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the record has no field {name!r}; fields are {', '.join(type(self).__slots__)}")


@cache
def _object_class(names: tuple[str, ...]) -> type[RecordObject]:
    return type("RecordObject", (RecordObject,), {"__slots__": names})


class RecordObjects(dict[int, Any]):
    """A table of `RecordObject`s, the first of which is that of index -1: each is made when it is first asked for.

    `write` puts them into the array again, which is then as if they had been `RecordView`s of it, if only whole numbers were
    stored in whole numbers: they do not convert what is stored.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self._class = _object_class(array.dtype.names or ())

    def __len__(self) -> int:
        return len(self.array)

    def __missing__(self, index: int) -> RecordObject:
        made = self._class()
        for name, value in zip(self.array.dtype.names or (), self.array[index + 1].item(), strict=True):
            setattr(made, name, value)
        self[index] = made
        return made

    def write(self) -> None:
        """Write all that were made."""
        names = self.array.dtype.names or ()
        rows = [tuple(getattr(made, name) for name in names) for made in self.values()]
        self.array[np.fromiter(self, np.int64, len(rows)) + 1] = np.array(rows, self.array.dtype)


FEW = 64
"""Events that are run with views of the records: for so few, objects cost more than they save."""


def with_objects(module: dict[str, Any], tables: Sequence[int]) -> Callable[..., Any]:
    """The plain loop ``run(start, stop, *arrays)`` of a module, with objects for the records of the arrays at these places.

    Not for rules that users have written: they may store what an array converts.
    """
    run = module["run"]
    module["int64"] = int  # its numbers are those of Python then

    @wraps(run)
    def called(start: int, stop: int, *arrays: Any) -> Any:
        if stop - start < FEW:
            return run(start, stop, *arrays)
        given = list(arrays)
        for place in tables:
            given[place] = RecordObjects(arrays[place])
        try:
            return run(start, stop, *given)
        finally:
            for place in tables:
                given[place].write()

    return called


def _primitive(function: Any) -> Any:
    """Mark a function that compiled code replaces by the primitive of its name."""
    function.primitive = function.__name__
    return function


@_primitive
def at(records: Any, index: int) -> Record:
    """The record at an index, to be read and written."""
    return records[index]


@_primitive
def words(array: np.ndarray) -> Any:
    """Plain version of the compiled ``words`` (`riskkit._jit.pointers`)."""
    return Records(array) if array.dtype.names else memoryview(array.reshape(-1))  # type: ignore[arg-type]


@_primitive
def table(array: Any) -> Any:
    """Plain version of the compiled ``table``: the index -1 is the first record."""
    return array if isinstance(array, RecordObjects) else Records(array, 1)
