"""Time two ways in turn, in one run, and print the ratio against its aim.

Absolute times on a shared machine mean little; the ratio of two ways measured in alternation means something.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Row:
    """One line of a benchmark: two times in seconds, and what the ratio should reach."""

    name: str
    ours: float
    other: float
    other_name: str
    aim: float
    at_least: bool = True
    """True: other/ours must be at least `aim` (speed-up). False: ours/other must be at most `aim` (cost)."""

    @property
    def ratio(self) -> float:
        return self.other / self.ours if self.at_least else self.ours / self.other

    @property
    def met(self) -> bool:
        return self.ratio >= self.aim if self.at_least else self.ratio <= self.aim

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return (
            f"{self.name:<52} ours {seconds(self.ours):>10}   {self.other_name:<30} {seconds(self.other):>10}   "
            f"ratio {self.ratio:>9.4g}   aim {sign} {self.aim:<7g} {'met' if self.met else 'short'}"
        )


def seconds(value: float) -> str:
    """A time with a unit that reads well."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def best(*functions: Callable[[], Any], repeat: int = 5, at_least: float = 0.02) -> list[float]:
    """Best time of each function in seconds per call, run in turn so that a noisy moment hits all alike."""
    counts = []
    for function in functions:
        function()
        start = time.perf_counter()
        function()
        once = time.perf_counter() - start
        counts.append(max(1, int(at_least / max(once, 1e-9))))
    times = [float("inf")] * len(functions)
    for _ in range(repeat):
        for i, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(counts[i]):
                function()
            times[i] = min(times[i], (time.perf_counter() - start) / counts[i])
    return times


def beside(
    name: str,
    ours: Callable[[], Any],
    other: Callable[[], Any],
    other_name: str,
    aim: float,
    *,
    rtol: float = 1e-9,
    atol: float = 1e-13,
    repeat: int = 3,
    checks: float = 0.0,
) -> Row:
    """A row of two ways whose numbers agree, which is asserted before they are timed; `checks`: seconds for input and labels."""
    np.testing.assert_allclose(np.asarray(ours(), dtype=float), np.asarray(other(), dtype=float), rtol=rtol, atol=atol)
    mine, theirs = best(ours, other, repeat=repeat)
    return Row(name, mine, theirs + checks, other_name + (f" + {seconds(checks)}" if checks else ""), aim)


@dataclass(frozen=True)
class Bound:
    """One line of a benchmark that is held against a number, not against another way."""

    name: str
    value: float
    aim: float
    unit: str
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.value >= self.aim if self.at_least else self.value <= self.aim

    def __str__(self) -> str:
        sign = ">=" if self.at_least else "<="
        return (
            f"{self.name:<52} {self.value:,.4g} {self.unit}   aim {sign} {self.aim:g} {'met' if self.met else 'short'}"
        )


@dataclass(frozen=True)
class Calls:
    """One line about single calls: how many a second, and how long one of them takes."""

    name: str
    times: np.ndarray

    def __str__(self) -> str:
        middle, slow = np.quantile(self.times, [0.5, 0.99])
        return (
            f"{self.name:<52} {len(self.times) / self.times.sum():>12,.0f} /s   median {seconds(middle):>9}"
            f"   p99 {seconds(slow):>9}"
        )


def calls(name: str, function: Callable[[int], Any], count: int) -> Calls:
    """Time `count` calls one by one; the clock itself takes some 50 ns of each."""
    for turn in range(min(count, 200)):
        function(turn)
    times = np.empty(count)
    clock = time.perf_counter
    for turn in range(count):
        start = clock()
        function(turn)
        times[turn] = clock() - start
    return Calls(name, times)
