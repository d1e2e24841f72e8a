"""Messages that waited their turn, and how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from riskkit._check import instance
from riskkit._show import frame_of
from riskkit.replay.results.frames import message_labels
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
    columns, seqs = result.log.columns, rows["seq"]
    time, goes = columns["ts"][seqs], rows["until"]
    texts = {
        "kind": [kind_word(kind) for kind in columns["kind"][seqs].tolist()],
        **message_labels(result.log, seqs, columns["order"][seqs]),
        "rule": [result.history.at(int(row["seq"])).rules[int(row["cause"])].id for row in rows],
    }
    del texts["side"]
    found = {
        "time": pd.to_datetime(time, utc=True),
        "goes": pd.to_datetime(goes, utc=True),
        "wait": pd.to_timedelta(goes - time, unit="ns"),
        **texts,
    }
    return frame_of(found, texts).set_index(pd.Index(seqs, name="seq"))
