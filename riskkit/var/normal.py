"""Normal VaR and ES of observed returns: a mean, a volatility and the normal quantile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of, positive
from riskkit.covariance import ewma_start, ewma_variance
from riskkit.var.closed_form import elliptical_factor
from riskkit.var.estimate import Fit, RiskEstimate, estimate
from riskkit.var.moments import Moments, check_spread_options, rolling_moments, sample_moments

__all__ = ["Normal", "ewma_forecasts", "normal_risk"]

VOLATILITIES = ("sample", "ewma")


def normal_risk(
    returns: Any,
    confidence: Any = 0.95,
    *,
    mean: str = "sample",
    ddof: int = 1,
    z: float | None = None,
    volatility: str = "sample",
    decay: float = 0.94,
    start: Any = "backcast",
    horizon: float = 1.0,
) -> RiskEstimate:
    """VaR and ES under a normal law with the mean and volatility of the returns.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L, oldest first.
    confidence : float or sequence of float
        0.95 for 95 %.
    mean : {"sample", "zero"}
        The sample mean, or zero, as desks take for a day; a sample volatility is about the same.
    ddof : int
        Divisor n_obs - ddof of the sample variance: 1 for the sample, 0 for the population.
    z : float, optional
        Normal quantile to use as it is (1.65), with one confidence; without it the exact one.
    volatility : {"sample", "ewma"}
        With equal weights, or RiskMetrics' exponentially weighted one about zero, with `decay` and `start` as in
        `riskkit.ewma_variance`.
    decay, start
        Of the exponentially weighted volatility, as in `ewma_variance`.
    horizon : float
        Periods that the answer covers: mean × horizon, volatility × sqrt(horizon).

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
    >>> risk = normal_risk([0.02, -0.01, 0.01, -0.02], 0.99, mean="zero", ddof=0)
    >>> round(risk.var, 6), round(risk.es, 6)
    (0.036783, 0.042141)
    """
    return estimate(Normal(mean, ddof, z, volatility, decay, start, horizon), returns, confidence)


@dataclass(frozen=True)
class Normal:
    """The method with its options."""

    mean: str = "sample"
    ddof: int = 1
    z: float | None = None
    volatility: str = "sample"
    decay: float = 0.94
    start: Any = "backcast"
    horizon: float = 1.0

    def __post_init__(self) -> None:
        check_spread_options(self.mean, self.ddof)
        one_of(self.volatility, VOLATILITIES, "volatility")
        positive(self.horizon, "horizon")

    @property
    def title(self) -> str:
        """What it is called in print."""
        return "normal" if self.volatility == "sample" else "normal, EWMA volatility"

    @property
    def ordered(self) -> bool:
        """EWMA weights belong to dates."""
        return self.volatility == "ewma"

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate each column of (n_obs, n_series)."""
        moments = sample_moments(table)
        sigma = moments.volatility(self.mean, self.ddof) if self.volatility == "sample" else self._ewma(table)[-1]
        return self._fit(moments, sigma, confidences)

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        """VaR and ES (n_confidences, n_windows, n_series); an EWMA volatility remembers what lies before the window."""
        moments = rolling_moments(table, window)
        ewma = self.volatility == "ewma"
        sigma = self._ewma(table, window)[window:] if ewma else moments.volatility(self.mean, self.ddof)
        fit = self._fit(moments, sigma, confidences)
        return fit.var, fit.es

    def _ewma(self, table: np.ndarray, known: int | None = None) -> np.ndarray:
        return np.sqrt(ewma_forecasts(table, self.decay, self.start, known))

    def _fit(self, moments: Moments, sigma: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        if self.z is not None and len(confidences) > 1:
            raise InputError("z is the quantile of one confidence; leave it out to have the exact ones of several")
        mean, spread = moments.location(self.mean), sigma * math.sqrt(self.horizon)
        var, es = (
            np.array([elliptical_factor(name, level, self.z) * spread for level in confidences]) - mean * self.horizon
            for name in ("var", "es")
        )
        return Fit(var, es, {"mean": mean, "volatility": sigma})


def ewma_forecasts(table: np.ndarray, decay: float, start: Any, known: int | None = None) -> np.ndarray:
    """Variance forecast for every period and the one after the last: (n_obs + 1, n_series), the start value first.

    A named start looks at the first `known` periods only, so that no forecast after them has seen the future.
    """
    first = np.broadcast_to(np.asarray(ewma_start(table[:known], decay, start)), table.shape[1:])
    return np.vstack([first, ewma_variance(table, decay, first)])
