"""Exact distribution of Christoffersen's statistics: a sum over all numbers of hits and of transitions.

A sequence of days enters the statistics only through its first and last state, its number of hits x and its number of
runs of hits r. These fix the transitions, and C(x-1, r-1) C(n-x-1, m-1) sequences share them, m being the number of
runs of days without a hit. So 2^250 sequences become 62,000 cells.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Literal, NamedTuple

import numpy as np

from riskkit._check import one_of, probability, whole_number
from riskkit._jit import kernel
from riskkit._tail import DEFAULT_CONFIDENCE, hit_probability
from riskkit.var_backtest.core.distributions import chi_square_quantile, x_log_x
from riskkit.var_backtest.core.docs import documented

MarkovTest = Literal["cc", "independence"]
DEGREES_OF_FREEDOM = {"cc": 2, "independence": 1}
SMALLEST_LOG = -100.0
"""Log probability below which cells of long samples are left out."""
MAX_FULL_ENUMERATION = 1000
"""Number of days up to which every cell is enumerated, down to the smallest floating-point number."""
TIE = 1e-8


class MarkovCells(NamedTuple):
    """All possible cells: both statistics, and the probability of the cell."""

    cc: np.ndarray
    independence: np.ndarray
    probability: np.ndarray


@documented
def christoffersen_p_value(
    statistic: float, n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, test: MarkovTest = "cc"
) -> float:
    """Exact p-value of a Christoffersen statistic under independent hits.

    Parameters
    ----------
    statistic : float
        Observed likelihood ratio.

    Returns
    -------
    float
        P(LR >= statistic), summed over hit and transition counts.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts, section 4.
    .. [2] Mood (1940), The Distribution Theory of Runs (the counts of sequences by runs).

    Examples
    --------
    >>> round(christoffersen_p_value(0.0, 250, 0.99), 6)
    1.0
    """
    values, masses = _null_distribution(n_obs, confidence, test)
    first = int(np.searchsorted(values, statistic - TIE * max(statistic, 1.0), side="left"))
    return float(min(masses[first:].sum(), 1.0))


@documented
def christoffersen_size(
    n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, significance: float = 0.05, test: MarkovTest = "cc"
) -> float:
    """Probability that the asymptotic (chi-square) Christoffersen test rejects a correct model.

    Returns
    -------
    float
        A probability.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts, section 4.

    Examples
    --------
    >>> round(christoffersen_size(250, 0.99), 6)
    0.008174
    """
    values, masses = _null_distribution(n_obs, confidence, test)
    critical = chi_square_quantile(1.0 - probability(significance, "significance"), DEGREES_OF_FREEDOM[test])
    return float(masses[values > critical].sum())


@documented
def christoffersen_attainable_size(
    n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, significance: float = 0.05, test: MarkovTest = "cc"
) -> float:
    """Probability that the exact Christoffersen test rejects a correct model.

    Returns
    -------
    float
        A probability, at most `significance`.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts, section 4.

    Examples
    --------
    >>> round(christoffersen_attainable_size(250, 0.99), 4)
    0.0295
    """
    values, masses = _null_distribution(n_obs, confidence, test)
    critical = christoffersen_critical(n_obs, confidence, significance=significance, test=test)
    return float(masses[values >= critical].sum())


@documented
def christoffersen_critical(
    n_obs: int, confidence: float = DEFAULT_CONFIDENCE, *, significance: float = 0.05, test: MarkovTest = "cc"
) -> float:
    """Critical value of the exact Christoffersen test: the smallest statistic that it rejects.

    Returns
    -------
    float
        A likelihood ratio; infinite if nothing is rejected.

    References
    ----------
    .. [1] Christoffersen (1998), Evaluating Interval Forecasts, section 4.

    Examples
    --------
    >>> round(christoffersen_critical(250, 0.99), 4)
    5.1108
    """
    values, masses = _null_distribution(n_obs, confidence, test)
    tail = np.cumsum(masses[::-1])[::-1]
    first = np.searchsorted(values, values - TIE * np.maximum(values, 1.0), side="left")
    rejected = tail[first] <= probability(significance, "significance")
    return float(values[np.argmax(rejected)]) if rejected.any() else math.inf


def markov_cells(n_obs: int, p: float, first: float, after_no_hit: float, after_hit: float) -> MarkovCells:
    """Enumerate the cells under first-order Markov hits; the statistics test for independent hits of probability `p`.

    `first`, `after_no_hit` and `after_hit` are the true probabilities of a hit on the first day, after a day without
    a hit and after a hit. All equal to `p`, they give the null distribution.
    """
    from scipy.special import gammaln

    numbers = np.arange(n_obs + 1)
    log_factorial, entropy = gammaln(numbers + 1.0), x_log_x(numbers)
    floor = -745.0 if n_obs <= MAX_FULL_ENUMERATION or after_no_hit != after_hit else SMALLEST_LOG
    chances = np.array(
        [math.log(first), math.log1p(-first)]
        + [math.log(after_no_hit), math.log1p(-after_no_hit), math.log(after_hit), math.log1p(-after_hit)]
    )
    null = np.array([math.log(p), math.log1p(-p)])
    n_cells = _fill(log_factorial, entropy, chances, null, floor, np.empty((0, 3)))
    cells = np.empty((n_cells, 3))
    _fill(log_factorial, entropy, chances, null, floor, cells)
    return MarkovCells(np.maximum(cells[:, 0], 0.0), np.maximum(cells[:, 1], 0.0), np.exp(cells[:, 2]))


def _null_distribution(n_obs: int, confidence: float, test: str) -> tuple[np.ndarray, np.ndarray]:
    """Statistic in ascending order, and its probabilities, under independent hits."""
    one_of(test, tuple(DEGREES_OF_FREEDOM), "test")
    return _sorted_cells(whole_number(n_obs, "n_obs"), hit_probability(confidence), test)


@functools.lru_cache(maxsize=8)
def _sorted_cells(n_obs: int, p: float, test: str) -> tuple[np.ndarray, np.ndarray]:
    cells = markov_cells(n_obs, p, p, p, p)
    values = np.asarray(getattr(cells, test))
    order = np.argsort(values)
    return values[order], cells.probability[order]


@kernel
def _log_probability(log_factorial: Any, chances: Any, x: Any, runs: Any, first: Any, last: Any) -> Any:
    """Log probability of all sequences with `x` hits in `runs` runs and these ends; minus infinity without any.

    `chances`: ln P(hit), ln P(no hit) on the first day, after a day without hit, and after a hit.
    """
    n = log_factorial.size - 1
    others = n - x
    gaps = runs - 1 + (1 - first) + (1 - last)
    if gaps < 0 or gaps > others or (runs > 0) != (x > 0) or (gaps > 0) != (others > 0):
        return -np.inf
    ways = 0.0
    if runs > 0:
        ways += log_factorial[x - 1] - log_factorial[runs - 1] - log_factorial[x - runs]
    if gaps > 0:
        ways += log_factorial[others - 1] - log_factorial[gaps - 1] - log_factorial[others - gaps]
    after_no_hit = (runs - first) * chances[2] + (others - gaps) * chances[3]
    after_hit = (x - runs) * chances[4] + (runs - last) * chances[5]
    return ways + chances[1 - first] + after_no_hit + after_hit


@kernel
def _statistics(entropy: Any, null: Any, x: Any, runs: Any, first: Any, last: Any) -> Any:
    """Likelihood ratios of coverage and of independence; `entropy` holds k ln k."""
    n = entropy.size - 1
    n01, n10, n11 = runs - first, runs - last, x - runs
    n00 = n - 1 - n01 - n10 - n11
    coverage = 2.0 * (entropy[x] + entropy[n - x] - entropy[n] - x * null[0] - (n - x) * null[1])
    free = entropy[n00] + entropy[n01] - entropy[n00 + n01] + entropy[n10] + entropy[n11] - entropy[n10 + n11]
    tied = entropy[n01 + n11] + entropy[n00 + n10] - entropy[n - 1]
    return coverage, 2.0 * (free - tied)


@kernel
def _fill(log_factorial: Any, entropy: Any, chances: Any, null: Any, floor: Any, cells: Any) -> Any:
    """Write (cc, independence, log probability) of every cell above `floor`; return their number."""
    n = log_factorial.size - 1
    n_cells = 0
    independent = chances[2] == chances[4]
    for x in range(n + 1):
        of_x = log_factorial[n] - log_factorial[x] - log_factorial[n - x] + x * chances[2] + (n - x) * chances[3]
        if independent and of_x < floor:
            continue
        # Under independence the probability falls on both sides of the usual number of runs: stop when negligible.
        usual = max(1, (x * (n - x)) // n)
        for side in range(8):
            first, last, step = side // 4, (side // 2) % 2, 1 - 2 * (side % 2)
            runs = usual if step == 1 else usual - 1
            while 0 <= runs <= x:
                log_probability = _log_probability(log_factorial, chances, x, runs, first, last)
                if log_probability >= floor:
                    if n_cells < cells.shape[0]:
                        coverage, independence = _statistics(entropy, null, x, runs, first, last)
                        cells[n_cells, 0] = coverage + independence
                        cells[n_cells, 1] = independence
                        cells[n_cells, 2] = log_probability
                    n_cells += 1
                elif independent and log_probability > -np.inf:
                    break
                runs += step
    return n_cells
