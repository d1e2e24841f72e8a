"""Exact finite-sample distributions of the coverage and independence tests, by enumeration.

Proportion of failures (Kupiec POF)
    pof_exact_p_value, pof_true_size, pof_attainable_size, pof_nonrejection_region
Time until first failure (Kupiec TUFF)
    tuff_exact_p_value, tuff_nonrejection_region
Markov transitions (Christoffersen)
    christoffersen_exact_p_value, christoffersen_true_size, christoffersen_attainable_size, christoffersen_critical

The *true size* is the probability that the asymptotic (chi-square) test rejects a correct model; the *attainable size*
is that of the exact test, which never exceeds its nominal significance.
"""

from riskkit.var_backtest.exact.coverage import (
    pof_attainable_size,
    pof_exact_p_value,
    pof_nonrejection_region,
    pof_true_size,
    tuff_exact_p_value,
    tuff_nonrejection_region,
)
from riskkit.var_backtest.exact.markov import (
    christoffersen_attainable_size,
    christoffersen_critical,
    christoffersen_exact_p_value,
    christoffersen_true_size,
)

__all__ = [
    "christoffersen_attainable_size",
    "christoffersen_critical",
    "christoffersen_exact_p_value",
    "christoffersen_true_size",
    "pof_attainable_size",
    "pof_exact_p_value",
    "pof_nonrejection_region",
    "pof_true_size",
    "tuff_exact_p_value",
    "tuff_nonrejection_region",
]
