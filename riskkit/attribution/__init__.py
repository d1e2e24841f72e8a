"""Attribution: contribution of positions and trades to VaR, ES and volatility.

- From a covariance matrix: `portfolio`, `standalone`, `marginal`, `component`
- Of trades, from a covariance matrix or scenarios: `incremental`, `best_hedge`, `BestHedges`
- From returns, with standard errors: `riskkit.attribution.parametric`, `riskkit.attribution.historical`, `riskkit.attribution.scenarios`,
  `cornish_fisher`, `Attribution`
- To factors: `by_factor`, `FactorAttribution`
"""

from riskkit.attribution.cornish_fisher_components import cornish_fisher
from riskkit.attribution.elliptical import component, marginal, parametric, portfolio, standalone
from riskkit.attribution.factors import FactorAttribution, by_factor
from riskkit.attribution.hedge import BestHedges, best_hedge
from riskkit.attribution.incremental_risk import incremental
from riskkit.attribution.result import Attribution
from riskkit.attribution.scenario_components import historical, scenarios

__all__ = [
    "Attribution",
    "BestHedges",
    "FactorAttribution",
    "best_hedge",
    "by_factor",
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
