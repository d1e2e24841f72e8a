"""Volatility from open, high, low and close: several times as exact as from closes alone."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, one_of, positive, single_series

RangeEstimator = Literal["parkinson", "garman_klass", "rogers_satchell", "yang_zhang"]


def range_volatility(
    open: Any,
    high: Any,
    low: Any,
    close: Any,
    estimator: RangeEstimator = "yang_zhang",
    *,
    periods_per_year: float | None = None,
) -> float:
    """Volatility of bars with open, high, low and close.

    Parameters
    ----------
    open, high, low, close : (n_obs,)
        Prices above zero, oldest first.
    estimator : {"parkinson", "garman_klass", "rogers_satchell", "yang_zhang"}
        From the ranges alone; with open and close; the same for prices with a trend; or with the gap to the close before, and so
        the volatility of the whole period. The first three are of the time within bars.
    periods_per_year : float, optional
        252 for daily bars; per bar without it.

    Returns
    -------
    float
        Standard deviation of log returns, a fraction per bar or per year.

    Raises
    ------
    InputError
        NaN, infinity, a price not above zero, a high or a low that does not hold the others, or fewer than two bars (three for
        "yang_zhang").

    References
    ----------
    Parkinson (1980), J. Business 53, 61-65. Garman and Klass (1980), J. Business 53, 67-78. Rogers and Satchell (1991), Annals of
    Applied Probability 1, 504-512. Yang and Zhang (2000), J. Business 73, 477-491, eq. 7 and 8.

    Examples
    --------
    >>> bars = [100.0, 101.0, 103.0], [102.0, 104.0, 104.0], [99.0, 100.0, 101.0], [101.5, 103.0, 101.5]
    >>> [round(range_volatility(*bars, name), 5) for name in ("parkinson", "rogers_satchell", "yang_zhang")]
    [0.01988, 0.02047, 0.02184]
    """
    one_of(estimator, get_args(RangeEstimator), "estimator")
    fewest = 3 if estimator == "yang_zhang" else 2
    given = {"open": open, "high": high, "low": low, "close": close}
    prices = {name: single_series(value, name, min_obs=fewest, ordered=True) for name, value in given.items()}
    if len({len(price) for price in prices.values()}) != 1:
        raise InputError("open, high, low and close have different numbers of bars")
    table = np.array([*prices.values()])
    wrong = (table[2] <= 0.0) | (table[1] < table.max(axis=0)) | (table[2] > table.min(axis=0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"bar {row} has open, high, low and close {table[:, row].tolist()}; low is above zero and the lowest, high the highest"
        )
    first, top, bottom, last = np.log(table)
    scale = 1.0 if periods_per_year is None else positive(periods_per_year, "periods_per_year")
    drift_free = (top - last) * (top - first) + (bottom - last) * (bottom - first)
    if estimator == "parkinson":
        variance = np.mean((top - bottom) ** 2) / (4.0 * math.log(2.0))
    elif estimator == "garman_klass":
        variance = np.mean(0.5 * (top - bottom) ** 2 - (2.0 * math.log(2.0) - 1.0) * (last - first) ** 2)
    elif estimator == "rogers_satchell":
        variance = np.mean(drift_free)
    else:
        n = len(first) - 1
        share = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
        gaps, moves = first[1:] - last[:-1], (last - first)[1:]
        variance = gaps.var(ddof=1) + share * moves.var(ddof=1) + (1.0 - share) * drift_free[1:].mean()
    return math.sqrt(max(float(variance), 0.0) * scale)
