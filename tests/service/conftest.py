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
]


@pytest.fixture
def serve(tmp_path):
    """A function that starts a service; all are stopped after the test."""
    with contextlib.ExitStack() as stack:

        def start(folder="state", **settings):
            served = Served(tmp_path / folder, **settings)
            stack.callback(served.stop)
            return served

        yield start


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One service for all tests of a file."""
    served = Served(tmp_path_factory.mktemp("service") / "state")
    yield served
    served.stop()
