"""Spoofing: a large order of one side, a small fill on the other, and that side cancelled right after it.

Unit: fraction of the lots that worked on that side at the fill. Source: Commission Delegated Regulation (EU) 2016/522, Annex II,
Section 1, 5(e) ("multiple or large orders"). As `riskkit.replay.rules.catalogue.layering`, with one order of `multiple` times the
fill in place of orders at several prices; the numbers are parameters, as the text has none.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, rest_of
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.rules.catalogue.layering import FILL, SHAPE, begin, cancelled, cancelled_text
from riskkit.replay.rules.parameters import PositiveDuration, Proportion, Ratio
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.schema.columns import EventRow


class Spoofing(NamedTuple):
    """Alert where an order of `multiple` times a fill works on the other side, and `share` of that side is cancelled after it.

    Parameters
    ----------
    multiple
        Size of one working order from which it is large, in quantities of the fill.
    share
        Share of what worked on its side whose cancels alert.
    window_ns
        Longest time from the fill to the cancels.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("spoof", Spoofing()))
    spoof: no orders of one side, one of them 5 or more times as large as a fill, of which 80 % of the quantity
    is cancelled less than 1 s after a fill on the other side, for each account and instrument. A breach raises
    an alert and stops nothing (severity WARN).
    """

    multiple: Ratio = 5
    share: Proportion = "0.8"
    window_ns: PositiveDuration = "1s"


def largest_of(book: Book, orders: Record, side: int) -> int:
    """Lots of a position's largest working order of a side, without those that wait for a stop."""
    most = 0
    slot = book.position.first_buy if side > 0 else book.position.first_sell
    while slot >= 0:
        order = at(orders, slot)
        most = max(most, rest_of(order))
        slot = order.next_order
    return most


def update(state: Record, params: Any, book: Book, event: EventRow, orders: Record, counts: Words) -> int:
    """Begin a shape at a fill, or count a cancel of it; trip if it completes the shape."""
    if event.kind == FILL:
        most = largest_of(book, orders, -event.side)
        large = most > 0 and most * MILLION >= params.multiple * event.qty
        return begin(state, params, book, event, orders, counts, large)
    return cancelled(state, params, book, event)


def sentence(params: Spoofing) -> str:
    """The shape in words."""
    return f"no orders of one side, one of them {float(params.multiple):g} or more times as large as a fill, {cancelled_text(params)}"


SPOOFING = register(RuleType(name="spoofing", parameters=Spoofing, update=update, sentence=sentence, **SHAPE))
