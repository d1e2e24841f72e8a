"""What a service starts beside its engine, as its settings say: the cache in Redis and the store in PostgreSQL."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from riskkit._check import InputError, positive
from riskkit.service.postgres.follower import PostgresFollower
from riskkit.service.redis_alerts import AlertStream, RedisAlerts
from riskkit.service.redis_cache import RedisCache
from riskkit.service.redis_lease import WriterLease
from riskkit.service.views import EngineViews

if TYPE_CHECKING:
    from riskkit.service.engine import EngineService
    from riskkit.service.settings import Settings

FENCE = "fence"  # the note of a journal
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
        ``redis`` with ``url`` and, if need be, ``seconds`` between two writings, ``engine``, the name in Redis, ``alerts``
        (true: a stream of alerts) and ``lease_seconds`` (`take_lease`); ``postgres`` with ``url`` and, if need be,
        ``engine``. Without a ``url`` nothing is started.

    Raises
    ------
    InputError
        If a name is not known or an address does not fit.
    """
    redis, postgres = (
        _known(part, values, names)
        for part, values, names in (
            ("redis", settings.redis, ("url", "seconds", "engine", "alerts", "lease_seconds")),
            ("postgres", settings.postgres, ("url", "engine")),
        )
    )
    parts: list[Any] = []
    if "url" in postgres:
        parts.append(PostgresFollower(folder, postgres.pop("url"), **postgres).start())
    if "url" in redis:
        url, name = redis["url"], str(redis.get("engine", "main"))
        parts.append(AccountCache(engine, RedisCache(url), redis.get("seconds", 5.0)))
        if redis.get("alerts"):
            parts.append(AlertStream(engine, RedisAlerts(url, name)))
    return parts


def take_lease(settings: Settings, ending: threading.Event) -> WriterLease | None:
    """The writer's lease of the setting ``redis.lease_seconds``, once nobody else has it; None without that setting.

    Parameters
    ----------
    settings : Settings
    ending : threading.Event
        Ends the wait.

    Raises
    ------
    InputError
        If the service ends before it has the lease, or there is no ``redis.url``.
    """
    seconds = settings.redis.get("lease_seconds")
    if seconds is None:
        return None
    if "url" not in settings.redis:
        raise InputError("redis.lease_seconds needs redis.url, the Redis that has the lease")
    lease = WriterLease(settings.redis["url"], str(settings.redis.get("engine", "main")), seconds=seconds)
    while not lease.acquire():
        if ending.wait(lease.seconds / 10):
            lease.release()
            raise InputError("the service has ended before it had the writer's lease")
    return lease


def fence(engine: EngineService, lease: WriterLease) -> None:
    """Note the token of the lease in the journal: above that of every writer before, also where Redis has lost it.

    Raises
    ------
    InputError
        If Redis has lost the tokens and gives the lease to another meanwhile.
    """
    before = engine.notes.get(FENCE, 0)
    if lease.token <= before and not lease.retake(before):
        raise InputError("the writer's lease was lost while the journal was opened")
    engine.commit({**engine.notes, FENCE: lease.token})


def _known(part: str, values: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in values:
        if name not in names:
            raise InputError(
                f"{part}.{name} is not a setting; settings are {', '.join(f'{part}.{one}' for one in names)}"
            )
    return dict(values)
