"""Binary feeds of NASDAQ TotalView-ITCH 5.0."""

from __future__ import annotations

import re
import struct
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from riskkit._check import InputError
from riskkit.read.draft import Draft, Event
from riskkit.read.market_by_order import MarketByOrder, Resting
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

UNIT = Decimal("0.0001")  # dollars
DAY = 25 * 3600 * 10**9  # nanoseconds, of a day on which the clocks go back
SIDES = {b"B": "B", b"S": "S"}
NAMES = (  # of files: S031124-v50, 03112024.NASDAQ_ITCH50, 20240311.BX_ITCH_50
    re.compile(r"S(?P<month>\d\d)(?P<day>\d\d)(?P<year>\d\d)-v50"),
    re.compile(r"(?P<month>[01]\d)(?P<day>[0-3]\d)(?P<year>20\d\d)\D"),
    re.compile(r"(?P<year>20\d\d)(?P<month>\d\d)(?P<day>\d\d)\D"),
)


class Layout(NamedTuple):
    """Length of a message, the fields behind its header, and why it is left out (empty: it is an event)."""

    length: int
    fields: str = ""
    reason: str = ""


LAYOUTS: dict[bytes, Layout] = {
    b"S": Layout(12, reason="system event"),
    b"R": Layout(39, reason="stock directory"),
    b"H": Layout(25, reason="trading action of a stock"),
    b"Y": Layout(20, reason="short sale restriction"),
    b"L": Layout(26, reason="position of a market participant"),
    b"V": Layout(35, reason="levels of the market-wide circuit breaker"),
    b"W": Layout(12, reason="status of the market-wide circuit breaker"),
    b"K": Layout(28, reason="quoting period of an initial offering"),
    b"J": Layout(35, reason="limits of an auction collar"),
    b"h": Layout(21, reason="operational halt"),
    b"A": Layout(36, ">QcI8sI"),
    b"F": Layout(40, ">QcI8sI4s"),
    b"E": Layout(31, ">QIQ"),
    b"C": Layout(36, ">QIQcI"),
    b"X": Layout(23, ">QI"),
    b"D": Layout(19, ">Q"),
    b"U": Layout(35, ">QQII"),
    b"P": Layout(44, reason="trade against a hidden order"),
    b"Q": Layout(40, reason="cross trade"),
    b"B": Layout(19, ">Q"),
    b"I": Layout(50, reason="imbalance before an auction"),
    b"N": Layout(20, reason="retail interest"),
    b"O": Layout(48, reason="direct listing with a capital raise"),
}
HEADER = struct.Struct(">cHH6s")
BROKEN = "broken trade: takes an execution away by its match number"


def _recognises(source: Source) -> bool:
    head = source.head
    kind = head[2:3]
    return len(head) > 14 and kind in LAYOUTS and int.from_bytes(head[:2], "big") == LAYOUTS[kind].length and (
        kind in b"SR" and int.from_bytes(head[7:13], "big") < 86_400 * 10**9
    )  # fmt: skip


@reader(_recognises)
def itch50(
    files: Files,
    *,
    date: str | None = None,
    instruments: Collection[str] | None = None,
    account: str = "market",
    tz: str = "America/New_York",
) -> Reading:
    """Read NASDAQ TotalView-ITCH 5.0 as BinaryFILE: a length of two bytes before each message.

    Orders (A, F), executions (E, C, at the price of the message, printed or not), reductions (X), deletions (D) and
    replaces (U: the order goes on under another number) are events; a broken trade (B) busts the fill of its match number,
    while its order stays executed. Messages on the state of the market, trades of hidden orders (P) and crosses (Q) are
    left out.

    Parameters
    ----------
    files : path, open file, or sequence of them
        A day, as it is or as gzip.
    date : str, optional
        The day, ``2024-03-11``; by default that of the name (S031124-v50, 03112024.NASDAQ_ITCH50).
    instruments : collection of str, optional
        Stocks to read; by default all. A whole day of all stocks is more than memory holds.
    account : str
        Label of the account, one for the whole market.
    tz : str
        Zone of the clock whose midnight counts.

    Returns
    -------
    Reading
        With the fact ``resting_at_end``: orders of the file that still rest, and their shares by side.

    References
    ----------
    Nasdaq, TotalView-ITCH 5.0 specification.

    Examples
    --------
    >>> import io, struct
    >>> clock = (34_200 * 10**9).to_bytes(6, "big")
    >>> order = struct.pack(">cHH6sQcI8sI", b"A", 1, 0, clock, 7, b"B", 100, b"X       ", 1_000_500)
    >>> reading = itch50(io.BytesIO(struct.pack(">H", 36) + order), date="2024-03-11")
    >>> reading.frame[["instrument", "side", "qty", "price"]].values.tolist()
    [['X', 'B', Decimal('100'), Decimal('100.0500')]]
    """
    given = sources(files)
    draft = Draft("itch50", given, account)
    feed = _Feed(MarketByOrder(draft), None if instruments is None else set(instruments))
    clock = Clock(tz)
    for source in given:
        feed.begin(clock.ns(date or _date_of(source), TableRow(source, "date", {}).refuse))
        for row, kind, header, fields in _messages(source):
            feed.read(row, kind, header, fields)
    draft.assume(
        f"the file has no account: {account!r} is the whole market",
        f"nanoseconds count from midnight in {tz}, of the day {'given' if date else 'of the name'}; prices are US dollars",
        "a fill has the side of the resting order; one that is not printed (C with N) is a fill all the same",
    )
    if instruments is not None:
        draft.assume(f"only {', '.join(sorted(instruments))} are read")
    draft.facts = {"resting_at_end": feed.market.resting()}
    return draft.finish()


