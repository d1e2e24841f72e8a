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
            ticket: SimpleQueue[None] = SimpleQueue()
            writes, found = False, 0
            try:
                with self._mutex:
                    if self._on_disk >= size:
                        return False
                    if self._writing:
                        self._waiting.append((size, ticket))
                    else:
                        writes = self._writing = True
                if writes:
                    found = self._write()
                    return True
                ticket.get()
            except BaseException:  # its turn to write, if it has been given it, is another's
                with self._mutex:
                    self._waiting = [one for one in self._waiting if one[1] is not ticket]
                    self._wake()
                raise
            finally:  # also if the thread is interrupted before it writes
                if writes:
                    with self._mutex:
                        self._on_disk, self._writing = max(self._on_disk, found), False
                        self._wake()

    def _after_fork(self, torn: bool) -> None:
        """In a forked child: the threads that wrote and waited are not here."""
        self._writing, self._waiting = False, []

    def _write(self) -> int:
        """Write and flush what has come; return the number of events that are on disk."""
        self._let_in()
        size, finish = self._begin()
        finish()
        return size

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
