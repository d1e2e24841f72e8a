"""Attribution: contribution of positions and trades to VaR, ES and volatility.

- From a covariance matrix: `portfolio`, `standalone`, `marginal`, `component`
- Of trades, from a covariance matrix or scenarios: `incremental`, `best_hedge`, `BestHedges`
- From returns, with standard errors: `riskkit.attribution.parametric`, `riskkit.attribution.historical`, `riskkit.attribution.scenarios`,
  `cornish_fisher`, `Attribution`
- To factors: `by_factor`, `FactorAttribution`; of P&L `pnl_by_factor`
- Of an active return: `brinson_fachler`
- Weights by risk: `risk_budgeting`, `minimum_variance`, `maximum_diversification`, `diversification_ratio`, `hierarchical_risk_parity`
"""

from riskkit._names import suggest_names
from riskkit.attribution.active_return import brinson_fachler
from riskkit.attribution.cornish_fisher_components import cornish_fisher
from riskkit.attribution.elliptical import component, marginal, parametric, portfolio, standalone
from riskkit.attribution.factors import FactorAttribution, by_factor, pnl_by_factor
from riskkit.attribution.hedge import BestHedges, best_hedge
from riskkit.attribution.hierarchical import hierarchical_risk_parity
from riskkit.attribution.incremental_risk import incremental
from riskkit.attribution.result import Attribution
from riskkit.attribution.risk_budgets import (
    diversification_ratio,
    maximum_diversification,
    minimum_variance,
    risk_budgeting,
)
from riskkit.attribution.scenario_components import historical, scenarios

__all__ = [
    "Attribution",
    "BestHedges",
    "FactorAttribution",
    "best_hedge",
    "brinson_fachler",
    "diversification_ratio",
    "hierarchical_risk_parity",
    "maximum_diversification",
    "minimum_variance",
    "risk_budgeting",
    "by_factor",
    "pnl_by_factor",
    "component",
    "cornish_fisher",
    "historical",
    "incremental",
    "marginal",
    "parametric",
    "portfolio",
    "standalone",
    "scenarios",
]

suggest_names(
    __name__,
    {
        "component": "component_var CVaR_contribution euler euler_allocation risk_contributions risk_contribution percent_contribution",
        "marginal": "marginal_var beta_var",
        "incremental": "incremental_var ivar",
        "standalone": "undiversified_var individual_var",
        "risk_budgeting": "risk_parity risk_budget equal_risk_contribution",
        "hierarchical_risk_parity": "HRP",
        "minimum_variance": "min_volatility min_var_portfolio",
    },
)
