"""The three views of a log: what they hold, worked out from the columns of its events, and as frames."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from riskkit.desk.amounts import WIDE
from riskkit.desk.journal import TRADES

__all__ = ["EXACT", "NEEDED", "VIEWS", "as_frame", "current_positions", "trade_events", "user_daily_pnl"]

DAY = 86_400_000_000_000
VIEWS = {
    "trade_events": (
        "event", "role", "kind", "timestamp", "user", "market", "token", "amount", "price", "money", "realised",
        "trade_id",
    ),
    "user_daily_pnl": ("user", "day", "sum", "count", "average"),
    "current_positions": (
        "user", "market", "token", "amount", "cost", "average_cost", "realised", "opened", "updated",
    ),
}  # fmt: skip
EXACT = ("amount", "money", "realised", "cost", "sum")
"""Texts with every digit, Decimals in a frame."""
TIMES = ("timestamp", "opened", "updated")
NEEDED = {
    "trade_events": tuple(name for name in VIEWS["trade_events"] if name != "price"),
    "user_daily_pnl": ("event", "leg", "kind", "timestamp", "user", "realised"),
    "current_positions": ("user", "market", "token", "held", "cost", "profit", "opened", "updated"),
}
"""Columns of the log that each view is worked out from."""


def trade_events(log: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """One row a leg of a trade."""
    found = []
    for event, role, kind, *cells in log:
        if kind in TRADES:
            stamp, user, market, token, amount, money, realised, trade_id = cells
            price = _ratio(money, amount.removeprefix("-"))
            found.append((event, role, kind, stamp, user, market, token, amount, price, money, realised, trade_id))
    return found


def user_daily_pnl(log: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sum, count and average of the profit of each user's trades, by UTC day; every trade counts, once."""
    sums: dict[tuple[str, int], list[int]] = {}
    places = 0
    for _, leg, kind, stamp, user, realised in log:
        if kind in TRADES:
            places = len(realised.partition(".")[2])
            total = sums.setdefault((user, stamp // DAY), [0, 0])
            total[0] += int(realised.replace(".", ""))
            total[1] += leg == 0
    rows = []
    for (user, day), (units, count) in sorted(sums.items()):
        exact = f"{Decimal(units).scaleb(-places, WIDE):f}"
        rows.append((user, day, exact, count, float(exact) / count))
    return rows


def current_positions(log: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Every position that is held: the last row that tells of it says what stands."""
    last: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for user, market, token, *standing in log:
        if standing[0] is None:
            continue
        if standing[0].strip("-0."):
            last[user, market, token] = tuple(standing)
        else:
            last.pop((user, market, token), None)
    return [
        (*key, held, cost, _ratio(cost, held), realised, opened, updated)
        for key, (held, cost, realised, opened, updated) in sorted(last.items())
    ]


def as_frame(name: str, rows: Iterable[tuple[Any, ...]]) -> Any:
    """The rows of a view as a DataFrame: exact amounts as Decimals, times in UTC."""
    import pandas as pd

    columns = dict(zip(VIEWS[name], zip(*rows, strict=True), strict=False))
    series = {column: _series(column, columns.get(column, ())) for column in VIEWS[name]}
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
    """The quotient of the nearest floats, None where the lower one is too small to be one."""
    return float(above) / float(below) if float(below) else None
