"""Reserve price: the highest price to which a buy may be moved.

Unit: price. Source: exchange-core's move of a bid within its reserve price. Equal passes. A buy that names no reserve
may not be moved above its first price.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.parameters import Breach, at_most
from riskkit.replay.rules.rule import OBJECT, PASS, Measure, RuleType, Verdict, register
from riskkit.replay.schema.columns import MISSING, EventKind


class ReservePrice(NamedTuple):
    """A modify of a buy asks for at most the reserve price of its order.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("reserve_price", ReservePrice()))
    reserve_price: a modify of a buy to a price of at most its reserve, for each account; what breaches it is
    refused (WARN).
    """

    breach: Breach = "exceed"


def check(params, book, event):
    """Hold the new price against the order's reserve."""
    most = book.order.max_price
    if event.order < 0 or book.order.side < 0 or most == MISSING or event.price == MISSING:
        return Verdict(PASS, event.price, most)
    return Verdict(OBJECT if event.price > most - params.breach else PASS, event.price, most)


RESERVE_PRICE = register(
    RuleType(
        name="reserve_price",
        parameters=ReservePrice,
        check=check,
        checks_on=frozenset({EventKind.MODIFY}),
        needs=frozenset({"cash"}),
        observes=Measure.PRICE,
        sentence=lambda params: f"a modify of a buy to a price of {at_most(params)} its reserve",
    )
)
