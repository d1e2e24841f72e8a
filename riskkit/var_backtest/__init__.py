"""Backtests of VaR and ES forecasts.

One forecast, all tests
    backtest_var, BacktestResult, backtest_power, PowerCurve, detectable_hit_rate
Coverage (number of hits)
    kupiec_pof, kupiec_tuff, binomial_tail, binomial_z, score_test; traffic_light, TrafficLight,
    traffic_light_bounds, basel_tables, frtb_multiplier
Independence (times of hits)
    christoffersen_independence, christoffersen_conditional, christoffersen_pelletier, haas_tbf, haas_tbfi, dynamic_quantile
Expected shortfall (size of losses beyond VaR)
    acerbi_szekely_z1, acerbi_szekely_z2, acerbi_szekely_ridge, acerbi_szekely_critical, acerbi_szekely_p_value,
    mcneil_frey_z, mcneil_frey_bootstrap, nolde_ziegel_simple, nolde_ziegel_general, nolde_ziegel_one_sided,
    du_escanciano_conditional, du_escanciano_unconditional
Exact finite-sample distributions
    the module `exact`
Daily monitoring
    var_e_process, es_e_process, EProcess
Comparison of forecasts
    quantile_loss, fz0_loss, asymmetric_laplace_loss, expectile_loss, qlike_loss,
    diebold_mariano, model_confidence_set, ConfidenceSet, compare_forecasts, compare,
    ReplayComparison, DEFAULT_MODELS
Many portfolios
    backtest_panel, BacktestPanel, PANEL_TESTS
Samples and outcomes
    var_hits, hit_transitions, HitTransitions, TestResult, adjust_p_values
"""

from riskkit._names import suggest_names
from riskkit.var_backtest.comparison.equal_accuracy import ConfidenceSet, diebold_mariano, model_confidence_set
from riskkit.var_backtest.comparison.ranking import ForecastComparison, compare_forecasts
from riskkit.var_backtest.comparison.rolling import compare_models
from riskkit.var_backtest.core.hits import HitTransitions, hit_transitions, var_hits
from riskkit.var_backtest.core.multiplicity import adjust_p_values
from riskkit.var_backtest.core.outcome import TestResult
from riskkit.var_backtest.core.scores import (
    asymmetric_laplace_loss,
    expectile_loss,
    fz0_loss,
    qlike_loss,
    quantile_loss,
)
from riskkit.var_backtest.coverage.hit_rate import binomial_tail, binomial_z, kupiec_pof, kupiec_tuff, score_test
from riskkit.var_backtest.coverage.traffic_light import (
    TrafficLight,
    basel_tables,
    frtb_multiplier,
    traffic_light,
    traffic_light_bounds,
)
from riskkit.var_backtest.exact import (
    christoffersen_attainable_size,
    christoffersen_critical,
    christoffersen_p_value,
    christoffersen_size,
    pof_attainable_size,
    pof_nonrejection_region,
    pof_p_value,
    pof_size,
    tuff_nonrejection_region,
    tuff_p_value,
)
from riskkit.var_backtest.independence.christoffersen import christoffersen_conditional, christoffersen_independence
from riskkit.var_backtest.independence.duration import christoffersen_pelletier, haas_tbf, haas_tbfi
from riskkit.var_backtest.independence.dynamic_quantile import dynamic_quantile
from riskkit.var_backtest.sequential import EProcess, es_e_process, var_e_process
from riskkit.var_backtest.shortfall.acerbi_szekely import (
    acerbi_szekely_critical,
    acerbi_szekely_p_value,
    acerbi_szekely_ridge,
    acerbi_szekely_z1,
    acerbi_szekely_z2,
)
from riskkit.var_backtest.shortfall.du_escanciano import du_escanciano_conditional, du_escanciano_unconditional
from riskkit.var_backtest.shortfall.mcneil_frey import mcneil_frey_bootstrap, mcneil_frey_z
from riskkit.var_backtest.shortfall.nolde_ziegel import (
    nolde_ziegel_general,
    nolde_ziegel_one_sided,
    nolde_ziegel_simple,
)
from riskkit.var_backtest.suite.all_tests import BacktestResult, backtest_var
from riskkit.var_backtest.suite.panel import PANEL_TESTS, BacktestPanel, backtest_panel
from riskkit.var_backtest.suite.power import PowerCurve, backtest_power, detectable_hit_rate

__all__ = [
    "PANEL_TESTS",
    "BacktestResult",
    "ForecastComparison",
    "ConfidenceSet",
    "EProcess",
    "TestResult",
    "BacktestPanel",
    "PowerCurve",
    "TrafficLight",
    "HitTransitions",
    "acerbi_szekely_critical",
    "acerbi_szekely_p_value",
    "acerbi_szekely_z1",
    "acerbi_szekely_z2",
    "adjust_p_values",
    "backtest_var",
    "backtest_panel",
    "backtest_power",
    "basel_tables",
    "binomial_tail",
    "binomial_z",
    "christoffersen_attainable_size",
    "christoffersen_conditional",
    "christoffersen_critical",
    "christoffersen_p_value",
    "christoffersen_independence",
    "christoffersen_pelletier",
    "christoffersen_size",
    "compare_models",
    "compare_forecasts",
    "detectable_hit_rate",
    "diebold_mariano",
    "du_escanciano_conditional",
    "du_escanciano_unconditional",
    "dynamic_quantile",
    "es_e_process",
    "expectile_loss",
    "frtb_multiplier",
    "asymmetric_laplace_loss",
    "fz0_loss",
    "qlike_loss",
    "haas_tbf",
    "haas_tbfi",
    "kupiec_pof",
    "kupiec_tuff",
    "mcneil_frey_bootstrap",
    "mcneil_frey_z",
    "acerbi_szekely_ridge",
    "model_confidence_set",
    "nolde_ziegel_general",
    "nolde_ziegel_one_sided",
    "nolde_ziegel_simple",
    "pof_attainable_size",
    "pof_p_value",
    "pof_nonrejection_region",
    "pof_size",
    "score_test",
    "quantile_loss",
    "traffic_light",
    "hit_transitions",
    "tuff_p_value",
    "tuff_nonrejection_region",
    "var_e_process",
    "var_hits",
    "traffic_light_bounds",
]

suggest_names(
    __name__,
    {
        "backtest_var": "backtest varbacktest runtests esbacktest backtest_es unconditionalNormal vartest esbacktestbysim",
        "kupiec_pof": "kupiec kupiec_test pof unconditional_coverage lr_uc",
        "kupiec_tuff": "tuff",
        "christoffersen_independence": "cci lr_ind independence_test",
        "christoffersen_conditional": "christoffersen christoffersen_test cc conditional_coverage lr_cc",
        "haas_tbf": "tbf mixed_kupiec",
        "haas_tbfi": "tbfi",
        "binomial_tail": "binomial_test",
        "binomial_z": "bin",
        "traffic_light": "tl traffic_lights basel basel_zone basel_traffic_light",
        "dynamic_quantile": "dq dq_test engle_manganelli caviar_test",
        "acerbi_szekely_z2": "acerbi_szekely",
        "var_hits": "exceptions exceedances violations breaches var_exceptions",
        "model_confidence_set": "mcs",
    },
)
