"""The tail looked at, and measures of it, beside scipy and loops in numpy; equality first."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import genpareto, multivariate_t, norm, t

from benchmarks._bench import Row, beside, best
from riskkit.var import distortion_risk, evar, evt, exponential_spectrum, filtered_historical, wang_transform
from riskkit.var.tails import (
    copula_log_density,
    decluster,
    extremal_index,
    hill,
    mean_excess,
    shape_estimates,
    tail_dependence,
    tail_interval,
    threshold_stability,
)

DAYS, COUNTS = 5_000, tuple(range(10, 501))


def rows() -> Iterator[Row]:
    """Weight of the tail, its intervals, clusters, pairs, measures."""
    rng = np.random.default_rng(0)
    returns = 0.01 * rng.standard_t(4, DAYS)
    losses = np.sort(-returns)[::-1]
    yield beside(
        "Hill plot, 491 numbers of losses, with errors",
        lambda: hill(returns, COUNTS)["shape"],
        lambda: [np.log(losses[:k] / losses[k]).mean() for k in COUNTS],
        "numpy, each anew",
        1.0,
    )
    yield beside(
        "moment estimates, 20 numbers of losses",
        lambda: shape_estimates(returns, range(50, 250, 10))["moment"],
        lambda: [_moment(np.log(losses[:k] / losses[k])) for k in range(50, 250, 10)],
        "numpy, that one",
        0.33,
    )
    thresholds = np.quantile(-returns, np.linspace(0.5, 0.99, 400))
    yield beside(
        "mean excess over 400 thresholds, with errors",
        lambda: mean_excess(returns, thresholds)["mean_excess"],
        lambda: [(-returns[-returns > u] - u).mean() for u in thresholds],
        "numpy, mean alone",
        0.5,
    )
    yield _stability(returns, thresholds[200::40])
    yield _interval(returns)
    yield from _clusters(returns)
    yield from _pairs(rng)
    yield from _measures(returns)
    yield _conditional(returns)


def _moment(logs: np.ndarray) -> float:
    first, second = logs.mean(), (logs**2).mean()
    return float(first + 1.0 - 0.5 / (1.0 - first**2 / second))


def _stability(returns: np.ndarray, thresholds: np.ndarray) -> Row:
    def library() -> list[float]:
        return [genpareto.fit(-returns[-returns > u] - u, floc=0.0)[0] for u in thresholds]

    def ours() -> np.ndarray:
        return threshold_stability(returns, thresholds)["shape"].to_numpy()

    return beside(
        "Pareto fits over 5 thresholds, with errors", ours, library, "scipy genpareto.fit", 1.0, rtol=1e-2, atol=1e-3
    )


def _interval(returns: np.ndarray) -> Row:
    """Interval of the shape by the profile of the likelihood."""
    excesses = -returns[-returns > 0.02] - 0.02

    def height(shape: float) -> float:
        def misfit(log_scale: float) -> float:
            return -float(genpareto.logpdf(excesses, shape, scale=math.exp(log_scale)).sum())

        centre = math.log(excesses.mean())
        return -float(minimize_scalar(misfit, bounds=(centre - 2.0, centre + 2.0), method="bounded").fun)

    def library() -> list[float]:
        top = minimize_scalar(lambda x: -height(x), bounds=(-0.05, 0.8), method="bounded")
        level = -top.fun - 0.5 * 3.841458820694124
        return [brentq(lambda x: height(x) - level, *ends) for ends in ((-0.05, top.x), (top.x, 1.0))]

    def ours() -> list[float]:
        found = tail_interval(returns, threshold=0.02, quantity="shape")
        return [found.low, found.high]

    return beside("profile interval of a Pareto shape", ours, library, "scipy, profile within roots", 3.0, rtol=1e-3)


def _clusters(returns: np.ndarray) -> Iterator[Row]:
    def by_hand() -> list[float]:
        places = np.flatnonzero(-returns > 0.02)
        clusters = np.split(places, np.flatnonzero(np.diff(places) > 5) + 1)
        return [float(-returns[cluster].sum()) for cluster in clusters]

    yield beside(
        "losses declustered by runs of 5",
        lambda: decluster(returns, 0.02, 5)["total"],
        by_hand,
        "numpy, totals alone",
        1.0,
        checks=2e-3,
    )

    def by_gaps() -> float:
        gaps = np.diff(np.flatnonzero(-returns > 0.02)).astype(float)
        up, down = (gaps - 1.0).sum() ** 2, ((gaps - 1.0) * (gaps - 2.0)).sum()
        return min(1.0, float(2.0 * up / (len(gaps) * down)))

    yield beside(
        "extremal index by intervals", lambda: extremal_index(returns, 0.02), by_gaps, "numpy", 1.0, checks=5e-4
    )


def _pairs(rng: np.random.Generator) -> Iterator[Row]:
    pair = rng.standard_t(4, (DAYS, 1)) + rng.standard_t(4, (DAYS, 2))
    levels = np.linspace(0.9, 0.99, 10)

    def by_ranks() -> list[float]:
        ranks = ((-pair).argsort(axis=0).argsort(axis=0) + 1.0) / (DAYS + 1.0)
        return [float((ranks > level).all(axis=1).sum() / (ranks[:, 0] > level).sum()) for level in levels]

    yield beside(
        "tail dependence of a pair at 10 levels",
        lambda: tail_dependence(pair, levels)["chi"],
        by_ranks,
        "numpy ranks",
        0.5,
        rtol=5e-3,
    )
    u = t.cdf(pair[:1_000] / 2.0, 4)
    law = multivariate_t(shape=[[1.0, 0.6], [0.6, 1.0]], df=4.0)

    def by_scipy() -> np.ndarray:
        x = t.ppf(u, 4)
        return np.asarray(law.logpdf(x) - t.logpdf(x, 4).sum(axis=1))

    yield beside(
        "density of a t copula, 1,000 pairs",
        lambda: copula_log_density(u, "t", correlation=0.6, df=4.0),
        by_scipy,
        "scipy multivariate_t",
        1.0,
        atol=1e-9,
    )


def _measures(returns: np.ndarray) -> Iterator[Row]:
    edges = np.linspace(0.0, 1.0, DAYS + 1)
    spectrum = np.diff((1.0 - np.exp(-20.0 * edges)) / (1.0 - math.exp(-20.0)))
    yield beside(
        "spectral measure of 5,000 returns",
        lambda: distortion_risk(returns, exponential_spectrum(20.0)),
        lambda: -spectrum @ np.sort(returns),
        "numpy, weights given",
        1.0,
        checks=1e-3,
    )
    yield beside(
        "Wang transform of 5,000 returns",
        lambda: distortion_risk(returns, wang_transform(0.5)),
        lambda: -np.diff(norm.cdf(norm.ppf(edges) + 0.5)) @ np.sort(returns),
        "scipy.stats.norm",
        0.8,
    )

    def entropic() -> float:
        scaled = -returns / returns.std()

        def bound(log_z: np.ndarray) -> float:
            z = math.exp(float(log_z[0]))
            top = (z * scaled).max()
            return float((top + math.log(np.exp(z * scaled - top).mean()) - math.log(0.01)) / z)

        return float(minimize(bound, [0.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).fun) * float(
            returns.std()
        )

    yield beside("entropic VaR of 5,000 returns", lambda: evar(returns), entropic, "scipy Nelder-Mead", 2.0, rtol=1e-6)


def _conditional(returns: np.ndarray) -> Row:
    """EWMA filter and a Pareto tail of the residuals."""

    def by_scipy() -> float:
        start = 0.94 ** np.arange(75.0)
        h, residuals = float(start @ returns[:75] ** 2 / start.sum()), np.empty(DAYS)
        for day, move in enumerate(returns.tolist()):
            residuals[day] = move / math.sqrt(h)
            h = 0.94 * h + 0.06 * move * move
        found = evt(residuals, 0.99, tail_fraction=0.1)
        return float(found.var) * math.sqrt(h)

    def ours() -> float:
        return float(filtered_historical(returns, 0.99, tail_fraction=0.1).var)

    assert math.isclose(ours(), by_scipy(), rel_tol=0.05)
    mine, other = best(ours, by_scipy)
    return Row("EWMA filter and Pareto tail of 5,000 returns", mine, other, "day by day, same tail", 1.0)
