"""Ratio of unexecuted orders to transactions of a trading day, in volume.

Unit: quantity of orders for one of fills, less one. Source: Commission Delegated Regulation (EU) 2017/566 (RTS 9), Art. 3(1)(a) and its
Annex: an order counts its quantity, a cancel the rest that it takes off the book, a modification both: the rest before it and the
quantity after it. A day without a fill has one of a lot. What is refused leaves no trace; cancels count and pass; those of a kill
switch are no messages. The ratio in number is `riskkit.replay.rules.catalogue.unexecuted_orders`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import exceeds_fraction, floor_divide, fraction_of
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.message import own
from riskkit.replay.rules.parameters import Breach, ComparedLimit, Hour, Ratio, TimeZone, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow

FILL = int(EventKind.FILL)
CANCEL = int(EventKind.CANCEL)
SPLIT = int(EventKind.SPLIT)


class UnexecutedVolume(NamedTuple):
    """At most `limit` unexecuted for each unit of quantity that is filled in the trading day: ordered / filled - 1.

    Parameters
    ----------
    limit
        Largest ratio of unexecuted quantity to filled quantity.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("ratio", UnexecutedVolume(limit=100)))
    ratio: at most 100 units unexecuted for each unit filled in a trading day (00:00 UTC; a modification counts the rest
    before it and the quantity after it, a cancel the rest), for each account and instrument. Orders and
    modifications that would breach it are rejected (severity WARN).
    """

    limit: ComparedLimit[Ratio]
    tz: TimeZone = "UTC"
    roll_hour: Hour = 0
    breach: Breach = "exceed"


def size(book: Book, event: EventRow) -> int:
    """Quantity that a message counts as."""
    lots = book.order.taken if event.kind == CANCEL else event.qty + own(book, event)
    return lots * book.instrument.qty_unit


def filled(state: Record, book: Book) -> int:
    """Quantity of the fills of the day, at least one lot."""
    return max(state.filled, book.instrument.lot * book.instrument.qty_unit)


def breaches(state: Record, params: Any, book: Book, ordered: int) -> bool:
    """True if the ratio exceeds the limit."""
    transacted = filled(state, book)
    return exceeds_fraction(ordered - transacted, params.limit, transacted, params.breach)


def check(state: Record, params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the quantity ordered in the day, this order included, with the one filled."""
    ordered, transacted = state.ordered + size(book, event), filled(state, book)
    code = OBJECT if breaches(state, params, book, ordered) else PASS
    return Verdict(code, max(ordered - transacted, 0), fraction_of(transacted, params.limit))


def apply_pending(state: Record, book: Book, event: EventRow, sign: int) -> None:
    """Add an order, or remove it."""
    state.ordered += sign * event.qty * book.instrument.qty_unit


def update(state: Record, params: Any, book: Book, event: EventRow, accepted: int) -> int:
    """Count a message that passed, or a fill; a cancel beyond the limit trips, for it cannot be refused."""
    if event.kind == SPLIT:
        state.ordered = -floor_divide(-state.ordered * event.qty, event.price)
        state.filled = floor_divide(state.filled * event.qty, event.price)
        return 0
    if event.kind == FILL:
        state.filled += event.qty * book.instrument.qty_unit
        return 0
    if event.kind == CANCEL or accepted != 0:
        state.ordered += size(book, event)
    return 1 if event.kind == CANCEL and breaches(state, params, book, state.ordered) else 0


def amend(state: Record, book: Book, event: EventRow, sign: int, today: int) -> None:
    """Undo or count a fill of this day that the venue busts or corrects."""
    state.filled += sign * today * event.qty * book.instrument.qty_unit


def on_new_day(state: Record) -> None:
    """Start a trading day."""
    state.ordered = 0
    state.filled = 0


def sentence(params: UnexecutedVolume) -> str:
    """The limit in words."""
    bound = at_most(params, "fewer than")
    return (
        f"{bound} {counted(params.limit, 'unit')} unexecuted for each unit filled in a trading day ({params.roll_hour:02d}:00 "
        f"{params.tz}; a modification counts the rest before it and the quantity after it, a cancel the rest)"
    )


UNEXECUTED_VOLUME = register(
    RuleType(
        name="unexecuted_volume",
        parameters=UnexecutedVolume,
        state=("ordered", "filled"),
        check=check,
        update=update,
        amend=amend,
        apply_pending=apply_pending,
        on_new_day=on_new_day,
        scopes=("account_instrument", "instrument"),
        requires=frozenset({"orders", "lifetimes"}),
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL, EventKind.SPLIT}),
        observes=Measure.QUANTITY,
        standing=True,
        breached_by=frozenset({EventKind.CANCEL}),
        adds_lots=lambda parameters: True,
        sentence=sentence,
    )
)
