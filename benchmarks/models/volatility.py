"""Fitted volatilities and their paths beside arch and loops in Python; equality first."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator

import arch
import numpy as np

from benchmarks._bench import Row, beside, best
from riskkit.covariance import (
    egarch_path,
    figarch_weights,
    fit_asymmetric_garch,
    gjr_path,
    nearest_correlation,
    regime_filter,
    riskmetrics2006,
)

GARCH = {"omega": 0.03, "alpha": 0.04, "gamma": 0.1, "beta": 0.88}
LOGS = {"omega": -0.01, "alpha": 0.12, "gamma": -0.08, "beta": 0.97}
SPECIFIED = {"gjr": {"vol": "GARCH", "o": 1}, "egarch": {"vol": "EGARCH", "o": 1}, "figarch": {"vol": "FIGARCH"}}


def rows() -> Iterator[Row]:
    """Fits, then the recursions."""
    rng = np.random.default_rng(0)
    returns = rng.standard_t(6, 2_000) * np.exp(0.5 * np.sin(np.arange(2_000) / 200.0))
    for model, options in SPECIFIED.items():
        yield _fit(returns, model, options)
    yield from _paths(returns)
    yield _regimes(returns)
    yield beside(
        "weights of FIGARCH, 1,000 lags",
        lambda: figarch_weights(1_000, d=0.4, phi=0.2, beta=0.45),
        lambda: _weights(1_000, 0.4, 0.2, 0.45),
        "Python, lag by lag",
        2.0,
    )
    yield _riskmetrics(rng.standard_normal((2_500, 20)))
    yield _nearest(rng)


def _fit(returns: np.ndarray, model: str, options: dict[str, object]) -> Row:
    def library() -> float:
        specified = arch.arch_model(returns, mean="Constant", dist="t", rescale=False, **options)
        fit = specified.fit(disp="off", show_warning=False)
        assert np.isfinite(fit.std_err).all() and np.isfinite(fit.forecast(horizon=1).variance.iloc[-1]).all()
        return float(fit.loglikelihood)

    def ours() -> float:
        return fit_asymmetric_garch(returns, model).log_likelihood

    assert ours() >= library() - 1e-3
    mine, other = best(ours, library, repeat=2)
    return Row(f"{model.upper()} with t shocks, 2,000 returns", mine, other, "arch, errors and forecast", 0.8)


def _paths(returns: np.ndarray) -> Iterator[Row]:
    def gjr() -> list[float]:
        h, found = 1.0, []
        for shock in returns.tolist():
            h = 0.03 + (0.04 + 0.1 * (shock < 0.0)) * shock**2 + 0.88 * h
            found.append(h)
        return found

    def egarch() -> list[float]:
        log, found = 0.0, []
        for shock in returns.tolist():
            log = -0.01 + 0.12 * (abs(shock) - math.sqrt(2.0 / math.pi)) - 0.08 * shock + 0.97 * log
            found.append(math.exp(log))
        return found

    yield beside("GJR path, 2,000 days", lambda: gjr_path(returns, 1.0, **GARCH), gjr, "Python", 2.0)
    yield beside("EGARCH path, 2,000 days", lambda: egarch_path(returns, 1.0, **LOGS), egarch, "Python", 2.0)


def _regimes(returns: np.ndarray) -> Row:
    stay, calm, storm = 0.95, 1.0, 4.0

    def by_hand() -> list[float]:
        p, found = 0.5, []
        for shock in returns.tolist():
            quiet = p * math.exp(-0.5 * shock * shock / calm) / math.sqrt(calm)
            loud = (1.0 - p) * math.exp(-0.5 * shock * shock / storm) / math.sqrt(storm)
            found.append(quiet / (quiet + loud))
            p = stay * found[-1] + (1.0 - stay) * (1.0 - found[-1])
        return found

    def ours() -> np.ndarray:
        found = regime_filter(returns, [[stay, 1.0 - stay], [1.0 - stay, stay]], [calm, storm])
        return np.asarray(found.filtered)[:, 0]

    return beside("Hamilton's filter of 2,000 returns", ours, by_hand, "Python, two regimes only", 0.5)


def _weights(count: int, d: float, phi: float, beta: float) -> list[float]:
    delta, found = d, [phi - beta + d]
    for lag in range(2, count + 1):
        before, delta = delta, delta * (lag - 1.0 - d) / lag
        found.append(beta * found[-1] + delta - phi * before)
    return found


def _riskmetrics(returns: np.ndarray) -> Row:
    """The same scales and backcasts, an outer product a day."""

    def by_day() -> np.ndarray:
        total, weights = np.zeros((20, 20)), 0.0
        for scale in 4.0 * 2.0 ** (np.arange(14) / 2.0):
            mu, share = math.exp(-1.0 / scale), 1.0 - math.log(scale) / math.log(1560.0)
            first = min(len(returns), max(1, math.floor(math.log(0.01) / math.log(mu))))
            fading = mu ** np.arange(first)
            value = (returns[:first] * fading[:, None]).T @ returns[:first] / fading.sum()
            for row in returns:
                value = mu * value + (1.0 - mu) * np.outer(row, row)
            total, weights = total + share * value, weights + share
        return total / weights

    return beside(
        "RiskMetrics 2006, 2,500 days of 20", lambda: riskmetrics2006(returns), by_day, "numpy, day by day", 5.0
    )


def _nearest(rng: np.random.Generator) -> Row:
    from statsmodels.stats.correlation_tools import corr_nearest

    noise = 0.2 * rng.standard_normal((30, 30))
    matrix = np.clip(np.corrcoef(rng.standard_normal((30, 40))) + noise + noise.T, -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)

    def ours() -> np.ndarray:
        return np.asarray(nearest_correlation(matrix).matrix)

    def library() -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it stops at its number of steps
            return corr_nearest(matrix, threshold=1e-12, n_fact=100)

    assert np.linalg.norm(ours() - matrix) <= np.linalg.norm(library() - matrix) + 1e-6
    mine, other = best(ours, library, repeat=2)
    return Row("nearest correlation of 30, the nearest", mine, other, "statsmodels corr_nearest, near", 1.0)
