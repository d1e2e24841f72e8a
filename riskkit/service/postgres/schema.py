"""The schema: one for PostgreSQL with and without TimescaleDB, applied by `install`, which may run again at any time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from riskkit.replay.ingest.rows import DEFAULTS, DTYPES
from riskkit.replay.kernels.runtime import ROW

SQL_TYPES = {1: "smallint", 2: "smallint", 4: "integer", 8: "bigint"}  # by bytes
INSTALLING = 7_400_613_112  # an advisory lock: two processes that install at once wait for each other
ROWS = {name: ROW[name] for name in ROW.names or () if name != "seq"}


def has_timescale(connection: Any) -> bool:
    """Whether the database has the extension TimescaleDB."""
    return connection.execute("select 1 from pg_extension where extname = 'timescaledb'").fetchone() is not None


def install(connection: Any) -> None:
    """Create what is missing of the schema, in one transaction; rows stay.

    TimescaleDB is used where its extension has been created in the database. Columns that a later riskkit has added to
    events or decisions are added here, with their defaults.

    Parameters
    ----------
    connection : psycopg.Connection
    """
    with connection.transaction():
        connection.execute("set local client_min_messages = warning")  # what exists is no news
        connection.execute("select pg_advisory_xact_lock(%s)", [INSTALLING])
        timescale = has_timescale(connection)
        partitioned = "" if timescale else "partition by range (time)"
        for text in _statements("common.sql", PARTITIONED=partitioned):
            connection.execute(text)
        for text in [*_columns("rk_event", DTYPES, DEFAULTS), *_columns("rk_decision", ROWS, {})]:
            connection.execute(text)
        for text in [*_statements("timescale.sql" if timescale else "plain.sql"), *_statements("after.sql")]:
            connection.execute(text)


def _columns(table: str, kinds: dict[str, Any], defaults: dict[str, int]) -> Iterable[str]:
    """Statements that add the columns of integers."""
    for name, kind in kinds.items():
        of_type = SQL_TYPES[np.dtype(kind).itemsize]
        yield (
            f'alter table {table} add column if not exists "{name}" {of_type} not null default ({defaults.get(name, 0)})'
        )


def _statements(name: str, **words: str) -> list[str]:
    """The statements of a file, one by one, without comments."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    text = re.sub(r"^\s*--.*$", "", text, flags=re.M)
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    bodies = re.sub(
        r"\$\$.*?\$\$", lambda body: " ".join(body[0].split()), text, flags=re.S
    )  # of functions, on one line
    return [part.strip() for part in re.split(r";\s*$", bodies, flags=re.M) if part.strip()]
