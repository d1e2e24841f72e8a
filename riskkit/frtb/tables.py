"""Risk weights and correlations of the sensitivities-based method, as published (Basel Framework, MAR21)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, positive, shown
from riskkit.frtb.docs import documented

__all__ = [
    "commodity_between",
    "credit_between",
    "equity_between",
    "tenor_correlations",
    "vega_correlations",
    "vega_weight",
]

GIRR_WEIGHTS = {
    **{0.25: 0.017, 0.5: 0.017, 1.0: 0.016, 2.0: 0.013, 3.0: 0.012},
    **{5.0: 0.011, 10.0: 0.011, 15.0: 0.011, 20.0: 0.011, 30.0: 0.011},
}
"""Risk weight of interest rates by tenor in years (MAR21.42, table 1)."""
SPECIFIED_CURRENCIES = ("EUR", "USD", "GBP", "AUD", "JPY", "SEK", "CAD")
"""Currencies whose interest rates have the weight over sqrt(2) (MAR21.44), beside the reporting one."""
GIRR_FLAT = ("inflation", "basis over USD", "basis over EUR")
"""Factors of a currency without tenors (MAR21.8)."""
GIRR_FLAT_WEIGHT = 0.016
"""Risk weight of inflation and of a cross-currency basis (MAR21.43)."""
GIRR_INFLATION_WITHIN = 0.4
"""Correlation of inflation with a tenor (MAR21.48); a cross-currency basis has none (MAR21.49)."""
GIRR_CURVES_WITHIN = 0.999
"""What a correlation is times for two curves of a currency (MAR21.45, 21.47)."""
GIRR_BETWEEN = 0.5
"""Correlation of interest rates of two currencies (MAR21.50)."""

EQUITY_WEIGHTS = dict(
    enumerate((0.55, 0.60, 0.45, 0.55, 0.30, 0.35, 0.40, 0.50, 0.70, 0.50, 0.70, 0.15, 0.25), start=1)
)
"""Risk weight of equity spot prices by bucket (MAR21.77, table 10)."""
EQUITY_WITHIN = {
    **dict.fromkeys((1, 2, 3, 4), 0.15),
    **dict.fromkeys((5, 6, 7, 8), 0.25),
    **{9: 0.075, 10: 0.125, 12: 0.80, 13: 0.80},
}
"""Correlation of two issuers of an equity bucket (MAR21.78); bucket 11 adds up without any."""

EQUITY_REPO_WITHIN = 0.999
"""What a correlation is times for a spot price and a repo rate (MAR21.78); repo rates weigh a hundredth of the spot's (table 10)."""

FX_WEIGHT = 0.15
"""Risk weight of exchange rates (MAR21.87); over sqrt(2) for the pairs of MAR21.88."""
FX_BETWEEN = 0.6
"""Correlation of two exchange rates (MAR21.89)."""

CREDIT_WEIGHTS = {
    **dict(enumerate((0.005, 0.01, 0.05, 0.03, 0.03, 0.02, 0.015, 0.025), start=1)),
    **dict(enumerate((0.02, 0.04, 0.12, 0.07, 0.085, 0.055, 0.05, 0.12, 0.015, 0.05), start=9)),
}
"""Risk weight of credit spreads without securitisation by bucket (MAR21.53, table 4)."""
COVERED_BOND_WEIGHT = 0.015
"""Risk weight that a bank may take for covered bonds (bucket 8) rated AA- or higher (MAR21.53, note to table 4)."""
CORRELATION_TRADING_WEIGHTS = {
    **dict(enumerate((0.04, 0.04, 0.08, 0.05, 0.04, 0.03, 0.02, 0.06), start=1)),
    **dict(enumerate((0.13, 0.13, 0.16, 0.10, 0.12, 0.12, 0.12, 0.13), start=9)),
}
"""Risk weight of credit spreads of the correlation trading portfolio by bucket (MAR21.59, table 6)."""
SENIOR_WEIGHTS = (0.009, 0.015, 0.02, 0.02, 0.008, 0.012, 0.012, 0.014)
"""Risk weight of senior tranches of investment grade, buckets 1 to 8 (MAR21.62, table 8)."""
SECURITISATION_WEIGHTS = {
    **{8 * rank + place: scale * weight for rank, scale in enumerate((1.0, 1.25, 1.75))
       for place, weight in enumerate(SENIOR_WEIGHTS, start=1)},
    25: 0.035,
}  # fmt: skip
"""Risk weight of credit spreads of other securitisations by bucket (MAR21.62 to 21.65)."""
CREDIT_TENORS = (0.5, 1.0, 3.0, 5.0, 10.0)
"""Tenors of credit spreads in years (MAR21.9 to 21.11)."""
CREDIT_BETWEEN = np.array([
    [1.00, 0.75, 0.10, 0.20, 0.25, 0.20, 0.15, 0.10, 0.00, 0.45, 0.45],
    [0.75, 1.00, 0.05, 0.15, 0.20, 0.15, 0.10, 0.10, 0.00, 0.45, 0.45],
    [0.10, 0.05, 1.00, 0.05, 0.15, 0.20, 0.05, 0.20, 0.00, 0.45, 0.45],
    [0.20, 0.15, 0.05, 1.00, 0.20, 0.25, 0.05, 0.05, 0.00, 0.45, 0.45],
    [0.25, 0.20, 0.15, 0.20, 1.00, 0.25, 0.05, 0.15, 0.00, 0.45, 0.45],
    [0.20, 0.15, 0.20, 0.25, 0.25, 1.00, 0.05, 0.20, 0.00, 0.45, 0.45],
    [0.15, 0.10, 0.05, 0.05, 0.05, 0.05, 1.00, 0.05, 0.00, 0.45, 0.45],
    [0.10, 0.10, 0.20, 0.05, 0.15, 0.20, 0.05, 1.00, 0.00, 0.45, 0.45],
    [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 1.00, 0.00, 0.00],
    [0.45, 0.45, 0.45, 0.45, 0.45, 0.45, 0.45, 0.45, 0.00, 1.00, 0.75],
    [0.45, 0.45, 0.45, 0.45, 0.45, 0.45, 0.45, 0.45, 0.00, 0.75, 1.00],
])  # fmt: skip
"""Correlation of credit sectors 1/9, 2/10, ..., 7/15, 8, 16, 17, 18 (MAR21.57, table 5)."""

