"""Child orders against their parent: total child quantity at most the parent's quantity.

Unit: fraction of the parent's quantity. Source: the control that was missing on 2012-08-01, when a router sent child
orders without regard to the fills of their parents (SEC, Release 34-70694, Knight Capital). A parent's accepted
children count with their filled and working quantity.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.rules.catalogue.message import own, rest
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Limit, Ratio, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventRow


class ChildOrderLimit(NamedTuple):
    """Children of at most the fraction `limit` of their parent's quantity, this child included.

    Parameters
    ----------
    limit
        Largest sum of the children, as a multiple of the parent's quantity.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("order_to_parent", ChildOrderLimit()))
    order_to_parent: child orders of at most 100 % of their parent order in all, for each account. Orders and
    modifications that would breach it are rejected (severity WARN).
    """

    limit: Limit[Ratio] = 1
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Add the child to its siblings (for a modify, `event.parent` only marks that a parent exists)."""
    if event.parent < 0:
        return Verdict(PASS, 0, 0)
    parent = book.parent
    observed = parent.child_qty + rest(book, event) - own(book, event)
    breaches = exceeds_fraction(observed, params.limit, parent.qty, params.breach)
    return Verdict(OBJECT if breaches else PASS, observed, fraction_of(parent.qty, params.limit))


ORDER_TO_PARENT = register(
    RuleType(
        name="order_to_parent",
        parameters=ChildOrderLimit,
        check=check,
        requires=frozenset({"parents"}),
        observes=Measure.LOTS,
        evidence=(Need(("parent",)),),
        sentence=lambda params: (
            f"child orders of {at_most(params)} {float(params.limit) * 100:g} % of their parent order in all"
        ),
    )
)
