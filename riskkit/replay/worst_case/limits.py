"""What the rules say of one account that trades one instrument: which of them a proof may use, and as which integers.

The streams that are looked at (`SPACE` in words). Accounts start flat, each with the capital in cash. They trade one
instrument with a lot of 1 and a multiplier of 1. From the first moment of the horizon to the last, both included, they
send single limit orders at prices in the band; an order fills at once, wholly or in part, at its own price, or never.
The market moves anywhere in the band as often as it likes. Nobody deposits, resets or pays fees.

A rule is *read* where its limit is a number that every such stream obeys. Nothing is refused in the stream, so it
passes each rule alone; a rule that is not read can only make the harm smaller, never larger.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from riskkit.replay.parameters import LARGEST, duration, duration_text
from riskkit.replay.rule import Rule
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.scopes import SCOPES
from riskkit.replay.universe import Universe

__all__ = ["DAY_NS", "SPACE", "Limits", "Read", "Setting", "days_touched", "finite", "most_messages", "read_limits"]

DAY_NS = 86_400_000_000_000
SPACE = (
    "single limit orders of one instrument, at prices in the band, each filled at once at its own price; accounts "
    "start flat; the market moves anywhere in the band; no fees, no orders in flight, no resets"
)
HARMLESS = ("price_collar", "min_order_qty", "lot_tick")  # they bound no total: the market comes to the price
ORDERS = ("max_order_qty", "max_order_notional", "order_rate", "volume_cap", "position_limit", "max_exposure")
SOLVENCY = ("cash", "long_only")
LOSSES = ("daily_loss", "drawdown")


class Read(NamedTuple):
    """A rule that a proof may use, its parameters as integers, and whether all accounts share its record."""

    rule: Rule
    params: Any
    shared: bool


class Setting(NamedTuple):
    """What is asked: nanoseconds, accounts, and money and prices as integers (ticks; a lot at a tick is the quantum)."""

    horizon: int
    accounts: int
    capital: int
    reference: int
    low: int
    high: int


@dataclass(frozen=True)
class Limits:
    """The rules that are read, the ids of those that are not and why, and those that limit nothing."""

    read: tuple[Read, ...]
    unread: dict[str, str]
    alerts: tuple[str, ...]

    def of(self, *types: str) -> Iterator[Read]:
        """The rules of these types that are read, in their order."""
        return (one for one in self.read if one.rule.type in types)


def read_limits(rules: RuleSet, universe: Universe) -> Limits:
    """Sort the rules into those that a proof may use and those that it may not."""
    read, unread, alerts = [], {}, []
    for rule in rules:
        if rule.action == "ALERT":
            alerts.append(rule.id)
            continue
        why = _unread(rule)
        if why:
            unread[rule.id] = why
        else:
            read.append(Read(rule, rule.integers(universe), "account" not in SCOPES[rule.scope].parts))
    return Limits(tuple(read), unread, tuple(alerts))


def _unread(rule: Rule) -> str:
    """Why no proof uses the rule, empty where one may."""
    kind, params = rule.type, rule.parameters
    if kind not in (*ORDERS, *SOLVENCY, *LOSSES, *HARMLESS):
        return f"type {kind} is not among those with a proof"
    if not {"account", "instrument", "product"}.issuperset(SCOPES[rule.scope].parts):
        return f"scope {rule.scope}: how many keys a stream can spread over is not known"
    if kind in LOSSES:
        return _unread_loss(rule)
    if rule.action != "REJECT":
        return f"action {rule.action}: it stops what comes after a breach, not the breach"
    if kind in ("order_rate", "volume_cap") and (params.tz != "UTC" and getattr(params, "window", "") != "sliding"):
        return f"the length of a day in {params.tz} changes"
    if kind == "order_rate":
        if "order" not in params.kinds:
            return "it does not count single orders"
        if params.reset_on_trip:
            return "a refused message reopens its window"
        if params.window != "calendar_day" and duration(params.window_ns, "window_ns") == 0:
            return "its window has no length"
    return ""


def _unread_loss(rule: Rule) -> str:
    """A limit on losses bounds them where no new position is opened while it is broken."""
    hold, params = rule.hold_ns(), rule.parameters
    if rule.type == "daily_loss":
        if params.tz != "UTC":
            return f"the length of a day in {params.tz} changes"
        if rule.action != "REJECT" and not isinstance(hold, str):
            return "its pause can end while the loss stands"
        return ""
    if rule.action != "REJECT" and hold != "reset":
        return "its pause can end and takes a new base"
    if params.pct is not None and Fraction(str(params.pct)) > 1:
        return "a fall of more than all equity"
    return ""


def days_touched(horizon: int) -> int:
    """Trading days of 24 hours that a stretch of `horizon` nanoseconds, both ends included, can touch at most."""
    return -(-horizon // DAY_NS) + 1


def most_messages(one: Read, horizon: int) -> tuple[int, str]:
    """Single orders that a rate limit lets through from 0 to `horizon`, both ends included, and the reason in words."""
    params, window = one.params, one.rule.parameters.window
    if window == "calendar_day":
        turns = days_touched(horizon)
        return params.limit * turns, f"{params.limit:,} orders on each of the {turns} days that the horizon can touch"
    span = duration_text(params.window_ns)
    if window == "sliding" and params.bucket_ns > 0:
        whole = -(-params.window_ns // params.bucket_ns)
        buckets = -(-horizon // params.bucket_ns) + 1
        blocks = -(-buckets // whole)
        return params.limit * blocks, (
            f"{params.limit:,} orders in any {whole} buckets in a row; the horizon touches at most {buckets:,} buckets, "
            f"that is {blocks:,} such stretches, the first of which can end just as the second begins"
        )
    stretches = horizon // params.window_ns + 1
    return params.limit * stretches, (
        f"{params.limit:,} orders in any {span}, and the horizon with both its edges holds {stretches:,} such windows"
        f": {params.limit:,} can go at one edge and {params.limit:,} at the next"
    )


def finite(value: int) -> float:
    """An integer limit, or infinity where the rule did not give one."""
    return math.inf if value >= LARGEST else value
