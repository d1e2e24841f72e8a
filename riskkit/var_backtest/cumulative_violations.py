"""Du and Escanciano's tests of ES through the forecast distribution: cumulative violations of the tail.

They need the forecast cdf at the return (`pit`), not VaR and ES: a day in the lowest share p of its forecast counts,
and the deeper it is in that tail the more.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, whole_number
from riskkit._tail import tail_mass
from riskkit.var_backtest.distributions import chi_square_tail, normal_tail
from riskkit.var_backtest.outcome import Outcome, undefined
from riskkit.var_backtest.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days

__all__ = ["cumulative_violations", "du_escanciano_conditional", "du_escanciano_unconditional"]

CHUNK = 2_000_000


def du_escanciano_unconditional(
    pit: Any, confidence: float = 0.975, *, n_draws: int = 9_999, rng: np.random.Generator | None = None
) -> Outcome:
    """Du and Escanciano's unconditional test of ES.

    Parameters
    ----------
    pit : (n_obs,) array or Series
        Forecast cdf at the realised return, between 0 and 1; low for losses.
    confidence : float
        0.975 means 97.5 % ES.
    n_draws : int
        Number of simulated samples behind the finite-sample p-value; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        statistic = mean H, H = (p - u) 1{u <= p}/p, which should be p/2; two-sided normal p-value of
        z = (mean H - p/2)/sqrt(p (1/3 - p/4)/n). `details` holds z.

    Raises
    ------
    InputError
        A pit is not between 0 and 1.

    References
    ----------
    .. [1] Du and Escanciano (2017), Backtesting Expected Shortfall: Accounting for Tail Risk, section 3.

    Examples
    --------
    >>> round(du_escanciano_unconditional([0.5, 0.05, 0.8, 0.3], 0.9, n_draws=0).statistic, 6)
    0.125
    """
    p = tail_mass(confidence)
    violations = cumulative_violations(pit, p)
    n_obs, mean = violations.size, float(violations.mean())
    z = (mean - p / 2.0) / math.sqrt(p * (1.0 / 3.0 - p / 4.0) / n_obs)
    exact = None
    if n_draws:
        draws = _simulated_means(n_obs, p, n_draws, generator(rng))
        exact = monte_carlo_p_value(abs(mean - p / 2.0), np.abs(draws - p / 2.0))
    return Outcome(
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


def du_escanciano_conditional(
    pit: Any, confidence: float = 0.975, *, lags: int = 4, n_draws: int = 999, rng: np.random.Generator | None = None
) -> Outcome:
    """Du and Escanciano's conditional test of ES: cumulative violations are not autocorrelated.

    Parameters
    ----------
    pit : (n_obs,) array or Series
        Forecast cdf at the realised return, between 0 and 1; low for losses.
    confidence : float
        0.975 means 97.5 % ES.
    lags : int
        Number of autocorrelations.
    n_draws : int
        Number of simulated samples behind the finite-sample p-value; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        statistic n × sum over j <= lags of (g_j/g_0)², g_j the autocovariance about p/2 with divisor n - j;
        df = lags. Undefined with no more days than lags.

    Raises
    ------
    InputError
        A pit is not between 0 and 1.

    References
    ----------
    .. [1] Du and Escanciano (2017), Backtesting Expected Shortfall: Accounting for Tail Risk, section 3.

    Examples
    --------
    >>> pit = [0.5, 0.05, 0.02, 0.8, 0.3, 0.6, 0.9, 0.4]
    >>> round(du_escanciano_conditional(pit, 0.9, lags=1, n_draws=0).statistic, 4)
    1.4196
    """
    p, lags = tail_mass(confidence), whole_number(lags, "lags")
    centred = cumulative_violations(pit, p) - p / 2.0
    test, null = "Du-Escanciano conditional", f"cumulative violations are uncorrelated over {lags} day(s)"
    n_obs = centred.size
    if n_obs <= lags:
        return undefined(test, null, f"{n_obs} days, and {lags} lag(s) need more")
    statistic = float(_portmanteau(centred[None, :], lags)[0])
    exact = None
    if n_draws:
        exact = monte_carlo_p_value(statistic, _simulated_portmanteau(n_obs, p, lags, n_draws, generator(rng)))
    return Outcome(
        test,
        null,
        f"autocorrelations of cumulative violations over {lags} day(s)",
        statistic,
        f"chi-square, {lags} df",
        chi_square_tail(statistic, lags),
        exact,
        f"{n_draws:,} simulated samples" if n_draws else "",
        df=lags,
    )


def cumulative_violations(pit: Any, p: float) -> np.ndarray:
    """Return H = (p - u) 1{u <= p}/p, shape (n_obs,): 0 outside the tail, up to 1 in its depth."""
    values = finite_array(pit, "pit", ndim=1)
    if ((values < 0.0) | (values > 1.0)).any():
        day = int(np.argmax((values < 0.0) | (values > 1.0)))
        raise InputError(f"pit holds {values[day]:g} at position {day}; a forecast cdf is between 0 and 1")
    return np.maximum(p - values, 0.0) / p


def _portmanteau(centred: np.ndarray, lags: int) -> np.ndarray:
    """Return n × the sum of squared autocorrelations, for each row."""
    n_obs = centred.shape[1]
    variance = np.einsum("ij,ij->i", centred, centred) / n_obs
    total = np.zeros(len(centred))
    for lag in range(1, lags + 1):
        covariance = np.einsum("ij,ij->i", centred[:, lag:], centred[:, :-lag]) / (n_obs - lag)
        total += (covariance / variance) ** 2
    return n_obs * total


def _simulated_means(n_obs: int, p: float, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Mean H of a true model: within the tail, H is uniform."""
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
        centred = np.zeros((rows, n_obs + 1))
        np.put_along_axis(centred, days - 1, rng.random(days.shape), axis=1)
        found.append(_portmanteau(centred[:, :n_obs] - p / 2.0, lags))
    return np.concatenate(found)
