"""Filtered historical simulation over several periods: paths of past shocks through a volatility model."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import (
    InputError,
    finite_array,
    one_of,
    positive,
    random_generator,
    refuse_size,
    single_series,
    whole_number,
)
from riskkit._show import Row, Shown, percent
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, ReturnsLike
from riskkit.covariance import ConvergenceWarning, fit_asymmetric_garch, fit_garch, gjr_path
from riskkit.var.estimate import RiskEstimate
from riskkit.var.historical_simulation import historical

PathModel = Literal["garch", "gjr"]
MOST_SERIES = 10
"""Simulated series in turn of which one has to have a maximum of the likelihood."""


@dataclass(frozen=True, repr=False, eq=False)
class FilteredPaths(Shown):
    """Returns over several periods, simulated from past shocks.

    Attributes
    ----------
    returns : (n_paths,)
        Sum of the returns of each path, in the unit of the returns that were given.
    horizon : int
        Number of periods.
    parameters : dict[str, float]
        Of the volatility model, in the unit of the returns.
    next_variance : float
        Variance forecast for the first period.
    n_obs : int
        Number of past shocks.
    refitted : DataFrame or None
        Parameters of each refit, by name, where there were any.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.var import filtered_paths
    >>> rng = np.random.default_rng(1)
    >>> filtered_paths(0.01 * rng.standard_normal(500), 10, n_paths=1000, rng=rng).returns.shape
    (1000,)
    """

    returns: np.ndarray
    horizon: int
    parameters: dict[str, float]
    next_variance: float
    n_obs: int
    refitted: Any = None

    def risk(self, confidence: Confidence = DEFAULT_CONFIDENCE) -> RiskEstimate:
        """VaR and ES over the horizon.

        Parameters
        ----------
        confidence : float or sequence of float
            0.99 for 99 %.

        Returns
        -------
        RiskEstimate
            Losses positive, in the unit of the returns.
        """
        estimate = historical(self.returns, confidence)
        return replace(
            estimate, method="filtered historical, paths", horizon=float(self.horizon), parameters=self.parameters
        )

    def _title(self) -> str:
        return f"{len(self.returns):,} paths over {self.horizon} periods, from {self.n_obs:,} shocks"

    def _rows(self) -> list[Row]:
        risk = self.risk()
        return [
            ("standard deviation", float(self.returns.std()), f"over {self.horizon} periods"),
            (f"VaR {percent(DEFAULT_CONFIDENCE)}", risk.var, ""),
            (f"ES {percent(DEFAULT_CONFIDENCE)}", risk.es, ""),
            *((name, value, self._spread(name)) for name, value in self.parameters.items()),
        ]

    def _spread(self, name: str) -> str:
        return "" if self.refitted is None else f"± {self.refitted[name].std():.2g} in {len(self.refitted)} refits"

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the horizon, and their VaR and ES."""
        risk = self.risk()
        lines = {"VaR": float(np.asarray(risk.var)), "ES": float(np.asarray(risk.es))}
        return plot.loss_histogram(self.returns, lines, title=self._title(), ax=ax)


def filtered_paths(
    returns: ReturnsLike,
    horizon: int,
    *,
    model: PathModel = "gjr",
    n_paths: int = 10_000,
    refits: int = 0,
    rng: np.random.Generator,
) -> FilteredPaths:
    """Simulate returns over several periods from past shocks, drawn with replacement, through a fitted volatility model.

    Needs arch (``pip install 'riskkit[garch]'``).

    Parameters
    ----------
    returns : (n_obs,)
        Returns per period, oldest first, at least 50; logarithmic ones add up over the horizon.
    horizon : int
        Number of periods.
    model : {"garch", "gjr"}
        As in `riskkit.covariance.fit_garch` and `riskkit.covariance.fit_asymmetric_garch`, with Student t shocks in the
        likelihood; the simulation uses the observed shocks.
    n_paths : int
        Number of paths.
    refits : int
        Number of sets of parameters; with 0 they are as fitted. The paths are shared among the sets, each fitted to a series that is
        simulated with the parameters of the returns and past shocks; 100 show the uncertainty well. A set gives the variance from
        which its paths start by the observed returns, and a refit takes as long as the fit.
    rng : numpy.random.Generator
        Random generator.

    Returns
    -------
    FilteredPaths
        The sum of the returns of each path; `risk` for VaR and ES.

    Raises
    ------
    InputError
        NaN, infinity, constant returns, fewer than 50, dates out of order, or no generator.
    ImportError
        arch is not installed.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999), VaR without correlations for portfolios of derivative securities, J. Futures
    Markets 19, 583-602. Pascual, Romo and Ruiz (2006), Bootstrap prediction for returns and volatilities in GARCH models,
    Computational Statistics & Data Analysis 50, 2293-2312 (refits).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> paths = filtered_paths(0.01 * rng.standard_normal(500), 10, model="garch", n_paths=2000, rng=rng)
    >>> round(float(paths.returns.std()) / 0.01 / 10**0.5, 1)
    0.9
    """
    generator = random_generator(rng)
    one_of(model, get_args(PathModel), "model")
    periods, paths = whole_number(horizon, "horizon"), whole_number(n_paths, "n_paths")
    n_refits = whole_number(refits, "refits", at_least=0)
    refuse_size((paths, periods), "the paths", "simulate fewer of them")
    parameters, shocks, variance = _fitted(returns, model)
    picks = generator.integers(len(shocks), size=(paths, periods))
    if not n_refits:
        simulated = path_returns(shocks, picks, variance, **parameters)
        return FilteredPaths(simulated, periods, parameters, variance, len(shocks))
    array = single_series(returns, "returns")
    sets, sums = [], []
    for part in np.array_split(picks, n_refits):
        drawn = _refitted(shocks, array, parameters, model, generator)
        mean, recursion = drawn["mean"], {name: value for name, value in drawn.items() if name != "mean"}
        start = float(gjr_path(array - mean, float(array.var()), **recursion)[-1])
        sums.append(path_returns(shocks, part, start, **drawn))
        sets.append(drawn)
    import pandas as pd

    return FilteredPaths(np.concatenate(sums), periods, parameters, variance, len(shocks), pd.DataFrame(sets))


