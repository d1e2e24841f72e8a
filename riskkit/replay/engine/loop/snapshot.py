"""Snapshots: the book of an account becomes what the venue says."""

from __future__ import annotations

from riskkit.replay.engine.loop.equity import equity_moved, tell_groups_of
from riskkit.replay.engine.loop.fills import book_fill, note_record
from riskkit.replay.engine.loop.lots import book_lots
from riskkit.replay.engine.loop.records import look_up_cash, look_up_order, read_event, write_row
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import after_change, before_change, let_work, stop_work, value_order
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import order_answers, runtime, snapshots
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter, Judgement
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind


def on_snapshot():
    """Make the book of an account what the venue says: at the first row of a snapshot, and each order at its own."""
    global used, i
    if log.batch[i] == i:
        used = reconcile(used)
    if counts[Counter.RECONCILING] != 0:
        i -= 1  # a fill was booked: the same row once more, with room for the decisions on the next one
    elif log.order[i] >= 0:
        take_order()


def reconcile(used):
    """Book the next fill that a snapshot implies, else what it says beyond fills; return the number of rows written."""
    global order, position, account, instrument, qty, side, fee, filled
    account = at(accounts, log.account[i])
    if counts[Counter.RECONCILING] == 0:
        note_stated()
        write_breaks()
        counts[Counter.RECONCILING] = 1
    filled = snapshots.next_filled(
        positions, instruments, orders, counts[Counter.SLOTS], int64(log.account[i]), log.side, log.qty, shape.enforce
    )
    if filled >= 0:
        order = at(orders, filled)
        position = at(positions, order.pair)
        instrument = at(instruments, position.instrument)
        look_up_cash(log.account[i], instrument.currency)
        side = order.side
        qty = snapshots.filled_lots(
            order, snapshots.stated_lots(position, log.side, log.qty) - snapshots.believed_lots(position, shape.enforce),
            log.qty,
        )  # fmt: skip
        fee = 0
        position.factual_qty += side * qty
        if shape.amends:
            note_record(order.pair, qty, snapshots.fill_price(order, instrument), order.strategy, order.connection, 0)
        book_fill(position.account, order.pair, position.instrument, snapshots.fill_price(order, instrument), 1)
    else:
        adjust_positions()
        end_unstated()
        counts[Counter.RECONCILING] = 0
    return used


def note_stated():
    """Note in the records of positions and orders which row of the snapshot states them."""
    j = i
    while j < len(arrays.ts) and log.batch[j] == i:
        if log.order[j] < 0:
            at(positions, log.pair[j]).stated = j + 1
        elif log.order[j] != j:
            at(orders, log.slots[j]).stated = j + 1
        j += 1


def write_breaks():
    """Write a row for each position and each known order of which the venue says something else."""
    global order, position
    place = account.first_position
    while place >= 0:
        position = at(positions, place)
        theirs = snapshots.stated_lots(position, log.side, log.qty)
        ours = snapshots.believed_lots(position, shape.enforce)
        if theirs != ours:
            write_row(0, place, theirs, ours, place, runtime.NO_RULE, DecisionCode.POSITION_BREAK)
        place = position.next_of_account
    first = used
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        if order.account == log.account[i] and order.status != runtime.UNKNOWN and order.status != runtime.BLOCKED:
            theirs = snapshots.stated_rest(order, log.qty)
            if theirs != ledger.rest_of(order):
                write_row(
                    0, order.row, theirs, ledger.rest_of(order), order.pair, runtime.NO_RULE, DecisionCode.ORDER_BREAK
                )
    runtime.sort_rows(rows, first, used)


def adjust_positions():
    """Give the positions of an account the lots that the venue says and no fill explains."""
    global position, instrument
    place = account.first_position
    while place >= 0:
        position = at(positions, place)
        instrument = at(instruments, position.instrument)
        gap = snapshots.stated_lots(position, log.side, log.qty) - snapshots.believed_lots(position, shape.enforce)
        position.stated = 0
        if gap != 0:
            adjust_position(place, gap)
        place = position.next_of_account


def adjust_position(place, gap):
    """Give `position` lots at the mark, unpaid and untraded, and tell the rules."""
    position.factual_qty += gap
    book_lots(place, gap, instrument.mark, 0)
    equity_moved(position.account, place, position.instrument)
    tell_groups_of(place)


def end_unstated():
    """End the orders of an account that the venue does not name, also those that it might have brought back."""
    global order, position, instrument
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        if order.account == log.account[i] and order.stated == 0 and order.status == runtime.WORKING:
            position = at(positions, order.pair)
            instrument = at(instruments, position.instrument)
            look_up_cash(order.account, instrument.currency)
            stop_work()
        elif order.account == log.account[i] and order.stated == 0 and runtime.may_return(order.status):
            order.status = runtime.DONE
        order.stated = 0


def take_order():
    """Let an order be what the venue says: one that we did not know works from now on, and is not judged."""
    global qty, price, change, fill_cap, verdict
    look_up_order()
    read_event(EventKind.ORDER, i, int64(log.side[i]), int64(log.qty[i]), int64(log.price[i]))
    qty = log.qty[i]
    if log.order[i] == i or order.status == runtime.UNKNOWN:
        write_row(0, log.order[i], qty, MISSING, event.pair, runtime.NO_RULE, DecisionCode.ORDER_BREAK)
        fill_cap = runtime.NO_CAP
        if shape.queueing:
            verdict = Judgement(0, 0, 0, runtime.NO_RULE, 0, 0, 0, 0, 0, 0)
        let_work()
        order.row = log.order[i]
    elif order.status != runtime.BLOCKED:
        if shape.enforce and order.fill_cap != runtime.NO_CAP:  # what self-match prevention or a refused modify left
            qty = min(qty, ledger.rest_of(order))
        price = log.price[i] if log.price[i] != MISSING else order.price
        if shape.cash and order.reserve == MISSING and log.price[i] != MISSING:
            order.hold_price = price
        before_change()
        change = order_answers.restate(order, position, account, qty, price)
        if log.price[i] != MISSING:
            value_order()
        after_change()
