"""Exposure of an account after an order, at marks: what the rules on exposure share.

Money, from the values at marks that the book keeps. The order is valued at the mark of its instrument, before the
first one at its own price. Working orders are not counted: exposure is what is held, and this order.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import notional
from riskkit.replay.rules.catalogue.message import price_of, rest
from riskkit.replay.schema.columns import MISSING


def mark_of(book, event):
    """The price at which the order's position is valued, MISSING where nobody knows one."""
    if book.instrument.mark != MISSING:
        return book.instrument.mark
    return price_of(book, event)


def value_after(book, event, mark):
    """Value of the order's position once it is filled."""
    return notional(book.instrument, book.position.qty + event.side * rest(book, event), mark)


def gross_after(book, event, mark):
    """Sum of the sizes of all positions of the account once the order is filled."""
    return book.account.gross - abs(book.position.value) + abs(value_after(book, event, mark))


def net_after(book, event, mark):
    """Sum of all positions of the account, with their signs, once the order is filled."""
    return book.account.value - book.position.value + value_after(book, event, mark)
