"""Exposure of an account after an order, at marks: shared by the exposure rules.

Money, from the book's values at marks. The order is valued at the mark of its instrument, before the first mark at
the order's price. Exposure is positions and this order, without working orders.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.rules.catalogue.message import price_of, rest
from riskkit.replay.schema.columns import MISSING, EventRow


def mark_of(book: Book, event: EventRow) -> int:
    """Price at which the order's position is valued; MISSING if unknown."""
    if book.instrument.mark != MISSING:
        return book.instrument.mark
    return price_of(book, event)


def value_after(book: Book, event: EventRow, mark: int) -> int:
    """Value of the order's position after its fill."""
    return notional(book.instrument, book.position.qty + event.side * rest(book, event), mark)


def gross_after(book: Book, event: EventRow, mark: int) -> int:
    """Gross exposure of the account after the fill of the order."""
    return book.account.gross - abs(book.position.value) + abs(value_after(book, event, mark))


def net_after(book: Book, event: EventRow, mark: int) -> int:
    """Net exposure of the account after the fill of the order, signed."""
    return book.account.value - book.position.value + value_after(book, event, mark)
