"""Descriptions of the parameters of rules: unit, default and meaning, added to the docstring of each rule type.

A rule type describes in its docstring the parameters that it alone has. What many types share is written here, once.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from riskkit._docs import completed, with_described_fields
from riskkit.replay.rules.parameters import Unit

UNITS = {
    "count": "whole number",
    "duration": "duration, as '1min', a Timedelta or nanoseconds",
    "quantity": "quantity, in units of the instrument",
    "money": "money, in the currency of the log or of the rule",
    "fraction": "fraction, 0.05 for 5 %",
    "ratio": "ratio",
    "return": "return of a trade, 0.02 for 2 %",
    "confidence": "confidence level, 0.99 for 99 %",
    "multiple": "number of standard deviations",
    "decay": "decay factor",
    "flag": "bool",
    "time": "nanoseconds since the epoch, a Timestamp, or a text such as '2024-03-05T14:30:00Z' (without a zone UTC)",
    "zone": "time zone",
    "hour": "hour, 0 to 23",
    "day_time": "time of day, 'HH:MM'",
    "price": "difference of prices, in money of one unit",
    "label": "label of an instrument",
    "labels": "list of labels of instruments",
    "calendar": "name of an exchange's calendar, as 'XNYS'",
    "table": "rows of (notional up to, rate), or such rows by instrument",
    "arrays": "amounts of money for each scenario, by instrument",
    "amounts": "list of numbers",
    "ratios": "ratios by instrument, by name of a set",
    "label_sets": "lists of labels of instruments, by name",
    "spreads": "list of spreads: legs, a ratio by instrument, and a number",
    "amounts_of": "amount by instrument",
    "ranges": "fall and rise by instrument ('*': of all others), ['-0.15', '0.15'] for 15 %",
}
SHARED = {
    "limit": "The limit.",
    "notional": "The limit of the value of what `limit` counts.",
    "breach": "exceed: a value equal to the limit passes; reach: it is a breach.",
    "on_missing_price": "What is done with an order that cannot be valued because no price is known.",
    "working": "Working orders count as filled.",
    "max_mark_age_ns": "Age up to which the marks of the order's instrument and of all positions of the book count; not given: any.",
    "consecutive_errors": "Errors in a row at which it trips.",
    "window_ns": "Length of the window.",
    "kinds": "Messages that are counted and limited.",
    "exempt_reduce_only": "Orders flagged reduce-only are exempt.",
    "tz": "Time zone of the trading day.",
    "roll_hour": "Hour at which the trading day begins.",
    "opens": "Beginning of the hours in which the rule judges.",
    "closes": "End of these hours.",
    "lookback_ns": "Closed trades of this length of time count.",
    "trade_limit": "Number of closed trades from which the rule judges.",
    "stop_ns": "Length of the lock.",
    "unlock_at": "The lock ends at the next such time, UTC.",
    "candle_ns": "The end of the lock is rounded up to the next candle of this length.",
    "per_side": "Long and short trades count apart.",
    "model": "How the requirement is computed.",
    "base": "Of linear_tier: the rate of a position of size zero.",
    "per_unit": "Of linear_tier: what each unit of size adds to the rate.",
    "table": "Of brackets: the rate of each slice of the notional.",
    "arrays": "Of scan and portfolio: what one long gains in each scenario.",
    "sign": "Whether the arrays are gains or losses.",
    "method": "Of portfolio: ten prices of each underlying, or a risk measure of scenarios.",
    "ranges": "Of tims: how far the price of an instrument falls and rises; not given: 15 %.",
    "confidence": "Of var and es: the share of the scenarios that VaR covers; not given: 0.99.",
    "factor": "Of var and es: what the measure is multiplied by; not given: 1.",
    "rate": "Of var and es: the charge for concentration, of the value beyond `above`.",
    "above": "Of var and es: the share of the gross value from which the largest position is charged; not given: 0.",
    "adv": "Of var and es: quantity of an instrument that is traded a day.",
    "x": "Of var and es: days of volume from which a position is charged; not given: 0.",
    "half_spread": "Of var and es: the charge on each unit beyond them.",
    "commodities": "Instruments of each combined commodity (scan: those of none are one) or class (tims: each of none is one).",
    "intra_spread": "Of scan: the charge of each spread inside a commodity.",
    "inter_spread": "Of scan: the credit of each spread between commodities, a rate of what its legs lose at most.",
    "short_option_minimum": "Of scan: what a short of an instrument requires at least.",
}


def describe(parameters: Any, units: Mapping[str, Unit]) -> None:
    """Complete the docstrings of a class of parameters and of its fields, and show its signature by names and defaults alone."""
    if not parameters.__doc__:  # python -OO leaves none
        return
    defaults = parameters._field_defaults
    texts = {
        name: f"{_unit(unit)}{_default(name, defaults)}\n    {SHARED.get(name, '')}".rstrip()
        for name, unit in units.items()
    }
    parameters.__doc__ = completed(parameters.__doc__, list(units), texts, {})
    with_described_fields(parameters)
    kind, required = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.empty
    parameters.__signature__ = inspect.Signature(
        [inspect.Parameter(name, kind, default=defaults.get(name, required)) for name in parameters._fields]
    )


def _unit(unit: Unit) -> str:
    if unit.name in ("choice", "breach", "kinds", "types"):
        return f"{{{', '.join(map(repr, unit.choices))}}}"
    name, comma, rest = UNITS[unit.name].partition(",")
    return f"{name}{' above zero' if 'positive' in unit.choices else ''}{comma}{rest}"


def _default(name: str, defaults: Mapping[str, Any]) -> str:
    if name not in defaults:
        return ""
    return ", optional" if defaults[name] is None else f", default {defaults[name]!r}"
