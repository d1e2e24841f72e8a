"""Trades and orders in the unified structures of ccxt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft
from riskkit.read.exchange import ScopedIds, oldest_first, without_repeats
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock, since_epoch

MILLISECOND = 10**6
ENDED, REFUSED, STATES = ("canceled", "expired"), ("rejected",), ("open", "closed", None)
SIDES = {"buy": "B", "sell": "S"}
OVERLAP = "symbol and id read before: pages overlap"
SIZE_DIGITS = 10


def _recognises(source: Source) -> bool:
    text = source.first_text
    return text.lstrip()[:1] in ("[", "{") and ('"takerOrMaker"' in text or '"lastTradeTimestamp"' in text)


@reader(_recognises)
def ccxt(files: Files, *, account: str = "ccxt", multipliers: Mapping[str, Any] | None = None) -> Reading:
    r"""Read what ccxt's ``fetch_my_trades`` and ``fetch_orders`` return, saved as json, also with a line for each.

    Times are milliseconds since the epoch, ids are unique within a symbol. Symbols are 'BASE/QUOTE', for contracts
    'BASE/QUOTE:SETTLE', and for options 'BASE/QUOTE:SETTLE-YYMMDD-STRIKE-C'. A trade says its fee in ``fee``, in ``fees`` or in
    both; a fee below zero is a rebate. A rejected order is an order and its rejection; a cancelled order has no time of
    its cancel. A trade whose order is null, beside a file of orders, stays without one.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Lists of trades, of orders or both, also pages that overlap: what was read is left out.
    multipliers : mapping of symbol to number, optional
        Contract sizes (``exchange.markets[symbol]["contractSize"]``), for amounts of contracts are no coins. By default the
        cost of the trades of a contract over price and amount, where it is the same for all of them.

    References
    ----------
    ccxt manual, "Trade structure", "Order structure", "Contract naming conventions".

    Examples
    --------
    >>> import io
    >>> text = '''[{"id": "501", "timestamp": 1711845548807, "symbol": "BTC/USDT:USDT", "order": "102", "side": "buy",
    ...   "takerOrMaker": "taker", "price": 67000.5, "amount": 3, "cost": 201.0015, "fee": {"currency": "BNB", "cost": -0.00011}}]'''
    >>> reading = ccxt(io.StringIO(text))
    >>> reading.instruments[0].multiplier, reading.fees
    (Fraction(1, 1000), {'BNB': Decimal('-0.00011')})
    """
    given = sources(files)
    draft = Draft("ccxt", given, account, multipliers)
    trades: list[TableRow] = []
    orders: list[TableRow] = []
    for source in given:
        for row in _items(source):
            (orders if "status" in row.values and "filled" in row.values else trades).append(row)
    trades = oldest_first(without_repeats(draft, trades, _key, OVERLAP, _contents), _time)
    orders = oldest_first(without_repeats(draft, orders, _key, OVERLAP, _contents), _time)
    named = [(row.text("symbol"), str(row["order"])) for row in trades if row.get("order")]
    ids = ScopedIds([*named, *(_key(row) for row in orders)])
    sizes = _sizes(draft, trades)
    for row in (*orders, *trades):
        _instrument(draft, row, sizes)
    for row in orders:
        _order(draft, row, ids, bool(trades))
    for row in trades:
        _trade(draft, row, ids, bool(orders))
    draft.assume(f"one account, {account!r}")
    return draft.finish()


def _items(source: Source) -> list[TableRow]:
    """Trades or orders of a file, by their place in the list."""
    data = source.json()
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        source.refuse("", "is not a list of trades or orders")
    rows = []
    for number, values in enumerate(data):
        what = "order" if "status" in values and "filled" in values else "trade"
        rows.append(source.record(f"{what} {number}", values, "fee", "fees"))
    return rows


def _key(row: TableRow) -> tuple[str, str]:
    return row.text("symbol"), row.text("id")


def _contents(row: TableRow) -> tuple[Any, ...]:
    """What a trade, or an order that did not change, has in every page."""
    return tuple(row.values.get(name) for name in ("timestamp", "side", "price", "amount", "status"))


def _time(row: TableRow) -> int:
    if row.get("timestamp") is None and row.get("datetime") is not None:  # the same time as text, always in UTC
        return Clock("UTC").ns(row["datetime"], row.refuse)
    return since_epoch(row.number("timestamp"), "ms", row.refuse)


def _side(row: TableRow) -> str:
    return SIDES.get(str(row["side"])) or row.refuse(f"side={row['side']!r} is neither a buy nor a sell")


def _sizes(draft: Draft, trades: list[TableRow]) -> dict[str, Decimal]:
    """Contract sizes that the costs of all trades of a symbol agree on."""
    found: dict[str, set[Decimal]] = {}
    for row in trades:
        money = row.number("price") * row.number("amount")
        if ":" in row.text("symbol") and money:
            cost = row.number_or("cost", Decimal(0))
            found.setdefault(row.text("symbol"), set()).add(round(cost / money, SIZE_DIGITS))
    agreed = {symbol: sizes.pop() for symbol, sizes in found.items() if len(sizes) == 1}
    agreed = {symbol: size for symbol, size in agreed.items() if size and symbol not in draft.multipliers}
    if agreed:
        listed = ", ".join(f"{symbol} {size.normalize():f}" for symbol, size in agreed.items())
        draft.assume(f"contract sizes are the cost of trades over price and amount: {listed}")
    return agreed


def _instrument(draft: Draft, row: TableRow, sizes: Mapping[str, Decimal]) -> None:
    """Note currency and contract size of a symbol."""
    symbol = row.text("symbol")
    pair, _, contract = symbol.partition(":")
    quote = pair.partition("/")[2] or row.refuse(f"symbol={symbol!r} is no symbol of ccxt, as 'BTC/USDT'")
    settle = contract.split("-")[0]
    is_option = contract.count("-") == 3
    if contract and symbol not in sizes:
        draft.need_multiplier(symbol)
    if contract and not is_option and settle != quote:
        draft.assume(f"{symbol} is inverse: its money is counted in {quote} as price times amount times contract size")
    draft.instrument(symbol, currency=settle if is_option else quote, multiplier=sizes.get(symbol))


def _order(draft: Draft, row: TableRow, ids: ScopedIds, with_trades: bool) -> None:
    status, ts = row.get("status"), _time(row)
    if status not in (*ENDED, *REFUSED, *STATES):
        row.refuse(f"status={status!r} is not a status of an order")
    quantity = row.number_or("amount", None) or row.number_or("filled", None)
    if not quantity:
        draft.leave_out(row, "an order by money without an amount and without a fill")
        return
    price = None if row.get("type") == "market" else row.number_or("price", None)
    common = {"instrument": row.text("symbol"), "order_id": ids.of(*_key(row))}
    draft.event(
        row, "order", ts, side=_side(row), qty=quantity, price=price, type=None if price is not None else "market",
        reduce_only=True if row.get("reduceOnly") else None, **common,
    )  # fmt: skip
    if not with_trades and row.number_or("filled", Decimal(0)):
        _average(draft, row, ts, common)
    if status in REFUSED:
        draft.event(row, "reject", ts, **common)
    elif status in ENDED:
        last = row.number_or("lastTradeTimestamp", None)
        draft.event(row, "expire", ts if last is None else max(ts, int(last * MILLISECOND)), derived="cancel", **common)
        draft.assume("an order that was cancelled or expired ends at its last trade or its own time")


def _average(draft: Draft, row: TableRow, ts: int, common: Mapping[str, str]) -> None:
    """What was filled of an order as one fill, where there are no trades."""
    last, filled = row.number_or("lastTradeTimestamp", None), row.number("filled")
    price = row.number_or("average", None) or row.number_or("price", None) or row.refuse("is filled and has no price")
    draft.event(
        row, "fill", ts if last is None else max(ts, int(last * MILLISECOND)), derived="fill", side=_side(row), qty=filled,
        price=price, fees=_fees(row), **common,
    )  # fmt: skip
    draft.assume("without trades an order has one fill, at its average price and the time of its last trade")


def _trade(draft: Draft, row: TableRow, ids: ScopedIds, with_orders: bool) -> None:
    order = row.get("order")
    orderless = order is None and with_orders
    if orderless:
        draft.derive("order_of_fill_unknown")
    quantity, price = row.number("amount"), row.number("price")
    if ":" not in row.text("symbol") and (cost := row.number_or("cost", None)):
        draft.check_money(row, "cost", cost, quantity, price)
    draft.event(
        row, "fill", _time(row), instrument=row.text("symbol"), side=_side(row), qty=quantity,
        price=price, trade_id=row.text("id"), fees=_fees(row), orderless=orderless or None,
        order_id=None if order is None else ids.of(row.text("symbol"), str(order)),
    )  # fmt: skip


def _fees(row: TableRow) -> dict[str, Decimal]:
    """Fees by currency; ``fees`` says the same as ``fee``, or more."""
    listed = row.get("fees") or [row.get("fee")]
    found: Counter[str] = Counter()
    for entry in listed:
        if not entry or entry.get("cost") is None:
            continue
        fee = TableRow(row.source, row.at, entry)
        found[fee.text("currency")] += fee.number("cost")  # type: ignore[assignment]  # exact, and added to 0
    return {currency: Decimal(amount) for currency, amount in found.items()}
