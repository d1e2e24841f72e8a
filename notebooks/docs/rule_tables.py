"""Tables of the parameters of rules: unit and meaning, from their declarations."""

from __future__ import annotations

from typing import Any

from riskkit.replay.rules.parameters import Unit
from riskkit.replay.rules.rule import RuleType, rule_types

UNITS = {
    "count": "whole number",
    "duration": "time, as ``'1min'``, a Timedelta or nanoseconds",
    "quantity": "quantity, in units of the instrument",
    "money": "money, in the currency of the log or of the rule",
    "fraction": "fraction, 0.05 for 5 %",
    "ratio": "ratio",
    "return": "return of a trade, 0.02 for 2 %",
    "confidence": "confidence, 0.99 for 99 %",
    "multiple": "number of standard deviations",
    "decay": "weight of the past, 0.94 in RiskMetrics",
    "flag": "true or false",
    "zone": "time zone",
    "hour": "hour, 0 to 23",
    "day_time": "time of day, ``'HH:MM'`` UTC",
    "price": "difference of prices, in money of one unit",
    "label": "label of an instrument",
    "labels": "list of labels",
    "calendar": "name of an exchange's calendar, as ``'XNYS'``",
    "table": "rows of (notional up to, rate), or such rows by instrument",
    "arrays": "by instrument, an amount of money for each scenario",
}
MEANINGS = {
    "limit": "the limit",
    "measure": "of long and short positions: gross adds them, net subtracts",
    "of": "what is counted for each fill",
    "warmup": "returns of an instrument that are needed",
    "on_warmup": "what is done with an order before that",
    "stop_ns": "length of the lock",
    "unlock_at": "the lock ends at the next such time",
    "candle_ns": "the end is rounded up to the next candle of this length",
    "per_side": "long and short trades count apart",
    "breach": "exceed: a value equal to the limit passes; reach: it is a breach",
    "on_missing_price": "what is done with an order whose price is not known",
    "tz": "time zone of the trading day",
    "roll_hour": "hour at which the trading day begins",
    "model": "how the requirement is computed",
    "base": "of linear_tier: the rate of a position of size zero",
    "per_unit": "of linear_tier: what each unit of size adds to the rate",
    "table": "of brackets: the rate of each slice of the notional",
    "arrays": "of scan: what one long gains in each scenario",
    "sign": "whether the arrays are gains or losses",
    "mode": "which of two orders that would match gives way, or both",
    "calendar": "the exchange whose sessions hold",
    "window": "sliding, or from the first event to its end",
    "window_ns": "length of the window",
    "refill_ns": "a token more in each of these",
    "max_queue": "messages that may wait; more are refused",
    "tier": "1 or 2, of the instrument in the plan",
    "last_halt": "the last time at which levels 1 and 2 halt",
    "double_open": "bands are twice as wide in the first 15 minutes",
    "opens": "beginning of the hours in which the rule judges",
    "closes": "end of these hours",
    "max_age_ns": "age above which a price is not fresh",
    "bucket_ns": "width of the buckets that are counted in; 0: each message by itself",
    "kinds": "messages that are counted and limited",
}


def parameters_of(public: Any) -> list[str]:
    """Lines of a table of the parameters, if this is a rule; otherwise none."""
    kind = next((kind for kind in rule_types() if kind.parameters is public), None)
    if kind is None:
        return []
    lines = [f'``type = "{kind.name}"`` in a rule set; scopes: {", ".join(kind.scopes)}.', ""]
    if not kind.units():
        return lines
    lines += [".. list-table::", "   :header-rows: 1", "   :class: parameters", ""]
    cells = [("Parameter", "Unit or values", "Default", "Meaning"), *_rows(kind)]
    return [*lines, *(f"   {'*' if not i else ' '} - {cell}" for row in cells for i, cell in enumerate(row)), ""]


def _rows(kind: RuleType) -> list[tuple[str, str, str, str]]:
    defaults = kind.parameters._field_defaults
    return [
        (
            f"``{name}``",
            _unit(unit),
            f"``{defaults[name]!r}``"
            if defaults.get(name) is not None
            else "not set"
            if name in defaults
            else "required",
            MEANINGS.get(name) or ("a limit" if unit.is_limit else "as described above"),
        )
        for name, unit in kind.units().items()
    ]


def _unit(unit: Unit) -> str:
    if unit.name in ("choice", "breach", "kinds"):
        return ", ".join(unit.choices)
    return UNITS[unit.name] + (" above zero" if "positive" in unit.choices else "")
