"""Risk that is learned, beside scikit-learn and loops: forecasts walked forward, breaches, conformal bounds; equality first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingClassifier

from benchmarks._bench import Row, beside, best
from riskkit.learn import breach_probability, learned_risk, tail_features
from riskkit.var.learned import (
    conformal_interval,
    conformal_quantile,
    expectile_regression,
    har_features,
    purged_walk_forward,
)


def rows() -> Iterator[Row]:
    """Regressions and bounds, then the two forecasts."""
    rng = np.random.default_rng(0)
    returns = 0.01 * rng.standard_t(5, 1_500) * np.exp(0.5 * np.sin(np.arange(1_500) / 100.0))
    yield _expectiles(returns)
    scores = rng.standard_normal(5_000)
    yield beside(
        "conformal bound of 5,000 scores",
        lambda: conformal_quantile(scores, 0.9).bound,
        lambda: np.sort(scores)[int(np.ceil(0.9 * 5_001)) - 1],
        "numpy sort",
        1.0,
        checks=5e-4,
    )
    ends = np.zeros(5_000), np.ones(5_000)
    yield beside(
        "conformal interval of 5,000 forecasts",
        lambda: conformal_interval(scores, *ends).bound,
        lambda: np.sort(np.maximum(ends[0] - scores, scores - ends[1]))[int(np.ceil(0.9 * 5_001)) - 1],
        "numpy sort",
        1.0,
        checks=1e-3,
    )
    yield _walk(returns)
    yield _breach(rng)


def _expectiles(returns: np.ndarray) -> Row:
    features, target = har_features(returns)[:-1], returns[22:]

    def search() -> np.ndarray:
        def loss(b: np.ndarray) -> tuple[float, np.ndarray]:
            gap = 100.0 * target - features @ b
            weight = np.where(gap < 0.0, 0.95, 0.05)
            return float(np.mean(weight * gap**2)), -2.0 * features.T @ (weight * gap) / len(gap)

        found = minimize(loss, np.zeros(features.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-10})
        return features @ found.x / 100.0

    def ours() -> np.ndarray:
        return features @ expectile_regression(features, target, 0.05).coefficients

    return beside("expectile regression, 1,478 x 4", ours, search, "scipy BFGS", 1.0, rtol=1e-2, atol=1e-4)


def _walk(returns: np.ndarray) -> Row:
    """VaR and ES walked forward and judged, beside the two quantile regressions of a library, refitted as often."""
    size = {"train": 700, "test": 250, "window": 250, "n_trees": 20, "tree_depth": 2}
    features = tail_features(returns)

    def library() -> int:
        table = features.dropna()
        x, y = table.to_numpy()[:-1], -returns[table.index[0] + 1 :]
        count = 0
        for train, test in purged_walk_forward(len(y), 700, 250, purge=5):
            for level in (0.99, 0.995):
                model = GradientBoostingRegressor(loss="quantile", alpha=level, n_estimators=20, max_depth=2)
                count = max(count, len(model.fit(x[train], y[train]).predict(x[test])))
        return count

    def ours() -> int:
        return len(learned_risk(returns, 0.99, **size).var)

    assert library() > 0 and ours() > 0
    mine, other = best(ours, library, repeat=1)
    return Row(
        "VaR and ES learned, calibrated and judged", mine, other, "scikit-learn, fits alone", 5.0, at_least=False
    )


def _breach(rng: np.random.Generator) -> Row:
    """The probability of a breach within the hour, beside four fits of a classifier on the used share alone."""
    times = pd.date_range("2024-01-02", periods=2_000, freq="10min")
    noise = rng.standard_normal(2_000)
    used = np.empty(2_000)
    level = 0.0
    for i, shock in enumerate(noise):
        level = 0.97 * level + 0.1 * shock
        used[i] = min(1.5, abs(level) + 0.3)
    series = pd.Series(used, times)

    def library() -> float:
        later = np.array([used[i + 1 : i + 7].max() > 1.0 for i in range(1_990)])
        x = np.column_stack([used[:1_990], np.concatenate([[0.0], np.diff(used[:1_990])])])
        found = []
        for stop in (1_000, 1_250, 1_500, 1_750):
            model = HistGradientBoostingClassifier(max_iter=60, max_depth=2).fit(x[:stop], later[:stop])
            found.append(model.predict_proba(x[stop : stop + 240])[:, 1].mean())
        return float(np.mean(found))

    def ours() -> float:
        return float(np.mean(breach_probability(series).forecasts["learned"]))

    assert 0.0 < ours() < 1.0 and abs(ours() - library()) < 0.2
    mine, other = best(ours, library, repeat=1)
    return Row("probability of a breach, judged", mine, other, "scikit-learn, fits alone", 10.0, at_least=False)
