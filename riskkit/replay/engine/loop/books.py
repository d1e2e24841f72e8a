"""The books that rules see: of an account, of a group, and of several currencies converted into one."""

from __future__ import annotations

from riskkit.replay.engine.loop.records import cash_currency
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.kernels import conversion as exchange
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import EventKind


def owner_book(rule, key):
    """The book of the account or group that owns a key, without position, instrument and order."""
    return Book(
        at(positions, -1), at(rule.group_accounts, key) if rule.group else at(accounts, rule.state.owner),
        at(instruments, -1), at(orders, -1), 0, 0, None, None,
    )  # fmt: skip


def shared_book(rule):
    """The book of a message of a rule with a group; converted if the rule adds several currencies."""
    return (
        Book(
            at(rule.group_positions, place_of(rule.group, event.pair, event.strategy)), at(converted_books, rule.number),
            instrument, book.order, 0, 0, book.cash_balance, book.parent,
        )
        if rule.gathers
        else group_book(rule)
    )  # fmt: skip


def group_book(rule):
    """The book of a message in which the records of the rule's group take the place of those of the account."""
    return Book(
        at(rule.group_positions, place_of(rule.group, event.pair, event.strategy)),
        at(rule.group_accounts, rule.key), instrument, book.order, 0, 0,
        balance_of(rule.group, rule.key, instrument.currency) if rule.group.has_cash else None, book.parent,
    )  # fmt: skip


def total_book(rule):
    """The converted book of a key, without position, instrument and order."""
    return Book(
        at(positions, -1), at(converted_books, rule.number), at(instruments, -1), at(orders, -1), 0, 0, None, None,
    )  # fmt: skip


def converted(rule):
    """Find how amounts of the event become those of a rule's limit; 0, or below 0 if a currency has no rate."""
    return (
        gathered(rule, rule.key, instrument.currency, exchange.oldest_of(rule.terms, event.ts))
        if rule.gathers
        else exchange.find_way(
            at(conversions, rule.number), rates, counts[Counter.CURRENCIES], event_currency(), rule.terms,
            exchange.oldest_of(rule.terms, event.ts),
        )
    )  # fmt: skip


def event_currency():
    """Currency of the money of the event."""
    return cash_currency() if shape.credits and log.kind[i] == EventKind.CREDIT else instrument.currency


def gathered(rule, key, currency, oldest):
    """Convert the books of a rule's key; 0, or below 0 if a currency has no rate."""
    return exchange.gather(
        at(conversions, rule.number), at(converted_books, rule.number), rule.group_accounts, rates, key,
        counts[Counter.CURRENCIES], currency, rule.terms, oldest, rule.read_bits,
    )  # fmt: skip


def first_place(group, instrument_id):
    """Number of a group's first position in `instrument`, chained by `next_position`; -1 if there are no groups."""
    return (
        instrument.first_position
        if group.by_pair
        else instrument_id
        if group.scope != "strategy"
        else instrument_id
        if counts[Counter.STRATEGIES] > 0
        else -1
    )


def place_of(group, pair_id, strategy_id):
    """Number of a group's position in the instrument of `position`; -1 for a fill or an order without a strategy."""
    return (
        pair_id
        if group.by_pair
        else holder_of(group) * counts[Counter.INSTRUMENTS] + position.instrument
        if group.scope != "strategy"
        else strategy_id * counts[Counter.INSTRUMENTS] + position.instrument
        if strategy_id >= 0
        else -1
    )


def holder_of(group):
    """Number of the group to which `account` belongs; 0 for a group of all accounts."""
    return (
        account.trader
        if group.scope == "trader"
        else account.desk
        if group.scope == "desk"
        else account.firm
        if group.scope == "firm"
        else int64(log.account[i])
        if group.scope == "account"
        else 0
    )


def balance_of(group, key, currency):
    """A group's cash in a currency."""
    return at(group.cash, key * counts[Counter.BALANCES] + min(currency, counts[Counter.BALANCES] - 1))


def receive_cash(amount, currency):
    """Add cash to the balances of the account and of its groups in a currency."""
    cash_balance.cash += amount
    for group in shape.cash_groups:
        balance_of(group, holder_of(group), currency).cash += amount


def day_of(rule):
    """Start of the present trading day of a rule."""
    return at(clocks, rule.terms.calendar).start
