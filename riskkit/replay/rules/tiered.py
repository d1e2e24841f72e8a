"""Staged limits: one rule with several levels, as warn at 80 %, slow at 90 %, stop at 100 % of its limit.

Each level is a rule of the loop, with the limit in its part of the whole and an id that says so (``position@80%``).
The highest level stands first, so that a refusal is cited under the level that refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from riskkit._check import InputError
from riskkit.replay.rules.parameters import Unit
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.universe import decimal_text, exact


class Tier(NamedTuple):
    """What happens from a part of the limit on.

    Parameters
    ----------
    at : str, Decimal or float
        Part of the limit, above 0 and at most 1; a limit that counts is rounded down.
    action, severity, hold
        As of `Rule`.

    Examples
    --------
    >>> print(Tier(at="0.8", action="ALERT", severity="INFO"))
    Tier(at='0.8', action='ALERT', severity='INFO', hold=None)
    """

    at: Any
    action: str = ""
    severity: str = "WARN"
    hold: Any = None


class TieredRule:
    """One limit of a rule set with several levels.

    Parameters
    ----------
    id : str
        Its name; each level is cited as ``id@80%``.
    parameters : NamedTuple
        The whole limit, as of `Rule`.
    levels : iterable of Level
        What happens from which part of it on.
    scope, kind
        As of `Rule`.

    Raises
    ------
    InputError
        Where no level is given, one is out of range or given twice, or the rule has no largest value to take a part of.

    Examples
    --------
    >>> from riskkit.rules import PositionLimit
    >>> levels = [Tier(0.8, "ALERT", "INFO"), Tier(1, "REJECT")]
    >>> staged = TieredRule("position", PositionLimit(limit=1_000), levels)
    >>> [(rule.id, rule.parameters.limit) for rule in staged.rules]
    [('position@100%', 1000), ('position@80%', '800')]
    """

    def __init__(self, id: str, parameters: Any, levels: Iterable[Tier], scope: str = "", kind: Any = None) -> None:
        self.whole = Rule(id, parameters, scope, kind=kind)
        parts = [(_part(level, id), level) for level in levels]
        if not parts:
            raise InputError(f"rule {id!r}: levels is empty; give at least one, as {{at = 0.8, action = 'ALERT'}}")
        if len({part for part, _ in parts}) < len(parts):
            raise InputError(f"rule {id!r}: two levels begin at the same part of the limit")
        self.levels = tuple(level for _, level in sorted(parts, key=lambda one: one[0]))
        self.rules = tuple(self._rule(level) for level in reversed(self.levels))

    @property
    def id(self) -> str:
        """The name of the whole."""
        return self.whole.id

    def _rule(self, level: Tier) -> Rule:
        """One level as a rule of its own."""
        part = exact(level.at, "at")
        said = {
            name: _scaled(value, part, unit, f"rule {self.id!r}: {name}")
            for name, unit in self.whole.kind.units().items()
            if unit.is_limit and not unit.is_minimum and (value := getattr(self.whole.parameters, name)) is not None
        }
        if not said:
            raise InputError(
                f"rule {self.id!r} ({self.whole.type}) has no largest value that a level could be a part of"
            )
        name = f"{self.id}@{decimal_text(100 * part)}%"
        parameters = self.whole.parameters._replace(**said)
        return Rule(name, parameters, self.whole.scope, level.action, level.severity, level.hold, self.whole.kind)

    def describe(self) -> dict[str, Any]:
        """As a rule set writes it."""
        described = {name: self.whole.describe()[name] for name in ("id", "type", "scope", "params")}
        levels = []
        for level, rule in zip(self.levels, reversed(self.rules), strict=True):
            one = {"at": float(level.at), "action": rule.action, "severity": rule.severity}
            levels.append(one if rule.hold is None else {**one, "hold": rule.describe()["hold"]})
        return {**described, "levels": levels}

    def __str__(self) -> str:
        """The rule as a sentence that a risk officer can sign."""
        parts = (
            f"from {decimal_text(100 * exact(level.at, 'at'))} % of it, {rule.consequence()}"
            for level, rule in zip(self.levels, reversed(self.rules), strict=True)
        )
        return f"{self.id}: {self.whole.limits()}, {self.whole.whose()}; {'; '.join(parts)}."


def level_of(entry: Any, place: str) -> Tier:
    """A level from a table of a rule file."""
    if not isinstance(entry, Mapping):
        raise InputError(f"{place}: level {entry!r} is not a table, as {{at = 0.8, action = 'ALERT'}}")
    for key in entry:
        if key not in Tier._fields:
            raise InputError(f"{place}: key {key!r} of a level is not known; keys are {', '.join(Tier._fields)}")
    if "at" not in entry:
        raise InputError(f"{place}: a level has no 'at', the part of the limit from which it holds")
    return Tier(**entry)


def _part(level: Tier, id: str) -> Fraction:
    if not isinstance(level, Tier):
        raise InputError(f"rule {id!r}: {level!r} is not a Level; write Level(0.8, 'ALERT')")
    part = exact(level.at, f"rule {id!r}: at")
    if not 0 < part <= 1:
        raise InputError(f"rule {id!r}: at={level.at!r} is not a part of the limit; it is above 0 and at most 1")
    return part


def _scaled(value: Any, part: Fraction, unit: Unit, name: str) -> Any:
    """A part of a limit as people would write it; a count is rounded down, so that a level is never laxer."""
    if part == 1:
        return value
    whole = exact(value, name) * part
    if unit.name == "count":
        return int(whole)
    return decimal_text(whole)
