"""A tail probability in the place of a confidence is refused by every function that takes a confidence."""

from __future__ import annotations

import inspect
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from public_names import public_names

import riskkit as rk
from riskkit import InputError

RETURNS = pd.Series(0.01 * np.random.default_rng(5).standard_t(6, 400), pd.date_range("2020-01-01", periods=400))
TABLE = pd.DataFrame({"A": RETURNS, "B": RETURNS[::-1].to_numpy()})
GIVEN = {
    "returns": RETURNS, "pnl": RETURNS, "values": RETURNS, "prices": 100 * (1 + RETURNS).cumprod(), "positions": {"A": 2.0, "B": -1.0},
    "covariance": TABLE.cov(), "trades": {"A": 1.0}, "var": 0.02, "es": 0.03, "sd": 0.01, "hits": RETURNS < -0.02, "n_obs": 250,
    "n_hits": 4, "first_hit": 9, "statistic": 2.0, "observed": 0.4, "pit": np.linspace(0.01, 0.99, 99), "forecasts": {"a": 0.02},
    "value": 1e6, "volatility": 0.02, "spread": 0.01, "quantity": 1e5, "days": 2.0, "n_trades": 4, "periods_per_year": 252,
    "model": rk.montecarlo.NormalReturns(TABLE.cov()), "book": [1.0, 1.0], "draws": np.random.default_rng(0), "path": "never.html",
    "market": rk.liquidity.LinearImpact(0.95, 0.0625, 2.5e-7, 2.5e-6), "window": 250,
    "weights": [0.6, 0.4], "current_weights": [0.6, 0.4], "trade_weights": [0.1, 0.0], "cov_matrix": TABLE.cov(), "portfolio_value": 1e6,
    "price": 50.0, "bid": 49.9, "ask": 50.1, "avg_daily_volume": 1e6, "skewness": np.array([-0.2]), "excess_kurtosis": np.array([0.5]),
    "df": 5.0, "skew": 0.9, "threshold": 0.01, "scale": 0.01, "shape": 0.2, "n_excesses": 40, "correlation": 0.3, "n_scenarios": 100,
    "amounts": [1.0, 2.0], "default_probability": 0.01, "asset_correlation": 0.2, "loadings": [0.3, 0.3],
}  # fmt: skip
SPECIAL = {
    "attribution.by_factor": {"model": rk.covariance.factor_covariance(TABLE, TABLE[["A"]] + 0.001)},
    "attribution.cornish_fisher": {"returns": TABLE},
    "attribution.incremental": {"positions": {"A": 2.0, "B": -1.0}, "covariance": TABLE.cov(), "trades": {"A": 1.0}},
    "attribution.parametric": {"returns": TABLE},
    "compat.calculate_liquidity_var": {"volatility": 0.02},
    "frtb.expected_shortfall": {"pnl": np.tile(RETURNS.to_numpy()[:, None], 5)},
    "var.tails.joint_tails": {"returns": TABLE},
    "var.tails.tail_dependence": {"returns": TABLE},
    "var_backtest.backtest_var": {"var": 0.02},
    "var_backtest.compare_models": {"returns": RETURNS},
}


OF_HITS = {  # laws of hits of any rate: an observed one may be above a half
    f"var_backtest.christoffersen_{name}"
    for name in ("attainable_size", "critical", "independence", "p_value", "pelletier", "size")
}


def doors():
    """The public functions that take a confidence and compute with it; classes that only hold one are results."""
    for public in public_names():
        found = getattr(import_module(public.module), public.name)
        if inspect.isfunction(found) and "confidence" in inspect.signature(found).parameters:
            name = f"{public.area}.{public.name}"
            if name in OF_HITS:
                continue
            yield pytest.param(found, SPECIAL.get(name, {}), id=name)


@pytest.mark.parametrize(("function", "special"), list(doors()))
def test_a_tail_probability_is_no_confidence(function, special):
    parameters = inspect.signature(function).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
    given = {name: GIVEN[name] for name in needed if name not in ("confidence", *special)} | special
    with pytest.raises(InputError, match=r"confidence=0\.05 is below 0\.5; did you mean confidence=0\.95\?"):
        function(**given, confidence=0.05)
