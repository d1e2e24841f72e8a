"""Queue and delivery of one channel: bounded, with retries, on request or in a thread.

Adding an alert never waits for a channel: the lock protects the queue only, and alerts beyond its capacity are dropped
and counted. Each channel has its own queue, so that a hanging channel delays no other.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from riskkit._check import one_line, one_of, positive, whole_number
from riskkit._commit import Change, commit
from riskkit._fork import new_lock
from riskkit.desk.alerts.alert import Alert
from riskkit.desk.alerts.channels import AlertChannel
from riskkit.desk.core.records import CheckedRecord, Field, non_negative

STATUSES = ("waiting", "delivered", "failed", "dropped")
OVERFLOWS = ("drop_oldest", "drop_newest")  # without "wait": it would delay a decision
Wait = Callable[[float], Any]
logger = logging.getLogger("riskkit.desk.alerts")


@dataclass(frozen=True, repr=False, eq=False)
class Retry(CheckedRecord):
    """Number of delivery attempts, and the waits between them.

    Parameters
    ----------
    attempts : int
        In total.
    backoff : float
        Seconds before the second attempt.
    factor : float
        Ratio of consecutive waits.

    Examples
    --------
    >>> retry = Retry(attempts=4, backoff=0.5)
    >>> [retry.seconds(attempt) for attempt in (1, 2, 3)]
    [0.5, 1.0, 2.0]
    """

    attempts: Annotated[int, Field(whole_number, "count")] = 3
    backoff: Annotated[float, Field(non_negative, "s")] = 1.0
    factor: Annotated[float, Field(positive, "number")] = 2.0

    def seconds(self, attempt: int) -> float:
        """Seconds to wait after a number of attempts."""
        return self.backoff * self.factor ** (attempt - 1)


@dataclass(slots=True)
class Delivery:
    """Delivery of one alert by one channel; status waiting, delivered, failed or dropped."""

    alert: Alert
    channel: str
    status: str = "waiting"
    attempts: int = 0
    error: str = ""


class DeliveryQueue:
    """Queue of one channel.

    Parameters
    ----------
    name : str
        Of the channel.
    channel : AlertChannel
    capacity : int
        Largest number of waiting alerts.
    overflow : {"drop_oldest", "drop_newest"}
        Alert to drop from a full queue.
    retry : Retry
    wait : function of seconds, optional
        Waits, and returns whether to stop, as `threading.Event.wait`; by default the wait of the thread's event.
    """

    def __init__(
        self, name: str, channel: AlertChannel, capacity: int, overflow: str, retry: Retry, wait: Wait | None
    ) -> None:
        self.name = name
        self.channel = channel
        self.capacity = whole_number(capacity, "capacity")
        self.overflow = one_of(overflow, OVERFLOWS, "overflow")
        self.retry = retry
        self.counts = {"delivered": 0, "failed": 0, "dropped": 0}
        self._wait = wait
        self.lock = new_lock()
        self._changed = new_lock(partial(threading.Condition, self.lock))
        self._queue: deque[Delivery] = deque()
        self._sending: dict[int, Delivery] = {}  # by thread
        self._thread: threading.Thread | None = None
        self._halt = threading.Event()
        self._closing = False

    # ------------------------------------------------------------------ putting in

    def put(self, delivery: Delivery) -> list[Change]:
        """The changes that add a delivery, to be committed under the lock; never blocks on the channel."""
        if len(self._queue) < self.capacity:
            return [(self._queue.append, delivery)]
        if self.overflow == "drop_newest":
            return self._settled(delivery, "dropped")
        return [*self._settled(self._queue[0], "dropped"), (self._queue.popleft,), (self._queue.append, delivery)]

    def wake(self) -> None:
        """Tell the thread that something was added."""
        with self.lock:
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """Number of deliveries in the queue or in progress."""
        with self.lock:
            return len(self._queue) + len(self._sending)

    def untold(self) -> list[str]:
        """Ids of the alerts that are not delivered, the oldest first."""
        with self.lock:
            return [delivery.alert.alert_id for delivery in (*self._sending.values(), *self._queue)]

    def forked(self) -> DeliveryQueue:
        """An empty queue of the same channel, for a forked child: the alerts so far are the parent's."""
        return DeliveryQueue(self.name, self.channel, self.capacity, self.overflow, self.retry, self._wait)

    # ------------------------------------------------------------------ delivering

    def deliver(self) -> int:
        """Deliver the waiting alerts in this thread; return the number delivered."""
        halt, delivered = threading.Event(), 0
        for _ in range(self.waiting):
            delivery = self._next(halt, block=False)
            if delivery is None:
                break
            delivered += self._send(delivery, halt)
        return delivered

    def start(self) -> None:
        """Start delivery in a thread."""
        self._closing, self._halt = False, threading.Event()
        name = f"riskkit alerts: {self.name}"
        self._thread = threading.Thread(target=self._run, args=(self._halt,), name=name, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Stop the thread when the queue is empty."""
        with self.lock:
            self._closing = True
            self._changed.notify_all()

    def halt(self) -> None:
        """Stop the thread after its present call; waits between attempts end now."""
        self._halt.set()
        self.finish()

    def join(self, timeout: float) -> bool:
        """Wait for the thread to end; return whether it did."""
        if self._thread is not None:
            self._thread.join(timeout)
            if self._thread.is_alive():
                return False
            self._thread = None
        return True

    def flush(self, timeout: float) -> bool:
        """Wait for the queue to be empty; return whether it is."""
        with self.lock:
            return self._changed.wait_for(lambda: not self._queue and not self._sending, timeout)

    def _run(self, halt: threading.Event) -> None:
        while (delivery := self._next(halt, block=True)) is not None:
            self._send(delivery, halt)

    def _next(self, halt: threading.Event, block: bool) -> Delivery | None:
        me = threading.get_ident()
        with self.lock:
            if me in self._sending:  # an earlier call of this thread was interrupted
                commit([(self._queue.appendleft, self._sending[me]), (self._sending.pop, me)])
            while block and not self._queue and not self._closing and not halt.is_set():
                self._changed.wait()
            if halt.is_set() or not self._queue:
                return None
            delivery = self._queue[0]
            commit([(self._sending.__setitem__, me, delivery), (self._queue.popleft,)])
            return delivery

    def _send(self, delivery: Delivery, halt: threading.Event) -> bool:
        """Attempt a delivery until it is delivered or failed; an interrupted one returns to the front of the queue."""
        status = "waiting"
        try:
            status = self._attempt(delivery, halt)
        finally:
            with self.lock:
                back = [(self._queue.appendleft, delivery)] if status == "waiting" else self._settled(delivery, status)
                commit([(self._sending.pop, threading.get_ident()), *back])
                self._changed.notify_all()
        if status == "failed":  # outside the lock: logging may be slow
            told = one_line(self.name), one_line(delivery.alert.alert_id), delivery.error
            logger.warning("channel %s: alert %s failed: %s", *told)
        return status == "delivered"

    def _attempt(self, delivery: Delivery, halt: threading.Event) -> str:
        """Make the remaining attempts; return the status."""
        wait = self._wait or halt.wait
        while delivery.attempts < self.retry.attempts:
            if delivery.attempts and (halt.is_set() or wait(self.retry.seconds(delivery.attempts)) or halt.is_set()):
                return "waiting"
            delivery.attempts += 1
            try:
                answer = self.channel(delivery.alert)
                if inspect.isawaitable(answer):
                    _wait_for(answer)
            except (Exception, SystemExit) as error:
                delivery.error = one_line(f"{type(error).__name__}: {error}")
            else:
                return "delivered"
        return "failed"

    def _settled(self, delivery: Delivery, status: str) -> list[Change]:
        return [(setattr, delivery, "status", status), (self.counts.__setitem__, status, self.counts[status] + 1)]


def _wait_for(answer: Any) -> None:
    """Wait for what an asynchronous channel returned, in a thread of its own if this one runs a loop, as a notebook does."""

    async def finish() -> None:
        await answer

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(finish())
        return
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, finish()).result()
