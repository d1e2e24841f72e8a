"""Public functions that no door of `model_doors` covers, with what a change of unit does to their answers.

A row is a call in a unit and the power of the unit in its answer: amounts of money, returns and prices are given times the
unit, their squares times its square. A function that has no unit stands under `WITHOUT_UNIT` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from model_doors import DAYS, RETURNS, N

import riskkit as rk
from riskkit import attribution, covariance, frtb, instruments, liquidity, stress, var
from riskkit.var import learned, parametric

rng = np.random.default_rng(11)
MOVES = RETURNS.to_numpy()
MATRIX = RETURNS.cov().to_numpy()
HELD = np.array([300.0, -100.0, 50.0])
SHOCKS = rng.standard_t(6, (N, 3))
VARIANCES = 1e-4 * np.exp(0.1 * np.cumsum(rng.standard_normal(N)))
GARCH = {"alpha": 0.05, "gamma": 0.08, "beta": 0.85}
MARKET = {"price_volatility": 0.95, "half_spread": 0.0625, "permanent_slope": 2.5e-7, "temporary_slope": 2.5e-6}
DAY_PRICES = 100.0 * np.exp(np.cumsum(MOVES[:, 0])) * np.ones((4, N)) + [[0.0], [2.0], [-2.0], [0.5]]
CHAIN = pd.DataFrame(100.0 + np.cumsum(SHOCKS[:, :2], axis=0), DAYS, ["near", "far"])
NAMES = {2: [("X", 1, "bond", 3.0), ("Y", 5, "CDS", -1.0)], 7: [("Z", 0.5, "bond", 2.0)]}


class Row(NamedTuple):
    """A call in a unit, and the power of the unit in its answer."""

    call: Callable[[float], Any]
    power: int = 1


def book(unit: float, given: dict[Any, list[tuple[Any, ...]]] = NAMES) -> dict[Any, list[tuple[Any, ...]]]:
    """Sensitivities by bucket, the money last."""
    return {bucket: [(*factor, unit * money) for *factor, money in rows] for bucket, rows in given.items()}


def vegas(unit: float) -> dict[Any, list[tuple[Any, ...]]]:
    return {bucket: [(name, years, money) for name, years, _, money in rows] for bucket, rows in book(unit).items()}


def curved(unit: float) -> dict[Any, Any]:
    return {2: {"X": (3.0 * unit, -unit), "Y": (-2.0 * unit, 4.0 * unit)}, 7: {"Z": (unit, unit)}}


def market(unit: float) -> Any:
    return liquidity.LinearImpact(**{name: unit * value for name, value in MARKET.items()})


def joint(unit: float) -> Any:
    return liquidity.CrossImpact(unit**2 * MATRIX, unit * 1e-6 * np.eye(3))


def sold(unit: float) -> Any:
    return liquidity.liquidate_portfolio(HELD, 2.0, 4, joint(unit), risk_aversion=1.0 / unit)


def spiral(unit: float) -> Any:
    held = unit * np.array([[80.0, 20.0], [0.0, 50.0]])
    return liquidity.fire_sales(
        held, unit * np.array([10.0, 10.0]), [-0.05, 0.0], market_depth=unit * 200.0, max_leverage=12.0
    )


def loaded(unit: float) -> Any:
    return stress.factor_loadings(RETURNS * unit, RETURNS[["B"]] * unit)


def regressed(fit: Any) -> Callable[[float], Any]:
    """Fitted values of a regression on features in the same unit."""

    def call(unit: float) -> Any:
        features = learned.har_features(MOVES[:, 0] * unit)[:-1]
        return features @ fit(features, MOVES[22:, 0] * unit, 0.1).coefficients

    return call


ROWS: dict[str, Row] = {
    # dynamics of volatility and dependence
    "covariance.gjr_path": Row(
        lambda u: covariance.gjr_path(MOVES[:, 0] * u, 1e-4 * u**2, omega=1e-5 * u**2, **GARCH), 2
    ),
    "covariance.gjr_forecast": Row(lambda u: covariance.gjr_forecast(1e-4 * u**2, 10, omega=1e-5 * u**2, **GARCH), 2),
    "covariance.egarch_path": Row(
        lambda u: covariance.egarch_path(
            SHOCKS[:, 0], 1e-4 * u**2, omega=0.05 * np.log(1e-4 * u**2), alpha=0.1, gamma=-0.05, beta=0.95
        ),
        2,
    ),
    "covariance.fit_har": Row(lambda u: covariance.fit_har(VARIANCES * u**2).next_variance, 2),
    "covariance.range_volatility": Row(lambda u: covariance.range_volatility(*(DAY_PRICES[[3, 1, 2, 0]] * u)), 0),
    "covariance.garch_update": Row(
        lambda u: covariance.garch_update(0.01 * u, -0.02 * u, omega=1e-6 * u**2, alpha=0.05, beta=0.9), 2
    ),
    "covariance.garch_long_run_volatility": Row(lambda u: covariance.garch_long_run_volatility(1e-6 * u**2, 0.05, 0.9)),
    "covariance.correlation_from_covariance": Row(lambda u: covariance.correlation_from_covariance(MATRIX * u**2), 0),
    "covariance.covariance_from_correlation": Row(
        lambda u: covariance.covariance_from_correlation(np.eye(2) * 0.5 + 0.5, [0.01 * u, 0.02 * u]), 2
    ),
    "covariance.nearest_covariance": Row(lambda u: covariance.nearest_covariance(MATRIX * u**2).matrix, 2),
    "var.path_returns": Row(
        lambda u: var.path_returns(SHOCKS[:, 0], [[1, 2, 3], [4, 5, 6]], 1e-4 * u**2, omega=1e-5 * u**2, **GARCH)
    ),
    "var.normal_distortion_risk": Row(
        lambda u: var.normal_distortion_risk(0.01 * u, var.wang_transform(0.5), mean=0.001 * u)
    ),
    "var.normal_expectile_var": Row(lambda u: var.normal_expectile_var(0.01 * u, 0.01, mean=0.001 * u)),
    "var.learned.quantile_regression": Row(regressed(learned.quantile_regression)),
    "var.learned.expectile_regression": Row(regressed(learned.expectile_regression)),
    "var.learned.conformal_interval": Row(
        lambda u: learned.conformal_interval(MOVES[:, 0] * u, np.full(N, -0.01 * u), np.full(N, 0.01 * u)).bound
    ),
    "var.parametric.fit_gpd": Row(lambda u: parametric.fit_gpd(np.abs(MOVES[:, 0]) * u)[1]),
    "var.parametric.normal_shortfall": Row(
        lambda u: parametric.normal_shortfall(0.01 * u, mean=0.001 * u, target=-0.02 * u).average_shortfall
    ),
    # portfolios
    "attribution.by_factor": Row(
        lambda u: attribution.by_factor(HELD, covariance.factor_covariance(RETURNS * u, 1)).by_factor
    ),
    "attribution.brinson_fachler": Row(
        lambda u: attribution.brinson_fachler([0.6, 0.4], [0.02 * u, -0.01 * u], [0.5, 0.5], [0.01 * u, 0.0])
    ),
    "attribution.best_hedge": Row(lambda u: attribution.best_hedge(HELD, MATRIX * u**2).trade, 0),
    "attribution.risk_budgeting": Row(lambda u: attribution.risk_budgeting(MATRIX * u**2, [0.25, 0.5, 0.25]), 0),
    "attribution.hierarchical_risk_parity": Row(lambda u: attribution.hierarchical_risk_parity(MATRIX * u**2), 0),
    "attribution.minimum_variance": Row(lambda u: attribution.minimum_variance(MATRIX * u**2), 0),
    "attribution.maximum_diversification": Row(lambda u: attribution.maximum_diversification(MATRIX * u**2), 0),
    "attribution.diversification_ratio": Row(
        lambda u: attribution.diversification_ratio([0.2, 0.5, 0.3], MATRIX * u**2), 0
    ),
    **{
        f"attribution.{name}": Row(lambda u, name=name: getattr(attribution, name)(HELD, MATRIX * u**2))
        for name in ("component", "marginal", "portfolio", "standalone")
    },
    "pnl.scenario": Row(lambda u: rk.pnl.scenario(HELD, MOVES * u)),
    "pnl.full_revaluation": Row(lambda u: rk.pnl.full_revaluation(lambda moves: u * np.asarray(moves) @ HELD, MOVES)),
    "montecarlo.simulate_risk": Row(
        lambda u: (
            rk.simulate_risk(
                rk.montecarlo.NormalReturns(MATRIX * u**2), HELD, 500, draws=np.random.default_rng(1), confidence=0.95
            ).es
        )
    ),
    # stress
    "stress.conditional_moves": Row(lambda u: stress.conditional_moves(MATRIX * u**2, {0: -0.03 * u}).mean),
    "stress.entropy_pooling": Row(
        lambda u: stress.entropy_pooling(MOVES * u, {0: 0.001 * u}, {1: 2.0 * MATRIX[1, 1] * u**2}).probabilities, 0
    ),
    "stress.factor_scenarios": Row(lambda u: stress.factor_scenarios(loaded(u), [[-0.03 * u]])),
    "stress.mahalanobis_distance": Row(lambda u: stress.mahalanobis_distance(MOVES * u, MATRIX * u**2), 0),
    "stress.plausibility": Row(lambda u: stress.plausibility(MOVES[:5] * u, MATRIX * u**2), 0),
    "stress.reverse_stress": Row(lambda u: stress.reverse_stress(HELD, 10.0 * u, MATRIX * u**2).scenario),
    "stress.shock_scenarios": Row(
        lambda u: stress.shock_scenarios({"fall": {"A": -0.03 * u}}, others="expected", covariance=RETURNS.cov() * u**2)
    ),
    "stress.stress_covariance": Row(
        lambda u: stress.stress_covariance(MATRIX * u**2, toward=0.9, strength=0.5).covariance, 2
    ),
    "stress.stress_test": Row(lambda u: stress.stress_test(HELD, MOVES[:5] * u).losses),
    "stress.rate_shocks": Row(lambda u: stress.rate_shocks([1.0, 5.0], 0.02 * u, 0.03 * u, 0.01 * u)),
    # instruments
    "instruments.european_option": Row(lambda u: instruments.european_option(100.0 * u, 90.0 * u, 1.0, 0.2).price),
    "instruments.forward_contract": Row(lambda u: instruments.forward_contract(100.0 * u, 90.0 * u, 1.0).price),
    "instruments.american_option": Row(
        lambda u: instruments.american_option(100.0 * u, 110.0 * u, 1.0, 0.2, rate=0.05, steps=51)
    ),
    "instruments.black76": Row(lambda u: instruments.black76(100.0 * u, 90.0 * u, 1.0, 0.2)),
    "instruments.bachelier": Row(lambda u: instruments.bachelier(100.0 * u, 90.0 * u, 1.0, 20.0 * u)),
    "instruments.option_ladder": Row(
        lambda u: (
            instruments.option_ladder(
                100.0 * u, 90.0 * u, 1.0, 0.2, spot_shifts=[-0.1, 0.1], volatility_shifts=[0.0, 0.05]
            ).revalued
        )
    ),
    "instruments.bond": Row(lambda u: instruments.bond(100.0 * u, 0.05, 10.0, 0.06).price),
    "instruments.key_rates": Row(
        lambda u: instruments.key_rates({1.0: 4.0 * u, 2.0: 104.0 * u}, {1.0: 0.03, 2.0: 0.032}).price
    ),
    "instruments.continuous_futures": Row(lambda u: instruments.continuous_futures(CHAIN.to_numpy() * u, [120])),
    "instruments.liquidation_price": Row(lambda u: instruments.liquidation_price(100.0 * u, 10.0, 0.01)),
    "instruments.inverse_liquidation_price": Row(
        lambda u: instruments.inverse_liquidation_price(100.0 * u, 10.0, 0.01)
    ),
    "instruments.bracket_liquidation_price": Row(
        lambda u: instruments.bracket_liquidation_price(50.0 * u, 2.0, 100.0 * u, [(1000.0 * u, 0.01)])
    ),
    "instruments.funding_payments": Row(
        lambda u: instruments.funding_payments(2.0, 100.0 * u * np.ones(3), [1e-4, -1e-4, 2e-4]).payments
    ),
    # liquidity
    "liquidity.almgren_impact": Row(
        lambda u: liquidity.almgren_impact(1e5 * u, 1e6 * u, 0.02, 0.5, shares_outstanding=1e8 * u), 0
    ),
    "liquidity.square_root_impact": Row(lambda u: liquidity.square_root_impact(1e5 * u, 1e6 * u, 0.02), 0),
    "liquidity.days_to_liquidate": Row(lambda u: liquidity.days_to_liquidate(HELD * u, 20.0 * u, 0.1), 0),
    "liquidity.fraction_remaining": Row(lambda u: liquidity.fraction_remaining(HELD * u, 20.0 * u, 0.1), 0),
    "liquidity.half_spread_cost": Row(lambda u: liquidity.half_spread_cost(HELD * u, [0.001, 0.002, 0.003])),
    "liquidity.relative_spread": Row(lambda u: liquidity.relative_spread(99.0 * u, 101.0 * u), 0),
    "liquidity.spread_var": Row(lambda u: liquidity.spread_var(1e6 * u, 0.02, 0.001, spread_sd=0.0005).total),
    "liquidity.liquidity_var": Row(lambda u: liquidity.liquidity_var(HELD * u, MATRIX, spreads=0.001).total),
    "liquidity.liquidation_schedule": Row(
        lambda u: liquidity.liquidation_schedule(1e6, 5.0, 5, market(u), risk_aversion=1e-6 / u).expected_cost
    ),
    "liquidity.liquidation_frontier": Row(
        lambda u: (
            liquidity.liquidation_frontier(
                1e6, 5.0, 5, market(u), 0.95, risk_aversions=[0.0, 1e-6 / u]
            ).best.expected_cost
        )
    ),
    "liquidity.liquidate_portfolio": Row(lambda u: sold(u).expected_cost),
    "liquidity.fire_sales": Row(lambda u: [spiral(u).shock_loss, spiral(u).spiral_loss]),
    "liquidity.funding_ladder": Row(
        lambda u: liquidity.funding_ladder(
            [1, 7, 30], {"deposits": [10 * u, 20 * u, 60 * u]}, {"loans": [5 * u, 5 * u, 20 * u]}, buffer=50.0 * u
        ).table["left"]
    ),
    # regulatory capital
    "frtb.aggregate_buckets": Row(lambda u: frtb.aggregate_buckets([[3.0 * u, -u], [2.0 * u]], 0.3, 0.5).capital),
    "frtb.aggregate_curvature": Row(
        lambda u: frtb.aggregate_curvature({1: [[3.0 * u, -u], [-2.0 * u, 4.0 * u]]}, 0.3, 0.5).capital
    ),
    "frtb.bucket_charge": Row(lambda u: frtb.bucket_charge([3.0 * u, -u], 0.3)),
    "frtb.credit_delta": Row(lambda u: frtb.credit_delta(book(u)).capital),
    "frtb.commodity_delta": Row(lambda u: frtb.commodity_delta(book(u)).capital),
    "frtb.equity_delta": Row(lambda u: frtb.equity_delta({2: [3.0 * u, -u], 12: [2.0 * u]}).capital),
    "frtb.fx_delta": Row(lambda u: frtb.fx_delta({"EUR": 3.0 * u, "JPY": -u}).capital),
    "frtb.girr_delta": Row(lambda u: frtb.girr_delta({"EUR": {1: 3.0 * u, "inflation": -u}}).capital),
    **{
        f"frtb.{name}_vega": Row(lambda u, name=name: getattr(frtb, f"{name}_vega")(vegas(u)).capital)
        for name in ("credit", "equity", "commodity")
    },
    "frtb.girr_vega": Row(lambda u: frtb.girr_vega({"EUR": {(1, 5): 3.0 * u, (5, 10): -u}}).capital),
    "frtb.fx_vega": Row(lambda u: frtb.fx_vega({"EURUSD": {0.5: 3.0 * u, 1: -u}}).capital),
    **{
        f"frtb.{name}_curvature": Row(lambda u, name=name: getattr(frtb, f"{name}_curvature")(curved(u)).capital)
        for name in ("credit", "equity", "commodity")
    },
    **{
        f"frtb.{name}_curvature": Row(
            lambda u, name=name: getattr(frtb, f"{name}_curvature")({"EUR": (3.0 * u, -u), "USD": (u, u)}).capital
        )
        for name in ("girr", "fx")
    },
    "frtb.curvature_bucket": Row(lambda u: frtb.curvature_bucket([3.0 * u, -u], [-u, 2.0 * u], 0.3).charge),
    "frtb.curvature_risk": Row(lambda u: list(frtb.curvature_risk(lambda s: u * s * s, 10.0, 20.0 * u, 0.2))),
    "frtb.jump_to_default": Row(lambda u: frtb.jump_to_default(1000.0 * u, -50.0 * u)),
    "frtb.default_bucket": Row(lambda u: frtb.default_bucket([("A", 100.0 * u)], [("BB", -40.0 * u)]).charge),
    "frtb.simulate_default_risk": Row(
        lambda u: (
            frtb.simulate_default_risk(
                np.arange(1.0, 21.0) * u, 0.05, 0.4, 2_000, draws=np.random.default_rng(1), confidence=0.99
            ).var
        )
    ),
    "frtb.residual_risk_charge": Row(lambda u: frtb.residual_risk_charge([100.0 * u], [50.0 * u])),
    "frtb.attribution_surcharge": Row(lambda u: frtb.attribution_surcharge([3.0 * u], [7.0 * u], 20.0 * u, 10.0 * u)),
    "frtb.attribution_test": Row(lambda u: frtb.attribution_test(MOVES[:, 0] * u, MOVES[:, 1] * u).spearman, 0),
    "frtb.desk_backtest": Row(
        lambda u: frtb.desk_backtest(MOVES[:, 0] * u, np.full(N, 0.02 * u), np.full(N, 0.015 * u)).exceptions_975, 0
    ),
    "frtb.expected_shortfall": Row(lambda u: frtb.expected_shortfall(SHOCKS[:, [0, 1, 2, 0, 1]] * u).es),
    "frtb.liquidity_horizon_es": Row(
        lambda u: frtb.liquidity_horizon_es([5.0 * u, 4.0 * u, 3.0 * u, 2.0 * u, 1.0 * u])
    ),
    "frtb.stressed_es": Row(lambda u: frtb.stressed_es(5.0 * u, 4.0 * u, 3.0 * u)),
    "frtb.internal_model_charge": Row(lambda u: frtb.internal_model_charge(5.0 * u, [3.0 * u, 4.0 * u])),
    "frtb.non_modellable_charge": Row(lambda u: frtb.non_modellable_charge([u], [2.0 * u], [3.0 * u, 4.0 * u])),
    "frtb.model_capital": Row(lambda u: frtb.model_capital(5.0 * u, 1.0 * u, 4.0 * u, 1.0 * u, 1.5)),
    "frtb.sensitivities_capital": Row(lambda u: frtb.sensitivities_capital([frtb.credit_delta(book(u))]).capital),
    "var_backtest.qlike_loss": Row(lambda u: rk.var_backtest.qlike_loss(VARIANCES * u**2, VARIANCES[::-1] * u**2), 0),
}

WITHOUT_UNIT = {
    "of probabilities, correlations and counts alone": """
        covariance.figarch_weights covariance.effective_observations covariance.nearest_correlation covariance.dcc_path
        var.exponential_spectrum var.minvar var.wang_transform var.normal_expectile_level var.learned.purged_walk_forward
        frtb.attribution_zone frtb.default_count_distribution frtb.large_pool_quantile
        returns.sqrt_time_ratio liquidity.bangia_tail_factor instruments.funding_rate performance.risk_score
        var.tails.archimedean_tail_dependence var.tails.copula_log_density var.tails.t_tail_dependence
        learn.breach_probability
    """,
    "of a number, by a formula in which the unit is a factor": "returns.loss_from_log_quantile",
}
FORMULAS = ("frtb.tables.", "var.order_statistics.", "var.parametric.", "var_backtest.")
"""Tables, and formulas of counts or of a volatility, that have tests of their own."""
