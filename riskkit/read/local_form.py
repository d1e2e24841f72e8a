"""Text tables as spreadsheets save them again: the mark between cells, headings in another case, decimal commas."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn, Protocol

MARK = "\ufeff"
MINUS = "\u2212"
SEPARATORS = (",", ";", "\t", "|")
PREFACE = 30  # lines among which the heading is
AROUND = MARK + '" \t\r\n\u00a0'
STATED = re.compile(rf"{MARK}?sep=(.)\s*")  # the first line with which Excel is told the separator
UNIT = r"(?P<unit>\s*[A-Za-z%][A-Za-z0-9]*)?"
BETWEEN = re.compile("[. \u00a0\u202f'\u2019]")  # thousands
WHOLE = rf"(?P<whole>[+-]?\s*(?:\d{{1,3}}(?:{BETWEEN.pattern}\d{{3}})+|\d*))"
COMMAS = re.compile(rf"{WHOLE}(?:,(?P<part>\d+))?(?P<power>[eE][+-]?\d+)?{UNIT}")
TELLS = (
    r"[+-]?(?:(?:0|\d{{4,}}|\d{{1,3}}(?:\{other}\d{{3}})+)?{mark}\d+|\d+{mark}(?:\d{{1,2}}|\d{{4,}}))(?:[eE][+-]?\d+)?"
)
TELLS_COMMA = re.compile(TELLS.format(mark=",", other=".") + UNIT)
TELLS_POINT = re.compile(TELLS.format(mark=r"\.", other=",") + UNIT)
OPEN = re.compile(rf"[+-]?\d{{1,3}},\d{{3}}{UNIT}")
DATED = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})((?:[ ,T]+\d{1,2}:\d\d.*)?)")
SOMEWHERE = re.compile(r"(?<![\d./-])\d{1,2}([./-])\d{1,2}\1\d{4}(?![\d./-])")
TOTALS = (
    "total", "totals", "sum", "summe", "gesamt", "subtotal", "zwischensumme", "grand total", "totaux", "somme", "totale", "totali",
    "somma", "totales", "suma", "totais", "soma",
)  # fmt: skip
NUMBERS = re.compile(r"[+-]?[\d.,' ]*\d(?:[eE][+-]?\d+)?(?:\s*[A-Za-z%]{1,5})?")


class Place(Protocol):
    """A file that is refused for what stands at a place, and that notes its decimal commas and its order of day and month."""

    decimal: str
    first: str

    def refuse(self, at: str, why: str) -> NoReturn:
        """Refuse it."""


@functools.lru_cache(maxsize=10_000)
def normal(name: str) -> str:
    """A heading without what exports of one format differ in: case, accents, blanks, underscores, marks and quotes.

    Examples
    --------
    >>> normal(" Order_No. "), normal('"ORDER NO."'), normal("Währung")
    ('orderno.', 'orderno.', 'wahrung')
    """
    bare = "".join(part for part in unicodedata.normalize("NFKD", name) if not unicodedata.combining(part))
    return "".join(bare.strip(AROUND).replace("_", " ").lower().split())


class Cells(dict[str, Any]):
    """Cells by their heading, in any case and spacing; they are listed by its `normal` form."""

    def __init__(self, cells: Iterable[tuple[str, Any]]) -> None:
        super().__init__((normal(name), cell) for name, cell in cells)

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(normal(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(normal(name))

    def get(self, name: str, default: Any = None) -> Any:
        """The cell of a heading."""
        return super().get(normal(name), default)


def separator_of(text: str) -> str:
    r"""The mark between the cells of a table: as its first line states, or that which stands there most often.

    Examples
    --------
    >>> separator_of('Pair;Executed\nBTCUSDT;"1,012,350.5BTC"\n'), separator_of("sep=;\na,b\n"), separator_of("a")
    (';', ';', ',')
    """
    if stated := STATED.match(text):
        return stated[1]
    outside = re.sub(r'"[^"]*"', "", "\n".join(text.splitlines()[:PREFACE]))
    return max(SEPARATORS, key=outside.count)


def is_statement(cells: list[str]) -> bool:
    """True for the line that states the separator."""
    return cells[0].lstrip(MARK) == "sep="


def with_points(rows: list[tuple[str, list[str]]], place: Place) -> list[tuple[str, list[str]]]:
    """The rows of a table with other marks than commas between its cells; numbers with a decimal comma get a point.

    They have a decimal comma where a number tells so (0,5 or 1.234,5) and none tells of a decimal point (0.5 or 1,234.5). Where none tells
    and one has three digits after a comma, which may be thousands or decimals, the table is refused.
    """
    cells = [(at, cell.strip(AROUND)) for at, row in rows for cell in row if "," in cell or "." in cell]
    comma = next((cell for _, cell in cells if TELLS_COMMA.fullmatch(cell)), None)
    if any(TELLS_POINT.fullmatch(cell) for _, cell in cells):
        return rows
    if comma is None:
        if doubtful := next(((at, cell) for at, cell in cells if OPEN.fullmatch(cell)), None):
            place.refuse(
                doubtful[0],
                f"{doubtful[1]!r} may have thousands or decimals after its comma, and no other number tells; save the file "
                "with decimal points",
            )
        return rows
    place.decimal = ","
    return [(at, [_with_point(cell) for cell in row]) for at, row in rows]


def _with_point(cell: str) -> str:
    found = COMMAS.fullmatch(cell.strip(AROUND)) if "," in cell or "." in cell else None
    if found is None:
        return cell
    parts: Mapping[str, str] = found.groupdict(default="")
    point = f".{parts['part']}" if parts["part"] else ""
    return f"{BETWEEN.sub('', parts['whole'])}{point}{parts['power']}{parts['unit']}"


def day_is_first(dates: Iterable[str]) -> bool | None:
    """Whether the day stands before the month: as a number above 12 tells, and between points; None if nothing or both tell.

    Examples
    --------
    >>> day_is_first(["3/8/2024", "3/14/2024"]), day_is_first(["08.03.2024"]), day_is_first(["3/8/2024"])
    (False, True, None)
    """
    found = [match for date in dates if (match := DATED.fullmatch(date))]
    told = {int(match[1]) > 12 for match in found if max(int(match[1]), int(match[3])) > 12}
    told |= {True for match in found if match[2] == "."}
    return told.pop() if len(told) == 1 else None


def with_year_first(date: str, day_first: bool) -> str:
    """A date as 2024-03-08, with what stands after it; another text as it is.

    Examples
    --------
    >>> with_year_first("3/8/2024 9:30", False), with_year_first("-", True)
    ('2024-03-08 9:30', '-')
    """
    match = DATED.fullmatch(date)
    if match is None:
        return date
    day, month = (match[1], match[3]) if day_first else (match[3], match[1])
    return f"{match[4]}-{month:>02}-{day:>02}{match[5]}"


def with_dates(rows: list[tuple[str, list[str]]], place: Place) -> list[tuple[str, list[str]]]:
    """The rows of a table whose dates a spreadsheet has written in its own form, with dates that begin with the year.

    Where no date tells whether the day or the month stands first, they stay as they are, and the reader refuses them.
    """
    day_first = day_is_first(cell.strip(AROUND) for _, row in rows for cell in row)
    if day_first is None:
        return rows
    place.first = "day" if day_first else "month"
    return [(at, [with_year_first(cell.strip(AROUND), day_first) for cell in row]) for at, row in rows]


def is_of_sums(cells: list[str]) -> bool:
    """True for a row without words and times, as sums stand beneath a table, or one that begins with a word for them.

    Examples
    --------
    >>> is_of_sums(["Total", "", "12.5 USD"]), is_of_sums(["", "", "", "1,200"]), is_of_sums(["T1", "", "", "1,200"])
    (True, True, False)
    """
    first = next((text for cell in cells if (text := cell.strip(AROUND))), "")
    if first.lower().rstrip(":") in TOTALS:
        return True
    if not first or 2 * (len(cells) - cells.count("")) >= len(cells):
        return False
    return all(NUMBERS.fullmatch(text) for cell in cells if (text := cell.strip(AROUND)))
