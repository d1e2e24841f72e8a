"""Runtime functions of every loop: writing decision rows, combining verdicts, commands, ends of pauses."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.schema.columns import Cause, DecisionCode, FillCap, OrderStatus, TradingCommand
from riskkit.replay.schema.constants import LARGEST, NEVER

HELD = int(DecisionCode.HELD)
ALERTED = int(DecisionCode.ALERTED)
NO_PRICE = int(DecisionCode.NO_PRICE)
PASS = int(DecisionCode.PASS)
MISSING_REJECT, MISSING_ALERT = 0, 1  # of `OnMissingPrice`
NO_RULE = int(Cause.NO_RULE)
COMMAND = int(Cause.COMMAND)
COMMAND_BIT = 1 << 62  # bit of a PAUSE command in a mask of rules
MAX_RULES = 62
UNKNOWN = int(OrderStatus.UNKNOWN)
WORKING = int(OrderStatus.WORKING)
BLOCKED = int(OrderStatus.BLOCKED)
CANCELLED = int(OrderStatus.CANCELLED)
REDUCED = int(OrderStatus.REDUCED)
DONE = int(OrderStatus.DONE)


class Rejects(IntEnum):
    """Messages that a rule rejects, by its action."""

    NOTHING = 0  # it only alerts
    BREACH = 1  # those that breach it


class PauseEnd(IntEnum):
    """End of a rule's pause."""

    RESET = 0  # a command
    SESSION = 1  # the end of the trading day
    DURATION = 2  # a time after its start


REJECTS_BREACH = int(Rejects.BREACH)
UNTIL_RESET = int(PauseEnd.RESET)
UNTIL_SESSION = int(PauseEnd.SESSION)
NO_CAP = int(FillCap.NONE)
CAP_QTY = int(FillCap.QTY)
CAP_PRICE = int(FillCap.QTY_AND_PRICE)


class Counter(IntEnum):
    """Words of ``counts``: the loop's state between chunks, and the totals of the summary."""

    NEXT_TURN = 0
    ROOM = 1
    SAMPLE = 2
    ORPHAN_POLICY = 3
    ERRORS_TS = 4
    DUPLICATES = 5
    UNNAMED_FILLS = 6
    FILLS_VANISHED = 7
    FILLS_CUT = 8
    ORDERS_VANISHED = 9
    ORPHANS = 10
    ORPHANS_DROPPED = 11
    CANCELLED = 12
    SLOTS = 13
    ACCOUNTS = 14
    CALENDARS = 15
    KEPT = 16  # ten words: the verdict on the list in decision
    SAMPLES = 26
    BALANCES = 27  # number of currencies in which each account has a balance
    LIST = 28  # first row of the list whose verdict is kept, -1 if none
    INSTRUMENTS = 29
    STRATEGIES = 30
    FILLS = 31  # number of fills noted for a bust or a correction
    SESSION_ROW = 32  # last row at which every day was ended, -1 if none
    CURRENCIES = 33  # number of currencies
    TOTALS = 34  # number of currencies whose total profit is sampled
    ENTERED = 35  # number of orders that have begun to work, kept if a rule looks at cancels by their orders
    RECONCILING = 36  # 1 while the fills that a snapshot implies are booked, else 0
    SIZE = 37


class Orphans(IntEnum):
    """Treatment of an order that reduces the recorded position but would open or flip the enforced one."""

    KEEP = 0
    CLIP = 1
    DROP = 2


DEFAULT_ORPHANS = "clip"  # opens no position that nobody ordered


# one decision or transition; packed and little-endian, so that its bytes are the same on every machine
ROW = np.dtype(
    [
        ("seq", "<i8"),
        ("mask", "<i8"),
        ("observed", "<i8"),
        ("limit", "<i8"),
        ("until", "<i8"),
        ("key", "<i4"),
        ("cause", "<i2"),
        ("code", "<i2"),
        ("base", "<i8"),  # from here on not in the digest: base of an observed fraction or distance, else 0
        ("cap", "<i8"),  # index of the breached limit, in the order of `RuleType.observes`
    ]
)
OFFSETS = {name: place for name, (_, place, *_) in (ROW.fields or {}).items()}  # of the fields, in bytes
PROVEN = ROW.itemsize - 16  # bytes of a row that a digest covers


