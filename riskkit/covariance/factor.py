"""Covariance by factors, statistical or given: loadings, the covariance of the factors, and a variance of each asset's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    finite_array,
    labels_of,
    refuse_other_rows,
    refuse_size,
    returns_array,
    shown,
    whole_number,
    with_labels,
)
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented
from riskkit.covariance.matrices import asset_names, symmetric


@dataclass(frozen=True, repr=False, eq=False)
class FactorCovariance(Exported):
    """Covariance B F B' + D of returns, kept as its parts: 5,000 assets and 20 factors need a megabyte.

    Attributes
    ----------
    loadings : (n_assets, n_factors)
        B: change of the return of an asset per unit of a factor.
    factor_covariance : (n_factors, n_factors)
        F: covariance of the factors per period.
    specific_variance : (n_assets,)
        D: variance of the return of each asset that no factor explains, per period.
    explained : float
        Share of the factors in the sum of all variances, a fraction.

    Examples
    --------
    >>> from riskkit.covariance import factor_covariance
    >>> model = factor_covariance([[0.01, 0.02], [0.03, 0.05], [0.00, -0.01], [-0.02, -0.03], [0.01, 0.01]], 1)
    >>> round(model.explained, 3)
    0.992
    """

    loadings: Any
    factor_covariance: Any
    specific_variance: Any
    explained: float

    @property
    def covariance(self) -> Any:
        """(n_assets, n_assets) B F B' + D."""
        loadings, assets = np.asarray(self.loadings), labels_of(self.loadings, 0)
        n = len(loadings)
        refuse_size((n, n), "the covariance matrix", "FactorCovariance.variance needs only its parts")
        full = symmetric(loadings @ np.asarray(self.factor_covariance) @ loadings.T)
        full[np.diag_indices(n)] += np.asarray(self.specific_variance)
        return with_labels(full, assets, assets)

    def variance(self, positions: Any) -> float:
        """Variance of a portfolio, in the square of money, from the parts alone."""
        held = finite_array(positions, "positions", ndim=1)
        loadings = np.asarray(self.loadings)
        if len(held) != len(loadings):
            raise InputError(f"positions has {len(held)} entries for {len(loadings)} assets; give one for each")
        exposure = held @ loadings
        own = float(held**2 @ np.asarray(self.specific_variance))
        return float(exposure @ np.asarray(self.factor_covariance) @ exposure) + own

    def _title(self) -> str:
        return "Covariance by factors"

    def _rows(self) -> list[Row]:
        n_assets, n_factors = np.shape(self.loadings)
        return [
            ("assets", n_assets, ""),
            ("factors", n_factors, ""),
            ("explained", percent(round(self.explained, 4)), "of the sum of the variances"),
        ]

    def to_frame(self) -> Any:
        """One row per asset: its loadings and its specific variance."""
        import pandas as pd

        frame = pd.DataFrame(self.loadings)
        return frame.assign(specific_variance=np.asarray(self.specific_variance))

    def plot(self, ax: Any = None) -> Any:
        """Draw the correlations."""
        title = f"Correlations by {np.shape(self.loadings)[1]} factors"
        return plot.correlations(self.covariance, asset_names(self.covariance), title=title, ax=ax)


