"""The state of a `RiskManager` as plain data that JSON takes, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.covariance import EwmaCovariance
from riskkit.desk.fields import nanoseconds, plain
from riskkit.desk.limits import Limits
from riskkit.desk.manager.answers import LimitChange, TradeImpact
from riskkit.desk.manager.gate import broken_state
from riskkit.desk.manager.ledger import Line

__all__ = ["fill", "options_of", "plain_state", "sorted_state", "stamp_of"]

FORMAT = 1
SUMS = ("cash", "opening", "cost", "realised", "peak")


def plain_state(manager: Any) -> dict[str, Any]:
    """Money and lots as texts of whole quanta and lots, floats to their last bit, times in nanoseconds."""
    ledger, risk, gate = manager._ledger, manager._risk, manager._gate
    live = risk.covariance
    return {
        "format": FORMAT,
        "options": {
            "decay": live.decay,
            "z": gate.z,
            "bars_per_day": risk.bars_per_day,
            "lot": str(ledger.lot),
            "quantum": str(ledger.quantum),
            "short_selling": gate.short_selling,
            "min_bars": manager._min_bars,
            "on_warm_up": "reject" if gate.bars_needed else "allow",
        },
        "history": manager.executions.maxlen,
        "limits": gate.limits.to_dict(),
        "ledger": {name: str(getattr(ledger, name)) for name in SUMS},
        "lines": [
            [ticker, *(str(count) for count in _counts(line)), line.price, stamp_of(line.price_time)]
            for ticker, line in ledger.lines.items()
        ],
        "closes": dict(manager._closes),
        "covariance": {"tickers": live.tickers, "matrix": live.matrix.tolist(), "bars": list(live.bars)}
        | {"start": live.start, "absent": list(live._absent)},
        "n_obs": live.state.n_obs,
        "stressed": None if manager._stressed is None else manager._stressed.tolist(),
        "timestamp": stamp_of(manager._timestamp),
        "journal": [_change(one) for one in manager.journal],
        "approved": manager.approved,
        "record": {  # what came about on the way here, and is no part of the digest
            "rejected": manager.rejected,
            "executions": [one.to_dict() for one in manager.executions],
            "positions": risk.positions.tolist(),
            "gradient": risk.gradient.tolist(),
            "variance": risk.variance,
            "steps": risk._steps,
        },
    }


def options_of(state: Any) -> dict[str, Any]:
    """What a manager with this state is made with."""
    if state["format"] != FORMAT:
        raise InputError(f"the state has format {state['format']!r}; this riskkit reads format {FORMAT}")
    return {**state["options"], "limits": Limits.from_dict(state["limits"]), "history": state["history"], "cash": 0}


def fill(manager: Any, state: Any) -> None:
    """Put a state into a new manager; one in which money was made or lost is refused."""
    ledger, risk, record = manager._ledger, manager._risk, state["record"]
    for name in SUMS:
        setattr(ledger, name, int(state["ledger"][name]))
    for ticker, lots, cost, realised, price, stamp in state["lines"]:
        line = ledger.lines[ticker] = Line()
        line.holding.lots, line.holding.cost, line.holding.realised = int(lots), int(cost), int(realised)
        if price is not None:
            ledger.set_price(ticker, price, stamp)
    live, plain_live = risk.covariance, state["covariance"]
    tickers, matrix = plain_live["tickers"], np.array(plain_live["matrix"], dtype=float)
    if tickers:
        live.state = EwmaCovariance(matrix, live.decay, state["n_obs"])
    live.places, live.bars = {ticker: place for place, ticker in enumerate(tickers)}, list(plain_live["bars"])
    live.start, live._absent = plain_live["start"], [float(share) for share in plain_live["absent"]]
    manager._closes = dict(state["closes"])
    manager._stressed = None if state["stressed"] is None else np.array(state["stressed"], dtype=float)
    manager._timestamp = state["timestamp"]
    manager.journal.extend(_changed(one) for one in state["journal"])
    manager.approved, manager.rejected = state["approved"], record["rejected"]
    manager.executions.extend(map(TradeImpact.from_dict, record["executions"]))
    risk.positions, risk.gradient = (np.array(record[name], dtype=float) for name in ("positions", "gradient"))
    risk.variance, risk._steps = float(record["variance"]), int(record["steps"])
    broken = broken_state(ledger, risk)
    if broken is None and ledger.cost != sum(line.holding.cost for line in ledger.lines.values()):
        broken = "the cost of the book is not that of its holdings"
    if broken is None and not set(ledger.lines) == set(tickers) == set(live.places):
        broken = "holdings and covariance do not name the same tickers"
    if broken is None and not len(tickers) == len(live.bars) == len(live._absent) == len(risk.positions):
        broken = "the covariance is not of the size of its tickers"
    if broken is not None:
        raise InputError(f"the state is corrupt: {broken}")


def sorted_state(state: dict[str, Any]) -> dict[str, Any]:
    """The same state in the one order that its digest takes, without the record of how it came about."""
    live = state["covariance"]
    order = sorted(range(len(live["tickers"])), key=lambda place: live["tickers"][place])
    turned = [[live[name][place] for place in order] for name in ("tickers", "bars", "absent")]
    stressed = state["stressed"]
    return {
        **{name: value for name, value in state.items() if name != "record"},
        "lines": sorted(state["lines"]),
        "covariance": [live["start"], _turned(live["matrix"], order), *turned],
        "stressed": None if stressed is None else _turned(stressed, order),
    }


def stamp_of(timestamp: Any) -> int | None:
    """A time that may be missing, in nanoseconds."""
    return None if timestamp is None else nanoseconds(timestamp)


def _turned(matrix: list[list[float]], order: list[int]) -> list[list[float]]:
    return [[matrix[row][column] for column in order] for row in order]


def _counts(line: Line) -> tuple[int, int, int]:
    return line.holding.lots, line.holding.cost, line.holding.realised


def _change(change: LimitChange) -> dict[str, Any]:
    return {**plain(change.to_dict()), "timestamp": stamp_of(change.timestamp)}


def _changed(given: dict[str, Any]) -> LimitChange:
    before, after = (Limits.from_dict(given[name]) for name in ("before", "after"))
    return LimitChange(given["who"], given["why"], before, after, given["timestamp"])
