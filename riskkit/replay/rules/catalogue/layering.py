"""Layering: orders at several prices of one side, a fill on the other, and the orders cancelled right after it.

Unit: fraction of the lots that worked on that side at the fill. Source: Commission Delegated Regulation (EU) 2016/522, Annex II,
Section 1, 5(e) (multiple or large orders, often away from the touch, on one side of the book to execute a trade on the other side,
which are then removed); ESMA and FINRA call it layering and spoofing. The numbers are parameters: the text has none.

Decided here: the fill is in (t - w, t]; fills within the window of a shape belong to it; only orders that came before the fill count;
a shape is an alert once, at the cancel that completes it. A cancel is never refused. A market maker who quotes three levels anew less
than `window_ns` after each fill makes the shape at every fill.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, rest_of
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import PositiveCount, PositiveDuration, Proportion, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow

FILL = int(EventKind.FILL)
SPLIT = int(EventKind.SPLIT)
ENTERED = int(Counter.ENTERED)


class Layering(NamedTuple):
    """Alert where `share` of orders at `prices` or more prices is cancelled less than `window_ns` after a fill on the other side.

    Parameters
    ----------
    prices
        Number of prices from which orders of one side are layers.
    share
        Share of the layers whose cancels alert.
    window_ns
        Longest time from the fill of the other side to the cancels.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("layers", Layering()))
    layers: no orders at 3 or more prices of one side, of which 80 % of the quantity is cancelled less than 1 s
    after a fill on the other side, for each account and instrument. A breach raises an alert and stops nothing
    (severity WARN).
    """

    prices: PositiveCount = 3
    share: Proportion = "0.8"
    window_ns: PositiveDuration = "1s"


def counted(state: Record, params: Any, book: Book, event: EventRow) -> int:
    """Lots of the shape that a cancel takes away."""
    order = book.order
    in_time = state.layered > 0 and event.ts < state.since + params.window_ns
    return order.taken if in_time and order.side == state.side and order.number <= state.entered else 0


def check(state: Record, params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare what is cancelled, with this cancel, with the share of what worked at the fill."""
    lots = counted(state, params, book, event)
    gone = state.gone + lots
    breach = lots > 0 and exceeds_fraction(gone, params.share, state.layered, 1)
    return Verdict(OBJECT if breach else PASS, gone, fraction_of(state.layered, params.share))


def prices_of(book: Book, orders: Record, side: int, most: int) -> int:
    """Number of different prices of a position's working orders of a side, counted up to `most`."""
    found = 0
    slot = book.position.first_buy if side > 0 else book.position.first_sell
    while slot >= 0 and found < most:
        order = at(orders, slot)
        older = order.next_order
        while older >= 0 and at(orders, older).price != order.price:
            older = at(orders, older).next_order
        found += 1 if older < 0 else 0
        slot = order.next_order
    return found


def resting_lots(book: Book, orders: Record, side: int) -> int:
    """Lots of a position's working orders of a side, without those that wait for a stop."""
    lots = 0
    slot = book.position.first_buy if side > 0 else book.position.first_sell
    while slot >= 0:
        order = at(orders, slot)
        lots += rest_of(order)
        slot = order.next_order
    return lots


def begin(state: Record, params: Any, book: Book, event: EventRow, orders: Record, counts: Words, shaped: bool) -> int:
    """Begin a shape at a fill whose other side is `shaped`, unless it belongs to one; 0."""
    if state.layered == 0 or event.ts >= state.since + params.window_ns:
        state.layered = 0
        if shaped:
            state.layered = resting_lots(book, orders, -event.side)
            state.side = -event.side
            state.since = event.ts
            state.gone = 0
            state.entered = counts[ENTERED]
    return 0


def cancelled(state: Record, params: Any, book: Book, event: EventRow) -> int:
    """Count a cancel; 1 if it completes the shape. A split, after which lots are others, ends it."""
    if event.kind == SPLIT:
        state.layered = 0
        return 0
    lots = counted(state, params, book, event)
    state.gone += lots
    if lots > 0 and exceeds_fraction(state.gone, params.share, state.layered, 1):
        state.layered = 0
        return 1
    return 0


def update(state: Record, params: Any, book: Book, event: EventRow, orders: Record, counts: Words) -> int:
    """Begin a shape at a fill, or count a cancel of it; trip if it completes the shape."""
    if event.kind == FILL:
        layered = prices_of(book, orders, -event.side, params.prices) >= params.prices
        return begin(state, params, book, event, orders, counts, layered)
    return cancelled(state, params, book, event)


def sentence(params: Layering) -> str:
    """The shape in words."""
    return f"no orders at {params.prices} or more prices of one side, {cancelled_text(params)}"


def cancelled_text(params: Any) -> str:
    """What is cancelled, and when, in words."""
    return (
        f"of which {float(params.share) * 100:g} % of the quantity is cancelled less than {duration_text(params.window_ns)} "
        "after a fill on the other side"
    )


SHAPE: dict[str, Any] = {
    "state": ("layered", "side", "since", "gone", "entered"),
    "check": check,
    "checks_on": frozenset(),
    "updates_on": frozenset({EventKind.FILL, EventKind.CANCEL, EventKind.SPLIT}),
    "breached_by": frozenset({EventKind.CANCEL}),
    "requires": frozenset({"chains"}),
    "scopes": ("account_instrument",),
    "action": "ALERT",
    "checked_by_pause": True,
    "refusable": lambda parameters: False,
    "observes": Measure.LOTS,
    "bounds": "nothing",
    "evidence": (Need(("FILL",)), Need(("CANCEL",))),
}  # common fields of the rules on orders cancelled after a fill

LAYERING = register(RuleType(name="layering", parameters=Layering, update=update, sentence=sentence, **SHAPE))
