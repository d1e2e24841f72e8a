"""The memory of a live session without what it no longer needs: a window of the journal instead of all of it.

Rows of the journal are *local* numbers in memory: first the rows that are carried over from before, then the new ones.
Carried are the orders that work or are younger than the horizon, with their parents, and credit that is reserved or used; the fills
that may still be busted or corrected, and of each position the last fill before those, which prices it when they are busted and
is *closed* itself; and what the duplicate rules look back at. All that refers to a row or to the record of an order is renumbered; an
order or a fill that is gone is one from before the log. Older fills are folded into the opening of their position.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from riskkit._jit import kernel, plain
from riskkit.replay.engine.groups import group_place
from riskkit.replay.engine.shape import GroupShape
from riskkit.replay.kernels.book import fill
from riskkit.replay.kernels.records import at, copied, table
from riskkit.replay.kernels.runtime import VANISHED, Counter
from riskkit.replay.live.journal import NUMBERS
from riskkit.replay.schema.columns import AMENDS, FIRST_EXTERNAL, EventKind, OrderStatus, RowFlag
from riskkit.replay.schema.constants import LARGEST

SLOTS = (
    "prev_order",
    "next_order",
    "parent",
    "first_buy",
    "first_sell",
    "first_stop",
)  # fields that hold the record of an order
FILLS = (int(EventKind.FILL), *map(int, AMENDS))
ALIVE = (int(OrderStatus.WORKING), int(OrderStatus.RESERVED), int(OrderStatus.USED))


class Parts(NamedTuple):
    """All of a live engine: a header of plain values, and arrays by name."""

    header: dict[str, Any]
    arrays: dict[str, np.ndarray]


class Horizon(NamedTuple):
    """How long a session remembers.

    Parameters
    ----------
    ids_ns : int
        Age up to which ids of finished orders and of fills are known.
    duplicates_ns : int
        Longest window in which identical orders are counted.
    """

    ids_ns: int
    duplicates_ns: int


def compacted(parts: Parts, horizon: Horizon, own: Iterable[GroupShape], quick: bool = False) -> Parts:
    """The parts without the rows, orders and fills that are beyond the horizon.

    Parameters
    ----------
    parts : Parts
        Not changed.
    horizon : Horizon
        What is remembered.
    own : iterable of GroupShape
        The groups that book the fills of their strategies.
    quick : bool
        True: by compiled code.
    """
    header, arrays = parts
    columns = {name.removeprefix("column_"): array for name, array in arrays.items() if name.startswith("column_")}
    state = {name.removeprefix("state_"): copied(array) for name, array in arrays.items() if name.startswith("state_")}
    late = columns["flags"] & int(RowFlag.BAD_TS) != 0
    time = np.maximum.accumulate(np.where(late, -LARGEST, columns["ts"]))
    recent, window = (time > max(header["latest"] - age, -LARGEST) for age in horizon)
    fills = state["fills"][1 : 1 + int(state["counts"][Counter.FILLS])]
    open_fills = recent[fills["row"]] | (state["positions"]["unpriced"][fills["pair"] + 1] != 0)
    closed = _last_of_each(fills, ~open_fills)
    noted = open_fills | closed
    _fold(fills, ~noted, fills["pair"].astype(np.int64), state["positions"], state, quick)
    for group in own:
        tagged = fills["strategy"] >= 0
        places = _places(group, fills[tagged], state)
        _fold(fills[tagged], ~noted[tagged], places, state[group.table("positions")], state, quick)
    orders = _orders(columns, recent | window, state["orders"])
    rows = _rows(columns, recent, window, orders, fills["row"][noted], header["strays"])
    slots = np.array(
        [*columns["slots"][rows[orders[rows]]].tolist(), *(slot for _, slot in header["strays"])], np.int64
    )
    shut = fills["row"][closed]
    shut = shut[columns["kind"][shut] != EventKind.SNAPSHOT]  # whose row may be that of an order
    return _renumbered(parts, columns, state, _Kept(rows, slots, np.flatnonzero(noted), shut))


def _last_of_each(fills: np.ndarray, among: np.ndarray) -> np.ndarray:
    """True for the last booked fill of each position among some, and for what snapshots adjusted since."""
    adjusts = fills["adjusts"] != 0
    booked = np.flatnonzero(among & (fills["qty"] > 0) & ~adjusts)
    pairs, places = np.unique(fills["pair"][booked][::-1], return_index=True)
    last = np.full(int(fills["pair"].max(initial=-1)) + 1, len(fills))
    last[pairs] = booked[::-1][places]
    number = np.arange(len(fills))
    return among & ((number == last[fills["pair"]]) | (adjusts & (number > last[fills["pair"]])))


def _places(group: GroupShape, fills: np.ndarray, state: dict[str, np.ndarray]) -> np.ndarray:
    """The group's position of each fill of a strategy."""
    width, held = int(state["counts"][Counter.INSTRUMENTS]), state["positions"]["instrument"][fills["pair"] + 1]
    codes = zip(fills["strategy"].tolist(), fills["pair"].tolist(), held.tolist(), strict=True)
    return np.array([group_place(group, key, pair, code, width) for key, pair, code in codes], np.int64)


