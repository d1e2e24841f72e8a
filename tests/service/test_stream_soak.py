"""Load for a while, with limits that change, workers that are killed or restarted, and a broker that falls silent.

`make soak` runs it for an hour at 2,000 events a second, in compiled loops; `make fuzz` for seconds. What is asserted of it in the
usual run, where a busy machine would decide, is in `test_stream_worker.py`.
"""

import itertools
import json
import os
import random
import signal
import time
from array import array
from zlib import crc32

import numpy as np
import pytest
from service.stream_parts import START, messages, prices
from service.stream_workers import Workers

from riskkit.replay.live.open_journal import open_journal
from riskkit.replay.run.replay_log import replay_log
from riskkit.service.stream.ingest import Ingest

confluent_kafka = pytest.importorskip("confluent_kafka", reason="confluent_kafka comes with the extra 'kafka'")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("broker")]
PARTITIONS = 4
SECONDS = float(os.environ.get("SOAK_SECONDS", "3"))
RATE = int(os.environ.get("SOAK_RATE", "200"))
EVERY = float(os.environ.get("SOAK_EVERY", "1"))  # seconds between two disturbances
LIMITED = {"kind": "limits", "who": "soak", "why": "to change them"}


class Told:
    """Checksums of the decisions by partition and offset; a second one of the same place must be the same."""

    def __init__(self, broker: str, topic: str) -> None:
        own = {"group.id": "reader", "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        self.consumer = confluent_kafka.Consumer({"bootstrap.servers": broker, **own})
        self.consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        self.sums = [array("q") for _ in range(PARTITIONS)]
        self.missing = [set[int]() for _ in range(PARTITIONS)]
        self.again = 0

    def read(self) -> int:
        """Read what is there, and return how many different decisions there are."""
        while found := self.consumer.consume(5000, 0.05):
            for message in found:
                if message.error() is None:
                    self._check(*map(int, message.key().split(b":")), crc32(message.value()))
        return sum(map(len, self.sums)) - sum(map(len, self.missing))

    def _check(self, number: int, offset: int, value: int) -> None:
        sums, missing = self.sums[number], self.missing[number]
        missing.update(range(len(sums), offset + 1))
        sums.extend([0] * (offset + 1 - len(sums)))
        if offset in missing:
            missing.discard(offset)
            sums[offset] = value
            return
        self.again += 1
        assert sums[offset] == value, f"the decision {number}:{offset} is told in two ways"


def memory(pid: int) -> int:
    """Resident memory of a process in kB."""
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def test_nothing_is_lost_contradicted_or_kept_in_memory(broker, broker_server, topics, tmp_path, long):
    if not long and "SOAK_SECONDS" not in os.environ:
        pytest.skip("a load for a while: in `make soak`, and in `make fuzz`")
    long = SECONDS > 60
    workers, draw, sent = Workers(broker, topics, tmp_path, plain=not long), random.Random(1), 0
    more = ["--commands", "--horizon", "1min"]
    first, victim = (workers.start(*more, "--name", name) for name in "ab")
    told, sizes = Told(broker, topics[1]), []
    disturbances = itertools.cycle(["limits", "silence", "kill", "restart"])
    with Ingest(broker, topics[0]) as ingest:
        for value in prices():
            ingest.event(json.loads(value))
        began = time.monotonic()
        until = began + EVERY
        while (now := time.monotonic()) < began + SECONDS or sent < RATE * SECONDS:
            behind = min(int((now - began) * RATE), int(RATE * SECONDS)) - sent
            for key, value in messages(sent, behind, accounts=40) if behind > 0 else ():
                ingest._send(key, value.replace(b"%d" % START, b"%d" % (START + sent)), 60)
                sent += 1
            told.read()
            if now < until:
                continue
            until, sizes = now + EVERY, [*sizes, memory(first.pid)]
            disturbance = next(disturbances)
            if disturbance == "limits":
                ingest.event({**LIMITED, "limits": {"size.limit": draw.randrange(50, 150)}})
            elif disturbance == "silence":
                broker_server.silence()
                time.sleep(min(3.0, EVERY / 2))
                broker_server.speak()
            else:
                victim.send_signal(signal.SIGKILL if disturbance == "kill" else signal.SIGTERM)
                victim.wait(60)
                workers.running.remove(victim)
                victim = workers.start(*more, "--name", "b")
        ingest.flush(60)
        accepted = ingest.counts.accepted
        assert ingest.counts.failed == 0
    until = time.monotonic() + 120
    while told.read() < accepted:
        assert time.monotonic() < until, (accepted, told.read(), (tmp_path / "log").read_text()[-3000:])
    workers.stop()
    events = 0
    for number in range(PARTITIONS):
        journal = open_journal(workers.state / f"{topics[0]}-{number:05d}")
        events += len(journal.log)
        again = replay_log(journal.log, journal.history, journal.mode, compiled=long, **journal.options)
        assert again.digest == journal.digest
        assert len(journal.history.changes) > 0 or SECONDS < EVERY
    assert events > 0.8 * accepted
    if SECONDS > 600:  # memory is flat
        assert np.median(sizes[-len(sizes) // 4 :]) < 1.2 * np.median(sizes[len(sizes) // 4 : len(sizes) // 2])
