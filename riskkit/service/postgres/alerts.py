"""Alerts in PostgreSQL: a channel of an `AlertSystem`, which queues, retries and counts; each alert is a row once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from riskkit.desk.alerts.alert import Alert
from riskkit.desk.core.records import as_text
from riskkit.service.postgres.connection import Connection
from riskkit.service.postgres.schema import install

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ADD = (
    "insert into rk_alert (alert_id, engine, time, user_id, rule_name, severity, message, trade_id, current_metrics, body)"
    " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing"
)


class PostgresAlerts:
    """A channel that keeps alerts in the table rk_alert.

    Parameters
    ----------
    conninfo : str
        The database, as libpq takes it.
    engine : str
        Name of the engine.
    timeout : float
        Seconds after which a delivery has failed.
    """

    name = "postgres"

    def __init__(self, conninfo: str, engine: str = "main", *, timeout: float = 5.0) -> None:
        self._connection, self._engine = Connection(conninfo, timeout), as_text(engine, "engine")
        self._installed = False

    def __call__(self, alert: Alert) -> None:
        """Add an alert, once."""
        told = (alert.user, alert.rule, alert.severity, alert.message, alert.trade_id)
        time = EPOCH + timedelta(microseconds=alert.timestamp // 1_000)
        plain = map(json.dumps, (alert.metrics, alert.to_dict()))
        with self._connection.use() as connection:
            if not self._installed:
                install(connection)
                self._installed = True
            connection.execute(ADD, [alert.alert_id, self._engine, time, *told, *plain], prepare=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __repr__(self) -> str:
        return f"PostgresAlerts({self._engine!r})"
