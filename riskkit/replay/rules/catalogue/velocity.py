"""Velocity of prices: an order must not trade too far from any trade of a short or a long window before it.

Unit: money of one unit, as prices are. Source: Eurex, Volatility Interruption Functionality (a potential price above the lowest
or below the highest price of a short or a long look-back by more than the maximum deviation); CME Group, velocity logic. The
order's limit stands for the potential price. Trades are the prices of price events in (t - w, t]; a window without one is silent.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.queue import QUEUE, expire, first_value, keep_highest, length, split_values
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    Breach,
    Duration,
    Limit,
    Price,
    amount_text,
    at_most,
    duration_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import duration

ORDER, MODIFY, SPLIT = int(EventKind.ORDER), int(EventKind.MODIFY), int(EventKind.SPLIT)
QUEUES = 4  # highest and lowest (below zero) of the short window, then of the long one
LONG = 2 * QUEUE  # words of those of the short one


class PriceVelocity(NamedTuple):
    """A price is within `max_move` of every trade in `window_ns`, and within `long_max_move` of those in `long_window_ns`.

    Parameters
    ----------
    max_move
        Largest distance from any trade in `window_ns`.
    window_ns
        Length of the short window.
    long_max_move
        Largest distance from any trade in `long_window_ns`.
    long_window_ns
        Length of the long window.
    pause_ns
        For how long the instrument takes nothing but cancels after an order that is refused: the venue goes to an auction; 0: not at all.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("velocity", PriceVelocity(max_move="0.05", window_ns="1s", long_max_move="0.2", long_window_ns="1min")))
    velocity: a price at most 0.05 away from every trade of the last 1 s and at most 0.2 away from those of the
    last 1 min, for each instrument. Orders and modifications that would breach it are rejected (severity WARN).
    """

    max_move: Limit[Price]
    window_ns: Duration
    long_max_move: Limit[Price] = None
    long_window_ns: Duration = None
    pause_ns: Duration = 0
    breach: Breach = "exceed"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove trades outside the windows."""
    for side in range(2):
        expire(memory, state.memory + side * QUEUE, event.ts - params.window_ns)
        expire(memory, state.memory + LONG + side * QUEUE, event.ts - params.long_window_ns)


def check(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> Verdict:
    """Compare an order's price with the lowest and the highest trade of each window."""
    price, unit = event.price, book.instrument.price_unit
    if event.ts < state.until:
        return Verdict(OBJECT, price, price)
    if price == MISSING or event.stop != MISSING:
        return Verdict(PASS, 0, 0)
    for window in range(2):
        queue = state.memory + window * LONG
        move = (params.long_max_move if window == 1 else params.max_move) // unit
        if length(memory, queue) > 0 and move < LARGEST // unit:
            highest, lowest = first_value(memory, queue), -first_value(memory, queue + QUEUE)
            if price > lowest + move:
                return Verdict(OBJECT, price, lowest + move)
            if price < highest - move:
                return Verdict(OBJECT, price, highest - move)
    return Verdict(PASS, price, 0)


def update(state: Record, params: Any, event: EventRow, memory: Words, passed: int) -> int:
    """Note a trade in the windows, in a split count all of them in new units; pause after an order that is refused."""
    if event.kind == ORDER or event.kind == MODIFY:
        if passed == 0 and event.ts >= state.until:
            state.until = event.ts + params.pause_ns
        return 0
    if event.kind == SPLIT:
        for queue in range(QUEUES):
            split_values(memory, state.memory + queue * QUEUE, event.qty, event.price)
    elif event.price != MISSING:
        for window in range(2 if params.long_max_move < LARGEST else 1):
            keep_highest(memory, state.memory + window * LONG, event.ts, event.price)
            keep_highest(memory, state.memory + window * LONG + QUEUE, event.ts, -event.price)
    return 0


def sentence(params: PriceVelocity) -> str:
    """The limit in words."""
    bound = at_most(params)
    text = f"a price {bound} {amount_text(params.max_move)} away from every trade of the last {duration_text(params.window_ns)}"
    pause = duration(params.pause_ns, "pause_ns")
    then = f" (then only cancels for {duration_text(pause)})" if pause else ""
    if params.long_max_move is None:
        return text + then
    long = f"{amount_text(params.long_max_move)} away from those of the last {duration_text(params.long_window_ns)}"
    return f"{text} and {bound} {long}{then}"


def misfit(rule: Any) -> str:
    """Refuse a long window without a move, or the other way round, or one that is not longer."""
    params = rule.parameters
    if (params.long_max_move is None) != (params.long_window_ns is None):
        return "long_max_move and long_window_ns belong together; give both"
    if params.long_window_ns is not None and duration(params.long_window_ns, "long_window_ns") <= duration(
        params.window_ns, "window_ns"
    ):
        return "long_window_ns is not longer than window_ns"
    return ""


VELOCITY = register(
    RuleType(
        name="velocity",
        parameters=PriceVelocity,
        state=("memory", "until"),
        check=check,
        update=update,
        evict=evict,
        workspace_size=QUEUES * QUEUE,
        nodes_per_event=QUEUES,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.PRICE, EventKind.SPLIT}),
        breached_by=frozenset(),
        scopes=("instrument",),
        observes=Measure.PRICE,
        bounds="nothing",
        evidence=(Need(("last trade",)),),
        one_of=("window_ns",),
        sentence=sentence,
        misfit=misfit,
    )
)
