"""Descriptions of the parameters that the tests share."""

from riskkit._docs import shared_parameters

FORECAST = "(n_obs,) array or Series, or a number\n    {} for the same days, as positive losses."
PARAMETERS = {
    "returns": "(n_obs,) array or Series\n    Realized returns, gains positive, oldest first.",
    "var": FORECAST.format("VaR forecasts"),
    "es": FORECAST.format("Expected shortfall forecasts"),
    "sd": "(n_obs,) array or Series, or a number, optional\n    Forecast standard deviations for the same days, above "
    "zero, in the unit of the returns.",
    "pit": "(n_obs,) array or Series\n    Forecast distribution function at the realized return (probability integral "
    "transform), between 0 and 1;\n    low for losses.",
    "hits": "(n_obs,) array or Series of booleans\n    True on days with a loss beyond VaR, oldest first.",
    "n_hits": "int\n    Number of hits, from 0 to `n_obs`.",
    "n_obs": "int\n    Number of days.",
    "first_hit": "int\n    Day of the first hit, counted from 1.",
    "confidence": "float\n    Confidence of VaR (and ES) as a fraction: 0.99 for 99 %; a hit then has probability 0.01.",
    "significance": "float\n    Size of the test as a fraction: 0.05 for 5 %.",
    "null": 'str\n    Distribution of the losses of a correct model, for the simulated p-value: "normal", or "t3" '
    '(Student t with 3\n    degrees of freedom), "t5", ...',
    "n_draws": "int\n    Number of simulated samples behind the finite-sample p-value; 0 for none.",
    "n_bootstrap": "int\n    Number of bootstrap resamples.",
    "rng": "numpy.random.Generator, optional\n    Random generator; by default one with the fixed seed `DEFAULT_SEED`.",
    "order": '{"probability", "lr", "distance", "asymptotic"}\n    Numbers of hits count as at least as extreme when they '
    "are at most as probable, when their likelihood ratio is\n    at least as large, or when they are at least as far from "
    "n p; or the chi-square approximation decides.",
    "test": '{"cc", "independence"}\n    Conditional coverage (POF + independence), or independence alone.',
    "method": '{"holm", "benjamini-hochberg", "benjamini-yekutieli", "bonferroni", "none"}\n    Correction for the '
    "number of tests, as in `adjust_p_values`.",
}
documented = shared_parameters(PARAMETERS)
