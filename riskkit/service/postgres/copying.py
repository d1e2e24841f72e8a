"""Columns into a table by COPY."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit.replay.schema.constants import DAY_NS

ARRAYS = {"code": "bigint", "seq": "bigint"} | dict.fromkeys(("price_step", "qty_step", "money_step"), "numeric")


def copy(connection: Any, table: str, columns: Mapping[str, Any]) -> int:
    """Add rows to a table within the present transaction; return how many.

    Parameters
    ----------
    connection : psycopg.Connection
    table : str
    columns : mapping of str to array or list
        Integers, texts and times as numpy, lists or pyarrow have them; None is null, a text is never null.
    """
    import pyarrow as pa
    from pyarrow import csv

    rows = pa.table({name: pa.array(column) for name, column in columns.items()})
    if not len(rows):
        return 0
    file = io.BytesIO()
    csv.write_csv(rows, file, csv.WriteOptions(include_header=False))
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor, cursor.copy(f"copy {table} ({names}) from stdin (format csv)") as target:
        target.write(file.getbuffer())
    return len(rows)


def add_new(connection: Any, table: str, columns: Mapping[str, list[Any]]) -> None:
    """Add rows that are not there yet, a few, each list as the type of its column."""
    if not any(columns.values()):
        return
    names, values = ", ".join(columns), ", ".join(f"%s::{ARRAYS.get(name, 'text')}[]" for name in columns)
    connection.execute(
        f"insert into {table} ({names}) select * from unnest({values}) on conflict do nothing", list(columns.values())
    )


def times(ts: np.ndarray) -> Any:
    """Nanoseconds since the epoch as times to the microsecond, rounded down."""
    import pyarrow as pa

    return pa.array(ts // 1_000, pa.timestamp("us", "UTC"))


def same(text: str, count: int) -> Any:
    """A column of one text."""
    import pyarrow as pa

    return pa.repeat(text, count)


def make_partitions(connection: Any, table: str, ts: np.ndarray) -> None:
    """Make the partitions of the days (UTC) of rows to come."""
    for day in np.unique(ts // DAY_NS).tolist():
        connection.execute("select rk_partition(%s, date '1970-01-01' + %s::int)", [table, day])
