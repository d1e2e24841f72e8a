"""Minimum quantity of an order.

Unit: quantity. Source: minimum order sizes of exchanges; Nautilus issue 4695 is why reduce-only orders may be exempt.
Exactly the limit passes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.parameters import Breach, Flag, Limit, MinQuantity
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventRow
from riskkit.replay.schema.columns import RowFlag as Flags

REDUCE_ONLY = int(Flags.REDUCE_ONLY)


class MinOrderQty(NamedTuple):
    """The quantity of an order, or of a modified order, is at least `limit`.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("min_order_qty", MinOrderQty(limit=1)))
    min_order_qty: one order of at least 1 in quantity, for each account. Orders and modifications that would
    breach it are rejected (severity WARN).
    """

    limit: Limit[MinQuantity]
    exempt_reduce_only: Flag = False
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the order's quantity with the limit."""
    observed = event.qty * book.instrument.qty_unit
    if params.exempt_reduce_only != 0 and event.flags & REDUCE_ONLY != 0:
        return Verdict(PASS, observed, params.limit)
    return Verdict(OBJECT if observed < params.limit else PASS, observed, params.limit)


def sentence(params: MinOrderQty) -> str:
    """The limit in words."""
    bound = "at least" if params.breach == "exceed" else "more than"
    exempt = ", reduce-only orders exempt" if params.exempt_reduce_only else ""
    return f"one order of {bound} {params.limit} in quantity{exempt}"


MIN_ORDER_QTY = register(
    RuleType(
        name="min_order_qty",
        parameters=MinOrderQty,
        check=check,
        observes="limit",
        bounds="nothing",
        sentence=sentence,
    )
)
