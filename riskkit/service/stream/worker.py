"""A worker of a consumer group: messages in, decisions out, each once in effect.

The broker may be any that gives a partition's messages in order. What makes repeats harmless is that a decision depends on
the messages of its partition up to it alone, and is named by partition and offset:

1. decide a batch in memory; 2. produce the decisions and wait until the broker has them; 3. write events and offset to
the partition's folder in one frame; 4. commit the offset to the group.

Killed before 3, the next owner decides the same messages again, in the same words. Killed after 3, nothing is missing. An
owner without the folder decides from the first message on, and tells what is beyond the group's offset.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from riskkit._check import InputError
from riskkit.replay.results.decisions import DecisionKind
from riskkit.service.metrics import Metrics
from riskkit.service.stream.broker import TIMEOUT, kafka, partitions_of, settings
from riskkit.service.stream.messages import Taken
from riskkit.service.stream.partition import Partition, Setup

STEP = 1.0  # seconds between two looks at what a batch waits for
logger = logging.getLogger("riskkit")


class StreamError(RuntimeError):
    """The broker has not what the state needs, or did not take decisions; a supervisor starts the worker again."""


class Worker:
    """A member of a consumer group that has an engine for each partition it owns.

    Parameters
    ----------
    setup : Setup
    brokers : str
        Addresses, as ``host:port,host:port``.
    source, target : str
        Topics of events and of decisions; the second has at least as many partitions as the first.
    group : str
        Name of the consumer group.
    name : str
        Name of this member, the same after a restart: its partitions are kept for it meanwhile.
    batch : int
        Most messages that are decided before they are told and kept.
    properties : dict of str to str, optional
        More properties of the client library, as for TLS.

    Raises
    ------
    InputError
        If the broker or a topic is not there, or the topics do not fit.
    """

    def __init__(
        self,
        setup: Setup,
        brokers: str,
        source: str,
        target: str,
        *,
        group: str = "riskkit",
        name: str = "",
        batch: int = 1000,
        properties: dict[str, str] | None = None,
    ) -> None:
        library = kafka()
        self._errors = library.KafkaException
        self._at: Any = library.TopicPartition
        self._setup, self._source, self._target, self._batch = setup, source, target, batch
        self.metrics = Metrics(self._refresh)
        self.partitions: dict[int, Partition] = {}
        self._undelivered: list[str] = []
        self._stopped = False
        more = properties or {}
        self._producer = library.Producer(
            settings(brokers, more, enable_idempotence=True, linger_ms=5, compression_type="lz4"), logger=logger
        )
        self._count = partitions_of(self._producer, source)
        if (room := partitions_of(self._producer, target)) < self._count:
            raise InputError(
                f"topic {target!r} has {room} partitions, and {source!r} has {self._count}; a decision is in the "
                "partition of its event: give the first as many"
            )
        member = {"group_instance_id": name} if name else {}
        self._consumer = library.Consumer(
            settings(
                brokers, more, group_id=group, enable_auto_commit=False, auto_offset_reset="error",
                isolation_level="read_committed", partition_assignment_strategy="cooperative-sticky",
                session_timeout_ms=10_000, heartbeat_interval_ms=1_000, **member,
            ),
            logger=logger,
        )  # fmt: skip
        self._consumer.subscribe([source], on_assign=self._assign, on_revoke=self._revoke, on_lost=self._revoke)

    # ------------------------------------------------------------------ the loop

    def run(self) -> None:
        """Work until `stop`, or until something fails; then give the partitions back."""
        try:
            while not self._stopped:
                self.step()
        finally:
            self.close()

    def stop(self, *_: Any) -> None:
        """End `run` after the present batch; it may be a handler of a signal."""
        self._stopped = True

    def step(self, timeout: float = 0.2) -> int:
        """Decide what has come, at most one batch, and return the number of messages."""
        messages = self._consumer.consume(self._batch, timeout)
        self.metrics.ready = 1
        touched: dict[int, Partition] = {}
        for message in messages:
            if message.error() is not None:
                self._failed(message.error())
                continue
            number, offset = message.partition(), message.offset()
            partition = self.partitions.get(number)
            if partition is None or offset < partition.offset:
                continue
            began = time.perf_counter()
            taken = partition.take(offset, message.value())
            self._count_in(taken, time.perf_counter() - began, message)
            touched[number] = partition
            if offset >= partition.told:
                self._produce(number, f"{number}:{offset}", taken.message(number, offset))
        if touched:
            self._flush()
            for partition in touched.values():
                partition.commit()
                partition.told = max(partition.told, partition.offset)
                self.metrics.commits += 1
            self._commit(touched)
        return len(messages)

    def close(self) -> None:
        """Leave the group, and give the folders free."""
        try:
            self._consumer.close()  # gives the partitions back
        finally:
            for number in list(self.partitions):
                self.partitions.pop(number).close()

    # ------------------------------------------------------------------ decisions

    def _produce(self, number: int, key: str, value: bytes) -> None:
        while True:
            try:
                return self._producer.produce(
                    self._target, value, key, partition=number, on_delivery=self._delivered
                )  # fmt: skip
            except BufferError:
                self._producer.poll(STEP)

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self._undelivered.append(f"{message.key().decode()}: {error.str()}")

    def _flush(self) -> None:
        """Wait until the broker has all decisions; the library tries again as long as it is not there."""
        while self._producer.flush(STEP):
            pass
        if self._undelivered:
            raise StreamError(f"{len(self._undelivered)} decisions were not taken, as {self._undelivered[0]}")

    def _commit(self, touched: dict[int, Partition]) -> None:
        """Tell the group how far the output is; where that fails, the next batch does, or decisions are told again."""
        offsets = [self._at(self._source, number, partition.told) for number, partition in touched.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except self._errors as error:
            logger.warning("offsets are not committed: %s", error.args[0].str())

    def _failed(self, error: Any) -> None:
        """Go on after an error that passes, and end after one that does not."""
        if error.name() == "_AUTO_OFFSET_RESET":
            raise StreamError(
                f"{self._source!r} has not the message that an engine needs next ({error.str()}): restore the topic, or the "
                "engine's folder from a copy"
            )
        if error.fatal() or error.name() == "TOPIC_AUTHORIZATION_FAILED":
            raise StreamError(f"the broker says: {error.str()}")
        logger.warning("the broker says: %s", error.str())

    # ------------------------------------------------------------------ partitions

    def _assign(self, consumer: Any, assigned: list[Any]) -> None:
        """Open the engine of each partition, and read on from its own offset."""
        told = {part.partition: part.offset for part in consumer.committed(assigned, TIMEOUT)}
        for part in assigned:
            number = part.partition
            partition = Partition(self._setup, self._source, number, self._count)
            self.partitions[number] = partition
            partition.told = max(partition.offset, told.get(number, 0))
            part.offset = partition.offset
            logger.info("partition %d: from %d, told up to %d", number, partition.offset, partition.told)
        consumer.incremental_assign(assigned)

    def _revoke(self, consumer: Any, revoked: list[Any]) -> None:
        """Close the engines of partitions that others get; all that was decided is committed."""
        for part in revoked:
            partition = self.partitions.pop(part.partition, None)
            if partition is not None:
                partition.close()
        consumer.incremental_unassign(revoked)

    # ------------------------------------------------------------------ metrics

    def _count_in(self, taken: Taken, seconds: float, message: Any) -> None:
        metrics = self.metrics
        metrics.calculations += 1
        metrics.durations.observe(seconds)
        if taken.error is not None:
            metrics.bad_events += 1
            return
        metrics.orders["passed" if taken.passed else "refused"] += 1
        said = sum(action.action is not DecisionKind.REJECT for action in taken.actions)
        sent = message.timestamp()[1] / 1000
        metrics.event_age = max(0.0, time.time() - sent)
        if said:
            metrics.alerts += said
            metrics.alert_latency.observe(metrics.event_age, said)

    def _refresh(self, metrics: Metrics) -> None:
        """Look up what is not counted with each message."""
        owned = list(self.partitions.items())
        metrics.look_up(*(partition.session for _, partition in owned))
        for number, partition in owned:
            _, high = self._consumer.get_watermark_offsets(self._at(self._source, number), cached=True)
            metrics.stream_lag[str(number)] = max(0, high - partition.offset)
