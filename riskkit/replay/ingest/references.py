"""Convert references: events to their order, children to parents, orders to their list, fills to their id."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pandas as pd

from riskkit.replay.ingest.actions import action_batches
from riskkit.replay.ingest.fill_ids import contents_of, corrected, is_repeat
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.numbers import count_in
from riskkit.replay.ingest.order_ids import FROM_BEFORE, OTHER, UNKNOWN, OrderPolicy
from riskkit.replay.ingest.snapshots import snapshot_batches
from riskkit.replay.schema.columns import (
    AMENDS,
    ANSWERS,
    FILL_CONTENTS,
    FILL_KEY,
    FIRST_EXTERNAL,
    CreditStep,
    EventKind,
    RowFlag,
    kind_word,
)
from riskkit.replay.schema.constants import DAY_NS

MAX_MESSAGES = 2**31


def orders(
    frame: Frame, account: np.ndarray, instrument: np.ndarray, side: np.ndarray, stamps: np.ndarray, policy: OrderPolicy
) -> np.ndarray:
    """Row of the order that each event belongs to, -1 if none; an order with an id belongs to itself.

    Events of the orders from before the log have numbers from `FIRST_EXTERNAL` down, if the policy keeps them.
    """
    order = np.full(frame.size, -1, np.int64)
    messages = frame.rows_of(EventKind.MODIFY, EventKind.CANCEL, *ANSWERS)
    answers, stated = frame.rows_of(EventKind.ERROR, EventKind.ACK), frame.rows_of(EventKind.SNAPSHOT)
    frame.refuse(messages & frame.missing("order_id"), "order_id", _unnamed(frame))
    if not frame.has("order_id"):
        return order
    codes, found = pd.factorize(frame.column("order_id"))
    frame.check_names("order_id", codes, found)
    here, named = np.arange(frame.size), codes >= 0
    credit = frame.rows_of(EventKind.CREDIT)
    is_order = (frame.rows_of(EventKind.ORDER) | (credit & (side == CreditStep.RESERVE))) & named
    keys = _joined(codes, account) if policy.by_account else codes
    used = _joined(keys, stamps // DAY_NS) if policy.by_day else keys
    is_order |= unknown_stated(keys, is_order, stated & named)
    rows = np.flatnonzero(is_order)
    first = np.full(int(used.max(initial=-1)) + 2, -1, np.int64)  # the last entry is that of no id
    first[used[rows[::-1]]] = rows[::-1]
    frame.refuse(
        is_order & (first[used] != here),
        "order_id",
        lambda row: f"is used already by the order of row {frame.source_row(first[used[row]])}; {policy.reuse}",
    )
    target = _latest(keys[rows], rows, keys, here) if policy.by_day else np.where(first[used] > here, -1, first[used])
    finishing = credit & named & ~is_order
    refers = (messages | answers | stated | frame.rows_of(EventKind.FILL)) & named & ~is_order
    later = (target < 0) & (first[used] > here) & ~stated[np.maximum(first[used], 0)]
    frame.refuse(refers & later, "order_id", "names a later order")
    unknown = refers & (target < 0)
    if policy.external:
        own = _joined(codes, account)
        order[unknown] = FIRST_EXTERNAL - pd.factorize(own[unknown])[0]
        _refuse_two(frame, unknown, _joined(own, stamps // DAY_NS) if policy.by_day else own, instrument, side)
    else:
        frame.refuse(unknown, "order_id", FROM_BEFORE)
    refers &= ~unknown
    same = (account[target] == account) & ((instrument[target] == instrument) | (answers & (instrument < 0)))
    frame.refuse(refers & ~same, "order_id", OTHER["instrument"])
    against = refers & (side != 0) & (side[target] != side)
    frame.refuse(against, "order_id", OTHER["side"])
    belongs = is_order | refers | (finishing & (target >= 0))
    order[belongs] = target[belongs]
    return order


def _refuse_two(frame: Frame, unknown: np.ndarray, keys: np.ndarray, instrument: np.ndarray, side: np.ndarray) -> None:
    """Refuse an order from before the log that is in two instruments, or on two sides."""
    for codes, none, name in ((instrument, -1, "instrument"), (side, 0, "side")):
        rows = np.flatnonzero(unknown & (codes != none))
        _, first, of_key = np.unique(keys[rows], return_index=True, return_inverse=True)
        bad = np.zeros(frame.size, bool)
        bad[rows] = codes[rows] != codes[rows[first[of_key]]]
        frame.refuse(bad, "order_id", OTHER[name])


def unknown_stated(keys: np.ndarray, is_order: np.ndarray, stated: np.ndarray) -> np.ndarray:
    """Mask of the rows of snapshots that are the first to name an order: from there on it is known."""
    first: dict[int, int] = {}
    rows = np.flatnonzero(is_order | stated) if stated.any() else np.zeros(0, np.int64)
    for row in rows.tolist():
        first.setdefault(int(keys[row]), row)
    found = np.zeros(len(keys), bool)
    found[[row for row in first.values() if stated[row]]] = True
    return found


def _joined(codes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Codes of pairs of two codes; -1 where the first is."""
    joined = np.full(len(codes), -1, np.int64)
    named = codes >= 0
    others = pd.factorize(others[named])[0]
    joined[named] = pd.factorize(codes[named] * (others.max(initial=0) + 1) + others)[0]
    return joined


