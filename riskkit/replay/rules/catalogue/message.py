"""What a message asks for: the price that it is valued at, and the lots that would work if it stood."""

from __future__ import annotations

from riskkit.replay.kernels.book import order_price
from riskkit.replay.schema.columns import MISSING, EventKind, OrderStatus, RowFlag

MODIFY = int(EventKind.MODIFY)
BAD_PRICE = int(RowFlag.BAD_PRICE)
WORKING = int(OrderStatus.WORKING)


def bad_price(event):
    """Whether the message has a price that is no number; it is not a market order."""
    return event.price == MISSING and event.flags & BAD_PRICE != 0


def price_of(book, event):
    """The price of a message, of a market order ask or bid or the last trade; MISSING if nobody knows one."""
    if bad_price(event):
        return MISSING
    return order_price(book.instrument, event.side, event.price)


def rest(book, event):
    """Lots that would work: all of an order, what is not filled of a modified one."""
    if event.kind == MODIFY:
        return max(event.qty - book.order.filled, 0)
    return event.qty


def own(book, event):
    """Lots that the order which a modify changes has working already."""
    if event.kind == MODIFY and book.order.status == WORKING:
        return max(book.order.qty - book.order.filled, 0)
    return 0
