"""What the cache in Redis has, for a dashboard: never an error, but empty values and a sentence that says why."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import numpy as np

from riskkit.service.redis_client import connect, failures
from riskkit.service.redis_keys import DESK, METRICS, POSITIONS, CacheKey, alerts_key

AWAY = "Redis does not answer"


class Cached(NamedTuple):
    """A value, and why it is empty.

    Parameters
    ----------
    value : object
        Empty if there is a problem.
    problem : str
        A sentence; "" without one.
    """

    value: Any
    problem: str = ""


class DeskState(NamedTuple):
    """The state of a desk; empty as a whole if a part is missing, corrupt or does not fit the others.

    Parameters
    ----------
    covariance, stressed : ndarray, shape (n_tickers, n_tickers)
        In the order of `tickers`.
    last_prices : dict of str to float
    cash : float
    holdings : dict of str to dict
        ``qty`` and ``avg_price``.
    tickers : list of str
    problem : str
        Why it is empty; "" if it is not.
    """

    covariance: np.ndarray
    stressed: np.ndarray
    last_prices: dict[str, float]
    cash: float
    holdings: dict[str, dict[str, Any]]
    tickers: list[str]
    problem: str = ""


def _empty(problem: str) -> DeskState:
    return DeskState(np.zeros((0, 0)), np.zeros((0, 0)), {}, 0.0, {}, [], problem)


class RedisReader:
    """Reader of the cache.

    Parameters
    ----------
    url : str
        redis://HOST:PORT/DATABASE.
    timeout : float
        Seconds after which Redis counts as away.

    Examples
    --------
    >>> reader = RedisReader("redis://127.0.0.1:1/0")  # nothing listens there
    >>> reader.metrics("ann")
    Cached(value={}, problem='Redis does not answer')
    """

    def __init__(self, url: str, *, timeout: float = 0.5) -> None:
        self._client, self._failures = connect(url, timeout), failures()

    def metrics(self, user: str) -> Cached:
        """The metrics of a user, a dict."""
        return self._read(METRICS, {}, user)

    def positions(self, user: str) -> Cached:
        """The positions of a user, a list of dicts."""
        return self._read(POSITIONS, [], user)

    def _read(self, key: CacheKey, empty: Any, user: str) -> Cached:
        name = key.of(user)
        try:
            data = self._client.get(name)
        except self._failures:
            return Cached(empty, AWAY)
        if data is None:
            return Cached(empty, f"{name} is not in the cache")
        try:
            return Cached(key.decode(data))
        except (ValueError, EOFError):
            return Cached(empty, f"{name} is corrupt")

    def desk(self) -> DeskState:
        """The state of a desk, all parts of one moment."""
        try:
            found = self._client.mget([key.of() for key in DESK.values()])
        except self._failures:
            return _empty(AWAY)
        parts = {}
        for (part, key), data in zip(DESK.items(), found, strict=True):
            if data is None:
                return _empty(f"{key.of()} is missing: run warm-up")
            try:
                parts[part] = key.decode(data)
            except (ValueError, EOFError):
                return _empty(f"{key.of()} is corrupt: run warm-up")
        state = DeskState(**parts)
        count = len(state.tickers)
        if state.covariance.shape != (count, count) or state.stressed.shape != (count, count):
            return _empty(f"{DESK['tickers'].of()} has {count} tickers, and the matrices another number: run warm-up")
        return state

    def alerts(
        self, engine: str = "main", after: str = "0", *, most: int = 100, wait: float = 0.0
    ) -> tuple[list[dict[str, Any]], str]:
        """Alerts of the stream after a cursor, and the cursor of the last one; none if Redis is away.

        Parameters
        ----------
        engine : str
            Name of the engine.
        after : str
            The cursor that an earlier call returned; "0" is the beginning of what is kept.
        most : int
            Number of alerts.
        wait : float
            Seconds to wait for the first one; less than the timeout of this reader.
        """
        block = max(1, int(1_000 * wait)) if wait > 0 else None
        try:
            found = self._client.xread({alerts_key(engine): after}, count=most, block=block)
        except self._failures:
            return [], after
        entries = [entry for _, entries in (found.items() if isinstance(found, dict) else found) for entry in entries]
        return [json.loads(fields[b"alert"]) for _, fields in entries], entries[-1][0].decode() if entries else after

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
