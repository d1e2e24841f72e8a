"""Trade history reports of MetaTrader 5."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from riskkit._docs import counted
from riskkit.read.draft import Draft
from riskkit.read.html_rows import html_rows
from riskkit.read.local_form import Cells, normal
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

TABLES = Cells((name, name) for name in ("Positions", "Orders", "Deals", "Open Positions", "Working Orders", "Results"))
CENT = Decimal("0.011")  # of a balance, for two roundings
POSITION = "position: the same trades as in Deals, a round trip a row"
ACCOUNT = re.compile(r"(\S+)\s*\((\w{3})\b")
BLANKS = re.compile(r"[\s\u00a0\u2009\u202f]+")
ENDS = {"canceled": "cancel", "cancelled": "cancel", "expired": "expire", "rejected": "reject"}
STATES = (*ENDS, "started", "placed", "partial", "filled", "request add", "request modify", "request cancel")
DIRECTIONS = ("", "in", "out", "in/out", "out by")
SIDES = {"buy": "B", "sell": "S"}
FLOWS = {
    "commission": "fee",
    "charge": "fee",
    "agent": "fee",
    "tax": "fee",
    "interest": "funding",
    "dividend": "dividend",
}
QUOTES = set("USD EUR GBP JPY CHF AUD NZD CAD SEK NOK DKK PLN HUF CZK TRY ZAR MXN SGD HKD CNH THB ILS RON".split())


def _recognises(source: Source) -> bool:
    return re.search(r"trade\s+history\s+report", source.first_text, re.I) is not None


@reader(_recognises)
def mt5(files: Files, *, multipliers: Mapping[str, Any] | None = None, tz: str = "Europe/Athens") -> Reading:
    r"""Read trade history reports of MetaTrader 5, as html or opened and saved as csv.

    Orders and deals are events. Positions tell the deals again, a round trip a row. A deal's commission and fee are its
    fee, its swap is cash (funding), and its profit is the realised one, in the currency of the account. Deals that are no trade
    (balance, credit, interest, ...) are cash.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Reports in English.
    multipliers : mapping of symbol to number
        Units of a lot, as ``{"EURUSD": 100_000, "XAUUSD": 100}``: the broker sets them, and the report does not have them.
    tz : str
        Zone of the server's clock, which the report does not name; by default that of most brokers.

    Returns
    -------
    Reading
        With quantities in lots, and the realised profit.

    References
    ----------
    MetaTrader 5 Help, "Trading report".

    Examples
    --------
    >>> import io
    >>> text = '''Trade History Report
    ... Account:,,,"7 (USD, Server, demo, Hedge)"
    ... Deals
    ... Time,Deal,Symbol,Type,Direction,Volume,Price,Order,Commission,Fee,Swap,Profit,Balance,Comment
    ... 2024.03.26 08:12:14,901,XAUUSD,buy,in,0.3,2 181.170,7001,- 1.05,0.00,0.00,0.00,9 998.95,
    ... ,,,,,,,,,,,0.00,9 998.95,
    ... '''
    >>> reading = mt5(io.StringIO(text), multipliers={"XAUUSD": 100})
    >>> reading.standing()[["qty", "price", "fee"]].values.tolist()
    [[Decimal('0.3'), Decimal('2181.170'), Decimal('1.05')]]
    """
    given = sources(files)
    draft = Draft("mt5", given, multipliers=multipliers)
    clock = Clock(tz)
    seen: dict[tuple[str, str, Any], TableRow] = {}
    for source in given:
        _Report(draft, clock, source, seen).read()
    draft.assume(
        f"times are the server's, {tz}: the report does not say so",
        "quantities are lots; a lot has the size of multipliers=",
        "the swap is cash at the time of its deal",
    )
    return draft.finish()


def _rows(source: Source) -> Iterator[tuple[str, list[str]]]:
    """The rows of a report, from 1."""
    if "<html" in source.first_text.lower():
        yield from html_rows(source)
        return
    for at, cells in source.rows():
        yield at.replace("line", "row"), [" ".join(cell.split()) for cell in cells]


class _Report:
    """The tables of a report as events."""

    def __init__(self, draft: Draft, clock: Clock, source: Source, seen: dict[tuple[str, str, Any], TableRow]) -> None:
        self.draft, self.clock, self.source, self.seen = draft, clock, source, seen
        self.account = self.currency = ""

    def read(self) -> None:
        """Take all tables: orders first, then deals, then the ends of orders."""
        tables: dict[str, list[TableRow]] = {}
        name, heading = "", None
        for at, cells in _rows(self.source):
            filled = [cell for cell in cells if cell]
            if len(filled) == 1 and filled[0] in TABLES:
                name, heading = TABLES[filled[0]], None
                tables[name] = []
            elif filled and normal(filled[0]) == "account:":
                self._of(" ".join(filled[1:]), at)
            elif name and name != "Results" and heading is None:
                heading = cells
            elif name and name != "Results" and heading is not None and filled:
                if sum(map(bool, heading)) > len(cells):
                    self.source.refuse(at, f"has {len(cells)} cells, and {sum(map(bool, heading))} are needed")
                row = TableRow(self.source, at, Cells(reversed([*zip(heading, cells, strict=False)])))
                tables[name].append(row)
        if "Deals" not in tables or not self.account:
            self.source.refuse(
                "", f"has no {'table Deals' if self.account else 'account'}; a report in English has one"
            )
        if tables["Deals"] and tables["Deals"][-1].get("Time") and "Results" not in tables:
            self.source.refuse(tables["Deals"][-1].at, "ends the deals without their sums; the file is torn")
        for row in tables.get("Positions", []):
            self.draft.leave_out(row, POSITION)
        for row in (*tables.get("Open Positions", []), *tables.get("Working Orders", [])):
            self.draft.leave_out(row, "what is held or works at the end; it follows from orders and deals")
        orders = tables.get("Orders", [])
        known = [row for row in orders if not self._again(row, "Order") and self._order(row)]
        self._say_gaps(tables["Deals"])
        for row in tables["Deals"]:
            if not self._again(row, "Deal"):
                self._deal(row)
        for row in known:
            if row.text("State").lower() in ENDS:
                self.draft.event(
                    row, ENDS[row["State"].lower()], self._ts(row, "Time"), **self._common(row, row.text("Order"))
                )

    def _again(self, row: TableRow, name: str) -> bool:
        """True if an order or a deal was read before, in this report or another."""
        key = self.account, name, row.get(name)
        first = row if key[2] is None else self.seen.setdefault(key, row)
        again = first is not row
        for column in ("Symbol", "Type", "Volume", "Price") if again else ():
            if first.get(column) != row.get(column):
                row.refuse(f"has the number of {first.at} and another {column}")
        if again:
            self.draft.leave_out(row, "read before: reports overlap")
        return again

    def _of(self, text: str, at: str) -> None:
        found = ACCOUNT.match(text)
        if found is None:
            self.source.refuse(at, f"{text!r} is not an account with its currency")
        self.account, self.currency = found[1], found[2]

    def _ts(self, row: TableRow, name: str) -> int:
        return self.clock.ns(row.text(name).replace(".", "-", 2), row.refuse)

    def _common(self, row: TableRow, order: str) -> dict[str, Any]:
        symbol = row.text("Symbol")
        self.draft.need_multiplier(symbol)
        pair = symbol[:3] in QUOTES and symbol[3:6] in QUOTES
        if pair and symbol[3:6] != self.currency:
            self.draft.assume(
                "a pair of currencies is quoted in the second; fees and swaps are in the account's currency"
            )
        self.draft.instrument(symbol, currency=symbol[3:6] if pair else self.currency)
        return {"account": self.account, "instrument": symbol, "order_id": order}

    def _number(self, row: TableRow, name: str) -> Decimal:
        return TableRow(row.source, row.at, {name: BLANKS.sub("", row.get(name) or "0")}).number(name)

    def _needed(self, row: TableRow, name: str) -> Decimal:
        row.text(name)
        return self._number(row, name)

    def _order(self, row: TableRow) -> bool:
        """Take an order; False if it has no side."""
        form, _, kind = row.text("Type").lower().partition(" ")
        if form not in SIDES:
            self.draft.leave_out(row, f"order of type {row['Type']!r}, without a side; its deals tell it")
            return False
        if row.text("State").lower() not in STATES:
            row.refuse(f"State={row['State']!r} is not a state of an order")
        asked = TableRow(row.source, row.at, {"Volume": row.text("Volume").split("/")[0]})
        price = self._number(row, "Price") if kind in ("limit", "stop limit") else None
        self.draft.event(
            row, "order", self._ts(row, "Open Time"), side=SIDES[form], qty=self._number(asked, "Volume"), price=price,
            type=None if price else "market", **self._common(row, row.text("Order")),
        )  # fmt: skip
        return True

    def _say_gaps(self, deals: list[TableRow]) -> None:
        """Say where a balance does not follow from the one before it: a deal between them is missing, or an amount is wrong."""
        before: Decimal | None = None
        gaps = []
        for row in deals:
            if not row.get("Time") or row.get("Balance") is None:
                continue
            balance = self._number(row, "Balance")
            moved = sum(self._number(row, name) for name in ("Commission", "Fee", "Swap", "Profit"))
            if before is not None and abs(before + moved - balance) > CENT:
                gaps.append(row.at)
            before = balance
        if gaps:
            rows = f"{counted(len(gaps), 'deal')}, the first at {self.source.name}, {gaps[0]}"
            self.draft.assume(f"the balance does not follow from the one before at {rows}: deals are missing or wrong")

    def _deal(self, row: TableRow) -> None:
        if not row.get("Time"):
            if row.get("Deal") or row.get("Type"):
                row.refuse("is a deal without a time")
            self.draft.leave_out(row, "sums of the deals")
            return
        form, ts = row.text("Type").lower(), self._ts(row, "Time")
        if form in SIDES:
            if (row.get("Direction") or "").lower() not in DIRECTIONS:
                row.refuse(f"Direction={row['Direction']!r} is not one of {', '.join(DIRECTIONS[1:])}")
            self.draft.event(
                row, "fill", ts, side=SIDES[form], qty=self._needed(row, "Volume"), price=self._needed(row, "Price"),
                trade_id=row.text("Deal"), fee=-(self._number(row, "Commission") + self._number(row, "Fee")),
                fee_currency=self.currency, **self._common(row, row.text("Order")),
            )  # fmt: skip
            self.draft.realised(self.currency, self._number(row, "Profit"))
            self._cash(row, ts, self._number(row, "Swap"), "funding")
        elif "cancel" in form:
            self.draft.leave_out(row, f"deal of type {form!r}: it was cancelled")
        elif row.get("Symbol") and row.get("Volume"):
            row.refuse(f"Type={form!r} is neither a buy nor a sell")
        else:
            flow = next((flow for word, flow in FLOWS.items() if word in form), "deposit")
            names = ("Profit", "Commission", "Fee", "Swap")
            self._cash(row, ts, sum((self._number(row, name) for name in names), Decimal(0)), flow)

    def _cash(self, row: TableRow, ts: int, amount: Decimal, flow: str) -> None:
        if amount:
            self.draft.event(row, "cash", ts, account=self.account, amount=amount, currency=self.currency, flow=flow)
