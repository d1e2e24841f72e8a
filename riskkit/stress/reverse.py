"""Reverse stress: of all scenarios that cost a given loss, the most plausible one, and how likely it is.

Under every elliptical law (normal, Student t) the most plausible scenario is the one nearest to the mean in Mahalanobis
distance. A linear book has it in closed form; a delta-gamma book by one root, the global optimum; any other
book by search.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of, positive, returns_array, with_labels
from riskkit._show import Row, Shown, alike
from riskkit.covariance import sample_covariance
from riskkit.covariance.matrices import symmetric
from riskkit.pnl import DeltaGamma, in_asset_order, scenario_pnl
from riskkit.stress.plausibility import Law, beyond, degrees_of_freedom, density_ratio, law_of_moves, one_sided
from riskkit.stress.reverse_quadratic import Quadratic, nearest_quadratic
from riskkit.stress.reverse_search import nearest_by_search

__all__ = ["ReverseStress", "reverse_stress", "reverse_stress_pnl"]

SHOWN = 10


@dataclass(frozen=True, repr=False, eq=False)
class ReverseStress(Shown):
    """The most plausible scenario of a loss.

    Attributes
    ----------
    scenario : (n_factors,)
        Moves.
    loss : float
        What the book loses in it, money.
    distance : float
        Standard deviations from the mean, correlations counted (Mahalanobis).
    density_ratio : float
        Density of the scenario over that of the mean.
    beyond : float
        Probability that moves lie at least as far out, in whatever direction.
    loss_probability : float
        Probability of this loss or more: exact for a linear book, otherwise to first order (see `exact`).
    exact : bool
        Whether `loss_probability` is exact under the law; else the loss is taken to be linear beyond the scenario.
    standardised : (n_factors,)
        Moves in standard deviations of each factor by itself.
    contributions : (n_factors,)
        What each factor adds to the loss, for a linear book; else None.
    alternatives : tuple[Any, ...]
        Other scenarios as plausible as this one, such as the mirror image for a straddle.
    nu : float or None
        Degrees of freedom of the t; None for a normal law.
    method : str
        How it was found.

    Examples
    --------
    >>> from riskkit import reverse_stress
    >>> worst = reverse_stress([1_000_000.0, 500_000.0], 100_000.0, [[0.0004, 0.0001], [0.0001, 0.0001]])
    >>> worst.scenario.round(4).tolist(), round(worst.distance, 3)
    ([-0.0857, -0.0286], 4.364)
    """

    scenario: Any
    loss: float
    distance: float
    density_ratio: float
    beyond: float
    loss_probability: float
    exact: bool
    standardised: Any
    contributions: Any
    alternatives: tuple[Any, ...]
    nu: float | None
    method: str

    @property
    def return_period(self) -> float:
        """Periods in which the loss is expected once."""
        return math.inf if self.loss_probability == 0.0 else 1.0 / self.loss_probability

    def to_frame(self) -> Any:
        """One row a factor: its move, the move in standard deviations, and what it adds to the loss."""
        import pandas as pd

        columns = {"move": self.scenario, "standardised": self.standardised, "loss": self.contributions}
        return pd.DataFrame({name: value for name, value in columns.items() if value is not None}).rename_axis("factor")

    def plot(self, ax: Any = None) -> Any:
        """Bars of the moves in standard deviations, the largest on top."""
        frame = self.to_frame()
        ax = plot.axes(ax, height=1.3 + 0.36 * len(frame))
        frame = frame.iloc[np.argsort(np.abs(frame["standardised"].to_numpy()), kind="stable")]
        ax.barh([str(name) for name in frame.index], frame["standardised"], color=plot.STRONG)
        ax.axvline(0.0, color=plot.INK, linewidth=0.8)
        ax.set_xlabel("move, standard deviations of the factor")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        return f"Most plausible way to lose {self.loss:,.6g}"

    def _rows(self) -> list[Row]:
        law = "normal" if self.nu is None else f"Student t, nu {self.nu:.4g}"
        rows: list[Row] = [
            ("distance", self.distance, "standard deviations"),
            ("probability of the loss", self.loss_probability, law + ("" if self.exact else ", first order")),
            ("expected once in", _readable(self.return_period), "periods"),
            ("moves at least as far", self.beyond, "probability"),
            ("method", self.method, ""),
        ]
        rows += self._moves()
        if self.alternatives:
            rows.append(("as plausible", len(self.alternatives), "other scenarios"))
        return rows

    def _moves(self) -> Iterator[Row]:
        """The factors that lose most, or move most where losses are not known by factor; those not held in one row."""
        frame = self.to_frame()
        held = frame[frame["loss"] != 0.0] if "loss" in frame else frame
        by = held["loss"].to_numpy() if "loss" in frame else np.abs(held["standardised"].to_numpy())
        first = held.iloc[np.argsort(-by, kind="stable")[:SHOWN]]
        losses = [f", loses {text}" for text in alike(first["loss"])] if "loss" in frame else [""] * len(first)
        for name, move, spreads, part in zip(
            first.index, alike(first["move"]), first["standardised"], losses, strict=True
        ):
            yield f"- {name}", move, f"{spreads:+.2f} sd{part}"
        if len(held) > SHOWN:
            yield f"- {len(held) - SHOWN} more", "", ""
        if len(held) < len(frame):
            yield f"- {len(frame) - len(held)} not held", "", "move with them, lose nothing"


def reverse_stress(
    book: Any,
    loss: float,
    covariance: Any,
    *,
    mean: Any = None,
    nu: float | None = None,
    max_distance: float = 10.0,
    n_directions: int = 64,
) -> ReverseStress:
    """Find the most plausible scenario in which a book loses a given amount.

    Parameters
    ----------
    book : positions, DeltaGamma, or callable
        Money held, (n_factors,); sensitivities; or ``revalue(scenarios)`` that returns the P&L of every row. For ready
        P&L see `reverse_stress_pnl`.
    loss : float
        Money, positive; more than the book loses at the mean.
    covariance : (n_factors, n_factors)
        Of the moves over the horizon in question, positive semidefinite; names match those of the book.
    mean : (n_factors,), optional
        Mean moves; zero by default.
    nu : float, optional
        Multivariate Student t with these degrees of freedom, above 2, and this covariance; without it normal. The
        scenario is the same, its likelihood is not.
    max_distance : float
        Of a function: how many standard deviations out to search.
    n_directions : int
        Of a function: quasi-random directions to search along, besides each factor and the steepest one.

    Returns
    -------
    ReverseStress
        `scenario`, `distance`, `loss_probability` and more. For a function the best optimum found, from the nearest of
        all directions tried: local search cannot promise that there is no nearer one.

    Raises
    ------
    InputError
        NaN, a loss that the mean scenario already costs, a loss that the book cannot reach, a matrix that is no
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
    law, degrees, wanted = law_of_moves(covariance, mean), degrees_of_freedom(nu), positive(loss, "loss")
    at_mean = -_pnl(book, law.mean[None, :], law)[0]
    if at_mean >= wanted:
        raise InputError(f"loss={loss!r} is not above {at_mean:g}, what the book loses in the mean scenario")
    contributions, method = None, "search"
    if isinstance(book, DeltaGamma):
        points, method = nearest_quadratic(_quadratic(book, law), wanted), "delta-gamma, exact"
    elif callable(book):
        points = nearest_by_search(
            lambda moves: -_pnl(book, law.mean + moves @ law.root.T, law), law.rank, wanted, max_distance, n_directions
        )
    else:
        positions = _pnl(book, np.eye(len(law.mean)), law)  # P&L of a move of 1 in each factor
        gradient = law.root.T @ positions
        variance = float(gradient @ gradient)
        if variance <= (1e-14 * float(np.abs(positions) @ np.sqrt(np.diag(law.covariance)))) ** 2:
            raise InputError("book has no risk under this covariance; it cannot lose more than in the mean scenario")
        points, method = [-gradient * (wanted - at_mean) / variance], "linear, closed form"
        contributions = with_labels(-positions * (law.mean + law.root @ points[0]), law.labels)
    return _result(points, book, law, degrees, method, contributions)


