"""A book against a covariance matrix: the product that every closed form starts from, checked once.

The checks cost a fraction of the product. A NaN or an infinity anywhere in the matrix reaches the product. Symmetry is
compared entry by entry up to 64 assets, the size of matrices that people type; larger ones, which programs make, are
compared along the middle row and column, where a matrix that is something else (a triangle, a root, betas) shows.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, returns_array
from riskkit.pnl import _by_asset

__all__ = ["Exposure", "asset_vector", "by_name", "exposure_of", "scenarios_of"]

EPSILON = float(np.finfo(float).eps)
SYMMETRIC = 1e-9
"""Largest difference across the diagonal that is rounding, relative to the largest variance."""
COMPARED_WHOLE = 64


class Exposure(NamedTuple):
    """Positions, their covariance matrix, and what the two give."""

    positions: np.ndarray
    """(n_assets,) money."""
    covariance: np.ndarray
    """(n_assets, n_assets) of returns over the horizon."""
    variances: np.ndarray
    """(n_assets,) the diagonal."""
    gradient: np.ndarray
    """(n_assets,) covariance of each asset with the book: covariance @ positions."""
    volatility: float
    """Standard deviation of the book in money; exactly zero when the variance is rounding."""
    labels: Any
    """Names of the assets, or None."""

    def without_rounding(self, variance: np.ndarray, *terms: np.ndarray) -> np.ndarray:
        """Set variances to zero that are what rounding leaves of a sum of such terms."""
        rounding = 4 * len(self.positions) * EPSILON
        largest = self.volatility**2 + sum(float(np.abs(term).max()) for term in terms)
        if variance.min() > rounding * largest:  # as nearly always: no trade is a perfect hedge
            return variance
        size = self.volatility**2 + sum(np.abs(term) for term in terms)
        return np.where(variance > rounding * size, variance, 0.0)


def exposure_of(positions: Any, covariance: Any) -> Exposure:
    """Match a book to its covariance matrix and multiply the two.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; matched by name where both sides are labelled, an asset that is not held may
        be missing.
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon, symmetric positive semidefinite.

    Returns
    -------
    Exposure
        Labelled by the covariance where it has labels, else by the positions.

    Raises
    ------
    InputError
        NaN, infinity, shapes or labels that do not fit, a matrix that is not symmetric, or one that gives this book
        a negative variance.

    Examples
    --------
    >>> exposure_of([100.0, -50.0], [[0.04, 0.01], [0.01, 0.09]]).gradient.tolist()
    [3.5, -3.5]
    """
    labels = labels_of(covariance, 1)
    if labels is not None and not labels.equals(labels_of(covariance, 0)):
        raise InputError("covariance has other names on its rows than on its columns; both must be the same assets")
    held, matrix = _numbers(by_name(positions, labels, "positions"), "positions"), _numbers(covariance, "covariance")
    if held.ndim != 1 or matrix.shape != (held.size, held.size):
        raise InputError(
            f"covariance has shape {matrix.shape} for positions of shape {held.shape}; they need (n, n) and (n,)"
        )
    with np.errstate(all="ignore"):
        gradient = matrix @ held
        variance = float(held @ gradient)
    if not math.isfinite(variance):  # 0 × nan is nan: nothing hides behind a position of zero
        finite_array(held, "positions")
        finite_array(matrix, "covariance")
        raise InputError("positions and covariance are so large that their product overflows; use larger units")
    variances = matrix.diagonal().copy()
    _check_symmetric(matrix)
    names = labels_of(positions, 0) if labels is None else labels
    return Exposure(held, matrix, variances, gradient, _volatility(held, variances, variance), names)


def scenarios_of(positions: Any, returns: Any, *, min_obs: int = 1) -> tuple[np.ndarray, np.ndarray, Any]:
    """Match a book to its scenarios: positions (n_assets,), returns (n_obs, n_assets), and the names of the assets.

    Raises
    ------
    InputError
        NaN, infinity, fewer than `min_obs` scenarios, or shapes and labels that do not fit.
    """
    array = returns_array(returns, min_obs=min_obs)
    array = array[:, None] if array.ndim == 1 else array
    labels = labels_of(returns, 1)
    held = finite_array(by_name(positions, labels, "positions"), "positions", ndim=1)
    if held.shape != array.shape[1:]:
        raise InputError(f"positions has shape {held.shape} and returns {array.shape}; give one position per column")
    return held, array, labels_of(positions, 0) if labels is None else labels


def by_name(values: Any, labels: Any, name: str) -> Any:
    """Put labelled values in the order of the assets; as they are where that is their order, or nothing is labelled."""
    own = labels_of(values, 0) if np.ndim(values) == 1 else labels_of(values, 1)
    return values if own is None or labels is None or own.equals(labels) else _by_asset(values, labels, name)


def asset_vector(values: Any, book: Exposure, name: str) -> np.ndarray:
    """Return one finite number per asset of the book, matched by name where it can be; one number is for all."""
    array = finite_array(by_name(values, book.labels, name), name)
    if array.shape not in ((), book.positions.shape):
        raise InputError(f"{name} has shape {array.shape} for {len(book.positions)} assets; give one number for each")
    return array if array.ndim else np.full(book.positions.shape, float(array))


def _check_symmetric(matrix: np.ndarray) -> None:
    n = len(matrix)
    rows = slice(0, n) if n <= COMPARED_WHOLE else slice(n // 2, n // 2 + 1)
    if (matrix[rows] == matrix[:, rows].T).all():
        return
    gap = np.abs(matrix[rows] - matrix[:, rows].T)
    if gap.max() > SYMMETRIC * np.abs(matrix.diagonal()).max():
        i, j = (int(k) for k in np.unravel_index(gap.argmax(), gap.shape))
        i += rows.start
        raise InputError(
            f"covariance is not symmetric: {matrix[i, j]:g} at ({i}, {j}) and {matrix[j, i]:g} at ({j}, {i})"
        )


def _volatility(held: np.ndarray, variances: np.ndarray, variance: float) -> float:
    if variances.min() < 0.0:
        raise InputError(f"covariance has the negative variance {variances.min():g} on its diagonal")
    # Rounding of a sum of n^2 terms, whose absolute values sum to at most n times sum w_i^2 C_ii (Cauchy-Schwarz).
    rounding = held.size**2 * EPSILON * float(held * held @ variances)
    if variance < -rounding:
        raise InputError(
            f"covariance gives this book the negative variance {variance:g}; it is not positive semidefinite"
        )
    return math.sqrt(variance) if variance > rounding else 0.0


def _numbers(values: Any, name: str) -> np.ndarray:
    """Float64; whether every number is finite shows in the product."""
    array = np.asarray(values)
    return array if array.dtype == np.float64 and array.size else finite_array(values, name)
