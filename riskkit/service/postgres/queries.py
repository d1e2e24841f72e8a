"""What the store knows of a user, by prepared queries on indexes; numbers as exact Decimals."""

from __future__ import annotations

from typing import Any

from riskkit._check import whole_number
from riskkit.service.postgres.connection import Connection

POSITIONS = "select token, net_position, last_updated from current_positions where user_id = %s order by token"
DAILY = "select day, daily_pnl, trade_count, avg_pnl from user_daily_pnl where user_id = %s order by day desc limit %s"
TRADES = (
    "select time, trade_id, token_in, token_out, amount_in, amount_out, dex_source, gas_used, pnl from trade_events"
    " where user_id = %s order by time desc limit %s"
)
ALERTS = (
    "select time, alert_id, rule_name, severity, message, trade_id, current_metrics from rk_alert"
    " where user_id = %s order by time desc limit %s"
)
EVENTS = (
    "with last as (select * from rk_event where engine = %s and account ="
    " (select code from rk_account where engine = %s and id = %s) order by time desc, seq desc limit %s)"
    " select e.seq, e.time, e.kind, i.id as instrument, e.side, e.qty * i.qty_step as qty,"
    " case when e.price <> -9223372036854775808 then e.price * i.price_step end as price, o.order_id, t.trade_id,"
    " e.fee * i.money_step as fee from last e"
    " left join rk_instrument i on i.engine = e.engine and i.code = e.instrument"
    ' left join rk_order o on o.engine = e.engine and o.seq = e."order"'
    " left join rk_trade t on t.engine = e.engine and t.code = e.trade_id order by e.seq desc"
)
DECISIONS = (
    "select seq, time, decision, rule, objecting, observed_value, limit_value, unit from rk_decision"
    " where engine = %s and account_id = %s order by time desc, seq desc, place limit %s"
)


class PostgresReader:
    """Queries by user or account; safe under threads, which take turns.

    Parameters
    ----------
    conninfo : str
        The database, as libpq takes it.
    timeout : float
        Seconds after which a query has failed; the next one connects anew.
    """

    def __init__(self, conninfo: str, *, timeout: float = 2.0) -> None:
        self._connection = Connection(conninfo, timeout)
        self.errors = self._connection.errors

    def positions(self, user_id: Any) -> list[dict[str, Any]]:
        """Net position of a user in each token, where it is not zero."""
        return self._rows(POSITIONS, user_id)

    def daily_pnl(self, user_id: Any, days: int = 30) -> list[dict[str, Any]]:
        """Profit, number of trades and mean profit of a user, by day (UTC), newest first."""
        return self._rows(DAILY, user_id, _most(days, "days"))

    def trades(self, user_id: Any, most: int = 100) -> list[dict[str, Any]]:
        """The last trade events of a user, newest first."""
        return self._rows(TRADES, user_id, _most(most))

    def alerts(self, user_id: str, most: int = 100) -> list[dict[str, Any]]:
        """The last alerts of a user, newest first."""
        return self._rows(ALERTS, user_id, _most(most))

    def events(self, account: str, most: int = 100, engine: str = "main") -> list[dict[str, Any]]:
        """The last events of an account in the journal of an engine, in quantities and prices, newest first."""
        return self._rows(EVENTS, engine, engine, account, _most(most))

    def decisions(self, account: str, most: int = 100, engine: str = "main") -> list[dict[str, Any]]:
        """The last decisions on an account, newest first."""
        return self._rows(DECISIONS, engine, account, _most(most))

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with self._connection.use() as connection:
            found = connection.execute(query, values, prepare=True)
            names = [column.name for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _most(value: Any, name: str = "most") -> int:
    return min(whole_number(value, name), 10_000)
