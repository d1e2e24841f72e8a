"""Messages that waited their turn, and how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskkit._check import instance
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.schema.columns import DecisionCode, kind_word

if TYPE_CHECKING:
    import pandas as pd


def waiting_messages(result: ReplayResult) -> pd.DataFrame:
    """The accepted messages that rules with the action QUEUE let wait, in order of entry.

    Parameters
    ----------
    result : ReplayResult
        Of a replay or a session.

    Returns
    -------
    DataFrame
        One row per message, indexed by its event: ``time``, ``goes`` (the release, unless the order ended before), ``wait``
        (a Timedelta), kind, ``order_id`` ("" without one), account, instrument, and the first ``rule`` that lets it wait.

    Examples
    --------
    >>> import pandas as pd, riskkit as rk
    >>> order = {"ts": 0, "kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 5, "price": 10}
    >>> log = rk.EventLog.from_frame(pd.DataFrame([order] * 3), [rk.Instrument("X")], unit="ns")
    >>> rules = rk.RuleSet([rk.Rule("pace", rk.rules.Pace(limit=1, window_ns="20ms"))])
    >>> rk.replay.waiting_messages(rk.replay_log(log, rules, compiled=False))[["rule", "wait"]]
         rule                   wait
    seq
    1    pace 0 days 00:00:00.020000
    2    pace 0 days 00:00:00.040000
    """
    import pandas as pd

    instance(result, ReplayResult, "result")
    rows = result.rows[result.rows["code"] == DecisionCode.QUEUED]
    rows = rows[np.unique(rows["seq"], return_index=True)[1]]
    columns, universe, seqs = result.log.columns, result.log.universe, rows["seq"]
    labels = result.log.order_labels.by_row

    def texts(values: list[str]) -> pd.Series:
        return pd.Series(values, dtype=str)

    time, goes = columns["ts"][seqs], rows["until"]
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(time, utc=True),
            "goes": pd.to_datetime(goes, utc=True),
            "wait": pd.to_timedelta(goes - time, unit="ns"),
            "kind": texts([kind_word(kind) for kind in columns["kind"][seqs].tolist()]),
            "order_id": texts([labels.get(order, "") for order in columns["order"][seqs].tolist()]),
            "account": texts([universe.accounts[a].id for a in columns["account"][seqs]]),
            "instrument": texts([universe.instruments[i].id for i in columns["instrument"][seqs]]),
            "rule": texts([result.history.at(int(row["seq"])).rules[int(row["cause"])].id for row in rows]),
        }
    )
    return frame.set_index(pd.Index(seqs, name="seq"))
