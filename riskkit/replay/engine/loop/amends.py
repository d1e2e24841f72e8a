"""Fills that the venue busts or corrects."""

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
from riskkit.replay.engine.loop.records import column, look_up, look_up_cash
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import note_opening
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import fill_records
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow


def on_amend():
    """Undo a fill (BUST), or book what it should have been at its place (CORRECT); its order stays as it is."""
    global noted, recorded, amended_qty, amended_price
    if column("fill", i) >= 0:
        place = fill_records.find_fill(fills, counts[Counter.FILLS], column("fill", i))
        if place >= 0 and at(fills, place).recorded_qty > 0:
            noted = at(fills, place)
            look_up(noted.row)
            recorded = int64(log.qty[i]) if log.kind[i] == EventKind.CORRECT else 0
            position.factual_qty += noted.side * (recorded - noted.recorded_qty)
            amended_qty = noted.qty
            amended_price = noted.price
            if noted.qty > 0:
                amend_fill()
            noted.recorded_qty = recorded


def amend_fill():
    """Book a fill with other contents, and tell the rules and groups."""
    global qty_before, cash_before, realised_before, fees_before, strategy
    strategy = noted.strategy
    qty_before = position.qty
    cash_before = account.cash
    realised_before = account.realised
    fees_before = account.fees
    fill_records.take_out(
        fills, counts[Counter.FILLS], noted.pair, fill_records.ANY_STRATEGY, position, account, instrument
    )
    for group in shape.groups:
        if group.own:
            refill_own(group, 0)
    noted.qty = recorded if noted.qty == noted.recorded_qty else min(recorded, noted.qty)
    if recorded > 0:
        noted.price = log.price[i]
        if column("fee", i) != 0:
            noted.fee = column("fee", i)
    else:
        noted.fee = 0
    fill_records.book_again(
        fills, counts[Counter.FILLS], noted.pair, fill_records.ANY_STRATEGY, position, account, instrument
    )
    if shape.cash:
        look_up_cash(position.account, instrument.currency)
        receive_cash(account.cash - cash_before, instrument.currency)
    for group in shape.groups:
        refill_group(group)
    if shape.references:
        place = fill_records.last_of(fills, counts[Counter.FILLS], noted.pair)
        position.fill_price = at(fills, place).price if place >= 0 else MISSING
        position.fill_ts = log.ts[at(fills, place).row] if place >= 0 else 0
    note_opening()
    restore_mark()
    tell_amended(-1, amended_qty, amended_price)
    if noted.qty > 0:
        tell_amended(1, noted.qty, noted.price)
    value_lots(position, account)
    equity_moved(position.account, noted.pair, position.instrument)
    if shape.groups_told and instrument.priced == 0:
        tell_groups_in(position.instrument)
    for group in shape.groups_told:
        tell_group(group, place_of(group, noted.pair, strategy))


def refill_own(group, again):
    """Take the fills of the strategy of a fill out of the books of its group, or (`again` 1) book them."""
    global member
    holding = at(group.positions, place_of(group, noted.pair, strategy))
    member = at(group.accounts, holding.account)
    if strategy >= 0 and again != 0:
        fill_records.book_again(fills, counts[Counter.FILLS], noted.pair, strategy, holding, member, instrument)
    elif strategy >= 0:
        fill_records.take_out(fills, counts[Counter.FILLS], noted.pair, strategy, holding, member, instrument)


def refill_group(group):
    """Book in a group what a bust or a correction changes."""
    global member
    holding = at(group.positions, place_of(group, noted.pair, strategy))
    member = at(group.accounts, holding.account)
    if group.own:
        refill_own(group, 1)
    else:
        holding.qty += position.qty - qty_before
    if not group.own and not group.sums:
        member.cash += account.cash - cash_before
        member.realised += account.realised - realised_before
        member.fees += account.fees - fees_before
    value_lots(holding, member)


def restore_mark():
    """Before the first price event, value the instrument at its last fill that stands."""
    if instrument.priced == 0:
        place = fill_records.last_in(fills, counts[Counter.FILLS], positions, position.instrument)
        if shape.references and place >= 0:
            instrument.mark_ts = log.ts[at(fills, place).row]
        if place >= 0 and at(fills, place).price != instrument.mark:
            instrument.mark = at(fills, place).price
            note_price()
            if shape.marks:
                ledger.mark(position, account, instrument)
                revalue_holders()
                revalue_groups(position.instrument)


def tell_amended(sign, lots, price):
    """Undo a fill with these contents in the records of rules (`sign` -1), or count it at its time (1)."""
    global event, book
    if shape.amending:
        event = EventRow(
            noted.row, int64(log.ts[noted.row]), EventKind.FILL, position.account, position.instrument, noted.pair,
            noted.side, lots, price, -1, noted.strategy, noted.connection, column("flags", noted.row),
        )  # fmt: skip
        book = Book(
            position, account, instrument, at(orders, -1), account.realised - realised_before if sign < 0 else 0,
            (1 if qty_before == 0 else 0) - (1 if position.qty == 0 else 0) if sign < 0 else 0, None, None,
        )  # fmt: skip
        for rule in shape.amending:
            if rule.always_keyed(EventKind.FILL) or rule.key >= 0:
                rule.state = at(rule.states, rule.key)
                rule.amend(
                    sign=sign,
                    today=(
                        1
                        if event.ts >= at(clocks, rule.terms.calendar).start and noted.row > counts[Counter.SESSION_ROW]
                        else 0
                    ),
                )
