"""Estimators of VaR and ES as weighted sums of order statistics.

With the weighted scenarios split by position, the parts sum exactly to the estimate. A plain quantile has all its
weight on one or two scenarios; smooth estimators spread it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from riskkit._tail import n_tail
from riskkit.var._inputs import quantile_position

SUPPORT_SDS = 40.0
"""Standard deviations beyond which smooth weights are zero in floats; the remainder goes to the outermost rank."""


class OrderWeights(NamedTuple):
    """Cumulative weights on the ranks of `n` ascending losses."""

    first: int
    """First rank, from 0, with weight."""
    last: int
    """First rank without weight after the others."""
    below: Callable[[np.ndarray], np.ndarray]
    """Weight of all ranks below each given rank, between `first` and `last`."""

    def cumulative(self, ranks: np.ndarray) -> np.ndarray:
        """Weight of all ranks below each given rank: 0 up to `first`, 1 from `last`."""
        mass = np.where(ranks >= self.last, 1.0, 0.0)
        inside = (ranks > self.first) & (ranks < self.last)
        mass[inside] = self.below(ranks[inside])
        return mass


def order_weights(n: int, confidence: float, estimator: str, bandwidth: float | None = None) -> OrderWeights:
    """Weights of an estimator of VaR or ES on `n` sorted losses.

    ``"harrell_davis"``: weights of the order statistics in the mean of a beta((n+1)c, (n+1)(1-c)) rank. ``"kernel"``: a
    Gaussian kernel around rank c n of width `bandwidth`, a fraction of n. ``"tail_mass"``: the worst n p losses equally,
    the last with its fraction. Otherwise a quantile definition, with weight on one or two losses.

    References
    ----------
    Harrell and Davis (1982), A new distribution-free quantile estimator, Biometrika 69, 635-640, section 2.
    Sheather and Marron (1990), Kernel quantile estimators, JASA 85, 410-416, section 1 (the kernel and the
    bandwidth at which it is nearly Harrell-Davis). Acerbi and Tasche (2002), On the coherence of expected shortfall,
    Journal of Banking and Finance 26, 1487-1503, definition 2.6 (tail mass).
    """
    if estimator == "tail_mass":
        tail = n_tail(n, confidence)
        return OrderWeights(n - math.ceil(tail), n, lambda ranks: 1.0 - (n - ranks) / tail)
    if estimator == "harrell_davis":
        return _smooth(n, confidence, math.sqrt(confidence * (1.0 - confidence) / (n + 2)), _beta(n, confidence))
    if estimator == "kernel":
        width = math.sqrt(confidence * (1.0 - confidence) / (n + 1)) if bandwidth is None else bandwidth
        return _smooth(n, confidence, width, _gaussian(n, confidence, width))
    worst_first = quantile_position(estimator, n, confidence)
    rank, weight = n - 1 - worst_first.rank, worst_first.weight
    return OrderWeights(rank - (weight > 0.0), rank + 1, lambda ranks: np.full(ranks.shape, weight))


def _smooth(n: int, centre: float, width: float, below: Callable[[np.ndarray], np.ndarray]) -> OrderWeights:
    first = max(0, math.floor(n * (centre - SUPPORT_SDS * width)))
    last = min(n, math.ceil(n * (centre + SUPPORT_SDS * width)))
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
