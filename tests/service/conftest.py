"""Fixtures of the tests of the service."""

from service.brokers import broker, broker_server, topics
from service.servers import postgres, postgres_server, redis_server, timescale

__all__ = ["broker", "broker_server", "topics", "postgres", "postgres_server", "redis_server", "timescale"]
