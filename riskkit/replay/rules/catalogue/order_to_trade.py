"""Order-to-trade ratio: messages, or cancels, per fill of a key in a window of time.

Unit: messages per fill. Source: ESMA RTS 9 (2017/566), the ratio of unexecuted orders to transactions; exchanges
measure it over a session or shorter. Every message counts, refused ones too; a window without fills counts as one fill.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.kernels.queue import QUEUE, adjust, append, expire, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, Count, Duration, Limit, Ratio, at_most, choice, duration_text
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Observation, Verdict
from riskkit.replay.schema.columns import EventKind, EventRow

FILL = int(EventKind.FILL)
CANCEL = int(EventKind.CANCEL)
OF_MESSAGES = 0


class OrderToTradeRatio(NamedTuple):
    """At most `limit` messages (or cancels) for each fill within `window_ns`, once there are more than `least`.

    Parameters
    ----------
    of
        What is counted for each fill.
    least
        Messages up to which any ratio passes.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("order_to_trade", OrderToTradeRatio(limit=100, window_ns="1min", least=20)))
    order_to_trade: at most 100 messages for each fill within 1 min, once there are more than 20, rejected ones
    count too, for each account. Orders and modifications that would breach it are rejected (severity WARN).
    """

    limit: Limit[Ratio]
    window_ns: Duration
    of: choice("messages", "cancels") = "messages"
    least: Count = 0
    breach: Breach = "exceed"


def evict(state: Record, params: Any, event: EventRow, memory: Words) -> None:
    """Remove entries outside the window."""
    expire(memory, state.memory, event.ts - params.window_ns)
    expire(memory, state.memory + QUEUE, event.ts - params.window_ns)


def breaches(params: Any, sent: int, fills: int) -> bool:
    """True if the messages exceed the limit for these fills."""
    if sent <= params.least:
        return False
    limit = params.limit * max(fills, 1)
    return sent * MILLION > limit or (params.breach != 0 and sent * MILLION == limit)


def check(state: Record, params: Any, event: EventRow, memory: Words) -> Verdict:
    """Compare the messages in the window, this one included, with its fills."""
    counts = params.of == OF_MESSAGES or event.kind == CANCEL
    sent = total(memory, state.memory) + (event.weight if counts else 0)
    fills = total(memory, state.memory + QUEUE)
    return Verdict(OBJECT if breaches(params, sent, fills) else PASS, sent, fills)


def update(state: Record, params: Any, event: EventRow, memory: Words) -> int:
    """Count a message or a fill; a cancel beyond the limit trips, for it cannot be refused."""
    if event.kind == FILL:
        append(memory, state.memory + QUEUE, event.ts, 1)
        return 0
    if params.of != OF_MESSAGES and event.kind != CANCEL:
        return 0
    append(memory, state.memory, event.ts, event.weight)
    sent = total(memory, state.memory)
    return 1 if event.kind == CANCEL and breaches(params, sent, total(memory, state.memory + QUEUE)) else 0


def amend(state: Record, event: EventRow, memory: Words, sign: int) -> None:
    """Undo or count a fill of the window that the venue busts or corrects."""
    adjust(memory, state.memory + QUEUE, event.ts, sign)


def sentence(params: OrderToTradeRatio) -> str:
    """The limit in words."""
    bound = at_most(params, "fewer than")
    minimum = f", once there are more than {params.least:,}" if params.least else ""
    window = duration_text(params.window_ns)
    sent = counted(params.limit, params.of.removesuffix("s"))
    return f"{bound} {sent} for each fill within {window}{minimum}, rejected ones count too"


ORDER_TO_TRADE = register(
    RuleType(
        name="order_to_trade",
        parameters=OrderToTradeRatio,
        state=("memory",),
        check=check,
        update=update,
        evict=evict,
        amend=amend,
        workspace_size=2 * QUEUE,
        nodes_per_event=1,
        updates_on=frozenset({EventKind.ORDER, EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL}),
        observes=Observation(Measure.PER_FILL, "limit"),
        standing=True,
        evidence=lambda rule: (Need(("CANCEL",)),) if rule.parameters.of == "cancels" else (),
        breached_by=frozenset({EventKind.CANCEL}),
        one_of=("window_ns",),
        refusable=lambda params: params.of != "cancels",
        sentence=sentence,
    )
)
