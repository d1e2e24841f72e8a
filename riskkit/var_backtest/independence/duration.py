"""Tests of the waits between hits: Haas' mixed Kupiec tests and the Weibull test."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._jit import kernel
from riskkit._tail import DEFAULT_CONFIDENCE, hit_probability, tail_probability
from riskkit.var_backtest.core.docs import documented
from riskkit.var_backtest.core.hits import hit_array, hit_times
from riskkit.var_backtest.core.outcome import TestResult, chi_square_outcome, undefined
from riskkit.var_backtest.core.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days
from riskkit.var_backtest.exact.coverage import pof_lr, tuff_lr

N_DRAWS = 999


@documented
def haas_tbfi(
    hits: Any, confidence: float = DEFAULT_CONFIDENCE, *, n_draws: int = N_DRAWS, rng: np.random.Generator | None = None
) -> TestResult:
    """Haas' test of the times between failures (independence).

    Returns
    -------
    Outcome
        statistic = sum of the TUFF likelihood ratios of all times between hits, the first counted from the start;
        df = number of hits. Undefined without a hit. Under the null the mean of each ratio is 1.15, not 1: with many
        hits the chi-square p-value rejects every model, and only the simulated p-value is valid.

    References
    ----------
    .. [1] Haas (2001), New Methods in Backtesting.

    Examples
    --------
    >>> outcome = haas_tbfi([0, 0, 1, 0, 1, 0, 0, 0, 0, 0], 0.9, n_draws=0)
    >>> round(outcome.statistic, 4), outcome.df
    (3.2508, 2)
    """
    array, p = hit_array(hits), tail_probability(confidence)
    return _haas("Haas TBFI", array, p, 0.0, 0, n_draws, rng)


@documented
def haas_tbf(
    hits: Any, confidence: float = DEFAULT_CONFIDENCE, *, n_draws: int = N_DRAWS, rng: np.random.Generator | None = None
) -> TestResult:
    """Haas' mixed Kupiec test: the number of failures and the times between them.

    Returns
    -------
    Outcome
        statistic = Kupiec POF + TBFI; df = number of hits + 1.

    References
    ----------
    .. [1] Haas (2001), New Methods in Backtesting.

    Examples
    --------
    >>> outcome = haas_tbf([0, 0, 1, 0, 1, 0, 0, 0, 0, 0], 0.9, n_draws=0)
    >>> round(outcome.statistic, 4), outcome.df
    (4.1389, 3)
    """
    array, p = hit_array(hits), tail_probability(confidence)
    return _haas("Haas TBF", array, p, float(pof_lr(int(array.sum()), array.size, p)), 1, n_draws, rng)


def _haas(test: str, hits: np.ndarray, p: float, coverage: float, extra_df: int, n_draws: int, rng: Any) -> TestResult:
    null = "hits are independent" + (", and their number is correct" if extra_df else "")
    times = hit_times(hits)
    statistic = coverage + float(tuff_lr(times, p).sum())
    df = times.size + extra_df
    if df == 0:
        return undefined(test, null, "no hit, so no time between hits", statistic, df=0)
    exact = None
    if n_draws:
        draws = simulated_tbfi(simulate_hit_days(hits.size, p, n_draws, generator(rng)), hits.size, p, bool(extra_df))
        exact = monte_carlo_p_value(_standardized(statistic, df), draws)
    finding = f"{times.size:,} hits, {_waits(times)} between them, {1 / p:,.6g} expected"
    return chi_square_outcome(test, null, finding, statistic, df, exact, f"{n_draws:,} simulated samples")


def simulated_tbfi(days: np.ndarray, n_obs: int, p: float, with_coverage: bool) -> np.ndarray:
    """TBFI (or TBF) of every simulated row, standardized as (statistic - df)/sqrt(2 df); NaN where undefined."""
    hit = days <= n_obs
    statistic = np.where(hit, tuff_lr(np.diff(days, axis=1, prepend=0).clip(1), p), 0.0).sum(axis=1)
    df = hit.sum(axis=1)
    if with_coverage:
        statistic, df = statistic + pof_lr(df, n_obs, p), df + 1
    return np.where(df > 0, _standardized(statistic, np.maximum(df, 1)), np.nan)


def _standardized(statistic: Any, df: Any) -> Any:
    return (statistic - df) / np.sqrt(2.0 * df)


@documented
def christoffersen_pelletier(
    hits: Any, confidence: float | None = None, *, n_draws: int = N_DRAWS, rng: np.random.Generator | None = None
) -> TestResult:
    """Christoffersen and Pelletier's test that the waits between hits have no memory.

    Parameters
    ----------
    confidence : float, optional
        Confidence of VaR as a fraction; needed only for the simulated p-value.

    Returns
    -------
    Outcome
        statistic LR of b = 1 in a Weibull hazard a^b b t^(b-1), 1 df; b < 1 means clustered hits. The wait before the
        first hit and the wait after the last are censored, unless the hit is on the first or last day. `details`:
        `weibull_b`, `ll_unrestricted`, `ll_restricted`. Undefined with fewer than two hits, and if all waits are
        equal, where the likelihood has no maximum.

    References
    ----------
    .. [1] Christoffersen and Pelletier (2004), Backtesting Value-at-Risk: A Duration-Based Approach, section 3.

    Examples
    --------
    >>> outcome = christoffersen_pelletier([0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0])
    >>> round(outcome.details["weibull_b"], 4), round(outcome.statistic, 4)
    (1.5184, 0.8933)
    """
    array = hit_array(hits)
    test, null = "Christoffersen-Pelletier duration", "the wait for the next hit does not depend on the wait so far"
    waits, first, last = _waits_and_censoring(np.flatnonzero(array) + 1, array.size)
    observed = waits.size - first - last
    if observed < 1:
        return undefined(test, null, f"{int(array.sum())} hit(s), and a wait from hit to hit needs two")
    shape, free, tied = _weibull(waits.astype(float), first, last)
    if math.isinf(shape):
        return undefined(test, null, "all waits are equal, so the likelihood has no maximum")
    statistic = max(2.0 * (free - tied), 0.0)
    exact = None
    if n_draws and confidence is not None:
        days = simulate_hit_days(array.size, hit_probability(confidence), n_draws, generator(rng))
        exact = monte_carlo_p_value(statistic, simulated_weibull(days, array.size))
    return chi_square_outcome(
        test,
        null,
        f"Weibull shape b = {shape:.3g}, where 1 is no memory and less is clustering",
        statistic,
        1,
        exact,
        f"{n_draws:,} simulated samples",
        weibull_b=shape,
        ll_unrestricted=free,
        ll_restricted=tied,
    )


def _waits_and_censoring(days: np.ndarray, n_obs: int) -> tuple[np.ndarray, int, int]:
    """Return the waits, and 1 or 0 for a censored first and a censored last wait."""
    if days.size == 0:
        return np.empty(0), 0, 0
    waits = np.diff(days, prepend=0, append=n_obs)
    first, last = int(days[0] > 1), int(days[-1] < n_obs)
    return waits[1 - first : waits.size - 1 + last], first, last


def _waits(times: np.ndarray) -> str:
    return f"{times.mean():,.3g} days on average" if times.size else "no wait"


@kernel
def _log_likelihood(waits: Any, first: Any, last: Any, shape: Any) -> Any:
    """Weibull log-likelihood at the best scale for `shape`, and its derivative in `shape`."""
    largest = waits.max()
    power_sum, power_log_sum, log_sum = 0.0, 0.0, 0.0
    for i in range(waits.size):
        relative = math.log(waits[i] / largest)
        power = math.exp(shape * relative)
        power_sum += power
        power_log_sum += power * relative
        if not ((i == 0 and first == 1) or (i == waits.size - 1 and last == 1)):
            log_sum += relative
    observed = waits.size - first - last
    log_hazard = math.log(observed) - math.log(power_sum) - shape * math.log(largest)
    total = log_sum + observed * math.log(largest)
    value = observed * (log_hazard + math.log(shape) - 1.0) + (shape - 1.0) * total
    slope = observed / shape + log_sum - observed * power_log_sum / power_sum
    return value, slope


@kernel
def _weibull(waits: Any, first: Any, last: Any) -> Any:
    """Maximum likelihood shape b, the log-likelihood there, and at b = 1; b is infinite without a maximum."""
    tied, slope = _log_likelihood(waits, first, last, 1.0)
    low, high, slope_low, slope_high = 1.0, 1.0, slope, slope
    # The log-likelihood is concave in b, so its slope crosses zero once, if it does.
    while slope_high > 0.0 and high < 1e8:
        low, slope_low = high, slope_high
        high *= 2.0
        _, slope_high = _log_likelihood(waits, first, last, high)
    if slope_high > 0.0:
        return np.inf, np.inf, tied
    while slope_low < 0.0:
        high, slope_high = low, slope_low
        low *= 0.5
        _, slope_low = _log_likelihood(waits, first, last, low)
    shape, last_side = low, 0
    for _ in range(200):
        # False position; the value at a bound that stays twice in a row is halved (the Illinois rule).
        shape = (low * slope_high - high * slope_low) / (slope_high - slope_low) if slope_high < slope_low else low
        _, slope = _log_likelihood(waits, first, last, shape)
        if slope == 0.0 or high - low <= 1e-14 * high:
            break
        if slope > 0.0:
            step = shape - low
            low, slope_low = shape, slope
            slope_high *= 0.5 if last_side == 1 else 1.0
            last_side = 1
        else:
            step = high - shape
            high, slope_high = shape, slope
            slope_low *= 0.5 if last_side == -1 else 1.0
            last_side = -1
        if step <= 1e-14 * shape:
            break
    free, _ = _log_likelihood(waits, first, last, shape)
    return shape, free, tied


@kernel
def simulated_weibull(days: Any, n_obs: Any) -> Any:
    """Likelihood ratio of each simulated row of hit days; NaN with fewer than two hits or without a maximum."""
    found = np.full(days.shape[0], np.nan)
    waits = np.empty(days.shape[1] + 1)
    for row in range(days.shape[0]):
        hits, size = 0, 0
        while hits < days.shape[1] and days[row, hits] <= n_obs:
            hits += 1
        if hits < 2:
            continue
        first = 1 if days[row, 0] > 1 else 0
        last = 1 if days[row, hits - 1] < n_obs else 0
        if first == 1:
            waits[size] = days[row, 0]
            size += 1
        for i in range(1, hits):
            waits[size] = days[row, i] - days[row, i - 1]
            size += 1
        if last == 1:
            waits[size] = n_obs - days[row, hits - 1]
            size += 1
        shape, free, tied = _weibull(waits[:size], first, last)
        if shape < np.inf:
            found[row] = max(2.0 * (free - tied), 0.0)
    return found
