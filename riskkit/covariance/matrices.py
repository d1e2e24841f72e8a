"""Covariance and correlation matrices: checks, and the conversion between the two."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, with_labels
from riskkit.covariance.docs import documented


@documented
def correlation_from_covariance(covariance: Any) -> Any:
    """Correlation matrix of a covariance matrix, with a diagonal of exactly 1.

    Returns
    -------
    (n_assets, n_assets)
        Correlations, not clipped: an entry beyond 1 means that the input is not a covariance matrix.

    Examples
    --------
    >>> correlation_from_covariance([[0.04, 0.01], [0.01, 0.01]]).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    matrix, assets = square_matrix(covariance, "covariance")
    volatility = volatilities_of(matrix, assets)
    correlation = matrix / volatility[:, None] / volatility
    correlation = (correlation + correlation.T) / 2.0
    np.fill_diagonal(correlation, 1.0)
    return with_labels(correlation, assets, assets)


@documented
def covariance_from_correlation(correlation: Any, volatilities: Any) -> Any:
    """Covariance matrix of a correlation matrix and one volatility per asset.

    Parameters
    ----------
    correlation : (n_assets, n_assets)
        Symmetric with a diagonal of 1.
    volatilities : (n_assets,)
        Standard deviations per period, at least zero; matched by name where both are labelled.

    Returns
    -------
    (n_assets, n_assets)
        Covariance per period.

    Examples
    --------
    >>> covariance_from_correlation([[1.0, 0.5], [0.5, 1.0]], [0.2, 0.1]).round(6).tolist()
    [[0.04, 0.01], [0.01, 0.01]]
    """
    matrix, assets = square_matrix(correlation, "correlation")
    names = labels_of(volatilities, 0)
    if assets is not None and names is not None:
        if len(names) != len(assets) or not all(asset in names for asset in assets):
            raise InputError(
                f"volatilities are labelled {list(names)} and correlation {list(assets)}; give the same assets"
            )
        volatilities = volatilities[assets]
    volatility = finite_array(volatilities, "volatilities", ndim=1)
    if len(volatility) != len(matrix):
        raise InputError(f"volatilities has {len(volatility)} entries for {len(matrix)} assets")
    if (volatility < 0.0).any():
        raise InputError(f"volatilities holds {volatility.min():g}; a standard deviation is at least zero")
    if np.abs(np.diag(matrix) - 1.0).max() > 1e-8:
        raise InputError(
            "correlation has a diagonal that is not 1; correlation_from_covariance returns a correlation matrix"
        )
    assets = names if assets is None else assets
    return with_labels(matrix * volatility[:, None] * volatility, assets, assets)


def square_matrix(value: Any, name: str) -> tuple[np.ndarray, Any]:
    """Check a finite, square and symmetric matrix; return it exactly symmetric, and its labels."""
    matrix = finite_array(value, name, ndim=2)
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"{name} has shape {matrix.shape}; it needs as many rows as columns")
    gap = np.abs(matrix - matrix.T)
    if gap.max() > 1e-8 * np.abs(matrix).max():
        i, j = map(int, np.unravel_index(gap.argmax(), gap.shape))
        raise InputError(f"{name} is not symmetric: {matrix[i, j]:g} at {(i, j)} and {matrix[j, i]:g} at {(j, i)}")
    return symmetric(matrix), labels_of(value, 1)


def asset_names(matrix: Any) -> list[Any]:
    """Labels of the assets of a matrix, or their numbers."""
    names = labels_of(matrix, 1)
    return list(range(len(matrix)) if names is None else names)


def changes_by_pair(before: Any, after: Any, *, diagonal: bool) -> Any:
    """Return a frame with one row per pair of assets: before, after and change, the largest change first."""
    import pandas as pd

    names = pd.Index(asset_names(before))
    upper, lower = np.triu_indices(len(names), 0 if diagonal else 1)
    frame = pd.DataFrame(
        {"before": np.asarray(before)[upper, lower], "after": np.asarray(after)[upper, lower]},
        index=pd.MultiIndex.from_arrays([names[upper], names[lower]], names=["asset", "with"]),
    )
    frame["change"] = frame["after"] - frame["before"]
    return frame.iloc[np.argsort(-np.abs(frame["change"].to_numpy()), kind="stable")]


def symmetric(matrix: np.ndarray) -> np.ndarray:
    """Symmetric part of a matrix."""
    return np.asarray((matrix + matrix.T) / 2.0)


def correlations_and_volatilities(matrix: np.ndarray, assets: Any) -> tuple[np.ndarray, np.ndarray]:
    """Split a covariance matrix; an asset without variance has the correlation 0 with every other one."""
    volatility = volatilities_of(matrix, assets, zero=True)
    divisor = np.where(volatility > 0.0, volatility, np.inf)
    correlation: np.ndarray = matrix / np.outer(divisor, divisor)
    np.fill_diagonal(correlation, 1.0)
    return correlation, volatility


def volatilities_of(matrix: np.ndarray, assets: Any, *, zero: bool = False) -> np.ndarray:
    """Square roots of the diagonal of a covariance matrix, all above zero, or with ``zero=True`` one of them."""
    variance = np.diag(matrix)
    undefined = variance < 0.0 if zero and (variance > 0.0).any() else variance <= 0.0
    if undefined.any():
        i = int(np.argmax(undefined))
        name = i if assets is None else repr(assets[i])
        raise InputError(f"covariance gives asset {name} the variance {variance[i]:g}; its correlations are undefined")
    return np.sqrt(variance)
