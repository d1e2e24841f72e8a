"""Files to read: their names and bytes, their text, rows and values, and refusals that name file and row."""

from __future__ import annotations

import codecs
import csv
import functools
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NoReturn

from riskkit._check import InputError, one_line, shown
from riskkit._files import path_of
from riskkit.read.local_form import (
    AROUND,
    MINUS,
    PREFACE,
    SOMEWHERE,
    TELLS_COMMA,
    TELLS_POINT,
    Cells,
    is_of_sums,
    is_statement,
    normal,
    separator_of,
    with_dates,
    with_points,
)
from riskkit.replay.log.packed import is_packed, plain_name, unpacked
from riskkit.replay.schema.decimals import decimal_of

Files = str | Path | IO[Any] | Sequence[str | Path | IO[Any]]
HEAD = 65_536  # bytes by which a format is recognised
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class Source:
    r"""A file: its name, and its bytes, unpacked if they are packed.

    Examples
    --------
    >>> source = Source("fills.csv", b"id,qty\n1,0.10\n")
    >>> [(row.at, row["qty"]) for row in source.table()]
    [('line 2', '0.10')]
    """

    def __init__(self, name: str, content: bytes | Path) -> None:
        self.name = one_line(name)
        self._content = content
        self.decimal = "."
        self.first = ""  # day or month, where dates had to be turned round
        self.no_rows: list[tuple[str, str]] = []  # place and reason: sums, headings again, lines before the heading

    @functools.cached_property
    def data(self) -> bytes:
        """The bytes, read when they are first asked for."""
        data = self._content.read_bytes() if isinstance(self._content, Path) else self._content
        if not data:
            raise InputError(f"{self.name} is empty")
        return unpacked(data, self._content.name if isinstance(self._content, Path) else self.name)

    @functools.cached_property
    def head(self) -> bytes:
        """The first bytes."""
        if isinstance(self._content, bytes) or "data" in vars(self):
            return self.data[:HEAD]
        with self._content.open("rb") as file:
            head = file.read(HEAD)
        return self.data[:HEAD] if is_packed(head) else head

    @property
    def first_text(self) -> str:
        """The first bytes as text, as `text` reads all of them; with something else for what is none."""
        try:
            return codecs.getincrementaldecoder(self._encoding)().decode(self.head)  # a letter may be cut at the end
        except UnicodeDecodeError:
            return self.head.decode("cp1252" if self._encoding == "utf-8" else self._encoding, errors="replace")

    @property
    def _encoding(self) -> str:
        return next((name for mark, name in MARKS.items() if self.head.startswith(mark)), "utf-8")

    @functools.cached_property
    def text(self) -> str:
        """The whole text: UTF-8, UTF-16 with its mark, or the Western code page of Windows."""
        for encoding in dict.fromkeys((self._encoding, "cp1252")):
            try:
                text = self.data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if not text.strip(AROUND):
                raise InputError(f"{self.name} is empty")
            return text
        raise InputError(f"{self.name} is not a text file")

    def refuse(self, at: str, why: str) -> NoReturn:
        """Refuse the file for what stands at a place."""
        raise InputError(one_line(f"{self.name}, {at}: {why}" if at else f"{self.name}: {why}"))

    @functools.cached_property
    def separator(self) -> str:
        """The mark between the cells of a text table."""
        return separator_of(self.first_text)

    def heading(self, line: int = 0) -> list[str]:
        """The names in a row of the head of a file, counted from 0 without titles above it; none if it is no table."""
        rows = self.first_rows
        widths = [sum(map(bool, row)) for row in rows]
        start = next((place for place, width in enumerate(widths) if 2 * width > max(widths)), 0)
        return rows[start + line] if start + line < len(rows) else []

    @functools.cached_property
    def first_rows(self) -> list[list[str]]:
        """The rows of the head of a file; none if it is no table."""
        try:
            rows = [
                row for row in csv.reader(self.first_text.splitlines()[:PREFACE], delimiter=self.separator) if any(row)
            ]
        except csv.Error:
            return []
        rows = rows[1:] if rows and is_statement(rows[0]) else rows
        return [[cell.strip(AROUND) for cell in row] for row in rows]

    def has(self, names: Iterable[str], line: int = 0) -> bool:
        """True if a row of the head of a file has all these names, in any case and spacing."""
        return {normal(name) for name in names} <= {normal(name) for name in self.heading(line)}

    def rows(self, delimiter: str = "") -> Iterator[tuple[str, list[str]]]:
        """The rows of a text table as ("line 2", cells); lines count from 1, empty lines are left out.

        Without a `delimiter` it is the one that the table has, numbers with a decimal comma have a point, and dates begin
        with the year.
        """
        found = self._rows(delimiter or self.separator)
        if not delimiter and self.separator != ",":
            found = iter(with_points(list(found), self))
        if not delimiter and SOMEWHERE.search(self.first_text):
            found = iter(with_dates(list(found), self))
        return found

    def _rows(self, delimiter: str) -> Iterator[tuple[str, list[str]]]:
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells) and not (line == 1 and is_statement(cells)):
                    yield f"line {line}", cells
                line = reader.line_num + 1
        except csv.Error as problem:
            self.refuse(f"line {line}", f"is not a row of a table ({problem})")

    def table(self, needed: Iterable[str] = (), skipped: int = 0) -> Iterator[TableRow]:
        """The rows beneath the heading, which comes after `skipped` rows and has the needed names.

        Titles above the heading, sums and headings that stand again are no rows; they are noted in `no_rows`.

        Raises
        ------
        InputError
            If the heading has other names, or a row other cells than the heading.
        """
        self.no_rows = []
        rows = itertools.islice(self.rows(), skipped, None)
        at, cells = next(rows, ("line 1", []))
        while cells and [cell.strip(AROUND) for cell in cells] != self.heading() and self._is_title(cells):
            self.no_rows.append((at, "stands above the heading"))
            at, cells = next(rows, (at, []))
        first, heading = cells, [cell.strip(AROUND) for cell in cells]
        known = {normal(name) for name in heading}
        for name in needed:
            if normal(name) not in known:
                self.refuse(at, f"has no column {name!r}")
        for at, cells in rows:
            if cells == first or cells == heading:
                self.no_rows.append((at, "the heading again"))
            elif is_of_sums(cells):
                self.no_rows.append((at, "sum of the rows"))
            else:
                yield TableRow(self, at, named_cells(self, at, heading, cells))

    def has_points(self, number: str) -> bool:
        """True if a number has a decimal point by its own form, or by those of the other cells between commas."""
        return TELLS_POINT.fullmatch(number.strip()) is not None or self._has_points

    @functools.cached_property
    def _has_points(self) -> bool:
        if self.separator != "," or not self.first_rows or self.first_text.lstrip(AROUND)[:1] in "<{[":
            return False
        cells = {cell.strip(AROUND) for _, row in self._rows(",") for cell in row if "," in cell or "." in cell}
        return any(map(TELLS_POINT.fullmatch, cells)) and not any(map(TELLS_COMMA.fullmatch, cells))

    def _is_title(self, cells: list[str]) -> bool:
        """True for a row above the heading."""
        return 2 * sum(bool(cell.strip(AROUND)) for cell in cells) <= len(self.heading())

    def json(self) -> Any:
        """The content of a JSON file, the list of its records if each has a line; numbers with a point are Decimals."""
        text = self.text
        try:
            return _json_of(text)
        except (ValueError, RecursionError) as problem:
            lines = [line for line in text.splitlines() if line.strip()]
            if len(lines) > 1 and all(line.lstrip().startswith("{") for line in lines):
                return [self._json_line(number, line) for number, line in enumerate(lines, 1)]
            self.refuse("", f"is not a whole JSON file ({' '.join(str(problem).split())})")

    def _json_line(self, number: int, line: str) -> Any:
        try:
            return _json_of(line)
        except (ValueError, RecursionError) as problem:
            self.refuse(f"record {number}", f"is not a whole JSON record ({' '.join(str(problem).split())})")

    def record(self, at: str, values: Any, *nested: str) -> TableRow:
        """A record of a JSON file with its plain values; those of `nested` are records themselves, one or a list of them."""
        if not isinstance(values, dict):
            self.refuse(at, "is not a record, names with their values")
        for name in nested:
            inner = values.get(name) or []
            if not all(isinstance(one, dict | None) for one in (inner if isinstance(inner, list) else [inner])):
                self.refuse(at, f"{name}={shown(inner)} is neither a record nor a list of records")
        return TableRow(
            self, at, {k: value for k, value in values.items() if k in nested or not isinstance(value, list | dict)}
        )


