"""GARCH(1,1): variance update, long-run volatility, and a fit by the arch package."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._bar import waiting
from riskkit._check import (
    InputError,
    constant,
    finite_number,
    labels_of,
    one_of,
    optional,
    positive,
    refuse_prices,
    single_series,
    with_labels,
)
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented

Distribution = Literal["t", "normal"]
TYPICAL, TYPICAL_DF = (0.05, 0.08, 0.87), 8.0
"""omega, alpha, beta of daily returns of unit variance, and degrees of freedom: start values of the second fit."""
TOLERANCE, DECIMALS = 1e-9, 8
"""Of the likelihood; and of the scaled returns, so that their rounding errors, which differ by unit, move no step."""


class ConvergenceWarning(UserWarning):
    """GARCH fit whose optimizer found no maximum of the likelihood.

    Examples
    --------
    >>> from riskkit.covariance import ConvergenceWarning
    >>> issubclass(ConvergenceWarning, UserWarning)
    True
    """


@documented
def garch_update(volatility: float, last_return: float, *, omega: float, alpha: float, beta: float) -> float:
    """Variance of the next period: omega + alpha r² + beta sigma².

    Parameters
    ----------
    volatility : float
        Standard deviation that was forecast for the last period.
    last_return : float
        Return of the last period, less its mean.

    Returns
    -------
    float
        Variance; its root is the next volatility.

    References
    ----------
    Bollerslev (1986), Generalized Autoregressive Conditional Heteroskedasticity, J. Econometrics 31, eq. 2.

    Examples
    --------
    >>> round(garch_update(0.016, 0.01, omega=0.000002, alpha=0.13, beta=0.86), 8)
    0.00023516
    """
    omega, alpha, beta = _parameters(omega, alpha, beta)
    volatility = positive(volatility, "volatility", zero=True)
    return omega + alpha * finite_number(last_return, "last_return") ** 2 + beta * volatility**2


@documented
def garch_long_run_volatility(omega: float, alpha: float, beta: float) -> float:
    """Long-run volatility of GARCH(1,1): sqrt(omega / (1 - alpha - beta)), per period.

    Returns
    -------
    float
        Volatility per period, in the unit of r.

    Raises
    ------
    InputError
        A parameter below zero, or alpha + beta not below 1, where the variance has no long-run level.

    References
    ----------
    Bollerslev (1986), Generalized Autoregressive Conditional Heteroskedasticity, J. Econometrics 31, theorem 1.

    Examples
    --------
    >>> round(garch_long_run_volatility(0.000002, 0.13, 0.86), 6)
    0.014142
    """
    omega, alpha, beta = _parameters(omega, alpha, beta)
    if alpha + beta >= 1.0:
        raise InputError(f"alpha + beta = {alpha + beta:g} is not below 1; the variance has no long-run level")
    return math.sqrt(omega / (1.0 - alpha - beta))


@dataclass(frozen=True, repr=False, eq=False)
class GarchFit(Exported):
    """GARCH(1,1) with constant mean, fitted by maximum likelihood.

    Attributes
    ----------
    mean : float
        Constant mean per period.
    omega : float
        Constant term of the variance, in the square of the unit of the returns, whatever the scale of the fit.
    alpha : float
        Weight of the last squared shock.
    beta : float
        Weight of the last variance.
    df : float or None
        Degrees of freedom of the Student t, None for normal returns.
    log_likelihood : float
        Log-likelihood of the returns in their original unit.
    standard_errors : dict[str, float]
        Standard error of each parameter, by name.
    converged : bool
        True if the optimizer found a maximum.
    volatility : (n_obs,)
        Standard deviation of each period given the returns before it.
    residuals : (n_obs,)
        (return - mean) / volatility, of variance near 1: the shocks for filtered historical simulation.
    next_volatility : float
        Forecast for the period after the last return.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.covariance import fit_garch
    >>> fit = fit_garch(0.01 * np.random.default_rng(1).standard_normal(500), distribution="normal")
    >>> fit.converged, round(fit.long_run_volatility, 3)
    (True, 0.009)
    """

    mean: float
    omega: float
    alpha: float
    beta: float
    df: float | None
    log_likelihood: float
    standard_errors: dict[str, float]
    converged: bool
    volatility: Any
    residuals: Any
    next_volatility: float

    @property
    def persistence(self) -> float:
        """Share of a shock to the variance that remains one period later: alpha + beta."""
        return self.alpha + self.beta

    @property
    def long_run_volatility(self) -> float | None:
        """Long-run volatility of the process, None if alpha + beta is at least 1."""
        return garch_long_run_volatility(self.omega, self.alpha, self.beta) if self.persistence < 1.0 else None

    def _title(self) -> str:
        return f"GARCH(1,1), {'normal' if self.df is None else 'Student t'}" + (
            "" if self.converged else " - the optimizer did not converge"
        )

    def _rows(self) -> list[Row]:
        names = [name for name in ("mean", "omega", "alpha", "beta", "df") if getattr(self, name) is not None]
        return [
            *((name, getattr(self, name), f"± {self.standard_errors[name]:.2g}") for name in names),
            ("log-likelihood", self.log_likelihood, ""),
            ("persistence", self.persistence, "alpha + beta"),
            ("long-run volatility", self.long_run_volatility, "per period"),
            ("next volatility", self.next_volatility, "per period"),
        ]

    def to_frame(self) -> Any:
        """Estimate and standard error of every parameter."""
        import pandas as pd

        estimates = {name: getattr(self, name) for name in self.standard_errors}
        return pd.DataFrame({"estimate": estimates, "standard_error": self.standard_errors})

    def plot(self, ax: Any = None) -> Any:
        """Draw the volatility over time and its long-run level."""
        ax = plot.axes(ax)
        rows = labels_of(self.volatility, 0)
        ax.plot(
            np.arange(len(self.volatility)) if rows is None else rows,
            np.asarray(self.volatility),
            lw=1,
            color=plot.STRONG,
        )
        if self.long_run_volatility is not None:
            ax.axhline(self.long_run_volatility, ls="--", lw=1, color=plot.WARM, label="long-run level")
            ax.legend(frameon=False)
        returns = plot.unit_axis(ax.yaxis, self.volatility) == "return"
        ax.set_ylabel("volatility per period" + ("" if returns else ", money"))
        plot.dress(ax, self._title())
        return ax


@documented
def fit_garch(returns: ReturnsLike, *, distribution: Distribution = "t") -> GarchFit:
    """Fit a constant mean and a GARCH(1,1) by maximum likelihood.

    Needs arch (``pip install 'riskkit[garch]'``). The returns may be in any unit: they are divided by their standard
    deviation before the fit, and the parameters are scaled back. Of two fits, from the start values of arch and from
    those typical of daily returns, the one of the larger likelihood is kept.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, 1)
        Returns per period, oldest first, at least 50.
    distribution : {"t", "normal"}
        Distribution of the shocks: Student t with unit variance and fitted degrees of freedom, or normal.

    Returns
    -------
    GarchFit
        Parameters with robust standard errors, the volatility of every period, the shocks, and the next volatility.
        The variance before the first return is a backcast: exponentially weighted mean of the first 75 squared
        deviations from the sample mean, decay 0.94. A `ConvergenceWarning` is issued if no maximum was found.

    Raises
    ------
    InputError
        NaN, infinity, constant returns, fewer than 50 observations, dates out of order.
    ImportError
        arch is not installed.

    References
    ----------
    Bollerslev (1987), A Conditionally Heteroskedastic Time Series Model for Speculative Prices and Rates of Return,
    Rev. Economics and Statistics 69, 542-547. Bollerslev and Wooldridge (1992) for the standard errors.

    Examples
    --------
    >>> import numpy as np
    >>> fit = fit_garch(0.01 * np.random.default_rng(1).standard_normal(500), distribution="normal")
    >>> fit.converged, round(fit.next_volatility, 3)
    (True, 0.01)
    """
    one_of(distribution, get_args(Distribution), "distribution")
    array, deviation = sample_of(returns)
    with waiting(f"fitting a GARCH(1,1) to {len(array):,} returns"):
        fitted, converged = _best_fit(np.round(array / deviation, DECIMALS), distribution)
    units = {"mu": deviation, "omega": deviation**2}
    names = {"mu": "mean", "omega": "omega", "alpha[1]": "alpha", "beta[1]": "beta", "nu": "df"}
    values = {names[key]: float(value) * units.get(key, 1.0) for key, value in fitted.params.items()}
    errors = {names[key]: float(value) * units.get(key, 1.0) for key, value in fitted.std_err.items()}
    volatility = np.asarray(fitted.conditional_volatility) * deviation
    residuals = (array - values["mean"]) / volatility
    next_variance = garch_update(
        float(volatility[-1]),
        float(array[-1]) - values["mean"],
        omega=values["omega"],
        alpha=values["alpha"],
        beta=values["beta"],
    )
    rows, name = labels_of(returns, 0), getattr(returns, "name", None)
    return GarchFit(
        mean=values["mean"],
        omega=values["omega"],
        alpha=values["alpha"],
        beta=values["beta"],
        df=values.get("df"),
        log_likelihood=float(fitted.loglikelihood) - len(array) * math.log(deviation),
        standard_errors=errors,
        converged=converged,
        volatility=with_labels(volatility, rows, name=name),
        residuals=with_labels(residuals, rows, name=name),
        next_volatility=math.sqrt(next_variance),
    )


def sample_of(returns: ReturnsLike, fit: str = "a GARCH fit") -> tuple[np.ndarray, float]:
    """The returns of a fit, checked, and their standard deviation, by which they are divided."""
    array = single_series(returns, "returns", ordered=True)
    refuse_prices(array, "returns")
    if len(array) < 50:
        raise InputError(f"returns has {counted(len(array), 'observation')}; {fit} needs at least 50")
    if constant(array):
        raise InputError("returns is constant; there is no volatility to fit")
    largest = float(np.abs(array).max())
    return array, float(np.std(array / largest)) * largest


def _best_fit(scaled: np.ndarray, distribution: str) -> tuple[Any, bool]:
    """Fit of the larger likelihood of two, to returns of unit variance, and whether it is a maximum."""
    model = optional("arch", "garch").arch_model(
        scaled, mean="Constant", vol="GARCH", p=1, q=1, dist=distribution, rescale=False
    )
    typical = np.array([float(scaled.mean()), *TYPICAL, *([TYPICAL_DF] if distribution == "t" else [])])
    fits = [model.fit(disp="off", show_warning=False, tol=TOLERANCE, starting_values=s) for s in (None, typical)]
    best = max(fits, key=lambda fit: float(fit.loglikelihood))
    converged = best.convergence_flag == 0 and float(best.loglikelihood) >= float(model.fix(typical).loglikelihood)
    if not converged:
        warnings.warn(
            f"the GARCH fit to {len(scaled)} returns found no maximum of the likelihood; its volatilities are those of "
            "the best parameters tried. More returns or distribution='normal' may help",
            ConvergenceWarning,
            stacklevel=3,
        )
    return best, converged


def _parameters(omega: float, alpha: float, beta: float) -> tuple[float, float, float]:
    return (
        positive(omega, "omega", zero=True),
        positive(alpha, "alpha", zero=True),
        positive(beta, "beta", zero=True),
    )
