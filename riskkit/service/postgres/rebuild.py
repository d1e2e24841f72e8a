"""The journal of an engine out of PostgreSQL, with the digest of the session that wrote it."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.ingest.rows import DTYPES
from riskkit.replay.kernels.runtime import ROW
from riskkit.replay.live.open_journal import OpenedJournal, log_of
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Universe
from riskkit.service.postgres.connection import Connection


def rebuild(
    conninfo: str, engine: str = "main", *, rules: RuleSet | None = None, timeout: float = 600.0
) -> OpenedJournal:
    """Read the journal of an engine from the database, as of one moment.

    Parameters
    ----------
    conninfo : str
        The database, as libpq takes it.
    engine : str
        Its name there.
    rules : RuleSet, optional
        The first rules, if some of them are of a type of your own.
    timeout : float
        Seconds that it may take.

    Returns
    -------
    OpenedJournal
        Its ``digest`` is that of the session after so many events, and `replay_log` of it ends in the session's state.

    Raises
    ------
    InputError
        If the database has no such engine, or has not all of its events.
    """
    connection = Connection(conninfo, timeout)
    try:
        with connection.use() as made, made.transaction():
            made.execute("set transaction isolation level repeatable read, read only")
            found = made.execute(
                "select seq, mode, options, universe, rules, changes from rk_engine where engine = %s", [engine]
            ).fetchone()
            if found is None:
                raise InputError(f"the database has no engine {engine!r}")
            seq, mode, options, described, first, changes = found
            columns = _columns(made, "rk_event", engine, "seq", DTYPES)
            fields = {name: ROW[name] for name in ROW.names or ()}
            decided = _columns(made, "rk_decision", engine, "seq, place", fields)
    finally:
        connection.close()
    if len(columns["ts"]) != seq:
        raise InputError(f"the database has {len(columns['ts'])} of the {seq} events of engine {engine!r}")
    rows = np.empty(len(decided["seq"]), ROW)
    for name, column in decided.items():
        rows[name] = column
    history = RuleHistory.of(RuleSet.from_dict({"rules": first}) if rules is None else rules, changes)
    return OpenedJournal(log_of(columns, Universe.from_description(described)), history, mode, options, rows)


def _columns(connection: Any, table: str, engine: str, order: str, kinds: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Columns of an engine's rows, in order."""
    from pyarrow import csv

    names, data = ", ".join(f'"{name}"' for name in kinds), io.BytesIO()
    query = f"copy (select {names} from {table} where engine = %s order by {order}) to stdout (format csv, header)"
    with connection.cursor() as cursor, cursor.copy(query, [engine]) as source:
        for block in source:
            data.write(block)
    data.seek(0)
    types = dict.fromkeys(kinds, "int64")
    table_read = csv.read_csv(data, convert_options=csv.ConvertOptions(column_types=types))
    return {name: table_read[name].to_numpy().astype(kind) for name, kind in kinds.items()}
