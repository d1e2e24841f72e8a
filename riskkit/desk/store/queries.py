"""The three queries of a log: trade events, daily profit of users, current positions; also as DataFrames."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from riskkit.desk.core.exact import WIDE
from riskkit.desk.core.journal import TRADES

DAY = 86_400_000_000_000
QUERIES = {
    "trade_events": (
        "event", "role", "kind", "timestamp", "user", "market", "token", "amount", "price", "money", "realized",
        "trade_id",
    ),
    "user_daily_pnl": ("user", "day", "sum", "count", "average"),
    "current_positions": (
        "user", "market", "token", "amount", "cost", "average_cost", "realized", "opened", "updated",
    ),
}  # fmt: skip
EXACT = ("amount", "money", "realized", "cost", "sum")
"""Columns of texts with every digit, which become Decimals in a DataFrame."""
TIMES = ("timestamp", "opened", "updated")
NEEDED = {
    "trade_events": tuple(name for name in QUERIES["trade_events"] if name != "price"),
    "user_daily_pnl": ("event", "leg", "kind", "timestamp", "user", "realized"),
    "current_positions": ("user", "market", "token", "held", "cost", "profit", "opened", "updated"),
}
"""Columns of the log that each query reads."""


def trade_events(log: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One row per leg of a trade."""
    found = []
    for event, role, kind, *cells in log:
        if kind in TRADES:
            stamp, user, market, token, amount, money, realized, trade_id = cells
            price = _ratio(money, amount.removeprefix("-"))
            found.append((event, role, kind, stamp, user, market, token, amount, price, money, realized, trade_id))
    return found


def user_daily_pnl(log: Iterable[tuple[Any, ...]], sums: dict[Any, Any]) -> list[tuple[Any, ...]]:
    """Sum, count and average of the profit of each user's trades, by UTC day; a trade counts once.

    ``sums`` has what earlier rows of the log add up to, and is changed.
    """
    for _, leg, kind, stamp, user, realized in log:
        if kind in TRADES:
            total = sums.setdefault((user, stamp // DAY), [0, 0, len(realized.partition(".")[2])])
            total[0] += int(realized.replace(".", ""))
            total[1] += leg == 0
    rows = []
    for (user, day), (units, count, decimals) in sorted(sums.items()):
        exact = f"{Decimal(units).scaleb(-decimals, WIDE):f}"
        rows.append((user, day, exact, count, float(exact) / count))
    return rows


def current_positions(log: Iterable[tuple[Any, ...]], last: dict[Any, Any]) -> list[tuple[Any, ...]]:
    """Open positions: the last row of each; ``last`` has those of earlier rows of the log, and is changed."""
    for user, market, token, *after in log:
        if after[0] is None:
            continue
        if after[0].strip("-0."):
            last[user, market, token] = tuple(after)
        else:
            last.pop((user, market, token), None)
    return [
        (*key, held, cost, _ratio(cost, held), realized, opened, updated)
        for key, (held, cost, realized, opened, updated) in sorted(last.items())
    ]


def as_frame(name: str, rows: Iterable[tuple[Any, ...]]) -> Any:
    """Rows of a query as a DataFrame: exact amounts as Decimals, times in UTC."""
    import pandas as pd

    columns = dict(zip(QUERIES[name], zip(*rows, strict=True), strict=False))
    series = {column: _series(column, columns.get(column, ())) for column in QUERIES[name]}
    return pd.DataFrame(series)


def _series(name: str, cells: Any) -> Any:
    import pandas as pd

    if name in EXACT:
        return pd.Series([Decimal(cell) for cell in cells], dtype=object)
    if name in TIMES:
        return pd.Series(pd.to_datetime(pd.array(list(cells), dtype="Int64"), unit="ns", utc=True))
    if name == "day":
        return pd.to_datetime(pd.Series(list(cells), dtype="int64") * DAY, unit="ns", utc=True)
    kinds = {"event": "int64", "count": "int64", "price": "float64", "average": "float64", "average_cost": "float64"}
    return pd.Series(list(cells), dtype=kinds.get(name, "str"))


def _ratio(above: str, below: str) -> float | None:
    """Quotient of the nearest floats; None if the denominator is zero as a float."""
    return float(above) / float(below) if float(below) else None
