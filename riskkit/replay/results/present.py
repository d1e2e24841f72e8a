"""Observed value, limit and headroom of a verdict in natural units; the only conversion from the loop's integers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.verdict import CapVerdict, Measure, Observation
from riskkit.replay.schema.columns import DecisionCode
from riskkit.replay.schema.constants import LARGEST, MISSING
from riskkit.replay.schema.durations import span_text
from riskkit.replay.schema.universe import Universe, exact

CUTS = (DecisionCode.CUT, DecisionCode.ORPHAN, DecisionCode.CLIPPED)
JUDGED = (DecisionCode.PASS, DecisionCode.OBJECT, DecisionCode.ALERTED)
OF_THE_EVENT = (Measure.LOTS, Measure.PRICE, Measure.DISTANCE, Measure.RANKED_PRICE)
CUT_LOTS, RETURNS = Observation(Measure.LOTS), Observation(Measure.COUNT)
UNITS = {Measure.LOTS: "quantity", Measure.NETTED: "quantity", Measure.RANKED_PRICE: "price", Measure.DISTANCE: "price"}


class Reading(NamedTuple):
    """An observed value, its limit and the headroom (below zero: exceeded), all in one unit.

    The unit is a currency, "quantity", "price", "count", "fraction", "messages a fill", or "time": then both are
    nanoseconds since the epoch and the headroom is nanoseconds. ``name`` is that of the limit.

    Examples
    --------
    >>> print(Reading(60, 50, -10, "USD", "notional"))
    observed 60 USD, notional 50 USD
    >>> print(Reading(0.25, 0.1, -0.15, "fraction"))
    observed 25 %, limit 10 %
    """

    observed: float | None = None
    limit: float | None = None
    headroom: float | None = None
    unit: str = ""
    name: str = "limit"

    def __str__(self) -> str:
        parts = [("observed", self.observed), (self.name, self.limit)]
        told = [f"{name} {self._text(value)}" for name, value in parts if value is not None]
        if self.unit == "time" and self.headroom is not None and self.headroom < 0:
            told.append(f"{span_text(-int(self.headroom))} too early")
        return ", ".join(told)

    def _text(self, value: float) -> str:
        if self.unit == "time":
            return time_text(int(value))
        if self.unit == "fraction":
            return f"{100 * value:,.10g} %"
        number = f"{value:,}" if isinstance(value, int) else f"{value:,.15g}"
        return number if self.unit in ("", "quantity", "price", "count") else f"{number} {self.unit}"


NOTHING = Reading()


def verdict_of(row: np.void) -> CapVerdict:
    """The verdict in a row of a result."""
    return CapVerdict(*(int(row[name]) for name in ("code", "observed", "limit", "cap", "base")))


def present(rule: Rule | None, verdict: CapVerdict, universe: Universe, event: Mapping[str, int]) -> Reading:
    """Convert a verdict to natural units.

    Parameters
    ----------
    rule : Rule or None
        Rule of the verdict; None for an action of the loop itself on an order or a fill.
    verdict : CapVerdict
        Integers of a check or, by `verdict_of`, of a row.
    universe : Universe
        Units of money, quantities and prices.
    event : mapping
        Codes of the event: its instrument and, for prices, its side and price.

    Returns
    -------
    Reading
        Empty if the verdict has no number: a pause, a missing price, a rule without an observed value.
    """
    observation = _observed(rule, verdict)
    if observation is None or (observation.measure in OF_THE_EVENT and event["instrument"] < 0):
        return NOTHING
    measure = observation.measure
    scale = _scale(measure, universe, event)
    observed: Fraction | None = None if verdict.observed == MISSING else verdict.observed * scale
    given = _given(rule, observation, verdict, universe)
    limit = exact(given, observation.limit) if given is not None else None
    if not observation.limit and abs(verdict.limit) < LARGEST:
        limit = verdict.limit * scale
    if measure == Measure.DISTANCE:
        observed = _distance(verdict, event["price"]) * scale
        if observation.limit:
            limit = verdict.limit * scale if limit is None else abs(Fraction(verdict.base, 2)) * limit * scale
    elif measure == Measure.FRACTION:
        observed = Fraction(verdict.observed, verdict.base) if verdict.base else None
    elif measure == Measure.PER_FILL:
        observed = Fraction(verdict.observed, max(verdict.limit, 1))
    elif measure == Measure.RANKED_PRICE and event["price"] == MISSING:
        observed = None
    left = None if observed is None or limit is None else limit - observed
    if left is not None and (measure == Measure.TIME or _is_minimum(rule, observation)):
        left = -left
    if measure == Measure.RANKED_PRICE:
        observed, limit = (None if value is None else value * event["side"] for value in (observed, limit))
    currency = (rule.currency if rule is not None else "") or universe.currency
    unit = currency if measure == Measure.MONEY else UNITS.get(measure, str(measure))
    named = rule is not None and rule.kind.caps and measure != Measure.DISTANCE
    name = "warmup" if observation is RETURNS else observation.limit if named else "limit"
    return Reading(_number(observed), _number(limit), _number(left), unit, name)


def _observed(rule: Rule | None, verdict: CapVerdict) -> Observation | None:
    if rule is None:
        return CUT_LOTS if verdict.code in CUTS else None
    if verdict.code == DecisionCode.NO_PRICE:
        return RETURNS if rule.is_young(verdict.limit) else None
    if verdict.code not in JUDGED or not rule.kind.observed:
        return None
    observation = rule.kind.observed[verdict.cap]
    return observation if observation.measure else None


def _is_minimum(rule: Rule | None, observation: Observation) -> bool:
    return rule is not None and bool(observation.limit) and rule.kind.units()[observation.limit].is_minimum


def _given(rule: Rule | None, observation: Observation, verdict: Any, universe: Universe) -> Any:
    """The limit as a person gave it: of versions of a rule, that which the verdict has in integers."""
    if rule is None or not observation.limit:
        return None
    for version in rule.versions if rule.overrides else ():
        if getattr(version.to_integers(universe), observation.limit) == verdict.limit:
            return getattr(version.parameters, observation.limit)
    return None if rule.overrides else getattr(rule.parameters, observation.limit)


def _distance(verdict: CapVerdict, price: int) -> Fraction:
    """The exact distance from the reference; of a price that is not the event's own (a peg, a modify), in whole ticks."""
    twice = abs(2 * price - verdict.base)
    return Fraction(twice, 2) if (twice + 1) // 2 == verdict.observed else Fraction(verdict.observed)


def _scale(measure: Measure, universe: Universe, event: Mapping[str, int]) -> Fraction:
    if measure == Measure.MONEY:
        return universe.quantum
    if measure == Measure.QUANTITY:
        return universe.quantity_unit
    if measure in (Measure.DELTA, Measure.NETTED):
        return universe.quantity_unit / 1_000_000
    if measure in OF_THE_EVENT:
        instrument = universe.instruments[event["instrument"]]
        return instrument.qty_step if measure == Measure.LOTS else instrument.price_step
    return Fraction(1)


def _number(value: Any) -> Any:
    if value is None:
        return None
    return int(value) if value.denominator == 1 else float(value)


def time_text(ts: int) -> str:
    """A time in nanoseconds as text, UTC, with the necessary decimals."""
    seconds, _, parts = str(np.datetime64(ts, "ns")).partition(".")
    parts = parts.rstrip("0")
    return f"{seconds}.{parts}Z" if parts else f"{seconds}Z"
