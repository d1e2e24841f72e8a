"""Working orders: how many a key may have at once.

Unit: orders. Source: the active order rule of VeighNa's risk manager; open order caps of exchanges. A fill that
completes an order, a cancel and an expiry each free a slot; an order without an id never works.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.columns import Kind
from riskkit.replay.parameters import Breach, Count, Limit
from riskkit.replay.rule import OBJECT, PASS, SCOPES, RuleType, Verdict, register

__all__ = ["ACTIVE_ORDERS", "ActiveOrders"]


class ActiveOrders(NamedTuple):
    """At most `limit` working orders, this one included.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("active_orders", ActiveOrders(limit=10)))
    active_orders: at most 10 working orders at once, for each account; what breaches it is refused (WARN).
    """

    limit: Limit[Count]
    breach: Breach = "exceed"


def check(state, params):
    """Count the working orders and this one."""
    seen = state.working + 1
    return Verdict(OBJECT if seen > params.limit else PASS, seen, params.limit)


def sentence(params: ActiveOrders) -> str:
    """What it limits, in words."""
    most = "at most" if params.breach == "exceed" else "fewer than"
    return f"{most} {params.limit:,} working orders at once"


ACTIVE_ORDERS = register(
    RuleType(
        name="active_orders",
        parameters=ActiveOrders,
        check=check,
        judges=frozenset({Kind.ORDER}),
        scopes=SCOPES,
        needs=frozenset({"working"}),
        observes="limit",
        standing=True,
        counts_itself=True,
        one_pass=True,
        sentence=sentence,
    )
)
