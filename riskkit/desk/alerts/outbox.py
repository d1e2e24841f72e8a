"""One channel's queue and its delivery: bounded, retried, in a thread of its own or when asked.

Putting an alert in never waits for a channel: the lock is held for the queue alone, and what does not fit is dropped
and counted. Each channel has its own queue, so one that hangs holds up no other.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from riskkit._check import one_of, positive, whole_number
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.fields import Record, at_least_zero

__all__ = ["OVERFLOWS", "Delivery", "Outbox", "Retry"]

OVERFLOWS = ("drop_oldest", "drop_newest")  # waiting for room is not among them: it would delay a decision
Wait = Callable[[float], Any]
logger = logging.getLogger("riskkit.desk.alerts")


@dataclass(frozen=True, repr=False, eq=False)
class Retry(Record):
    """How often a delivery is tried, and how long is waited in between.

    Parameters
    ----------
    attempts : int
        In all; 1 tries once.
    backoff : float
        Seconds before the second attempt.
    factor : float
        By which each further wait is longer.

    Examples
    --------
    >>> retry = Retry(attempts=4, backoff=0.5)
    >>> [retry.seconds(attempt) for attempt in (1, 2, 3)]
    [0.5, 1.0, 2.0]
    """

    attempts: int = 3
    backoff: float = 1.0
    factor: float = 2.0

    _checks: ClassVar = {"attempts": whole_number, "backoff": at_least_zero, "factor": positive}

    def seconds(self, attempt: int) -> float:
        """The wait after so many attempts."""
        return self.backoff * self.factor ** (attempt - 1)


@dataclass(slots=True)
class Delivery:
    """What became of one alert on one channel: waiting, delivered, failed or dropped."""

    alert: Alert
    channel: str
    status: str = "waiting"
    attempts: int = 0
    error: str = ""


class Outbox:
    """The queue before one channel.

    Parameters
    ----------
    name : str
        Of the channel.
    channel : function of an alert
        Delivers it, or raises.
    capacity : int
        Alerts that may wait.
    overflow : {"drop_oldest", "drop_newest"}
        Which one is dropped when one more comes.
    retry : Retry
        Attempts and waits.
    wait : function of seconds, optional
        Waits, and says whether to stop (as `threading.Event.wait`); by default that of the thread's own event.
    """

    def __init__(
        self, name: str, channel: Callable[[Alert], Any], capacity: int, overflow: str, retry: Retry, wait: Wait | None
    ) -> None:
        self.name = name
        self.channel = channel
        self.capacity = whole_number(capacity, "capacity")
        self.overflow = one_of(overflow, OVERFLOWS, "overflow")
        self.retry = retry
        self.counts = {"delivered": 0, "failed": 0, "dropped": 0}
        self._wait = wait
        self._changed = threading.Condition()
        self._queue: deque[Delivery] = deque()
        self._busy = 0
        self._thread: threading.Thread | None = None
        self._halt = threading.Event()
        self._closing = False

    # ------------------------------------------------------------------ putting in

    def put(self, delivery: Delivery) -> None:
        """Let a delivery wait its turn; never blocks on the channel."""
        with self._changed:
            if len(self._queue) >= self.capacity:
                lost = delivery if self.overflow == "drop_newest" else self._queue.popleft()
                self._settle(lost, "dropped")
                if lost is delivery:
                    return
            self._queue.append(delivery)
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Deliveries that are in the queue or under way."""
        with self._changed:
            return len(self._queue) + self._busy

    # ------------------------------------------------------------------ delivering

    def deliver(self) -> int:
        """Deliver what waits now, in this thread; return how many were delivered."""
        halt, delivered = threading.Event(), 0
        for _ in range(len(self._queue)):
            delivery = self._next(halt, block=False)
            if delivery is None:
                break
            delivered += self._send(delivery, halt)
        return delivered

    def start(self) -> None:
        """Begin to deliver in a thread."""
        self._closing, self._halt = False, threading.Event()
        name = f"riskkit alerts: {self.name}"
        self._thread = threading.Thread(target=self._run, args=(self._halt,), name=name, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Let the thread end once the queue is empty."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def halt(self) -> None:
        """Let the thread end after the call that it is in; waits between attempts end now."""
        self._halt.set()
        self.finish()

    def join(self, timeout: float) -> bool:
        """Whether the thread has ended, within so many seconds."""
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
            self._thread = None
        return True

    def flush(self, timeout: float) -> bool:
        """Whether nothing waits any more, within so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._busy, timeout)

    def _run(self, halt: threading.Event) -> None:
        while (delivery := self._next(halt, block=True)) is not None:
            self._send(delivery, halt)

    def _next(self, halt: threading.Event, block: bool) -> Delivery | None:
        with self._changed:
            while block and not self._queue and not self._closing and not halt.is_set():
                self._changed.wait()
            if halt.is_set() or not self._queue:
                return None
            self._busy += 1
            return self._queue.popleft()

    def _send(self, delivery: Delivery, halt: threading.Event) -> bool:
        """Try until it is delivered or failed; where that is broken off, it waits at its place again."""
        status = "waiting"
        try:
            status = self._tried(delivery, halt)
        finally:
            with self._changed:
                self._busy -= 1
                if status == "waiting":
                    self._queue.appendleft(delivery)
                else:
                    self._settle(delivery, status)
                self._changed.notify_all()
        if status == "failed":  # said outside the lock: a log may be slow
            logger.warning("channel %s: alert %s failed: %s", self.name, delivery.alert.alert_id, delivery.error)
        return status == "delivered"

    def _tried(self, delivery: Delivery, halt: threading.Event) -> str:
        """What became of a delivery, after as many attempts as are left to it."""
        wait = self._wait or halt.wait
        while delivery.attempts < self.retry.attempts:
            if delivery.attempts and (halt.is_set() or wait(self.retry.seconds(delivery.attempts)) or halt.is_set()):
                return "waiting"
            delivery.attempts += 1
            try:
                self.channel(delivery.alert)
            except (Exception, SystemExit) as error:
                delivery.error = f"{type(error).__name__}: {error}"
            else:
                return "delivered"
        return "failed"

    def _settle(self, delivery: Delivery, status: str) -> None:
        delivery.status = status
        self.counts[status] += 1
