"""Hindsight: what each order of the record went on to earn, to judge whether refusing it would have been right.

An order's fills, as recorded, are held against the mark of their instrument a declared time after the order:
side x quantity x (later mark - fill price) x multiplier, less fees. The mark is the last PRICE known then, the last
fill where there was none; a fill after that time earns nothing. Neither the market nor the strategy reacts. An order
that was never filled earned nothing, and refusing it was neither right nor wrong.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit._jit import kernel, plain
from riskkit.replay.columns import MISSING, Flag, Kind
from riskkit.replay.constants import LARGEST
from riskkit.replay.events import EventLog

__all__ = ["Hindsight", "hindsight_of"]

ORDER, FILL, PRICE = int(Kind.ORDER), int(Kind.FILL), int(Kind.PRICE)
END = LARGEST
SKIPPED = int(Flag.BAD_TS | Flag.DUPLICATE)


class Hindsight(NamedTuple):
    """What orders were worth, by the row of the order; whole quanta of money, int64, shape (n_events,).

    ``notional`` is that of the order at its price (a market order's at the last mark before it, 0 where there was
    none); ``profit`` what its fills went on to earn up to ``horizon_ns`` after it (None: to the end of the log).
    """

    notional: np.ndarray
    profit: np.ndarray
    horizon_ns: int | None


def hindsight_of(log: EventLog, horizon_ns: int | None = None, *, compiled: bool = True) -> Hindsight:
    """Value every order of a log by the prices that came after it.

    Parameters
    ----------
    log : EventLog
        The record.
    horizon_ns : int, optional
        How long after an order its fills are valued, in nanoseconds; by default at the end of the log.
    compiled : bool
        False runs the same pass as plain Python.

    Raises
    ------
    InputError
        Where the horizon is no time at or above zero.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ts": range(3), "kind": ["order", "fill", "price"], "account": ["A", "A", None],
    ...                       "instrument": "X", "side": ["B", "B", None], "qty": [5, 5, None],
    ...                       "price": [10, 10, 12], "order_id": ["a", "a", None]})
    >>> found = hindsight_of(EventLog.from_frame(frame), compiled=False)
    >>> found.notional.tolist(), found.profit.tolist()
    ([50, 0, 0], [10, 0, 0])
    """
    if horizon_ns is not None and (
        isinstance(horizon_ns, bool) or not isinstance(horizon_ns, int) or not 0 <= horizon_ns < END
    ):
        raise InputError(f"horizon_ns={horizon_ns!r} is not a number of nanoseconds at or above zero")
    columns, universe, size = log.columns, log.universe, len(log)
    notional, profit, fees = np.zeros((3, size), np.int64)
    names = ("ts", "kind", "instrument", "side", "qty", "price", "order")
    fee = columns.get("fee", np.zeros(0, np.int64))
    flags = columns.get("flags", np.zeros(0, np.int32))
    marks, quoted = np.full(len(universe.instruments), MISSING), np.zeros(len(universe.instruments), np.int64)
    run = _value if compiled else plain(_value)
    until = END if horizon_ns is None else horizon_ns
    run(*(columns[name] for name in names), fee, flags, until, marks, quoted, notional, profit, fees)
    code = np.maximum(columns["instrument"], 0)
    ratio = np.array([[r.numerator, r.denominator] for r in map(universe.ratio, universe.instruments)] or [[1, 1]])
    return Hindsight(_quanta(notional, ratio, code), _quanta(profit, ratio, code) - fees, horizon_ns)


def _quanta(steps: np.ndarray, ratio: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Lots times ticks as quanta of money, rounded down where there is a rest."""
    if (ratio == 1).all():
        return steps
    return steps * ratio[code, 0] // ratio[code, 1]


@kernel
def _value(ts, kind, instrument, side, qty, price, order, fee, flags, horizon, marks, quoted, notional, profit, fees):
    """Fill `notional`, `profit` (lots times ticks) and `fees` of every order, in one pass with its due times behind."""
    held = np.zeros(len(ts), np.int64)
    due = 0
    for i in range(len(ts)):
        if len(flags) > 0 and flags[i] & SKIPPED != 0:
            continue
        while due < i and ts[due] + horizon < ts[i]:
            if held[due] != 0:
                profit[due] += held[due] * marks[instrument[due]]
                held[due] = 0
            due += 1
        k = kind[i]
        a = instrument[i]
        if k == ORDER:
            worth = price[i] if price[i] != MISSING else marks[a]
            notional[i] = abs(qty[i] * worth) if worth != MISSING else 0
        elif k == PRICE:
            if price[i] != MISSING:
                marks[a] = price[i]
                quoted[a] = 1
        elif k == FILL:
            if quoted[a] == 0:
                marks[a] = price[i]
            named = order[i]
            if named >= due:
                held[named] += side[i] * qty[i]
                profit[named] -= side[i] * qty[i] * price[i]
                fees[named] += fee[i] if len(fee) > 0 else 0
    for row in range(due, len(ts)):
        if held[row] != 0:
            profit[row] += held[row] * marks[instrument[row]]
