"""Table of a store's journal: one row per journal row, numbered by event and leg.

Amounts and money are texts. The widest exact decimal has 76 digits in Arrow and Parquet and 38 in DuckDB, but 2^256 has
78, and its value in quanta of money more; a text keeps every digit in any tool, and can be cast to a float.

The first row of an event has the chain: SHA-256 of the chain before and of the event's rows. So an edited row is found, and
whoever noted the last chain elsewhere finds a log that was written anew, or cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from riskkit._check import InputError
from riskkit.desk.core.journal import JournalRow, as_json

FORMAT = 2
INTEGERS = ("event", "leg", "timestamp", "opened", "updated")
COLUMNS = ("event", "leg", *JournalRow._fields, "chain")

Numbered = tuple[Any, ...]
"""A row of the log: event, leg and the fields of a `JournalRow`."""
Event = list[JournalRow]


def chained(before: str, event: Sequence[JournalRow]) -> str:
    """The chain of an event after the chain before it, empty for the first one."""
    return hashlib.sha256((before + as_json(event)).encode("ascii")).hexdigest()


def numbered(event: int, rows: Sequence[JournalRow], chain: str) -> Iterator[Numbered]:
    """Rows of the log for one event, whose chain is given."""
    return ((event, leg, *row, None if leg else chain) for leg, row in enumerate(rows))


def arrow_schema() -> Any:
    """Arrow names and types of the columns."""
    import pyarrow as pa

    return pa.schema([(name, pa.int64() if name in INTEGERS else pa.string()) for name in COLUMNS])


def arrow_table(rows: Sequence[Numbered]) -> Any:
    """Rows of the log as an Arrow table."""
    import pyarrow as pa

    schema = arrow_schema()
    columns = zip(*rows, strict=True) if rows else ([] for _ in COLUMNS)
    return pa.table([pa.array(cells, kind) for cells, kind in zip(columns, schema.types, strict=True)], schema=schema)


def rows_of(table: Any, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Rows of some columns of an Arrow table."""
    return zip(*(table.column(name).to_pylist() for name in columns), strict=True)


def events_of(log: Iterable[Numbered], name: str) -> Iterator[tuple[int, Event, str]]:
    """Number, rows and chain of each event of a log; a gap, or an event that is not the written one, raises `InputError`."""
    before, chain = None, None
    for number, legs in groupby(log, key=itemgetter(0)):
        rows = list(legs)
        if (before is not None and number != before + 1) or [row[1] for row in rows] != list(range(len(rows))):
            raise InputError(f"{name} is incomplete: event {number} does not follow the one before it")
        event, marks = [JournalRow(*row[2:-1]) for row in rows], [row[-1] for row in rows]
        known = chained(chain or "", event) if chain or number == 0 else marks[0]
        if marks != [known] + [None] * (len(rows) - 1):
            raise InputError(f"{name} was altered: event {number} is not the one that was written")
        before, chain = number, known
        yield number, event, known
