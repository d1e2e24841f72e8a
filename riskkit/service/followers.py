"""Followers of a session's journal: each gets what was committed, in order, and none of them can hold up the writer."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, NamedTuple

import numpy as np

from riskkit._fork import new_lock
from riskkit.replay.results.decisions import Decision


class Published(NamedTuple):
    """What one commit made durable.

    Parameters
    ----------
    first, stop : int
        Numbers of its events: from `first` up to, not including, `stop`.
    events : dict of str to ndarray of int64, shape (n_events,)
        Columns of the events, as in the journal.
    rows : structured ndarray
        Decision rows on the events.
    actions : list of Decision
        The same with labels, in order.
    notes : dict
        Those of the commit, as the offsets of a consumer.
    """

    first: int
    stop: int
    events: dict[str, np.ndarray]
    rows: np.ndarray
    actions: list[Decision]
    notes: dict[str, Any]


class Follower:
    """A bounded queue of what was published, for one reader in a thread of its own.

    Where the reader is too slow the oldest is dropped and counted; `Published.first` shows the gap, and the journal's
    folder has what is missing.

    Parameters
    ----------
    name : str
        For metrics.
    size : int
        Number of commits that are kept for the reader.

    Attributes
    ----------
    dropped : int
        Number of events that the reader has to look up in the journal.
    wants_events : bool
        False: `Published.events` and `rows` may be empty.
    """

    wants_events = True

    def __init__(self, name: str, size: int) -> None:
        self.name, self.size, self.dropped = name, size, 0
        self._items: deque[Published] = deque()
        self._ready = new_lock(threading.Condition)
        self._closed = False

    def put(self, item: Published) -> None:
        """Add an item, in place of the oldest one where the queue is full."""
        with self._ready:
            if self._closed:
                return
            if len(self._items) == self.size:
                oldest = self._items.popleft()
                self.dropped += oldest.stop - oldest.first
            self._items.append(item)
            self._ready.notify()

    def take(self, timeout: float | None = None) -> list[Published]:
        """All items that are there; an empty list after `timeout` seconds without one, or once the follower is closed."""
        with self._ready:
            self._ready.wait_for(lambda: self._items or self._closed, timeout)
            found = list(self._items)
            self._items.clear()
            return found

    @property
    def behind(self) -> int:
        """Number of commits that wait for the reader."""
        return len(self._items)

    @property
    def is_closed(self) -> bool:
        """True once nothing more will come."""
        return self._closed

    def close(self) -> None:
        """End the queue; a waiting `take` returns."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
