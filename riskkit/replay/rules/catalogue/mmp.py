"""Market-maker protection: what is filled in a short window above which quoting is frozen.

Unit: quantity of fills of both sides, and units of the underlying of their net delta (quantity × side × the instrument's
`delta`) or net vega (likewise), without sign. Source: the protections of Deribit, Eurex and other options exchanges. The
window slides, (t - w, t], or starts with its first fill, [s, s + w), as at Deribit; the first fill after its end opens the
next. The pause ends after `freeze_ns`, with 0 at a manual reset; the window then starts empty. All fills count as maker
fills; with `tagged` those of orders with `mmp`, and only such orders are frozen and cancelled, as at Deribit.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.queue import QUEUE, adjust, append, clear, expire, length, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    Breach,
    DeltaQuantity,
    Duration,
    Flag,
    Limit,
    PositiveDuration,
    Quantity,
    at_most,
    choice,
    duration_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict, Measure, Observation
from riskkit.replay.schema.columns import EventKind, EventRow, RowFlag
from riskkit.replay.schema.constants import LARGEST

SPLIT = int(EventKind.SPLIT)
TAGGED = int(RowFlag.MMP)
DELTAS, VEGAS = QUEUE, 2 * QUEUE  # queues of the fills, after that of their quantities
FILLED, DELTA, VEGA = range(3)  # index of the limit in `observes`
FIXED = 1  # index of the window that starts with its first fill


class MarketMakerProtection(NamedTuple):
    """Fills of at most `qty_limit`, and net deltas and vegas within their limits, within `window_ns`; beyond it a freeze.

    Parameters
    ----------
    qty_limit
        Limit of the quantity filled on both sides.
    delta_limit
        Limit of the net quantity filled, in millionths at the finest.
    freeze_ns
        Length of the freeze; 0: until a reset.
    window
        sliding, or from the first fill to its end.
    vega_limit
        Limit of the net vega filled, in millionths at the finest.
    tagged
        Look only at orders with `mmp`, and at their fills.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("mmp", MarketMakerProtection(qty_limit=100, window_ns="5s", freeze_ns="10s")))
    mmp: at most 100 in quantity filled on both sides together within 5 s, for each account. After a breach, the
    account is paused for 10 s: only cancels and orders that reduce a position are accepted (severity WARN).
    """

    qty_limit: Limit[Quantity] = None
    window_ns: PositiveDuration = None
    freeze_ns: Duration = 0
    breach: Breach = "exceed"
    window: choice("sliding", "fixed_from_first") = "sliding"
    delta_limit: Limit[DeltaQuantity] = None
    vega_limit: Limit[DeltaQuantity] = None
    tagged: Flag = False


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove fills outside the window; those of a fixed one have the time of its first."""
    expire(memory, state.memory, event.ts - params.window_ns)
    expire(memory, state.memory + DELTAS, event.ts - params.window_ns)
    if params.vega_limit < LARGEST:
        expire(memory, state.memory + VEGAS, event.ts - params.window_ns)