def _json_of(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def named_cells(source: Source, at: str, heading: Sequence[str], cells: Sequence[str]) -> Cells:
    """Cells by heading, without blanks, quotes and marks around them.

    A row with other cells than the heading is refused, and one with two different cells of one heading.
    """
    if len(cells) != len(heading):
        source.refuse(at, f"has {len(cells)} cells, and {len(heading)} are needed")
    pairs = [(name, cell.strip(AROUND)) for name, cell in zip(heading, cells, strict=True)]
    found = Cells(pairs)
    if len(found) < len(pairs):
        for name, cell in pairs:
            if name and found[name] != cell:
                source.refuse(at, f"has {cell!r} and {found[name]!r} in two columns {name!r}")
    return found


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of values by name, with its file and its place; the values of a row are read by its methods."""

    source: Source
    at: str
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """The value of a name; a row without it is refused."""
        if name not in self.values:
            self.refuse(f"has no {name!r}")
        return self.values[name]

    def refuse(self, why: str) -> NoReturn:
        """Refuse the file for this row."""
        self.source.refuse(self.at, why)

    def get(self, name: str) -> Any:
        """The value of a name, None where it is absent or empty."""
        value = self.values.get(name)
        return None if value in ("", None) else value

    def text(self, name: str) -> str:
        """A text that is not empty."""
        value = self[name]
        if not isinstance(value, str | int) or isinstance(value, bool) or str(value).strip() == "":
            self.refuse(f"{name}={shown(value)} is not a text")
        return str(value).strip()

    def number(self, name: str, thousands: str = "") -> Decimal:
        """An exact number; `thousands` may stand between every three digits before the point.

        A comma is one of thousands, too, where the number (1,234.5) or another one of its table says so.
        """
        value = self[name]
        if isinstance(value, str) and "," in value and not thousands and self.source.has_points(value):
            thousands = ","
        if (
            thousands
            and isinstance(value, str)
            and re.fullmatch(rf"[+-]?[1-9]\d{{0,2}}([{thousands}]\d{{3}})+(\.\d*)?", value.strip())
        ):
            value = re.sub(f"[{thousands}]", "", value)
        found = (
            None
            if isinstance(value, bool)
            else _decimal(str(value))
            if isinstance(value, str | int | Decimal)
            else None
        )
        if found is not None:
            return found
        self.refuse(f"{name}={shown(value)} is not a number")

    def number_or(self, name: str, otherwise: Any, thousands: str = "") -> Any:
        """An exact number, or something else where it is absent or empty."""
        return otherwise if self.get(name) is None else self.number(name, thousands)


@functools.lru_cache(maxsize=100_000)
def _decimal(text: str) -> Decimal | None:
    """The number that a text is; the same texts come again and again."""
    text = text.strip().replace(MINUS, "-")
    if not text or text[:1].isalpha() or "_" in text:
        return None
    try:
        return decimal_of(text, "number")
    except InputError:
        return None


def sources(files: Files) -> list[Source]:
    """Open files: paths, open files, or a sequence of them.

    Examples
    --------
    >>> import io
    >>> [source.name for source in sources([io.StringIO("a"), io.BytesIO(b"b")])]
    ['file 1', 'file 2']
    """
    given = list(files) if isinstance(files, Sequence) and not isinstance(files, str) else [files]
    if not given:
        raise InputError("files is empty; give the path of a file, or a list of them")
    return [_opened(file, f"file {number}" if len(given) > 1 else "file") for number, file in enumerate(given, 1)]


def _opened(file: Any, name: str) -> Source:
    if isinstance(file, Source):
        return file
    if hasattr(file, "read"):
        data = file.read()
        name = Path(file.name).name if isinstance(getattr(file, "name", None), str) else name
        return Source(name, data.encode() if isinstance(data, str) else bytes(data))
    if not isinstance(file, str | Path):
        raise InputError(f"files holds {shown(file)}, which is neither a path nor an open file")
    path = path_of(file)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise InputError(f"{str(file)!r} {what}; give the path of a file")
    return Source(plain_name(path), path)
