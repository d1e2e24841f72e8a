"""The columns of an event log: kinds, flags, codes, and the event passed to rules.

A log is a set of columns, one numpy array each, in the total order (ts, seq); seq is the row. Columns that a log
does not have are constants in the compiled loop, so a rule that does not need them costs nothing.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import NamedTuple

from riskkit._docs import with_described_fields
from riskkit.replay.schema.constants import MISSING

__all__ = [
    "AMENDS",
    "ANSWERS",
    "BREAKS",
    "FACTS",
    "FIRST_EXTERNAL",
    "FILL_CONTENTS",
    "FILL_KEY",
    "IN_BILLIONTHS",
    "MESSAGES",
    "MISSING",
    "OF_LOTS",
    "OPTIONAL",
    "PRICED",
    "REQUIRED",
    "ROW_NUMBERS",
    "SETTLES",
    "WATCHED",
    "TradingCommand",
    "CreditStep",
    "DecisionCode",
    "EventRow",
    "RowFlag",
    "CancelFrees",
    "CashFlowKind",
    "EventKind",
    "KindFacts",
    "MarketPhase",
    "OrderStatus",
]

FILL_KEY = ("account", "instrument", "side", "trade_id")  # with the day (UTC): fills that share it are one fill
FILL_CONTENTS = ("qty", "price", "fee", "order")  # which must then be equal; one that names no order fits any
RETURN_UNIT = 10**9  # a TRADE's return is counted in billionths
FIRST_EXTERNAL = -2  # in the column ``order``: the first order from before the log, -3 the second, ...
RATE_UNIT = 10**9  # and the price of an FX event as well, and the amount of a DIVIDEND on one unit
CURRENCIES = 1 << 10  # its pair is the code of its first currency times this, plus that of the second


class EventKind(IntEnum):
    """Kind of event.

    Examples
    --------
    >>> EventKind.FILL.name, int(EventKind.FILL)
    ('FILL', 3)
    """

    ORDER = 0
    MODIFY = 1
    CANCEL = 2
    FILL = 3
    PRICE = 4
    ACK = 5
    ERROR = 6
    CASH = 7
    EQUITY = 8
    TRADE = 9
    EXECUTION = 10
    CLOCK = 11
    SESSION = 12
    CONTROL = 13
    EXPIRE = 14
    MARK = 15  # never in a log: an account's equity has changed
    REJECT = 16
    CANCEL_REJECT = 17
    MODIFY_REJECT = 18
    BUST = 19
    CORRECT = 20
    FX = 21
    CLOSE = 22  # previous close or settlement of an instrument
    DIVIDEND = 23  # in cash, on each unit of an instrument
    SNAPSHOT = 24  # what the venue says of an account: a row for each position, then each order, of one ``batch``
    ADJUST = 25  # lots come to an account or go without a fill; both sides of a transfer are of one ``batch``
    FUNDING = 26  # a fraction of the value of each position, which longs pay
    EXPIRY = 27  # the settlement of an instrument: positions become cash, and orders end
    ROLL = 28  # positions go from one instrument to another: its row, then one for each account, of one ``batch``
    SPLIT = 29  # new units for old ones of an instrument
    CREDIT = 30  # an amount is reserved, or a reservation finished: the `CreditStep` in ``side``
    MULTIPLIER = 31  # another multiplier of an instrument
    PHASE = 32  # the phase of trading of an instrument: the `MarketPhase` in ``side``


class KindFacts(NamedTuple):
    """Facts about all events of a kind.

    Parameters
    ----------
    needs : tuple of str
        Required columns.
    judged : bool
        A message that rules may refuse.
    watched : bool
        An event that may change the state of a rule.
    traded : bool
        ``qty`` and ``price`` are lots and ticks of its instrument.
    money : str
        Column of a frame with its money; in ``qty`` if not `traded`.
    rare : bool
        The loop has a branch for it only if the log has such an event.
    inside : bool
        Made by the engine; no frame has it.
    reads_orders : bool
        It reads the records of earlier orders, whatever the rules need.
    moves_lots : bool
        It changes positions, or their cost, without a fill.
    """

    needs: tuple[str, ...] = ()
    judged: bool = False
    watched: bool = False
    traded: bool = False
    money: str = ""
    rare: bool = False
    inside: bool = False
    reads_orders: bool = False
    moves_lots: bool = False


_WHOSE = ("account", "instrument")
FACTS: dict[EventKind, KindFacts] = {
    EventKind.ORDER: KindFacts((*_WHOSE, "side", "qty", "price"), judged=True, watched=True, traded=True),
    EventKind.MODIFY: KindFacts((*_WHOSE, "order_id"), judged=True, watched=True, traded=True, reads_orders=True),
    EventKind.CANCEL: KindFacts((*_WHOSE, "order_id"), watched=True),
    EventKind.FILL: KindFacts((*_WHOSE, "side", "qty", "price"), watched=True, traded=True, money="fee"),
    EventKind.PRICE: KindFacts(("instrument", "price"), watched=True),
    EventKind.ACK: KindFacts(("account",), watched=True, rare=True),
    EventKind.ERROR: KindFacts(("account",), watched=True, rare=True),
    EventKind.CASH: KindFacts(("account", "amount"), money="amount", rare=True),
    EventKind.EQUITY: KindFacts(("account", "equity"), money="equity", rare=True),
    EventKind.TRADE: KindFacts((*_WHOSE, "side"), watched=True, money="pnl", rare=True),
    EventKind.EXECUTION: KindFacts(("account",), watched=True, rare=True),
    EventKind.CLOCK: KindFacts(),
    EventKind.SESSION: KindFacts(rare=True),
    EventKind.CONTROL: KindFacts(("cmd",), reads_orders=True),
    EventKind.EXPIRE: KindFacts((*_WHOSE, "order_id"), rare=True),
    EventKind.MARK: KindFacts(watched=True, rare=True, inside=True),
    EventKind.REJECT: KindFacts((*_WHOSE, "order_id"), rare=True),
    EventKind.CANCEL_REJECT: KindFacts((*_WHOSE, "order_id"), rare=True),
    EventKind.MODIFY_REJECT: KindFacts((*_WHOSE, "order_id"), rare=True),
    EventKind.BUST: KindFacts((*_WHOSE, "trade_id"), rare=True),
    EventKind.CORRECT: KindFacts((*_WHOSE, "trade_id", "qty", "price"), traded=True, money="fee", rare=True),
    EventKind.FX: KindFacts(("pair",), rare=True),
    EventKind.CLOSE: KindFacts(("instrument", "price"), watched=True, rare=True),
    EventKind.DIVIDEND: KindFacts(("instrument", "amount"), rare=True),
    EventKind.SNAPSHOT: KindFacts((*_WHOSE, "qty"), traded=True, rare=True, reads_orders=True, moves_lots=True),
    EventKind.ADJUST: KindFacts((*_WHOSE, "side", "qty"), traded=True, rare=True, moves_lots=True),
    EventKind.FUNDING: KindFacts(("instrument", "rate"), rare=True),
    EventKind.EXPIRY: KindFacts(("instrument", "price"), rare=True, reads_orders=True, moves_lots=True),
    EventKind.ROLL: KindFacts(("instrument", "price"), rare=True, moves_lots=True),
    EventKind.SPLIT: KindFacts(("instrument", "ratio"), watched=True, rare=True, reads_orders=True, moves_lots=True),
    EventKind.CREDIT: KindFacts(
        ("account", "reserve_id", "step"), watched=True, money="amount", rare=True, reads_orders=True
    ),
    EventKind.MULTIPLIER: KindFacts(("instrument", "multiplier"), rare=True, reads_orders=True, moves_lots=True),
    EventKind.PHASE: KindFacts(("instrument", "phase"), rare=True),
}
MESSAGES = tuple(kind for kind in EventKind if FACTS[kind].judged)
WATCHED = tuple(kind for kind in EventKind if FACTS[kind].watched)
ANSWERS = (
    EventKind.EXPIRE,
    EventKind.REJECT,
    EventKind.CANCEL_REJECT,
    EventKind.MODIFY_REJECT,
)  # of orders, by the venue
AMENDS = (EventKind.BUST, EventKind.CORRECT)  # of fills
SETTLES = (EventKind.EXPIRY, EventKind.ROLL)  # of instruments
PRICED = (*(kind for kind in EventKind if FACTS[kind].traded), EventKind.PRICE, EventKind.CLOSE, *SETTLES)
IN_BILLIONTHS = {EventKind.DIVIDEND: "amount", EventKind.FUNDING: "rate"}  # their ``qty``, a column of frames


def kind_word(kind: int) -> str:
    """A kind of event as frames spell it."""
    return EventKind(kind).name.lower()


class DecisionCode(IntEnum):
    """Code of a verdict or of a result row (column ``code``); OBJECT to HELD are the reasons of a refusal."""

    PASS = 0
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
    CANCELLED = 13  # a working order, taken away: its row in ``observed``, its lots in ``limit``
    DECREMENTED = 14  # an order, reduced by self-match prevention: its row, and the lots that it lost
    QUEUED = 15  # an accepted message that waits its turn until ``until``
    POSITION_BREAK = 16  # of the pair in ``key`` and ``observed``: the venue's lots in ``limit``, ours in ``until``
    ORDER_BREAK = 17  # the same of the order's row in ``observed`` and its rest; ours `MISSING` if we did not know it
    SETTLED = 18  # the pair in ``key`` and ``observed`` has the lots in ``limit``, before it had those in ``until``
    ERROR_STATE = 19  # a reservation that is not there, or no longer, is finished


BREAKS = (DecisionCode.POSITION_BREAK, DecisionCode.ORDER_BREAK)
OF_LOTS = (*BREAKS, DecisionCode.SETTLED)  # rows with lots, and no time, in ``until``


class FillCap(IntEnum):
    """Limit of the fills of an accepted order in enforce mode (``fill_cap`` of an order)."""

    NONE = 0
    QTY = 1  # no quantity beyond the order's
    QTY_AND_PRICE = 2  # nor prices worse than its own


class Cause(IntEnum):
    """Cause of a decision (column ``cause``) that is not the index of a rule; indices are at least 0."""

    NO_RULE = -1
    COMMAND = -2  # a PAUSE command, or with the limit 1 the kill switch


class OrderStatus(IntEnum):
    """Status of an order's record."""

    UNKNOWN = 0  # no order event has used the record
    WORKING = 1
    BLOCKED = 2  # refused, or its parent was, or cancelled by a rule: its fills vanish in enforce mode
    DONE = 3  # filled, cancelled or lapsed
    CANCELLED = 4  # believed cancelled: a CANCEL_REJECT brings it back
    REDUCED = 5  # believed modified to what is filled: a MODIFY_REJECT brings it back
    RESERVED = 6  # no order, but credit: an amount that may be used
    USED = 7  # and one that is


