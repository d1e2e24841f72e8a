"""Exact finite-sample distributions of the coverage and independence tests, by enumeration.

Proportion of failures (Kupiec POF)
    pof_p_value, pof_size, pof_attainable_size, pof_nonrejection_region
Time until first failure (Kupiec TUFF)
    tuff_p_value, tuff_nonrejection_region
Markov transitions (Christoffersen)
    christoffersen_p_value, christoffersen_size, christoffersen_attainable_size, christoffersen_critical

The *true size* is the probability that the asymptotic (chi-square) test rejects a correct model; the *attainable size*
is that of the exact test, which never exceeds its nominal significance.
"""

from riskkit.var_backtest.exact.coverage import (
    pof_attainable_size,
    pof_nonrejection_region,
    pof_p_value,
    pof_size,
    tuff_nonrejection_region,
    tuff_p_value,
)
from riskkit.var_backtest.exact.markov import (
    christoffersen_attainable_size,
    christoffersen_critical,
    christoffersen_p_value,
    christoffersen_size,
)

__all__ = [
    "christoffersen_attainable_size",
    "christoffersen_critical",
    "christoffersen_p_value",
    "christoffersen_size",
    "pof_attainable_size",
    "pof_p_value",
    "pof_nonrejection_region",
    "pof_size",
    "tuff_p_value",
    "tuff_nonrejection_region",
]
