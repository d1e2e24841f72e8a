"""Limits of one account in one instrument: the rules that a proof may use, with integer parameters.

Streams considered (`SPACE` in words): accounts start flat, each with the capital in cash, and trade one instrument with
lot 1 and multiplier 1. Over the horizon, both ends included, they send single limit orders at prices in the band; each
fills at once at its limit price, completely or in part, or never. The market moves anywhere in the band at any time.
There are no deposits, resets or fees.

A rule is *read* if its limit is a number that every such stream obeys. No order of a stream is refused, so it passes
each rule alone; a rule that is not read can only reduce the maximum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from riskkit.replay.rules.rule import Rule, rule_types
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.constants import DAY_NS, LARGEST
from riskkit.replay.schema.durations import duration_text
from riskkit.replay.schema.scopes import SCOPES
from riskkit.replay.schema.universe import Universe

SPACE = (
    "single limit orders of one instrument, at prices in the band, each filled at once at its own price; accounts "
    "start flat; the market moves anywhere in the band; no fees, no orders in flight, no resets"
)


class Read(NamedTuple):
    """A rule that a proof may use, its integer parameters, and whether all accounts share its record."""

    rule: Rule
    params: Any
    shared: bool


class Setting(NamedTuple):
    """Arguments of a worst case: nanoseconds, accounts, and money and prices as integers (one lot at one tick: a quantum)."""

    horizon: int
    accounts: int
    capital: int
    reference: int
    low: int
    high: int


@dataclass(frozen=True)
class Limits:
    """The rules that are read, the ids of the others with the reason, and the rules that limit nothing."""

    read: tuple[Read, ...]
    unread: dict[str, str]
    alerts: tuple[str, ...]

    def of(self, *types: str) -> Iterator[Read]:
        """The rules of these types that are read, in order."""
        return (read for read in self.read if read.rule.type in types)

    @property
    def solvent(self) -> dict[str, str]:
        """Type and id of the rules that together keep an account solvent; empty if one is missing."""
        found = {read.rule.type: read.rule.id for read in self.read if read.rule.kind.bounds == "solvency"}
        return found if set(found) == {kind.name for kind in rule_types() if kind.bounds == "solvency"} else {}


def read_limits(rules: RuleSet, universe: Universe) -> Limits:
    """Split the rules into those that a proof may use and the others."""
    read, unread, alerts = [], {}, []
    for rule in rules:
        if rule.action == "ALERT":
            alerts.append(rule.id)
            continue
        why = _unread(rule) or _converted(rule, universe)
        if why:
            unread[rule.id] = why
        else:
            read.append(Read(rule, rule.to_integers(universe), "account" not in SCOPES[rule.scope].parts))
    return Limits(tuple(read), unread, tuple(alerts))


def _unread(rule: Rule) -> str:
    """Reason why no proof uses the rule; empty if one may."""
    if rule.overrides:
        return "keys have limits of their own"
    if not rule.kind.bounds:
        return f"type {rule.type} is not among those with a proof"
    if not {"account", "instrument", "product"}.issuperset(SCOPES[rule.scope].parts):
        return f"scope {rule.wire_scope}: how many keys a stream can spread over is not known"
    if rule.kind.bounds != "losses" and rule.action != "REJECT":
        return f"action {rule.action}: the end of a pause may restart what the rule counts"
    return rule.kind.not_bounding(rule)


def _converted(rule: Rule, universe: Universe) -> str:
    """Reason why a limit in another currency bounds no money; empty if it does."""
    if not rule.currency or set(universe.currencies) == {rule.currency}:
        return ""
    return f"its limit is in {rule.currency}, and exchange rates may move"


def days_touched(horizon: int) -> int:
    """Maximum number of 24-hour trading days that `horizon` nanoseconds, both ends included, can touch."""
    return -(-horizon // DAY_NS) + 1


def most_messages(read: Read, horizon: int) -> tuple[int, str]:
    """Maximum number of single orders under a rate limit from 0 to `horizon`, both ends included, and the reason in words."""
    params, window = read.params, read.rule.parameters.window
    if window == "calendar_day":
        turns = days_touched(horizon)
        return params.limit * turns, f"{params.limit:,} orders on each of the {turns} days that the horizon can touch"
    span = duration_text(params.window_ns)
    if window == "sliding" and params.bucket_ns > 0:
        count = -(-params.window_ns // params.bucket_ns)
        buckets = -(-horizon // params.bucket_ns) + 1
        blocks = -(-buckets // count)
        return params.limit * blocks, (
            f"{params.limit:,} orders in any {count} buckets in a row; the horizon touches at most {buckets:,} buckets, "
            f"that is {blocks:,} such stretches, the first of which can end just as the second begins"
        )
    stretches = horizon // params.window_ns + 1
    return params.limit * stretches, (
        f"{params.limit:,} orders in any {span}, and the horizon with both its edges holds {stretches:,} such windows"
        f": {params.limit:,} can go at one edge and {params.limit:,} at the next"
    )


def finite(value: int) -> float:
    """An integer limit, or infinity if not given."""
    return math.inf if value >= LARGEST else value
