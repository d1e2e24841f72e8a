"""Student t VaR and ES: degrees of freedom given, or fitted by maximum likelihood."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from riskkit._check import InputError, finite_number, positive
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit._types import Confidence, ReturnsLike, TailMeasure
from riskkit.var._student_t_fit import fit_columns, fit_windows
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.method import VAR_ES, Fit, Method, VarEs
from riskkit.var.moments import Mean, Moments, check_spread_options, rolling_moments, sample_moments
from riskkit.var.parametric import quantile_multiplier


def student_t(
    returns: ReturnsLike,
    confidence: Confidence = DEFAULT_CONFIDENCE,
    *,
    df: float | None = None,
    scaled: bool = True,
    mean: Mean = "sample",
    ddof: int = 1,
    horizon: float = 1.0,
) -> RiskEstimate:
    """VaR and ES of a Student t distribution.

    Parameters
    ----------
    returns, confidence
        As in `riskkit.var.historical`.
    df : float, optional
        Degrees of freedom; location and scale are then those of the sample mean and deviation. By default location,
        scale and df are fitted by maximum likelihood.
    scaled : bool
        With a given df: scale the t by sqrt((df - 2)/df), so that it has the sample deviation (df above 2). False
        uses the deviation as the scale parameter, which overstates risk.
    mean, ddof : {"sample", "zero"} and int
        With a given df: as in `riskkit.var.normal`.
    horizon : float
        In periods: location × horizon, scale × sqrt(horizon). Sums of t are not t, so beyond one period the tail is
        too heavy.

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`. `parameters`: location, scale, df. A fitted df is between 0.5
        and 10,000: with 1 or less, ES is infinite; at 10,000, the tail of the sample is not heavier than normal.

    Raises
    ------
    InputError
        NaN, infinity, too few observations, df too small; for a fit, fewer than three returns, or a third of them
        equal.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3. Liu and Rubin
    (1995), ML estimation of the t distribution using EM and its extensions, Statistica Sinica 5, 19-39. Kent, Tyler
    and Vardi (1994), Communications in Statistics - Simulation and Computation 23, 441-453.

    Examples
    --------
    >>> returns = [0.01, -0.02, 0.015, -0.005, 0.03, -0.08, 0.0, 0.012]
    >>> round(student_t(returns, 0.99, df=5).var, 6)
    0.092939
    >>> fitted = student_t(returns, 0.99)
    >>> round(fitted.parameters["df"], 3), round(fitted.var, 5), round(fitted.es, 5)
    (1.612, 0.12831, 0.34942)
    """
    method = StudentT(df=df, scaled=scaled, mean=mean, ddof=ddof, horizon=horizon)
    return estimate(method, returns, confidence)


@dataclass(frozen=True, kw_only=True)
class StudentT(Method):
    """Options of `student_t`."""

    df: float | None = None
    scaled: bool = True
    mean: Mean = "sample"
    ddof: int = 1
    horizon: float = 1.0

    def __post_init__(self) -> None:
        check_spread_options(self.mean, self.ddof)
        positive(self.horizon, "horizon")
        if self.df is not None:
            finite_number(self.df, "df")
        elif (self.mean, self.ddof, self.scaled) != ("sample", 1, True):
            raise InputError("mean, ddof and scaled go with a given df; maximum likelihood fits location and scale")

    @property
    def title(self) -> str:
        """Name of the method in print."""
        return "Student t, maximum likelihood" if self.df is None else f"Student t, {self.df:g} degrees of freedom"

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate VaR and ES of each column of (n_obs, n_series)."""
        if self.df is not None:
            return self._given(sample_moments(table), confidences)
        return self._fitted(fit_columns(table), confidences)

    def roll(self, table: np.ndarray, window: int, confidences: tuple[float, ...]) -> VarEs:
        """Estimate every window: from rolling moments, or by maximum likelihood from the parameters of the window before."""
        if self.df is not None:
            fit = self._given(rolling_moments(table, window), confidences)
            return fit.var, fit.es
        fitted = fit_windows(table, window)
        fit, shape = self._fitted(fitted.reshape(3, -1), confidences), (len(confidences), *fitted.shape[1:])
        return fit.var.reshape(shape), fit.es.reshape(shape)

    def _given(self, moments: Moments, confidences: tuple[float, ...]) -> Fit:
        location, deviation = moments.location(self.mean), moments.volatility(self.mean, self.ddof)
        var, es = (
            np.array([self._factor(level, measure) * deviation for level in confidences]) * math.sqrt(self.horizon)
            - location * self.horizon
            for measure in VAR_ES
        )
        df = np.full(location.shape, float(self.df or 0.0))
        scale = deviation * np.sqrt((df - 2.0) / df) if self.scaled else deviation
        return Fit(var, es, {"location": location, "scale": scale, "df": df})

    def _factor(self, level: float, measure: TailMeasure) -> float:
        return quantile_multiplier(level, measure, df=self.df, scaled=self.scaled)

    def _fitted(self, fitted: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        location, scale, df = fitted
        var, es = np.array([_quantile_and_tail_mean(tail_probability(level), df) for level in confidences]).swapaxes(
            0, 1
        )
        spread, drift = scale * math.sqrt(self.horizon), location * self.horizon
        return Fit(var * spread - drift, es * spread - drift, {"location": location, "scale": scale, "df": df})


def _quantile_and_tail_mean(p: float, df: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """VaR and ES at tail probability p of a t with unit scale, for every df; ES is infinite for a df of 1 or less."""
    from scipy.special import gammaln, stdtrit

    t = -stdtrit(df, p)
    log_density = gammaln(0.5 * (df + 1.0)) - gammaln(0.5 * df) - 0.5 * np.log(df * math.pi)
    density = np.exp(log_density - 0.5 * (df + 1.0) * np.log1p(t * t / df))
    with np.errstate(divide="ignore"):
        es = np.where(df <= 1.0, np.inf, density / p * (df + t * t) / (df - 1.0))
    return t, es
