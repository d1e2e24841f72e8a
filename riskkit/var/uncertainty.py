"""How sure an estimate is: order statistics (exact for VaR), asymptotic standard errors, and the bootstrap."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, confidence_level, finite_number, one_of, positive, whole_number
from riskkit.var.closed_form import elliptical_factor, normal_density
from riskkit.var.estimate import Fit, Method, RiskInterval
from riskkit.var.historical import Historical
from riskkit.var.normal import Normal
from riskkit.var.order_statistics import order_statistics
from riskkit.var.sample import Confidences, Sample
from riskkit.var.tail import tail_mass

__all__ = ["KINDS", "RankInterval", "interval_of", "order_statistic_ranks", "quantile_standard_error"]

KINDS = ("order_statistics", "asymptotic", "bootstrap")
CHUNK = 4_000_000
"""Resampled numbers held at a time: 32 MB."""


def quantile_standard_error(
    n_obs: int, confidence: float, *, density: float | None = None, volatility: float | None = None
) -> float:
    """Asymptotic standard error of a sample quantile: sqrt(c (1 - c)/n)/f.

    Parameters
    ----------
    n_obs : int
        Independent observations.
    confidence : float
        c, as 0.99.
    density : float
        f, the density at the quantile, per unit of loss; or
    volatility : float
        of a normal law, whose density at its c-quantile is used.

    Returns
    -------
    float
        In the unit of the losses.

    Raises
    ------
    InputError
        Not exactly one of density and volatility, or one that is not above zero.

    References
    ----------
    Kendall and Stuart (1977), The Advanced Theory of Statistics 1, chapter 10; Hull (2018), Options, Futures and Other
    Derivatives, 10th ed., section 22.2 (accuracy of VaR).

    Examples
    --------
    >>> round(quantile_standard_error(500, 0.99, volatility=10.0), 2)
    1.67
    """
    p = tail_mass(confidence)
    if (density is None) == (volatility is None):
        raise InputError("give either the density at the quantile or the volatility of a normal law")
    if volatility is not None:
        density = normal_density(elliptical_factor("var", confidence)) / positive(volatility, "volatility")
    return math.sqrt(p * (1.0 - p) / whole_number(n_obs, "n_obs")) / positive(density, "density")


class RankInterval(NamedTuple):
    """Ranks of losses, counted from the worst, between which the true VaR lies; None: beyond the sample.

    Attributes
    ----------
    high : int or None
        Rank of the larger loss.
    low : int or None
        Rank of the smaller loss.
    coverage : float
        Exact probability for independent losses of a continuous law.

    Examples
    --------
    >>> from riskkit import order_statistic_ranks
    >>> ranks = order_statistic_ranks(250, 0.99, 0.90)
    >>> ranks.high, ranks.low, round(ranks.coverage, 4)
    (None, 6, 0.9588)
    """

    high: int | None
    low: int | None
    coverage: float


def order_statistic_ranks(n_obs: int, confidence: float, coverage: float = 0.9) -> RankInterval:
    """Two ranks whose losses enclose the true VaR with at least a given probability, whatever the law.

    The number of losses beyond the true VaR is binomial(n, p). The ranks cut off at most half of 1 - coverage at
    either end.

    Parameters
    ----------
    n_obs : int
        Independent observations.
    confidence : float
        0.99 for 99 %.
    coverage : float
        Probability of enclosing the VaR.

    Returns
    -------
    RankInterval
        high, low, coverage. With few observations even the worst loss is exceeded too easily: `high` is then None.

    Raises
    ------
    InputError
        A confidence or coverage outside (0, 1).

    References
    ----------
    David and Nagaraja (2003), Order Statistics, 3rd ed., section 7.1. Dowd (2005), Measuring Market Risk, 2nd ed.,
    section 7.4.

    Examples
    --------
    >>> order_statistic_ranks(500, 0.99, 0.9)
    RankInterval(high=2, low=10, coverage=0.929)
    >>> order_statistic_ranks(100, 0.99, 0.9)
    RankInterval(high=None, low=4, coverage=0.982)
    """
    from scipy.special import bdtr

    n, p = whole_number(n_obs, "n_obs"), tail_mass(confidence)
    cut = (1.0 - confidence_level(coverage, "coverage")) / 2.0
    reach = 20.0 + 10.0 * math.sqrt(n * p)  # nothing is left of a binomial there
    first, last = max(0, math.floor(n * p - reach)), min(n, math.ceil(n * p + reach))
    cdf = bdtr(np.arange(first, last + 1.0), n, p)  # P(at most k losses beyond the VaR), k from first to last
    high = first + int(np.searchsorted(cdf, cut, side="right"))  # largest k with P(fewer than k beyond) <= cut
    low = first + int(np.searchsorted(cdf, 1.0 - cut, side="left")) + 1  # smallest k with P(k or more beyond) <= cut
    reached = (bdtr(low - 1.0, n, p) if low <= n else 1.0) - (bdtr(high - 1.0, n, p) if high else 0.0)
    return RankInterval(high or None, low if low <= n else None, float(reached))


def interval_of(
    method: Method,
    sample: Sample,
    confidences: Confidences,
    fit: Fit,
    kind: str,
    *,
    coverage: float = 0.9,
    n_draws: int = 1000,
    block: int = 1,
    rng: np.random.Generator | None = None,
) -> RiskInterval:
    """An interval of one of the `KINDS` around a fit."""
    one_of(kind, KINDS, "interval")
    coverage = confidence_level(coverage, "coverage")
    if kind == "order_statistics":
        return _order_statistics(method, sample, confidences, coverage)
    if kind == "asymptotic":
        return _asymptotic(method, sample, confidences, fit, coverage)
    return _bootstrap(method, sample, confidences, coverage, n_draws, block, rng)


def _order_statistics(method: Method, sample: Sample, confidences: Confidences, coverage: float) -> RiskInterval:
    if not isinstance(method, Historical) or method.weights is not None:
        raise InputError(
            f"interval='order_statistics' is about the observed losses; for {method.title} use 'bootstrap'"
            if not method.ordered
            else f"interval='order_statistics' needs equal weights; {method.title} has none"
        )
    n_obs = len(sample.table)
    found = [order_statistic_ranks(n_obs, level, coverage) for level in confidences.levels]
    ranks = sorted({rank - 1 for place in found for rank in (place.high, place.low) if rank is not None})
    shape = (len(found), sample.table.shape[1])
    high, low = np.full(shape, np.inf), np.full(shape, -np.inf)
    if ranks:
        losses = dict(zip(ranks, order_statistics(sample.table, ranks)[0], strict=True))
        for i, place in enumerate(found):
            high[i] = np.inf if place.high is None else losses[place.high - 1]
            low[i] = -np.inf if place.low is None else losses[place.low - 1]
    exact = tuple(place.coverage for place in found)
    return RiskInterval(
        "order_statistics",
        coverage,
        sample.per_confidence(low, confidences),
        sample.per_confidence(high, confidences),
        exact_coverage=exact[0] if confidences.single else exact,
    )


def _asymptotic(method: Method, sample: Sample, confidences: Confidences, fit: Fit, coverage: float) -> RiskInterval:
    if isinstance(method, Normal) and method.volatility == "sample":
        errors = _normal_errors(method, len(sample.table), fit.parameters["volatility"], confidences.levels)
    elif isinstance(method, Historical) and method.weights is None:
        errors = _historical_errors(sample.table, fit, confidences.levels)
    else:
        raise InputError(
            f"interval='asymptotic' is there for historical and normal; for {method.title} use 'bootstrap'"
        )
    reach = elliptical_factor("var", 0.5 * (1.0 + coverage))

    def labelled(values: np.ndarray) -> Any:
        return sample.per_confidence(values, confidences)

    (var_error, es_error), (var, es) = errors, (fit.var, fit.es)
    return RiskInterval(
        "asymptotic",
        coverage,
        labelled(var - reach * var_error),
        labelled(var + reach * var_error),
        labelled(es - reach * es_error),
        labelled(es + reach * es_error),
        labelled(var_error),
        labelled(es_error),
    )


def _normal_errors(
    method: Normal, n: int, sigma: np.ndarray, levels: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Of h mean and f sqrt(h) sigma: variances h² sigma²/n and h f² sigma²/(2n), of independent estimates."""
    h, about_mean = method.horizon, 1.0 if method.mean == "sample" else 0.0
    var, es = (
        np.array([math.sqrt(h * h * about_mean / n + h * elliptical_factor(name, level, method.z) ** 2 / (2 * n))
                  for level in levels])[:, None] * sigma
        for name in ("var", "es")
    )  # fmt: skip
    return var, es


