"""Tables of prices as people have them: a column for each asset, a row for each day and asset, or one asset's days."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskkit._check import InputError, as_pandas, shown
from riskkit._files import path_of
from riskkit.read.local_form import AROUND, normal, with_points
from riskkit.read.numerals import NOTHING, Numerals
from riskkit.read.source import Source
from riskkit.read.words import HEADINGS
from riskkit.read.workbook import Cell, Moment, Sheet, is_workbook, sheets
from riskkit.replay.ingest.times import unit_by_size

if TYPE_CHECKING:
    import pandas as pd

WITH_MONTHS = ("%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")  # dates as 05-Mar-2024
CLOSES = (  # the best first
    "adj close", "adjusted close", "adj. close", "adjclose", "close", "closing price", "px_last", "settle", "schlusskurs", "schluss",
    "clôture", "cierre", "chiusura", "fechamento", "close/last", *HEADINGS["price"],
)  # fmt: skip
OF_A_DAY = {"open", "high", "low"}  # beside a close: a table of one asset
ASSETS = set(map(normal, HEADINGS["instrument"]))
NO_NUMBERS = {*NOTHING, "nan", "null", "na", "#n/a", "#n/a n/a", "#value!"}  # also of Bloomberg and Excel
OFFSET = r"(:\d\d(?:\.\d+)?) ?(?:[+-]\d\d:?\d\d|Z)$"  # from Greenwich, after a time


def prices(table: Any, *, separator: str | None = None, decimal: str | None = None) -> pd.DataFrame:
    """Read prices by day (rows) and asset (columns), whatever the shape of their table.

    Parameters
    ----------
    table : path, or DataFrame
        A file (CSV, Excel or Parquet) or a frame, with a column or index of dates. Beside it stand a column for each asset; or
        one with their names and one with their prices (the long form: Date, Ticker, Close); or Open, High, Low and Close of one.
    separator : str, optional
        Between the cells of a text; by default as the text tells.
    decimal : {".", ","}, optional
        Decimal mark of a text; by default as its numbers tell.

    Returns
    -------
    DataFrame
        Prices, oldest first; what was decided stands in ``attrs["assumed"]``. A day without a price of an asset is NaN.

    Raises
    ------
    InputError
        If a cell is no number or no date, a day or a day of an asset stands twice, or no column says which prices are meant.

    Examples
    --------
    >>> import pandas as pd, riskkit as rk
    >>> days = ["2024-03-04", "2024-03-04", "2024-03-05", "2024-03-05"]
    >>> long = pd.DataFrame({"Date": days, "Ticker": ["KO", "XOM"] * 2, "Close": [59.84, 105.22, 59.53, 105.94]})
    >>> wide = rk.read.prices(long)
    >>> wide.loc["2024-03-05"].to_dict(), wide.attrs["assumed"]
    ({'KO': 59.53, 'XOM': 105.94}, ['a row is a day of an asset: Close by Ticker'])
    """
    name, frame = _framed(table, separator, decimal)
    assumed: list[str] = []
    long = _long(name, frame, assumed)
    found = _numbers(name, _dated(name, frame)) if long is None else long
    if not found.index.is_monotonic_increasing:
        found = found[::-1] if found.index.is_monotonic_decreasing else found  # newest first, as many vendors write it
    if found.index.has_duplicates:
        twice = found.index[found.index.duplicated()][0]
        raise InputError(f"{name} holds {_day(twice)} twice; leave one of the rows out")
    found = _close(found, name, assumed)
    found.attrs["assumed"] = assumed
    return found


def _day(moment: Any) -> str:
    return str(moment.isoformat().removesuffix("T00:00:00"))


def _framed(table: Any, separator: str | None, decimal: str | None) -> tuple[str, pd.DataFrame]:
    """The name of a table in sentences, and its cells: texts of a text, and dates as a column or an index."""
    import pandas as pd

    if not isinstance(table, str | Path):
        frame = as_pandas(table)
        if not isinstance(frame, pd.DataFrame | pd.Series):
            raise InputError(f"table is {shown(table)}; give the path of a file, or a DataFrame")
        frame = frame.to_frame(frame.name or "Close") if isinstance(frame, pd.Series) else frame
        if frame.columns.nlevels == 2:
            frame = _closes(frame)
        return "the table", frame.reset_index() if frame.index.nlevels > 1 else frame
    path = path_of(table)
    name = repr(str(table))
    if path.suffix == ".parquet":
        try:
            frame = pd.read_parquet(path)
        except (ValueError, OSError) as problem:  # of pyarrow
            raise InputError(f"{name} cannot be read as a table: {problem}") from None
        return name, frame.reset_index() if frame.index.nlevels > 1 else frame
    source = Source(path.name, path)
    rows = _sheet(source) if is_workbook(source) else _lines(source, separator, decimal)
    return name, _texts(source, rows, decimal)


def _closes(frame: pd.DataFrame) -> pd.DataFrame:
    """The closing prices by asset of a frame with two labels a column, as that of yfinance: Close and the asset."""
    import pandas as pd

    for level in (0, 1):
        kinds = {normal(str(kind)): kind for kind in frame.columns.get_level_values(level)}
        close = next((kinds[normal(word)] for word in CLOSES if normal(word) in kinds), None)
        if close is not None:
            found: Any = frame.xs(close, axis=1, level=level)
            found.columns.name = None
            return pd.DataFrame(found)
    raise InputError("the table has two labels a column, and none of them is Close")


def _lines(source: Source, separator: str | None, decimal: str | None) -> list[tuple[str, list[str]]]:
    """The rows of a text: what is between its cells, its decimal mark and the order of day and month are told by the file."""
    source.separator = separator or source.separator
    return list(source.rows(source.separator if decimal else ""))


def _sheet(source: Source) -> list[tuple[str, list[str]]]:
    """The rows of the first sheet of a workbook that has a table, from its heading on."""
    for rows in sheets(source).values():
        cells = _square(rows)
        widest = max((sum(map(bool, row)) for _, row in cells), default=0)
        start = next((place for place, (_, row) in enumerate(cells) if 2 * sum(map(bool, row)) > widest), 0)
        if widest > 1:
            return with_points(cells[start:], source)
    source.refuse("", "has no sheet with a table")


def _square(rows: Sheet) -> list[tuple[str, list[str]]]:
    """The rows of a sheet as texts, all as wide as the widest; without empty ones."""
    width = 1 + max((column for _, row in rows for column, cell in row.items() if cell not in (None, "")), default=0)
    texts = [(at, [_text(row.get(column)) for column in range(width)]) for at, row in rows]
    return [(at, row) for at, row in texts if any(row)]


def _text(cell: Cell) -> str:
    return "" if cell is None else cell.text() if isinstance(cell, Moment) else str(cell)


def _texts(source: Source, rows: Sequence[tuple[str, list[str]]], decimal: str | None) -> pd.DataFrame:
    """The rows beneath a heading; columns all of whose cells are numbers are numbers."""
    import pandas as pd

    (_, heading), *rows = rows
    if len(rows) > 2 and [normal(heading[0]), normal(rows[0][1][0]), normal(rows[1][1][0])] == [
        "price",
        "ticker",
        "date",
    ]:
        places = _by_ticker(source, heading, rows[0][1])  # of yfinance
        heading, rows = list(places), [(at, [cells[place] for place in places.values()]) for at, cells in rows[2:]]
    heading = [name.strip(f"{AROUND}<>") for name in heading]
    for at, cells in rows:
        if len(cells) != len(heading):
            source.refuse(at, f"has {len(cells)} cells, and {len(heading)} are needed")
    table = pd.DataFrame([[cell.strip(AROUND) for cell in cells] for _, cells in rows], columns=heading, dtype=object)
    read = Numerals(decimal or ".").decimal_of
    for place in range(1, len(heading)):
        texts = table.iloc[:, place]
        numbers = (
            pd.to_numeric(texts, errors="coerce") if decimal in (None, ".") else pd.Series(float("nan"), texts.index)
        )
        open_rows = numbers.index[numbers.isna() & ~texts.str.lower().isin(NO_NUMBERS)]
        found = {row: read(texts[row]) for row in open_rows}
        wrong = [row for row, number in found.items() if number is None]
        words = normal(heading[place]) in ASSETS or len(wrong) == len(open_rows) + numbers.notna().sum()
        if wrong and not words:
            source.refuse(rows[wrong[0]][0], f"{heading[place]}={texts[wrong[0]]!r} is not a number")
        if not wrong:
            for row, number in found.items():
                numbers[row] = float(number or 0)
            table.isetitem(place, numbers.to_numpy())
    return table


def _by_ticker(source: Source, kinds: list[str], tickers: list[str]) -> dict[str, int]:
    """The columns of the dates and of the closing price of each asset, by heading: the adjusted ones first."""
    known = set(map(normal, kinds))
    close = next((normal(word) for word in CLOSES if normal(word) in known and normal(word) != "price"), None)
    if close is None:
        source.refuse("line 1", "has no closing prices")
    return {"Date": 0} | {tickers[place]: place for place, kind in enumerate(kinds) if place and normal(kind) == close}


def _dated(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table with its dates as index: of the first column, or of a heading for them."""
    import pandas as pd

    if isinstance(table.index, pd.DatetimeIndex):
        return table
    if table.shape[1] < 2:
        raise InputError(
            f"{name} has one column where dates and prices are needed; --separator says what is between them"
        )
    known = set(map(normal, HEADINGS["ts"]))
    place = next((place for place, heading in enumerate(table.columns) if normal(str(heading)) in known), 0)
    dates = table.iloc[:, place]
    found = _moments(name, dates, "the first column" if place == 0 else f"column {dates.name!r}")
    rest = table.iloc[:, [column for column in range(table.shape[1]) if column != place]]
    return rest.set_index(pd.DatetimeIndex(found, name=dates.name))


