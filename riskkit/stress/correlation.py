"""Stressed covariance: correlations moved towards a target and volatilities multiplied, positive semidefinite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, as_pandas, finite_array, finite_number, labels_of, positive, shown, with_labels
from riskkit._excel import Exported
from riskkit._plain import mapping_of
from riskkit._show import Row
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.attribution import portfolio
from riskkit.covariance import MatrixRepair, nearest_correlation
from riskkit.covariance.matrices import changes_by_pair, correlations_and_volatilities, square_matrix
from riskkit.stress.docs import documented


@dataclass(frozen=True, repr=False, eq=False)
class CovarianceStress(Exported):
    """Covariance matrix before and after stress, with the labels of the input.

    Attributes
    ----------
    covariance : (n_assets, n_assets)
        Covariance after stress, positive semidefinite.
    original : (n_assets, n_assets)
        Covariance before stress.
    repair : MatrixRepair
        Repair of the requested correlations to valid ones.

    Examples
    --------
    >>> from riskkit.stress import stress_covariance
    >>> stress = stress_covariance([[0.04, 0.004], [0.004, 0.01]], volatility_multiplier=2.0, toward=1.0, strength=0.5)
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

    @property
    def _before(self) -> Any:
        """Correlations before the stress."""
        matrix, names = square_matrix(self.original, "original")
        return with_labels(correlations_and_volatilities(matrix, names)[0], names, names)

    def compare(self, positions: Any, confidence: float = DEFAULT_CONFIDENCE, *, z: float | None = None) -> Any:
        """Normal VaR of a book before and after stress: a Series with `before`, `after` and their `ratio`.

        Parameters as in `riskkit.attribution.portfolio`.
        """
        import pandas as pd

        before, after = (portfolio(positions, m, confidence, z=z) for m in (self.original, self.covariance))
        return pd.Series({"before": before, "after": after, "ratio": after / before if before > 0.0 else np.nan})

    def to_frame(self) -> Any:
        """One row per pair of assets: correlation before and after, the largest change first."""
        return changes_by_pair(self._before, self.correlation, diagonal=False)

    def plot(self, ax: Any = None) -> Any:
        """Draw correlations after over before stress, one point per pair."""
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
        moving = before > 0.0
        rows: list[Row] = [("volatility, mean ratio", float((after[moving] / before[moving]).mean()), "after / before")]
        if len(before) > 1:
            pairs = self.to_frame()
            rows += [
                ("mean correlation before", float(pairs["before"].mean()), ""),
                ("mean correlation after", float(pairs["after"].mean()), ""),
            ]
        rows.append(("lowest eigenvalue requested", self.repair.min_eigenvalue_before, "of the correlations"))
        if self.repair.changed:
            rows.append(("largest repair", self.repair.largest_change, "of a correlation, to be positive semidefinite"))
        return rows


@documented
def stress_covariance(
    covariance: Any,
    *,
    volatility_multiplier: Any = 1.0,
    toward: Any = None,
    strength: float = 1.0,
    among: Sequence[Any] | None = None,
    pairs: Mapping[tuple[Any, Any], float] | None = None,
) -> CovarianceStress:
    """Covariance matrix with stressed correlations and volatilities.

    Parameters
    ----------
    covariance : (n_assets, n_assets)
        Covariance before stress, positive semidefinite. An asset without variance keeps its zeros.
    volatility_multiplier : float, or (n_assets,) Series, mapping or array
        Multipliers of the volatilities, above zero; 1 for an asset that a mapping or Series does not name.
    toward : float or (n_assets, n_assets), optional
        Target of the correlations: one for all pairs, from -1/(n-1) to 1, or a correlation matrix.
    strength : float
        Fraction of the move to the target, from 0 to 1: (1 - strength) × current + strength × target.
    among : sequence of labels, optional
        Assets whose mutual correlations move (row numbers without labels); all by default.
    pairs : mapping, optional
        Correlations of single pairs, {(asset, other): correlation}, set after the move.

    Returns
    -------
    CovarianceStress
        `covariance`, `correlation`, and `repair`: requested correlations that are not positive semidefinite are
        replaced by the nearest correlation matrix, and `repair` lists the changes.

    References
    ----------
    Kupiec (1998), Stress Testing in a Value at Risk Framework, Journal of Derivatives 6(1), 7-24. Rebonato and Jaeckel
    (1999), The most general methodology to create a valid correlation matrix. Higham (2002), Computing the nearest
    correlation matrix, IMA J. Numerical Analysis 22, algorithm 3.3.

    Examples
    --------
    >>> stress = stress_covariance([[0.04, 0.004], [0.004, 0.01]], volatility_multiplier=2.0, toward=1.0, strength=0.5)
    >>> stress.covariance.round(6).tolist()
    [[0.16, 0.048], [0.048, 0.04]]
    >>> stress.compare([100.0, 100.0], confidence=0.95, z=1.65).round(2).to_dict()
    {'before': 39.74, 'after': 89.77, 'ratio': 2.26}
    """
    matrix, names = square_matrix(covariance, "covariance")
    correlation, sigma = correlations_and_volatilities(matrix, names)
    if matrix[sigma == 0.0].any():
        i, j = map(int, np.argwhere((matrix != 0.0) & (sigma == 0.0)[:, None])[0])
        raise InputError(
            f"covariance gives asset {_named(names, i)} the variance 0 and the covariance {matrix[i, j]:g} with "
            f"{_named(names, j)}; nearest_covariance repairs it"
        )
    requested = correlation.copy()
    if toward is not None:
        moved = [row for row in _rows(among, names, len(matrix)) if sigma[row] > 0.0]
        requested = _blended(correlation, _target(toward, names, len(matrix)), strength, moved)
    for pair, value in mapping_of(pairs, "pairs").items():
        i, j = _rows(pair, names, len(matrix))
        if i == j:
            raise InputError(f"pairs sets the correlation of {pair[0]!r} with itself, which is 1")
        if sigma[i] == 0.0 or sigma[j] == 0.0:
            still = pair[0] if sigma[i] == 0.0 else pair[1]
            raise InputError(f"pairs sets a correlation of {still!r}, which has the variance 0 and none")
        requested[i, j] = requested[j, i] = _correlation(value, f"pairs[{pair!r}]")
    repair = nearest_correlation(with_labels(requested, names, names))
    scaled = sigma * _multipliers(volatility_multiplier, names, len(matrix))
    stressed = np.asarray(repair.matrix) * np.outer(scaled, scaled)
    return CovarianceStress(
        covariance=with_labels(stressed, names, names),
        original=with_labels(matrix.copy(), names, names),
        repair=repair,
    )


