"""Slow plain twins of riskkit.stress, written from the definitions."""

import math

import numpy as np


def fall(path):
    """Largest drop from an earlier point of the path, over all pairs."""
    return max(path[i] - path[j] for i in range(len(path)) for j in range(i, len(path)))


def relative_fall(prices):
    return max(1 - prices[j] / prices[i] for i in range(len(prices)) for j in range(i, len(prices)))


def held_path(positions, moves):
    """P&L since the start of positions that grow with their returns."""
    values, path = list(positions), [0.0]
    for row in moves:
        values = [value * (1 + move) for value, move in zip(values, row, strict=True)]
        path.append(sum(values) - sum(positions))
    return path


def restored_path(positions, moves):
    path = [0.0]
    for row in moves:
        path.append(path[-1] + sum(p * move for p, move in zip(positions, row, strict=True)))
    return path


def conditional_mean(covariance, moved, values):
    """Expectation of every factor given some: regress on the moved ones, one factor at a time."""
    c = np.asarray(covariance)
    inverse = np.linalg.inv(c[np.ix_(moved, moved)])
    return [float(c[i, moved] @ inverse @ np.asarray(values)) for i in range(len(c))]


def mahalanobis(move, covariance):
    return math.sqrt(np.asarray(move) @ np.linalg.inv(covariance) @ np.asarray(move))


def nearest_on_a_grid(loss, covariance, wanted, angles=40_000):
    """Two factors: the nearest point at which `loss` is reached, by walking out along every angle."""
    root = np.linalg.cholesky(covariance)
    theta = np.linspace(0.0, 2.0 * math.pi, angles, endpoint=False)
    rays = np.column_stack([np.cos(theta), np.sin(theta)])
    low, high = np.zeros(angles), np.full(angles, np.nan)
    for radius in np.arange(0.02, 12.0, 0.02):
        reached = np.isnan(high) & (loss((rays * radius) @ root.T) >= wanted)
        high[reached] = radius
        low[np.isnan(high)] = radius
    if np.isnan(high).all():
        return math.nan, None
    reached = ~np.isnan(high)
    rays, low, high = rays[reached], low[reached], high[reached]
    for _ in range(60):
        middle = (low + high) / 2
        enough = loss((rays * middle[:, None]) @ root.T) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    best = int(np.argmin(high))
    return float(high[best]), (rays[best] * high[best]) @ root.T
