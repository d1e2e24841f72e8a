"""Maximum notional of an order.

Unit: money, quantity x price x multiplier. Source: ESMA RTS 6 (2017/589), Art. 15(1)(b). The price is the limit; that of a
market order is ask (buy) or bid (sell), else the last trade (before the first price event, the last fill), else
`on_missing_price` decides (default: reject). A sell with a limit below the market has the market's price, at which it
would trade.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.kernels.conversion import at_rate, lacks_rate, missing_rate
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.message import price_of
from riskkit.replay.rules.parameters import (
    Breach,
    Limit,
    MissingPrice,
    Money,
    at_most,
    while_unknown,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow


class MaxOrderNotional(NamedTuple):
    """The value of an order, or of a modified order, is at most `limit`.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("max_order_notional", MaxOrderNotional(limit=250_000)))
    max_order_notional: one order of at most 250,000 in money, a sell below the market at the market price
    (rejected while no price is known), for each account. Orders and modifications that would breach it are
    rejected (severity WARN).
    """

    limit: Limit[Money]
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the order's value with the limit."""
    return converted(params, book, event, None)


def converted(params: Any, book: Book, event: EventRow, rate: Record) -> Verdict:
    """Compare the order's value, converted, with the limit."""
    price = price_of(book, event)
    if price == MISSING:
        return unpriced(params.on_missing_price, 0, params.limit)
    if lacks_rate(rate):
        return unpriced(params.on_missing_price, 0, missing_rate(rate))
    observed = at_rate(rate, abs(notional(book.instrument, event.qty, price)))
    return Verdict(OBJECT if observed > params.limit else PASS, observed, params.limit)


MAX_ORDER_NOTIONAL = register(
    RuleType(
        name="max_order_notional",
        parameters=MaxOrderNotional,
        check=check,
        converted=converted,
        observes="limit",
        one_pass=True,
        bounds="orders",
        sentence=lambda params: (
            f"one order of {at_most(params)} {params.limit} in money, a sell below the market at the market price"
            f"{while_unknown(params.on_missing_price, 'no price is known')}"
        ),
    )
)
