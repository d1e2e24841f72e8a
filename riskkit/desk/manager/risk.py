"""Normal VaR of a changing book: the effect of a trade in a few operations, whatever the number of assets.

The variance of positions w under covariance S is w'Sw. With the product Sw cached, a trade of t in asset i changes it to
w'Sw + 2 t (Sw)_i + t² S_ii, without the other assets.
"""

from __future__ import annotations

import math
from copy import copy
from typing import Any

import numpy as np

from riskkit._exposure import exposure_of
from riskkit.covariance import sample_covariance, stressed_sample
from riskkit.desk.market.live_covariance import LiveCovariance

EPSILON = float(np.finfo(float).eps)
REFRESH = 1000
"""Steps after which Sw is recomputed, so that rounding errors do not add up."""


class IncrementalRisk:
    """Variance of positions in money under a live covariance, with Sw cached.

    Parameters
    ----------
    covariance : LiveCovariance
        Per bar.
    bars_per_day : float
        One-day VaR is z × volatility per bar × sqrt(bars per day).
    """

    def __init__(self, covariance: LiveCovariance, bars_per_day: float) -> None:
        self.covariance = covariance
        self.bars_per_day = bars_per_day
        self.positions = np.zeros(0)
        self.gradient = np.zeros(0)
        self.variance = 0.0
        self.steps = 0

    def draft(self) -> IncrementalRisk:
        """A copy on which a change is prepared."""
        made = copy(self)
        made.covariance, made.positions, made.gradient = (
            self.covariance.draft(),
            self.positions.copy(),
            self.gradient.copy(),
        )
        return made

    def refresh(self) -> None:
        """Recompute Sw and w'Sw from the present positions and covariance."""
        missing = len(self.covariance.index) - len(self.positions)
        self.positions = np.append(self.positions, np.zeros(missing))
        self.steps = 0
        if not len(self.positions):
            return
        book = exposure_of(self.positions, self.covariance.matrix)
        self.gradient, self.variance = book.gradient, book.volatility**2

    def after(self, row: int, money: float) -> float:
        """Variance per bar after a trade of `money` in one asset; zero if only rounding is left.

        Raises
        ------
        ArithmeticError
            It is not a finite number.
        """
        square = money * money * float(self.covariance.matrix[row, row])
        variance = self.variance + 2.0 * money * float(self.gradient[row]) + square
        if not math.isfinite(variance):
            raise ArithmeticError(f"the variance of the book would be {variance}")
        rounding = 32 * len(self.positions) * EPSILON * max(self.variance, square)
        return variance if variance > rounding else 0.0

    def move(self, row: int, money: float) -> None:
        """Change one position by an amount of money."""
        if money == 0.0:
            return
        variance = self.after(row, money)
        self.gradient += money * self.covariance.matrix[row]
        self.positions[row] += money
        self.variance = variance
        self.steps += 1
        if self.steps >= REFRESH:
            self.refresh()

    def is_valid(self) -> bool:
        """Return True if the cached variance is finite, not negative, and of the size of the covariance."""
        return (
            math.isfinite(self.variance) and self.variance >= 0.0 and len(self.gradient) == len(self.covariance.index)
        )


def stress_covariance(returns: Any, window: tuple[Any, Any] | None) -> np.ndarray:
    """Covariance about zero of a stress window: (first, last) row label, by default the most volatile quarter."""
    if window is not None:
        return np.asarray(stressed_sample(returns, *window, ddof=0, mean="zero"))
    return np.asarray(sample_covariance(_most_volatile(np.asarray(returns)), ddof=0, mean="zero"))


def _most_volatile(returns: np.ndarray) -> np.ndarray:
    """The consecutive quarter of the rows (at least two) with the largest squares, in units of each column's mean."""
    length = max(2, len(returns) // 4)
    mean = (returns**2).mean(axis=0)
    relative = (returns**2 / np.where(mean > 0.0, mean, 1.0)).mean(axis=1)
    total = np.concatenate([[0.0], np.cumsum(relative)])
    start = int(np.argmax(total[length:] - total[:-length]))
    return returns[start : start + length]
