"""Du and Escanciano's tests of ES by cumulative violations of the forecast distribution.

The tests need the forecast distribution function at the return (`pit`) instead of VaR and ES. The cumulative violation
of a day is zero outside the lower tail of probability p, and grows linearly to 1 with its depth in the tail.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, single_series, whole_number
from riskkit._tail import DEFAULT_CONFIDENCE, tail_probability
from riskkit.var_backtest.core.distributions import normal_tail
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.outcome import TestResult, chi_square_outcome, undefined
from riskkit.var_backtest.core.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days

CHUNK = 2_000_000


@documented
def du_escanciano_unconditional(
    pit: Any, confidence: float = DEFAULT_CONFIDENCE, *, n_draws: int = 9_999, rng: np.random.Generator | None = None
) -> TestResult:
    """Du and Escanciano's unconditional test of ES.

    Returns
    -------
    Outcome
        statistic = mean H, H = (p - u) 1{u <= p}/p, which should be p/2; two-sided normal p-value of
        z = (mean H - p/2)/sqrt(p (1/3 - p/4)/n). `details` contains z.

    References
    ----------
    .. [1] Du and Escanciano (2017), Backtesting Expected Shortfall: Accounting for Tail Risk, section 3.

    Examples
    --------
    >>> round(du_escanciano_unconditional([0.5, 0.05, 0.8, 0.3], 0.9, n_draws=0).statistic, 6)
    0.125
    """
    p = tail_probability(confidence)
    violations = cumulative_violations(pit, p)
    n_obs, mean = violations.size, float(violations.mean())
    z = (mean - p / 2.0) / math.sqrt(p * (1.0 / 3.0 - p / 4.0) / n_obs)
    exact = None
    if n_draws:
        draws = _simulated_means(n_obs, p, n_draws, generator(rng))
        exact = monte_carlo_p_value(abs(mean - p / 2.0), np.abs(draws - p / 2.0))
    return TestResult(
        "Du-Escanciano unconditional",
        f"cumulative violations average {p / 2:.6g}",
        f"cumulative violations average {mean:.4g}, {p / 2:.4g} expected",
        mean,
        "standard normal, two-sided",
        2.0 * normal_tail(abs(z)),
        exact,
        f"{n_draws:,} simulated samples" if n_draws else "",
        details={"z": z},
    )


@documented
def du_escanciano_conditional(
    pit: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    lags: int = 4,
    n_draws: int = 999,
    rng: np.random.Generator | None = None,
) -> TestResult:
    """Du and Escanciano's conditional test of ES: cumulative violations are not autocorrelated.

    Parameters
    ----------
    lags : int
        Number of autocorrelations.

    Returns
    -------
    Outcome
        statistic n × sum over j <= lags of (g_j/g_0)², g_j the autocovariance about p/2 with divisor n - j;
        df = lags. Undefined with no more days than lags.

    References
    ----------
    .. [1] Du and Escanciano (2017), Backtesting Expected Shortfall: Accounting for Tail Risk, section 3.

    Examples
    --------
    >>> pit = [0.5, 0.05, 0.02, 0.8, 0.3, 0.6, 0.9, 0.4]
    >>> round(du_escanciano_conditional(pit, 0.9, lags=1, n_draws=0).statistic, 4)
    1.4196
    """
    p, lags = tail_probability(confidence), whole_number(lags, "lags")
    centered = cumulative_violations(pit, p) - p / 2.0
    test, null = "Du-Escanciano conditional", f"cumulative violations are uncorrelated over {lags} day(s)"
    n_obs = centered.size
    if n_obs <= lags:
        return undefined(test, null, f"{n_obs} days, and {lags} lag(s) need more")
    statistic = float(_portmanteau(centered[None, :], lags)[0])
    exact = None
    if n_draws:
        exact = monte_carlo_p_value(statistic, _simulated_portmanteau(n_obs, p, lags, n_draws, generator(rng)))
    finding = f"autocorrelations of cumulative violations over {lags} day(s)"
    return chi_square_outcome(test, null, finding, statistic, lags, exact, f"{n_draws:,} simulated samples")


def cumulative_violations(pit: Any, p: float) -> np.ndarray:
    """Return H = (p - u) 1{u <= p}/p, shape (n_obs,): 0 outside the tail, up to 1 at its end."""
    values = single_series(pit, "pit", ordered=True)
    if ((values < 0.0) | (values > 1.0)).any():
        day = int(np.argmax((values < 0.0) | (values > 1.0)))
        raise InputError(f"pit holds {values[day]:g} at position {day}; a distribution function is between 0 and 1")
    return np.maximum(p - values, 0.0) / p


def _portmanteau(centered: np.ndarray, lags: int) -> np.ndarray:
    """Return n × the sum of squared autocorrelations, for each row."""
    n_obs = centered.shape[1]
    variance = np.einsum("ij,ij->i", centered, centered) / n_obs
    total = np.zeros(len(centered))
    for lag in range(1, lags + 1):
        covariance = np.einsum("ij,ij->i", centered[:, lag:], centered[:, :-lag]) / (n_obs - lag)
        total += (covariance / variance) ** 2
    return np.asarray(n_obs * total)


def _simulated_means(n_obs: int, p: float, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Mean H of simulated samples of a correct model: within the tail, H is uniform."""
    hits = rng.binomial(n_obs, p, size=n_draws)
    means = np.empty(n_draws)
    step = max(1, int(CHUNK / max(n_obs * p, 1.0)))
    for start in range(0, n_draws, step):
        ends = np.cumsum(hits[start : start + step])
        total = np.concatenate([[0.0], np.cumsum(rng.random(int(ends[-1])))])
        means[start : start + step] = np.diff(total[ends], prepend=0.0) / n_obs
    return means


def _simulated_portmanteau(n_obs: int, p: float, lags: int, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    found = []
    step = max(1, CHUNK // n_obs)
    for start in range(0, n_draws, step):
        rows = min(step, n_draws - start)
        days = simulate_hit_days(n_obs, p, rows, rng)
        centered = np.zeros((rows, n_obs + 1))
        np.put_along_axis(centered, days - 1, rng.random(days.shape), axis=1)
        found.append(_portmanteau(centered[:, :n_obs] - p / 2.0, lags))
    return np.concatenate(found)
