"""The limits of a desk: the numbers that `evaluate`, `validate` and `RiskManager` hold a book against.

They are written by hand, or read from the TOML file that also holds the rules of the replay. What equals a limit
passes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from riskkit._check import InputError, confidence_level, positive
from riskkit.desk.fields import Record, optionally
from riskkit.replay.rule import Rule
from riskkit.replay.universe import exact

__all__ = ["Limits", "limits_from_rules", "limits_of"]

IN_PERCENT = ("max_drawdown_limit",)


@dataclass(frozen=True, repr=False, eq=False)
class Limits(Record):
    """Limits of one book; None is no limit.

    Parameters
    ----------
    max_position_size : float, optional
        Largest position as a fraction of the portfolio value: 0.40 is 40 %.
    max_drawdown_limit : float, optional
        Deepest fall from the highest portfolio value, in percent: 10.0 is 10 %.
    var_limit : float, optional
        Highest one-day VaR in money.
    confidence : float
        Of that VaR; 0.95 for 95 %.

    Raises
    ------
    RequestError
        A limit that is not a finite number above zero, or a confidence outside (0, 1).

    Examples
    --------
    >>> Limits(max_position_size=0.4, var_limit=25_000.0).to_dict()["var_limit"]
    25000.0
    """

    max_position_size: float | None = None
    max_drawdown_limit: float | None = None
    var_limit: float | None = None
    confidence: float = 0.95

    _checks: ClassVar = {
        "max_position_size": optionally(positive),
        "max_drawdown_limit": optionally(positive),
        "var_limit": optionally(positive),
        "confidence": confidence_level,
    }


def limits_of(value: Any) -> Limits:
    """Limits as they are, or read from plain data."""
    return value if type(value) is Limits else Limits.from_dict(value)


def limits_from_rules(rules: Iterable[Rule]) -> Limits:
    """Read the limits of a desk from a rule set: the tightest of its rules that refuse or pause.

    - ``concentration``: `limit` becomes `max_position_size`. The rule takes the fraction of gross exposure, the desk
      of the portfolio value, cash included;
    - ``drawdown``: `pct`, trailing, becomes `max_drawdown_limit`, in percent;
    - ``var_limit``: `limit` becomes `var_limit`, with its confidence. The desk's VaR is for one day: the rule's
      horizon has to be one day of its bars.

    Parameters
    ----------
    rules : RuleSet or iterable of Rule
        Rules of other types, and those that only raise an alert, are passed over.

    Returns
    -------
    Limits

    Raises
    ------
    InputError
        A rule of these types that says what a desk's limit cannot: a drawdown in money or from the start, a
        boundary that refuses what equals it, a z of its own, or two VaR limits of different confidences.

    Examples
    --------
    >>> from riskkit.replay.ruleset import RuleSet
    >>> rules = RuleSet.from_dict({"rules": [{"id": "fall", "type": "drawdown", "params": {"pct": "0.15"}}]})
    >>> limits_from_rules(rules).max_drawdown_limit
    15.0
    """
    limits = Limits()
    for rule in rules:
        place = rule.kind.desk_limit
        if not place or rule.action == "ALERT":
            continue
        _refuse_other_meanings(rule)
        limit = getattr(rule.parameters, rule.kind.limits[0])
        value = exact(limit, f"rule {rule.id!r}") * (100 if place in IN_PERCENT else 1)
        known = getattr(limits, place)
        changes: dict[str, Any] = {place: float(value) if known is None else min(known, float(value))}
        if rule.type == "var_limit":
            changes["confidence"] = _confidence(rule, limits)
        limits = replace(limits, **changes)
    return limits


def _refuse_other_meanings(rule: Rule) -> None:
    parameters = rule.parameters
    if rule.type == "drawdown" and (parameters.pct is None or parameters.money is not None or not parameters.trailing):
        raise InputError(
            f"rule {rule.id!r} limits a drawdown in money or from the start; a desk's limit is the percentage `pct` "
            "of a trailing peak"
        )
    if getattr(parameters, "z", None) is not None:
        raise InputError(f"rule {rule.id!r} has a z of its own; give it a confidence, and the z to RiskManager")
    if getattr(parameters, "breach", "exceed") != "exceed":
        raise InputError(f"rule {rule.id!r} refuses what equals its limit; a desk's limits pass it (breach='exceed')")


def _confidence(rule: Rule, limits: Limits) -> float:
    own = float(exact(getattr(rule.parameters, "confidence", limits.confidence), f"rule {rule.id!r}: confidence"))
    if limits.var_limit is not None and own != limits.confidence:
        raise InputError(f"rule {rule.id!r} limits VaR at {own:g} and another at {limits.confidence:g}; give one")
    return own
