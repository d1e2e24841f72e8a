"""Normal VaR and ES: mean, volatility (sample or EWMA) and the normal quantile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

import numpy as np

from riskkit._check import InputError, one_of, positive
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, ReturnsLike, TailMeasure
from riskkit.covariance import ewma_initial, ewma_variance
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.method import VAR_ES, Fit, Method, VarEs
from riskkit.var.moments import Mean, Moments, check_spread_options, rolling_moments, sample_moments
from riskkit.var.parametric import quantile_multiplier

Volatility = Literal["sample", "ewma"]


def normal(
    returns: ReturnsLike,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    mean: Mean = "sample",
    ddof: int = 1,
    z: float | None = None,
    volatility: Volatility = "sample",
    decay: float = 0.94,
    start: Any = "backcast",
    horizon: float = 1.0,
) -> RiskEstimate:
    """VaR and ES of a normal distribution with the mean and volatility of the returns.

    Parameters
    ----------
    returns, confidence
        As in `riskkit.var.historical`.
    mean : {"sample", "zero"}
        Sample mean, or zero, as is usual for daily returns; a sample volatility is about the same mean.
    ddof : int
        Divisor n_obs - ddof of the sample variance: 1 for the sample, 0 for the population.
    z : float, optional
        Normal quantile to use for one confidence, possibly rounded (1.65); the exact one by default.
    volatility : {"sample", "ewma"}
        With equal weights, or RiskMetrics' exponentially weighted one about zero.
    decay, start
        Of the exponentially weighted volatility, as in `riskkit.covariance.ewma_variance`.
    horizon : float
        In periods: mean × horizon, volatility × sqrt(horizon).

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`, not floored at 0. `parameters`: mean and volatility per period.

    Raises
    ------
    InputError
        NaN, infinity, not more than `ddof` observations, or an option that does not fit.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3. J.P. Morgan/Reuters
    (1996), RiskMetrics Technical Document, 4th ed., section 1.2 (EWMA).

    Examples
    --------
    >>> risk = normal([0.02, -0.01, 0.01, -0.02], 0.99, mean="zero", ddof=0)
    >>> round(risk.var, 6), round(risk.es, 6)
    (0.036783, 0.042141)
    """
    method = Normal(mean=mean, ddof=ddof, z=z, volatility=volatility, decay=decay, start=start, horizon=horizon)
    return estimate(method, returns, confidence)


@dataclass(frozen=True, kw_only=True)
class Normal(Method):
    """Options of `riskkit.var.normal`."""

    mean: Mean = "sample"
    ddof: int = 1
    z: float | None = None
    volatility: Volatility = "sample"
    decay: float = 0.94
    start: Any = "backcast"
    horizon: float = 1.0

    default_models: ClassVar = {
        "normal": {"window": 500},
        "normal EWMA": {"volatility": "ewma", "mean": "zero", "window": 500},
    }

    def __post_init__(self) -> None:
        check_spread_options(self.mean, self.ddof)
        one_of(self.volatility, get_args(Volatility), "volatility")
        positive(self.horizon, "horizon")

    @property
    def title(self) -> str:
        """Name of the method in print."""
        return "normal" if self.volatility == "sample" else "normal, EWMA volatility"

    @property
    def ordered(self) -> bool:
        """True with an EWMA volatility, whose weights belong to dates."""
        return self.volatility == "ewma"

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""
        moments = sample_moments(table)
        sigma = moments.volatility(self.mean, self.ddof) if self.volatility == "sample" else self._ewma(table)[-1]
        return self._fit(moments, sigma, confidences)

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        """Estimate every window; an EWMA volatility also uses the returns before the window."""
        moments = rolling_moments(table, window)
        ewma = self.volatility == "ewma"
        sigma = self._ewma(table, window)[window:] if ewma else moments.volatility(self.mean, self.ddof)
        fit = self._fit(moments, sigma, confidences)
        return fit.var, fit.es

    def _ewma(self, table: np.ndarray, known: int | None = None) -> np.ndarray:
        volatility: np.ndarray = np.sqrt(ewma_forecasts(table, self.decay, self.start, known))
        return volatility

    def _fit(self, moments: Moments, sigma: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        if self.z is not None and len(confidences) > 1:
            raise InputError("z is the quantile of one confidence; leave it out to have the exact ones of several")
        mean, spread = moments.location(self.mean), sigma * math.sqrt(self.horizon)
        var, es = (
            np.array([quantile_multiplier(level, measure, z=self.z) * spread for level in confidences])
            - mean * self.horizon
            for measure in VAR_ES
        )
        return Fit(var, es, {"mean": mean, "volatility": sigma})

    def standard_errors(self, table: np.ndarray, fit: Fit, confidences: tuple[float, ...]) -> VarEs | None:
        """Delta method for a sample volatility: Var(h·mean) = h²σ²/n, Var(f·√h·σ) = h f²σ²/(2n)."""
        if self.volatility == "ewma":
            return None
        n, h, about_mean = len(table), self.horizon, 1.0 if self.mean == "sample" else 0.0

        def errors(measure: TailMeasure) -> np.ndarray:
            factors = [quantile_multiplier(level, measure, z=self.z) for level in confidences]
            scale = [math.sqrt(h * h * about_mean / n + h * factor**2 / (2 * n)) for factor in factors]
            return np.array([each * fit.parameters["volatility"] for each in scale])

        return errors("var"), errors("es")


def ewma_forecasts(table: np.ndarray, decay: float, start: Any, known: int | None = None) -> np.ndarray:
    """Variance forecast for every period and the next one: (n_obs + 1, n_series), the start value first.

    A named start uses the first `known` periods only, so that no later forecast uses the future.
    """
    first = np.broadcast_to(np.asarray(ewma_initial(table[:known], decay, start)), table.shape[1:])
    return np.vstack([first, ewma_variance(table, decay, first)])
