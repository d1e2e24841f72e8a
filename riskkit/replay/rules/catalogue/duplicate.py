"""Duplicate orders: how many alike (account, instrument, side, quantity, price) may come within a time.

Unit: orders. Source: the duplicate order rule of VeighNa's risk manager; ESMA RTS 6 (2017/589), Art. 15(3). This order
and refused ones count.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.parameters import Breach, Count, Duration, Limit, duration_text
from riskkit.replay.rules.rule import OBJECT, PASS, RuleType, Verdict, register
from riskkit.replay.schema.columns import EventKind


class DuplicateOrder(NamedTuple):
    """At most `limit` identical orders within `window_ns` (not given: since the start).

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("duplicate", DuplicateOrder(limit=3, window_ns="2s")))
    duplicate: at most 3 identical orders (instrument, side, quantity, price) of an account within 2 s, for each
    account; what breaches it is refused (WARN).
    """

    limit: Limit[Count]
    window_ns: Duration = None
    breach: Breach = "exceed"


def check(params, duplicates):
    """Count this order with those like it."""
    seen = duplicates + 1
    return Verdict(OBJECT if seen > params.limit else PASS, seen, params.limit)


def sentence(params: DuplicateOrder) -> str:
    """What it limits, in words."""
    most = "at most" if params.breach == "exceed" else "fewer than"
    span = f"within {duration_text(params.window_ns)}" if params.window_ns is not None else "since the start"
    return f"{most} {params.limit:,} identical orders (instrument, side, quantity, price) of an account {span}"


DUPLICATE = register(
    RuleType(
        name="duplicate",
        parameters=DuplicateOrder,
        check=check,
        checks_on=frozenset({EventKind.ORDER}),
        needs=frozenset({"duplicates"}),
        observes="limit",
        counts_itself=True,
        sentence=sentence,
    )
)
