"""Copulas: the margin of each asset from its history, the dependence from the ranks."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._bar import waiting
from riskkit._check import InputError, constant, labels_of, positive, returns_array
from riskkit._show import Row
from riskkit.covariance import nearest_correlation
from riskkit.covariance.matrices import square_matrix
from riskkit.montecarlo.draws import Variates, VariateSpec
from riskkit.montecarlo.models.margins import margins_of, t_scores
from riskkit.montecarlo.models.return_model import ReturnModel, matrix_root, product

DF_RANGE = (1.0, 200.0)


class _Copula(ReturnModel):
    """Elliptical dependence, margins of any kind.

    An empirical margin maps the copula's variate x to the smallest observed return whose cumulative frequency is at least F(x). The
    steps of the cumulative frequency are converted to the scale of x once, so that a scenario needs a search and no
    distribution function.
    """

    history: Any
    correlation: Any
    margins: Any

    @property
    def labels(self) -> Any:
        """Names of the assets, or None."""
        return labels_of(self.history, 1)

    @property
    def n_assets(self) -> int:
        """Number of assets per scenario."""
        return int(self._sorted.shape[1])

    @functools.cached_property
    def matrix(self) -> np.ndarray:
        """(n_assets, n_assets) correlation of the copula, given or estimated from the ranks."""
        if self.correlation is None:
            return self._estimated()
        matrix, _ = square_matrix(self.correlation, "correlation")
        if matrix.shape[0] != self.n_assets:
            raise InputError(f"correlation has shape {matrix.shape} for {self.n_assets} assets")
        if np.abs(np.diag(matrix) - 1.0).max() > 1e-8:
            raise InputError("correlation has a diagonal that is not 1")
        return matrix

    @functools.cached_property
    def root(self) -> np.ndarray:
        """(n_assets, n_assets) R with R R' = correlation."""
        return matrix_root(self.matrix, "correlation")

    @functools.cached_property
    def _sorted(self) -> np.ndarray:
        array = returns_array(self.history, "history", min_obs=2)
        return np.sort(array[:, None] if array.ndim == 1 else array, axis=0)

    @functools.cached_property
    def _moving(self) -> np.ndarray:
        """(n_assets,) True for assets that are not constant; a constant one is independent of all others."""
        return ~constant(self._sorted)

    @functools.cached_property
    def _steps(self) -> np.ndarray:
        """(n_obs - 1,) values of x with F(x) = k / n_obs."""
        n = len(self._sorted)
        return self._quantile(np.arange(1, n) / n)

    def returns(self, draws: Variates) -> np.ndarray:
        """(n, n_assets) simple returns of these draws; with empirical margins observed returns of their asset."""
        x = self._stretched(product(draws.normals, self.root.T), draws)
        if self._smooth is not None:
            scores = self._scores(x)
            return np.column_stack([margin.at_scores(scores[:, j]) for j, margin in enumerate(self._smooth)])
        rank = self._ranks(x)
        rank += len(self._sorted) * np.arange(self.n_assets)
        return self._sorted.T.ravel()[rank]

    @functools.cached_property
    def _smooth(self) -> list[Any] | None:
        """The margins, unless they are empirical."""
        if isinstance(self.margins, str) and self.margins == "empirical":
            return None
        array = returns_array(self.history, "history", min_obs=2)
        return margins_of(self.margins, array.reshape(len(array), -1), self.labels)

    def _ranks(self, x: np.ndarray) -> np.ndarray:
        """Number of steps below each variate: a table gives a lower bound, and a few comparisons the rest."""
        first, comparisons = self._table
        steps = np.append(self._steps, np.inf)
        ranks = first[self._cells(x)]
        for _ in range(comparisons):
            ranks += steps[ranks] < x
        return ranks

    def _cells(self, x: np.ndarray) -> np.ndarray:
        """Number of the cell of x, which rises with x to within rounding; no cell has many steps, far out neither."""
        share = x / (1.0 + np.abs(x)) + 1.0
        share *= len(self._sorted)
        return share.astype(np.int64)

    @functools.cached_property
    def _table(self) -> tuple[np.ndarray, int]:
        """Steps below each cell and its neighbour, and the most that are in a cell and its two neighbours."""
        cells, every = self._cells(self._steps), np.arange(2 * len(self._sorted) + 1)
        first = np.searchsorted(cells, every - 1, side="left")
        return first, int((np.searchsorted(cells, every + 1, side="right") - first).max())

    def _stretched(self, normal: np.ndarray, draws: Variates) -> np.ndarray:
        return normal

    def _scores(self, x: np.ndarray) -> np.ndarray:
        """Normal scores of the copula's variates."""
        return x

    @abstractmethod
    def _quantile(self, levels: np.ndarray) -> np.ndarray:
        """Levels of the margins on the scale of the copula's variate."""

    @abstractmethod
    def _estimated(self) -> np.ndarray:
        """The correlation, from the ranks."""

    def _rows(self) -> list[Row]:
        return [
            ("assets", self.n_assets, ""),
            ("margins", self.margins if isinstance(self.margins, str) else "given", ""),
            ("observations per margin", len(self._sorted), ""),
            ("correlation", "estimated from ranks" if self.correlation is None else "given", ""),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class GaussianCopula(_Copula):
    """Margins joined by a Gaussian copula, without tail dependence.

    Parameters
    ----------
    history : (n_obs, n_assets)
        Simple returns over the horizon.
    correlation : (n_assets, n_assets), optional
        Of the underlying normals; by default the correlation of the normal scores of the ranks.
    margins : str, or sequence or mapping of distributions
        "empirical": a scenario contains only observed returns. "kernel", "pareto", "normal" or "student_t": each asset's by
        `fit_margin`. Or a distribution for each asset (mapped by name), from `fit_margin` or with a method `ppf`, as those of
        scipy.stats.

    Raises
    ------
    InputError
        NaN, fewer than two rows, an invalid correlation matrix, or margins that cannot be fitted.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 7.1.4 and algorithm 7.10. Genest, Ghoudi and
    Rivest (1995), A semiparametric estimation procedure of dependence parameters in multivariate families of distributions,
    Biometrika 82, 543-552 (the dependence is estimated from ranks, whatever the margins).

    Examples
    --------
    >>> history = [[0.01, -0.02], [-0.03, 0.01], [0.02, -0.01], [0.00, 0.03]]
    >>> copula = GaussianCopula(history, correlation=[[1, 0], [0, 1]])
    >>> copula.sample(None, [[-1.0, 2.0], [0.1, -0.1]]).tolist()
    [[-0.03, 0.03], [0.01, -0.01]]
    """

    history: Any
    correlation: Any = None
    margins: Any = "empirical"

    def __post_init__(self) -> None:
        self.root, self._smooth  # noqa: B018 - refuse invalid input now, not during a run

    @property
    def needs(self) -> VariateSpec:
        """One normal per asset."""
        return VariateSpec(normals=self.n_assets)

    def _quantile(self, levels: np.ndarray) -> np.ndarray:
        from scipy.special import ndtri

        return ndtri(levels)

    def _estimated(self) -> np.ndarray:
        from scipy.special import ndtri

        matrix, moving = np.eye(self.n_assets), self._moving
        if moving.any():
            scores = ndtri(_pseudo_observations(self.history)[:, moving])
            matrix[np.ix_(moving, moving)] = np.corrcoef(scores, rowvar=False)
        return matrix

    def _title(self) -> str:
        return "Gaussian copula"


@dataclass(frozen=True, repr=False, eq=False)
class StudentTCopula(_Copula):
    """Margins joined by a Student t copula, with tail dependence.

    Parameters
    ----------
    history : (n_obs, n_assets)
        Simple returns over the horizon.
    df : float, optional
        Degrees of freedom of the copula, above zero; by default the maximum likelihood of the ranks, between 1 and 200,
        which is then the attribute `df`.
    correlation : (n_assets, n_assets), optional
        Of the underlying t; by default sin(pi tau / 2) of Kendall's tau, made positive semidefinite where needed.
    margins : str, or sequence or mapping of distributions
        As in `GaussianCopula`.

    Raises
    ------
    InputError
        NaN, fewer than two rows, df of zero or less, an invalid correlation matrix, or margins that cannot be fitted.

    References
    ----------
    Demarta and McNeil (2005), The t copula and related copulas, International Statistical Review 73, 111-129,
    section 5 (estimation by Kendall's tau and maximum likelihood).

    Examples
    --------
    >>> history = [[0.01, -0.02], [-0.03, 0.01], [0.02, -0.01], [0.00, 0.03]]
    >>> copula = StudentTCopula(history, df=3.0, correlation=[[1, 0], [0, 1]])
    >>> copula.sample(None, [[-1.0, 2.0, 0.5], [0.1, -0.1, 0.5]]).tolist()
    [[-0.03, 0.03], [0.01, -0.01]]
    """

    history: Any
    df: Any = None
    correlation: Any = None
    margins: Any = "empirical"
    _given = True

    def __post_init__(self) -> None:
        self.root, self._smooth  # noqa: B018 - refuse invalid input now, not during a run
        object.__setattr__(self, "_given", self.df is not None)
        object.__setattr__(self, "df", positive(self.df, "df") if self._given else self._fitted())

    @property
    def needs(self) -> VariateSpec:
        """One normal per asset and one chi-square for all."""
        return VariateSpec(normals=self.n_assets, chi_square=self.df)

    def _stretched(self, normal: np.ndarray, draws: Variates) -> np.ndarray:
        return normal * np.sqrt(self.df / draws.chi_squares)[:, None]

    def _scores(self, x: np.ndarray) -> np.ndarray:
        return t_scores(x, self.df)

    def _quantile(self, levels: np.ndarray) -> np.ndarray:
        from scipy.special import stdtrit

        return stdtrit(self.df, levels)

    def _estimated(self) -> np.ndarray:
        from scipy.stats import kendalltau

        array = returns_array(self.history, "history")
        matrix = np.eye(self.n_assets)
        moving = np.flatnonzero(self._moving)
        for i in moving:
            for j in moving[moving < i]:
                tau = kendalltau(array[:, i], array[:, j]).statistic
                matrix[i, j] = matrix[j, i] = math.sin(math.pi * tau / 2.0)
        correlation: np.ndarray = nearest_correlation(matrix).matrix
        return correlation

    def _fitted(self) -> float:
        """Maximise the likelihood of the ranks in df, for a given correlation."""
        from scipy.optimize import minimize_scalar
        from scipy.special import gammaln, stdtrit

        moving = self._moving
        uniforms = _pseudo_observations(self.history)[:, moving]
        n, d = uniforms.shape
        if d <= 1:
            raise InputError("df is missing; it cannot be fitted to a copula of one asset that moves")
        values, vectors = np.linalg.eigh(self.matrix[np.ix_(moving, moving)])
        if values[0] <= 1e-12:
            raise InputError("df is missing; it cannot be fitted with a singular correlation matrix, give it")
        half_log_determinant = 0.5 * float(np.log(values).sum())

        def minus_log_likelihood(log_df: float) -> float:
            df = math.exp(log_df)
            x = stdtrit(df, uniforms)
            mahalanobis = ((x @ vectors) ** 2 / values).sum(axis=1)
            joint = gammaln((df + d) / 2) + (d - 1) * gammaln(df / 2) - d * gammaln((df + 1) / 2)
            tails = -(df + d) / 2 * np.log1p(mahalanobis / df) + (df + 1) / 2 * np.log1p(x**2 / df).sum(axis=1)
            return -float(n * (joint - half_log_determinant) + tails.sum())

        bounds = math.log(DF_RANGE[0]), math.log(DF_RANGE[1])
        with waiting(f"fitting the degrees of freedom of a copula of {d:,} assets to {n:,} returns"):
            fit = minimize_scalar(minus_log_likelihood, bounds=bounds, method="bounded")
        return math.exp(float(fit.x))

    def _rows(self) -> list[Row]:
        return [("df", self.df, "given" if self._given else "fitted"), *super()._rows()]

    def _title(self) -> str:
        return "Student t copula"


def _pseudo_observations(history: Any) -> np.ndarray:
    """Ranks over n + 1, ties at their mean."""
    from scipy.stats import rankdata

    array = returns_array(history, "history", min_obs=2)
    array = array[:, None] if array.ndim == 1 else array
    return rankdata(array, axis=0) / (len(array) + 1)
