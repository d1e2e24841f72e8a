"""Options of the commands that read the prices of a book."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from riskkit._check import InputError
from riskkit.cli.of_log import Command

ABOUT = """\
PRICES is a CSV, Excel or Parquet table with a column of dates and one of closing prices for each asset; or one with a row
for each day and asset (Date, Ticker, Close).

\b
date,AAPL,KO,XOM
2024-03-04,175.10,59.84,105.22
2024-03-05,170.12,59.53,105.94

With --returns it holds simple returns, 0.01 for 1 %. Without weights or positions each column is a book of its own.
"""


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
        from riskkit.read import price_table

        table = price_table.prices(prices, separator=separator, decimal=decimal)
        for sentence in table.attrs["assumed"]:
            click.echo(f"{prices}: {sentence}", err=True)
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
