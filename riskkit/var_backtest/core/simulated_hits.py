"""Simulated hits of a correct model: finite-sample distributions of statistics that have no exact one.

A Monte Carlo p-value (1 + number of draws at least as extreme)/(1 + number of draws) keeps its level exactly,
however few the draws (Dufour 2006).
"""

from __future__ import annotations

import numpy as np

from riskkit._check import random_generator

DAYS_TO_DRAW = 10_000_000

DEFAULT_SEED = 20080915
"""Seed of every simulation without a generator of the caller, so that results are reproducible."""


def generator(rng: np.random.Generator | None) -> np.random.Generator:
    """Return `rng`, or a generator with the documented default seed."""
    if rng is None:
        return np.random.default_rng(DEFAULT_SEED)
    return random_generator(rng)


def default_n_draws(n_obs: int) -> int:
    """Return the number of simulated samples for a sample length: 999, fewer beyond 10,000 days, at least 99."""
    return int(np.clip(DAYS_TO_DRAW / n_obs, 99, 999))


def simulate_hit_days(n_obs: int, p: float, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the days (from 1) of independent hits.

    Returns
    -------
    (n_draws, max_hits) int array
        Ascending days; n_obs + 1 after the last hit of a row.
    """
    max_hits = int(n_obs * p + 8.0 * np.sqrt(n_obs * p) + 12.0)
    days = np.cumsum(rng.geometric(p, size=(n_draws, max_hits)), axis=1)
    while (days[:, -1] <= n_obs).any():
        more = np.cumsum(rng.geometric(p, size=(n_draws, max_hits)), axis=1)
        days = np.hstack([days, days[:, -1:] + more])
    return np.minimum(days, n_obs + 1)


def simulate_markov_hit_days(
    n_obs: int, rate: float, after_hit: float, n_draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw the days of clustered hits: probability `after_hit` on the day after a hit, `rate` on average."""
    after_no_hit = rate * (1.0 - after_hit) / (1.0 - rate)
    max_hits = int(n_obs * rate + 8.0 * np.sqrt(n_obs * rate * (1.0 + after_hit) / (1.0 - after_hit)) + 12.0)

    def gaps() -> np.ndarray:
        isolated = 1 + rng.geometric(after_no_hit, size=(n_draws, max_hits))
        return np.where(rng.random((n_draws, max_hits)) < after_hit, 1, isolated)

    steps = gaps()
    # The first day is in the stationary state: a hit with probability `rate`, else the wait after a day without.
    steps[:, 0] = np.where(rng.random(n_draws) < rate, 1, 1 + rng.geometric(after_no_hit, size=n_draws))
    days = np.cumsum(steps, axis=1)
    while (days[:, -1] <= n_obs).any():
        days = np.hstack([days, days[:, -1:] + np.cumsum(gaps(), axis=1)])
    return np.asarray(np.minimum(days, n_obs + 1))


def monte_carlo_p_value(observed: float, draws: np.ndarray, *, lower: bool = False) -> float:
    """Return (1 + draws at least as extreme)/(1 + draws); large is extreme, or small with ``lower=True``.

    Draws for which the statistic is undefined (NaN) are left out.

    Examples
    --------
    >>> monte_carlo_p_value(3.0, np.array([1.0, 2.0, 4.0]))
    0.5
    """
    draws = draws[~np.isnan(draws)]
    slack = 1e-9 * max(abs(observed), 1.0) if np.isfinite(observed) else 0.0
    extreme = draws <= observed + slack if lower else draws >= observed - slack
    return float((1 + np.count_nonzero(extreme)) / (1 + draws.size))
