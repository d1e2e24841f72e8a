"""Exposure of an account or a group of accounts after an order, at marks: shared by the exposure rules.

Money, from the book's values at marks. With working orders a position counts as if those of one side were filled, of
the side that makes it the largest (`riskkit.replay.kernels.exposure`). Lots of an instrument are valued at its mark;
before the first mark at the highest price of an order so far, this one included. Of a group with ``netting="none"`` each account's
positions count by themselves; this order's price then values the lots of its own account alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.kernels.conversion import gross_at_rate, net_at_rate
from riskkit.replay.kernels.exposure import valuation_price
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.rules.catalogue.message import own, price_of, rest
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import duration, duration_text


class Exposure(NamedTuple):
    """Money of a position, or of all positions of a book: long, short (signed), and gross.

    ``high``: with the buys filled; ``low``: with the sells filled; ``gross``: the larger of both, without sign, position
    by position.
    """

    high: int
    low: int
    gross: int


def price_after(book: Book, event: EventRow) -> int:
    """Price at which the order's position is valued; MISSING if neither a mark nor the order's price is known."""
    if book.instrument.mark != MISSING:
        return book.instrument.mark
    price = price_of(book, event)
    return price if price == MISSING else max(valuation_price(book.instrument), abs(price))


def fresh_price(params: Any, book: Book, event: EventRow, held: Record, instruments: Record) -> int:
    """`price_after`; MISSING too if a mark that values the order or a position of the book is older than `max_mark_age_ns`.

    With such an age every order looks at all positions of its book, and without one at none but its own.
    """
    price = price_after(book, event)
    if params.max_mark_age_ns >= LARGEST or price == MISSING:
        return price
    if is_old(params, book.instrument, event):
        return MISSING
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        if before(params, position).gross != 0 and is_old(params, at(instruments, position.instrument), event):
            return MISSING
        place = position.next_of_account
    return price


def is_old(params: Any, instrument: Record, event: EventRow) -> bool:
    """True if the mark of an instrument is older than `max_mark_age_ns`; without a mark its orders' prices value it."""
    return instrument.mark != MISSING and event.ts - instrument.mark_ts > params.max_mark_age_ns


def before(params: Any, record: Record) -> Exposure:
    """Exposure of a position before the order."""
    high = record.high if params.working != 0 else record.listed_high
    low = record.low if params.working != 0 else record.listed_low
    return Exposure(high, low, max(abs(high), abs(low)))


def after(params: Any, book: Book, event: EventRow, price: int) -> Exposure:
    """Exposure of the order's position after it: the order works or, if working orders do not count, is filled."""
    position = book.position
    buys = position.open_buy_qty if params.working != 0 else position.listed_buy_qty
    sells = position.open_sell_qty if params.working != 0 else position.listed_sell_qty
    lots = rest(book, event) - (own(book, event) if params.working != 0 else 0)
    if event.side > 0:
        buys += lots
    else:
        sells += lots
    if params.working == 0 and event.side * position.qty < 0:  # it closes first
        high = notional(book.instrument, position.qty + buys - sells, price)
        return Exposure(high, high, abs(high))
    high = notional(book.instrument, position.qty + buys, price)
    low = notional(book.instrument, position.qty - sells, price)
    return Exposure(high, low, max(abs(high), abs(low)))


def gross_before(params: Any, book: Book) -> int:
    """Gross exposure of the book before the order."""
    return book.account.worst if params.working != 0 else book.account.listed_worst


def gross_with(params: Any, book: Book, event: EventRow, price: int, rate: Record) -> int:
    """Gross exposure of the book after the order, converted unless `rate` is None."""
    gross = gross_before(params, book) - before(params, book.position).gross + after(params, book, event, price).gross
    return gross_at_rate(rate, params.working, gross)


def net_with(params: Any, book: Book, event: EventRow, price: int, rate: Record) -> int:
    """Net exposure of the book on the order's side after the order: long after a buy, short after a sale."""
    old = before(params, book.position)
    new = after(params, book, event, price)
    if event.side > 0:
        net = (book.account.high if params.working != 0 else book.account.listed_high) - old.high + new.high
    else:
        net = -(book.account.low if params.working != 0 else book.account.listed_low) + old.low - new.low
    return net_at_rate(rate, params.working, event.side, net)


def counted(params: Any) -> str:
    """Which orders count, in words."""
    return "with working orders" if params.working else "without working orders"


def aged(params: Any) -> str:
    """The age up to which a mark counts, in words; empty without one."""
    if params.max_mark_age_ns is None:
        return ""
    return f" no older than {duration_text(duration(params.max_mark_age_ns, 'max_mark_age_ns'))}"
