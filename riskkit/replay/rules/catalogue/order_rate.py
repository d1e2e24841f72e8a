"""Message rate limit: number of messages of an account (or another key) in a window of time.

Unit: messages. Source: the message throttles of exchanges and of ESMA RTS 6 (2017/589), Art. 15(1)(d); a sliding
window at t is (t - w, t], as NautilusTrader's throttler counts it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.catalogue.window import (
    CALENDAR_DAY,
    FIELDS,
    FIXED,
    SLIDING,
    add,
    close,
    expire,
    resized,
    words,
)
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    Breach,
    Count,
    Duration,
    Flag,
    Hour,
    Limit,
    Messages,
    TimeZone,
    at_most,
    choice,
    day_text,
    duration_text,
    messages_text,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow

ORDER = int(EventKind.ORDER)
MODIFY = int(EventKind.MODIFY)
CANCEL = int(EventKind.CANCEL)
ACCEPTED = 0


class OrderRate(NamedTuple):
    """At most `limit` messages in a window.

    Parameters
    ----------
    window
        sliding, fixed_from_first ([s, s + w) from the first message s) or calendar_day.
    count
        accepted: a refused message leaves no trace; attempted: every message counts.
    kinds
        Messages that are counted and limited; a list of n orders counts n and is refused entirely.
    bucket_ns
        Above zero, messages are counted in buckets, in constant memory: one expires up to one bucket early.
    reset_on_trip
        A refused message closes a fixed window.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("order_rate", OrderRate(limit=50, window_ns="1s")))
    order_rate: at most 50 messages (orders, order lists) in any 1 s, rejected ones do not count, for each
    account. Orders and modifications that would breach it are rejected (severity WARN).
    """

    limit: Limit[Count]
    window_ns: Duration = 0
    window: choice("sliding", "fixed_from_first", "calendar_day") = "sliding"
    count: choice("accepted", "attempted") = "accepted"
    kinds: Messages = ("order", "order_list")
    bucket_ns: Duration = 0
    reset_on_trip: Flag = False
    tz: TimeZone = "UTC"
    roll_hour: Hour = 0
    breach: Breach = "exceed"


def message(event: EventRow) -> int:
    """Bit of the event's message kind."""
    if event.kind == ORDER:
        return 1 if event.batch < 0 else 2
    return 4 if event.kind == MODIFY else 8


def capacity(params: Any) -> int:
    """Number of entries of the window's log."""
    if params.bucket_ns > 0:
        return -(-params.window_ns // params.bucket_ns)
    return params.limit + 2


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove entries outside the window, only if the limit may be exceeded.

    While the log with its expired entries leaves room, the message passes: expiry at every message would be an
    unpredictable branch. The observed value of a pass may therefore be too high.
    """
    if params.window == SLIDING and params.bucket_ns == 0 and state.size + event.weight <= params.limit:
        return
    expire(state, memory, params.window, params.window_ns, params.bucket_ns, capacity(params), event.ts)


def check(state: Record, params: Any, event: EventRow) -> Verdict:
    """Count the window's messages, this one included."""
    if message(event) & params.kinds == 0 or event.weight == 0:
        return Verdict(PASS, 0, params.limit)
    observed = state.total + event.weight
    return Verdict(OBJECT if observed > params.limit else PASS, observed, params.limit)


def update(state: Record, params: Any, event: EventRow, memory: Words, accepted: int, passed: int) -> int:
    """Count accepted messages, or every attempt; a cancel beyond the limit trips, for it cannot be refused."""
    if message(event) & params.kinds == 0 or event.weight == 0:
        return 0
    breaches = state.total + event.weight > params.limit
    if accepted != 0 or params.count != ACCEPTED:
        add(state, memory, params.window, params.bucket_ns, capacity(params), event.ts, event.weight)
    if passed == 0 and params.reset_on_trip != 0 and params.window == FIXED:
        close(state)
    return 1 if breaches and event.kind == CANCEL else 0


def on_new_day(state: Record, params: Any) -> None:
    """Restart the day's count."""
    if params.window == CALENDAR_DAY:
        close(state)


def memory_words(params: OrderRate) -> int:
    """Words of workspace per key."""
    return words(params.limit, params.window_ns, params.bucket_ns) if params.window == SLIDING else 0


def resize(table: Any, before: Any, after: Any, memory: Any) -> Any:
    """The logs of sliding windows with room for another limit."""
    return resized(table, memory, capacity(before), capacity(after))


def not_bounding(rule: Any) -> str:
    """Reason why the limit does not bound the orders in a window; empty if it does."""
    params = rule.parameters
    if params.window != "sliding" and params.tz != "UTC":
        return f"the length of a day in {params.tz} changes"
    if "order" not in params.kinds:
        return "it does not count single orders"
    if params.reset_on_trip:
        return "a refused message reopens its window"
    return ""


def sentence(params: OrderRate) -> str:
    """The limit in words."""
    bound = f"{at_most(params, 'fewer than')} {messages_text(params.limit, params.kinds)}"
    if params.window == "calendar_day":
        span = f"a {day_text(params)}"
    elif params.window == "fixed_from_first":
        span = f"each {duration_text(params.window_ns)} from a first message on"
    else:
        span = f"any {duration_text(params.window_ns)}"
        span += f" (in buckets of {duration_text(params.bucket_ns)})" if params.bucket_ns else ""
    counts = "do not count" if params.count == "accepted" else "count too"
    return f"{bound} in {span}, rejected ones {counts}"


def evidence(rule: Any) -> tuple[Need, ...]:
    """The messages that it counts; with REJECT, those that can be refused."""
    names = {"order": "ORDER", "order_list": "list", "modify": "MODIFY", "cancel": "CANCEL"}
    kinds = [kind for kind in rule.parameters.kinds if kind != "cancel" or rule.action != "REJECT"]
    return (Need(tuple(names[kind] for kind in kinds)),)


ORDER_RATE = register(
    RuleType(
        name="order_rate",
        parameters=OrderRate,
        state=FIELDS,
        check=check,
        update=update,
        on_new_day=on_new_day,
        evict=evict,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL}),
        workspace_size=memory_words,
        resize=resize,
        observes="limit",
        standing=True,
        counts_itself=True,
        one_pass=True,
        bounds="orders",
        not_bounding=not_bounding,
        evidence=evidence,
        breached_by=frozenset({EventKind.CANCEL}),
        one_of=lambda params: () if params.window == "calendar_day" else ("window_ns",),
        refusable=lambda params: set(params.kinds) != {"cancel"},
        sentence=sentence,
    )
)
