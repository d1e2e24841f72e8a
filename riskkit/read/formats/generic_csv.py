"""Tables of orders, fills and prices of no standard."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from riskkit._check import InputError
from riskkit.read.draft import Draft, Event
from riskkit.read.exchange import QUOTES, ScopedIds
from riskkit.read.money import contradicts
from riskkit.read.numerals import NOTHING, Dates, Numerals
from riskkit.read.orders_and_fills import orders_and_fills
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, sources
from riskkit.read.tables import FEWEST, Table, heading_in, read_table
from riskkit.read.times import SECOND, Clock
from riskkit.read.words import CURRENCIES, FLOWS, KINDS, STATES, meaning, refused_side, side_among
from riskkit.replay.ingest.columns import name_columns
from riskkit.replay.ingest.times import UNITS, unit_by_size
from riskkit.replay.schema.durations import SPANS

NUMBERS = ("qty", "price", "fee", "amount", "bid", "ask", "filled", "filled_price")
EPOCH = re.compile(r"\d{1,19}(?:\.\d{1,19})?")
DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")  # no time since the epoch: it would be 1970
ACCOUNT = re.compile(
    r"(?:account|konto|depot|compte|cuenta|conto|conta)(?: ?(?:number|no\.?|nr\.?|nummer))?\s*[:=;,|\t]\s*([^;,|\t]+)",
    re.I,
)
ZONE = re.compile(
    r"[A-Z]{2,5}|[A-Z][a-z]+/[A-Z]\w+|(?:UTC|GMT)?\s*[+-]\s*\d{1,2}(?::?\d\d)?"
)  # in brackets: CET, UTC+8
CODE = re.compile(r"[A-Z][A-Z0-9]{2,4}")
CLOSE = Decimal("0.01")  # of a multiplier that amounts tell to a whole number


def _recognises(source: Source) -> bool:
    """True for a text with a known heading that is no table of events as `EventLog.from_frame` takes it."""
    if b"\0" in source.head and not source.head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return False
    _, found = heading_in(source.first_text)
    if len(found) < FEWEST:
        return False
    first = source.first_text.splitlines()[0].split("\t" if source.name.lower().endswith(".tsv") else ",")
    try:
        return "kind" not in name_columns([cell.strip('"') for cell in first]).values()
    except InputError:
        return set(found.values()) >= {"ts", "instrument", "price"} and not _is_plain(first)


def _is_plain(heading: list[str]) -> bool:
    """True if a heading has the columns of a table of events, beside others."""
    return {"ts", "kind", "instrument"} <= {cell.strip().strip('"') for cell in heading}


@reader(_recognises)
def generic_csv(
    files: Files,
    *,
    columns: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
    account: str = "account",
    tz: str | None = None,
    ambiguous: str = "order",
    unit: str | Mapping[str, str] | None = None,
    time_format: str | None = None,
    day_first: bool | None = None,
    decimal: str | None = None,
    currency: str | None = None,
    multipliers: Mapping[str, Any] | None = None,
) -> Reading:
    r"""Read tables of no standard: an event log, orders, fills and prices in files of their own, a broker's download.

    The heading is the line with the most names that are known in English, German, French, Spanish, Italian or
    Portuguese (`riskkit.read.words`); lines before and after the table are left out. A table without a column of kinds
    holds orders if it has their state, a limit, or the orders of the fills in another file, fills if it has quantities,
    and prices otherwise; a dividend or a deposit among them is cash. What a table leaves open is asked for: the order
    of day and month where no number is above 12, the decimal mark where every number has three digits behind it, an
    hour that the clocks repeat.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Text tables, which belong together.
    columns : mapping of heading to column, optional
        Headings that are not known, or mean something else; columns are the keys of ``riskkit.read.words.HEADINGS``.
    ignore : collection of headings
        Columns to leave out.
    account : str
        Label of the account, where neither a column nor a line before the table names it.
    tz : str, optional
        Time zone of times without one; by default UTC.
    ambiguous : {"order", "first", "second"}
        Which of the two hours that the clocks repeat is meant: that which the order of rows tells, if times go back in it, or
        always one of them.
    unit : {"s", "ms", "us", "ns"} or mapping of file name to unit, optional
        Unit of times that are numbers since the epoch; by default that in which they are dates, file by file.
    time_format : str, optional
        Form of times, as "%d.%m.%Y %H:%M:%S".
    day_first : bool, optional
        Whether 3/9/2024 is 3 September; by default what the dates of the file tell.
    decimal : {".", ","}, optional
        Mark before the decimals; by default what the numbers of the file tell.
    currency : str, optional
        Currency of the instruments, where neither a column, a sign ($) nor a pair (ETH-USD) names it.
    multipliers : mapping of instrument to number, optional
        Money of one unit when the price moves by one; by default what the amounts of a file tell, and otherwise 1.

    Examples
    --------
    >>> import io
    >>> text = "Zeit;Instrument;K/V;Menge;Preis\n27.10.2024 09:13:44,641;FDAX;K;1.000;18.025,50\n"
    >>> reading = generic_csv(io.StringIO(text), tz="Europe/Berlin")
    >>> reading.frame[["side", "qty", "price"]].values[1].tolist(), str(reading.frame["ts"][1])
    (['B', Decimal('1000'), Decimal('18025.50')], '2024-10-27 08:13:44.641000+00:00')
    """
    given = sources(files)
    draft = Draft("generic_csv", given, "", multipliers)
    draft.unnamed = currency or ""
    tables = orders_and_fills([read_table(source, columns, ignore) for source in given])
    ids = ScopedIds((_account(table, row, account), str(row["order_id"])) for table in tables for row in table.rows
                    if row.get("order_id"))  # fmt: skip
    ends: list[tuple[Event, str]] = []
    with_fills = any(table.has("kind") or _is_of_fills(table) for table in tables)
    for table in tables:
        clock = _clock(table, tz, ambiguous)
        form = _Form(table, clock, _unit(unit, table.source.name), time_format, day_first, decimal)
        entries = _stamped(table, form)
        _check_clock(table, clock)
        for row, ts in entries:
            made = _event(draft, table, row, ts, form, (account, currency, ids), ends)
            if made is not None and not with_fills:
                _executed(draft, table, row, form, made)
        for row, reason in table.after:
            draft.leave_out(row, reason)
        _said(draft, table, form, tz, clock)
    _end_orders(draft, ends)
    if any("" == name for name in _currencies(draft)):
        draft.assume("the currency of amounts is not in the files; a log counts them in USD")
    return draft.finish()


def _clock(table: Table, tz: str | None, ambiguous: str) -> Clock:
    """The clock of times without a zone: of the arguments, or of the heading of the times, as ``Time (UTC)``."""
    stated = table.unit("ts") or table.unit("clock")
    if tz is None and stated and stated.upper() not in ("UTC", "GMT", "Z") and ZONE.fullmatch(stated):
        table.source.refuse(
            "", f"the heading of its times has the zone {stated!r}; give tz=, as 'Europe/Berlin' or 'Etc/GMT-8'"
        )
    return Clock(tz or "UTC", ambiguous)


def _money(table: Table, name: str) -> str | None:
    """The currency in brackets behind the heading of a column."""
    found = table.unit(name)
    return found if CODE.fullmatch(found) else CURRENCIES.get(found)


class _Form:
    """How the numbers and times of a table are written."""

    def __init__(
        self,
        table: Table,
        clock: Clock,
        unit: str | None,
        form: str | None,
        day_first: bool | None,
        decimal: str | None,
    ) -> None:
        first = table.rows[0] if table.rows else None
        texts = table.texts(*NUMBERS)
        self.numerals = Numerals(decimal) if decimal else Numerals.told_by(texts, table.separator, first)
        stamps = table.texts("ts")
        self.unit = None
        dated = unit is None and all(DAY.fullmatch(text) for text in stamps)
        if stamps and form is None and not dated and all(EPOCH.fullmatch(text) for text in stamps):
            self.unit = unit or unit_by_size(int(float(stamps[0]))) or (first or table.rows[0]).refuse(
                f"ts={stamps[0]} has no unit that its size tells; say unit='s', 'ms', 'us' or 'ns'"
            )  # fmt: skip
        self.form = form
        self.dates = Dates.told_by([*stamps, *table.preface], clock, day_first, first)
        self.clock = clock

    def ns(self, row: TableRow, plain: bool = False) -> int:
        """The time of a row; with `plain` as if it were UTC."""
        text = " ".join(filter(None, (row.text("ts"), row.get("clock"))))
        if self.unit is not None:
            return int(row.number("ts") * SPANS[self.unit])
        if self.form is None:
            return self.dates.ns(row, text, plain)
        try:
            moment = datetime.datetime.strptime(text, self.form)
        except ValueError:
            row.refuse(f"{text!r} is not a time of the form {self.form!r}")
        offset = moment.utcoffset()
        clock = Clock("UTC") if plain or offset is not None else self.clock
        numbers = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
        return clock.local(numbers, moment.microsecond * 1000, row.refuse) - (
            0 if offset is None else round(offset.total_seconds()) * SECOND
        )

    def number(self, row: TableRow, name: str) -> Decimal | None:
        """A number; None for an empty cell or a dash."""
        text = row.get(name)
        if text is None or text.lower() in NOTHING:
            return None
        found = self.numerals.decimal_of(text)
        return found if found is not None else row.refuse(f"{name}={text!r} is not a number")


def _unit(unit: str | Mapping[str, str] | None, name: str) -> str | None:
    found = unit.get(name) if isinstance(unit, Mapping) else unit
    if found is not None and found not in UNITS:
        raise InputError(f"unit={found!r} is not one of {', '.join(map(repr, UNITS))}")
    return found


def _stamped(table: Table, form: _Form) -> list[tuple[TableRow, int]]:
    """Rows with their times, in the order in which they happened: that of the file, or turned round."""
    if not table.rows:
        return []
    turned = form.ns(table.rows[0], plain=True) > form.ns(table.rows[-1], plain=True)
    rows = table.rows[::-1] if turned else table.rows
    return [(row, form.ns(row)) for row in rows]


def _check_clock(table: Table, clock: Clock) -> None:
    """Refuse times in an hour that comes twice if no row tells which is meant."""
    for moment in clock.undecided.values():
        table.source.refuse(
            "", f"{moment} comes twice in {clock.tz}, and no time goes back; give ambiguous='first' or 'second'"
        )  # fmt: skip


def _account(table: Table, row: TableRow, otherwise: str) -> str:
    """The account of a row, of a line before the table, or of the arguments."""
    stated = next((match[1].strip() for line in table.preface if (match := ACCOUNT.search(line))), None)
    return str(row.get("account") or stated or otherwise)


def _kind(table: Table, row: TableRow) -> str:
    """The kind of event of a row."""
    if table.has("amount") and _flow(row):
        return "cash"
    if table.has("kind"):
        word = row.text("kind")
        return meaning(word, KINDS) or row.refuse(f"kind={word!r} is not known; it is one of {', '.join(KINDS)}")
    if table.has("status") or table.of_orders:
        return "order"
    return "fill" if table.has("qty") else "price"


def _is_of_fills(table: Table) -> bool:
    return table.has("qty") and not table.has("status") and not table.of_orders


def _flow(row: TableRow) -> str:
    """The kind of a flow of cash, by a word for it where kinds or sides stand; empty if it is none."""
    return meaning(str(row.get("kind") or row.get("side") or ""), FLOWS)


def _event(
    draft: Draft, table: Table, row: TableRow, ts: int, form: _Form, labels: tuple[str, str | None, ScopedIds],
    ends: list[tuple[Event, str]],
) -> Event | None:  # fmt: skip
    """The event of a row, if it is an order; the end of one is noted, for its last fill may be in another file."""
    account, currency, ids = labels
    kind = _kind(table, row)
    numbers = {name: form.number(row, name) for name in NUMBERS}
    if kind == "cash":
        amount = numbers["amount"]
        draft.event(
            row, kind, ts, account=_account(table, row, account), flow=_flow(row),
            currency=_sign(row, "amount") or _money(table, "amount") or currency,
            amount=amount if amount is not None else row.refuse("is a flow of cash without an amount"),
        )  # fmt: skip
        return None
    money = _currency(row, row.text("instrument")) or _money(table, "price") or currency
    label = draft.instrument(draft.quoted(row.text("instrument"), money), currency=money)
    if kind == "price":
        draft.event(
            row, kind, ts, instrument=label, bid=numbers["bid"], ask=numbers["ask"],
            price=numbers["price"] if numbers["price"] is not None else row.refuse("has no price"),
        )  # fmt: skip
        return None
    owner = _account(table, row, account)
    order = None if row.get("order_id") is None else ids.of(owner, str(row["order_id"]))
    if order is None and row.get("status"):
        order = f"{row.source.name} {row.at}"
        draft.assume("an order without an id has the name of its line")
    common = {"account": owner, "instrument": label, "order_id": order, "strategy": row.get("strategy")}
    if kind not in ("order", "modify", "fill"):
        draft.event(row, kind, ts, **common)
        return None
    quantity = numbers["qty"]
    side = _side(table, row, quantity, needed=kind != "modify" and table.has("side"))
    size = row.refuse("has no quantity") if quantity is None and kind != "modify" else quantity and abs(quantity)
    price = numbers["price"]
    if kind == "fill":
        price = price if price is not None else row.refuse("is a fill without a price")
        _note_multiplier(draft, row, label, numbers)
        draft.event(
            row, kind, ts, side=side, qty=size, price=price, trade_id=row.get("trade_id"), fee=numbers["fee"],
            fee_currency=row.get("fee_currency") or _money(table, "fee"), **common,
        )  # fmt: skip
        return None
    at_market = kind == "order" and (price is None or (row.get("type") or "").lower().startswith("mark"))
    made = draft.event(
        row, kind, ts, side=side if kind == "order" else None, qty=size, price=None if at_market else price,
        type="market" if at_market else None, **common,
    )  # fmt: skip
    if row.get("status"):
        state = meaning(row.text("status"), STATES) or row.refuse(
            f"status={row['status']!r} is not a state of an order"
        )
        ends.append((made, state))
    return made if kind == "order" else None


def _executed(draft: Draft, table: Table, row: TableRow, form: _Form, order: Event) -> None:
    """What a row of orders says was filled, where no table has the fills."""
    filled = form.number(row, "filled") if table.has("filled") else None
    if not filled:
        return
    price = form.number(row, "filled_price") if table.has("filled_price") else form.number(row, "price")
    common: dict[str, Any] = {
        name: order.get(name) for name in ("account", "instrument", "order_id", "strategy", "side")
    }
    draft.event(
        row, "fill", order["ts"], qty=abs(filled), price=price or row.refuse("is filled and has no price"),
        fee=form.number(row, "fee"), fee_currency=row.get("fee_currency") or _money(table, "fee"), **common,
    )  # fmt: skip
    draft.assume(f"{table.source.name}: an order has one fill, at the time of the order and at its average price")


def _side(table: Table, row: TableRow, quantity: Decimal | None, needed: bool) -> str | None:
    """Side by its word, or by the sign of the quantity where no word for it is needed."""
    word = row.get("side")
    if word is None:
        if needed:
            row.refuse("has no side")
        return None if not quantity else "B" if quantity > 0 else "S"
    side = side_among(word, table.side_words) or row.refuse(f"side={refused_side(word)}")
    if side == "B" and quantity and quantity < 0:
        row.refuse(f"side={word!r} is a buy, and the quantity {quantity} a sale")
    return side


def _currency(row: TableRow, label: str) -> str | None:
    """The currency of an instrument: of a column, of a sign at the price, or of a pair."""
    pair = re.split(r"[-_/]", label)
    return row.get("currency") or _sign(row, "price") or (pair[1] if len(pair) == 2 and pair[1] in QUOTES else None)


def _sign(row: TableRow, name: str) -> str | None:
    """The currency whose sign stands at a number."""
    return next((currency for mark, currency in CURRENCIES.items() if mark in (row.get(name) or "")), None)


def _note_multiplier(draft: Draft, row: TableRow, label: str, numbers: Mapping[str, Decimal | None]) -> None:
    """The multiplier that the money of a fill tells, before or after its fee."""
    amount, quantity, price = numbers["amount"], numbers["qty"], numbers["price"]
    if not amount or not quantity or not price or label in draft.multipliers:
        return
    if not contradicts(amount, quantity, price, fee=numbers["fee"]):
        if abs(amount) > 1:  # else it may be rounded
            draft.instrument(label, multiplier=Decimal(1))
        return
    fee = numbers["fee"] or Decimal(0)
    value = abs(quantity * price)
    ratios = [(abs(amount) + change) / value for change in (fee, -fee, Decimal(0))]
    nearest = min(ratios, key=lambda ratio: abs(ratio - ratio.to_integral_value()))
    whole = nearest.to_integral_value()
    if whole > 1 and abs(nearest - whole) < CLOSE:
        draft.instrument(label, multiplier=whole)
        draft.assume(f"{label} counts {whole}, as the amounts of its fills say")
    else:
        draft.check_money(row, "amount", amount, quantity, price, fee=numbers["fee"])


def _end_orders(draft: Draft, ends: list[tuple[Event, str]]) -> None:
    """Ends of the orders that a column of states says were cancelled or rejected; they have no time."""
    last: dict[Any, int] = {}
    for event in draft.rows:
        if event.get("order_id") is not None:
            last[event["order_id"]] = max(event["ts"], last.get(event["order_id"], event["ts"]))
    filled = {event.get("order_id") for event in draft.rows if event["kind"] == "fill"}
    if unfilled := sum(state == "done" and event.get("order_id") not in filled for event, state in ends):
        draft.assume(
            f"{unfilled:,} order{'s are' if unfilled != 1 else ' is'} filled by the state and without a fill in the files: "
            "positions, profit and fees are not those of the account"
        )
    for event, state in ends:
        if state in ("open", "done") or "order_id" not in event:
            continue
        name, at = event["at"]
        row = TableRow(Source(name, b""), at, {})
        common = {key: event[key] for key in ("account", "instrument", "order_id")}
        if state == "refused":
            draft.event(row, "reject", event["ts"], **common)
        else:
            draft.event(row, "expire", last[event["order_id"]], derived="cancel", **common)
            draft.assume("an order that was cancelled ends at its last fill or its own time")


def _currencies(draft: Draft) -> list[str]:
    return [facts.get("currency") or draft.unnamed for facts in draft._instruments.values()]


def _said(draft: Draft, table: Table, form: _Form, tz: str | None, clock: Clock) -> None:
    """Say what was decided about a table."""
    name = table.source.name
    if table.of_orders:
        draft.assume(f"{name}: its rows are orders")
    draft.assume(f"{name}: " + ", ".join(f"{heading} is {column}" for heading, column in table.columns.items()))
    if form.unit is not None:
        draft.assume(f"{name}: times are {UNITS[form.unit]} since the epoch")
    else:
        draft.assume(f"times without a zone are those of {tz or 'UTC'}")
        if form.dates.day_first is not None:
            draft.assume(f"{name}: dates have the {'day' if form.dates.day_first else 'month'} first")
    if clock.repeated:
        draft.assume("in the hour that comes twice the order of rows tells the first from the second")
    if table.rows and table.has("qty") and not table.has("side") and not table.has("kind"):
        sold = any((form.number(row, "qty") or 0) < 0 for row in table.rows)
        draft.assume(f"{name}: no column says buy or sell; " + (
            "a quantity below zero is a sale" if sold else "no quantity is below zero, so that all are buys"
        ))  # fmt: skip
    if table.has("clock") and any(row.get("clock") is None for row in table.rows):
        draft.assume(f"{name}: a date without an hour is its midnight")
    if any((form.number(row, "fee") or 0) < 0 for row in table.rows if table.has("fee")):
        draft.assume(f"{name}: a fee below zero is a rebate, money received")
    if form.numerals.decimal == ",":
        draft.assume(f"{name}: numbers have a decimal comma")
