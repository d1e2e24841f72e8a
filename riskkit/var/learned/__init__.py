"""Risk that is learned from data: regressions of quantiles, splits without look-ahead, and limits that hold for any model.

- Regressions: `quantile_regression`, `expectile_regression`, `TailRegression`, `har_features`
- Splits in time: `purged_walk_forward`
- Conformal limits: `conformal_quantile`, `ConformalQuantile`, `conformal_interval`
"""

from riskkit.var.learned.conformal import ConformalQuantile, conformal_interval, conformal_quantile
from riskkit.var.learned.regression import TailRegression, expectile_regression, har_features, quantile_regression
from riskkit.var.learned.walk_forward import purged_walk_forward

__all__ = [
    "ConformalQuantile",
    "TailRegression",
    "conformal_interval",
    "conformal_quantile",
    "expectile_regression",
    "har_features",
    "purged_walk_forward",
    "quantile_regression",
]
