"""Did the number hold: every test of VaR and ES forecasts, one file an idea.

hits, outcome              what comes in, and what a test says
coverage, traffic_light    as many hits as promised?
independence, duration, dynamic_quantile    do hits come at random?
expected_shortfall, mcneil_frey, calibration, cumulative_violations    are losses beyond VaR as large as ES says?
exact_coverage, exact_independence, simulated_hits, tail_simulation    finite-sample distributions
scores, forecast_comparison    which forecast is better?
sequential, power, multiplicity    looking every day; what could be seen at all; many tests at once
suite                      one call for one forecast
"""

from riskkit.var_backtest.calibration import nolde_ziegel_general, nolde_ziegel_one_sided, nolde_ziegel_simple
from riskkit.var_backtest.comparison import Comparison, compare_forecasts
from riskkit.var_backtest.coverage import (
    binomial_tail_test,
    binomial_z_test,
    kupiec_pof,
    kupiec_tuff,
    proportion_test,
    tuff_exact_p_value,
    tuff_nonrejection_region,
)
from riskkit.var_backtest.cumulative_violations import du_escanciano_conditional, du_escanciano_unconditional
from riskkit.var_backtest.duration import christoffersen_pelletier, haas_tbf, haas_tbfi
from riskkit.var_backtest.dynamic_quantile import dynamic_quantile
from riskkit.var_backtest.exact_coverage import (
    pof_attainable_size,
    pof_exact_p_value,
    pof_nonrejection_region,
    pof_true_size,
)
from riskkit.var_backtest.exact_independence import (
    christoffersen_attainable_size,
    christoffersen_critical,
    christoffersen_exact_p_value,
    christoffersen_true_size,
)
from riskkit.var_backtest.expected_shortfall import (
    acerbi_szekely_critical,
    acerbi_szekely_p_value,
    acerbi_szekely_z1,
    acerbi_szekely_z2,
    minimally_biased,
)
from riskkit.var_backtest.forecast_comparison import ConfidenceSet, diebold_mariano, model_confidence_set
from riskkit.var_backtest.hits import Transitions, transitions, var_hits
from riskkit.var_backtest.independence import christoffersen_cc, christoffersen_independence
from riskkit.var_backtest.mcneil_frey import mcneil_frey_bootstrap, mcneil_frey_z
from riskkit.var_backtest.multiplicity import adjust_p_values
from riskkit.var_backtest.outcome import Outcome
from riskkit.var_backtest.panel import PANEL_TESTS, Panel, backtest_panel
from riskkit.var_backtest.power import Power, backtest_power, detectable_hit_rate
from riskkit.var_backtest.rolling_comparison import compare
from riskkit.var_backtest.scores import fz0_loss, quantile_loss
from riskkit.var_backtest.sequential import EProcess, es_e_process, var_e_process
from riskkit.var_backtest.suite import Backtest, backtest
from riskkit.var_backtest.traffic_light import TrafficLight, basel_tables, frtb_multiplier, traffic_light, zone_starts

__all__ = [
    "PANEL_TESTS",
    "Backtest",
    "Comparison",
    "ConfidenceSet",
    "EProcess",
    "Outcome",
    "Panel",
    "Power",
    "TrafficLight",
    "Transitions",
    "acerbi_szekely_critical",
    "acerbi_szekely_p_value",
    "acerbi_szekely_z1",
    "acerbi_szekely_z2",
    "adjust_p_values",
    "backtest",
    "backtest_panel",
    "backtest_power",
    "basel_tables",
    "binomial_tail_test",
    "binomial_z_test",
    "christoffersen_attainable_size",
    "christoffersen_cc",
    "christoffersen_critical",
    "christoffersen_exact_p_value",
    "christoffersen_independence",
    "christoffersen_pelletier",
    "christoffersen_true_size",
    "compare",
    "compare_forecasts",
    "detectable_hit_rate",
    "diebold_mariano",
    "du_escanciano_conditional",
    "du_escanciano_unconditional",
    "dynamic_quantile",
    "es_e_process",
    "frtb_multiplier",
    "fz0_loss",
    "haas_tbf",
    "haas_tbfi",
    "kupiec_pof",
    "kupiec_tuff",
    "mcneil_frey_bootstrap",
    "mcneil_frey_z",
    "minimally_biased",
    "model_confidence_set",
    "nolde_ziegel_general",
    "nolde_ziegel_one_sided",
    "nolde_ziegel_simple",
    "pof_attainable_size",
    "pof_exact_p_value",
    "pof_nonrejection_region",
    "pof_true_size",
    "proportion_test",
    "quantile_loss",
    "traffic_light",
    "transitions",
    "tuff_exact_p_value",
    "tuff_nonrejection_region",
    "var_e_process",
    "var_hits",
    "zone_starts",
]
