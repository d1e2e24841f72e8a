"""Confidence intervals of the mean of a few dependent, skewed days, one by one and corrected for choosing.

The mean is studentised with the long-run error of an autoregression of its days, and its distribution is that of the
same ratio over series that the autoregression makes from resampled residuals (a sieve bootstrap). The ratio sees skewness
and serial dependence alike; percentiles of resampled means see neither in a small sample.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

MIN_DAYS = 10
"""Fewest days of which an interval is given."""
MAX_ORDER = 3
"""Largest order of the autoregression; one for each 20 days."""
MAX_BATCHES = 1000
"""Days beyond this number are averaged in batches of equal length: the mean is the same, and the work is bounded."""
BURN_IN = 30
"""Resampled days before the first that counts."""
MOST_PERSISTENT = 0.95
"""Largest sum of the coefficients of the autoregression."""
BATCH = 2_000_000  # random numbers at once


class MeanIntervals(NamedTuple):
    """Intervals of the means of several series over the same days; float64, shape (n_series,).

    ``low`` and ``high`` enclose each mean with the coverage that was asked for. ``chosen_low`` replaces ``low`` for a
    series that was chosen because its mean is the largest: with the same probability no series' mean is below its own.
    All are NaN for fewer than `MIN_DAYS` days and for a series that does not vary; an end is infinite if the days do not
    bound the mean on that side, as where fewer than three of them differ from the others.
    """

    low: np.ndarray
    high: np.ndarray
    chosen_low: np.ndarray


def mean_intervals(
    series: np.ndarray,
    rng: np.random.Generator,
    resamples: int,
    coverage: float,
    *,
    candidates: np.ndarray | None = None,
) -> MeanIntervals:
    """Intervals of the mean of each series, and the lower ends that hold after choosing the largest mean.

    Parameters
    ----------
    series : (n_series, n_days)
        Figures of the same consecutive days.
    rng : numpy.random.Generator
        Source of the resampled residuals, which are of the same days in every series.
    resamples : int
        Number of resampled series; a few hundred.
    coverage : float
        Probability that an interval encloses its mean, a fraction.
    candidates : (n_series,) of bool, optional
        Series among which is chosen; by default all.

    Returns
    -------
    MeanIntervals

    Notes
    -----
    Simulated coverage of 90 % intervals by number of days, of the samples that have an interval:

    ==========================  ====  ====  ====  ====  ====
    days                          20    40    60   120   250
    ==========================  ====  ====  ====  ====  ====
    half-normal                 94 %  91 %  91 %  91 %  91 %
    5 % of days lose lognormal  95 %  95 %  95 %  93 %  90 %
    5 % of days lose Pareto(3)  96 %  96 %  95 %  95 %  92 %
    AR(0.6)                     87 %  88 %  90 %  89 %  89 %
    AR(0.4, 0.3)                72 %  81 %  87 %  89 %  90 %
    best of 40 half-normal      98 %        99 %        92 %
    best of 40 lognormal       100 %       100 %        99 %
    best of 40 AR(0.6)          99 %        93 %        93 %
    ==========================  ====  ====  ====  ====  ====

    With a loss on 5 % of the days, 36 % of samples of 20 days have none and get no interval, which nothing could cover;
    55 % have one or two, and an interval without an upper end. Of 250 days none is without. Dependence of a second
    lag needs 60 days.

    References
    ----------
    Bühlmann (1997), Sieve bootstrap for time series, Bernoulli 3(2), 123-148. Hall (1992), The Bootstrap and Edgeworth
    Expansion, section 3.10.3 (studentised intervals). Hurvich and Tsai (1989), Regression and time series model selection in small
    samples, Biometrika 76, 297-307 (the order). Kendall (1954), Note on bias in the estimation of autocorrelation,
    Biometrika 41, 403-404. Romano and Wolf (2005), Stepwise multiple testing as formalized data snooping, Econometrica
    73, 1237-1282 (the largest ratio of all series).

    Examples
    --------
    >>> days = np.array([[3.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 4.0, 0.0, 0.0, 1.0]])
    >>> found = mean_intervals(days, np.random.default_rng(1), 499, 0.90)
    >>> round(float(days.mean()), 2), found.low.round(2).tolist(), found.high.round(2).tolist()
    (0.92, [0.41], [2.26])
    """
    means = series.mean(axis=1)
    if series.shape[1] > MAX_BATCHES:
        length = -(-series.shape[1] // MAX_BATCHES)
        series = series[:, series.shape[1] % length :].reshape(len(series), -1, length).mean(axis=2)
    n_series, n_days = series.shape
    centred = series - series.mean(axis=1, keepdims=True)
    varying = np.abs(centred).max(axis=1) > 1e-12 * np.abs(series).max(axis=1)
    if n_days < MIN_DAYS or not varying.any():
        return MeanIntervals(*np.full((3, n_series), np.nan))
    models = [_autoregression(row) if varies else None for row, varies in zip(centred, varying, strict=True)]
    errors = np.array([np.nan if model is None else model.error for model in models])
    ratios = np.zeros((resamples, n_series))
    width = n_days + BURN_IN
    step = max(1, BATCH // width)
    for first in range(0, resamples, step):
        uniforms = rng.random((min(step, resamples - first), width))
        for j, model in enumerate(models):
            if model is not None:
                ratios[first : first + step, j] = _resampled_ratios(model, uniforms)
    cut = (1.0 - coverage) / 2.0
    lower, upper = _outer(ratios, cut)
    compared = varying if candidates is None else varying & candidates
    largest = ratios[:, compared].max(axis=1, initial=-np.inf, keepdims=True)
    return MeanIntervals(means - upper * errors, means - lower * errors, means - _outer(largest, cut)[1] * errors)


class _Autoregression(NamedTuple):
    """Coefficients and residuals of a centred series, and the standard error of its mean."""

    coefficients: np.ndarray
    residuals: np.ndarray
    error: float
    size: float  # of the largest deviation from the mean


def _autoregression(centred: np.ndarray) -> _Autoregression:
    """The autoregression of the order with the smallest corrected information criterion."""
    n_days, first = len(centred), _max_order(len(centred))
    fits = {order: _fitted(centred[None], order) for order in range(1, first + 1)}
    criteria = {order: _information(float(fit.variance[0]), order, n_days) for order, fit in fits.items()}
    best = fits[min(criteria, key=criteria.__getitem__)]
    coefficients = best.coefficients[0]
    residuals = centred[first:].copy()  # of the same days in every series
    for lag, coefficient in enumerate(coefficients, 1):
        residuals -= coefficient * centred[first - lag : n_days - lag]
    return _Autoregression(
        coefficients, residuals - residuals.mean(), float(best.error[0]), float(np.abs(centred).max())
    )


def _information(variance: float, order: int, n_days: int) -> float:
    """Akaike's criterion, corrected for small samples."""
    fit = n_days * math.log(variance) if variance > 0.0 else -math.inf
    return fit + 2.0 * (order + 2) * n_days / (n_days - order - 3)


