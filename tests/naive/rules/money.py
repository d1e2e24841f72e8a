"""Equity, profit and deposits of a key: one sum, or, for a rule that names its currency, by currency and converted."""

from __future__ import annotations

from fractions import Fraction


def in_currency(replay, label, currency):
    """Equity of an account in one currency, and what of it was paid in."""
    account = replay.accounts[label]
    worth = account.cash.get(currency, Fraction(0))
    for name, qty in account.positions.items():
        traded = replay.instruments[name]
        if traded.quote == currency and traded.mark is not None:
            worth += qty * traded.mark * traded.multiplier
    return worth, account.paid.get(currency, Fraction(0))


def realised_in(replay, labels, currency):
    """Profit that accounts realised in one currency."""
    received = received_by(replay, labels, currency)
    return received + sum(
        (entry[5] for entry in replay.booked if entry[0] in labels and replay.instruments[entry[1]].quote == currency),
        Fraction(0),
    )


def received_by(replay, labels, currency=None):
    """Dividends of accounts, in one currency if one is given."""
    found = Fraction(0)
    for (account, label, _), money in replay.received.items():
        found += money if account in labels and currency in (None, replay.instruments[label].quote) else 0
    return found


def currencies(replay):
    return {traded.quote for traded in replay.instruments.values()} | {
        name for account in replay.accounts.values() for name in account.cash
    }


def summed(rule, key, amount, any_age=False):
    """`amount` of the accounts of a key and a currency, converted and added over the currencies."""
    labels = rule.members(key)
    needs_rates(rule, key, any_age)
    amounts = {name: amount(labels, name) for name in currencies(rule.replay)}
    return sum((rule.down(value, name, any_age) for name, value in amounts.items() if value), Fraction(0))


def equity_of(rule, key):
    if not rule.currency:
        return sum(rule.replay.equity(label) for label in rule.members(key))
    return summed(rule, key, lambda labels, name: sum(in_currency(rule.replay, label, name)[0] for label in labels))


def profit_of(rule, key, any_age=False):
    if not rule.currency:
        return sum(rule.replay.profit(label) for label in rule.members(key))

    def profit(labels, name):
        return sum((worth - paid for worth, paid in (in_currency(rule.replay, label, name) for label in labels)))

    return summed(rule, key, profit, any_age)


def deposits_of(rule, key):
    """What was paid in; converted, it is what the equity is beyond the profit."""
    if not rule.currency:
        return sum(rule.replay.deposits(label) for label in rule.members(key))
    return equity_of(rule, key) - profit_of(rule, key)


def realised_of(rule, key, any_age=False):
    if not rule.currency:
        realised = sum(rule.replay.accounts[label].realised for label in rule.members(key))
        return realised + received_by(rule.replay, rule.members(key))
    return summed(rule, key, lambda labels, name: realised_in(rule.replay, labels, name), any_age)


def needs_rates(rule, key, any_age=False, of=("money",)):
    """Raise if a currency has no rate in which a key has money or profit, or positions and working orders of a value."""
    replay, labels = rule.replay, rule.members(key)
    for name in currencies(replay):
        both = [in_currency(replay, label, name) for label in labels]
        worth, paid = (sum(column) for column in zip(*both, strict=True))
        money = "money" in of and (worth or worth - paid or realised_in(replay, labels, name))
        if money or ("exposure" in of and exposed(rule, key, name)):
            rule.up(Fraction(0), name, any_age)


def exposed(rule, key, currency):
    """Whether a key holds or has working orders in an instrument of a currency that has a value."""
    replay = rule.replay
    for label, traded in replay.instruments.items():
        working = [one for one in replay.working() if one.instrument == label and rule.key(one) == key and one.rest]
        known = traded.mark if traded.mark is not None else replay.reference_of(label)
        if traded.quote == currency and known and (rule.net(key, label) or working):
            return True
    return False
