"""Market-maker protection: what is filled in a short window above which quoting is frozen.

Unit: quantity of fills of both sides, and units of the underlying of their net delta (quantity × side × the instrument's
`delta`), without sign. Source: the protections of Deribit, Eurex and other options exchanges. The window slides, (t - w, t], or starts
with its first fill, [s, s + w), as at Deribit; the first fill after its end opens the next. The pause ends after `freeze_ns`, with
0 at a manual reset; the window then starts empty. All fills count as maker fills.
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
    Limit,
    PositiveDuration,
    Quantity,
    at_most,
    choice,
    duration_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict, Measure, Observation
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST

SPLIT = int(EventKind.SPLIT)
FILLED, DELTA = range(2)  # index of the limit in `observes`
FIXED = 1  # index of the window that starts with its first fill


class MarketMakerProtection(NamedTuple):
    """Fills of at most `qty_limit`, and a net delta of at most `delta_limit`, within `window_ns`; beyond it a freeze.

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


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove fills outside the window; those of a fixed one have the time of its first."""
    expire(memory, state.memory, event.ts - params.window_ns)
    expire(memory, state.memory + QUEUE, event.ts - params.window_ns)


def net_delta(book: Book, event: EventRow, lots: int) -> int:
    """Net delta of a fill in millionths of the quantity unit; at most LARGEST."""
    each = event.side * book.instrument.qty_unit * book.instrument.delta
    return each * (min(lots, LARGEST // abs(each)) if each != 0 else 0)


def check(state: Record, params: Any, memory: Words) -> CapVerdict:
    """Compare the fills in the window with the limits."""
    filled, delta = total(memory, state.memory), abs(total(memory, state.memory + QUEUE))
    if filled > params.qty_limit or params.delta_limit >= LARGEST:
        return CapVerdict(OBJECT if filled > params.qty_limit else PASS, filled, params.qty_limit, FILLED, 0)
    return CapVerdict(OBJECT if delta > params.delta_limit else PASS, delta, params.delta_limit, DELTA, 0)


def update(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> int:
    """Add a fill; trip if the window exceeds a limit. A split of the instrument empties the window."""
    if event.kind == SPLIT:
        empty(state, memory)
        return 0
    if params.window != FIXED or length(memory, state.memory) == 0:
        state.start = event.ts
    append(memory, state.memory, state.start, event.qty * book.instrument.qty_unit)
    if params.delta_limit < LARGEST:
        append(memory, state.memory + QUEUE, state.start, net_delta(book, event, event.qty))
    return 1 if check(state, params, memory).code == OBJECT else 0


def amend(state: Record, params: Any, book: Book, event: EventRow, memory: Words, sign: int) -> None:
    """Undo or count a fill of the window that the venue busts or corrects."""
    ts = event.ts if params.window != FIXED else state.start if event.ts >= state.start else event.ts
    adjust(memory, state.memory, ts, sign * event.qty * book.instrument.qty_unit)
    if params.delta_limit < LARGEST:
        adjust(memory, state.memory + QUEUE, ts, sign * net_delta(book, event, event.qty))


def reset(state: Record, memory: Words) -> None:
    """Clear the window after a freeze."""
    if state.held_until != 0:
        empty(state, memory)


def empty(state: Record, memory: Words) -> None:
    """Forget the fills of the window."""
    clear(memory, state.memory)
    clear(memory, state.memory + QUEUE)


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
    within = f"within {duration_text(params.window_ns)}"
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
        workspace_size=2 * QUEUE,
        nodes_per_event=2,
        updates_on=frozenset({EventKind.FILL, EventKind.SPLIT}),
        action="PAUSE",
        hold="freeze_ns",
        checked_by_pause=True,
        exempt_reducing=True,
        observes=("qty_limit", Observation(Measure.DELTA, "delta_limit")),
        standing=True,
        evidence=(Need(("FILL",)),),
        adds_lots=lambda parameters: True,
        one_of=("qty_limit", "delta_limit"),
        misfit=misfit,
        sentence=sentence,
    )
)