def reverse_stress_pnl(pnl: Any, factors: Any, loss: float, *, nu: float | None = None) -> ReverseStress:
    """Find the most plausible moves of factors behind a loss of ready P&L.

    Parameters
    ----------
    pnl : (n_obs,)
        P&L per period or scenario, gains positive; all that is known of the book.
    factors : (n_obs, n_factors)
        Moves of the factors in the same periods.
    loss : float
        Money, positive; more than the mean loss.
    nu : float, optional
        As in `reverse_stress`.

    Returns
    -------
    ReverseStress
        `scenario` is the expectation of the factors given the loss, m + Cov(x, P&L) (-loss - mean P&L) / Var(P&L),
        with sample moments. P&L that the factors do not explain stays unexplained: `contributions` is None, and
        `distance` is that of the P&L itself.

    Raises
    ------
    InputError
        NaN, other periods on the two sides, P&L without variance, a loss not above the mean loss.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 6.3 (conditional expectation of
    elliptical laws). Breuer, Jandacka, Rheinberger and Summer (2009), as in `reverse_stress`.

    Examples
    --------
    >>> pnl, factors = [2.0, -1.0, -3.0, 2.0], [[0.02, 0.0], [-0.01, 0.0], [-0.03, 0.01], [0.02, -0.01]]
    >>> answer = reverse_stress_pnl(pnl, factors, 6.0)
    >>> answer.scenario.round(6).tolist(), round(answer.distance, 6)
    ([-0.06, 0.016667], 2.44949)
    """
    degrees, wanted = degrees_of_freedom(nu), positive(loss, "loss")
    series, moves = returns_array(pnl, "pnl", min_obs=2), returns_array(factors, "factors", min_obs=2)
    moves = moves[:, None] if moves.ndim == 1 else moves
    rows, own = labels_of(pnl, 0), labels_of(factors, 0)
    if series.ndim != 1 or len(series) != len(moves) or not (rows is None or own is None or rows.equals(own)):
        raise InputError(f"pnl has shape {series.shape} and factors {moves.shape}; give one P&L for every row")
    joint = sample_covariance(np.column_stack([moves, series]))
    variance, centre = float(joint[-1, -1]), float(series.mean())
    if variance == 0.0 or np.ptp(series) == 0.0:
        raise InputError("pnl is constant; no move of the factors is behind it")
    if -centre >= wanted:
        raise InputError(f"loss={loss!r} is not above {-centre:g}, the mean loss")
    rank = law_of_moves(joint).rank
    mean = moves.mean(axis=0)
    scenario = mean + joint[:-1, -1] * (-wanted - centre) / variance
    spread = np.sqrt(np.diag(joint)[:-1])
    distance = (wanted + centre) / math.sqrt(variance)
    labels = labels_of(factors, 1)
    return ReverseStress(
        scenario=with_labels(scenario, labels),
        loss=wanted,
        distance=distance,
        density_ratio=density_ratio(distance, rank, degrees),
        beyond=beyond(distance, rank, degrees),
        loss_probability=one_sided(distance, degrees),
        exact=True,
        standardised=with_labels(_over(scenario - mean, spread), labels),
        contributions=None,
        alternatives=(),
        nu=degrees,
        method="conditional expectation given the P&L",
    )


