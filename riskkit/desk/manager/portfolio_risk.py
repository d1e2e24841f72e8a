"""The normal VaR of a book that changes: what a trade would do in a handful of operations, however many assets.

The variance of positions w under S is w'Sw. The product Sw is kept; a trade of t in one asset then makes it
w'Sw + 2 t (Sw)_i + t² S_ii, without a look at the others.
"""

from __future__ import annotations

import math

import numpy as np

from riskkit._exposure import exposure_of
from riskkit.desk.market.live_covariance import LiveCovariance

__all__ = ["PortfolioRisk"]

EPSILON = float(np.finfo(float).eps)
FRESH = 1000
"""After so many single steps Sw is computed anew, so that rounding does not add up."""


class PortfolioRisk:
    """Positions in money against a live covariance, with Sw kept.

    Parameters
    ----------
    covariance : LiveCovariance
        Per bar.
    bars_per_day : float
        VaR is for a day: z × volatility of a bar × sqrt(bars per day).
    """

    def __init__(self, covariance: LiveCovariance, bars_per_day: float) -> None:
        self.covariance = covariance
        self.bars_per_day = bars_per_day
        self.positions = np.zeros(0)
        self.gradient = np.zeros(0)
        self.variance = 0.0
        self._steps = 0

    def refresh(self) -> None:
        """Compute Sw and w'Sw from the positions and the matrix as they are now."""
        missing = len(self.covariance.places) - len(self.positions)
        self.positions = np.append(self.positions, np.zeros(missing))
        self._steps = 0
        if not len(self.positions):
            return
        book = exposure_of(self.positions, self.covariance.matrix)
        self.gradient, self.variance = book.gradient, book.volatility**2

    def after(self, place: int, money: float) -> float:
        """Variance per bar after a trade of so much money in one asset; zero where only rounding is left."""
        own = float(self.covariance.matrix[place, place])
        variance = self.variance + 2.0 * money * float(self.gradient[place]) + money * money * own
        rounding = 32 * len(self.positions) * EPSILON * max(self.variance, money * money * own)
        return variance if variance > rounding else 0.0

    def move(self, place: int, money: float) -> None:
        """Take a change of one position, in money."""
        if money == 0.0:
            return
        variance = self.after(place, money)
        self.gradient += money * self.covariance.matrix[place]
        self.positions[place] += money
        self.variance = variance
        self._steps += 1
        if self._steps >= FRESH:
            self.refresh()

    def sound(self) -> bool:
        """Whether what is kept can be a book's variance."""
        return (
            math.isfinite(self.variance) and self.variance >= 0.0 and len(self.gradient) == len(self.covariance.places)
        )
