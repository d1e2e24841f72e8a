"""Early warning: the time until a limit is breached if its use goes on growing as it did in the last while."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from riskkit._check import Duration, InputError, instance
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.session_status import SessionStatus
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.durations import duration

if TYPE_CHECKING:
    import pandas as pd

SECOND = 1_000_000_000
COLUMNS = (
    "ts",
    "rule",
    "key",
    "observed",
    "limit",
    "headroom",
    "unit",
    "rate",
    "time_left",
    "breach_at",
    "warns",
    "alert",
)


class EarlyWarning:
    """Projects the use of every limit: time left = headroom / rate, rate = what the headroom fell by in `window_ns` over `window_ns`.

    A rate that is not above zero never breaches; a limit that is breached has no time left. A limit warns if the time left is at most
    `horizon`, and raises an alert when it begins to: it can raise the next one after more time was left again. Nothing is projected
    before the first reading is `window_ns` old.

    Parameters
    ----------
    window_ns, horizon : str, Timedelta or nanoseconds
        Length of the past from which the rate is, and the time left at which a limit warns; above zero.

    Raises
    ------
    InputError
        A length that is no duration above zero.

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("volume", rk.rules.VolumeCap(limit=100))])
    >>> session = rk.Session.create(rules, [rk.Instrument("X")], ["A"], compiled=False)
    >>> warning = EarlyWarning("10s", "1min")
    >>> for turn, quantity in enumerate([10, 5, 5]):
    ...     fill = {"account": "A", "instrument": "X", "side": "B", "qty": quantity, "price": 10}
    ...     decisions = session.process_trade(ts=10_000_000_000 * turn, **fill)
    ...     frame = warning.take(session.status())
    >>> frame[["observed", "rate", "time_left"]].to_numpy().tolist()
    [[20.0, 0.5, 160.0]]
    """

    def __init__(self, window_ns: Duration, horizon: Duration) -> None:
        self.window_ns = duration(window_ns, "window_ns", zero=False)
        self.horizon = duration(horizon, "horizon", zero=False)
        self._past: dict[tuple[str, str], deque[tuple[int, Fraction]]] = {}
        self._warned: set[tuple[str, str]] = set()

    def take(self, status: SessionStatus) -> pd.DataFrame:
        """Take the use of all limits as of a status.

        Parameters
        ----------
        status : SessionStatus
            Of a session, in order of time.

        Returns
        -------
        DataFrame
            One row per rule and key as of `SessionStatus.utilization`, with ``rate``, units of the limit a second (NaN: not known);
            ``time_left``, seconds (infinite: never; NaN: not known); ``breach_at``, the time of the projected breach; ``warns``; and
            ``alert``, True where it begins to warn.

        Raises
        ------
        InputError
            Something else, or a status from before the last one.
        """
        return self.take_utilization(instance(status, SessionStatus, "status").utilization(), status.ts)

    def take_utilization(self, frame: pd.DataFrame, ts: int) -> pd.DataFrame:
        """Take a frame with the columns rule, key, observed, limit, headroom and unit, at a time; else as `take`."""
        import pandas as pd

        latest = max((past[-1][0] for past in self._past.values()), default=ts)
        if ts < latest:
            raise InputError(f"status is of {ts}, before {latest} of the last one; give them in order of time")
        rows = [
            {"ts": ts, **{name: row[name] for name in COLUMNS[1:7]}, **self._projected(row, ts)}
            for row in frame.to_dict("records")
            if row["headroom"] is not None and row["headroom"] == row["headroom"] and row["unit"] != "time"
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"warns": bool, "alert": bool})

    def _projected(self, row: dict[Any, Any], ts: int) -> dict[str, Any]:
        """What is projected of one limit."""
        key = str(row["rule"]), str(row["key"])
        left, past = Fraction(row["headroom"]), self._past.setdefault(key, deque())
        past.append((ts, left))
        while len(past) > 1 and past[1][0] <= ts - self.window_ns:
            past.popleft()
        known = past[0][0] <= ts - self.window_ns
        fall = past[0][1] - left if known else Fraction(0)
        never = left >= 0 and fall <= 0
        time_left = Fraction(0) if left < 0 else None if never else left * self.window_ns / fall
        warns = time_left is not None and time_left <= self.horizon
        alert = warns and key not in self._warned
        (self._warned.add if warns else self._warned.discard)(key)
        seconds = float(time_left) / SECOND if time_left is not None else float("inf") if known else float("nan")
        return {
            "rate": float(fall) * SECOND / self.window_ns if known else float("nan"),
            "time_left": seconds,
            "breach_at": None if time_left is None else ts + int(time_left),
            "warns": warns,
            "alert": alert,
        }


@needs_a_log
def early_warnings(
    log: EventLog, rules: RuleSet, *, window_ns: Duration, horizon: Duration, sample_ns: Duration
) -> pd.DataFrame:
    """The alerts of an `EarlyWarning` over a log, whose events happen as recorded (shadow mode).

    Parameters
    ----------
    log : EventLog
        The events.
    rules : RuleSet
        Limits on what adds up; those of single orders have no use that grows.
    window_ns, horizon
        As of `EarlyWarning`.
    sample_ns : str, Timedelta or nanoseconds
        Time between two readings, above zero; each is after the last event before it.

    Returns
    -------
    DataFrame
        The rows of `EarlyWarning.take` that raise an alert, in order of time.

    Raises
    ------
    InputError
        As of `EarlyWarning`, or something that is no log or rule set.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> fills = pd.DataFrame({"ts": pd.date_range("2026-03-02 09:00", periods=9, freq="10s"), "kind": "fill", "account": "A",
    ...                       "instrument": "X", "side": "B", "qty": 10, "price": 10})
    >>> rules = rk.RuleSet([rk.Rule("volume", rk.rules.VolumeCap(limit=100))])
    >>> found = early_warnings(rk.EventLog.from_frame(fills), rules, window_ns="20s", horizon="30s", sample_ns="10s")
    >>> found[["observed", "time_left"]].to_numpy().tolist()
    [[70.0, 30.0]]
    """
    import numpy as np
    import pandas as pd

    instance(rules, RuleSet, "rules")
    step, warning = duration(sample_ns, "sample_ns", zero=False), EarlyWarning(window_ns, horizon)
    engine = Engine(rules, log.universe, "shadow", compiled=False)
    ts = log.columns["ts"]
    found, at = [], 0
    for time in range(int(ts[0]), int(ts[-1]) + step, step) if len(log) else ():
        stop = int(np.searchsorted(ts, time, "right"))
        engine.feed(log, at, stop)
        at = stop
        found.append(warning.take_utilization(SessionStatus(engine).utilization(), time))
    frames = [frame[frame["alert"]] for frame in found if frame["alert"].any()]
    return pd.concat(frames, ignore_index=True) if frames else warning.take_utilization(pd.DataFrame(), 0)
