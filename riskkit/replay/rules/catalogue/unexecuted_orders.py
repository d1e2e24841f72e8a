"""Ratio of unexecuted orders to transactions of a trading day, in number.

Unit: orders per transaction, less one. Source: Commission Delegated Regulation (EU) 2017/566 (RTS 9), Art. 1, Art. 3(1)(b) and its
Annex: an order counts 1, a modification 2, a cancellation 1; every fill is a transaction, and a day without one has one. An
exceeded maximum is refused. What is refused leaves no trace; cancels count and pass; those of a kill switch are no messages.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.parameters import (
    Breach,
    Hour,
    Limit,
    Ratio,
    TimeZone,
    at_most,
    day_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Observation, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.universe import GROUPS

FILL = int(EventKind.FILL)
CANCEL = int(EventKind.CANCEL)
MODIFY = int(EventKind.MODIFY)


class UnexecutedOrders(NamedTuple):
    """At most `limit` unexecuted orders for each transaction of the trading day: orders / transactions - 1.

    Parameters
    ----------
    limit
        Largest ratio of unexecuted orders to transactions.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("ratio", UnexecutedOrders(limit=100)))
    ratio: at most 100 unexecuted orders for each transaction of a trading day from 00:00 UTC (a modification
    counts as two orders, a cancel as one), for each account and instrument. Orders and modifications that would
    breach it are rejected (severity WARN).
    """

    limit: Limit[Ratio]
    tz: TimeZone = "UTC"
    roll_hour: Hour = 0
    breach: Breach = "exceed"


def weight(event: EventRow) -> int:
    """Orders that a message counts as."""
    return 2 * event.weight if event.kind == MODIFY else event.weight


def breaches(params: Any, orders: int, transactions: int) -> bool:
    """True if the ratio exceeds the limit."""
    limit, unexecuted = params.limit * transactions, (orders - transactions) * MILLION
    return unexecuted > limit or (params.breach != 0 and unexecuted == limit)


def check(state: Record, params: Any, event: EventRow) -> Verdict:
    """Compare the orders of the day, this one included, with its transactions."""
    orders, transactions = state.orders + weight(event), max(state.transactions, 1)
    return Verdict(
        OBJECT if breaches(params, orders, transactions) else PASS, max(orders - transactions, 0), transactions
    )


def update(state: Record, params: Any, event: EventRow, accepted: int) -> int:
    """Count a message that passed, or a fill; a cancel beyond the limit trips, for it cannot be refused."""
    if event.kind == FILL:
        state.transactions += 1
        return 0
    if event.kind == CANCEL or accepted != 0:
        state.orders += weight(event)
    return 1 if event.kind == CANCEL and breaches(params, state.orders, max(state.transactions, 1)) else 0


def amend(state: Record, sign: int, today: int) -> None:
    """Undo or count a fill of this day that the venue busts or corrects."""
    state.transactions += sign * today


def on_new_day(state: Record) -> None:
    """Start a trading day."""
    state.orders = 0
    state.transactions = 0


def sentence(params: UnexecutedOrders) -> str:
    """The limit in words."""
    bound = at_most(params, "fewer than")
    return (
        f"{bound} {counted(params.limit, 'unexecuted order')} for each transaction of a {day_text(params)} "
        "(a modification counts as two orders, a cancel as one)"
    )


UNEXECUTED_ORDERS = register(
    RuleType(
        name="unexecuted_orders",
        parameters=UnexecutedOrders,
        state=("orders", "transactions"),
        check=check,
        update=update,
        amend=amend,
        on_new_day=on_new_day,
        scopes=("account_instrument", "account", "instrument", "strategy", *GROUPS, "global"),
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL}),
        observes=Observation(Measure.PER_FILL, "limit"),
        standing=True,
        breached_by=frozenset({EventKind.CANCEL}),
        sentence=sentence,
    )
)