def _latest(keys: np.ndarray, rows: np.ndarray, wanted: np.ndarray, until: np.ndarray) -> np.ndarray:
    """The last of `rows` with the wanted key and not after `until`; -1 if none."""
    size = int(max(rows.max(initial=0), until.max(initial=0))) + 1
    known = np.append(-1, np.sort(keys * size + rows))
    found = known[np.searchsorted(known, np.where(wanted < 0, -1, wanted * size + until), "right") - 1]
    return np.where((found >= 0) & (found // size == wanted), found % size, -1)


def _unnamed(frame: Frame) -> Callable[[int], str]:
    """Error message of a message without the id of its order."""
    return lambda row: f"is not the id of an order; a {kind_word(frame.kind[row])} names its order"


def inherit(frame: Frame, columns: dict[str, np.ndarray]) -> None:
    """Copy what an order has in common with its modifies and fills: side, flags, and strategy and connection if they name none."""
    order = np.maximum(columns["order"], -1)  # what names no order of the log inherits nothing
    modify = frame.rows_of(EventKind.MODIFY) & (order >= 0)
    columns["side"] = np.where(modify, columns["side"][order], columns["side"])
    marked = modify & (columns["flags"][order] & int(RowFlag.REDUCE_ONLY) != 0)
    columns["flags"][marked] |= int(RowFlag.REDUCE_ONLY)
    tagged = frame.rows_of(EventKind.MODIFY, EventKind.FILL) & (order >= 0)
    columns["flags"] |= np.where(tagged, columns["flags"][order] & int(RowFlag.MMP), 0).astype(np.int32)
    follows = {
        "strategy": (EventKind.FILL, EventKind.MODIFY, EventKind.CANCEL, EventKind.ERROR, EventKind.ACK, *ANSWERS),
        "connection": (EventKind.MODIFY, EventKind.CANCEL, EventKind.ERROR, EventKind.ACK, *ANSWERS),
    }
    for name, kinds in follows.items():
        if name in columns:
            silent = frame.rows_of(*kinds) & (order >= 0) & (columns[name] < 0)
            columns[name] = np.where(silent, columns[name][order], columns[name])


def parents(frame: Frame, account: np.ndarray, order: np.ndarray, policy: OrderPolicy) -> np.ndarray:
    """Row of each order's parent, an earlier order, -1 if none."""
    parent = np.full(frame.size, -1, np.int64)
    named = frame.rows_of(EventKind.ORDER) & ~frame.missing("parent_id")
    if not named.any():
        return parent
    frame.check_names("parent_id", *pd.factorize(frame.column("parent_id")))
    known, at = np.flatnonzero(order == np.arange(frame.size)), np.flatnonzero(named)
    if len(known):
        codes, ids = pd.factorize(frame.column("order_id").iloc[known].astype(object))
        wanted = pd.Index(ids).get_indexer(pd.Index(frame.column("parent_id").iloc[at].astype(object)))
        keys = np.concatenate([codes, wanted])
        if policy.by_account:
            keys = _joined(keys, account[np.concatenate([known, at])])
        parent[at] = _latest(keys[: len(known)], known, keys[len(known) :], at - 1)
    frame.refuse(named & (parent < 0), "parent_id", UNKNOWN)
    return parent


def batches(frame: Frame, account: np.ndarray, stamps: np.ndarray) -> np.ndarray:
    """First row of the list of each order, of each snapshot, transfer and roll, -1 if none; the rows of one are adjacent."""
    codes = pd.factorize(frame.column("batch"))[0] if frame.has("batch") else np.full(frame.size, -1, np.int64)
    stated = np.maximum(snapshot_batches(frame, account, stamps, codes), action_batches(frame, stamps, codes))
    batch = np.full(frame.size, -1, np.int64)
    if not frame.has("batch"):
        return stated
    member = frame.rows_of(EventKind.ORDER) & (codes >= 0)
    frame.refuse(~member & (codes >= 0) & (stated < 0), "batch", "is on an event that is not an order")
    starts = member & (codes != np.concatenate([[-1], codes[:-1]]))
    rows = np.flatnonzero(starts)
    again = np.zeros(frame.size, bool)
    again[rows[pd.Series(codes[rows]).duplicated().to_numpy()]] = True
    frame.refuse(again, "batch", "is not next to the other orders of its list")
    if len(rows):
        batch = np.where(member, rows[np.cumsum(starts) - 1], -1)
    frame.refuse(member & (account != account[batch]), "batch", "has an order of another account in its list")
    frame.refuse(member & (stamps != stamps[batch]), "batch", "has an order of another time in its list")
    return np.where(member, batch, stated)


def weights(frame: Frame, batch: np.ndarray) -> np.ndarray:
    """Number of messages that an event counts for: the length of a list at its first order, 0 at the others."""
    weight = np.ones(frame.size, np.int64)
    batch = np.where(frame.rows_of(EventKind.ORDER), batch, -1)
    starts = batch == np.arange(frame.size)
    many = (frame.rows_of(EventKind.MODIFY) | starts) & ~frame.missing("children")
    counted = count_in(frame, "children", many, [Fraction(1)], None, whole=True)
    wrong = many & (counted.bad | counted.off | (counted.counts < 1) | (counted.counts >= MAX_MESSAGES))
    frame.refuse(wrong, "children", "is not a number of messages, 1 or more")
    weight[batch >= 0] = 0
    weight[starts] = np.bincount(batch[batch >= 0], minlength=frame.size)[starts]
    weight[many] = counted.counts[many]
    return weight


def trade_ids(frame: Frame, columns: dict[str, np.ndarray]) -> None:
    """Convert the ids of fills, and flag each fill that repeats an earlier one (`FILL_KEY`); other contents are refused.

    A bust or correction refers to the fill of its id, account, instrument and, if it has one, side.
    """
    codes, found = pd.factorize(frame.column("trade_id"))
    frame.check_names("trade_id", codes, found)
    columns["trade_id"] = np.where(frame.rows_of(EventKind.FILL), codes, -1)
    timely = columns["flags"] & int(RowFlag.BAD_TS) == 0
    rows = np.flatnonzero((columns["trade_id"] >= 0) & timely)
    keys = pd.DataFrame({name: columns[name][rows] for name in FILL_KEY} | {"day": columns["ts"][rows] // DAY_NS})
    numbers = keys.groupby(list(keys), sort=False).ngroup().to_numpy()
    _, places = np.unique(numbers, return_index=True)
    first = np.arange(frame.size)
    first[rows] = rows[places[numbers]] if len(rows) else rows
    columns.setdefault("fee", np.zeros(frame.size, np.int64))
    other = np.any([columns[name] != columns[name][first] for name in FILL_CONTENTS if name != "order"], axis=0)
    order, before = columns["order"], columns["order"][first]
    other |= (order != before) & (np.minimum(order, before) >= 0)
    if frame.rows_of(*AMENDS).any():
        other &= ~_amendments(frame, columns, codes, first)
    frame.refuse(
        other,
        "trade_id",
        lambda row: (
            f"is the id of the fill of row {frame.source_row(first[row])} too, with another quantity, price, fee "
            "or order; a fill is booked once"
        ),
    )
    columns["flags"][first != np.arange(frame.size)] |= int(RowFlag.DUPLICATE)


def no_trade_ids(frame: Frame) -> None:
    """Refuse a bust or correction in a frame without ids of fills."""
    frame.refuse(frame.rows_of(*AMENDS), "trade_id", _unnamed_fill(frame))


def _unnamed_fill(frame: Frame) -> Callable[[int], str]:
    """Error message of a bust or correction without the id of its fill."""
    return lambda row: f"is not the id of a fill; a {kind_word(frame.kind[row])} names its fill"


def _amendments(frame: Frame, columns: dict[str, np.ndarray], codes: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Refer each bust and correction to its fill, and return a mask of the fills that repeat one in its later contents."""
    amends, fills = frame.rows_of(*AMENDS), columns["trade_id"] >= 0
    frame.refuse(amends & (codes < 0), "trade_id", _unnamed_fill(frame))
    columns["fill"] = np.full(frame.size, -1, np.int64)
    repeats = np.zeros(frame.size, bool)
    booked: dict[tuple[int, ...], dict[int, int]] = {}  # by account, instrument and id: row of the last fill by side
    stands: dict[int, list[tuple[int, ...]]] = {}  # by row of a fill: its contents since it came; empty once busted
    named = np.zeros(int(codes.max()) + 1, bool)
    named[codes[amends]] = True
    for row in np.flatnonzero((amends | fills) & (codes >= 0) & named[codes]).tolist():
        key = int(columns["account"][row]), int(columns["instrument"][row]), int(codes[row])
        contents = {name: columns[name][row] for name in FILL_CONTENTS}
        sides, side = booked.setdefault(key, {}), int(columns["side"][row])
        if fills[row]:
            known = stands.setdefault(int(first[row]), [contents_of(contents)])
            repeats[row] = first[row] != row and is_repeat(contents, known)
            if side not in sides or not columns["flags"][row] & int(RowFlag.BAD_TS):
                sides[side] = int(first[row])
            continue
        fitting = {at for way, at in sides.items() if side in (0, way)}
        if not fitting:
            frame.refuse_row(row, "trade_id", "does not name an earlier fill of its account and instrument")
        if len(fitting) > 1:
            frame.refuse_row(row, "trade_id", "names a buy and a sell; give the side")
        fill = fitting.pop()
        columns["fill"][row], columns["side"][row] = fill, columns["side"][fill]
        if columns["flags"][row] & int(RowFlag.BAD_TS):
            continue
        if frame.kind[row] == EventKind.BUST:
            stands[fill].clear()
        elif stands[fill]:
            stands[fill].append(corrected(stands[fill][-1], contents))
    return repeats
