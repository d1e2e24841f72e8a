"""Reverse stress of a quadratic P&L: the nearest point of a given loss, by the root of a decreasing function."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from riskkit._check import InputError

FLAT = 1e-13
"""Share of the largest curvature or slope below which others are zero."""


class Quadratic(NamedTuple):
    """P&L = level + slope'y + y' curvature y / 2 of independent moves y of unit variance."""

    level: float
    slope: np.ndarray
    curvature: np.ndarray


def nearest_quadratic(pnl: Quadratic, loss: float) -> list[np.ndarray]:
    """The points nearest to zero at which P&L is -loss: one, or two mirror images.

    At the optimum y = -t (slope + curvature y) for one t >= 0 with I + t curvature positive semidefinite, which is also
    sufficient (one quadratic constraint, S-lemma). In the axes of the curvature each y is -t b / (1 + t c), and P&L
    decreases in t, so that t is a single root. If the P&L at the largest t (where an axis with c < 0 becomes free) is
    still too high and this axis has no slope, the solution moves along it in either direction (the "hard case" of trust
    regions, for example a short straddle).

    Raises
    ------
    InputError
        The book cannot lose this amount.
    """
    curves, axes = np.linalg.eigh(pnl.curvature)
    slopes = axes.T @ pnl.slope
    curves[np.abs(curves) <= FLAT * np.abs(curves).max()] = 0.0
    slopes[np.abs(slopes) <= FLAT * max(np.abs(slopes).max(), 1e-300)] = 0.0
    lowest = curves[0]
    if lowest >= 0.0:
        return [axes @ _bounded(pnl.level, slopes, curves, loss)]
    free = curves <= lowest * (1.0 - 1e-12)
    if not slopes[free].any():
        point = _stationary_ratio(slopes, curves, lowest, 0.0)
        short = _value(pnl.level, slopes, curves, point) + loss
        if short >= 0.0:  # the hard case
            point = point.copy()
            point[0] = math.sqrt(2.0 * short / -lowest)
            mirrored = point.copy()
            mirrored[0] = -point[0]
            return [axes @ point] if point[0] == 0.0 else [axes @ point, axes @ mirrored]

    def excess(ratio: float) -> float:
        return _value(pnl.level, slopes, curves, _stationary_ratio(slopes, curves, lowest, ratio)) + loss

    low = 0.5
    while excess(low) > 0.0 and low > 1e-300:
        low /= 16.0
    return [axes @ _stationary_ratio(slopes, curves, lowest, _root(excess, low, 1.0))]


def _bounded(level: float, slopes: np.ndarray, curves: np.ndarray, loss: float) -> np.ndarray:
    """Nearest point of a convex P&L, which is unbounded along a flat axis with a slope, else has a minimum."""
    if not slopes[curves == 0.0].any():
        bent = curves > 0.0
        largest_loss = -(level - 0.5 * float((slopes[bent] ** 2 / curves[bent]).sum()))
        if largest_loss < loss:
            raise InputError(f"loss={loss:g} is out of reach: the book loses at most {largest_loss:g} in any scenario")

    def point(t: float) -> np.ndarray:
        return -t * slopes / (1.0 + t * curves)

    high = 1.0
    while _value(level, slopes, curves, point(high)) + loss > 0.0:
        high *= 16.0
        if high > 1e200:  # the loss is that of the minimum of the P&L
            return point(high)
    return point(_root(lambda t: _value(level, slopes, curves, point(t)) + loss, 0.0, high))


def _stationary_ratio(slopes: np.ndarray, curves: np.ndarray, lowest: float, ratio: float) -> np.ndarray:
    """-t b / (1 + t c) with t given by ratio = 1 + t × lowest curvature, exact for small ratios."""
    t = (1.0 - ratio) / -lowest
    below = np.where(curves == lowest, ratio, 1.0 + t * curves)
    return np.asarray(np.divide(-t * slopes, below, out=np.zeros_like(slopes), where=slopes != 0.0))


def _value(level: float, slopes: np.ndarray, curves: np.ndarray, point: np.ndarray) -> float:
    return level + float(slopes @ point) + 0.5 * float(curves @ point**2)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Root of a monotone function between two points of opposite sign."""
    from scipy.optimize import brentq

    return float(brentq(function, low, high, xtol=1e-300, rtol=4.0 * np.finfo(float).eps, maxiter=1000))
