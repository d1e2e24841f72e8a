"""Self-trade prevention: an order must not match a working order of its account, desk or firm.

Unit: price. Source: RiceQuant rqalpha's self trade validator; self-trade prevention of exchanges. A buy matches a
working sell at its price or below, a sell a working buy at its price or above, a market order any of the other side.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.order_chains import NO_OFFER
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventRow


class SelfTradePrevention(NamedTuple):
    """No order matches a working order in the instrument, of its own account or of any account in its scope.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("self_trade", SelfTradePrevention()))
    self_trade: no order that would meet a working order of the other side, for each account. Orders and
    modifications that would breach it are rejected (severity WARN).
    """


def check(event: EventRow, best: int) -> Verdict:
    """Compare the order's price with the best working order of the other side."""
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
        reads=frozenset({"offers"}),
        observes=Measure.RANKED_PRICE,
        evidence=(Need(("named order", "list")),),
        sentence="no order that would meet a working order of the other side",
    )
)
