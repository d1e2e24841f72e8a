"""Attribution: marginal, component and incremental VaR and ES, and the best hedge."""

from riskkit.attribution.cornish_fisher import cornish_fisher_attribution
from riskkit.attribution.desk import (
    calculate_component_var,
    calculate_incremental_var,
    calculate_marginal_var,
    get_portfolio_var,
)
from riskkit.attribution.hedge import BestHedges, best_hedge
from riskkit.attribution.historical import historical_attribution, tail_attribution
from riskkit.attribution.incremental import (
    incremental_es,
    incremental_es_historical,
    incremental_var,
    incremental_var_by_instrument,
    incremental_var_historical,
)
from riskkit.attribution.parametric import (
    component_es,
    component_var,
    component_volatility,
    marginal_es,
    marginal_var,
    parametric_attribution,
    portfolio_es,
    portfolio_var,
    standalone_var,
)
from riskkit.attribution.result import Attribution

__all__ = [
    "Attribution",
    "BestHedges",
    "best_hedge",
    "calculate_component_var",
    "calculate_incremental_var",
    "calculate_marginal_var",
    "component_es",
    "component_var",
    "component_volatility",
    "cornish_fisher_attribution",
    "get_portfolio_var",
    "historical_attribution",
    "incremental_es",
    "incremental_es_historical",
    "incremental_var",
    "incremental_var_by_instrument",
    "incremental_var_historical",
    "marginal_es",
    "marginal_var",
    "parametric_attribution",
    "portfolio_es",
    "portfolio_var",
    "standalone_var",
    "tail_attribution",
]
