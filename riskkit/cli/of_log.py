"""Options of the commands that read an event log."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

if TYPE_CHECKING:
    from riskkit.replay.log.event_log import EventLog

Command = Callable[..., Any]
ABOUT_LOG = """\b
LOG is one of
  a Parquet file that EventLog.to_parquet wrote, or a folder that EventLog.save wrote;
  the files of a broker, a venue or a backtest that riskkit.read knows, recognised by their content;
  a CSV or Parquet table with one event per row. Required columns: ts and kind (order, fill, price, cancel, ...), and
  for orders and fills account, instrument, side (B or S), qty, price and order_id; a fill has its order's order_id.

\b
a table:
  ts,kind,account,instrument,side,qty,price,order_id
  2024-03-05 14:30:00,order,desk-1,ESH4,B,2,5100.25,a1
  2024-03-05 14:30:00.2,fill,desk-1,ESH4,B,2,5100.25,a1
  2024-03-05 14:31:00,price,,ESH4,,,5098.00,

\b
UNITS.toml, its units (by default: ticks and lots inferred, multiplier 1, USD, accounts that start empty):
  quanta = { USD = "0.01" }
  [[instruments]]
  id = "ESH4"
  tick = "0.25"
  multiplier = 50
  [[accounts]]
  id = "desk-1"
  cash = { USD = 1000000 }
"""


def heading(text: str) -> tuple[str, str]:
    """A heading and the column that it means, of HEADING=COLUMN."""
    given, equals, column = text.rpartition("=")
    if not (given and equals and column):
        raise click.BadParameter(f"{text!r} is not HEADING=COLUMN, as 'Filled Qty=qty'")
    return given, column


def zone(text: str) -> str:
    """A time zone."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise click.BadParameter(f"{text!r} is not a time zone; use a name such as UTC or America/New_York") from None
    return text


def choice(name: str, *choices: str, help: str) -> Command:
    """An option with these choices, the first by default."""
    return click.option(name, type=click.Choice(choices), default=choices[0], help=help)


OPTIONS = {
    "units": click.option("--units", metavar="UNITS.toml", help="Ticks, lots, multipliers, currencies, opening balances."),
    "unit": click.option(
        "--unit", type=click.Choice(["s", "ms", "us", "ns"]),
        help="Unit of times that are numbers. [default: told by their size]",
    ),
    "time_format": click.option("--time-format", metavar="FORM", help="Form of times, as %d.%m.%Y. [default: ISO 8601]"),
    "tz": click.option(
        "--tz", metavar="ZONE", help="Time zone of times without one. [default: UTC, or that of the file's format]"
    ),
    "ts_policy": choice(
        "--ts-policy", "raise", "reject", "clamp", "sort",
        help="Time before the previous one: raise, reject the event, clamp its time, or sort.",
    ),
    "on_bad_order": choice("--on-bad-order", "raise", "flag", help="Order off the tick or lot grid: raise, or flag it."),
    "order_ids": choice(
        "--order-ids", "unique", "account", "day", "account_day",
        help="Within what an order id names one order: the log, an account, a day, a day of an account.",
    ),
    "unknown_orders": choice(
        "--unknown-orders", "refuse", "external",
        help="Event of an order that the log does not have: refuse, or keep as one from before the log.",
    ),
    "rounding": choice(
        "--rounding", "refuse", "nearest",
        help="Number between two ticks, lots or units of money: refuse, or take the nearest.",
    ),
    "currencies": choice("--currencies", "one", "many", help="Currencies of an account."),
    "columns": click.option("--columns", multiple=True, type=heading, metavar="HEADING=COLUMN", help="Another heading of a column."),
    "ignore": click.option("--ignore", multiple=True, metavar="HEADING", help="A column to leave out."),
}  # fmt: skip
"""The options of a log that are arguments of `riskkit.read_log`, by the name of the argument."""


def with_log(command: Command) -> Command:
    """Decorator that adds the files of a log and its options; the command gets `log`, a function that reads it."""

    @functools.wraps(command)
    def run(*, files: tuple[str, ...], kind: str | None, **given: Any) -> Any:
        if not files:
            last = f", and {given['rules']!r} is taken for its rules" if "rules" in given else ""
            raise click.UsageError(f"there is no log{last}: give the files of the log first, and the rules last")
        of_log = {name: given.pop(name) for name in OPTIONS}
        of_log["columns"] = dict(of_log["columns"])
        about = {"kind": kind} if kind else None

        def log() -> EventLog:
            from riskkit.read.read_log import read_log

            return read_log(files[0] if len(files) == 1 else files, about=about, **of_log)

        return command(log=log, **given)

    data = click.option("--kind", type=click.Choice(["real", "simulated", "synthetic"]), help="Kind of the data.")
    for add in [*reversed(OPTIONS.values()), data, click.argument("files", metavar="LOG...", nargs=-1)]:
        run = add(run)
    return run
