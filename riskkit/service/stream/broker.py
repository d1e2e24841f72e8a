"""Clients of a broker: configuration, and the sentence where it does not answer.

The library is confluent-kafka: its heartbeats, retries and batches are made by threads in C, so that neither a loop that
compiles nor a batch that is decided makes a member of the group look dead; and it has a broker of its own for tests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskkit._check import InputError, optional

BROKERS = "KAFKA_BROKERS"
TIMEOUT = 10.0  # seconds for an answer of the broker


def addresses(brokers: str | None) -> str:
    """Addresses as ``host:port,host:port``: those given, else those of the environment."""
    found = brokers or os.environ.get(BROKERS, "")
    if not found or not all(part.rpartition(":")[2].isdigit() for part in found.split(",")):
        raise InputError(f"brokers={found!r} is not host:port,host:port; give --brokers, or set {BROKERS}")
    return found


def read_properties(path: str | Path | None) -> dict[str, str]:
    """Properties of the client from a file of ``name=value`` lines, for TLS and passwords.

    Raises
    ------
    InputError
        If others than its owner may read the file, or a line is no property.
    """
    if path is None:
        return {}
    file = Path(path)
    try:
        text, about = file.read_text(encoding="utf-8"), file.stat()
    except OSError as error:
        raise InputError(f"client file {file.name!r} cannot be read: {error.strerror}") from None
    shared = (
        0o077 if os.name != "nt" and about.st_uid == os.geteuid() else 0o027
    )  # a mounted secret is root's and its group's
    if os.name != "nt" and about.st_mode & shared:
        raise InputError(f"client file {file.name!r} may be read by others than its owner; chmod 600 it")
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:
                raise InputError(f"client file {file.name!r}, line {number}: no name=value")
            found[name.strip()] = value.strip()
    return found


def kafka() -> Any:
    """The client library."""
    return optional("confluent_kafka", "kafka")


def partitions_of(client: Any, topic: str) -> int:
    """Number of partitions of a topic.

    Raises
    ------
    InputError
        If the broker does not answer, or has no such topic.
    """
    try:
        found = client.list_topics(topic, timeout=TIMEOUT).topics[topic]
    except kafka().KafkaException as error:
        raise InputError(f"no broker answers: {error.args[0].str()}") from None
    if found.error is not None or not found.partitions:
        raise InputError(f"topic {topic!r} does not exist; create it with the partitions it is to have for good")
    return len(found.partitions)


def settings(brokers: str, properties: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """Configuration of a client."""
    own = {name.replace("_", "."): value for name, value in more.items()}
    return {"bootstrap.servers": brokers, "client.id": "riskkit", **own, **properties}
