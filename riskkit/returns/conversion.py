"""Conversion of prices to returns and P&L, between log and simple returns, and to longer horizons.

Returns are simple (p_t / p_(t-1) - 1) unless the name says log. Arrays are (n_obs,) or (n_obs, n_series), oldest row
first; for a Series or DataFrame the result is one too, with the labels of the remaining rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, overload

import numpy as np

from riskkit._check import (
    InputError,
    as_pandas,
    finite_array,
    finite_number,
    labels_of,
    observations,
    positive,
    returns_array,
    whole_number,
    with_labels,
)
from riskkit._types import ReturnsLike
from riskkit.returns.docs import documented

if TYPE_CHECKING:
    import pandas as pd

Frame = TypeVar("Frame", "pd.Series", "pd.DataFrame")
ArrayLike: TypeAlias = "np.ndarray | Sequence[float] | Sequence[Sequence[float]]"
MAX_LOG_RETURN = 709.0
"""Largest log return whose exponential is a floating-point number."""


@overload
def simple_returns(prices: Frame) -> Frame: ...
@overload
def simple_returns(prices: ArrayLike) -> np.ndarray: ...
@documented
def simple_returns(prices: Any) -> Any:
    """Simple returns p_t / p_(t-1) - 1.

    Returns
    -------
    (n_obs - 1,) or (n_obs - 1, n_series)
        Returns per period as fractions, labelled with the later of the two dates.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1, eq. 1.4.1.

    Examples
    --------
    >>> simple_returns([100.0, 110.0, 99.0]).round(6).tolist()
    [0.1, -0.1]
    """
    array = _prices(prices)
    return _like(array[1:] / array[:-1] - 1.0, prices, 1)


@overload
def log_returns(prices: Frame) -> Frame: ...
@overload
def log_returns(prices: ArrayLike) -> np.ndarray: ...
@documented
def log_returns(prices: Any) -> Any:
    """Log returns ln(p_t / p_(t-1)).

    Returns
    -------
    (n_obs,) or (n_obs, n_series)
        One row fewer than `prices`; log returns add up over time.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> log_returns([100.0, 110.0, 99.0]).round(6).tolist()
    [0.09531, -0.105361]
    """
    array = _prices(prices)
    return _like(np.log(array[1:] / array[:-1]), prices, 1)


@documented
def log_from_simple(returns: ReturnsLike) -> Any:
    """Log returns ln(1 + r) of simple returns of the same shape.

    Returns
    -------
    as `returns`
        Log returns, with the labels of the input.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> log_from_simple([0.1, -0.1]).round(6).tolist()
    [0.09531, -0.105361]
    """
    array = returns_array(returns, fractions=True)
    if (array <= -1.0).any():
        raise InputError(f"returns holds {array.min():g}; a simple return of -1 or less has no log return")
    return _like(np.log1p(array), returns)


@documented
def simple_from_log(log_returns: Any) -> Any:
    """Simple returns exp(x) - 1 of log returns of the same shape.

    Parameters
    ----------
    log_returns : (n_obs,) or (n_obs, n_series)
        Log returns per period, at most 709.

    Returns
    -------
    as `log_returns`
        Simple returns as fractions, with the labels of the input.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> simple_from_log([0.09531017980432493]).round(6).tolist()
    [0.1]
    """
    array = returns_array(log_returns, "log_returns", fractions=True)
    if array.max() > MAX_LOG_RETURN:
        raise InputError(
            f"log_returns holds {array.max():g}; beyond {MAX_LOG_RETURN:.0f} the simple return is no number"
        )
    return _like(np.expm1(array), log_returns)


@documented
def profit_and_loss(prices: Any, quantities: Any, contract_multiplier: float = 1.0) -> Any:
    """P&L per period and instrument of quantities held: quantity × contract multiplier × price change.

    It is defined for prices of any sign, unlike a return (oil in April 2020, spreads, rates).

    Parameters
    ----------
    prices : (n_obs,) or (n_obs, n_instruments)
        Prices of any sign, oldest first.
    quantities : number, (n_instruments,) or the shape of `prices`
        Units held, negative if short. With one row per date, row t is held from t to t+1; the last row is not used.
    contract_multiplier : float
        Money per point and unit.

    Returns
    -------
    (n_obs - 1,) or (n_obs - 1, n_instruments)
        Money, gains positive, labelled with the later of the two dates.

    Examples
    --------
    >>> profit_and_loss([[10.0, 50.0], [11.0, 48.0], [10.5, 49.0]], [100, -10]).tolist()
    [[100.0, 20.0], [-50.0, -10.0]]
    """
    array = observations(prices, "prices", min_obs=2, ordered=True)
    units = finite_array(_aligned(quantities, prices), "quantities")
    if units.shape == array.shape:
        units = units[:-1]
    elif units.shape not in ((), array.shape[1:]):
        raise InputError(
            f"quantities has shape {units.shape} and prices {array.shape}; give one number, one per instrument, "
            "or one row per date"
        )
    return _like(np.diff(array, axis=0) * units * positive(contract_multiplier, "contract_multiplier"), prices, 1)


@documented
def horizon_returns(returns: ReturnsLike, horizon: int, *, overlapping: bool = True, log: bool = False) -> Any:
    """Returns over `horizon` periods: compounded for simple returns, summed for log returns.

    Overlapping windows are dependent by construction (neighbours share horizon - 1 periods), so standard errors and
    backtests that assume independence are not valid for them.

    Parameters
    ----------
    returns : (n_obs,) or (n_obs, n_series)
        Returns per period, oldest first.
    horizon : int
        Periods per window, at most n_obs.
    overlapping : bool
        True: one window ends at every period from `horizon` on. False: adjacent windows, the last one ending with the
        data; a remainder at the start is not used.
    log : bool
        True for log returns, False for simple ones.

    Returns
    -------
    (n_windows,) or (n_windows, n_series)
        Returns over the horizon, labelled with the last period of each window.

    References
    ----------
    Campbell, Lo and MacKinlay (1997), The Econometrics of Financial Markets, section 1.4.1.

    Examples
    --------
    >>> horizon_returns([0.1, -0.1, 0.2], 2).round(6).tolist()
    [-0.01, 0.08]
    """
    array = returns_array(returns, ordered=True, fractions=True)
    horizon = whole_number(horizon, "horizon")
    if horizon > len(array):
        raise InputError(f"horizon={horizon} is longer than the {len(array)} returns")
    if not log and (array < -1.0).any():
        raise InputError(f"returns holds {array.min():g}; a simple return below -1 cannot be compounded")
    windows = np.lib.stride_tricks.sliding_window_view(array, horizon, axis=0)
    total = windows.sum(axis=-1) if log else (1.0 + windows).prod(axis=-1) - 1.0
    starts = np.arange(len(total))
    if not overlapping:
        starts = starts[(len(total) - 1) % horizon :: horizon]
    return _like(np.ascontiguousarray(total[starts]), returns, starts + horizon - 1)


@documented
def loss_from_log_quantile(value: float, log_volatility: float, z: float, *, linear: bool = False) -> float:
    """Loss of a position at the z-quantile of normal log returns: value × (1 - exp(-z × log_volatility)).

    Parameters
    ----------
    value : float
        Market value, money, at least zero.
    log_volatility : float
        Standard deviation of the log return over the horizon.
    z : float
        Standard normal quantile of the confidence, 1.645 for 95 %.
    linear : bool
        Use the linear approximation value × z × log_volatility, 25 % too large at a volatility of 20 % and 99 %.

    Returns
    -------
    float
        Loss in money, positive.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., chapter 3 (lognormal VaR).

    Examples
    --------
    >>> round(loss_from_log_quantile(1_000_000, 0.2, 2.326348), 2)
    372034.22
    >>> round(loss_from_log_quantile(1_000_000, 0.2, 2.326348, linear=True), 1)
    465269.6
    """
    move = finite_number(z, "z") * positive(log_volatility, "log_volatility", zero=True)
    return positive(value, "value", zero=True) * (move if linear else -math.expm1(-move))


def _prices(prices: Any) -> np.ndarray:
    array = observations(prices, "prices", min_obs=2, ordered=True)
    if (array <= 0.0).any():
        where = int(np.argwhere(array <= 0.0)[0][0])
        raise InputError(
            f"prices holds {array.min():g} (first at row {where}); a return needs prices above zero, "
            "profit_and_loss takes prices of any sign"
        )
    return array


def _like(array: np.ndarray, source: Any, rows: Any = 0) -> Any:
    """`array` with the labels of `source` from row number `rows` on, or at these row numbers."""
    index = labels_of(source, 0)
    if index is not None:
        index = index[rows:] if np.ndim(rows) == 0 else index[rows]
    return with_labels(array, index, labels_of(source, 1), getattr(source, "name", None))


def _aligned(values: Any, source: Any) -> Any:
    """Labelled `values` in the order of the columns of `source`."""
    values, columns = as_pandas(values), labels_of(source, 1)
    names = labels_of(values, 0 if np.ndim(values) == 1 else 1)
    if columns is None or names is None or np.ndim(values) == 0:
        return values
    missing = [name for name in columns if name not in names]
    if missing or len(names) != len(columns):
        raise InputError(f"quantities are labelled {list(names)} and prices {list(columns)}; give the same instruments")
    return values[columns]
