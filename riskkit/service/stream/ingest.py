"""`Ingest`: events into a topic, in batches, from a bounded buffer, tried again until the broker has them."""

from __future__ import annotations

import json
import logging
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from riskkit._check import Duration, InputError, shown, whole_number
from riskkit.replay.schema.durations import duration
from riskkit.service.stream.broker import kafka, partitions_of, settings
from riskkit.service.stream.trade_events import TradeEvent

MOST_FAILED = 1000
STEP = 0.5  # seconds between two looks at a full buffer
logger = logging.getLogger("riskkit")


class BufferFullError(RuntimeError):
    """The buffer is full, because the broker does not take events; the event was not accepted."""


class IngestCounts(NamedTuple):
    """What an `Ingest` has done so far.

    Parameters
    ----------
    accepted : int
        Events in the buffer or beyond.
    delivered : int
        Events that the broker has.
    failed : int
        Events given up after `give_up`; `Ingest.failed` has the last of them.
    refused : int
        Events that are none, or found the buffer full.
    buffered : int
        Events that wait.
    retries : int
        Requests that were sent again.
    markets : dict
        Accepted trade events by dex_source.
    """

    accepted: int
    delivered: int
    failed: int
    refused: int
    buffered: int
    retries: int
    markets: dict[str, int]


class Ingest:
    """A producer of trade events, prices and other events of a session.

    The broker takes an event once, also where a request is sent again. Events of one key stay in order.

    Parameters
    ----------
    brokers : str
        Addresses, as ``host:port,host:port``.
    topic : str
        With a number of partitions that stays: it decides which engine has an account.
    interval : str, int or Timedelta
        Time for which events are gathered into a batch.
    buffer : int
        Most events that wait.
    give_up : str, int or Timedelta
        Time for which an event is tried again.
    properties : dict of str to str, optional
        More properties of the client library, as for TLS.

    Raises
    ------
    InputError
        If no broker answers, or there is no such topic.
    """

    def __init__(
        self,
        brokers: str,
        topic: str = "trade-events",
        *,
        interval: Duration = "10ms",
        buffer: int = 100_000,
        give_up: Duration = "5min",
        properties: Mapping[str, str] | None = None,
    ) -> None:
        library = kafka()
        self._topic = topic
        self._producer = library.Producer(
            settings(
                brokers, properties or {}, enable_idempotence=True, compression_type="lz4",
                linger_ms=duration(interval, "interval") / 1e6,
                queue_buffering_max_messages=whole_number(buffer, "buffer"),
                delivery_timeout_ms=duration(give_up, "give_up", zero=False) // 1_000_000,
                statistics_interval_ms=500,
            )
            | {"stats_cb": self._statistics},
            logger=logger,
        )  # fmt: skip
        self._partitions = partitions_of(self._producer, topic)
        self._accepted = self._delivered = self._given_up = self._refused = self._retries = 0
        self._markets: Counter[str] = Counter()
        self.failed: deque[tuple[str, bytes]] = deque(maxlen=MOST_FAILED)

    # ------------------------------------------------------------------ events

    def trade(self, event: TradeEvent | Mapping[str, Any], *, wait: float = 0.0) -> None:
        """Send a trade event, by its user.

        Parameters
        ----------
        event : TradeEvent, or mapping of its fields
        wait : float
            Seconds to wait for room in the buffer.

        Raises
        ------
        InputError
            If it is no trade event.
        BufferFullError
            If there is no room.
        """
        try:
            found = event if isinstance(event, TradeEvent) else TradeEvent.of(event)
        except InputError:
            self._refused += 1
            raise
        self._send(found.user_id, found.message(), wait)
        self._markets[found.dex_source] += 1

    def event(self, fields: Mapping[str, Any], *, wait: float = 0.0) -> None:
        """Send an event of a live session by its account, or to all partitions if it has none, as a price.

        Numbers may be Decimals or texts; errors as of `trade`. What does not fit is told by the decision.
        """
        try:
            value = json.dumps(dict(fields), separators=(",", ":"), default=str, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            self._refused += 1
            raise InputError(f"fields={shown(fields)} are no event: {error}") from None
        account = fields.get("account")
        if account is not None:
            self._send(str(account), value, wait)
            return
        for partition in range(self._partitions):
            self._send(None, value, wait, partition)

    def _send(self, key: str | None, value: bytes, wait: float, partition: int = -1) -> None:
        for last in [False] * int(wait / STEP) + [True]:
            try:
                self._producer.produce(self._topic, value, key, partition=partition, on_delivery=self._told)
                self._accepted += 1
                break
            except BufferError:
                if last:
                    self._refused += 1
                    raise BufferFullError(
                        f"{len(self._producer)} events wait for {self._topic!r}; the broker does not take them: wait, or "
                        "send this one again later"
                    ) from None
                self._producer.poll(STEP)
        self._producer.poll(0)

    def flush(self, timeout: float = 30.0) -> int:
        """Wait until the broker has all events, and return how many it does not have yet."""
        return int(self._producer.flush(timeout))

    def close(self) -> None:
        """Flush."""
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # ------------------------------------------------------------------ statistics

    @property
    def counts(self) -> IngestCounts:
        """Statistics so far."""
        self._producer.poll(0)
        return IngestCounts(
            self._accepted, self._delivered, self._given_up, self._refused, len(self._producer), self._retries,
            dict(self._markets),
        )  # fmt: skip

    def _told(self, error: Any, message: Any) -> None:
        if error is None:
            self._delivered += 1
        else:
            self._given_up += 1
            self.failed.append((error.str(), message.value()))

    def _statistics(self, text: str) -> None:
        brokers = json.loads(text).get("brokers", {})
        self._retries = sum(one.get("txretries", 0) for one in brokers.values())
