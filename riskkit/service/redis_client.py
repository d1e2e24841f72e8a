"""A connection to Redis or Valkey that gives up soon: who calls it decides when to try again."""

from __future__ import annotations

from typing import Any

from riskkit._check import InputError, instance, optional, positive

ADDRESS = "url is not the address of a Redis; give redis://HOST:PORT/DATABASE, with rediss:// for TLS"  # it may hold a password


def connect(url: str, timeout: float) -> Any:
    """A client of the server at `url` (nothing is sent yet); a call takes at most about twice `timeout` seconds."""
    redis = optional("redis", "redis")
    retry = optional("redis.retry", "redis").Retry(optional("redis.backoff", "redis").NoBackoff(), 0)
    seconds = positive(timeout, "timeout")
    try:
        return redis.Redis.from_url(
            instance(url, str, "url"), socket_timeout=seconds, socket_connect_timeout=seconds, retry=retry
        )
    except ValueError:
        raise InputError(ADDRESS) from None


def failures() -> tuple[type[Exception], ...]:
    """Errors of a server that is away, slow, full or loading."""
    return (optional("redis.exceptions", "redis").RedisError, OSError)
