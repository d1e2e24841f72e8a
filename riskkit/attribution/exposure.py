"""A book against a covariance matrix: the product that every closed form starts from, checked once.

The checks are made while the product is, at next to no cost. A NaN or an infinity anywhere in the matrix reaches the
product. Symmetry is compared entry by entry up to 64 assets, the size of matrices that people type; larger ones, which
programs make, are compared along four rows and columns, where a matrix that is something else (a triangle, a root,
betas) shows. The product is a kernel of ours: no BLAS, so the same bits on every machine.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, labels_of, returns_array
from riskkit._jit import kernel
from riskkit.pnl import in_asset_order
from riskkit.var.closed_form import elliptical_factor

__all__ = ["Exposure", "asset_vector", "by_name", "exposure_of", "risk_factor", "scenarios_of"]

EPSILON = float(np.finfo(float).eps)
SYMMETRIC = 1e-9
"""Largest difference across the diagonal that is rounding, relative to the largest variance."""
COMPARED_WHOLE, COMPARED = 64, 4


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

    def without_rounding(self, variance: np.ndarray) -> np.ndarray:
        """Variances after a trade, set to zero where they are what rounding leaves of a perfect hedge.

        Little is left only where the trade is about as large as the book: rounding is that of the book's own variance.
        """
        rounding = 32 * len(self.positions) * EPSILON * self.volatility**2
        return variance if variance.min() > rounding else np.where(variance > rounding, variance, 0.0)


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
    n = held.size
    if held.ndim != 1 or matrix.shape != (n, n):
        raise InputError(
            f"covariance has shape {matrix.shape} for positions of shape {held.shape}; they need (n, n) and (n,)"
        )
    gradient, variances = np.empty(n), np.empty(n)
    step = 1 if n <= COMPARED_WHOLE else n // COMPARED
    rows = matrix if matrix.flags.c_contiguous else np.ascontiguousarray(matrix.T)
    variance, gross, least, largest, gap = multiply(rows, held.copy(), step, gradient, variances)
    if not math.isfinite(variance):  # 0 × nan is nan: nothing hides behind a position of zero
        finite_array(held, "positions")
        finite_array(matrix, "covariance")
        raise InputError("positions and covariance are so large that their product overflows; use larger units")
    if least < 0.0:
        raise InputError(f"covariance has the negative variance {least:g} on its diagonal")
    if gap > SYMMETRIC * largest:
        i, j = (int(k) for k in np.unravel_index(np.abs(matrix - matrix.T).argmax(), matrix.shape))
        raise InputError(
            f"covariance is not symmetric: {matrix[i, j]:g} at ({i}, {j}) and {matrix[j, i]:g} at ({j}, {i})"
        )
    rounding = n * EPSILON * n * gross  # n^2 terms, whose absolute values sum to at most n × gross (Cauchy-Schwarz)
    if variance < -rounding:
        raise InputError(
            f"covariance gives this book the negative variance {variance:g}; it is not positive semidefinite"
        )
    volatility = math.sqrt(variance) if variance > rounding else 0.0
    names = labels_of(positions, 0) if labels is None else labels
    return Exposure(held, matrix, variances, gradient, volatility, names)


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


def risk_factor(measure: str, confidence: float, z: float | None, nu: float | None) -> float:
    """`riskkit.var.closed_form.elliptical_factor`, remembered: it would cost a tenth of the VaR of 500 assets."""
    try:
        return _remembered(measure, confidence, z, nu)
    except TypeError:  # what cannot be remembered is not a number either, and is refused there
        return elliptical_factor(measure, confidence, z, nu)


_remembered = functools.lru_cache(elliptical_factor)


def by_name(values: Any, labels: Any, name: str) -> Any:
    """Put labelled values in the order of the assets; as they are where that is their order, or nothing is labelled."""
    own = labels_of(values, 0) if np.ndim(values) == 1 else labels_of(values, 1)
    return values if own is None or labels is None or own.equals(labels) else in_asset_order(values, labels, name)


def asset_vector(values: Any, book: Exposure, name: str) -> np.ndarray:
    """Return one finite number per asset of the book, matched by name where it can be; one number is for all."""
    array = finite_array(by_name(values, book.labels, name), name)
    if array.shape not in ((), book.positions.shape):
        raise InputError(f"{name} has shape {array.shape} for {len(book.positions)} assets; give one number for each")
    return array if array.ndim else np.full(book.positions.shape, float(array))


def _numbers(values: Any, name: str) -> np.ndarray:
    """Float64; whether every number is finite shows in the product."""
    array = np.asarray(values)
    return array if array.dtype == np.float64 and array.size else finite_array(values, name)


@kernel
def multiply(matrix, held, step, gradient, variances):
    """Fill `gradient` and `variances`; return w'Cw, sum w_i² C_ii, the least and largest C_ii, and the asymmetry seen."""
    n = held.size
    gradient[:] = 0.0
    whole = n - n % 4
    # By rows of the symmetric matrix, four at a time: one pass over it in the order of memory.
    for i in range(0, whole, 4):
        a, b, c, d = held[i], held[i + 1], held[i + 2], held[i + 3]
        p, q, r, s = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        for j in range(n):
            gradient[j] += (p[j] * a + q[j] * b) + (r[j] * c + s[j] * d)
    for i in range(whole, n):
        a, p = held[i], matrix[i]
        for j in range(n):
            gradient[j] += p[j] * a
    variance, gross, least, largest = 0.0, 0.0, matrix[0, 0], matrix[0, 0]
    for i in range(n):
        own = matrix[i, i]
        variances[i] = own
        variance += held[i] * gradient[i]
        gross += held[i] * held[i] * own
        least, largest = min(least, own), max(largest, own)
    gap = 0.0
    for i in range(0, n, step):
        for j in range(n):
            gap = max(gap, abs(matrix[i, j] - matrix[j, i]))
    return variance, gross, least, largest, gap