def _date_of(source: Source) -> str:
    for pattern in NAMES:
        found = pattern.search(source.name)
        if found:
            return f"{('20' + found['year'])[-4:]}-{found['month']}-{found['day']}"
    raise InputError(f"{source.name} does not tell the date by its name; give date=")


def _messages(source: Source) -> Iterator[tuple[TableRow, bytes, tuple[int, int], tuple[Any, ...]]]:
    """Row, type, stock number and nanoseconds, and fields of each message; a length of 0 ends the session."""
    data, at, number = source.data, 0, 0
    formats = {kind: struct.Struct(layout.fields) for kind, layout in LAYOUTS.items() if layout.fields}
    while at < len(data):
        number += 1
        length = int.from_bytes(data[at : at + 2], "big")
        if length == 0 and 0 < at <= len(data) - 2:
            return
        kind = data[at + 2 : at + 3]
        row = TableRow(source, f"message {number}", {})
        if at + 2 + length > len(data) or length == 0:
            row.refuse("the file ends within it")
        if kind not in LAYOUTS or LAYOUTS[kind].length != length:
            row.refuse(f"a message of type {kind.decode('latin-1')!r} and length {length} is not one of ITCH 5.0")
        _, stock, _, time = HEADER.unpack_from(data, at + 2)
        fields = formats[kind].unpack_from(data, at + 2 + HEADER.size) if kind in formats else ()
        yield row, kind, (stock, int.from_bytes(time, "big")), fields
        at += 2 + length


class _Feed:
    """The messages of a feed as events of resting orders."""

    def __init__(self, market: MarketByOrder, wanted: set[str] | None) -> None:
        self.market, self.wanted = market, wanted
        self.midnight = self.last = 0
        self.stocks: dict[int, str] = {}
        self.fills: dict[int, Event] = {}  # by match number

    def begin(self, midnight: int) -> None:
        """Begin a day, whose numbers of stocks, orders and matches are its own."""
        self.midnight = self.last = midnight
        self.stocks, self.fills = {}, {}

    def read(self, row: TableRow, kind: bytes, header: tuple[int, int], fields: tuple[Any, ...]) -> None:
        """Take one message."""
        stock, ts = header[0], self.midnight + header[1]
        if not self.last <= ts < self.midnight + DAY:
            row.refuse(
                "has a time before that of the message above it, or after its day; the file is not one day in order"
            )
        self.last = ts
        if LAYOUTS[kind].reason:
            if self.wanted is None:
                self.market.draft.leave_out(row, LAYOUTS[kind].reason)
            return
        if kind in b"AF":
            self._add(row, ts, stock, fields)
        elif kind == b"B":
            self._broken(row, ts, fields[0])
        elif self.wanted is None or stock in self.stocks:
            self._change(row, ts, kind, stock, fields)

    def _add(self, row: TableRow, ts: int, stock: int, fields: tuple[Any, ...]) -> None:
        number, side, shares, symbol, price = fields[:5]
        label = symbol.decode("latin-1").strip()
        if self.wanted is not None and label not in self.wanted:
            return
        key = self.midnight, number
        if not label:
            row.refuse(f"order {number} has no stock")
        if side not in SIDES or key in self.market.orders:
            row.refuse(
                f"order {number} has no side" if side not in SIDES else f"order {number} is new, and it rests already"
            )
        self.stocks[stock] = self.market.draft.instrument(label, currency="USD")
        self.market.add(row, ts, key, label, SIDES[side], Decimal(shares), price * UNIT)

    def _change(self, row: TableRow, ts: int, kind: bytes, stock: int, fields: tuple[Any, ...]) -> None:
        key = self.midnight, fields[0]
        order = self.market.orders.get(key)
        if order is None:
            self.market.draft.leave_out(row, "of an order from before the file, whose side is not known")
        elif kind == b"D":
            self.market.delete(row, ts, key, order)
        elif kind == b"U":
            self._replace(row, ts, order, fields)
        else:
            shares = Decimal(fields[1])
            self.market.find(row, ts, key, order.instrument, order.side, shares, order.price)
            if kind == b"X":
                self.market.reduce(row, ts, key, order, shares)
            else:
                price = fields[4] * UNIT if kind == b"C" else order.price
                match = fields[2]
                self.fills[match] = self.market.fill(row, ts, key, order, shares, price, str(match))

    def _replace(self, row: TableRow, ts: int, order: Resting, fields: tuple[Any, ...]) -> None:
        old, new, shares, price = fields
        if (self.midnight, new) in self.market.orders:
            row.refuse(f"order {new} is new, and it rests already")
        self.market.change(row, ts, order, Decimal(shares), price * UNIT)
        self.market.orders[self.midnight, new] = self.market.orders.pop((self.midnight, old))

    def _broken(self, row: TableRow, ts: int, match: int) -> None:
        fill = self.fills.pop(match, None)
        if fill is not None:
            names = ("account", "instrument", "side", "trade_id")
            self.market.draft.event(row, "bust", ts, **{name: fill[name] for name in names})
        if fill is not None or self.wanted is None:
            self.market.draft.leave_out(row, BROKEN)
