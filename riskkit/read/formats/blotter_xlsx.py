"""Trade blotters of banks as Excel workbooks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from riskkit._check import one_of
from riskkit.read import words
from riskkit.read.draft import Draft
from riskkit.read.numerals import Dates
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock
from riskkit.read.workbook import Cell, Moment, Sheet, is_workbook, sheets

HEADINGS: dict[str, str] = {  # of a column in German, French and English, without points and in lower case
    "account": "depot|depotnr|depotnummer|konto|kontonr|kontonummer|compte|dépôt|portefeuille|account|portfolio",
    "order": "auftragsnr|auftragsnummer|auftrag|ordernr|ordernummer|order|n° ordre|no ordre|ordre|order no|order id",
    "trade": "geschäftsnr|geschäftsnummer|abrechnungsnr|n° opération|référence|trade|trade no|trade id|reference",
    "date": "handelstag|handelsdatum|schlusstag|ausführungstag|datum|date|date opération|date de négociation|trade date",
    "time": "uhrzeit|zeit|handelszeit|ausführungszeit|heure|time|trade time",
    "action": "art|geschäftsart|umsatzart|kauf/verkauf|seite|sens|opération|type|side|transaction|buy/sell",
    "isin": "isin|code isin",
    "name": "bezeichnung|wertpapier|wertpapierbezeichnung|libellé|titre|désignation|security|name|instrument|symbol",
    "quantity": "stück/nominale|stück|nominale|nominal|menge|anzahl|quantité|quantité/nominal|quantity|qty|nominal/quantity",
    "price": "kurs|preis|ausführungskurs|cours|prix|price",
    "currency": "whg|währung|devise|dev|currency|ccy",
    "amount": "kurswert|betrag|umsatz|montant|montant brut|amount|gross amount|consideration",
    "fee": "provision|fremde spesen|spesen|gebühr|gebühren|entgelt|courtage|börsengebühr|commission|frais|frais de bourse|"
    "fee|fees|charges|brokerage",
    "status": "status|statut|état|state|bemerkung",
}
MEANT = {"ts": "date", "clock": "time", "side": "action", "kind": "action", "qty": "quantity", "price": "price", "fee": "fee",
         "amount": "amount", "account": "account", "order_id": "order", "trade_id": "trade", "instrument": "name",
         "currency": "currency", "status": "status"}  # fmt: skip  # columns of tables of no standard
NEEDED = ("date", "quantity", "price")
FLOWS = {"dividend": "dividend", "ausschüttung": "dividend", "kupon": "dividend", "coupon": "dividend", "zins": "funding",
         "intérêt": "funding", "interest": "funding", "gebühr": "fee", "frais": "fee", "fee": "fee", "einzahlung": "deposit",
         "auszahlung": "deposit", "dépôt": "deposit", "retrait": "deposit", "deposit": "deposit", "withdrawal": "deposit"}  # fmt: skip
REVERSES = r"(?:storno|annulation|cancel\w*|reversal)\b"
REVERSAL = re.compile(rf"{REVERSES}.*?\b([\w-]*\d[\w-]*)", re.I)
NOT_DONE = re.compile(
    r"storniert|gestrichen|offen|abgelehnt|annulé|refusé|en attente|cancelled|canceled|rejected|open|pending", re.I
)
SUM = re.compile(r"summe|total|gesamt|sum\b", re.I)
IN_NUMBERS = re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})")
SLASHED = re.compile(r"\d{1,2}/\d{1,2}/\d{4}")
CLOSE = Decimal("0.05")  # of an amount to the quantity times the price, for fees in it
SERIALS = (20_000, 80_000)  # days of 1954 and 2119


def _recognises(source: Source) -> bool:
    return is_workbook(source)


@reader(_recognises)
def blotter_xlsx(
    files: Files,
    *,
    tz: str = "Europe/Berlin",
    decimal: str = ",",
    day_first: bool | None = None,
    columns: Mapping[str, str] | None = None,
    account: str = "blotter",
    currency: str = "EUR",
) -> Reading:
    """Read trade blotters of banks from Excel workbooks: a heading somewhere, a trade a row, sums and notes below.

    The heading is the first row with a day, a quantity, a price and what was traded, in one of the languages of
    `riskkit.read.words`. Without a kind of business a quantity below zero is a sale. A row that reverses another
    (``Storno zu 100002``) takes it out. A row of another kind, as a dividend, is cash. The price of a name with ``%`` is per
    cent, as is one whose amount says so.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Workbooks (.xlsx).
    tz : str
        Zone of the times.
    decimal : {",", "."}
        Decimal mark of numbers that are texts; the other mark, blanks and apostrophes stand between thousands.
    day_first : bool, optional
        Whether the day stands before the month in dates that are texts. By default it does; dates with slashes beside
        decimal points have to tell, by one with a number above 12.
    columns : mapping of heading to name, optional
        Other headings, as ``{"Portf.": "account"}``; names are those of `HEADINGS`.
    account, currency : str
        Of rows without one.

    References
    ----------
    ECMA-376, Office Open XML, part 1, chapter 18 (SpreadsheetML); the layout has no standard.

    Examples
    --------
    >>> import io
    >>> blotter_xlsx(io.BytesIO(b"no workbook"))
    Traceback (most recent call last):
        ...
    riskkit._check.InputError: file: is not an Excel workbook (.xlsx)
    """
    one_of(decimal, (",", "."), "decimal")
    for heading, name in (columns or {}).items():
        one_of(name, tuple(HEADINGS), f"columns[{heading!r}]")
    given = sources(files)
    draft = Draft("blotter_xlsx", given)
    blotter = _Blotter(draft, Dates(Clock(tz), day_first), decimal, dict(columns or {}), account, currency)
    for source in given:
        if not is_workbook(source):
            source.refuse("", "is not an Excel workbook (.xlsx)")
        blotter.read(source)
    first = "month" if blotter.dates.day_first is False else "day"
    draft.assume(
        f"times are local to {tz}",
        f"numbers that are texts have {decimal!r} as decimal mark, and dates are {first} first",
    )
    return draft.finish()


def _plain(cell: Cell) -> str:
    return " ".join(cell.lower().replace(".", " ").split()) if isinstance(cell, str) else ""


NAMES = {
    _plain(word): MEANT[name] for name in reversed(words.HEADINGS) if name in MEANT for word in words.HEADINGS[name]
} | {heading: name for name, headings in HEADINGS.items() for heading in headings.split("|")}


class _Blotter:
    """The rows of workbooks as events."""

    def __init__(
        self, draft: Draft, dates: Dates, decimal: str, columns: dict[str, str], account: str, currency: str
    ) -> None:
        self.draft, self.dates, self.account, self.currency = draft, dates, account, currency
        thousands = "." if decimal == "," else ","
        self.number = re.compile(rf"([+-]?)([1-9]\d{{0,2}}(?:[{thousands}]\d{{3}})+|\d+)(?:[{decimal}](\d+))?")
        self.decimal, self.thousands = decimal, thousands
        self.names = NAMES | {_plain(heading): name for heading, name in columns.items()}

    def read(self, source: Source) -> None:
        """Take all sheets with a heading."""
        book = sheets(source)
        found = {name: start for name, rows in book.items() if (start := self._heading(rows)) is not None}
        if not found:
            source.refuse("", f"has no heading with {', '.join(NEEDED)} and an ISIN or a name; give columns=")
        for name, start in found.items():
            rows = self._table(source, book[name], start, f"sheet {name}, " if len(found) > 1 else "")
            self._read(rows)

    def _heading(self, rows: Sheet) -> int | None:
        for number, (_, cells) in enumerate(rows):
            known = {self.names.get(_plain(cell)) for cell in cells.values()}
            if known >= set(NEEDED) and known & {"isin", "name"}:
                return number
        return None

    def _table(self, source: Source, rows: Sheet, start: int, sheet: str) -> list[TableRow]:
        """The rows beneath a heading by the names of columns; the fees of several columns are a list."""
        heading = {column: self.names.get(_plain(cell)) for column, cell in rows[start][1].items()}
        unread = [str(cell) for column, cell in rows[start][1].items() if cell and heading[column] is None]
        if unread:
            self.draft.assume(f"columns that are not read: {', '.join(unread)}")
        table = []
        for at, cells in rows[start + 1 :]:
            values: dict[str, Any] = {"fees": []}
            for column, cell in cells.items():
                name = heading.get(column)
                if name == "fee":
                    values["fees"].append(cell)
                elif name and cell not in (None, "") and name not in values:
                    values[name] = cell
                elif cell not in (None, ""):
                    values.setdefault("other", cell)
            if len(values) > 1:
                table.append(TableRow(source, sheet + at, values))
        return table if "action" in heading.values() else self._by_sign(table)

    def _by_sign(self, table: list[TableRow]) -> list[TableRow]:
        """The rows with a kind of business, which no column has: a quantity below zero is a sale."""
        told, sold = [], False
        for row in table:
            if row.values.keys() >= set(NEEDED):
                size = self._number(row, "quantity", row["quantity"])
                sold = sold or size < 0
                values = {**row.values, "action": "sell" if size < 0 else "buy", "quantity": abs(size)}
                row = TableRow(row.source, row.at, values)
            told.append(row)
        why = "a quantity below zero is a sale" if sold else "no quantity is below zero, so that all are buys"
        self.draft.assume(f"no column says buy or sell; {why}")
        return told

    def _read(self, rows: list[TableRow]) -> None:
        slashed = [text for row in rows if isinstance(text := row.get("date"), str) and SLASHED.match(text)]
        if self.dates.day_first is None and slashed and self.decimal == ".":
            self.dates = Dates.told_by(slashed, self.dates.clock, None, rows[0])
            if self.dates.day_first is None:
                rows[0].refuse(f"{slashed[0]!r} may have the day or the month first; give day_first=True or False")
        reversed_trades = {self._reversed(row): row for row in rows if self._reversed(row) is not None}
        known = {(self._account(row), self._label(row.get("trade"))) for row in rows}
        actions = {_plain(row.get("action")) for row in rows}
        for row in rows:
            action = _plain(row.get("action"))
            side = words.side_among(action, actions)
            text = " ".join(str(cell) for cell in row.values.values() if isinstance(cell, str))
            summed = "action" not in row.values and SUM.search(text)  # also where days stand
            if summed or (not {"action", "quantity"} <= row.values.keys() and "date" not in row.values):
                self.draft.leave_out(row, "sum of the amounts" if SUM.search(text) else "footer")
            elif self._reversed(row) is not None:
                where = "its number stands in the status" if self._reversed(row) in known else "it is not in the files"
                if (self._account(row), self._label(row.get("trade"))) in reversed_trades:
                    row.refuse("reverses a trade, and another row reverses it")
                self.draft.leave_out(row, f"takes an earlier row away ({where})")
            elif NOT_DONE.search(str(row.get("status") or "")):
                self.draft.leave_out(row, f"not executed: {row['status']}")
            elif re.search(REVERSES, f"{row.get('status')} {row.get('action')}", re.I):
                row.refuse("reverses a trade and does not name it")
            elif side and (self._account(row), self._label(row.get("trade"))) in reversed_trades:
                continue  # taken out with the row that reverses it, which is named
            elif side:
                self._fill(row, side)
            else:
                self._cash(row, action)

    def _reversed(self, row: TableRow) -> tuple[str, str] | None:
        """Account and number of the trade that a row reverses."""
        for name in ("status", "action"):
            text = row.get(name)
            found = REVERSAL.search(text) if isinstance(text, str) else None
            if found:
                return self._account(row), found[1]
        return None

    def _label(self, cell: Cell) -> str:
        return f"{cell:f}" if isinstance(cell, Decimal) else str(cell or "")

    def _account(self, row: TableRow) -> str:
        if row.get("account") is None:
            self.draft.assume(f"a row without an account is of {self.account!r}")
        return self._label(row.get("account")) or self.account

    def _number(self, row: TableRow, name: str, cell: Cell) -> Decimal:
        """A number, or a text in the local form."""
        if isinstance(cell, Decimal):
            return cell
        text = re.sub(r"[\s\u00a0\u2009\u202f'’%]", "", cell) if isinstance(cell, str) else ""
        text = f"-{text.strip('()-')}" if text[:1] == "(" or text[-1:] == "-" else text
        found = self.number.fullmatch(text)
        if found is None:
            other = "." if self.decimal == "," else ","
            row.refuse(
                f"{name}={cell!r} is not a number with the decimal mark {self.decimal!r}; decimal={other!r} is another"
            )
        whole = found[2].replace(self.thousands, "")
        return TableRow(row.source, row.at, {name: f"{found[1]}{whole}.{found[3] or 0}"}).number(name)

    def _ts(self, row: TableRow) -> int:
        date, time = self._moment(row.get("date")), self._moment(row.get("time"))
        return self.dates.clock.ns(f"{date} {time}".strip(), row.refuse)

    def _moment(self, cell: Cell) -> str:
        if isinstance(cell, Decimal) and (SERIALS[0] < cell < SERIALS[1] or 0 <= cell < 1):
            cell = Moment(cell)
        if isinstance(cell, Moment):
            return cell.text()
        text = cell if isinstance(cell, str) else ""
        found = IN_NUMBERS.match(text)
        if not found:
            return text
        month, day = (found[1], found[2]) if self.dates.day_first is False else (found[2], found[1])
        return f"{found[3]}-{month:>02}-{day:>02}{text[found.end() :]}"

    def _instrument(self, row: TableRow, quantity: Decimal, price: Decimal) -> str:
        label = self._label(row.get("isin")) or self._label(row.get("name"))
        if not label:
            row.refuse("has neither an ISIN nor a name")
        per_cent = "%" in str(row.get("name") or "") or "%" in str(row.get("price"))
        amount = row.get("amount")
        size: Decimal | None = None
        if not per_cent and amount is not None and quantity * price:
            ratio = abs(self._number(row, "amount", amount) / (quantity * price))
            per_cent = abs(ratio * 100 - 1) < CLOSE
            whole = ratio.to_integral_value()
            size = whole if whole > 1 and abs(ratio - whole) < CLOSE else None
            if size:
                self.draft.assume(f"{label} counts {size:f}, as its amounts say")
            elif not per_cent and abs(ratio - 1) > CLOSE:
                self.draft.assume(
                    f"amounts of {label} are not its quantity times its price: of another currency or size"
                )
        if per_cent:
            self.draft.assume("a price is per cent of the nominal where the name has '%' or the amount says so")
        return self.draft.instrument(
            self.draft.quoted(label, self._currency(row)),
            currency=self._currency(row),
            multiplier=Decimal("0.01") if per_cent else size,
        )

    def _currency(self, row: TableRow) -> str:
        if row.get("currency") is None:
            self.draft.assume(f"a row without a currency is in {self.currency}")
        return str(row.get("currency") or self.currency)

    def _fill(self, row: TableRow, side: str) -> None:
        quantity = self._number(row, "quantity", row.get("quantity"))
        if quantity <= 0:
            row.refuse(
                f"quantity={row.get('quantity')!r} is not above zero, and the row names no trade that it reverses"
            )
        price = self._number(row, "price", row.get("price"))
        account, order = self._account(row), self._label(row.get("order"))
        fees = [self._number(row, "fee", cell) for cell in row["fees"] if cell not in (None, "")]
        self.draft.event(
            row, "fill", self._ts(row), account=account, instrument=self._instrument(row, quantity, price), side=side,
            qty=quantity, price=price, order_id=f"{account} {order}" if order else None,
            trade_id=self._label(row.get("trade")) or None, fee=sum(fees, Decimal(0)) if fees else None,
        )  # fmt: skip

    def _cash(self, row: TableRow, action: str) -> None:
        """Take money that moves without a trade."""
        flow = next((flow for word, flow in FLOWS.items() if word in action), None)
        if flow is None and row.get("quantity") is not None and row.get("price") is not None:
            row.refuse(words.refused_side(str(row.get("action"))))
        if flow is None or row.get("amount") is None:
            self.draft.leave_out(row, f"{row.get('action')!r} is neither a trade nor money with an amount")
            return
        amount = self._number(row, "amount", row["amount"])
        self.draft.event(
            row,
            "cash",
            self._ts(row),
            account=self._account(row),
            amount=amount,
            currency=self._currency(row),
            flow=flow,
        )
        self.draft.assume("a date alone is its midnight")
