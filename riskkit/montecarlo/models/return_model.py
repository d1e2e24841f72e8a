"""Base class of return models: the variates per scenario, and the returns of given variates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, refuse_size, with_labels
from riskkit._show import Shown
from riskkit.covariance.matrices import square_matrix
from riskkit.montecarlo.draws import BLOCK, Variates, VariateSpec, source_of
from riskkit.pnl import in_asset_order


class ReturnModel(Shown, ABC):
    """Joint distribution of returns. A subclass defines `n_assets`, `needs` and `returns`.

    Attributes
    ----------
    labels : Index or None
        Names of the assets, or None.

    Examples
    --------
    >>> from riskkit.montecarlo import NormalReturns
    >>> model = NormalReturns([[0.0004]])
    >>> model.n_assets, model.needs.normals
    (1, 1)
    """

    labels: Any = None

    @property
    @abstractmethod
    def n_assets(self) -> int:
        """Number of assets per scenario."""

    @property
    @abstractmethod
    def needs(self) -> VariateSpec:
        """Random numbers per scenario."""

    @abstractmethod
    def returns(self, draws: Variates) -> np.ndarray:
        """(n, n_assets) simple returns of these draws."""

    def _over_horizon(self, draws: Any) -> ReturnModel:
        """A model with the same law of `returns` from as few variates as possible; itself for given (arrays of) draws."""
        return self

    def linear(self, positions: np.ndarray) -> Callable[[Variates], np.ndarray]:
        """P&L of positions (n_assets,) or (n_assets, n_books) per scenario; a subclass may use a faster formula."""
        return lambda draws: product(self.returns(draws), positions)

    def linear_risk(self, positions: np.ndarray, confidence: float) -> tuple[float, float]:
        """Exact VaR and ES of positions (n_assets,), for models with a closed form."""
        raise InputError(
            f"{type(self).__name__} has no closed form; control_variate needs NormalReturns or StudentTReturns"
        )

    def sample(self, n_scenarios: int | None, draws: Any, *, antithetic: bool = False) -> Any:
        """Scenarios of the model, for any function of returns.

        Parameters
        ----------
        n_scenarios : int or None
            Number of scenarios; None for all rows of an array of draws.
        draws : numpy.random.Generator, Sobol, or (n, needs.columns) array
            Source of the random variates.
        antithetic : bool
            Follow every scenario by its mirror image.

        Returns
        -------
        (n_scenarios, n_assets)
            Simple returns over the horizon of the model, labelled by asset where it has labels.

        Examples
        --------
        >>> from riskkit.montecarlo import NormalReturns
        >>> NormalReturns([[0.0004]]).sample(None, [[1.0], [-2.0]]).tolist()
        [[0.02], [-0.04]]
        """
        model = self._over_horizon(draws)
        source, n = source_of(draws, model.needs, n_scenarios, antithetic)
        refuse_size((n, self.n_assets), "the scenarios", "simulate_risk keeps only the largest losses")
        out = np.empty((n, self.n_assets))
        for start in range(0, n, BLOCK):
            out[start : start + BLOCK] = model.returns(source.take(min(BLOCK, n - start)))
        return out if self.labels is None else with_labels(out, None, self.labels)


def by_blocks(rows: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Apply a function to `BLOCK` rows at a time.

    BLAS may round a row differently in a matrix of another height. In blocks of fixed height, cut at its multiples, the
    result of a row does not depend on the other rows.
    """
    if len(rows) <= BLOCK:
        return function(rows)
    return np.concatenate([function(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)])


def product(rows: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Multiply rows @ matrix in fixed blocks."""
    return by_blocks(rows, lambda block: block @ matrix)


def matrix_root(covariance: Any, name: str = "covariance") -> np.ndarray:
    """R with R R' = covariance, columns by descending variance, also for a singular matrix.

    Sobol points are most even in their first coordinates, which so have the largest variance. The largest entry of each
    column is positive, so that the root does not depend on the eigenvalue routine.

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
            f"{name} has the eigenvalue {values[-1]:g} and is not a covariance matrix; "
            "riskkit.covariance.nearest_covariance gives the nearest one"
        )
    largest = np.abs(vectors).argmax(axis=0)
    signs = np.where(vectors[largest, np.arange(len(values))] < 0.0, -1.0, 1.0)
    root: np.ndarray = vectors * (signs * np.sqrt(np.maximum(values, 0.0)))
    return root


def positions_of(positions: Any, model: ReturnModel, name: str = "positions") -> np.ndarray:
    """Return (n_assets,) positions in the order of the assets of a model."""
    held = finite_array(in_asset_order(positions, model.labels, name), name, ndim=1)
    if len(held) != model.n_assets:
        raise InputError(f"{name} has {len(held)} entries for {model.n_assets} assets; give one for each")
    return held


def one_per_asset(value: Any, n_assets: int, name: str) -> np.ndarray:
    """Return one finite number per asset; a single number applies to all."""
    if np.ndim(value) == 0:
        return np.full(n_assets, finite_number(value, name))
    array = finite_array(value, name, ndim=1)
    if len(array) != n_assets:
        raise InputError(f"{name} has {len(array)} entries for {n_assets} assets; give one for each")
    return array
