"""Limit up-limit down: price bands around the mean of the trades of five minutes, and pauses when the market stands at a band.

Unit: money of one unit, as prices are. Source: National Market System Plan to Address Extraordinary Market Volatility (LULD Plan),
I, V(A), VI, VII(A) and Appendix A. Percentages are of the *previous close* and the tier: above 3.00 5 % (tier 1) or 10 % (tier 2),
0.75 to 3.00 inclusive 20 %, below 0.75 the lesser of 0.15 and 75 %; doubled in the last 25 minutes for tier 1, and for tier 2 with
a reference of at most 3.00 (with `double_open` also from 09:30 to 09:45, as before the Eighteenth Amendment).

Decided here: the reference is asked at each trade and each order; before the first trade of the day it is the close; the bands
hold from `opens` to `closes`; a quote that stands at a band for 15 s pauses the instrument for 5 minutes, and leaves the limit
state as soon as it is off the band. Only a buy above the upper or a sell below the lower band is judged; market orders are not.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import MILLION, split_mark
from riskkit.replay.kernels.queue import QUEUE, append, clear, expire, length, split_values, total
from riskkit.replay.kernels.records import Record, Words
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import (
    Flag,
    LocalTime,
    MissingPrice,
    PositiveCount,
    Price,
    TimeZone,
    while_unknown,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventKind, EventRow
from riskkit.replay.schema.durations import SPANS

CLOSE, SPLIT = int(EventKind.CLOSE), int(EventKind.SPLIT)
SECOND, MINUTE = SPANS["s"], SPANS["min"]
MEAN, OLD, LIMIT_STATE, PAUSE, DOUBLED, OPENING = (
    5 * MINUTE,
    30 * SECOND,
    15 * SECOND,
    5 * MINUTE,
    25 * MINUTE,
    15 * MINUTE,
)
LOWER, UPPER = -1, 1


class LimitUpLimitDown(NamedTuple):
    """No buy above the upper and no sell below the lower price band of its instrument, and nothing but cancels in a pause.

    Parameters
    ----------
    tier
        Tier in the plan, 1 or 2, of instruments that declare none (`Instrument`).
    cent
        Step to whose nearest multiple bands are rounded; the plan's thresholds of prices are counted in it.
    double_open
        Bands are twice as wide in the first 15 minutes too, as before the Eighteenth Amendment.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("luld", LimitUpLimitDown(tier=2)))
    luld: no buy above the upper and no sell below the lower price band of limit up-limit down, tier 2, from
    09:30 to 16:00 America/New_York (rejected while no close is known), and only cancels in its pauses, for each
    instrument. Orders and modifications that would breach it are rejected (severity WARN).
    """

    tier: PositiveCount = 1
    double_open: Flag = False
    opens: LocalTime = "09:30"
    closes: LocalTime = "16:00"
    cent: Price = "0.01"
    on_missing_price: MissingPrice = "reject"
    tz: TimeZone = "America/New_York"


def evict(state: Record, event: EventRow, memory: Words) -> None:
    """Remove trades older than five minutes, and let the mean be the reference if it may."""
    expire(memory, state.memory, event.ts - MEAN)
    trades, worth = length(memory, state.memory), total(memory, state.memory)
    if trades > 0 and state.trades > 0 and event.ts - state.since >= OLD:
        base = state.worth * trades
        if abs(worth * state.trades - base) > (base - 1) // 100:  # at least 1 %, by numbers that do not overflow
            state.worth, state.trades, state.since = worth, trades, event.ts


def band(state: Record, params: Any, book: Book, ts: int, day: int, side: int) -> int:
    """The upper (`side` 1) or lower (-1) band in cents, rounded half up."""
    unit = book.instrument.price_unit
    worth, trades = state.worth * unit, state.trades
    if trades == 0:
        worth, trades = state.close * unit, 1
    cent = params.cent
    close = state.close * unit
    tier = book.instrument.luld_tier if book.instrument.luld_tier > 0 else params.tier
    if close > 300 * cent:
        part = 50_000 if tier == 1 else 100_000
    elif close >= 75 * cent:
        part = 200_000
    else:
        part = 750_000
    late = ts >= day + params.closes - DOUBLED and (tier == 1 or worth <= 300 * cent * trades)
    if late or (params.double_open != 0 and ts < day + params.opens + OPENING):
        part *= 2
    move = part * worth  # in millionths of the sum of the trades
    if close < 75 * cent:
        move = min(move, (part // 750_000) * 15 * cent * MILLION * trades)
    value = worth * MILLION + side * move
    step = cent * MILLION * trades
    return (2 * value + step) // (2 * step)


def paused_until(state: Record, ts: int) -> int:
    """End of the pause that is in force at a time, else 0."""
    until = state.entered + LIMIT_STATE + PAUSE
    return until if state.entered > 0 and until - PAUSE <= ts < until else 0


def check(state: Record, params: Any, book: Book, event: EventRow, day: int) -> Verdict:
    """Refuse everything in a pause, else a price beyond the band of its side."""
    if not day + params.opens <= event.ts < day + params.closes:
        return Verdict(PASS, 0, 0)
    price, unit = event.price, book.instrument.price_unit
    if paused_until(state, event.ts) > 0:
        return Verdict(OBJECT, price, price)
    if price == MISSING or event.stop != MISSING:
        return Verdict(PASS, 0, 0)
    if state.close <= 0:
        return unpriced(params.on_missing_price, price, 0)
    limit = band(state, params, book, event.ts, day, event.side) * params.cent
    beyond = event.side * (price * unit - limit) > 0
    return Verdict(OBJECT if beyond else PASS, price, limit // unit)


def update(state: Record, params: Any, book: Book, event: EventRow, memory: Words, day: int) -> int:
    """Take the close, a trade, or a quote at or off a band."""
    if event.kind == CLOSE:
        state.close = event.price
        return 0
    if event.kind == SPLIT:
        state.close = split_mark(state.close, event.qty, event.price)
        state.worth = split_mark(state.worth, event.qty, event.price)
        split_values(memory, state.memory, event.qty, event.price)
        return 0
    if not day + params.opens <= event.ts < day + params.closes:
        return 0
    if event.price != MISSING:
        append(memory, state.memory, event.ts, event.price)
        if state.trades == 0:
            state.worth, state.trades, state.since = event.price, 1, event.ts
        evict(state, event, memory)
    if (event.bid != MISSING or event.ask != MISSING) and state.close > 0 and paused_until(state, event.ts) == 0:
        instrument, cent = book.instrument, params.cent
        at_lower = (
            instrument.ask != MISSING
            and instrument.ask * instrument.price_unit == band(state, params, book, event.ts, day, LOWER) * cent
        )
        at_upper = (
            instrument.bid != MISSING
            and instrument.bid * instrument.price_unit == band(state, params, book, event.ts, day, UPPER) * cent
        )
        over = state.entered > 0 and event.ts >= state.entered + LIMIT_STATE
        if not at_lower and not at_upper:
            state.entered = 0
        elif state.entered == 0 or over:
            state.entered = event.ts
    return 0


def on_new_day(state: Record, memory: Words) -> None:
    """Start a trading day, without a reference and without a limit state."""
    state.trades = 0
    state.entered = 0
    clear(memory, state.memory)


def sentence(params: LimitUpLimitDown) -> str:
    """The limit in words."""
    return (
        "no buy above the upper and no sell below the lower price band of limit up-limit down, tier "
        f"{params.tier}, from {params.opens} to {params.closes} {params.tz}"
        f"{while_unknown(params.on_missing_price, 'no close is known')}, and only cancels in its pauses"
    )


LULD = register(
    RuleType(
        name="luld",
        parameters=LimitUpLimitDown,
        state=("memory", "close", "worth", "trades", "since", "entered"),
        check=check,
        update=update,
        evict=evict,
        on_new_day=on_new_day,
        workspace_size=QUEUE,
        nodes_per_event=1,
        updates_on=frozenset({EventKind.PRICE, EventKind.CLOSE, EventKind.SPLIT}),
        scopes=("instrument",),
        may_pause=None,
        observes=Measure.PRICE,
        bounds="nothing",
        evidence=(Need(("CLOSE",)),),
        sentence=sentence,
        misfit=lambda rule: "" if rule.parameters.tier in (1, 2) else f"tier={rule.parameters.tier!r} is not 1 or 2",
    )
)
