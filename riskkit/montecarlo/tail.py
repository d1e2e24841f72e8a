"""The largest losses of a stream of any length, kept exactly in little memory."""

from __future__ import annotations

import math

import numpy as np

from riskkit.montecarlo.draws import BLOCK
from riskkit.var.tail import tail_mass, tail_size

__all__ = ["Tail", "tail_capacity"]


def tail_capacity(n_scenarios: int, confidence: float) -> int:
    """How many losses decide VaR, ES and their standard errors: the tail, and four standard deviations of its size."""
    size, p = tail_size(n_scenarios, confidence), tail_mass(confidence)
    return min(n_scenarios, math.ceil(size + 4.0 * math.sqrt(n_scenarios * p * (1.0 - p))) + 10)


class Tail:
    """Keeps the `capacity` largest losses with their rows, and a companion of each where one is given.

    Between two clean-ups twice as many are kept. Of equal losses the earliest rows stay, so that what is kept depends
    on the stream alone, and not on how it was cut.
    """

    def __init__(self, capacity: int, *, companions: bool = False) -> None:
        self.capacity = capacity
        size = 2 * capacity + BLOCK
        self._losses, self._rows = np.empty(size), np.empty(size, dtype=np.int64)
        self._companions = np.empty(size if companions else 0)
        self._count = 0
        self._threshold = -math.inf

    def add(self, losses: np.ndarray, first_row: int, companions: np.ndarray | None = None) -> None:
        """Take in at most `BLOCK` losses, whose rows are numbered from `first_row`."""
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
        """The `count` largest losses (at most `capacity`) from the top, their rows, and their companions if any."""
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
        """Places of the `count` largest, in order of rows; of equal ones the earliest."""
        losses = self._losses[: self._count]
        surplus = self._count - count
        if surplus == 0:
            return np.arange(self._count)
        least = np.partition(losses, surplus)[surplus]
        keep = losses > least
        keep[np.flatnonzero(losses == least)[: count - np.count_nonzero(keep)]] = True
        return np.flatnonzero(keep)
