"""Covariance, correlation and volatility of returns.

Equal weights
    sample_covariance, sample_volatility, stressed_sample
Exponential weights (RiskMetrics 1996)
    ewma_covariance, ewma_covariance_path, ewma_portfolio_variance, EwmaCovariance, ewma_variance, ewma_volatility,
    ewma_initial, effective_observations
Long memory (RiskMetrics 2006)
    riskmetrics2006
Shrinkage (Ledoit-Wolf, OAS, constant correlation)
    shrunk_covariance, ShrunkCovariance
Factors, statistical or given
    factor_covariance, FactorCovariance
Returns with gaps, closes at different hours
    complete_returns, CompleteReturns (for every estimator), incomplete_covariance, IncompleteCovariance,
    incomplete_ewma_variance, asynchronous_covariance
GARCH(1,1)
    fit_garch, GarchFit, garch_update, garch_long_run_volatility
Asymmetric and long-memory volatility (GJR, EGARCH, FIGARCH)
    fit_asymmetric_garch, VolatilityFit, gjr_path, gjr_forecast, egarch_path, figarch_weights
Correlations that move (DCC), regimes of volatility
    fit_dcc, DccFit, dcc_path, regime_filter, RegimeProbabilities, fit_regimes, RegimeFit
Volatility from within the day, and its forecast (HAR)
    realised_measures, RealisedMeasures, fit_har, HarFit, range_volatility
Matrices
    correlation_from_covariance, covariance_from_correlation, nearest_correlation, nearest_covariance, MatrixRepair
"""

from riskkit._names import suggest_names
from riskkit.covariance.asymmetric import VolatilityFit, fit_asymmetric_garch
from riskkit.covariance.completed import CompletedResult, CompleteReturns, complete_returns
from riskkit.covariance.dcc import DccFit, dcc_path, fit_dcc
from riskkit.covariance.equally_weighted import sample_covariance, sample_volatility, stressed_sample
from riskkit.covariance.ewma import effective_observations, ewma_initial, ewma_variance, ewma_volatility
from riskkit.covariance.ewma_matrix import (
    EwmaCovariance,
    ewma_covariance,
    ewma_covariance_path,
    ewma_portfolio_variance,
)
from riskkit.covariance.factor import FactorCovariance, factor_covariance
from riskkit.covariance.garch import ConvergenceWarning, GarchFit, fit_garch, garch_long_run_volatility, garch_update
from riskkit.covariance.har import HarFit, fit_har
from riskkit.covariance.incomplete import (
    IncompleteCovariance,
    asynchronous_covariance,
    incomplete_covariance,
    incomplete_ewma_variance,
)
from riskkit.covariance.matrices import correlation_from_covariance, covariance_from_correlation
from riskkit.covariance.nearest import MatrixRepair, nearest_correlation, nearest_covariance
from riskkit.covariance.ranges import range_volatility
from riskkit.covariance.realised import RealisedMeasures, realised_measures
from riskkit.covariance.regime_fit import RegimeFit, fit_regimes
from riskkit.covariance.regimes import RegimeProbabilities, regime_filter
from riskkit.covariance.riskmetrics import riskmetrics2006
from riskkit.covariance.shrunk import ShrunkCovariance, shrunk_covariance
from riskkit.covariance.variance_paths import egarch_path, figarch_weights, gjr_forecast, gjr_path

__all__ = [
    "CompleteReturns",
    "CompletedResult",
    "ConvergenceWarning",
    "DccFit",
    "HarFit",
    "RealisedMeasures",
    "RegimeFit",
    "RegimeProbabilities",
    "dcc_path",
    "egarch_path",
    "figarch_weights",
    "fit_dcc",
    "fit_har",
    "fit_regimes",
    "gjr_forecast",
    "gjr_path",
    "range_volatility",
    "realised_measures",
    "regime_filter",
    "EwmaCovariance",
    "FactorCovariance",
    "GarchFit",
    "IncompleteCovariance",
    "MatrixRepair",
    "ShrunkCovariance",
    "VolatilityFit",
    "asynchronous_covariance",
    "complete_returns",
    "correlation_from_covariance",
    "covariance_from_correlation",
    "effective_observations",
    "ewma_covariance",
    "ewma_covariance_path",
    "ewma_portfolio_variance",
    "ewma_initial",
    "ewma_variance",
    "ewma_volatility",
    "factor_covariance",
    "fit_asymmetric_garch",
    "fit_garch",
    "garch_long_run_volatility",
    "garch_update",
    "incomplete_covariance",
    "incomplete_ewma_variance",
    "nearest_correlation",
    "nearest_covariance",
    "riskmetrics2006",
    "sample_covariance",
    "sample_volatility",
    "shrunk_covariance",
    "stressed_sample",
]

suggest_names(
    __name__,
    {
        "ewma_volatility": "EWMA RiskMetrics riskmetrics1994 riskmetrics1996 decay_factor exponential_volatility",
        "ewma_covariance": "ewstats ewm_cov exp_cov",
        "fit_garch": "garch garch11 garch_model arch_model GARCH_1_1",
        "fit_asymmetric_garch": "gjr gjr_garch egarch figarch",
        "fit_dcc": "DCC dcc_garch",
        "shrunk_covariance": "ledoit_wolf shrinkage OAS CovarianceShrinkage",
        "sample_covariance": "cov covariance_matrix sample_cov",
        "sample_volatility": "volatility std historical_volatility",
        "correlation_from_covariance": "corr correlation corrcov cov2corr cov_to_corr",
        "covariance_from_correlation": "corr2cov corr_to_cov",
        "nearest_correlation": "nearcorr nearest_psd nearpd higham",
    },
)
