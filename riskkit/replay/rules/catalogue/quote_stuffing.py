"""Quote stuffing: a large number of orders, placed and cancelled almost at once, with hardly a fill.

Unit: messages of a window. Source: Egginton, Van Ness and Van Ness (2016), Quote stuffing, Financial Management 45 (definition: a large
number of orders that are cancelled almost immediately); the numbers are parameters. The window slides, (t - w, t]. Messages are
orders, modifies and cancels that were sent; what we refuse is none. The lifetime of an order is the time from its event to the
cancel that takes it off the book, whatever was modified meanwhile; the median of an even number is the mean of the two middle ones.
A shape lasts as long as each message finds it in its window, and speaks at its first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.kernels.queue import FIRST, NEXT, QUEUE, VALUE, adjust, append, expire, length, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Duration, PositiveCount, PositiveDuration, Proportion, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import GROUPS

ORDER, CANCEL, FILL = int(EventKind.ORDER), int(EventKind.CANCEL), int(EventKind.FILL)
# queues of the window: weights of messages, orders and cancels, fills, lifetimes, and the short ones among these
MESSAGES, ORDERS, CANCELS, FILLS, LIVES, SHORT = (QUEUE * k for k in range(6))
QUEUES = 6


class QuoteStuffing(NamedTuple):
    """Alert at `messages` messages in `window_ns` with few `fills`, many `cancels`, and a median lifetime of at most `lifetime_ns`.

    Parameters
    ----------
    messages
        Number of orders, modifies and cancels from which the rule judges.
    fills
        Largest number of fills, as a fraction of the messages.
    cancels
        Smallest number of cancels, as a fraction of the orders.
    lifetime_ns
        Longest median lifetime of the orders that were cancelled.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("stuffing", QuoteStuffing()))
    stuffing: no burst of 500 or more messages within 1 s, with fills of at most 1 % of them, cancels of at
    least 90 % of the orders, and a median lifetime of cancelled orders of at most 100 ms, for each account and
    instrument. A breach raises an alert and stops nothing (severity WARN).
    """

    messages: PositiveCount = 500
    window_ns: PositiveDuration = "1s"
    fills: Proportion = "0.01"
    cancels: Proportion = "0.9"
    lifetime_ns: Duration = "100ms"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove entries outside the window."""
    for place in range(QUEUES):
        expire(memory, state.memory + QUEUE * place, event.ts - params.window_ns)


def lifetime(book: Book, event: EventRow) -> int:
    """Time for which the order of a cancel worked; LARGEST if the cancel takes none off the book."""
    return event.ts - book.order.since if event.kind == CANCEL and book.order.taken > 0 else LARGEST


def middle_lives(memory: Words, queue: int, bound: int, life: int) -> int:
    """The longest lifetime up to `bound` and the shortest above it, added, of a queue with one more."""
    below = life if life <= bound else 0
    above = life if life > bound else LARGEST
    node = memory[queue + FIRST]
    for _ in range(length(memory, queue)):
        value = memory[node + VALUE]
        if value <= bound:
            below = max(below, value)
        else:
            above = min(above, value)
        node = memory[node + NEXT]
    return below + above


def is_short(state: Record, params: Any, memory: Words, life: int) -> bool:
    """True if the median of the lifetimes in the window, with one more unless it is LARGEST, is within the limit."""
    lives = length(memory, state.memory + LIVES) + (1 if life < LARGEST else 0)
    short = length(memory, state.memory + SHORT) + (1 if life <= params.lifetime_ns else 0)
    if lives == 0 or 2 * short != lives:
        return 2 * short > lives
    return middle_lives(memory, state.memory + LIVES, params.lifetime_ns, life) <= 2 * params.lifetime_ns


def has_shape(state: Record, params: Any, memory: Words, weight: int, kind: int, life: int) -> bool:
    """True if the messages in the window, with one more of this weight, kind and lifetime, have the shape."""
    sent = total(memory, state.memory + MESSAGES) + weight
    orders = total(memory, state.memory + ORDERS) + (weight if kind == ORDER else 0)
    cancels = total(memory, state.memory + CANCELS) + (weight if kind == CANCEL else 0)
    if sent < params.messages or cancels * MILLION < orders * params.cancels:
        return False
    if total(memory, state.memory + FILLS) * MILLION > sent * params.fills:
        return False
    return is_short(state, params, memory, life)


def check(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> Verdict:
    """Look for the shape in the window with this message; one that spoke is silent."""
    sent = total(memory, state.memory + MESSAGES) + event.weight
    found = event.weight > 0 and state.spoken == 0
    found = found and has_shape(state, params, memory, event.weight, event.kind, lifetime(book, event))
    return Verdict(OBJECT if found else PASS, sent, params.messages)


def update(state: Record, params: Any, book: Book, event: EventRow, memory: Words, accepted: int) -> int:
    """Count a message that was sent, or a fill; trip if the shape begins with it."""
    if event.kind == FILL:
        append(memory, state.memory + FILLS, event.ts, 1)
        return 0
    if event.weight == 0 or (event.kind != CANCEL and accepted == 0):
        return 0
    append(memory, state.memory + MESSAGES, event.ts, event.weight)
    if event.kind == ORDER:
        append(memory, state.memory + ORDERS, event.ts, event.weight)
    life = lifetime(book, event)
    if event.kind == CANCEL:
        append(memory, state.memory + CANCELS, event.ts, event.weight)
    if life < LARGEST:
        append(memory, state.memory + LIVES, event.ts, life)
        if life <= params.lifetime_ns:
            append(memory, state.memory + SHORT, event.ts, 1)
    found = 1 if has_shape(state, params, memory, 0, 0, LARGEST) else 0
    begins = found - state.spoken
    state.spoken = found
    return max(begins, 0)


def amend(state: Record, event: EventRow, memory: Words, sign: int) -> None:
    """Undo or count a fill of the window that the venue busts or corrects."""
    adjust(memory, state.memory + FILLS, event.ts, sign)


def sentence(params: QuoteStuffing) -> str:
    """The shape in words."""
    return (
        f"no burst of {params.messages:,} or more messages within {duration_text(params.window_ns)}, with fills of at most "
        f"{float(params.fills) * 100:g} % of them, cancels of at least {float(params.cancels) * 100:g} % of the orders, and a median "
        f"lifetime of cancelled orders of at most {duration_text(params.lifetime_ns)}"
    )


QUOTE_STUFFING = register(
    RuleType(
        name="quote_stuffing",
        parameters=QuoteStuffing,
        state=("memory", "spoken"),
        check=check,
        update=update,
        evict=evict,
        amend=amend,
        workspace_size=QUEUES * QUEUE,
        nodes_per_event=4,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL}),
        breached_by=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL}),
        requires=frozenset({"orders", "lifetimes"}),
        scopes=("account_instrument", "account", "instrument", "strategy", *GROUPS, "global"),
        action="ALERT",
        checked_by_pause=True,
        refusable=lambda parameters: False,
        observes=Measure.COUNT,
        bounds="nothing",
        evidence=(Need(("CANCEL",)), Need(("named order",))),
        sentence=sentence,
    )
)
