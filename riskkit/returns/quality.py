"""What is wrong with a table of prices, before it becomes returns: gaps, prices that stand still, jumps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from riskkit._check import InputError, float_array, labels_of, positive, refuse_disorder, whole_number


def price_flags(prices: Any, *, stale_periods: int = 5, jump_size: float = 6.0, jump_window: int = 60) -> Any:
    """Gaps, stale prices and jumps of a table of prices.

    Parameters
    ----------
    prices : (n_obs,) or (n_obs, n_series)
        Prices above zero, oldest first, a missing one as NaN.
    stale_periods : int
        Number of unchanged prices in a row from which on they are stale.
    jump_size : float
        Logarithmic return, in volatilities of the moves before it, from which on it is a jump.
    jump_window : int
        Number of moves that give the volatility, itself without jumps (bipower variation); at least three.

    Returns
    -------
    DataFrame
        A row for each finding, by series and time: `series`; `flag` ("gap", "stale" or "jump"); `first` and `last`, the labels of its
        prices; `n_periods`; `size`, a jump in volatilities, NaN else. A gap before the first price is
        a later listing, and is a gap. Nothing is changed: `riskkit.covariance.complete_returns` fills.

    Raises
    ------
    InputError
        Infinity, a price not above zero, or dates out of order.

    References
    ----------
    Lee and Mykland (2008), Jumps in financial markets: a new nonparametric test and jump dynamics, Rev. Financial Studies 21,
    2535-2563, eq. 7 (without its limit law, which in windows this short is far from true).

    Examples
    --------
    >>> prices = [100.0, 101.0, 100.5, 101.2, 100.9, 101.5, 130.0, 130.0, 130.0, float("nan"), 131.0]
    >>> price_flags(prices, stale_periods=2, jump_window=4).round(1)
       series   flag  first  last  n_periods  size
    0       0   jump      6     6          1  40.1
    1       0  stale      7     8          2   NaN
    2       0    gap      9     9          1   NaN
    """
    import pandas as pd

    refuse_disorder(prices, "prices")
    longest = whole_number(stale_periods, "stale_periods", at_least=1)
    window, least = whole_number(jump_window, "jump_window", at_least=3), positive(jump_size, "jump_size")
    array = float_array(prices, "prices")
    if array.ndim not in (1, 2) or not array.size:
        raise InputError(f"prices has shape {array.shape}; it needs (n_obs,) or (n_obs, n_series)")
    table = array.reshape(len(array), -1)
    wrong = np.argwhere(np.isinf(table) | (table <= 0.0))
    if len(wrong):
        raise InputError(
            f"prices holds {table[tuple(wrong[0])]:g} in row {wrong[0][0]}; a price is finite and above zero"
        )
    rows, columns = labels_of(prices, 0), labels_of(prices, 1) if array.ndim == 2 else None
    index, found = range(len(table)) if rows is None else rows, []
    for j, column in enumerate(table.T):
        flags = _gaps(column) + _stale(column, longest) + _jumps(column, window, least)
        name = j if columns is None else columns[j]
        found += [(name, flag, index[a], index[b], b - a + 1, size) for a, b, flag, size in sorted(flags)]
    return pd.DataFrame(found, columns=["series", "flag", "first", "last", "n_periods", "size"])


Flag = tuple[int, int, str, float]


def _runs(of: np.ndarray, at_least: int, flag: str) -> list[Flag]:
    """First and last place of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], of.astype(np.int8), [0]]))).reshape(-1, 2)
    return [(int(a), int(b) - 1, flag, math.nan) for a, b in edges if b - a >= at_least]


def _gaps(column: np.ndarray) -> list[Flag]:
    return _runs(np.isnan(column), 1, "gap")


def _stale(column: np.ndarray, longest: int) -> list[Flag]:
    """Runs of prices that equal the one before."""
    return _runs(np.concatenate([[False], np.diff(column) == 0.0]), longest, "stale")


def _jumps(column: np.ndarray, window: int, least: float) -> list[Flag]:
    """Returns of at least so many volatilities of the moves before; a price that stands still is no move."""
    places = np.flatnonzero(np.isfinite(column))
    returns = np.diff(np.log(column[places]))
    places, moves = places[1:][returns != 0.0], returns[returns != 0.0]
    if len(moves) <= window:
        return []
    products = np.abs(moves[1:] * moves[:-1])
    bipower = np.convolve(products, np.full(window - 1, 0.5 * math.pi / (window - 1.0)), "valid")[: len(moves) - window]
    sizes = moves[window:] / np.sqrt(bipower)
    return [
        (int(places[k + window]), int(places[k + window]), "jump", float(sizes[k]))
        for k in np.flatnonzero(np.abs(sizes) >= least)
    ]
