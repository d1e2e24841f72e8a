"""Values of a varied parameter on the axis of a plot, and its label with the unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.durations import duration
from riskkit.replay.schema.universe import exact

SECOND = 1e9
UNITS = {
    "duration": "seconds",
    "quantity": "quantity",
    "fraction": "fraction",
    "ratio": "ratio",
    "return": "return",
    "multiple": "standard deviations",
    "confidence": "confidence",
    "hour": "hour",
}


def axis_label(rule: Rule, parameter: str, currency: str, *, name: str = "") -> str:
    """Name of a parameter and its unit.

    Examples
    --------
    >>> import riskkit as rk
    >>> axis_label(rk.Rule("day", rk.rules.DailyLoss(limit=20)), "limit", "USD", name="day.limit")
    'day.limit, USD'
    """
    unit = _unit(rule, parameter)
    shown = (rule.currency or currency) if unit == "money" else UNITS.get(unit, "")
    return (name or parameter) + (f", {shown}" if shown else "")


def axis_values(rule: Rule, parameter: str, values: Sequence[Any]) -> list[float] | None:
    """Values of a parameter as numbers, durations in seconds; None if they are no numbers.

    Examples
    --------
    >>> import riskkit as rk
    >>> rate = rk.Rule("rate", rk.rules.OrderRate(limit=2, window_ns="1s"))
    >>> axis_values(rate, "window_ns", ["1s", "1min"]), axis_values(rate, "count", ["attempted", "accepted"])
    ([1.0, 60.0], None)
    """
    unit = _unit(rule, parameter)
    if unit == "duration":
        return [duration(value, parameter) / SECOND for value in values]
    if unit not in ("money", "count", *UNITS):
        return None
    return [float(exact(value, parameter)) for value in values]


def _unit(rule: Rule, parameter: str) -> str:
    units = rule.kind.units()
    return units[parameter].name if parameter in units else ""
