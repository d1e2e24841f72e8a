"""Student t VaR and ES: degrees of freedom given, or fitted by maximum likelihood."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from riskkit._check import InputError, finite_number, positive
from riskkit._jit import kernel
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit._types import Confidence, ReturnsLike, TailMeasure
from riskkit.var.estimate import RiskEstimate, estimate
from riskkit.var.method import VAR_ES, Fit, Method, VarEs
from riskkit.var.moments import Mean, Moments, check_spread_options, rolling_moments, sample_moments
from riskkit.var.parametric import quantile_multiplier

LARGEST_DF = 10_000.0
"""Upper bound of a fit, reached by samples whose tails are not heavier than normal."""
SMALLEST_DF = 0.5
"""Lower bound of a fit; below, the likelihood is unbounded around a value that a third of the sample shares."""


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
        """Estimate every window from rolling moments, with given degrees of freedom."""
        if self.df is None:
            return super().roll(table, window, confidences)
        fit = self._given(rolling_moments(table, window), confidences)
        return fit.var, fit.es

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
        shape = (len(confidences), len(df))
        var, es = np.empty(shape), np.full(shape, np.inf)
        for i, level in enumerate(confidences):
            for j, degrees in enumerate(df.tolist()):
                var[i, j] = quantile_multiplier(level, "var", df=degrees, scaled=False)
                if degrees > 1.0:
                    es[i, j] = quantile_multiplier(level, "es", df=degrees, scaled=False)
        spread, drift = scale * math.sqrt(self.horizon), location * self.horizon
        return Fit(var * spread - drift, es * spread - drift, {"location": location, "scale": scale, "df": df})


def fit_columns(table: np.ndarray) -> np.ndarray:
    """Location, scale and degrees of freedom of each column: (3, n_series)."""
    rows = np.require(table.T, requirements=["C", "W"])
    if rows.shape[1] < 3:
        raise InputError(f"returns has {rows.shape[1]} observations; a Student t fit needs at least 3")
    tied = np.array([np.unique(row, return_counts=True)[1].max() for row in rows]) * 3 >= rows.shape[1]
    if tied.any():
        raise InputError("a third or more of the returns are equal; the likelihood of a Student t then has no maximum")
    middle = np.median(rows, axis=1)
    unit = np.percentile(np.abs(rows - middle[:, None]), 75, axis=1)
    out = np.empty((3, len(rows)))
    fit_rows((rows - middle[:, None]) / unit[:, None], out)
    out[0], out[1] = middle + unit * out[0], unit * out[1]
    return out


@kernel
def fit_rows(rows: np.ndarray, out: np.ndarray) -> None:
    """Fit each row of standardized returns; write location, scale and degrees of freedom into the rows of `out`."""
    for j in range(rows.shape[0]):
        out[0, j], out[1, j], out[2, j] = fit_student_t(rows[j])


@kernel
def fit_student_t(x: np.ndarray) -> tuple[float, float, float]:
    """Solve for a zero derivative of the profile likelihood in log df, by the Illinois variant of false position."""
    location, scale, low, high = 0.0, 1.0, math.log(SMALLEST_DF), math.log(LARGEST_DF)
    slope_low, location, scale = profile_slope(x, low, location, scale)
    if slope_low <= 0.0:
        return location, scale, SMALLEST_DF
    slope_high, location, scale = profile_slope(x, high, location, scale)
    if slope_high >= 0.0:
        return location, scale, LARGEST_DF
    log_df, last = low, 0.0
    for _ in range(200):
        log_df = low + (high - low) * slope_low / (slope_low - slope_high)
        slope, location, scale = profile_slope(x, log_df, location, scale)
        if slope > 0.0:
            low, slope_low = log_df, slope
            slope_high *= 0.5 if last > 0.0 else 1.0
        else:
            high, slope_high = log_df, slope
            slope_low *= 0.5 if last < 0.0 else 1.0
        last = slope
        if high - low < 1e-10 or abs(slope) < 1e-13:
            break
    return location, scale, math.exp(log_df)


@kernel
def profile_slope(x: np.ndarray, log_df: float, location: float, scale: float) -> tuple[float, float, float]:
    """Derivative of the mean log-likelihood in log df, at the best location and scale for that df."""
    df, n = math.exp(log_df), x.size
    for _ in range(2000):
        total, first, second, curved, crossed, bent = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            z = (x[i] - location) / scale
            square = z * z
            weight = 1.0 / (df + square)
            total += weight
            first += weight * z
            second += weight * square
            curved += weight * weight * (df - square)
            crossed += weight * weight * z
            bent += weight * weight * square
        # EM, with the sum of weights in place of n: slow, but every step increases the likelihood
        step = first / total
        growth = math.sqrt(second / total - step * step)
        # Newton in location/scale and log scale, near the maximum
        determinant = curved * 2.0 * df * bent - (2.0 * df * crossed) ** 2
        if curved > 0.0 and determinant > 0.0 and abs(step) + abs(growth - 1.0) < 0.3:
            gap = second - n / (df + 1.0)
            across = (2.0 * df * bent * first - 2.0 * df * crossed * gap) / determinant
            along = (curved * gap - 2.0 * df * crossed * first) / determinant
            if abs(across) < 1.0 and abs(along) < 1.0:
                step, growth = across, math.exp(along)
        location, scale = location + step * scale, scale * growth
        if abs(step) + abs(growth - 1.0) < 1e-11:
            break
    slope = 0.0
    for i in range(n):
        ratio = ((x[i] - location) / scale) ** 2 / df
        slope += 0.5 * (df + 1.0) * ratio / (df * (1.0 + ratio)) - 0.5 * math.log1p(ratio)
    constant = 0.5 * (digamma(0.5 * (df + 1.0)) - digamma(0.5 * df) - 1.0 / df)
    return df * (slope / n + constant), location, scale


@kernel
def digamma(x: float) -> float:
    """ψ(x) for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18)."""
    below = 0.0
    while x < 10.0:
        below += 1.0 / x
        x += 1.0
    r = 1.0 / (x * x)
    series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * 691 / 32760)))))
    return math.log(x) - 0.5 / x - series - below
