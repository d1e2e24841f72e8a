"""Volatility models in which losses count for more, or for longer: GJR, EGARCH and FIGARCH, fitted by the arch package."""

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
    labels_of,
    one_of,
    optional,
    whole_number,
    with_labels,
)
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit._types import ReturnsLike
from riskkit.covariance.docs import documented
from riskkit.covariance.garch import DECIMALS, TOLERANCE, ConvergenceWarning, sample_of

VolatilityModel = Literal["gjr", "egarch", "figarch"]
Shocks = Literal["normal", "t", "skewed_t"]
SPECIFICATION: dict[str, dict[str, Any]] = {
    "gjr": {"vol": "GARCH", "p": 1, "o": 1, "q": 1},
    "egarch": {"vol": "EGARCH", "p": 1, "o": 1, "q": 1},
    "figarch": {"vol": "FIGARCH", "p": 1, "q": 1},
}
NAMES = {
    "mu": "mean",
    "alpha[1]": "alpha",
    "gamma[1]": "gamma",
    "beta[1]": "beta",
    "nu": "df",
    "eta": "df",
    "lambda": "skew",
}
TITLES = {"gjr": "GJR-GARCH(1,1)", "egarch": "EGARCH(1,1)", "figarch": "FIGARCH(1,d,1)"}


@dataclass(frozen=True, repr=False, eq=False)
class VolatilityFit(Exported):
    """Volatility model with a constant mean, fitted by maximum likelihood.

    Attributes
    ----------
    model : {"gjr", "egarch", "figarch"}
        The model.
    parameters : dict[str, float]
        By name, in the unit of the returns: mean, omega, alpha, gamma, beta (phi, d and beta of FIGARCH), df and skew.
    standard_errors : dict[str, float]
        Robust standard error of each parameter but omega of EGARCH, which depends on the unit.
    log_likelihood : float
        Of the returns in their unit.
    converged : bool
        True if the optimizer found a maximum.
    volatility : (n_obs,)
        Standard deviation of each period given the returns before it.
    residuals : (n_obs,)
        (return - mean) / volatility.
    variances : (horizon,)
        Variance forecasts for the periods after the last return, in the square of the unit of the returns.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.covariance import fit_asymmetric_garch
    >>> returns = 0.01 * np.random.default_rng(1).standard_normal(500)
    >>> sorted(fit_asymmetric_garch(returns, distribution="normal").parameters)
    ['alpha', 'beta', 'gamma', 'mean', 'omega']
    """

    model: VolatilityModel
    parameters: dict[str, float]
    standard_errors: dict[str, float]
    log_likelihood: float
    converged: bool
    volatility: Any
    residuals: Any
    variances: np.ndarray

    @property
    def next_volatility(self) -> float:
        """Forecast for the period after the last return."""
        return math.sqrt(float(self.variances[0]))

    @property
    def persistence(self) -> float | None:
        """Share of a shock to the (logarithm of the) variance that remains one period later; None for FIGARCH."""
        if self.model == "gjr":
            return self.parameters["alpha"] + 0.5 * self.parameters["gamma"] + self.parameters["beta"]
        return self.parameters["beta"] if self.model == "egarch" else None

    def _title(self) -> str:
        shocks = "skewed t" if "skew" in self.parameters else "Student t" if "df" in self.parameters else "normal"
        return f"{TITLES[self.model]}, {shocks}" + ("" if self.converged else " - the optimizer did not converge")

    def _rows(self) -> list[Row]:
        errors = self.standard_errors
        return [
            *(
                (name, value, f"± {errors[name]:.2g}" if name in errors else "")
                for name, value in self.parameters.items()
            ),
            ("log-likelihood", self.log_likelihood, ""),
            *([("persistence", self.persistence, "")] if self.persistence is not None else []),
            ("next volatility", self.next_volatility, "per period"),
        ]

    def to_frame(self) -> Any:
        """Estimate and standard error of every parameter."""
        import pandas as pd

        return pd.DataFrame({"estimate": self.parameters, "standard_error": self.standard_errors})

    def plot(self, ax: Any = None) -> Any:
        """Draw the volatility over time."""
        ax = plot.axes(ax)
        rows = labels_of(self.volatility, 0)
        index = np.arange(len(self.volatility)) if rows is None else rows
        ax.plot(index, np.asarray(self.volatility), lw=1, color=plot.STRONG)
        returns = plot.unit_axis(ax.yaxis, self.volatility) == "return"
        ax.set_ylabel("volatility per period" + ("" if returns else ", money"))
        plot.dress(ax, self._title())
        return ax