def _historical_errors(table: np.ndarray, fit: Fit, levels: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """VaR: quantile over a Gaussian kernel density. ES: the influence function of the tail mean.

    Silverman (1986), Density Estimation, eq. 3.31 (bandwidth); Manistre and Hancock (2005), Variance of the CTE
    estimator, North American Actuarial Journal 9(2), 129-156.
    """
    n = len(table)
    deviation = table.std(axis=0, ddof=1) if n > 1 else np.zeros(table.shape[1])
    quartiles = np.percentile(table, [25, 75], axis=0)
    spread = np.where(
        quartiles[1] > quartiles[0], np.minimum(deviation, (quartiles[1] - quartiles[0]) / 1.34), deviation
    )
    bandwidth = np.where(spread > 0.0, 0.9 * spread * n**-0.2, 1.0)
    var_error, es_error = np.zeros_like(fit.var), np.zeros_like(fit.es)
    for i, level in enumerate(levels):
        p, var, es = tail_mass(level), fit.var[i], fit.es[i]
        density = np.exp(-0.5 * ((table + var) / bandwidth) ** 2).mean(axis=0) / (bandwidth * math.sqrt(2.0 * math.pi))
        var_error[i] = np.where(spread > 0.0, math.sqrt(p * (1.0 - p) / n) / density, 0.0)
        beyond = np.maximum(-table - var, 0.0)  # its mean is p (ES - VaR)
        es_error[i] = np.sqrt(np.maximum((beyond**2).mean(axis=0) - (p * (es - var)) ** 2, 0.0) / n) / p
    return var_error, es_error


def _bootstrap(
    method: Method,
    sample: Sample,
    confidences: Confidences,
    coverage: float,
    n_draws: int,
    block: int,
    rng: np.random.Generator | None,
) -> RiskInterval:
    """Percentile intervals; every draw takes the same rows of all portfolios, in blocks that wrap around the end."""
    if method.ordered:
        raise InputError(f"interval='bootstrap' mixes up the dates, on which {method.title} rests")
    if not isinstance(rng, np.random.Generator):
        raise InputError(f"rng={rng!r} is not a numpy Generator; give np.random.default_rng(seed)")
    n_draws, block = whole_number(n_draws, "n_draws", at_least=2), whole_number(block, "block")
    n_obs, n_series = sample.table.shape
    shape = (n_draws, len(confidences.levels), n_series)
    var, es = np.empty(shape), np.empty(shape)
    step = max(1, CHUNK // (n_obs * n_series))
    for first in range(0, n_draws, step):
        some = min(step, n_draws - first)
        starts = rng.integers(n_obs, size=(some, -(-n_obs // block)))
        rows = (starts[:, :, None] + np.arange(block)).reshape(some, -1)[:, :n_obs] % n_obs
        drawn = np.ascontiguousarray(sample.table[rows.T].reshape(n_obs, -1))  # one column a draw and portfolio
        fit = method.fit(drawn, confidences.levels)
        for out, values in ((var, fit.var), (es, fit.es)):
            out[first : first + some] = values.reshape(-1, some, n_series).transpose(1, 0, 2)
    cut = (1.0 - coverage) / 2.0
    bounds = [np.quantile(values, share, axis=0) for values in (var, es) for share in (cut, 1.0 - cut)]
    errors = [values.std(axis=0, ddof=1) for values in (var, es)]
    labelled = [sample.per_confidence(values, confidences) for values in (*bounds, *errors)]
    return RiskInterval("bootstrap", finite_number(coverage, "coverage"), *labelled)
