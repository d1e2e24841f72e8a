"""Pace of messages: what is too fast waits its turn, and the answer is the time at which it goes.

Unit: messages. Source: NautilusTrader, ``crates/common/src/throttler.rs`` (a buffering throttler: a message exactly the interval
after the one `limit` before it is sent); the token bucket as ccxt's throttler has it, but for a debt. With `window_ns` the k-th
message goes at max(t, release of k - 1, release of k - `limit` + `window_ns`). With `refill_ns` a bucket of `limit` tokens starts
full and gets one token each `refill_ns`; a message goes when its whole token is there.

A message that waits is accepted: it is judged by all rules and counts as working from its entry, for nothing would stop it later.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.queue import (
    FIRST,
    NEXT,
    QUEUE,
    TIME,
    VALUE,
    append,
    expire,
    first_time,
    first_value,
    last_time,
    length,
    pop,
    time_at,
    total,
)
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.order_rate import message
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    Count,
    Duration,
    Limit,
    Messages,
    PositiveCount,
    duration_text,
    messages_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, QUEUED, CapVerdict
from riskkit.replay.schema.columns import EventKind, EventRow
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.durations import duration

WAITING, SENT = 0, QUEUE  # queues of (release, messages): what waits, and what went in the last window
FULL_QUEUE, TOO_LARGE = 0, 1  # the breached limit


class Pace(NamedTuple):
    """At most `limit` messages in a window, or a bucket of `limit` tokens: what is faster waits in order of entry.

    Give `window_ns` (sliding) or `refill_ns` (a token each). More than `max_queue` messages waiting are refused; without it all
    wait. A list of n orders is n messages that go together, and is refused if n is above `limit`. What is refused takes no place.
    A cancel never waits. An order that ends while it waits (a cancel, an expiry, the kill switch, another rule) leaves the queue, and
    the others keep their times; a modify and an order of a list keep their places.

    Parameters
    ----------
    window_ns
        Length of a sliding window; give this or `refill_ns`.
    refill_ns
        Time in which a bucket gets one token more.
    max_queue
        Messages that may wait, more are refused; not given: all wait.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("pace", Pace(limit=2, window_ns="1s", max_queue=3)))
    pace: at most 2 messages (orders, order lists) in any 1 s, and at most 3 waiting, for each account. Messages
    that come too fast wait their turn, and those that find the queue full are rejected (severity WARN).
    """

    limit: Limit[PositiveCount]
    window_ns: Duration = 0
    refill_ns: Duration = 0
    max_queue: Limit[Count] = None
    kinds: Messages = ("order", "order_list")


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Let go what is due at the time of the event or before it, and forget what left the window."""
    waiting, sent = state.memory + WAITING, state.memory + SENT
    while length(memory, waiting) > 0 and first_time(memory, waiting) <= event.ts:
        release, messages = first_time(memory, waiting), first_value(memory, waiting)
        pop(memory, waiting)
        send(state, params, memory, release, messages)
    expire(memory, sent, event.ts - params.window_ns)


def send(state: Record, params: Any, memory: Words, release: int, messages: int) -> None:
    """Note messages that went: in the window, or as tokens of the bucket."""
    if params.refill_ns > 0:
        state.full_at = filled_at(state.full_at if state.sent != 0 else release, params, release, messages)
        state.sent = 1
    else:
        append(memory, state.memory + SENT, release, messages)


def filled_at(full_at: int, params: Any, release: int, messages: int) -> int:
    """Time at which the bucket is full again after messages that took their tokens at `release`."""
    return max(full_at, release) + messages * params.refill_ns


