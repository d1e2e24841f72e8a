"""Are hits spread evenly over time? Haas' mixed Kupiec tests and the Weibull test on the days between hits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._jit import kernel
from riskkit._tail import tail_mass
from riskkit.var_backtest.coverage import tuff_lr
from riskkit.var_backtest.distributions import chi_square_tail
from riskkit.var_backtest.exact_coverage import pof_lr
from riskkit.var_backtest.hits import hit_array, hit_times
from riskkit.var_backtest.outcome import Outcome, undefined
from riskkit.var_backtest.simulated_hits import generator, monte_carlo_p_value, simulate_hit_days

__all__ = [
    "christoffersen_pelletier",
    "haas_tbf",
    "haas_tbfi",
    "simulated_tbfi",
    "simulated_weibull",
]

N_DRAWS = 999


def haas_tbfi(
    hits: Any, confidence: float = 0.99, *, n_draws: int = N_DRAWS, rng: np.random.Generator | None = None
) -> Outcome:
    """Haas' test of the times between failures (independence).

    Parameters
    ----------
    hits : (n_obs,) array of booleans
        True on days with a loss beyond VaR.
    confidence : float
        0.99 means 99 % VaR.
    n_draws : int
        Number of simulated samples behind the finite-sample p-value; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        statistic = sum of the TUFF likelihood ratios of all times between hits, the first counted from the start;
        df = number of hits. Undefined without a hit. Each ratio rests on one wait and averages 1.15, not 1, under the
        null: with many hits the chi-square p-value rejects every model, and only the simulated one is to be trusted.

    Raises
    ------
    InputError
        Hits are not zeros and ones, or `confidence` does not fit.

    References
    ----------
    .. [1] Haas (2001), New Methods in Backtesting.

    Examples
    --------
    >>> outcome = haas_tbfi([0, 0, 1, 0, 1, 0, 0, 0, 0, 0], 0.9, n_draws=0)
    >>> round(outcome.statistic, 4), outcome.df
    (3.2508, 2)
    """
    array, p = hit_array(hits), tail_mass(confidence)
    return _haas("Haas TBFI", array, p, 0.0, 0, n_draws, rng)


def haas_tbf(
    hits: Any, confidence: float = 0.99, *, n_draws: int = N_DRAWS, rng: np.random.Generator | None = None
) -> Outcome:
    """Haas' mixed Kupiec test: the number of failures and the times between them.

    Parameters
    ----------
    hits : (n_obs,) array of booleans
        True on days with a loss beyond VaR.
    confidence : float
        0.99 means 99 % VaR.
    n_draws : int
        Number of simulated samples behind the finite-sample p-value; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        statistic = Kupiec POF + TBFI; df = number of hits + 1.

    Raises
    ------
    InputError
        Hits are not zeros and ones, or `confidence` does not fit.

    References
    ----------
    .. [1] Haas (2001), New Methods in Backtesting.

    Examples
    --------
    >>> outcome = haas_tbf([0, 0, 1, 0, 1, 0, 0, 0, 0, 0], 0.9, n_draws=0)
    >>> round(outcome.statistic, 4), outcome.df
    (4.1389, 3)
    """
    array, p = hit_array(hits), tail_mass(confidence)
    return _haas("Haas TBF", array, p, float(pof_lr(int(array.sum()), array.size, p)), 1, n_draws, rng)


def _haas(test: str, hits: np.ndarray, p: float, coverage: float, extra_df: int, n_draws: int, rng: Any) -> Outcome:
    null = "hits come at random" + (", and as many as they should" if extra_df else "")
    times = hit_times(hits)
    statistic = coverage + float(tuff_lr(times, p).sum())
    df = times.size + extra_df
    if df == 0:
        return undefined(test, null, "no hit, so no time between hits", statistic, df=0)
    exact = None
    if n_draws:
        draws = simulated_tbfi(simulate_hit_days(hits.size, p, n_draws, generator(rng)), hits.size, p, bool(extra_df))
        exact = monte_carlo_p_value(_standardised(statistic, df), draws[~np.isnan(draws)])
    finding = f"{times.size:,} hits, {_waits(times)} between them, {1 / p:,.6g} expected"
    return Outcome(
        test,
        null,
        finding,
        statistic,
        f"chi-square, {df} df",
        chi_square_tail(statistic, df),
        exact,
        f"{n_draws:,} simulated samples" if n_draws else "",
        df=df,
    )


def simulated_tbfi(days: np.ndarray, n_obs: int, p: float, with_coverage: bool) -> np.ndarray:
    """TBFI (or TBF) of every simulated row, less its df over sqrt(2 df): so rows of different df compare.

    NaN where the test is undefined.
    """
    hit = days <= n_obs
    statistic = np.where(hit, tuff_lr(np.diff(days, axis=1, prepend=0).clip(1), p), 0.0).sum(axis=1)
    df = hit.sum(axis=1)
    if with_coverage:
        statistic, df = statistic + pof_lr(df, n_obs, p), df + 1
    return np.where(df > 0, _standardised(statistic, np.maximum(df, 1)), np.nan)


def _standardised(statistic: Any, df: Any) -> Any:
    return (statistic - df) / np.sqrt(2.0 * df)


def christoffersen_pelletier(
    hits: Any, confidence: float | None = None, *, n_draws: int = N_DRAWS, rng: np.random.Generator | None = None
) -> Outcome:
    """Christoffersen and Pelletier's test that the days between hits have no memory.

    Parameters
    ----------
    hits : (n_obs,) array of booleans
        True on days with a loss beyond VaR.
    confidence : float, optional
        0.99 means 99 % VaR. Only the simulated p-value needs it.
    n_draws : int
        Number of simulated samples behind the finite-sample p-value; 0 for none.
    rng : numpy.random.Generator, optional
        Source of the draws; by default one with the fixed seed `DEFAULT_SEED`.

    Returns
    -------
    Outcome
        statistic LR of b = 1 in a Weibull hazard a^b b t^(b-1), 1 df. b < 1: hits come in clusters. The wait for the
        first hit (unless day 1 is one) and the wait after the last (unless the last day is one) are censored.
        `details`: `weibull_b`, `ll_unrestricted`, `ll_restricted`. Undefined with fewer than two hits, and where the
        likelihood has no maximum because all waits are equal.

    Raises
    ------
    InputError
        Hits are not zeros and ones, or `confidence` does not fit.

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
        days = simulate_hit_days(array.size, tail_mass(confidence), n_draws, generator(rng))
        draws = simulated_weibull(days, array.size)
        # Samples that the test cannot answer are not comparable: the p-value is given that it can.
        exact = monte_carlo_p_value(statistic, draws[~np.isnan(draws)])
    habit = "clustered" if shape < 1.0 else "more regular than chance"
    return Outcome(
        test,
        null,
        f"Weibull shape b = {shape:.3g} (1 = no memory; below 1 clustered): hits look {habit}",
        statistic,
        "chi-square, 1 df",
        chi_square_tail(statistic, 1),
        exact,
        "" if exact is None else f"{n_draws:,} simulated samples",
        df=1,
        details={"weibull_b": shape, "ll_unrestricted": free, "ll_restricted": tied},
    )


