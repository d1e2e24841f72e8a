"""Size of one order: no order may be smaller.

Unit: quantity. Source: minimum order sizes of exchanges; Nautilus issue 4695 shows why orders that only close a
position may have to be free of it. Strict: an order of exactly the limit passes.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.parameters import Breach, Flag, Least, Limit
from riskkit.replay.rules.rule import OBJECT, PASS, RuleType, Verdict, register
from riskkit.replay.schema.columns import RowFlag as Flags

REDUCE_ONLY = int(Flags.REDUCE_ONLY)


class MinOrderQty(NamedTuple):
    """An order, or what a modify makes of it, is at least `limit`.

    ``exempt_reduce_only``: orders flagged reduce-only are free of it.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("min_order_qty", MinOrderQty(limit=1)))
    min_order_qty: one order of at least 1 in quantity, for each account; what breaches it is refused (WARN).
    """

    limit: Limit[Least]
    exempt_reduce_only: Flag = False
    breach: Breach = "exceed"


def check(params, book, event):
    """Hold the order's quantity against the limit."""
    seen = event.qty * book.instrument.qty_unit
    if params.exempt_reduce_only != 0 and event.flags & REDUCE_ONLY != 0:
        return Verdict(PASS, seen, params.limit)
    return Verdict(OBJECT if seen < params.limit else PASS, seen, params.limit)


def sentence(params: MinOrderQty) -> str:
    """What it limits, in words."""
    least = "at least" if params.breach == "exceed" else "more than"
    free = ", reduce-only orders are free" if params.exempt_reduce_only else ""
    return f"one order of {least} {params.limit} in quantity{free}"


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
