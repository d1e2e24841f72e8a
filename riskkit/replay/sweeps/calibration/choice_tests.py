"""Tests whether a chosen setting is better than no limits, or the best of many by chance."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

MAX_GROUPS = 16
MIN_DAYS = 8
BATCH = 4_000_000  # numbers at once


class Superiority(NamedTuple):
    """p-values of the hypothesis that no setting is better than no limits, small if some setting is.

    Attributes
    ----------
    reality_check : float
        Of White's test; settings that are much worse than no limits make it larger.
    spa : float
        Of Hansen's test for superior predictive ability (studentised, consistent), which such settings hardly change.
    """

    reality_check: float
    spa: float


def superiority(scores: np.ndarray, means: np.ndarray, block: float) -> Superiority:
    """White's reality check and Hansen's SPA test from resampled means.

    Parameters
    ----------
    scores : (n_settings, n_days)
        Daily scores less those without limits; larger is better.
    means : (n_resamples, n_settings)
        Means over days resampled by the stationary bootstrap.
    block : float
        Its mean block length, days.

    Returns
    -------
    Superiority
        A resample as extreme as the record counts, and the record itself, so that no p-value is zero.

    References
    ----------
    White (2000), A reality check for data snooping, Econometrica 68, 1097-1126. Hansen (2005), A test for superior
    predictive ability, Journal of Business & Economic Statistics 23, 365-380, sections 3.2 and 3.3.

    Examples
    --------
    >>> scores = np.array([[2.0, 1.0, 3.0, 2.0], [-1.0, 1.0, -2.0, 0.0]])
    >>> superiority(scores, np.array([[2.5, -1.0], [1.5, 0.0], [2.0, -0.5]]), 1.0)
    Superiority(reality_check=0.25, spa=0.25)
    """
    mean, n_days = scores.mean(axis=1), scores.shape[1]
    largest = (means - mean).max(axis=1)
    error = np.sqrt(_stationary_variance(scores, block) / n_days)
    varies = error > 0.0
    if not varies.any():
        return Superiority(1.0, 1.0)
    scale = np.where(varies, error, np.inf)  # a setting that changes nothing has a ratio of zero
    relevant = mean >= -error * np.sqrt(2.0 * np.log(np.log(max(n_days, 3))))
    ratios = ((means - np.where(relevant, mean, 0.0)) / scale).max(axis=1)
    observed = max(float((mean / scale).max()), 0.0)
    return Superiority(_p_value(largest, float(mean.max())), _p_value(np.maximum(ratios, 0.0), observed))


def _p_value(drawn: np.ndarray, observed: float) -> float:
    return (1 + int((drawn >= observed).sum())) / (1 + len(drawn))


def _stationary_variance(scores: np.ndarray, block: float) -> np.ndarray:
    """Variance of sqrt(n) times the mean of stationary-bootstrap resamples (Politis and Romano 1994, lemma 1)."""
    n_days = scores.shape[1]
    centred = scores - scores.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n_days, axis=1)) ** 2
    covariances = np.fft.irfft(spectrum, axis=1)[:, :n_days] / n_days
    lags, stays = np.arange(1, n_days), 1.0 - 1.0 / block
    weights = (1.0 - lags / n_days) * stays**lags + lags / n_days * stays ** (n_days - lags)
    return np.maximum(covariances[:, 0] + 2.0 * covariances[:, 1:] @ weights, 0.0) * (np.ptp(scores, axis=1) > 0.0)


class Overfitting(NamedTuple):
    """How often the setting that is best on half of the days is below the median on the other half.

    Attributes
    ----------
    probability : float
        Fraction of the splits; a rank exactly at the median counts half. 0.5 is what choosing by chance has.
    n_splits : int
        Number of splits into halves.
    """

    probability: float
    n_splits: int


def overfitting(scores: np.ndarray) -> Overfitting | None:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation.

    The days are cut into an even number of groups of consecutive days, at most 16; each half of the groups selects the
    setting with the highest mean score, which is ranked on the other half.

    Parameters
    ----------
    scores : (n_settings, n_days)
        Daily scores; larger is better.

    Returns
    -------
    Overfitting or None
        None for fewer than two settings or 8 days.

    References
    ----------
    Bailey, Borwein, Lopez de Prado and Zhu (2017), The probability of backtest overfitting, Journal of Computational
    Finance 20(4), 39-69, section 3.

    Examples
    --------
    >>> overfitting(np.array([[1.0] * 8, [0.0] * 8]))
    Overfitting(probability=0.0, n_splits=6)
    """
    n_settings, n_days = scores.shape
    if n_settings < 2 or n_days < MIN_DAYS:
        return None
    n_groups = min(MAX_GROUPS, n_days // 2 // 2 * 2)
    cuts = np.arange(n_groups) * n_days // n_groups
    sums, sizes = np.add.reduceat(scores, cuts, axis=1).T, np.diff([*cuts, n_days])
    halves = np.array(list(itertools.combinations(range(n_groups), n_groups // 2)))
    below, step = 0.0, max(1, BATCH // n_settings)
    for first in range(0, len(halves), step):
        below += _count_below_median(halves[first : first + step], sums, sizes)
    return Overfitting(below / len(halves), len(halves))


def _count_below_median(halves: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> float:
    """Number of halves whose best setting is below the median of the settings on the other groups."""
    inside = np.zeros((len(halves), len(sums)))
    np.put_along_axis(inside, halves, 1.0, axis=1)
    best = np.argmax(_means(inside, sums, sizes), axis=1)
    outside = _means(1.0 - inside, sums, sizes)
    mine = outside[np.arange(len(halves)), best][:, None]
    lead = (outside < mine).sum(axis=1) - (outside > mine).sum(axis=1)  # negative below the median
    return float((lead < 0).sum() + 0.5 * (lead == 0).sum())


def _means(groups: np.ndarray, sums: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Mean score of each setting over sets of groups; equal but for rounding is equal."""
    means: np.ndarray = groups @ sums / (groups @ sizes)[:, None]
    unit = np.abs(sums).max() / sizes.min() * 1e-12
    return np.round(means / unit) if unit else means
