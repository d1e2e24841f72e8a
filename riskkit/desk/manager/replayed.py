"""A `RiskManager` takes once more what its journal holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from riskkit._check import InputError
from riskkit.desk.journal import OPENINGS, JournalRow

__all__ = ["replay"]


def replay(manager: Any, rows: Sequence[JournalRow]) -> None:
    """Let a manager take the rows of one event once more; rows that no manager wrote raise whatever they may."""
    row = rows[0]
    body = json.loads(row.body) if row.body else {}
    if row.kind == "trade":
        side = "sell" if str(row.amount).startswith("-") else "buy"
        done = manager.execute_trade(row.token, str(row.amount).removeprefix("-"), side, timestamp=row.timestamp)
        if not done.executed:
            raise InputError(
                f"the log does not follow: {side} {row.amount} {row.token} would be refused, {done.reason}"
            )
    elif row.kind == "bar":
        manager.on_bar(body, row.timestamp)
    elif row.kind == "price":
        manager.set_price(row.token, body["price"], row.timestamp)
    elif row.kind == "ticker":
        manager.add_ticker(row.token, timestamp=row.timestamp, **body)
    elif row.kind == "limits":
        manager.set_limits(body["who"], body["why"], timestamp=row.timestamp, **body["limits"])
    elif row.kind in OPENINGS:
        manager._tell(row.kind)
    else:
        raise InputError(f"an event of kind {row.kind!r} is none that a manager writes")
