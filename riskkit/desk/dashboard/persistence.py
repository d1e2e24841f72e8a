"""State of a `LiveDesk` as plain data for JSON: counts and decisions; its manager and its stream have their own."""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import Any

from riskkit._plain import anything, either, fields, flag, integer, maybe, number, rows, text, word
from riskkit.replay.results.decisions import Decision, DecisionKind

FORMAT = 1
COUNTED = ("bars", "trades", "ended")
NAMES = tuple(field.name for field in fields_of(Decision))
AMOUNT = either(integer(), number(), maybe(text))
DECISION = {
    **dict.fromkeys(NAMES, AMOUNT),
    **{"action": word(*DecisionKind.__members__), "ts": integer(), "until": maybe(integer()), "seq": integer()},
    **dict.fromkeys(("rule", "key", "reason", "account", "instrument", "unit"), text),
}
SHAPE = fields(
    format=integer(0),
    account=text,
    bars=integer(0),
    trades=integer(0),
    ended=flag,
    manager=anything,  # which their classes check
    stream=anything,
    session=maybe(fields(events=integer(0), digest=text)),
    actions=rows(fields(**DECISION)),
)
"""Check of a state."""


def plain_decision(decision: Decision) -> dict[str, Any]:
    """The fields of a decision."""
    return {name: getattr(decision, name) for name in NAMES} | {"action": decision.action.name}


def decision_of(plain: dict[str, Any]) -> Decision:
    """The decision of `plain_decision`."""
    return Decision(**{**plain, "action": DecisionKind[plain["action"]]})
