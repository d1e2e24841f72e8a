"""The distribution of all factors once some have moved: expectation, what is left of the covariance, and how far it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, with_labels
from riskkit._docs import with_described_fields
from riskkit._plain import mapping_of
from riskkit.covariance.matrices import asset_names, square_matrix, symmetric


@with_described_fields
class ConditionalMoves(NamedTuple):
    """Moves of the factors given shocks to some of them.

    Attributes
    ----------
    mean : (n_factors,)
        Expected moves; of the shocked factors the shocks.
    covariance : (n_factors, n_factors)
        Covariance that is left; zero for the shocked factors.
    distance : float
        Mahalanobis distance of the shocks, in standard deviations.

    Examples
    --------
    >>> from riskkit.stress import conditional_moves
    >>> conditional_moves([[0.04, 0.012], [0.012, 0.0225]], {0: -0.3}).mean.round(6).tolist()
    [-0.3, -0.09]
    """

    mean: Any
    covariance: Any
    distance: float


def conditional_moves(covariance: Any, shocks: Mapping[Any, float], *, mean: Any = None) -> ConditionalMoves:
    """Expectation and covariance of all factors, given the moves of some, under a normal distribution.

    `shock_scenarios` with ``others="expected"`` gives the expectations alone, for many scenarios. With these two the loss of a
    book under stress has a distribution: simulate it by `riskkit.montecarlo.NormalReturns`.

    Parameters
    ----------
    covariance : (n_factors, n_factors)
        Covariance of the moves over the horizon of the shocks.
    shocks : mapping
        {factor: move}, by name, or by position where `covariance` has no names.
    mean : (n_factors,), optional
        Mean moves without shocks; zero by default.

    Returns
    -------
    ConditionalMoves
        With the names of the factors.

    Raises
    ------
    InputError
        NaN, a matrix that is not symmetric, an unknown factor, no shock, or shocks that are impossible together.

    References
    ----------
    Kupiec (1998), Stress testing in a value at risk framework, J. Derivatives 6(1), 7-24.

    Examples
    --------
    >>> found = conditional_moves([[0.04, 0.012], [0.012, 0.0225]], {0: -0.3})
    >>> round(float(found.covariance[1, 1]), 4), round(found.distance, 4)
    (0.0189, 1.5)
    """
    shocks = mapping_of(shocks, "shocks")
    matrix, labels = square_matrix(covariance, "covariance")
    names = asset_names(covariance) if labels is not None else list(range(len(matrix)))
    unknown = [name for name in shocks if name not in names]
    if unknown or not shocks:
        what = f"moves {unknown[0]!r}, which is not one of the factors" if unknown else "is empty; give {factor: move}"
        raise InputError(f"shocks {what}")
    centre = np.zeros(len(matrix)) if mean is None else finite_array(mean, "mean", ndim=1)
    if centre.shape != (len(matrix),):
        raise InputError(f"mean has shape {centre.shape} for {len(matrix)} factors; give one each")
    at = [names.index(name) for name in shocks]
    surprise = np.array([finite_number(move, f"shocks[{name!r}]") for name, move in shocks.items()]) - centre[at]
    scale = np.sqrt(np.maximum(np.diag(matrix)[at], 0.0))
    scale[scale == 0.0] = 1.0  # so that the units of the factors do not matter
    inverse = np.linalg.pinv(matrix[np.ix_(at, at)] / np.outer(scale, scale), hermitian=True) / np.outer(scale, scale)
    weights = inverse @ surprise
    if (np.abs(matrix[np.ix_(at, at)] @ weights - surprise) > 1e-7 * (np.abs(surprise) + scale * 1e-3)).any():
        raise InputError(f"shocks of {list(shocks)} are impossible together under the covariance")
    left = symmetric(matrix - matrix[:, at] @ inverse @ matrix[at])
    left[at] = left[:, at] = 0.0
    expected = centre + matrix[:, at] @ weights
    expected[at] = centre[at] + surprise
    return ConditionalMoves(
        mean=with_labels(expected, labels),
        covariance=with_labels(left, labels, labels),
        distance=math.sqrt(max(float(surprise @ weights), 0.0)),
    )
