"""Margins of a copula: distributions of single returns, smoothed or parametric, as functions of a normal score."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import (
    InputError,
    constant,
    finite_array,
    finite_number,
    one_of,
    returns_array,
    shown,
    single_series,
)
from riskkit._show import Row, Shown, worded
from riskkit._types import ReturnsLike
from riskkit.var._student_t_fit import fit_columns
from riskkit.var.parametric.generalized_pareto import MIN_EXCESSES, fit_excesses

MarginMethod = Literal["kernel", "pareto", "normal", "student_t"]
GRID, REACH = 1_000, 8.0
"""Points at which a kernel margin is tabulated, and bandwidths beyond the extremes up to which."""
SMALLEST = 2.0**-60
"""Smallest probability of either tail."""


@dataclass(frozen=True, repr=False, eq=False)
class Margin(Shown):
    """Fitted distribution of the returns of one asset.

    Attributes
    ----------
    method : {"kernel", "pareto", "normal", "student_t"}
        The method.
    n_obs : int
        Number of returns.
    parameters : dict[str, float]
        By name, in the unit of the returns: bandwidth; threshold, scale and shape of each tail; mean and sd; location, scale and
        df.

    Examples
    --------
    >>> from riskkit.montecarlo import fit_margin
    >>> margin = fit_margin([-0.02, -0.01, 0.0, 0.01, 0.02], "normal")
    >>> margin.ppf([0.01, 0.5]).round(4).tolist(), round(float(margin.cdf(0.0)), 2)
    ([-0.0368, 0.0], 0.5)
    """

    method: MarginMethod
    n_obs: int
    parameters: dict[str, float]

    def ppf(self, probability: Any) -> np.ndarray:
        """Quantiles, in the unit of the returns.

        Parameters
        ----------
        probability : float or array
            Strictly between 0 and 1.
        """
        from scipy.special import ndtri

        levels = finite_array(probability, "probability")
        if levels.min() <= 0.0 or levels.max() >= 1.0:
            raise InputError(f"probability holds {levels[(levels <= 0) | (levels >= 1)][0]:g}; give it between 0 and 1")
        return self.at_scores(ndtri(levels).ravel()).reshape(levels.shape)

    def cdf(self, returns: Any) -> np.ndarray:
        """Probability of a return of at most this size.

        Parameters
        ----------
        returns : float or array
            In the unit of the returns that were fitted.
        """
        from scipy.special import ndtr

        values = finite_array(returns, "returns")
        return ndtr(self.scores(values.ravel())).reshape(values.shape)

    @abstractmethod
    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        """Quantiles at the probabilities of normal scores, which are exact in both tails."""

    @abstractmethod
    def scores(self, values: np.ndarray) -> np.ndarray:
        """Normal scores of the probabilities of values."""

    def _title(self) -> str:
        return f"Margin ({worded(self.method)}) of {self.n_obs:,} returns"

    def _rows(self) -> list[Row]:
        return [(name, value, "") for name, value in self.parameters.items()]


def fit_margin(returns: ReturnsLike, method: MarginMethod = "pareto", *, tail_fraction: float = 0.1) -> Margin:
    """Fit a smooth distribution to the returns of one asset, as a margin of `GaussianCopula` or `StudentTCopula`.

    Parameters
    ----------
    returns : (n_obs,)
        Returns or P&L over the horizon of the simulation.
    method : {"kernel", "pareto", "normal", "student_t"}
        "kernel": normal kernel, with the bandwidth (4 / n)^(1/3) × min(sd, interquartile range / 1.349) that is best for the
        distribution function of normal returns. "pareto": the observed returns, joined by lines, with generalized Pareto tails
        on either side. Or a normal or Student t law, the latter by maximum likelihood.
    tail_fraction : float
        Fraction of the returns in each of the tails of "pareto", a fraction below 1/2.

    Returns
    -------
    Margin
        `ppf`, `cdf` and `parameters`.

    Raises
    ------
    InputError
        NaN, infinity, constant returns, a fraction out of range, fewer than five returns in a tail, or a third of the returns
        equal (Student t).

    References
    ----------
    Azzalini (1981), A note on the estimation of a distribution function and quantiles by a kernel method, Biometrika 68, 326-328.
    McNeil and Frey (2000), Estimation of tail-related risk measures for heteroscedastic financial time series, J. Empirical
    Finance 7, 271-300 (Pareto tails).

    Examples
    --------
    >>> margin = fit_margin(0.01 * np.random.default_rng(1).standard_t(4, 2000))
    >>> round(margin.parameters["lower_shape"], 2), round(float(margin.ppf(0.001)), 3)
    (0.31, -0.089)
    """
    array = single_series(returns, "returns", min_obs=2)
    returns_array(array)
    one_of(method, get_args(MarginMethod), "method")
    if not 0.0 < finite_number(tail_fraction, "tail_fraction") < 0.5:
        raise InputError(f"tail_fraction={shown(tail_fraction)} is not between 0 and 0.5; 0.1 is a tenth in each tail")
    if constant(array):
        raise InputError("returns is constant; there is no distribution to fit")
    if method == "kernel":
        return _kernel(array)
    if method == "pareto":
        return _pareto(np.sort(array), tail_fraction)
    if method == "normal":
        law = {"mean": float(array.mean()), "sd": float(array.std(ddof=1))}
    else:
        law = dict(zip(("location", "scale", "df"), fit_columns(array[:, None])[:, 0].tolist(), strict=True))
    return _Elliptical(method, len(array), law)


@dataclass(frozen=True, repr=False, eq=False)
class _Tabulated(Margin):
    """Values at rising normal scores, joined by lines."""

    knots: np.ndarray
    values: np.ndarray

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        return np.interp(scores, self.knots, self.values)

    def scores(self, values: np.ndarray) -> np.ndarray:
        return np.interp(values, self.values, self.knots)


def _kernel(array: np.ndarray) -> Margin:
    from scipy.special import ndtr

    low, high = np.percentile(array, [25.0, 75.0])
    spread = float(array.std(ddof=1))
    if high > low:
        spread = min(spread, float(high - low) / 1.349)
    width = (4.0 / len(array)) ** (1.0 / 3.0) * spread
    values = np.linspace(array.min() - REACH * width, array.max() + REACH * width, GRID)
    tails = np.array([[ndtr(sign * (value - array) / width).mean() for value in values] for sign in (1.0, -1.0)])
    return _Tabulated("kernel", len(array), {"bandwidth": width}, _score(*tails), values)


@dataclass(frozen=True, repr=False, eq=False)
class _Pareto(Margin):
    """Probabilities `levels` of the ordered returns between the thresholds, and a generalized Pareto law beyond."""

    levels: np.ndarray
    values: np.ndarray

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        out = np.interp(ndtr(scores), self.levels, self.values)
        for side, sign in (("lower", -1.0), ("upper", 1.0)):
            share = np.maximum(ndtr(-sign * scores), SMALLEST) / self.levels[0]
            beyond = share < 1.0
            excess = _excess(share[beyond], self.parameters[f"{side}_scale"], self.parameters[f"{side}_shape"])
            out[beyond] = self.parameters[f"{side}_threshold"] + sign * excess
        return out

    def scores(self, values: np.ndarray) -> np.ndarray:
        lower = np.interp(values, self.values, self.levels)
        upper = 1.0 - lower
        for side, sign, tail in (("lower", -1.0, lower), ("upper", 1.0, upper)):
            excess = sign * (values - self.parameters[f"{side}_threshold"])
            beyond = excess > 0.0
            scale, shape = self.parameters[f"{side}_scale"], self.parameters[f"{side}_shape"]
            tail[beyond] = self.levels[0] * _survival(excess[beyond], scale, shape)
        return _score(lower, upper)


def _pareto(ordered: np.ndarray, tail_fraction: float) -> Margin:
    n = len(ordered)
    count = int(n * tail_fraction)
    parameters: dict[str, float] = {}
    for side, threshold, excesses in (
        ("lower", ordered[count], ordered[count] - ordered[:count]),
        ("upper", ordered[n - count - 1], ordered[n - count :] - ordered[n - count - 1]),
    ):
        over = excesses[excesses > 0.0]
        if len(over) < MIN_EXCESSES or constant(over, np.abs(ordered).max()):
            raise InputError(
                f"returns has {len(over)} returns beyond the {side} threshold {threshold:.4g}; at least {MIN_EXCESSES} that "
                "differ are needed: give a larger tail_fraction"
            )
        shape, scale = fit_excesses(over)
        parameters |= {f"{side}_threshold": float(threshold), f"{side}_scale": scale, f"{side}_shape": shape}
    levels = np.linspace(count / n, 1.0 - count / n, n - 2 * count)
    return _Pareto("pareto", n, parameters, levels, ordered[count : n - count])


def _excess(share: np.ndarray, scale: float, shape: float) -> np.ndarray:
    """Excess that a share of the excesses of a generalized Pareto law is beyond."""
    grown = -np.log(share)
    return scale * (grown if shape == 0.0 else np.expm1(shape * grown) / shape)


def _survival(excess: np.ndarray, scale: float, shape: float) -> np.ndarray:
    """Share of the excesses beyond this one."""
    ratio = excess / scale
    if shape == 0.0:
        return np.exp(-ratio)
    return np.exp(-np.log1p(np.maximum(shape * ratio, -1.0 + SMALLEST)) / shape)


@dataclass(frozen=True, repr=False, eq=False)
class _Elliptical(Margin):
    """Normal or Student t law."""

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        if self.method == "normal":
            return self.parameters["mean"] + self.parameters["sd"] * scores
        from scipy.special import ndtr, stdtrit

        tail = stdtrit(self.parameters["df"], np.maximum(ndtr(-np.abs(scores)), SMALLEST))
        return self.parameters["location"] - self.parameters["scale"] * np.sign(scores) * tail

    def scores(self, values: np.ndarray) -> np.ndarray:
        if self.method == "normal":
            return (values - self.parameters["mean"]) / self.parameters["sd"]
        return t_scores((values - self.parameters["location"]) / self.parameters["scale"], self.parameters["df"])


@dataclass(frozen=True)
class _Given:
    """A distribution of another library, by its quantiles."""

    distribution: Any

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        return np.asarray(self.distribution.ppf(np.clip(ndtr(scores), SMALLEST, 1.0 - 2.0**-53)), dtype=float)


@dataclass(frozen=True)
class _Point:
    """The law of an asset that never moves."""

    value: float

    def at_scores(self, scores: np.ndarray) -> np.ndarray:
        return np.full(len(scores), self.value)


def margins_of(margins: Any, history: np.ndarray, labels: Any) -> list[Any]:
    """The margin of each column of a history: of a named method, or given."""
    if isinstance(margins, str):
        one_of(margins, get_args(MarginMethod), "margins")
        return [
            _Point(float(column[0])) if constant(column) else fit_margin(column, margins)  # type: ignore[arg-type]
            for column in history.T
        ]
    if isinstance(margins, Mapping):
        names = range(history.shape[1]) if labels is None else labels
        missing = [name for name in names if name not in margins]
        if missing:
            raise InputError(f"margins is missing {missing[0]!r}")
        margins = [margins[name] for name in names]
    given = list(margins) if isinstance(margins, (list, tuple)) else [margins]
    if len(given) != history.shape[1] or not all(callable(getattr(margin, "ppf", None)) for margin in given):
        raise InputError(
            f"margins has {len(given)} entries for {history.shape[1]} assets; give the name of a method, or for each asset a "
            "distribution with a method ppf"
        )
    return [margin if isinstance(margin, Margin) else _Given(margin) for margin in given]


def t_scores(x: np.ndarray, df: float) -> np.ndarray:
    """Normal scores of Student t variates, exact in both tails."""
    from scipy.special import ndtri, stdtr

    return -np.sign(x) * ndtri(np.maximum(stdtr(df, -np.abs(x)), SMALLEST))


def _score(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Normal score of a probability from the smaller of the two tails."""
    from scipy.special import ndtri

    smaller = ndtri(np.maximum(np.minimum(lower, upper), SMALLEST))
    return np.where(lower < upper, smaller, -smaller)
