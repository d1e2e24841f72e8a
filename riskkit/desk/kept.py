"""`Kept`: a book whose state is plain data with a digest, and whose events are told to a journal and taken back."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

from riskkit._show import Shown
from riskkit.desk.canonical import digest_of, restored
from riskkit.desk.journal import Journal, JournalRow, Scribe

__all__ = ["Kept"]


class Kept(Shown, ABC):
    """Base of `PositionTracker` and `RiskManager`: state, digest, journal."""

    _lock: threading.RLock  # type: ignore[valid-type]
    _scribe: Scribe

    def state(self) -> dict[str, Any]:
        """All that is kept, as plain data that JSON takes; counts of lots and quanta are texts, with every digit.

        Raises
        ------
        InputError
            A trade id that is no text, integer or tuple of them is remembered.
        """
        with self._lock:
            return self._plain()

    @classmethod
    def from_state(cls, state: Any) -> Self:
        """Go on from what `state` gave; what is no such state, or does not fit together, is refused."""
        return restored(cls.__name__, state, cls._restored)

    @property
    def digest(self) -> str:
        """SHA-256 of the state: equal for equal amounts, prices, limits and ids, whichever came first."""
        return digest_of(type(self).__name__, self._sorted(self.state()))

    def write_to(self, journal: Journal | None, *, opening: bool = True) -> None:
        """Write every event to a journal from now on, with the present state first; None ends it."""
        with self._lock:
            self._scribe.follow(journal, self.tell_state if opening else None)

    def tell_state(self) -> None:
        """Write the present state into the journal: from there, too, the log can be taken up."""
        with self._lock:
            self._tell("state")

    def replay(self, rows: Sequence[JournalRow]) -> None:
        """Take the rows of one event that a journal keeps once more; what no such book wrote is refused."""
        restored(type(self).__name__, rows, self._replay)

    # ------------------------------------------------------------------ what a book has to know

    @abstractmethod
    def _plain(self) -> dict[str, Any]:
        """The state."""

    @classmethod
    @abstractmethod
    def _restored(cls, state: Any) -> Self:
        """A book with a state."""

    @staticmethod
    @abstractmethod
    def _sorted(state: dict[str, Any]) -> Any:
        """A state in the one order that its digest takes."""

    @abstractmethod
    def _tell(self, kind: str) -> None:
        """Tell of an event that holds the whole state."""

    @abstractmethod
    def _replay(self, rows: Sequence[JournalRow]) -> None:
        """Take the rows of an event once more."""
