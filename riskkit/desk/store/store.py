"""`Store`: base of the stores. It journals the events of a book, queries them, and restores the book."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Self

from riskkit._check import InputError, shown, whole_number
from riskkit._commit import Change, commit
from riskkit._fork import lock_of
from riskkit._show import Row, Shown
from riskkit.desk.core.journal import OPENINGS, JournalRow
from riskkit.desk.core.state_digest import restored
from riskkit.desk.manager.manager import RiskManager
from riskkit.desk.positions.tracker import PositionTracker
from riskkit.desk.store.log import Event, Numbered, chained, events_of, numbered
from riskkit.desk.store.queries import as_frame

Book = PositionTracker | RiskManager
BOOKS: dict[str, type[Book]] = {"PositionTracker": PositionTracker, "RiskManager": RiskManager}


class Store(Shown, ABC):
    """Log of the events of one `PositionTracker` or `RiskManager`, with three queries and the restored book.

    A store is the journal of its book: an event that cannot be written is not booked. Rows are buffered until `flush`,
    or until there are `part_rows` of them; flushed rows survive the end of the process, whenever it ends.
    """

    name: str

    def __init__(self, part_rows: int) -> None:
        self._part_rows = whole_number(part_rows, "part_rows")
        self._lock = lock_of(self)
        self._waiting: list[Numbered] = []
        self._unsure = False
        """A write was begun and not seen to end."""
        self._next = 0
        self._chain: str | None = None
        """Chain of the last event, once it is known."""
        self._book: Book | None = None
        self._summed: dict[str, tuple[int, dict[Any, Any]]] = {}
        """Of each summary: the number of events that it has read, and what it remembers of them."""
        self._parents = False
        """This process was forked from the one whose store it is."""

    # ------------------------------------------------------------------ the book

    def follow(self, book: Book) -> None:
        """Write the events of a book from now on, beginning with its present state; the store must be empty.

        Raises
        ------
        InputError
            The store has a log already (`resume` continues it), or the book has a store.
        """
        if len(self):
            raise InputError(f"store {self.name!r} has {len(self)} events; resume() continues their book")
        self._write_from(book, opening=True)

    def resume(self) -> Any:
        """Restore the book of the log, and write its events from now on."""
        book = self.rebuild(from_start=False)
        self._write_from(book, opening=False)
        return book

    def rebuild(self, *, from_start: bool = True) -> Any:
        """Restore the book from the log; its digest equals that of the book that wrote it.

        Parameters
        ----------
        from_start : bool
            Replay every event, or only those since the last `checkpoint`. Every replayed row is recomputed and must
            equal the row of the log.

        Raises
        ------
        InputError
            The log is empty or inconsistent.
        """
        openings = self._openings()
        if not openings:
            raise InputError(f"store {self.name!r} has no log; follow(tracker) begins one")
        book: Any = None
        verifier = _Verifier(self.name)
        for number, rows in self.events(openings[0] if from_start else openings[-1]):
            verifier.expect(number, rows)
            if book is None or rows[0].kind == "warm_up":
                book = _restored(rows[0])
                book.write_to(verifier, opening=False)
            book.replay(rows)
        book.write_to(None)
        return book

    def checkpoint(self) -> None:
        """Write the complete state of the book into the log, and flush: `resume` starts from it.

        Raises
        ------
        InputError
            The store has no book.
        """
        if self._book is None:
            raise InputError(f"store {self.name!r} has no book; call follow(tracker) or resume() first")
        self._book.write_state()
        self.flush()

    # ------------------------------------------------------------------ the journal

    def ready(self, *texts: str | None) -> None:
        """Raise, before an event is booked, if it cannot be written; flush a full buffer."""
        with self._lock:
            self._refuse_fork()
            for text in texts:
                if text is not None:
                    _encoded(text)
            if len(self._waiting) >= self._part_rows:
                self.flush()

    def prepared(self, event: list[JournalRow]) -> list[Change]:
        """The changes that buffer the rows of one event."""
        chain = chained(self._known_chain(), event)
        added = [(self._waiting.extend, list(numbered(self._next, event, chain)))]
        return [*added, (setattr, self, "_next", self._next + 1), (setattr, self, "_chain", chain)]

    def flush(self) -> None:
        """Write the buffered rows; they are complete on disk when this returns."""
        with self._lock:
            self._refuse_fork()
            if self._unsure:
                self._written(self._on_disk())
            if self._waiting:
                rows, self._unsure = self._waiting[:], True
                self._write(rows)
                self._written(len(rows))

    def close(self) -> None:
        """Flush and detach the book: its later events are not written."""
        if self._book is not None:
            self._book._attach(None, False, (setattr, self, "_book", None))
        if not self._parents:
            self.flush()

    def __enter__(self) -> Self:
        """Use the store in a ``with`` block, which closes it."""
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------ queries

    def __len__(self) -> int:
        """Number of events in the log."""
        return self._next

    def trade_events(self) -> Any:
        """One row per leg of every trade: event, role, kind, timestamp, user, market, token, amount, price, money, ...

        Amount, money and realized profit are exact Decimals; the price is money over amount, as a float.
        """
        return self._frame("trade_events")

    def user_daily_pnl(self) -> Any:
        """Realized profit of each user's trades by UTC day: exact sum, number of trades, and average.

        Every trade counts once, an opening one with zero profit; gas is a leg of its own and no loss here.
        """
        return self._frame("user_daily_pnl")

    def current_positions(self) -> Any:
        """Open positions: amount, cost, average cost, profit since they were opened, and times."""
        return self._frame("current_positions")

    def events(self, from_event: int = 0) -> Iterator[tuple[int, Event]]:
        """Number and rows of every event of the log, from a number on."""
        return ((number, rows) for number, rows, _ in self._chained(from_event))

    @property
    def head(self) -> str:
        """Number of events and chain of the last one: note it elsewhere, for `verify`."""
        with self._lock:
            return f"{self._next}:{self._known_chain()}"

    def verify(self, head: str | None = None) -> int:
        """Read the whole log, compare each event with its chain, and return their number.

        Parameters
        ----------
        head : str, optional
            A `head` that was noted before: the log must go on from it.

        Raises
        ------
        InputError
            An event was edited or lost, or the log is another one than that of `head`.
        """
        noted = self.head if head is None else head
        count, chain = 0, ""
        found = noted == "0:"
        for number, _, chain in self._chained(0):
            count, found = number + 1, found or noted == f"{number + 1}:{chain}"
        if not found:
            raise InputError(
                f"store {self.name!r} has {count:,} events and does not go on from head={shown(noted)}: it was cut or written anew"
            )
        return count

    def _chained(self, from_event: int) -> Iterator[tuple[int, Event, str]]:
        self.flush()
        return events_of(self._log(from_event), f"store {self.name!r}")

    def _known_chain(self) -> str:
        if self._chain is None:
            self._chain = self._last_chain() if self._next else ""
        return self._chain

    def _frame(self, query: str) -> Any:
        self.flush()
        return as_frame(query, self._query(query))

    # ------------------------------------------------------------------ of the subclass

    @abstractmethod
    def _write(self, rows: Sequence[Numbered]) -> None:
        """Write rows to disk, all or none."""

    @abstractmethod
    def _log(self, first: int) -> Iterator[Numbered]:
        """The rows of the log from an event on, in order."""

    @abstractmethod
    def _openings(self) -> list[int]:
        """Numbers of the events that contain the complete state."""

    @abstractmethod
    def _last_chain(self) -> str:
        """Chain of the last event."""

    @abstractmethod
    def _query(self, query: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a query."""

    # ------------------------------------------------------------------ inside

    def _write_from(self, book: Book, *, opening: bool) -> None:
        if self._book is not None:
            raise InputError(f"store {self.name!r} has a book already; a second book needs another store")
        with book._lock:
            book._attach(self, opening, (setattr, self, "_book", book))
        self.flush()

    def _after_fork(self, torn: bool) -> None:
        """In a forked child: the log, and what waits for it, is of the parent that writes it."""
        self._parents = self._book is not None

    def _refuse_fork(self) -> None:
        if self._parents:
            raise InputError(
                f"store {self.name!r} is written by the process that this one was forked from; open another one here"
            )

    def _on_disk(self) -> int:
        """Number of the buffered rows that an interrupted write has put on disk after all."""
        written = list(self._log(self._waiting[0][0])) if self._waiting else []
        if written != self._waiting[: len(written)]:
            raise InputError(f"store {self.name!r} was written by another process; only one process may write to it")
        return len(written)

    def _written(self, rows: int) -> None:
        commit([(self._waiting.__delitem__, slice(rows)), (setattr, self, "_unsure", False)])

    def _rows(self) -> list[Row]:
        return [
            ("events", len(self), ""),
            ("buffered rows", len(self._waiting), f"of {self._part_rows}"),
            ("book", "attached" if self._book is not None else "none", ""),
        ]


def _restored(row: JournalRow) -> Book:
    """The book of an event that contains the complete state."""
    if row.kind not in OPENINGS or row.role not in BOOKS:
        raise InputError(f"an event of kind {row.kind!r} of {row.role!r} contains no state from which a log begins")
    return restored(row.role, row.body, lambda text: BOOKS[str(row.role)].from_state(json.loads(text)))


class _Verifier:
    """A journal that writes nothing and compares each event with the log."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.expected: Event = []
        self.number = 0

    def expect(self, number: int, rows: Event) -> None:
        self.number, self.expected = number, rows

    def ready(self, *texts: str | None) -> None:
        """Accept everything."""

    def prepared(self, event: list[JournalRow]) -> list[Change]:
        """Compare with the expected rows."""
        if event != self.expected:
            raise InputError(f"store {self.name!r} was altered: event {self.number} does not follow from the others")
        return []


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{text!r} cannot be written as UTF-8; a store accepts complete characters only") from None