COMMODITY_WEIGHTS = dict(enumerate((0.30, 0.35, 0.60, 0.80, 0.40, 0.45, 0.20, 0.35, 0.25, 0.35, 0.50), start=1))
"""Risk weight of commodities by bucket (MAR21.82, table 11)."""
COMMODITY_WITHIN = dict(enumerate((0.55, 0.95, 0.40, 0.80, 0.60, 0.65, 0.55, 0.45, 0.15, 0.40, 0.15), start=1))
"""Correlation of two commodities of a bucket (MAR21.83, table 12)."""
COMMODITY_TENORS = (0.0, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 20.0, 30.0)
"""Tenors of commodities in years (MAR21.13)."""

VEGA_HORIZONS = {
    **{"interest rate": 60, "credit": 120, "equity, large": 20, "equity, small": 60, "commodity": 120, "FX": 40},
}
"""Liquidity horizon of implied volatilities in days (MAR21.92, table 13)."""
VEGA_MATURITIES = (0.5, 1.0, 3.0, 5.0, 10.0)
"""Maturities of options in years to which implied volatilities are mapped (MAR21.8 to 21.14)."""
DEFAULT_WEIGHTS = {"AAA": 0.005, "AA": 0.02, "A": 0.03, "BBB": 0.06, "BB": 0.15, "B": 0.30, "CCC": 0.50}
"""Risk weight of the default of an issuer by rating (MAR22.24, table 2); unrated 15 %, defaulted 100 %."""


@documented
def tenor_correlations(tenors: Any, theta: float = 0.03, floor: float = 0.4) -> np.ndarray:
    """Correlation of interest rates of a currency: max(exp(-theta abs(T - T') / min(T, T')), floor).

    Parameters
    ----------
    tenors : (n_tenors,)
        Years.
    theta : float
        Decay, 0.03 in the rules.
    floor : float
        0.4 in the rules.

    Returns
    -------
    (n_tenors, n_tenors)
        Correlations.

    References
    ----------
    Basel Framework, MAR21.46.

    Examples
    --------
    >>> tenor_correlations([1.0, 2.0, 10.0]).round(4).tolist()
    [[1.0, 0.9704, 0.7634], [0.9704, 1.0, 0.8869], [0.7634, 0.8869, 1.0]]
    """
    return np.maximum(np.exp(-theta * _relative_distance(tenors, "tenors")), floor)


@documented
def vega_correlations(maturities: Any, alpha: float = 0.01) -> np.ndarray:
    """Correlation of implied volatilities of an underlying: exp(-alpha abs(T - T') / min(T, T')).

    Parameters
    ----------
    maturities : (n_maturities,)
        Maturities of the options in years.
    alpha : float
        Decay, 0.01 in the rules.

    Returns
    -------
    (n_maturities, n_maturities)
        Correlations.

    References
    ----------
    Basel Framework, MAR21.93 and 21.94.

    Examples
    --------
    >>> vega_correlations([0.5, 1.0]).round(4).tolist()
    [[1.0, 0.99], [0.99, 1.0]]
    """
    correlations: np.ndarray = np.exp(-alpha * _relative_distance(maturities, "maturities"))
    return correlations


