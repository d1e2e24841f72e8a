"""A small event log for examples and tests."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from riskkit._check import Duration
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.durations import duration


def tiny_log(
    qty: Sequence[int] = (1, 9, 2),
    price: float | Sequence[float] = 10,
    marks: float | Sequence[float] | None = None,
    *,
    spacing_ns: Duration | None = None,
) -> EventLog:
    """Return an event log of a few buy orders of account A in instrument X, for examples and tests.

    Parameters
    ----------
    qty : sequence of int
        Quantity of each order.
    price : float or sequence of float
        Limit price of each order.
    marks : float or sequence of float, optional
        Market price after each order. If given, each order is filled at its price before the market price.
    spacing_ns : str, Timedelta or int, optional
        Time from one order to the next, as "1s" or integer nanoseconds; by default consecutive events are one nanosecond apart.

    Examples
    --------
    >>> from riskkit.replay import tiny_log
    >>> tiny_log([5, 2], marks=8).counts()
    {'ORDER': 2, 'FILL': 2, 'PRICE': 2}
    """
    step = (1 if marks is None else 3) if spacing_ns is None else duration(spacing_ns, "spacing_ns", zero=False)
    ts = [i * step for i in range(len(qty))]
    orders = pd.DataFrame({"ts": ts, "kind": "order", "account": "A", "instrument": "X", "side": "B"})
    orders["qty"], orders["price"] = list(qty), price
    if marks is None:
        return EventLog.from_frame(orders)
    orders["order_id"] = [f"o{i}" for i in range(len(qty))]
    fills = orders.assign(ts=orders["ts"] + 1, kind="fill")
    prices = pd.DataFrame({"ts": orders["ts"] + 2, "kind": "price", "instrument": "X", "price": marks})
    frame = pd.concat([orders, fills, prices]).sort_values("ts", kind="stable", ignore_index=True)
    return EventLog.from_frame(frame)
