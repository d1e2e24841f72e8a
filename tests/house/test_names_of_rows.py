"""Rows and positions are matched by name: another period is named, dates are dates in any type, and a dict is a Series."""

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from model_doors import ASSETS, DAYS, HELD, RETURNS

import riskkit as rk
from riskkit._check import InputError


def assert_same(found: Any, expected: Any) -> None:
    assert list(getattr(found, "index", [])) == list(getattr(expected, "index", []))
    np.testing.assert_allclose(np.asarray(found, dtype=float), np.asarray(expected, dtype=float), rtol=1e-9)


A, B = RETURNS["A"], RETURNS["B"]
TWO_TABLES = {
    "risk_free": lambda other: rk.performance.sharpe_ratio(A, 252, risk_free=0.01 * other),
    "factors": lambda other: rk.stress.factor_loadings(A, other),
    "factors of P&L": lambda other: rk.stress.reverse_stress_pnl(A, other, 1.0),
    "weights": lambda other: rk.covariance.ewma_portfolio_variance(
        RETURNS, pd.DataFrame({name: other for name in ASSETS})
    ),
    "var": lambda other: rk.var_backtest.var_hits(A, 0.02 + 0.0 * other),
    "es": lambda other: rk.var_backtest.mcneil_frey_bootstrap(A, 0.02, 0.03 + 0.0 * other),
}


@pytest.mark.parametrize("name", TWO_TABLES)
def test_rows_of_other_periods_are_named(name):
    later = B.set_axis([*DAYS[:7], *(DAYS[7:] + pd.Timedelta(days=1))])
    words = (
        f"{name.partition(' ')[0]}.* 240 rows each, but of other periods: row 7 is 2019-01-0[89].* give both for the"
    )
    with pytest.raises(InputError, match=words):
        TWO_TABLES[name](later)
    with pytest.raises(InputError, match="240|239"):
        TWO_TABLES[name](B[1:])


DATES = {
    "times": lambda days: days,
    "time zone": lambda days: days.tz_localize("Europe/Zurich"),
    "periods": lambda days: days.to_period("D"),
    "dates": lambda days: pd.Index([day.date() for day in days]),
    "text": lambda days: pd.Index([str(day.date()) for day in days]),
}


@pytest.mark.parametrize("kind", DATES)
def test_episodes_are_found_in_dates_of_any_type(kind):
    days = pd.date_range("2018-01-01", "2020-12-31", freq="B")
    shocks = 0.01 * np.random.default_rng(2).standard_normal(len(days))
    prices = pd.DataFrame({"index": 100.0 * np.cumprod(1.0 + shocks)}, days)
    expected = rk.stress.episodes(prices)
    given = prices.set_axis(DATES[kind](days))
    assert_same(rk.stress.episodes(given)["move"].to_numpy(), expected["move"].to_numpy())
    window = {"spring": (datetime.date(2019, 3, 1), "2019-05-31")}
    assert_same(
        rk.stress.historical_scenarios(given.pct_change().dropna(), window).to_numpy(),
        rk.stress.historical_scenarios(prices.pct_change().dropna(), window).to_numpy(),
    )
    years = rk.var_backtest.compare_models(given, models="historical", window=250).hit_ratio_by_year()
    assert list(years.index) == [2018, 2019, 2020]


COVARIANCE = RETURNS.cov()
MOVES = RETURNS[:20]
POSITIONS: dict[str, Any] = {
    "pnl.linear": lambda held: rk.pnl.linear(held, MOVES),
    "pnl.scenario": lambda held: rk.pnl.scenario(held, MOVES),
    "pnl.DeltaGamma": lambda held: rk.pnl.DeltaGamma(held, held).pnl(MOVES),
    "returns.profit_and_loss": lambda held: rk.returns.profit_and_loss(100.0 * (1.0 + MOVES).cumprod(), held),
    "attribution.portfolio": lambda held: rk.attribution.portfolio(held, COVARIANCE),
    "attribution.component": lambda held: rk.attribution.component(held, COVARIANCE),
    "attribution.marginal": lambda held: rk.attribution.marginal(held, COVARIANCE),
    "attribution.parametric": lambda held: rk.attribution.parametric(held, RETURNS).component,
    "attribution.historical": lambda held: rk.attribution.historical(held, RETURNS).component,
    "attribution.cornish_fisher": lambda held: rk.attribution.cornish_fisher(held, RETURNS, 0.9).component,
    "attribution.scenarios": lambda held: rk.attribution.scenarios(held, RETURNS, 5.0).component,
    "attribution.best_hedge": lambda held: rk.attribution.best_hedge(held, COVARIANCE).trade,
    "liquidity.liquidity_var": lambda held: rk.liquidity.liquidity_var(held, COVARIANCE).price_var,
    "liquidity.square_root_impact": lambda held: rk.liquidity.square_root_impact(held, 1e6, 0.01),
    "montecarlo.simulate_risk": lambda held: (
        rk.simulate_risk(rk.montecarlo.NormalReturns(COVARIANCE), held, 500, draws=np.random.default_rng(1)).var
    ),
    "stress.stress_test": lambda held: rk.stress_test(held, MOVES).to_frame(),
    "stress.reverse_stress": lambda held: rk.stress.reverse_stress(held, 10.0, COVARIANCE).scenario,
    "stress.historical_stress": lambda held: rk.stress.historical_stress(
        held, RETURNS, {"spring": (DAYS[60], DAYS[120])}
    ).table["loss"],
    "stress.stress_covariance": lambda held: rk.stress.stress_covariance(COVARIANCE).compare(held),
    "covariance.ewma_portfolio_variance": lambda held: rk.covariance.ewma_portfolio_variance(RETURNS, held),
}


@pytest.mark.parametrize("name", POSITIONS)
def test_positions_by_name_may_be_a_dict(name):
    expected = POSITIONS[name](HELD)
    given = HELD.to_dict()
    assert_same(POSITIONS[name](given), expected)
    assert_same(POSITIONS[name]({asset: given[asset] for asset in ASSETS}), expected)
