"""A rule in words (limit, scope and action) and as an entry of a rule set."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from riskkit.replay.rules.money import CONVERSION, conversion_of, money_limits
from riskkit.replay.rules.overrides import override_text
from riskkit.replay.rules.parameters import amount_text, canonical
from riskkit.replay.rules.plain_data import PLAIN_DATA
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.durations import duration_text
from riskkit.replay.schema.scopes import SCOPES

if TYPE_CHECKING:
    from riskkit.replay.rules.rule import Rule

JUDGED = {EventKind.ORDER: "orders", EventKind.MODIFY: "modifications", EventKind.CREDIT: "reservations of credit"}


def limit_text(rule: Rule) -> str:
    """The limit of a rule, amounts with separators, with those of single keys."""
    return f"{_limit_text(rule)}{override_text(rule)}"


def _limit_text(rule: Rule) -> str:
    amounts = {
        name: amount_text(value)
        for name, unit in rule.kind.units().items()
        if unit.name in ("quantity", "money") and (value := getattr(rule.parameters, name))
    }
    own = {name for _, limits in rule.overrides for name, _ in limits}
    amounts |= {name: "an amount of its own" for name in own if getattr(rule.parameters, name) is None}
    if not rule.currency:
        return rule.kind.sentence(rule.parameters._replace(**amounts))
    amounts |= {name: f"{amounts[name]} {rule.currency}" for name in money_limits(rule) if name in amounts}
    text = rule.kind.sentence(rule.parameters._replace(**amounts)).replace(f"{rule.currency} in money", rule.currency)
    old = f" (no older than {duration_text(rule.max_age_ns)})" if rule.max_age_ns is not None else ""
    return f"{text}, converted to {rule.currency} at the last rates{old}, against the trader"


def rule_text(rule: Rule) -> str:
    """A rule in two sentences that a risk officer can sign."""
    action = action_text(rule)
    return f"{rule.id}: {limit_text(rule)}, {scope_text(rule)}. {action[0].upper()}{action[1:]}."


def scope_text(rule: Rule) -> str:
    """Whose orders a rule limits: each account, each desk with its accounts netted, ..."""
    scope = SCOPES[rule.scope]
    each = ", in each instrument" if "position" in rule.kind.reads and not scope.has_instrument else ""
    joined = rule.kind.reads & {"position", "exposure", "share"} and scope.joins_accounts
    how = ", accounts netted" if rule.netting == "net" else ", accounts added without netting"
    return f"{scope.words}{how if joined else ''}{each}"


def action_text(rule: Rule) -> str:
    """The effect of a breach, on whom, and until when."""
    return f"{_effect(rule)} (severity {rule.severity})"


def _effect(rule: Rule) -> str:
    scope = SCOPES[rule.scope]
    who = scope.who if scope.record else "all trading"
    if rule.action == "ALERT":
        return "a breach raises an alert and stops nothing"
    if rule.action == "QUEUE":
        return "messages that come too fast wait their turn, and those that find the queue full are rejected"
    if rule.action == "REJECT":
        return _rejection(rule)
    what, passes = {
        "REDUCE_ONLY": ("may only reduce positions", ""),
        "PAUSE": ("is paused", ": only cancels and orders that reduce a position are accepted"),
        "HALT": ("is halted", ": only cancels are accepted"),
    }[rule.action]
    pause = f"{who} {what} {_until(rule)}{passes}"
    return f"{_rejection(rule)}; then {pause}" if rule.refuses else f"after a breach, {pause}"


def _rejection(rule: Rule) -> str:
    """Which messages are rejected: those that lead to a breach, or all as long as it lasts."""
    judged = [words for kind, words in JUDGED.items() if kind in rule.kind.checks_on]
    messages = " and ".join(judged)
    reducing = ", unless they only reduce a position" if rule.kind.exempt_reducing else ""
    if rule.kind.checked_by_pause:
        return f"while it is breached, {messages} are rejected{reducing}"
    return f"{messages} that would breach it are rejected{reducing}"


def _until(rule: Rule) -> str:
    """The end of a pause."""
    hold = rule.hold_ns()
    if hold == "session":
        tz, hour = rule.zone()
        return f"until the next trading day ({hour:02d}:00 {tz})"
    if isinstance(hold, int):
        return f"for {duration_text(hold)}"
    return "until the limit is met again" if rule.kind.recovers else "until a person resets it"


def description(rule: Rule) -> dict[str, Any]:
    """A rule as an entry of a rule set."""
    params = {}
    for name in rule.parameters._fields:
        value = getattr(rule.parameters, name)
        if value is not None and value != rule.parameters._field_defaults.get(name, ...):
            unit = rule.kind.units()[name]
            plain = canonical(value, unit, name) if unit.name in PLAIN_DATA else _plain(value)
            params[name] = list(plain) if isinstance(plain, tuple) else plain
    described: dict[str, Any] = {"id": rule.id, "type": rule.type, "scope": rule.wire_scope, "action": rule.action}
    described["severity"] = rule.severity
    if rule.hold is not None:
        described["hold"] = _plain(rule.hold)
    described |= {name: _plain(value) for name, value in conversion_of(rule).items() if value != CONVERSION[name]}
    described |= {"netting": rule.netting} if rule.netting != "net" else {}
    if rule.overrides:
        described["overrides"] = {
            label: {name: _plain(value) for name, value in limits} for label, limits in rule.overrides
        }
    return {**described, "params": params}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (Decimal, Fraction)) else value
