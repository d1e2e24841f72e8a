"""Market-maker protection: filled quantity in a short window above which quoting is frozen.

Unit: quantity of fills of both sides in a sliding window, (t - w, t]. Source: the protections of Deribit, Eurex and
other options exchanges. The pause ends after `freeze_ns`, with 0 at a manual reset; the window then starts
empty. All fills count as maker fills.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.queue import QUEUE, adjust, append, clear, expire, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Duration, Limit, Quantity, at_most, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow


class MarketMakerProtection(NamedTuple):
    """Fills of at most `qty_limit` within `window_ns`; beyond it a freeze of `freeze_ns` (0: until a reset).

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("mmp", MarketMakerProtection(qty_limit=100, window_ns="5s", freeze_ns="10s")))
    mmp: at most 100 filled on both sides within 5 s, for each account; from the event after a breach on the account
    is paused: only orders that reduce a position and cancels pass, for 10 s (WARN).
    """

    qty_limit: Limit[Quantity]
    window_ns: Duration
    freeze_ns: Duration = 0
    breach: Breach = "exceed"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove fills outside the window."""
    expire(memory, state.memory, event.ts - params.window_ns)


def check(state: Record, params: Any, memory: Words) -> Verdict:
    """Compare the fills in the window with the limit."""
    observed = total(memory, state.memory)
    return Verdict(OBJECT if observed > params.qty_limit else PASS, observed, params.qty_limit)


def update(state: Record, params: Any, book: Book, event: EventRow, memory: Words) -> int:
    """Add a fill; trip if the window exceeds the limit."""
    append(memory, state.memory, event.ts, event.qty * book.instrument.qty_unit)
    return 1 if total(memory, state.memory) > params.qty_limit else 0


def amend(state: Record, book: Book, event: EventRow, memory: Words, sign: int) -> None:
    """Undo or count a fill of the window that the venue busts or corrects."""
    adjust(memory, state.memory, event.ts, sign * event.qty * book.instrument.qty_unit)


def reset(state: Record, memory: Words) -> None:
    """Clear the window after a freeze."""
    if state.held_until != 0:
        clear(memory, state.memory)


MMP = register(
    RuleType(
        name="mmp",
        parameters=MarketMakerProtection,
        state=("memory",),
        check=check,
        update=update,
        evict=evict,
        reset=reset,
        amend=amend,
        workspace_size=QUEUE,
        nodes_per_event=1,
        updates_on=frozenset({EventKind.FILL}),
        action="PAUSE",
        hold="freeze_ns",
        checked_by_pause=True,
        exempt_reducing=True,
        observes="qty_limit",
        standing=True,
        evidence=(Need(("FILL",)),),
        one_of=("window_ns",),
        sentence=lambda params: (
            f"{at_most(params)} {params.qty_limit} filled on both sides within {duration_text(params.window_ns)}"
        ),
    )
)
