"""Rules held against a log before a replay: whether the log contains what a rule needs to reach a verdict.

A rule type declares its needs (`RuleType.evidence`); the rest follows from its declaration: the events at which it can
refuse, alert or pause, its scope, and whether it depends on what accounts held before the first event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from riskkit._check import InputError
from riskkit._docs import counted
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.currencies import why_not_one_currency
from riskkit.replay.rules.evidence import WORDS, Need
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.splits import why_not_multiplied, why_not_split
from riskkit.replay.schema.columns import MESSAGES, MISSING, CashFlowKind, EventKind
from riskkit.replay.schema.scopes import SCOPES, event_label, has_key
from riskkit.replay.schema.universe import GROUPS

EQUITY_MOVES = ("position", EventKind.CASH.name, EventKind.EQUITY.name)  # what a MARK comes from


def why_not_judged(rule: Rule, log: EventLog) -> str:
    """Reason why a rule can neither refuse, nor alert, nor pause on a log, and what to do; empty if it can.

    Examples
    --------
    >>> import riskkit as rk
    >>> rule = rk.Rule("streak", rk.rules.ConsecutiveLosses(limit=3))
    >>> print(why_not_judged(rule, rk.replay.tiny_log([1, 2])))
    it needs closed trades (rows kind="trade"), and this log has none; count fills with of="closing_fills"
    """
    for need in _needs(rule):
        if not any(log.evidence.has(name, need.instrument) for name in need.any_of):
            wanted = " or ".join(WORDS[name] for name in need.any_of)
            wanted += f" of {need.instrument!r}" if need.instrument else ""
            return f"it needs {wanted}, and this log has none" + (f"; {need.instead}" if need.instead else "")
    return ""


def not_judged(rules: Iterable[Rule], log: EventLog) -> dict[str, str]:
    """The rules that cannot be judged on a log, by id, with the reason."""
    reasons = {rule.id: why_not_judged(rule, log) for rule in rules}
    return {name: reason for name, reason in reasons.items() if reason}


def unknown_keys(rules: Iterable[Rule], log: EventLog) -> list[str]:
    """The overrides whose label is that of no key in a log, in sentences: the limit of a name that is misspelt holds for nobody.

    Examples
    --------
    >>> import riskkit as rk
    >>> rule = rk.Rule("size", rk.rules.MaxOrderQty(limit=5), overrides={"a": {"limit": 2}, "A": {"limit": 3}})
    >>> unknown_keys([rule], rk.replay.tiny_log([1, 2]))
    ["size: 'a' of its overrides is no account of this log"]
    """
    return [
        f"{rule.id}: {label!r} of its overrides is no {SCOPES[rule.scope].words.removeprefix('for each ')} of this log"
        for rule in rules
        for label, _ in rule.overrides
        if not has_key(rule.scope, label, log.universe)
    ]


def cash_taken_as_zero(rules: Iterable[Rule], log: EventLog) -> list[str]:
    """Limits of cash on accounts of which nobody said what they have, in sentences: nothing covers their buys.

    Examples
    --------
    >>> import riskkit as rk
    >>> print(*cash_taken_as_zero([rk.Rule("cash", rk.rules.CashLimit())], rk.replay.tiny_log([1, 2])))
    cash: account 'A' has no cash in USD before it sells: no opening cash, no deposit; give accounts=[Account('A', cash={'USD': ...})]
    """
    universe, columns = log.universe, log.columns
    deposits = (columns["kind"] == EventKind.CASH) & (columns["side"] == CashFlowKind.DEPOSIT)
    given = zip(columns["account"][deposits].tolist(), columns["price"][deposits].tolist(), strict=True)
    first = [next(iter(account.cash), universe.currency) for account in universe.accounts]
    known = {(code, first[code] if currency == MISSING else universe.currencies[currency]) for code, currency in given}
    known |= {(code, name) for code, account in enumerate(universe.accounts) for name in account.cash}
    pairs = zip(log.pair_account.tolist(), log.pair_instrument.tolist(), strict=True)
    traded = dict.fromkeys((code, universe.instruments[instrument].currency) for code, instrument in pairs)
    found = []
    for rule in rules:
        if "cash" in rule.kind.reads:
            codes = range(len(universe.accounts))
            owner = [event_label(rule.scope, universe, {"account": code, "instrument": -1}) for code in codes]
            covered = {(owner[code], currency) for code, currency in known}
            lacking = [(code, currency) for code, currency in traded if (owner[code], currency) not in covered]
            found += [f"{rule.id}: {_lacks_cash(log, lacking)}"] if lacking else []
    return found


def required_nothing(rules: Iterable[Rule], log: EventLog) -> list[str]:
    """Rules whose data have nothing of an instrument that is traded or held, in sentences.

    Examples
    --------
    >>> import riskkit as rk
    >>> rule = rk.Rule("call", rk.rules.MaintenanceMargin("scan", arrays={"Y": [-5, 5]}))
    >>> print(*required_nothing([rule], rk.replay.tiny_log([1, 2])))
    call: its data have nothing of 'X', and positions in it require nothing
    """
    universe = log.universe
    held = {name for account in universe.accounts for name in account.positions}
    traded = {universe.instruments[code].id for code in log.pair_instrument.tolist()} | held
    found = []
    for rule in rules:
        if lacking := [
            one.id for one in universe.instruments if one.id in traded and rule.kind.lacks(rule.parameters, one.id)
        ]:
            others = f" and {counted(len(lacking) - 1, 'other')}" if len(lacking) > 1 else ""
            them = "them" if others else "it"
            found.append(
                f"{rule.id}: its data have nothing of {lacking[0]!r}{others}, and positions in {them} require nothing"
            )
    return found


def unnamed_orders(rules: Iterable[Rule], log: EventLog) -> str:
    """The limit orders without an id, if a rule counts working orders, in words: nothing says when they end, so they never work.

    Examples
    --------
    >>> import riskkit as rk
    >>> unnamed_orders([rk.Rule("gross", rk.rules.MaxExposure(5))], rk.replay.tiny_log([1, 2], price=10.0))
    '2 of 2 limit orders have no id (column order_id), so that they never count as working: gross judges each beside fills alone'
    """
    counting = [rule.id for rule in rules if _counts_working(rule)]
    limits = (log.columns["kind"] == EventKind.ORDER) & (log.columns["price"] != MISSING)
    unnamed = int((limits & (log.columns["order"] < 0)).sum())
    if not counting or not unnamed:
        return ""
    have = "has" if unnamed == 1 else "have"
    judge = f"{' and '.join(counting)} {'judges' if len(counting) == 1 else 'judge'} each beside fills alone"
    return (
        f"{unnamed:,} of {counted(int(limits.sum()), 'limit order')} {have} no id (column order_id), so that "
        f"{'it' if unnamed == 1 else 'they'} never {'counts' if unnamed == 1 else 'count'} as working: {judge}"
    )


def _counts_working(rule: Rule) -> bool:
    """True if working orders count in what a rule compares."""
    params, requires = rule.parameters, rule.kind.requires
    declared = [getattr(params, name) for name in ("working", "include_open") if hasattr(params, name)]
    if "opening" in requires and params.open_positions is None:
        return False
    needs = {"working", "cash", "chains"} & requires or ("exposures" in requires and not rule.kind.checked_by_pause)
    return bool(declared[0] if declared else needs)


def _lacks_cash(log: EventLog, lacking: list[tuple[int, str]]) -> str:
    """Which accounts have no cash that is known, in words."""
    code, currency = lacking[0]
    first, others = log.universe.accounts[code].id, len({code for code, _ in lacking}) - 1
    whose = f"account {first!r}" + (f" and {counted(others, 'other')} have" if others else " has")
    cash = f"give accounts=[Account({first!r}, cash={{{currency!r}: ...}})]"
    return f"{whose} no cash in {currency} before {'they sell' if others else 'it sells'}: no opening cash, no deposit; {cash}"


def refuse_unjudged(rules: RuleSet, log: EventLog, varied: Iterable[str] = ()) -> None:
    """Refuse rules that a log would misjudge, a rule set of which it can judge none, and `varied` rules that it cannot.

    Raises
    ------
    InputError
        With the rules and the reasons. An empty log is replayed: there is nothing to judge.
    """
    for rule in rules:
        if reason := misjudged(rule, log):
            raise InputError(f"rule {rule.id!r} ({rule.type}) {reason}")
    reasons = not_judged(rules, log) if len(log) else {}
    for name in varied:
        if name in reasons:
            raise InputError(
                f"rule {name!r} cannot be judged on this log, so no setting of it matters: {reasons[name]}"
            )
    if reasons and len(reasons) == len(rules):
        listed = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise InputError(f"no rule of this set can be judged on this log. {listed}")


def looks_at(rule: Rule) -> frozenset[str]:
    """Opening balances on which a rule's decisions depend, of {"positions", "cash"}: declared or derived.

    Marks value positions; and whether an order only reduces a position decides if an exempt or paused one passes.
    """
    kind = rule.kind
    reads = "reducing" in _arguments(kind.check) or "marks" in kind.requires
    exempts = kind.exempt_reducing or (rule.can_pause and rule.action != "HALT")
    return kind.looks_at | (frozenset({"positions"}) if reads or exempts else frozenset())


def _needs(rule: Rule) -> Iterator[Need]:
    yield from rule.kind.evidence(rule)
    yield _acting(rule)
    if rule.scope in ("strategy", "connection", "smp_id"):
        yield Need((rule.scope,), "label the orders, or choose another scope")


def _acting(rule: Rule) -> Need:
    """The events at which the rule can refuse, alert or pause."""
    kind = rule.kind
    judged = (*MESSAGES, EventKind.CREDIT)
    checks = [event for event in judged if event in kind.checks_on and kind.check is not None]
    if not rule.can_pause:
        at = {*checks, *rule.alerts_on}
    else:
        at = {
            *(kind.updates_on if kind.breached_by is None else kind.breached_by),
            *(() if kind.checked_by_pause else checks),
        }
    names = [event.name for event in EventKind if event in at and event != EventKind.MARK]
    names += [name for name in EQUITY_MOVES if EventKind.MARK in at and name not in names]
    return Need(tuple(names))


def misjudged(rule: Rule, log: EventLog) -> str:
    """Reason why the log would give wrong verdicts of a rule; empty if it does not."""
    unknown = [what for what in log.about.get("unknown", ()) if what in looks_at(rule)]
    if unknown and not why_not_judged(rule, log):
        return (
            f"looks at the {unknown[0]} of accounts, and this log does not know what they held before its first event; "
            "give the openings, or leave the rule out"
        )
    if rule.scope in GROUPS:
        without = [account.id for account in log.universe.accounts if not getattr(account, rule.scope)]
        if without:
            whose = f"account {without[0]!r}" + (
                f" and {counted(len(without) - 1, 'other')}" if len(without) > 1 else ""
            )
            have = "have" if len(without) > 1 else "has"
            return (
                f"has the scope {rule.scope}, and {whose} {have} no {rule.scope}, so that they would count as one; "
                f"give accounts=[Account({without[0]!r}, {rule.scope}=...)], or choose another scope"
            )
    split = why_not_split(rule) if log.evidence.has("SPLIT") else ""
    split = split or (why_not_multiplied(rule) if log.evidence.has("MULTIPLIER") else "")
    return split or why_not_one_currency(rule, log) or _without_equity(rule, log)


def _without_equity(rule: Rule, log: EventLog) -> str:
    """Reason why a rule would measure against a profit as if it were an equity: what trades has none that is known.

    A declared opening cash of zero is one, but fractions of it would never be reached.
    """
    fractions = rule.fractions_of_equity
    if not (fractions or "equity" in rule.kind.reads):
        return ""
    kinds, deposit = log.columns["kind"], log.columns["side"] == CashFlowKind.DEPOSIT
    given = log.columns["account"][(kinds == EventKind.EQUITY) | ((kinds == EventKind.CASH) & deposit)]
    known = set(given.tolist())
    for code, opened in enumerate(log.universe.accounts):
        if opened.positions or (any(opened.cash.values()) if fractions else opened.cash):
            known.add(code)
    keys: dict[str, list[int]] = {}
    for code in dict.fromkeys(log.pair_account.tolist()):
        label = event_label(rule.scope, log.universe, {"account": code, "instrument": -1})
        keys.setdefault(label, []).append(code)
    without = [codes for codes in keys.values() if known.isdisjoint(codes)]
    if not without:
        return ""
    in_money = any(rule.kind.units()[name].name == "money" for name in rule.kind.limits)
    what = f"a fraction of an equity ({' and '.join(fractions)})" if fractions else "against an equity"
    first = log.universe.accounts[without[0][0]].id
    others = sum(map(len, without)) - 1
    whose = f"account {first!r}" + (f" and {counted(others, 'other')}" if others else "")
    return (
        f"measures {what}, and that of {whose} is not known: no "
        'opening cash or position, no deposit, no row kind="equity"; '
        f"give accounts=[Account({first!r}, cash=...)]{', or a limit in money' if fractions and in_money else ''}"
    )


def _arguments(function: object) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    return code.co_varnames[: code.co_argcount] if code is not None else ()
