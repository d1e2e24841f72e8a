"""Children against their parent: the child orders of an order never ask for more than it does.

Unit: fraction of the parent's quantity. Source: the control that was missing on 2012-08-01, when a router sent child
orders without looking at what its parents had been filled (SEC, Release 34-70694, Knight Capital). Counted are a
parent's children that stand: what they were filled, and what of them still works.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.rules.catalogue.message import own, rest
from riskkit.replay.rules.parameters import Breach, Limit, Ratio, at_most
from riskkit.replay.rules.rule import OBJECT, PASS, Measure, RuleType, Verdict, register


class ChildOrderLimit(NamedTuple):
    """Children of at most the fraction `limit` of their parent's quantity, this one included.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("order_to_parent", ChildOrderLimit()))
    order_to_parent: child orders of at most 100 % of their parent in all, for each account; what breaches it is
    refused (WARN).
    """

    limit: Limit[Ratio] = 1
    breach: Breach = "exceed"


def check(params, book, event):
    """Add the child to its siblings (for a modify, `event.parent` only says that there is a parent)."""
    if event.parent < 0:
        return Verdict(PASS, 0, 0)
    parent = book.parent
    seen = parent.child_qty + rest(book, event) - own(book, event)
    beyond = exceeds_fraction(seen, params.limit, parent.qty, params.breach)
    return Verdict(OBJECT if beyond else PASS, seen, fraction_of(parent.qty, params.limit))


ORDER_TO_PARENT = register(
    RuleType(
        name="order_to_parent",
        parameters=ChildOrderLimit,
        check=check,
        needs=frozenset({"parents"}),
        observes=Measure.LOTS,
        sentence=lambda params: (
            f"child orders of {at_most(params)} {float(params.limit) * 100:g} % of their parent in all"
        ),
    )
)