@documented
def factor_covariance(returns: ReturnsLike, factors: Any) -> FactorCovariance:
    """Covariance by factors: the first eigenvectors of the sample covariance, or regressions on given factors.

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Returns per period.
    factors : int or (n_obs, n_factors)
        Number of statistical factors; or returns of given factors in the same periods.

    Returns
    -------
    FactorCovariance
        With statistical factors the variances are those of the sample, and the loadings eigenvectors of length 1; with
        given factors they are least-squares slopes, and the specific variance has the divisor n - 1 - n_factors.

    Raises
    ------
    InputError
        NaN, infinity, other periods, more factors than assets or periods allow, or factors that depend on each other.

    References
    ----------
    Connor, Goldberg and Korajczyk (2010), Portfolio Risk Analysis, chapters 3 and 4. Jolliffe (2002), Principal Component
    Analysis, 2nd ed., section 7.1.

    Examples
    --------
    >>> returns = [[0.01, 0.02], [0.03, 0.05], [0.00, -0.01], [-0.02, -0.03], [0.01, 0.01]]
    >>> market = [0.015, 0.04, -0.005, -0.025, 0.01]
    >>> factor_covariance(returns, market).loadings.round(3).tolist()
    [[0.747], [1.253]]
    """
    array = returns_array(returns, min_obs=3)
    if array.ndim == 1:
        raise InputError(f"returns has shape {array.shape}; give (n_obs, n_assets)")
    deviation = array - array.mean(axis=0)
    if np.ndim(factors) == 0:
        n_factors = whole_number(factors, "factors")
        if n_factors > min(len(array) - 1, array.shape[1]):
            raise InputError(
                f"factors={shown(factors)} is more than {array.shape[1]} assets and {len(array)} periods have"
            )
        names: Any = None
        loadings, matrix, specific = _statistical(deviation, n_factors)
    else:
        refuse_other_rows(factors, "factors", returns, "returns")
        names = labels_of(factors, 1)
        loadings, matrix, specific = _given(deviation, finite_array(factors, "factors"))
    assets = labels_of(returns, 1)
    total = float((deviation**2).sum()) / (len(array) - 1)
    explained = float(np.einsum("ij,jk,ik->", loadings, matrix, loadings))
    return FactorCovariance(
        loadings=with_labels(loadings, assets, names),
        factor_covariance=with_labels(matrix, names, names),
        specific_variance=with_labels(specific, assets),
        explained=explained / total if total > 0.0 else 0.0,
    )


def _statistical(deviation: np.ndarray, n_factors: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvectors of the covariance from the smaller side of the returns; the largest entry of each is positive."""
    loadings, values = _leading(deviation, n_factors)
    values = values / (len(deviation) - 1)
    largest = np.abs(loadings).argmax(axis=0)
    loadings = loadings * np.where(loadings[largest, np.arange(n_factors)] < 0.0, -1.0, 1.0)
    own = (deviation**2).sum(axis=0) / (len(deviation) - 1) - loadings**2 @ values
    return loadings, np.diag(values), np.maximum(own, 0.0)


def _leading(table: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First right singular vectors (n_assets, count) and their squared singular values; few of a large table by products."""
    if count <= min(table.shape) // 20:
        from scipy.linalg import eigh

        is_wide = table.shape[0] < table.shape[1]
        gram = table @ table.T if is_wide else table.T @ table
        values, vectors = eigh(gram, subset_by_index=(len(gram) - count, len(gram) - 1))
        values, vectors = values[::-1], vectors[:, ::-1]
        if values[-1] > 1e-8 * values[0]:  # products lose half of the digits of what is smaller
            return (table.T @ vectors / np.sqrt(values) if is_wide else vectors), values
    _, singular, rows = np.linalg.svd(table, full_matrices=False)
    return rows[:count].T, singular[:count] ** 2


def _given(deviation: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least-squares slopes on factors, their covariance, and the variance of the residuals."""
    moves = factors.reshape(len(factors), -1)
    moves = moves - moves.mean(axis=0)
    left = len(moves) - 1 - moves.shape[1]
    if left < 1:
        raise InputError(f"factors has {moves.shape[1]} columns for {len(moves)} periods; give more periods")
    slopes, _, rank, _ = np.linalg.lstsq(moves, deviation, rcond=1e-12)
    if rank < moves.shape[1]:
        raise InputError(f"factors has {moves.shape[1]} columns of which {rank} are independent; leave some out")
    residual = deviation - moves @ slopes
    return slopes.T, moves.T @ moves / (len(moves) - 1), (residual**2).sum(axis=0) / left
