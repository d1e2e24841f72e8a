"""Tiered limits: one rule with several levels, such as warn at 80 %, slow at 90 %, stop at 100 % of its limit.

Each level is a rule of the loop with the scaled limit and its level in the id (``position@80%``). The highest level
is first, so that a refusal cites the level that refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from riskkit._check import InputError, shown
from riskkit._docs import with_described_fields
from riskkit.replay.rules.money import CONVERSION, conversion_of
from riskkit.replay.rules.overrides import OF_KEYS
from riskkit.replay.rules.parameters import Unit
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.universe import decimal_text, exact


@with_described_fields
class Tier(NamedTuple):
    """Action from a fraction of the limit on.

    Parameters
    ----------
    at : str, Decimal or float
        Fraction of the limit, above 0 and at most 1; a count is rounded down.
    action, severity, hold
        As in `Rule`.

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
        Name; each level is cited as ``id@80%``.
    parameters : NamedTuple
        The full limit, as in `Rule`.
    levels : iterable of Tier
        Actions by fraction of the limit.
    scope, kind, currency, via, max_age_ns, overrides, netting
        As in `Rule`.

    Raises
    ------
    InputError
        If levels are missing, out of range or repeated, or the rule has no upper limit to scale.

    Examples
    --------
    >>> from riskkit.rules import PositionLimit
    >>> levels = [Tier(0.8, "ALERT", "INFO"), Tier(1, "REJECT")]
    >>> tiered = TieredRule("position", PositionLimit(limit=1_000), levels)
    >>> [(rule.id, rule.parameters.limit) for rule in tiered.rules]
    [('position@100%', 1000), ('position@80%', '800')]
    """

    def __init__(
        self, id: str, parameters: Any, levels: Iterable[Tier], scope: str = "", kind: Any = None, **more: Any
    ) -> None:
        self.full = Rule(id, parameters, scope, kind=kind, **more)
        fractions = [(_fraction(level, id), level) for level in levels]
        if not fractions:
            raise InputError(f"rule {id!r}: levels is empty; give at least one, as {{at = 0.8, action = 'ALERT'}}")
        if len({fraction for fraction, _ in fractions}) < len(fractions):
            raise InputError(f"rule {id!r}: two levels begin at the same fraction of the limit")
        self.levels = tuple(level for _, level in sorted(fractions, key=lambda pair: pair[0]))
        self.rules = tuple(self._rule(level) for level in reversed(self.levels))

    @property
    def id(self) -> str:
        """Name of the tiered rule."""
        return self.full.id

    def _rule(self, level: Tier) -> Rule:
        """A level as a rule with the scaled limit."""
        fraction = exact(level.at, "at")
        units = {name: unit for name, unit in self.full.kind.units().items() if unit.is_limit and not unit.is_minimum}

        def scaled_of(limits: Mapping[str, Any]) -> dict[str, Any]:
            return {
                name: _scaled(value, fraction, units[name], f"rule {self.id!r}: {name}")
                for name, value in limits.items()
                if name in units and value is not None
            }

        scaled = scaled_of(self.full.parameters._asdict())
        own = {label: {**dict(limits), **scaled_of(dict(limits))} for label, limits in self.full.overrides}
        if not scaled and not own:
            raise InputError(f"rule {self.id!r} ({self.full.type}) has no upper limit that a level could scale")
        name = f"{self.id}@{decimal_text(100 * fraction)}%"
        parameters = self.full.parameters._replace(**scaled)
        whose = self.full.scope, level.action, level.severity, level.hold, self.full.kind
        return Rule(name, parameters, *whose, **conversion_of(self.full), overrides=own, netting=self.full.netting)

    def describe(self) -> dict[str, Any]:
        """The rule as an entry of a rule set."""
        full = self.full.describe()
        described = {
            name: full[name] for name in ("id", "type", "scope", "params", *CONVERSION, *OF_KEYS) if name in full
        }
        levels = []
        for level, rule in zip(self.levels, reversed(self.rules), strict=True):
            entry = {"at": float(level.at), "action": rule.action, "severity": rule.severity}
            levels.append(entry if rule.hold is None else {**entry, "hold": rule.describe()["hold"]})
        return {**described, "levels": levels}

    def __str__(self) -> str:
        """The rule in sentences that a risk officer can sign, one for each level."""
        parts = (
            f"From {decimal_text(100 * exact(level.at, 'at'))} % of it, {rule.action_text()}."
            for level, rule in zip(self.levels, reversed(self.rules), strict=True)
        )
        return f"{self.id}: {self.full.limit_text()}, {self.full.scope_text()}. {' '.join(parts)}"


def level_of(entry: Any, rule: str) -> Tier:
    """Tier from a table of a rule file."""
    if not isinstance(entry, Mapping):
        raise InputError(f"{rule}: level {shown(entry)} is not a table, as {{at = 0.8, action = 'ALERT'}}")
    for key in entry:
        if key not in Tier._fields:
            raise InputError(f"{rule}: key {shown(key)} of a level is not known; keys are {', '.join(Tier._fields)}")
    if "at" not in entry:
        raise InputError(f"{rule}: a level has no 'at', the fraction of the limit from which it applies")
    return Tier(**entry)


def _fraction(level: Tier, id: str) -> Fraction:
    if not isinstance(level, Tier):
        raise InputError(f"rule {id!r}: {shown(level)} is not a Tier; write Tier(0.8, 'ALERT')")
    fraction = exact(level.at, f"rule {id!r}: at")
    if not 0 < fraction <= 1:
        raise InputError(
            f"rule {id!r}: at={shown(level.at)} is not a fraction of the limit; it is above 0 and at most 1"
        )
    return fraction


def _scaled(value: Any, fraction: Fraction, unit: Unit, name: str) -> Any:
    """A fraction of a limit, as written in a rule set; a count is rounded down, so that a level is never looser."""
    if fraction == 1:
        return value
    limit = exact(value, name) * fraction
    return int(limit) if unit.name == "count" else decimal_text(limit)
