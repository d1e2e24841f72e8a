"""Slow plain twins of a calibration, written from the definitions: exact fractions, one day and one setting at a time."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from fractions import Fraction

from naive.sweep import earned

from riskkit import EventLog, RuleSet, replay_log
from riskkit.replay.schema.columns import EventKind


def front(gain: Sequence[float], cost: Sequence[float]) -> list[bool]:
    """A point is on the front if no other has at least its gain for at most its cost, and one of them better."""
    points = list(zip(gain, cost, strict=True))
    return [not any(g >= a and c <= b and (g > a or c < b) for g, c in points) for a, b in points]


def date_of(ns: int) -> dt.date:
    """The day in UTC."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=ns // 86_400_000_000_000)


def by_date(log: EventLog, rules: RuleSet, horizon: int | None) -> dict[dt.date, dict[str, Fraction]]:
    """Orders refused, loss avoided, profit forgone and good notional on each date that has an event."""
    worth = earned(log, horizon)
    columns = {name: column.tolist() for name, column in log.columns.items()}
    found = {
        date_of(ts): dict.fromkeys(("orders_rejected", "loss_avoided", "profit_forgone"), Fraction(0))
        for ts in columns["ts"]
    }
    for seq in replay_log(log, rules, mode="enforce", compiled=False).rejections()["seq"].tolist():
        if columns["kind"][seq] == EventKind.ORDER:
            day = found[date_of(columns["ts"][seq])]
            day["orders_rejected"] += 1
            day["loss_avoided"] += max(-worth.get(seq, Fraction(0)), Fraction(0))
            day["profit_forgone"] += max(worth.get(seq, Fraction(0)), Fraction(0))
    return found


def best(gain: Sequence[Fraction], cost: Sequence[Fraction], price: Fraction, allowed: Sequence[bool]) -> int | None:
    """The place with the highest gain less price times cost; then the least cost, the most gain, the first."""
    found: int | None = None
    for place in range(len(gain)):
        if not allowed[place]:
            continue
        mine = (gain[place] - price * cost[place], -cost[place], gain[place])
        if found is None or mine > (gain[found] - price * cost[found], -cost[found], gain[found]):
            found = place
    return found


def stationary(n_days: int, block: float, uniforms: Sequence[float]) -> list[int]:
    """Politis and Romano (1994), section 2: a day follows the one before it, or with probability 1/block a fresh one."""
    starts, ends = uniforms[:n_days], uniforms[n_days:]
    days = [math.floor(starts[0] * n_days)]
    for t in range(1, n_days):
        fresh = ends[t - 1] < 1 / block
        days.append(math.floor(starts[t] * n_days) if fresh else (days[-1] + 1) % n_days)
    return days
