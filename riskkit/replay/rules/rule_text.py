"""A rule in words: its limit, its scope and the effect of a breach."""

from __future__ import annotations

from typing import Any

from riskkit.replay.rules.parameters import amount_text
from riskkit.replay.schema import scopes
from riskkit.replay.schema.durations import duration_text

PAUSED = {
    "REDUCE_ONLY": "may only reduce positions",
    "PAUSE": "is paused: only orders that reduce a position and cancels pass",
    "HALT": "is halted: only cancels pass",
}


def limit_text(rule: Any) -> str:
    """The limit in words."""
    amounts = {
        name: amount_text(value)
        for name, unit in rule.kind.units().items()
        if unit.name in ("quantity", "money") and (value := getattr(rule.parameters, name))
    }
    return rule.kind.sentence(rule.parameters._replace(**amounts))


def scope_text(rule: Any) -> str:
    """The scope of a rule in words."""
    scope = scopes.SCOPES[rule.scope]
    each = ", in each instrument" if "position" in rule.kind.reads and not scope.has_instrument else ""
    netted = rule.kind.reads & {"position", "exposure", "share"} and scope.joins_accounts
    return f"{scope.words}{', accounts netted' if netted else ''}{each}"


def action_text(rule: Any) -> str:
    """The effect of a breach in words."""
    if rule.action == "ALERT":
        return f"a breach raises an alert ({rule.severity}) and stops nothing"
    if rule.action == "REJECT":
        return f"what breaches it is refused ({rule.severity})"
    who, what = scopes.SCOPES[rule.scope].who, PAUSED[rule.action]
    hold = rule.hold_ns()
    if hold == "session":
        tz, hour = rule.zone()
        until = f"until the trading day turns ({hour:02d}:00 {tz})"
    else:
        until = f"for {duration_text(hold)}" if isinstance(hold, int) else "until a person resets it"
    if rule.refuses:
        return f"what breaches it is refused, and {who} {what}, {until} ({rule.severity})"
    return f"from the event after a breach on {who} {what}, {until} ({rule.severity})"
