"""Flex queries of Interactive Brokers as XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from riskkit.read.draft import Draft
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.times import Clock

SECTIONS = {"Trades": "trade", "TradeConfirms": "trade", "CashTransactions": "cash"}
LEVELS = {  # of detail, beside executions
    "ORDER": "order line: the sum of its executions (taken as the order, not as a fill)",
    "CLOSED_LOT": "closed lot: the same trade by lots",
    "WASH_SALE": "wash sale: the same trade for the tax",
    "SYMBOL_SUMMARY": "sum of a symbol",
    "ASSET_SUMMARY": "sum of a class of assets",
    "SUMMARY": "sum",
}
OF_ELEMENT = {"Order": "ORDER", "Lot": "CLOSED_LOT", "WashSale": "WASH_SALE", "SymbolSummary": "SYMBOL_SUMMARY",
              "AssetSummary": "ASSET_SUMMARY"}  # fmt: skip
ALIASES = {"tradePrice": "price", "ibCommission": "commission", "ibCommissionCurrency": "commissionCurrency",
           "ibOrderID": "orderID", "ibExecID": "execID"}  # fmt: skip  # in trade confirmations
FLOWS = {
    "dividend": "dividend",
    "lieu": "dividend",
    "withholding": "dividend",
    "interest": "funding",
    "fee": "fee",
    "commission": "fee",
}
PER_CENT = ("BOND", "BILL", "FIXED")
SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(.*)")
ZONE = re.compile(r"\s*\b([A-Z]{3,4})$")
ZONES = {
    "EST": "-05:00", "EDT": "-04:00", "GMT": "+00:00", "UTC": "+00:00", "BST": "+01:00", "CET": "+01:00", "CEST": "+02:00",
    "HKT": "+08:00", "SGT": "+08:00", "JST": "+09:00", "AEST": "+10:00", "AEDT": "+11:00",
}  # fmt: skip
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
NAMED = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2})(.*)")


def _recognises(source: Source) -> bool:
    return "<FlexQueryResponse" in source.first_text


@reader(_recognises)
def ib_flex(
    files: Files,
    *,
    tz: str = "America/New_York",
    day_first: bool | None = None,
    multipliers: Mapping[str, Any] | None = None,
) -> Reading:
    r"""Read Flex queries of Interactive Brokers: trades, trade confirmations and cash transactions.

    A trade may stand there three times: as order, as executions, and as closed lots. The executions are its fills, an
    order line is its order, and an execution that was cancelled later is taken out with what cancels it. An expired,
    exercised or assigned option is a fill without an order.

    Parameters
    ----------
    files : path, open file, or sequence of them
        XML of activity or trade confirmation queries; what overlaps is read once.
    tz : str
        Zone of times without one: a setting of the account, which a query has only if its time format says so.
    day_first : bool, optional
        Whether 03/08/2024 is the third of August; needed for dates in this form.
    multipliers : mapping of symbol to number, optional
        Contract sizes, where the query has no ``multiplier``.

    Returns
    -------
    Reading
        With the realised profit (fifoPnlRealized) by currency.

    References
    ----------
    Interactive Brokers, "Activity Flex Query Reference".

    Examples
    --------
    >>> import io
    >>> trade = ('<Trade accountId="U1" currency="USD" assetCategory="STK" symbol="X" multiplier="1" dateTime="20240308;122215" '
    ...          'quantity="-80" tradePrice="46.96" ibCommission="-1.72" ibCommissionCurrency="USD" buySell="SELL" '
    ...          'ibOrderID="7" ibExecID="e1" levelOfDetail="EXECUTION" />')
    >>> statement = f"<FlexStatement><Trades>{trade}</Trades></FlexStatement>"
    >>> reading = ib_flex(io.StringIO(f"<FlexQueryResponse>{statement}</FlexQueryResponse>"))
    >>> reading.events, reading.derived, reading.fees
    ({'fill': 1}, {'order': 1}, {'USD': Decimal('1.72')})
    """
    given = sources(files)
    draft = Draft("ib_flex", given, multipliers=multipliers)
    statement = _Statement(draft, Clock(tz), day_first)
    rows = [found for source in given for found in _rows(source)]
    statement.cancelled = {key for kind, row in rows if kind == "trade" and _cancels(row) for key in _cancelled(row)}
    executed = [row for kind, row in rows if kind == "trade" and row.get("levelOfDetail") in (None, "EXECUTION")]
    statement.executed = {key for row in executed if not _cancels(row) for key in _named(row)}
    statement.executed |= {(row.get("accountId"), row.get("ibOrderID")) for row in executed}
    for kind, row in rows:
        statement.trade(row) if kind == "trade" else statement.cash(row)
    unread = [section for source in given for section in _unread(source)]
    if unread:
        draft.assume(f"sections that are not read: {', '.join(dict.fromkeys(unread))}")
    if statement.local:
        draft.assume(f"times are local to {tz}: the file does not say so (a setting of the account)")
    return draft.finish()


def _rows(source: Source) -> Iterator[tuple[str, TableRow]]:
    """Trades and cash transactions, each with its number among the rows of all sections."""
    try:
        root = ElementTree.fromstring(source.data)
    except ElementTree.ParseError as problem:
        source.refuse("", f"is not a whole XML file ({problem})")
    statements = list(root.iter("FlexStatement"))
    if not statements:
        source.refuse("", "has no FlexStatement")
    number = 0
    for statement in statements:
        for section in statement:
            for element in section:
                number += 1
                kind = SECTIONS.get(section.tag)
                if kind:
                    values = {
                        "accountId": statement.get("accountId"),
                        "levelOfDetail": OF_ELEMENT.get(element.tag),
                        **element.attrib,
                    }
                    if not values.get("dateTime") and values.get("tradeDate"):
                        values["dateTime"] = f"{values['tradeDate']};{values.get('tradeTime') or ''}".rstrip(";")
                    values |= {
                        name: values[other] for name, other in ALIASES.items() if other in values and name not in values
                    }
                    yield kind, TableRow(source, f"{element.tag} {number}", values)


def _unread(source: Source) -> Iterator[str]:
    """Names of the sections that have rows and are not read, as those of splits and transfers."""
    for statement in ElementTree.fromstring(source.data).iter("FlexStatement"):
        yield from (section.tag for section in statement if len(section) and section.tag not in SECTIONS)


def _named(row: TableRow, before: str = "") -> Iterator[tuple[str, str]]:
    """The ids by which a cancel may name an execution."""
    for name in ("tradeID", "transactionID"):
        if value := row.get(before + (name[0].upper() + name[1:] if before else name)):
            yield name, value
    if value := row.get("ibExecID"):
        yield "ibExecID", value


def _cancelled(row: TableRow) -> list[tuple[str, str]]:
    """The ids of the execution that a row cancels."""
    return list(_named(row, "orig")) or row.refuse(
        "cancels a trade and does not name it; take a query with ibExecID or origTradeID"
    )


def _cancels(row: TableRow) -> bool:
    return (row.get("transactionType") or "").endswith("Cancel") or "(Ca.)" in (row.get("buySell") or "")


class _Statement:
    """The rows of statements as events."""

    def __init__(self, draft: Draft, clock: Clock, day_first: bool | None) -> None:
        self.draft, self.clock, self.day_first = draft, clock, day_first
        self.local = False  # whether a time has no zone
        self.cancelled: set[Any] = set()
        self.executed: set[Any] = set()  # ids of executions and, as (account, order), of their orders
        self.seen: dict[tuple[Any, ...], TableRow] = {}

    def _ts(self, row: TableRow, name: str) -> int:
        text = row.text(name)
        slashed, named = SLASHED.fullmatch(text), NAMED.fullmatch(text)
        if slashed:
            if self.day_first is None:
                row.refuse(f"{name}={text!r} begins with a day or a month; give day_first=True or False")
            day, month = slashed.group(1, 2) if self.day_first else slashed.group(2, 1)
            text = f"{slashed[3]}-{month:>02}-{day:>02}{slashed[4]}"
        elif named and named[2].upper() in MONTHS:
            text = f"20{named[3]}-{MONTHS.index(named[2].upper()) + 1:02}-{named[1]:>02}{named[4]}"
        zone = ZONE.search(text)
        if zone and zone[1] in ZONES:  # the time format "HH:mm:ss TimeZone" of a query
            return self.clock.ns(text[: zone.start()] + ZONES[zone[1]], row.refuse)
        self.local = True
        return self.clock.ns(text, row.refuse)

    def _instrument(self, row: TableRow) -> str:
        symbol, currency = row.text("symbol"), row.text("currency")
        label = self.draft.quoted(symbol, currency)
        self.draft.instrument(label, currency=currency, multiplier=self._size(row, label))
        if row.get("multiplier") is None and row.get("assetCategory") in (
            "OPT",
            "FUT",
            "FOP",
            "WAR",
            "FSFOP",
            "FSOPT",
            "CFD",
        ):
            self.draft.need_multiplier(label)
        return label

    def _size(self, row: TableRow, label: str) -> Decimal | None:
        """The multiplier of a row, with which its money has to agree; the price of a bond is per cent if its money says so."""
        size = row.number_or("multiplier", None)
        name = next((name for name in ("tradeMoney", "proceeds") if row.get(name) is not None), None)
        if name is None or size is None or label in self.draft.multipliers:
            return size
        money, quantity, price = row.number(name), row.number("quantity"), row.number("tradePrice")
        if (row.get("assetCategory") or "") in PER_CENT and abs(quantity * price * size) > 50 * abs(money) > 0:
            size = size / 100
            self.draft.assume(f"the price of {label} is per cent, as its money says")
        self.draft.check_multiplier(row, name, label, money, quantity, price, size)
        return size

    def _again(self, row: TableRow, *names: str) -> bool:
        key = tuple(row.get(name) for name in ("accountId", *names))
        first = self.seen.setdefault(key, row)
        again = first is not row and any(key[1:])
        for name in ("quantity", "tradePrice") if again else ():
            if first.get(name) != row.get(name):
                row.refuse(f"has the ids of {first.at} and another {name}")
        if again:
            self.draft.leave_out(row, "read before: files overlap")
        return again

    def trade(self, row: TableRow) -> None:
        """Take a row of trades."""
        level = row.get("levelOfDetail") or "EXECUTION"
        if level in LEVELS:
            self.draft.leave_out(row, LEVELS[level])
            if level == "ORDER" and not self._again(row, "levelOfDetail", "ibOrderID"):
                self._order(row)
                if (row.get("accountId"), row.get("ibOrderID")) not in self.executed:
                    self._fill(row, derived="fill")
                    self.draft.assume(
                        "an order without executions has one fill, at its average price and its last time"
                    )
            return
        if level != "EXECUTION":
            row.refuse(f"levelOfDetail={level!r} is not one of EXECUTION, {', '.join(LEVELS)}")
        if not row.number("quantity"):
            self.draft.leave_out(row, "execution of quantity 0")
        elif not self._again(row, "tradeID", "ibExecID", "transactionID"):
            self._realised(row)
            if _cancels(row):
                known = "" if self.executed.intersection(_cancelled(row)) else ", which is not in the files"
                by = "the same ibExecID" if row.get("ibExecID") else "the id of its original"
                self.draft.leave_out(row, f"cancelled trade: takes the execution with {by} away{known}")
            elif not self.cancelled.intersection(_named(row)):
                self._fill(row)

    def _common(self, row: TableRow) -> dict[str, Any]:
        quantity, account, order = row.number("quantity"), row.text("accountId"), row.get("ibOrderID")
        word = row.get("buySell") or ""
        if (word.startswith("BUY") and quantity < 0) or (word.startswith("SELL") and quantity > 0):
            row.refuse(f"buySell={word!r} and quantity={row['quantity']!r} are of opposite sides")
        return {
            "account": account, "instrument": self._instrument(row), "side": "B" if quantity > 0 else "S",
            "qty": abs(quantity), "price": row.number("tradePrice"), "order_id": f"{account} {order}" if order else None,
        }  # fmt: skip

    def _order(self, row: TableRow) -> None:
        ts = self._ts(row, "orderTime" if row.get("orderTime") else "dateTime")
        self.draft.event(row, "order", ts, **self._common(row))
        self.draft.assume("the price of an order is the average of its executions: its limit is not in the file")

    def _fill(self, row: TableRow, derived: str = "") -> None:
        fee = -row.number_or("ibCommission", Decimal(0)) if row.get("ibCommission") else None
        currency = row.get("ibCommissionCurrency") or row.text("currency")
        taxes = row.number_or("taxes", Decimal(0))
        if taxes and currency == row["currency"]:
            fee = (fee or Decimal(0)) - taxes
        trade = row.get("tradeID") or row.get("ibExecID")
        ts = self._ts(row, "dateTime")
        self.draft.event(row, "fill", ts, derived, trade_id=trade, fee=fee, fee_currency=currency, **self._common(row))
        if taxes and currency != row["currency"]:
            self.draft.event(
                row, "cash", ts, account=row["accountId"], amount=taxes, currency=row["currency"], flow="fee"
            )  # fmt: skip
        if row.get("transactionType") == "BookTrade":
            self.draft.assume("an expired, exercised or assigned option (BookTrade) is a fill without an order")

    def _realised(self, row: TableRow) -> None:
        if row.get("fifoPnlRealized") is not None:
            self.draft.realised(row.text("currency"), row.number("fifoPnlRealized"))

    def cash(self, row: TableRow) -> None:
        """Take a cash transaction."""
        if row.get("levelOfDetail") in LEVELS:
            self.draft.leave_out(row, LEVELS[row["levelOfDetail"]])
        elif not self._again(row, "type", "transactionID", "dateTime", "amount", "currency", "description"):
            words = row.text("type").lower()
            flow = next((flow for word, flow in FLOWS.items() if word in words), "deposit")
            self.draft.event(
                row, "cash", self._ts(row, "dateTime" if row.get("dateTime") else "reportDate"), account=row.text("accountId"),
                amount=row.number("amount"), currency=row.text("currency"), flow=flow,
            )  # fmt: skip
