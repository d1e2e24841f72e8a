"""Trades of freqtrade: its database, its REST interface and its backtests."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any, NamedTuple

from riskkit._check import InputError
from riskkit.read.draft import Draft
from riskkit.read.exchange import ScopedIds, without_repeats
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock, since_epoch

MAGIC = b"SQLite format 3\0"
NO_WAL = b"\1\1"  # at byte 18; a database in memory cannot write ahead, as freqtrade's does
ENDED, OPEN = ("canceled", "cancelled", "expired"), ("open", "new")
STOPS = ("stop_loss", "trailing_stop_loss", "stoploss_on_exchange", "liquidation")  # of freqtrade's stoploss guard
SIDES = {"buy": "B", "sell": "S"}


class Trade(NamedTuple):
    """A round trip and its orders."""

    row: TableRow
    orders: list[TableRow]


def _recognises(source: Source) -> bool:
    if source.head.startswith(MAGIC):
        return b"ft_order_side" in source.data
    return source.first_text.lstrip()[:1] in ("{", "[") and '"ft_is_entry"' in source.first_text


@reader(_recognises)
def freqtrade(files: Files, *, account: str = "freqtrade", book_fees: bool = False) -> Reading:
    r"""Read freqtrade's trades: ``tradesv3.sqlite``, the answer of ``/api/v1/trades``, or a backtest's result.

    A trade is a round trip of one or more entries and exits; its orders are what happened. An order has one fill, at its
    average price. A partly filled order is "canceled" and has a fill; a stop loss stands as the side "stoploss". Closed trades
    are events too, with their profit (after fees), return and reason. Locks of pairs are not read.

    Parameters
    ----------
    files : path, open file, or sequence of them
        A database, or the json of one bot.
    book_fees : bool
        True books the rate of a trade (fee_open, fee_close: 0.001 is 0.1 %) times the value of each fill as its fee. By
        default fills have no fees, for the file does not state them; the profit of a closed trade contains them.

    References
    ----------
    freqtrade 2026.9, ``persistence/trade_model.py``.

    Examples
    --------
    >>> import io
    >>> text = '''{"trades": [{"trade_id": 1, "pair": "BTC/USDT", "quote_currency": "USDT", "is_open": true, "is_short": false,
    ...   "fee_open": 0.001, "fee_close": 0.001, "orders": [{"order_id": "7", "ft_order_side": "buy", "ft_is_entry": true,
    ...   "status": "canceled", "amount": 0.35, "filled": 0.175, "average": 3410.55, "price": 3410.55, "order_type": "limit",
    ...   "order_timestamp": 1698534960692, "order_filled_timestamp": 1698535020829}]}]}'''
    >>> reading = freqtrade(io.StringIO(text))
    >>> reading.events, reading.derived
    ({'order': 1, 'fill': 1}, {'trade_id': 1, 'cancel': 1})
    """
    given = sources(files)
    draft, clock = Draft("freqtrade", given, account), Clock("UTC")
    trades = _once(draft, [trade for source in given for trade in _trades(source)])
    ids = ScopedIds((trade.row.text("pair"), _id(row)) for trade in trades for row in trade.orders)
    for trade in trades:
        for name in ("is_open", "is_short"):
            if trade.row.get(name) not in (None, True, False):
                trade.row.refuse(f"{name}={trade.row[name]!r} is neither true nor false")
        pair = draft.instrument(trade.row.text("pair"), currency=_currency(trade.row))
        for row in trade.orders:
            _order(draft, trade.row, row, ids.of(pair, _id(row)), clock, book_fees)
        _closed(draft, trade.row, clock)
        entered, left = (_filled(trade, is_entry) for is_entry in (True, False))
        if not trade.row.get("is_open") and entered != left:
            draft.assume(f"{trade.row.at} is closed, and its orders enter {entered} and leave {left}")
    if any(source.head.startswith(MAGIC) and source.head[18:20] != NO_WAL for source in given):
        draft.assume("what stands in a file -wal beside the database is not read")
    booked = "and booked" if book_fees else "and not booked; book_fees=True books them"
    draft.assume(
        "times are UTC", f"one account, {account!r}", f"fees are rates of the value {booked}",
        "an order has one fill, at its average price", "an order that was cancelled ends at its last time",
    )  # fmt: skip
    return draft.finish()


def _once(draft: Draft, trades: list[Trade]) -> list[Trade]:
    """Trades without those that were read before: pages and backups overlap."""
    named = {id(trade.row): trade for trade in trades}
    rows = [trade.row for trade in trades if _number(trade.row) is not None]
    kept = {id(row) for row in without_repeats(draft, rows, _number, "trade read before: files overlap")}
    return [trade for key, trade in named.items() if key in kept or _number(trade.row) is None]


def _number(row: TableRow) -> Any:
    return row.get("trade_id") or row.get("id")


def _trades(source: Source) -> Iterator[Trade]:
    if source.head.startswith(MAGIC):
        yield from _of_database(source)
        return
    data = source.json()
    results = data.get("strategy") if isinstance(data, dict) else None
    pages = list(results.values()) if isinstance(results, dict) else [data]
    found = [trade for page in pages for trade in (page.get("trades") if isinstance(page, dict) else page) or ()]
    if not all(isinstance(trade, dict) and isinstance(trade.get("orders"), list) for trade in found):
        source.refuse("", "has no trades with their orders; it is no json of freqtrade")
    for number, values in enumerate(found):
        at = f"trade {number}"
        orders = [source.record(f"{at}, order {place}", order) for place, order in enumerate(values["orders"])]
        yield Trade(source.record(at, values), orders)


def _of_database(source: Source) -> Iterator[Trade]:
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.deserialize(source.data[:18] + NO_WAL + source.data[20:])
            tables = {name: _rows(database, name) for name in ("trades", "orders")}
        except sqlite3.Error as problem:
            raise InputError(f"{source.name} is not a whole database of freqtrade ({problem})") from None
    orders: dict[Any, list[TableRow]] = {}
    for values in tables["orders"]:
        orders.setdefault(values["ft_trade_id"], []).append(TableRow(source, f"order {values['id']}", values))
    for values in tables["trades"]:
        yield Trade(TableRow(source, f"trade {values['id']}", values), orders.pop(values["id"], []))
    for rows in orders.values():
        rows[0].refuse(f"is of trade {rows[0]['ft_trade_id']}, which is not in the table of trades")


def _rows(database: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    """The rows of a table by their id; floats as their shortest decimals."""
    found = database.execute(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608
    names = [column[0] for column in found.description]
    return [
        {
            name: Decimal(repr(value)) if isinstance(value, float) else value
            for name, value in zip(names, row, strict=True)
        }
        for row in found
    ]


def _id(row: TableRow) -> str:
    return str(row.get("order_id") or row.at)  # a backtest has no ids


def _filled(trade: Trade, is_entry: bool) -> Decimal:
    """What the orders that enter or leave a trade have filled."""
    rows = [
        row
        for row in trade.orders
        if (_side(trade.row, row) == ("S" if trade.row.get("is_short") else "B")) == is_entry
    ]
    return sum((_done(row) for row in rows), Decimal(0))


def _done(row: TableRow) -> Decimal:
    whole = _first(row, "amount", "ft_amount") if str(row.get("status") or "closed").lower() == "closed" else None
    return Decimal(row.number_or("filled", whole or Decimal(0)))


def _currency(trade: TableRow) -> str | None:
    return (
        trade.get("stake_currency") or trade.get("quote_currency") or trade.text("pair").split(":")[0].partition("/")[2]
    )


def _time(row: TableRow, name: str, clock: Clock) -> int | None:
    """A time, which json also has in milliseconds."""
    stamp = row.get(f"{name}_timestamp")
    if stamp is not None:
        return since_epoch(row.number(f"{name}_timestamp"), "ms", row.refuse)
    text = row.get(f"{name}_date")
    return None if text is None else clock.ns(text, row.refuse)


def _order(draft: Draft, trade: TableRow, row: TableRow, name: str, clock: Clock, book_fees: bool) -> None:
    filled_at = _time(row, "order_filled", clock)
    ts = next((found for found in (_time(row, "order", clock), filled_at) if found is not None), None)
    if ts is None:
        row.refuse("has no time")
    works = row.get("ft_is_open") or row.get("is_open")
    status = str(row.get("status") or ("open" if works else "closed")).lower()
    if status not in (*ENDED, *OPEN, "closed", "rejected"):
        row.refuse(f"status={status!r} is not a status of an order")
    limit = _first(row, "price", "ft_price", "safe_price")
    quantity = _first(row, "amount", "ft_amount")
    if quantity is None:
        row.refuse("has no amount")
    common = {"instrument": trade.text("pair"), "order_id": name, "strategy": trade.get("strategy")}
    side = _side(trade, row)
    at_market = row.get("order_type") == "market" or not limit
    draft.event(
        row, "order", ts, side=side, qty=quantity, price=None if at_market else limit, type="market" if at_market else None,
        **common,
    )  # fmt: skip
    filled = row.number_or("filled", quantity if status == "closed" else Decimal(0))
    last = ts if filled_at is None else filled_at
    if filled:
        price = _first(row, "average", "price", "safe_price", "ft_price")
        if not price:
            row.refuse("has a fill without a price")
        fee = _rate(trade, row) * filled * price if book_fees else None
        draft.event(row, "fill", last, side=side, qty=filled, price=price, trade_id=name, fee=fee, **common)
        draft.derive("trade_id")
    if paid := row.number_or("funding_fee", Decimal(0)):
        draft.event(row, "cash", last, amount=paid, currency=_currency(trade), flow="funding")
        draft.assume("the funding of an order is paid at its fill; above zero it is received")
    if status == "rejected":
        draft.event(row, "reject", ts, **common)
    elif status in ENDED:
        draft.event(row, "expire", max(last, _time(row, "order_update", clock) or last), derived="cancel", **common)


def _first(row: TableRow, *names: str) -> Decimal | None:
    return next((row.number(name) for name in names if row.get(name) is not None), None)


def _side(trade: TableRow, row: TableRow) -> str:
    """Side of an order; that of a stop loss is the one that closes its trade."""
    leaves = "B" if trade.get("is_short") else "S"
    words = [str(row.get(name)).lower() for name in ("side", "ft_order_side") if row.get(name) is not None]
    sides = {leaves if word == "stoploss" else SIDES.get(word) for word in words} or {None}
    if None in sides:
        row.refuse(f"side {' and '.join(words)!r} is neither a buy nor a sell")
    if len(sides) > 1 or (row.get("ft_is_entry") is not None and (leaves in sides) == bool(row["ft_is_entry"])):
        role = " of" if row.get("ft_is_entry") is None else f" that {'enters' if row['ft_is_entry'] else 'leaves'}"
        row.refuse(
            f"side {' and '.join(words)!r} is not that of an order{role} a {'short' if leaves == 'B' else 'long'} trade"
        )
    return str(sides.pop())


def _rate(trade: TableRow, row: TableRow) -> Decimal:
    """The fee of an order as a fraction of its value."""
    is_entry = _side(trade, row) == ("S" if trade.get("is_short") else "B")
    return trade.number_or("fee_open" if is_entry else "fee_close", Decimal(0))


def _closed(draft: Draft, trade: TableRow, clock: Clock) -> None:
    """The event of a closed trade, and its profit."""
    profit = _first(trade, "close_profit_abs", "profit_abs", "realized_profit")
    if trade.get("is_open"):
        realised = trade.number_or("realized_profit", Decimal(0))
        if realised:
            draft.realised(str(_currency(trade)), realised)
        return
    ts = _time(trade, "close", clock)
    if ts is None or profit is None:
        trade.refuse("is closed and has no time of its close or no profit")
    reason = str(trade.get("exit_reason") or trade.get("sell_reason") or "")
    draft.event(
        trade, "trade", ts, instrument=trade.text("pair"), side="short" if trade.get("is_short") else "long", pnl=profit,
        ret=_rounded(_first(trade, "close_profit", "profit_ratio")), exit="stop_loss" if reason in STOPS else reason or None,
        strategy=trade.get("strategy"),
    )  # fmt: skip
    draft.realised(str(_currency(trade)), profit)


def _rounded(fraction: Decimal | None) -> Decimal | None:
    """A return to a billionth, the unit in which a log counts it."""
    return None if fraction is None else round(fraction, 9)
