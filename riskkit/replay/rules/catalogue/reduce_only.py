"""Reduce-only flag: a flagged order may only reduce its position.

Unit: none. Source: the reduce-only flag of derivatives exchanges. The order and the working orders of its side
are at most the position.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.rules.catalogue.message import rest
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventRow, RowFlag

FLAGGED = int(RowFlag.REDUCE_ONLY)


class ReduceOnly(NamedTuple):
    """An order flagged reduce-only only reduces its position.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("reduce_only", ReduceOnly()))
    reduce_only: no order flagged reduce-only that would open or enlarge a position, for each account. Orders and
    modifications that would breach it are rejected (severity WARN).
    """


def check(book: Book, event: EventRow, reducing: int) -> Verdict:
    """Refuse a flagged order that does not only reduce."""
    breaches = event.flags & FLAGGED != 0 and reducing == 0
    return Verdict(OBJECT if breaches else PASS, rest(book, event), abs(book.position.qty))


REDUCE_ONLY = register(
    RuleType(
        name="reduce_only",
        parameters=ReduceOnly,
        check=check,
        scopes=("account", "account_instrument"),  # it reads the account's own position
        observes=Measure.LOTS,
        evidence=(Need(("reduce-only",)),),
        sentence="no order flagged reduce-only that would open or enlarge a position",
    )
)
