"""Result tables: rows of (label, value, unit) as text for a terminal and HTML for a notebook.

Results derive from `Shown` and implement `_title()` and `_rows()`. Output has no address, time or random id, so that a
stored notebook cell can be compared.
"""

from __future__ import annotations

import html
import math
import re
import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, separators of lines, marks that turn the direction of a line, halves of characters."""

WIDTH = 110  # characters of a line of text
NARROWEST = 40  # of what is beside a wide value
SENTENCE = 45  # characters of a value that is more than a name or a number
GRADES = {"good": ("#1a7f37", "#eaf6ec"), "doubtful": ("#b58900", "#fdf6e3"), "bad": ("#c0392b", "#fbeceb")}
"""Colours of the edge and the ground of a verdict."""

WORDED = {
    "benjamini-hochberg": "Benjamini-Hochberg", "benjamini-yekutieli": "Benjamini-Yekutieli", "bonferroni": "Bonferroni",
    "cornish_fisher": "Cornish-Fisher", "ewma": "EWMA", "evt": "EVT", "garch": "GARCH", "harrell_davis": "Harrell-Davis",
    "hazen": "Hazen", "holm": "Holm", "inverted_cdf": "inverted CDF", "ledoit_wolf": "Ledoit-Wolf", "oas": "OAS",
    "pareto": "Pareto", "student_t": "Student t", "weibull": "Weibull",
}  # fmt: skip
COUNTED = frozenset({"periods", "days", "trades", "scenarios", "positions", "portfolios", "events", "orders"})
"""Units that are counts of things."""

Row = tuple[str, Any, str]


class Shown:
    """Base of every result: text and HTML from `_title()` and `_rows()`."""

    def _title(self) -> str:
        return type(self).__name__

    def _rows(self) -> Iterable[Row]:
        return ()

    def __repr__(self) -> str:
        """Return the table as text."""
        return as_text(self._title(), self._rows())

    def _repr_html_(self) -> str:
        return as_html(self._title(), self._rows())


def number(value: Any) -> str:
    """Format a value for a table: six significant digits, commas between thousands; a text without control characters."""
    if value is None:
        return "-"
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str):
        return CONTROLS.sub(" ", value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value == 0 or 1e-4 <= abs(value) < 1e6:
            return f"{value:,.6g}"
        return f"{value:,.2f}" if 1e6 <= abs(value) < 1e15 else f"{value:.5g}"
    return str(value)


def without_controls(text: str) -> str:
    r"""A text of lines in which nothing but their ends moves a cursor, turns a direction, or cannot be written as UTF-8.

    Examples
    --------
    >>> without_controls("a\u202eb\n\x1b[2Jc")
    'a b\n [2Jc'
    """
    return "\n".join(CONTROLS.sub(" ", line) for line in text.split("\n"))


def alike(values: Iterable[Any]) -> list[str]:
    """Format the numbers of a column with equal decimals: six significant digits of the largest.

    Examples
    --------
    >>> alike([27_692.71, 16_658.2, -3.0]), alike([134.4, 95.0]), alike([140.0, -20.0])
    (['27,692.7', '16,658.2', '-3.0'], ['134.4', '95.0'], ['140', '-20'])
    """
    numbers = [float(value) for value in values]
    largest = max(map(abs, numbers), default=0.0)
    if not (largest == 0.0 or 1e-4 <= largest < 1e15):
        return [number(value) for value in numbers]
    decimals = max(0, 5 - math.floor(math.log10(largest))) if largest else 0
    decimals = min(decimals, 2) if largest >= 1e6 else decimals
    texts = [f"{round(value, decimals) + 0.0:,.{decimals}f}" for value in numbers]
    while decimals and all(text.endswith("0") for text in texts):
        texts, decimals = [text[:-1] for text in texts], decimals - 1
    return [text.removesuffix(".") for text in texts]


def brief(value: float) -> str:
    """Format a number in a sentence: four significant digits, without a power of ten where it is an amount.

    Examples
    --------
    >>> brief(44_512.3), brief(-0.00921), brief(2_137_557.0)
    ('44,510', '-0.00921', '2,138,000')
    """
    return f"{float(f'{value:.4g}'):,.10g}"


def worded(name: str) -> str:
    """A value of an argument as it stands in titles and tables: names of people and abbreviations as they are written.

    Examples
    --------
    >>> worded("ledoit_wolf"), worded("filtered_historical"), worded("oas"), worded("student_t")
    ('Ledoit-Wolf', 'filtered historical', 'OAS', 'Student t')
    """
    return WORDED.get(name, name.replace("_", " "))


def percent(fraction: float) -> str:
    """Format a fraction as a percentage: 0.975 as "97.5%"."""
    return f"{100 * fraction:.10g}%"


def amounts(values: Iterable[Any], *, fractions: bool) -> list[str]:
    """Format returns as percentages, and P&L with commas between thousands; with equal decimals.

    Examples
    --------
    >>> amounts([0.0526134, 0.1], fractions=True), amounts([0.000123], fractions=True), amounts([1_480.0], fractions=False)
    (['5.26%', '10.00%'], ['0.0123%'], ['1,480'])
    """
    if not fractions:
        return alike(values)
    percentages = [100.0 * float(value) for value in values]
    largest = max((abs(value) for value in percentages if math.isfinite(value)), default=0.0)
    decimals = min(8, max(2, 2 - math.floor(math.log10(largest)))) if largest else 2
    return [
        f"{round(value, decimals) + 0.0:,.{decimals}f}%" if math.isfinite(value) else number(value)
        for value in percentages
    ]


def short_label(label: Any) -> str:
    """Format the label of a row, a date without the time of midnight."""
    return str(label).removesuffix(" 00:00:00")


def as_text(title: str, rows: Iterable[Row]) -> str:
    """Format rows as two aligned columns under a title; what is beside them is wrapped, and so are sentences."""
    cells = [(number(label), number(value), number(_of(value, unit))) for label, value, unit in rows]
    title = number(title)
    if not cells:
        return title
    left = max(len(label) for label, _, _ in cells)
    right = max((len(value) for _, value, unit in cells if not _is_sentence(value, unit)), default=0)
    lines = []
    for label, value, unit in cells:
        sentence = _is_sentence(value, unit)
        before = f"{label:<{left}}  " if sentence else f"{label:<{left}}  {value:>{right}} "
        room = max(WIDTH - len(before), NARROWEST)
        first, *more = textwrap.wrap(value if sentence else unit, room, break_on_hyphens=False) or [""]
        lines += [f"{before}{first}".rstrip(), *(f"{' ' * len(before)}{line}" for line in more)]
    return "\n".join([title, "-" * max(len(title), max(map(len, lines))), *lines])


def as_html(title: str, rows: Iterable[Row], grades: Mapping[str, str] | None = None) -> str:
    """Format rows as an HTML table; `grades` has the colour of rows by their label, a key of `GRADES`."""
    body = "".join(
        f"<tr{_graded((grades or {}).get(label))}><th style='text-align:left;white-space:pre'>{html.escape(label)}</th>"
        f"{_cells(value, unit)}</tr>"
        for label, value, unit in rows
    )
    caption = f"<caption style='text-align:left'>{html.escape(title)}</caption>"
    return without_controls(f"<table>{caption}<tbody>{body}</tbody></table>")


def _cells(value: Any, unit: str) -> str:
    """HTML of a value and its unit; a sentence takes the place of both."""
    text = html.escape(number(value))
    if _is_sentence(value, unit):
        return f"<td colspan='2' style='text-align:left'>{text}</td>"
    return f"<td style='text-align:right'>{text}</td><td style='text-align:left'>{html.escape(_of(value, unit))}</td>"


def _is_sentence(value: Any, unit: str) -> bool:
    """True for a text that is more than a name or a number."""
    return isinstance(value, str) and not unit and len(value) > SENTENCE


def _of(value: Any, unit: str) -> str:
    """The unit of a value, of one thing in the singular."""
    counted, *more = unit.split(" ", 1)
    return " ".join([counted[:-1], *more]) if counted in COUNTED and value in (1, "1") else unit


def _graded(grade: str | None) -> str:
    if grade is None:
        return ""
    edge, ground = GRADES[grade]
    return f" style='background:{ground};color:#222;box-shadow:inset 4px 0 {edge}'"


def table_text(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> str:
    """Format a table of several columns: the first column and columns without header left-aligned, others right."""
    cells = [list(header), *([number(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(_aligned(header, i, row[i], widths[i]) for i in range(len(header))).rstrip() for row in cells]
    title = number(title)
    rule = "-" * max(len(title), *map(len, lines))
    return "\n".join([title, rule, lines[0], *lines[1:], rule, *map(number, notes)])


def table_html(
    title: str,
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    notes: Sequence[str] = (),
    styles: Mapping[str, str] | None = None,
) -> str:
    """Format the same table as HTML; `styles` is CSS of cells by their text."""

    def row(tag: str, cells: Sequence[Any]) -> str:
        return "<tr>" + "".join(
            f"<{tag} style='text-align:{'left' if _left(header, i) else 'right'};white-space:pre"
            f"{(styles or {}).get(cell, '') if isinstance(cell, str) else ''}'>"
            f"{html.escape(number(cell))}</{tag}>"
            for i, cell in enumerate(cells)
        ) + "</tr>"  # fmt: skip

    head, body = row("th", header), "".join(row("td", cells) for cells in rows)
    below = "".join(f"<div style='font-size:smaller'>{html.escape(note)}</div>" for note in notes)
    caption = f"<caption style='text-align:left'>{html.escape(title)}</caption>"
    return without_controls(f"<table>{caption}<thead>{head}</thead><tbody>{body}</tbody></table>{below}")


def _left(header: Sequence[str], column: int) -> bool:
    return column == 0 or not header[column]


def _aligned(header: Sequence[str], column: int, cell: str, width: int) -> str:
    return cell.ljust(width) if _left(header, column) else cell.rjust(width)


def frame_of(columns: Mapping[str, Sequence[Any]], texts: Collection[str]) -> Any:
    """A DataFrame of columns of one length; those named in `texts` are parts of one array.

    Each array of texts would cost as much as the rest of a small frame.

    Examples
    --------
    >>> print(frame_of({"rule": ["size", "rate"], "limit": [5, 7], "unit": ["count", "count"]}, {"rule", "unit"}))
       rule  limit   unit
    0  size      5  count
    1  rate      7  count
    """
    import pandas as pd

    rows = len(next(iter(columns.values())))
    named = [name for name in columns if name in texts]
    joined = pd.array([cell for name in named for cell in columns[name]], _text())
    parts = {name: joined[at * rows : (at + 1) * rows] for at, name in enumerate(named)}
    numbers = {name: _numbers(values) for name, values in columns.items() if name not in texts}
    frame = pd.DataFrame(dict(enumerate({**columns, **parts, **numbers}.values())), copy=False)
    frame.columns = _headings(tuple(columns))
    return frame


def _numbers(values: Sequence[Any]) -> Any:
    """Plain numbers as an array, which pandas would take long to recognise as such."""
    import numpy as np

    types = {*map(type, values)} if isinstance(values, (list, tuple)) else set()
    return np.array(values) if types and (types <= {int, float} or types == {bool}) else values


@cache
def _headings(names: tuple[str, ...]) -> Any:
    """Names of columns as an index, which pandas would make anew each time."""
    import pandas as pd

    return pd.Index(names)


@cache
def _text() -> Any:
    """The type of texts; by its name, pandas would look for it among all types each time."""
    import pandas as pd

    return pd.Series([""], dtype="str").dtype
