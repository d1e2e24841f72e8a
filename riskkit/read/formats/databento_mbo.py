"""Databento's market by order (MBO) records as csv."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft
from riskkit.read.market_by_order import MarketByOrder, Resting
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock, since_epoch

NEEDED = {"ts_event", "instrument_id", "action", "side", "price", "size", "order_id"}
UNIT = Decimal("1e-9")
NO_PRICE, NO_TIME = "9223372036854775807", "18446744073709551615"
SIDES = {"B": "B", "A": "S"}

Key = tuple[str, str, str]


def _recognises(source: Source) -> bool:
    return source.has(NEEDED)


@reader(_recognises)
def databento_mbo(
    files: Files, *, account: str = "market", multipliers: Mapping[str, Any] | None = None, currency: str = "USD"
) -> Reading:
    r"""Read Databento MBO records as csv: every order of a book, with or without pretty times, prices and symbols.

    Added (A), modified (M) and cancelled (C, in whole or in part) orders and fills (F) are events, at the exchange's time
    (ts_event). A trade (T) tells a fill again, from the side of the aggressor; a cancel or a modify that only takes a fill
    out of the book is part of it. Clearing the book (R) ends all orders of the instrument.

    Parameters
    ----------
    files : path, open file, or sequence of them
        As ``DBNStore.to_csv`` and the portal write them.
    account : str
        Label of the account, one for the whole market.
    multipliers : mapping of instrument to number, optional
        Contract sizes, 1 by default.

    Returns
    -------
    Reading
        With the fact ``resting_at_end``: orders that still rest, and their sizes by side.

    References
    ----------
    Databento, "Market by order (MBO)", "MBO snapshots", databento.com/docs.

    Examples
    --------
    >>> import io
    >>> heading = "ts_recv,ts_event,rtype,publisher_id,instrument_id,action,side,price,size,channel_id,order_id,flags,ts_in_delta,sequence"
    >>> order = "1710108000000012345,1710108000000000000,160,1,7,A,B,100250000000,5,0,9007199254740993,128,0,1"
    >>> reading = databento_mbo(io.StringIO(f"{heading}\n{order}\n"))
    >>> reading.frame[["instrument", "side", "qty", "price", "order_id"]].values.tolist()
    [['7', 'B', Decimal('5'), Decimal('100.250000000'), '9007199254740993']]
    """
    given = sources(files)
    draft = Draft("databento_mbo", given, account, multipliers)
    feed = _Feed(draft, currency)
    for source in given:
        if not _recognises(source):
            source.refuse("line 1", f"has not the columns of MBO records: {', '.join(sorted(NEEDED))}")
        for row in source.table():
            feed.read(row)
    draft.assume(
        f"the file has no account: {account!r} is the whole market",
        f"prices are in {currency}, and a contract is of 1 where multipliers= does not say otherwise",
        "times are the exchange's (ts_event); a fill has the side of the resting order",
    )
    draft.facts = {"resting_at_end": feed.market.resting()}
    return draft.finish()


class _Feed:
    """Records as events of resting orders."""

    def __init__(self, draft: Draft, currency: str) -> None:
        self.draft, self.currency = draft, currency
        self.market = MarketByOrder(draft, hidden=True)
        self.clock = Clock("UTC")
        self.cleared: dict[tuple[str, str], int] = {}  # time at which a book was cleared
        self.filled: dict[Key, tuple[int, Decimal]] = {}  # time and size of a fill that the book still shows

    def read(self, row: TableRow) -> None:
        """Take one record."""
        action, side = row.text("action"), row["side"]
        book = str(row.get("publisher_id") or ""), row.text("instrument_id")
        ts = self._ts(row)
        if action == "R":
            self._clear(row, book, ts)
        elif action == "N":
            self.draft.leave_out(row, "no action")
        elif action == "T":
            seen = "as seen by the aggressor, no order id; the fill says the same"
            self.draft.leave_out(row, f"trade {seen if side in SIDES else 'without a side (auction or off book)'}")
        elif action not in ("A", "M", "C", "F"):
            row.refuse(f"action={action!r} is not one of A, C, F, M, N, R, T")
        elif side == "N":
            self.draft.leave_out(row, f"action {action} without a side")
        elif side not in SIDES:
            row.refuse(f"side={side!r} is not one of A, B, N")
        else:
            ts = max(ts, self.cleared.get(book, ts))
            self._order(row, ts, action, (*book, row.text("order_id")), SIDES[side])

    def _ts(self, row: TableRow) -> int:
        text = row.text("ts_event")
        text = row.text("ts_recv") if text == NO_TIME else text
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            return self.clock.ns(text, row.refuse)
        return since_epoch(Decimal(text), "ns", row.refuse)

    def _price(self, row: TableRow) -> Decimal | None:
        text = row.get("price")
        if text in (None, NO_PRICE):
            return None
        return row.number("price") * (1 if "." in str(text) else UNIT)

    def _order(self, row: TableRow, ts: int, action: str, key: Key, side: str) -> None:
        size, price = row.number("size"), self._price(row)
        label = self.draft.instrument(str(row.get("symbol") or key[1]), currency=self.currency)
        if action == "A":
            if key in self.market.orders:
                row.refuse(f"order {key[2]} is added, and it rests already")
            self.market.add(row, ts, key, label, side, size, price)
        elif action == "F":
            if price is None:
                row.refuse("is a fill without a price")
            order = self.market.find(row, ts, key, label, side, size, price)
            self.market.fill(row, ts, key, order, size, price)
            self.filled[key] = ts, size
        elif self._of_fill(row, ts, key, size, action):
            word = "cancel" if action == "C" else "modify"
            self.draft.leave_out(row, f"the {word} that takes a fill out of the book, no {word} of the owner")
        elif action == "C":
            order = self.market.find(row, ts, key, label, side, size, price)
            self._cancel(row, ts, key, order, size)
        else:
            order = self.market.find(
                row, ts, key, label, side, Decimal(0) if key in self.market.orders else size, price
            )
            self.market.change(row, ts, order, size, price)

    def _of_fill(self, row: TableRow, ts: int, key: Key, size: Decimal, action: str) -> bool:
        """True if a cancel or a modify only takes a fill of the same time out of the book."""
        at, filled = self.filled.get(key, (None, Decimal(0)))
        if at != ts:
            return False
        order = self.market.orders.get(key)
        left = order.left if order else Decimal(0)
        same = size <= filled if action == "C" else size == left and (order is None or self._price(row) == order.price)
        if same and action == "C" and size < filled:
            self.filled[key] = ts, filled - size
        elif same:
            del self.filled[key]
        return same

    def _cancel(self, row: TableRow, ts: int, key: Key, order: Resting, size: Decimal) -> None:
        if size < order.left:
            self.market.reduce(row, ts, key, order, size)
        else:
            self.market.delete(row, ts, key, order)

    def _clear(self, row: TableRow, book: tuple[str, str], ts: int) -> None:
        self.draft.leave_out(row, "clear: every order of the instrument is gone")
        self.cleared[book] = ts
        for key in [key for key in self.market.orders if isinstance(key, tuple) and key[:2] == book]:
            self.market.delete(row, ts, key, self.market.orders[key], "expire", derived="cancel")
