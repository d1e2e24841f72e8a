"""Every public function that takes returns, P&L, prices or hits, with what holds for its input: used by the tests of the doors.

A door is a call with a table of three series (the first of them where a function takes one) and with the unit in which
the table is given, which other arguments share.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from public_names import public_names

import riskkit as rk

N = 240
DAYS = pd.date_range("2019-01-01", periods=N, name="date")
ASSETS = ["A", "B", "C"]
_SHOCKS = np.random.default_rng(7).standard_t(6, (N, 3)) @ [[1.0, 0.3, 0.1], [0.0, 1.0, 0.4], [0.0, 0.0, 1.0]]
RETURNS = pd.DataFrame(0.01 * _SHOCKS * (1.0 + 0.5 * np.sin(np.arange(N) / 20.0))[:, None], DAYS, ASSETS)
PRICES = 100.0 * (1.0 + RETURNS).cumprod()
BENCHMARK = RETURNS.mean(axis=1).to_numpy()
HELD = pd.Series([300.0, -100.0, 50.0], ASSETS)
WINDOW = {"spring": (DAYS[60], DAYS[120])}
HALF = slice(DAYS[40], DAYS[160])


class Door(NamedTuple):
    """A call, and what holds for its input."""

    call: Callable[[Any, float], Any]
    ordered: bool = False
    """The result depends on the order of the rows."""
    power: int | None = 1
    """With all amounts in a unit k times smaller the result is k to this power times as large; None: no unit is free."""
    kind: str = "returns"
    """What it takes: returns, prices, trades (P&L of any sign and order of size), or flags of hits."""


def chosen(table: Any, *names: str) -> Any:
    """Those of some columns that a table of Arrow, polars or DuckDB has; relations are projected."""
    known = [name for name in names if name in getattr(table, "column_names", table.columns)]
    return table.project(*known) if hasattr(table, "project") else table.select(known)


def first(table: Any) -> Any:
    """The first series of a table, in the library of the table."""
    if isinstance(table, pd.DataFrame):
        return table.iloc[:, 0]
    return table[:, 0] if isinstance(table, np.ndarray) else chosen(table, "date", "A")


def two(table: Any) -> Any:
    """The first two series of a table, in the library of the table."""
    if isinstance(table, pd.DataFrame):
        return table[ASSETS[:2]]
    return table[:, :2] if isinstance(table, np.ndarray) else chosen(table, "date", *ASSETS[:2])


def of_one(function: Callable[..., Any], *args: Any, **options: Any) -> Callable[[Any, float], Any]:
    return lambda table, unit: function(first(table), *args, **options)


def of_all(function: Callable[..., Any], *args: Any, **options: Any) -> Callable[[Any, float], Any]:
    return lambda table, unit: function(table, *args, **options)


def forecast(function: Callable[..., Any], *limits: float, **options: Any) -> Callable[[Any, float], Any]:
    """A call with constant VaR (and ES) in the unit of the returns."""
    return lambda table, unit: function(first(table), *(limit * unit for limit in limits), **options)


def hits_of(table: Any) -> Any:
    """Hits of the first series, in the library of the table."""
    if isinstance(table, (pd.DataFrame, np.ndarray)):
        return first(table) < -0.015
    import pyarrow as pa

    hits = pa.chunked_array([(np.asarray(table["A"]) < -0.015).astype(float)])
    table = pa.table(table)
    table = chosen(table, "date").append_column("hit", hits)
    return table


def risk(estimate: Any) -> Any:
    return estimate.var, estimate.es


def simulated(model: Any) -> Any:
    return risk(rk.simulate_risk(model, HELD, 2000, draws=np.random.default_rng(1)))


def in_garch(name: str) -> Callable[[Any, float], Any]:
    return lambda table, unit: getattr(rk.covariance.fit_garch(first(table)), name)


def compared(table: Any, unit: float) -> Any:
    found = rk.var_backtest.compare_forecasts(
        table,
        {"a": np.full((N, 3), 0.02 * unit), "b": np.full((N, 3), 0.01 * unit)},
        0.95,
        rng=np.random.default_rng(1),
    )
    return found.ranking["score"]


def learned(table: Any, unit: float) -> Any:
    simple = {"historical": {"method": "historical"}}
    size = {"train": 120, "test": 60, "window": 60, "n_trees": 4, "learning_rate": 0.2}
    return rk.learn.learned_risk(first(table), 0.9, simple=simple, **size).var


P, V, C, B, T = rk.performance, rk.var, rk.covariance, rk.var_backtest, rk.var.tails
DAILY = {"periods_per_year": 252.0}
DOORS: dict[str, Door] = {
    "returns.simple_returns": Door(of_all(rk.simple_returns), ordered=True, power=0, kind="prices"),
    "returns.log_returns": Door(of_all(rk.log_returns), ordered=True, power=0, kind="prices"),
    "returns.profit_and_loss": Door(of_all(rk.returns.profit_and_loss, HELD), ordered=True, kind="prices"),
    "returns.price_flags": Door(
        lambda table, unit: rk.returns.price_flags(table, jump_size=2.5)["size"].to_numpy(),
        ordered=True,
        power=0,
        kind="prices",
    ),
    "returns.horizon_returns": Door(of_all(rk.returns.horizon_returns, 5), ordered=True, power=None),
    "returns.log_from_simple": Door(of_all(rk.returns.log_from_simple), power=None),
    "returns.simple_from_log": Door(of_all(rk.returns.simple_from_log), power=None),
    "returns.sqrt_time_test": Door(of_one(rk.returns.sqrt_time_test, 5), ordered=True, power=0),
    "returns.scale_volatility": Door(
        lambda table, unit: rk.returns.scale_volatility(0.01 * unit, 5, returns=first(table)), ordered=True
    ),
    "covariance.sample_covariance": Door(of_all(C.sample_covariance), power=2),
    "covariance.sample_volatility": Door(of_all(C.sample_volatility)),
    "covariance.shrunk_covariance": Door(lambda table, unit: C.shrunk_covariance(table).covariance, power=2),
    "covariance.stressed_sample": Door(of_all(C.stressed_sample, HALF.start, HALF.stop), ordered=True, power=2),
    "covariance.ewma_variance": Door(of_all(C.ewma_variance), ordered=True, power=2),
    "covariance.ewma_volatility": Door(of_all(C.ewma_volatility), ordered=True),
    "covariance.ewma_volatility: truncated": Door(of_all(C.ewma_volatility, weighting="truncated"), ordered=True),
    "covariance.ewma_initial": Door(of_all(C.ewma_initial), ordered=True, power=2),
    "covariance.ewma_covariance": Door(of_all(C.ewma_covariance), ordered=True, power=2),
    "covariance.ewma_covariance_path": Door(of_all(C.ewma_covariance_path), ordered=True, power=2),
    "covariance.ewma_portfolio_variance": Door(of_all(C.ewma_portfolio_variance, HELD), ordered=True, power=2),
    "covariance.riskmetrics2006": Door(of_all(C.riskmetrics2006), ordered=True, power=2),
    "covariance.incomplete_covariance": Door(lambda table, unit: C.incomplete_covariance(table).covariance, power=2),
    "covariance.complete_returns": Door(lambda table, unit: C.complete_returns(table).returns, ordered=True),
    "covariance.incomplete_ewma_variance": Door(of_all(C.incomplete_ewma_variance), ordered=True, power=2),
    "covariance.asynchronous_covariance": Door(of_all(C.asynchronous_covariance), ordered=True, power=2),
    "covariance.fit_asymmetric_garch": Door(
        lambda table, unit: C.fit_asymmetric_garch(first(table), distribution="normal").next_volatility, ordered=True
    ),
    "covariance.factor_covariance": Door(lambda table, unit: C.factor_covariance(table, 2).covariance, power=2),
    "covariance.realised_measures": Door(lambda table, unit: C.realised_measures(first(table)).bipower, True, 2),
    "covariance.regime_filter": Door(
        lambda table, unit: (
            C.regime_filter(first(table), [[0.9, 0.1], [0.1, 0.9]], [1e-4 * unit**2, 4e-4 * unit**2]).predicted
        ),
        ordered=True,
        power=0,
    ),
    "covariance.fit_regimes": Door(lambda table, unit: C.fit_regimes(first(table)).variances, ordered=True, power=2),
    "covariance.fit_dcc": Door(lambda table, unit: C.fit_dcc(table, "pairs").covariance, ordered=True, power=2),
    "covariance.fit_dcc: EWMA": Door(
        lambda table, unit: C.fit_dcc(table, "pairs", margins="ewma").covariance, ordered=True, power=2
    ),
    "covariance.shrunk_covariance: constant correlation": Door(
        lambda table, unit: C.shrunk_covariance(table, "constant_correlation").covariance, power=2
    ),
    "covariance.fit_garch": Door(in_garch("next_volatility"), ordered=True),
    "covariance.fit_garch: volatility": Door(in_garch("volatility"), ordered=True),
    "covariance.fit_garch: omega": Door(in_garch("omega"), ordered=True, power=2),
    "covariance.fit_garch: beta": Door(in_garch("beta"), ordered=True, power=0),
    "var.historical": Door(lambda table, unit: risk(V.historical(table))),
    "var.age_weighted": Door(lambda table, unit: risk(V.age_weighted(table)), ordered=True),
    "var.filtered_historical": Door(lambda table, unit: risk(V.filtered_historical(table)), ordered=True),
    "var.filtered_historical: GARCH": Door(
        lambda table, unit: risk(V.filtered_historical(first(table), volatility="garch")), ordered=True
    ),
    "var.normal": Door(lambda table, unit: risk(V.normal(table))),
    "var.normal: EWMA": Door(lambda table, unit: risk(V.normal(table, volatility="ewma", mean="zero")), ordered=True),
    "var.student_t": Door(lambda table, unit: risk(V.student_t(table))),
    "var.cornish_fisher": Door(lambda table, unit: risk(V.cornish_fisher(table, 0.9))),
    "var.evt": Door(lambda table, unit: risk(V.evt(table, 0.99))),
    "var.filtered_historical: Pareto tail": Door(
        lambda table, unit: risk(V.filtered_historical(table, 0.99, tail_fraction=0.1)), ordered=True
    ),
    "var.filtered_paths": Door(
        lambda table, unit: V.filtered_paths(first(table), 3, n_paths=50, rng=np.random.default_rng(1)).returns,
        ordered=True,
    ),
    "var.learned.conformal_quantile": Door(
        lambda table, unit: V.learned.conformal_quantile(first(table)).bound, kind="trades"
    ),
    "learn.tail_features": Door(
        lambda table, unit: rk.learn.tail_features(first(table))["volatility"].dropna(), ordered=True
    ),
    "learn.learned_risk": Door(learned, ordered=True),
    "var.learned.har_features": Door(
        lambda table, unit: np.asarray(V.learned.har_features(first(table)))[:, 1:], ordered=True
    ),
    "var.tails.hill": Door(lambda table, unit: T.hill(first(table), [10, 20])["shape"].to_numpy(), power=0),
    "var.tails.shape_estimates": Door(lambda table, unit: T.shape_estimates(first(table), [20, 40]), power=0),
    "var.tails.mean_excess": Door(
        lambda table, unit: T.mean_excess(first(table), [0.01 * unit])["mean_excess"].to_numpy()
    ),
    "var.tails.threshold_stability": Door(
        lambda table, unit: T.threshold_stability(first(table), [0.01 * unit])["modified_scale"].to_numpy()
    ),
    "var.tails.tail_interval": Door(
        lambda table, unit: list(T.tail_interval(first(table), 0.99, threshold=0.01 * unit, quantity="var"))
    ),
    "var.tails.extremal_index": Door(
        lambda table, unit: T.extremal_index(first(table), 0.01 * unit), ordered=True, power=0
    ),
    "var.tails.decluster": Door(
        lambda table, unit: T.decluster(first(table), 0.01 * unit, 3)["total"].to_numpy(), ordered=True
    ),
    "var.tails.block_maxima": Door(lambda table, unit: T.block_maxima(first(table), 20).location, ordered=True),
    "var.tails.tail_dependence": Door(
        lambda table, unit: T.tail_dependence(two(table), 0.9)["chi"].to_numpy(), power=0
    ),
    "var.tails.joint_tails": Door(lambda table, unit: T.joint_tails(table, 0.9).chi, power=0),
    "var.evar": Door(of_all(V.evar)),
    "var.expectile_var": Door(of_all(V.expectile_var, 0.01)),
    "var.distortion_risk": Door(of_all(V.distortion_risk, V.exponential_spectrum(20.0))),
    "var.value_at_risk": Door(lambda table, unit: risk(rk.value_at_risk(table))),
    "var.value_at_risk: blocks": Door(
        lambda table, unit: risk(
            rk.value_at_risk(table, interval="bootstrap", n_draws=20, block=5, rng=np.random.default_rng(1))
        ),
        ordered=True,
    ),
    "var.rolling_var": Door(lambda table, unit: risk(rk.rolling_var(table, 100)), ordered=True),
    "performance.tracking_error": Door(lambda table, unit: P.tracking_error(table, unit * BENCHMARK), power=1),
    "performance.information_ratio": Door(
        lambda table, unit: P.information_ratio(table, unit * BENCHMARK, definition="per_period"), power=0
    ),
    "performance.capture_ratio": Door(
        lambda table, unit: P.capture_ratio(table, unit * BENCHMARK, definition="mean"), power=0
    ),
    "performance.compare_to_benchmark": Door(
        lambda table, unit: P.compare_to_benchmark(first(table), BENCHMARK, 252).beta, power=None
    ),
    "performance.rolling_performance": Door(
        lambda table, unit: P.rolling_performance(first(table), 60, 252)["sharpe"].dropna(), ordered=True, power=None
    ),
    "performance.rolling_measure": Door(
        lambda table, unit: P.rolling_measure(P.sortino_ratio, first(table), 60)[60:], ordered=True, power=0
    ),
    "performance.monthly_table": Door(
        lambda table, unit: P.monthly_table(first(table))["year"], ordered=True, power=None
    ),
    "performance.annualized_return": Door(of_all(P.annualized_return, **DAILY), power=None),
    "performance.annualized_volatility": Door(of_all(P.annualized_volatility, **DAILY)),
    "performance.sharpe_ratio": Door(of_all(P.sharpe_ratio, **DAILY), power=0),
    "performance.sharpe_ratio: autocorrelated": Door(
        of_all(P.sharpe_ratio, **DAILY, definition="autocorrelated", lags=3), ordered=True, power=0
    ),
    "performance.sharpe_standard_error": Door(of_all(P.sharpe_standard_error, **DAILY), power=0),
    "performance.downside_deviation": Door(of_all(P.downside_deviation)),
    "performance.sortino_ratio": Door(of_all(P.sortino_ratio), power=0),
    "performance.omega_ratio": Door(of_all(P.omega_ratio), power=0),
    "performance.calmar_ratio": Door(of_all(P.calmar_ratio, **DAILY), ordered=True, power=None),
    "performance.tail_ratio": Door(of_all(P.tail_ratio), power=0),
    "performance.stability": Door(of_all(P.stability), ordered=True, power=None),
    "performance.skewness": Door(of_all(P.skewness), power=0),
    "performance.excess_kurtosis": Door(of_all(P.excess_kurtosis), power=0),
    "performance.performance_summary": Door(of_one(P.performance_summary, **DAILY), ordered=True, power=None),
    "performance.drawdown_series": Door(of_all(P.drawdown_series), ordered=True, power=None),
    "performance.drawdown_series: P&L": Door(of_all(P.drawdown_series, input="pnl"), ordered=True),
    "performance.drawdown_series: prices": Door(
        of_all(P.drawdown_series, input="prices"), ordered=True, power=0, kind="prices"
    ),
    "performance.drawdown_table": Door(of_one(P.drawdown_table), ordered=True, power=None),
    "performance.drawdown_table: P&L": Door(
        lambda table, unit: P.drawdown_table(first(table), input="pnl")[0].depth, ordered=True
    ),
    "performance.max_drawdown": Door(of_all(P.max_drawdown), ordered=True, power=None),
    "performance.max_drawdown: P&L": Door(of_all(P.max_drawdown, input="pnl"), ordered=True),
    "performance.pain_index": Door(of_all(P.pain_index, input="pnl"), ordered=True),
    "performance.ulcer_index": Door(of_all(P.ulcer_index, input="pnl"), ordered=True),
    "performance.conditional_drawdown_at_risk": Door(of_all(P.conditional_drawdown_at_risk, input="pnl"), ordered=True),
    "performance.win_rate": Door(of_all(P.win_rate), power=0, kind="trades"),
    "performance.average_trade": Door(of_all(P.average_trade), kind="trades"),
    "performance.payoff_ratio": Door(of_all(P.payoff_ratio), power=0, kind="trades"),
    "performance.profit_factor": Door(of_all(P.profit_factor), power=0, kind="trades"),
    "performance.max_consecutive_losses": Door(of_all(P.max_consecutive_losses), ordered=True, power=0, kind="trades"),
    "performance.trade_statistics": Door(
        lambda table, unit: P.trade_statistics(first(table)).average_loss, ordered=True, kind="trades"
    ),
    "pnl.linear": Door(lambda table, unit: rk.pnl.linear(HELD, table), kind="trades"),
    "pnl.aggregate": Door(of_all(rk.pnl.aggregate, {"all": ASSETS}), kind="trades"),
    "montecarlo.BlockBootstrap": Door(
        lambda table, unit: simulated(rk.montecarlo.BlockBootstrap(table)), ordered=True, power=None
    ),
    "montecarlo.GaussianCopula": Door(lambda table, unit: simulated(rk.montecarlo.GaussianCopula(table))),
    "montecarlo.StudentTCopula": Door(lambda table, unit: simulated(rk.montecarlo.StudentTCopula(table, df=5.0))),
    "montecarlo.StudentTCopula: Pareto margins": Door(
        lambda table, unit: simulated(rk.montecarlo.StudentTCopula(table, df=5.0, margins="pareto"))
    ),
    "montecarlo.GaussianCopula: kernel margins": Door(
        lambda table, unit: simulated(rk.montecarlo.GaussianCopula(table, margins="kernel"))
    ),
    "montecarlo.fit_margin": Door(lambda table, unit: rk.montecarlo.fit_margin(first(table)).ppf([0.01, 0.4])),
    "attribution.historical": Door(lambda table, unit: rk.attribution.historical(HELD, table).component),
    "attribution.historical: P&L": Door(lambda table, unit: rk.attribution.historical(None, table).component),
    "attribution.cornish_fisher": Door(lambda table, unit: rk.attribution.cornish_fisher(HELD, table, 0.9).component),
    "attribution.parametric": Door(lambda table, unit: rk.attribution.parametric(HELD, table).component),
    "attribution.pnl_by_factor": Door(
        lambda table, unit: rk.attribution.pnl_by_factor(
            HELD, table, pd.DataFrame({"m": [1.0, 0.5, 0.2]}, ASSETS), BENCHMARK[:, None] * unit
        ).to_numpy(),
    ),
    "attribution.scenarios": Door(lambda table, unit: rk.attribution.scenarios(HELD, table, 5.0 * unit).component),
    "attribution.incremental": Door(
        lambda table, unit: rk.attribution.incremental(HELD, trades=10.0 * np.eye(3), returns=table)
    ),
    "stress.similar_periods": Door(
        lambda table, unit: rk.stress.similar_periods(
            table, {0 if isinstance(table, np.ndarray) else "A": -0.02 * unit}
        )["distance"].to_numpy(),
        ordered=True,
        power=0,
        kind="trades",
    ),
    "stress.factor_loadings": Door(
        lambda table, unit: rk.stress.factor_loadings(table, RETURNS[["B"]].to_numpy()).loadings
    ),
    "stress.historical_scenarios": Door(
        of_all(rk.stress.historical_scenarios, WINDOW), ordered=True, power=None, kind="trades"
    ),
    "stress.historical_stress": Door(
        lambda table, unit: rk.stress.historical_stress(HELD, table, WINDOW, buy_and_hold=False).table["loss"],
        ordered=True,
    ),
    "stress.episodes": Door(
        lambda table, unit: rk.stress.episodes(table, WINDOW)["move"], ordered=True, power=0, kind="prices"
    ),
    "stress.reverse_stress_pnl": Door(
        lambda table, unit: rk.stress.reverse_stress_pnl(first(table), RETURNS.to_numpy(), 10.0 * unit).scenario,
        power=0,
        kind="trades",
    ),
    "stress.scale_scenarios": Door(of_all(rk.stress.scale_scenarios, volatility_multiplier=2.0)),
    "stress.scale_scenarios: to a volatility": Door(
        lambda table, unit: rk.stress.scale_scenarios(table, target_volatility=0.02 * unit)
    ),
    "var_backtest.var_hits": Door(forecast(B.var_hits, 0.015), ordered=True, power=0),
    "var_backtest.backtest_var": Door(
        lambda table, unit: [
            test.statistic for _, test in B.backtest_var(first(table), 0.015 * unit, confidence=0.95).outcomes
        ],
        ordered=True,
        power=0,
    ),
    "var_backtest.backtest_panel": Door(
        lambda table, unit: B.backtest_panel(table, {("a", 0.95): np.full((N, 3), 0.015 * unit)}).frame["statistic"],
        ordered=True,
        power=0,
    ),
    "var_backtest.compare_forecasts": Door(compared, ordered=True),
    "var_backtest.compare_models": Door(
        lambda table, unit: (
            B.compare_models(
                returns=table,
                models=["historical", "normal"],
                confidence=0.95,
                window=100,
                rng=np.random.default_rng(1),
            ).hit_counts
        ),
        ordered=True,
        power=0,
    ),
    "var_backtest.quantile_loss": Door(forecast(B.quantile_loss, 0.015), ordered=True),
    "var_backtest.fz0_loss": Door(
        lambda table, unit: np.exp(B.fz0_loss(first(table), 0.015 * unit, 0.02 * unit)), ordered=True
    ),
    "var_backtest.asymmetric_laplace_loss": Door(
        lambda table, unit: np.exp(B.asymmetric_laplace_loss(first(table), 0.015 * unit, 0.02 * unit)), ordered=True
    ),
    "var_backtest.expectile_loss": Door(forecast(B.expectile_loss, 0.015, tau=0.01), ordered=True, power=2),
    "var_backtest.es_e_process": Door(
        lambda table, unit: B.es_e_process(first(table), 0.015 * unit, 0.02 * unit).log_e, ordered=True, power=0
    ),
    "var_backtest.hit_transitions": Door(lambda table, unit: B.hit_transitions(hits_of(table)), True, None, "hits"),
    "var_backtest.var_e_process": Door(lambda table, unit: B.var_e_process(hits_of(table)).log_e, True, None, "hits"),
    "var_backtest.model_confidence_set": Door(
        lambda table, unit: B.model_confidence_set(table, rng=np.random.default_rng(1)).p_values, True, 0, "trades"
    ),
    "var_backtest.diebold_mariano": Door(
        lambda table, unit: B.diebold_mariano(first(table), np.zeros(N)).statistic, True, 0, "trades"
    ),
}


def statistic(name: str, *limits: float, **options: float) -> Callable[[Any, float], Any]:
    """Statistic of a test of returns, VaR and ES, all in the unit."""
    test = getattr(B, name)
    return lambda table, unit: (
        test(
            first(table),
            *(limit * unit for limit in limits),
            **{option: value * unit for option, value in options.items()},
        ).statistic
    )


def of_hits(name: str) -> Callable[[Any, float], Any]:
    return lambda table, unit: getattr(B, name)(hits_of(table)).statistic


_HITS = "christoffersen_conditional christoffersen_independence christoffersen_pelletier haas_tbf haas_tbfi".split()
_SHORTFALLS = "acerbi_szekely_z1 acerbi_szekely_z2 mcneil_frey_z mcneil_frey_bootstrap".split()
_SHORTFALLS += ["nolde_ziegel_simple", "nolde_ziegel_one_sided"]
DOORS |= {f"var_backtest.{name}": Door(of_hits(name), True, None, "hits") for name in _HITS}
DOORS |= {f"var_backtest.{name}": Door(statistic(name, 0.015, 0.02), True, 0) for name in _SHORTFALLS}
DOORS |= {
    "var_backtest.acerbi_szekely_ridge": Door(statistic("acerbi_szekely_ridge", 0.015, 0.02), True, 0),
    "var_backtest.nolde_ziegel_general": Door(statistic("nolde_ziegel_general", 0.015, 0.02, sd=0.01), True, 0),
    "var_backtest.dynamic_quantile": Door(statistic("dynamic_quantile", 0.015), True, 0),
}

INPUTS = {"returns", "values", "history", "pnl", "prices", "log_returns", "hits", "scores", "scores_a"}
PACKAGES = {
    "returns",
    "covariance",
    "var",
    "performance",
    "stress",
    "attribution",
    "montecarlo",
    "var_backtest",
    "pnl",
    "var.tails",
    "var.learned",
    "learn",
}


def functions_with_observations() -> set[str]:
    """Public functions and models of returns with a parameter of `INPUTS`; results are not called by a user."""
    found = set()
    for public in public_names():
        thing = getattr(import_module(public.module), public.name)
        is_model = inspect.isclass(thing) and issubclass(thing, rk.montecarlo.ReturnModel)
        if public.area in PACKAGES and (inspect.isfunction(thing) or is_model):
            if INPUTS & set(inspect.signature(thing).parameters):
                found.add(f"{public.area}.{public.name}")
    return found


def table_for(door: Door) -> pd.DataFrame:
    """A table that fits the door."""
    return PRICES if door.kind == "prices" else RETURNS
