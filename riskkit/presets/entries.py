"""Rules of a preset as entries of a rule set."""

from __future__ import annotations

from typing import Any

from riskkit.replay.rules.ruleset import RuleSet


def entry(
    id: str, type: str, scope: str = "account", action: str = "", hold: Any = None, **params: Any
) -> dict[str, Any]:
    """A rule by the name of its type."""
    own = {"action": action} if action else {}
    return {"id": id, "type": type, "scope": scope, **own, **({"hold": hold} if hold else {}), "params": params}


def rule_set(*entries: dict[str, Any] | None) -> RuleSet:
    """A rule set of entries; None is a rule that the preset leaves out."""
    return RuleSet.from_dict({"rules": [one for one in entries if one is not None]})