def _blended(correlation: np.ndarray, target: np.ndarray, strength: float, rows: list[int]) -> np.ndarray:
    """Correlations with those among `rows` moved towards the target."""
    fraction = positive(strength, "strength", zero=True)
    if fraction > 1.0:
        raise InputError(f"strength={shown(strength)} is above 1; 0 leaves correlations, 1 sets them to the target")
    block = np.ix_(rows, rows)
    blended = correlation.copy()
    blended[block] = (1.0 - fraction) * correlation[block] + fraction * target[block]
    np.fill_diagonal(blended, 1.0)
    return blended


def _target(toward: Any, names: Any, n: int) -> np.ndarray:
    """The target correlation matrix of one correlation for all pairs, or of a matrix."""
    if np.ndim(toward) == 0:
        value = _correlation(toward, "toward")
        if n > 1 and value < -1.0 / (n - 1):
            raise InputError(
                f"toward={shown(toward)} is below -1/(n-1) = {-1.0 / (n - 1):.6g}; {n} assets cannot all have this correlation"
            )
        target = np.full((n, n), value)
        np.fill_diagonal(target, 1.0)
        return target
    toward = as_pandas(toward)
    if names is not None and labels_of(toward, 1) is not None:
        if set(toward.columns) != set(names):
            raise InputError("toward has other names than covariance; give the same assets")
        toward = toward.loc[names, names]
    target, _ = square_matrix(toward, "toward")
    if target.shape != (n, n) or (np.abs(target) > 1.0 + 1e-12).any() or np.abs(np.diag(target) - 1.0).max() > 1e-12:
        raise InputError(f"toward has shape {target.shape}; it needs a correlation matrix of {n} assets, diagonal 1")
    return target


def _rows(assets: Any, names: Any, n: int) -> list[int]:
    """Row numbers of assets; all rows for None."""
    if assets is None:
        return list(range(n))
    known = list(range(n)) if names is None else list(names)
    unknown = [asset for asset in assets if asset not in known]
    if unknown:
        raise InputError(f"{unknown[0]!r} is not one of the assets of covariance")
    return [known.index(asset) for asset in assets]


def _named(names: Any, row: int) -> str:
    return str(row) if names is None else repr(names[row])


def _correlation(value: Any, name: str) -> float:
    number = finite_number(value, name)
    if not -1.0 <= number <= 1.0:
        raise InputError(f"{name}={shown(value)} is not between -1 and 1; a correlation is")
    return number


def _multipliers(values: Any, names: Any, n: int) -> Any:
    """One multiplier, or one per asset; 1 for an unnamed asset."""
    name = "volatility_multiplier"
    if np.ndim(values) == 0 and not isinstance(values, Mapping):
        return positive(values, name)
    labels = values.keys() if isinstance(values, Mapping) else labels_of(values, 0)
    if labels is not None:
        factors = np.ones(n)
        factors[_rows(labels, names, n)] = finite_array(list(dict(values).values()), name, ndim=1)
    else:
        factors = finite_array(values, name, ndim=1)
    if factors.shape != (n,) or (factors <= 0.0).any():
        raise InputError(
            f"{name} has shape {factors.shape} and minimum {factors.min():g}; give one multiplier above zero per asset"
        )
    return factors
