"""Reserve price: maximum price of a modified buy.

Unit: price. Source: exchange-core's move of a bid within its reserve price. Equal passes. A buy without a reserve
may not be moved above its first price.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow


class ReservePrice(NamedTuple):
    """The new price of a modified buy is at most the reserve price of its order.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("reserve_price", ReservePrice()))
    reserve_price: a modification of a buy to a price of at most its reserve, for each account. Modifications
    that would breach it are rejected (severity WARN).
    """

    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the new price with the order's reserve."""
    reserve = book.order.max_price
    if event.order < 0 or book.order.side < 0 or reserve == MISSING or event.price == MISSING:
        return Verdict(PASS, event.price, reserve)
    return Verdict(OBJECT if event.price > reserve - params.breach else PASS, event.price, reserve)


RESERVE_PRICE = register(
    RuleType(
        name="reserve_price",
        parameters=ReservePrice,
        check=check,
        checks_on=frozenset({EventKind.MODIFY}),
        requires=frozenset({"cash"}),
        observes=Measure.PRICE,
        evidence=(Need(("named order",)),),
        sentence=lambda params: f"a modification of a buy to a price of {at_most(params)} its reserve",
    )
)
