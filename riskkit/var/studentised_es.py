"""Interval of a historical ES: studentised, from resamples of the sample with a tail that goes on beyond it.

A resample of the losses themselves has none worse than the worst, so that percentiles and errors of resampled ES are too
small. Here the losses over a threshold are drawn from a generalized Pareto distribution, as heavy as fitted and at least as heavy as the
tails that daily returns are known to have.
"""

from __future__ import annotations

import math

import numpy as np

from riskkit._check import InputError, constant
from riskkit._tail import n_tail, tail_probability
from riskkit.var.parametric.generalized_pareto import fit_excesses

TAIL_FRACTION = 0.1
"""Fraction of the losses over the threshold, or twice the tail probability if that is more."""
MIN_OVER = 10
"""Fewest losses over the threshold."""
LEAST_SHAPE = 1.0 / 3.0
"""Smallest shape of the drawn tail: an exponent of 3 (Gopikrishnan et al. 1999)."""
LARGEST_SHAPE = 0.9
"""Largest shape of the drawn tail, whose ES would be infinite from 1 on."""
CHUNK = 2_000_000
"""Drawn losses held at a time."""


def studentised_es(
    table: np.ndarray, confidence: float, coverage: float, n_draws: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lower end, upper end and standard error of the tail-mass ES of each column.

    The studentised number is the logarithm of the ES less the median loss, so that the interval moves with the location and
    grows with the scale of the returns.

    Parameters
    ----------
    table : (n_obs, n_series)
        Independent returns.
    confidence : float
        Of the ES.
    coverage : float
        Probability that the interval encloses the ES, a fraction.
    n_draws : int
        Resamples.
    rng : numpy.random.Generator
        Source of the resamples, the same for every series.

    Returns
    -------
    low, high, standard_error : (n_series,)

    Raises
    ------
    InputError
        Fewer than two losses in the tail, or ten over the threshold that differ.

    References
    ----------
    Hall (1992), The Bootstrap and Edgeworth Expansion, section 3.10.3 and (of a logarithm) 3.9. Caers and Maes (1998),
    Identifying tails, bounds and end-points of random variables, Structural Safety 20, 1-23 (empirical body, Pareto
    tail). Manistre and Hancock (2005), Variance of the CTE estimator, North American Actuarial Journal 9(2), 129-156
    (the error). Gopikrishnan, Plerou, Amaral, Meyer and Stanley (1999), Scaling of the distribution of fluctuations of
    financial market indices, Physical Review E 60, 5305-5316.
    """
    n_obs, p = len(table), tail_probability(confidence)
    size, n_over = n_tail(n_obs, confidence), int(n_obs * max(TAIL_FRACTION, 2.0 * p))
    if size < 2.0 or n_over < MIN_OVER or 2.0 * p >= 0.5:
        raise InputError(
            f"interval='studentised' needs a confidence above 0.75, at least 2 losses in the tail and {MIN_OVER} over the "
            f"threshold; of {n_obs} observations {size:g} are in the tail at {confidence:g} and {n_over} over the threshold"
        )
    losses = 0.0 - np.sort(table, axis=0)  # worst first
    tails = [_Tail(losses[:, j], n_over, p) for j in range(losses.shape[1])]
    step = max(1, CHUNK // n_over)
    ratios = np.empty((n_draws, len(tails)))
    for first in range(0, n_draws, step):
        worst = _smallest_uniforms(min(step, n_draws - first), n_over, n_obs, rng)
        for j, tail in enumerate(tails):
            ratios[first : first + step, j] = tail.ratios(worst, size)
    cut = (1.0 - coverage) / 2.0
    upper, lower = np.quantile(ratios, (1.0 - cut, cut), axis=0, method="inverted_cdf")
    middle = np.median(losses, axis=0)
    es, error = tail_mean(losses[:n_over].T, n_obs, size)
    relative = error / (es - middle)
    low, high = (middle + (es - middle) * np.exp(-ratio * relative) for ratio in (upper, lower))
    return low, high, error


def tail_mean(worst: np.ndarray, n_obs: int, size: float) -> tuple[np.ndarray, np.ndarray]:
    """ES and its standard error from the worst losses of each row, worst first; `size` of the `n_obs` are the tail."""
    rank = math.ceil(size) - 1
    var = worst[:, rank]
    excesses = worst[:, :rank] - var[:, None]
    total, squares = excesses.sum(axis=1), (excesses**2).sum(axis=1)
    variance = np.maximum(squares / n_obs - (total / n_obs) ** 2, 0.0)
    return var + total / size, np.sqrt(variance / n_obs) * n_obs / size


def _smallest_uniforms(n_draws: int, count: int, n_obs: int, rng: np.random.Generator) -> np.ndarray:
    """The `count` smallest of `n_obs` uniform numbers in each draw, ascending (Devroye 1986, section V.2)."""
    sums = np.cumsum(rng.standard_exponential((n_draws, count)), axis=1)
    smallest: np.ndarray = sums / (sums[:, -1:] + rng.standard_gamma(n_obs + 1 - count, (n_draws, 1)))
    return smallest


class _Tail:
    """The distribution of which resamples are drawn: a Pareto tail over a threshold, the sample below."""

    def __init__(self, losses: np.ndarray, n_over: int, p: float) -> None:
        """`losses` are sorted, worst first."""
        excesses = losses[:n_over] - losses[n_over]
        if excesses[MIN_OVER - 1] <= 0.0 or constant(excesses, np.abs(losses).max()):
            raise InputError(
                f"interval='studentised' needs {MIN_OVER} losses over the threshold {losses[n_over]:.4g} that differ"
            )
        fitted, _ = fit_excesses(excesses[excesses > 0.0])
        self._losses, self._share = losses, n_over / len(losses)
        self._shape = min(max(fitted, LEAST_SHAPE), LARGEST_SHAPE)
        self._scale = float(excesses.mean()) * (1.0 - self._shape)
        self._threshold, self._middle = float(losses[n_over]), float(np.median(losses))
        beyond = self._beyond(np.array(p))
        self._es = self._threshold + float(beyond + self._scale) / (1.0 - self._shape)

    def _beyond(self, uniforms: np.ndarray) -> np.ndarray:
        """Excess that is exceeded with these probabilities."""
        exceeded: np.ndarray = (uniforms / self._share) ** -self._shape
        return self._scale / self._shape * (exceeded - 1.0)

    def ratios(self, uniforms: np.ndarray, size: float) -> np.ndarray:
        """Studentised logarithm of the ES less the median, of resamples with these exceedance probabilities."""
        n_obs = len(self._losses)
        body = self._losses[np.minimum((uniforms * n_obs).astype(np.int64), n_obs - 1)]
        worst = np.where(uniforms < self._share, self._threshold + self._beyond(uniforms), body)
        es, error = tail_mean(worst, n_obs, size)
        size_of = es - self._middle
        logarithm = np.log(size_of / (self._es - self._middle))
        certain = error <= 0.0  # equal losses in the tail
        ratio: np.ndarray = logarithm * size_of / np.where(certain, 1.0, error)
        return np.where(certain, np.copysign(np.inf, logarithm), ratio)
