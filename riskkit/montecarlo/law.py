"""What every law of returns has in common: what it needs, and how draws become returns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, with_labels
from riskkit._show import Shown
from riskkit.covariance.matrices import square_matrix
from riskkit.montecarlo.draws import BLOCK, Draws, Needs, source_of

__all__ = ["Law", "by_blocks", "matrix_root", "one_per_asset", "product"]


class Law(Shown, ABC):
    """A joint law of returns. A subclass says what it needs for a scenario and how it makes one.

    Attributes
    ----------
    labels : Index or None
        Names of the assets, or None.

    Examples
    --------
    >>> from riskkit import NormalReturns
    >>> law = NormalReturns([[0.0004]])
    >>> law.n_assets, law.needs.normals
    (1, 1)
    """

    labels: Any = None

    @property
    @abstractmethod
    def n_assets(self) -> int:
        """Assets per scenario."""

    @property
    @abstractmethod
    def needs(self) -> Needs:
        """Random numbers per scenario."""

    @abstractmethod
    def returns(self, draws: Draws) -> np.ndarray:
        """(n, n_assets) simple returns of these draws."""

    def linear(self, positions: np.ndarray) -> Callable[[Draws], np.ndarray]:
        """P&L of positions (n_assets,) or (n_assets, n_books) per scenario; a law may take a shorter way."""
        return lambda draws: product(self.returns(draws), positions)

    def linear_risk(self, positions: np.ndarray, confidence: float) -> tuple[float, float]:
        """Exact VaR and ES of positions (n_assets,), where the law has them in closed form."""
        raise InputError(
            f"{type(self).__name__} has no closed form; control goes with NormalReturns or StudentTReturns"
        )

    def sample(self, n_scenarios: int | None, draws: Any, *, antithetic: bool = False) -> Any:
        """Scenarios of the law, for any model that takes returns.

        Parameters
        ----------
        n_scenarios : int or None
            How many; None as many as an array of draws gives.
        draws : numpy.random.Generator, Sobol, or (n, needs.columns) array
            Where the random numbers come from.
        antithetic : bool
            Every scenario is followed by its mirror image.

        Returns
        -------
        (n_scenarios, n_assets)
            Simple returns over the horizon of the law, labelled by asset where it has labels.

        Examples
        --------
        >>> from riskkit.montecarlo import NormalReturns
        >>> NormalReturns([[0.0004]]).sample(None, [[1.0], [-2.0]]).tolist()
        [[0.02], [-0.04]]
        """
        source, n = source_of(draws, self.needs, n_scenarios, antithetic)
        out = np.empty((n, self.n_assets))
        for start in range(0, n, BLOCK):
            out[start : start + BLOCK] = self.returns(source.take(min(BLOCK, n - start)))
        return out if self.labels is None else with_labels(out, None, self.labels)


def by_blocks(rows: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """`function` of `BLOCK` rows at a time.

    BLAS may round a row differently in a matrix of another height. With blocks of one fixed height, cut at multiples of
    it, a row comes out the same whatever else is computed beside it.
    """
    if len(rows) <= BLOCK:
        return function(rows)
    return np.concatenate([function(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)])


def product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Multiply rows @ matrix in fixed blocks."""
    return by_blocks(rows, lambda block: block @ matrix)


def matrix_root(covariance: Any, name: str = "covariance") -> np.ndarray:
    """R with R R' = covariance, its columns by falling variance, also where the matrix is singular.

    The order matters to Sobol points, whose first coordinates are the most even. Each column's largest entry is
    positive, so that the root does not depend on the eigenvalue routine.

    Raises
    ------
    InputError
        Not square, not symmetric, NaN, or an eigenvalue below zero by more than rounding.
    """
    matrix, _ = square_matrix(covariance, name)
    values, vectors = np.linalg.eigh(matrix)
    order = np.argsort(-values, kind="stable")
    values, vectors = values[order], vectors[:, order]
    if values[-1] < -1e-10 * max(values[0], 0.0) or values[0] < 0.0:
        raise InputError(
            f"{name} has the eigenvalue {values[-1]:g} and is no covariance matrix; "
            "riskkit.covariance.repair_covariance gives the nearest one"
        )
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.where(vectors[largest, np.arange(len(values))] < 0.0, -1.0, 1.0)
    return vectors * (signs * np.sqrt(np.maximum(values, 0.0)))


def one_per_asset(value: Any, n_assets: int, name: str) -> np.ndarray:
    """One finite number per asset; one number is for all."""
    if np.ndim(value) == 0:
        return np.full(n_assets, finite_number(value, name))
    array = finite_array(value, name, ndim=1)
    if len(array) != n_assets:
        raise InputError(f"{name} has {len(array)} entries for {n_assets} assets; give one for each")
    return array