class Terms(NamedTuple):
    """Rule settings that are not parameters: which verdicts reject a message, and how a pause ends."""

    rejects: int  # `Rejects`
    pause_end: int  # `PauseEnd`
    pause_ns: int
    calendar: int
    currency: int = -1  # code of the currency of its limit; -1 if amounts are not converted, or nothing has it
    via: int = -1  # code of the currency of a cross
    max_age: int = LARGEST  # of a rate, in nanoseconds
    missing: int = 0  # `OnMissingPrice`: treatment of an order whose money has no rate


class Judgement(NamedTuple):
    """Combined verdict of all rules on one message.

    ``mask``, ``breached`` and ``stopped`` are bits by rule: it objects, its limit is breached, it stops the message.
    ``cause`` is the first rule that stops it, or `Cause`, with its ``code``, observed value, limit and end of pause.
    """

    mask: int
    breached: int
    stopped: int
    cause: int
    code: int
    observed: int
    limit: int
    until: int
    cap: int
    base: int


def emit(
    rows: Record, used: int, seq: int, mask: int, observed: int, limit: int, until: int, key: int, cause: int, code: int
) -> int:  # fmt: skip
    """Write one decision row; return the number of rows."""
    row = at(rows, used)
    row.seq = seq
    row.mask = mask
    row.observed = observed
    row.limit = limit
    row.until = until
    row.key = key
    row.cause = cause
    row.code = code
    row.base = 0
    row.cap = 0
    return used + 1


def spoke(rows: np.ndarray, row: int, cap: int, base: int) -> None:
    """Write the breached limit, and the base of an observed fraction, in a verdict's row."""
    written = at(rows, row)
    written.cap = cap
    written.base = base


def proven(rows: np.ndarray) -> bytes:
    """The bytes of rows that a digest covers."""
    return np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), ROW.itemsize)[:, :PROVEN].tobytes()


def stopping(rejects: int, code: int) -> bool:
    """True if a rule with these terms stops a message with the verdict `code`.

    An alert stops nothing. A rule that pauses stops the message that breaches it too, like one that only refuses.
    """
    return rejects == REJECTS_BREACH and code != ALERTED


def unrated(policy: int) -> Any:
    """Code of a verdict on a message whose money has no exchange rate, by `OnMissingPrice`."""
    return NO_PRICE if policy == MISSING_REJECT else ALERTED if policy == MISSING_ALERT else PASS


def release_time(now: int, terms: Terms, clocks: Record) -> int:
    """End of a pause that begins at `now`, in nanoseconds."""
    if terms.pause_end == UNTIL_RESET:
        return NEVER
    if terms.pause_end == UNTIL_SESSION:
        return at(clocks, terms.calendar).end
    return now + terms.pause_ns


def merge(combined: Judgement, verdict: Judgement) -> Judgement:
    """Add an order's verdict to that on its list: all objections; the cause is the first rule, a pause before others."""
    mask = combined.mask | verdict.mask
    breached = combined.breached | verdict.breached
    stopped = combined.stopped | verdict.stopped
    waits = max(combined.until, verdict.until) if combined.cause == NO_RULE and verdict.cause == NO_RULE else 0
    if verdict.cause == NO_RULE or not comes_first(verdict, combined):
        verdict = combined
    until = max(verdict.until, waits)  # a list goes as a whole
    named = verdict.cause, verdict.code, verdict.observed, verdict.limit, until, verdict.cap, verdict.base
    return Judgement(mask, breached, stopped, *named)


def comes_first(verdict: Judgement, other: Judgement) -> bool:
    """True if the cause of a verdict is reported rather than that of another."""
    if other.cause == NO_RULE:
        return True
    if (verdict.code == HELD) != (other.code == HELD):
        return verdict.code == HELD
    return verdict.cause < other.cause


KEPT = int(Counter.KEPT)


def save_list_verdict(counts: Words, verdict: Judgement) -> None:
    """Store the verdict on a list for its later orders, across chunks."""
    counts[KEPT] = verdict.mask
    counts[KEPT + 1] = verdict.breached
    counts[KEPT + 2] = verdict.stopped
    counts[KEPT + 3] = verdict.cause
    counts[KEPT + 4] = verdict.code
    counts[KEPT + 5] = verdict.observed
    counts[KEPT + 6] = verdict.limit
    counts[KEPT + 7] = verdict.until
    counts[KEPT + 8] = verdict.cap
    counts[KEPT + 9] = verdict.base


