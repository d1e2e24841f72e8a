"""A cache of metrics, positions and the state of a desk in Redis, written in the background.

A call puts a value into a bounded table and returns; one thread writes what has come together, in one pipeline. A newer value
of a key replaces one that waits. If Redis is away, slow or full, values wait; beyond the bound the oldest is dropped and
counted, and one that has outlived its time is not written as if it were new.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, NamedTuple

from riskkit._check import InputError, whole_number
from riskkit._fork import lock_of
from riskkit.service.redis_client import connect, failures
from riskkit.service.redis_keys import DESK, METRICS, POSITIONS, CacheKey

TOGETHER = 1_000  # entries of one pipeline
FIRST_WAIT, LONGEST_WAIT = 0.05, 2.0  # seconds between two attempts
logger = logging.getLogger("riskkit.service")


class CacheCounts(NamedTuple):
    """What became of the values of a cache.

    Parameters
    ----------
    written : int
        In Redis.
    replaced : int
        By a newer value, before they were written.
    dropped : int
        Because too many keys waited.
    expired : int
        Waited longer than they may live.
    failures : int
        Attempts that failed.
    waiting : int
        Not written yet.
    """

    written: int = 0
    replaced: int = 0
    dropped: int = 0
    expired: int = 0
    failures: int = 0
    waiting: int = 0


class _Entry(NamedTuple):
    data: bytes
    until: float | None  # on the clock of time.monotonic


class RedisCache:
    """Writer of the cache; safe under threads, and no call of it waits for Redis.

    Parameters
    ----------
    url : str
        redis://HOST:PORT/DATABASE.
    most : int
        Number of keys that may wait.
    timeout : float
        Seconds after which an attempt has failed.

    Examples
    --------
    >>> cache = RedisCache("redis://127.0.0.1:1/0")  # nothing listens there
    >>> cache.put_metrics("ann", {"var_95": 1200.5})
    >>> cache.put_metrics("ann", {"var_95": 1250.0})
    >>> cache.counts.replaced + cache.counts.failures > 0
    True
    >>> cache.close(timeout=0.0)
    False
    """

    def __init__(self, url: str, *, most: int = 10_000, timeout: float = 0.5) -> None:
        self._client, self._failures = connect(url, timeout), failures()
        self._most = whole_number(most, "most")
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._counts = dict.fromkeys(CacheCounts._fields, 0)
        self._changed = lock_of(self, threading.Condition)
        self._ending = threading.Event()
        self._start()

    def _start(self) -> None:
        self._writing = 0
        self._thread = threading.Thread(target=self._run, name="riskkit redis cache", daemon=True)
        self._thread.start()

    def _after_fork(self, torn: bool) -> None:
        """In a forked child: begin anew; what waits is written by the parent."""
        self._entries.clear()
        self._start()

    # ------------------------------------------------------------------ values

    def put_metrics(self, user: str, metrics: Any) -> None:
        """Cache the metrics of a user (a mapping, or a record as `UserMetrics`) for 30 s."""
        self._put(METRICS, metrics, user)

    def put_positions(self, user: str, positions: Iterable[Any]) -> None:
        """Cache the positions of a user (mappings, or records as `Position`) for 300 s."""
        self._put(POSITIONS, list(positions), user)

    def put_desk(self, **parts: Any) -> None:
        """Cache parts of the state of a desk until they are replaced; all are checked before one is taken.

        Parameters
        ----------
        **parts
            ``covariance`` and ``stressed``, shape (n_tickers, n_tickers); ``last_prices`` {ticker: price}; ``cash``;
            ``holdings`` {ticker: {"qty": ..., "avg_price": ...}}; ``tickers``, in the order of the matrices.

        Raises
        ------
        InputError
            If a part has another name, or its value cannot be kept.
        """
        for name in parts:
            if name not in DESK:
                raise InputError(f"{name}= is not a part of a desk's state; parts are {', '.join(DESK)}")
        self._take([(DESK[name].of(), _Entry(DESK[name].encode(value), None)) for name, value in parts.items()])

    def _put(self, key: CacheKey, value: Any, user: str) -> None:
        until = None if key.seconds is None else time.monotonic() + key.seconds
        self._take([(key.of(user), _Entry(key.encode(value), until))])

    def _take(self, entries: list[tuple[str, _Entry]]) -> None:
        with self._changed:
            if self._ending.is_set():
                raise InputError("this cache is closed")
            for name, entry in entries:
                self._counts["replaced"] += name in self._entries
                self._entries[name] = entry
                self._entries.move_to_end(name)
            self._drop_oldest()
            self._changed.notify_all()

    def _drop_oldest(self) -> None:
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
            self._counts["dropped"] += 1

    @property
    def counts(self) -> CacheCounts:
        """What became of the values so far."""
        with self._changed:
            return CacheCounts(**{**self._counts, "waiting": len(self._entries) + self._writing})

    # ------------------------------------------------------------------ writing

    def _run(self) -> None:
        wait = FIRST_WAIT
        while (batch := self._batch()) is not None:
            try:
                self._write(batch)
                wait, done = FIRST_WAIT, True
            except self._failures as error:
                if wait == FIRST_WAIT:
                    logger.warning("the cache cannot be written (%s); it is tried again", type(error).__name__)
                done = False
            self._settle(batch, done)
            if not done:
                self._ending.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT)

    def _batch(self) -> list[tuple[str, _Entry]] | None:
        """The oldest entries, once there are any; None at the end."""
        with self._changed:
            while not self._entries:
                if self._ending.is_set():
                    return None
                self._changed.wait()
            batch = [self._entries.popitem(last=False) for _ in range(min(TOGETHER, len(self._entries)))]
            self._writing = len(batch)
            return batch

    def _write(self, batch: list[tuple[str, _Entry]]) -> None:
        now, pipe = time.monotonic(), self._client.pipeline(transaction=False)
        for name, entry in batch:
            if entry.until is None:
                pipe.set(name, entry.data)
            elif entry.until > now:
                pipe.set(name, entry.data, px=max(1, int(1_000 * (entry.until - now))))
        if len(pipe):
            pipe.execute()

    def _settle(self, batch: list[tuple[str, _Entry]], done: bool) -> None:
        """Count what was written, or let it wait again unless a newer value has come."""
        now = time.monotonic()
        with self._changed:
            self._writing = 0
            expired = sum(entry.until is not None and entry.until <= now for _, entry in batch)
            if done:
                self._counts["written"] += len(batch) - expired
                self._counts["expired"] += expired
            else:
                self._counts["failures"] += 1
                for name, entry in reversed(batch):
                    if name in self._entries:
                        self._counts["replaced"] += 1
                    else:
                        self._entries[name] = entry
                        self._entries.move_to_end(name, last=False)
                self._drop_oldest()
            self._changed.notify_all()

    # ------------------------------------------------------------------ end

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until nothing waits; return whether that was so within `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._entries and not self._writing, timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """Write what waits, for at most `timeout` seconds; return whether all was written."""
        done = self.flush(timeout)
        with self._changed:
            self._ending.set()
            if not done:
                self._counts["dropped"] += len(self._entries)
                self._entries.clear()
            self._changed.notify_all()
        self._thread.join()
        self._client.close()
        return done
