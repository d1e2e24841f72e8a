"""Simulated tail losses of a correct model: the null distribution of the ES statistics.

The statistics are free of scale, so one cached set of draws serves all portfolios with the same number of days,
confidence and null. Only hits are drawn: a binomial number of them, each with a loss from the tail of the null.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from riskkit._check import InputError, shown
from riskkit.var_backtest.core.distributions import normal_quantile
from riskkit.var_backtest.core.simulated_hits import DEFAULT_SEED, generator

N_DRAWS = 20_000
MAX_LOSSES = 4_000_000
"""Limit on the number of simulated losses; long samples get fewer draws, but at least 1,000."""
TABLE = 8192


class Null(NamedTuple):
    """Distribution of losses with location 0: its quantile, tail probability and ES."""

    quantile: Callable[[np.ndarray], np.ndarray]
    """Loss that is exceeded with the given probability."""
    tail: Callable[[float], float]
    """Probability of a loss beyond the given one."""
    es: Callable[[float], float]
    """Mean loss beyond the quantile of the given tail probability."""


class TailDraws(NamedTuple):
    """Number of hits of each simulated sample, and its sums over hits of loss/ES and of (loss - VaR)/ES."""

    hits: np.ndarray
    losses: np.ndarray
    excesses: np.ndarray
    var_over_es: float
    expected_hits: float

    @property
    def z1(self) -> np.ndarray:
        """Acerbi-Szekely Z1 of the samples that have a hit."""
        defined = self.hits > 0
        return np.asarray(1.0 - self.losses[defined] / self.hits[defined])

    @property
    def z2(self) -> np.ndarray:
        """Acerbi-Szekely Z2."""
        return 1.0 - self.losses / self.expected_hits

    @property
    def minimally_biased(self) -> np.ndarray:
        """Relative minimally biased statistic."""
        return 1.0 - self.var_over_es - self.excesses / self.expected_hits


def null_distribution(null: str) -> Null:
    """Return the distribution named "normal", or "t3", "t5", ... for Student t with that many degrees of freedom."""
    from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

    if null == "normal":

        def normal_es(p: float) -> float:
            z = normal_quantile(p)
            return float(np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi) / p)

        return Null(lambda p: -ndtri(p), lambda loss: float(ndtr(-loss)), normal_es)
    try:
        df = float(null[1:]) if null[:1] == "t" else 0.0
    except (TypeError, ValueError):
        df = 0.0
    if not 2.0 < df < np.inf:
        raise InputError(f"null={shown(null)} is not 'normal' or 't' with more than 2 degrees of freedom, such as 't3'")

    def student_es(p: float) -> float:
        t = float(stdtrit(df, p))
        log_density = gammaln((df + 1) / 2) - gammaln(df / 2) - 0.5 * np.log(df * np.pi)
        density = np.exp(log_density - (df + 1) / 2 * np.log1p(t * t / df))
        return float(density / p * (df + t * t) / (df - 1))

    return Null(lambda p: -stdtrit(df, p), lambda loss: float(stdtr(df, -loss)), student_es)


def tail_draws(
    n_obs: int, p: float, null: str, n_draws: int | None = None, rng: np.random.Generator | None = None
) -> TailDraws:
    """Return simulated tails of a correct model; those of the default seed are cached."""
    if n_draws is None:
        n_draws = int(np.clip(MAX_LOSSES / max(n_obs * p, 1e-9), 1_000, N_DRAWS))
    if rng is None:
        return _cached(n_obs, p, null, n_draws)
    return draw_tails(n_obs, p, null, n_draws, generator(rng))


def draw_tails(
    n_obs: int, p: float, null: str, n_draws: int, rng: np.random.Generator, scale: float = 1.0
) -> TailDraws:
    """Draw tails when true losses are `scale` times as large as the model says (1: a correct model)."""
    distribution = null_distribution(null)
    var, es = float(distribution.quantile(np.array(p))), distribution.es(p)
    true_p = distribution.tail(var / scale)
    hits = rng.binomial(n_obs, true_p, size=n_draws)
    ends = np.cumsum(hits)
    losses = scale * _tail_losses(distribution, true_p, int(ends[-1]), rng)
    return TailDraws(
        hits, _sums(losses / es, ends), _sums((losses - var) / es, ends), var_over_es=var / es, expected_hits=n_obs * p
    )


def draw_excesses(p: float, null: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Draw (loss - VaR)/(ES - VaR) of losses beyond VaR: positive, with mean 1."""
    distribution = null_distribution(null)
    var, es = float(distribution.quantile(np.array(p))), distribution.es(p)
    losses = _tail_losses(distribution, p, int(np.prod(shape)), rng)
    return ((losses - var) / (es - var)).reshape(shape)


def _tail_losses(distribution: Null, p: float, size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw losses from the tail of probability `p`."""
    # A table of the quantile function, even in the log of the tail probability, is much faster than the function.
    log_mass = np.linspace(np.log(p) - 32.0, np.log(p), TABLE)
    table = distribution.quantile(np.exp(log_mass))
    return np.asarray(np.interp(np.log(p) - rng.standard_exponential(size), log_mass, table))


@functools.lru_cache(maxsize=32)
def _cached(n_obs: int, p: float, null: str, n_draws: int) -> TailDraws:
    return draw_tails(n_obs, p, null, n_draws, np.random.default_rng(DEFAULT_SEED))


def _sums(values: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Return the sums of consecutive groups that end at `ends`."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.diff(total[ends], prepend=0.0)
