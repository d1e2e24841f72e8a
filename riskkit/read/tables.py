"""Tables of no standard: their separator, heading and columns, and the lines before and after them."""

from __future__ import annotations

import csv
import difflib
import functools
import io
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from riskkit._check import InputError
from riskkit.read.local_form import PREFACE, SEPARATORS, TOTALS, is_of_sums
from riskkit.read.numerals import DATE, HOUR
from riskkit.read.source import Source, TableRow, named_cells
from riskkit.read.words import EXECUTED, HEADINGS, columns_of, in_brackets, told_by_words

NEEDED = ("ts", "instrument")
FEWEST = 3  # known headings of a table that is recognised
FOOTER_CELLS = 2  # a line after the table has no more
LETTERS = re.compile(r"\w/\w")
STAMP = re.compile(r"\d{4}-\d\d-\d\d|\d{9,}")


@dataclass(frozen=True)
class Table:
    """A table of a file.

    Parameters
    ----------
    source : Source
        The file.
    separator : str
        Between the cells.
    columns : dict of heading to column
        As in `riskkit.read.words.HEADINGS`.
    rows : list of TableRow
        Values by column.
    preface : list of str
        The lines before the heading.
    after : list of TableRow
        The lines after the table: a total, a footer.
    of_orders : bool
        Whether its rows are orders, where no column says their kind.
    """

    source: Source
    separator: str
    columns: dict[str, str]
    rows: list[TableRow]
    preface: list[str]
    after: list[tuple[TableRow, str]]
    of_orders: bool = False

    def unit(self, name: str) -> str:
        """What stands in brackets behind the heading of a column, as USD in ``Price (USD)``."""
        return next((in_brackets(heading) for heading, column in self.columns.items() if column == name), "")

    def has(self, name: str) -> bool:
        """True if the table has the column."""
        return name in self.columns.values()

    @functools.cached_property
    def side_words(self) -> frozenset[str]:
        """The words in the column of sides, and those of its heading, as of ``C/V``."""
        headings = [heading for heading, column in self.columns.items() if column == "side"]
        letters = [letter for heading in headings if LETTERS.fullmatch(heading) for letter in heading.split("/")]
        return frozenset([*self.texts("side"), *letters])

    def texts(self, *names: str) -> list[str]:
        """The cells of columns that are not empty."""
        return [text for row in self.rows for name in names if (text := row.get(name)) is not None]


def heading_in(
    text: str, columns: Mapping[str, str] | None = None, ignore: Collection[str] = ()
) -> tuple[str, dict[str, str]]:
    r"""Separator and columns of the heading: the line with the most known names. ("", {}) if there is none.

    Examples
    --------
    >>> heading_in("Account: 1;;;\nZeit;Instrument;K/V;Menge\n")
    (';', {'Zeit': 'ts', 'Instrument': 'instrument', 'K/V': 'side', 'Menge': 'qty'})
    """
    best: tuple[str, dict[str, str]] = "", {}
    for separator in SEPARATORS:
        try:
            lines = list(csv.reader(io.StringIO("\n".join(text.splitlines()[:PREFACE])), delimiter=separator))
        except csv.Error:
            continue
        for cells in lines:
            found = _columns(cells, columns or {}, ignore)
            if len(found) > len(best[1]) and all(name in found.values() for name in NEEDED):
                best = separator, found
    return best


def _columns(cells: Iterable[str], given: Mapping[str, str], ignore: Collection[str]) -> dict[str, str]:
    """The columns of a heading: those that are given, then the known ones."""
    heading = [cell.strip() for cell in cells if cell.strip() not in ignore]
    named = {name: given[name] for name in heading if name in given}
    known = columns_of(name for name in heading if name and name not in given)
    return named | {heading: name for heading, name in known.items() if name not in named.values()}


def read_table(source: Source, columns: Mapping[str, str] | None = None, ignore: Collection[str] = ()) -> Table:
    """The table of a file.

    Raises
    ------
    InputError
        If no line is its heading, a heading is not known, or a row has other cells than the heading.
    """
    for given, name in (columns or {}).items():
        if name not in (known := [*HEADINGS, *EXECUTED]):
            raise InputError(f"columns[{given!r}]={name!r} is not a column; columns are {', '.join(known)}")
    separator, found = heading_in(source.text, columns, ignore)
    if not found:
        source.refuse("", "has no heading that is known, with a time and an instrument; give columns={heading: column}")
    lines = list(source.rows(separator))
    start = next(place for place, (_, cells) in enumerate(lines) if _columns(cells, columns or {}, ignore) == found)
    heading_at, heading = lines[start][0], [cell.strip() for cell in lines[start][1]]
    _check_headings(source, heading_at, heading, found, {*ignore, ""})
    body = [(at, cells) for at, cells in lines[start + 1 :] if [cell.strip() for cell in cells] != heading]
    source.no_rows = [
        (at, "the heading again") for at, cells in lines[start + 1 :] if [cell.strip() for cell in cells] == heading
    ]
    at_time = heading.index(next(name for name, column in found.items() if column == "ts"))
    after: list[tuple[TableRow, str]] = []
    while body and _is_after(body[-1][1], at_time):
        line, cells = body.pop()
        first = next(cell.strip() for cell in cells if cell.strip())
        after.insert(
            0, (TableRow(source, line, {}), "total" if first.lower().split()[0].strip(":") in TOTALS else "footer")
        )
    cells_of = {name: [row[place].strip() for _, row in body if place < len(row)] for place, name in enumerate(heading)}
    found |= told_by_words({name: column for name, column in found.items() if name not in (columns or {})}, cells_of)
    names = [found.get(name, f"ignored {number}") for number, name in enumerate(heading)]
    rows = [TableRow(source, at, named_cells(source, at, names, cells)) for at, cells in body]
    return Table(source, separator, found, rows, [separator.join(cells) for _, cells in lines[:start]], after)


def _check_headings(
    source: Source, at: str, heading: list[str], found: Mapping[str, str], ignored: Collection[str]
) -> None:
    """Refuse a heading that is neither known nor to be ignored."""
    for name in heading:
        if name in found or name in ignored:
            continue
        column = next(iter(columns_of([name]).values()), "")
        twin = next((other for other, meant in found.items() if column and meant == column), None)
        if twin is not None:
            source.refuse(at, f"columns {twin!r} and {name!r} both mean {column!r}; leave one out with ignore=")
        close = difflib.get_close_matches(name.lower(), [word for words in HEADINGS.values() for word in words], 1)
        hint = f"did you mean {close[0]!r}? Or " if close else ""
        source.refuse(at, f"column {name!r} is not known; {hint}map it with columns=, or leave it out with ignore=")


def _is_after(cells: list[str], at_time: int) -> bool:
    """True for a line after the table: few words, and none of them a time."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    place = cells[at_time].strip() if at_time < len(cells) else cells[0].strip()
    timed = DATE.search(place) or STAMP.search(place) or HOUR.search(place)
    return (len(filled) <= FOOTER_CELLS or is_of_sums(cells)) and not timed
