"""A `PositionTracker` takes once more what its journal holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from riskkit._check import InputError
from riskkit.desk.amounts import ratio_of
from riskkit.desk.canonical import id_of
from riskkit.desk.journal import TRADES, JournalRow
from riskkit.desk.positions.books import PositionBooks

__all__ = ["price_text", "replay"]


def price_text(price: Any) -> str:
    """A price as the fraction that it is."""
    above, below = ratio_of(price, "price", floats=True)
    return f"{above}/{below}"


def replay(tracker: Any, rows: Sequence[JournalRow]) -> None:
    """Let a tracker take the rows of one event once more; rows that no tracker wrote raise whatever they may."""
    first = rows[0]
    body = json.loads(first.body) if first.body else {}
    if first.kind in TRADES:
        books: PositionBooks = tracker._books
        legs = [
            (row.role, row.token, books.board.unit(row.token).count_of(row.amount), books.money.count_of(row.money))  # type: ignore[arg-type]
            for row in rows
        ]  # fmt: skip
        trade_id = id_of(body.get("trade_id", first.trade_id))
        tracker._trade(first.kind, first.user, first.market, first.timestamp, legs, trade_id)
    elif first.kind == "price":
        tracker.set_price(first.token, Fraction(body["price"]), first.timestamp, first.market)
    elif first.kind == "token":
        tracker.add_token(first.token, body["lot"])
    elif first.kind == "period":
        tracker.close_period(first.timestamp)
    elif first.kind == "remove":
        tracker.remove(first.user, first.market, first.token)
    elif first.kind == "clear":
        tracker.clear(body["user"])
    elif first.kind == "state":
        tracker.tell_state()
    else:
        raise InputError(f"an event of kind {first.kind!r} is none that a tracker writes")
