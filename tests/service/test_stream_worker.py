"""Workers of a consumer group at a real broker: killed at any point, nothing is lost and nothing is told in two ways."""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from service.brokers import new_topic, read_all
from service.servers import PATIENCE, free_port
from service.stream_parts import digest_of, messages, prices, setup
from service.stream_workers import Workers

from riskkit import InputError
from riskkit.replay.live.open_journal import open_journal
from riskkit.service.stream import broker as stream_broker
from riskkit.service.stream.ingest import Ingest
from riskkit.service.stream.worker import StreamError, Worker

Producer = pytest.importorskip("confluent_kafka", reason="confluent_kafka comes with the extra 'kafka'").Producer
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("broker")]
PARTITIONS = 4


@pytest.fixture
def workers(broker, topics, tmp_path):
    found = Workers(broker, topics, tmp_path)
    yield found
    found.stop()


def told_so_far(broker, topic):
    return sum(map(len, read_all(broker, topic, PARTITIONS).values()))


def send(broker, topic, seed, count):
    with Ingest(broker, topic, interval="1ms") as ingest:
        if seed == 0:
            for value in prices():
                ingest.event(json.loads(value))
        for key, value in messages(seed, count, accounts=40):
            ingest._send(key, value, PATIENCE)
    counts = ingest.counts
    assert (counts.delivered, counts.failed, counts.buffered) == (counts.accepted, 0, 0)
    return counts.accepted


def test_killed_at_any_point_nothing_is_lost_and_nothing_contradicts(workers, broker, topics, long):
    draw, total = random.Random(5), 0
    workers.start()
    victim = workers.start()
    for seed in range(8 if long else 1):
        total += send(broker, topics[0], seed, 500)
        until = time.monotonic() + PATIENCE
        while told_so_far(broker, topics[1]) < total - draw.randrange(100, 400):
            assert time.monotonic() < until, Path(workers.log.name).read_text()[-3000:]
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        workers.running.remove(victim)
        victim = workers.start()
    until = time.monotonic() + PATIENCE
    while len({key for part in read_all(broker, topics[1], PARTITIONS).values() for key, _ in part}) < total:
        assert time.monotonic() < until, Path(workers.log.name).read_text()[-3000:]
    workers.stop()
    events, decisions = (read_all(broker, topic, PARTITIONS) for topic in topics)
    for number, told in decisions.items():
        values = [value for _, value in events[number]]
        digest, expected = digest_of(workers.state.parent / "twin", number, topics[0], values)
        assert {key.decode(): value for key, value in told} == {
            f"{number}:{offset}": value for offset, value in enumerate(expected)
        }
        assert set(told) == {(f"{number}:{offset}".encode(), value) for offset, value in enumerate(expected)}
        assert open_journal(workers.state / f"{topics[0]}-{number:05d}").digest == digest


def test_the_command_says_its_start_and_its_end_as_json(workers, broker, topics):
    total = send(broker, topics[0], 0, 60)
    workers.start("--json")
    until = time.monotonic() + PATIENCE
    while told_so_far(broker, topics[1]) < total:
        assert time.monotonic() < until, Path(workers.log.name).read_text()[-3000:]
    workers.stop()
    said = Path(workers.log.name).read_text().splitlines()
    started, ended = (json.loads(line) for line in said if line.startswith("{"))
    about = {"brokers": broker, "in": topics[0], "out": topics[1], "state": str(workers.state.resolve())}
    assert started == {"event": "started", **about, "rules": ["size", "rate", "day"]}
    assert ended == {"event": "ended", "events": total}


@pytest.fixture
def worker(broker, topics, tmp_path):
    found = Worker(setup(tmp_path / "state"), broker, *topics, group=topics[0])
    yield found
    found.close()


def step_until(worker, done):
    until = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < until
        worker.step()


def test_a_worker_without_its_state_decides_again_and_tells_only_what_is_new(worker, broker, topics, tmp_path):
    count = send(broker, topics[0], 0, 60)
    step_until(worker, lambda: worker.metrics.calculations == count)
    worker.close()
    count += send(broker, topics[0], 1, 30)
    other = Worker(setup(tmp_path / "elsewhere"), broker, *topics, group=topics[0])
    step_until(other, lambda: other.metrics.calculations == count)
    other.close()
    assert told_so_far(broker, topics[1]) == count
    for number in range(PARTITIONS):
        folder = f"{topics[0]}-{number:05d}"
        first, second = (open_journal(tmp_path / state / folder) for state in ("state", "elsewhere"))
        assert len(second.log) > len(first.log) > 0


def test_a_silent_broker_is_waited_for(worker, broker, broker_server, topics):
    count = send(broker, topics[0], 0, 40)
    step_until(worker, lambda: worker.metrics.calculations == count)
    with Ingest(broker, topics[0]) as ingest:
        broker_server.silence()
        for key, value in messages(1, 40):
            ingest._send(key, value, 0.0)
        for _ in range(5):
            worker.step()
        assert worker.metrics.calculations == count and ingest.counts.delivered == 0
        broker_server.speak()
        assert ingest.flush(PATIENCE) == 0
    step_until(worker, lambda: worker.metrics.calculations == count + 40)
    assert told_so_far(broker, topics[1]) == count + 40


def test_a_topic_that_has_lost_what_was_decided_is_refused(tmp_path):
    keeper = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})  # of the library; tansu does not tell
    broker = next(f"{one.host}:{one.port}" for one in keeper.list_topics(timeout=PATIENCE).brokers.values())
    keeper.produce("in", prices()[0], partition=1)
    keeper.flush(PATIENCE)
    digest_of(tmp_path, 1, "in", [value for _, value in messages(3, 20)])  # decided, and not in the topic
    worker = Worker(setup(tmp_path), broker, "in", "out")
    with pytest.raises(StreamError, match="restore the topic, or the engine's folder from a copy"):
        step_until(worker, lambda: False)
    worker.close()


def test_a_topic_of_decisions_with_too_few_partitions_is_refused(broker, topics, tmp_path):
    few = new_topic(broker, 2)
    with pytest.raises(InputError, match=f"topic '{few}' has 2 partitions, and '{topics[0]}' has 4"):
        Worker(setup(tmp_path), broker, topics[0], few)


def test_a_broker_that_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(stream_broker, "TIMEOUT", 1.0)
    with pytest.raises(InputError, match="no broker answers"):
        Ingest(f"127.0.0.1:{free_port()}", "any")
