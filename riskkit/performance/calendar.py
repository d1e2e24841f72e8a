"""Performance over time: months and years in a table, and every figure over a rolling window."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import (
    InputError,
    as_dates,
    as_pandas,
    labels_of,
    positive,
    refuse_other_rows,
    returns_array,
    single_series,
    whole_number,
)
from riskkit._types import ReturnsLike
from riskkit.performance.series import above_total_loss

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def monthly_table(returns: ReturnsLike) -> Any:
    """Compounded return of every calendar month, one row a year, and of the year.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period as fractions, with their dates as the index, oldest first.

    Returns
    -------
    DataFrame
        Columns Jan to Dec and year; NaN in months without a return. The first and the last month may be part months.

    Raises
    ------
    InputError
        NaN, infinity, no dates, dates out of order, or a return below -1.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 2.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.to_datetime(["2020-01-30", "2020-01-31", "2020-02-03"])
    >>> monthly_table(pd.Series([0.1, 0.1, -0.5], days))[["Jan", "Feb", "year"]].round(3).loc[2020].tolist()
    [0.21, -0.5, -0.395]
    """
    import pandas as pd

    array = above_total_loss(returns_array(single_series(returns, "returns", ordered=True), fractions=True))
    index = labels_of(returns, 0)
    days = None if index is None else as_dates(index)
    if not isinstance(days, pd.DatetimeIndex):
        raise InputError("returns has no dates; give a Series whose index has them")
    logs = pd.Series(np.log1p(array, where=array > -1.0, out=np.full(len(array), -np.inf)), days)
    months: Any = logs.groupby([days.year, days.month]).sum().unstack()
    table = np.expm1(months).reindex(columns=range(1, 13)).set_axis(MONTHS, axis=1)
    table["year"] = np.expm1(logs.groupby(days.year).sum())
    return table.rename_axis(index="year")


def rolling_performance(
    returns: ReturnsLike, window: int, periods_per_year: float, *, benchmark: ReturnsLike | None = None
) -> Any:
    """Figures of every window of a track record.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period as fractions, oldest first.
    window : int
        Periods of a window, at least two.
    periods_per_year : float
        252 for daily, 12 for monthly returns.
    benchmark : (n_obs,), optional
        Returns of a benchmark in the same periods.

    Returns
    -------
    DataFrame
        One row per period, NaN in the first window - 1: return (compounded) and volatility per year, sharpe (arithmetic),
        max_drawdown within the window (from a wealth of 1); with a benchmark beta, correlation and tracking_error per year.
        Undefined ratios of a constant window are NaN.

    Raises
    ------
    InputError
        NaN, infinity, dates out of order, a window that is too long, or other periods of the benchmark.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> rolling_performance([0.1, -0.1, 0.2, 0.0], 2, 1)["max_drawdown"].round(3).tolist()
    [nan, 0.1, 0.1, 0.0]
    """
    import pandas as pd

    array = above_total_loss(returns_array(single_series(returns, "returns", ordered=True), fractions=True))
    size, periods = whole_number(window, "window", at_least=2), positive(periods_per_year, "periods_per_year")
    if size > len(array):
        raise InputError(f"window={window!r} is longer than returns, which has {len(array)} periods")
    windows = np.lib.stride_tricks.sliding_window_view(array, size)
    deviation = _deviations(windows)
    wealth = np.cumprod(1.0 + windows, axis=1)
    peaks = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
    figures = {
        "return": wealth[:, -1] ** (periods / size) - 1.0,
        "volatility": deviation * math.sqrt(periods),
        "sharpe": windows.mean(axis=1) / deviation * math.sqrt(periods),
        "max_drawdown": (1.0 - wealth / peaks).max(axis=1),
    }
    if benchmark is not None:
        refuse_other_rows(returns, "returns", benchmark, "benchmark")
        market = np.lib.stride_tricks.sliding_window_view(single_series(benchmark, "benchmark"), size)
        spread = _deviations(market)
        shared = ((windows - windows.mean(axis=1, keepdims=True)) * market).sum(axis=1) / (size - 1)
        figures["beta"] = shared / spread**2
        figures["correlation"] = shared / (deviation * spread)
        figures["tracking_error"] = (windows - market).std(axis=1, ddof=1) * math.sqrt(periods)
    frame = pd.DataFrame(figures).set_axis(np.arange(size - 1, len(array)), axis=0).reindex(range(len(array)))
    rows = labels_of(as_pandas(returns), 0)
    return frame if rows is None else frame.set_axis(rows, axis=0)


def _deviations(windows: np.ndarray) -> np.ndarray:
    """Standard deviation (n - 1) of each window, NaN where it is constant."""
    deviation = windows.std(axis=1, ddof=1)
    return np.where(np.ptp(windows, axis=1) > 0.0, deviation, np.nan)
