"""Rules and money of several currencies: what is converted to the currency of a limit, and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from riskkit._check import InputError
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.money import ADDED, converts, gathers, money_limits
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import CURRENCIES, MISSING, EventKind
from riskkit.replay.schema.scopes import SCOPES, event_label
from riskkit.replay.schema.universe import Universe

OPEN = tuple(scope.name for scope in SCOPES.values() if scope.is_open)
SPLIT = "replay the accounts of each currency as a log of their own, or leave the rule out"
CASH, EQUITY, CREDIT = int(EventKind.CASH), int(EventKind.EQUITY), int(EventKind.CREDIT)


def why_not_one_currency(rule: Rule, log: EventLog) -> str:
    """Reason why a log's money is in too many currencies for a rule, and what to do; empty if it is not."""
    accounts = log.account_currencies
    currencies = sorted({name for names in accounts for name in names})
    if rule.currency and (reason := _unconverted(rule, log, currencies)):
        return reason
    if len(currencies) < 2:
        return ""
    if money_limits(rule) and not rule.currency:
        return _compared(rule, currencies, "this log")
    if not _adds(rule, log.universe.mixed):
        return ""
    keys: dict[str, set[str]] = {}
    for key, currency in _amounts(rule.scope, log, accounts):
        keys.setdefault(key, set()).add(currency)
    for key, names in keys.items():
        if len(names) > 1:
            who = SCOPES[rule.scope].who
            whose = who if key in ("", who) else f"{who} {key!r}"
            return f"adds the money of {whose}, which is in {_listed(sorted(names))}; {_way_out(rule)}"
    return ""


def refuse_live_currencies(rules: Iterable[Rule], universe: Universe, paid: Iterable[str] = ()) -> None:
    """Refuse a live rule that would add or compare money of several currencies: declared ones, and those `paid`.

    Raises
    ------
    InputError
        With the rule, the currencies and what fits.
    """
    declared = {instrument.currency for instrument in universe.instruments}
    currencies = sorted(declared.union(paid, *(account.cash for account in universe.accounts)))
    for rule in rules if len(currencies) > 1 else ():
        joins = universe.mixed or SCOPES[rule.scope].joins_accounts or rule.scope in OPEN
        if money_limits(rule) and not rule.currency:
            reason = _compared(rule, currencies, "this session")
        elif _adds(rule, universe.mixed) and joins and rule.scope not in ("instrument", "account_instrument"):
            words = f"adds money {SCOPES[rule.scope].words}, and this session has {_listed(currencies)}"
            reason = f"{words}; {_way_out(rule)}"
        else:
            continue
        raise InputError(f"rule {rule.id!r} ({rule.type}) {reason}")


def refuse_live_money(event: Mapping[str, int], rules: Iterable[Rule], universe: Universe) -> None:
    """Refuse money in another currency that a rule would add or compare, and money without one that a rule would convert.

    Raises
    ------
    InputError
        With the account, the rule and what fits.
    """
    if event["kind"] not in (CASH, EQUITY, CREDIT) or len(universe.currencies) < 2:
        return
    if event["kind"] != EQUITY and event["price"] != MISSING:
        refuse_live_currencies(rules, universe, [universe.currencies[event["price"]]])
    for rule in rules if event["kind"] != CREDIT else ():
        if why := _nameless(rule, universe, event["kind"], event["account"], event["price"]):
            raise InputError(f"rule {rule.id!r} ({rule.type}) {why}")


def _nameless(rule: Rule, universe: Universe, kind: int, account: int, currency: int) -> str:
    """Reason why a cash flow or a given equity cannot be converted; empty if it can."""
    if not gathers(rule) or not rule.kind.reads & {"equity", "profit"}:
        return ""
    label = universe.accounts[account].id
    if kind == EQUITY:
        return (
            f"converts the money of account {label!r} to {rule.currency}, and an equity given from outside "
            'names no currency; leave out the rows kind="equity", or the rule'
        )
    if currency == MISSING and not universe.accounts[account].cash:
        return (
            f"converts the money of account {label!r} to {rule.currency}, and a cash event of it names no currency; "
            "give its currency, or the opening cash of the account"
        )
    return ""


def _unconverted(rule: Rule, log: EventLog, currencies: list[str]) -> str:
    """Reason why amounts of a log cannot be converted to the currency of a rule; empty if they can."""
    universe, columns = log.universe, log.columns
    codes = np.unique(columns["qty"][columns["kind"] == EventKind.FX]).tolist()
    known = {tuple(universe.currencies[part] for part in divmod(code, CURRENCIES)) for code in codes}
    known |= {(second, first) for first, second in known}
    for currency in currencies:
        crossed = {(currency, rule.via), (rule.via, rule.currency)} <= known
        if currency != rule.currency and (currency, rule.currency) not in known and not crossed:
            pair = f"{currency}/{rule.currency}"
            return (
                f"is in {rule.currency}, and this log has money in {currency} and no exchange rate between them; give "
                f'it (rows kind="fx", pair="{pair}"), or {SPLIT}'
            )
    named = np.isin(columns["kind"], (CASH, EQUITY))
    for row in np.flatnonzero(named).tolist() if len(universe.currencies) > 1 else ():
        event = (int(columns[name][row]) for name in ("kind", "account", "price"))
        if why := _nameless(rule, universe, *event):
            return why
    return ""


def _adds(rule: Rule, mixed: bool) -> bool:
    """True if the rule adds money of what its scope joins; balances of accounts that mix are kept by currency."""
    if rule.currency:
        return rule.kind.adds_up
    return bool(rule.fractions_of_equity or rule.kind.reads & ADDED or ("cash" in rule.kind.reads and not mixed))


def _compared(rule: Rule, currencies: list[str], where: str) -> str:
    amounts = " and ".join(money_limits(rule))
    return (
        f"has a limit in money without a currency ({amounts}), and {where} has {_listed(currencies)}; {_way_out(rule)}"
    )


def _way_out(rule: Rule) -> str:
    """What to do about a rule: name its currency, if its amounts are converted."""
    if rule.currency or not converts(rule):
        return SPLIT
    return f'name it with currency= and give exchange rates (rows kind="fx"), or {SPLIT}'


def _amounts(scope: str, log: EventLog, accounts: list[tuple[str, ...]]) -> Iterable[tuple[str, str]]:
    """The label of a key and a currency of its money, for all keys of a scope."""
    universe = log.universe
    if not SCOPES[scope].has_instrument:  # strategies and connections: those of any account
        for code, names in enumerate(accounts):
            label = "" if scope in OPEN else event_label(scope, universe, {"account": code, "instrument": -1})
            yield from ((label, name) for name in names)
        return
    for a, i in zip(log.pair_account.tolist(), log.pair_instrument.tolist(), strict=True):
        yield event_label(scope, universe, {"account": a, "instrument": i}), universe.instruments[i].currency


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"
