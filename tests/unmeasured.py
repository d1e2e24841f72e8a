"""Public models without a row in `benchmarks/models`, by the reason."""

from __future__ import annotations

FORMULAS = ("frtb.tables.", "var.order_statistics.", "var.parametric.")
"""Areas of formulas of a few numbers."""

REASONS = {
    "a formula of a few numbers": """
        covariance.gjr_forecast covariance.effective_observations covariance.garch_long_run_volatility covariance.garch_update
        frtb.attribution_surcharge frtb.residual_risk_charge frtb.attribution_zone frtb.curvature_risk frtb.default_bucket
        frtb.internal_model_charge frtb.jump_to_default frtb.large_pool_quantile frtb.liquidity_horizon_es frtb.model_capital
        frtb.non_modellable_charge frtb.sensitivities_capital frtb.stressed_es frtb.desk_backtest
        instruments.bracket_liquidation_price instruments.forward_contract instruments.funding_rate instruments.inverse_liquidation_price
        instruments.liquidation_price liquidity.almgren_impact liquidity.bangia_tail_factor liquidity.spread_var
        liquidity.square_root_impact liquidity.relative_spread liquidity.half_spread_cost liquidity.days_to_liquidate
        liquidity.fraction_remaining performance.risk_score returns.loss_from_log_quantile returns.scale_volatility
        returns.sqrt_time_ratio stress.rate_shocks var.normal_distortion_risk var.normal_expectile_level
        var.normal_expectile_var var.tails.archimedean_tail_dependence var.tails.t_tail_dependence
        attribution.diversification_ratio covariance.correlation_from_covariance covariance.covariance_from_correlation
    """,
    "a line of numpy on the data": """
        covariance.sample_covariance covariance.sample_volatility covariance.stressed_sample covariance.ewma_initial
        covariance.ewma_variance covariance.ewma_volatility returns.log_from_simple returns.log_returns
        returns.profit_and_loss returns.simple_from_log returns.simple_returns pnl.full_revaluation
        performance.capture_ratio performance.information_ratio performance.annualized_return
        performance.annualized_volatility performance.average_trade performance.calmar_ratio
        performance.conditional_drawdown_at_risk performance.max_consecutive_losses performance.downside_deviation
        performance.excess_kurtosis performance.pain_index performance.payoff_ratio performance.sharpe_standard_error
        performance.skewness performance.stability performance.tail_ratio performance.ulcer_index performance.win_rate
        stress.episodes stress.historical_scenarios stress.historical_stress stress.scale_scenarios stress.shock_scenarios
    """,
    "the same code as one with a row": """
        attribution.marginal attribution.standalone covariance.nearest_covariance stress.plausibility stress.reverse_stress_pnl
        frtb.aggregate_buckets frtb.aggregate_curvature frtb.bucket_charge frtb.commodity_curvature frtb.commodity_delta
        frtb.commodity_vega frtb.credit_curvature frtb.curvature_bucket frtb.equity_vega frtb.fx_curvature frtb.fx_delta
        frtb.fx_vega frtb.girr_curvature frtb.girr_delta frtb.girr_vega
    """,
}
