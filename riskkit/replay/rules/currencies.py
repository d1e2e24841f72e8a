"""Rules whose verdict would add or compare money of several currencies, which have no exchange rate in a log."""

from __future__ import annotations

from collections.abc import Iterable

from riskkit._check import InputError
from riskkit.replay.log.currencies import account_currencies
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.scopes import SCOPES, event_label
from riskkit.replay.schema.universe import Universe

ADDED = frozenset({"exposure", "share", "equity", "profit"})  # what a book adds over its instruments and accounts
SPLIT = "replay the accounts of each currency as a log of their own, or leave the rule out"


def money_limits(rule: Rule) -> tuple[str, ...]:
    """Names of the given parameters that are amounts of money.

    Examples
    --------
    >>> import riskkit as rk
    >>> money_limits(rk.Rule("r", rk.rules.PositionLimit(limit=5))), money_limits(rk.Rule("r", rk.rules.MaxExposure(5)))
    ((), ('limit',))
    """
    defaults = rule.kind.parameters._field_defaults
    return tuple(
        name
        for name, unit in rule.kind.units().items()
        if unit.name == "money" and getattr(rule.parameters, name) != defaults.get(name)
    )


def why_not_one_currency(rule: Rule, log: EventLog) -> str:
    """Reason why a log's money is in too many currencies for a rule, and what to do; empty if it is not."""
    accounts = account_currencies(log)
    currencies = sorted({name for names in accounts for name in names})
    if len(currencies) < 2:
        return ""
    if limits := money_limits(rule):
        return _compared(limits, currencies, "this log")
    if not _adds(rule, log.universe.mixed):
        return ""
    keys: dict[str, set[str]] = {}
    for key, currency in _amounts(rule.scope, log, accounts):
        keys.setdefault(key, set()).add(currency)
    for key, names in keys.items():
        if len(names) > 1:
            who = SCOPES[rule.scope].who
            whose = who if key in ("", who) else f"{who} {key!r}"
            return f"adds the money of {whose}, which is in {_listed(sorted(names))}; {SPLIT}"
    return ""


def refuse_live_currencies(rules: Iterable[Rule], universe: Universe) -> None:
    """Refuse a live rule that would add or compare money of several of the declared currencies.

    Raises
    ------
    InputError
        With the rule, the currencies and what fits.
    """
    currencies = sorted(universe.currencies)
    for rule in rules if len(currencies) > 1 else ():
        joins = universe.mixed or SCOPES[rule.scope].joins_accounts or rule.scope == "strategy"
        if limits := money_limits(rule):
            reason = _compared(limits, currencies, "this session")
        elif _adds(rule, universe.mixed) and joins and rule.scope not in ("instrument", "account_instrument"):
            reason = f"adds money {SCOPES[rule.scope].words}, and this session has {_listed(currencies)}; {SPLIT}"
        else:
            continue
        raise InputError(f"rule {rule.id!r} ({rule.type}) {reason}")


def _adds(rule: Rule, mixed: bool) -> bool:
    """True if the rule adds money of what its scope joins; balances of accounts that mix are kept by currency."""
    return bool(rule.fractions_of_equity or rule.kind.reads & ADDED or ("cash" in rule.kind.reads and not mixed))


def _compared(limits: tuple[str, ...], currencies: list[str], where: str) -> str:
    amounts = " and ".join(limits)
    return f"has a limit in money without a currency ({amounts}), and {where} has {_listed(currencies)}; {SPLIT}"


def _amounts(scope: str, log: EventLog, accounts: list[tuple[str, ...]]) -> Iterable[tuple[str, str]]:
    """The label of a key and a currency of its money, for all keys of a scope."""
    universe = log.universe
    if not SCOPES[scope].has_instrument:  # strategies: the fills of any account
        for code, names in enumerate(accounts):
            label = "" if scope == "strategy" else event_label(scope, universe, {"account": code, "instrument": -1})
            yield from ((label, name) for name in names)
        return
    for a, i in zip(log.pair_account.tolist(), log.pair_instrument.tolist(), strict=True):
        yield event_label(scope, universe, {"account": a, "instrument": i}), universe.instruments[i].currency


def _listed(names: list[str]) -> str:
    return ", ".join(names[:-1]) + f" and {names[-1]}"
