"""Long only: no sale of more than the position.

Unit: quantity. Source: zipline's long only control. A sale of exactly the position passes. The position of a desk, a
firm or of all accounts is the net one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.catalogue.message import own, rest
from riskkit.replay.rules.parameters import Flag
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventRow


class LongOnly(NamedTuple):
    """A sale, and with ``working`` the working sales beside it, are at most the position.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("long_only", LongOnly()))
    long_only: no sale of more than is held, with working sales, for each account, in each instrument. Orders
    and modifications that would breach it are rejected (severity WARN).
    """

    working: Flag = True


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare a sale with the position."""
    position = max(book.position.qty, 0)
    if event.side > 0:
        return Verdict(PASS, 0, position)
    selling = rest(book, event)
    if params.working != 0:
        selling += book.position.open_sell_qty - own(book, event)
    else:
        selling += book.position.listed_sell_qty
    return Verdict(OBJECT if selling > position else PASS, selling, position)


LONG_ONLY = register(
    RuleType(
        name="long_only",
        parameters=LongOnly,
        check=check,
        requires=frozenset({"orders"}),
        reads=frozenset({"position"}),
        observes=Measure.LOTS,
        looks_at=frozenset({"positions"}),
        bounds="solvency",
        sentence=lambda params: (
            f"no sale of more than is held, {'with' if params.working else 'without'} working sales"
        ),
    )
)