class RowFlag(IntFlag):
    """Flags of a row, set at conversion (`FLATTEN`: by a replay); they can be combined."""

    OFF_TICK = 1
    OFF_LOT = 2
    BAD_PRICE = 4
    BAD_QTY = 8
    BAD_TS = 16
    DUPLICATE = 32
    REDUCE_ONLY = 64
    STOP_LOSS = 128
    FLATTEN = 256  # a fill that the record does not have: ``on_trip="flatten"`` made it
    TRAILING = 512  # the stop of an order or a modify is a distance, at which it follows the trades
    DO_NOT_REDUCE = 1024  # a dividend leaves the prices of an order as they are
    BAD_DISPLAY = 2048  # an iceberg shows what does not fit its quantity
    CLOSE_POSITION = 4096  # an order is for all that its account holds, when it comes and when a trade triggers it
    EXTERNAL = 8192  # somebody else has sent an order: nothing judges it
    MMP = 32768  # of an order and its modifies and fills: market-maker protection counts and freezes it
    UNCONFIRMED = 16384  # a cancel takes nothing off the book before the venue says so


class MatchMode(IntEnum):
    """What gives way where an order would meet a working one of its own account or group (`self_match`)."""

    CANCEL_RESTING = 0
    CANCEL_AGGRESSING = 1
    CANCEL_BOTH = 2
    DECREMENT = 3


