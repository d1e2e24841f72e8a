"""Self-trade prevention: an order must not match a working order of its account.

Unit: price. Source: RiceQuant rqalpha's self trade validator; self-trade prevention of exchanges. A buy matches a
working sell at its price or below, a sell a working buy at its price or above, a market order any of the other side.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.book import ANY_PRICE, NO_OFFER, Book
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventRow


class SelfTradePrevention(NamedTuple):
    """No order matches a working order of its account in the instrument.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("self_trade", SelfTradePrevention()))
    self_trade: no order that would meet a working order of its own account, for each account; what breaches it
    is refused (WARN).
    """


def best_offer(position: Record, orders: Record, side: int) -> int:
    """Best price of the other side's working orders, times the order's side; a market order ranks first."""
    if side > 0:
        best = position.listed_sell
        slot = position.first_sell
    else:
        best = -position.listed_buy
        slot = position.first_buy
    while slot >= 0:
        order = at(orders, slot)
        best = min(best, -ANY_PRICE if order.price == MISSING else side * order.price)
        slot = order.next_order
    return best


def check(book: Book, event: EventRow, orders: Record) -> Verdict:
    """Compare the order's price with the best working order of the other side."""
    best = best_offer(book.position, orders, event.side)
    if best == NO_OFFER:
        return Verdict(PASS, 0, 0)
    if event.price == MISSING:
        return Verdict(OBJECT, 0, best)
    return Verdict(OBJECT if event.side * event.price >= best else PASS, event.side * event.price, best)


SELF_TRADE = register(
    RuleType(
        name="self_trade",
        parameters=SelfTradePrevention,
        check=check,
        requires=frozenset({"chains"}),
        observes=Measure.RANKED_PRICE,
        evidence=(Need(("named order", "list")),),
        sentence="no order that would meet a working order of its own account",
    )
)
