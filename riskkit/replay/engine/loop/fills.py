"""Fills."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import place_of, receive_cash
from riskkit.replay.engine.loop.equity import (
    equity_moved,
    note_price,
    revalue_groups,
    revalue_holders,
    tell_group,
    tell_groups_in,
    value_lots,
)
from riskkit.replay.engine.loop.orders import vanish
from riskkit.replay.engine.loop.outcomes import look_up_rules, record_outcome
from riskkit.replay.engine.loop.records import column, look_up_order, read_event, tag, write_row
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import after_change, before_change, note_opening, trigger
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import groups, runtime
from riskkit.replay.kernels import totals as sums
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import share
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, EventRow, RowFlag


def on_fill():
    """Book a fill, paused or not, unless its order was refused."""
    global qty, side, fee
    look_up_order()
    if "flags" in shape.columns and log.flags[i] & RowFlag.DUPLICATE:
        counts[Counter.DUPLICATES] += 1
        write_row(0, 0, 0, 0, log.account[i], runtime.NO_RULE, DecisionCode.DUP)
        return
    qty = log.qty[i]
    side = int64(log.side[i])
    fee = log.fee[i] if "fee" in shape.columns else 0
    if shape.amends:
        note_fill()
    if shape.enforce:
        if is_recorded():
            position.factual_qty += side * qty
        if log.order[i] >= 0 and order.status == runtime.BLOCKED:
            vanish(Counter.FILLS_VANISHED)
            return
        if log.order[i] >= 0 and order.fill_cap != runtime.NO_CAP:
            taken = min(qty, max(order.qty - order.filled, 0))
            if order.fill_cap == runtime.CAP_PRICE and ledger.worse(side, log.price[i], order.price):
                taken = 0
            if taken < qty:
                counts[Counter.FILLS_CUT] += 1
                write_row(0, qty, taken, 0, log.account[i], runtime.NO_RULE, DecisionCode.CUT)
                fee = share(fee, taken, qty)
                qty = taken
                if taken == 0:
                    return
    if shape.amends:
        noted.qty = qty
        noted.fee = fee
    if log.order[i] == -1 and is_recorded():
        counts[Counter.UNNAMED_FILLS] += 1
    book_fill(log.account[i], log.pair[i], log.instrument[i], log.price[i], 0)


def note_fill():
    """Note a fill, of which nothing is booked yet."""
    note_record(
        log.pair[i], 0, log.price[i],
        tag(EventKind.FILL, column("strategy", i), order.strategy),
        tag(EventKind.FILL, column("connection", i), order.connection), 0,
    )  # fmt: skip


def note_record(pair_id, lots, paid, strategy_id, connection_id, adjusts):
    """Note a fill of `qty` lots, or with `adjusts` 1 lots without one, of which `lots` are booked, for a bust or a correction."""
    global noted
    noted = at(fills, counts[Counter.FILLS])
    counts[Counter.FILLS] += 1
    noted.row = i
    noted.pair = pair_id
    noted.side = side
    noted.qty = lots
    noted.price = paid
    noted.fee = 0
    noted.strategy = strategy_id
    noted.connection = connection_id
    noted.recorded_qty = qty
    noted.adjusts = adjusts


def is_recorded():
    """False for a fill of a flattening, which the record does not have."""
    return not shape.flattens or "flags" not in shape.columns or log.flags[i] & RowFlag.FLATTEN == 0


def book_fill(account_id, pair_id, instrument_id, paid, inferred):
    """Book a fill of `qty` at the price `paid`, and tell the rules; one that is `inferred` has no event of its own."""
    global book, event, change, qty_before, cash_before, strategy
    if shape.marks:
        if instrument.priced == 0 and instrument.mark != paid:
            instrument.mark = paid
            revalue_holders()
            revalue_groups(int64(instrument_id))
    elif instrument.priced == 0:  # marks are read only at the end
        instrument.mark = paid
    if instrument.priced == 0:
        note_price()
    if shape.references:
        ledger.date_fill(position, instrument, paid, now)
    if shape.turnover:
        instrument.traded += qty
    qty_before = position.qty
    if shape.cash:
        cash_before = account.cash
    realised = ledger.fill(position, account, instrument, side, qty, paid, fee)
    opened = (1 if qty_before == 0 else 0) - (1 if position.qty == 0 else 0)
    if shape.netted:
        sums.follow_total(at(totals, 0), account)
        sums.follow_net(at(totals, 0), nets, int64(instrument_id), instrument, side * qty)
    if shape.cash:
        receive_cash(account.cash - cash_before, instrument.currency)
    if shape.groups:
        strategy = order.strategy if inferred else tag(EventKind.FILL, column("strategy", i), order.strategy)
    for group in shape.groups:
        fill_group(group, pair_id, paid, realised)
    if shape.orders and (inferred or log.order[i] >= 0):
        if shape.stops and order.stop != MISSING:  # the venue has seen its trigger
            trigger(filled if inferred else log.slots[i], qty)
        before_change()
        change = ledger.fill_order(order, position, account, qty)
        after_change()
    else:
        note_opening()
    if shape.watched(EventKind.FILL):
        if inferred:
            event = EventRow(
                i, now, EventKind.FILL, position.account, position.instrument, order.pair, side, qty, paid, order.row,
                order.strategy, order.connection, order.flags & RowFlag.MMP if shape.apart else 0,
            )  # fmt: skip
        else:
            read_event(EventKind.FILL, i, int64(log.side[i]), qty, int64(log.price[i]))
        book = Book(position, account, instrument, order, realised, opened, None, None)
        look_up_rules(EventKind.FILL)
        record_outcome(EventKind.FILL)
    value_lots(position, account)
    equity_moved(account_id, pair_id, instrument_id)
    if shape.groups_told and instrument.priced == 0:
        tell_groups_in(int64(instrument_id))
    for group in shape.groups_told:
        tell_group(group, place_of(group, int64(pair_id), strategy))


def fill_group(group, pair_id, paid, realised):
    """Book the fill in a group."""
    global member
    holding = at(group.positions, place_of(group, int64(pair_id), strategy))
    member = at(group.accounts, holding.account)
    if group.own:
        ledger.fill(holding, member, instrument, side, qty, paid, fee)
    elif group.sums:
        holding.qty += side * qty
    else:
        groups.fill_part(holding, member, instrument, side, qty, paid, fee, realised)
    value_lots(holding, member)
