"""Bursts of cancels: how many cancels of a key come in a short window.

Unit: cancels. Source: bursts of cancels are the second half of layering, spoofing and quote stuffing (Commission Delegated
Regulation (EU) 2016/522, Annex II, Section 1, 4 and 5); the number and the window are parameters. The window slides, (t - w, t]. A
burst lasts as long as each cancel finds the limit in its window, and speaks at its first. Those of a kill switch are no messages.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.queue import QUEUE, append, expire, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Count, Limit, PositiveDuration, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.universe import GROUPS


class CancelBurst(NamedTuple):
    """Alert at `limit` cancels within `window_ns`, once for each burst.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("burst", CancelBurst(limit=50, window_ns="1s")))
    burst: fewer than 50 cancels within 1 s, for each account and instrument. A breach raises an alert and stops
    nothing (severity WARN).
    """

    limit: Limit[Count]
    window_ns: PositiveDuration = "1s"
    breach: Breach = "reach"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove cancels outside the window."""
    expire(memory, state.memory, event.ts - params.window_ns)


def check(state: Record, params: Any, event: EventRow, memory: Words) -> Verdict:
    """Compare the cancels in the window, this one included, with the limit; a burst that spoke is silent."""
    cancels = total(memory, state.memory) + event.weight
    return Verdict(OBJECT if cancels > params.limit and state.spoken == 0 else PASS, cancels, params.limit)


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Count a cancel; trip if a burst begins with it."""
    append(memory, state.memory, event.ts, event.weight)
    bursts = 1 if total(memory, state.memory) > params.limit else 0
    begins = bursts - state.spoken
    state.spoken = bursts
    return max(begins, 0)


def sentence(params: CancelBurst) -> str:
    """The limit in words."""
    bound = "at most" if params.breach == "exceed" else "fewer than"
    return f"{bound} {counted(params.limit, 'cancel')} within {duration_text(params.window_ns)}"


CANCEL_BURST = register(
    RuleType(
        name="cancel_burst",
        parameters=CancelBurst,
        state=("memory", "spoken"),
        check=check,
        update=update,
        evict=evict,
        workspace_size=QUEUE,
        nodes_per_event=1,
        checks_on=frozenset(),
        updates_on=frozenset({EventKind.CANCEL}),
        breached_by=frozenset({EventKind.CANCEL}),
        scopes=("account_instrument", "account", "instrument", "strategy", "connection", *GROUPS, "global"),
        action="ALERT",
        checked_by_pause=True,
        refusable=lambda parameters: False,
        observes="limit",
        bounds="nothing",
        evidence=(Need(("CANCEL",)),),
        sentence=sentence,
    )
)
