"""Student t VaR and ES of observed returns: degrees of freedom given, or fitted by maximum likelihood."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_number, positive
from riskkit._jit import kernel
from riskkit.var.closed_form import elliptical_factor
from riskkit.var.estimate import Fit, RiskEstimate, estimate
from riskkit.var.moments import Moments, check_spread_options, rolling_moments, sample_moments

__all__ = ["LARGEST_NU", "StudentT", "student_t_risk"]

LARGEST_NU = 10_000.0
"""Where the likelihood still rises there, the sample is not heavier than normal, and this is the answer."""
SMALLEST_NU = 0.5
"""Below, the likelihood grows without bound around any value that a third of the sample shares."""


def student_t_risk(
    returns: Any,
    confidence: Any = 0.95,
    *,
    nu: float | None = None,
    scaled: bool = True,
    mean: str = "sample",
    ddof: int = 1,
    horizon: float = 1.0,
) -> RiskEstimate:
    """VaR and ES under a Student t law.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_portfolios)
        Simple returns per period, or P&L.
    confidence : float or sequence of float
        0.95 for 95 %.
    nu : float, optional
        Degrees of freedom; location and scale then come from the sample mean and deviation. Without it location,
        scale and nu are fitted together by maximum likelihood.
    scaled : bool
        With a given nu: scale the t by sqrt((nu - 2)/nu), so that it has the sample deviation (nu above 2). False
        takes the deviation as the scale parameter, which overstates risk.
    mean, ddof : {"sample", "zero"} and int
        With a given nu: as in `normal_risk`.
    horizon : float
        Periods that the answer covers: location × horizon, scale × sqrt(horizon). Sums of t are not t, so this is too
        heavy in the tail beyond one period.

    Returns
    -------
    RiskEstimate
        Losses positive, in the unit of `returns`. `parameters`: location, scale, nu. A fitted nu lies between 0.5
        and 10,000: of 1 or less, ES is infinite; at 10,000, the sample is not heavier in the tail than a normal law.

    Raises
    ------
    InputError
        NaN, infinity, too few observations, nu too small; for a fit, fewer than three returns, or a third of them
        equal.

    References
    ----------
    McNeil, Frey and Embrechts (2015), Quantitative Risk Management, 2nd ed., section 2.3. Liu and Rubin
    (1995), ML estimation of the t distribution using EM and its extensions, Statistica Sinica 5, 19-39. Kent, Tyler
    and Vardi (1994), Communications in Statistics - Simulation and Computation 23, 441-453.

    Examples
    --------
    >>> returns = [0.01, -0.02, 0.015, -0.005, 0.03, -0.08, 0.0, 0.012]
    >>> round(student_t_risk(returns, 0.99, nu=5).var, 6)
    0.092939
    >>> fitted = student_t_risk(returns, 0.99)
    >>> round(fitted.parameters["nu"], 3), round(fitted.var, 5), round(fitted.es, 5)
    (1.612, 0.12831, 0.34942)
    """
    return estimate(StudentT(nu, scaled, mean, ddof, horizon), returns, confidence)


@dataclass(frozen=True)
class StudentT:
    """The method with its options."""

    nu: float | None = None
    scaled: bool = True
    mean: str = "sample"
    ddof: int = 1
    horizon: float = 1.0

    ordered = False

    def __post_init__(self) -> None:
        check_spread_options(self.mean, self.ddof)
        positive(self.horizon, "horizon")
        if self.nu is not None:
            finite_number(self.nu, "nu")
        elif (self.mean, self.ddof, self.scaled) != ("sample", 1, True):
            raise InputError("mean, ddof and scaled go with a given nu; maximum likelihood fits location and scale")

    @property
    def title(self) -> str:
        """What it is called in print."""
        return "Student t, maximum likelihood" if self.nu is None else f"Student t, {self.nu:g} degrees of freedom"

    def fit(self, table: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        """Estimate each column of (n_obs, n_series)."""
        if self.nu is not None:
            return self._given(sample_moments(table), confidences)
        return self._fitted(fit_columns(table), confidences)

    def roll(
        self, table: np.ndarray, window: int, confidences: tuple[float, ...]
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """VaR and ES (n_confidences, n_windows, n_series) of every window, or None where there is no faster way."""
        if self.nu is None:
            return None
        fit = self._given(rolling_moments(table, window), confidences)
        return fit.var, fit.es

    def _given(self, moments: Moments, confidences: tuple[float, ...]) -> Fit:
        location, deviation = moments.location(self.mean), moments.volatility(self.mean, self.ddof)
        var, es = (
            np.array([self._factor(name, level) * deviation for level in confidences]) * math.sqrt(self.horizon)
            - location * self.horizon
            for name in ("var", "es")
        )
        nu = np.full(location.shape, float(self.nu or 0.0))
        scale = deviation * np.sqrt((nu - 2.0) / nu) if self.scaled else deviation
        return Fit(var, es, {"location": location, "scale": scale, "nu": nu})

    def _factor(self, name: str, level: float) -> float:
        return elliptical_factor(name, level, nu=self.nu, scaled=self.scaled)

    def _fitted(self, fitted: np.ndarray, confidences: tuple[float, ...]) -> Fit:
        location, scale, nu = fitted
        shape = (len(confidences), len(nu))
        var, es = np.empty(shape), np.full(shape, np.inf)
        for i, level in enumerate(confidences):
            for j, degrees in enumerate(nu.tolist()):
                var[i, j] = elliptical_factor("var", level, nu=degrees, scaled=False)
                if degrees > 1.0:
                    es[i, j] = elliptical_factor("es", level, nu=degrees, scaled=False)
        spread, drift = scale * math.sqrt(self.horizon), location * self.horizon
        return Fit(var * spread - drift, es * spread - drift, {"location": location, "scale": scale, "nu": nu})


def fit_columns(table: np.ndarray) -> np.ndarray:
    """Location, scale and degrees of freedom of each column: (3, n_series)."""
    rows = np.require(table.T, requirements=["C", "W"])
    if rows.shape[1] < 3:
        raise InputError(f"returns has {rows.shape[1]} observations; a Student t fit needs at least 3")
    heaped = np.array([np.unique(row, return_counts=True)[1].max() for row in rows]) * 3 >= rows.shape[1]
    if heaped.any():
        raise InputError(
            f"a third or more of returns in column {int(np.argmax(heaped))} are equal; a Student t as narrow as one "
            "likes fits those ever better, so there is no best one"
        )
    middle = np.median(rows, axis=1)
    unit = np.percentile(np.abs(rows - middle[:, None]), 75, axis=1)
    out = np.empty((3, len(rows)))
    fit_rows((rows - middle[:, None]) / unit[:, None], out)
    out[0], out[1] = middle + unit * out[0], unit * out[1]
    return out


@kernel
def fit_rows(rows, out):
    for j in range(rows.shape[0]):
        out[0, j], out[1, j], out[2, j] = fit_student_t(rows[j])


@kernel
def fit_student_t(x):
    """Where the derivative of the profile likelihood in log nu is zero, by the Illinois variant of false position."""
    location, scale, low, high = 0.0, 1.0, math.log(SMALLEST_NU), math.log(LARGEST_NU)
    slope_low, location, scale = profile_slope(x, low, location, scale)
    if slope_low <= 0.0:
        return location, scale, SMALLEST_NU
    slope_high, location, scale = profile_slope(x, high, location, scale)
    if slope_high >= 0.0:
        return location, scale, LARGEST_NU
    log_nu, last = low, 0.0
    for _ in range(200):
        log_nu = low + (high - low) * slope_low / (slope_low - slope_high)
        slope, location, scale = profile_slope(x, log_nu, location, scale)
        if slope > 0.0:
            low, slope_low = log_nu, slope
            slope_high *= 0.5 if last > 0.0 else 1.0
        else:
            high, slope_high = log_nu, slope
            slope_low *= 0.5 if last < 0.0 else 1.0
        last = slope
        if high - low < 1e-10 or abs(slope) < 1e-13:
            break
    return location, scale, math.exp(log_nu)


@kernel
def profile_slope(x, log_nu, location, scale):
    """Derivative of the mean log-likelihood in log nu, at the best location and scale for that nu."""
    nu, n = math.exp(log_nu), x.size
    for _ in range(2000):
        total, first, second, curved, crossed, bent = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            z = (x[i] - location) / scale
            square = z * z
            weight = 1.0 / (nu + square)
            total += weight
            first += weight * z
            second += weight * square
            curved += weight * weight * (nu - square)
            crossed += weight * weight * z
            bent += weight * weight * square
        # EM, with the sum of weights in the place of n: slow, but every step is uphill
        step = first / total
        growth = math.sqrt(second / total - step * step)
        # Newton in location/scale and log scale, once near the top
        determinant = curved * 2.0 * nu * bent - (2.0 * nu * crossed) ** 2
        if curved > 0.0 and determinant > 0.0 and abs(step) + abs(growth - 1.0) < 0.3:
            gap = second - n / (nu + 1.0)
            across = (2.0 * nu * bent * first - 2.0 * nu * crossed * gap) / determinant
            along = (curved * gap - 2.0 * nu * crossed * first) / determinant
            if abs(across) < 1.0 and abs(along) < 1.0:
                step, growth = across, math.exp(along)
        location, scale = location + step * scale, scale * growth
        if abs(step) + abs(growth - 1.0) < 1e-11:
            break
    slope = 0.0
    for i in range(n):
        ratio = ((x[i] - location) / scale) ** 2 / nu
        slope += 0.5 * (nu + 1.0) * ratio / (nu * (1.0 + ratio)) - 0.5 * math.log1p(ratio)
    constant = 0.5 * (digamma(0.5 * (nu + 1.0)) - digamma(0.5 * nu) - 1.0 / nu)
    return nu * (slope / n + constant), location, scale


@kernel
def digamma(x):
    """ψ(x) for x > 0: recurrence up to 10, then the asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.18)."""
    below = 0.0
    while x < 10.0:
        below += 1.0 / x
        x += 1.0
    r = 1.0 / (x * x)
    series = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * 691 / 32760)))))
    return math.log(x) - 0.5 / x - series - below
