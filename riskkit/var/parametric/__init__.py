"""Closed forms: VaR and ES of distributions with given parameters.

- Normal and Student t: `normal_var`, `normal_es`, `student_t_var`, `student_t_es`, `quantile_multiplier`,
  `normal_shortfall`, `NormalShortfall`
- Cornish-Fisher: `cornish_fisher_var`, `cornish_fisher_es`, `fit_cornish_fisher`, `CornishFisherDistribution`,
  `cornish_fisher_moments`, `cornish_fisher_in_domain`, `CORNISH_FISHER_MAX_SKEWNESS`
- Generalized Pareto: `gpd_var`, `gpd_es`, `fit_gpd`, `GpdFit`
"""

from riskkit.var.parametric.cornish_fisher import cornish_fisher_es, cornish_fisher_var
from riskkit.var.parametric.cornish_fisher_distribution import (
    CORNISH_FISHER_MAX_SKEWNESS,
    CornishFisherDistribution,
    cornish_fisher_in_domain,
    cornish_fisher_moments,
    fit_cornish_fisher,
)
from riskkit.var.parametric.elliptical import (
    NormalShortfall,
    normal_es,
    normal_shortfall,
    normal_var,
    quantile_multiplier,
    student_t_es,
    student_t_var,
)
from riskkit.var.parametric.generalized_pareto import GpdFit, fit_gpd, gpd_es, gpd_var
from riskkit.var.parametric.skewed_t import SkewedT, skewed_t

__all__ = [
    "CORNISH_FISHER_MAX_SKEWNESS",
    "CornishFisherDistribution",
    "GpdFit",
    "NormalShortfall",
    "cornish_fisher_es",
    "cornish_fisher_in_domain",
    "fit_cornish_fisher",
    "cornish_fisher_moments",
    "cornish_fisher_var",
    "quantile_multiplier",
    "fit_gpd",
    "gpd_es",
    "gpd_var",
    "normal_es",
    "normal_shortfall",
    "normal_var",
    "SkewedT",
    "skewed_t",
    "student_t_es",
    "student_t_var",
]
