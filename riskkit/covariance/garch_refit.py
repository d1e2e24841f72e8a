"""Refit of a GARCH(1,1) to more returns, from the parameters of an earlier fit, by a compiled likelihood and its slopes.

The likelihood, the backcast and the bounds are those of `fit_garch`, which is left to fit what has no earlier fit, or has no
maximum near it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._jit import kernel
from riskkit.covariance.garch import DECIMALS, TYPICAL, TYPICAL_DF, GarchFit, fit_garch, sample_of

BACKCAST = 75  # squared deviations, decay 0.94
SMALLEST_DF, LARGEST_DF = 2.05, 500.0
SMALLEST = 1e-9  # of omega, of returns of unit variance
PRECISION = 1e-12  # of the mean log-likelihood


class GarchParameters(NamedTuple):
    """Parameters of a GARCH(1,1) in the unit of the returns, as in `GarchFit`; the variance before the first of them.

    ``log_likelihood`` is that of the returns, ``warm`` is False if the fit began anew.
    """

    mean: float
    omega: float
    alpha: float
    beta: float
    df: float | None
    backcast: float
    log_likelihood: float
    warm: bool

    def variances(self, returns: np.ndarray) -> np.ndarray:
        """Variance of each period given the returns before it, and of the period after the last: (n_obs + 1,)."""
        path = np.empty(len(returns) + 1)
        theta = np.array([self.mean, self.omega, self.alpha, self.beta, 0.0])
        slopes(np.ascontiguousarray(returns, float), theta, self.backcast, 0.0, path, np.empty(5))
        return path


def first_fit(returns: np.ndarray, distribution: str) -> GarchParameters:
    """The parameters of `fit_garch`."""
    return _parameters(fit_garch(returns, distribution=distribution), np.asarray(returns))  # type: ignore[arg-type]


def refit(returns: np.ndarray, before: GarchParameters) -> GarchParameters:
    """The parameters of the largest likelihood that is found from those of an earlier fit, and from typical ones.

    Raises
    ------
    InputError
        As `fit_garch`.
    """
    array, deviation = sample_of(returns)
    scaled = np.round(array / deviation, DECIMALS)
    student = before.df is not None
    ends = [(-10.0, 10.0), (SMALLEST, 10.0), (0.0, 1.0), (0.0, 1.0), (SMALLEST_DF, LARGEST_DF)][: 4 + student]
    low, high = np.array(ends).T
    earlier = [before.mean / deviation, before.omega / deviation**2, before.alpha, before.beta, before.df or 0.0]
    usual = [float(scaled.mean()), *TYPICAL, TYPICAL_DF]
    found = [_climb(scaled, np.clip(start[: len(ends)], low, high), ends) for start in (earlier, usual)]
    height, theta = max(found, key=lambda one: one[0])
    if not math.isfinite(height):
        return first_fit(array, "t" if student else "normal")
    mean, omega, alpha, beta = theta[:4].tolist()
    return GarchParameters(
        mean=mean * deviation,
        omega=omega * deviation**2,
        alpha=alpha,
        beta=beta,
        df=float(theta[4]) if student else None,
        backcast=backcast_of(scaled) * deviation**2,
        log_likelihood=(height - math.log(deviation)) * len(array),
        warm=True,
    )


def backcast_of(returns: np.ndarray) -> float:
    """Variance before the first return: exponentially weighted mean of the first squared deviations from the mean."""
    squares = (returns[:BACKCAST] - returns.mean()) ** 2
    weights = 0.94 ** np.arange(len(squares))
    return float(weights @ squares / weights.sum())


def _parameters(fit: GarchFit, returns: np.ndarray) -> GarchParameters:
    values = {name: getattr(fit, name) for name in ("mean", "omega", "alpha", "beta", "df", "log_likelihood")}
    return GarchParameters(**values, backcast=backcast_of(returns), warm=False)


def _climb(x: np.ndarray, start: np.ndarray, ends: list[tuple[float, float]]) -> tuple[float, np.ndarray]:
    """The mean log-likelihood at the maximum that is found from a start, minus infinity if none is, and where it is."""
    from scipy.optimize import minimize

    first, path = backcast_of(x), np.empty(len(x) + 1)

    def fall(theta: np.ndarray) -> tuple[float, np.ndarray]:
        full, slope = np.zeros(5), np.empty(5)
        full[: len(theta)] = theta
        constant, bend = shape_terms(full[4]) if len(theta) == 5 else (-0.5 * math.log(2.0 * math.pi), 0.0)
        height = slopes(x, full, first, bend, path, slope)
        return -(height + constant), -slope[: len(theta)]

    within: Any = {
        "type": "ineq",
        "fun": lambda t: 1.0 - t[2] - t[3],
        "jac": lambda t: np.array([0, 0, -1, -1, 0])[: len(t)],
    }
    options: Any = {"ftol": PRECISION, "maxiter": 200}
    found = minimize(fall, start, jac=True, method="SLSQP", bounds=ends, constraints=[within], options=options)
    return (-float(found.fun) if found.success and np.isfinite(found.x).all() else -math.inf), found.x


def shape_terms(df: float) -> tuple[float, float]:
    """The constant of the log-density of a Student t with unit variance, and its derivative in df."""
    from scipy.special import digamma

    constant = math.lgamma(0.5 * (df + 1.0)) - math.lgamma(0.5 * df) - 0.5 * math.log(math.pi * (df - 2.0))
    return constant, 0.5 * float(digamma(0.5 * (df + 1.0)) - digamma(0.5 * df)) - 0.5 / (df - 2.0)


@kernel
def slopes(x: np.ndarray, theta: np.ndarray, before: float, bend: float, path: np.ndarray, out: np.ndarray) -> float:
    """Mean log-likelihood of returns but for its constant, whose derivative in df is `bend`; slopes in `out`, variances in `path`.

    `theta` is mean, omega, alpha, beta and df, 0 for normal shocks. The variance and the squared shock before the first
    return are `before`; d_mean, d_omega, ... are derivatives of the variance of the period.
    """
    mean, omega, alpha, beta, df = theta[0], theta[1], theta[2], theta[3], theta[4]
    height, out[:] = 0.0, 0.0
    shock, square, variance = 0.0, before, before
    d_mean, d_omega, d_alpha, d_beta = 0.0, 0.0, 0.0, 0.0
    for t in range(x.size):
        d_mean = beta * d_mean - 2.0 * alpha * shock
        d_omega = beta * d_omega + 1.0
        d_alpha = beta * d_alpha + square
        d_beta = beta * d_beta + variance
        variance = omega + alpha * square + beta * variance
        path[t] = variance
        shock = x[t] - mean
        square = shock * shock
        if df > 0.0:
            ratio = square / (variance * (df - 2.0))
            heavy = math.log1p(ratio)
            pull = (df + 1.0) / ((df - 2.0) * variance * (1.0 + ratio))
            height -= 0.5 * (math.log(variance) + (df + 1.0) * heavy)
            out[4] += 0.5 * ((df + 1.0) * ratio / ((1.0 + ratio) * (df - 2.0)) - heavy)
        else:
            pull = 1.0 / variance
            height -= 0.5 * (math.log(variance) + square * pull)
        along = 0.5 * (square * pull - 1.0) / variance
        out[0] += shock * pull + along * d_mean
        out[1] += along * d_omega
        out[2] += along * d_alpha
        out[3] += along * d_beta
    path[x.size] = omega + alpha * square + beta * variance
    out /= x.size
    out[4] += bend
    return height / x.size
