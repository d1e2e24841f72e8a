"""Cells of an Excel workbook (.xlsx): texts, numbers without the noise of floats, and moments."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from decimal import Context, Decimal
from typing import NamedTuple
from xml.etree import ElementTree

from riskkit.read.source import Source
from riskkit.replay.schema.decimals import decimal_of

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REFERENCE = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}  # built-in formats of dates and times
LARGEST = 2**30  # bytes of a workbook when it is unpacked
DIGITS = Context(prec=15)  # that Excel shows of a number


class Moment(NamedTuple):
    """A date, a time or both, as Excel counts: days since the last day of 1899."""

    days: Decimal

    def text(self) -> str:
        """The moment as ISO 8601, to a millisecond; a time alone has no date."""
        milliseconds = int((self.days * 86_400_000).to_integral_value())
        moment = datetime.datetime(1899, 12, 30) + datetime.timedelta(milliseconds=milliseconds)
        time = moment.time().isoformat("auto")
        if self.days < 1:
            return time
        return moment.date().isoformat() + ("" if milliseconds % 86_400_000 == 0 else f" {time}")


Cell = str | Decimal | Moment | None
TORN = (  # an unknown way of packing is a NotImplementedError, encryption a RuntimeError
    zipfile.BadZipFile, zlib.error, ElementTree.ParseError, KeyError, EOFError, IndexError, NotImplementedError, RuntimeError,
)  # fmt: skip
Sheet = list[tuple[str, dict[int, Cell]]]


def is_workbook(source: Source) -> bool:
    """True if the bytes are those of an Excel workbook.

    Examples
    --------
    >>> is_workbook(Source("a.xlsx", b"no"))
    False
    """
    return source.head.startswith(b"PK\x03\x04") and b"xl/workbook.xml" in source.data


def sheets(source: Source) -> dict[str, Sheet]:
    """The rows of each sheet by its name, as ("row 5", cells by column from 0)."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                source.refuse("", f"has more than {LARGEST:,} bytes when it is unpacked")
            return {name: list(rows) for name, rows in _sheets(source, archive)}
    except TORN as problem:
        source.refuse("", f"is not a whole Excel workbook ({problem})")


def _tree(archive: zipfile.ZipFile, name: str) -> ElementTree.Element:
    return ElementTree.fromstring(archive.read(name))


def _sheets(source: Source, archive: zipfile.ZipFile) -> Iterator[tuple[str, Iterator[tuple[str, dict[int, Cell]]]]]:
    book = _tree(archive, "xl/workbook.xml")
    properties = book.find(f"{MAIN}workbookPr")
    since_1904 = properties is not None and properties.get("date1904") in ("1", "true")
    parts = {one.get("Id"): one.get("Target", "") for one in _tree(archive, "xl/_rels/workbook.xml.rels")}
    names = archive.namelist()
    shared = [_text(one) for one in _tree(archive, "xl/sharedStrings.xml")] if "xl/sharedStrings.xml" in names else []
    dated = _date_styles(_tree(archive, "xl/styles.xml")) if "xl/styles.xml" in names else []
    for sheet in book.iter(f"{MAIN}sheet"):
        target = parts[sheet.get(REFERENCE)].lstrip("/").removeprefix("xl/")
        root = _tree(archive, f"xl/{target}")
        yield sheet.get("name", ""), _rows(source, root, shared, dated, 1462 if since_1904 else 0)


def _text(element: ElementTree.Element) -> str:
    """The text of a string, also of one in several styles; not how it is pronounced."""
    runs = element.findall(f"{MAIN}t") + [one for run in element.findall(f"{MAIN}r") for one in run.findall(f"{MAIN}t")]
    return "".join(one.text or "" for one in runs)


def _date_styles(styles: ElementTree.Element) -> list[bool]:
    """Whether each style of cells shows a date or a time."""
    own = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(f"{MAIN}numFmt")}
    cells = styles.find(f"{MAIN}cellXfs")
    numbers = [one.get("numFmtId", "0") for one in (cells if cells is not None else [])]
    plain = {number: re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", code) for number, code in own.items()}
    dates = set(map(str, DATES))
    return [bool(re.search("[dmyhs]", plain[one], re.I)) if one in plain else one in dates for one in numbers]


def _rows(
    source: Source, root: ElementTree.Element, shared: list[str], dated: list[bool], shift: int
) -> Iterator[tuple[str, dict[int, Cell]]]:
    for count, row in enumerate(root.iter(f"{MAIN}row"), 1):
        number = row.get("r", str(count))
        cells: dict[int, Cell] = {}
        for place, cell in enumerate(row):
            reference = cell.get("r")
            column = _column(reference) if reference else place
            cells[column] = _cell(source, f"row {number}", cell, shared, dated, shift)
        yield f"row {number}", cells


def _column(reference: str) -> int:
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number - 1


def _cell(source: Source, at: str, cell: ElementTree.Element, shared: list[str], dated: list[bool], shift: int) -> Cell:
    form, value = cell.get("t", "n"), cell.findtext(f"{MAIN}v")
    if form == "inlineStr":
        inline = cell.find(f"{MAIN}is")
        return _text(inline).strip() if inline is not None else None
    if value is None:
        return None
    style = cell.get("s", "0")
    if not style.isdigit() or (form == "s" and not value.isdigit()):
        source.refuse(at, f"cell {cell.get('r')} has a style or a text that is not a number of one")
    if form == "s":
        return shared[int(value)].strip()
    if form != "n":
        return value.strip()
    number = DIGITS.create_decimal(decimal_of(value, f"{source.name}, {at}"))
    shows_date = int(style) < len(dated) and dated[int(style)]
    return Moment(number + (shift if number >= 1 else 0)) if shows_date else number
