"""Quadratic form w'Cw of positions and a covariance matrix, with its gradient Cw, validated in the same pass.

The input is checked during the multiplication, at almost no cost: NaN or infinity anywhere in the matrix makes the
product NaN or infinite. Symmetry is compared entry by entry up to 64 assets, and along four rows and columns for larger
matrices, where a triangle, a root or betas show. The product is a kernel and uses no BLAS, so that its bits are the
same on every machine.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, as_pandas, finite_array, float_array, labels_of, returns_array
from riskkit._jit import kernel
from riskkit.pnl import in_asset_order

EPSILON = float(np.finfo(float).eps)
SYMMETRIC = 1e-9
"""Largest difference across the diagonal that is rounding, relative to the largest variance."""
COMPARED_IN_FULL, COMPARED = 64, 4


class Exposure(NamedTuple):
    """Positions, their covariance matrix, and the product of the two."""

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

    def risk(self, factor: float, means: Any = None) -> float:
        """Closed-form VaR or ES, factor × volatility - w'm, with `means` (n_assets,) m."""
        return factor * self.volatility - (0.0 if means is None else float(self.positions @ means))

    def without_rounding(self, variance: np.ndarray) -> np.ndarray:
        """Set variances after a trade to zero where only the rounding error of a perfect hedge is left.

        A perfect hedge is about as large as the portfolio, so the rounding error is that of the portfolio's variance.
        """
        rounding = 32 * len(self.positions) * EPSILON * self.volatility**2
        return variance if variance.min() > rounding else np.where(variance > rounding, variance, 0.0)


def exposure_of(positions: Any, covariance: Any) -> Exposure:
    """Match positions to a covariance matrix and multiply the two.

    Parameters
    ----------
    positions : (n_assets,)
        Money held, negative when short; matched by name where both sides are labelled; assets that are not held
        may be missing.
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon, symmetric positive semidefinite.

    Returns
    -------
    Exposure
        Labelled by the covariance where it has labels, else by the positions.

    Raises
    ------
    InputError
        NaN, infinity, shapes or labels that do not fit, a matrix that is not symmetric, or one that gives these
        positions a negative variance.

    Examples
    --------
    >>> exposure_of([100.0, -50.0], [[0.04, 0.01], [0.01, 0.09]]).gradient.tolist()
    [3.5, -3.5]
    """
    labels, rows = labels_of(covariance, 1), labels_of(covariance, 0)
    if labels is not None and rows is not None and not labels.equals(rows):
        raise InputError("covariance has other names on its rows than on its columns; both must be the same assets")
    held, matrix = (
        float_array(by_name(positions, labels, "positions"), "positions"),
        float_array(covariance, "covariance"),
    )
    n = held.size or finite_array(held, "positions").size  # an empty one is refused there
    if held.ndim != 1 or matrix.shape != (n, n):
        raise InputError(
            f"covariance has shape {matrix.shape} for positions of shape {held.shape}; they need (n, n) and (n,)"
        )
    gradient, variances = np.empty(n), np.empty(n)
    step = 1 if n <= COMPARED_IN_FULL else n // COMPARED
    rows = matrix if matrix.flags.c_contiguous else np.ascontiguousarray(matrix.T)
    variance, gross, smallest, largest, gap = multiply(rows, held.copy(), step, gradient, variances)
    if not math.isfinite(variance):  # 0 × nan is nan: a position of zero hides none
        finite_array(held, "positions")
        finite_array(matrix, "covariance")
        raise InputError("positions and covariance are so large that their product overflows; use larger units")
    if smallest < 0.0:
        raise InputError(f"covariance has the negative variance {smallest:g} on its diagonal")
    if gap > SYMMETRIC * largest:
        i, j = (int(k) for k in np.unravel_index(np.abs(matrix - matrix.T).argmax(), matrix.shape))
        raise InputError(
            f"covariance is not symmetric: {matrix[i, j]:g} at ({i}, {j}) and {matrix[j, i]:g} at ({j}, {i})"
        )
    rounding = n * EPSILON * n * gross  # n^2 terms, whose absolute values sum to at most n × gross (Cauchy-Schwarz)
    if variance < -rounding:
        raise InputError(
            f"covariance gives these positions the negative variance {variance:g}; it is not positive semidefinite"
        )
    volatility = math.sqrt(variance) if variance > rounding else 0.0
    names = labels_of(positions, 0) if labels is None else labels
    return Exposure(held, matrix, variances, gradient, volatility, names)


def scenarios_of(positions: Any, returns: Any, *, min_obs: int = 1) -> tuple[np.ndarray, np.ndarray, Any]:
    """Match positions to scenarios: positions (n_assets,), returns (n_obs, n_assets), and the names of the assets.

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
    """Reorder labelled values to the order of the assets; unlabelled values are returned unchanged."""
    values = as_pandas(values)
    names = labels_of(values, 0) if np.ndim(values) == 1 else labels_of(values, 1)
    return values if names is None or labels is None or names.equals(labels) else in_asset_order(values, labels, name)


def asset_vector(values: Any, book: Exposure, name: str) -> np.ndarray:
    """Return one finite number per asset, matched by name where both are labelled; a single number applies to all."""
    array = finite_array(by_name(values, book.labels, name), name)
    if array.shape not in ((), book.positions.shape):
        raise InputError(f"{name} has shape {array.shape} for {len(book.positions)} assets; give one number for each")
    return array if array.ndim else np.full(book.positions.shape, float(array))


@kernel
def multiply(
    matrix: np.ndarray, held: np.ndarray, step: int, gradient: np.ndarray, variances: np.ndarray
) -> tuple[float, float, float, float, float]:
    """Fill `gradient` and `variances`; return w'Cw, Σ w_i² C_ii, the smallest and largest C_ii, and the asymmetry."""
    n = held.size
    gradient[:] = 0.0
    multiple = n - n % 4
    # Four rows of the symmetric matrix at a time: one pass in the order of memory.
    for i in range(0, multiple, 4):
        a, b, c, d = held[i], held[i + 1], held[i + 2], held[i + 3]
        p, q, r, s = matrix[i], matrix[i + 1], matrix[i + 2], matrix[i + 3]
        for j in range(n):
            gradient[j] += (p[j] * a + q[j] * b) + (r[j] * c + s[j] * d)
    for i in range(multiple, n):
        a, p = held[i], matrix[i]
        for j in range(n):
            gradient[j] += p[j] * a
    variance, gross, smallest, largest = 0.0, 0.0, matrix[0, 0], matrix[0, 0]
    for i in range(n):
        diagonal = matrix[i, i]
        variances[i] = diagonal
        variance += held[i] * gradient[i]
        gross += held[i] * held[i] * diagonal
        smallest, largest = min(smallest, diagonal), max(largest, diagonal)
    gap = 0.0
    for i in range(0, n, step):
        for j in range(n):
            gap = max(gap, abs(matrix[i, j] - matrix[j, i]))
    return variance, gross, smallest, largest, gap
