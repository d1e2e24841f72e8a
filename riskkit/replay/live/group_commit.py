"""Threads that wait until their events are on disk: one of them writes and flushes for all that have come meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from queue import SimpleQueue

from riskkit._fork import lock_of

ROUNDS = 64  # in which others may come before a frame is written


class GroupCommit:
    """Lets threads share frames and flushes.

    A thread that comes during a flush waits at a queue of its own, so that it is woken once its events are on disk, or to
    write the next frame. Who writes lets those in first that come at the same moment: the threads that the flush before
    has woken. A thread whose wait is interrupted wakes another, so that nobody is forgotten.

    Parameters
    ----------
    begin : callable
        Writes all events so far, and returns their number and what waits until they are on disk.
    size : callable
        The number of events so far.
    on_disk : int
        Number of events that are on disk.
    """

    def __init__(
        self, begin: Callable[[], tuple[int, Callable[[], None]]], size: Callable[[], int], on_disk: int
    ) -> None:
        self._begin, self._size = begin, size
        self._on_disk, self._writing = on_disk, False
        self._mutex = lock_of(self)
        self._waiting: list[tuple[int, SimpleQueue[None]]] = []

    def wait(self, size: int) -> bool:
        """Return once the first `size` events are on disk: True if this thread has written."""
        while True:
            with self._mutex:
                if self._on_disk >= size:
                    return False
                writes = not self._writing
                if writes:
                    self._writing = True
                else:
                    ticket: SimpleQueue[None] = SimpleQueue()
                    self._waiting.append((size, ticket))
            if writes:
                self._write()
                return True
            try:
                ticket.get()
            except BaseException:
                with self._mutex:
                    self._waiting = [one for one in self._waiting if one[1] is not ticket]
                    self._wake()
                raise

    def _after_fork(self, torn: bool) -> None:
        """In a forked child: the threads that wrote and waited are not here."""
        self._writing, self._waiting = False, []

    def _write(self) -> None:
        found = self._on_disk
        try:
            self._let_in()
            size, finish = self._begin()
            finish()
            found = size
        finally:
            with self._mutex:
                self._on_disk, self._writing = max(self._on_disk, found), False
                self._wake()

    def _let_in(self) -> None:
        """Give way to the threads that have an event at this moment, until none comes."""
        before = -1
        for _ in range(ROUNDS):
            if before == (before := self._size()):
                return
            time.sleep(0)

    def _wake(self) -> None:
        """Wake the threads whose events are on disk, and one of the others if nobody writes."""
        later = [one for one in self._waiting if one[0] > self._on_disk]
        woken = [ticket for size, ticket in self._waiting if size <= self._on_disk]
        if later and not self._writing:
            woken.append(later.pop(0)[1])
        self._waiting = later
        for ticket in woken:
            ticket.put(None)
