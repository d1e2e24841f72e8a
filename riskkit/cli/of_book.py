"""Options of the commands that read the prices of a book."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click

from riskkit._check import InputError
from riskkit.cli.of_log import Command

ABOUT = """\
PRICES is a CSV or Parquet table with a column of dates and one of closing prices for each asset.

\b
date,AAPL,KO,XOM
2024-03-04,175.10,59.84,105.22
2024-03-05,170.12,59.53,105.94

With --returns it holds simple returns, 0.01 for 1 %. Without weights or positions each column is a book of its own.
"""


WITH_MONTHS = ("%d-%b-%Y", "%d %b %Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y")  # dates as 05-Mar-2024


class Book(NamedTuple):
    """Returns of a book (or P&L, of positions in money), those of its assets, and the money in each."""

    returns: Any
    assets: Any
    positions: Any = None


def per_asset(text: str) -> dict[str, float] | list[float]:
    """Numbers by asset, of AAPL=0.6,KO=0.4, or in the order of the columns, of 0.6,0.4."""
    names, equals, numbers = zip(*(part.rpartition("=") for part in text.split(",")), strict=True)
    try:
        found = [float(number) for number in numbers]
        if not all(map(math.isfinite, found)):
            raise ValueError
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is neither numbers, as 0.6,0.4, nor numbers of assets, as AAPL=0.6"
        ) from None
    if len(set(equals)) > 1 or (equals[0] and len(set(names)) < len(names)):
        raise click.BadParameter(f"{text!r} names some assets and not others, or one twice")
    return dict(zip(names, found, strict=True)) if equals[0] else found


def separating(text: str) -> str:
    """The sign between two columns."""
    found = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(found) != 1 or found.isalnum():
        raise click.BadParameter(f"{text!r} is not a sign between columns, as ; or tab")
    return found


def with_book(command: Command) -> Command:
    """Decorator that adds a table of prices and its options; the command gets the `book`."""

    @functools.wraps(command)
    def run(
        *,
        prices: str,
        weights: Any,
        positions: Any,
        returns: bool,
        separator: str | None,
        decimal: str | None,
        **given: Any,
    ) -> Any:
        if weights is not None and positions is not None:
            raise click.UsageError("give --weights or --positions, not both")
        table = _table(prices, separator, decimal)
        return command(book=_book(table, weights, positions, is_returns=returns), **given)

    for add in [
        click.option("--decimal", metavar="SIGN", help="Decimal sign of a CSV table. [default: told by its numbers]"),
        click.option(
            "--separator",
            type=separating,
            metavar="SIGN",
            help="Between the columns of a CSV table. [default: told by the table]",
        ),
        click.option("--returns", is_flag=True, help="The table holds simple returns, not prices."),
        click.option(
            "--positions", type=per_asset, metavar="NUMBERS", help="Money in each asset, as AAPL=60000,KO=-20000."
        ),
        click.option(
            "--weights", type=per_asset, metavar="NUMBERS", help="Shares of the book, as AAPL=0.6,KO=0.4 or 0.6,0.4."
        ),
        click.argument("prices", metavar="PRICES", type=click.Path(exists=True, dir_okay=False)),
    ]:
        run = add(run)
    return run


def _table(path: str, separator: str | None, decimal: str | None) -> Any:
    """The table with its dates as index, oldest first."""
    import pandas as pd

    if path.endswith(".parquet"):
        try:
            table = pd.read_parquet(path)
        except (ValueError, OSError) as problem:  # of pyarrow
            raise InputError(f"{path!r} cannot be read as a table: {problem}") from None
    else:
        table = _csv(path, separator, decimal)
    if not isinstance(table.index, pd.DatetimeIndex):
        table = _dated(path, table)
    if table.index.is_monotonic_decreasing:
        table = table.iloc[::-1]  # as many vendors write it
    if table.index.has_duplicates:
        twice = table.index[table.index.duplicated()][0]
        raise InputError(
            f"{path!r} holds {twice.isoformat().removesuffix('T00:00:00')} twice; leave one of the rows out"
        )
    return table


def _dated(path: str, table: Any) -> Any:
    """The table with its first column as index."""
    import pandas as pd

    if table.shape[1] < 2:
        raise InputError(
            f"{path!r} has one column where dates and prices are needed; --separator says what is between them"
        )
    dates = table.iloc[:, 0]
    for form in ("ISO8601", *WITH_MONTHS):
        found = pd.to_datetime(dates, format=form, errors="coerce")
        if not found.isna().any():
            break
    else:
        found = pd.to_datetime(dates, format="ISO8601", errors="coerce")
        wrong = dates[found.isna()].iloc[0]
        raise InputError(
            f"the first column of {path!r} holds {wrong!r}, which is no date; give dates in ISO form, as 2024-03-05"
        )
    return table.set_index(pd.DatetimeIndex(found, name=dates.name)).iloc[:, 1:]


def _csv(path: str, separator: str | None, decimal: str | None) -> Any:
    """A text table: what is between its cells, its decimal mark and the order of day and month are told by the file."""
    import pandas as pd

    from riskkit.read.local_form import AROUND
    from riskkit.read.numerals import NOTHING, Numerals
    from riskkit.read.source import Source

    source = Source(Path(path).name, Path(path))
    source.separator = separator or source.separator
    (_, heading), *rows = source.rows(source.separator if decimal else "")
    heading = [name.strip(AROUND) for name in heading]
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
        for row in numbers.index[numbers.isna() & ~texts.str.lower().isin([*NOTHING, "nan", "null"])]:
            found = read(texts[row])
            if found is None:
                source.refuse(rows[row][0], f"{heading[place]}={texts[row]!r} is not a number")
            numbers[row] = float(found)
        table.isetitem(place, numbers.to_numpy())
    return table


def _book(table: Any, weights: Any, positions: Any, *, is_returns: bool) -> Book:
    from riskkit.returns import simple_returns

    assets = table if is_returns else simple_returns(table)
    given = weights if positions is None else positions
    if given is None:
        return Book(assets.iloc[:, 0] if assets.shape[1] == 1 else assets, assets)
    amounts = _by_column(given, list(assets.columns), "--weights" if positions is None else "--positions")
    return Book(assets @ amounts, assets, None if positions is None else amounts)


def _by_column(given: Any, columns: list[str], option: str) -> Any:
    """The numbers by column; a column that is not named has 0."""
    import pandas as pd

    if isinstance(given, Mapping):
        unknown = sorted(set(given) - set(columns))
        if unknown:
            raise InputError(f"{option} names {unknown[0]!r}, which is no column; there are {', '.join(columns)}")
        return pd.Series({name: given.get(name, 0.0) for name in columns})
    if len(given) != len(columns):
        raise InputError(
            f"{option} has {len(given)} numbers and the table {len(columns)} columns: {', '.join(columns)}"
        )
    return pd.Series(given, index=columns)
