"""Moves of prices in historical windows, and scenarios from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError, as_pandas, labels_of, observations, refuse_disorder
from riskkit._types import ReturnsLike
from riskkit.stress.docs import documented
from riskkit.stress.historical_windows import Window, windows_in


@documented
def episodes(prices: Any = None, windows: Any = None) -> Any:
    """Moves of prices in historical episodes: total move, worst period, and maximum drawdown.

    Parameters
    ----------
    prices : Series or DataFrame (n_obs, n_series), optional
        Prices above zero, oldest first, labelled by date; by default the S&P 500 of `riskkit.datasets.load_index`.

    Returns
    -------
    DataFrame
        One row per episode (and series): `periods`, the simple returns `move` over the window and `worst_move` of a
        single period, the label `worst` of that period, `drawdown` as a positive fraction of the peak, and the labels
        `peak` and `trough`.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., chapter 14 (historical scenarios). Committee on the Global Financial System
    (2005), Stress testing at major financial institutions: survey results and practice.

    Examples
    --------
    >>> table = episodes(windows=["Lehman autumn 2008", "COVID 2020"])
    >>> table[["periods", "move", "worst_move", "drawdown"]].round(4).to_numpy().tolist()
    [[49.0, -0.3989, -0.0903, 0.4005], [23.0, -0.3392, -0.1198, 0.3392]]
    >>> [str(day.date()) for day in table["worst"]]
    ['2008-10-15', '2020-03-16']
    """
    import pandas as pd

    if prices is None:
        from riskkit.datasets import load_index

        prices = load_index()["sp500"]
    prices = as_pandas(prices)
    refuse_disorder(prices, "prices")
    if labels_of(prices, 0) is None:
        raise InputError("prices has no dates; give a Series or DataFrame indexed by date")
    several = isinstance(prices, pd.DataFrame)
    table = prices if several else prices.to_frame()
    records, keys = [], []
    for window in windows_in(table, windows):
        for name in table.columns:
            records.append(_moves(table[name], window))
            keys.append((window.name, name) if several else window.name)
    index = pd.MultiIndex.from_tuples(keys, names=["episode", "series"]) if several else pd.Index(keys, name="episode")
    return pd.DataFrame.from_records(records, index=index)


@documented
def historical_scenarios(returns: ReturnsLike, windows: Any = None, *, additive: Any = ()) -> Any:
    """Scenarios from historical windows: the total move of every factor as one scenario per window.

    Parameters
    ----------
    returns : (n_obs, n_assets)
        Simple returns per period, oldest first.

    Returns
    -------
    DataFrame (n_windows, n_assets)
        Total moves: simple returns, or sums for additive factors.

    References
    ----------
    Jorion (2007), Value at Risk, 3rd ed., chapter 14.

    Examples
    --------
    >>> historical_scenarios([[0.1, 0.0], [-0.5, 0.1], [0.1, 0.1]], {"fall": (0, 2)}).round(6).to_numpy().tolist()
    [[-0.45, 0.21]]
    """
    import pandas as pd

    returns = as_pandas(returns)
    refuse_disorder(returns, "returns")
    table = returns if isinstance(returns, pd.DataFrame) else pd.DataFrame(returns)
    unknown = [name for name in additive if name not in table.columns]
    if unknown:
        raise InputError(f"additive names {unknown[0]!r}, which is not a column of returns")
    rows = {}
    for window in windows_in(table, windows):
        moves = observations(table[window.rows], f"returns in window {window.name!r}")
        with np.errstate(over="ignore"):
            total = (1.0 + moves).prod(axis=0) - 1.0
        if not np.isfinite(total).all():
            raise InputError(
                f"returns compound to more than a number holds in window {window.name!r}; are they returns?"
            )
        adds = table.columns.isin(list(additive))
        rows[window.name] = np.where(adds, moves.sum(axis=0), total)
    return pd.DataFrame.from_dict(rows, orient="index", columns=table.columns).rename_axis("scenario")


def worst_fall(path: np.ndarray) -> tuple[int, int]:
    """Positions of the peak and the trough of the largest fall of a path, by difference; equal without a fall."""
    fall = np.maximum.accumulate(path) - path
    trough = int(np.argmax(fall))
    return int(np.argmax(path[: trough + 1])), trough


def _moves(prices: Any, window: Window) -> dict[str, Any]:
    """The moves of one series from the close before the window to its end."""
    first = int(np.argmax(window.rows))
    if first == 0:
        raise InputError(f"window {window.name!r} needs the price of the period before its first row; start it later")
    span = slice(first - 1, first + int(window.rows.sum()))
    level = observations(prices.iloc[span], f"prices of {prices.name!r} in {window.name!r}")
    if (level <= 0.0).any():
        raise InputError(
            f"prices of {prices.name!r} in {window.name!r} fall to {level.min():g}; give prices above zero"
        )
    labels = prices.index[span]
    moves = level[1:] / level[:-1] - 1.0
    worst = int(np.argmin(moves))
    peak, trough = worst_fall(np.log(level))  # the largest fall as a fraction
    return {
        "start": labels[0],
        "end": labels[-1],
        "periods": len(moves),
        "move": float(level[-1] / level[0] - 1.0),
        "worst_move": float(moves[worst]),
        "worst": labels[worst + 1],
        "drawdown": float(1.0 - level[trough] / level[peak]),
        "peak": labels[peak],
        "trough": labels[trough],
    }
