"""Backtests: the whole suite, a simulated null, a model confidence set."""

import math
from collections.abc import Iterator

import numpy as np

from benchmarks._bench import Row, best
from riskkit.datasets import load_stocks
from riskkit.var_backtest import compare_models, model_confidence_set
from riskkit.var_backtest.core.tail_simulation import draw_tails

P, Z = 0.025, 1.959963984540054
ES = math.exp(-Z * Z / 2) / math.sqrt(2 * math.pi) / P


def null_by_paths(n_obs: int, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Z2 of whole simulated samples, as one matrix."""
    returns = rng.standard_normal((n_draws, n_obs))
    return 1.0 + np.where(returns < -Z, returns / ES, 0.0).sum(axis=1) / (n_obs * P)


def rows() -> Iterator[Row]:
    n_obs, n_draws = 250, 20_000

    def ours() -> np.ndarray:
        return draw_tails(n_obs, P, "normal", n_draws, np.random.default_rng(1)).z2

    def paths() -> np.ndarray:
        return null_by_paths(n_obs, n_draws, np.random.default_rng(1))

    assert abs(np.quantile(ours(), 0.05) - np.quantile(paths(), 0.05)) < 0.03
    yield Row("null of Z2, 20,000 samples of 250 days", *best(ours, paths, repeat=3), "whole paths in numpy", 5.0)

    from arch.bootstrap import MCS

    rng = np.random.default_rng(2)
    table = rng.standard_normal((2_000, 6)) + np.linspace(0.0, 0.2, 6)

    def mine() -> dict[str, float]:
        return model_confidence_set(table, block=13, n_bootstrap=1_000).to_frame()["p_value"].to_dict()

    def arch() -> dict[str, float]:
        other = MCS(table, 0.1, reps=1_000, method="R", block_size=13, seed=3)
        other.compute()
        return {str(model): float(p_value) for model, p_value in other.pvalues["Pvalue"].items()}

    found, expected = mine(), arch()
    assert all(abs(found[model] - expected[model]) < 0.08 for model in expected)
    yield Row("model confidence set, 6 models x 2,000 days", *best(mine, arch, repeat=3), "arch MCS", 3.0)

    prices = load_stocks()

    def whole_panel() -> str:
        return compare_models(prices, progress=False).best

    assert whole_panel() == "filtered historical"
    ours_alone = best(whole_panel, repeat=2)[0]
    yield Row("compare, 20 assets x 8,312 days x 6 models", ours_alone, 10.0, "ten seconds", 1.0)
