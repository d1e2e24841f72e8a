"""Transactions of backtrader, as pyfolio and zipline take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskkit.read.draft import Draft
from riskkit.read.exchange import oldest_first
from riskkit.read.money import contradicts
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

NEEDED = ("date", "amount", "price", "sid", "symbol")


def _recognises(source: Source) -> bool:
    return source.has(NEEDED)


@reader(_recognises)
def backtrader(
    files: Files,
    *,
    account: str = "backtrader",
    tz: str = "UTC",
    currency: str = "USD",
    multipliers: Mapping[str, Any] | None = None,
) -> Reading:
    r"""Read the transactions of a backtrader backtest: its analyzer ``Transactions`` (or ``PyFolio``) written to csv.

    A row is a fill: its time, signed amount, price, the number (sid) and name of the data feed, and the value, which
    has the opposite sign. There are no ids, orders and fees. Rows of one time happened in the order of the file.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``transactions.csv``.
    tz : str
        Time zone of times without one.
    multipliers : mapping of symbol to number, optional
        Money of one unit when the price moves by one; by default 1.

    References
    ----------
    backtrader 1.9.78, ``analyzers/transactions.py``.

    Examples
    --------
    >>> import io
    >>> text = "date,amount,price,sid,symbol,value\n2024-03-08 00:00:00+00:00,-42,99.5,2,,4179\n"
    >>> backtrader(io.StringIO(text)).frame[["instrument", "side", "qty"]].values.tolist()
    [['data2', 'S', Decimal('42')], ['data2', 'S', Decimal('42')]]
    """
    given = sources(files)
    draft, clock = Draft("backtrader", given, account, multipliers), Clock(tz)
    rows = [(row, clock.ns(row["date"], row.refuse)) for source in given for row in source.table(NEEDED)]
    for row, ts in oldest_first(rows, lambda entry: entry[1]):
        amount = row.number("amount")
        if not amount:
            draft.leave_out(row, "amount is 0")
            continue
        price = row.number("price")
        value = row.number_or("value", None)
        if value is not None and (contradicts(value, amount, price) or value * amount * price > 0):
            row.refuse(f"value={row['value']!r} is not that of {amount} at {price}, with the opposite sign")
        label = draft.instrument(_label(row), currency=currency)
        draft.event(
            row,
            "fill",
            ts,
            instrument=label,
            side="B" if amount > 0 else "S",
            qty=abs(amount),
            price=price,
        )
    draft.assume(
        f"one account, {account!r}", f"prices are in {currency}", "a feed without a name is called data and its number"
    )
    return draft.finish()


def _label(row: TableRow) -> str:
    return row.get("symbol") or f"data{row.text('sid')}"
