"""Rules that cannot count on after a split in new units, or at another multiplier."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from riskkit._check import InputError
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import EventKind

SPLIT, MULTIPLIER = int(EventKind.SPLIT), int(EventKind.MULTIPLIER)
OF_ONE = ("instrument", "account_instrument")  # scopes whose keys are of one instrument


def why_not_split(rule: Rule) -> str:
    """Reason why a rule cannot follow a split; empty if it can."""
    if "covariance" in rule.kind.requires:
        return "measures returns from the prices of old units; leave it out of a log with splits, or adjust the prices"
    if rule.scope not in OF_ONE and rule.kind.adds_lots(rule.parameters):
        money = ", or a limit in money" if "notional" in rule.kind.limits else ""
        return (
            f"adds quantities of several instruments, and a split counts one of them in new units; use the scope {OF_ONE[0]} or "
            f"{OF_ONE[1]}{money}"
        )
    return ""


def why_not_multiplied(rule: Rule) -> str:
    """Reason why a rule cannot follow another multiplier; empty if it can."""
    if "covariance" in rule.kind.requires:
        return "weighs positions by the multiplier of its last bar; leave it out of a log in which a multiplier changes"
    if getattr(rule.parameters, "sensitivities", None) is not None:
        return "has its losses by the declared multiplier; give arrays, or leave it out of a log in which a multiplier changes"
    return ""


def refuse_live_split(event: Mapping[str, int], rules: Iterable[Rule]) -> None:
    """Refuse a split or another multiplier that a rule in force cannot follow.

    Raises
    ------
    InputError
        With the rule and what fits.
    """
    for rule in rules if event["kind"] in (SPLIT, MULTIPLIER) else ():
        if why := why_not_split(rule) if event["kind"] == SPLIT else why_not_multiplied(rule):
            raise InputError(f"rule {rule.id!r} ({rule.type}) {why}")
