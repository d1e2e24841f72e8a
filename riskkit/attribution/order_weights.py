"""Weights on sorted losses: every estimate of VaR or ES here is a weighted sum of order statistics.

Split each weighted scenario into its positions, and the positions' parts sum to the estimate exactly. A plain quantile
puts all weight on one or two scenarios, and its components are those days' accidents; the smooth ones spread it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from riskkit.var.quantile import place_of
from riskkit.var.tail import tail_size

__all__ = ["OrderWeights", "order_weights"]

REACH = 40.0
"""Beyond so many standard deviations a smooth weight is nothing; its last crumbs go to the outermost rank."""


class OrderWeights(NamedTuple):
    """Cumulative weights on the ranks of `n` ascending losses."""

    first: int
    """Ranks below `first` (from 0) carry no weight."""
    last: int
    """Nor do ranks from `last` on."""
    below: Callable[[np.ndarray], np.ndarray]
    """Weight of all ranks below each given rank; used between `first` and `last` only."""

    def cumulative(self, ranks: np.ndarray) -> np.ndarray:
        """Weight of all ranks below each given one: 0 up to `first`, 1 from `last` on."""
        mass = np.where(ranks >= self.last, 1.0, 0.0)
        inside = (ranks > self.first) & (ranks < self.last)
        mass[inside] = self.below(ranks[inside])
        return mass


def order_weights(n: int, confidence: float, estimator: str, bandwidth: float | None = None) -> OrderWeights:
    """Weights of an estimator of VaR or ES on `n` sorted losses.

    ``"harrell_davis"``: what the order statistics weigh in the mean of a beta((n+1)c, (n+1)(1-c)) rank. ``"kernel"``: a
    Gaussian kernel around rank c n, `bandwidth` wide as a fraction of n. ``"tail_mass"``: the worst n p losses equally,
    the last with its fraction. Anything else: a quantile definition, which weighs one or two losses.

    References
    ----------
    Harrell and Davis (1982), A new distribution-free quantile estimator, Biometrika 69, 635-640, section 2.
    Sheather and Marron (1990), Kernel quantile estimators, JASA 85, 410-416, section 1 (the kernel and the
    bandwidth at which it is nearly Harrell-Davis). Acerbi and Tasche (2002), On the coherence of expected shortfall,
    Journal of Banking and Finance 26, 1487-1503, definition 2.6 (tail mass).
    """
    if estimator == "tail_mass":
        tail = tail_size(n, confidence)
        return OrderWeights(n - math.ceil(tail), n, lambda ranks: 1.0 - (n - ranks) / tail)
    if estimator == "harrell_davis":
        return _smooth(n, confidence, math.sqrt(confidence * (1.0 - confidence) / (n + 2)), _beta(n, confidence))
    if estimator == "kernel":
        width = math.sqrt(confidence * (1.0 - confidence) / (n + 1)) if bandwidth is None else bandwidth
        return _smooth(n, confidence, width, _gaussian(n, confidence, width))
    place = place_of(estimator, n, confidence)  # counted from the worst, here from the best
    rank = n - 1 - place.rank
    return OrderWeights(rank - (place.weight > 0.0), rank + 1, lambda ranks: np.full(ranks.shape, place.weight))


def _smooth(n: int, centre: float, width: float, below: Callable[[np.ndarray], np.ndarray]) -> OrderWeights:
    first = max(0, math.floor(n * (centre - REACH * width)))
    last = min(n, math.ceil(n * (centre + REACH * width)))
    return OrderWeights(first, last, below)


def _beta(n: int, confidence: float) -> Callable[[np.ndarray], np.ndarray]:
    from scipy.special import betainc

    a, b = (n + 1) * confidence, (n + 1) * (1.0 - confidence)
    return lambda ranks: betainc(a, b, ranks / n)


def _gaussian(n: int, centre: float, width: float) -> Callable[[np.ndarray], np.ndarray]:
    """Gaussian distribution function around the centre, cut off at 0 and 1."""
    from scipy.special import ndtr

    low, high = ndtr(-centre / width), ndtr((1.0 - centre) / width)
    return lambda ranks: (ndtr((ranks / n - centre) / width) - low) / (high - low)
