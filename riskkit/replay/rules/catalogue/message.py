"""Price and working lots of a message."""

from __future__ import annotations

from riskkit.replay.kernels.book import Book, order_price
from riskkit.replay.kernels.order_stops import waiting_price
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow, OrderStatus, RowFlag

MODIFY = int(EventKind.MODIFY)
BAD_PRICE = int(RowFlag.BAD_PRICE)
WORKING = int(OrderStatus.WORKING)


def bad_price(event: EventRow) -> bool:
    """True if the message has an invalid price; it is then not a market order."""
    return event.price == MISSING and event.flags & BAD_PRICE != 0


def price_of(book: Book, event: EventRow) -> int:
    """Price at which a message is valued, as `order_price`: its limit, a sell below the market at the market; or MISSING.

    An order that waits for its stop is valued at its limit, else at its stop with the slippage of its instrument.
    """
    if bad_price(event):
        return MISSING
    if event.stop != MISSING:
        return waiting_price(book.instrument, event.price, event.stop)
    return order_price(book.instrument, event.side, event.price)


def rest(book: Book, event: EventRow) -> int:
    """Lots that would work: those of an order, or the unfilled ones of a modified order."""
    if event.kind == MODIFY:
        return max(event.qty - book.order.filled, 0)
    return event.qty


def own(book: Book, event: EventRow) -> int:
    """Lots of the modified order that work already; 0 for a new order."""
    if event.kind == MODIFY and book.order.status == WORKING:
        return max(book.order.qty - book.order.filled, 0)
    return 0
