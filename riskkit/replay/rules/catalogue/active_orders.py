"""Maximum number of working orders of a key.

Unit: orders. Source: the active order rule of VeighNa's risk manager; open order caps of exchanges. A fill that
completes an order, a cancel and an expiry each free a slot; an order without an id is never working.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.parameters import Breach, Count, Limit, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind


class MaxActiveOrders(NamedTuple):
    """At most `limit` working orders, this order included.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("active_orders", MaxActiveOrders(limit=10)))
    active_orders: at most 10 working orders at once, for each account. Orders that would breach it are rejected
    (severity WARN).
    """

    limit: Limit[Count]
    breach: Breach = "exceed"


def check(state: Record, params: Any) -> Verdict:
    """Count the working orders, this order included."""
    observed = state.working + 1
    return Verdict(OBJECT if observed > params.limit else PASS, observed, params.limit)


ACTIVE_ORDERS = register(
    RuleType(
        name="active_orders",
        parameters=MaxActiveOrders,
        check=check,
        checks_on=frozenset({EventKind.ORDER}),
        requires=frozenset({"working"}),
        observes="limit",
        standing=True,
        counts_itself=True,
        one_pass=True,
        sentence=lambda params: f"{at_most(params, 'fewer than')} {counted(params.limit, 'working order')} at once",
    )
)
