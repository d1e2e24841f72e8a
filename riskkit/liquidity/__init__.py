"""Liquidity: spread, impact, time to unwind, liquidity-adjusted VaR, and the best way to sell."""

from riskkit.liquidity.book import LiquidityVar, liquidity_var
from riskkit.liquidity.frontier import LiquidationFrontier, liquidation_frontier
from riskkit.liquidity.impact import AlmgrenImpact, almgren_impact, square_root_impact
from riskkit.liquidity.schedule import LinearImpact, LiquidationSchedule, liquidation_schedule
from riskkit.liquidity.spread import SpreadVar, bangia_tail_factor, half_spread_cost, relative_spread, spread_var
from riskkit.liquidity.unwind import days_to_unwind, fraction_held

__all__ = [
    "AlmgrenImpact",
    "LinearImpact",
    "LiquidationFrontier",
    "LiquidationSchedule",
    "LiquidityVar",
    "SpreadVar",
    "almgren_impact",
    "bangia_tail_factor",
    "days_to_unwind",
    "fraction_held",
    "half_spread_cost",
    "liquidation_frontier",
    "liquidation_schedule",
    "liquidity_var",
    "relative_spread",
    "spread_var",
    "square_root_impact",
]
