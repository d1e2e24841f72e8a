"""Splits: orders, prices and positions of an instrument in new units."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import first_place, place_of, receive_cash
from riskkit.replay.engine.loop.lots import tell_adjusted
from riskkit.replay.engine.loop.outcomes import look_up_rule, look_up_rules, record_of, record_outcome
from riskkit.replay.engine.loop.records import look_up_cash, look_up_owner, write_row
from riskkit.replay.engine.loop.settlement import tell_restated
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import after_change, before_change, note_opening, stop_work
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import exposure, fill_records, runtime, splits
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import split_mark
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, EventRow


def on_split():
    """Count an instrument in new units."""
    global used
    used = split(used)


def split(used):
    """Give orders, prices and positions of an instrument in new units, then tell the rules; return the number of rows written."""
    global position, account, instrument
    if shape.orders:
        split_orders()
    instrument = at(instruments, log.instrument[i])
    if shape.amends:
        fill_records.settle_fills(fills, counts[Counter.FILLS], positions, int64(log.instrument[i]))
    splits.scale_quotes(instrument, log.qty[i], log.price[i])
    if shape.watched(EventKind.SPLIT):
        tell_split()
    pair_id = instrument.first_position
    while pair_id >= 0:
        position = at(positions, pair_id)
        account = at(accounts, position.account)
        split_holder(pair_id)
        pair_id = position.next_position
    for group in shape.groups:
        if group.own:
            split_own(group)
    tell_restated()
    return used


def split_orders():
    """Scale or cancel the open orders of an instrument that is split."""
    global order, position, change
    first = used
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        position = at(positions, order.pair)
        if position.instrument == log.instrument[i] and splits.is_open(order):
            look_up_owner()
            if splits.is_cancelled(order, log.qty[i], log.price[i], log.side[i]):
                take_split_order(ledger.rest_of(order))
            elif splits.is_scaled(order, log.side[i]):
                before_change()
                change = splits.scale_order(
                    order, position, account, log.qty[i], log.price[i], instrument.lot, instrument.tick, log.side[i]
                )
                after_change()
                if change != 0:
                    write_row(0, order.row, 0, 0, order.account, runtime.NO_RULE, DecisionCode.CANCELLED)
    runtime.sort_rows(rows, first, used)


def take_split_order(rest):
    """End an order that a split cancels, also one that the venue might have brought back."""
    if order.status == runtime.WORKING:
        write_row(0, order.row, rest, 0, order.account, runtime.NO_RULE, DecisionCode.CANCELLED)
        stop_work()
    order.status = runtime.DONE


def tell_split():
    """Let the rules that keep prices or quantities of the instrument count in new units: its own, then those of each holder."""
    global event, book
    split_event(-1, -1)
    look_up_rules(EventKind.SPLIT)
    record_outcome(EventKind.SPLIT)
    pair_id = instrument.first_position
    while pair_id >= 0:
        split_event(at(positions, pair_id).account, pair_id)
        for rule in shape.listening(EventKind.SPLIT):
            if not rule.always_keyed(EventKind.SPLIT):
                look_up_rule(rule, EventKind.SPLIT)
                record_of(rule, EventKind.SPLIT)
        pair_id = at(positions, pair_id).next_position


def split_event(account_id, pair_id):
    """Set `event` to the split of the event, of all or of one account."""
    global event, book
    event = EventRow(
        i, now, EventKind.SPLIT, account_id, int64(log.instrument[i]), pair_id, 0, log.qty[i], log.price[i], -1,
    )  # fmt: skip
    book = Book(at(positions, pair_id), at(accounts, account_id), instrument, at(orders, -1), 0, 0, None, None)


def split_holder(pair_id):
    """Give `position` its new lots, and cash for what is less than a lot."""
    global qty, side, cash_before
    lots = position.qty
    position.factual_qty = splits.split_lots(position.factual_qty, log.qty[i], log.price[i], instrument.lot)
    if shape.references:
        position.fill_price = split_mark(position.fill_price, log.qty[i], log.price[i])
    if lots != 0:
        position.stated = 1
        cash_before = account.cash
        realised = splits.split_position(position, account, instrument, log.qty[i], log.price[i])
        write_row(0, pair_id, position.qty, lots, pair_id, runtime.NO_RULE, DecisionCode.SETTLED)
        qty = abs(position.qty - lots)
        side = 1 if position.qty > lots else -1
        if shape.cash:
            look_up_cash(position.account, instrument.currency)
            receive_cash(account.cash - cash_before, instrument.currency)
        for group in shape.groups:
            if not group.own:
                split_part(group, pair_id, position.qty - lots, account.cash - cash_before, realised)
        if shape.adjusting and position.qty != lots:
            tell_adjusted(pair_id, position.qty - lots)
        note_opening()
        if shape.marks and instrument.mark != MISSING:
            ledger.mark(position, account, instrument)
    if shape.amends:
        fill_records.settle_costs(position)
    if shape.exposures:
        exposure.expose(position, account, instrument)


def split_part(group, pair_id, gained, money, realised):
    """Book in a group what a split gives a member."""
    global member
    holding = at(group.positions, place_of(group, int64(pair_id), -1))
    member = at(group.accounts, holding.account)
    holding.qty += gained
    if not group.sums:
        member.cash += money
        member.realised += realised


def split_own(group):
    """Split the positions of each book of a group whose profit is that of its own fills."""
    place = first_place(group, int64(log.instrument[i]))
    while place >= 0:
        holding = at(group.positions, place)
        if holding.qty != 0:
            splits.split_position(holding, at(group.accounts, holding.account), instrument, log.qty[i], log.price[i])
            holding.stated = 1 if group in shape.groups_told else 0
        if shape.amends:
            fill_records.settle_costs(holding)
        place = holding.next_position
