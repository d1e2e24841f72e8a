"""State of a `RiskManager` as plain data for JSON, and back; events of its journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit._commit import commit
from riskkit._plain import anything, exact, fields, integer, maybe, number, row, rows, table, text
from riskkit.desk.core.journal import JournalRow
from riskkit.desk.core.limits import DeskLimits
from riskkit.desk.core.pre_trade_check import PreTradeCheck
from riskkit.desk.core.records import LARGEST_TIME, optional_nanoseconds, plain
from riskkit.desk.manager.ledger import Holding
from riskkit.desk.manager.limit_check import corruption
from riskkit.desk.manager.reports import LimitChange
from riskkit.desk.market.live_covariance import LiveCovariance, reordered, square
from riskkit.desk.market.live_covariance import sorted_state as sorted_covariance

SUMS = ("cash", "opening", "cost", "realized", "peak")
COUNT, TIME = integer(0), integer(1 - LARGEST_TIME, LARGEST_TIME)
SHAPE = fields(
    format=COUNT,
    options=table(anything),  # arguments, which the constructor checks, as the classes below check theirs
    limits=table(anything),
    ledger=fields(**dict.fromkeys(SUMS, exact)),
    holdings=rows(row(text, exact, exact, exact, maybe(number(0.0)), maybe(TIME))),
    closes=table(number(0.0)),
    covariance=anything,
    stressed=maybe(rows(rows(number()))),
    timestamp=maybe(TIME),
    journal=rows(fields(who=text, why=text, before=table(anything), after=table(anything), timestamp=maybe(TIME))),
    approved=COUNT,
    cache=fields(
        rejected=COUNT,
        executions=rows(table(anything)),
        positions=rows(number()),
        gradient=rows(number()),
        variance=number(0.0),
        steps=COUNT,
    ),
)
"""Check of a state."""


def plain_state(manager: Any) -> dict[str, Any]:
    """Money and lots as texts of quanta and lots, floats to their last bit, times in nanoseconds."""
    ledger, risk, checker = manager._ledger, manager._risk, manager._checker
    live = risk.covariance
    return {
        "options": {
            "decay": live.decay,
            "z": checker.z,
            "bars_per_day": risk.bars_per_day,
            "lot": str(ledger.lot),
            "quantum": str(ledger.quantum),
            "short_selling": checker.short_selling,
            "min_bars": manager._min_bars,
            "on_warm_up": "reject" if checker.bars_needed else "allow",
            "keep": manager.executions.maxlen,
            "max_ahead": manager._max_ahead,
        },
        "limits": checker.limits.to_dict(),
        "ledger": {name: str(getattr(ledger, name)) for name in SUMS},
        "holdings": [[ticker, *_row(holding)] for ticker, holding in ledger.holdings.items()],
        "closes": dict(manager._closes),
        "covariance": live.state(),
        "stressed": None if manager._stressed is None else manager._stressed.tolist(),
        "timestamp": optional_nanoseconds(manager._timestamp),
        "journal": [_change(change) for change in manager.journal],
        "approved": manager.approved,
        "cache": {  # depends on the order of events, so it is no part of the digest
            "rejected": manager.rejected,
            "executions": [check.to_dict() for check in manager.executions],
            "positions": risk.positions.tolist(),
            "gradient": risk.gradient.tolist(),
            "variance": risk.variance,
            "steps": risk.steps,
        },
    }


def options_of(state: Any) -> dict[str, Any]:
    """Arguments with which a manager of this state is made."""
    return {**state["options"], "limits": DeskLimits.from_dict(state["limits"]), "cash": 0}


def fill(manager: Any, state: Any) -> None:
    """Put a state into a new manager; an inconsistent one is refused."""
    ledger, risk, cache = manager._ledger, manager._risk, state["cache"]
    for name in SUMS:
        setattr(ledger, name, int(state["ledger"][name]))
    for ticker, lots, cost, realized, price, timestamp in state["holdings"]:
        basis = (ledger.holdings.setdefault(ticker, Holding())).basis
        basis.lots, basis.cost, basis.realized = int(lots), int(cost), int(realized)
        if price is not None:
            ledger.set_price(ticker, price, timestamp)
        elif basis.lots:
            raise InputError(f"the state is corrupt: {ticker!r} is held without a price")
    live = risk.covariance = LiveCovariance.from_state(state["covariance"])
    size, stressed = len(live.index), state["stressed"]
    manager._closes = dict(state["closes"])
    manager._stressed = None if stressed is None else square(stressed, size, "stressed covariance")
    manager._timestamp = state["timestamp"]
    manager.journal.extend(map(_change_of, state["journal"]))
    manager.approved, manager.rejected = state["approved"], cache["rejected"]
    manager.executions.extend(map(PreTradeCheck.from_dict, cache["executions"]))
    risk.positions, risk.gradient = (np.array(cache[name], dtype=float) for name in ("positions", "gradient"))
    risk.variance, risk.steps = float(cache["variance"]), int(cache["steps"])
    corrupt = corruption(ledger, risk)
    if corrupt is None and ledger.cost != sum(holding.basis.cost for holding in ledger.holdings.values()):
        corrupt = "the cost of the book is not the sum of its holdings"
    if corrupt is None and set(ledger.holdings) != set(live.index):
        corrupt = "holdings and covariance have different tickers"
    if corrupt is None and not size == len(risk.positions) == len(risk.gradient):
        corrupt = "the covariance has a different number of tickers"
    if corrupt is not None:
        raise InputError(f"the state is corrupt: {corrupt}")


def sorted_state(state: dict[str, Any]) -> dict[str, Any]:
    """The state in the order that its digest uses, without caches."""
    live, stressed = state["covariance"], state["stressed"]
    order = sorted(range(len(live["tickers"])), key=lambda row: live["tickers"][row])
    return {
        **{name: value for name, value in state.items() if name != "cache"},
        "holdings": sorted(state["holdings"]),
        "covariance": sorted_covariance(live),
        "stressed": None if stressed is None else reordered(stressed, order),
    }


def _row(holding: Holding) -> list[Any]:
    basis, price = holding.basis, holding.price
    counts = [str(basis.lots), str(basis.cost), str(basis.realized)]
    return [*counts, None, None] if price is None else [*counts, price.price, optional_nanoseconds(price.timestamp)]


def _change(change: LimitChange) -> dict[str, Any]:
    return {**plain(change.to_dict()), "timestamp": optional_nanoseconds(change.timestamp)}


def _change_of(data: dict[str, Any]) -> LimitChange:
    before, after = (DeskLimits.from_dict(data[name]) for name in ("before", "after"))
    return LimitChange(data["who"], data["why"], before, after, data["timestamp"])


# ---------------------------------------------------------------------- events


def _trade(manager: Any, rows: Sequence[JournalRow], body: Any) -> None:
    row = rows[0]
    side = "sell" if str(row.amount).startswith("-") else "buy"
    check = manager.execute_trade(row.token, str(row.amount).removeprefix("-"), side, timestamp=row.timestamp)
    if not check.executed:
        raise InputError(f"the log is inconsistent: {side} {row.amount} {row.token} would be rejected, {check.reason}")


def _limits(manager: Any, rows: Sequence[JournalRow], body: Any) -> None:
    manager.set_limits(body["who"], body["why"], timestamp=rows[0].timestamp, **body["limits"])


def _opening(manager: Any, rows: Sequence[JournalRow], body: Any) -> None:
    manager.rejected = body["cache"]["rejected"]  # rejections are no events of their own
    commit(manager._opening(rows[0].kind, manager._writer))


EVENTS = {
    "trade": _trade,
    "bar": lambda manager, rows, body: manager.on_bar(body, rows[0].timestamp),
    "price": lambda manager, rows, body: manager.set_price(rows[0].token, body["price"], rows[0].timestamp),
    "ticker": lambda manager, rows, body: manager.add_ticker(rows[0].token, timestamp=rows[0].timestamp, **body),
    "limits": _limits,
    "state": _opening,
    "warm_up": _opening,
}
"""Kind of event -> function that applies it to a manager."""
