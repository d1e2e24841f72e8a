"""The writer's lease in Redis: of several replicas one writes, and a store refuses those that wrote before it.

Who holds the lease has a fencing token, a number above that of every holder before. A holder that was stopped for longer than
its lease, and does not know it, is refused by a store that has seen a larger token.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from riskkit._check import InputError, positive, whole_number
from riskkit._fork import new_lock
from riskkit.service.redis_client import connect, failures
from riskkit.service.redis_keys import lease_key

ACQUIRE = """
if redis.call('exists', KEYS[1]) == 1 then return 0 end
local token = math.max(tonumber(redis.call('get', KEYS[2]) or '0'), tonumber(ARGV[2])) + 1
redis.call('set', KEYS[2], string.format('%d', token))
redis.call('set', KEYS[1], string.format('%d', token), 'PX', ARGV[1])
return token
"""
RENEW = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"
RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"


class WriterLease:
    """The right to write for an engine, for some seconds at a time.

    `is_held` compares two numbers: the path of a decision never waits for Redis. The lease ends, for its holder, when the time
    since the last answered renewal is over, so before it ends in Redis, by clocks that run equally fast.

    Parameters
    ----------
    url : str
        redis://HOST:PORT/DATABASE.
    engine : str
        Name of the engine; the lease is riskkit:ENGINE:writer.
    seconds : float
        Time after which another may have it, if it is not renewed.
    timeout : float
        Seconds after which an attempt has failed.

    Attributes
    ----------
    token : int
        The fencing token; 0 before the first.
    seconds : float
        As given.

    Examples
    --------
    >>> lease = WriterLease("redis://127.0.0.1:1/0")  # nothing listens there
    >>> lease.acquire(), lease.is_held()
    (False, False)
    """

    def __init__(self, url: str, engine: str = "main", *, seconds: float = 10.0, timeout: float = 0.5) -> None:
        self._client, self._failures = connect(url, timeout), failures()
        key = lease_key(engine)
        self._keys = [key, f"{key}:token"]
        self.seconds = positive(seconds, "seconds")
        if seconds < 2 * timeout:
            raise InputError(f"seconds={seconds} is too short for a timeout of {timeout} s; give twice as much or more")
        self._scripts = [self._client.register_script(text) for text in (ACQUIRE, RENEW, RELEASE)]
        self.token, self._until, self._answered = 0, float("-inf"), False
        self._changing = new_lock()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self, floor: int = 0) -> bool:
        """Take the lease if nobody has it; return whether it was taken.

        Parameters
        ----------
        floor : int
            The largest token that a store has seen: the new one is above it even if Redis has lost all.
        """
        start = time.monotonic()
        token = self._call(0, self._milliseconds, whole_number(floor, "floor", at_least=0))
        if not token:
            return False
        self.token, self._until = token, start + self.seconds
        return True

    def retake(self, floor: int) -> bool:
        """Give the lease back and take it with a token above `floor`; return whether it is held."""
        with self._changing:
            self._call(2, self.token)
            return self.acquire(floor)

    def renew(self) -> bool:
        """Prolong the lease; return whether it is held. Once lost it is not renewed: `acquire` gives another token."""
        with self._changing:
            return self._renew()

    def _renew(self) -> bool:
        start = time.monotonic()
        if not self.is_held():
            return False
        if self._call(1, self.token, self._milliseconds):
            self._until = start + self.seconds
        elif self._answered:
            self._until = float("-inf")
        return self.is_held()

    def is_held(self) -> bool:
        """Whether this is certainly the only holder."""
        return time.monotonic() < self._until

    def keep(self, on_loss: Callable[[], Any] | None = None) -> None:
        """Renew it in the background, three times in its life; `on_loss` is called, in that thread, when it is lost."""
        self._thread = threading.Thread(target=self._keep, args=(on_loss,), name="riskkit lease", daemon=True)
        self._thread.start()

    def _keep(self, on_loss: Callable[[], Any] | None) -> None:
        while not self._ending.wait(self.seconds / 3):
            if not self.renew():
                if on_loss is not None:
                    on_loss()
                return

    def release(self) -> None:
        """Give it to the next at once, if Redis answers; else it lapses."""
        self._ending.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        if self.is_held():
            self._until = float("-inf")
            self._call(2, self.token)
        self._client.close()

    @property
    def _milliseconds(self) -> int:
        return int(1_000 * self.seconds)

    def _call(self, script: int, *args: int) -> int:
        """The answer of a script, 0 if there is none."""
        try:
            found = int(self._scripts[script](keys=self._keys, args=list(args)))
            self._answered = True
        except self._failures:
            found, self._answered = 0, False
        return found

    def __repr__(self) -> str:
        return f"WriterLease({self._keys[0]!r}, token={self.token}, held={self.is_held()})"