@documented
def fit_asymmetric_garch(
    returns: ReturnsLike, model: VolatilityModel = "gjr", *, distribution: Shocks = "t", horizon: int = 1
) -> VolatilityFit:
    """Fit a constant mean and a volatility model by maximum likelihood.

    Needs arch (``pip install 'riskkit[garch]'``). The returns may be in any unit.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, 1)
        Returns per period, oldest first, at least 50.
    model : {"gjr", "egarch", "figarch"}
        h' = omega + (alpha + gamma if the shock e is a loss) e² + beta h; ln h' = omega + alpha (abs z - sqrt(2/pi)) + gamma z +
        beta ln h, of the shock z in volatilities; or a variance that remembers hyperbolically.
    distribution : {"normal", "t", "skewed_t"}
        Of the shocks; the last is Hansen's (`riskkit.var.parametric.skewed_t`).
    horizon : int
        Periods for which the variance is forecast; EGARCH has a formula for one.

    Returns
    -------
    VolatilityFit
        Parameters with robust standard errors, volatilities, shocks and variance forecasts. The variance before the first
        return is a backcast, as in `fit_garch`. A `ConvergenceWarning` is issued if no maximum was found.

    Raises
    ------
    InputError
        NaN, infinity, constant returns, fewer than 50, dates out of order, or several periods of EGARCH.
    ImportError
        arch is not installed.

    References
    ----------
    Glosten, Jagannathan and Runkle (1993), J. Finance 48, 1779-1801. Nelson (1991), Conditional heteroskedasticity in asset
    returns, Econometrica 59, 347-370. Baillie, Bollerslev and Mikkelsen (1996), Fractionally integrated generalized
    autoregressive conditional heteroskedasticity, J. Econometrics 74, 3-30.

    Examples
    --------
    >>> import numpy as np
    >>> fit = fit_asymmetric_garch(0.01 * np.random.default_rng(1).standard_normal(500), distribution="normal")
    >>> round(fit.next_volatility, 3)
    0.01
    """
    one_of(model, get_args(VolatilityModel), "model")
    one_of(distribution, get_args(Shocks), "distribution")
    periods = whole_number(horizon, "horizon")
    if model == "egarch" and periods > 1:
        raise InputError(
            f"horizon={horizon!r}; EGARCH has a variance forecast for one period, further ones are simulated"
        )
    array, unit = sample_of(returns)
    law = "skewt" if distribution == "skewed_t" else distribution
    specified = optional("arch", "garch").arch_model(
        np.round(array / unit, DECIMALS), mean="Constant", dist=law, rescale=False, **SPECIFICATION[model]
    )
    with waiting(f"fitting a {TITLES[model]} to {len(array):,} returns"):
        fitted = specified.fit(disp="off", show_warning=False, tol=TOLERANCE)
    if fitted.convergence_flag != 0:
        warnings.warn(
            f"the {TITLES[model]} fit to {len(array)} returns found no maximum of the likelihood",
            ConvergenceWarning,
            stacklevel=2,
        )
    parameters = {NAMES.get(key, key): float(value) for key, value in fitted.params.items()}
    errors = {NAMES.get(key, key): float(value) for key, value in fitted.std_err.items()}
    for table in (parameters, errors):
        table["mean"] *= unit
        table["omega"] *= unit**2 if model != "egarch" else 1.0
    if model == "egarch":
        parameters["omega"] += (1.0 - parameters["beta"]) * math.log(unit**2)
        del errors["omega"]
    volatility = np.asarray(fitted.conditional_volatility) * unit
    rows, name = labels_of(returns, 0), getattr(returns, "name", None)
    return VolatilityFit(
        model=model,
        parameters=parameters,
        standard_errors=errors,
        log_likelihood=float(fitted.loglikelihood) - len(array) * math.log(unit),
        converged=fitted.convergence_flag == 0,
        volatility=with_labels(volatility, rows, name=name),
        residuals=with_labels((array - parameters["mean"]) / volatility, rows, name=name),
        variances=np.asarray(fitted.forecast(horizon=periods, reindex=False).variance)[-1] * unit**2,
    )
