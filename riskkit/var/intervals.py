"""Confidence intervals of VaR and ES: order statistics (exact for VaR), studentised, asymptotic, and bootstrap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, one_of, probability, random_generator, whole_number
from riskkit.var._inputs import Confidences, Sample
from riskkit.var._selection import order_statistics
from riskkit.var.estimate import RiskInterval
from riskkit.var.method import Fit, Method
from riskkit.var.order_statistics import confidence_ranks
from riskkit.var.parametric import quantile_multiplier
from riskkit.var.studentised_es import studentised_es

IntervalKind = Literal["order_statistics", "studentised", "asymptotic", "bootstrap"]
CHUNK = 4_000_000
"""Resampled numbers held at a time: 32 MB."""


@dataclass(frozen=True)
class Bootstrap:
    """Options of a bootstrap interval; see `value_at_risk`."""

    n_draws: int = 1000
    block: int = 1
    rng: np.random.Generator | None = None


def interval_of(
    method: Method,
    sample: Sample,
    confidences: Confidences,
    fit: Fit,
    kind: IntervalKind,
    coverage: float,
    bootstrap: Bootstrap,
) -> RiskInterval:
    """Return an interval of the given kind around a fit."""
    one_of(kind, get_args(IntervalKind), "interval")
    coverage = probability(coverage, "coverage")
    if kind == "order_statistics":
        return _order_statistics(method, sample, confidences, coverage)
    if kind == "studentised":
        return _studentised(method, sample, confidences, coverage, bootstrap)
    if kind == "asymptotic":
        return _asymptotic(method, sample, confidences, fit, coverage)
    return _bootstrap(method, sample, confidences, coverage, bootstrap)


def _order_statistics(method: Method, sample: Sample, confidences: Confidences, coverage: float) -> RiskInterval:
    if not method.var_is_order_statistic:
        instead = "" if method.ordered else "; use 'bootstrap'"
        raise InputError(f"interval='order_statistics' needs losses with equal weights, not {method.title}{instead}")
    n_obs = len(sample.table)
    found = [confidence_ranks(n_obs, level, coverage) for level in confidences.levels]
    ranks = sorted({rank - 1 for pair in found for rank in (pair.high, pair.low) if rank is not None})
    shape = (len(found), sample.table.shape[1])
    high, low = np.full(shape, np.inf), np.full(shape, -np.inf)
    if ranks:
        losses = dict(zip(ranks, order_statistics(sample.table, ranks)[0], strict=True))
        for i, pair in enumerate(found):
            high[i] = np.inf if pair.high is None else losses[pair.high - 1]
            low[i] = -np.inf if pair.low is None else losses[pair.low - 1]
    exact = tuple(pair.coverage for pair in found)
    return RiskInterval(
        "order_statistics",
        coverage,
        sample.per_confidence(low, confidences),
        sample.per_confidence(high, confidences),
        exact_coverage=exact[0] if confidences.single else exact,
    )


def _studentised(
    method: Method, sample: Sample, confidences: Confidences, coverage: float, bootstrap: Bootstrap
) -> RiskInterval:
    """Order statistics for VaR; for ES `studentised_es`."""
    if not method.es_is_tail_mean:
        raise InputError(
            f"interval='studentised' needs the mean of equally weighted losses as ES (es='tail_mass'), not {method.title}"
        )
    if bootstrap.block != 1:
        raise InputError(f"interval='studentised' is for independent returns; block={bootstrap.block!r} is not for it")
    rng, n_draws = random_generator(bootstrap.rng), whole_number(bootstrap.n_draws, "n_draws", at_least=100)
    found = [studentised_es(sample.table, level, coverage, n_draws, rng) for level in confidences.levels]
    low, high, error = (sample.per_confidence(np.array(part), confidences) for part in zip(*found, strict=True))
    of_var = _order_statistics(method, sample, confidences, coverage)
    return replace(of_var, kind="studentised", es_low=low, es_high=high, es_standard_error=error)


def _asymptotic(method: Method, sample: Sample, confidences: Confidences, fit: Fit, coverage: float) -> RiskInterval:
    errors = method.standard_errors(sample.table, fit, confidences.levels)
    if errors is None:
        raise InputError(f"interval='asymptotic' has no formula for {method.title}; use 'bootstrap'")
    z = quantile_multiplier(0.5 * (1.0 + coverage))
    pairs = zip((fit.var, fit.es), errors, strict=True)
    bounds = (value + sign * z * error for value, error in pairs for sign in (-1.0, 1.0))
    return _labelled("asymptotic", coverage, (*bounds, *errors), sample, confidences)


def _bootstrap(
    method: Method, sample: Sample, confidences: Confidences, coverage: float, bootstrap: Bootstrap
) -> RiskInterval:
    """Percentile intervals; a resample has the same rows of all portfolios, in blocks that wrap around the end."""
    if method.ordered:
        raise InputError(f"interval='bootstrap' mixes up the dates, on which {method.title} depends")
    rng = random_generator(bootstrap.rng)
    n_draws = whole_number(bootstrap.n_draws, "n_draws", at_least=2)
    block = whole_number(bootstrap.block, "block")
    n_obs, n_series = sample.table.shape
    shape = (n_draws, len(confidences.levels), n_series)
    var, es = np.empty(shape), np.empty(shape)
    step = max(1, CHUNK // (n_obs * n_series))
    for first in range(0, n_draws, step):
        count = min(step, n_draws - first)
        starts = rng.integers(n_obs, size=(count, -(-n_obs // block)))
        rows = (starts[:, :, None] + np.arange(block)).reshape(count, -1)[:, :n_obs] % n_obs
        drawn = np.ascontiguousarray(sample.table[rows.T].reshape(n_obs, -1))  # one column per resample and portfolio
        fit = method.fit(drawn, confidences.levels)
        for out, values in ((var, fit.var), (es, fit.es)):
            out[first : first + count] = values.reshape(-1, count, n_series).transpose(1, 0, 2)
    cut = (1.0 - coverage) / 2.0
    bounds = [np.quantile(values, share, axis=0) for values in (var, es) for share in (cut, 1.0 - cut)]
    errors = [values.std(axis=0, ddof=1) for values in (var, es)]
    return _labelled("bootstrap", coverage, (*bounds, *errors), sample, confidences)


def _labelled(
    kind: str, coverage: float, numbers: Iterable[np.ndarray], sample: Sample, confidences: Confidences
) -> RiskInterval:
    """Label bounds of VaR, bounds of ES, and the two standard errors."""
    names = ("var_low", "var_high", "es_low", "es_high", "var_standard_error", "es_standard_error")
    labelled: dict[str, Any] = {
        name: sample.per_confidence(values, confidences) for name, values in zip(names, numbers, strict=True)
    }
    return RiskInterval(kind, coverage, **labelled)