class SplitOrders(IntEnum):
    """What becomes of open orders at a split (column ``side``); `riskkit.replay.kernels.splits`."""

    FINRA = 0  # buys and stops to sell fall and grow; in a reverse split they are cancelled
    ALL = 1
    CANCEL = 2
    NONE = 3


class MarketPhase(IntEnum):
    """Phase of trading of an instrument (column ``side`` of a PHASE event)."""

    CONTINUOUS = 0  # also before the first event
    PREOPEN = 1
    AUCTION = 2
    CLOSED = 3


class CancelFrees(IntEnum):
    """When a cancel frees what its order has reserved of limits, positions and cash (column ``cancel_frees``)."""

    REQUEST = 0  # at once
    CONFIRMED = 1  # once the venue confirms it: an EXPIRE


class CashFlowKind(IntEnum):
    """Type of a CASH event (column ``side``); all but deposits are profit or loss."""

    DEPOSIT = 0
    FEE = 1
    FUNDING = 2
    DIVIDEND = 3


class CreditStep(IntEnum):
    """Step of a CREDIT event (column ``side``)."""

    RESERVE = 0
    COMMIT = 1  # what is reserved is used
    ROLLBACK = 2  # what is reserved is given back
    RELEASE = 3  # of what is used, an amount is given back


class TradingCommand(IntEnum):
    """Command of a CONTROL event (column ``side``).

    One for a trader, desk or firm has the place of that scope in `riskkit.replay.schema.universe.GROUPS`, from 1, in ``qty``
    and the code of the group in ``price``.
    """

    ACTIVE = 0
    REDUCING = 1
    HALTED = 2
    PAUSE = 3
    RESUME = 4
    RESET = 5
    LIMITS = 6  # other rules are in force from here on; see `riskkit.replay.rules.history`
    STOP = 7  # the kill switch: nothing but cancels passes until RESTART
    RESTART = 8
    KILL = 9  # cancels every working order, then HALTED