def _fold(
    fills: np.ndarray, gone: np.ndarray, places: np.ndarray, held: np.ndarray, state: dict[str, np.ndarray], quick: bool
) -> None:
    """Book the fills whose records go into the opening cost and profit of their positions in `held`, and nowhere else."""
    books, spare = copied(held), np.zeros(1, state["accounts"].dtype)
    np.subtract.at(books["qty"], places + 1, fills["side"] * fills["qty"])
    books["cost"], books["realised"] = held["opening_cost"], held["opening_realised"]
    columns = (np.array(column[gone], np.int64) for column in (places, fills["side"], fills["qty"], fills["price"]))
    (book_all if quick else plain(book_all))(*columns, books, spare, state["instruments"])
    held["opening_cost"], held["opening_realised"] = books["cost"], books["realised"]


@kernel
def book_all(
    places: np.ndarray,
    sides: np.ndarray,
    quantities: np.ndarray,
    prices: np.ndarray,
    positions: np.ndarray,
    accounts: np.ndarray,
    instruments: np.ndarray,
) -> None:
    """Book fills in positions, all of one account."""
    books, traded, account = table(positions), table(instruments), at(table(accounts), -1)
    for k in range(len(places)):
        book = at(books, places[k])
        fill(book, account, at(traded, book.instrument), sides[k], quantities[k], prices[k], 0)


def _orders(columns: dict[str, np.ndarray], recent: np.ndarray, records: np.ndarray) -> np.ndarray:
    """True for each row of a named order that is kept."""
    named = columns["order"] == np.arange(len(recent))
    works = np.isin(records["status"][columns["slots"] + 1], ALIVE)
    kept = named & (recent | works)
    while True:
        parents = columns["parent"][kept]
        parents = parents[parents >= 0]
        if kept[parents[named[parents]]].all():
            return kept
        kept[parents[named[parents]]] = True


def _rows(
    columns: dict[str, np.ndarray],
    recent: np.ndarray,
    window: np.ndarray,
    orders: np.ndarray,
    noted: np.ndarray,
    strays: Any,
) -> np.ndarray:
    """The rows that are kept, in their order."""
    kind, order = columns["kind"], columns["order"]
    kept = orders | (window & (kind == EventKind.ORDER)) | (recent & (np.isin(kind, FILLS) | (order <= FIRST_EXTERNAL)))
    kept |= (kind == EventKind.EXPIRE) & (order >= 0) & orders[np.maximum(order, 0)]  # some name orders of before
    kept[noted] = True
    fill = columns["fill"]
    kept |= np.isin(kind, AMENDS) & (fill >= 0) & kept[np.maximum(fill, 0)]
    kept[[row for row, _ in strays]] = True
    return np.flatnonzero(kept)


class _Kept(NamedTuple):
    """Numbers of what is kept: rows, records of orders, records of fills; and of the rows of closed fills."""

    rows: np.ndarray
    slots: np.ndarray
    fills: np.ndarray
    closed: np.ndarray


def _renumbered(parts: Parts, columns: dict[str, np.ndarray], state: dict[str, np.ndarray], kept: _Kept) -> Parts:
    """The parts with the kept rows and records under new numbers."""
    header, arrays = parts
    rows, slots = _numbers(kept.rows, header["size"]), _numbers(kept.slots, header["slots"])
    columns = {name: column[kept.rows] for name, column in columns.items()}
    for name in NUMBERS:
        columns[name] = _mapped(columns[name], rows)
    columns["slots"] = _mapped(columns["slots"], slots)
    links = columns["prev_duplicate"]
    vanished = links < -1
    found = _mapped(np.where(vanished, VANISHED - links, links), rows)
    columns["prev_duplicate"] = np.where(vanished, VANISHED - found, found)
    counts = state["counts"]
    counts[Counter.SESSION_ROW] = np.searchsorted(kept.rows, counts[Counter.SESSION_ROW], "right") - 1
    counts[Counter.LIST] = -1
    counts[Counter.FILLS] = len(kept.fills)
    state["orders"] = state["orders"][np.append(0, kept.slots + 1)]
    state["fills"] = state["fills"][np.append(0, kept.fills + 1)]
    for name in ("fills", "orders"):
        state[name]["row"][1:] = _mapped(state[name]["row"][1:], rows)
    for records in state.values():
        for name in SLOTS:
            if name in (records.dtype.names or ()):
                records[name] = _mapped(records[name], slots)
    old = arrays["carried"]
    carried = np.where(
        kept.rows < len(old), np.append(old, -1)[np.minimum(kept.rows, len(old))], kept.rows + header["shift"]
    )
    strays = [[int(rows[row]), int(slots[slot])] for row, slot in header["strays"]]
    total = header["size"] + header["shift"]
    header = header | {"size": len(kept.rows), "slots": len(kept.slots), "strays": strays}
    header["shift"] = total - len(kept.rows)
    made = {f"column_{name}": column for name, column in columns.items()}
    made |= {f"state_{name}": array for name, array in state.items()}
    answers = np.concatenate([arrays["answers"], arrays["rows"]])
    made |= {"answers": answers[np.isin(answers["seq"], carried)], "rows": arrays["rows"][:0]}
    made["closed"] = np.sort(carried[rows[kept.closed]])
    return Parts(header, {**arrays, **made, "carried": carried.astype(np.int64)})


def _numbers(kept: np.ndarray, size: int) -> np.ndarray:
    """The new number of each old one, -1 for those that are not kept."""
    numbers = np.full(size, -1, np.int64)
    numbers[kept] = np.arange(len(kept))
    return numbers


def _mapped(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Values under new numbers; negative ones, which are none, stay."""
    if not len(numbers):
        return np.minimum(values, -1)
    mapped: np.ndarray = np.where(values >= 0, numbers[np.maximum(values, 0)], values).astype(values.dtype)
    return mapped
