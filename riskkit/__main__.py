"""The command line: ``python -m riskkit demo``, ``replay LOG RULES``, ``serve RULES``, ``warm`` and ``api``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from riskkit._check import InputError

DONE, FAILED, BAD_INPUT = 0, 1, 2
EPILOG = """\
examples:
  python -m riskkit demo                                       two examples, reports in out/
  python -m riskkit replay log.parquet limits.toml             decisions of each limit on recorded events
  python -m riskkit replay log.parquet limits.toml --mode enforce --report out/report.html
  python -m riskkit replay orders.csv limits.toml --kind real  a CSV table, one event per row
  python -m riskkit serve limits.toml --state DIR              limits behind HTTP and WebSocket, 127.0.0.1:8300
  python -m riskkit warm                                       compile the rules of the catalogue, once
  python -m riskkit api                                        reference pages under out/api

exit codes: 0 done, 1 the run failed, 2 bad arguments or input
"""
REPLAY_EPILOG = """\
LOG is one of
  a Parquet file that EventLog.to_parquet wrote, or a folder that EventLog.save wrote;
  a CSV or Parquet table with one event per row. Required columns: ts and kind (order, fill, price, cancel, ...), and
  for orders and fills account, instrument, side (B or S), qty, price and order_id; a fill has its order's order_id.

a table:
  ts,kind,account,instrument,side,qty,price,order_id
  2024-03-05 14:30:00,order,desk-1,ESH4,B,2,5100.25,a1
  2024-03-05 14:30:00.2,fill,desk-1,ESH4,B,2,5100.25,a1
  2024-03-05 14:31:00,price,,ESH4,,,5098.00,

UNITS.toml, its units (by default: ticks and lots inferred, multiplier 1, USD, accounts that start empty):
  quanta = { USD = "0.01" }
  [[instruments]]
  id = "ESH4"
  tick = "0.25"
  multiplier = 50
  [[accounts]]
  id = "desk-1"
  cash = { USD = 1000000 }

RULES, a TOML file with one table per limit:
  [[rules]]
  id = "daily-loss"
  type = "daily_loss"
  action = "PAUSE"
  [rules.params]
  limit = 50000
  tz = "America/New_York"
  roll_hour = 17

