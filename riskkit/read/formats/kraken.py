"""Trades of Kraken."""

from __future__ import annotations

from collections.abc import Mapping

from riskkit.read.draft import Draft
from riskkit.read.exchange import check_quotes, oldest_first, quote_of, side_of, without_repeats
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

NEEDED = ("txid", "ordertxid", "pair", "time", "type", "price", "fee", "vol")
OLD_QUOTES = {
    "ZUSD": "USD", "ZEUR": "EUR", "ZGBP": "GBP", "ZCAD": "CAD", "ZJPY": "JPY", "ZAUD": "AUD", "XXBT": "XBT", "XETH": "ETH",
}  # fmt: skip


def _recognises(source: Source) -> bool:
    return source.has(NEEDED)


@reader(_recognises)
def kraken(files: Files, *, account: str = "kraken", quotes: Mapping[str, str] | None = None) -> Reading:
    r"""Read Kraken's export of trades (history, export, "Trades", all fields).

    A row is a fill: its id (txid), order (ordertxid), pair, time, side (type), price, fee and quantity (vol). Pairs are
    written as XXBTZUSD (old codes, bitcoin in dollars), XDGUSD or SOL/EUR; the fee is in the currency of the price.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``trades.csv``, also several that overlap: a fill of a known id is left out.

    References
    ----------
    Kraken support, "How to interpret trades history fields".

    Examples
    --------
    >>> import io
    >>> text = "txid,ordertxid,pair,time,type,price,fee,vol\nT1,O1,XXBTZUSD,2024-03-10 02:30:50.2405,buy,69000.1,1.5,0.01\n"
    >>> reading = kraken(io.StringIO(text))
    >>> reading.fees, reading.derived
    ({'USD': Decimal('1.5')}, {'order': 1})
    """
    given, named = sources(files), check_quotes(quotes)
    draft, clock = Draft("kraken", given, account), Clock("UTC")
    rows = [row for source in given for row in source.table(NEEDED)]
    rows = without_repeats(draft, rows, lambda row: row.text("txid"), "txid read before: one export overlaps the other")
    for row in oldest_first(rows, lambda row: clock.ns(row["time"], row.refuse)):
        pair, quantity, price = row.text("pair"), row.number("vol"), row.number("price")
        if row.get("cost") is not None:
            draft.check_money(row, "cost", row.number("cost"), quantity, price)
        draft.event(
            row, "fill", clock.ns(row["time"], row.refuse), side=side_of(row, "type"), qty=quantity,
            instrument=draft.instrument(pair, currency=_quote(draft, row, pair, named)), price=price,
            order_id=row.text("ordertxid"), trade_id=row.text("txid"), fee=row.number_or("fee", None),
        )  # fmt: skip
    draft.assume("times are UTC", "a fee is in the currency of the price", f"one account, {account!r}")
    return draft.finish()


def _quote(draft: Draft, row: TableRow, pair: str, named: Mapping[str, str]) -> str:
    """The currency of the prices of a pair."""
    code = pair.removesuffix(".d")  # of the dark pool
    quote = named.get(pair) or (code.split("/")[1] if "/" in code else OLD_QUOTES.get(code[4:]))
    return quote or quote_of(row, code, {}, draft, "USD")
