"""Odd inputs to every model that takes returns: each has a finite answer, or one clear sentence; never a warning.

Warnings are errors in this suite, so a division by zero inside a model would show here. What the answers are is tested
beside each model.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import riskkit as rk
from riskkit.var.moments import rolling_moments

SOME = 0.01 * np.random.default_rng(1).standard_t(5, (60, 3))
BOOK = np.array([100.0, -50.0, 20.0])
TABLES: dict[str, np.ndarray] = {
    "nan": np.where(np.arange(180).reshape(60, 3) == 7, np.nan, SOME),
    "inf": np.where(np.arange(180).reshape(60, 3) == 7, -np.inf, SOME),
    "empty": np.empty((0, 3)),
    "no columns": np.empty((60, 0)),
    "one row": SOME[:1],
    "two rows": SOME[:2],
    "all zero": np.zeros((60, 3)),
    "constant": np.full((60, 3), 0.01),
    "one constant column": SOME * [1.0, 0.0, 1.0],
    "singular": SOME[:, [0, 0, 0]],
    "more columns than rows": SOME[:2],
    "tiny": SOME * 1e-50,
    "huge": SOME * 1e50,
    "tiniest": SOME * 1e-150,
    "hugest": SOME * 1e150,
    "texts": np.full((60, 3), "a"),
}
REFUSED = {"nan", "inf", "empty", "no columns", "texts"}
"""What no model answers."""


def covariance_of(returns: Any) -> Any:
    return rk.covariance.sample_covariance(returns)


OF_RETURNS: dict[str, Callable[[Any], Any]] = {
    "simple from log": rk.returns.simple_from_log,
    "horizon returns": lambda r: rk.returns.horizon_returns(r, 2),
    "linear P&L": lambda r: rk.pnl.linear(BOOK, r),
    "delta-gamma P&L": lambda r: rk.pnl.DeltaGamma(BOOK, BOOK).pnl(r),
    "revalued P&L": lambda r: rk.pnl.full_revaluation(lambda moves: np.asarray(moves) @ BOOK, r),
    "sample covariance": rk.covariance.sample_covariance,
    "sample volatility": rk.covariance.sample_volatility,
    "EWMA covariance": rk.ewma_covariance,
    "EWMA covariance path": rk.covariance.ewma_covariance_path,
    "EWMA portfolio variance": lambda r: rk.covariance.ewma_portfolio_variance(r, BOOK),
    "EWMA volatility": rk.ewma_volatility,
    "RiskMetrics 2006": rk.covariance.riskmetrics2006,
    "historical": lambda r: rk.var.historical(r, 0.9),
    "age weighted": lambda r: rk.var.age_weighted(r, 0.9),
    "normal": lambda r: rk.var.normal(r, 0.9),
    "normal, EWMA": lambda r: rk.value_at_risk(r, 0.9, "normal", volatility="ewma"),
    "Student t, nu given": lambda r: rk.var.student_t(r, 0.9, df=5.0),
    "Student t": lambda r: rk.var.student_t(r, 0.9),
    "Cornish-Fisher": lambda r: rk.var.cornish_fisher(r, 0.9),
    "filtered historical": lambda r: rk.var.filtered_historical(r, 0.9),
    "entropic": lambda r: rk.var.evar(r, 0.9),
    "evt": lambda r: rk.var.evt(r, 0.99),
    "rolling": lambda r: rk.rolling_var(r, 20, 0.9),
    "historical attribution": lambda r: rk.attribution.historical(BOOK, r, 0.9),
    "parametric attribution": lambda r: rk.attribution.parametric(BOOK, r, 0.9),
    "Cornish-Fisher attribution": lambda r: rk.attribution.cornish_fisher(BOOK, r, 0.9),
    "tail attribution": lambda r: rk.attribution.scenarios(BOOK, r, 0.005),
    "incremental, historical": lambda r: rk.attribution.incremental(BOOK, returns=r),
    "component VaR": lambda r: rk.attribution.component(BOOK, covariance_of(r)),
    "incremental VaR": lambda r: rk.attribution.incremental(BOOK, covariance_of(r)),
    "best hedge": lambda r: rk.attribution.best_hedge(BOOK, covariance_of(r)),
    "Monte Carlo": lambda r: rk.simulate_risk(
        rk.montecarlo.NormalReturns(covariance_of(r)), BOOK, 100, draws=np.random.default_rng(1), confidence=0.9
    ),
    "bootstrap": lambda r: rk.simulate_risk(
        rk.montecarlo.BlockBootstrap(r), BOOK, 100, draws=np.random.default_rng(1), confidence=0.9
    ),
    "Gaussian copula": lambda r: rk.simulate_risk(
        rk.montecarlo.GaussianCopula(r), BOOK, 100, draws=np.random.default_rng(1), confidence=0.9
    ),
    "stress test": lambda r: rk.stress_test(BOOK, r),
    "stressed correlation": lambda r: rk.stress.stress_covariance(covariance_of(r), toward=1.0, strength=0.5),
    "reverse stress": lambda r: rk.stress.reverse_stress(BOOK, 10.0, covariance_of(r)),
    "liquidity VaR": lambda r: rk.liquidity.liquidity_var(BOOK, covariance_of(r), spreads=0.001),
    "repair": lambda r: rk.covariance.nearest_covariance(covariance_of(r)),
    "drawdown path": rk.performance.drawdown_series,
    "Sharpe": lambda r: rk.performance.sharpe_ratio(r, 252),
    "Sortino": lambda r: rk.performance.sortino_ratio(r, 252),
    "Calmar": lambda r: rk.performance.calmar_ratio(r, 252),
    "CDaR": lambda r: rk.performance.conditional_drawdown_at_risk(r, 0.9),
    "win rate": rk.performance.win_rate,
    "consecutive losses": rk.performance.max_consecutive_losses,
}


def numbers_in(answer: Any) -> np.ndarray:
    """Every number of VaR, ES, components and the like in an answer."""
    if dataclasses.is_dataclass(answer):
        wanted = ("var", "es", "total", "component", "losses", "covariance", "matrix", "trade", "after", "loss")
        found = [numbers_in(getattr(answer, name)) for name in wanted if hasattr(answer, name)]
        return np.concatenate(found)
    return np.ravel(np.asarray(answer.to_numpy() if isinstance(answer, (pd.Series, pd.DataFrame)) else answer, float))


@pytest.mark.parametrize("odd", TABLES)
@pytest.mark.parametrize("model", OF_RETURNS)
def test_an_answer_or_one_sentence(model, odd):
    returns = TABLES[odd]
    try:
        answer = OF_RETURNS[model](returns)
    except rk.InputError as refusal:
        words = str(refusal)
        assert words
        assert "\n" not in words
        return
    assert odd not in REFUSED, f"{model} answered {answer}"
    if odd != "one constant column":  # which is NaN where it has no answer
        assert not np.isnan(numbers_in(answer)).any()


@pytest.mark.parametrize("size", [2.0**-333, 2.0**333], ids=["1e-100", "1e100"])
@pytest.mark.parametrize("model", ["Cornish-Fisher", "Cornish-Fisher attribution", "parametric attribution"])
def test_risk_is_proportional_to_returns_of_any_size(model, size):
    answer, scaled = (numbers_in(OF_RETURNS[model](returns)) for returns in (SOME, SOME * size))
    np.testing.assert_allclose(scaled / size, answer, rtol=1e-12)


@pytest.mark.parametrize("size", [2.0**-333, 2.0**333], ids=["1e-100", "1e100"])
def test_moments_of_windows_do_not_depend_on_the_size_of_returns(size):
    plain, scaled = (rolling_moments(returns, 20, tails=True) for returns in (SOME, SOME * size))
    np.testing.assert_allclose(scaled.skewness, plain.skewness, rtol=1e-12)
    np.testing.assert_allclose(scaled.excess_kurtosis, plain.excess_kurtosis, rtol=1e-12)
    np.testing.assert_allclose(scaled.volatility("sample", 1) / size, plain.volatility("sample", 1), rtol=1e-12)


@pytest.mark.parametrize("size", [2.0**-333, 2.0**333], ids=["1e-100", "1e100"])
def test_a_hedge_does_not_depend_on_the_size_of_returns(size):
    plain, scaled = (rk.attribution.best_hedge(BOOK, covariance_of(returns)) for returns in (SOME, SOME * size))
    np.testing.assert_allclose(scaled.trade, plain.trade, rtol=1e-12)
    np.testing.assert_allclose(scaled.after / size, plain.after, rtol=1e-12)


@pytest.mark.parametrize("model", OF_RETURNS)
def test_ordinary_returns_have_an_answer(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(numbers_in(OF_RETURNS[model](SOME))).all()
