"""Plausibility of scenarios: Mahalanobis distance, density and probability under normal and Student t distributions.

The Mahalanobis distance d of moves x with mean m and covariance C is given by d² = (x - m)' C⁻¹ (x - m). Of all
scenarios with the same loss the nearest is the most plausible, under every elliptical distribution.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    finite_array,
    finite_number,
    labels_of,
    observations,
    shown,
    with_labels,
)
from riskkit.covariance.matrices import square_matrix
from riskkit.stress.docs import documented

ZERO = 1e-12
"""Share of the largest eigenvalue of a covariance below which others are zero."""


class Moves(NamedTuple):
    """Mean and covariance of the moves, and the transformation to independent moves of unit variance."""

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
        """Number of independent directions of the moves."""
        return int(self.root.shape[1])


def distribution_of_moves(covariance: Any, mean: Any = None) -> Moves:
    """Check covariance and mean of the factors, singular matrices included.

    Raises
    ------
    InputError
        Not symmetric, not positive semidefinite, NaN, no variance at all, names that do not match.
    """
    matrix, names = square_matrix(covariance, "covariance")
    labels = labels_of(mean, 0)
    if labels is not None and names is not None:
        missing = [name for name in names if name not in labels]
        if missing:
            raise InputError(f"mean is missing {missing[0]!r}")
        mean = mean[names]
    centre = np.zeros(len(matrix)) if mean is None else finite_array(mean, "mean", ndim=1)
    if centre.shape != (len(matrix),):
        raise InputError(f"mean has shape {centre.shape} for {len(matrix)} factors; give one each")
    # scaled to correlations, so that the units of the factors do not matter
    scale = np.sqrt(np.maximum(np.diag(matrix), 0.0))
    scale[scale == 0.0] = 1.0
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    if values[-1] <= 0.0:
        raise InputError("covariance is zero everywhere; no factor moves")
    if values[0] < -1e-8 * values[-1]:
        raise InputError(
            f"covariance has the eigenvalue {values[0]:g} (of its correlations) below zero; nearest_covariance repairs it"
        )
    nonzero = values > ZERO * values[-1]
    deviations, directions = np.sqrt(values[nonzero]), vectors[:, nonzero]
    return Moves(
        mean=centre,
        covariance=matrix,
        root=scale[:, None] * directions * deviations,
        inverse_root=(directions / deviations).T / scale,
        labels=names if names is not None else labels,
    )


@documented
def mahalanobis_distance(scenarios: Any, covariance: Any, *, mean: Any = None) -> Any:
    """Mahalanobis distance of scenarios from the mean, in standard deviations.

    Returns
    -------
    float or (n_scenarios,)
        Infinite for moves that are impossible under a singular covariance.

    References
    ----------
    Mahalanobis (1936), On the generalised distance in statistics. Studer (1997), Maximum Loss for Measurement of
    Market Risk, ETH Zurich, chapter 2.

    Examples
    --------
    >>> mahalanobis_distance([0.02, 0.0], [[0.0001, 0.0], [0.0, 0.0004]])
    2.0
    """
    return _distances(scenarios, distribution_of_moves(covariance, mean))


@documented
def plausibility(scenarios: Any, covariance: Any, *, mean: Any = None, df: float | None = None) -> Any:
    """Plausibility of scenarios: distance, relative density and exceedance probability.

    Returns
    -------
    DataFrame (n_scenarios, 3)
        `distance` in standard deviations; `density_ratio`, the density over that at the mean; and
        `exceedance_probability` of a distance at least as large.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 6.3 (elliptical distributions). Breuer,
    Jandacka, Rheinberger and Summer (2009), How to Find Plausible, Severe and Useful Stress Scenarios, International
    Journal of Central Banking 5(3), 205-224.

    Examples
    --------
    >>> plausibility([[0.02, 0.0]], [[0.0001, 0.0], [0.0, 0.0004]]).round(6).to_numpy().tolist()
    [[2.0, 0.135335, 0.135335]]
    """
    import pandas as pd

    distribution, df = distribution_of_moves(covariance, mean), checked_df(df)
    table = scenarios if np.ndim(scenarios) == 2 else np.atleast_2d(np.asarray(scenarios))
    distances = np.asarray(_distances(table, distribution))
    columns = {
        "distance": distances,
        "density_ratio": [density_ratio(float(d), distribution.rank, df) for d in distances],
        "exceedance_probability": [exceedance_probability(float(d), distribution.rank, df) for d in distances],
    }
    return pd.DataFrame(columns, index=labels_of(scenarios, 0) if np.ndim(scenarios) == 2 else None)


def checked_df(df: Any) -> float | None:
    """Check degrees of freedom: above 2, where a Student t has a covariance, or None for a normal distribution."""
    if df is None:
        return None
    number = finite_number(df, "df")
    if number <= 2.0:
        raise InputError(f"df={shown(df)} is not above 2; such a Student t has no covariance")
    return number


def density_ratio(distance: float, rank: int, df: float | None) -> float:
    """Density at a distance over the density at the mean."""
    if math.isinf(distance):
        return 0.0
    if df is None:
        return math.exp(-0.5 * distance**2)
    return math.exp(-0.5 * (df + rank) * math.log1p(distance**2 / (df - 2.0)))


def exceedance_probability(distance: float, rank: int, df: float | None) -> float:
    """Probability of a distance at least as large in `rank` directions: chi-square, or F for a Student t."""
    from scipy.special import chdtrc, fdtrc

    if math.isinf(distance):
        return 0.0
    if df is None:
        return float(chdtrc(rank, distance**2))
    return float(fdtrc(rank, df, distance**2 * df / (df - 2.0) / rank))


def one_sided(distance: float, df: float | None) -> float:
    """Probability of at least this many standard deviations in one direction."""
    from scipy.special import ndtr, stdtr

    if df is None:
        return float(ndtr(-distance))
    return float(stdtr(df, -distance * math.sqrt(df / (df - 2.0))))


def _distances(scenarios: Any, distribution: Moves) -> Any:
    scenarios = as_pandas(scenarios)
    names, labels = labels_of(scenarios, 1 if np.ndim(scenarios) == 2 else 0), distribution.labels
    if names is not None and labels is not None and not names.equals(labels):
        if len(names) != len(labels) or not all(name in names for name in labels):
            raise InputError(f"scenarios move {list(names)[:5]} and covariance has {list(labels)[:5]}; give the same")
        scenarios = scenarios[labels]
    moves = observations(scenarios, "scenarios")
    if moves.shape[-1] != len(distribution.mean):
        raise InputError(f"scenarios has shape {moves.shape} for {len(distribution.mean)} factors; give one move each")
    deviation = moves - distribution.mean
    independent = deviation @ distribution.inverse_root.T
    distance = np.sqrt((independent**2).sum(axis=-1))
    if independent.shape[-1] < deviation.shape[-1]:  # of a singular matrix: what its factors cannot do is impossible
        residual = deviation - independent @ distribution.root.T
        size = np.sqrt(np.diag(distribution.covariance)) * (1.0 + distance[..., None])
        distance = np.where((np.abs(residual) > 1e-7 * size + 1e-300).any(axis=-1), np.inf, distance)
    if distance.ndim == 0:
        return float(distance)
    return with_labels(distance, labels_of(scenarios, 0))
