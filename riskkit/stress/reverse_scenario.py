"""Reverse stress test: the most plausible scenario of a given loss, and its probability.

Under every elliptical distribution (normal, Student t) the most plausible scenario is the one nearest to the mean in
Mahalanobis distance. For a linear book it has a closed form; for a delta-gamma book it is the root of one function,
the global optimum; for other books it is found by search.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    constant,
    labels_of,
    observations,
    positive,
    refuse_other_rows,
    shown,
    single_series,
    with_labels,
)
from riskkit._excel import Exported
from riskkit._show import Row, alike, number
from riskkit.covariance import sample_covariance
from riskkit.covariance.matrices import symmetric
from riskkit.pnl import DeltaGamma, in_asset_order, scenario
from riskkit.stress.docs import documented
from riskkit.stress.elliptical import (
    Moves,
    checked_df,
    density_ratio,
    distribution_of_moves,
    exceedance_probability,
    one_sided,
)
from riskkit.stress.reverse_quadratic import Quadratic, nearest_quadratic
from riskkit.stress.reverse_search import nearest_by_search

SHOWN = 10


@dataclass(frozen=True, repr=False, eq=False)
class ReverseStress(Exported):
    """Most plausible scenario of a loss.

    Attributes
    ----------
    scenario : (n_factors,)
        Moves of the factors.
    loss : float
        Loss of the book in the scenario, money.
    distance : float
        Mahalanobis distance from the mean in standard deviations.
    density_ratio : float
        Density of the scenario over that of the mean.
    exceedance_probability : float
        Probability of moves at least as distant, in any direction.
    loss_probability : float
        Probability of at least this loss: exact for a linear book, else to first order (see `exact`).
    exact : bool
        True if `loss_probability` is exact; else the loss is linearized at the scenario.
    standardized : (n_factors,)
        Moves in standard deviations of each factor.
    contributions : (n_factors,) or None
        Contribution of each factor to the loss of a linear book, money; else None.
    alternatives : tuple[Any, ...]
        Further scenarios of the same distance, such as the mirror image for a straddle.
    df : float or None
        Degrees of freedom of the Student t; None for a normal distribution.
    method : str
        Method of the search.

    Examples
    --------
    >>> from riskkit.stress import reverse_stress
    >>> worst = reverse_stress([1_000_000.0, 500_000.0], 100_000.0, [[0.0004, 0.0001], [0.0001, 0.0001]])
    >>> worst.scenario.round(4).tolist(), round(worst.distance, 3)
    ([-0.0857, -0.0286], 4.364)
    """

    scenario: Any
    loss: float
    distance: float
    density_ratio: float
    exceedance_probability: float
    loss_probability: float
    exact: bool
    standardized: Any
    contributions: Any
    alternatives: tuple[Any, ...]
    df: float | None
    method: str

    @property
    def return_period(self) -> float:
        """Expected number of periods until the loss occurs."""
        return math.inf if self.loss_probability == 0.0 else 1.0 / self.loss_probability

    def to_frame(self) -> Any:
        """One row per factor: its move, the move in standard deviations, and its contribution to the loss."""
        import pandas as pd

        columns = {"move": self.scenario, "standardized": self.standardized, "loss": self.contributions}
        return pd.DataFrame({name: value for name, value in columns.items() if value is not None}).rename_axis("factor")

    def plot(self, ax: Any = None) -> Any:
        """Draw bars of the moves in standard deviations, the largest on top."""
        frame = self.to_frame()
        ax = plot.axes(ax, height=1.3 + 0.36 * len(frame))
        frame = frame.iloc[np.argsort(np.abs(frame["standardized"].to_numpy()), kind="stable")]
        ax.barh(plot.names_beside(ax, frame.index), frame["standardized"], color=plot.STRONG)
        ax.axvline(0.0, color=plot.INK, linewidth=0.8)
        ax.set_xlabel("move, standard deviations of the factor")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        return f"Most plausible way to lose {number(float(self.loss)).removesuffix('.00')}"

    def _rows(self) -> list[Row]:
        distribution = "normal" if self.df is None else f"Student t, df {self.df:.4g}"
        rows: list[Row] = [
            ("distance", self.distance, "standard deviations"),
            ("probability of the loss", self.loss_probability, distribution + ("" if self.exact else ", first order")),
            ("expected once in", _readable(self.return_period), "periods"),
            ("moves at least as far", self.exceedance_probability, "probability"),
            ("method", self.method, ""),
        ]
        rows += self._moves()
        if self.alternatives:
            rows.append(("as plausible", len(self.alternatives), "other scenarios"))
        return rows

    def _moves(self) -> Iterator[Row]:
        """Factors with the largest losses, or moves without losses by factor; factors without a position in one row."""
        frame = self.to_frame()
        exposed = frame[frame["loss"] != 0.0] if "loss" in frame else frame
        size = exposed["loss"].to_numpy() if "loss" in frame else np.abs(exposed["standardized"].to_numpy())
        first = exposed.iloc[np.argsort(-size, kind="stable")[:SHOWN]]
        losses = [""] * len(first)
        if "loss" in frame:
            words = np.where(first["loss"] < 0.0, "gains", "loses")
            losses = [f", {word} {text}" for word, text in zip(words, alike(first["loss"].abs()), strict=True)]
        for name, move, spreads, part in zip(
            first.index, alike(first["move"]), first["standardized"], losses, strict=True
        ):
            yield f"- {name}", move, f"{spreads:+.2f} sd{part}"
        if len(exposed) > SHOWN:
            yield f"- {len(exposed) - SHOWN} more", "", ""
        if len(exposed) < len(frame):
            yield f"- {len(frame) - len(exposed)} without position", "", "correlated moves, no loss"


@documented
def reverse_stress(
    book: Any,
    loss: float,
    covariance: Any,
    *,
    mean: Any = None,
    df: float | None = None,
    max_distance: float = 10.0,
    n_directions: int = 64,
) -> ReverseStress:
    """Reverse stress test: the most plausible scenario in which a book loses a given amount.

    Parameters
    ----------
    book : positions, DeltaGamma, or callable
        Positions in money, (n_factors,); sensitivities; or ``revalue(scenarios)`` that returns the P&L of every row. For
        P&L see `reverse_stress_pnl`.
    loss : float
        Loss in money, positive, above the loss of the mean scenario.
    covariance : (n_factors, n_factors)
        Covariance of the moves over the horizon, positive semidefinite; matched by name with the book.
    max_distance : float
        Limit of the search for a callable, in standard deviations.
    n_directions : int
        Number of quasi-random search directions for a callable, besides each factor and the steepest one.

    Returns
    -------
    ReverseStress
        `scenario`, `distance`, `loss_probability` and more. For a callable it is the best local optimum from the
        nearest of all directions, which may not be the global one.

    Raises
    ------
    InputError
        NaN, a loss that is not above that of the mean scenario, a loss that the book cannot reach, an invalid
        covariance matrix, names that do not match.

    References
    ----------
    Studer (1997), Maximum Loss for Measurement of Market Risk, ETH Zurich, chapters 3-4 (linear and quadratic books).
    Breuer, Jandacka, Rheinberger and Summer (2009), How to Find Plausible, Severe and Useful Stress Scenarios,
    International Journal of Central Banking 5(3), 205-224. Hasofer and Lind (1974), Exact and Invariant
    Second-Moment Code Format, J. Engineering Mechanics 100 (nearest point and first-order probability).

    Examples
    --------
    >>> covariance = [[0.0004, 0.0001], [0.0001, 0.0001]]
    >>> reverse_stress([1_000_000.0, 500_000.0], 100_000.0, covariance)
    Most plausible way to lose 100,000
    ---------------------------------------------------------------------
    distance                             4.36436 standard deviations
    probability of the loss           6.3748e-06 normal
    expected once in                     156,867 periods
    moves at least as far             7.3091e-05 probability
    method                   linear, closed form
    - 0                               -0.0857143 -4.29 sd, loses 85,714.3
    - 1                               -0.0285714 -2.86 sd, loses 14,285.7
    """
    distribution, df, target = distribution_of_moves(covariance, mean), checked_df(df), positive(loss, "loss")
    at_mean = -_pnl(book, distribution.mean[None, :], distribution)[0]
    if at_mean >= target:
        raise InputError(f"loss={shown(loss)} is not above {at_mean:g}, the loss in the mean scenario")
    contributions, method = None, "search"
    if isinstance(book, DeltaGamma):
        points, method = nearest_quadratic(_quadratic(book, distribution), target), "delta-gamma, exact"
    elif callable(book):
        points = nearest_by_search(
            lambda moves: -_pnl(book, distribution.mean + moves @ distribution.root.T, distribution),
            distribution.rank,
            target,
            max_distance,
            n_directions,
        )
    else:
        positions = _pnl(book, np.eye(len(distribution.mean)), distribution)  # P&L of a move of 1 in each factor
        gradient = distribution.root.T @ positions
        variance = float(gradient @ gradient)
        if variance <= (1e-14 * float(np.abs(positions) @ np.sqrt(np.diag(distribution.covariance)))) ** 2:
            raise InputError("book has no risk under this covariance; it cannot lose more than in the mean scenario")
        points, method = [-gradient * (target - at_mean) / variance], "linear, closed form"
        contributions = with_labels(
            -positions * (distribution.mean + distribution.root @ points[0]), distribution.labels
        )
    return _result(points, book, distribution, df, method, contributions)


@documented
def reverse_stress_pnl(pnl: Any, factors: Any, loss: float, *, df: float | None = None) -> ReverseStress:
    """Reverse stress test of P&L: the most plausible moves of factors behind a given loss.

    Parameters
    ----------
    pnl : (n_obs,)
        P&L of the book per period or scenario, money, gains positive.
    factors : (n_obs, n_factors)
        Moves of the factors in the same periods.
    loss : float
        Loss in money, positive, above the mean loss.

    Returns
    -------
    ReverseStress
        `scenario` is the expectation of the factors given the loss, m + Cov(x, P&L) (-loss - mean P&L) / Var(P&L),
        with sample moments. `contributions` is None, and `distance` is that of the P&L.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 6.3 (conditional expectation of
    elliptical distributions). Breuer, Jandacka, Rheinberger and Summer (2009), as in `reverse_stress`.

    Examples
    --------
    >>> pnl, factors = [2.0, -1.0, -3.0, 2.0], [[0.02, 0.0], [-0.01, 0.0], [-0.03, 0.01], [0.02, -0.01]]
    >>> answer = reverse_stress_pnl(pnl, factors, 6.0)
    >>> answer.scenario.round(6).tolist(), round(answer.distance, 6)
    ([-0.06, 0.016667], 2.44949)
    """
    df, target = checked_df(df), positive(loss, "loss")
    series, moves = single_series(pnl, "pnl", min_obs=2), observations(factors, "factors", min_obs=2)
    moves = moves[:, None] if moves.ndim == 1 else moves
    refuse_other_rows(pnl, "pnl", factors, "factors")
    joint = sample_covariance(np.column_stack([moves, series]))
    variance, centre = float(joint[-1, -1]), float(series.mean())
    if variance == 0.0 or constant(series):
        raise InputError("pnl is constant; no move of the factors explains it")
    if -centre >= target:
        raise InputError(f"loss={shown(loss)} is not above {-centre:g}, the mean loss")
    rank = distribution_of_moves(joint).rank
    mean = moves.mean(axis=0)
    scenario = mean + joint[:-1, -1] * (-target - centre) / variance
    spread = np.sqrt(np.diag(joint)[:-1])
    distance = (target + centre) / math.sqrt(variance)
    labels = labels_of(factors, 1)
    return ReverseStress(
        scenario=with_labels(scenario, labels),
        loss=target,
        distance=distance,
        density_ratio=density_ratio(distance, rank, df),
        exceedance_probability=exceedance_probability(distance, rank, df),
        loss_probability=one_sided(distance, df),
        exact=True,
        standardized=with_labels(_over(scenario - mean, spread), labels),
        contributions=None,
        alternatives=(),
        df=df,
        method="conditional expectation given the P&L",
    )


def _result(
    points: list[np.ndarray], book: Any, distribution: Moves, df: float | None, method: str, contributions: Any
) -> ReverseStress:
    """The nearest point in the units of the factors, and its probabilities."""
    moves = [distribution.mean + distribution.root @ point for point in points]
    distance = float(np.linalg.norm(points[0]))
    spread = np.sqrt(np.diag(distribution.covariance))
    return ReverseStress(
        scenario=with_labels(moves[0], distribution.labels),
        loss=-float(_pnl(book, moves[0][None, :], distribution)[0]),
        distance=distance,
        density_ratio=density_ratio(distance, distribution.rank, df),
        exceedance_probability=exceedance_probability(distance, distribution.rank, df),
        loss_probability=one_sided(distance, df),
        exact=method.startswith("linear"),
        standardized=with_labels(_over(moves[0] - distribution.mean, spread), distribution.labels),
        contributions=contributions,
        alternatives=tuple(with_labels(other, distribution.labels) for other in moves[1:]),
        df=df,
        method=method,
    )


def _pnl(book: Any, moves: np.ndarray, distribution: Moves) -> np.ndarray:
    """P&L of the book for moves given as rows, with the names of the factors if any."""
    pnl = np.asarray(
        scenario(book, moves if distribution.labels is None else with_labels(moves, None, distribution.labels))
    )
    if pnl.ndim != 1:
        raise InputError(f"book has P&L of shape {pnl.shape} for {len(moves)} scenarios; give one book at a time")
    return pnl


def _quadratic(book: DeltaGamma, distribution: Moves) -> Quadratic:
    """The book in independent moves of unit variance about the mean."""
    delta = np.asarray(in_asset_order(book.delta, distribution.labels, "delta"), dtype=float)
    gamma = book.gamma
    for axis in range(np.ndim(gamma)):
        gamma = in_asset_order(gamma, distribution.labels, "gamma", axis)
    matrix = np.asarray(gamma, dtype=float)
    matrix = np.diag(matrix) if matrix.ndim == 1 else symmetric(matrix)
    return Quadratic(
        level=float(_pnl(book, distribution.mean[None, :], distribution)[0]),
        slope=distribution.root.T @ (delta + matrix @ distribution.mean),
        curvature=symmetric(distribution.root.T @ matrix @ distribution.root),
    )


def _readable(periods: float) -> str:
    """Format a return period."""
    if periods > 1e9:
        return "over a billion"
    if periods >= 1e6:
        return f"{periods / 1e6:.3g} million"
    return f"{periods:,.0f}" if periods >= 100.0 else f"{periods:.3g}"


def _over(moves: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Moves in standard deviations; 0 for a constant factor."""
    return np.asarray(np.divide(moves, spread, out=np.zeros_like(moves), where=spread > 0.0))
