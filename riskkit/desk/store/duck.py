"""`DuckDBStore`: the log as a table of a DuckDB file, with its queries as SQL views."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from riskkit._check import InputError, instance, optional, shown
from riskkit._files import path_of, words_of
from riskkit.desk.core.journal import OPENINGS, TRADES
from riskkit.desk.store.log import COLUMNS, FORMAT, INTEGERS, Numbered, arrow_table
from riskkit.desk.store.queries import DAY, NEEDED, QUERIES, SUMMARY, TIMES, remembered
from riskkit.desk.store.store import Store

BATCH = 50_000
TRADED = f"kind IN ({', '.join(map(repr, TRADES))})"
OPENED = f"kind IN ({', '.join(map(repr, OPENINGS))})"
TABLE = ", ".join(f'"{name}" {"BIGINT" if name in INTEGERS else "VARCHAR"}' for name in COLUMNS)
SQL = {
    "trade_events": f"""
        SELECT event, role, kind, make_timestamp_ns("timestamp") AS "timestamp", "user", market, token, amount,
               money::DOUBLE / nullif(abs(amount::DOUBLE), 0) AS price, money, realized, trade_id
        FROM journal WHERE {TRADED} ORDER BY event, leg""",
    # all profits of a store have the same number of decimals: without the point they are integers of any size
    "user_daily_pnl": f"""
        WITH days AS (
            SELECT "user", DATE '1970-01-01' + (("timestamp" - (("timestamp" % {DAY}) + {DAY}) % {DAY}) // {DAY})::INTEGER
                       AS "day",
                   sum(replace(realized, '.', '')::BIGNUM)::VARCHAR AS units,
                   count(*) FILTER (leg = 0) AS "count",
                   max(CASE WHEN contains(realized, '.') THEN length(realized) - instr(realized, '.') ELSE 0 END) AS places
            FROM journal WHERE {TRADED} GROUP BY ALL
        ), padded AS (
            SELECT *, CASE WHEN starts_with(units, '-') THEN '-' ELSE '' END AS sign,
                   greatest(length(replace(units, '-', '')), places + 1) AS digits
            FROM days
        ), exact AS (
            SELECT *, lpad(replace(units, '-', ''), digits::INTEGER, '0') AS whole FROM padded
        ), summed AS (
            SELECT *, sign || left(whole, digits - places) || CASE WHEN places > 0 THEN '.' || right(whole, places) ELSE '' END
                       AS "sum"
            FROM exact
        )
        SELECT "user", "day", "sum", "count", "sum"::DOUBLE / "count" AS average FROM summed ORDER BY "user", "day\"""",
    "current_positions": """
        WITH positions AS (
            SELECT "user", market, token, arg_max((held, cost, profit, opened, updated), (event, leg)) AS last
            FROM journal WHERE held IS NOT NULL GROUP BY ALL
        )
        SELECT "user", market, token, last[1] AS amount, last[2] AS cost,
               last[2]::DOUBLE / nullif(last[1]::DOUBLE, 0) AS average_cost, last[3] AS realized,
               make_timestamp_ns(last[4]) AS opened, make_timestamp_ns(last[5]) AS updated
        FROM positions WHERE regexp_matches(last[1], '[1-9]') ORDER BY "user", market, token""",
}


