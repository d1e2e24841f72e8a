"""Identical orders (account, instrument, side, quantity, price) within a window of time.

Unit: orders. Source: the duplicate order rule of VeighNa's risk manager; ESMA RTS 6 (2017/589), Art. 15(3). This order
and refused orders count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.rules.parameters import Breach, Count, Limit, PositiveDuration, at_most, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind


class DuplicateOrder(NamedTuple):
    """At most `limit` identical orders within `window_ns` (not given: since the start).

    Parameters
    ----------
    window_ns
        Length of the window; not given: since the start.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("duplicate", DuplicateOrder(limit=3, window_ns="2s")))
    duplicate: at most 3 identical orders of an account (instrument, side, quantity, price) within 2 s, for each
    account. Orders that would breach it are rejected (severity WARN).
    """

    limit: Limit[Count]
    window_ns: PositiveDuration = None
    breach: Breach = "exceed"


def check(params: Any, duplicates: int) -> Verdict:
    """Count this order and the identical ones."""
    observed = duplicates + 1
    return Verdict(OBJECT if observed > params.limit else PASS, observed, params.limit)


def sentence(params: DuplicateOrder) -> str:
    """The limit in words."""
    bound = at_most(params, "fewer than")
    span = f"within {duration_text(params.window_ns)}" if params.window_ns is not None else "since the start"
    return (
        f"{bound} {counted(params.limit, 'identical order')} of an account (instrument, side, quantity, price) {span}"
    )


DUPLICATE = register(
    RuleType(
        name="duplicate",
        parameters=DuplicateOrder,
        check=check,
        checks_on=frozenset({EventKind.ORDER}),
        requires=frozenset({"duplicates"}),
        observes="limit",
        counts_itself=True,
        sentence=sentence,
    )
)
