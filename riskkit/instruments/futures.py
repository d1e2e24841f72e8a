"""Futures contracts joined to one series, for models that need a long history of prices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

from riskkit._check import InputError, float_array, labels_of, one_of, refuse_disorder, shown, with_labels

Adjustment = Literal["ratio", "difference", "none"]


def continuous_futures(prices: Any, rolls: Sequence[Any], adjustment: Adjustment = "ratio") -> Any:
    """Prices of successive futures contracts as one series, adjusted backwards so that a roll is no gain or loss.

    Parameters
    ----------
    prices : (n_obs, n_contracts)
        Settlement prices, oldest first, the contracts in the order of their expiries; NaN where one has none.
    rolls : (n_contracts - 1,)
        Last period in which each contract but the last is held, by label or, without labels, by number: at its price then the
        position goes into the next contract.
    adjustment : {"ratio", "difference", "none"}
        Earlier prices are multiplied by the ratio of the two prices at the roll: relative returns are those of the contracts held.
        Or moved by their difference: P&L is, and old prices may fall below zero. Or left as they are, with the jumps.

    Returns
    -------
    (n_obs,) array or Series
        Price per unit; the last contract is not adjusted.

    Raises
    ------
    InputError
        Rolls out of order, another number of them, a contract without a price while it is held or at its rolls, or a ratio of
        prices that are not above zero.

    References
    ----------
    Masteika, Rutkauskas and Alexander (2012), Continuous futures data series for back testing and technical analysis, Int. Proc. of
    Economics Development and Research 29, 265-269 (Proc. of ICEBI 2012).

    Examples
    --------
    >>> prices = [[100.0, 104.0], [102.0, 106.0], [101.0, 105.5]]
    >>> continuous_futures(prices, [1]).round(3).tolist(), continuous_futures(prices, [1], "difference").tolist()
    ([103.922, 106.0, 105.5], [104.0, 106.0, 105.5])
    """
    one_of(adjustment, get_args(Adjustment), "adjustment")
    refuse_disorder(prices, "prices")
    table, rows = float_array(prices, "prices"), labels_of(prices, 0)
    if table.ndim != 2 or not table.size:
        raise InputError(f"prices has shape {table.shape}; it needs (n_obs, n_contracts)")
    ends = [_row(roll, rows, len(table)) for roll in rolls]
    if len(ends) != table.shape[1] - 1 or sorted(set(ends)) != ends:
        raise InputError(
            f"rolls are {shown(list(rolls))}; {table.shape[1]} contracts need {table.shape[1] - 1}, in order of time"
        )
    starts, out = [0, *(end + 1 for end in ends)], np.empty(len(table))
    factor, shift = 1.0, 0.0
    for k in reversed(range(table.shape[1])):
        end = [*ends, len(table) - 1][k]
        held = table[starts[k] : end + 1, k]
        if k < len(ends):
            now, following = table[end, k], table[end, k + 1]
            if adjustment == "ratio":
                if not min(now, following) > 0.0:
                    raise InputError(
                        f"the prices {now:g} and {following:g} at roll {k} have no ratio; use adjustment='difference'"
                    )
                factor *= following / now
            elif adjustment == "difference":
                shift += following - now
        out[starts[k] : end + 1] = held * factor + shift
    if not np.isfinite(out).all():
        row = int(np.argmin(np.isfinite(out)))
        raise InputError(f"prices has no price in row {row} of the contract that is held then, or at its roll")
    return with_labels(out, rows)


def _row(roll: Any, rows: Any, n: int) -> int:
    """Number of the row of a roll, which is not the last one."""
    try:
        row = int(rows.get_loc(roll)) if rows is not None else int(roll)
    except (KeyError, TypeError, ValueError):
        raise InputError(f"rolls has {shown(roll)}, which is no period of prices") from None
    if not 0 <= row < n - 1:
        raise InputError(f"rolls has {shown(roll)}; a roll is a period of prices before the last")
    return row
