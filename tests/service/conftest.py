"""Fixtures of the tests of the service: a service in a thread, and real servers beside it."""

import contextlib

import pytest
from service.brokers import broker, broker_server, topics
from service.running import Served
from service.servers import postgres, postgres_server, redis_server, timescale

__all__ = [
    "broker",
    "broker_server",
    "topics",
    "postgres",
    "postgres_server",
    "redis_server",
    "serve",
    "served",
    "timescale",
    "workers",
]


@pytest.fixture(scope="module")
def workers():
    """Number of processes that take connections; a file whose tests hold for several overrides it."""
    return 1


@pytest.fixture
def serve(tmp_path, workers):
    """A function that starts a service; all are stopped after the test."""
    with contextlib.ExitStack() as stack:

        def start(folder="state", **settings):
            served = Served(tmp_path / folder, **{"workers": workers, **settings})
            stack.callback(served.stop)
            return served

        yield start


@pytest.fixture(scope="module")
def served(tmp_path_factory, workers):
    """One service for all tests of a file."""
    served = Served(tmp_path_factory.mktemp("service") / "state", workers=workers)
    yield served
    served.stop()
