"""Fixtures of the tests of the service."""

from service.servers import postgres, postgres_server, redis_server, timescale

__all__ = ["postgres", "postgres_server", "redis_server", "timescale"]
