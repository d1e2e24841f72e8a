"""Rows of a frame, as `EventLog.from_frame` takes them, put through a live session one call at a time."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import pandas as pd

from riskkit.replay.live.session import Session
from riskkit.replay.results.decisions import Decision
from riskkit.replay.schema.universe import GROUPS

ORDER = ("account", "instrument", "side", "qty", "price", "type", "order_id", "reduce_only", "reserve", "strategy")
ORDER += (
    "connection",
    "parent_id",
    "expires",
    "stop",
    "offset",
    "display",
    "dnr",
    "external",
    "smp_id",
    "tif",
    "mmp",
    "quote_qty",
    "close_position",
    "reference",
)
THROUGH = ("account", "strategy", "connection")
FIELDS = {
    "order": ORDER,
    "modify": ("order_id", "instrument", "side", "qty", "price", "children", "reduce_only", "stop", "offset", *THROUGH),
    "cancel": ("order_id", "instrument", "cancel_frees", *THROUGH),
    "fill": ("order_id", "instrument", "side", "qty", "price", "trade_id", "fee", *THROUGH),
    "price": ("instrument", "price", "bid", "ask"),
    "close": ("instrument", "price"),
    "dividend": ("instrument", "amount"),
    "funding": ("instrument", "rate"),
    "expiry": ("instrument", "price"),
    "split": ("instrument", "ratio", "orders"),
    "multiplier": ("instrument", "multiplier"),
    "phase": ("instrument", "phase"),
    "adjust": ("account", "instrument", "side", "qty", "price"),
    "fx": ("pair", "price", "bid", "ask"),
    "credit": ("account", "reserve_id", "step", "amount", "currency"),
    "cash": ("amount", "flow", "currency", *THROUGH),
    "equity": ("equity", *THROUGH),
    "trade": ("instrument", "side", "pnl", "ret", "exit", *THROUGH),
    "execution": THROUGH,
    "ack": ("order_id", *THROUGH),
    "error": ("order_id", *THROUGH),
    **dict.fromkeys(("reject", "expire", "cancel_reject", "modify_reject"), ("order_id", "instrument", *THROUGH)),
    "bust": ("trade_id", "instrument", "side", *THROUGH),
    "correct": ("trade_id", "instrument", "side", "qty", "price", "fee", *THROUGH),
}
CALLS = {"fill": "process_trade", "trade": "process_closed_trade"}


def submit(session: Session, rows: list[dict[str, Any]]) -> list[Decision]:
    """Every row through the session's label API; the orders of one batch as one list."""
    found: list[Decision] = []
    for _, group in groupby(enumerate(rows), key=lambda item: item[1].get("batch", item[0])):
        found += _one(session, [dict(row) for _, row in group])
    return found


def _one(session: Session, rows: list[dict[str, Any]]) -> list[Decision]:
    row, kind, ts = rows[0], rows[0]["kind"], rows[0]["ts"]
    if kind == "snapshot":
        return session.process_snapshot(ts=ts, account=row["account"], **_stated(rows))
    if kind == "roll":
        old, new = rows[:2]
        given = {
            "from": old["instrument"],
            "to": new["instrument"],
            "from_price": old["price"],
            "to_price": new["price"],
        }
        return session.process_roll(ts=ts, **given)
    if kind == "adjust" and len(rows) == 2:
        given = {"from": row["account"], "to": rows[1]["account"], **_given(row, ("instrument", "qty", "price"))}
        return session.process_transfer(ts=ts, **given)
    if row.get("batch") is not None and kind == "order":
        orders = [_given(row, ORDER) for row in rows]
        return session.process_order_list(ts=ts, account=row["account"], orders=orders, children=row.get("children"))
    if kind == "clock":
        return session.tick(ts)
    if kind == "session":
        return session.reset_daily(ts)
    if kind == "control":
        if row["cmd"] in ("STOP", "RESTART"):  # signed
            switch = session.halt if row["cmd"] == "STOP" else session.restart
            switch(row.get("account"), who="Ann", why="a test", ts=ts)
            return []
        return session.command(row["cmd"], row.get("account"), ts, **_given(row, GROUPS))
    call = getattr(session, CALLS.get(kind, f"process_{kind}"))
    return call(ts=ts, **_given(row, FIELDS[kind]))


def _stated(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The positions and the orders of the rows of a snapshot."""
    orders = [_given(row, ("order_id", "instrument", "side", "qty", "price")) for row in rows if row.get("order_id")]
    signed = [
        (row["instrument"], f"-{row['qty']}" if row.get("side") == "S" else row["qty"])
        for row in rows
        if not row.get("order_id")
    ]
    return {"positions": dict(signed), "orders": orders}


def _given(row: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row and not pd.isna(row[name])}
