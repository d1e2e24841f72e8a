"""Parameters of rules: units, validation, and conversion to the integers of the loop.

A rule's parameters are a NamedTuple whose fields are annotated with the units below. A limit is cast once, before the
replay, so that every comparison in the loop is between integers and exact.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import IntEnum
from fractions import Fraction
from statistics import NormalDist
from typing import Annotated, Any, NamedTuple, TypeVar

import numpy as np

from riskkit._check import InputError, one_of, shown
from riskkit._docs import counted
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.rules.plain_data import PLAIN_DATA, check_data, list_of
from riskkit.replay.schema.calendar import day_starts
from riskkit.replay.schema.columns import RETURN_UNIT
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import SPANS, duration
from riskkit.replay.schema.durations import duration_text as duration_text
from riskkit.replay.schema.names import name_text
from riskkit.replay.schema.sessions import calendar_version, sessions_of
from riskkit.replay.schema.universe import Universe, decimal_text, exact

AMOUNTS = ("quantity", "price", "money", "fraction", "ratio", "return", "confidence", "multiple", "decay")
NAMES = ("calendar", "zone")
PICO = 10**12  # fixed-point unit of a multiple of a deviation
T = TypeVar("T")


class OnMissingPrice(IntEnum):
    """Treatment of an order that cannot be checked because no price is known."""

    REJECT = 0
    ALERT = 1
    ALLOW = 2


class Unit(NamedTuple):
    """Unit of a parameter, as written and as an integer of the loop.

    ``role`` is "limit" if `breach` is applied at the cast, "compared" if the rule's check applies it.
    """

    name: str
    choices: tuple[str, ...] = ()
    role: str = ""

    @property
    def is_limit(self) -> bool:
        """True for a limit: scaled by tiers and governed by `breach`."""
        return bool(self.role)

    @property
    def is_minimum(self) -> bool:
        """True if values below the limit breach it."""
        return "least" in self.choices


Count = Annotated[Any, Unit("count")]
PositiveCount = Annotated[Any, Unit("count", ("positive",))]
Duration = Annotated[Any, Unit("duration")]
PositiveDuration = Annotated[Any, Unit("duration", ("positive",))]
Moment = Annotated[Any, Unit("time")]  # ns since the epoch, a Timestamp, or a text with a date
Quantity = Annotated[Any, Unit("quantity")]
Price = Annotated[Any, Unit("price")]  # a distance of prices, the same for every instrument
DeltaQuantity = Annotated[Any, Unit("quantity", ("millionths",))]  # of the underlying; the loop counts millionths
Money = Annotated[Any, Unit("money")]
MoneyReached = Annotated[Any, Unit("money", ("reached",))]  # a value equal to it breaches: the loop compares with >
MinQuantity = Annotated[Any, Unit("quantity", ("least",))]  # what is below it breaches
MinMoney = Annotated[Any, Unit("money", ("least",))]
Proportion = Annotated[Any, Unit("fraction")]  # at most 1
Ratio = Annotated[Any, Unit("ratio")]  # may be above 1: times the equity, messages a fill
Return = Annotated[Any, Unit("return")]  # of a closed trade; may be negative
Ticks = Annotated[Any, Unit("count")]
Confidence = Annotated[Any, Unit("confidence")]  # stored as its normal quantile
StandardDeviations = Annotated[Any, Unit("multiple")]  # of a standard deviation
DecayFactor = Annotated[Any, Unit("decay")]  # weight of the past, in parts per million
Flag = Annotated[bool, Unit("flag")]
TimeZone = Annotated[str, Unit("zone")]
Hour = Annotated[int, Unit("hour")]
TimeOfDay = Annotated[Any, Unit("day_time")]  # "HH:MM", UTC
LocalTime = Annotated[Any, Unit("day_time", ("local",))]  # "HH:MM" of the time zone of the rule
Label = Annotated[str, Unit("label")]  # of an instrument
ExchangeCalendar = Annotated[str, Unit("calendar")]  # of the package exchange_calendars, or "24/7"
Labels = Annotated[Any, Unit("labels")]
Table = Annotated[Any, Unit("table")]  # rows of (up to, rate), or such rows by instrument ("*": of all others)
ScenarioArrays = Annotated[Any, Unit("arrays")]  # by instrument, an amount of money for each scenario
Amounts = Annotated[Any, Unit("amounts")]  # numbers, in order
Ratios = Annotated[Any, Unit("ratios")]  # by name of a set, a ratio of each of its instruments
LabelSets = Annotated[Any, Unit("label_sets")]  # by name, labels of instruments
Spreads = Annotated[
    Any, Unit("spreads")
]  # in order, the ratios of their legs and a charge in money or a rate of credit
AmountsOf = Annotated[Any, Unit("amounts_of")]  # by instrument, an amount of money at or above zero
PriceRanges = Annotated[Any, Unit("ranges")]  # by instrument ("*": of all others), how far its price falls and rises
Messages = Annotated[tuple[str, ...], Unit("kinds", ("order", "order_list", "modify", "cancel"))]
OrderTypes = Annotated[Any, Unit("types", ("limit", "market", "stop", "stop_limit", "trailing"))]
Breach = Annotated[str, Unit("breach", ("exceed", "reach"))]
MissingPrice = Annotated[str, Unit("choice", tuple(member.name.lower() for member in OnMissingPrice))]


Limit = Annotated[T, "limit"]  # `breach` decides whether a value equal to it passes
ComparedLimit = Annotated[T, "compared"]  # as `Limit`, with `breach` applied by the rule's check


def at_most(params: Any, below: str = "less than") -> str:
    """Words for an upper limit, by `breach`."""
    return "at most" if params.breach == "exceed" else below


def while_unknown(fate: str, what: str) -> str:
    """Words for what happens to an order while something that judges it is not known."""
    return f" ({dict(reject='rejected', alert='only an alert', allow='allowed')[fate]} while {what})"


def if_unpriced(params: Any) -> str:
    """Words for what happens to an order without a known price, where it is not rejected."""
    fate = params.on_missing_price
    return "" if fate == "reject" else while_unknown(fate, "no price is known")


def day_text(params: Any) -> str:
    """The trading day by its first hour and time zone, in words."""
    return f"trading day from {params.roll_hour:02d}:00 {params.tz}"


def messages_text(limit: int, kinds: Sequence[str]) -> str:
    """A number of messages of these kinds, in words."""
    names = {"order": "order", "order_list": "order list", "modify": "modification", "cancel": "cancel"}
    if len(kinds) == 1:
        return counted(limit, names[kinds[0]])
    return f"{counted(limit, 'message')} ({', '.join(f'{names[kind]}s' for kind in kinds)})"


def unit_of(annotation: Any) -> Unit | None:
    """Unit of an annotated parameter, with its role; None if it has no unit."""
    notes = getattr(annotation, "__metadata__", ())
    unit = next((note for note in notes if isinstance(note, Unit)), None)
    role = next((note for note in notes if note in ("limit", "compared")), "")
    return None if unit is None else unit._replace(role=str(role))


def choice(*names: str) -> Any:
    """Unit of a parameter with a fixed set of values."""
    return Annotated[str, Unit("choice", names)]


def amount_text(value: Any) -> str:
    """A quantity or an amount of money with separators: 500,000 or 0.25."""
    integer_part, point, rest = decimal_text(exact(value, "amount")).partition(".")
    return integer_part if "/" in integer_part else f"{int(integer_part):,}{point}{rest}"


def fits(value: Any, unit: Unit, name: str, length: str = "") -> None:
    """Raise if a parameter does not fit its unit; None means "not given".

    ``length`` names the parameter for the duration of what this one chooses the mode of.
    """
    if value is None:
        return
    if unit.name in AMOUNTS and not isinstance(value, (str, int, float, Decimal, Fraction, np.generic)):
        raise InputError(f"{name}={shown(value)} is not a number")
    if unit.name in NAMES and not isinstance(value, str):
        raise InputError(f"{name}={shown(value)} is not a text")
    if unit.name == "count":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < LARGEST:
            raise InputError(f"{name}={shown(value)} is not a count: a whole number at or above zero")
    elif unit.name == "time":
        moment(value, name)
    elif unit.name == "duration":
        duration(value, name, zero="positive" not in unit.choices)
        return
    elif unit.name in ("quantity", "price", "money", "fraction", "ratio"):
        number = exact(value, name)
        if number < 0:
            raise InputError(f"{name}={shown(value)} is negative; a limit is at or above zero")
        if unit.name == "fraction" and number > 1:
            raise InputError(f"{name}={shown(value)} is above 1; a fraction is at most 1{_of_percent(number)}")
        if unit.name in ("fraction", "ratio") and (number * MILLION).denominator != 1:
            raise InputError(f"{name}={shown(value)} is finer than one part per million")
    elif unit.name == "return":
        if (exact(value, name) * RETURN_UNIT).denominator != 1:
            raise InputError(f"{name}={shown(value)} is finer than nine decimals")
    elif unit.name == "confidence":
        if not Fraction(1, 2) < exact(value, name) < 1:
            raise InputError(f"{name}={shown(value)} is not between 0.5 and 1; use 0.99 for 99 %")
    elif unit.name == "multiple":
        if not 0 < exact(value, name) <= 1_000 or (exact(value, name) * PICO).denominator != 1:
            raise InputError(
                f"{name}={shown(value)} is not a number above 0, at most 1000, with at most twelve decimals"
            )
    elif unit.name == "decay":
        if not 0 < exact(value, name) < 1 or (exact(value, name) * MILLION).denominator != 1:
            raise InputError(
                f"{name}={shown(value)} is not between 0 and 1 with at most six decimals; RiskMetrics has 0.94"
            )
    elif unit.name == "flag":
        if not isinstance(value, bool):
            raise InputError(f"{name}={shown(value)} is not true or false")
    elif unit.name in ("choice", "breach"):
        if length and not (isinstance(value, str) and value in unit.choices):
            modes = ", ".join(map(repr, unit.choices))
            raise InputError(f"{name}={shown(value)} is not one of {modes}; its length in time is {length}, as '1min'")
        one_of(value, unit.choices, name)
    elif unit.name in ("kinds", "types"):
        _kinds(value, unit, name)
    elif unit.name == "hour":
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 23:
            raise InputError(f"{name}={shown(value)} is not an hour from 0 to 23")
    elif unit.name == "day_time":
        _day_time(value, name)
    elif unit.name == "labels":
        for label in list_of(value, name, "labels"):
            name_text(label, name)
    elif unit.name == "calendar":
        sessions_of(value)
    elif unit.name == "label":
        name_text(value, name)
    elif unit.name in PLAIN_DATA:
        check_data(value, unit.name, name)
    elif unit.name == "zone":
        day_starts(value, 0, 0, 0)
    if "positive" in unit.choices and value == 0:
        raise InputError(f"{name}={shown(value)} is not above zero")


def integer(value: Any, unit: Unit, universe: Universe, reached: bool, name: str) -> int:
    """Cast a parameter to an integer of the loop; with `reached`, a value equal to a limit breaches it.

    A limit becomes the largest value that passes, a minimum the smallest.
    """
    if value is None:
        return LARGEST
    if unit.name in ("choice", "breach"):
        return unit.choices.index(value)
    if unit.name in ("kinds", "types"):
        return _kinds(value, unit, name)
    if unit.name == "time":
        return moment(value, name)
    if unit.name == "duration":
        return duration(value, name)
    if unit.name == "day_time":
        return _day_time(value, name)
    if unit.name in ("zone", "label", "labels", "calendar", *PLAIN_DATA):
        return 0
    if unit.name in ("fraction", "ratio", "decay"):
        return int(exact(value, name) * MILLION)
    if unit.name == "multiple":
        return int(exact(value, name) * PICO)
    if unit.name == "confidence":
        return round(NormalDist().inv_cdf(float(exact(value, name))) * PICO)
    if unit.name == "return":
        return int(exact(value, name) * RETURN_UNIT)
    if unit.name in ("quantity", "price", "money"):
        units = {"quantity": universe.quantity_unit, "price": universe.price_unit, "money": universe.quantum}
        steps = exact(value, name) / units[unit.name]
        steps *= MILLION if "millionths" in unit.choices else 1
    else:
        steps = Fraction(int(value))
    limit = _last_passing(steps, unit, (reached and unit.role == "limit") or "reached" in unit.choices)
    if limit >= LARGEST:
        raise InputError(f"{name}={shown(value)} is beyond 64 bits in units of this log; leave the rule out instead")
    return limit


def integers_of(rule: Any, parameters: Any, universe: Universe) -> Any:
    """Parameters of the type of a rule as the integers of the loop."""
    reached = getattr(parameters, "breach", "exceed") == "reach"
    cast = [
        integer(getattr(parameters, name), unit, universe, reached, f"rule {rule.id!r}: {name}")
        for name, unit in rule.kind.units().items()
    ]
    return (rule.kind.integer_parameters or rule.kind.parameters)(*cast)


def _last_passing(steps: Fraction, unit: Unit, reached: bool) -> int:
    floor = steps.numerator // steps.denominator
    ceiling = -(-steps.numerator // steps.denominator)
    if unit.is_minimum:
        return floor + 1 if reached else ceiling
    return ceiling - 1 if reached else floor


def moment(value: Any, name: str) -> int:
    """A time in nanoseconds since the epoch; without a zone it is UTC."""
    import pandas as pd

    from riskkit.replay.ingest.amount import instant
    from riskkit.replay.ingest.times import is_other_date, iso_time

    wanted = "write it as 2024-03-05T14:30:00Z, or in nanoseconds since the epoch"
    number, stamp = None, None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        number = int(value) if -LARGEST < value < LARGEST else None
    elif isinstance(value, str):
        number = int(value) if value.isdecimal() and len(value) < len(str(LARGEST)) + 1 else None
        stamp = iso_time(value) if number is None else None
    elif isinstance(value, (date, np.datetime64)):
        stamp = pd.Timestamp(value) if not pd.isna(value) else None
    if number is not None:
        if is_other_date(number):
            raise InputError(f"{name}={shown(value)} reads as a date, and not in nanoseconds; {wanted}")
        stamp = pd.Timestamp(number)
    if stamp is None:
        raise InputError(f"{name}={shown(value)} is not a time; {wanted}")
    return instant(stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp, name)


def _of_percent(number: Fraction) -> str:
    """The fraction that a number was meant to be, if it is a percentage."""
    if number > 100:
        return ""
    use = f"{float(number / 100):.2f}"
    return f": use {use if Fraction(use) == number / 100 else decimal_text(number / 100)} for {decimal_text(number)} %"


def _kinds(value: Collection[str], unit: Unit, name: str) -> int:
    words = list_of(
        value, name, "messages, as ['order', 'modify']" if unit.name == "kinds" else "types of orders, as ['limit']"
    )
    if not words and unit.name == "kinds":
        raise InputError(f"{name}={shown(value)} is empty; give a list such as ['order', 'modify']")
    return sum(1 << place for place in {unit.choices.index(one_of(word, unit.choices, name)) for word in words})


def _day_time(value: Any, name: str) -> int:
    """Nanoseconds after midnight of "HH:MM"."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", value) if isinstance(value, str) else None
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise InputError(f"{name}={shown(value)} is not a time of the day; use a text such as '08:30' (UTC)")
    return (int(match[1]) * 60 + int(match[2])) * SPANS["min"]


def canonical(value: Any, unit: Unit, name: str) -> Any:
    """Canonical form of a parameter, the same for equal settings."""
    if value is None:
        return None
    if unit.name == "time":
        return moment(value, name)
    if unit.name == "duration":
        return duration(value, name)
    if unit.name == "day_time":
        return _day_time(value, name)
    if unit.name in AMOUNTS:
        return str(exact(value, name))
    if unit.name == "calendar":
        return calendar_version(value)
    if unit.name == "labels":
        return sorted(map(str, value))
    if unit.name == "label_sets":
        return {str(label): sorted(map(str, value[label])) for label in sorted(value, key=str)}
    if unit.name in PLAIN_DATA:
        return _numbers(value)
    return sorted(value) if isinstance(value, tuple) else value


def _numbers(value: Any) -> Any:
    """The numbers of a table as texts that are the same for equal numbers."""
    if isinstance(value, Mapping):
        return {str(label): _numbers(value[label]) for label in sorted(value, key=str)}
    return [_numbers(one) for one in value] if isinstance(value, (list, tuple)) else decimal_text(exact(value, "table"))
