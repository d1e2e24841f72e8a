"""Answers once they are on disk: all requests of a turn of the loop share one flush, and the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from riskkit.service.audit import Audit
from riskkit.service.engine import EngineService

LOST = "the writer's lease is lost; another server may write now"
SOON = 0.02  # seconds after which events that nobody waits for are written
logger = logging.getLogger("riskkit")


class BusyError(Exception):
    """As many requests wait for the disk as may."""


class BrokenError(Exception):
    """An earlier flush has failed; nothing more is decided."""


class Turns:
    """Group commits of one engine, all begun in the thread of the loop.

    Parameters
    ----------
    engine : EngineService
    waits : bool
        True: `durable` is done when the events so far are on disk. False: at once.
    most : int
        Number of requests that may wait.
    audit : Audit, optional
        Gets a line for each key and commit.

    Attributes
    ----------
    may_write : callable
        Whether this server is the writer, asked before each request and each write.
    broken : str
        Why nothing more is decided; empty where all is well.
    """

    def __init__(self, engine: EngineService, *, waits: bool, most: int, audit: Audit | None = None) -> None:
        self.engine, self.waits, self.most = engine, waits, most
        self.broken = ""
        self.may_write: Callable[[], bool] = lambda: True
        self.commits = self.full = 0
        self._audit = audit
        self._sent: dict[str, list[int]] = {}  # numbers of events, by key
        # each waits by a future of its own: one that all share needs a shield, which costs what a decision does
        self._next: list[asyncio.Future[None]] | None = None  # who waits for the next commit; None: nothing was sent
        self._flushed = 0  # number of those who wait for the present one
        self._flushing: asyncio.Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, "riskkit-flush")

    @property
    def waiting(self) -> int:
        """Number of requests that wait."""
        return self._flushed + len(self._next or ())

    def admit(self) -> None:
        """Refuse a request before anything of it is decided, if it could not be answered.

        Raises
        ------
        BusyError, BrokenError
            If the queue is full; if a flush has failed.
        """
        if not self.may_write():
            self.broken = self.broken or LOST
        if self.broken:
            raise BrokenError(self.broken)
        if self.waiting >= self.most:
            self.full += 1
            raise BusyError

    def durable(self, key: str, seq: int, *, spoken: bool = False) -> Awaitable[None] | None:
        """What to wait for before the event `seq` of a key is answered; None: nothing.

        `spoken`: a rule said something, which followers get once it is on disk, so that it is written at once.
        """
        self._sent.setdefault(key, []).append(seq)
        loop = asyncio.get_running_loop()
        first = self._next is None
        if self._next is None:
            self._next = []
        if first or spoken:
            loop.call_later(0.0 if self.waits or spoken else SOON, self._begin)
        if not self.waits:
            return None
        done = loop.create_future()
        self._next.append(done)
        return done

    def _begin(self) -> None:
        """Begin the commit of all that has been decided so far, unless one is at work, whose end begins the next."""
        if self._next is None or self._flushing is not None:
            return
        waiters, self._next = self._next, None
        sent, self._sent = self._sent, {}
        self.commits += 1
        loop = asyncio.get_running_loop()
        try:
            if not self.may_write():
                raise BrokenError(LOST)
            finish = self.engine.begin_commit()
        except Exception as error:
            self._fail(waiters, error)
            return
        if self._audit is not None:
            for key, numbers in sent.items():
                self._audit.note(key=key, events=len(numbers), first=min(numbers), last=max(numbers))
        self._flushed = len(waiters)
        self._flushing = flushing = loop.run_in_executor(self._thread, finish)
        flushing.add_done_callback(lambda found: self._end(found, waiters))

    def _end(self, flushing: asyncio.Future[None], waiters: list[asyncio.Future[None]]) -> None:
        self._flushing, self._flushed = None, 0
        error = flushing.exception()
        if error is not None:
            self._fail(waiters, error)
        for done in waiters:
            if not done.done():
                done.set_result(None)
        if self._next is not None:
            self._begin()

    def _fail(self, waiters: list[asyncio.Future[None]], error: BaseException) -> None:
        logger.error("the journal cannot be written: %s", error)
        self.broken = self.broken or f"the journal cannot be written: {error}"
        for done in waiters:
            if not done.done():
                done.set_exception(BrokenError(self.broken))
                done.exception()  # nobody may look at it: `broken` tells the error too

    async def close(self) -> None:
        """Wait until all that was decided is on disk."""
        self._begin()
        while self._flushing is not None:
            await asyncio.wait([self._flushing])
            await asyncio.sleep(0)
        self._thread.shutdown()
