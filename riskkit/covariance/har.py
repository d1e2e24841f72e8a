"""Heterogeneous autoregression (HAR): tomorrow's variance from that of the last day, week and month."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit._check import InputError, labels_of, single_series, whole_number, with_labels
from riskkit._show import Row, Shown


@dataclass(frozen=True, repr=False, eq=False)
class HarFit(Shown):
    """Regression of a variance on its means over the last periods.

    Attributes
    ----------
    intercept : float
        In the unit of the variances, or of their logarithms.
    coefficients : (n_lags,)
        One for the mean over each number of periods.
    standard_errors : (1 + n_lags,)
        Of the intercept and the coefficients, robust to autocorrelation and changing variance.
    lags : tuple[int, ...]
        Numbers of periods.
    logs : bool
        Whether the regression is of logarithms.
    r_squared : float
        Explained share of the variance of the (logarithms of the) variances, a fraction.
    fitted : (n_obs - longest lag,)
        Forecasts in the sample, with the labels of the periods they are for.
    residual_variance : float
        Variance of the residuals.
    next_variance : float
        Forecast for the period after the last; of logarithms exp(forecast + residual variance / 2).
    n_obs : int
        Number of periods that were forecast.

    Examples
    --------
    >>> import numpy as np
    >>> from riskkit.covariance import fit_har
    >>> fit_har(np.random.default_rng(1).chisquare(5.0, 300)).n_obs
    278
    """

    intercept: float
    coefficients: np.ndarray
    standard_errors: np.ndarray
    lags: tuple[int, ...]
    logs: bool
    r_squared: float
    fitted: Any
    residual_variance: float
    next_variance: float
    n_obs: int

    def _title(self) -> str:
        return f"HAR of {'logarithms of ' if self.logs else ''}variances, {self.n_obs:,} periods"

    def _rows(self) -> list[Row]:
        names = ["intercept", *(f"mean of {lag}" for lag in self.lags)]
        values = [self.intercept, *self.coefficients.tolist()]
        return [
            *(
                (name, value, f"± {error:.2g}")
                for name, value, error in zip(names, values, self.standard_errors, strict=True)
            ),
            ("R²", self.r_squared, ""),
            ("next variance", self.next_variance, "per period"),
        ]


def fit_har(variances: Any, lags: Sequence[int] = (1, 5, 22), *, logs: bool = False, hac_lags: int = 5) -> HarFit:
    """Fit a heterogeneous autoregression to daily variances by least squares.

    Parameters
    ----------
    variances : (n_obs,)
        Realised (or other) variance per period, oldest first, at least zero.
    lags : sequence of int
        Numbers of periods before, over which means are taken: a day, a week and a month of days.
    logs : bool
        Of logarithms (and their means), which are nearer to normal; the variances are then above zero.
    hac_lags : int
        Number of autocorrelations in the standard errors (Bartlett weights).

    Returns
    -------
    HarFit
        Coefficients, robust standard errors, forecasts in the sample and for the next period.

    Raises
    ------
    InputError
        NaN, infinity, a variance below zero (or not above, of logarithms), dates out of order, or too few periods.

    References
    ----------
    Corsi (2009), A simple approximate long-memory model of realized volatility, J. Financial Econometrics 7, 174-196, eq. 9.
    Newey and West (1987), Econometrica 55, 703-708 (standard errors).

    Examples
    --------
    >>> variances = 1.0 + 0.5 * np.sin(np.arange(400) / 30.0) + 0.1 * np.random.default_rng(1).standard_normal(400)
    >>> fit = fit_har(variances)
    >>> fit.coefficients.round(2).tolist(), round(fit.r_squared, 2)
    ([-0.14, 1.38, -0.27], 0.92)
    """
    array = single_series(variances, "variances", ordered=True)
    spans = tuple(whole_number(lag, "lags") for lag in lags)
    hac = whole_number(hac_lags, "hac_lags", at_least=0)
    if not spans or len(set(spans)) < len(spans):
        raise InputError(f"lags={list(lags)} needs at least one number, and each once")
    if array.min() < 0.0 or (logs and array.min() == 0.0):
        needed = "above zero for its logarithm" if logs else "at least zero"
        raise InputError(f"variances holds {array.min():g}; a variance is {needed}")
    longest = max(spans)
    n_obs = len(array) - longest
    if n_obs < len(spans) + 2:
        raise InputError(f"variances has {len(array)} periods; {longest + len(spans) + 2} are needed for these lags")
    unit = 1.0 if logs else float(array.mean()) or 1.0  # small or large variances look constant beside the intercept
    values = np.log(array) if logs else array / unit
    means = np.column_stack([_trailing_means(values, span)[longest - span :] for span in spans])
    design = np.column_stack([np.ones(n_obs + 1), means])  # the last row is of the period to come
    known, target = design[:-1], values[longest:]
    solution, _, rank, _ = np.linalg.lstsq(known, target)
    if rank < known.shape[1]:
        raise InputError("variances is constant, or has no variation that the lags tell apart")
    fitted = known @ solution
    residual = target - fitted
    variance = float(residual @ residual) / (n_obs - known.shape[1])
    following = float(design[-1] @ solution)
    rows = labels_of(variances, 0)
    units = np.where(np.arange(known.shape[1]) == 0, unit, 1.0)
    return HarFit(
        intercept=float(solution[0]) * unit,
        coefficients=solution[1:],
        standard_errors=_robust_errors(known, residual, hac) * units,
        lags=spans,
        logs=logs,
        r_squared=1.0 - float(residual @ residual / ((target - target.mean()) @ (target - target.mean()))),
        fitted=with_labels(
            np.exp(fitted + 0.5 * variance) if logs else fitted * unit, None if rows is None else rows[longest:]
        ),
        residual_variance=variance * unit**2,
        next_variance=math.exp(following + 0.5 * variance) if logs else following * unit,
        n_obs=n_obs,
    )


def _trailing_means(values: np.ndarray, span: int) -> np.ndarray:
    """Mean of every `span` neighbours, (n - span + 1,)."""
    means: np.ndarray = np.lib.stride_tricks.sliding_window_view(values, span).mean(axis=1)
    return means


def _robust_errors(design: np.ndarray, residual: np.ndarray, lags: int) -> np.ndarray:
    """Newey-West standard errors without a factor for small samples."""
    scores = design * residual[:, None]
    meat = scores.T @ scores
    for lag in range(1, lags + 1):
        cross = (1.0 - lag / (lags + 1.0)) * scores[lag:].T @ scores[:-lag]
        meat += cross + cross.T
    bread = np.linalg.inv(design.T @ design)
    return np.asarray(np.sqrt(np.diag(bread @ meat @ bread)))