def simulated_weibull(days: np.ndarray, n_obs: int) -> np.ndarray:
    """Likelihood ratio of every simulated row; NaN where the test is undefined."""
    return _weibull_rows(days, n_obs)


def _waits_and_censoring(days: np.ndarray, n_obs: int) -> tuple[np.ndarray, int, int]:
    """Return the waits, and whether the first and the last of them are censored (1) or not (0)."""
    if days.size == 0:
        return np.empty(0), 0, 0
    waits = np.diff(days, prepend=0, append=n_obs)
    first, last = int(days[0] > 1), int(days[-1] < n_obs)
    return waits[1 - first : waits.size - 1 + last], first, last


def _waits(times: np.ndarray) -> str:
    return f"{times.mean():,.3g} days on average" if times.size else "no wait"


@kernel
def _log_likelihood(waits, first, last, shape):  # type: ignore[no-untyped-def]
    """Weibull log-likelihood at the best scale for `shape`; and its slope in `shape`."""
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
def _weibull(waits, first, last):  # type: ignore[no-untyped-def]
    """Return the best shape b, the log-likelihood there, and at b = 1; b infinite where there is no maximum."""
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
    shape, kept = low, 0
    for _ in range(200):
        # False position; a bound kept twice in a row is pulled in (the Illinois rule).
        shape = (low * slope_high - high * slope_low) / (slope_high - slope_low) if slope_high < slope_low else low
        _, slope = _log_likelihood(waits, first, last, shape)
        if slope == 0.0 or high - low <= 1e-14 * high:
            break
        if slope > 0.0:
            step = shape - low
            low, slope_low = shape, slope
            slope_high *= 0.5 if kept == 1 else 1.0
            kept = 1
        else:
            step = high - shape
            high, slope_high = shape, slope
            slope_low *= 0.5 if kept == -1 else 1.0
            kept = -1
        if step <= 1e-14 * shape:
            break
    free, _ = _log_likelihood(waits, first, last, shape)
    return shape, free, tied


@kernel
def _weibull_rows(days, n_obs):  # type: ignore[no-untyped-def]
    """Likelihood ratio of each row of hit days; NaN with fewer than two hits or without a maximum."""
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
