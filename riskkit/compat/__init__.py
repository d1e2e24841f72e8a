"""Compatibility: the names and signatures of the services that riskkit replaces.

Pre-trade engine: `RiskEngine`, `Action`, `BaseRule`, `AccountVolumeLimitRule`, `OrderRateLimitRule`, `RuleContext`, `Order`,
                  `Trade`, `Direction`, `build_config`
Models:           `calculate_component_var`, `calculate_incremental_var`, `calculate_marginal_var`,
                  `get_portfolio_var`, `calculate_liquidity_var`
"""

from riskkit._names import suggest_names
from riskkit.compat.liquidity import calculate_liquidity_var
from riskkit.compat.models import (
    calculate_component_var,
    calculate_incremental_var,
    calculate_marginal_var,
    get_portfolio_var,
)
from riskkit.compat.risk_engine import RiskEngine
from riskkit.compat.rules import (
    AccountVolumeLimitRule,
    Action,
    BaseRule,
    Direction,
    Order,
    OrderRateLimitRule,
    RuleContext,
    Trade,
    build_config,
)

__all__ = [
    "Action",
    "AccountVolumeLimitRule",
    "BaseRule",
    "Direction",
    "Order",
    "OrderRateLimitRule",
    "RiskEngine",
    "RuleContext",
    "Trade",
    "build_config",
    "calculate_component_var",
    "calculate_incremental_var",
    "calculate_liquidity_var",
    "calculate_marginal_var",
    "get_portfolio_var",
]

suggest_names(__name__)
