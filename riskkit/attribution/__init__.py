"""Attribution: contribution of positions and trades to VaR, ES and volatility.

- From a covariance matrix: `portfolio`, `standalone`, `marginal`, `component`
- Of trades, from a covariance matrix or scenarios: `incremental`, `best_hedge`, `BestHedges`
- From returns, with standard errors: `parametric_attribution`, `historical_attribution`, `tail_attribution`,
  `cornish_fisher_attribution`, `Attribution`
"""

from riskkit.attribution.cornish_fisher import cornish_fisher_attribution
from riskkit.attribution.hedge import BestHedges, best_hedge
from riskkit.attribution.historical import historical_attribution, tail_attribution
from riskkit.attribution.incremental import incremental
from riskkit.attribution.parametric import component, marginal, parametric_attribution, portfolio, standalone
from riskkit.attribution.result import Attribution

__all__ = [
    "Attribution",
    "BestHedges",
    "best_hedge",
    "component",
    "cornish_fisher_attribution",
    "historical_attribution",
    "incremental",
    "marginal",
    "parametric_attribution",
    "portfolio",
    "standalone",
    "tail_attribution",
]
