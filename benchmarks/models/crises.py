"""Regimes, joint tails, refitted paths, fire sales and a funding ladder beside what people write or use; equality first."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import arch
import numpy as np
import pandas as pd
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

from benchmarks._bench import Row, best
from riskkit.covariance import fit_regimes
from riskkit.liquidity import fire_sales, funding_ladder
from riskkit.var import filtered_paths
from riskkit.var.tails import joint_tails

FUNDS, ASSETS, BUCKETS, ITEMS = 40, 60, 30, 20


def rows() -> Iterator[Row]:
    """One row a model."""
    rng = np.random.default_rng(0)
    returns = np.repeat([0.01, 0.03, 0.01, 0.02], 250) * rng.standard_normal(1_000)
    yield _regimes(returns)
    yield _joint_tails(rng.standard_t(4, (2_500, 1)) + rng.standard_t(4, (2_500, 60)))
    yield _refits(0.01 * rng.standard_t(6, 1_000))
    yield _fire_sales(rng)
    yield _ladder(rng)


def _regimes(returns: np.ndarray) -> Row:
    def library() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = MarkovRegression(100.0 * returns, 2, trend="c", switching_trend=False, switching_variance=True)
            return float(model.fit().llf) + len(returns) * np.log(100.0)

    assert fit_regimes(returns).log_likelihood >= library() - 1e-3
    mine, other = best(lambda: fit_regimes(returns), library, repeat=2)
    return Row("two regimes of volatility, 1,000 returns", mine, other, "statsmodels MarkovRegression", 1.0)


def _joint_tails(returns: np.ndarray) -> Row:
    frame = pd.DataFrame(returns)

    def by_ranks() -> np.ndarray:
        beyond = ((-frame).rank() / (len(frame) + 1.0) > 0.95).to_numpy().astype(float)
        return beyond.T @ beyond / beyond.sum(axis=0)

    np.testing.assert_allclose(joint_tails(returns, 0.95).chi, by_ranks(), rtol=1e-12)
    mine, other = best(lambda: joint_tails(returns, 0.95), by_ranks)
    return Row("tail dependence of all pairs of 60 series", mine, other, "pandas ranks and a product", 1.0)


def _refits(returns: np.ndarray) -> Row:
    def library() -> np.ndarray:
        model = arch.arch_model(100.0 * returns, mean="Constant", p=1, o=1, q=1)
        fit = model.fit(disp="off")
        series = [model.simulate(fit.params, len(returns))["data"] for _ in range(10)]
        refits = [arch.arch_model(one, mean="Constant", p=1, o=1, q=1).fit(disp="off") for one in series]
        paths = [refit.forecast(horizon=10, method="simulation", simulations=200).simulations for refit in refits]
        return np.concatenate([path.values[-1].sum(axis=1) for path in paths]) / 100.0

    def ours() -> np.ndarray:
        found = filtered_paths(returns, 10, model="gjr", n_paths=2_000, refits=10, rng=np.random.default_rng(1))
        return np.asarray(found.returns)

    assert 0.5 < ours().std() / library().std() < 2.0
    mine, other = best(ours, library, repeat=2)
    return Row("2,000 paths of 10 periods, 10 refits of GJR", mine, other, "arch, fitted and simulated", 1.0)


def _fire_sales(rng: np.random.Generator) -> Row:
    held = rng.lognormal(3.0, 1.0, (FUNDS, ASSETS))
    equity, shock = 0.1 * held.sum(axis=1), np.full(ASSETS, -0.03)
    depth = 30.0 * held.sum(axis=0)

    def loop() -> np.ndarray:
        price, debt, units = 1.0 + shock, held.sum(axis=1) - equity, held.copy()
        for _ in range(1_000):
            total = np.zeros(ASSETS)
            for i in range(FUNDS):
                assets = float(units[i] @ price)
                share = min(max(assets - 12.0 * max(assets - debt[i], 0.0), 0.0), assets) / assets if assets else 0.0
                if share > 1e-12:
                    sold = share * units[i] * price
                    total, debt[i] = total + sold, debt[i] - sold.sum()
                    units[i] *= 1.0 - share
            if not total.any():
                break
            price = price * np.exp(-total / depth)
        return price

    def ours() -> np.ndarray:
        return np.asarray(fire_sales(held, equity, shock, market_depth=depth, max_leverage=12.0).prices)[-1]

    np.testing.assert_allclose(ours(), loop(), rtol=1e-6)
    mine, other = best(ours, loop, repeat=3)
    return Row("fire sales of 40 funds in 60 assets", mine, other, "numpy, fund by fund", 2.0)


def _ladder(rng: np.random.Generator) -> Row:
    days, out, into = np.arange(1, BUCKETS + 1), *rng.lognormal(0.0, 1.0, (2, BUCKETS, ITEMS))
    names = [f"item {i}" for i in range(ITEMS)]
    flows, receipts = pd.DataFrame(out, days, names), pd.DataFrame(into, days, names)

    def by_pandas() -> np.ndarray:
        net = (0.5 * flows).sum(axis=1) - (0.4 * receipts).sum(axis=1)
        return (100.0 - net.cumsum()).to_numpy()

    def ours() -> np.ndarray:
        table = funding_ladder(days, out, into, buffer=100.0, run_off=0.5, roll_in=0.4).table
        return table["left"].to_numpy()

    np.testing.assert_allclose(ours(), by_pandas())
    mine, other = best(ours, by_pandas)
    return Row("funding ladder, 30 days of 20 items", mine, other, "pandas, three lines", 0.3)
