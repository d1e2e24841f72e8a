"""Largest losses of a stream of any length."""

from __future__ import annotations

import math

import numpy as np

from riskkit._tail import n_tail, tail_probability
from riskkit.montecarlo.draws import BLOCK


def tail_capacity(n_scenarios: int, confidence: float) -> int:
    """Number of losses needed for VaR, ES and their errors: the tail plus four standard deviations of its size."""
    size, p = n_tail(n_scenarios, confidence), tail_probability(confidence)
    return min(n_scenarios, math.ceil(size + 4.0 * math.sqrt(n_scenarios * p * (1.0 - p))) + 10)


class Tail:
    """Store of the `capacity` largest losses with their rows, and optionally a companion of each.

    Up to twice as many are stored between two clean-ups. Of equal losses the earliest rows are stored, so that the
    content does not depend on the chunks of the stream.
    """

    def __init__(self, capacity: int, *, companions: bool = False) -> None:
        self.capacity = capacity
        size = 2 * capacity + BLOCK
        self._losses, self._rows = np.empty(size), np.empty(size, dtype=np.int64)
        self._companions = np.empty(size if companions else 0)
        self._count = 0
        self._threshold = -math.inf

    def add(self, losses: np.ndarray, first_row: int, companions: np.ndarray | None = None) -> None:
        """Add at most `BLOCK` losses, whose rows are numbered from `first_row`."""
        chosen = np.flatnonzero(losses > self._threshold)
        stop = self._count + len(chosen)
        self._losses[self._count : stop] = losses[chosen]
        self._rows[self._count : stop] = chosen
        self._rows[self._count : stop] += first_row
        if companions is not None:
            self._companions[self._count : stop] = companions[chosen]
        self._count = stop
        if stop > 2 * self.capacity:
            self._clean_up()

    def largest(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the `count` largest losses (at most `capacity`) in descending order, their rows and companions."""
        chosen = self._among_largest(min(count, self.capacity, self._count))
        order = chosen[np.argsort(-self._losses[chosen], kind="stable")]
        companions = self._companions[order] if self._companions.size else self._companions
        return self._losses[order], self._rows[order], companions

    def _clean_up(self) -> None:
        keep = self._among_largest(self.capacity)
        for array in (self._losses, self._rows, self._companions):
            if array.size:
                array[: len(keep)] = array[keep]
        self._count = len(keep)
        self._threshold = float(self._losses[: self._count].min())

    def _among_largest(self, count: int) -> np.ndarray:
        """Indices of the `count` largest, in order of rows; of equal losses the earliest."""
        losses = self._losses[: self._count]
        surplus = self._count - count
        if surplus == 0:
            return np.arange(self._count)
        smallest = np.partition(losses, surplus)[surplus]
        keep = losses > smallest
        keep[np.flatnonzero(losses == smallest)[: count - np.count_nonzero(keep)]] = True
        return np.flatnonzero(keep)