@documented
def vega_weight(liquidity_horizon: float) -> float:
    """Risk weight of implied volatilities: min(55 % × sqrt(horizon / 10 days), 100 %).

    Parameters
    ----------
    liquidity_horizon : float
        Days, from `VEGA_HORIZONS`.

    Returns
    -------
    float
        Fraction of the volatility.

    References
    ----------
    Basel Framework, MAR21.92.

    Examples
    --------
    >>> round(vega_weight(20), 4), vega_weight(60)
    (0.7778, 1.0)
    """
    return min(0.55 * math.sqrt(positive(liquidity_horizon, "liquidity_horizon") / 10.0), 1.0)


@documented
def equity_between(buckets: Any) -> np.ndarray:
    """Correlation of equity buckets: 15 % among 1 to 10, 45 % of these with the indices 12 and 13, 75 % of those two, none of 11.

    Parameters
    ----------
    buckets : (n_buckets,)
        Numbers 1 to 13.

    Returns
    -------
    (n_buckets, n_buckets)
        Correlations.

    References
    ----------
    Basel Framework, MAR21.80.

    Examples
    --------
    >>> equity_between([5, 11, 12]).tolist()
    [[1.0, 0.0, 0.45], [0.0, 1.0, 0.0], [0.45, 0.0, 1.0]]
    """
    numbers = [known_bucket(bucket, EQUITY_WEIGHTS, "equity") for bucket in buckets]
    is_index = np.array(numbers) >= 12
    correlations = np.where(is_index[:, None] & is_index, 0.75, np.where(is_index[:, None] | is_index, 0.45, 0.15))
    alone = np.array(numbers) == 11
    correlations[alone[:, None] | alone] = 0.0
    np.fill_diagonal(correlations, 1.0)
    return correlations


@documented
def credit_between(buckets: Any) -> np.ndarray:
    """Correlation of credit buckets: that of their sectors, halved for two ratings among buckets 1 to 15.

    Parameters
    ----------
    buckets : (n_buckets,)
        Numbers 1 to 18.

    Returns
    -------
    (n_buckets, n_buckets)
        Correlations.

    References
    ----------
    Basel Framework, MAR21.57.

    Examples
    --------
    >>> credit_between([1, 9, 2, 17]).tolist()
    [[1.0, 0.5, 0.75, 0.45], [0.5, 1.0, 0.375, 0.45], [0.75, 0.375, 1.0, 0.45], [0.45, 0.45, 0.45, 1.0]]
    """
    numbers = np.array([known_bucket(bucket, CREDIT_WEIGHTS, "credit") for bucket in buckets])
    sectors = np.where(numbers <= 8, numbers - 1, np.where(numbers <= 15, numbers - 9, numbers - 8))
    rated, high_yield = numbers <= 15, numbers > 8
    differ = rated[:, None] & rated & (high_yield[:, None] != high_yield)
    correlations: np.ndarray = CREDIT_BETWEEN[np.ix_(sectors, sectors)] * np.where(differ, 0.5, 1.0)
    return correlations


@documented
def commodity_between(buckets: Any) -> np.ndarray:
    """Correlation of commodity buckets: 20 % among 1 to 10, none of 11.

    Parameters
    ----------
    buckets : (n_buckets,)
        Numbers 1 to 11.

    Returns
    -------
    (n_buckets, n_buckets)
        Correlations.

    References
    ----------
    Basel Framework, MAR21.85.

    Examples
    --------
    >>> commodity_between([2, 7, 11]).tolist()
    [[1.0, 0.2, 0.0], [0.2, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    numbers = np.array([known_bucket(bucket, COMMODITY_WEIGHTS, "commodity") for bucket in buckets])
    both = (numbers <= 10)[:, None] & (numbers <= 10)
    correlations = np.where(both, 0.2, 0.0)
    np.fill_diagonal(correlations, 1.0)
    return correlations


def known_bucket(bucket: Any, weights: Mapping[int, float], what: str) -> int:
    """The number of a bucket that has a risk weight."""
    if isinstance(bucket, bool) or bucket not in weights:
        raise InputError(f"bucket {shown(bucket)} is not one of the {what} buckets 1 to {max(weights)}")
    return int(bucket)


def _relative_distance(years: Any, name: str) -> np.ndarray:
    """|T - T'| / min(T, T')."""
    array = finite_array(years, name, ndim=1)
    if array.min() <= 0.0:
        raise InputError(f"{name} holds {array.min():g}; it must be above zero")
    distance: np.ndarray = np.abs(array[:, None] - array) / np.minimum(array[:, None], array)
    return distance
