"""Elliptical return models: multivariate normal and Student t."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np

from riskkit._check import InputError, finite_number, labels_of, shown
from riskkit._exposure import exposure_of
from riskkit._show import Row
from riskkit.montecarlo.draws import Variates, VariateSpec
from riskkit.montecarlo.models.return_model import ReturnModel, matrix_root, one_per_asset, positions_of, product
from riskkit.pnl import in_asset_order
from riskkit.var.method import VAR_ES
from riskkit.var.parametric import quantile_multiplier


class _Elliptical(ReturnModel):
    """Normal vector with a given covariance, times one common random factor, plus a mean."""

    covariance: Any
    mean: Any

    def __post_init__(self) -> None:
        self.root, self.drift  # noqa: B018 - refuse invalid input now, not during a run

    @property
    def labels(self) -> Any:
        """Names of the assets, or None."""
        return labels_of(self.covariance, 1)

    @property
    def n_assets(self) -> int:
        """Number of assets per scenario."""
        return len(self.root)

    @functools.cached_property
    def root(self) -> np.ndarray:
        """(n_assets, n_assets) R with R R' = covariance."""
        return matrix_root(self.covariance)

    @functools.cached_property
    def drift(self) -> np.ndarray:
        """(n_assets,) mean returns."""
        return one_per_asset(in_asset_order(self.mean, self.labels, "mean"), self.n_assets, "mean")

    def returns(self, draws: Variates) -> np.ndarray:
        """(n, n_assets) simple returns of these draws."""
        returns: np.ndarray = self._stretched(product(draws.normals, self.root.T), draws) + self.drift
        return returns

    def linear(self, positions: np.ndarray) -> Callable[[Variates], np.ndarray]:
        """P&L per scenario without the returns: z'(R'w), one product instead of two."""
        loadings, drift = self.root.T @ positions, self.drift @ positions
        return lambda draws: self._stretched(product(draws.normals, loadings), draws) + drift

    def linear_risk(self, positions: np.ndarray, confidence: float) -> tuple[float, float]:
        """Exact VaR and ES of positions (n_assets,), money."""
        book = exposure_of(positions, np.asarray(self.covariance, dtype=float))
        factors = (quantile_multiplier(confidence, measure, df=self._degrees) for measure in VAR_ES)
        var, es = (book.risk(factor, self.drift) for factor in factors)
        return var, es

    @property
    def _degrees(self) -> float | None:
        """Degrees of freedom of a Student t, or None."""
        return None

    def project(self, positions: Any) -> Self:
        """Distribution of the P&L of one linear portfolio, as a model of one asset with a position of 1.

        A linear portfolio of normal or Student t returns has P&L of the same family: one draw per scenario for any
        number of assets.

        Parameters
        ----------
        positions : (n_assets,)
            Money held; matched by name where both sides are labelled.

        Examples
        --------
        >>> book = StudentTReturns([[0.0004, 0.0], [0.0, 0.0001]], df=4.0).project([100.0, 50.0])
        >>> book.n_assets, book.covariance.round(6).tolist(), book.df
        (1, [[4.25]], 4.0)
        """
        held = positions_of(positions, self)
        volatility = exposure_of(held, np.asarray(self.covariance, dtype=float)).volatility
        model: Any = self  # a dataclass in every subclass
        return cast("Self", replace(model, covariance=np.array([[volatility**2]]), mean=float(self.drift @ held)))

    def _stretched(self, normal: np.ndarray, draws: Variates) -> np.ndarray:
        """Multiply the normal part by the common factor, row by row."""
        return normal

    def _rows(self) -> list[Row]:
        volatility = np.sqrt(np.diag(np.asarray(self.covariance, dtype=float)))
        return [
            ("assets", self.n_assets, ""),
            ("volatility, lowest", float(volatility.min()), "per horizon"),
            ("volatility, highest", float(volatility.max()), "per horizon"),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class NormalReturns(_Elliptical):
    """Multivariate normal returns.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon, positive semidefinite (singular is allowed).
    mean : number or (n_assets,)
        Mean returns over the same horizon.

    Raises
    ------
    InputError
        An invalid covariance matrix, NaN, or shapes and labels that do not fit.

    References
    ----------
    Glasserman (2003), Monte Carlo Methods in Financial Engineering, section 2.3.3.

    Examples
    --------
    >>> model = NormalReturns([[0.0004, 0.0], [0.0, 0.0001]], mean=0.001)
    >>> model.sample(None, [[1.0, -1.0]]).round(6).tolist()
    [[0.021, -0.009]]
    """

    covariance: Any
    mean: Any = 0.0

    @property
    def needs(self) -> VariateSpec:
        """One normal per asset."""
        return VariateSpec(normals=self.n_assets)

    def _title(self) -> str:
        return "Multivariate normal returns"


@dataclass(frozen=True, repr=False, eq=False)
class StudentTReturns(_Elliptical):
    """Multivariate Student t returns with a given covariance: heavy tails and tail dependence.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon: the t is scaled by sqrt((df - 2) / df).
    df : float
        Degrees of freedom, above 2.
    mean : number or (n_assets,)
        Mean returns over the same horizon.

    Raises
    ------
    InputError
        As for `NormalReturns`, or df of 2 or less, where the covariance is infinite.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., example 6.7 (normal variance mixture).

    Examples
    --------
    >>> model = StudentTReturns([[0.0004]], df=4.0)
    >>> model.sample(None, [[1.0, 0.5]]).round(6).tolist()  # one normal, and a uniform for the chi-square
    [[0.015439]]
    """

    covariance: Any
    df: float
    mean: Any = 0.0

    def __post_init__(self) -> None:
        if finite_number(self.df, "df") <= 2.0:
            raise InputError(f"df={shown(self.df)} is not above 2; the covariance of a Student t is infinite there")
        super().__post_init__()

    @property
    def needs(self) -> VariateSpec:
        """One normal per asset and one chi-square for all."""
        return VariateSpec(normals=self.n_assets, chi_square=float(self.df))

    @property
    def _degrees(self) -> float:
        return self.df

    def _stretched(self, normal: np.ndarray, draws: Variates) -> np.ndarray:
        factor = np.sqrt((self.df - 2.0) / draws.chi_squares)
        stretched: np.ndarray = normal * (factor if normal.ndim == 1 else factor[:, None])
        return stretched

    def _title(self) -> str:
        return f"Multivariate Student t returns, df = {self.df:g}"
