"""Positions at a new mark, and the rules on the equity of accounts and groups that it moves."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import first_place, holder_of, place_of
from riskkit.replay.engine.loop.outcomes import look_up_rule, look_up_rules, record_of, record_outcome
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import covariance_state as covariance
from riskkit.replay.kernels import exposure, groups
from riskkit.replay.kernels import totals as sums
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow


def note_price():
    """Note a price in the present bar of each rule with a covariance."""
    for rule in shape.gauging:
        covariance.price_came(at(rule.states, -1), memory)


def value_lots(holding, member):
    """Value changed lots of `instrument` in a position of an account or of a group (`member`)."""
    if shape.marks:
        ledger.mark(holding, member, instrument)
    if shape.exposures:
        exposure.expose(holding, member, instrument)


def revalue_holders():
    """Value every account with a position in the instrument at its new mark."""
    pair_id = instrument.first_position
    while pair_id >= 0:
        holding = at(positions, pair_id)
        if holding.qty != 0:
            ledger.mark(holding, at(accounts, holding.account), instrument)
            equity_moved(holding.account, pair_id, holding.instrument)
        if shape.exposures:
            exposure.expose(holding, at(accounts, holding.account), instrument)
        pair_id = holding.next_position


def revalue_groups(instrument_id):
    """Value every group with a position in the instrument at its new mark."""
    for group in shape.groups:
        place = first_place(group, instrument_id)
        while place >= 0:
            holding = at(group.positions, place)
            if holding.qty != 0:
                ledger.mark(holding, at(group.accounts, holding.account), instrument)
            if shape.exposures:
                exposure.expose(holding, at(group.accounts, holding.account), instrument)
            place = holding.next_position


def equity_moved(account_id, pair_id, instrument_id):
    """Process a change of an account's equity, if equity is tracked."""
    global used
    if shape.marks:
        used = moved(int64(account_id), int64(pair_id), int64(instrument_id), used)


def moved(account_id, pair_id, instrument_id, used):
    """Update an account's drawdown and the rules on its equity; return the number of rows written."""
    global position, account, instrument, event, book
    position = at(positions, pair_id)
    account = at(accounts, account_id)
    instrument = at(instruments, instrument_id)
    ledger.track(account)
    if shape.samples:
        sums.follow_total(at(totals, account.total), account)
    if shape.sums:
        for group in shape.sums:
            groups.follow(at(group.accounts, holder_of(group)), account)
        groups.note_followed(account)
    if shape.listening(EventKind.MARK):
        event = EventRow(i, now, EventKind.MARK, account_id, instrument_id, pair_id, 0, 0, MISSING, -1)
        book = Book(position, account, instrument, at(orders, -1), 0, 0, None, None)
        look_up_rules(EventKind.MARK)
        record_outcome(EventKind.MARK)
    return used


def tell_groups_in(instrument_id):
    """Tell the rules of every group with a position in the instrument that its profit has moved."""
    for group in shape.groups_told:
        place = first_place(group, instrument_id)
        while place >= 0:
            if at(group.positions, place).qty != 0:
                tell_group(group, place)
            place = at(group.positions, place).next_position


def tell_groups_of(place):
    """Tell the rules of the groups of a position of `account` that their profit has moved."""
    for group in shape.groups_told:
        tell_group(group, place_of(group, place, -1))


def tell_sums():
    """Tell the rules on the equity of the groups of `account` that it may have moved."""
    for group in shape.sums_told:
        if group.separate:
            for rule in shape.told_of(group):
                tell_key(rule, holder_of(group))
        else:
            tell_group(group, holder_of(group) * counts[Counter.INSTRUMENTS])
    for rule in shape.rated:
        tell_key(rule, holder_of(rule.group))


def tell_group(group, place):
    """Tell the rules on a group's profit that it may have moved."""
    global event, book
    holding = at(group.positions, place)
    event = EventRow(
        i, now, EventKind.MARK, at(positions, place).account if group.scope == "account" else -1, holding.instrument,
        place if group.by_pair else -1, 0, 0, MISSING, -1, holding.account if group.own else -1,
    )  # fmt: skip
    book = Book(holding, at(group.accounts, holding.account), instrument, at(orders, -1), 0, 0, None, None)
    for rule in shape.told_of(group):
        look_up_rule(rule, EventKind.MARK)
        record_of(rule, EventKind.MARK)


def tell_key(rule, key):
    """Tell a rule that the profit of a key may have moved, in any currency."""
    global event, book
    event = EventRow(
        i, now, EventKind.MARK, key if rule.scope == "account" else -1, -1, -1, 0, 0, MISSING, -1, -1,
    )  # fmt: skip
    book = Book(
        at(positions, -1), at(rule.group_accounts, key * counts[Counter.CURRENCIES] if rule.gathers else key),
        at(instruments, -1), at(orders, -1), 0, 0, None, None,
    )  # fmt: skip
    look_up_rule(rule, EventKind.MARK)
    record_of(rule, EventKind.MARK)
