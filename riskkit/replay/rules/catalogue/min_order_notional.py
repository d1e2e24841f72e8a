"""Minimum notional of an order.

Unit: money, quantity x price x multiplier, at the price of `max_order_notional`. Source: minimum notionals of crypto
exchanges; Nautilus issue 4695 (the minimum blocked the close of a small position) is why reduce-only orders may be
exempt.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, notional
from riskkit.replay.kernels.conversion import at_least_at_rate, lacks_rate, missing_rate
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.message import price_of
from riskkit.replay.rules.parameters import (
    Breach,
    Flag,
    Limit,
    MinMoney,
    MissingPrice,
    while_unknown,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.columns import RowFlag as Flags

REDUCE_ONLY = int(Flags.REDUCE_ONLY)


class MinOrderNotional(NamedTuple):
    """The value of an order, or of a modified order, is at least `limit`.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("min_order_notional", MinOrderNotional(limit=10)))
    min_order_notional: one order of at least 10 in money (rejected while no price is known), for each account.
    Orders and modifications that would breach it are rejected (severity WARN).
    """

    limit: Limit[MinMoney]
    exempt_reduce_only: Flag = False
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the order's value with the limit."""
    return converted(params, book, event, None)


def converted(params: Any, book: Book, event: EventRow, rate: Record) -> Verdict:
    """Compare the order's value, converted, with the limit."""
    if params.exempt_reduce_only != 0 and event.flags & REDUCE_ONLY != 0:
        return Verdict(PASS, 0, params.limit)
    price = price_of(book, event)
    if price == MISSING:
        return unpriced(params.on_missing_price, 0, params.limit)
    if lacks_rate(rate):
        return unpriced(params.on_missing_price, 0, missing_rate(rate))
    observed = at_least_at_rate(rate, abs(notional(book.instrument, event.qty, price)))
    return Verdict(OBJECT if observed < params.limit else PASS, observed, params.limit)


def sentence(params: MinOrderNotional) -> str:
    """The limit in words."""
    bound = "at least" if params.breach == "exceed" else "more than"
    exempt = ", reduce-only orders exempt" if params.exempt_reduce_only else ""
    return f"one order of {bound} {params.limit} in money{exempt}{while_unknown(params.on_missing_price, 'no price is known')}"


MIN_ORDER_NOTIONAL = register(
    RuleType(
        name="min_order_notional",
        parameters=MinOrderNotional,
        check=check,
        converted=converted,
        observes="limit",
        sentence=sentence,
    )
)
