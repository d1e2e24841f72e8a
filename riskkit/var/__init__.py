"""Value-at-Risk (VaR) and expected shortfall (ES); losses are positive.

- By name, with a confidence interval on request: `value_at_risk`, `RiskEstimate`, `RiskInterval`
- By method: `riskkit.var.historical`, `age_weighted`, `filtered_historical`, `riskkit.var.normal`, `student_t`,
  `cornish_fisher`, `riskkit.var.evt`: each returns a `RiskEstimate` with `.var` and `.es`
- Rolling forecasts: `rolling_var`, `RollingRisk`; `DEFAULT_MODELS` for comparisons
- Several periods by paths: `filtered_paths`, `FilteredPaths`, `path_returns`
- Entropic VaR: `riskkit.var.evar`
- Expectiles: `expectile_var`, `normal_expectile_var`, `normal_expectile_level`
- Distortion and spectral measures: `distortion_risk`, `normal_distortion_risk`, `exponential_spectrum`, `wang_transform`,
  `minvar`
- The tail looked at, clusters, joint tails: `riskkit.var.tails`
- Learned from data, with limits that hold for any model: `riskkit.var.learned`
- Closed forms of given parameters: `riskkit.var.parametric`
- Ranks, tail counts and sampling errors: `riskkit.var.order_statistics`
"""

from riskkit._names import suggest_names
from riskkit.var import learned, order_statistics, parametric, tails
from riskkit.var.age_weighting import age_weighted
from riskkit.var.cornish_fisher_expansion import cornish_fisher
from riskkit.var.distortions import (
    distortion_risk,
    exponential_spectrum,
    minvar,
    normal_distortion_risk,
    wang_transform,
)
from riskkit.var.entropic import evar
from riskkit.var.estimate import RiskEstimate, RiskInterval
from riskkit.var.expectiles import expectile_var, normal_expectile_level, normal_expectile_var
from riskkit.var.extreme_value import evt
from riskkit.var.filtered import filtered_historical
from riskkit.var.historical_simulation import historical
from riskkit.var.methods import DEFAULT_MODELS, value_at_risk
from riskkit.var.multi_period import FilteredPaths, filtered_paths, path_returns
from riskkit.var.normal_distribution import normal
from riskkit.var.rolling import RollingRisk, rolling_var
from riskkit.var.student_t_distribution import student_t

__all__ = [
    "DEFAULT_MODELS",
    "FilteredPaths",
    "filtered_paths",
    "path_returns",
    "RiskEstimate",
    "RiskInterval",
    "RollingRisk",
    "age_weighted",
    "cornish_fisher",
    "distortion_risk",
    "evar",
    "expectile_var",
    "exponential_spectrum",
    "normal_distortion_risk",
    "normal_expectile_level",
    "normal_expectile_var",
    "minvar",
    "wang_transform",
    "evt",
    "filtered_historical",
    "historical",
    "learned",
    "normal",
    "order_statistics",
    "parametric",
    "rolling_var",
    "student_t",
    "tails",
    "value_at_risk",
]

suggest_names(
    __name__,
    {
        "value_at_risk": "VaR hist_var historical_var var_historic valueatrisk quantile_risk value_at_risk_historical bootstrap_var",
        "parametric.normal_var": "portvrisk",
        "value_at_risk(...).es": "ES CVaR expected_shortfall expected_tail_loss conditional_value_at_risk tail_var",
        "filtered_historical": "FHS filtered_historical_simulation",
        "evt": "extreme_value peaks_over_threshold gpd gpfit gppdf",
        "age_weighted": "BRW weighted_historical hybrid_var",
        "cornish_fisher": "modified_var mVaR",
        "normal": "gaussian gaussian_var delta_normal variance_covariance parametric_var",
        "student_t": "t_var",
        "evar": "entropic_value_at_risk",
    },
)
