"""Filtered historical simulation: past returns scaled from the volatility of their day to the next forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from riskkit._check import InputError, one_of, whole_number
from riskkit._docs import counted
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, ReturnsLike
from riskkit.covariance import fit_garch
from riskkit.covariance.garch_refit import GarchParameters, first_fit, refit
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.extreme_value import PeaksOverThreshold
from riskkit.var.historical_simulation import EsDefinition, Historical
from riskkit.var.method import Fit, Method, VarEs
from riskkit.var.normal_distribution import ewma_forecasts

Volatility = Literal["ewma", "garch"]
MIN_GARCH_OBS = 50


def filtered_historical(
    returns: ReturnsLike,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    volatility: Volatility = "ewma",
    decay: float = 0.94,
    start: Any = "backcast",
    distribution: Literal["t", "normal"] = "t",
    window: int | None = None,
    quantile: str = "inverted_cdf",
    es: EsDefinition = "tail_mass",
    tail_fraction: float | None = None,
) -> RiskEstimate:
    """VaR and ES of past returns, each scaled from the volatility forecast for its day to the next forecast.

    Parameters
    ----------
    returns, confidence
        As in `riskkit.var.historical`.
    volatility : {"ewma", "garch"}
        Volatility filter. EWMA is about a mean of zero. GARCH(1,1) with a constant mean is fitted to all the returns by
        maximum likelihood and needs arch (``pip install 'riskkit[garch]'``).
    decay, start
        Of the EWMA, as in `riskkit.covariance.ewma_variance`; the variance of every day is the forecast made the day before.
    distribution : {"t", "normal"}
        Of the shocks in the GARCH likelihood; the simulation uses the observed shocks in both cases.
    window : int, optional
        Number of periods whose scaled returns are used, the latest; all of them by default. The filter always uses all returns.
    quantile, es
        As in `riskkit.var.historical`.
    tail_fraction : float, optional
        With it the tail of the scaled returns is generalized Pareto, as in `riskkit.var.evt` (GARCH-EVT, or EWMA-EVT), and
        `quantile` and `es` are not used.

    Returns
    -------
    RiskEstimate
        For the period after the last return; losses positive, in the unit of `returns`. `parameters`:
        next_volatility, the forecast; of a GARCH fit also mean, omega, alpha, beta.

    Raises
    ------
    InputError
        NaN, infinity, no rows, an unknown option, or a volatility of zero on some day, by which nothing can be scaled.
    ImportError
        GARCH without arch.

    References
    ----------
    Hull and White (1998), Incorporating volatility updating into the historical simulation method for value at risk,
    J. Risk 1(1), 5-19 (the scaling). Barone-Adesi, Giannopoulos and Vosper (1999), VaR without correlations for
    portfolios of derivative securities, J. Futures Markets 19, 583-602 (GARCH). McNeil and Frey
    (2000), Estimation of tail-related risk measures for heteroscedastic financial time series, J. Empirical Finance 7,
    271-300 (Pareto tail of the shocks).

    Examples
    --------
    >>> calm, wild = [0.01, -0.01] * 5, [0.04, -0.04] * 5
    >>> risk = filtered_historical(calm + wild, 0.8, decay=0.8)
    >>> round(risk.parameters["next_volatility"], 4), round(risk.var, 4)
    (0.038, 0.0423)
    """
    method = FilteredHistorical(
        volatility=volatility,
        decay=decay,
        start=start,
        distribution=distribution,
        window=window,
        quantile=quantile,
        es=es,
        tail_fraction=tail_fraction,
    )
    return estimate(method, returns, confidence)


@dataclass(frozen=True, kw_only=True)
class FilteredHistorical(Method):
    """Options of `filtered_historical`."""

    volatility: Volatility = "ewma"
    decay: float = 0.94
    start: Any = "backcast"
    distribution: Literal["t", "normal"] = "t"
    window: int | None = None
    quantile: str = "inverted_cdf"
    es: EsDefinition = "tail_mass"
    tail_fraction: float | None = None
    refit_every: int = 250
    """Rolling GARCH only: periods between two fits."""

    ordered = True
    default_models: ClassVar = {"filtered historical": {"window": 500}}

    def __post_init__(self) -> None:
        one_of(self.volatility, get_args(Volatility), "volatility")
        whole_number(self.refit_every, "refit_every")
        if self.window is not None:
            whole_number(self.window, "window")
        if isinstance(self.start, str) and self.start == "zero":
            raise InputError("start='zero' gives the first return a volatility of zero, by which it cannot be scaled")
        self._tail  # noqa: B018 - refuses unknown definitions now

    @property
    def title(self) -> str:
        """Name of the method in print."""
        kind = "filtered historical" if self.tail_fraction is None else "filtered, peaks over threshold (EVT)"
        return f"{kind}, {'EWMA' if self.volatility == 'ewma' else 'GARCH(1,1)'}"

    @property
    def _tail(self) -> Method:
        """The method for the scaled returns."""
        if self.tail_fraction is None:
            return Historical(self.quantile, self.es)
        return PeaksOverThreshold(self.tail_fraction)

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""
        if self.window is not None and self.window > len(table):
            raise InputError(
                f"window={self.window} is longer than returns, which has {counted(len(table), 'observation')}"
            )
        if self.volatility == "ewma":
            sigma = self._ewma(table)
            scaled = table / sigma[:-1] * sigma[-1]
            parameters = {"next_volatility": sigma[-1]}
        else:
            scaled = np.empty_like(table)
            names = ("next_volatility", "mean", "omega", "alpha", "beta")
            parameters = {name: np.empty(table.shape[1]) for name in names}
            for j in range(table.shape[1]):
                fitted = fit_garch(table[:, j], distribution=self.distribution)
                scaled[:, j] = fitted.mean + fitted.next_volatility * fitted.residuals
                for name in names:
                    parameters[name][j] = getattr(fitted, name)
        var, es, *_ = self._tail.fit(scaled[-(self.window or len(table)) :], confidences)
        return Fit(var, es, parameters)

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        """Estimate every window: its shocks times the next volatility.

        Every volatility forecast uses all earlier returns. A GARCH is refitted to all earlier returns after every
        `refit_every` periods, from the parameters before, and the shocks of the window are then those of the new parameters.
        """
        if self.volatility == "ewma":
            sigma = np.sqrt(ewma_forecasts(table, self.decay, self.start, window))
            silent = sigma[:-1] == 0.0
            shocks = np.divide(table, sigma[:-1], out=np.zeros_like(table), where=~silent)
            var, es = self._roll_shocks(shocks, sigma[window:], window, confidences)
            refused = np.lib.stride_tricks.sliding_window_view(silent, window, axis=0).any(axis=-1)
            return np.where(refused, np.nan, var), np.where(refused, np.nan, es)
        if window < MIN_GARCH_OBS:
            raise InputError(f"window={window} is too short; the first fit of a GARCH needs {MIN_GARCH_OBS} periods")
        shape = (len(confidences), len(table) - window + 1, table.shape[1])
        var, es = np.empty(shape), np.empty(shape)
        for j in range(table.shape[1]):
            fitted = None
            for first in range(window, len(table) + 1, self.refit_every):
                stop = min(first + self.refit_every, len(table) + 1)
                part = slice(first - window, stop - window)
                past, known = table[:first, j], table[: stop - 1, j]
                try:
                    fitted = first_fit(past, self.distribution) if fitted is None else refit(past, fitted)
                    var[:, part, j], es[:, part, j] = self._roll_garch(known, fitted, first, window, confidences)
                except InputError:
                    var[:, part, j] = es[:, part, j] = np.nan
        return var, es

    def _ewma(self, table: np.ndarray, known: int | None = None) -> np.ndarray:
        sigma: np.ndarray = np.sqrt(ewma_forecasts(table, self.decay, self.start, known))
        if not sigma[:-1].all():
            day = int(np.argwhere(sigma[:-1] == 0.0)[0][0])
            raise InputError(f"the volatility for row {day} of returns is zero; nothing scales by it")
        return sigma

    def of_column(self, column: int) -> Method:
        """The method with the start of one column."""
        return self if np.ndim(self.start) == 0 else replace(self, start=np.asarray(self.start)[[column]])

    def _roll_shocks(self, shocks: np.ndarray, sigma: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        var, es = self._tail.roll(shocks, window, confidences)
        return var * sigma, es * sigma

    def _roll_garch(
        self, known: np.ndarray, fitted: GarchParameters, first: int, window: int, confidences: tuple[float, ...]
    ) -> VarEs:
        """Forecasts for row `first` and those after it up to the one after the `known` returns, with one set of parameters."""
        sigma = np.sqrt(fitted.variances(known))[:, None]
        shocks = (known[first - window :, None] - fitted.mean) / sigma[first - window : -1]
        var, es = self._roll_shocks(shocks, sigma[first:], window, confidences)
        return var[:, :, 0] - fitted.mean, es[:, :, 0] - fitted.mean
