"""Nearest correlation matrix, and the repair of covariance matrices with a report of the changes.

Matrices assembled from pairs or from different windows, or changed by hand, are often not positive semidefinite: some
portfolio would have a negative variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import InputError, one_of, positive, shown, whole_number, with_labels
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.covariance.docs import documented
from riskkit.covariance.matrices import (
    asset_names,
    changes_by_pair,
    correlations_and_volatilities,
    square_matrix,
    symmetric,
)

Method = Literal["higham", "spectral"]
DUST = 1e-12
"""Absolute value below which eigenvalues of correlations are printed as zero."""


@dataclass(frozen=True, repr=False, eq=False)
class MatrixRepair(Exported):
    """Positive semidefinite matrix and its differences from the original.

    Attributes
    ----------
    matrix : (n_assets, n_assets)
        Repaired matrix, with the labels of the original.
    original : (n_assets, n_assets)
        Matrix before the repair.
    method : {"higham", "spectral"}
        Method of the repair.
    iterations : int
        Number of iterations.
    min_eigenvalue_before : float
        Lowest eigenvalue of the original correlations; below zero they were not positive semidefinite.
    min_eigenvalue_after : float
        Lowest eigenvalue of the repaired correlations.

    Examples
    --------
    >>> from riskkit.covariance import nearest_correlation, nearest_covariance
    >>> repair = nearest_covariance([[1.0, 1.2], [1.2, 1.0]])
    >>> repair.changed, round(repair.min_eigenvalue_before, 6)
    (True, -0.2)
    >>> repair.matrix.round(4).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """

    matrix: Any
    original: Any
    method: str
    iterations: int
    min_eigenvalue_before: float
    min_eigenvalue_after: float

    @property
    def changed(self) -> bool:
        """False if the original was valid and is returned unchanged."""
        return bool((self._change != 0.0).any())

    @property
    def frobenius_distance(self) -> float:
        """Frobenius norm of the change."""
        return float(np.linalg.norm(self._change))

    @property
    def largest_change(self) -> float:
        """Largest absolute change of an entry."""
        return float(np.abs(self._change).max())

    @property
    def _change(self) -> np.ndarray:
        return np.asarray(np.asarray(self.matrix) - np.asarray(self.original))

    def to_frame(self) -> Any:
        """One row per pair of assets: before, after and change, the largest change first."""
        return changes_by_pair(self.original, self.matrix, diagonal=True)

    def plot(self, ax: Any = None) -> Any:
        """Draw the change of each entry."""
        marks = asset_names(self.matrix)
        title = f"Change of each entry, at most {self.largest_change:.3g}" if self.changed else "Nothing was changed"
        return plot.signed(self._change, marks, marks, max_abs=self.largest_change or 1.0, title=title, ax=ax)

    def _title(self) -> str:
        return "Positive semidefinite repair" if self.changed else "Positive semidefinite already: nothing changed"

    def _rows(self) -> list[Row]:
        rows: list[Row] = [
            ("lowest eigenvalue before", *_without_dust(self.min_eigenvalue_before)),
            ("lowest eigenvalue after", *_without_dust(self.min_eigenvalue_after)),
        ]
        if not self.changed:
            return rows
        pair = self.to_frame().iloc[0]
        return [
            *rows,
            ("method", self.method, ""),
            ("iterations", self.iterations, ""),
            ("Frobenius distance", self.frobenius_distance, ""),
            ("largest change", float(pair["change"]), f"{pair.name[0]} with {pair.name[1]}"),
            ("from", float(pair["before"]), ""),
            ("to", float(pair["after"]), ""),
        ]


@documented
def nearest_correlation(
    matrix: Any,
    *,
    method: Method = "higham",
    min_eigenvalue: float = 0.0,
    tolerance: float = 1e-10,
    max_iterations: int = 10_000,
) -> MatrixRepair:
    """Correlation matrix nearest to a symmetric matrix: positive semidefinite, with a diagonal of exactly 1.

    Parameters
    ----------
    matrix : (n_assets, n_assets)
        Symmetric matrix of intended correlations.
    tolerance : float
        Relative change at which the projections have converged.
    max_iterations : int
        Maximum number of projections.

    Returns
    -------
    MatrixRepair
        `matrix` and its changes. A valid correlation matrix is returned unchanged.

    Raises
    ------
    InputError
        Not square, not symmetric, NaN, or no convergence within `max_iterations`.

    References
    ----------
    Higham (2002), Computing the nearest correlation matrix, IMA J. Numerical Analysis 22, algorithm 3.3. Rebonato and
    Jaeckel (1999), The most general methodology to create a valid correlation matrix, section 3 (spectral).

    Examples
    --------
    >>> repair = nearest_correlation([[1.0, 0.9, 0.7], [0.9, 1.0, 0.3], [0.7, 0.3, 1.0]])
    >>> repair.matrix.round(6).tolist()
    [[1.0, 0.894575, 0.696621], [0.894575, 1.0, 0.302544], [0.696621, 0.302544, 1.0]]
    >>> repair.changed, round(repair.min_eigenvalue_before, 6)
    (True, -0.007352)
    """
    one_of(method, get_args(Method), "method")
    floor = positive(min_eigenvalue, "min_eigenvalue", zero=True)
    if floor >= 1.0:
        raise InputError(f"min_eigenvalue={shown(min_eigenvalue)} is not below 1, the mean of the eigenvalues")
    array, assets = square_matrix(matrix, "matrix")
    before = _lowest(array)
    valid = before >= floor - _rounding(array) and bool((np.diag(array) == 1.0).all())
    repaired, iterations = array.copy(), 0
    if not valid and method == "spectral":
        repaired, iterations = _unit_diagonal(_floored(array, floor)), 1
    elif not valid:
        tolerance = positive(tolerance, "tolerance")
        repaired, iterations = _higham(array, floor, tolerance, whole_number(max_iterations, "max_iterations"))
    return MatrixRepair(
        matrix=with_labels(repaired, assets, assets),
        original=with_labels(array, assets, assets),
        method=method,
        iterations=iterations,
        min_eigenvalue_before=before,
        min_eigenvalue_after=_lowest(repaired),
    )


@documented
def nearest_covariance(covariance: Any, *, method: Method = "higham", min_eigenvalue: float = 0.0) -> MatrixRepair:
    """Positive semidefinite covariance matrix nearest in its correlations, with unchanged variances.

    The correlations are repaired by `nearest_correlation`. An asset without variance keeps it, and has no covariances.

    Returns
    -------
    MatrixRepair
        `matrix` and the changes are covariances; the eigenvalues are those of the correlations.

    References
    ----------
    Higham (2002), Computing the nearest correlation matrix, IMA J. Numerical Analysis 22, algorithm 3.3.

    Examples
    --------
    >>> repair = nearest_covariance([[0.04, 0.03], [0.03, 0.01]])
    >>> repair.matrix.round(6).tolist()
    [[0.04, 0.02], [0.02, 0.01]]
    """
    array, assets = square_matrix(covariance, "covariance")
    correlation, volatility = correlations_and_volatilities(array, assets)
    scale = np.outer(volatility, volatility)
    repair = nearest_correlation(correlation, method=method, min_eigenvalue=min_eigenvalue)
    repaired = array.copy()
    if repair.changed or array[scale == 0.0].any():
        repaired = repair.matrix * scale
        np.fill_diagonal(repaired, np.diag(array))
    return MatrixRepair(
        matrix=with_labels(repaired, assets, assets),
        original=with_labels(array, assets, assets),
        method=method,
        iterations=repair.iterations,
        min_eigenvalue_before=repair.min_eigenvalue_before,
        min_eigenvalue_after=repair.min_eigenvalue_after,
    )


def _higham(array: np.ndarray, floor: float, tolerance: float, max_iterations: int) -> tuple[np.ndarray, int]:
    """Project in turn onto the matrices with eigenvalues above the floor and onto those with a unit diagonal.

    Dykstra's correction of the first projection makes the limit the nearest point of both sets.
    """
    unit = array.copy()
    np.fill_diagonal(unit, 1.0)
    current, correction = array, np.zeros_like(array)
    for iteration in range(1, max_iterations + 1):
        target = current - correction
        projected = _floored(target, floor)
        correction = projected - target
        unit = projected.copy()
        np.fill_diagonal(unit, 1.0)
        moved = np.linalg.norm(unit - current)
        current = unit
        if max(moved, np.linalg.norm(unit - projected)) <= tolerance * np.linalg.norm(unit):
            return _unit_diagonal(projected), iteration
    raise InputError(
        f"matrix has no nearest correlation to within tolerance={tolerance:g} after max_iterations={max_iterations}; "
        "raise one of them"
    )


def _floored(array: np.ndarray, floor: float) -> np.ndarray:
    """The nearest matrix whose eigenvalues are at least `floor`."""
    values, vectors = np.linalg.eigh(array)
    return symmetric((vectors * np.maximum(values, floor)) @ vectors.T)


def _unit_diagonal(array: np.ndarray) -> np.ndarray:
    """Scale rows and columns to a diagonal of exactly 1, which keeps positive semidefiniteness."""
    root = np.sqrt(np.diag(array))
    scaled = symmetric(array / root[:, None] / root)
    np.fill_diagonal(scaled, 1.0)
    return scaled


def _lowest(array: np.ndarray) -> float:
    return float(np.linalg.eigvalsh(array)[0])


def _without_dust(eigenvalue: float) -> tuple[float, str]:
    """Eigenvalue of correlations for print, 0 if it is only rounding, and its unit."""
    if eigenvalue == 0.0 or abs(eigenvalue) >= DUST:
        return eigenvalue, "of the correlations"
    return 0.0, f"of the correlations, to within {DUST:g}"


def _rounding(array: np.ndarray) -> float:
    """Rounding error of the lowest eigenvalue of a valid matrix."""
    return len(array) * np.finfo(float).eps * float(np.abs(array).max()) * len(array)
