"""Message files of LOBSTER, order book data of NASDAQ for research."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from riskkit._check import InputError
from riskkit.read.draft import Draft
from riskkit.read.local_form import AROUND, normal
from riskkit.read.market_by_order import MarketByOrder
from riskkit.read.reading import Reading
from riskkit.read.registry import reader
from riskkit.read.source import Files, Source, TableRow, named_cells, sources
from riskkit.read.times import SECOND, Clock

COLUMNS = ("time", "type", "order", "size", "price", "direction")
NAME = re.compile(r"(?P<instrument>.+?)_(?P<date>\d{4}-\d\d-\d\d)_\d+_\d+_(?P<what>message|orderbook)_\d+", re.I)
MESSAGE = re.compile(rb"\d+(\.\d{1,9})?,[1-7],-?\d+,\d+,-?\d+,-?1\s*$")
NUMBER = re.compile(r"-?\d+(\.\d+)?")
NUMBERS = re.compile(rb'"?-?\d+(\.\d+)?"?(,"?-?\d+(\.\d+)?"?){5}\s*$')
BOOK = re.compile(rb"-?\d+(,-?\d+){3}((,-?\d+){4})*\s*$")
UNIT = Decimal("0.0001")  # dollars
SIDES = {"1": "B", "-1": "S"}
LEFT_OUT = {
    "5": "execution of a hidden order: no id, a trade of the market only",
    "6": "cross trade (auction): no order of the book",
    "7": "trading halt, price {price}: -1 halted, 0 quotes resume, 1 trading resumes",
}

NAMES = {  # of a heading, which LOBSTER does not write and others add, in any order
    "time": ("time", "timestamp", "seconds", "time (sec)"),
    "type": ("type", "event type", "eventtype", "event"),
    "order": ("order", "order id", "orderid", "id"),
    "size": ("size", "shares", "volume", "quantity"),
    "price": ("price",),
    "direction": ("direction", "trade direction", "side"),
}


def _first(source: Source) -> tuple[list[str], bytes]:
    """The heading of a file, which most have not, and its first row."""
    first, *others = source.head.split(b"\n", 2)
    cells = [cell.strip(AROUND) for cell in first.decode("utf-8-sig", errors="replace").split(source.separator)]
    if len(cells) < 2 or any(NUMBER.fullmatch(cell) for cell in cells):
        return [], first
    return cells, others[0] if others else b""


def _is_book(source: Source) -> bool:
    return bool(BOOK.match(_first(source)[1])) and "message" not in source.name


def _recognises(source: Source) -> bool:
    heading, first = _first(source)
    if heading and _columns(heading):
        return bool(NUMBERS.match(first))
    return bool(MESSAGE.match(first)) or (_is_book(source) and bool(NAME.match(source.name)))


def _columns(heading: Sequence[str]) -> list[str]:
    """The columns of a heading by our names; none if they are not those of messages."""
    names = [next((one for one, words in NAMES.items() if normal(cell) in map(normal, words)), "") for cell in heading]
    return names if sorted(names) == sorted(COLUMNS) else []


@reader(_recognises)
def lobster(
    files: Files,
    *,
    instrument: str | None = None,
    date: str | None = None,
    account: str = "market",
    tz: str = "America/New_York",
) -> Reading:
    r"""Read LOBSTER message files: every order of a book, its executions, reductions and deletion.

    Six columns, without a heading or with one in any order: seconds after midnight, type (1 new, 2 partial deletion, 3
    deletion, 4 execution, 5 of a hidden order, 6 cross, 7 halt), order id, size, price times 10,000, direction of the
    resting order. Fills have the side of the resting order. An order from before the file is derived. A file of the
    order book only has its rows counted.

    Parameters
    ----------
    files : path, open file, or sequence of them
        Message files of one or more days, with or without the files of the order book.
    instrument, date : str, optional
        Label and day (``2024-03-08``); by default as the name of the file has them.
    account : str
        Label of the account, one for the whole market.
    tz : str
        Zone of the clock whose midnight counts.

    Returns
    -------
    Reading
        With the fact ``resting_at_end``: orders of the file that still rest, and their sizes by side.

    References
    ----------
    LOBSTER, "Output structure", lobsterdata.com.

    Examples
    --------
    >>> import io
    >>> rows = "34200.000000001,1,11,100,1000500,1\n34200.5,4,11,40,1000500,1\n34201,2,11,10,1000500,1\n"
    >>> reading = lobster(io.StringIO(rows), instrument="X", date="2024-03-08")
    >>> reading.frame[["kind", "qty", "price"]].values[:2].tolist()
    [['order', Decimal('100'), Decimal('100.0500')], ['fill', Decimal('40'), Decimal('100.0500')]]
    >>> reading.facts["resting_at_end"]
    {'orders': 1, 'buy': 50, 'sell': 0}
    """
    given = sources(files)
    books = [source for source in given if _is_book(source)]
    draft = Draft("lobster", given, account)
    market = MarketByOrder(draft)
    clock = Clock(tz)
    rows = 0
    for source in given:
        if source not in books:
            label, midnight = _from_name(source, instrument, date, clock)
            draft.instrument(label, currency="USD")
            for row in _rows(source):
                _message(market, row, label, midnight)
                rows += 1
    counted = sum(sum(1 for _ in source.rows()) - bool(_first(source)[0]) for source in books)
    if books and counted != rows:
        books[0].refuse("", f"has {counted} rows, and the messages are {rows}; each message has a row of the book")
    draft.assume(
        f"the file has no account: {account!r} is the whole market",
        f"seconds count from midnight in {tz}, of the day {'given' if date else 'of the name'}; prices are US dollars",
        "a fill has the side of the resting order",
    )
    draft.facts = {"resting_at_end": market.resting()}
    return draft.finish()


def _rows(source: Source) -> Iterator[TableRow]:
    """The messages of a file."""
    heading, _ = _first(source)
    columns = _columns(heading) if heading else COLUMNS
    if not columns:
        source.refuse(
            "line 1", f"has the heading {', '.join(heading)}; the columns of messages are {', '.join(COLUMNS)}"
        )
    for at, cells in itertools.islice(source.rows(), bool(heading), None):
        yield TableRow(source, at, named_cells(source, at, columns, cells))


def _from_name(source: Source, instrument: str | None, date: str | None, clock: Clock) -> tuple[str, int]:
    """Label, and nanoseconds of midnight."""
    named = NAME.match(source.name)
    for name, value in (("instrument", instrument), ("date", date)):
        if value is None and named is None:
            raise InputError(f"{source.name} does not tell the {name} by its name; give {name}=")
    day = date or (named["date"] if named else "")
    return instrument or (named["instrument"] if named else ""), clock.ns(day, lambda why: source.refuse("date", why))


def _message(market: MarketByOrder, row: TableRow, label: str, midnight: int) -> None:
    form = row["type"]
    if form in LEFT_OUT:
        market.draft.leave_out(row, LEFT_OUT[form].format(price=row["price"]))
        return
    if form not in "1234" or row["direction"] not in SIDES:
        row.refuse(f"type {form!r} and direction {row['direction']!r} are not those of a message")
    ts = midnight + int(row.number("time") * SECOND)
    key = label, midnight, row.text("order")  # ids are those of a day
    size, price, side = row.number("size"), row.number("price") * UNIT, SIDES[row["direction"]]
    if form == "1":
        if key in market.orders:
            row.refuse(f"order {key[-1]} is new, and it rests already")
        market.add(row, ts, key, label, side, size, price)
        return
    order = market.find(row, ts, key, label, side, size, price)
    if form == "4":
        market.fill(row, ts, key, order, size, price)
    elif form == "2":
        market.reduce(row, ts, key, order, size)
    else:
        market.delete(row, ts, key, order)
