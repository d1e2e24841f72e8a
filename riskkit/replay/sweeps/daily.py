"""What each setting refused on each trading day, from one enforce replay a setting: the day is that of the message."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit.replay.calendar import day_starts
from riskkit.replay.columns import Kind
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.sweeps.outcome import IN_MONEY, MEASURES, measures_of
from riskkit.replay.sweeps.runner import Runner
from riskkit.replay.sweeps.settings import Setting, with_setting

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "DailyRunner", "Days", "daily_frame", "days_of"]

COLUMNS = (*MEASURES, "good_notional_refused")
MONEY = (*IN_MONEY, "good_notional_refused")


class Days(NamedTuple):
    """The trading days of a log that have events.

    ``starts`` and ``ends`` are int64 nanoseconds since the epoch, shape (n_days,); ``of_row`` is the day of each event,
    shape (n_events,); ``orders`` the orders that came on each day.
    """

    starts: np.ndarray
    ends: np.ndarray
    of_row: np.ndarray
    orders: np.ndarray


def days_of(log: EventLog, tz: str = "UTC", roll_hour: int = 0) -> Days:
    """Split a log into trading days, as `riskkit.replay.calendar.day_starts` has them.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ts": [0, 86_400 * 10**9, 86_400 * 3 * 10**9], "kind": "order", "account": "A",
    ...                       "instrument": "X", "side": "B", "qty": 1, "price": 10})
    >>> days_of(EventLog.from_frame(frame)).of_row.tolist()  # the third day has no event
    [0, 1, 2]
    """
    ts = log.columns["ts"]
    starts = day_starts(tz, roll_hour, int(ts.min()), int(ts.max()))
    used, of_row = np.unique(np.searchsorted(starts, ts, "right") - 1, return_inverse=True)
    orders = np.bincount(of_row[log.columns["kind"] == Kind.ORDER], minlength=len(used))
    return Days(starts[used], starts[used + 1], of_row, orders)


class DailyRunner(Runner):
    """Runs settings as a sweep does, and keeps of each only its sums by day."""

    def __init__(self, log: EventLog, rules: RuleSet, days: Days, **asked: Any) -> None:
        super().__init__(log, rules, mode="enforce", digests=False, sample_ns=None, **asked)
        self.spacing = None  # type: ignore[assignment]  # no curve of profit is wanted
        self.days = days

    @cached_property
    def _good(self) -> np.ndarray:
        return self.hindsight.notional * (self.hindsight.profit > 0)

    def run(self, setting: Setting) -> dict[str, Any]:
        """Sums of `COLUMNS` by day, in whole units; int64, shape (n_days, 8)."""
        rules = with_setting(self.rules, setting)
        refused = self._stage(rules).replay(rules).refused()["seq"].astype(np.int64)
        measures = np.column_stack([measures_of(self.log, refused, self.hindsight), self._good[refused]])
        sums = np.zeros((len(self.days.starts), len(COLUMNS)), np.int64)
        np.add.at(sums, self.days.of_row[refused], measures)
        return {"sums": sums}


def daily_frame(sums: np.ndarray, n_days: int, orders: int, quantum: float, index: Any = None) -> pd.DataFrame:
    """Sums over days as figures per trading day, so that windows of different lengths compare.

    Parameters
    ----------
    sums : ndarray of int64, shape (n_settings, 8)
        Of `COLUMNS`, in whole units.
    n_days, orders : int
        Trading days, and the orders that came on them.
    quantum : float
        Money of one whole unit.
    index : Index, optional
        The settings.

    Returns
    -------
    DataFrame
        `COLUMNS` per day, and ``refused_share``: orders refused of those that came.
    """
    import pandas as pd

    units = np.array([quantum if name in MONEY else 1.0 for name in COLUMNS])
    frame = pd.DataFrame(sums * units / n_days, columns=list(COLUMNS), index=index)
    frame["refused_share"] = sums[:, 0] / orders if orders else 0.0
    return frame
