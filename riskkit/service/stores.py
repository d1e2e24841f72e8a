"""What a service starts beside its engine, as its settings say: the cache in Redis and the store in PostgreSQL."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from riskkit._check import InputError, positive
from riskkit.service.postgres.follower import PostgresFollower
from riskkit.service.redis_cache import RedisCache
from riskkit.service.views import EngineViews

if TYPE_CHECKING:
    from riskkit.service.engine import EngineService
    from riskkit.service.settings import Settings

LAST_WORDS = 0.5  # seconds for what waits for Redis when the service ends


class AccountCache:
    """The metrics and positions of all accounts of an engine in the cache, written anew every few seconds.

    Parameters
    ----------
    engine : EngineService
        Its status is read, as of one event, at most once in `seconds`.
    cache : RedisCache
        Closed with this.
    seconds : float
        Less than the 30 s that metrics live.
    """

    def __init__(self, engine: EngineService, cache: RedisCache, seconds: float = 5.0) -> None:
        self._engine, self.cache, self._seconds = engine, cache, positive(seconds, "seconds")
        self._views = EngineViews(engine)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="riskkit accounts", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            for account in self._engine.session.universe.accounts:
                self.cache.put_metrics(account.id, msgspec.to_builtins(self._views.metrics(account.id)))
                self.cache.put_positions(account.id, msgspec.to_builtins(self._views.positions(account.id)))
            if self._ending.wait(self._seconds):
                return

    def close(self) -> None:
        """Stop, and write what still waits, for half a second."""
        self._ending.set()
        self._thread.join()
        self.cache.close(LAST_WORDS)


def start_stores(engine: EngineService, folder: str | Path, settings: Settings) -> list[Any]:
    """Start what the settings ``redis`` and ``postgres`` name; each part has a method ``close``.

    Parameters
    ----------
    engine : EngineService
    folder : str or Path
        Of its journal.
    settings : Settings
        ``redis`` with ``url`` and, if need be, ``seconds``; ``postgres`` with ``url`` and, if need be, ``engine``, the name
        in the database. Without a ``url`` nothing is started.

    Raises
    ------
    InputError
        If a name is not known or an address does not fit.
    """
    redis, postgres = (
        _known(part, values, names)
        for part, values, names in (
            ("redis", settings.redis, ("url", "seconds")),
            ("postgres", settings.postgres, ("url", "engine")),
        )
    )
    parts: list[Any] = []
    if "url" in postgres:
        parts.append(PostgresFollower(folder, postgres.pop("url"), **postgres).start())
    if "url" in redis:
        parts.append(AccountCache(engine, RedisCache(redis.pop("url")), **redis))
    return parts


def _known(part: str, values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in values:
        if name not in names:
            raise InputError(
                f"{part}.{name} is not a setting; settings are {', '.join(f'{part}.{one}' for one in names)}"
            )
    return dict(values)
