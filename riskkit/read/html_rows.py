"""The rows of the tables of an HTML file, as texts."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

from riskkit.read.source import Source


class _Rows(HTMLParser):
    """Collects the cells of every row; a cell ends where its tag, or the next one, says so."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            span = next((value or "" for name, value in attrs if name == "colspan"), "1")
            self.rows[-1] += [""] * (min(int(span), 100) if span.isdigit() else 1)
            self.start = len(self.rows[-1]) - (min(int(span), 100) if span.isdigit() else 1)
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr"):
            self.inside = False
        self.ended |= tag == "html"

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][self.start] += data


def html_rows(source: Source) -> Iterator[tuple[str, list[str]]]:
    """The rows as ("row 2", cells), counted from 1; a cell over several columns has empty ones behind it.

    Examples
    --------
    >>> list(html_rows(Source("a.html", b"<html><table><tr><th colspan=2><b>A</b></th><td>1</td></tr></table></html>")))
    [('row 1', ['A', '', '1'])]
    """
    parser = _Rows()
    parser.feed(source.text)
    parser.close()
    if not parser.ended:
        source.refuse("", "ends before </html>; it is torn")
    for number, cells in enumerate(parser.rows, 1):
        yield f"row {number}", [" ".join(cell.split()) for cell in cells]
