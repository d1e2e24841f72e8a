"""Rule sets: limits as data, from TOML, from a dict, or from Python objects, all equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.kernels.runtime import MAX_RULES
from riskkit.replay.rules import catalogue
from riskkit.replay.rules.catalogue.credit import why_apart
from riskkit.replay.rules.money import CONVERSION, conversion_of
from riskkit.replay.rules.overrides import OF_KEYS, canonical_overrides
from riskkit.replay.rules.parameters import canonical
from riskkit.replay.rules.rule import Rule, RuleType, rule_type
from riskkit.replay.rules.tiered import TieredRule, level_of
from riskkit.replay.schema.digest import hash_plain
from riskkit.replay.schema.names import name_text
from riskkit.replay.schema.toml_file import read_toml

FIELDS = ("id", "type", "scope", "action", "severity", "hold", *CONVERSION, *OF_KEYS, "params", "levels")
OF_LEVELS = ("action", "severity", "hold")  # set by each level
CATALOGUE = catalogue  # importing it registers its types


class RuleSet:
    """Rules in their declared order.

    Parameters
    ----------
    rules : iterable of Rule or TieredRule
        A refusal cites the first rule that objects, a pause before all others. A tiered rule counts as one rule per level.

    Examples
    --------
    >>> from riskkit.rules import OrderRate
    >>> one = RuleSet([Rule("rate", OrderRate(limit=50, window_ns=1_000_000_000))])
    >>> params = {"limit": 50, "window_ns": "1s"}
    >>> two = RuleSet.from_dict({"rules": [{"id": "rate", "type": "order_rate", "params": params}]})
    >>> one == two
    True
    >>> print(one)
    1. rate: at most 50 messages (orders, order lists) in any 1 s, rejected ones do not count, for each
    account. Orders and modifications that would breach it are rejected (severity WARN).
    """

    def __init__(self, rules: Iterable[Rule | TieredRule]) -> None:
        try:
            self.declared = tuple(rules)
        except TypeError:
            raise InputError(f"rules={shown(rules)} is not a list of rules") from None
        self.rules = tuple(
            rule for entry in self.declared for rule in (entry.rules if isinstance(entry, TieredRule) else [entry])
        )
        if len(self.rules) > MAX_RULES:
            raise InputError(f"a rule set of {len(self.rules)} rules is too large; at most {MAX_RULES} fit one mask")
        ids: set[str] = set()
        for rule in self.rules:
            if not isinstance(rule, Rule):
                raise InputError(f"{shown(rule)} is not a Rule; write Rule('my-id', OrderRate(limit=50, ...))")
            if rule.id in ids:
                raise InputError(f"rule id {rule.id!r} is used twice; ids name the cause of a refusal")
            ids.add(rule.id)
        if why := why_apart(self.rules):
            raise InputError(why)

    @classmethod
    def from_toml(cls, path: str | Path) -> RuleSet:
        """Read a TOML file with one ``[[rules]]`` table per rule.

        Raises
        ------
        InputError
            If the file is not TOML, or a rule, key or parameter is unknown, missing or out of range.
        """
        return cls.from_dict(read_toml(path, "rule file"))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], kinds: Mapping[str, RuleType] | None = None) -> RuleSet:
        """Build a rule set from ``{"rules": [{"id": ..., "type": ..., "params": {...}}, ...]}``.

        ``kinds`` are rule types by name that are not in the catalogue.
        """
        if not isinstance(data, Mapping) or set(data) != {"rules"} or not isinstance(data["rules"], list):
            got = f"the keys {sorted(map(str, data))}" if isinstance(data, Mapping) else f"a {type(data).__name__}"
            raise InputError(f"a rule set has one key, 'rules', a list of tables; got {got}")
        return cls([_rule(entry, number, kinds or {}) for number, entry in enumerate(data["rules"], 1)])

    def to_dict(self) -> dict[str, Any]:
        """The rules as plain data; `from_dict` reads it back."""
        return {"rules": [rule.describe() for rule in self.declared]}

    def canonical(self) -> list[Any]:
        """All settings of all rules in canonical form, for equality and the digest."""
        rules = []
        for rule in self.rules:
            units = rule.kind.units()
            params = {name: canonical(getattr(rule.parameters, name), units[name], name) for name in units}
            source = (
                [rule.kind.source_hash] if rule.kind.source_hash else []
            )  # a user-defined rule includes its functions
            if rule.currency:
                source = [*source, conversion_of(rule)]
            if rule.overrides:
                source = [*source, canonical_overrides(rule)]
            if rule.netting != "net":
                source = [*source, {"netting": rule.netting}]
            rules.append(
                [rule.id, rule.type, rule.wire_scope, rule.action, rule.severity, rule.hold_ns(), params, *source]
            )
        return rules

    @property
    def hash(self) -> bytes:
        """Hash of the rules as declared."""
        return hash_plain(self.canonical())

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __getitem__(self, which: int | str) -> Rule:
        """Return a rule by index or id."""
        if isinstance(which, str):
            for rule in self.rules:
                if rule.id == which:
                    return rule
            raise KeyError(which)
        return self.rules[which]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleSet) and self.canonical() == other.canonical()

    def __hash__(self) -> int:
        return hash(self.hash)

    def __str__(self) -> str:
        """Sentences that a risk officer can sign."""
        return "\n".join(f"{number}. {rule}" for number, rule in enumerate(self.declared, 1)) or "no rules"

    def __repr__(self) -> str:
        return f"RuleSet({', '.join(rule.id for rule in self.rules)})"

    def _repr_html_(self) -> str:
        import html

        return "<ol>" + "".join(f"<li>{html.escape(str(rule))}</li>" for rule in self.declared) + "</ol>"


def _rule(entry: Any, number: int, kinds: Mapping[str, RuleType]) -> Rule | TieredRule:
    if not isinstance(entry, Mapping):
        raise InputError(f"rule {number}: {shown(entry)} is not a table")
    for key in entry:
        if key not in FIELDS:
            import difflib

            close = difflib.get_close_matches(str(key), FIELDS, 1)
            hint = (
                f"did you mean {close[0]!r}?"
                if close
                else f"keys are {', '.join(FIELDS)}; parameters stand in 'params'"
            )
            raise InputError(f"rule {number}: key {shown(key)} is not known; {hint}")
    if not isinstance(entry.get("type"), str):
        raise InputError(f"rule {number} has no 'type': the name of a rule type, as 'order_rate'")
    if not isinstance(entry.get("params", {}), Mapping):
        raise InputError(f"rule {number}: params={shown(entry['params'])} is not a table")
    try:
        return _rule_of(entry, number, kinds.get(entry["type"]) or rule_type(entry["type"]))
    except InputError as error:
        has_id = str(error).startswith("rule ") and not str(error).startswith("rule type")
        raise InputError(str(error) if has_id else f"rule {shown(entry.get('id', number))}: {error}") from None


def _rule_of(entry: Mapping[str, Any], number: int, kind: RuleType) -> Rule | TieredRule:
    params = dict(entry.get("params", {}))
    scope = params.pop("scope", None) if "scope" not in kind.parameters._fields else None
    if scope is not None and entry.get("scope", scope) != scope:
        raise InputError(f"rule {number}: scope is {shown(entry['scope'])} but its params say {shown(scope)}")
    for name, value in params.items():
        if isinstance(value, list):
            params[name] = tuple(value)
    own = {name: entry[name] for name in OF_KEYS if name in entry}
    money = {name: entry[name] for name in CONVERSION if name in entry}
    for name in CONVERSION if money else ():
        if name in params and name not in kind.parameters._fields:
            money[name] = params.pop(name)
    if "levels" in entry:
        return _tiered(entry, kind, params, entry.get("scope", scope or ""), number, {**money, **own})
    return Rule(
        entry.get("id", entry["type"]),
        kind.make(params),
        scope=entry.get("scope", scope or ""),
        action=entry.get("action", ""),
        severity=entry.get("severity", "WARN"),
        hold=entry.get("hold"),
        kind=kind,
        **money,
        **own,
    )


def _tiered(
    entry: Mapping[str, Any], kind: RuleType, params: dict[str, Any], scope: str, number: int, more: Mapping[str, Any]
) -> TieredRule:
    for name in OF_LEVELS:
        if name in entry:
            raise InputError(f"rule {number}: {name} is set by each level, not by a rule with levels")
    if not isinstance(entry["levels"], list):
        raise InputError(f"rule {number}: levels={shown(entry['levels'])} is not a list of tables")
    levels = [level_of(level, f"rule {number}") for level in entry["levels"]]
    return TieredRule(
        name_text(entry.get("id", entry["type"]), "rule id"), kind.make(params), levels, scope, kind, **more
    )
