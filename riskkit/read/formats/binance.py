"""Trade, order and transaction history of Binance, spot and futures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from riskkit.read.draft import Draft
from riskkit.read.exchange import (
    check_quotes,
    oldest_first,
    quote_of,
    side_of,
    with_unit,
    without_commas,
    without_repeats,
)
from riskkit.read.formats.binance_transactions import TRANSACTIONS, read_transactions
from riskkit.read.local_form import Cells, normal
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

SPOT = ("Pair", "Side", "Price", "Executed", "Amount", "Fee")
OLD_SPOT = ("Market", "Type", "Price", "Amount", "Total", "Fee", "Fee Coin")
FUTURES = ("Symbol", "Side", "Price", "Quantity", "Fee", "Realized Profit")
NESTED = ("Pair", "Type", "Order Price", "Order Amount", "AvgTrading Price", "Filled", "Total", "status")
FLAT = ("OrderNo", "Pair", "Type", "Side", "Order Price", "Order Amount", "Time", "Executed", "Average Price", "Status")
TIME = re.compile(
    r"(?:date|time|createtime|ordertime|utc(?=time))(time|\((?:utc|gmt)(?:([+-])(\d{1,2})(?::?(\d\d))?)?\))?"
)
FILE_ZONE = re.compile(r"\((?:UTC|GMT)([+-])-?(\d{1,2})(?:[:_]?(\d\d))?\)", re.I)
FILLED, ENDED, REFUSED = (
    ("filled", "partial fill", "partially filled", "new"),
    ("canceled", "cancelled", "expired"),
    ("rejected",),
)
COIN_MARGINED = re.compile(r"[A-Z0-9]+USD_(?:PERP|\d{6})")
NO_DATA = "no data"
HOUR = 3600 * 10**9


class Table(NamedTuple):
    """The rows of a file with their kind, and the clock of its times."""

    kind: tuple[str, ...]
    rows: list[TableRow]
    stamp: Callable[..., int]  # of a row, and of another column than the first with times


def _kind(source: Source) -> tuple[str, ...] | None:
    timed = any(TIME.fullmatch(normal(name)) for name in source.heading())
    return next(
        (kind for kind in (FLAT, NESTED, FUTURES, OLD_SPOT, SPOT, TRANSACTIONS) if timed and source.has(kind)), None
    )


def _recognises(source: Source) -> bool:
    return _kind(source) is not None


@reader(_recognises)
def binance(
    files: Files,
    *,
    account: str = "binance",
    tz: str | None = None,
    quotes: Mapping[str, str] | None = None,
    multipliers: Mapping[str, Any] | None = None,
) -> Reading:
    r"""Read Binance's exports: trade history of spot and futures, order history, and transaction history.

    Spot trades glue quantities to their coins ("1,012.35USDT", "8.5001000SATS": the number ends where the pair says) and have no
    ids, so that two equal rows are two fills; an older heading (Market, Total, Fee Coin) has them apart. Futures trades
    have ids that are unique within a symbol. The older order history has the fills of an order in rows beneath it; the
    newer one has their average only. The transaction history has a row for each coin that a trade changed, and one for its
    fee; those of one second and account are put together. Rows may be newest first.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Exports of one kind or of several; of futures also some that overlap: what was read is left out.
    tz : str, optional
        Time zone of times whose zone is neither in the heading ("Date(UTC)") nor in the name of the file ("(UTC+9)").
    multipliers : mapping of symbol to number, optional
        Money of a contract that is no coin, needed for coin-margined ones such as BTCUSD_PERP.

    References
    ----------
    Binance help, "How to download spot trading transaction history statement"; headings as exported from 2018 to 2026.

    Examples
    --------
    >>> import io
    >>> text = ('Date(UTC),Pair,Side,Price,Executed,Amount,Fee\n'
    ...         '2024-03-31 07:34:14,1000SATSUSDT,BUY,0.00048210,"2,000.00001000SATS",0.96420000USDT,0.00012BNB\n')
    >>> reading = binance(io.StringIO(text))
    >>> reading.frame[["instrument", "qty"]].values[0].tolist(), reading.fees
    (['1000SATSUSDT', Decimal('2000.0000')], {'BNB': Decimal('0.00012')})
    """
    given, named = sources(files), check_quotes(quotes)
    draft = Draft("binance", given, account, multipliers)
    tables = [_table(source, tz) for source in given]
    futures = [row for table in tables if table.kind is FUTURES for row in table.rows]
    named_by_id = [row for row in futures if row.get("Trade ID")]
    kept = {id(row) for row in without_repeats(draft, named_by_id, _trade, "symbol and trade id read before")}
    kept |= {id(row) for row in futures if not row.get("Trade ID")}
    for table in tables:
        if table.kind in (NESTED, FLAT):
            for number, (order, fills) in enumerate(_orders(table), 1):
                _order(
                    draft,
                    table,
                    order,
                    fills,
                    f"{order.source.name} {number}" if len(tables) > 1 else str(number),
                    named,
                )
            continue
        if table.kind is TRANSACTIONS:
            read_transactions(draft, [(row, table.stamp(row)) for row in oldest_first(table.rows, table.stamp)])
            continue
        rows = [row for row in table.rows if table.kind is not FUTURES or id(row) in kept]
        coins = _coins(rows) if table.kind is SPOT else []
        for row in oldest_first(rows, table.stamp):
            values = {SPOT: _spot, OLD_SPOT: _old_spot, FUTURES: _future}[table.kind](draft, row, named, coins)
            draft.event(row, "fill", table.stamp(row), **values)
    draft.assume(f"one account, {account!r}")
    return draft.finish()


def _table(source: Source, tz: str | None) -> Table:
    kind = _kind(source)
    if kind is None:
        source.refuse("line 1", "is no heading of a trade, order or transaction history of Binance")
    name = next(name for name in source.heading() if TIME.fullmatch(normal(name)))
    match, in_name = TIME.fullmatch(normal(name)), FILE_ZONE.search(source.name)
    assert match is not None
    stated, zone = match[1], match.groups(default="0")[1:]
    if not stated and in_name is None and tz is None:
        source.refuse("line 1", f"{name} has no time zone, nor has the name of the file; give tz=")
    sign, hours, minutes = zone if stated else in_name.groups(default="0") if in_name else ("0", "0", "0")
    offset = (int(hours) * HOUR + int(minutes) * HOUR // 60) * (-1 if sign == "-" else 1)
    clock = Clock("UTC" if stated or in_name else tz or "UTC")

    def stamp(row: TableRow, column: str = name) -> int:
        text = row.text(column)
        return clock.ns(f"20{text}" if re.match(r"\d\d-\d\d-\d\d ", text) else text, row.refuse) - offset

    rows = [row for row in source.table(kind) if kind is NESTED or not row[name].lower().startswith(NO_DATA)]
    return Table(kind, rows, stamp)


def _trade(row: TableRow) -> tuple[str, str]:
    return row.text("Symbol"), str(row.get("Trade ID") or "")


def _price(row: TableRow, name: str) -> Decimal:
    """A number with commas between thousands."""
    return without_commas(row, name, row.text(name))


def _coins(rows: Iterable[TableRow]) -> list[str]:
    """The coins of all pairs of a file, longest first: a fee may be in one that begins with digits."""
    found = {coin for row in rows for coin in _cut(row)}
    return sorted(found, key=lambda coin: (-len(coin), coin))


def _cut(row: TableRow) -> tuple[str, str]:
    """Base and quote of a pair: where the units of quantity and amount fit, and price times quantity is the amount."""
    pair, price = row.text("Pair"), _price(row, "Price")
    fitting = []
    for place in range(1, len(pair)):
        base, quote = pair[:place], pair[place:]
        (quantity, unit), (amount, money) = with_unit(row, "Executed", [base]), with_unit(row, "Amount", [quote])
        if (unit, money) == (base, quote):
            fitting.append((abs(price * quantity - amount), -len(quote), base, quote))
    if not fitting:
        row.refuse(f"Executed={row['Executed']!r} and Amount={row['Amount']!r} are not in the coins of {pair}")
    return min(fitting)[2:]


def _spot(draft: Draft, row: TableRow, quotes: Mapping[str, str], coins: list[str]) -> dict[str, Any]:
    base, quote = _cut(row)
    fee, coin = with_unit(row, "Fee", [base, quote, *coins]) if row.get("Fee") else (None, None)
    quantity, price = with_unit(row, "Executed", [base])[0], _price(row, "Price")
    draft.check_money(row, "Amount", with_unit(row, "Amount", [quote])[0], quantity, price)
    return {
        "instrument": draft.instrument(row.text("Pair"), currency=quote), "side": side_of(row, "Side"),
        "qty": quantity, "price": price, "fee": fee, "fee_currency": coin,
    }  # fmt: skip


def _old_spot(draft: Draft, row: TableRow, quotes: Mapping[str, str], coins: list[str]) -> dict[str, Any]:
    pair = row.text("Market")
    draft.check_money(row, "Total", _price(row, "Total"), _price(row, "Amount"), _price(row, "Price"))
    return {
        "instrument": draft.instrument(pair, currency=quote_of(row, pair, quotes, draft)), "side": side_of(row, "Type"),
        "qty": _price(row, "Amount"), "price": _price(row, "Price"), "fee": _price(row, "Fee") if row.get("Fee") else None,
        "fee_currency": row.get("Fee Coin"),
    }  # fmt: skip


def _future(draft: Draft, row: TableRow, quotes: Mapping[str, str], coins: list[str]) -> dict[str, Any]:
    symbol, trade = _trade(row)
    if COIN_MARGINED.fullmatch(symbol):
        draft.need_multiplier(symbol)
    quote = "USD" if COIN_MARGINED.fullmatch(symbol) else quote_of(row, symbol, quotes, draft)
    fee, coin = _fee(row, "Fee", quote)
    coin = row.get("Fee Coin") or coin
    if row.get("Amount") and not COIN_MARGINED.fullmatch(symbol):
        draft.check_money(
            row, "Amount", _amount(row, "Amount", (quote,)), _price(row, "Quantity"), _price(row, "Price")
        )
    draft.realised(quote, _price(row, "Realized Profit"))
    return {
        "instrument": draft.instrument(symbol, currency=quote), "side": side_of(row, "Side"), "qty": _price(row, "Quantity"),
        "price": _price(row, "Price"), "fee": fee, "fee_currency": coin, "trade_id": trade or None, "order_id": row.get("Order ID"),
    }  # fmt: skip


def _fee(row: TableRow, name: str, quote: str, coins: tuple[str, ...] = ()) -> tuple[Decimal | None, str | None]:
    """A fee with its coin, or a number alone in the currency of the price."""
    text = row.get(name)
    if text is None:
        return None, None
    return (_price(row, name), quote) if re.fullmatch(r"[+-]?[\d,.]+", text) else with_unit(row, name, coins)


def _orders(table: Table) -> Iterator[tuple[TableRow, list[TableRow]]]:
    """Each order with the rows of its fills, oldest order first."""
    groups: list[tuple[TableRow, list[TableRow]]] = []
    inner: list[str] = []
    for row in table.rows:
        cells = list(row.values.values())
        if cells[0]:
            groups.append((row, []))
        elif any(TIME.fullmatch(normal(cell)) for cell in cells):
            inner = cells
        elif groups and inner:
            values = Cells((name, cell) for name, cell in zip(inner, cells, strict=True) if name)
            groups[-1][1].append(TableRow(row.source, row.at, values))
        else:
            row.refuse("is a fill without its order or heading; the file is torn")
    yield from oldest_first(groups, lambda group: table.stamp(group[0]))


def _order(
    draft: Draft, table: Table, row: TableRow, fills: list[TableRow], number: str, quotes: Mapping[str, str]
) -> None:
    """An order, its fills and its end."""
    pair, status = row.text("Pair"), row.text("status" if table.kind is NESTED else "Status").lower()
    if status not in (*FILLED, *ENDED, *REFUSED):
        row.refuse(f"status={status!r} is not a status of an order")
    quote = quote_of(row, pair, quotes, draft)
    coins = pair.removesuffix(quote), quote
    side, ts = side_of(row, "Side" if "Side" in row.values else "Type"), table.stamp(row)
    at_market = row.text("Type").lower() == "market"
    limit = None if at_market else _amount(row, "Order Price", coins) or None
    common = {"instrument": draft.instrument(pair, currency=quote), "order_id": row.get("OrderNo") or number}
    draft.event(
        row, "order", ts, side=side, qty=_amount(row, "Order Amount", coins), price=limit, type=None if limit else "market",
        **common,
    )  # fmt: skip
    draft.assume("an order price of 0 is that of a market order")
    last = ts
    for fill in fills:
        stamp = table.stamp(fill, next(name for name in fill.values if TIME.fullmatch(name)))
        last = max(last, stamp)
        fee, coin = _fee(fill, "Fee", quote, coins)
        quantity, price = _amount(fill, "Filled", coins), _amount(fill, "Trading Price", coins)
        if fill.get("Total") is not None:
            draft.check_money(fill, "Total", _amount(fill, "Total", coins), quantity, price)
        draft.event(
            fill, "fill", stamp, side=side, qty=quantity, price=price,
            fee=fee, fee_currency=coin, **common,
        )  # fmt: skip
    done = _amount(row, "Executed", coins) if table.kind is FLAT else None
    if done:
        last = max(ts, table.stamp(row, "Time")) if row.get("Time") else ts
        draft.event(row, "fill", last, side=side, qty=done, price=_amount(row, "Average Price", coins), **common)
        draft.assume("an order has one fill, at its average price")
    if status in REFUSED:
        draft.event(row, "reject", ts, **common)
    elif status in ENDED:
        draft.event(row, "expire", last, derived="cancel", **common)
        draft.assume("an order that was cancelled ends at its last fill or its own time")


def _amount(row: TableRow, name: str, coins: tuple[str, ...]) -> Decimal:
    """A number, with or without one of the coins of a pair glued to it."""
    return with_unit(row, name, coins)[0] if row.text(name)[-1:].isalpha() else _price(row, name)
