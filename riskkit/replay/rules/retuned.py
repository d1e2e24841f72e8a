"""Rules with other numbers: by name, what differs between two sets, and what a rule may change while it runs."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.rules.money import conversion_of
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.tiered import TieredRule

Setting = dict[str, Any]  # {"rule_id.parameter": value}
RULE_FIELDS = ("action", "severity", "scope", "hold", "overrides")  # of a rule, beside its parameters
KEPT = ("count", "quantity", "money", "price", "fraction", "ratio", "return", "multiple", "confidence", "breach")


def differences(before: RuleSet, after: RuleSet) -> list[dict[str, Any]]:
    """What differs between two rule sets: rule, parameter ("rule" if it is added or removed), before, after."""
    one, two = ({rule.id: rule for rule in rules} for rules in (before, after))
    found = []
    for name in dict.fromkeys([*one, *two]):
        if name not in one or name not in two:
            texts = ["" if name not in rules else rules[name].limit_text() for rules in (one, two)]
            found.append({"rule": name, "parameter": "rule", "before": texts[0], "after": texts[1]})
            continue
        settings = [
            {**rule.parameters._asdict(), "action": rule.action, "severity": rule.severity, "hold": rule.hold_ns()}
            for rule in (one[name], two[name])
        ]
        for rule, other, own in ((one[name], two[name], settings[0]), (two[name], one[name], settings[1])):
            own |= overridden(rule, other)
        found += [
            {"rule": name, "parameter": setting, "before": value, "after": settings[1][setting]}
            for setting, value in settings[0].items()
            if settings[1][setting] != value
        ]
    return found


def overridden(rule: Rule, other: Rule) -> dict[str, Any]:
    """The limits of the keys for which a rule or another version of it has an override, as "limit of D1"."""
    own = {(label, name): value for label, limits in rule.overrides for name, value in limits}
    asked = dict.fromkeys([*own, *((label, name) for label, limits in other.overrides for name, _ in limits)])
    return {
        f"{name} of {label}": own.get((label, name), getattr(rule.parameters, name)) for label, name in sorted(asked)
    }


def with_setting(rules: RuleSet, setting: Mapping[str, Any]) -> RuleSet:
    """Copy of the rules with the values of a setting.

    Raises
    ------
    InputError
        If a name is not a ``rule_id.parameter`` of these rules, or a value does not fit.

    Examples
    --------
    >>> from riskkit.rules import OrderRate
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=50, window_ns="1s"))])
    >>> with_setting(rules, {"rate.limit": 7})["rate"].parameters.limit
    7
    """
    changes: dict[str, dict[str, Any]] = {}
    for name, value in setting.items():
        rule, field = split_name(rules, name)
        changes.setdefault(rule.id, {})[field] = value
    found: list[Rule | TieredRule] = []
    for entry in rules.declared:
        if isinstance(entry, TieredRule):
            if entry.id in changes:
                full = _changed(entry.full, changes[entry.id])
                entry = TieredRule(
                    full.id,
                    full.parameters,
                    entry.levels,
                    full.scope,
                    full.kind,
                    **conversion_of(full),
                    overrides=full.overrides,
                    netting=full.netting,
                )
            levels = [_changed(rule, changes.get(rule.id, {})) for rule in entry.rules]
            found += [entry] if levels == list(entry.rules) else levels
        else:
            found.append(_changed(entry, changes.get(entry.id, {})))
    return RuleSet(found)


def split_name(rules: RuleSet, name: str) -> tuple[Rule, str]:
    """Rule and field that ``rule_id.parameter`` names; a tiered rule has the name without a level."""
    id, _, field = str(name).rpartition(".")
    known = {rule.id: rule for rule in rules}
    named = known | {entry.id: entry.full for entry in rules.declared if isinstance(entry, TieredRule)}
    if id not in named:
        raise InputError(f"{shown(name)} is not a 'rule_id.parameter' of these rules; their ids are {', '.join(known)}")
    rule = named[id]
    if field not in rule.parameters._fields and field not in RULE_FIELDS:
        raise InputError(
            f"{name!r}: rule {id!r} has no parameter {field!r}; it has {', '.join(rule.parameters._fields)}"
        )
    return rule, field


def _changed(rule: Rule, values: Mapping[str, Any]) -> Rule:
    parameters = {name: value for name, value in values.items() if name in rule.parameters._fields}
    fields = {name: value for name, value in values.items() if name not in parameters}
    return dataclasses.replace(rule, parameters=rule.parameters._replace(**parameters), **fields) if values else rule


def keeps_state(before: Rule, after: Rule) -> bool:
    """True if what a rule remembers is kept: amounts alone differ, which do not decide what is counted."""
    units = before.kind.units()
    changed = {name for name in units if getattr(before.parameters, name) != getattr(after.parameters, name)}
    return all(units[name].name in KEPT for name in changed)


def refuse_other_kind(before: Rule, after: Rule) -> None:
    """Refuse a rule under a known id that is not the same limit with other numbers."""
    for name in ("type", "wire_scope", "currency", "via", "netting"):
        if getattr(before, name) != getattr(after, name):
            what = name.removeprefix("wire_")
            raise InputError(
                f"rule {after.id!r} had {what} {getattr(before, name)!r} and would have {getattr(after, name)!r}; "
                "give another rule another id"
            )
    units = before.kind.units()
    for name in units if "covariance" in before.kind.requires else ():
        if not units[name].is_limit and getattr(before.parameters, name) != getattr(after.parameters, name):
            raise InputError(
                f"rule {after.id!r} estimates a covariance: {name} cannot change while it runs; give another rule another id"
            )
