"""Pace of a flattening: after which rows of the record, at what price and how much of a position may be closed.

"touch": all of it at the next quote of the instrument, sold at its bid or bought at its ask (at its price if it has
none). A share of the market volume: at every later trade of others in the instrument, at its price, up to that share of
what they traded since the trip; a trade with two sides in the record counts once. A `LiquidationSchedule`: its fractions,
each at the next quote at or after its time, counted from the trip. An instrument without any quote has its trades instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_number
from riskkit.liquidity.optimal_execution import LiquidationSchedule
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag

OnTrip = Literal["leave", "cancel_working", "flatten"]
Pace = str | float | LiquidationSchedule
PlainPace = str | float | list[list[float]]  # times in days and shares still held of a schedule
TOUCH = "touch"
DAY_NS = 86_400 * 10**9


class Slot(NamedTuple):
    """A row after which lots may be closed, its price for selling and for buying, and the lots closed by then at most."""

    row: int
    sell: int
    buy: int
    most: int


def plain_pace(pace: Pace | PlainPace) -> PlainPace:
    """The pace as plain data, which other processes can be told: of a schedule, its times and the shares still held.

    Raises
    ------
    InputError
        If it is none, or a share of the volume is not above 0 and at most 1.
    """
    if isinstance(pace, LiquidationSchedule):
        return [pace.times.tolist(), (pace.holdings / pace.holdings[0]).tolist()]
    if isinstance(pace, list) or pace == TOUCH:
        return pace
    if isinstance(pace, str):
        raise InputError(
            f"flatten={pace!r} is not 'touch', a share of the market volume such as 0.1, or a LiquidationSchedule"
        )
    share = finite_number(pace, "flatten")
    if not 0 < share <= 1:
        raise InputError(f"flatten={pace!r} is not above 0 and at most 1; 0.1 is a tenth of the market volume")
    return share


def pace_text(pace: PlainPace) -> str:
    """The pace as a text that a digest covers."""
    return repr(tuple(pace)) if isinstance(pace, list) else str(pace)


def in_words(pace: PlainPace) -> str:
    """The pace in words."""
    if isinstance(pace, float):
        return f"at {100 * pace:g} % of the market volume"
    return "by a liquidation schedule" if isinstance(pace, list) else "at the touch"


class Market:
    """Quotes and trades of a log by instrument, and the slots in which a position may be closed."""

    def __init__(self, log: EventLog, pace: PlainPace) -> None:
        columns = log.columns
        flags = columns.get("flags", np.zeros(len(log), np.int32))
        seen = flags & int(RowFlag.BAD_TS | RowFlag.DUPLICATE) == 0  # the loop skips the others
        self._columns = columns
        self._pace = pace
        self._prices = np.flatnonzero((columns["kind"] == EventKind.PRICE) & seen)
        self._fills = np.flatnonzero((columns["kind"] == EventKind.FILL) & seen)

    def slots(self, row: int, account: int, instrument: int, lots: int) -> Iterator[Slot]:
        """The slots of a position of `lots` (above 0) after a row."""
        if isinstance(self._pace, float):
            return self._by_volume(row, account, instrument)
        return self._by_quotes(row, instrument, lots)

    def mark(self, row: int, instrument: int) -> int:
        """The mark of an instrument at a row: its last price, its last trade if it has no price yet."""
        price = self._columns["price"]
        prices = self._of(self._prices, instrument)
        for rows in (prices[price[prices] != MISSING], self._of(self._fills, instrument)):
            place = int(np.searchsorted(rows, row, "right"))
            if place:
                return int(price[rows[place - 1]])
        return 0

    def _by_quotes(self, row: int, instrument: int, lots: int) -> Iterator[Slot]:
        ts = self._columns["ts"]
        rows = self._quotes(instrument)
        rows = rows[rows > row]
        plan = [(int(ts[row]), lots)]
        if isinstance(self._pace, list):
            after, left = np.array(self._pace)[:, 1:]
            times, sold = ts[row] + np.rint(after * DAY_NS).astype(np.int64), 1.0 - left
            plan = [(time, round(lots * share)) for time, share in zip(times.tolist(), sold.tolist(), strict=True)]
        places = np.searchsorted(np.maximum.accumulate(ts[rows]), [time for time, _ in plan])
        for place, (_, most) in zip(places.tolist(), plan, strict=True):
            if place < len(rows):
                quote = int(rows[place])
                yield Slot(quote, self._side(quote, "bid"), self._side(quote, "ask"), most)

    def _by_volume(self, row: int, account: int, instrument: int) -> Iterator[Slot]:
        rows = self._trades_of_others(account, instrument)
        rows = rows[rows > row]
        share = Fraction(str(self._pace))
        for trade, volume in zip(rows.tolist(), np.cumsum(self._columns["qty"][rows]).tolist(), strict=True):
            price = int(self._columns["price"][trade])
            yield Slot(trade, price, price, int(share * volume))

    def _quotes(self, instrument: int) -> np.ndarray:
        """Rows with a price, or with a bid and an ask; the trades of an instrument without any."""
        rows = self._of(self._prices, instrument)
        sides = [self._columns[name][rows] != MISSING for name in ("bid", "ask") if name in self._columns]
        known = (self._columns["price"][rows] != MISSING) | (sides[0] & sides[1] if len(sides) == 2 else False)
        return rows[known] if known.any() else self._of(self._fills, instrument)

    def _trades_of_others(self, account: int, instrument: int) -> np.ndarray:
        """Rows of the trades that the account has no side of; of the two fills of a trade the first."""
        columns, rows = self._columns, self._of(self._fills, instrument)
        own = columns["account"][rows] == account
        if "trade_id" not in columns:
            return rows[~own]
        named = columns["trade_id"][rows] >= 0
        keys = np.column_stack(
            [columns["trade_id"][rows], np.where(named, columns["ts"][rows] // DAY_NS, rows)]  # an id is of its day
        )
        _, first, trade = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        involved = np.zeros(len(first), bool)
        involved[trade.ravel()[own]] = True
        return rows[np.sort(first[~involved])]

    def _of(self, rows: np.ndarray, instrument: int) -> np.ndarray:
        mine: np.ndarray = rows[self._columns["instrument"][rows] == instrument]
        return mine

    def _side(self, row: int, name: str) -> int:
        """Bid or ask of a quote, its price if it has none."""
        quoted = int(self._columns[name][row]) if name in self._columns else MISSING
        return int(self._columns["price"][row]) if quoted == MISSING else quoted
