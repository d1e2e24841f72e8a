"""Explanation of the decisions on an event: a sentence with observed values and limits in natural units."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.present import Reading, present, verdict_of
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import DecisionCode
from riskkit.replay.schema.constants import NEVER
from riskkit.replay.schema.durations import duration_text
from riskkit.replay.schema.universe import Universe

DECISION_WORDS = {
    DecisionCode.OBJECT: "refused",
    DecisionCode.NO_PRICE: "refused: no price is known",
    DecisionCode.HELD: "refused: paused",
    DecisionCode.ALERTED: "alert",
    DecisionCode.VANISH: "vanished with its order",
    DecisionCode.CUT: "fill cut to what its order may have",
    DecisionCode.ORPHAN: "orphan exit left out",
    DecisionCode.CLIPPED: "orphan exit cut to flat",
    DecisionCode.DUP: "duplicate fill",
    DecisionCode.ERROR_TS: "earlier than the event before it",
    DecisionCode.TRIP: "trip",
    DecisionCode.RELEASE: "release",
    DecisionCode.CANCELLED: "working order cancelled",
    DecisionCode.DECREMENTED: "order reduced by self-match prevention",
    DecisionCode.QUEUED: "accepted, but waits its turn",
    DecisionCode.POSITION_BREAK: "position differs from the venue's",
    DecisionCode.ORDER_BREAK: "order differs from the venue's",
    DecisionCode.SETTLED: "position settled",
    DecisionCode.ERROR_STATE: "no such reservation, or it is finished",
}


class Explanation(str):
    """Explanation of one event as a text, and its parts.

    Attributes
    ----------
    objections : tuple of riskkit.replay.results.what_if.Objection
        One per rule that objected: observed value, limit, state of its key, and the next quantity or time that would
        have passed.
    """

    objections: tuple[Any, ...]

    def __new__(cls, sentence: str, objections: Iterable[Any] = (), *, listed: bool = True) -> Explanation:
        """Write the sentence and, if they are to be listed, a line for each objection below it."""
        found = tuple(objections)
        text = super().__new__(cls, "\n".join([sentence, *(f"  {one}." for one in found if listed)]))
        text.objections = found
        return text

    def __repr__(self) -> str:
        """Show the text without quotes."""
        return str(self)

    def _repr_html_(self) -> str:
        """Show the text as wrapped lines."""
        return f"<div style='white-space:pre-wrap;max-width:100ch'>{html.escape(self)}</div>"


def joined(explanations: Iterable[Explanation]) -> Explanation:
    """Several explanations as one, each with its own lines."""
    listed = list(explanations)
    return Explanation("\n".join(listed), [one for found in listed for one in found.objections], listed=False)


def unjudged(rule: Rule, limit: int, universe: Universe) -> str:
    """Reason why a rule could not check a message: no exchange rate (`limit` below 0), no price, or too few returns."""
    if rule.currency and limit < 0:
        return f"no exchange rate of {universe.currencies[-1 - limit]}/{rule.currency} is known{_fresh(rule)}"
    aged = "references" in rule.requires and "references" not in rule.kind.requires
    if rule.kind.lacks(rule.parameters, ""):  # its data are of instruments by name
        fresh = " fresh" if getattr(rule.parameters, "as_of", None) is not None else ""
        return f"no price or no{fresh} data of the instrument is known"
    return "too few returns are known" if rule.is_young(limit) else f"no{' fresh' * aged} price is known"


def _fresh(rule: Rule) -> str:
    return "" if rule.max_age_ns is None else f" that is at most {duration_text(rule.max_age_ns)} old"


def decision_word(rules: RuleSet, universe: Universe, code: int, cause: int, limit: int) -> str:
    """A decision in a few words."""
    if code == DecisionCode.NO_PRICE and cause >= 0:
        return f"refused: {unjudged(rules[cause], limit, universe)}"
    if code == DecisionCode.HELD and cause >= 0:
        return f"refused: {rules[cause].pause_word}"
    if code == DecisionCode.HELD and limit:
        return "refused: stopped by a command"
    return DECISION_WORDS[DecisionCode(code)]


def explained(log: EventLog, rules: RuleSet, rows: np.ndarray) -> str:
    """The decisions on one event in order, as the end of a sentence."""
    return "; ".join(_decision(row, log, rules) for row in rows)


def shown(log: EventLog, rules: RuleSet, row: np.void) -> Reading:
    """The reading of the rule that a row names; of an alert, of the first rule that objected."""
    event = {name: int(log.columns[name][row["seq"]]) for name in ("instrument", "side", "price")}
    return shown_of(event, log.universe, rules, row)


def shown_of(event: Mapping[str, int], universe: Universe, rules: RuleSet, row: np.void) -> Reading:
    """As `shown`, of an event outside of a log: its instrument, side and price."""
    first = int(row["cause"]) if row["cause"] >= 0 else _first_of(int(row["mask"]))
    return present(rules[first] if 0 <= first < len(rules) else None, verdict_of(row), universe, event)


def _first_of(mask: int) -> int:
    """Number of the first rule whose bit is set; -1 if none is."""
    return (mask & -mask).bit_length() - 1


def names_in(rules: RuleSet, mask: int) -> list[str]:
    """The rules whose bit is set."""
    return [rule.id for k, rule in enumerate(rules) if (int(mask) >> k) & 1]


def _decision(row: np.void, log: EventLog, rules: RuleSet) -> str:
    import pandas as pd

    first = int(row["cause"])
    if row["code"] == DecisionCode.ALERTED:  # no rule is the cause; the row shows the first that objected
        first = _first_of(int(row["mask"]))
    cause = rules[first] if first >= 0 else None
    text = decision_word(rules, log.universe, int(row["code"]), int(row["cause"]), int(row["limit"]))
    if cause is None:
        return text
    text += f" by {cause.id}"
    details = str(shown(log, rules, row))
    text += f" ({details})" if details else ""
    if row["until"] == NEVER:
        text += ", until a person resets it"
    elif row["until"]:
        text += f", until {pd.Timestamp(int(row['until']), tz='UTC')}"
    return text + _others(name for name in names_in(rules, row["mask"]) if name != cause.id)


def _others(names: Iterable[str]) -> str:
    others = list(names)
    return f"; {', '.join(others)} object{'s' if len(others) == 1 else ''} too" if others else ""
