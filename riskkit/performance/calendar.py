"""Performance over time: months and years in a table, and any figure over a rolling window."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from riskkit._check import (
    InputError,
    as_dates,
    as_pandas,
    labels_of,
    refuse_other_rows,
    returns_array,
    shown,
    single_series,
    whole_number,
    with_labels,
)
from riskkit._types import ReturnsLike
from riskkit.performance.series import above_total_loss, periods_of

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
    returns: ReturnsLike, window: int, periods_per_year: float | None = None, *, benchmark: ReturnsLike | None = None
) -> Any:
    """Figures of every window of a track record.

    Parameters
    ----------
    returns : (n_obs,)
        Simple returns per period as fractions, oldest first.
    window : int
        Periods of a window, at least two.
    periods_per_year : float, optional
        252 for daily, 12 for monthly returns; not given: told by the dates of the returns.
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
    windows, periods = _windows(array, window), periods_of(returns, periods_per_year)
    size = windows.shape[1]
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


def rolling_measure(
    measure: Callable[..., Any],
    returns: ReturnsLike,
    window: int,
    *args: Any,
    benchmark: ReturnsLike | None = None,
    **options: Any,
) -> Any:
    """Any figure of every window of a track record.

    Parameters
    ----------
    measure : callable
        ``measure(returns, *args, **options)`` of (n_obs, n_series) returns, a number for each series, as all of
        `riskkit.performance` are: a block of windows is handed to it as series. With a benchmark
        ``measure(returns, benchmark, *args, **options)`` of one series, window by window.
    returns : (n_obs,)
        Simple returns per period, or what else `measure` takes (P&L, prices), oldest first.
    window : int
        Periods of a window, at least two.
    *args, **options
        Other arguments of `measure`.
    benchmark : (n_obs,), optional
        Returns of a benchmark in the same periods.

    Returns
    -------
    (n_obs,) array or Series
        In the unit of the measure; NaN in the first window - 1 periods.

    Raises
    ------
    InputError
        As `measure` does, a window that is too long, or a measure that is not one number for each series.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> from riskkit.performance import max_drawdown, omega_ratio
    >>> rolling_measure(omega_ratio, [0.1, -0.1, 0.2, -0.05], 3).round(3).tolist()
    [nan, nan, 3.0, 1.333]
    >>> rolling_measure(max_drawdown, [5.0, -2.0, -1.0, 4.0], 2, input="pnl").tolist()
    [nan, 2.0, 3.0, 1.0]
    """
    array = single_series(returns, "returns", ordered=True)
    windows = _windows(array, window)
    if benchmark is None:
        step = max(1, BLOCK // windows.shape[1])
        parts = [_of_block(measure, windows[i : i + step], args, options) for i in range(0, len(windows), step)]
        values = np.concatenate(parts)
    else:
        refuse_other_rows(returns, "returns", benchmark, "benchmark")
        market = np.lib.stride_tricks.sliding_window_view(single_series(benchmark, "benchmark"), windows.shape[1])
        values = np.array([float(measure(a, b, *args, **options)) for a, b in zip(windows, market, strict=True)])
    found = np.concatenate([np.full(windows.shape[1] - 1, np.nan), values])
    rows = labels_of(as_pandas(returns), 0)
    return found if rows is None else with_labels(found, rows, name=getattr(measure, "__name__", None))


BLOCK = 2_000_000
"""Numbers of the windows that a measure gets at a time."""


def _of_block(measure: Callable[..., Any], windows: np.ndarray, args: Any, options: Any) -> np.ndarray:
    values = np.asarray(measure(np.ascontiguousarray(windows.T), *args, **options), dtype=np.float64)
    if values.shape != (len(windows),):
        raise InputError(
            f"measure gives an answer of shape {values.shape} for {len(windows)} series; give one number for each"
        )
    return values


def _windows(array: np.ndarray, window: Any) -> np.ndarray:
    """Every window of a series, (n_windows, window)."""
    size = whole_number(window, "window", at_least=2)
    if size > len(array):
        raise InputError(f"window={shown(window)} is longer than returns, which has {len(array)} periods")
    return np.lib.stride_tricks.sliding_window_view(array, size)


def _deviations(windows: np.ndarray) -> np.ndarray:
    """Standard deviation (n - 1) of each window, NaN where it is constant."""
    deviation = windows.std(axis=1, ddof=1)
    return np.where(np.ptp(windows, axis=1) > 0.0, deviation, np.nan)
