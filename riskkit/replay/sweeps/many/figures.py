"""Figures of one or many replays over any sequence of trading days: what the enforced book did, and hindsight beside.

Every figure is exact for the sequence of days that it is given: drawdowns are taken after every event of these days, one
after the other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskkit._show import Row
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.sweeps.many.days import HALTED, MONEY, SUMS, Days, Measured
from riskkit.replay.sweeps.many.order_outcome import OrderOutcomes

if TYPE_CHECKING:
    import pandas as pd

HINDSIGHT = "hindsight, order by order; does not add up to profit"
"""Said wherever outcomes of single orders are summed: each is valued as if it were the only one refused."""
SUMS_IN_HINDSIGHT = re.compile("loss_avoided|profit_forgone|good_flow_blocked|^hindsight_net$")
TAIL = 0.05  # of the trading days, for the expected shortfall
HOUR = 3.6e9  # microseconds
ENFORCED = {
    "profit": "profit of all accounts, money",
    "profit_change": "profit less that of the record, money",
    "drawdown": "maximum drawdown of total profit below its highest value so far, after any event, money",
    "drawdown_change": "drawdown less that of the record, money; negative if the limits reduced it",
    "worst_day": "smallest profit of a trading day, money",
    "expected_shortfall": "mean loss of the worst 5 % of the trading days, at least of one, money",
    "trips": "number of times that a rule tripped",
    "hours_halted_calendar": "hours that rules halted keys, summed over keys, up to the last event",
    "hours_halted_trading": "the same without the nights and weekends of an intraday log",
    "orders_rejected": "number of rejected orders",
    "modifies_rejected": "number of rejected modifies",
    "notional_rejected": "notional of the rejected orders, money",
    "rejected_share": "rejected orders, a fraction of all orders",
}
IN_HINDSIGHT = {
    "good_flow_blocked": "notional of the rejected orders whose recorded fills then earned money, a fraction of that of "
    "all such orders; hindsight",
    "good_rejections": "number of rejected orders whose recorded fills then lost money",
    "bad_rejections": "number of rejected orders whose recorded fills then earned money",
    "loss_avoided": f"money that the fills of the rejected orders then lost; {HINDSIGHT}",
    "profit_forgone": f"money that the fills of the rejected orders then earned; {HINDSIGHT}",
}
GAINS = ("profit", "profit_change", "worst_day")
"""Figures of the enforced replays of which more is better; of all others less is."""
FIGURES = {**ENFORCED, **IN_HINDSIGHT}
PER_DAY = (*SUMS, "profit_change")
"""Figures that add up over days."""


class Record(NamedTuple):
    """The replay without limits, and what orders there were, by trading day.

    ``good_notional`` is the notional of the orders whose recorded fills then earned money, in quanta, shape (n_days,).
    """

    days: Days
    measured: Measured
    good_notional: np.ndarray
    quantum: float

    @classmethod
    def of(cls, log: EventLog, days: Days, measured: Measured, outcomes: OrderOutcomes) -> Record:
        """The record of a log."""
        good = np.zeros(len(days.starts), np.int64)
        earned = (log.columns["kind"] == EventKind.ORDER) & (outcomes.profit > 0)
        np.add.at(good, days.of_row[earned], outcomes.notional[earned])
        return cls(days, measured, good, float(log.universe.quantum))

    def over(self, first: int, last: int) -> Record:
        """The record of the days from `first` (included) to `last` (excluded)."""
        cut = {name: getattr(self.days, name)[first:last] for name in ("starts", "ends", "orders")}
        days = self.days._replace(**cut)
        measured = Measured(self.measured.sums[first:last], self.measured.path[first:last])
        return self._replace(days=days, measured=measured, good_notional=self.good_notional[first:last])


def figures_of(record: Record, found: Measured, order: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
    """The `FIGURES` of replays over a sequence of days, sums in total.

    Parameters
    ----------
    record : Record
        The replay without limits.
    found : Measured
        Of one replay, or of many stacked: sums of shape (..., n_days, 12), path of shape (..., n_days, 3).
    order : ndarray of int or slice
        The days, in order; a resample repeats some.

    Returns
    -------
    dict of ndarray, each of shape (...)
        By the names of `FIGURES`.
    """
    mine = Measured(found.sums[..., order, :], found.path[..., order, :])
    base = Measured(record.measured.sums[order], record.measured.path[order])
    total = dict(zip(SUMS, np.moveaxis(mine.sums.sum(axis=-2), -1, 0), strict=True))
    quantum = record.quantum
    values = {name: amount * (quantum if name in MONEY else 1) for name, amount in total.items()}
    values |= {name: total[name] / HOUR for name in HALTED}
    values["profit_change"] = (total["profit"] - base.gain.sum()) * quantum
    fall = deepest_fall(mine)
    values["drawdown"], values["drawdown_change"] = fall * quantum, (fall - deepest_fall(base)) * quantum
    values["worst_day"] = mine.gain.min(axis=-1) * quantum
    values["expected_shortfall"] = tail_loss(mine.gain) * quantum
    values["rejected_share"] = _share(total["orders_rejected"], record.days.orders[order].sum())
    values["good_flow_blocked"] = _share(total["good_notional_rejected"], record.good_notional[order].sum())
    return {name: values[name] for name in FIGURES}


def deepest_fall(days: Measured) -> np.ndarray:
    """Maximum drawdown over days one after the other, in quanta; shape (...)."""
    start = np.cumsum(days.gain, axis=-1) - days.gain
    highest = np.maximum.accumulate(np.maximum(start + days.path[..., 0], 0), axis=-1)
    before = np.concatenate([np.zeros_like(highest[..., :1]), highest[..., :-1]], axis=-1)
    return np.maximum(days.path[..., 2], before - start - days.path[..., 1]).max(axis=-1)


def tail_loss(gain: np.ndarray) -> np.ndarray:
    """Mean loss of the worst `TAIL` of the days, at least of one; of a part of a day its part counts.

    References
    ----------
    Acerbi and Tasche (2002), On the coherence of expected shortfall, Journal of Banking and Finance 26, definition 2.6.

    Examples
    --------
    >>> tail_loss(np.array([5, -3, 2])).item()
    3.0
    """
    size = max(TAIL * gain.shape[-1], 1.0)
    whole = int(size)
    worst = np.sort(gain, axis=-1)[..., : whole + 1]
    weights = np.minimum(np.maximum(size - np.arange(worst.shape[-1]), 0.0), 1.0)
    return 0.0 - (worst * weights).sum(axis=-1) / size


def hindsight_rows(rows: list[Row]) -> list[Row]:
    """Rows of sums over single orders, under a line that says what they are."""
    return [(HINDSIGHT, "", ""), *((f"  {label}", value, unit) for label, value, unit in rows)]


def with_notes(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame; its ``attrs`` say which columns are sums over single orders."""
    names = [str(name) for name in frame if SUMS_IN_HINDSIGHT.search(str(name))]
    frame.attrs |= dict.fromkeys(names, HINDSIGHT)
    return frame


def _share(part: np.ndarray, whole: int) -> np.ndarray:
    return part / whole if whole else np.zeros(np.shape(part))
