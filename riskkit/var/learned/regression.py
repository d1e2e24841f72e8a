"""Regressions of the tail: the quantile or expectile of the next return from what was known before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import (
    InputError,
    finite_array,
    labels_of,
    probability,
    refuse_prices,
    single_series,
    whole_number,
    with_labels,
)
from riskkit._docs import counted
from riskkit._show import Row, Shown
from riskkit._types import ReturnsLike


@dataclass(frozen=True, repr=False, eq=False)
class TailRegression(Shown):
    """Linear regression of a quantile or an expectile.

    Attributes
    ----------
    coefficients : (n_features,)
        One for each feature.
    tau : float
        Level, a fraction: 0.01 for the 99 % VaR.
    loss : float
        Mean loss in the sample: the quantile loss, or the asymmetric squared one.
    n_obs : int
        Number of rows.

    Examples
    --------
    >>> from riskkit.var.learned import quantile_regression
    >>> quantile_regression([[1.0]] * 5, [-0.02, 0.01, 0.0, 0.03, -0.01], 0.5).coefficients.tolist()
    [0.0]
    """

    coefficients: Any
    tau: float
    loss: float
    n_obs: int

    def forecast(self, features: Any) -> Any:
        """Return the fitted quantile or expectile; as a loss it is negative.

        Parameters
        ----------
        features : (n_features,) or (n, n_features)
            As those of the fit.

        Returns
        -------
        float or (n,)
            In the unit of the returns that were fitted.
        """
        array = finite_array(features, "features")
        if array.shape[-1] != len(self.coefficients):
            raise InputError(f"features has {array.shape[-1]} columns; the regression has {len(self.coefficients)}")
        answer = array @ np.asarray(self.coefficients)
        return float(answer) if array.ndim == 1 else with_labels(answer, labels_of(features, 0))

    def _title(self) -> str:
        return f"Regression of the tail at {self.tau:g}, {self.n_obs:,} rows"

    def _rows(self) -> list[Row]:
        names = labels_of(self.coefficients, 0)
        names = range(len(self.coefficients)) if names is None else names
        return [
            *((str(name), float(value), "") for name, value in zip(names, np.asarray(self.coefficients), strict=True)),
            ("mean loss", self.loss, "in the sample"),
        ]


def har_features(returns: ReturnsLike, lags: Sequence[int] = (1, 5, 22)) -> Any:
    """Means of the sizes of the last returns, for the period after each of them.

    Parameters
    ----------
    returns : (n_obs,)
        Returns per period, oldest first.
    lags : sequence of int
        Numbers of periods over which means are taken.

    Returns
    -------
    (n_obs - longest + 1, 1 + n_lags)
        A column of ones, then a mean for each number of periods. Row i belongs to return i + longest; the last row, to the
        period to come. It has the label of the last return it uses.

    Raises
    ------
    InputError
        NaN, infinity, dates out of order, or fewer returns than the longest lag.

    References
    ----------
    Corsi (2009), A simple approximate long-memory model of realized volatility, J. Financial Econometrics 7, 174-196.

    Examples
    --------
    >>> har_features([0.01, -0.03, 0.02], [1, 2]).round(3).tolist()
    [[1.0, 0.03, 0.02], [1.0, 0.02, 0.025]]
    """
    array = single_series(returns, "returns", ordered=True)
    refuse_prices(array, "returns")
    spans = [whole_number(lag, "lags") for lag in lags]
    longest = max(spans, default=1)
    if len(array) < longest:
        raise InputError(f"returns has {counted(len(array), 'observation')}; the longest lag is {longest}")
    sizes = np.abs(array)
    means = [np.lib.stride_tricks.sliding_window_view(sizes, span).mean(axis=1)[longest - span :] for span in spans]
    rows = labels_of(returns, 0)
    names = ["one", *(f"mean of {span}" for span in spans)]
    table = np.column_stack([np.ones(len(array) - longest + 1), *means])
    return table if rows is None else with_labels(table, rows[longest - 1 :], names)


def quantile_regression(features: Any, target: Any, tau: float) -> TailRegression:
    """Coefficients with the least mean quantile loss, exactly, by linear programming.

    Parameters
    ----------
    features : (n_obs, n_features)
        What was known before each return, with a column of ones for an intercept, as of `har_features`.
    target : (n_obs,)
        Returns of the periods to be forecast.
    tau : float
        Level, a fraction: 0.01 for the 99 % VaR, which is minus the forecast.

    Returns
    -------
    TailRegression
        Coefficients, and `forecast`.

    Raises
    ------
    InputError
        NaN, infinity, other numbers of rows, features that are combinations of each other, or a tau not between 0 and 1.

    References
    ----------
    Koenker and Bassett (1978), Regression quantiles, Econometrica 46, 33-50.

    Examples
    --------
    >>> fit = quantile_regression([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [0.0, 1.0, 5.0], 0.5)
    >>> fit.coefficients.round(6).tolist()
    [0.0, 2.5]
    """
    from scipy.optimize import linprog

    table, values, level, names = _checked(features, target, tau)
    unit, spread = (
        np.abs(table).max(axis=0),
        float(np.abs(values).max()) or 1.0,
    )  # so that units do not matter to the solver
    scaled = (table / unit).T
    # the dual has as many conditions as there are features; their multipliers are the coefficients
    found = linprog(
        -values / spread, A_eq=scaled, b_eq=(1.0 - level) * scaled.sum(axis=1), bounds=(0.0, 1.0), method="highs-ds"
    )
    if found.x is None:
        raise InputError(f"the regression found no solution: {found.message}")
    coefficients = -found.eqlin.marginals * spread / unit + 0.0  # no zero with a sign
    gap = values - table @ coefficients
    loss = float(np.mean(gap * (level - (gap < 0.0))))
    return TailRegression(with_labels(coefficients, names), level, loss, len(values))


def expectile_regression(features: Any, target: Any, tau: float) -> TailRegression:
    """Coefficients with the least mean asymmetric squared loss, by weighted least squares until the weights stay the same.

    Parameters
    ----------
    features, target, tau
        As in `quantile_regression`; tau is that of `riskkit.var.expectile_var`.

    Returns
    -------
    TailRegression
        Coefficients, and `forecast`.

    Raises
    ------
    InputError
        As in `quantile_regression`.

    References
    ----------
    Newey and Powell (1987), Asymmetric least squares estimation and testing, Econometrica 55, 819-847.

    Examples
    --------
    >>> fit = expectile_regression([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [0.0, 1.0, 5.0], 0.5)
    >>> fit.coefficients.round(6).tolist()
    [-0.5, 2.5]
    """
    table, values, level, names = _checked(features, target, tau)
    unit = np.abs(table).max(axis=0)
    below = np.zeros(len(values), dtype=bool)
    for _ in range(500):
        root = np.sqrt(np.where(below, 1.0 - level, level))
        coefficients = np.linalg.lstsq(table / unit * root[:, None], values * root)[0] / unit
        before, below = below, values < table @ coefficients
        if (before == below).all():
            break
    gap = values - table @ coefficients
    loss = float(np.mean(np.where(gap < 0.0, 1.0 - level, level) * gap**2))
    return TailRegression(with_labels(coefficients, names), level, loss, len(values))


def _checked(features: Any, target: Any, tau: float) -> tuple[np.ndarray, np.ndarray, float, Any]:
    table, values = finite_array(features, "features", ndim=2), single_series(target, "target")
    if len(table) != len(values):
        raise InputError(f"features has {len(table)} rows and target {len(values)}; give both for the same periods")
    unit = np.abs(table).max(axis=0)
    if unit.min() == 0.0 or np.linalg.matrix_rank(table / unit) < table.shape[1]:
        raise InputError("features are zero or combinations of each other, or too few rows; leave some columns out")
    return table, values, probability(tau, "tau"), labels_of(features, 1)
