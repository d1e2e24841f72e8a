"""Limits of single keys of a rule: numbers of its own for a trader, a desk, an account in an instrument.

A rule has one record for each key, and its parameters hold for all of them. An override replaces limits, and nothing else, for one
key: by its label, "D1" or "A/X", or for all keys that share a part of it, "*/X". The label itself goes before "*/X", and
that before "A/*". All versions of a rule keep the same records, so what a rule counts does not depend on the override.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, shown
from riskkit.replay.rules.parameters import amount_text, canonical, fits, integers_of
from riskkit.replay.schema.scopes import SCOPES
from riskkit.replay.schema.universe import Universe

if TYPE_CHECKING:
    from riskkit.replay.rules.rule import Rule

OF_KEYS = {"overrides": (), "netting": "net"}  # fields of a rule on its keys, and their defaults
NAMED = ("quantity", "money")  # units of limits that other keys may be without


def check_overrides(rule: Rule) -> tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]:
    """The overrides of a rule in canonical form: labels and limits in order.

    Raises
    ------
    InputError
        If a label does not fit the scope, a parameter is no limit of the type, or keys cannot have limits of their own.
    """
    name = f"rule {rule.id!r} ({rule.type})"
    try:
        given = dict(rule.overrides)
    except (TypeError, ValueError):
        raise InputError(f"{name}: overrides={shown(rule.overrides)} is not a table of limits by key") from None
    parts = SCOPES[rule.scope].parts
    if not given:
        return ()
    if not parts:
        raise InputError(f"{name}: overrides={shown(dict(given))} has no effect, for the scope 'global' has one key")
    if "covariance" in rule.kind.requires:
        raise InputError(
            f"{name}: overrides does not fit, for all keys share one covariance; give each a rule of its own"
        )
    found = []
    for label, limits in given.items():
        limits = dict(limits) if isinstance(limits, (Mapping, tuple, list)) else limits
        if not isinstance(limits, dict) or not limits:
            raise InputError(
                f"{name}: overrides of {shown(label)} is {shown(limits)}, not limits by name, as {{'limit': 5}}"
            )
        for field in limits:
            if field not in rule.kind.limits:
                has = ", ".join(rule.kind.limits) or "none"
                raise InputError(
                    f"{name}: overrides of {shown(label)}: {shown(field)} is no limit of the type; it has {has}"
                )
        if not isinstance(label, str) or not label or (len(parts) > 1 and "/" not in label):
            raise InputError(
                f"{name}: overrides: {shown(label)} names no key; a key is {'/'.join(parts)}, as in {_example(parts)}"
            )
        found.append((label, tuple(sorted(limits.items()))))
    units = rule.kind.units()
    for label, limits in found:
        for field, value in limits:
            fits(value, units[field], f"rule {rule.id!r}: {field} of {label}")
    for field in {field for _, limits in found for field, _ in limits}:
        if getattr(rule.parameters, field) is None and units[field].name not in NAMED:
            raise InputError(f"{name}: {field} is None for the keys without an override; only amounts may be left out")
    if callable(size := rule.kind.workspace_size):
        for label, limits in found:
            versions = (rule.parameters, rule.parameters._replace(**dict(limits)))
            words = {size(integers_of(rule, parameters, Universe((), (), {}))) for parameters in versions}
            if len(words) > 1:
                raise InputError(
                    f"{name}: overrides of {shown(label)}: a sliding window has room for as many times as its limit; count in "
                    "buckets (bucket_ns), or give each key a rule of its own"
                )
    return tuple(found)


def _example(parts: Sequence[str]) -> str:
    return "'A/X' or '*/X'" if len(parts) > 1 else "'A'"


def versions_of(rule: Rule) -> tuple[Rule, ...]:
    """The rule for keys without an override, then for each override."""
    found = [rule]
    for _, limits in rule.overrides:
        found.append(copy(rule))
        vars(found[-1]).update(parameters=rule.parameters._replace(**dict(limits)), overrides=())
    return tuple(found)


def version_of(rule: Rule, parts: Sequence[str]) -> int:
    """Number of the version that holds for a key with these parts of a label."""
    labels = [label for label, _ in rule.overrides]
    asked = ["/".join(parts)]
    if len(parts) > 1:
        asked += [f"*/{parts[1]}", f"{parts[0]}/*"]
    return next((1 + labels.index(label) for label in asked if label in labels), 0)


def override_text(rule: Rule) -> str:
    """The overrides in words, as "(150 for D1, 50 for D2)"."""
    units, several = rule.kind.units(), len({name for _, limits in rule.overrides for name, _ in limits}) > 1
    texts = []
    for label, limits in rule.overrides:
        words = [
            f"{name} {amount}" if several else amount
            for name, value in limits
            for amount in [
                "no limit" if value is None else amount_text(value) if units[name].name in NAMED else str(value)
            ]
        ]
        texts.append(f"{' and '.join(words)} for {label}")
    return f" ({', '.join(texts)})" if texts else ""


def canonical_overrides(rule: Rule) -> list[Any]:
    """The overrides in canonical form, the same for equal settings."""
    units = rule.kind.units()
    return sorted(
        [label, {name: canonical(value, units[name], name) for name, value in limits}]
        for label, limits in rule.overrides
    )
