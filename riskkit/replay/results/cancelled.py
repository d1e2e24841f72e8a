"""Working orders that commands and rules took off the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskkit._check import instance
from riskkit._show import frame_of
from riskkit.replay.results.frames import message_labels
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.schema.columns import DecisionCode

if TYPE_CHECKING:
    import pandas as pd


def cancelled_orders(result: ReplayResult) -> pd.DataFrame:
    """The working orders that a KILL command or self-match prevention took away, in the order in which they went.

    Parameters
    ----------
    result : ReplayResult
        Of a replay or a session.

    Returns
    -------
    DataFrame
        One row per order, indexed by the event that cancelled it: time, ``order_id`` ("" without one), the ``order``'s event,
        account, instrument, side, and the quantity that worked.

    Examples
    --------
    >>> import pandas as pd, riskkit as rk
    >>> order = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 5, "price": 10, "order_id": "a1"}
    >>> kill = {"kind": "control", "cmd": "KILL", "account": "A"}
    >>> log = rk.EventLog.from_frame(pd.DataFrame([order, kill]).assign(ts=[0, 1]), [rk.Instrument("X")], unit="ns")
    >>> rk.replay.cancelled_orders(rk.replay_log(log, rk.RuleSet([]), compiled=False))[["order_id", "quantity"]]
        order_id  quantity
    seq
    1         a1       5.0
    """
    import pandas as pd

    instance(result, ReplayResult, "result")
    rows = result.rows[result.rows["code"] == DecisionCode.CANCELLED]
    columns, orders = result.log.columns, rows["observed"]
    named = message_labels(result.log, orders, orders)
    found = {
        "time": pd.to_datetime(columns["ts"][rows["seq"]], utc=True),
        "order_id": named["order_id"],
        "order": orders,
        **named,
        "quantity": result.log.universe.quantities(rows["limit"], columns["instrument"][orders]),
    }
    return frame_of(found, named).set_index(pd.Index(rows["seq"], name="seq"))