def net(book: Book, event: EventRow, lots: int, of_one: int) -> int:
    """Net delta or vega of a fill in millionths of the quantity unit, by that of one unit; at most LARGEST."""
    each = event.side * book.instrument.qty_unit * of_one
    return each * (min(lots, LARGEST // abs(each)) if each != 0 else 0)


def check(state: Record, params: Any, memory: Words) -> CapVerdict:
    """Compare the fills in the window with the limits."""
    filled, delta = total(memory, state.memory), abs(total(memory, state.memory + DELTAS))
    if params.vega_limit < LARGEST:
        vega = abs(total(memory, state.memory + VEGAS))
        fits = filled <= params.qty_limit and delta <= params.delta_limit
        if vega > params.vega_limit or (fits and params.qty_limit >= LARGEST and params.delta_limit >= LARGEST):
            return CapVerdict(OBJECT if vega > params.vega_limit else PASS, vega, params.vega_limit, VEGA, 0)
    if filled > params.qty_limit or params.delta_limit >= LARGEST:
        return CapVerdict(OBJECT if filled > params.qty_limit else PASS, filled, params.qty_limit, FILLED, 0)
    return CapVerdict(OBJECT if delta > params.delta_limit else PASS, delta, params.delta_limit, DELTA, 0)


def update(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> int:
    """Add a fill; trip if the window exceeds a limit. A split of the instrument empties the window."""
    if event.kind == SPLIT:
        empty(state, params, memory)
        return 0
    if params.tagged and event.flags & TAGGED == 0:
        return 0
    if params.window != FIXED or length(memory, state.memory) == 0:
        state.start = event.ts
    append(memory, state.memory, state.start, event.qty * book.instrument.qty_unit)
    if params.delta_limit < LARGEST:
        append(memory, state.memory + DELTAS, state.start, net(book, event, event.qty, book.instrument.delta))
    if params.vega_limit < LARGEST:
        append(memory, state.memory + VEGAS, state.start, net(book, event, event.qty, book.instrument.vega))
    return 1 if check(state, params, memory).code == OBJECT else 0


def amend(state: Record, params: Any, book: Book, event: EventRow, memory: Words, sign: int) -> None:
    """Undo or count a fill of the window that the venue busts or corrects."""
    if params.tagged and event.flags & TAGGED == 0:
        return
    ts = event.ts if params.window != FIXED else state.start if event.ts >= state.start else event.ts
    adjust(memory, state.memory, ts, sign * event.qty * book.instrument.qty_unit)
    if params.delta_limit < LARGEST:
        adjust(memory, state.memory + DELTAS, ts, sign * net(book, event, event.qty, book.instrument.delta))
    if params.vega_limit < LARGEST:
        adjust(memory, state.memory + VEGAS, ts, sign * net(book, event, event.qty, book.instrument.vega))


def reset(state: Record, params: Any, memory: Words) -> None:
    """Clear the window after a freeze."""
    if state.held_until != 0:
        empty(state, params, memory)


def empty(state: Record, params: Any, memory: Words) -> None:
    """Forget the fills of the window."""
    clear(memory, state.memory)
    clear(memory, state.memory + DELTAS)
    if params.vega_limit < LARGEST:
        clear(memory, state.memory + VEGAS)


def misfit(rule: Any) -> str:
    """Reason why the parameters do not fit together."""
    return "" if rule.parameters.window_ns is not None else "it needs window_ns, the length of the window"


def sentence(params: MarketMakerProtection) -> str:
    """The limit in words."""
    bound = at_most(params)
    caps = (
        [f"{bound} {params.qty_limit} in quantity filled on both sides together"]
        if params.qty_limit is not None
        else []
    )
    caps += [f"a traded net delta of {bound} {params.delta_limit}"] if params.delta_limit is not None else []
    caps += [f"a traded net vega of {bound} {params.vega_limit}"] if params.vega_limit is not None else []
    within = f"{'by orders with mmp ' if params.tagged else ''}within {duration_text(params.window_ns)}"
    return f"{' and '.join(caps)} {within}{' of the first fill' if params.window != 'sliding' else ''}"


MMP = register(
    RuleType(
        name="mmp",
        parameters=MarketMakerProtection,
        state=("memory", "start"),
        check=check,
        update=update,
        evict=evict,
        reset=reset,
        amend=amend,
        workspace_size=3 * QUEUE,
        nodes_per_event=3,
        updates_on=frozenset({EventKind.FILL, EventKind.SPLIT}),
        action="PAUSE",
        hold="freeze_ns",
        checked_by_pause=True,
        exempt_reducing=True,
        observes=("qty_limit", Observation(Measure.DELTA, "delta_limit"), Observation(Measure.DELTA, "vega_limit")),
        standing=True,
        evidence=(Need(("FILL",)),),
        adds_lots=lambda parameters: True,
        one_of=("qty_limit", "delta_limit", "vega_limit"),
        misfit=misfit,
        sentence=sentence,
    )
)
