"""Excel workbooks of a few rows."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
PACKAGE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def cell_of(value: str | float) -> str:
    """The XML of a cell."""
    if isinstance(value, str):
        return f"<c t='inlineStr'><is><t>{escape(value)}</t></is></c>"
    return f"<c><v>{value!r}</v></c>"


def workbook(*table: list[str | float]) -> bytes:
    """A workbook of texts and numbers."""
    cells = [[cell_of(cell) for cell in row] for row in table]
    lines = "".join(f"<row r='{number}'>{''.join(row)}</row>" for number, row in enumerate(cells, 1))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr(
            "xl/workbook.xml",
            f'<workbook {SHEET} xmlns:r="{PACKAGE}"><sheets><sheet name="A" r:id="a"/></sheets></workbook>',
        )
        book.writestr("xl/_rels/workbook.xml.rels", '<R><Relationship Id="a" Target="worksheets/sheet1.xml"/></R>')
        book.writestr("xl/worksheets/sheet1.xml", f"<worksheet {SHEET}><sheetData>{lines}</sheetData></worksheet>")
    return out.getvalue()
