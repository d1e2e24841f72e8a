"""Precision: a quantity is a positive multiple of the lot, a price a multiple of the tick and above zero.

Unit: none. Source: NautilusTrader's precision checks. Invalid orders enter a log with ``on_bad_order="flag"``; a
price that is not a number is never a market order. A market order has no price to check.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.catalogue.message import bad_price
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventRow, RowFlag

BAD_QTY = int(RowFlag.BAD_QTY)
BAD_DISPLAY = int(RowFlag.BAD_DISPLAY)
CLOSE_POSITION = int(RowFlag.CLOSE_POSITION)
QUANTITY = 1
PRICE = 2
DISPLAY = 3


class TickLotCheck(NamedTuple):
    """Quantities and prices are on the instrument's lot and tick.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("lot_tick", TickLotCheck()))
    lot_tick: a quantity that is a positive multiple of the lot, and a price on the tick, above zero where it
    has to be, for each account. Orders and modifications that would breach it are rejected (severity WARN).
    """


def check(book: Book, event: EventRow) -> Verdict:
    """Check quantity and price against lot and tick; the observed value is 1 (quantity), 2 (price) or 3 (display)."""
    instrument = book.instrument
    given = event.flags & CLOSE_POSITION == 0  # a quantity, and not what is held
    if given and (event.qty <= 0 or event.qty % instrument.lot != 0 or event.flags & BAD_QTY != 0):
        return Verdict(OBJECT, QUANTITY, 0)
    invalid = bad_price(event)
    if event.price != MISSING:
        invalid = event.price % instrument.tick != 0 or (event.price <= 0 and instrument.allows_negative == 0)
    if not invalid and event.flags & BAD_DISPLAY != 0:
        return Verdict(OBJECT, DISPLAY, 0)
    return Verdict(OBJECT if invalid else PASS, PRICE, 0)


LOT_TICK = register(
    RuleType(
        name="lot_tick",
        parameters=TickLotCheck,
        check=check,
        observes=Measure.NOTHING,
        bounds="nothing",
        sentence="a quantity that is a positive multiple of the lot, and a price on the tick, above zero where it has to be",
    )
)