def _result(
    points: list[np.ndarray], book: Any, law: Law, nu: float | None, method: str, contributions: Any
) -> ReverseStress:
    """The nearest point in the units of the factors, and its likelihood."""
    moves = [law.mean + law.root @ point for point in points]
    distance = float(np.linalg.norm(points[0]))
    spread = np.sqrt(np.diag(law.covariance))
    return ReverseStress(
        scenario=with_labels(moves[0], law.labels),
        loss=-float(_pnl(book, moves[0][None, :], law)[0]),
        distance=distance,
        density_ratio=density_ratio(distance, law.rank, nu),
        beyond=beyond(distance, law.rank, nu),
        loss_probability=one_sided(distance, nu),
        exact=method.startswith("linear"),
        standardised=with_labels(_over(moves[0] - law.mean, spread), law.labels),
        contributions=contributions,
        alternatives=tuple(with_labels(other, law.labels) for other in moves[1:]),
        nu=nu,
        method=method,
    )


def _pnl(book: Any, moves: np.ndarray, law: Law) -> np.ndarray:
    """P&L of the book for moves given as rows, with the names of the factors where they have some."""
    pnl = np.asarray(scenario_pnl(book, moves if law.labels is None else with_labels(moves, None, law.labels)))
    if pnl.ndim != 1:
        raise InputError(f"book has P&L of shape {pnl.shape} for {len(moves)} scenarios; give one book at a time")
    return pnl


def _quadratic(book: DeltaGamma, law: Law) -> Quadratic:
    """The book in independent moves of unit variance about the mean."""
    delta = np.asarray(in_asset_order(book.delta, law.labels, "delta"), dtype=float)
    gamma = book.gamma
    for axis in range(np.ndim(gamma)):
        gamma = in_asset_order(gamma, law.labels, "gamma", axis)
    matrix = np.asarray(gamma, dtype=float)
    matrix = np.diag(matrix) if matrix.ndim == 1 else symmetric(matrix)
    return Quadratic(
        level=float(_pnl(book, law.mean[None, :], law)[0]),
        slope=law.root.T @ (delta + matrix @ law.mean),
        curvature=symmetric(law.root.T @ matrix @ law.root),
    )


def _readable(periods: float) -> str:
    """A return period as one says it."""
    if periods > 1e9:
        return "over a billion"
    if periods >= 1e6:
        return f"{periods / 1e6:.3g} million"
    return f"{periods:,.0f}" if periods >= 100.0 else f"{periods:.3g}"


def _over(moves: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Moves in standard deviations; 0 for a factor that has none."""
    return np.divide(moves, spread, out=np.zeros_like(moves), where=spread > 0.0)
