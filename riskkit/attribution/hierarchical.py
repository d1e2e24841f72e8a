"""Hierarchical risk parity: weights by a tree of correlations, without an inverse of the covariance."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, labels_of, with_labels
from riskkit.covariance.matrices import square_matrix


def hierarchical_risk_parity(covariance: Any) -> Any:
    """Weights by halving an ordered list of assets, each half in inverse proportion to its variance.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        With variances above zero; it may be singular.

    Returns
    -------
    (n_assets,)
        Weights above zero with a sum of 1, with the names of the assets. The order is that of single linkage of the distance
        sqrt((1 - correlation)/2) itself.

    Raises
    ------
    InputError
        NaN, a matrix that is not symmetric, or a variance not above zero.

    References
    ----------
    López de Prado (2016), Building diversified portfolios that outperform out of sample, J. Portfolio Management 42(4), 59-69.

    Examples
    --------
    >>> covariance = [[0.04, 0.018, 0.006, 0.002], [0.018, 0.0225, 0.009, 0.001],
    ...               [0.006, 0.009, 0.01, 0.0005], [0.002, 0.001, 0.0005, 0.0064]]
    >>> hierarchical_risk_parity(covariance).round(4).tolist()
    [0.0555, 0.0987, 0.33, 0.5157]
    """
    matrix, _ = square_matrix(covariance, "covariance")
    variances = np.diag(matrix)
    if variances.min() <= 0.0:
        raise InputError(f"covariance has a variance of {variances.min():g}; each asset needs one above zero")
    weights = np.ones(len(matrix))
    parts = [leaf_order(matrix)]
    while parts:
        part = parts.pop()
        if len(part) < 2:
            continue
        halves = part[: len(part) // 2], part[len(part) // 2 :]
        risks = [_cluster_variance(matrix, half) for half in halves]
        for half, share in zip(halves, (risks[1], risks[0]), strict=True):
            weights[half] *= share / sum(risks)
        parts.extend(halves)
    return with_labels(weights, labels_of(covariance, 1))


def leaf_order(matrix: np.ndarray) -> list[int]:
    """Assets in the order of the leaves of the tree."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    if len(matrix) == 1:
        return [0]
    scale = np.sqrt(np.diag(matrix))
    distance = np.sqrt(np.clip(0.5 - 0.5 * matrix / np.outer(scale, scale), 0.0, 1.0))
    np.fill_diagonal(distance, 0.0)
    return list(map(int, leaves_list(linkage(squareform(distance, checks=False), "single"))))


def _cluster_variance(matrix: np.ndarray, part: list[int]) -> float:
    """Variance of a cluster held in inverse proportion to the variances of its assets."""
    block = matrix[np.ix_(part, part)]
    weights = 1.0 / np.diag(block)
    weights = weights / weights.sum()
    return float(weights @ block @ weights)
