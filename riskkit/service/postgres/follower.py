"""Rows behind a journal: a thread copies what is on disk in the folder of a session into PostgreSQL, each event once.

How far it has come is in the database, changed in the transaction that adds the rows: a follower that is killed at any moment
goes on where its last transaction ended. Nothing waits for it, and nothing is kept in memory for it: the folder is the queue.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

from riskkit._check import InputError, whole_number
from riskkit.desk.core.records import as_text
from riskkit.replay.ingest.rows import DTYPES
from riskkit.replay.live.journal_folder import STATE, firsts
from riskkit.replay.live.journal_tail import JournalPiece, JournalTail, journal_end
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.service.postgres.connection import Connection
from riskkit.service.postgres.copying import add_new, copy, make_partitions, times
from riskkit.service.postgres.rows import account_columns, decision_columns, event_columns, instrument_columns
from riskkit.service.postgres.schema import has_timescale, install

TOGETHER = 10_000  # events of one transaction
FIRST_WAIT, LONGEST_WAIT = 0.05, 5.0  # seconds between two attempts
GRACE = 2.0  # seconds for the last transaction
PAUSE = 0.05  # seconds between two looks at the folder
logger = logging.getLogger("riskkit.service")


class StaleWriterError(InputError):
    """Another writer with a larger fencing token has written: this one has lost the lease and does not know it."""


class PostgresFollower:
    """Copies the journal of one engine into PostgreSQL.

    Parameters
    ----------
    folder : str or Path
        The folder of `Session.open`.
    conninfo : str
        The database, as libpq takes it.
    engine : str
        Name of the engine in the database.
    token : int
        Fencing token of the writer's lease (`WriterLease.token`); a smaller one than the database has seen is refused.
    rules : RuleSet, optional
        As in `open_journal`.
    timeout : float
        Seconds after which a transaction has failed.

    Attributes
    ----------
    written : int
        Number of events in the database.
    failures : int
        Number of attempts that failed.
    problem : str
        Why the last attempt failed; "" if it did not.

    Raises
    ------
    InputError
        If `conninfo` or an option does not fit.
    """

    def __init__(
        self,
        folder: str | Path,
        conninfo: str,
        engine: str = "main",
        *,
        token: int = 0,
        rules: RuleSet | None = None,
        timeout: float = 60.0,
    ) -> None:
        self._folder, self._rules, self._engine = Path(folder), rules, as_text(engine, "engine")
        self._token = whole_number(token, "token", at_least=0)
        self._connection = Connection(conninfo, timeout)
        self._tail: JournalTail | None = None
        self._piece: JournalPiece | None = None
        self._timescale = False
        self._labels: tuple[int, ...] = (0, 0)
        self._described: tuple[int, ...] = ()
        self.written, self.failures, self.problem = 0, 0, ""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------ one step

    def step(self) -> bool:
        """Copy the next events in one transaction; return whether there were any.

        Raises
        ------
        StaleWriterError
            If a writer with a larger token has written.
        InputError
            If the database has another journal of this name, or the folder cannot be read.
        psycopg.Error
            If the server is away or refuses; nothing was written.
        """
        if self._tail is None:
            if not firsts(self._folder, STATE):  # the session has not begun
                return False
            self._begin()
        assert self._tail is not None
        piece = self._piece or self._tail.read()
        if piece is None:
            return False
        self._piece = piece
        part, rest = piece.split(piece.first + TOGETHER)
        universe, changes = self._tail.universe, self._tail.history.changes
        labels = len(universe.accounts), len(universe.instruments)
        described = *labels, len(universe.strategies), len(universe.connections), len(universe.quanta), len(changes)
        with self._connection.use() as connection, connection.transaction():
            seq, token = self._locked(connection)
            if token > self._token:
                raise StaleWriterError(
                    f"engine {self._engine!r} has a writer with token {token}; this one, with {self._token}, has lost the lease"
                )
            if seq < part.first:  # the database is an older copy of itself
                self._tail = self._piece = None
                return True
            if seq < part.stop:
                self._copy(connection, part.split(seq)[1])
                self._update(connection, part.stop, described != self._described)
        if seq < part.stop:
            self._described, self._labels = described, labels
        self.written = max(seq, part.stop)
        self._piece = rest if len(rest.columns["ts"]) else None
        return True

    def _begin(self) -> None:
        """Install the schema, and find where to go on."""
        with self._connection.use() as connection:
            install(connection)
            self._timescale = has_timescale(connection)
            tail = JournalTail(self._folder, 0, self._rules)
            connection.execute(
                "insert into rk_engine (engine, mode, options, universe, rules, changes) values (%s, %s, %s, %s, %s, %s)"
                " on conflict do nothing",
                [self._engine, tail.mode, *map(json.dumps, (tail.options, *self._plain(tail)))],
            )
            found = connection.execute(
                "select seq, mode, options, rules, (select count(*) from rk_account a where a.engine = e.engine),"
                " (select count(*) from rk_instrument i where i.engine = e.engine) from rk_engine e where engine = %s",
                [self._engine],
            ).fetchone()
            seq, *same, accounts, instruments = found
            if same != [tail.mode, tail.options, self._plain(tail)[1]] or not self._has(connection, seq):
                raise InputError(
                    f"engine {self._engine!r} of the database has {seq} events of another journal than folder "
                    f"{self._folder.name!r}; give another name of the engine"
                )
        self.written, self._labels, self._described = seq, (accounts, instruments), ()
        self._tail = JournalTail(self._folder, seq, self._rules)

    def _has(self, connection: Any, seq: int) -> bool:
        """Whether the last event of the database is that of the folder."""
        if not seq:
            return True
        piece = JournalTail(self._folder, seq - 1, self._rules).read()
        if piece is None:
            return False
        names = ", ".join(f'"{name}"' for name in DTYPES)
        last = connection.execute(
            f"select {names} from rk_event where engine = %s and time = %s and seq = %s",
            [self._engine, times(piece.columns["ts"][:1])[0].as_py(), seq - 1],
        ).fetchone()
        return last == tuple(int(piece.columns[name][0]) for name in DTYPES)

    @staticmethod
    def _plain(tail: JournalTail) -> tuple[Any, Any, Any]:
        """Universe, first rules and changes, as JSON gives them back."""
        described = tail.history.to_dict()
        found = tail.universe.describe(), described["rules"], described["changes"]
        return tuple(json.loads(json.dumps(found)))

    def _locked(self, connection: Any) -> tuple[int, int]:
        """The number of the next event and the token, which nobody else changes until the end of the transaction."""
        found: tuple[int, int] = connection.execute(
            "select seq, token from rk_engine where engine = %s for update", [self._engine]
        ).fetchone()
        return found

    def _copy(self, connection: Any, part: JournalPiece) -> None:
        assert self._tail is not None
        universe, engine = self._tail.universe, self._engine
        add_new(connection, "rk_account", account_columns(engine, universe, self._labels[0]))
        add_new(connection, "rk_instrument", instrument_columns(engine, universe, self._labels[1]))
        orders, trades = part.orders, part.trades
        names = [engine] * len(orders), [engine] * len(trades)
        numbers, ids = [order[0] for order in orders], [str(order[1]) for order in orders]
        add_new(connection, "rk_order", {"engine": names[0], "seq": numbers, "order_id": ids})
        codes, ids = [trade[1] for trade in trades], [str(trade[0]) for trade in trades]
        add_new(connection, "rk_trade", {"engine": names[1], "code": codes, "trade_id": ids})
        if not self._timescale:
            for table in ("rk_event", "rk_decision"):
                make_partitions(connection, table, part.columns["ts"])
        copy(connection, "rk_event", event_columns(engine, part))
        copy(connection, "rk_decision", decision_columns(engine, part, universe, self._tail.history))

    def _update(self, connection: Any, stop: int, is_new: bool) -> None:
        assert self._tail is not None
        texts = "seq = %s, token = greatest(token, %s), updated = now()"
        connection.execute(f"update rk_engine set {texts} where engine = %s", [stop, self._token, self._engine])
        if is_new:
            universe, _, changes = map(json.dumps, self._plain(self._tail))
            connection.execute(
                "update rk_engine set universe = %s, changes = %s where engine = %s", [universe, changes, self._engine]
            )

    # ------------------------------------------------------------------ in the background

    def start(self) -> PostgresFollower:
        """Follow in a thread until `close`; outages are waited for, and counted."""
        self._thread = threading.Thread(target=self._run, name="riskkit postgres", daemon=True)
        self._thread.start()
        return self

    def _run(self) -> None:
        wait = FIRST_WAIT
        while not self._ending.is_set():
            try:
                pause = 0.0 if self.step() else PAUSE
                self.problem, wait = "", FIRST_WAIT
            except self._connection.errors as error:
                self.failures += 1
                if not self.problem:
                    logger.warning(
                        "the journal of engine %r cannot be copied (%s); it is tried again", self._engine, error
                    )
                self.problem = f"{type(error).__name__}: {error}".strip()
                pause, wait = wait, min(2 * wait, LONGEST_WAIT)
            except InputError as error:
                self.failures += 1
                self.problem = str(error)
                logger.error("the journal of engine %r is not copied any more: %s", self._engine, error)
                return
            self._ending.wait(pause)

    @property
    def lag(self) -> int:
        """Number of events in the folder that are not in the database."""
        return max(journal_end(self._folder) - self.written, 0)

    def close(self) -> None:
        """Stop; what is not copied is copied by the next follower. A transaction that takes long is given up."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(GRACE)
            self._connection.cut()
            self._thread.join(GRACE)
        if self._thread is None or not self._thread.is_alive():
            self._connection.close()

    def __enter__(self) -> PostgresFollower:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
