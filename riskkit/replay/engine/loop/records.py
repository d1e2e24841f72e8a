"""The event of a row, the records that it concerns, and the decision rows that it writes."""

from __future__ import annotations

from riskkit.replay.engine.loop.variables import *
from riskkit.replay.kernels import order_stops, runtime
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, OPTIONAL, EventKind, EventRow, RowFlag

INHERITED = RowFlag.REDUCE_ONLY | RowFlag.BAD_PRICE  # flags of an order that its modifies inherit


def look_up_order():
    """Look up the records of the event and of the order that it belongs to."""
    global order
    look_up(i)
    order = at(orders, log.slots[i] if shape.orders else -1)
    look_up_cash(log.account[i], instrument.currency)


def look_up(row):
    """Look up the records of a row's position, account and instrument."""
    global position, account, instrument
    position = at(positions, log.pair[row])
    account = at(accounts, log.account[row])
    instrument = at(instruments, log.instrument[row])


def look_up_cash(account_id, currency):
    """Look up an account's balance in a currency (its only balance if accounts do not mix currencies)."""
    global cash_balance
    if shape.cash:
        cash_balance = at(
            cash_balances, account_id * counts[Counter.BALANCES] + min(currency, counts[Counter.BALANCES] - 1)
        )


def cash_currency():
    """Code of the currency of a cash event; of one that names none, the first that its account declares."""
    return log.price[i] if log.price[i] != MISSING else account.currency


def look_up_parent(row):
    """Look up the record of a child order's parent."""
    global parent_order
    if shape.parents:
        parent_order = at(orders, parent_slot(row))


def parent_slot(row):
    """The record number of a child order's parent."""
    return (log.slots[log.parent[row]] if log.parent[row] >= 0 else -1) if "parent" in shape.columns else -1


def look_up_named():
    """Look up the order that the event names, and its records."""
    global order, position
    order = at(orders, log.slots[i])
    position = at(positions, order.pair)
    look_up_owner()


def look_up_owner():
    """Look up the account, the instrument and the balance of `order`, which is in `position`."""
    global account, instrument
    account = at(accounts, order.account)
    instrument = at(instruments, position.instrument)
    look_up_cash(order.account, instrument.currency)


def read_event(kind, row, side, qty, price):
    """Set `event` to a row of the log with this side, quantity and price."""
    global event
    event = EventRow(
        row, now, kind, int64(log.account[row]), int64(log.instrument[row]), int64(log.pair[row]),
        side, qty, price, int64(log.order[row]),
        tag(kind, column("strategy", row), order.strategy), tag(kind, column("connection", row), order.connection),
        column("flags", row) | (order.flags & INHERITED) if shape.inherits(kind) else column("flags", row),
        order.parent if kind == EventKind.MODIFY and shape.parents else column("parent", row),
        column("batch", row), column("weight", row), fee if kind == EventKind.FILL else column("fee", row),
        column("bid", row), column("ask", row), column("reserve", row), stop_of(kind, row, side),
        order.smp_id if kind == EventKind.MODIFY and shape.apart else column("smp_id", row),
    )  # fmt: skip


def asked_lots(row, lots):
    """Lots of the order of a row: as given, or what `position` holds of one that closes it, 0 if that is on its own side."""
    return (
        max(-int64(log.side[row]) * position.qty, 0)
        if shape.closes and column("flags", row) & RowFlag.CLOSE_POSITION
        else lots
    )


def column(name, row):
    """The value of a column in a row, or its default if the log does not have the column."""
    return int64(log[name][row]) if name in shape.columns else OPTIONAL[name][1]


def stop_of(kind, row, side):
    """The stop of an order, or of one after a modify; MISSING of one that waits for none, and of other events."""
    return (
        order_stops.first_stop(instrument, side, column("stop", row), column("flags", row))
        if shape.stops and kind == EventKind.ORDER
        else order_stops.changed_stop(order, instrument, side, column("stop", row), column("flags", row))
        if shape.stops and kind == EventKind.MODIFY
        else MISSING
    )


def tag(kind, own, of_order):
    """The strategy or connection of an event; if a modify, cancel or fill has none, that of its order."""
    return (
        (own if own >= 0 else of_order)
        if shape.tags and kind in (EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL)
        else own
    )


def message_book(order):
    """The book at an order or a modify."""
    return Book(
        position, account, instrument, order, 0, 0,
        cash_balance if shape.cash else None, parent_order if shape.parents else None,
    )  # fmt: skip


def write_row(mask, observed, limit, until, key, cause, code):
    """Write a decision or a transition."""
    global used
    used = runtime.emit(rows, used, i, mask, observed, limit, until, key, cause, code)
