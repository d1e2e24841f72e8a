"""What the two stores share: a book is followed, its log is read as views, and the book is made anew from it."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Self

from riskkit._check import InputError, whole_number
from riskkit._show import Row, Shown
from riskkit.desk.canonical import restored
from riskkit.desk.journal import OPENINGS, JournalRow
from riskkit.desk.manager.risk_manager import RiskManager
from riskkit.desk.positions.tracker import PositionTracker
from riskkit.desk.store.log import Event, Numbered, events_of, numbered
from riskkit.desk.store.views import as_frame

__all__ = ["Store"]

Book = PositionTracker | RiskManager
BOOKS: dict[str, type[Book]] = {"PositionTracker": PositionTracker, "RiskManager": RiskManager}


class Store(Shown, ABC):
    """A log of what one `PositionTracker` or `RiskManager` took, three views of it, and the book made anew from it.

    It is the journal that the book writes to: an event that cannot be written is not booked. Rows wait in memory until
    `flush`, or until there are `part_rows` of them; what was flushed outlives the process, whenever that ends.
    """

    name: str

    def __init__(self, part_rows: int) -> None:
        self._part_rows = whole_number(part_rows, "part_rows")
        self._lock = threading.RLock()
        self._waiting: list[Numbered] = []
        self._next = 0
        self._book: Book | None = None

    # ------------------------------------------------------------------ the book

    def follow(self, book: Book) -> None:
        """Write what a book takes from now on, with its present state first; the store has to be empty.

        Raises
        ------
        InputError
            The store has a log already (`resume` goes on with it), or the book has a store.
        """
        if len(self):
            raise InputError(f"store {self.name!r} holds {len(self)} events; resume() goes on with their book")
        self._write_from(book, opening=True)

    def resume(self) -> Any:
        """The book of the log as it stood, followed from now on."""
        book = self.rebuild(from_start=False)
        self._write_from(book, opening=False)
        return book

    def rebuild(self, *, from_start: bool = True) -> Any:
        """The book made anew from the log; its digest is that of the one that wrote it.

        Parameters
        ----------
        from_start : bool
            Take every event once more, or only those since the last `checkpoint`. Every row that is taken is worked
            out anew, and has to be the row that the log holds.

        Raises
        ------
        InputError
            The log is empty, or does not follow from itself.
        """
        openings = self._openings()
        if not openings:
            raise InputError(f"store {self.name!r} holds no log; follow(tracker) begins one")
        book: Any = None
        witness = _Witness(self.name)
        for number, rows in self.events(openings[0] if from_start else openings[-1]):
            witness.expect(number, rows)
            if book is None or rows[0].kind == "warm_up":
                book = _made_from(rows[0])
                book.write_to(witness, opening=False)
            book.replay(rows)
        book.write_to(None)
        return book

    def checkpoint(self) -> None:
        """Write the book's whole state into the log, and flush: `resume` need not go back further.

        Raises
        ------
        InputError
            No book is followed.
        """
        if self._book is None:
            raise InputError(f"store {self.name!r} follows no book; follow(tracker) or resume() begins")
        self._book.tell_state()
        self.flush()

    # ------------------------------------------------------------------ the journal

    def ready(self, *texts: str | None) -> None:
        """Raise, before an event is booked, if it cannot be written; full rows are flushed."""
        with self._lock:
            for text in texts:
                if text is not None:
                    _encoded(text)
            if len(self._waiting) >= self._part_rows:
                self.flush()

    def take(self, rows: list[JournalRow]) -> None:
        """Keep the rows of one event until they are flushed."""
        with self._lock:
            self._waiting.extend(numbered(self._next, rows))
            self._next += 1

    def flush(self) -> None:
        """Write what waits; it is on the disk, whole, when this returns."""
        with self._lock:
            if self._waiting:
                self._write(self._waiting)
                self._waiting = []

    def close(self) -> None:
        """Flush, and let go of the book: what it takes later is not written."""
        book, self._book = self._book, None
        if book is not None:
            book.write_to(None)
        self.flush()

    def __enter__(self) -> Self:
        """Use the store in a ``with`` block, which closes it."""
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------ the views

    def __len__(self) -> int:
        """How many events the log has."""
        return self._next

    def trade_events(self) -> Any:
        """One row a leg of every trade: event, role, kind, timestamp, user, market, token, amount, price, money, ...

        Amount, money and realised profit are exact Decimals; the price is money over amount, as a float.
        """
        return self._frame("trade_events")

    def user_daily_pnl(self) -> Any:
        """Profit that each user's trades took, by UTC day: its exact sum, the count of trades and their average.

        Every trade counts once, an opening one with no profit; gas is no loss here but a leg of its own.
        """
        return self._frame("user_daily_pnl")

    def current_positions(self) -> Any:
        """Every position that is held: amount, cost, average cost, profit since it was opened, and its times."""
        return self._frame("current_positions")

    def events(self, first: int = 0) -> Iterator[tuple[int, Event]]:
        """Every event of the log from a number on, with its rows."""
        self.flush()
        return events_of(self._log(first), f"store {self.name!r}")

    def _frame(self, view: str) -> Any:
        self.flush()
        return as_frame(view, self._view(view))

    # ------------------------------------------------------------------ what a store has to know

    @abstractmethod
    def _write(self, rows: Sequence[Numbered]) -> None:
        """Put rows on the disk, all or none."""

    @abstractmethod
    def _log(self, first: int) -> Iterator[Numbered]:
        """The rows of the log from an event on, in order."""

    @abstractmethod
    def _openings(self) -> list[int]:
        """Numbers of the events that hold a whole state."""

    @abstractmethod
    def _view(self, view: str) -> Sequence[tuple[Any, ...]]:
        """The rows of a view."""

    # ------------------------------------------------------------------ inside

    def _write_from(self, book: Book, *, opening: bool) -> None:
        if self._book is not None:
            raise InputError(f"store {self.name!r} follows a book already; a second one needs a store of its own")
        book.write_to(self, opening=opening)
        self._book = book
        self.flush()

    def _rows(self) -> list[Row]:
        return [
            ("events", len(self), ""),
            ("rows that wait", len(self._waiting), f"of {self._part_rows}"),
            ("book", "followed" if self._book is not None else "none", ""),
        ]


def _made_from(row: JournalRow) -> Book:
    """The book of an event that holds a whole state."""
    if row.kind not in OPENINGS or row.role not in BOOKS:
        raise InputError(f"an event of kind {row.kind!r} of {row.role!r} holds no state that a log begins with")
    return restored(row.role, row.body, lambda text: BOOKS[str(row.role)].from_state(json.loads(text)))


class _Witness:
    """A journal that writes nothing: what a book tells it has to be what the log holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.expected: Event = []
        self.number = 0

    def expect(self, number: int, rows: Event) -> None:
        self.number, self.expected = number, rows

    def ready(self, *texts: str | None) -> None:
        """Anything may come."""

    def take(self, rows: list[JournalRow]) -> None:
        """Compare."""
        if rows != self.expected:
            raise InputError(
                f"store {self.name!r} was altered: event {self.number} is not what follows from the others"
            )


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{text!r} cannot be written as UTF-8; a store takes whole characters only") from None
