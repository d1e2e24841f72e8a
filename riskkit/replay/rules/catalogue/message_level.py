"""Message rate with two levels: beyond the first a message is refused, beyond the second the login is disconnected.

Unit: messages per second, over a window that is counted from its first message. Source: CME Group's iLink messaging
controls (an average over three seconds from the first message; reject, then logout). Every message counts, also
refused ones and cancels.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.window import FIELDS, FIXED, add, expire
from riskkit.replay.rules.parameters import (
    Breach,
    ComparedLimit,
    Count,
    Duration,
    at_most,
    duration_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST

SECOND = 1_000_000_000
NO_LIMIT = 1 << 31


class MessageThrottle(NamedTuple):
    """On average at most `reject_mps` messages per second in a window of `window_ns`, and never `logout_mps`.

    A message beyond the second level is refused as well, and the key is paused until a manual reset.

    Parameters
    ----------
    reject_mps
        Average messages per second above which a message is refused.
    logout_mps
        Average messages per second above which the key is paused until a manual reset.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("message_level", MessageThrottle(reject_mps=100, logout_mps=200)))
    message_level: at most 100 messages a second on average over each 1 s from a first message on, a logout
    above 200 a second, rejected ones count too, for each account. Orders and modifications that would breach it
    are rejected (severity WARN).
    """

    reject_mps: ComparedLimit[Count]
    logout_mps: ComparedLimit[Count] = None
    window_ns: Duration = SECOND
    breach: Breach = "exceed"


def level(mps: int, params: Any) -> int:
    """Maximum number of messages in a window at a rate per second."""
    if mps >= NO_LIMIT:
        return LARGEST
    rest = mps * (params.window_ns % SECOND)
    maximum = mps * (params.window_ns // SECOND) + rest // SECOND
    return maximum - 1 if params.breach != 0 and rest % SECOND == 0 else maximum


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Close an expired window."""
    expire(state, memory, FIXED, params.window_ns, 0, 1, event.ts)


def check(state: Record, params: Any, event: EventRow) -> Verdict:
    """Count the window's messages, this one included."""
    observed = state.total + event.weight
    limit = level(params.reject_mps, params)
    return Verdict(OBJECT if event.weight > 0 and observed > limit else PASS, observed, limit)


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Count every message; trip beyond the second level."""
    if event.weight > 0:
        add(state, memory, FIXED, 0, 1, event.ts, event.weight)
    return 1 if state.total > level(params.logout_mps, params) else 0


def sentence(params: MessageThrottle) -> str:
    """The limit in words."""
    bound = at_most(params, "fewer than")
    logout = f", a logout above {params.logout_mps:,} a second" if params.logout_mps is not None else ""
    window = f"each {duration_text(params.window_ns)} from a first message on"
    return f"{bound} {counted(params.reject_mps, 'message')} a second on average over {window}{logout}, rejected ones count too"


MESSAGE_LEVEL = register(
    RuleType(
        name="message_level",
        parameters=MessageThrottle,
        state=FIELDS,
        check=check,
        update=update,
        evict=evict,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL}),
        breach_trips=False,
        may_pause=True,
        observes=Measure.COUNT,
        standing=True,
        counts_itself=True,
        breached_by=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL}),
        one_of=("window_ns",),
        sentence=sentence,
    )
)
