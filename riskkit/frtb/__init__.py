"""Minimum capital for market risk (FRTB), from the formulas and tables of the Basel Framework, MAR (in force 2023).

Internal models (MAR30 to 33)
    liquidity_horizon_es, expected_shortfall, LiquidityHorizonES, stressed_es; internal_model_charge, non_modellable_charge,
    model_capital; residual_risk_charge (MAR23)
Tests of a desk (MAR32)
    attribution_test, AttributionTest, attribution_zone, attribution_surcharge; desk_backtest, DeskBacktest
Sensitivities (MAR21)
    girr_delta, credit_delta, equity_delta, commodity_delta, fx_delta, bucket_charge, aggregate_buckets, SensitivitiesCharge;
    girr_vega, credit_vega, equity_vega, commodity_vega, fx_vega; curvature_risk, curvature_bucket, CurvatureBucket,
    aggregate_curvature, girr_curvature, credit_curvature, equity_curvature, commodity_curvature, fx_curvature;
    sensitivities_capital, MethodCapital (all classes); the tables are the module `tables`
Default risk (MAR22, MAR33.20)
    jump_to_default, default_bucket, simulate_default_risk, large_pool_quantile, default_count_distribution
"""

from riskkit._names import suggest_names
from riskkit.frtb import tables
from riskkit.frtb.attribution_test import AttributionTest, attribution_test, attribution_zone
from riskkit.frtb.capital import (
    attribution_surcharge,
    internal_model_charge,
    model_capital,
    non_modellable_charge,
    residual_risk_charge,
)
from riskkit.frtb.curvature import CurvatureBucket, curvature_bucket, curvature_risk
from riskkit.frtb.curvature_charges import (
    aggregate_curvature,
    commodity_curvature,
    credit_curvature,
    equity_curvature,
    fx_curvature,
    girr_curvature,
)
from riskkit.frtb.default_risk import (
    DefaultBucket,
    default_bucket,
    default_count_distribution,
    jump_to_default,
    large_pool_quantile,
    simulate_default_risk,
)
from riskkit.frtb.desk_backtest import DeskBacktest, desk_backtest
from riskkit.frtb.liquidity_horizons import LiquidityHorizonES, expected_shortfall, liquidity_horizon_es, stressed_es
from riskkit.frtb.method_capital import MethodCapital, sensitivities_capital
from riskkit.frtb.named_factors import commodity_delta, credit_delta
from riskkit.frtb.sensitivities import (
    SensitivitiesCharge,
    aggregate_buckets,
    bucket_charge,
    equity_delta,
    fx_delta,
    girr_delta,
)
from riskkit.frtb.vega import commodity_vega, credit_vega, equity_vega, fx_vega, girr_vega

__all__ = [
    "AttributionTest",
    "CurvatureBucket",
    "DefaultBucket",
    "DeskBacktest",
    "LiquidityHorizonES",
    "MethodCapital",
    "SensitivitiesCharge",
    "aggregate_buckets",
    "aggregate_curvature",
    "attribution_surcharge",
    "residual_risk_charge",
    "attribution_test",
    "attribution_zone",
    "bucket_charge",
    "commodity_curvature",
    "commodity_delta",
    "commodity_vega",
    "credit_curvature",
    "credit_delta",
    "credit_vega",
    "curvature_bucket",
    "curvature_risk",
    "default_bucket",
    "default_count_distribution",
    "desk_backtest",
    "equity_curvature",
    "equity_delta",
    "equity_vega",
    "expected_shortfall",
    "fx_curvature",
    "fx_delta",
    "fx_vega",
    "girr_curvature",
    "girr_delta",
    "girr_vega",
    "internal_model_charge",
    "jump_to_default",
    "large_pool_quantile",
    "liquidity_horizon_es",
    "model_capital",
    "non_modellable_charge",
    "sensitivities_capital",
    "simulate_default_risk",
    "stressed_es",
    "tables",
]

suggest_names(__name__)
