"""Order outcomes: profit that each order's fills earned after it, the measure of rejecting the order.

The recorded fills of an order are valued at the mark of their instrument a fixed horizon after the order:
side x quantity x (later mark - fill price) x multiplier, less fees. The mark is the last PRICE known then, or the last
fill if there is none; fills after the horizon are ignored. Neither the market nor the strategy reacts. An order that
was never filled has profit 0 and is neither a good nor a bad rejection.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit._check import Duration
from riskkit._jit import kernel, soonest
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import duration, duration_text

ORDER, FILL, PRICE = int(EventKind.ORDER), int(EventKind.FILL), int(EventKind.PRICE)
END = LARGEST
SKIPPED = int(RowFlag.BAD_TS | RowFlag.DUPLICATE)


class OrderOutcomes(NamedTuple):
    """Value of orders by row of the log, in quanta of money; int64, shape (n_events,).

    ``notional`` is quantity times limit price (for a market order the last mark before it, 0 if there is none);
    ``profit`` is the profit of its fills up to ``horizon_ns`` after it (None: up to the end of the log).
    """

    notional: np.ndarray
    profit: np.ndarray
    horizon_ns: int | None


class _Events(NamedTuple):
    """Columns that the valuation reads; ``fee`` and ``flags`` are empty if the log has none."""

    ts: np.ndarray
    kind: np.ndarray
    instrument: np.ndarray
    side: np.ndarray
    qty: np.ndarray
    price: np.ndarray
    order: np.ndarray
    fee: np.ndarray
    flags: np.ndarray


class _Totals(NamedTuple):
    """Sums by order row: notional and profit in lots times ticks, fees in quanta, quantity held until the horizon."""

    notional: np.ndarray
    profit: np.ndarray
    fees: np.ndarray
    position: np.ndarray


def order_outcomes(log: EventLog, horizon_ns: Duration | None = None, *, compiled: Tier = "auto") -> OrderOutcomes:
    """Value every order of a log by the prices after it.

    Parameters
    ----------
    log : EventLog
        Recorded events.
    horizon_ns : str, Timedelta or int, optional
        Time from an order to its valuation, as "1h" or integer nanoseconds; by default the end of the log.
    compiled : bool or str
        As in `riskkit.replay_log`.

    Raises
    ------
    InputError
        If the horizon is no duration.

    Examples
    --------
    >>> from riskkit.replay import tiny_log
    >>> found = order_outcomes(tiny_log([5], marks=12), compiled=False)
    >>> found.notional.tolist(), found.profit.tolist()
    ([50, 0, 0], [10, 0, 0])
    """
    horizon_ns = checked_horizon(horizon_ns)
    universe = log.universe
    columns: dict[str, np.ndarray] = {"fee": np.zeros(0, np.int64), "flags": np.zeros(0, np.int32), **log.columns}
    events = _Events(*(columns[name] for name in _Events._fields))
    totals = _Totals(*np.zeros((4, len(log)), np.int64))
    marks, quoted = np.full(len(universe.instruments), MISSING), np.zeros(len(universe.instruments), np.int64)
    run = soonest(_value, len(log), compiled)
    run(events, END if horizon_ns is None else horizon_ns, marks, quoted, totals)
    code = np.maximum(columns["instrument"], 0)
    ratio = np.array([[r.numerator, r.denominator] for r in map(universe.ratio, universe.instruments)] or [[1, 1]])
    profit = _quanta(totals.profit, ratio, code) - totals.fees
    return OrderOutcomes(_quanta(totals.notional, ratio, code), profit, horizon_ns)


def checked_horizon(horizon_ns: Duration | None) -> int | None:
    """Nanoseconds from an order to its valuation; None is the end of the log."""
    return None if horizon_ns is None else duration(horizon_ns, "horizon_ns")


def horizon_text(horizon_ns: int | None) -> str:
    """Time at which orders are valued, in words."""
    return "the end of the log" if horizon_ns is None else f"{duration_text(horizon_ns)} after the order"


def _quanta(steps: np.ndarray, ratio: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Convert lots times ticks to quanta of money, rounded down."""
    return steps if (ratio == 1).all() else steps * ratio[code, 0] // ratio[code, 1]


@kernel
def _value(events: _Events, horizon: int, marks: np.ndarray, quoted: np.ndarray, totals: _Totals) -> None:
    """Fill the totals in one pass over the events; a second index follows behind and closes orders at the horizon."""
    ts, kind, instrument, side, qty, price, order, fee, flags = events
    notional, profit, fees, position = totals
    due = 0
    for i in range(len(ts)):
        if len(flags) > 0 and flags[i] & SKIPPED != 0:
            continue
        while due < i and ts[due] + horizon < ts[i]:
            if position[due] != 0:
                profit[due] += position[due] * marks[instrument[due]]
                position[due] = 0
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
            row = order[i]
            if row >= due:
                position[row] += side[i] * qty[i]
                profit[row] -= side[i] * qty[i] * price[i]
                fees[row] += fee[i] if len(fee) > 0 else 0
    for row in range(due, len(ts)):
        if position[row] != 0:
            profit[row] += position[row] * marks[instrument[row]]
