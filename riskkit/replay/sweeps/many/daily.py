"""Rejections by trading day of every setting, each from one enforce replay; a rejection counts on its message's day."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.calendar import day_starts
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.sweeps.grid.settings import Setting, with_setting
from riskkit.replay.sweeps.many.metrics import IN_MONEY, REJECTION_METRICS, rejection_sums, with_notes
from riskkit.replay.sweeps.many.order_outcome import order_outcomes
from riskkit.replay.sweeps.many.runner import Options, Replays

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (*REJECTION_METRICS, "good_notional_rejected")
MONEY = (*IN_MONEY, "good_notional_rejected")


class Days(NamedTuple):
    """Trading days of a log that have events.

    ``starts`` and ``ends`` are int64 nanoseconds since the epoch, shape (n_days,); ``of_row`` is the day of each event,
    shape (n_events,); ``orders`` the number of orders of each day.
    """

    starts: np.ndarray
    ends: np.ndarray
    of_row: np.ndarray
    orders: np.ndarray


def days_of(log: EventLog, tz: str = "UTC", roll_hour: int = 0) -> Days:
    """Split a log into trading days as defined by `riskkit.replay.schema.calendar.day_starts`.

    Examples
    --------
    >>> from riskkit.replay import tiny_log
    >>> days_of(tiny_log([1, 1, 1], spacing_ns=36 * 3600 * 10**9)).of_row.tolist()  # days 0, 1 and 3 have events
    [0, 1, 2]
    """
    ts = log.columns["ts"]
    starts = day_starts(tz, roll_hour, int(ts.min()), int(ts.max()))
    used, of_row = np.unique(np.searchsorted(starts, ts, "right") - 1, return_inverse=True)
    orders = np.bincount(of_row[log.columns["kind"] == EventKind.ORDER], minlength=len(used))
    return Days(starts[used], starts[used + 1], of_row, orders)


class DailyRunner:
    """Sums of settings by trading day; order outcomes are computed once."""

    def __init__(self, log: EventLog, rules: RuleSet, days: Days, options: Options) -> None:
        self.log = log
        self.rules = rules
        self.days = days
        self.outcomes = order_outcomes(log, options.horizon_ns, compiled=options.compiled)
        self._good_notional = self.outcomes.notional * (self.outcomes.profit > 0)
        self._replays = Replays(log, "enforce", options)

    def run(self, setting: Setting) -> np.ndarray:
        """Sums of `COLUMNS` by day, money in quanta; int64, shape (n_days, 8)."""
        rejected = self._replays.replay(with_setting(self.rules, setting)).rejections()["seq"].astype(np.int64)
        values = np.column_stack([rejection_sums(self.log, rejected, self.outcomes), self._good_notional[rejected]])
        sums = np.zeros((len(self.days.starts), len(COLUMNS)), np.int64)
        np.add.at(sums, self.days.of_row[rejected], values)
        return sums


class DailyFigures(NamedTuple):
    """Daily sums of every setting: `COLUMNS`, money in quanta; int64, shape (n_settings, n_days, 8)."""

    sums: np.ndarray
    days: Days
    quantum: float
    labels: pd.Index

    def frame(self, first: int = 0, last: int | None = None) -> pd.DataFrame:
        """Metrics per trading day over the days from `first` (included) to `last` (excluded)."""
        orders = self.days.orders[first:last]
        sums = self.sums[:, first:last].sum(axis=1)
        return daily_frame(sums, len(orders), int(orders.sum()), self.quantum, self.labels)

    def daily(self, name: str) -> np.ndarray:
        """A column of every setting by day; float64, shape (n_settings, n_days)."""
        unit = self.quantum if name in MONEY else 1.0
        return self.sums[:, :, COLUMNS.index(name)] * unit


def daily_frame(
    sums: np.ndarray, n_days: int, orders: int, quantum: float, index: pd.Index | None = None
) -> pd.DataFrame:
    """Sums over days as metrics per trading day, so that windows of different lengths compare.

    `sums` are those of `COLUMNS` by setting, money in quanta; int64, shape (n_settings, 8). `n_days` and `orders` are
    the numbers of trading days and of orders on them. ``rejected_share`` is a fraction of all orders.
    """
    import pandas as pd

    units = np.array([quantum if name in MONEY else 1.0 for name in COLUMNS])
    frame = pd.DataFrame(sums * units / n_days, columns=list(COLUMNS), index=index)
    frame["rejected_share"] = sums[:, 0] / orders if orders else 0.0
    return with_notes(frame)