def next_release(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Time at which the message of the event may go, after all that wait; one above the limit when all before it are gone."""
    waiting, sent = state.memory + WAITING, state.memory + SENT
    release, weight = event.ts, min(event.weight, params.limit)
    if length(memory, waiting) > 0:
        release = max(release, last_time(memory, waiting))
    if params.refill_ns > 0:
        full_at = state.full_at if state.sent != 0 else event.ts
        node = memory[waiting + FIRST]
        for _ in range(length(memory, waiting)):
            full_at = filled_at(full_at, params, memory[node + TIME], memory[node + VALUE])
            node = memory[node + NEXT]
        return max(release, full_at - (params.limit - weight) * params.refill_ns)
    gone = total(memory, sent)
    oldest = gone + total(memory, waiting) + weight - params.limit  # so many of them must be a window old
    if oldest > gone:
        return max(release, time_at(memory, waiting, oldest - gone) + params.window_ns)
    return max(release, time_at(memory, sent, oldest) + params.window_ns) if oldest > 0 else release


def is_paced(params: Any, event: EventRow) -> bool:
    """True if the rule counts this kind of message; the later orders of a list go with its first."""
    return message(event) & params.kinds != 0 and event.weight > 0


def check(state: Record, params: Any, event: EventRow, memory: Words) -> CapVerdict:
    """Find when the message may go, and whether the queue has room for it until then."""
    if not is_paced(params, event):
        return CapVerdict(PASS, 0, params.max_queue, FULL_QUEUE, 0)
    if event.weight > params.limit:
        return CapVerdict(OBJECT, event.weight, params.limit, TOO_LARGE, 0)
    waiting = total(memory, state.memory + WAITING)
    release = next_release(state, params, event, memory)
    if release <= event.ts:
        return CapVerdict(PASS, waiting, params.max_queue, FULL_QUEUE, 0)
    if waiting + event.weight > params.max_queue:
        return CapVerdict(OBJECT, waiting + event.weight, params.max_queue, FULL_QUEUE, 0)
    return CapVerdict(QUEUED, waiting + event.weight, release, FULL_QUEUE, 0)


def update(state: Record, params: Any, event: EventRow, memory: Words, accepted: int, released: int) -> int:
    """Give an accepted message its place."""
    if accepted != 0 and is_paced(params, event):
        release = max(next_release(state, params, event, memory), released)
        if release > event.ts:
            append(memory, state.memory + WAITING, release, event.weight)
        else:
            send(state, params, memory, release, event.weight)
    return 0


def leave(state: Record, memory: Words, release: int) -> None:
    """Take one message that would go at `release` out of the queue: all others are queued again."""
    waiting = state.memory + WAITING
    found = 0
    for _ in range(length(memory, waiting)):
        time, messages = first_time(memory, waiting), first_value(memory, waiting)
        pop(memory, waiting)
        if found == 0 and time == release and messages == 1:
            found = 1
        else:
            append(memory, waiting, time, messages)


def sentence(params: Pace) -> str:
    """The limit in words."""
    bound = f"at most {messages_text(params.limit, params.kinds)}"
    if duration(params.refill_ns, "refill_ns") > 0:
        text = f"{bound} at once and one more each {duration_text(params.refill_ns)}"
    else:
        text = f"{bound} in any {duration_text(params.window_ns)}"
    return text if params.max_queue is None else f"{text}, and at most {params.max_queue:,} waiting"


def misfit(rule: Any) -> str:
    """Refuse a window and a bucket together, cancels, and a bucket that fills in more than a lifetime."""
    params = rule.parameters
    window, refill = duration(params.window_ns, "window_ns"), duration(params.refill_ns, "refill_ns")
    if window and refill:
        return "window_ns (a sliding window) and refill_ns (a bucket of tokens) exclude each other; give one"
    if "cancel" in params.kinds:
        return "kinds holds 'cancel', and a cancel never waits; leave it out"
    if params.limit * refill >= LARGEST // 2:
        return (
            f"a bucket of {params.limit:,} tokens, one each {duration_text(refill)}, is not full within a hundred years"
        )
    return ""


def evidence(rule: Any) -> tuple[Need, ...]:
    """The messages that it counts."""
    names = {"order": "ORDER", "order_list": "list", "modify": "MODIFY"}
    return (Need(tuple(names[kind] for kind in rule.parameters.kinds)),)


PACE = register(
    RuleType(
        name="pace",
        parameters=Pace,
        state=("full_at", "sent", "memory"),
        check=check,
        update=update,
        evict=evict,
        leave=leave,
        workspace_size=2 * QUEUE,
        nodes_per_event=1,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY}),
        breached_by=frozenset(),
        action="QUEUE",
        requires=frozenset({"orders"}),
        observes=("max_queue", "limit"),
        bounds="nothing",
        evidence=evidence,
        one_of=("window_ns", "refill_ns"),
        sentence=sentence,
        misfit=misfit,
    )
)
