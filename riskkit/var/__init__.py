"""VaR and ES: historical, age-weighted, filtered historical, normal, Student t, Cornish-Fisher, EVT, entropic.

Losses are positive. ``*_risk(returns, ...)`` estimate from returns and answer a `RiskEstimate` with VaR and ES;
`value_at_risk` does any of them by name, with an interval on request; `rolling_var` day by day. ``*_var`` and
``*_es`` are closed forms of parameters that are known (the returns themselves, for the historical ones).
"""

from riskkit.var.age_weighted import age_weighted_risk, age_weights
from riskkit.var.closed_form import (
    NormalShortfall,
    elliptical_factor,
    normal_es,
    normal_shortfall,
    normal_var,
    student_t_es,
    student_t_var,
)
from riskkit.var.cornish_fisher import (
    MAX_SKEWNESS,
    CornishFisherLaw,
    cornish_fisher_in_domain,
    cornish_fisher_law,
    cornish_fisher_moments,
)
from riskkit.var.entropic import entropic_var
from riskkit.var.estimate import RiskEstimate, RiskInterval
from riskkit.var.evt import GpdFit, evt_risk, fit_gpd, gpd_es, gpd_var
from riskkit.var.filtered import filtered_historical_risk
from riskkit.var.historical import historical_es, historical_risk, historical_var
from riskkit.var.methods import value_at_risk
from riskkit.var.modified import cornish_fisher_es, cornish_fisher_risk, cornish_fisher_var
from riskkit.var.normal import normal_risk
from riskkit.var.rolling import RollingRisk, rolling_var
from riskkit.var.student_t import student_t_risk
from riskkit.var.tail import tail_mass, tail_size, var_rank
from riskkit.var.uncertainty import RankInterval, order_statistic_ranks, quantile_standard_error

__all__ = [
    "MAX_SKEWNESS",
    "CornishFisherLaw",
    "GpdFit",
    "NormalShortfall",
    "RankInterval",
    "RiskEstimate",
    "RiskInterval",
    "RollingRisk",
    "age_weighted_risk",
    "age_weights",
    "cornish_fisher_es",
    "cornish_fisher_in_domain",
    "cornish_fisher_law",
    "cornish_fisher_moments",
    "cornish_fisher_risk",
    "cornish_fisher_var",
    "elliptical_factor",
    "entropic_var",
    "evt_risk",
    "filtered_historical_risk",
    "fit_gpd",
    "gpd_es",
    "gpd_var",
    "historical_es",
    "historical_risk",
    "historical_var",
    "normal_es",
    "normal_risk",
    "normal_shortfall",
    "normal_var",
    "order_statistic_ranks",
    "quantile_standard_error",
    "rolling_var",
    "student_t_es",
    "student_t_risk",
    "student_t_var",
    "tail_mass",
    "tail_size",
    "value_at_risk",
    "var_rank",
]