shadow reports the decisions of each rule and changes nothing; enforce removes rejected orders and their fills from the
log. Neither the market nor a strategy reacts.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; argparse exits with code 2 on invalid arguments."""
    parser = _parser()
    chosen = parser.parse_args(argv)
    if chosen.command is None:
        parser.print_help(sys.stderr)
        return BAD_INPUT
    try:
        return int(chosen.run(chosen))
    except (InputError, ImportError) as problem:
        print(f"riskkit: {problem}", file=sys.stderr)
        return BAD_INPUT
    except (OSError, RuntimeError, MemoryError) as problem:
        print(f"riskkit: the run failed: {problem or type(problem).__name__}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    layout: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter}
    parser = argparse.ArgumentParser(
        prog="riskkit", description="Replay recorded orders, fills and prices through risk limits.", epilog=EPILOG, **layout
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", title="commands", metavar="{demo,replay,serve,warm,api}")

    def command(run: Callable[[argparse.Namespace], int], help: str, epilog: str | None = None) -> Any:
        name = run.__name__.removeprefix("_")
        added = commands.add_parser(name, help=help, description=run.__doc__, epilog=epilog, **layout)
        added.set_defaults(run=run)
        return added

    demo = command(_demo, "two examples: strategies on real prices, a simulated exchange")
    demo.add_argument("--out", default="out", metavar="FOLDER", help="folder of reports and logs (default: out)")
    replay = command(_replay, "replay a log through limits", REPLAY_EPILOG)
    replay.add_argument("log", metavar="LOG", type=Path, help="event log, or a table with one event per row")
    replay.add_argument("rules", metavar="RULES", type=Path, help="the limits, a TOML file")
    replay.add_argument(
        "--mode", choices=("shadow", "enforce", "both"), default="shadow",
        help="replay beside the one without limits (default: shadow)",
    )  # fmt: skip
    replay.add_argument("--report", type=Path, metavar="FILE.html", help="write an HTML report")
    replay.add_argument(
        "--orphans", choices=("keep", "clip", "drop"),
        help="enforce: keep an exit from a position that is not held, clip it to flat, or drop it (default: clip)",
    )  # fmt: skip
    replay.add_argument(
        "--on-trip", choices=("leave", "cancel_working", "flatten"), default="leave",
        help="enforce: at a trip leave working orders, cancel them, or close positions as well (default: leave)",
    )  # fmt: skip
    replay.add_argument(
        "--flatten", type=_pace, default="touch", metavar="PACE",
        help="pace of --on-trip flatten: touch, or a share of the market volume, as 0.1 (default: touch)",
    )  # fmt: skip
    replay.add_argument(
        "--sample",
        metavar="TIME",
        help="spacing of the profit curve, as 1d or 10s (default: from the length of the log)",
    )
    replay.add_argument("--plain", action="store_true", help="run the rules as plain Python: slow, same digest")
    replay.add_argument("--kind", choices=("real", "simulated", "synthetic"), help="kind of the data, for the report")
    table = replay.add_argument_group("for a table")
    table.add_argument("--units", metavar="UNITS.toml", help="ticks, lots, multipliers, currencies, opening balances")
    table.add_argument(
        "--unit", choices=("s", "ms", "us", "ns"), help="unit of times that are numbers (default: told by their size)"
    )
    table.add_argument("--time-format", metavar="FORM", help="form of times, as %%d.%%m.%%Y (default: ISO 8601)")
    table.add_argument("--tz", default="UTC", help="time zone of times without one (default: UTC)")
    table.add_argument(
        "--ts-policy", choices=("raise", "reject", "clamp", "sort"), default="raise",
        help="time before the previous one: raise, reject the event, clamp its time, or sort (default: raise)",
    )  # fmt: skip
    table.add_argument(
        "--on-bad-order", choices=("raise", "flag"), default="raise",
        help="order off the tick or lot grid: raise, or flag it (default: raise)",
    )  # fmt: skip
    table.add_argument(
        "--order-ids", choices=("unique", "account", "day", "account_day"), default="unique",
        help="within what an order id names one order: the log, an account, a day, a day of an account (default: unique)",
    )  # fmt: skip
    table.add_argument(
        "--unknown-orders", choices=("refuse", "external"), default="refuse",
        help="event of an order that the log does not have: refuse, or keep as one from before the log (default: refuse)",
    )  # fmt: skip
    table.add_argument(
        "--rounding", choices=("refuse", "nearest"), default="refuse",
        help="number between two ticks, lots or units of money: refuse, or take the nearest (default: refuse)",
    )  # fmt: skip
    table.add_argument(
        "--currencies", choices=("one", "many"), default="one", help="currencies of an account (default: one)"
    )
    table.add_argument(
        "--columns", action="append", type=_heading, default=[], metavar="HEADING=COLUMN", help="another heading"
    )
    table.add_argument("--ignore", action="append", default=[], metavar="HEADING", help="a column to leave out")
    served = command(_serve, "limits as a service: HTTP and WebSocket")
    served.add_argument("rules", metavar="RULES", type=Path, help="the limits, a TOML file")
    served.add_argument("--state", required=True, metavar="DIR", help="folder of the journal, the keys and the audit")
    served.add_argument("--units", metavar="UNITS.toml", help="instruments and accounts (default: any)")
    served.add_argument("--settings", metavar="FILE.toml", help="settings of the service")
    served.add_argument("--host", help="address to listen at (default: 127.0.0.1)")
    served.add_argument("--port", type=int, help="port (default: RISK_ENGINE_PORT, else 8300)")
    command(_warm, "compile the rules of the catalogue, once for this version")
    api = command(_api, "reference pages of all public names")
    api.add_argument("--out", default="out/api", metavar="FOLDER", help="folder of the pages (default: out/api)")
    return parser


def _heading(text: str) -> tuple[str, str]:
    """A heading and the column that it means, of HEADING=COLUMN."""
    heading, equals, name = text.rpartition("=")
    if not (heading and equals and name):
        raise argparse.ArgumentTypeError(f"{text!r} is not HEADING=COLUMN, as 'Filled Qty=qty'")
    return heading, name


def _pace(text: str) -> str | float:
    """The pace of a flattening, of a word or a share."""
    try:
        return float(text)
    except ValueError:
        return text


def _demo(chosen: argparse.Namespace) -> int:
    """Two examples: twenty vectorbt strategies on real daily prices, and the trades of a simulated exchange."""
    from riskkit.demo import run

    run(chosen.out)
    return DONE


def _serve(chosen: argparse.Namespace) -> int:
    """Orders, fills and prices over HTTP through limits, until a signal ends it (needs riskkit[service])."""
    from riskkit.service.serve import serve

    given = {"units": chosen.units, "settings": chosen.settings, "host": chosen.host, "port": chosen.port}
    serve(chosen.rules, chosen.state, **given)
    return DONE


def _warm(chosen: argparse.Namespace) -> int:
    """Compile the loop that holds every rule of the catalogue, so that no combination of them waits for the compiler."""
    from riskkit.replay.run.warm import warm

    print(warm())
    return DONE


def _api(chosen: argparse.Namespace) -> int:
    """Reference pages of all public names, made from the docstrings (needs pdoc: riskkit[notebooks])."""
    from riskkit.api import write_api

    print(f"open {write_api(chosen.out)}")
    return DONE


def _replay(chosen: argparse.Namespace) -> int:
    """Replay a log without and with limits, and compare the results."""
    from riskkit.read.read_log import read_log
    from riskkit.replay.rules.ruleset import RuleSet
    from riskkit.replay.run.compare import compare
    from riskkit.replay.schema.durations import duration
    from riskkit.report import write_report

    rules = RuleSet.from_toml(chosen.rules)
    spacing = None if chosen.sample is None else duration(chosen.sample, "--sample")
    if chosen.report is not None:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
    log = read_log(
        chosen.log,
        units=chosen.units,
        tz=chosen.tz,
        unit=chosen.unit,
        time_format=chosen.time_format,
        ts_policy=chosen.ts_policy,
        on_bad_order=chosen.on_bad_order,
        order_ids=chosen.order_ids,
        unknown_orders=chosen.unknown_orders,
        rounding=chosen.rounding,
        currencies=chosen.currencies,
        columns=dict(chosen.columns),
        ignore=chosen.ignore,
        about={"kind": chosen.kind} if chosen.kind else None,
    )
    found = compare(
        log,
        rules,
        ("shadow", "enforce") if chosen.mode == "both" else (chosen.mode,),
        orphans=chosen.orphans,
        on_trip=chosen.on_trip,
        flatten=chosen.flatten,
        sample_ns=spacing,
        compiled=False if chosen.plain else "auto",
        progress=True,
    )
    print(f"{rules}\n\n{found!r}\n")
    print("\n".join(found.sentences()))
    if chosen.report is not None:
        print(f"\nReport: {write_report(found, chosen.report)}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
