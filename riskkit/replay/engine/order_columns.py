"""Columns of a loop that are computed once for a whole log: the records of its orders, and the orders that repeat another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from riskkit._jit import soonest
from riskkit.replay.engine.shape import Shape
from riskkit.replay.schema.columns import EventKind, RowFlag

DUPLICATE_FIELDS = ("account", "instrument", "side", "qty", "price", "stop")
DUPLICATE_FLAGS = int(RowFlag.BAD_PRICE | RowFlag.TRAILING | RowFlag.CLOSE_POSITION)


def assign_slots(columns: Mapping[str, np.ndarray], shape: Shape) -> tuple[np.ndarray, int]:
    """Assign each order a record, released after the last event that refers to the order.

    If the loop iterates over working orders (chains, cancels, commands, stops, dividends, snapshots, expiries, splits, multipliers),
    only a cancel or the end of the order releases it: an order without further events goes on working. If children are counted,
    records are never released. A late order, which is not taken, has a record that no other order has had: its later events find an
    order that is not known.

    Returns
    -------
    slots : ndarray of int32, shape (n_events,)
        The record of the event's order, -1 if none.
    count : int
        Maximum number of records in use at once.
    """
    from riskkit.replay.kernels.order_slots import slots_of

    parent = columns.get("parent", np.full(0, -1, np.int64))
    slots = np.empty(len(columns["ts"]), np.int32)
    final = np.zeros(0, bool)
    if shape.parents:
        final = np.zeros(len(slots), bool)
    elif shape.keeps_orders:
        final = np.isin(columns["kind"], (EventKind.CANCEL, EventKind.EXPIRE, EventKind.REJECT))
        if "flags" in columns:
            final &= columns["flags"] & int(RowFlag.BAD_TS | RowFlag.UNCONFIRMED) == 0
    named, assign = columns["order"], soonest(slots_of, len(slots))
    late = np.zeros(0, np.int64) if shape.parents else _late_orders(columns)
    if not len(late):
        return slots, int(assign(named, parent, final, slots))
    own = np.isin(named, late)
    count = int(assign(np.where(own, -1, named), parent, final, slots))
    slots[own] = count + np.searchsorted(late, named[own])
    return slots, count + len(late)


def _late_orders(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows of named orders that are not taken because they are late."""
    if "flags" not in columns:
        return np.zeros(0, np.int64)
    rows = np.flatnonzero(columns["flags"] & int(RowFlag.BAD_TS))
    rows = rows[columns["kind"][rows] == EventKind.ORDER]
    return rows[columns["order"][rows] == rows]


def find_duplicates(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Row of the previous identical order (account, instrument, side, qty, price, stop) of each order, -1 if none."""
    flags = columns.get("flags", np.zeros(len(columns["ts"]), np.int32))
    rows = np.flatnonzero((columns["kind"] == EventKind.ORDER) & (flags & int(RowFlag.BAD_TS) == 0))
    prev_duplicate = np.full(len(columns["ts"]), -1, np.int64)
    fields = [columns[name][rows] for name in DUPLICATE_FIELDS if name in columns] + [flags[rows] & DUPLICATE_FLAGS]
    order = np.lexsort(fields)  # stable: identical orders stay in row order
    same = np.ones(max(len(rows) - 1, 0), bool)
    for field in fields:
        same &= field[order[1:]] == field[order[:-1]]
    prev_duplicate[rows[order[1:][same]]] = rows[order[:-1][same]]
    return prev_duplicate
