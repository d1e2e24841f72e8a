"""Covariance under stress: correlations moved towards a target, volatilities multiplied, and still PSD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array, finite_number, labels_of, positive, with_labels
from riskkit._show import Row, Shown
from riskkit.attribution import portfolio
from riskkit.covariance import MatrixRepair, correlation_from_covariance, nearest_correlation
from riskkit.covariance.sample import square_matrix, volatilities_of

__all__ = ["CovarianceStress", "stress_covariance"]


@dataclass(frozen=True, repr=False, eq=False)
class CovarianceStress(Shown):
    """A covariance matrix before and after stress. Labelled as what came in.

    Attributes
    ----------
    covariance : (n_assets, n_assets)
        After; positive semidefinite.
    original : (n_assets, n_assets)
        Before.
    repair : MatrixRepair
        From the correlations that were asked for to those that are possible.

    Examples
    --------
    >>> from riskkit import stress_covariance
    >>> stress = stress_covariance([[0.04, 0.004], [0.004, 0.01]], volatility=2.0, toward=1.0, strength=0.5)
    >>> stress.covariance.round(6).tolist()
    [[0.16, 0.048], [0.048, 0.04]]
    """

    covariance: Any
    original: Any
    repair: MatrixRepair

    @property
    def correlation(self) -> Any:
        """Correlations after the stress."""
        return self.repair.matrix

    def compare(self, positions: Any, confidence: float = 0.95, *, z: float | None = None) -> Any:
        """Normal VaR of a book before and after: a Series with `before`, `after` and their `ratio`.

        Parameters are those of `riskkit.attribution.portfolio`.
        """
        import pandas as pd

        before, after = (portfolio(positions, m, confidence, z=z) for m in (self.original, self.covariance))
        return pd.Series({"before": before, "after": after, "ratio": after / before if before > 0.0 else np.nan})

    def to_frame(self) -> Any:
        """One row a pair of assets: correlation before and after, the largest change first."""
        import pandas as pd

        before = np.asarray(correlation_from_covariance(self.original))
        after = np.asarray(self.correlation)
        names = labels_of(self.original, 1)
        names = np.arange(len(after)) if names is None else np.asarray(names)
        upper, lower = np.triu_indices(len(after), 1)
        frame = pd.DataFrame(
            {"before": before[upper, lower], "after": after[upper, lower]},
            index=pd.MultiIndex.from_arrays([names[upper], names[lower]], names=["asset", "with"]),
        )
        frame["change"] = frame["after"] - frame["before"]
        return frame.iloc[np.argsort(-np.abs(frame["change"].to_numpy()), kind="stable")]

    def plot(self, ax: Any = None) -> Any:
        """Correlations after over before, one point a pair."""
        ax = plot.axes(ax, width=5.0, height=4.6)
        frame = self.to_frame()
        ax.plot([-1.0, 1.0], [-1.0, 1.0], color=plot.INK, linewidth=0.5)
        ax.plot(frame["before"], frame["after"], ".", color=plot.STRONG)
        ax.set_xlabel("correlation before")
        ax.set_ylabel("correlation after")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        return "Covariance under stress"

    def _rows(self) -> list[Row]:
        before, after = (np.sqrt(np.diag(np.asarray(matrix))) for matrix in (self.original, self.covariance))
        rows: list[Row] = [("volatility, mean ratio", float((after / before).mean()), "after / before")]
        if len(before) > 1:
            pairs = self.to_frame()
            rows += [
                ("mean correlation before", float(pairs["before"].mean()), ""),
                ("mean correlation after", float(pairs["after"].mean()), ""),
            ]
        rows.append(("lowest eigenvalue asked for", self.repair.min_eigenvalue_before, "of the correlations"))
        if self.repair.changed:
            rows.append(("largest repair", self.repair.largest_change, "of a correlation, to be positive semidefinite"))
        return rows


def stress_covariance(
    covariance: Any,
    *,
    volatility: Any = 1.0,
    toward: Any = None,
    strength: float = 1.0,
    among: Sequence[Any] | None = None,
    pairs: Mapping[tuple[Any, Any], float] | None = None,
) -> CovarianceStress:
    """Move correlations and multiply volatilities, and stay positive semidefinite.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Symmetric positive semidefinite, variances above zero.
    volatility : float, or (n_assets,) Series, mapping or array
        Multipliers of the volatilities, above zero; an asset that a mapping or Series does not name keeps its own.
    toward : float or (n_assets, n_assets), optional
        Correlation that all pairs move to, from -1/(n-1) to 1; or a correlation matrix. None leaves them.
    strength : float
        How far: (1 - strength) × today's + strength × the target, from 0 to 1. Between two positive semidefinite
        matrices all are so.
    among : sequence of labels, optional
        Only the correlations among these assets move (row numbers without labels).
    pairs : mapping, optional
        {(asset, other): correlation} set at last.

    Returns
    -------
    CovarianceStress
        `covariance`, `correlation`, and `repair`: where `among` and `pairs` ask for what no portfolio can have, the
        nearest correlation matrix takes its place, and `repair` says what changed.

    Raises
    ------
    InputError
        Not a covariance matrix, a correlation outside [-1, 1], an unknown asset, a strength outside [0, 1].

    References
    ----------
    Kupiec (1998), Stress Testing in a Value at Risk Framework, Journal of Derivatives 6(1), 7-24. Rebonato and Jaeckel
    (1999), The most general methodology to create a valid correlation matrix. Higham (2002), Computing the nearest
    correlation matrix, IMA J. Numerical Analysis 22, algorithm 3.3.

    Examples
    --------
    >>> stress = stress_covariance([[0.04, 0.004], [0.004, 0.01]], volatility=2.0, toward=1.0, strength=0.5)
    >>> stress.covariance.round(6).tolist()
    [[0.16, 0.048], [0.048, 0.04]]
    >>> stress.compare([100.0, 100.0], z=1.65).round(2).to_dict()
    {'before': 39.74, 'after': 89.77, 'ratio': 2.26}
    """
    matrix, names = square_matrix(covariance, "covariance")
    sigma = volatilities_of(matrix, names)
    correlation = matrix / np.outer(sigma, sigma)
    np.fill_diagonal(correlation, 1.0)
    asked = correlation.copy()
    if toward is not None:
        asked = _blended(correlation, _target(toward, names, len(matrix)), strength, _places(among, names, len(matrix)))
    for pair, value in (pairs or {}).items():
        one, other = _places(pair, names, len(matrix))
        if one == other:
            raise InputError(f"pairs sets the correlation of {pair[0]!r} with itself, which is 1")
        asked[one, other] = asked[other, one] = _correlation(value, f"pairs[{pair!r}]")
    repair = nearest_correlation(with_labels(asked, names, names))
    scaled = sigma * _multipliers(volatility, names, len(matrix))
    stressed = np.asarray(repair.matrix) * np.outer(scaled, scaled)
    return CovarianceStress(
        covariance=with_labels(stressed, names, names),
        original=with_labels(matrix.copy(), names, names),
        repair=repair,
    )


def _blended(correlation: np.ndarray, target: np.ndarray, strength: float, places: list[int]) -> np.ndarray:
    """Correlations among `places` on their way to the target."""
    part = positive(strength, "strength", zero=True)
    if part > 1.0:
        raise InputError(f"strength={strength!r} is above 1; 0 leaves correlations, 1 sets them to the target")
    block = np.ix_(places, places)
    blended = correlation.copy()
    blended[block] = (1.0 - part) * correlation[block] + part * target[block]
    np.fill_diagonal(blended, 1.0)
    return blended


def _target(toward: Any, names: Any, n: int) -> np.ndarray:
    """One correlation for all pairs, or a matrix of them."""
    if np.ndim(toward) == 0:
        value = _correlation(toward, "toward")
        if n > 1 and value < -1.0 / (n - 1):
            raise InputError(
                f"toward={toward!r} is below -1/(n-1) = {-1.0 / (n - 1):.6g}; {n} assets cannot all have it"
            )
        target = np.full((n, n), value)
        np.fill_diagonal(target, 1.0)
        return target
    if names is not None and labels_of(toward, 1) is not None:
        if set(toward.columns) != set(names):
            raise InputError("toward has other names than covariance; give the same assets")
        toward = toward.loc[names, names]
    target, _ = square_matrix(toward, "toward")
    if target.shape != (n, n) or (np.abs(target) > 1.0 + 1e-12).any() or np.abs(np.diag(target) - 1.0).max() > 1e-12:
        raise InputError(f"toward has shape {target.shape}; it needs a correlation matrix of {n} assets, diagonal 1")
    return target


def _places(assets: Any, names: Any, n: int) -> list[int]:
    """Row numbers of assets; all of them for None."""
    if assets is None:
        return list(range(n))
    known = list(range(n)) if names is None else list(names)
    unknown = [asset for asset in assets if asset not in known]
    if unknown:
        raise InputError(f"{unknown[0]!r} is not one of the assets of covariance")
    return [known.index(asset) for asset in assets]


def _correlation(value: Any, name: str) -> float:
    number = finite_number(value, name)
    if not -1.0 <= number <= 1.0:
        raise InputError(f"{name}={value!r} is not between -1 and 1; a correlation is")
    return number


def _multipliers(volatility: Any, names: Any, n: int) -> Any:
    """One multiplier, or one per asset; 1 for an asset that is not named."""
    if np.ndim(volatility) == 0 and not isinstance(volatility, Mapping):
        return positive(volatility, "volatility")
    own = volatility.keys() if isinstance(volatility, Mapping) else labels_of(volatility, 0)
    if own is not None:
        factors = np.ones(n)
        factors[_places(own, names, n)] = finite_array(list(dict(volatility).values()), "volatility", ndim=1)
    else:
        factors = finite_array(volatility, "volatility", ndim=1)
    if factors.shape != (n,) or (factors <= 0.0).any():
        raise InputError(
            f"volatility has shape {factors.shape} and least {factors.min():g}; give multipliers above zero"
        )
    return factors
