"""Alerts as a stream in Redis: a reader that was away goes on from its cursor, as with no publication."""

from __future__ import annotations

from typing import Any

from riskkit._check import whole_number
from riskkit.desk.alerts.alert import Alert
from riskkit.service.redis_client import connect
from riskkit.service.redis_keys import alerts_key, to_json

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
        keys = [self._stream, f"{self._stream}:{alert.alert_id}"]
        self._add(keys=keys, args=[to_json(alert), self._most, REPEATS])

    def __repr__(self) -> str:
        return f"RedisAlerts({self._stream!r})"