def _max_order(n_days: int) -> int:
    return max(1, min(MAX_ORDER, n_days // 20))


class _Fit(NamedTuple):
    """Coefficients (n, order), variance of the residuals (n,) and error of the mean (n,) of n series."""

    coefficients: np.ndarray
    variance: np.ndarray
    error: np.ndarray


def _fitted(series: np.ndarray, order: int) -> _Fit:
    """Yule-Walker fits of rows; the sum of the coefficients is corrected for its bias and kept from 0 to 0.95."""
    n_days = series.shape[1]
    centred = series - series.mean(axis=1, keepdims=True)
    lags = [np.einsum("ij,ij->i", centred[:, lag:], centred[:, : n_days - lag]) / n_days for lag in range(order + 1)]
    covariances = np.stack(lags, axis=1)
    matrix = covariances[:, np.abs(np.subtract.outer(np.arange(order), np.arange(order)))]
    matrix[:, range(order), range(order)] *= 1.0 + 1e-12
    coefficients = np.linalg.solve(matrix, covariances[:, 1:, None])[:, :, 0]
    total = coefficients.sum(axis=1)
    corrected = np.clip(total + (1.0 + 3.0 * total) / n_days, 0.0, MOST_PERSISTENT)
    coefficients = coefficients + ((corrected - total) / order)[:, None]
    explained = 2.0 * (coefficients * covariances[:, 1:]).sum(axis=1)
    explained -= np.einsum("ij,ijk,ik->i", coefficients, matrix, coefficients)
    variance = np.maximum(covariances[:, 0] - explained, 0.0)
    error = np.sqrt(variance / (n_days - 1 - order)) / (1.0 - corrected)
    return _Fit(coefficients, variance, error)


def _resampled_ratios(model: _Autoregression, uniforms: np.ndarray) -> np.ndarray:
    """Mean over its error in each series that the model makes from resampled residuals; infinite without an error."""
    from scipy.signal import lfilter, lfilter_zi

    drawn = model.residuals[(uniforms * len(model.residuals)).astype(np.int64)]
    filter_ = [1.0], [1.0, *-model.coefficients]
    steady = (
        lfilter_zi(*filter_) * drawn[:, :1]
    )  # as if the first residual had always been, so that equal ones stay equal
    made = lfilter(*filter_, drawn, axis=1, zi=steady)[0][:, BURN_IN:]
    mean = made.mean(axis=1)
    ratios = np.copysign(np.inf, mean)
    varies = np.ptp(made, axis=1) > 1e-9 * model.size
    ratios[varies] = mean[varies] / _fitted(made[varies], len(model.coefficients)).error
    return ratios


def _outer(ratios: np.ndarray, share: float) -> tuple[np.ndarray, np.ndarray]:
    """The order statistics of each column that cut off `share` of n + 1 ratios at the lower and the upper end."""
    n = len(ratios)
    rank = max(1, int(share * (n + 1) + 1e-9))
    parted = np.partition(ratios, (rank - 1, n - rank), axis=0)
    return parted[rank - 1], parted[n - rank]
