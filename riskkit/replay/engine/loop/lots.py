"""Lots that come and go without a fill: adjustments and transfers."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import place_of, receive_cash
from riskkit.replay.engine.loop.equity import equity_moved, note_price, revalue_groups, revalue_holders, tell_groups_of
from riskkit.replay.engine.loop.fills import note_record
from riskkit.replay.engine.loop.records import column, look_up, look_up_cash
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import note_opening
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import exposure, groups
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow


def on_adjust():
    """Give an account lots, or both of a transfer at its first row; what rules say of it is decided after both."""
    global used
    if column("batch", i) < 0 or column("batch", i) == i:
        used = book_adjustment(used)


def book_adjustment(used):
    """Book the lots of an adjustment or a transfer, then tell the rules; return the number of rows written."""
    j = i
    while is_adjusted(j):
        look_up(j)
        if instrument.mark == MISSING and log.price[j] != MISSING:
            value_first(int64(log.instrument[j]), log.price[j])
        position.factual_qty += int64(log.side[j]) * log.qty[j]
        book_lots(
            int64(log.pair[j]), int64(log.side[j]) * log.qty[j],
            log.price[j] if log.price[j] != MISSING else instrument.mark, 0,
        )  # fmt: skip
        j += 1
    j = i
    while is_adjusted(j):
        equity_moved(log.account[j], log.pair[j], log.instrument[j])
        j += 1
    if shape.groups_told:
        j = i
        while is_adjusted(j):
            look_up(j)
            tell_groups_of(int64(log.pair[j]))
            j += 1
    return used


def is_adjusted(row):
    """True for the row of the event, and for the others of its transfer."""
    return row == i or (row < len(arrays.ts) and column("batch", row) == i)


def value_first(code, price):
    """Value `instrument`, which has no mark yet, and the positions that wait for one."""
    instrument.mark = price
    if shape.references:
        instrument.mark_ts = now
    note_price()
    if shape.marks:
        revalue_holders()
        revalue_groups(code)


def book_lots(place, gap, price, paid):
    """Give `position` lots without a fill at a price, `paid` (1) or not (0); without a price they are worth the first mark."""
    global qty, side, cash_before
    side = 1 if gap > 0 else -1
    qty = abs(gap)
    realised = 0
    if price == MISSING:
        position.qty += gap
        position.unpriced = 1 if position.qty != 0 else 0
    elif paid != 0:
        if shape.cash:
            cash_before = account.cash
        realised = ledger.fill(position, account, instrument, side, qty, price, 0)
        if shape.cash:
            look_up_cash(position.account, instrument.currency)
            receive_cash(account.cash - cash_before, instrument.currency)
    else:
        realised = ledger.adjust(position, account, instrument, side, qty, price)
        if shape.amends:
            note_record(place, qty, price, -1, -1, 1)
    for group in shape.groups:
        if not group.own:
            adjust_group(group, place, realised, price, paid)
    if shape.adjusting:
        tell_adjusted(place, gap)
    note_opening()
    if shape.marks and instrument.mark != MISSING:
        ledger.mark(position, account, instrument)
    if shape.exposures:
        exposure.expose(position, account, instrument)


def adjust_group(group, pair_id, realised, price, paid):
    """Book lots that come or go without a fill in a group, at a price and `paid` (1) or not (0)."""
    global member
    holding = at(group.positions, place_of(group, int64(pair_id), -1))
    member = at(group.accounts, holding.account)
    if group.sums:
        holding.qty += side * qty
    elif price == MISSING:
        holding.qty += side * qty
    elif paid != 0:
        groups.fill_part(holding, member, instrument, side, qty, price, 0, realised)
    else:
        groups.adjust_part(holding, member, instrument, side, qty, price, realised)
    if instrument.mark == MISSING:
        holding.unpriced = 1 if holding.qty != 0 else 0
    elif shape.marks:
        ledger.mark(holding, member, instrument)
    if shape.exposures:
        exposure.expose(holding, member, instrument)


def tell_adjusted(place, gap):
    """Tell the rules that keep positions in their records of lots that come or go without a fill."""
    global event, book
    event = EventRow(
        i, now, EventKind.FILL, position.account, position.instrument, place, side, qty, instrument.mark, -1,
    )  # fmt: skip
    opened = (1 if position.qty == gap else 0) - (1 if position.qty == 0 else 0)
    book = Book(position, account, instrument, at(orders, -1), 0, opened, None, None)
    for rule in shape.adjusting:
        if rule.always_keyed(EventKind.FILL) or rule.key >= 0:
            rule.state = at(rule.states, rule.key)
            rule.amend(sign=1, today=1)
