"""Names and signatures of other risk services, computed by riskkit's own models.

- VaR of weights: `get_portfolio_var`, `calculate_marginal_var`, `calculate_component_var`, `calculate_incremental_var`
- Liquidity: `calculate_liquidity_var`
"""

from riskkit.compat.liquidity import calculate_liquidity_var
from riskkit.compat.models import (
    calculate_component_var,
    calculate_incremental_var,
    calculate_marginal_var,
    get_portfolio_var,
)

__all__ = [
    "calculate_component_var",
    "calculate_incremental_var",
    "calculate_liquidity_var",
    "calculate_marginal_var",
    "get_portfolio_var",
]
