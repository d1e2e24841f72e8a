"""Maximum quantity of an order.

Unit: quantity. Source: fat-finger limits of exchanges and ESMA RTS 6 (2017/589), Art. 15(1)(c). Exactly the limit
passes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.parameters import Breach, Limit, Quantity, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventRow


class MaxOrderQty(NamedTuple):
    """The quantity of an order, or of a modified order, is at most `limit`.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("max_order_qty", MaxOrderQty(limit=500)))
    max_order_qty: one order of at most 500 in quantity, for each account. Orders and modifications that would
    breach it are rejected (severity WARN).
    """

    limit: Limit[Quantity]
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the order's quantity with the limit."""
    observed = event.qty * book.instrument.qty_unit
    return Verdict(OBJECT if observed > params.limit else PASS, observed, params.limit)


MAX_ORDER_QTY = register(
    RuleType(
        name="max_order_qty",
        parameters=MaxOrderQty,
        check=check,
        observes="limit",
        one_pass=True,
        bounds="orders",
        sentence=lambda params: f"one order of {at_most(params)} {params.limit} in quantity",
    )
)