class DuckDBStore(Store):
    """Log of a book in the table ``journal`` of a DuckDB file, with three SQL views.

    ``trade_events``, ``user_daily_pnl`` and ``current_positions`` are views for any reader of the file; the methods of
    the same names return them as DataFrames; a summary (daily profit, positions) that is asked for again reads what is new
    only. Exact amounts are texts in SQL: cast them to DOUBLE if that suffices.

    Parameters
    ----------
    path : str or Path
        Created if it does not exist. ``":memory:"`` is a store in memory.
    part_rows : int
        Rows to buffer before they are written in one transaction; `flush` writes them at once.

    Raises
    ------
    ImportError
        DuckDB is not installed; install ``riskkit[store]``.
    InputError
        The file is not a DuckDB file, is open in another process, or has another table ``journal``.

    Examples
    --------
    >>> from riskkit.desk import PositionTracker
    >>> tracker = PositionTracker({"ETH": "1e-18"})
    >>> store = DuckDBStore(":memory:")
    >>> store.follow(tracker)
    >>> _ = tracker.update("ann", "uniswap", "ETH", 2, 1800, timestamp=1, trade_id="a")
    >>> _ = tracker.update("ann", "uniswap", "ETH", "-0.5", 2000, timestamp=2, trade_id="b")
    >>> store.sql('SELECT "user", "sum", average FROM user_daily_pnl')
    [('ann', '100.000000', 50.0)]
    >>> store.rebuild().digest == tracker.digest
    True
    >>> store.close()
    """

    def __init__(self, path: str | Path, *, part_rows: int = 50_000) -> None:
        super().__init__(part_rows)
        self._duckdb = optional("duckdb", "store")
        self.name = path_of(path).name
        with self._refusing("be opened"), _removed_if_it_fails(Path(path)):
            self._connection = self._duckdb.connect(str(path))
            try:
                self._connection.execute("SET enable_external_access = false")
                self._next = self._opened()
            except BaseException:
                self._connection.close()
                raise

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of an SQL query, after a `flush`.

        Raises
        ------
        InputError
            Anything but one SELECT, a question about another file, an invalid query, a damaged file, a closed store.
        """
        self.flush()
        with self._refusing("answer"):
            asked = self._connection.extract_statements(instance(query, str, "query"))
            if [one.type for one in asked] != [self._duckdb.StatementType.SELECT]:
                raise InputError(
                    f"query={shown(query)} is not one question; a store answers one SELECT, and changes nothing by it"
                )
            cursor = self._connection.cursor()
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            try:
                return list(cursor.execute(query).fetchall())
            finally:
                cursor.execute("ROLLBACK")

    @contextmanager
    def _refusing(self, what: str) -> Iterator[None]:
        """A block in which an error of DuckDB, or of a text in a damaged file, is one of the store."""
        try:
            yield
        except (self._duckdb.Error, UnicodeDecodeError, RuntimeError) as error:
            raise InputError(f"store {self.name!r} cannot {what}: {words_of(error)}") from None

    def close(self) -> None:
        """Flush, detach the book and close the file."""
        super().close()
        if not self._parents:
            self._connection.close()

    def _after_fork(self, torn: bool) -> None:
        self._parents = True  # DuckDB has threads, and writes its file when it is closed
        ctypes.pythonapi.Py_IncRef(
            ctypes.py_object(self._connection)
        )  # never freed here: it would wait for its threads

    # ------------------------------------------------------------------ inside

    def _opened(self) -> int:
        """Create or check table and views; return the number of the next event."""
        known = dict(self._run("SELECT table_name, comment FROM duckdb_tables()"))
        mark = f"riskkit store, format {FORMAT}"
        if known.get("journal", mark) != mark:
            raise InputError(f"{self.name!r} has a table journal that is not of a store that this riskkit reads")
        foreign = self._run("SELECT function_name FROM duckdb_functions() WHERE NOT internal")
        if foreign:
            raise InputError(
                f"{self.name!r} has a function {shown(foreign[0][0])} of its own, which could answer for ours"
            )
        made = (
            [] if "journal" in known else [f"CREATE TABLE journal ({TABLE})", f"COMMENT ON TABLE journal IS '{mark}'"]
        )
        views = [f"CREATE OR REPLACE VIEW {name} AS {query}" for name, query in SQL.items()]
        for statement in ["BEGIN", *made, *views, "COMMIT"]:  # views that are there may be another's
            self._run(statement)
        [(first, last, events)] = self._run("SELECT min(event), max(event), count(*) FILTER (leg = 0) FROM journal")
        if events and (first, last + 1) != (0, events):
            raise InputError(f"store {self.name!r} is incomplete: it has {events} events, the last one is {last}")
        return int(events)

    def _run(self, statement: str) -> list[tuple[Any, ...]]:
        """Execute and fetch all: an open result blocks the connection."""
        return list(self._connection.execute(statement).fetchall())

    def _write(self, rows: Sequence[Numbered]) -> None:
        with self._refusing("be written"):
            self._connection.register("incoming", arrow_table(rows))
            self._run("INSERT INTO journal SELECT * FROM incoming")  # one statement, all or none
            self._connection.unregister("incoming")

    def _log(self, first: int) -> Iterator[Numbered]:
        columns = ", ".join(f'"{name}"' for name in COLUMNS)
        query = f"SELECT {columns} FROM journal WHERE event >= {first} ORDER BY event, leg"
        with self._refusing("be read"):
            cursor = self._connection.cursor()
            cursor.execute(query)
            while rows := cursor.fetchmany(BATCH):
                yield from rows

    def _openings(self) -> list[int]:
        return [event for (event,) in self.sql(f"SELECT event FROM journal WHERE {OPENED} AND leg = 0 ORDER BY event")]

    def _last_chain(self) -> str:
        return str(self.sql("SELECT chain FROM journal WHERE leg = 0 ORDER BY event DESC LIMIT 1")[0][0])

    def _query(self, query: str) -> list[tuple[Any, ...]]:
        if query not in SUMMARY:
            return self._answer(query)
        known, memory = self._summed.pop(query, (0, {}))  # gone where it is interrupted, and asked anew
        end, rows = len(self), list[tuple[Any, ...]]()
        if known == 0:
            memory = remembered(query, self._answer(query))
        elif known < end:
            columns = ", ".join(f'"{name}"' for name in NEEDED[query])
            rows = self.sql(f"SELECT {columns} FROM journal WHERE event >= {known} ORDER BY event, leg")
        found = SUMMARY[query](rows, memory)
        self._summed[query] = end, memory
        return found

    def _answer(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query, over the whole log."""
        columns = ", ".join(_number(name) for name in QUERIES[query])
        return self.sql(f"SELECT {columns} FROM ({SQL[query]})")


@contextmanager
def _removed_if_it_fails(path: Path) -> Iterator[None]:
    """A block that makes a file; where it fails, as on a full disk, no file is left that is none of DuckDB."""
    new = not path.exists()
    try:
        yield
    except BaseException:
        for left in (path, path.with_name(f"{path.name}.wal")) if new else ():
            left.unlink(missing_ok=True)
        raise


def _number(name: str) -> str:
    """A column in the form of `as_frame`: times as nanoseconds, days as numbers."""
    if name in TIMES:
        return f'epoch_ns("{name}")'
    return "\"day\" - DATE '1970-01-01'" if name == "day" else f'"{name}"'
