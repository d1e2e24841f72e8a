"""Trade history of Bybit, spot and derivatives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from riskkit.read.draft import Draft
from riskkit.read.exchange import (
    check_quotes,
    first_of,
    oldest_first,
    quote_of,
    without_repeats,
)
from riskkit.read.local_form import normal
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

SYMBOL = ("Spot Pairs", "Market", "Contracts", "Symbol")
QUANTITY = ("Filled Quantity", "Filled Qty", "Exec Qty")
PRICE = ("Filled Price", "Exec Price")
FEE = ("ExecFeeV2", "Trading Fee", "Fees Paid", "Fees")
ID = ("Trasaction ID", "Transaction ID")  # the heading of derivatives is misspelt
NEEDED = ("Direction", "Order No.")
TIME = re.compile(r"(?:transactiontime|timestamp|tradetime)\(utc(?:([+-])(\d{1,2})(?::?(\d\d))?)?\)")
INVERSE = re.compile(r"([A-Z0-9]+)USD(?:[A-Z]\d\d|-\d\d[A-Z]{3}\d\d)?")  # perpetual, or quarterly as BTCUSDZ24
FILLS = (
    "trade",
    "liquidation",
    "busttrade",
    "adl",
    "adltrade",
    "blocktrade",
    "delivery",
    "moveposition",
    "futurespread",
)
NOTHING = "--"
HOUR = 3600 * 10**9


def _recognises(source: Source) -> bool:
    timed = any(TIME.fullmatch(normal(name)) for name in source.heading())
    return timed and any(source.has((*NEEDED, price)) for price in PRICE)


@reader(_recognises)
def bybit(
    files: Files,
    *,
    account: str = "bybit",
    quotes: Mapping[str, str] | None = None,
    multipliers: Mapping[str, Any] | None = None,
) -> Reading:
    r"""Read Bybit's trade history, spot or derivatives of a unified account.

    A row is a fill, with its order ("Order No."), the fee and its coin; a time is written "14:35 2024-11-16" or as ISO 8601,
    in the zone of its heading. Among the fills of derivatives stand payments of funding, which are cash, and
    liquidations, which are fills that nobody ordered. Long is a buy and Short a sell, whether they open or close.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``Bybit-Spot-TradeHistory.csv``, ``Bybit-Perp-TradeHistory.csv``, also several that overlap: a row of a known id is
        left out.
    multipliers : mapping of symbol to number, optional
        Coins of a contract; by default 1, as linear contracts count coins.

    References
    ----------
    Bybit help, "How to export your trade history"; API, ``execType``.

    Examples
    --------
    >>> import io
    >>> heading = "Market,Filled Type,Filled Quantity,Filled Price,Trading Fee,feeCoin,Direction,Order No.,Transaction Time(UTC+0)"
    >>> rows = ["BTCPERP,Trade,0.5,90120.5,24.8,USDC,Short, 1,09:09 2024-11-16", "BTCPERP,Funding,0.5,90100,-1.5,USDC,Short, 2,16:00 2024-11-16"]
    >>> reading = bybit(io.StringIO("\n".join([heading, *rows])))
    >>> reading.events, reading.cash
    ({'fill': 1, 'cash': 1}, {'USDC': Decimal('1.5')})
    """  # noqa: E501
    given, named = sources(files), check_quotes(quotes)
    draft = Draft("bybit", given, account, multipliers)
    rows = [row for source in given for row in source.table(NEEDED)]
    identified = [row for row in rows if any(row.get(name) for name in ID)]
    kept = without_repeats(draft, identified, _key, "transaction read before")
    repeats = {id(row) for row in identified} - {id(row) for row in kept}
    clock = Clock("UTC")
    for row in oldest_first((row for row in rows if id(row) not in repeats), lambda row: _time(row, clock)):
        _event(draft, row, _time(row, clock), named)
    draft.assume(f"one account, {account!r}")
    return draft.finish()


def _key(row: TableRow) -> tuple[str, str]:
    return row.text(first_of(row, *SYMBOL)), row.text(first_of(row, *ID))


def _time(row: TableRow, clock: Clock) -> int:
    """Time of a row; the date may come after the hour."""
    name = next((name for name in row.values if TIME.fullmatch(name)), "") or row.refuse("has no column of times")
    match, text = TIME.fullmatch(name), row.text(name)
    assert match is not None
    sign, hours, minutes = match.groups(default="0")
    offset = (int(hours) * HOUR + int(minutes) * HOUR // 60) * (-1 if sign == "-" else 1)
    turned = re.fullmatch(r"(\d\d:\d\d(?::\d\d)?) (\d{4}-\d\d-\d\d)", text)
    return clock.ns(f"{turned[2]} {turned[1]}" if turned else text, row.refuse) - offset


def _event(draft: Draft, row: TableRow, ts: int, quotes: Mapping[str, str]) -> None:
    spot = "Spot Pairs" in row.values
    symbol, kind = row.text(first_of(row, *SYMBOL)), "Trade" if spot else row.text("Filled Type")
    coin = row.get("feeCoin")
    fee = _fee(row)
    if not spot and (match := INVERSE.fullmatch(symbol)) and match[1] == coin:
        currency = "USD"
        draft.need_multiplier(symbol)
        draft.assume(f"{symbol} is inverse: its money is counted in USD as price times quantity times multiplier")
    else:
        currency = (
            coin if coin and not spot else "USDC" if symbol.endswith("PERP") else quote_of(row, symbol, quotes, draft)
        )
    draft.instrument(symbol, currency=currency)
    if kind.lower() in ("funding", "settle", "settlement"):
        draft.event(row, "cash", ts, amount=-(fee or Decimal(0)), currency=coin or currency, flow="funding")
        draft.assume("funding is cash; a positive fee of it is paid")
        return
    if kind.lower().replace(" ", "") not in FILLS:
        draft.leave_out(row, f"{kind} is neither a fill nor funding")
        return
    if kind.lower() != "trade":
        draft.assume(f"{kind} is a fill that nobody ordered; its order is derived as any other")
    quantity, price = row.number(first_of(row, *QUANTITY)), row.number(first_of(row, *PRICE))
    if spot and row.get("Filled Value") is not None:
        draft.check_money(row, "Filled Value", row.number("Filled Value"), quantity, price)
    draft.event(
        row, "fill", ts, instrument=symbol, side=_side(row), qty=quantity,
        price=price, order_id=row.text("Order No."), fee=fee, fee_currency=coin,
        trade_id=next((row.get(name) for name in ID if row.get(name)), None),
    )  # fmt: skip


def _fee(row: TableRow) -> Decimal | None:
    name = next((name for name in FEE if row.get(name) not in (None, NOTHING)), None)
    return None if name is None else row.number(name)


def _side(row: TableRow) -> str:
    """Side of a fill: Buy and Sell, Long and Short, or what is opened or closed."""
    word = row.text("Direction")
    words = word.lower().split()
    found = {"buy": "B", "long": "B", "sell": "S", "short": "S"}.get(words[-1])
    if found is None:
        row.refuse(f"Direction={word!r} is neither a buy nor a sell")
    return {"B": "S", "S": "B"}[found] if words[0] == "close" else found
