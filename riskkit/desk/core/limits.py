"""`DeskLimits`: the limits that `evaluate`, `validate` and `RiskManager` check.

They are written by hand, or read from the TOML file that also contains the rules of the replay. A value equal to its
limit passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Annotated, Any

from riskkit._check import InputError, confidence_level, positive, shown
from riskkit.desk.core.records import CheckedRecord, Field, PositiveFraction, PositiveMoney, checked, positive_fraction
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.universe import exact


@dataclass(frozen=True, repr=False, eq=False)
class DeskLimits(CheckedRecord):
    """Limits of one portfolio; None is no limit.

    Parameters
    ----------
    max_position_size : float, optional
        Largest position as a fraction of the portfolio value: 0.40 is 40 %.
    max_drawdown : float, optional
        Largest fall from the highest portfolio value, as a fraction of it: 0.10 is 10 %.
    var_limit : float, optional
        Highest one-day VaR, in money.
    confidence : float
        Of that VaR; 0.95 for 95 %.

    Raises
    ------
    RequestError
        A limit that is not above zero, a fraction above 1, or a confidence outside (0, 1).

    Examples
    --------
    >>> DeskLimits(max_position_size=0.4, var_limit=25_000.0).to_dict()["var_limit"]
    25000.0
    >>> DeskLimits(max_drawdown=10)
    Traceback (most recent call last):
        ...
    riskkit.desk.core.records.RequestError: max_drawdown=10 is above 1; it is a fraction: write 0.1 for 10 %
    """

    max_position_size: PositiveFraction | None = None
    max_drawdown: PositiveFraction | None = None
    var_limit: PositiveMoney | None = None
    confidence: Annotated[float, Field(confidence_level, "fraction")] = 0.95


NEAR = Fraction(1, 10)  # of the limit that is left


def state_of(headroom: Any, limit: Any) -> str:
    """State of a limit: "breached" beyond it, "near" with at most a tenth of it left, else "ok".

    Examples
    --------
    >>> state_of(-1, 100), state_of(0, 100), state_of(11, 100)
    ('breached', 'near', 'ok')
    """
    return "breached" if headroom < 0 else "near" if headroom <= NEAR * limit else "ok"


def limits_of(value: Any, name: str = "limits") -> DeskLimits:
    """A `DeskLimits` unchanged, or read from plain data."""
    return value if type(value) is DeskLimits else DeskLimits.from_dict(value)


def percentage(value: Any, name: str) -> float:
    """A percentage from 1 to 100 as a fraction; 0.1 for 10 % is refused.

    Examples
    --------
    >>> percentage(12.5, "max_drawdown_limit")
    0.125
    """
    number = positive(value, name)
    if number < 1.0:
        raise InputError(
            f"{name}={shown(value)} is below 1; it is in percent: write {100 * number:g} for {100 * number:g} %"
        )
    if number > 100.0:
        raise InputError(f"{name}={shown(value)} is above 100; it is in percent: write 10 for 10 %")
    return fraction_of_percent(number)


@lru_cache(256)
def fraction_of_percent(percent: float) -> float:
    """A valid percentage as a fraction, in its decimals as written: 7.0 is 0.07."""
    return float(exact(percent, "percent") / 100)


def chosen_limits(limits: Any, max_position_size: Any, max_drawdown_limit: Any) -> DeskLimits:
    """The given limits, or those of the two arguments of `evaluate` and `validate` (a fraction and a percentage)."""
    if limits is not None:
        return limits_of(limits)
    size = checked(positive_fraction, max_position_size, "max_position_size")
    return DeskLimits(size, checked(percentage, max_drawdown_limit, "max_drawdown_limit"))


def limits_from_rules(rules: Iterable[Rule]) -> DeskLimits:
    """Read the limits of a desk from a rule set: the tightest of its rules that reject or pause.

    - ``concentration``: `limit` becomes `max_position_size`. The rule takes the fraction of gross exposure, the desk
      of the portfolio value, cash included;
    - ``drawdown``: `pct`, trailing, becomes `max_drawdown`;
    - ``var_limit``: `limit` becomes `var_limit`, with its confidence. The desk's VaR is for one day: the rule's
      horizon has to be one day of its bars.

    Parameters
    ----------
    rules : RuleSet or iterable of Rule
        Rules of other types, and those that only raise an alert, are ignored.

    Returns
    -------
    DeskLimits

    Raises
    ------
    InputError
        A rule of these types with a setting that the desk lacks: a drawdown in money or from the start, a boundary
        that rejects values equal to it, its own z, or two VaR limits of different confidences.

    Examples
    --------
    >>> from riskkit import RuleSet
    >>> rules = RuleSet.from_dict({"rules": [{"id": "fall", "type": "drawdown", "params": {"pct": "0.15"}}]})
    >>> limits_from_rules(rules).max_drawdown
    0.15
    """
    limits = DeskLimits()
    for rule in rules:
        name = rule.kind.desk_limit
        if not name or rule.action == "ALERT":
            continue
        _refuse_other_meanings(rule)
        value = float(exact(getattr(rule.parameters, rule.kind.limits[0]), f"rule {rule.id!r}"))
        known = getattr(limits, name)
        changes: dict[str, Any] = {name: value if known is None else min(known, value)}
        if rule.type == "var_limit":
            changes["confidence"] = _confidence(rule, limits)
        limits = replace(limits, **changes)
    return limits


def _refuse_other_meanings(rule: Rule) -> None:
    parameters = rule.parameters
    if rule.type == "drawdown" and (parameters.pct is None or parameters.money is not None or not parameters.trailing):
        raise InputError(
            f"rule {rule.id!r} limits a drawdown in money or from the start; a desk's limit is the fraction `pct` "
            "of a trailing peak"
        )
    if getattr(parameters, "z", None) is not None:
        raise InputError(f"rule {rule.id!r} has its own z; give it a confidence, and the z to RiskManager")
    if getattr(parameters, "breach", "exceed") != "exceed":
        raise InputError(
            f"rule {rule.id!r} rejects values equal to its limit; a desk's limits pass them (breach='exceed')"
        )


def _confidence(rule: Rule, limits: DeskLimits) -> float:
    level = float(exact(getattr(rule.parameters, "confidence", limits.confidence), f"rule {rule.id!r}: confidence"))
    if limits.var_limit is not None and level != limits.confidence:
        raise InputError(f"rule {rule.id!r} limits VaR at {level:g} and another at {limits.confidence:g}; give one")
    return level
