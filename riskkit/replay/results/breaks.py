"""Reconciliation breaks: where a snapshot of the venue said something else than we believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskkit._check import instance
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.schema.columns import BREAKS, MISSING, DecisionCode

if TYPE_CHECKING:
    import pandas as pd


def reconciliation_breaks(result: ReplayResult) -> pd.DataFrame:
    """The positions and working orders of which snapshots of the venue said something else than we believed.

    Parameters
    ----------
    result : ReplayResult
        Of a replay or a session.

    Returns
    -------
    DataFrame
        One row per difference, indexed by the first event of its snapshot, positions before orders: time, ``what`` ("position" or
        "order"), account, instrument, ``order_id`` ("" of a position), and the quantity as ``believed`` and as the ``venue`` says: of a
        position with its sign (below zero: short), of an order its rest. NaN of an order that one side does not know.

    Notes
    -----
    Each snapshot compares the whole book of its account: in a replay that enforces rules the positions of the log as recorded, for
    the venue knows nothing of what this replay refuses. RTS 6 (Regulation (EU) 2017/589) Art. 17 asks firms to reconcile their own
    records with those of venues, brokers and clearing members.

    Examples
    --------
    >>> import pandas as pd, riskkit as rk
    >>> order = {"account": "A", "instrument": "X", "side": "B", "price": 10, "order_id": "a"}
    >>> rows = [{"ts": 0, "kind": "order", **order, "qty": 6}, {"ts": 1, "kind": "snapshot", **order, "qty": 4}]
    >>> log = rk.EventLog.from_frame(pd.DataFrame(rows), [rk.Instrument("X")], unit="ns")
    >>> rk.replay.reconciliation_breaks(rk.replay_log(log, rk.RuleSet([]), compiled=False))[["what", "order_id", "believed", "venue"]]
          what order_id  believed  venue
    seq
    1    order        a       6.0    4.0
    """
    import pandas as pd

    instance(result, ReplayResult, "result")
    log, universe = result.log, result.log.universe
    rows = result.rows[np.isin(result.rows["code"], BREAKS)]
    held, about = rows["code"] == DecisionCode.POSITION_BREAK, rows["observed"].tolist()
    code, labels = log.pair_instrument[rows["key"]], log.order_labels.by_row
    venue, believed = (_quantities(rows[name], code, result) for name in ("limit", "until"))
    seq = log.columns["batch"][rows["seq"]] if len(rows) else rows["seq"]
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(log.columns["ts"][seq], utc=True),
            "what": pd.Series(np.where(held, "position", "order"), dtype=str),
            "account": pd.Series([universe.accounts[a].id for a in log.pair_account[rows["key"]]], dtype=str),
            "instrument": pd.Series([universe.instruments[i].id for i in code], dtype=str),
            "order_id": pd.Series(
                ["" if p else labels.get(o, "") for p, o in zip(held, about, strict=True)], dtype=str
            ),
            "believed": believed,
            "venue": np.where(held | (rows["limit"] != 0), venue, np.nan),
        }
    )
    order = np.lexsort((frame["instrument"], frame["order_id"], ~held, seq))
    return frame.set_index(pd.Index(seq, name="seq")).iloc[order]


def _quantities(lots: np.ndarray, code: np.ndarray, result: ReplayResult) -> np.ndarray:
    """Lots as quantities; NaN where they are not known."""
    known = lots != MISSING
    return np.where(known, result.log.universe.quantities(np.where(known, lots, 0), code), np.nan)