def _fitted(returns: Any, model: PathModel) -> tuple[dict[str, float], np.ndarray, float]:
    """Parameters by name, past shocks, and the variance forecast for the next period."""
    if model == "gjr":
        fit = fit_asymmetric_garch(returns, "gjr")
        parameters = {name: fit.parameters[name] for name in ("mean", "omega", "alpha", "gamma", "beta")}
        parameters["gamma"] = max(parameters["gamma"], -parameters["alpha"])  # to within the optimizer's tolerance
        return parameters, np.asarray(fit.residuals), float(fit.variances[0])
    garch = fit_garch(returns)
    parameters = {name: getattr(garch, name) for name in ("mean", "omega", "alpha", "beta")}
    return parameters, np.asarray(garch.residuals), garch.next_volatility**2


def _refitted(
    shocks: np.ndarray,
    array: np.ndarray,
    parameters: dict[str, float],
    model: PathModel,
    generator: np.random.Generator,
) -> dict[str, float]:
    """Parameters of a simulated series; a series whose likelihood has no maximum is replaced by another."""
    for _ in range(MOST_SERIES):
        again = shocks[generator.integers(len(shocks), size=len(array))]
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                return _fitted(_series(again, float(array.var()), **parameters), model)[0]
            except ConvergenceWarning:
                continue
    raise InputError(
        f"refits: {MOST_SERIES} series in turn, simulated as the {len(array)} returns, have no maximum of the likelihood; give "
        "more returns, or refits=0"
    )


def _series(
    shocks: np.ndarray, variance: float, *, mean: float, omega: float, alpha: float, gamma: float = 0.0, beta: float
) -> np.ndarray:
    """Returns of one path of shocks, (n_obs,)."""
    returns = np.empty(len(shocks))
    for t, shock in enumerate(shocks.tolist()):
        move = shock * math.sqrt(variance)
        returns[t] = mean + move
        variance = omega + (alpha + gamma * (move < 0.0)) * move * move + beta * variance
    return returns


def path_returns(
    residuals: Any,
    picks: Any,
    variance: float,
    *,
    mean: float = 0.0,
    omega: float,
    alpha: float,
    gamma: float = 0.0,
    beta: float,
) -> np.ndarray:
    """Sum of the returns of each path of shocks through GARCH(1,1) or GJR at given parameters.

    Parameters
    ----------
    residuals : (n_obs,)
        Past shocks in volatilities.
    picks : (n_paths, horizon)
        Number (from 0) of the shock of each period of each path: random, or all of them for the exact distribution.
    variance : float
        Variance forecast for the first period, above zero.
    mean, omega, alpha, gamma, beta : float
        Parameters as in `riskkit.covariance.gjr_path`, and the mean return per period.

    Returns
    -------
    (n_paths,)
        In the unit of the square root of `variance`.

    Raises
    ------
    InputError
        NaN, infinity, a variance not above zero, or a pick that is not the position of a shock.

    References
    ----------
    Barone-Adesi, Giannopoulos and Vosper (1999), J. Futures Markets 19, 583-602, eq. 3 to 5.

    Examples
    --------
    >>> path_returns([-2.0, 1.0], [[0, 0], [1, 1]], 1.0, omega=0.05, alpha=0.1, beta=0.85).round(4).tolist()
    [-4.2804, 2.0]
    """
    shocks = finite_array(residuals, "residuals", ndim=1)
    chosen = np.asarray(picks)
    if chosen.ndim != 2 or chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= len(shocks):
        raise InputError(f"picks are not positions of the {len(shocks)} residuals, (n_paths, horizon), from 0")
    variances = np.full(len(chosen), positive(variance, "variance"))
    total = np.zeros(len(chosen))
    for period in range(chosen.shape[1]):
        moves = shocks[chosen[:, period]] * np.sqrt(variances)
        total += mean + moves
        variances = omega + (alpha + gamma * (moves < 0.0)) * moves**2 + beta * variances
    return total
