"""Pieces of a report: one self-contained page of HTML, its tables, lists and figures.

Plots are embedded and nothing is loaded from elsewhere. Equal contents give equal bytes: a page has no time, path or random
id. Everything that comes from data is escaped here.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from riskkit._files import make_folder, path_of, write_whole
from riskkit._show import GRADES, number, without_controls
from riskkit.plot import png

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#222;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.2rem;margin-top:2.2rem;border-bottom:1px solid #ccc}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
td,th{padding:.15rem .6rem;border-bottom:1px solid #e4e4e4;text-align:right;vertical-align:top;white-space:nowrap}
td:first-child,th:first-child{text-align:left;white-space:pre}td.text,th.text{text-align:left}td.long{white-space:pre-wrap;min-width:7rem}td.sentence{min-width:18rem}
.dense{font-size:.72rem}.dense td,.dense th{padding:.15rem .3rem}
.data{border-left:4px solid #0072B2;padding:.4rem .8rem;background:#f3f7fa}.note{color:#555;font-size:.85rem}
.verdict{border-left:6px solid;padding:.4rem .8rem;font-weight:600}
.loss{color:#c0392b}:target{background:#fff3bf}
summary{cursor:pointer;margin:.2rem 0 .8rem;color:#0072B2}
figure{margin:1.2rem 0}img{max-width:100%;height:auto}code{word-break:break-all}.wide{overflow-x:auto}
@media screen and (min-width:64rem){.broad{width:max-content;max-width:calc(50vw + 29rem)}}
.wide+.wide{margin-top:1.2rem}
@media screen and (max-width:40rem){table{font-size:.75rem}td,th{padding:.15rem .3rem}
td.text,td:first-child{white-space:pre-wrap;overflow-wrap:anywhere;min-width:4rem}
td.long,td.sentence{min-width:7rem}}
@media print{body{max-width:none;margin:0;font-size:10pt}table{font-size:8pt}td,th{white-space:pre-wrap;padding:.1rem .25rem}
.dense{font-size:6.5pt}.dense td,.dense th{padding:.1rem .15rem}.wide{overflow:visible}
a{color:inherit;text-decoration:none}
details:not([open])::details-content{content-visibility:visible;display:block}
td.long,td.sentence{min-width:0}h2{break-after:avoid}figure,tr,.verdict{break-inside:avoid}thead{display:table-header-group}}
@page{margin:15mm}
""" + "".join(f".{grade}{{border-color:{edge};background:{ground}}}\n" for grade, (edge, ground) in GRADES.items())
LINE, SENTENCE = 30, 60
DENSE = 10  # columns; a table of more has smaller print
PHONE = 3.9  # inches of a picture on a phone
BROAD = 5  # columns; a table of more that has long texts takes the space beside the page
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(title: str, lead: str, sections: Iterable[tuple[str, str]]) -> str:
    """A page of HTML with sections of a heading and its content; a section without content is left out.

    No text turns the direction of a line or holds what cannot be written as UTF-8.
    """
    title = html.escape(title)
    body = "\n".join(f"<h2>{html.escape(heading)}</h2>\n{content}" for heading, content in sections if content)
    made = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f'<h1>{title}</h1>\n<p class="data">{html.escape(lead)}</p>\n{body}\n</body>\n</html>\n'
    )
    return without_controls(made)


def write(path: str | Path, text: str) -> Path:
    """Write a page as UTF-8, whole or not at all; parent folders are created."""
    file = path_of(path)
    make_folder(file.parent)
    write_whole(file, [text.encode()])
    return file


def table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, texts: Sequence[int] = ()) -> str:
    """A table; the first column and those of the places in `texts` are aligned left, the others right.

    Texts of more than `LINE` characters are broken into lines, those of more than `SENTENCE` into few; nothing else is.
    """

    def side(place: int, cell: Any) -> str:
        size = len(cell) if isinstance(cell, str) else 0
        names = ["text"] * (place in texts) + ["long"] * (size > LINE) + ["sentence"] * (size > SENTENCE)
        return f" class='{' '.join(names)}'" if names else ""

    head = "".join(f"<th{side(place, '')}>{html.escape(str(cell))}</th>" for place, cell in enumerate(header))
    body = "\n".join(
        "<tr>" + "".join(f"<td{side(place, cell)}>{cell_text(cell)}</td>" for place, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    broad = " broad" if len(header) > BROAD and ("sentence" in body or "long" in body) else ""
    dense = ' class="dense"' if len(header) > DENSE else ""
    return f'<div class="wide{broad}"><table{dense}><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


class Link:
    """A link inside the page: to a row or section with the given id."""

    def __init__(self, text: str, target: str) -> None:
        self.text, self.target = text, target


def cell_text(cell: Any) -> str:
    """A cell as escaped text, or as a link."""
    if isinstance(cell, Link):
        return f'<a href="#{html.escape(cell.target, quote=True)}">{html.escape(cell.text)}</a>'
    return html.escape(number(cell))


def listing(items: Sequence[str], tag: str = "ul") -> str:
    """A list of sentences; empty without any."""
    return f"<{tag}>" + "".join(f"<li>{html.escape(str(item))}</li>" for item in items) + f"</{tag}>" if items else ""


def notes(sentences: Iterable[str]) -> str:
    """Sentences in small print."""
    return "".join(f'<p class="note">{html.escape(sentence)}</p>' for sentence in sentences)


def figure(draw: Callable[[Any], Any], caption: str, *, height: float = 3.4) -> str:
    """An embedded plot with its caption, made by a function that draws on given axes: once for a page, once for a phone."""
    text = html.escape(caption, quote=True)
    return (
        f'<figure><picture><source media="screen and (max-width:40rem)" srcset="{_embedded(draw, PHONE, height)}">'
        f'<img alt="{text}" src="{_embedded(draw, 9.0, height)}"></picture>'
        f'<figcaption class="note">{text}.</figcaption></figure>'
    )


def _embedded(draw: Callable[[Any], Any], width: float, height: float) -> str:
    return f"data:image/png;base64,{base64.b64encode(png(draw, width=width, height=height)).decode()}"


def folded(summary: str, content: str) -> str:
    """Content under a line that opens it."""
    return f"<details><summary>{html.escape(summary)}</summary>{content}</details>"


def verdict(sentence: str, kind: str) -> str:
    """A coloured verdict; `kind` is "good", "doubtful" or "bad", and the sentence says it too."""
    return f'<p class="verdict {kind}">{html.escape(sentence)}</p>'
