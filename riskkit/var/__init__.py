"""Value-at-Risk (VaR) and expected shortfall (ES); losses are positive.

- By method: `historical_risk`, `age_weighted_risk`, `filtered_historical_risk`, `normal_risk`, `student_t_risk`,
  `cornish_fisher_risk`, `evt_risk`: each returns a `RiskEstimate` with `.var` and `.es`
- By name, with a confidence interval on request: `value_at_risk`, `RiskEstimate`, `RiskInterval`
- Rolling forecasts: `rolling_var`, `RollingRisk`; `DEFAULT_MODELS` for comparisons
- Entropic VaR: `entropic_var`
- Closed forms of given parameters: `riskkit.var.parametric`
- Ranks, tail counts and sampling errors: `riskkit.var.order_statistics`
"""

from riskkit.var import order_statistics, parametric
from riskkit.var.age_weighted import age_weighted_risk
from riskkit.var.cornish_fisher import cornish_fisher_risk
from riskkit.var.entropic import entropic_var
from riskkit.var.estimate import RiskEstimate, RiskInterval
from riskkit.var.evt import evt_risk
from riskkit.var.filtered import filtered_historical_risk
from riskkit.var.historical import historical_risk
from riskkit.var.methods import DEFAULT_MODELS, value_at_risk
from riskkit.var.normal import normal_risk
from riskkit.var.rolling import RollingRisk, rolling_var
from riskkit.var.student_t import student_t_risk

__all__ = [
    "DEFAULT_MODELS",
    "RiskEstimate",
    "RiskInterval",
    "RollingRisk",
    "age_weighted_risk",
    "cornish_fisher_risk",
    "entropic_var",
    "evt_risk",
    "filtered_historical_risk",
    "historical_risk",
    "normal_risk",
    "order_statistics",
    "parametric",
    "rolling_var",
    "student_t_risk",
    "value_at_risk",
]
