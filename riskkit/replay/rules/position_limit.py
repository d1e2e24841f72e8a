"""Position after the order: how much of an instrument an account may hold or be on the way to hold.

Unit: quantity, money. Source: Paradex's formula, limit >= side x position + working orders of the same side + order;
ESMA RTS 6 (2017/589), Art. 15(1)(c). What reduces a position never breaches it.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.book import notional, order_price
from riskkit.replay.columns import MISSING, Kind
from riskkit.replay.rule import (
    NO_PRICE,
    OBJECT,
    PASS,
    Breach,
    Flag,
    MissingPrice,
    Money,
    Quantity,
    RuleType,
    Verdict,
    register,
)

__all__ = ["POSITION_LIMIT", "PositionLimit"]

REJECT = 0
MODIFY = int(Kind.MODIFY)
UNLIMITED = 2**62


class PositionLimit(NamedTuple):
    """At most `limit` of quantity and at most `notional` of money on the order's side, after the order.

    ``include_open`` counts the working orders of the same side as if they were filled. Money is valued at the order's
    price (a market order's at ask, bid or last).
    """

    limit: Quantity = None
    notional: Money = None
    include_open: Flag = True
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def after(params, book, event):
    """Lots on the order's side once it and what works beside it are filled."""
    position = book.position
    rest = event.qty
    own = 0
    if event.kind == MODIFY:
        rest = max(event.qty - book.order.filled, 0)
        own = max(book.order.qty - book.order.filled, 0) if book.order.status == 1 else 0
    working = 0
    if params.include_open != 0:
        working = (position.buying if event.side > 0 else position.selling) - own
    return event.side * position.qty + working + rest


def check(params, book, event):
    """Hold the position after the order against the limits."""
    lots = after(params, book, event)
    seen = lots * book.instrument.unit
    if seen > params.limit:
        return Verdict(OBJECT, seen, params.limit)
    if params.notional < UNLIMITED and lots > 0:
        price = order_price(book.instrument, event.side, event.price)
        if price == MISSING:
            return Verdict(NO_PRICE if params.on_missing_price == REJECT else PASS, seen, params.notional)
        money = abs(notional(book.instrument, lots, price))
        return Verdict(OBJECT if money > params.notional else PASS, money, params.notional)
    return Verdict(PASS, seen, params.limit)


def sentence(params: PositionLimit) -> str:
    """What it limits, in words."""
    caps = []
    most = "at most" if params.breach == "exceed" else "less than"
    if params.limit is not None:
        caps.append(f"{most} {params.limit} in quantity")
    if params.notional is not None:
        caps.append(f"at most {params.notional} in money")
    counted = "with" if params.include_open else "without"
    return f"a position of {' and '.join(caps) or 'any size'} after the order, {counted} working orders of its side"


POSITION_LIMIT = register(
    RuleType(
        name="position_limit",
        parameters=PositionLimit,
        check=check,
        judges=frozenset({Kind.ORDER, Kind.MODIFY}),
        scopes=("account", "account_instrument", "account_product"),
        needs=frozenset({"orders"}),
        sentence=sentence,
    )
)