def load_list_verdict(counts: Words) -> Judgement:
    """Load the verdict on the list in decision."""
    return Judgement(
        mask=counts[KEPT],
        breached=counts[KEPT + 1],
        stopped=counts[KEPT + 2],
        cause=counts[KEPT + 3],
        code=counts[KEPT + 4],
        observed=counts[KEPT + 5],
        limit=counts[KEPT + 6],
        until=counts[KEPT + 7],
        cap=counts[KEPT + 8],
        base=counts[KEPT + 9],
    )


def apply_pending(position: Record, account: Record, side: int, qty: int, sign: int) -> None:
    """Count an order of a list as working (`sign` 1) while the later ones are checked, or undo that (-1)."""
    account.working += sign
    if side > 0:
        position.open_buy_qty += sign * qty
        position.listed_buy_qty += sign * qty
    else:
        position.open_sell_qty += sign * qty
        position.listed_sell_qty += sign * qty


ACTIVE = int(TradingCommand.ACTIVE)
REDUCING = int(TradingCommand.REDUCING)
HALTED = int(TradingCommand.HALTED)
PAUSE = int(TradingCommand.PAUSE)
RESUME = int(TradingCommand.RESUME)
RESET = int(TradingCommand.RESET)
STOP = int(TradingCommand.STOP)
RESTART = int(TradingCommand.RESTART)
KILL = int(TradingCommand.KILL)
PAUSED, STOPPED = 1, 2  # of an account's ``paused``


def addressed(account: Record, code: int, target: int, group: int, key: int) -> bool:
    """True if a command to an account (`target`, -1: all) or a group (1 trader, 2 desk, 3 firm) is for this account."""
    if group == 0:
        return target < 0 or target == code
    return key == (account.trader if group == 1 else account.desk if group == 2 else account.firm)


def sort_rows(rows: Record, first: int, end: int) -> None:
    """Sort the rows [first, end), which differ in ``observed``, ``limit``, ``until`` and ``key`` only, by ``observed``."""
    gap = (end - first) // 2
    while gap > 0:
        for place in range(first + gap, end):
            row = at(rows, place)
            observed, limit, until, key = row.observed, row.limit, row.until, row.key
            while place - gap >= first and at(rows, place - gap).observed > observed:
                row, lower = at(rows, place), at(rows, place - gap)
                row.observed, row.limit, row.until, row.key = lower.observed, lower.limit, lower.until, lower.key
                place -= gap
            row = at(rows, place)
            row.observed, row.limit, row.until, row.key = observed, limit, until, key
        gap //= 2


def may_return(status: int) -> bool:
    """True if the venue may bring back an order of this status."""
    return status == CANCELLED or status == REDUCED


def command(account: Record, code: int) -> None:
    """Apply a `TradingCommand` to one account; what is stopped is neither paused nor resumed, only restarted."""
    if code <= HALTED:
        account.state = code
    elif code == KILL:
        account.state = HALTED
    elif code == STOP:
        account.paused = STOPPED
    elif code == RESTART:
        account.paused = 0 if account.paused == STOPPED else account.paused
    elif account.paused != STOPPED:
        if code == PAUSE:
            account.paused = PAUSED
        elif code == RESUME or code == RESET:
            account.paused = 0


# identical orders: `prev_duplicate` is, for each order, the row of the previous identical one (-1: none).
# The row of an order that vanished with another is stored as VANISHED - link and skipped
VANISHED = -3


def duplicates_before(prev_duplicate: Words, ts: Words, row: int, width: int, limit: int) -> int:
    """Number of orders identical to the one at `row` in the time `width` up to it; counting stops beyond `limit`."""
    since = ts[row] - width
    count = 0
    previous = prev_duplicate[row]
    while previous >= 0 and count <= limit and ts[previous] > since:
        link = prev_duplicate[previous]
        if link >= -1:
            count += 1
        else:
            link = VANISHED - link
        previous = link
    return count
