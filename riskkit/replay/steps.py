"""The small steps that every written loop calls: emitting rows, joining verdicts, commands, ends of pauses.

``source`` writes the loop, ``rules`` decide, ``book`` counts; what is common to all loops and small stands here.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from riskkit.replay.book import close_order
from riskkit.replay.columns import Command
from riskkit.replay.records import at

__all__ = ["NEVER", "ROW", "Counter", "Decision", "Judgement", "Orphans", "Terms"]

NEVER = 2**63 - 1
COMMAND = -2  # the cause of a refusal by a person's pause: no rule's id
COMMAND_BIT = 1 << 62
MOST_RULES = 62
LIMITED_QTY = 1
LIMITED_PRICE = 2
HOLD_RESET = 0
HOLD_SESSION = 1
WORKING = 1
BLOCKED = 2


class Decision(IntEnum):
    """What a row of the result says (column ``code``); the first four are a refusal's reasons, as rules give them."""

    OBJECT = 1
    NO_PRICE = 2
    HELD = 3
    ALERTED = 4
    VANISH = 5
    CUT = 6
    ORPHAN = 7
    CLIPPED = 8
    DUP = 9
    ERROR_TS = 10
    TRIP = 11
    RELEASE = 12


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
    KEPT = 16  # seven words: the verdict of the list that is being taken in
    SAMPLES = 23
    SIZE = 24


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
    ]
)


class Terms(NamedTuple):
    """A rule's terms outside its parameters: whether it blocks, and how its pause ends."""

    blocks: int
    hold: int
    hold_ns: int
    calendar: int


class Judgement(NamedTuple):
    """All rules' answer to one message: who objects, who objects by more than a pause, and the named cause."""

    mask: int
    breached: int
    cause: int
    code: int
    seen: int
    limit: int
    until: int


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
    return used + 1


def release_time(now, terms, clocks):
    """When a pause that begins now ends."""
    if terms.hold == HOLD_RESET:
        return NEVER
    if terms.hold == HOLD_SESSION:
        return at(clocks, terms.calendar).end
    return now + terms.hold_ns


def join(whole, one):
    """The verdict on a list: everything that any member met, the first cause (a pause before any rule)."""
    first = whole.cause == -1 or (one.code == HELD and whole.code != HELD)
    if one.cause != -1 and first:
        return Judgement(
            whole.mask | one.mask,
            whole.breached | one.breached,
            one.cause,
            one.code,
            one.seen,
            one.limit,
            one.until,
        )
    return Judgement(
        whole.mask | one.mask,
        whole.breached | one.breached,
        whole.cause,
        whole.code,
        whole.seen,
        whole.limit,
        whole.until,
    )


HELD = 3


def keep_judgement(counts, verdict):
    """Remember the verdict on a list for its later members, across chunks."""
    counts[16] = verdict.mask
    counts[17] = verdict.breached
    counts[18] = verdict.cause
    counts[19] = verdict.code
    counts[20] = verdict.seen
    counts[21] = verdict.limit
    counts[22] = verdict.until


def kept_judgement(counts):
    """The verdict on the list that is being taken in."""
    return Judgement(counts[16], counts[17], counts[18], counts[19], counts[20], counts[21], counts[22])


def tentative(position, side, qty):
    """Count an order of a list as working while the ones after it are judged."""
    if side > 0:
        position.buying += qty
    else:
        position.selling += qty


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


def cancel_working(orders, positions, accounts, instruments, account, instrument, pair, counts):
    """Cancel the working orders of an account, an instrument, a pair, or (all -1) of everything.

    A cancelled order counts as refused from here on: its later fills vanish.
    """
    for slot in range(counts[13]):
        order = at(orders, slot)
        if order.status != WORKING:
            continue
        position = at(positions, order.pair)
        if account >= 0 and order.account != account:
            continue
        if instrument >= 0 and position.instrument != instrument:
            continue
        if pair >= 0 and order.pair != pair:
            continue
        close_order(order, position, at(accounts, order.account))
        order.status = BLOCKED
        counts[12] += 1
