"""List of trades of TradingView's strategy tester."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import Any, NamedTuple

from riskkit.read.draft import Draft
from riskkit.read.local_form import Cells
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock
from riskkit.replay.schema.decimals import decimal_of

NUMBER = ("Trade #", "Trade number")
TIME = ("Date and time", "Date/Time")
QUANTITY = ("Size (qty)", "Position size (qty)", "Contracts", "Quantity", "Qty")
VALUE = ("Size (value)", "Position size (value)")
PRICE = re.compile(r"price(?:[ _]*\(?(\w+)\)?)?", re.I)
PROFIT = re.compile(r"(?:net[ _]*p&?n?l|profit)(?:[ _]*\(?(\w+)\)?)?", re.I)
NAME = re.compile(r"(?:.*_)?([^_]+)_\d{4}-\d\d-\d\d(?:_\w+)?\.\w+")
OPEN = "the exit of an open trade: its price is the last price, no fill"


CENT = Decimal("0.01")


class Columns(NamedTuple):
    """Names of the columns of a generation of the export, and the currency in them."""

    number: str
    time: str
    quantity: str
    value: str
    price: str
    profit: str
    currency: str

    @classmethod
    def of(cls, names: list[str]) -> Columns | None:
        """The columns among these names; None if one is missing."""
        known = Cells((name, name) for name in names)
        found = [next((known[name] for name in group if name in known), "") for group in (NUMBER, TIME, QUANTITY)]
        priced, gained = (next((m for name in names if (m := form.fullmatch(name))), None) for form in (PRICE, PROFIT))
        if not all(found) or priced is None or gained is None or "Type" not in known:
            return None
        value = next((known[name] for name in VALUE if name in known), "")
        currency = (priced[1] or gained[1] or "").upper()
        return cls(found[0], found[1], found[2], value, priced[0], gained[0], currency)


class Leg(NamedTuple):
    """An entry or an exit of a trade."""

    row: TableRow
    ts: int
    price: Decimal


def _recognises(source: Source) -> bool:
    return Columns.of(source.heading()) is not None


@reader(_recognises)
def tradingview(
    files: Files,
    *,
    tz: str | None = None,
    instrument: str | None = None,
    account: str = "tradingview",
    currency: str | None = None,
    multiplier: Any = None,
) -> Reading:
    r"""Read the list of trades that TradingView's strategy tester exports.

    A trade is two rows, its entry and its exit, in either order; the profit stands in both and contains the commission. The
    exit of a trade that is open never happened and is left out. Headings have changed over the years (Date/Time, Contracts,
    Profit; Date and time, Size (qty), Net P&L); the currency stands in them.

    Parameters
    ----------
    files : path, open file, or sequence of them
        ``STRATEGY_SYMBOL_2024-03-28.csv``.
    tz : str
        Time zone of the chart, as "America/New_York"; needed, for the file does not say it.
    instrument : str, optional
        By default the symbol in the name of the file.
    currency : str, optional
        By default that of the headings.
    multiplier : number, optional
        Money of one contract when the price moves by one; by default the value of a trade over price and quantity where the
        file has it, and otherwise 1.

    References
    ----------
    TradingView help, "How to export the list of trades of a strategy".

    Examples
    --------
    >>> import io
    >>> text = ("Trade #,Type,Signal,Date/Time,Price USD,Contracts,Profit USD\n"
    ...         "1,Entry long,Long,2024-03-07 09:30,100,2,8\n1,Exit long,TP,2024-03-07 10:00,105,2,8\n")
    >>> reading = tradingview(io.StringIO(text), tz="America/New_York", instrument="BLUE")
    >>> reading.fees, reading.realised_pnl
    ({'USD': Decimal('2')}, {'USD': Decimal('8')})
    """
    given = sources(files)
    draft = Draft("tradingview", given, account)
    for source in given:
        columns = Columns.of(source.heading()) or source.refuse("line 1", "is not the heading of a list of trades")
        label = instrument or _symbol(source)
        money = currency or columns.currency or source.refuse("line 1", "names no currency; give currency=")
        rows = list(source.table([columns.number]))
        worth = _multiplier(draft, rows, columns, multiplier)
        draft.instrument(label, currency=money, multiplier=worth)
        for trade in _trades(draft, rows, columns, _clock(source, tz)):
            _fills(draft, trade, columns, label, worth, money)
    draft.assume(
        f"times are those of the chart, {tz}", f"one account, {account!r}",
        "fees are the price difference less the net profit, half on each side",
    )  # fmt: skip
    return draft.finish()


def _clock(source: Source, tz: str | None) -> Clock:
    return (
        Clock(tz) if tz else source.refuse("", "times are those of the chart, whose zone is not in the file; give tz=")
    )


def _symbol(source: Source) -> str:
    match = NAME.fullmatch(source.name)
    return match[1] if match else source.refuse("", "has no symbol in its name; give instrument=")


def _multiplier(draft: Draft, rows: list[TableRow], columns: Columns, given: Any) -> Decimal:
    """Money of a contract: as given, or as the values of the entries say."""
    if given is not None:
        return decimal_of(given, "multiplier")
    for row in rows if columns.value else ():
        if row.text("Type").lower().startswith("entry") and row.get(columns.value):
            ratio = abs(row.number(columns.value)) / (row.number(columns.price) * abs(row.number(columns.quantity)))
            whole = ratio.to_integral_value()
            draft.assume("a multiplier is the value of a trade over its price and quantity")
            return whole if whole and abs(ratio - whole) < Decimal("0.005") * whole else round(ratio, 4)
    draft.assume("a contract counts 1, which the file does not say")
    return Decimal(1)


def _trades(draft: Draft, rows: list[TableRow], columns: Columns, clock: Clock) -> list[dict[str, Leg]]:
    """Entry and exit of each trade, in the order of their numbers; an exit that never happened is left out."""
    found: defaultdict[int, dict[str, Leg]] = defaultdict(dict)
    left: set[int] = set()
    for row in sorted(rows, key=lambda row: int(row.number(columns.number))):
        word, _, side = row.text("Type").lower().partition(" ")
        if word not in ("entry", "exit") or side not in ("long", "short"):
            row.refuse(f"Type={row['Type']!r} is neither an entry nor an exit of a long or a short")
        number = row.number(columns.number)
        if number != int(number):
            row.refuse(f"{columns.number}={row[columns.number]!r} is not the number of a trade")
        trade = found[int(number)]
        if word in trade:
            row.refuse(f"is the second {word} of trade {row[columns.number]}")
        if word == "exit" and not row.get(columns.price):
            draft.leave_out(row, OPEN)
            left.add(int(number))
            continue
        trade[word] = Leg(row, clock.ns(row[columns.time], row.refuse), row.number(columns.price))
    for trade in found.values():
        _check(trade, columns, left)
    return list(found.values())


def _check(trade: dict[str, Leg], columns: Columns, left: set[int]) -> None:
    """Refuse a trade whose two rows do not belong together."""
    first = next(iter(trade.values())).row
    if "entry" not in trade:
        first.refuse("is an exit without its entry; the file is torn")
    if "exit" not in trade:
        if int(first.number(columns.number)) not in left:
            first.refuse("is an entry without its exit; the file is torn")
        return
    entry, leave = trade["entry"], trade["exit"]
    if entry.row["Type"].lower().split()[1] != leave.row["Type"].lower().split()[1]:
        leave.row.refuse(f"Type={leave.row['Type']!r} is not the exit of an {entry.row['Type']!r}")
    if entry.ts > leave.ts:
        leave.row.refuse("is an exit before its entry")
    for name in (columns.quantity, columns.profit):
        if entry.row.number(name) != leave.row.number(name):
            leave.row.refuse(f"{name}={leave.row[name]!r} is another than that of its entry, {entry.row[name]!r}")


def _fills(draft: Draft, trade: dict[str, Leg], columns: Columns, label: str, worth: Decimal, money: str) -> None:
    """The fills of a trade, with the commission that its profit contains."""
    entry, leave = trade["entry"], trade.get("exit")
    is_long = entry.row.text("Type").lower().endswith("long")
    is_open = leave is None or (leave.row.get("Signal") or "").lower() == "open"
    fee: Decimal | None = None
    if leave is not None:
        quantity = abs(leave.row.number(columns.quantity))
        gained, profit = (
            (leave.price - entry.price) * quantity * worth * (1 if is_long else -1),
            leave.row.number(columns.profit),
        )
        fee = gained - profit if is_open else (gained - profit) / 2
        if fee < -CENT * max(Decimal(1), abs(gained)):
            leave.row.refuse(f"{columns.profit}={profit} is more than the prices gain, {gained}; give multiplier=")
        if not is_open:
            draft.realised(money, profit)
    for turn, leg in enumerate([entry] if is_open or leave is None else [entry, leave]):
        draft.event(
            leg.row, "fill", leg.ts, instrument=label, side="B" if is_long == (turn == 0) else "S",
            qty=abs(leg.row.number(columns.quantity)), price=leg.price, fee=fee,
        )  # fmt: skip
    if leave is not None and is_open:
        draft.leave_out(leave.row, OPEN)
