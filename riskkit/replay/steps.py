"""The small steps that every written loop calls: emitting rows, joining verdicts, commands, ends of pauses.

``source`` writes the loop, ``rules`` decide, ``book`` counts; what is common to all loops and small stands here.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from riskkit.replay.columns import Command, Decision, OrderStatus
from riskkit.replay.constants import NEVER
from riskkit.replay.records import at

__all__ = ["ROW", "Counter", "Judgement", "Orphans", "Terms", "proven"]

NO_PRICE = int(Decision.NO_PRICE)
HELD = int(Decision.HELD)
ALERTED = int(Decision.ALERTED)
STOPS_NOTHING = 0
STOPS_BREACH = 1
STOPS_LATER = 2
COMMAND = -2  # the cause of a refusal by a person's pause: no rule's id
COMMAND_BIT = 1 << 62
MOST_RULES = 62
LIMITED_QTY = 1
LIMITED_PRICE = 2
HOLD_RESET = 0
HOLD_SESSION = 1
UNKNOWN = int(OrderStatus.UNKNOWN)
WORKING = int(OrderStatus.WORKING)
BLOCKED = int(OrderStatus.BLOCKED)


class Counter(IntEnum):
    """Words of ``counts``: the loop's own state between chunks, and what the summary counts."""

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
    KEPT = 16  # ten words: the verdict of the list that is being taken in
    SAMPLES = 26
    PURSES = 27  # currencies for which an account has a purse of its own
    LIST = 28  # the list of orders whose verdict is kept (its first row, -1: none)
    SIZE = 29


class Orphans(IntEnum):
    """What becomes of an order that reduced in the record but would open or flip in the counterfactual."""

    KEEP = 0
    CLIP = 1
    DROP = 2


# one decision or transition; packed and little-endian, so that its bytes are the same everywhere
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
        ("base", "<i8"),  # from here on no part of the digest: of what the observed value is a fraction, 0 of nothing
        ("cap", "<i8"),  # which of the rule's limits spoke, in the order of `RuleType.observes`
    ]
)
PROVEN = ROW.itemsize - 16  # bytes of a row that a digest covers


class Terms(NamedTuple):
    """A rule's terms outside its parameters: what of it stops a message, and how its pause ends."""

    stops: int
    hold: int
    hold_ns: int
    calendar: int


class Judgement(NamedTuple):
    """All rules' answer to one message: who objects, whose limit it breaches, who stops it, and the named cause."""

    mask: int
    breached: int
    stopped: int
    cause: int
    code: int
    seen: int
    limit: int
    until: int
    cap: int
    base: int


def emit(rows, used, seq, mask, observed, limit, until, key, cause, code):
    """Write one row; return how many there are."""
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


def spoke(rows, row, cap, base):
    """Write in a verdict's row which limit spoke, and of what the observed value is a fraction."""
    written = at(rows, row)
    written.cap = cap
    written.base = base


def proven(rows: np.ndarray) -> bytes:
    """The bytes of rows that a digest covers."""
    return np.ascontiguousarray(rows).view(np.uint8).reshape(len(rows), ROW.itemsize)[:, :PROVEN].tobytes()


def stopping(stops, code):
    """Whether a rule with these terms stops a message of which it says `code`.

    An alert stops nothing. A rule that pauses stops what comes after the breach, and what it cannot judge at all.
    """
    if stops == STOPS_BREACH:
        return code != ALERTED
    return stops == STOPS_LATER and (code == NO_PRICE or code == HELD)


def release_time(now, terms, clocks):
    """When a pause that begins now ends."""
    if terms.hold == HOLD_RESET:
        return NEVER
    if terms.hold == HOLD_SESSION:
        return at(clocks, terms.calendar).end
    return now + terms.hold_ns


def join(whole, one):
    """The verdict on a list: everything that any member met; the cause is the first rule, a pause before any."""
    mask = whole.mask | one.mask
    breached = whole.breached | one.breached
    stopped = whole.stopped | one.stopped
    first = one if one.cause != -1 and comes_first(one, whole) else whole
    return Judgement(
        mask, breached, stopped, first.cause, first.code, first.seen, first.limit, first.until, first.cap, first.base
    )


def comes_first(one, other):
    """Whether the cause of one verdict is named before that of another."""
    if other.cause == -1:
        return True
    if (one.code == HELD) != (other.code == HELD):
        return one.code == HELD
    return one.cause < other.cause


KEPT = int(Counter.KEPT)


def keep_judgement(counts, verdict):
    """Remember the verdict on a list for its later members, across chunks."""
    counts[KEPT] = verdict.mask
    counts[KEPT + 1] = verdict.breached
    counts[KEPT + 2] = verdict.stopped
    counts[KEPT + 3] = verdict.cause
    counts[KEPT + 4] = verdict.code
    counts[KEPT + 5] = verdict.seen
    counts[KEPT + 6] = verdict.limit
    counts[KEPT + 7] = verdict.until
    counts[KEPT + 8] = verdict.cap
    counts[KEPT + 9] = verdict.base


def kept_judgement(counts):
    """The verdict on the list that is being taken in."""
    return Judgement(
        mask=counts[KEPT],
        breached=counts[KEPT + 1],
        stopped=counts[KEPT + 2],
        cause=counts[KEPT + 3],
        code=counts[KEPT + 4],
        seen=counts[KEPT + 5],
        limit=counts[KEPT + 6],
        until=counts[KEPT + 7],
        cap=counts[KEPT + 8],
        base=counts[KEPT + 9],
    )


def tentative(position, account, side, qty, sign):
    """Count an order of a list as working (`sign` 1) while the ones after it are judged, or take it back (-1)."""
    account.working += sign
    if side > 0:
        position.buying += sign * qty
    else:
        position.selling += sign * qty


ACTIVE = int(Command.ACTIVE)
REDUCING = int(Command.REDUCING)
HALTED = int(Command.HALTED)
PAUSE = int(Command.PAUSE)
RESUME = int(Command.RESUME)
RESET = int(Command.RESET)


def command(account, said):
    """Carry out a person's command on one account."""
    if said == PAUSE:
        account.paused = 1
    elif said == RESUME or said == RESET:
        account.paused = 0
    else:
        account.state = said


def is_key_of(order, position, account, instrument, pair):
    """Whether a working order is one of an account, an instrument, a pair, or (all -1) of everything."""
    if order.status != WORKING or (account >= 0 and order.account != account):
        return False
    return (instrument < 0 or position.instrument == instrument) and (pair < 0 or order.pair == pair)


# identical orders: `twin` holds, for each order, the row of the one before that is its like (-1: none). The row of an
# order that never came (it vanished with another) is written as VANISHED - link, so that it is passed over.
VANISHED = -3


def twins_before(twin, ts, row, width, most):
    """How many orders like the one at `row` came in the time `width` up to it; counting stops beyond `most`."""
    since = ts[row] - width
    seen = 0
    at_row = twin[row]
    while at_row >= 0 and seen <= most and ts[at_row] > since:
        link = twin[at_row]
        if link >= -1:
            seen += 1
        else:
            link = VANISHED - link
        at_row = link
    return seen
