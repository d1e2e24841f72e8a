"""Momentum ignition: a move of the price that is largely of one's own making, and then trades against it.

Unit: lots. Source: Commission Delegated Regulation (EU) 2016/522, Annex II, Section 1, 4(e) (orders or transactions likely to start or
exacerbate a trend, and to encourage others to accelerate it, so as to close or open a position at a favourable price). The numbers are
parameters, as the text has none.

Decided here: a fill is aggressive if its order is a market order, or its price is at the other side of the quote or beyond it (a
buy: at the ask); without such a quote, beyond the last trade. A move starts at the last trade before the first aggressive fill of its
side in (t - w, t], and is judged at each aggressive fill and each trade (`price`); its volume is what all accounts of the log traded
since then, that fill included. Fills against it count in the time after the last event that found it. A shape is an alert once, at
the fill that completes it, and then begins anew. A bust changes no shape.

On the shipped exchange (11 accounts, 15 products, three short days) it sees 1,102 shapes a day at 10 ticks, 129 at 40 and 15 at 100:
the size of a move has to be that of the market.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.book import UNKNOWN, Book
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.kernels.queue import QUEUE, append, clear, expire, first_value, length, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import PositiveDuration, Proportion, Ticks, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow

FILL = int(EventKind.FILL)
SPLIT = int(EventKind.SPLIT)
# queues of the aggressive fills of a side: their lots, the last trade before each, and all that was traded before each
LOTS, STARTS, TRADED = (QUEUE * k for k in range(3))
SIDE = 3 * QUEUE  # words of the fills of one side; buys are first


class MomentumIgnition(NamedTuple):
    """Alert where own fills make `share` of a move of `move` ticks, and own fills against it reach `reversal` of them.

    Parameters
    ----------
    move
        Size in ticks of a move from which the rule judges.
    share
        Share of the volume of the move that is one's own aggressive volume.
    window_ns
        Longest time of the move.
    reversal
        Quantity of own fills against the move that alerts, as a fraction of that volume.
    reversal_ns
        Longest time from the move to the fills against it.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("ignition", MomentumIgnition(move=10)))
    ignition: no own aggressive fills of at least 50 % of the volume of a move of 10 ticks or more within 10 s,
    followed less than 10 s later by own fills against it of at least 50 % of them, for each account and
    instrument. A breach raises an alert and stops nothing (severity WARN).
    """

    move: Ticks = 10
    share: Proportion = "0.5"
    window_ns: PositiveDuration = "10s"
    reversal: Proportion = "0.5"
    reversal_ns: PositiveDuration = "10s"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove fills outside the window of a move."""
    for place in range(6):
        expire(memory, state.memory + QUEUE * place, event.ts - params.window_ns)


def is_aggressive(book: Book, event: EventRow) -> bool:
    """True if a fill takes from the book: of a market order, at the other side of the quote, or beyond the last trade."""
    if book.order.status != UNKNOWN and book.order.price == MISSING:
        return True
    quote = book.instrument.ask if event.side > 0 else book.instrument.bid
    if quote != MISSING:
        return event.side * event.price >= event.side * quote
    return book.instrument.last != MISSING and event.side * event.price > event.side * book.instrument.last


def opposed(state: Record, params: Any, event: EventRow) -> int:
    """Lots of a fill against a move."""
    in_time = state.volume > 0 and event.ts < state.since + params.reversal_ns
    return event.qty if in_time and event.side == -state.side else 0


def check(state: Record, params: Any, event: EventRow) -> Verdict:
    """Compare what is traded against a move, with this fill, with what made it."""
    lots = opposed(state, params, event)
    against = state.against + lots
    breach = lots > 0 and exceeds_fraction(against, params.reversal, state.volume, 1)
    return Verdict(OBJECT if breach else PASS, against, fraction_of(state.volume, params.reversal))


def find_move(state: Record, params: Any, book: Book, event: EventRow, memory: Words, side: int) -> None:
    """Note a move to the price of an event that one's own fills of a side have made."""
    queue = state.memory + (0 if side > 0 else SIDE)
    if length(memory, queue + LOTS) == 0:
        return
    moved = side * (event.price - first_value(memory, queue + STARTS))
    traded = book.instrument.traded - first_value(memory, queue + TRADED)
    if moved < params.move * book.instrument.tick:
        return
    if exceeds_fraction(total(memory, queue + LOTS), params.share, traded, 1):
        if state.volume == 0 or state.side != side or event.ts >= state.since + params.reversal_ns:
            state.against = 0
        state.side = side
        state.volume = total(memory, queue + LOTS)
        state.since = event.ts


def take(state: Record, book: Book, event: EventRow, memory: Words) -> None:
    """Note an aggressive fill: its lots, the last trade before it, and what was traded before it."""
    queue = state.memory + (0 if event.side > 0 else SIDE)
    last = book.instrument.last
    append(memory, queue + LOTS, event.ts, event.qty)
    append(memory, queue + STARTS, event.ts, last if last != MISSING else event.price)
    append(memory, queue + TRADED, event.ts, book.instrument.traded - event.qty)


def forget(state: Record, memory: Words) -> None:
    """End the shape, and empty its windows."""
    state.volume = 0
    state.against = 0
    for place in range(6):
        clear(memory, state.memory + QUEUE * place)


def update(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> int:
    """Note a fill and the move that it or a trade completes; trip if a fill completes the shape. A split ends all."""
    if event.kind == SPLIT:
        forget(state, memory)
        return 0
    if event.kind != FILL:
        if event.price != MISSING:
            find_move(state, params, book, event, memory, 1)
            find_move(state, params, book, event, memory, -1)
        return 0
    lots = opposed(state, params, event)
    state.against += lots
    if lots > 0 and exceeds_fraction(state.against, params.reversal, state.volume, 1):
        forget(state, memory)
        return 1
    if is_aggressive(book, event):
        take(state, book, event, memory)
        find_move(state, params, book, event, memory, event.side)
    return 0


def sentence(params: MomentumIgnition) -> str:
    """The shape in words."""
    share, reversal = (f"{float(part) * 100:g} %" for part in (params.share, params.reversal))
    return (
        f"no own aggressive fills of at least {share} of the volume of a move of {counted(params.move, 'tick')} or more "
        f"within {duration_text(params.window_ns)}, followed less than {duration_text(params.reversal_ns)} later by own "
        f"fills against it of at least {reversal} of them"
    )


MOMENTUM_IGNITION = register(
    RuleType(
        name="momentum_ignition",
        parameters=MomentumIgnition,
        state=("memory", "side", "volume", "since", "against"),
        check=check,
        update=update,
        evict=evict,
        workspace_size=2 * SIDE,
        nodes_per_event=3,
        checks_on=frozenset(),
        updates_on=frozenset({EventKind.FILL, EventKind.PRICE, EventKind.SPLIT}),
        breached_by=frozenset({EventKind.FILL}),
        requires=frozenset({"orders", "turnover"}),
        scopes=("account_instrument",),
        action="ALERT",
        checked_by_pause=True,
        refusable=lambda parameters: False,
        observes=Measure.LOTS,
        bounds="nothing",
        evidence=(Need(("FILL",)), Need(("last trade",))),
        sentence=sentence,
    )
)
