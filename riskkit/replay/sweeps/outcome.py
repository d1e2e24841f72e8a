"""What one setting did: a replay, or the orders that it is known to refuse, becomes one row of numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.columns import Decision, Kind
from riskkit.replay.curves import falls
from riskkit.replay.events import EventLog
from riskkit.replay.result import Result
from riskkit.replay.scopes import SCOPES
from riskkit.replay.sweeps.hindsight import Hindsight

__all__ = [
    "MEASURES",
    "OUTCOMES",
    "Without",
    "consequences_of",
    "measures_of",
    "outcome_of",
    "refusals_of",
    "without_limits",
]

OUTCOMES = {
    "orders_refused": "orders that were refused",
    "modifies_refused": "modifies that were refused",
    "notional_refused": "money that the refused orders were worth",
    "trips": "times that a rule tripped",
    "accounts_paused": "accounts that a rule of an account's scope held at some time",
    "time_paused": "hours in which rules held keys, up to the last event",
    "profit": "profit of all accounts at the end",
    "profit_change": "against no limits",
    "drawdown": "deepest fall of the profit of all accounts together, at the samples",
    "drawdown_change": "against no limits; below zero: less deep",
    "worst_after_trip": "deepest fall of that profit below where it stood when the first rule tripped",
    "right": "refused orders that went on to lose money",
    "wrong": "refused orders that went on to earn money",
    "loss_avoided": "what the refused orders went on to lose",
    "profit_forgone": "what the refused orders went on to earn",
    "digest": "the proof of the replay",
}
MEASURES = (
    "orders_refused",
    "modifies_refused",
    "notional_refused",
    "right",
    "wrong",
    "loss_avoided",
    "profit_forgone",
)
IN_MONEY = ("notional_refused", "loss_avoided", "profit_forgone")
HOUR = 3.6e12


class Without(NamedTuple):
    """The record without limits: profit at the end, and its curve at the samples, in money."""

    profit: float
    curve: np.ndarray
    times: np.ndarray


def without_limits(result: Result) -> Without:
    """What every setting is compared with: a sampled replay without rules."""
    return Without(float(result.accounts()["profit"].sum()), result.profit_curve(), result.sample_times)


def outcome_of(result: Result, hindsight: Hindsight, without: Without, *, digest: bool) -> dict[str, Any]:
    """The outcomes of one replay; in shadow mode the profit is the record's."""
    refused = result.refused()["seq"].astype(np.int64)
    refusals = refusals_of(measures_of(result.log, refused, hindsight).sum(axis=0).tolist(), result.log)
    return {**refusals, **consequences_of(result, without), "digest": result.digest if digest else ""}


def measures_of(log: EventLog, messages: np.ndarray, hindsight: Hindsight) -> np.ndarray:
    """What the refusal of each message adds to each of `MEASURES`, in whole units; int64, shape (n_messages, 7)."""
    order = log.columns["kind"][messages] == Kind.ORDER
    earned = hindsight.profit[messages] * order
    columns = (order, ~order, hindsight.notional[messages] * order, earned < 0, earned > 0)
    return np.column_stack([*columns, np.maximum(-earned, 0), np.maximum(earned, 0)]).astype(np.int64)


def refusals_of(sums: list[int], log: EventLog) -> dict[str, Any]:
    """Sums of `measures_of` as outcomes: what was refused, and whether that was right."""
    money = float(log.universe.quantum)
    return {name: value * money if name in IN_MONEY else value for name, value in zip(MEASURES, sums, strict=True)}


def consequences_of(result: Result, without: Without) -> dict[str, Any]:
    """Trips, pauses and money of a replay."""
    transitions = result.transitions()
    trips = transitions[transitions["code"] == Decision.TRIP]
    shadow = result.mode == "shadow"
    profit = without.profit if shadow else float(result.accounts()["profit"].sum())
    curve = without.curve if shadow else result.profit_curve()
    first = int(result.log.columns["ts"][trips["seq"]].min()) if len(trips) else None
    return {
        "trips": len(trips),
        "accounts_paused": _accounts_paused(result, trips),
        "time_paused": sum(result.halted_ns().values()) / HOUR,
        **_money(profit, curve, without, first),
    }


def _money(profit: float, curve: np.ndarray, without: Without, first_trip: int | None) -> dict[str, float]:
    deepest = float(falls(curve).max(initial=0.0))
    worst = 0.0
    if first_trip is not None and len(curve):
        since = max(int(np.searchsorted(without.times, first_trip, "right")) - 1, -1)
        stood = float(curve[since]) if since >= 0 else 0.0
        worst = max(stood - float(curve[since + 1 :].min(initial=stood)), 0.0)
    return {
        "profit": profit,
        "profit_change": profit - without.profit,
        "drawdown": deepest,
        "drawdown_change": deepest - float(falls(without.curve).max(initial=0.0)),
        "worst_after_trip": worst,
    }


def _accounts_paused(result: Result, trips: np.ndarray) -> int:
    """Accounts that were held as an account, or in one of their instruments."""
    found: set[int] = set()
    for k, rule in enumerate(result.rules):
        keys = trips["key"][trips["cause"] == k]
        if SCOPES[rule.scope].owner == "account":
            found.update(result.state.rules[k]["owner"][keys + 1].tolist())
    return len(found)
