"""Activity statements of Interactive Brokers as csv."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from riskkit.read.draft import Draft
from riskkit.read.local_form import AROUND, Cells, normal
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, named_cells, sources
from riskkit.read.times import Clock

TRADES, INFORMATION, ACCOUNT = "Trades", "Financial Instrument Information", "Account Information"
FLOWS = {
    "Deposits & Withdrawals": "deposit", "Dividends": "dividend", "Payment In Lieu Of Dividends": "dividend",
    "Withholding Tax": "dividend", "871(m) Withholding": "dividend", "Interest": "funding", "Bond Interest Paid": "funding",
    "Bond Interest Received": "funding", "Fees": "fee", "Other Fees": "fee", "Transaction Fees": "fee", "Sales Tax Details": "fee",
    "Commission Adjustments": "fee",
}  # fmt: skip
MOVES = ("Corporate Actions", "Transfers", "Grant Activity", "Incentive Coupon Accrual Details")
CANCELLED = "Ca"  # among the codes of a row
STATEMENT, FIELD = "Statement", "Field Name"
PROCEEDS = ("Proceeds", "Notional Value")  # the second of futures
SUMS = {"SubTotal": "subtotal", "Total": "total"}
REPEATS = {"ClosedLot": "closed lot", "WashSale": "wash sale"}
SIZED = ("Option", "Future", "Warrant", "Bond")
KNOWN = Cells((word, word) for word in (TRADES, INFORMATION, ACCOUNT, *FLOWS, *MOVES, *SUMS, "Header", "Data"))
COMMISSION = re.compile(r"commin([a-z]{3})")
DATES = ("Date/Time", "Date", "Settle Date")


class Line(NamedTuple):
    """A line of a statement: the table, what the line is in it (Data, SubTotal, Total), and its cells by heading."""

    table: str
    kind: str
    row: TableRow


def _recognises(source: Source) -> bool:
    return [normal(cell) for row in source.first_rows[:1] for cell in row[:2]] == ["statement", "header"]


@reader(_recognises)
def ib_activity(files: Files, *, tz: str = "America/New_York", multipliers: Mapping[str, Any] | None = None) -> Reading:
    r"""Read activity statements of Interactive Brokers: trades, deposits, dividends, interest, fees.

    Tables follow one another, and each line begins with the table's name and Header, Data, SubTotal or Total. A row Order
    or Trade is a fill, whose order is derived; an order whose executions stand beneath it is left out, as are closed lots
    and sums. Multipliers come from the table of instruments, else from the proceeds.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Statements in English.
    tz : str
        Zone of the times, a setting of the account that the statement does not name.
    multipliers : mapping of symbol to number, optional
        Contract sizes, where the statement has none.

    Returns
    -------
    Reading
        With the realised profit by currency.

    References
    ----------
    Interactive Brokers, "Reporting Reference", activity statements.

    Examples
    --------
    >>> import io
    >>> text = '''Statement,Header,Field Name,Field Value
    ... Account Information,Header,Field Name,Field Value
    ... Account Information,Data,Account,U1
    ... Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,Proceeds,Comm/Fee,Realized P/L
    ... Trades,Data,Order,Stocks,USD,X,"2024-03-08, 16:58:29","1,443",46.96,-67763.28,-1.79,604.68
    ... '''
    >>> ib_activity(io.StringIO(text)).standing()[["account", "side", "qty", "fee"]].values.tolist()
    [['U1', 'B', Decimal('1443'), Decimal('1.79')]]
    """
    given = sources(files)
    draft = Draft("ib_activity", given, multipliers=multipliers)
    clock = Clock(tz)
    before: Counter[Any] = Counter()
    for source in given:
        lines = list(_lines(draft, source))
        _Statement(draft, clock, lines, before).read()
    draft.assume(
        f"times are local to {tz}: the statement does not say so (a setting of the account); a date alone is its midnight",
        "a row of the trades is a fill, and its order is derived",
    )
    return draft.finish()


def _lines(draft: Draft, source: Source) -> Iterator[Line]:
    """The lines of the tables that are read, with the heading that holds for them; the other tables are named."""
    others: dict[str, None] = {}
    foreign = ""
    headings: dict[str, list[str]] = {}
    for at, cells in source.rows():
        table, kind = (KNOWN.get(cell, cell.strip(AROUND)) for cell in (*cells[:2], "")[:2])
        if kind == "Header":
            headings[table] = cells[2:]
            if table == STATEMENT and FIELD not in headings[table]:
                foreign = at
        elif not headings:
            source.refuse(at, "is no line of an activity statement: table, Header or Data, then its cells")
        elif table in (TRADES, INFORMATION, ACCOUNT, *FLOWS, *MOVES):
            if table not in headings:
                source.refuse(at, f"is a row of {table!r}, which has no heading")
            yield Line(table, kind, TableRow(source, at, named_cells(source, at, headings[table], cells[2:])))
        else:
            others[table] = None
    if foreign and not headings.keys() & {TRADES, INFORMATION, ACCOUNT, *FLOWS, *MOVES}:
        source.refuse(foreign, f"has no {FIELD!r}: the statement is in another language; take it in English")
    if others:
        draft.assume(f"{source.name}: tables without trades and flows of money are not read: {', '.join(others)}")


class _Statement:
    """The lines of a statement as events."""

    def __init__(self, draft: Draft, clock: Clock, lines: list[Line], before: Counter[Any]) -> None:
        self.draft, self.clock, self.lines, self.before = draft, clock, lines, before
        self.account = ""
        self.sizes: dict[str, Decimal] = {}
        for line in lines:
            row = line.row
            if line.table == ACCOUNT and row.get("Field Name") == "Account":
                self.account = row.text("Field Value").split(" ")[0]
            elif line.table == INFORMATION and line.kind == "Data" and row.get("Multiplier"):
                for symbol in row.text("Symbol").split(","):
                    self.sizes[symbol.strip()] = row.number("Multiplier", ",")

    def read(self) -> None:
        """Take all lines; a row as often as it was in one of the statements before stands there already."""
        here: Counter[Any] = Counter()
        for number, line in enumerate(self.lines):
            row = line.row
            if line.table in (INFORMATION, ACCOUNT):
                continue
            key = self.account, line.table, line.kind, tuple(row.values.values())
            here[key] += 1
            if here[key] <= self.before[key]:
                self.draft.leave_out(row, "read before: statements overlap")
                continue
            if line.kind in SUMS or (line.table != TRADES and (row.get("Currency") or "Total").startswith("Total")):
                self.draft.leave_out(row, SUMS.get(line.kind, "total"))
            elif line.table in MOVES:
                self.draft.leave_out(row, f"{line.table}: changes positions without a trade")
            elif line.table == TRADES:
                self._trade(row, number)
            else:
                self._cash(line)
        self.before |= here

    def _account(self, row: TableRow) -> str:
        found = row.get("Account") or self.account
        if not found:
            row.refuse("has no account, and the statement has none in its table 'Account Information'")
        return str(found)

    def _ts(self, row: TableRow) -> int:
        name = next((name for name in DATES if row.get(name)), "Date")
        return self.clock.ns(row.text(name), row.refuse)

    def _trade(self, row: TableRow, number: int) -> None:
        form = row.text("DataDiscriminator")
        if form in REPEATS:
            self.draft.leave_out(row, REPEATS[form])
        elif form not in ("Order", "Trade"):
            row.refuse(f"DataDiscriminator={form!r} is not one of Order, Trade, {', '.join(REPEATS)}")
        elif form == "Order" and self._has_executions(row, number):
            self.draft.leave_out(row, "order line: the sum of its executions")
        else:
            self._fill(row)

    def _has_executions(self, row: TableRow, number: int) -> bool:
        """True if the trades right beneath an order add up to it."""
        total, size = Decimal(0), row.number("Quantity", ",")
        for line in self.lines[number + 1 :]:
            if (
                line.table != TRADES
                or line.row.get("DataDiscriminator") != "Trade"
                or line.row.get("Symbol") != row["Symbol"]
            ):
                break
            total += line.row.number("Quantity", ",")
        return total == size

    def _fill(self, row: TableRow) -> None:
        quantity, price = row.number("Quantity", ","), row.number("T. Price", ",")
        if not quantity:
            self.draft.leave_out(row, "trade of quantity 0")
            return
        fee_name = next(
            (name for name in row.values if name in ("comm/fee", "commission") or COMMISSION.fullmatch(name)), ""
        )
        currency = row.text("Currency")
        if not fee_name:
            self.draft.assume("a table of trades has no column of commissions (Comm/Fee); its fees are not known")
        named = COMMISSION.fullmatch(fee_name)
        fee = row.number_or(fee_name, None, ",")
        if row.get("Realized P/L") is not None:
            self.draft.realised(currency, row.number("Realized P/L", ","))
        common: dict[str, Any] = {
            "account": self._account(row), "instrument": self._instrument(row, quantity, price), "qty": abs(quantity),
            "price": price,
        }  # fmt: skip
        if CANCELLED in re.split(r"\W+", row.get("Code") or "") and self._takes_away(row, common, quantity):
            return
        self.draft.event(
            row, "fill", self._ts(row), side="B" if quantity > 0 else "S", fee=None if fee is None else -fee,
            fee_currency=named[1].upper() if named else currency, **common,
        )  # fmt: skip

    def _takes_away(self, row: TableRow, common: Mapping[str, Any], quantity: Decimal) -> bool:
        """Take away the last fill that a cancelled trade reverses; False, and said, if the files do not have it."""
        other = {**common, "kind": "fill", "side": "S" if quantity > 0 else "B"}
        found = next((fill for fill in reversed(self.draft.rows) if other.items() <= fill.items()), None)
        if found is None:
            self.draft.assume("a cancelled trade (Ca) that reverses none of the files is a fill of the other side")
            return False
        self.draft.rows = [fill for fill in self.draft.rows if fill is not found]
        self.draft.leave_out(row, f"cancelled trade: takes that of {found['at'][1]} away")
        return True

    def _instrument(self, row: TableRow, quantity: Decimal, price: Decimal) -> str:
        """Label of an instrument; its multiplier is that of the table, else proceeds over price and quantity."""
        symbol, worth = row.text("Symbol"), price * quantity
        sized = any(word in row.text("Asset Category") for word in SIZED)
        money = next((name for name in PROCEEDS if row.get(name) is not None), PROCEEDS[0])
        size, proceeds = self.sizes.get(symbol), row.number_or(money, Decimal(0), ",")
        if worth and proceeds and (size is None or "Bond" in row["Asset Category"]):
            size = round(abs(proceeds / worth), 6).normalize() if sized else None
        label = self.draft.quoted(symbol, row.text("Currency"))
        if proceeds:
            self.draft.check_multiplier(row, money, label, proceeds, quantity, price, size or Decimal(1))
        self.draft.instrument(label, currency=row.text("Currency"), multiplier=size)
        if size is None and sized:
            self.draft.need_multiplier(label)
        return label

    def _cash(self, line: Line) -> None:
        row = line.row
        self.draft.event(
            row, "cash", self._ts(row), account=self._account(row), amount=row.number("Amount", ","),
            currency=row.text("Currency"), flow=FLOWS[line.table],
        )  # fmt: skip
