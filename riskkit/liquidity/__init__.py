"""Liquidity risk: spread, market impact, liquidation time and liquidity-adjusted VaR.

Liquidity-adjusted VaR
    liquidity_var, LiquidityVar, spread_var, SpreadVar, bangia_tail_factor, calculate_liquidity_var
Spread
    relative_spread, half_spread_cost
Market impact
    square_root_impact, almgren_impact, AlmgrenImpact
Liquidation time
    days_to_liquidate, fraction_remaining
Optimal liquidation
    liquidation_schedule, LiquidationSchedule, LinearImpact, liquidation_frontier, LiquidationFrontier
"""

from riskkit.liquidity.book import LiquidityVar, liquidity_var
from riskkit.liquidity.efficient_frontier import LiquidationFrontier, liquidation_frontier
from riskkit.liquidity.impact import AlmgrenImpact, almgren_impact, square_root_impact
from riskkit.liquidity.optimal_execution import LinearImpact, LiquidationSchedule, liquidation_schedule
from riskkit.liquidity.spread import SpreadVar, bangia_tail_factor, half_spread_cost, relative_spread, spread_var
from riskkit.liquidity.unwind import days_to_liquidate, fraction_remaining

__all__ = [
    "AlmgrenImpact",
    "LinearImpact",
    "LiquidationFrontier",
    "LiquidationSchedule",
    "LiquidityVar",
    "SpreadVar",
    "almgren_impact",
    "bangia_tail_factor",
    "days_to_liquidate",
    "fraction_remaining",
    "half_spread_cost",
    "liquidation_frontier",
    "liquidation_schedule",
    "liquidity_var",
    "relative_spread",
    "spread_var",
    "square_root_impact",
]
