"""Alerts as a stream in Redis: a reader that was away goes on from its cursor, as with no publication."""

from __future__ import annotations

import threading
from typing import Any

from riskkit._check import whole_number
from riskkit.desk.alerts.alert import Alert
from riskkit.service.engine import EngineService
from riskkit.service.followers import Follower, Published
from riskkit.service.redis_client import connect, failures
from riskkit.service.redis_keys import alerts_key, to_json
from riskkit.service.sockets import alert_of
from riskkit.service.wire import encode

AGAIN_SECONDS = 0.5  # after which a delivery that has failed is tried again
REPEATS = 86_400  # seconds for which an alert is known: a delivery that is repeated adds it once
ADD = """
if redis.call('set', KEYS[2], 1, 'NX', 'EX', ARGV[3]) then
  return redis.call('xadd', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'alert', ARGV[1])
end
"""


class RedisAlerts:
    """A channel of an `AlertSystem`, which queues, retries and counts; each alert is in the stream once.

    Parameters
    ----------
    url : str
        redis://HOST:PORT/DATABASE.
    engine : str
        Name of the engine; the stream is riskkit:ENGINE:alerts.
    most : int
        Number of alerts that the stream keeps, about.
    timeout : float
        Seconds after which a delivery has failed.

    Examples
    --------
    >>> from riskkit.desk import AlertSystem
    >>> system = AlertSystem([RedisAlerts("redis://127.0.0.1:6379/0")])
    """

    name = "redis"

    def __init__(self, url: str, engine: str = "main", *, most: int = 10_000, timeout: float = 0.5) -> None:
        self._client, self._stream = connect(url, timeout), alerts_key(engine)
        self._most = whole_number(most, "most")
        self._add: Any = self._client.register_script(ADD)

    def __call__(self, alert: Alert) -> None:
        """Add an alert, once."""
        self.add(alert.alert_id, to_json(alert))

    def add(self, alert_id: str, text: str | bytes) -> None:
        """Add an alert as JSON, once."""
        keys = [self._stream, f"{self._stream}:{alert_id}"]
        self._add(keys=keys, args=[text, self._most, REPEATS])

    def __repr__(self) -> str:
        return f"RedisAlerts({self._stream!r})"


class SpokenFollower(Follower):
    """A follower of the commits in which a rule said something."""

    wants_events = False

    def put(self, item: Published) -> None:
        """Add an item that has actions."""
        if item.actions:
            super().put(item)


class AlertStream:
    """The alerts of an engine, as its WebSockets send them, in the stream; Redis may be away, the engine never waits.

    Parameters
    ----------
    engine : EngineService
        Followed from now on.
    alerts : RedisAlerts
        Where they go.
    """

    def __init__(self, engine: EngineService, alerts: RedisAlerts) -> None:
        self._session, self._alerts, self._failures = engine.session, alerts, failures()
        self._follower = engine.add_follower(SpokenFollower("redis alerts", 4096))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="riskkit alerts", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while items := self._follower.take():
            for item in items:
                for place, action in enumerate(item.actions):
                    alert = alert_of(action, place, self._session.rules)
                    while not self._added(alert.alert_id, encode(alert)):
                        if self._ending.wait(AGAIN_SECONDS):
                            return

    def _added(self, alert_id: str, text: bytes) -> bool:
        try:
            self._alerts.add(alert_id, text)
        except self._failures:
            return False
        return True

    def close(self) -> None:
        """Send what waits, if Redis answers, and end."""
        self._ending.set()
        self._follower.close()
        self._thread.join()