def _moments(name: str, dates: pd.Series, where: str) -> pd.Series:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(dates) and dates.between(19_000_101, 21_991_231).all():
        dates = dates.map("{:.0f}".format)  # as 20240305
    if pd.api.types.is_numeric_dtype(dates) or dates.astype(str).str.fullmatch(r"\d{9,}").all():
        unit: Any = unit_by_size(int(dates.iloc[0]))
        if unit:
            numbers: Any = pd.to_numeric(dates)
            return pd.Series(pd.to_datetime(numbers, unit=unit))
    if not pd.api.types.is_numeric_dtype(dates):
        if (
            pd.api.types.is_string_dtype(dates) or dates.dtype == object
        ):  # a day is that of the exchange, as it is written
            dates = dates.astype(str).str.replace(OFFSET, r"\1", regex=True)
        for form in ("ISO8601", *WITH_MONTHS):
            found = pd.to_datetime(dates, format=form, errors="coerce")
            if not found.isna().any():
                return found
        wrong = dates[pd.to_datetime(dates, format="ISO8601", errors="coerce").isna()].iloc[0]
    else:
        wrong = dates.iloc[0]
    raise InputError(f"{where} of {name} holds {wrong!r}, which is no date; give dates in ISO form, as 2024-03-05")


def _numbers(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table, if all its columns are numbers."""
    import pandas as pd

    for column, cells in table.items():
        if not pd.api.types.is_numeric_dtype(cells):
            wrong = next(cell for cell in cells if not isinstance(cell, int | float))
            raise InputError(f"column {str(column)!r} of {name} holds {shown(wrong)}, which is not a number")
    return table


def _long(name: str, table: pd.DataFrame, assumed: list[str]) -> pd.DataFrame | None:
    """The prices of a table with a row for each day and asset, by asset; None for another table."""
    import pandas as pd

    if isinstance(table.index, pd.DatetimeIndex):
        table = table.reset_index()
    words = [
        column for column in table.columns if not pd.api.types.is_numeric_dtype(table[column])
        and not pd.api.types.is_datetime64_any_dtype(table[column])
    ] if table.columns.is_unique else []  # fmt: skip
    assets = [column for column in table.columns if normal(str(column)) in ASSETS and table[column].duplicated().any()]
    assets = [column for column in assets if column in words] or assets
    if not assets:
        return None
    asset = assets[0]
    dated = _dated(name, table.drop(columns=asset))
    numeric = [column for column in dated.columns if column not in words]
    close = next((column for wanted in CLOSES for column in numeric if normal(str(column)) == normal(wanted)), None)
    if close is None and len(numeric) == 1:
        close = numeric[0]
    if close is None:
        raise InputError(
            f"{name} has a row for each day and {asset}, and no column that is known as its prices; give that as Close; there "
            f"are {', '.join(map(str, numeric)) or 'none with numbers'}"
        )
    keys = pd.DataFrame({"day": dated.index, "asset": table[asset].to_numpy()})
    if keys.duplicated().any():
        twice = keys[keys.duplicated()].iloc[0]
        raise InputError(f"{name} holds {_day(twice['day'])} of {twice['asset']} twice; leave one of the rows out")
    wide = pd.Series(dated[close].to_numpy(), pd.MultiIndex.from_frame(keys)).unstack("asset").sort_index()
    assumed.append(f"a row is a day of an asset: {close} by {asset}")
    wide = wide[list(dict.fromkeys(table[asset]))]
    wide.index.name, wide.columns.name = dated.index.name, None
    return wide


def _close(table: pd.DataFrame, name: str, assumed: list[str]) -> pd.DataFrame:
    """The closing prices, where the columns are open, high, low and close of one asset."""
    heads = {normal(str(column)): column for column in table.columns}
    if not heads.keys() >= OF_A_DAY:
        return table
    found = next((heads[normal(word)] for word in CLOSES if normal(word) in heads), None)
    if found is None:
        raise InputError(f"{name} has open, high and low of one asset and no close")
    assumed.append(f"the columns are of one asset: {found} is taken")
    return table[[found]]
