"""How plausible a scenario is: its distance in standard deviations, and what normal and t laws make of it.

Moves with mean m and covariance C are at the distance d, d² = (x - m)' C⁻¹ (x - m) (Mahalanobis). Of all scenarios with
one loss the nearest is the most plausible, under every elliptical law alike.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of, returns_array, with_labels
from riskkit.covariance.matrices import square_matrix

__all__ = [
    "Law",
    "beyond",
    "degrees_of_freedom",
    "density_ratio",
    "law_of_moves",
    "mahalanobis_distance",
    "one_sided",
    "plausibility",
]

NOTHING = 1e-12
"""Eigenvalues of a covariance below this share of the largest are zero."""


class Law(NamedTuple):
    """Mean and covariance of the moves, and the way to independent ones of unit variance."""

    mean: np.ndarray
    """(n_factors,)"""
    covariance: np.ndarray
    """(n_factors, n_factors)"""
    root: np.ndarray
    """(n_factors, rank): moves are mean + root @ y with y independent of unit variance."""
    inverse_root: np.ndarray
    """(rank, n_factors): y = inverse_root @ (move - mean)."""
    labels: Any

    @property
    def rank(self) -> int:
        """Independent directions in which the factors move."""
        return self.root.shape[1]


def law_of_moves(covariance: Any, mean: Any = None) -> Law:
    """Read covariance and mean of the factors; singular matrices keep the directions that move.

    Raises
    ------
    InputError
        Not symmetric, not positive semidefinite, NaN, no variance at all, names that do not match.
    """
    matrix, names = square_matrix(covariance, "covariance")
    own = labels_of(mean, 0)
    if own is not None and names is not None:
        missing = [name for name in names if name not in own]
        if missing:
            raise InputError(f"mean is missing {missing[0]!r}")
        mean = mean[names]
    centre = np.zeros(len(matrix)) if mean is None else finite_array(mean, "mean", ndim=1)
    if centre.shape != (len(matrix),):
        raise InputError(f"mean has shape {centre.shape} for {len(matrix)} factors; give one each")
    # scaled to correlations, so that a factor in basis points counts as much as one in whole numbers
    scale = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    scale[scale == 0.0] = 1.0
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    if values[-1] <= 0.0:
        raise InputError("covariance is zero everywhere; no factor moves")
    if values[0] < -1e-8 * values[-1]:
        raise InputError(
            f"covariance has the eigenvalue {values[0]:g} (of its correlations) below zero; repair_covariance mends it"
        )
    kept = values > NOTHING * values[-1]
    deviations, directions = np.sqrt(values[kept]), vectors[:, kept]
    return Law(
        mean=centre,
        covariance=matrix,
        root=scale[:, None] * directions * deviations,
        inverse_root=(directions / deviations).T / scale,
        labels=names if names is not None else own,
    )


def mahalanobis_distance(scenarios: Any, covariance: Any, *, mean: Any = None) -> Any:
    """Distance of scenarios from the mean in standard deviations, correlations counted.

    Parameters
    ----------
    scenarios : (n_scenarios, n_factors) or (n_factors,)
        Moves; matched by name where both sides are labelled.
    covariance : (n_factors, n_factors)
        Of the moves over the horizon of the scenarios.
    mean : (n_factors,), optional
        Zero by default.

    Returns
    -------
    float or (n_scenarios,)
        Infinite where a singular covariance says that factors cannot move so.

    Raises
    ------
    InputError
        NaN, a matrix that is no covariance matrix, shapes or names that do not fit.

    References
    ----------
    Mahalanobis (1936), On the generalised distance in statistics. Studer (1997), Maximum Loss for Measurement of
    Market Risk, ETH Zurich, chapter 2.

    Examples
    --------
    >>> mahalanobis_distance([0.02, 0.0], [[0.0001, 0.0], [0.0, 0.0004]])
    2.0
    """
    law = law_of_moves(covariance, mean)
    return _distances(scenarios, law)


def plausibility(scenarios: Any, covariance: Any, *, mean: Any = None, nu: float | None = None) -> Any:
    """Judge scenarios: distance, density relative to the most likely one, and how many lie at least as far out.

    Parameters
    ----------
    scenarios : (n_scenarios, n_factors)
        Moves; matched by name where both sides are labelled.
    covariance : (n_factors, n_factors)
        Of the moves over the horizon of the scenarios.
    mean : (n_factors,), optional
        Zero by default.
    nu : float, optional
        Multivariate Student t with these degrees of freedom, above 2, and this covariance; without it normal.

    Returns
    -------
    DataFrame (n_scenarios, 3)
        `distance` in standard deviations, `density_ratio` from 0 to 1, and `beyond`, the probability of a distance at
        least as large.

    Raises
    ------
    InputError
        As `mahalanobis_distance`; nu not above 2.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 6.3 (elliptical laws). Breuer,
    Jandacka, Rheinberger and Summer (2009), How to Find Plausible, Severe and Useful Stress Scenarios, International
    Journal of Central Banking 5(3), 205-224.

    Examples
    --------
    >>> plausibility([[0.02, 0.0]], [[0.0001, 0.0], [0.0, 0.0004]]).round(6).to_numpy().tolist()
    [[2.0, 0.135335, 0.135335]]
    """
    import pandas as pd

    law, degrees = law_of_moves(covariance, mean), degrees_of_freedom(nu)
    table = scenarios if np.ndim(scenarios) == 2 else np.atleast_2d(np.asarray(scenarios))
    distances = np.asarray(_distances(table, law))
    columns = {
        "distance": distances,
        "density_ratio": [density_ratio(float(d), law.rank, degrees) for d in distances],
        "beyond": [beyond(float(d), law.rank, degrees) for d in distances],
    }
    return pd.DataFrame(columns, index=labels_of(scenarios, 0) if np.ndim(scenarios) == 2 else None)


def degrees_of_freedom(nu: Any) -> float | None:
    """None for a normal law, else a number above 2, below which a t has no covariance."""
    if nu is None:
        return None
    number = finite_number(nu, "nu")
    if number <= 2.0:
        raise InputError(f"nu={nu!r} is not above 2; such a t has no covariance")
    return number


def density_ratio(distance: float, rank: int, nu: float | None) -> float:
    """Density at a distance over the density at the mean."""
    if math.isinf(distance):
        return 0.0
    if nu is None:
        return math.exp(-0.5 * distance**2)
    return math.exp(-0.5 * (nu + rank) * math.log1p(distance**2 / (nu - 2.0)))


def beyond(distance: float, rank: int, nu: float | None) -> float:
    """Probability that moves in `rank` directions lie at this distance or further: chi-square, or F for a t."""
    from scipy.special import chdtrc, fdtrc

    if math.isinf(distance):
        return 0.0
    if nu is None:
        return float(chdtrc(rank, distance**2))
    return float(fdtrc(rank, nu, distance**2 * nu / (nu - 2.0) / rank))


def one_sided(distance: float, nu: float | None) -> float:
    """Probability of this many standard deviations or more in one direction; t of unit variance for `nu`."""
    from scipy.special import ndtr, stdtr

    if nu is None:
        return float(ndtr(-distance))
    return float(stdtr(nu, -distance * math.sqrt(nu / (nu - 2.0))))


def _distances(scenarios: Any, law: Law) -> Any:
    own = labels_of(scenarios, 1) if np.ndim(scenarios) == 2 else labels_of(scenarios, 0)
    if own is not None and law.labels is not None and not own.equals(law.labels):
        missing = [name for name in law.labels if name not in own]
        if missing or len(own) != len(law.labels):
            raise InputError(f"scenarios move {list(own)[:5]} and covariance has {list(law.labels)[:5]}; give the same")
        scenarios = scenarios[law.labels]
    moves = returns_array(scenarios, "scenarios")
    if moves.shape[-1] != len(law.mean):
        raise InputError(f"scenarios has shape {moves.shape} for {len(law.mean)} factors; give one move each")
    deviation = moves - law.mean
    independent = deviation @ law.inverse_root.T
    left_over = deviation - independent @ law.root.T
    distance = np.sqrt((independent**2).sum(axis=-1))
    size = np.sqrt(np.diag(law.covariance)) * (1.0 + distance[..., None])
    impossible = (np.abs(left_over) > 1e-7 * size + 1e-300).any(axis=-1)
    distance = np.where(impossible, np.inf, distance)
    if distance.ndim == 0:
        return float(distance)
    return with_labels(distance, labels_of(scenarios, 0))
