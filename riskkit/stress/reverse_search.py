"""Reverse stress of any P&L function: the nearest point of a given loss, by rays and local descent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from riskkit._check import InputError, positive, whole_number

Loss = Callable[[np.ndarray], np.ndarray]
"""(n, rank) independent moves of unit variance -> (n,) losses."""

RINGS = 40
"""Number of distances at which a ray is evaluated before bisection."""
BISECTIONS = 45
POLISHED = 6
"""Number of nearest rays from which descent starts."""
STEP = 1e-4
"""Step of finite differences, in standard deviations."""
SAME = 1e-4
"""Relative difference below which two optima are equally near, or the same point."""


def nearest_by_search(loss: Loss, rank: int, wanted: float, max_distance: float, n_directions: int) -> list[np.ndarray]:
    """Nearest points at which `loss` reaches `wanted`: the first, and others at the same distance.

    Raises
    ------
    InputError
        No ray reaches the loss within `max_distance`.
    """
    limit = positive(max_distance, "max_distance")
    rays = _directions(loss, rank, whole_number(n_directions, "n_directions", at_least=0))
    starts = _crossings(loss, rays, wanted, limit)
    starts = sorted(starts, key=np.linalg.norm)[:POLISHED]
    ends = sorted((_descend(loss, start, wanted) for start in starts), key=np.linalg.norm)
    nearest = float(np.linalg.norm(ends[0]))
    distinct: list[np.ndarray] = []
    for end in ends:
        is_new = all(np.linalg.norm(end - other) > 100.0 * SAME * nearest for other in distinct)
        if np.linalg.norm(end) <= nearest * (1.0 + SAME) and is_new:
            distinct.append(end)
    return distinct


def _directions(loss: Loss, rank: int, count: int) -> np.ndarray:
    """Unit vectors along every axis, the gradient at the mean, and quasi-random directions (Sobol)."""
    from scipy.special import ndtri
    from scipy.stats import qmc

    axes = np.eye(rank)
    rays = [axes, -axes]
    slope = _gradients(loss, np.zeros(rank))
    if np.linalg.norm(slope) > 0.0:
        rays.append(slope[None, :])
    if count:
        points = qmc.Sobol(rank, scramble=False).random_base2(int(np.ceil(np.log2(count + 1))))[1 : count + 1]
        spread = ndtri(points)
        rays += [spread, -spread]
    together = np.vstack(rays)
    length = np.linalg.norm(together, axis=1)
    return np.asarray(together[length > 0.0] / length[length > 0.0, None])


def _crossings(loss: Loss, rays: np.ndarray, wanted: float, limit: float) -> list[np.ndarray]:
    """Points at which rays first reach the loss, by bisection; rays that do not are left out."""
    rings = np.linspace(limit / RINGS, limit, RINGS)
    table = loss((rays[:, None, :] * rings[:, None]).reshape(-1, rays.shape[1])).reshape(len(rays), RINGS)
    reached = table >= wanted
    hit = reached.any(axis=1)
    if not hit.any():
        raise InputError(
            f"loss={wanted:g} is out of reach: within {limit:g} standard deviations no direction loses more than "
            f"{table.max():g}; raise max_distance or n_directions"
        )
    rays, first = rays[hit], reached[hit].argmax(axis=1)
    high = rings[first]
    low = np.where(first > 0, rings[first - 1], 0.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        enough = loss(rays * middle[:, None]) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return list(rays * high[:, None])


def _descend(loss: Loss, start: np.ndarray, wanted: float) -> np.ndarray:
    """Nearest point of the loss by sequential quadratic programming, or the start if it is nearer."""
    from scipy import optimize

    scale = max(abs(wanted), 1e-300)
    minimize: Any = optimize.minimize
    enough = {
        "type": "ineq",
        "fun": lambda y: float(loss(y[None, :])[0] - wanted) / scale,
        "jac": lambda y: _gradients(loss, y) / scale,
    }
    found = minimize(
        lambda y: 0.5 * float(y @ y),
        start,
        jac=lambda y: y,
        method="SLSQP",
        constraints=enough,
        options={"maxiter": 200, "ftol": 1e-14},
    )
    if not np.isfinite(found.x).all() or not found.x.any():
        return start
    end = _on_the_loss(loss, found.x, wanted)
    return end if end is not None and np.linalg.norm(end) < np.linalg.norm(start) else start


def _on_the_loss(loss: Loss, point: np.ndarray, wanted: float) -> np.ndarray | None:
    """The point moved along its ray to exactly the wanted loss, or None if that is not nearby."""
    low, high = 0.98, 1.02
    at = loss(np.outer([low, high], point))
    if not (at[0] < wanted <= at[1]):
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if loss(middle * point[None, :])[0] >= wanted else (middle, high)
    return high * point


def _gradients(loss: Loss, point: np.ndarray) -> np.ndarray:
    """Gradient by central differences in one valuation."""
    steps = STEP * np.eye(len(point))
    values = loss(np.vstack([point + steps, point - steps]))
    return (values[: len(point)] - values[len(point) :]) / (2.0 * STEP)
