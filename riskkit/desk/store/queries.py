"""The three queries of a log: trade events, daily profit of users, current positions; also as DataFrames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from riskkit._show import frame_of
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
KINDS = {"event": "int64", "count": "int64", "price": "float64", "average": "float64", "average_cost": "float64"}
TYPED = {*EXACT, *TIMES, "day", *KINDS}
"""Columns of a DataFrame that are no texts."""
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


SUMMARY: dict[str, Callable[[Any, dict[Any, Any]], list[tuple[Any, ...]]]] = {
    "user_daily_pnl": user_daily_pnl,
    "current_positions": current_positions,
}
"""Queries whose answer to a longer log follows from what is new in it."""


def remembered(name: str, rows: Iterable[tuple[Any, ...]]) -> dict[Any, Any]:
    """What a summary remembers of a log, from its answer."""
    if name == "user_daily_pnl":
        return {
            (user, day): [int(exact.replace(".", "")), trades, len(exact.partition(".")[2])]
            for user, day, exact, trades, _ in rows
        }
    return {row[:3]: (*row[3:5], *row[6:]) for row in rows}  # without the average


def as_frame(name: str, rows: Iterable[tuple[Any, ...]]) -> Any:
    """Rows of a query as a DataFrame: exact amounts as Decimals, times in UTC."""
    rows = list(rows)
    cells = zip(*rows, strict=True) if rows else ((),) * len(QUERIES[name])
    columns = {column: _column(column, found) for column, found in zip(QUERIES[name], cells, strict=True)}
    return frame_of(columns, set(QUERIES[name]) - TYPED)


def _column(name: str, cells: Sequence[Any]) -> Any:
    """The array of a column, or a text's cells: a Series of each would cost more than all the rest."""
    import pandas as pd

    if name in EXACT:
        column = np.empty(len(cells), object)
        column[:] = [Decimal(cell) for cell in cells]
        return column
    if name in TIMES or name == "day":
        unit = DAY if name == "day" else 1
        stamps = ["NaT" if cell is None else cell * unit for cell in cells]
        return pd.DatetimeIndex(np.array(stamps, "M8[ns]"), tz="UTC")
    return np.array(cells, KINDS[name]) if name in KINDS else cells


def _ratio(above: str, below: str) -> float | None:
    """Quotient of the nearest floats; None if the denominator is zero as a float."""
    return float(above) / float(below) if float(below) else None
