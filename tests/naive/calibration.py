"""Slow plain twins of a calibration, written from the definitions."""

from __future__ import annotations

import math
from collections.abc import Sequence


def front(gain: Sequence[float], cost: Sequence[float]) -> list[bool]:
    """A point is on the front if no other has at least its gain for at most its cost, and one of them better."""
    points = list(zip(gain, cost, strict=True))
    return [not any(g >= a and c <= b and (g > a or c < b) for g, c in points) for a, b in points]


def best(score: Sequence[float], drawdown: Sequence[float], rejected: Sequence[float]) -> int:
    """The place with the highest score; then the smallest drawdown, the fewest rejected orders, the first."""
    found = 0
    for place in range(len(score)):
        if (score[place], -drawdown[place], -rejected[place]) > (score[found], -drawdown[found], -rejected[found]):
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
