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
Portfolios with cross-impact, over time and under stress
    liquidate_portfolio, PortfolioLiquidation, CrossImpact
Crowding
    fire_sales, FireSales
Funding
    funding_ladder, FundingLadder
"""

from riskkit._names import suggest_names
from riskkit.liquidity.book import LiquidityVar, liquidity_var
from riskkit.liquidity.cross_impact import CrossImpact, PortfolioLiquidation, liquidate_portfolio
from riskkit.liquidity.efficient_frontier import LiquidationFrontier, liquidation_frontier
from riskkit.liquidity.fire_sale import FireSales, fire_sales
from riskkit.liquidity.funding import FundingLadder, funding_ladder
from riskkit.liquidity.impact import AlmgrenImpact, almgren_impact, square_root_impact
from riskkit.liquidity.optimal_execution import LinearImpact, LiquidationSchedule, liquidation_schedule
from riskkit.liquidity.spread import SpreadVar, bangia_tail_factor, half_spread_cost, relative_spread, spread_var
from riskkit.liquidity.unwind import days_to_liquidate, fraction_remaining

__all__ = [
    "AlmgrenImpact",
    "CrossImpact",
    "FireSales",
    "FundingLadder",
    "LinearImpact",
    "LiquidationFrontier",
    "LiquidationSchedule",
    "LiquidityVar",
    "PortfolioLiquidation",
    "SpreadVar",
    "almgren_impact",
    "bangia_tail_factor",
    "days_to_liquidate",
    "fire_sales",
    "fraction_remaining",
    "funding_ladder",
    "half_spread_cost",
    "liquidate_portfolio",
    "liquidation_frontier",
    "liquidation_schedule",
    "liquidity_var",
    "relative_spread",
    "spread_var",
    "square_root_impact",
]

suggest_names(
    __name__,
    {
        "liquidity_var": "LVaR liquidity_adjusted_var",
        "days_to_liquidate": "time_to_liquidate liquidation_horizon",
        "liquidation_schedule": "almgren_chriss optimal_execution",
        "half_spread_cost": "exogenous_spread_cost",
    },
)
