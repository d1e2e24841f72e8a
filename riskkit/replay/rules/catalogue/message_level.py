"""Messages per window in two levels: beyond the first a message is refused, beyond the second the login is put out.

Unit: messages per second, over a window that is counted from its first message. Source: CME Group's iLink messaging
controls (an average over three seconds from the first message; reject, then logout). Every message counts, refused
ones and cancels too.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.rules.catalogue.window import FIELDS, FIXED, add, expire
from riskkit.replay.rules.parameters import Breach, ComparedLimit, Count, Duration, duration_text
from riskkit.replay.rules.rule import OBJECT, PASS, Measure, RuleType, Verdict, register
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.constants import LARGEST

SECOND = 1_000_000_000
MOST = 1 << 31


class MessageThrottle(NamedTuple):
    """On average at most `reject_mps` messages per second in a window of `window_ns`, and never `logout_mps`.

    A message beyond the second level is refused as well, and the key is paused until a person resets it.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("message_level", MessageThrottle(reject_mps=100, logout_mps=200)))
    message_level: at most 100 messages a second on average over each 1 s counted from its first message, and a
    logout beyond 200 a second, refused ones count too, for each account; what breaches it is refused (WARN).
    """

    reject_mps: ComparedLimit[Count]
    logout_mps: ComparedLimit[Count] = None
    window_ns: Duration = SECOND
    breach: Breach = "exceed"


def level(mps, params):
    """The most messages that a window may hold at this many per second."""
    if mps >= MOST:
        return LARGEST
    rest = mps * (params.window_ns % SECOND)
    most = mps * (params.window_ns // SECOND) + rest // SECOND
    return most - 1 if params.breach != 0 and rest % SECOND == 0 else most


def evict(state, params, event, memory):
    """Close a window that is over."""
    expire(state, memory, FIXED, params.window_ns, 0, 1, event.ts)


def check(state, params, event):
    """Count the window with this message in it."""
    seen = state.total + event.weight
    most = level(params.reject_mps, params)
    return Verdict(OBJECT if event.weight > 0 and seen > most else PASS, seen, most)


def update(state, params, event, memory):
    """Count every message; beyond the second level, trip."""
    if event.weight > 0:
        add(state, memory, FIXED, 0, 1, event.ts, event.weight)
    return 1 if state.total > level(params.logout_mps, params) else 0


def sentence(params: MessageThrottle) -> str:
    """What it limits, in words."""
    most = "at most" if params.breach == "exceed" else "fewer than"
    logout = f", and a logout beyond {params.logout_mps:,} a second" if params.logout_mps is not None else ""
    window = f"each {duration_text(params.window_ns)} counted from its first message"
    return f"{most} {params.reject_mps:,} messages a second on average over {window}{logout}, refused ones count too"


MESSAGE_LEVEL = register(
    RuleType(
        name="message_level",
        parameters=MessageThrottle,
        state=FIELDS,
        check=check,
        update=update,
        evict=evict,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL}),
        trips=False,
        refuses=True,
        pauses=True,
        observes=Measure.COUNT,
        standing=True,
        counts_itself=True,
        sentence=sentence,
    )
)
