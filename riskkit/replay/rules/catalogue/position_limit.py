"""Position limit in each instrument after the order, working orders included.

Unit: quantity, money. Source: Paradex's formula, limit >= side x position + working orders of the same side + order;
ESMA RTS 6 (2017/589), Art. 15(1)(c). Orders that reduce a position never breach it. The position of a desk, a firm or
of all accounts is the net one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.kernels.conversion import at_rate, lacks_rate, missing_rate
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.message import own, price_of, rest
from riskkit.replay.rules.parameters import (
    Breach,
    Flag,
    Limit,
    MissingPrice,
    Money,
    Quantity,
    at_most,
    choice,
    if_unpriced,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict, unpriced_cap
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.constants import LARGEST

GROSS = 1
QUANTITY, MONEY = 0, 1  # index of the limit in `observes`


class PositionLimit(NamedTuple):
    """At most `limit` of quantity and at most `notional` of money on the order's side, after the order.

    Money is valued at the order's price (a market order's at ask, bid or last; that of a sell below the market at the market).

    Parameters
    ----------
    limit
        Limit of the quantity.
    include_open
        Working orders of the order's side count as filled.
    measure
        net: the signed position and the working orders of the order's side; gross: its size and the working orders
        of both sides.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("position_limit", PositionLimit(limit=1_000)))
    position_limit: a net position of at most 1,000 in quantity after the order, with working orders of its
    side, for each account, in each instrument. Orders and modifications that would breach it are rejected
    (severity WARN).
    """

    limit: Limit[Quantity] = None
    notional: Limit[Money] = None
    include_open: Flag = True
    measure: choice("net", "gross") = "net"
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def after(params: Any, book: Book, event: EventRow) -> int:
    """Lots on the order's side after the fill of it and of the counted working orders."""
    position = book.position
    buying = position.open_buy_qty if params.include_open != 0 else position.listed_buy_qty
    selling = position.open_sell_qty if params.include_open != 0 else position.listed_sell_qty
    added = rest(book, event) - (own(book, event) if params.include_open != 0 else 0)
    if params.measure == GROSS:
        return abs(position.qty) + buying + selling + added
    return event.side * position.qty + (buying if event.side > 0 else selling) + added


def check(params: Any, book: Book, event: EventRow) -> CapVerdict:
    """Compare the position after the order with the limits."""
    return converted(params, book, event, None)


def converted(params: Any, book: Book, event: EventRow, rate: Record) -> CapVerdict:
    """Compare the position after the order, its money converted, with the limits."""
    lots = after(params, book, event)
    observed = lots * book.instrument.qty_unit
    if observed > params.limit:
        return CapVerdict(OBJECT, observed, params.limit, QUANTITY, 0)
    if params.notional < LARGEST and lots > 0:
        price = price_of(book, event)
        if price == MISSING:
            return unpriced_cap(params.on_missing_price, observed, params.notional)
        if lacks_rate(rate):
            return unpriced_cap(params.on_missing_price, observed, missing_rate(rate))
        money = at_rate(rate, abs(notional(book.instrument, lots, price)))
        return CapVerdict(OBJECT if money > params.notional else PASS, money, params.notional, MONEY, 0)
    return CapVerdict(PASS, observed, params.limit, QUANTITY, 0)


def sentence(params: PositionLimit) -> str:
    """The limit in words."""
    caps = []
    bound = at_most(params)
    if params.limit is not None:
        caps.append(f"{bound} {params.limit} in quantity")
    if params.notional is not None:
        caps.append(f"{bound} {params.notional} in money")
    counted = "with" if params.include_open else "without"
    sides = "of its side" if params.measure == "net" else "of both sides"
    size = " and ".join(caps)
    unpriced = if_unpriced(params) if params.notional is not None else ""
    return f"a {params.measure} position of {size} after the order, {counted} working orders {sides}{unpriced}"


POSITION_LIMIT = register(
    RuleType(
        name="position_limit",
        parameters=PositionLimit,
        check=check,
        converted=converted,
        requires=frozenset({"orders"}),
        reads=frozenset({"position"}),
        observes=("limit", "notional"),
        looks_at=frozenset({"positions"}),
        one_pass=True,
        bounds="orders",
        one_of=("limit", "notional"),
        sentence=sentence,
    )
)
