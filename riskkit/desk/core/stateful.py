"""`Stateful`: base of a book whose state is plain data with a digest, and whose events are journaled and replayed."""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from riskkit._check import InputError
from riskkit._commit import Change, commit
from riskkit._plain import Check
from riskkit._show import Shown
from riskkit.desk.core.journal import Journal, JournalRow, Key, PositionRow, Writer
from riskkit.desk.core.state_digest import checked_state, digest_of, restored

FORMAT = 1


class Stateful(Shown, ABC):
    """Base of `PositionTracker` and `RiskManager`: state, digest, journal, replay."""

    _events: ClassVar[Mapping[str, Callable[[Any, Sequence[JournalRow], Any], Any]]]
    """Kind of event -> function of (book, rows of the event, body) that applies it again."""
    _shape: ClassVar[Check]
    """Check of the state, leaf by leaf."""
    _lock: threading.RLock
    _writer: Writer

    def state(self) -> dict[str, Any]:
        """The complete state as plain data for JSON; counts of lots and quanta are texts with every digit.

        Raises
        ------
        InputError
            A remembered trade id is not a text, an integer or a tuple of them.
        """
        with self._lock:
            return {"format": FORMAT, **self._plain()}

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """Restore a book from its `state`; malformed or inconsistent data raise `InputError`."""
        return restored(cls.__name__, state, cls._restored)

    @property
    def digest(self) -> str:
        """SHA-256 of the state: equal for equal amounts, prices, limits and ids, in whatever order they were added."""
        return digest_of(type(self).__name__, self._sorted(self.state()))

    def write_to(self, journal: Journal | None, *, opening: bool = True) -> None:
        """Write every event to a journal from now on, beginning with the present state; None detaches the journal."""
        with self._lock:
            self._attach(journal, opening)

    def write_state(self) -> None:
        """Write the present state into the journal, as a point from which it can be replayed."""
        with self._lock:
            commit(self._opening("state", self._writer))

    def replay(self, event: Sequence[JournalRow]) -> None:
        """Apply one journaled event again; an event of another writer raises `InputError`."""
        restored(type(self).__name__, event, self._replay)

    def _replay(self, rows: Sequence[JournalRow]) -> None:
        apply = self._events.get(rows[0].kind)
        if apply is None:
            raise InputError(f"an event of kind {rows[0].kind!r} is not written by a {type(self).__name__}")
        apply(self, rows, json.loads(rows[0].body) if rows[0].body else {})

    def _attach(self, journal: Journal | None, opening: bool, *others: Change) -> None:
        """Attach a journal, or detach it by None, together with other changes."""
        if journal is not None and self._writer.journal is not None:
            raise InputError("a journal is attached already; close it first")
        first = self._opening("state", Writer(self._writer.quantum, journal)) if opening and journal is not None else []
        commit([*first, (setattr, self._writer, "journal", journal), *others])

    def _opening(self, kind: str, writer: Writer) -> list[Change]:
        """The changes that write an event with the complete state."""
        writer.begin(*self._texts())
        return self._state_event(kind, writer)

    def _state_event(self, kind: str, writer: Writer) -> list[Change]:
        """The same, of an event that has begun."""
        writer.event(kind, role=type(self).__name__, timestamp=self._last_time())
        for key in self._positions():
            writer.position(kind, key, self._position_row(key))
        return writer.finish(self.state)

    @classmethod
    def _restored(cls, state: Any) -> Self:
        checked_state(cls.__name__, cls._shape, state, FORMAT)
        book = cls(**cls._options(state))
        book._fill(state)
        return book

    # ------------------------------------------------------------------ of the subclass

    @abstractmethod
    def _plain(self) -> dict[str, Any]:
        """The state without its format."""

    @staticmethod
    @abstractmethod
    def _options(state: Any) -> dict[str, Any]:
        """Arguments with which a book of this state is made."""

    @abstractmethod
    def _fill(self, state: Any) -> None:
        """Put a state into a new book."""

    @staticmethod
    @abstractmethod
    def _sorted(state: dict[str, Any]) -> dict[str, Any]:
        """A state in the order that its digest uses."""

    @abstractmethod
    def _texts(self) -> Iterable[str]:
        """The texts that the state writes into columns of the journal."""

    @abstractmethod
    def _positions(self) -> Iterable[Key]:
        """Keys of the open positions."""

    @abstractmethod
    def _position_row(self, key: Key) -> PositionRow:
        """A position for the journal."""

    @abstractmethod
    def _last_time(self) -> int | None:
        """Time of the last event, in nanoseconds."""
