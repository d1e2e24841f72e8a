"""Normal and Student t returns."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, labels_of
from riskkit._show import Row
from riskkit.attribution import component_volatility, portfolio_es, portfolio_var
from riskkit.montecarlo.draws import Draws, Needs
from riskkit.montecarlo.law import Law, matrix_root, one_per_asset, product
from riskkit.pnl import in_asset_order

__all__ = ["NormalReturns", "StudentTReturns"]


class _Elliptical(Law):
    """A normal vector with the given covariance, times one common random factor, plus a mean."""

    covariance: Any
    mean: Any

    def __post_init__(self) -> None:
        self.root, self.drift  # noqa: B018 - refuse what does not fit now, not in the middle of a run

    @property
    def labels(self) -> Any:
        """Names of the assets, or None."""
        return labels_of(self.covariance, 1)

    @property
    def n_assets(self) -> int:
        """Assets per scenario."""
        return len(self.root)

    @functools.cached_property
    def root(self) -> np.ndarray:
        """(n_assets, n_assets) R with R R' = covariance."""
        return matrix_root(self.covariance)

    @functools.cached_property
    def drift(self) -> np.ndarray:
        """(n_assets,) mean returns."""
        return one_per_asset(in_asset_order(self.mean, self.labels, "mean"), self.n_assets, "mean")

    def returns(self, draws: Draws) -> np.ndarray:
        """(n, n_assets) simple returns of these draws."""
        return self._stretched(product(draws.normals, self.root.T), draws) + self.drift

    def linear(self, positions: np.ndarray) -> Callable[[Draws], np.ndarray]:
        """P&L per scenario without forming the returns: z'(R'w), one product in place of two."""
        loadings, drift = self.root.T @ positions, self.drift @ positions
        return lambda draws: self._stretched(product(draws.normals, loadings), draws) + drift

    def linear_risk(self, positions: np.ndarray, confidence: float) -> tuple[float, float]:
        """Exact VaR and ES of positions (n_assets,), money."""
        matrix = np.asarray(self.covariance, dtype=float)
        options: dict[str, Any] = {"mean": self.drift, "nu": getattr(self, "nu", None)}
        var = portfolio_var(positions, matrix, confidence, **options)
        return var, portfolio_es(positions, matrix, confidence, **options)

    def _project(self, positions: Any) -> tuple[np.ndarray, float]:
        """Variance (1, 1) and mean of the P&L of a linear book."""
        held = finite_array(in_asset_order(positions, self.labels, "positions"), "positions", ndim=1)
        if len(held) != self.n_assets:
            raise InputError(f"positions has {len(held)} entries for {self.n_assets} assets; give one for each")
        volatility = component_volatility(held, np.asarray(self.covariance, dtype=float)).sum()
        return np.array([[volatility**2]]), float(self.drift @ held)

    def _stretched(self, normal: np.ndarray, draws: Draws) -> np.ndarray:
        """The normal part, by row times the common factor."""
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
        Covariance of simple returns over the horizon, positive semidefinite (singular is fine).
    mean : number or (n_assets,)
        Mean returns over the same horizon.

    Raises
    ------
    InputError
        A matrix that is no covariance matrix, NaN, or shapes and labels that do not fit.

    References
    ----------
    Glasserman (2003), Monte Carlo Methods in Financial Engineering, section 2.3.3.

    Examples
    --------
    >>> law = NormalReturns([[0.0004, 0.0], [0.0, 0.0001]], mean=0.001)
    >>> law.sample(None, [[1.0, -1.0]]).round(6).tolist()
    [[0.021, -0.009]]
    """

    covariance: Any
    mean: Any = 0.0

    @property
    def needs(self) -> Needs:
        """One normal per asset."""
        return Needs(normals=self.n_assets)

    def project(self, positions: Any) -> NormalReturns:
        """The law of the P&L of one linear book, as a law of one asset, to be held with a position of 1.

        A linear book under a normal law has normal P&L: one draw per scenario does for any number of assets.

        Parameters
        ----------
        positions : (n_assets,)
            Money held; matched by name where both sides are labelled.

        Examples
        --------
        >>> book = NormalReturns([[0.0004, 0.0], [0.0, 0.0001]]).project([100.0, 50.0])
        >>> book.n_assets, book.covariance.round(6).tolist()
        (1, [[4.25]])
        """
        return NormalReturns(*self._project(positions))

    def _title(self) -> str:
        return "Multivariate normal returns"


@dataclass(frozen=True, repr=False, eq=False)
class StudentTReturns(_Elliptical):
    """Multivariate Student t returns with a given covariance: fat tails, and extremes that come together.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Covariance of simple returns over the horizon: the t is scaled by sqrt((nu - 2) / nu) to have it.
    nu : float
        Degrees of freedom, above 2.
    mean : number or (n_assets,)
        Mean returns over the same horizon.

    Raises
    ------
    InputError
        As for `NormalReturns`, or nu of 2 or less, for which there is no covariance.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., example 6.7 (normal variance mixture).

    Examples
    --------
    >>> law = StudentTReturns([[0.0004]], nu=4.0)
    >>> law.sample(None, [[1.0, 0.5]]).round(6).tolist()  # one normal, and a uniform for the chi-square
    [[0.015439]]
    """

    covariance: Any
    nu: float
    mean: Any = 0.0

    def __post_init__(self) -> None:
        if finite_number(self.nu, "nu") <= 2.0:
            raise InputError(f"nu={self.nu!r} is not above 2; a Student t has no covariance there")
        super().__post_init__()

    @property
    def needs(self) -> Needs:
        """One normal per asset and one chi-square for all."""
        return Needs(normals=self.n_assets, chi_square=float(self.nu))

    def project(self, positions: Any) -> StudentTReturns:
        """The law of the P&L of one linear book, as a law of one asset; see `NormalReturns.project`.

        Examples
        --------
        >>> StudentTReturns([[0.0004, 0.0], [0.0, 0.0001]], 4.0).project([100.0, 50.0]).covariance.round(6).tolist()
        [[4.25]]
        """
        variance, mean = self._project(positions)
        return StudentTReturns(variance, self.nu, mean)

    def _stretched(self, normal: np.ndarray, draws: Draws) -> np.ndarray:
        factor = np.sqrt((self.nu - 2.0) / draws.chi_squares)
        return normal * (factor if normal.ndim == 1 else factor[:, None])

    def _title(self) -> str:
        return f"Multivariate Student t returns, nu = {self.nu:g}"
