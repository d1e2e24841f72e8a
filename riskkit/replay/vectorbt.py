"""From a vectorbt portfolio to a frame of events: orders, fills and closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.door import infer_instruments
from riskkit.replay.universe import Account, Instrument, exact

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame_from_portfolio"]


def frame_from_portfolio(portfolio: Any, tick: Any, lot: Any) -> tuple[pd.DataFrame, list[Instrument], list[Account]]:
    """Events of every column of a portfolio, with its instruments and accounts.

    A column is an account; its close is an instrument of the same name. At each bar the orders come first, each
    followed by its fill, then the close: the portfolio trades before the bar is over.
    """
    import pandas as pd

    close = portfolio.close
    close = close.to_frame() if isinstance(close, pd.Series) else close
    if not isinstance(close.index, pd.DatetimeIndex):
        raise InputError(f"the portfolio's index is {type(close.index).__name__}; it needs times (a DatetimeIndex)")
    labels = [_label(column) for column in close.columns]
    times = close.index.tz_localize("UTC") if close.index.tz is None else close.index.tz_convert("UTC")
    orders = portfolio.orders.values
    frame = pd.concat([_order_events(orders, labels), _close_events(close, labels)], ignore_index=True)
    frame = frame.sort_values(["bar", "turn", "number"], kind="stable", ignore_index=True)
    frame["ts"] = times[frame["bar"].to_numpy()]
    frame = frame.drop(columns=["bar", "turn", "number"])
    instruments = _instruments(frame, labels, tick, lot)
    cash = np.broadcast_to(np.asarray(portfolio.init_cash, float), (len(labels),))
    return frame, instruments, [Account(a, {"USD": float(c)}) for a, c in zip(labels, cash, strict=True)]


def _label(column: Any) -> str:
    return "/".join(map(str, column)) if isinstance(column, tuple) else str(column)


def _order_events(orders: np.ndarray, labels: list[str]) -> pd.DataFrame:
    """Two rows an order: the order, and the fill that vectorbt simulated for it."""
    import pandas as pd

    count = len(orders)
    names = np.array(labels, object)[orders["col"]]
    one = pd.DataFrame(
        {
            "bar": orders["idx"],
            "turn": 0,
            "account": names,
            "instrument": names,
            "side": np.where(orders["side"] == 0, "B", "S"),
            "qty": orders["size"],
            "price": orders["price"],
            "order_id": np.arange(count),
        }
    )
    both = pd.concat([one.assign(kind="order", fee=np.nan), one.assign(kind="fill", fee=orders["fees"])])
    both["number"] = 2 * both["order_id"] + (both["kind"] == "fill")
    return both


def _close_events(close: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    import pandas as pd

    values = close.to_numpy(float)
    bar, column = np.nonzero(np.isfinite(values))
    return pd.DataFrame(
        {
            "bar": bar,
            "turn": 1,
            "number": column,
            "kind": "price",
            "instrument": np.array(labels, object)[column],
            "price": values[bar, column],
        }
    )


def _instruments(frame: pd.DataFrame, labels: list[str], tick: Any, lot: Any) -> list[Instrument]:
    proposed = {instrument.id: instrument for instrument in infer_instruments(frame)}
    return [
        Instrument(
            label,
            proposed[label].tick if tick is None else exact(tick, "tick"),
            proposed[label].lot if lot is None else exact(lot, "lot"),
        )
        for label in labels
        if label in proposed
    ]
