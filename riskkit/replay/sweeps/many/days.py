"""Trading days of a log, and what one replay did on each of them: additive figures, and the path of total profit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.booked import recorded_rows
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.timeline import Timeline
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.schema.columns import DecisionCode, EventKind
from riskkit.replay.sweeps.many.order_outcome import OrderOutcomes

REJECTIONS = (
    "orders_rejected",
    "modifies_rejected",
    "notional_rejected",
    "good_rejections",
    "bad_rejections",
    "loss_avoided",
    "profit_forgone",
    "good_notional_rejected",
)
SUMS = (*REJECTIONS, "trips", "hours_halted_calendar", "hours_halted_trading", "profit")
MONEY = ("notional_rejected", "loss_avoided", "profit_forgone", "good_notional_rejected", "profit")
HALTED = ("hours_halted_calendar", "hours_halted_trading")
MICROSECOND = 1_000  # nanoseconds: halted time of many keys over decades exceeds 64 bits in nanoseconds


class Days(NamedTuple):
    """Trading days of a log that have events.

    ``starts`` and ``ends`` are int64 nanoseconds since the epoch, shape (n_days,); ``of_row`` is the day of each event,
    shape (n_events,); ``orders`` the number of orders of each day; ``timeline`` the time between the events.
    """

    starts: np.ndarray
    ends: np.ndarray
    of_row: np.ndarray
    orders: np.ndarray
    timeline: Timeline


class Measured(NamedTuple):
    """What a replay did on each trading day.

    ``sums`` are those of `SUMS`: money in quanta, halted time in microseconds; int64, shape (n_days, 12). ``path`` is
    the highest and the lowest total profit of the day above that of its start, and its maximum drawdown below the highest
    of the day so far, after any event, in quanta; int64, shape (n_days, 3).
    """

    sums: np.ndarray
    path: np.ndarray

    @property
    def gain(self) -> np.ndarray:
        """Total profit of each day, in quanta."""
        return self.sums[..., SUMS.index("profit")]


def days_of(log: EventLog, day: TradingDay | None = None) -> Days:
    """Split a log into trading days.

    Examples
    --------
    >>> from riskkit.replay import tiny_log
    >>> days_of(tiny_log([1, 1, 1], spacing_ns=36 * 3600 * 10**9)).of_row.tolist()  # days 0, 1 and 3 have events
    [0, 1, 2]
    """
    ts = log.columns["ts"]
    starts = (TradingDay() if day is None else day).starts(ts)
    if not len(ts):
        return Days(starts[:1], starts[1:], np.zeros(0, np.int64), np.zeros(1, np.int64), Timeline.of(ts))
    used, of_row = np.unique(np.searchsorted(starts, ts, "right") - 1, return_inverse=True)
    orders = np.bincount(of_row[log.columns["kind"] == EventKind.ORDER], minlength=len(used))
    return Days(starts[used], starts[used + 1], of_row, orders, Timeline.of(ts))


def measured(result: ReplayResult, days: Days, outcomes: OrderOutcomes) -> Measured:
    """Measure a replay that was sampled at the ends of the days. A rejection counts on the day of its message."""
    log = result.log
    rejected = result.rejections()["seq"].astype(np.int64)
    recorded = recorded_rows(result, rejected)
    transitions = result.transitions()
    trips = recorded_rows(result, transitions["seq"][transitions["code"] == DecisionCode.TRIP])
    sums = np.zeros((len(days.starts), len(SUMS)), np.int64)
    rejections = rejection_sums(log.columns["kind"][rejected], recorded, outcomes)
    np.add.at(sums[:, : len(REJECTIONS)], days.of_row[recorded], rejections)
    np.add.at(sums[:, SUMS.index("trips")], days.of_row[trips], 1)
    first = int(log.columns["ts"].min()) if len(log) else 0
    edges = np.concatenate([[first], days.ends])  # time on a day without events counts on the next one with events
    open_time = days.timeline if result.flattening is None else result.timeline
    for name, timeline in zip(HALTED, (None, open_time), strict=True):
        sums[:, SUMS.index(name)] = result.halted_between(edges, timeline) // MICROSECOND
    profit, high, low, fall = result.paths().T
    before = np.concatenate([[0], profit[:-1]])
    sums[:, SUMS.index("profit")] = profit - before
    return Measured(sums, np.stack([high - before, low - before, fall], axis=-1))


def rejection_sums(kinds: np.ndarray, messages: np.ndarray, outcomes: OrderOutcomes) -> np.ndarray:
    """Contribution of each rejected message to `REJECTIONS`, money in quanta; int64, shape (n_messages, 8).

    ``kinds`` are those of the messages, `messages` their rows in the record.
    """
    order = kinds == EventKind.ORDER
    earned, notional = outcomes.profit[messages] * order, outcomes.notional[messages] * order
    counts = (order, ~order, notional, earned < 0, earned > 0)
    money = (np.maximum(-earned, 0), np.maximum(earned, 0), notional * (earned > 0))
    return np.column_stack([*counts, *money]).astype(np.int64)
