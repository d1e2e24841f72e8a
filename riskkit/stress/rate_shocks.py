"""Shifts of the yield curve that banks are told to try: parallel, short rate, steeper and flatter."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, finite_array, positive


def rate_shocks(tenors: Any, parallel: float, short: float, long: float) -> Any:
    """Changes of rates by tenor in the scenarios for the interest rate risk of the banking book.

    Parameters
    ----------
    tenors : (n_tenors,)
        Times to maturity in years, at least zero.
    parallel, short, long : float
        Sizes of the shocks, in the unit that the changes are wanted in: basis points or fractions. Supervisors publish them
        by currency; those of April 2016 for US dollars were 200, 300 and 150 basis points.

    Returns
    -------
    DataFrame (n_tenors, 8)
        Columns `parallel_up`, `parallel_down`, `short_up`, `short_down`, `long_up`, `long_down`, `steepener`, `flattener`. A
        short shock dies away as exp(-t/4), a long one grows as 1 - exp(-t/4).

    Raises
    ------
    InputError
        NaN, infinity, or a tenor or size below zero.

    References
    ----------
    Basel Committee on Banking Supervision (2016), Interest rate risk in the banking book, d368, annex 2.

    Examples
    --------
    >>> rate_shocks([1.0, 10.0], 200.0, 300.0, 150.0)[["short_up", "steepener", "flattener"]].round(1)
           short_up  steepener  flattener
    tenor
    1.0       233.6     -122.0      167.0
    10.0       24.6      107.9      -62.9
    """
    import pandas as pd

    times = finite_array(tenors, "tenors", ndim=1)
    if times.min() < 0.0:
        raise InputError(f"tenors holds {times.min():g}; a time to maturity is at least zero")
    sizes = {"parallel": parallel, "short": short, "long": long}
    level, near, far = (positive(value, name, zero=True) for name, value in sizes.items())
    decay = np.exp(-times / 4.0)
    at_short, at_long = near * decay, far * (1.0 - decay)
    return pd.DataFrame(
        {
            **{"parallel_up": np.full(len(times), level), "parallel_down": np.full(len(times), -level)},
            **{"short_up": at_short, "short_down": -at_short, "long_up": at_long, "long_down": -at_long},
            **{"steepener": -0.65 * at_short + 0.9 * at_long, "flattener": 0.8 * at_short - 0.6 * at_long},
        },
        index=pd.Index(times, name="tenor"),
    )