# column -> (dtype, value if a log does not have the column)
REQUIRED: dict[str, str] = {
    "ts": "<i8",
    "kind": "<i1",
    "account": "<i4",
    "instrument": "<i4",
    "pair": "<i4",
    "side": "<i1",
    "qty": "<i8",
    "price": "<i8",
    "order": "<i8",
}
OPTIONAL: dict[str, tuple[str, int]] = {
    "strategy": ("<i4", -1),
    "connection": ("<i4", -1),
    "flags": ("<i4", 0),
    "parent": ("<i8", -1),
    "batch": ("<i8", -1),
    "weight": ("<i4", 1),
    "trade_id": ("<i8", -1),
    "fee": ("<i8", 0),
    "expires": ("<i8", MISSING),
    "bid": ("<i8", MISSING),
    "ask": ("<i8", MISSING),
    "reserve": ("<i8", MISSING),
    "fill": ("<i8", -1),  # row of the fill that a BUST or CORRECT names
    "stop": ("<i8", MISSING),  # price of a trade that triggers an order; if `RowFlag.TRAILING`, its distance
    "smp_id": ("<i8", -1),  # number of the self-match prevention id of an order (`riskkit.replay.ingest.smp_ids`)
}
ROW_NUMBERS = ("order", "parent", "batch", "fill")  # columns of row numbers


@with_described_fields
class EventRow(NamedTuple):
    """One event as passed to rules: integers only.

    ``qty`` is in lots and ``price`` in ticks of the instrument; ``account``, ``instrument``, ``pair`` (an account in
    an instrument), ``strategy`` and ``connection`` are dense codes, -1 if none. ``order`` is the row of the order that
    the event belongs to, below 0 if the log has none (see `FIRST_EXTERNAL`). A CASH event carries its amount and an
    EQUITY event its equity in ``qty`` as quanta of money; a TRADE carries its profit in ``qty`` and its return in
    ``price``. An FX event carries its pair in ``qty``, and ``price``, ``bid`` and ``ask`` in billionths. A DIVIDEND
    carries the billionths of money on one unit in ``qty``, and the ticks by which prices fall, rounded up, in ``price``; a
    FUNDING its rate in billionths in ``qty``; a SPLIT the new units in ``qty`` for the old ones in ``price``; a MULTIPLIER
    the new multiplier over the declared one, as a fraction of ``qty`` and ``price``. A
    CREDIT carries its amount in ``qty`` and its currency in ``price``; rules get what it counts in the currency of their limit,
    and the time of its reservation. ``stop`` is the stop price of an order that waits for its trigger, beyond `LARGEST` if no
    trade has set it.

    Attributes
    ----------
    seq
        Row of the event in its log.
    ts
        Nanoseconds since the epoch.
    kind
        Code of `EventKind`.
    account
        Code of the account, -1 if none.
    instrument
        Code of the instrument, -1 if none.
    pair
        Code of the account in the instrument, -1 if none.
    side
        1 buys, -1 sells, 0 neither.
    qty
        Lots of the instrument; of a CASH or EQUITY event quanta of money, of others see above.
    price
        Ticks of the instrument; of events other than orders, fills and prices see above.
    order
        Row of the order that it belongs to, below 0 if the log has none (see `FIRST_EXTERNAL`).
    strategy
        Code of the strategy, -1 if none.
    connection
        Code of the connection, -1 if none.
    flags
        Bits of `RowFlag`.
    parent
        Row of the parent order, -1 if none.
    batch
        Row of the first message of its list, -1 if none.
    weight
        Messages as which it counts.
    fee
        Quanta of money paid, below zero for a rebate.
    bid
        Best bid, in ticks.
    ask
        Best ask, in ticks.
    reserve
        Price at which a market order counts until it is filled, in ticks.
    stop
        Stop price of an order that waits for its trigger, in ticks; beyond `LARGEST` if no trade has set it.
    smp_id
        Number of the self-match prevention id of an order, or of the order of a modify; -1 if none.

    Examples
    --------
    >>> EventRow._fields[:5]
    ('seq', 'ts', 'kind', 'account', 'instrument')
    """

    seq: int
    ts: int
    kind: int
    account: int
    instrument: int
    pair: int
    side: int
    qty: int
    price: int
    order: int
    strategy: int = -1
    connection: int = -1
    flags: int = 0
    parent: int = -1
    batch: int = -1
    weight: int = 1
    fee: int = 0
    bid: int = MISSING
    ask: int = MISSING
    reserve: int = MISSING
    stop: int = MISSING
    smp_id: int = -1
