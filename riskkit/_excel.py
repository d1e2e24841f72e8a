"""Results as Excel workbooks: one sheet per table with formatted numbers, and a sheet with the assumptions.

Results derive from `Exported` and declare their tables; all writing is here. Equal results give equal bytes.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, optional
from riskkit._files import path_of, write_whole
from riskkit._show import Row, Shown

if TYPE_CHECKING:
    import pandas as pd

PERCENT, MONEY, PROBABILITY, NUMBER = "0.00%", "#,##0.00", "0.0000", "#,##0.######"
WHOLE, SMALL, TIME, DATE = "#,##0", "0.000000", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd"
MAX_ROWS = 1_048_575  # of a sheet, below its header
WIDEST, NARROWEST = 60, 8  # of a column, in characters
CREATED = datetime.datetime(2000, 1, 1)  # a workbook has no clock


class Sheet(NamedTuple):
    """A table of a workbook.

    ``formats`` are Excel's number formats by column; without one, it follows from the values.
    """

    name: str
    frame: pd.DataFrame
    formats: Mapping[str, str] = {}


class Exported(Shown):
    """Base of results that can be written as an Excel workbook."""

    def _sheets(self) -> list[Sheet]:
        """The tables, in order; by default the one of `to_frame()`."""
        return [Sheet("table", self.to_frame())]

    def to_frame(self) -> Any:
        """The result as a table."""
        raise NotImplementedError

    def _assumptions(self) -> Iterable[Row]:
        """Facts for the last sheet: by default the rows that are printed."""
        return self._rows()

    def to_excel(self, path: str | Path) -> Path:
        """Write the tables as an Excel workbook (.xlsx), with a sheet of the assumptions; return its path.

        Needs XlsxWriter (``pip install 'riskkit[excel]'``). Times are local times of the zone that their heading names.

        Raises
        ------
        InputError
            If the name does not end in .xlsx, a table has more rows than a sheet can hold, or the file cannot be written.
        """
        file = path_of(path)
        if file.suffix.lower() != ".xlsx":
            raise InputError(f"path={file.name!r} does not end in .xlsx; an Excel workbook is written")
        sheets = self._sheets()
        for sheet in sheets:
            if len(sheet.frame) > MAX_ROWS:
                raise InputError(
                    f"the sheet {sheet.name!r} would have {len(sheet.frame):,} rows and Excel holds {MAX_ROWS:,}; "
                    "write the frame as Parquet or CSV"
                )
        made = BytesIO()
        workbook = optional("xlsxwriter", "excel").Workbook(made, {"in_memory": True})
        workbook.set_properties({"title": self._title(), "created": CREATED})
        for sheet in sheets:
            _write(workbook, sheet)
        _write_assumptions(workbook, self._title(), self._assumptions())
        workbook.close()
        write_whole(file, [made.getvalue()])
        return file


def _write(workbook: Any, sheet: Sheet) -> None:
    """Write a table with its index, a frozen header and a filter."""
    page = workbook.add_worksheet(sheet.name[:31])
    style = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
    head = workbook.add_format(style)
    columns = list(_columns(sheet.frame))
    forms = {*sheet.formats.values(), PERCENT, MONEY, NUMBER, WHOLE, SMALL, TIME, DATE}
    looks = {form: workbook.add_format({"num_format": form, "valign": "top"}) for form in sorted(forms)}
    looks[""] = workbook.add_format({"text_wrap": True, "valign": "top"})
    for place, (name, values) in enumerate(columns):
        heading, texts, form = _heading(name, values), [], sheet.formats.get(name) or _format(values)
        page.write_string(0, place, heading, head)
        for row, value in enumerate(values, 1):
            look = looks[form or _format_of(value)]
            texts.append(_write_cell(page, row, place, value, look))
        widest = max(map(len, [*heading.split(), *texts[:1000]]), default=0) + 2
        page.set_column(place, place, min(max(widest, NARROWEST), WIDEST))
    page.freeze_panes(1, 1)
    page.autofilter(0, 0, max(len(sheet.frame), 1), max(len(columns) - 1, 0))


def _columns(frame: pd.DataFrame) -> Iterator[tuple[str, pd.Series]]:
    """Index and columns with flat names."""
    named: Any = frame.rename_axis(index=[str(name or "row") for name in frame.index.names])
    flat: Any = named.set_axis(
        [", ".join(map(str, c)) if isinstance(c, tuple) else str(c) for c in named.columns], axis=1
    )
    index = flat.index.to_frame(index=False)
    for label in index:
        yield str(label), index[label]
    for label, values in flat.items():
        yield str(label), values


def _heading(name: str, values: pd.Series) -> str:
    zone = getattr(values.dtype, "tz", None)
    return name.replace("_", " ") + (f" ({zone})" if zone is not None else "")


def _format(values: pd.Series) -> str:
    """Number format of values without a declared one; empty of texts."""
    kind = values.dtype.kind
    if kind == "M":
        naive = values.dropna().dt.tz_localize(None)
        return DATE if (naive == naive.dt.normalize()).all() else TIME
    if kind in "iu":
        return WHOLE
    if kind != "f":
        return ""
    finite = np.abs(values[np.isfinite(values)].to_numpy())
    largest = finite.max(initial=0.0)
    if (finite == np.round(finite)).all():
        return WHOLE
    return MONEY if largest >= 1000.0 else SMALL if largest < 1.0 else NUMBER


def _format_of(value: Any) -> str:
    """Number format of one value of a column of mixed values."""
    if isinstance(value, datetime.datetime):
        return TIME
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return ""
    return WHOLE if float(value).is_integer() else NUMBER


def _write_cell(page: Any, row: int, place: int, value: Any, look: Any) -> str:
    """Write a value as what it is, a text never as a formula; return its text for the width."""
    import pandas as pd

    if pd.isna(value) is True:  # None, NaN, NaT, NA
        page.write_blank(row, place, None, look)
        return ""
    if isinstance(value, (bool, np.bool_)):
        page.write_string(row, place, "yes" if value else "no", look)
        return "yes"
    if isinstance(value, datetime.datetime):
        page.write_datetime(row, place, value.replace(tzinfo=None), look)
        return TIME
    if isinstance(value, (int, float, np.number)):
        finite = np.isfinite(value)
        (page.write_number if finite else page.write_string)(row, place, float(value) if finite else str(value), look)
        return f"{value:,.2f}"
    page.write_string(row, place, str(value), look)
    return str(value)


def _write_assumptions(workbook: Any, title: str, rows: Iterable[Row]) -> None:
    page = workbook.add_worksheet("assumptions")
    page.write_string(0, 0, title, workbook.add_format({"bold": True}))
    plain = workbook.add_format({"text_wrap": True, "valign": "top", "align": "left"})
    for row, cells in enumerate(rows, 2):
        for place, value in enumerate(cells):
            _write_cell(page, row, place, value.strip() if isinstance(value, str) else value, plain)
    page.set_column(0, 0, 32)
    page.set_column(1, 2, 40)
    page.freeze_panes(1, 0)
