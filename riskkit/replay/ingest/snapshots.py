"""Convert snapshots: what the venue says of an account, a row for each position and then each working order.

A position has its size in ``qty`` and, unless that is 0, its ``side`` (B long, S short); an order has its ``order_id``, its side, the
rest that works in ``qty``, and its limit in ``price``. The rows of a snapshot share their ``batch``, the number of the first. One
that holds nothing is a position of 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount as scalars
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.fields import orders_of
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.order_ids import OTHER
from riskkit.replay.ingest.rows import DEFAULTS, Row
from riskkit.replay.schema.columns import EventKind

TWICE = "is stated twice in a snapshot; state each position and each order once"
UNSIDED = "is not a side; a position or an order that is not 0 is B or S"


def snapshot_batches(frame: Frame, account: np.ndarray, stamps: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """First row of the snapshot of each row, -1 of other events: adjacent rows of an account, a time and a batch label."""
    return adjacent_rows(frame.rows_of(EventKind.SNAPSHOT), account, stamps, labels)


def adjacent_rows(rows: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """First of the adjacent `rows` (a mask) with one value in each column, of each of them; -1 of other rows."""
    joined = rows[1:] & rows[:-1]
    for column in columns:
        joined = joined & (column[1:] == column[:-1])
    starts = rows & ~np.concatenate([[False], joined])
    first = np.flatnonzero(starts)
    return np.where(rows, first[np.cumsum(starts) - 1], -1) if len(first) else np.full(len(rows), -1, np.int64)


def check_snapshots(frame: Frame, columns: Mapping[str, np.ndarray]) -> None:
    """Refuse rows without a side, and a position or an order that is stated twice."""
    rows = frame.rows_of(EventKind.SNAPSHOT)
    if not rows.any():
        return
    order = columns["order"]
    frame.refuse(rows & (columns["side"] == 0) & (columns["qty"] > 0), "side", UNSIDED)
    stated = pd.DataFrame({"batch": columns["batch"], "order": order, "pair": np.where(order < 0, columns["pair"], -1)})
    again = np.zeros(frame.size, bool)
    again[rows] = stated[rows].duplicated().to_numpy()
    frame.refuse(again & (order < 0), "instrument", TWICE)
    frame.refuse(again, "order_id", TWICE)


def snapshot_rows(given: Mapping[str, Any], entries: Entries, number: int, ts: int) -> list[Row]:
    """A live snapshot as rows, for the journal's rows from `number` on."""
    account = entries.account(given.get("account"))
    if not entries.universe.instruments:
        raise InputError("a snapshot needs an instrument; this session has none so far")
    rows: list[Row] = []
    for label, size in snapshot_positions(given).items():
        rows.append(_position(entries, account, label, size))
    stated: set[Any] = set()
    for fields in snapshot_orders(given):
        row = _order(entries, account, fields, number + len(rows))
        same = label_text(fields["order_id"])
        if same in stated:
            raise InputError(f"order_id={shown(fields['order_id'])} {TWICE}")
        stated.add(same)
        rows.append(row)
    rows = rows or [{**DEFAULTS, "account": account, "instrument": 0}]
    return [{**row, "ts": ts, "kind": int(EventKind.SNAPSHOT), "batch": number} for row in rows]


def snapshot_positions(given: Mapping[str, Any]) -> Mapping[Any, Any]:
    """The positions of a snapshot by instrument."""
    found = given.get("positions", {})
    if not isinstance(found, Mapping):
        raise InputError(f"positions={shown(found)} is not a mapping of instruments to quantities, below zero if short")
    return found


def snapshot_orders(given: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """The orders of a snapshot, each as its fields."""
    return orders_of(given.get("orders", ()), "snapshot order")


def _position(entries: Entries, account: int, label: Any, size: Any) -> Row:
    row = {**DEFAULTS, "kind": int(EventKind.SNAPSHOT), "account": account, "instrument": entries.instrument(label)}
    traded = entries.universe.instruments[row["instrument"]]
    lots = scalars.count(size, traded.lot, "positions", entries.nearest)
    if lots.bad:
        raise InputError(f"positions={shown(size)} is not a quantity; a position is a number, below zero if short")
    side = (lots.steps > 0) - (lots.steps < 0)
    quantity = scalars.quantity(abs_of(size), traded, row, False, entries.nearest) if side else 0
    return {**row, "side": side, "qty": quantity}


def abs_of(size: Any) -> Any:
    """A number, or its text, without its sign."""
    if isinstance(size, str):
        return size.strip().removeprefix("-")
    return bytes(size).strip().removeprefix(b"-") if isinstance(size, (bytes, bytearray)) else abs(size)


def _order(entries: Entries, account: int, fields: Mapping[str, Any], number: int) -> Row:
    label = fields.get("order_id")
    if label is None:
        raise InputError("order_id=None is not the id of an order; a snapshot names its orders")
    row = {**DEFAULTS, "kind": int(EventKind.SNAPSHOT), "account": account}
    if fields.get("side") is None:
        raise InputError(f"side=None {UNSIDED}")
    row |= {"instrument": entries.instrument(fields.get("instrument")), "side": scalars.side(fields["side"])}
    traded = entries.universe.instruments[row["instrument"]]
    row["qty"] = scalars.quantity(fields.get("qty"), traded, row, False, entries.nearest)
    if fields.get("price") is not None:
        row["price"] = scalars.price(fields["price"], traded, row, nearest=entries.nearest)
    known = entries.orders.find(label, account, entries.universe.accounts)
    if known is None:
        return {**row, "order": number}
    if (known.account, known.instrument) != (account, row["instrument"]):
        raise InputError(f"order_id={shown(label)} {OTHER['instrument']}")
    if known.side != row["side"]:
        raise InputError(f"order_id={shown(label)} {OTHER['side']}")
    return {**row, "order": known.row}
