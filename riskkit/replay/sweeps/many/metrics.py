"""Metrics of one setting: rejections, trips, pauses and profit as one row of numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._show import Row
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.pnl_curve import falls
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.schema.columns import DecisionCode, EventKind
from riskkit.replay.schema.scopes import SCOPES
from riskkit.replay.sweeps.many.order_outcome import OrderOutcomes

if TYPE_CHECKING:
    import pandas as pd

HINDSIGHT = "hindsight, order by order; does not add up to profit"
"""Said wherever outcomes of single orders are summed: each is valued as if it were the only one refused."""
METRICS = {
    "orders_rejected": "number of rejected orders",
    "modifies_rejected": "number of rejected modifies",
    "notional_rejected": "notional of the rejected orders, money",
    "trips": "number of times that a rule tripped",
    "accounts_paused": "number of accounts paused at any time, by rules of an account's scope",
    "hours_paused": "hours that rules paused keys, summed over keys, up to the last event",
    "profit": "profit of all accounts at the end, money",
    "profit_change": "profit less the profit without limits, money",
    "profit_drawdown": "largest fall of total profit below its highest value so far, at the samples, money",
    "profit_drawdown_change": "drawdown less the drawdown without limits, money; negative if the limits reduced it",
    "profit_drawdown_after_trip": "largest fall of total profit below its value at the first trip, money",
    "good_rejections": "number of rejected orders whose recorded fills then lost money",
    "bad_rejections": "number of rejected orders whose recorded fills then earned money",
    "loss_avoided": f"money that the fills of the rejected orders then lost; {HINDSIGHT}",
    "profit_forgone": f"money that the fills of the rejected orders then earned; {HINDSIGHT}",
    "digest": "digest of the replay",
}
REJECTION_METRICS = (
    "orders_rejected",
    "modifies_rejected",
    "notional_rejected",
    "good_rejections",
    "bad_rejections",
    "loss_avoided",
    "profit_forgone",
)
IN_MONEY = ("notional_rejected", "loss_avoided", "profit_forgone")
OVER_ORDERS = re.compile("loss_avoided|profit_forgone|^net$|_cost$")  # columns that sum over single orders
HOUR_NS = 3.6e12


class Baseline(NamedTuple):
    """The replay without limits: final profit, and profit at the sample times, in money."""

    profit: float
    curve: np.ndarray
    times: np.ndarray

    @classmethod
    def of(cls, result: ReplayResult) -> Baseline:
        """The baseline of a sampled replay without rules."""
        return cls(_total_profit(result), result.profit_curve(), result.sample_times)


def hindsight_rows(rows: list[Row]) -> list[Row]:
    """Rows of sums over single orders, under a line that says what they are."""
    return [(HINDSIGHT, "", ""), *((f"  {label}", value, unit) for label, value, unit in rows)]


def with_notes(frame: pd.DataFrame) -> pd.DataFrame:
    """The same frame; its ``attrs`` say which columns are sums over single orders."""
    names = [str(name) for name in frame if OVER_ORDERS.search(str(name))]
    frame.attrs |= dict.fromkeys(names, HINDSIGHT)
    return frame


def metrics_of(result: ReplayResult, outcomes: OrderOutcomes, baseline: Baseline, *, digest: bool) -> dict[str, Any]:
    """All metrics of one replay; in shadow mode profit and drawdown are those of the recorded book."""
    rejected = result.rejections()["seq"].astype(np.int64)
    sums = rejection_sums(result.log, rejected, outcomes).sum(axis=0)
    rejections = rejection_metrics(sums.tolist(), result.log)
    return {**rejections, **book_metrics(result, baseline), "digest": result.digest if digest else ""}


def rejection_sums(log: EventLog, messages: np.ndarray, outcomes: OrderOutcomes) -> np.ndarray:
    """Contribution of each rejected message to `REJECTION_METRICS`, money in quanta; int64, shape (n_messages, 7)."""
    order = log.columns["kind"][messages] == EventKind.ORDER
    earned = outcomes.profit[messages] * order
    columns = (order, ~order, outcomes.notional[messages] * order, earned < 0, earned > 0)
    return np.column_stack([*columns, np.maximum(-earned, 0), np.maximum(earned, 0)]).astype(np.int64)


def rejection_metrics(sums: list[int], log: EventLog) -> dict[str, int | float]:
    """`REJECTION_METRICS` from sums of `rejection_sums`, money in currency units."""
    quantum = float(log.universe.quantum)
    pairs = zip(REJECTION_METRICS, sums, strict=True)
    return {name: value * quantum if name in IN_MONEY else value for name, value in pairs}


def book_metrics(result: ReplayResult, baseline: Baseline) -> dict[str, int | float]:
    """Trips, pauses, profit and drawdown of a replay."""
    transitions = result.transitions()
    trips = transitions[transitions["code"] == DecisionCode.TRIP]
    shadow = result.mode == "shadow"
    profit = baseline.profit if shadow else _total_profit(result)
    curve = baseline.curve if shadow else result.profit_curve()
    drawdown = _drawdown(curve)
    after_trip = 0.0
    if len(trips) and len(curve):
        first_trip = int(result.log.columns["ts"][trips["seq"]].min())
        n_before = int(np.searchsorted(baseline.times, first_trip, "right"))
        at_trip = float(curve[n_before - 1]) if n_before else 0.0
        after_trip = max(at_trip - float(curve[n_before:].min(initial=at_trip)), 0.0)
    return {
        "trips": len(trips),
        "accounts_paused": _accounts_paused(result, trips),
        "hours_paused": sum(result.halted_time().values()) / HOUR_NS,
        "profit": profit,
        "profit_change": profit - baseline.profit,
        "profit_drawdown": drawdown,
        "profit_drawdown_change": drawdown - _drawdown(baseline.curve),
        "profit_drawdown_after_trip": after_trip,
    }


def _total_profit(result: ReplayResult) -> float:
    return float(result.accounts()["profit"].sum())


def _drawdown(curve: np.ndarray) -> float:
    return float(falls(curve).max(initial=0.0))


def _accounts_paused(result: ReplayResult, trips: np.ndarray) -> int:
    """Number of accounts paused as an account, or in one of their instruments."""
    accounts: set[int] = set()
    for k, rule in enumerate(result.rules):
        keys = trips["key"][trips["cause"] == k]
        if SCOPES[rule.scope].owner == "account":
            accounts.update(result.state.rules[k]["owner"][keys + 1].tolist())
    return len(accounts)
