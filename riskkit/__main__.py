"""The command line: ``python -m riskkit demo``, ``replay LOG RULES`` and ``api``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from riskkit._check import InputError

__all__ = ["main"]

DONE, FAILED, BAD_INPUT = 0, 1, 2
EPILOG = """\
examples:
  python -m riskkit demo                                       two examples, reports in out/
  python -m riskkit replay log.parquet limits.toml             what would each limit have said?
  python -m riskkit replay log.parquet limits.toml --mode enforce --report out/report.html
  python -m riskkit replay orders.csv limits.toml --kind real  a table of your own, one event a row
  python -m riskkit api                                        every public name, as pages under out/api

exit codes: 0 done, 1 the run failed, 2 bad arguments or input
"""
REPLAY_EPILOG = """\
LOG is one of
  a Parquet file that EventLog.to_parquet wrote, or a folder that EventLog.save wrote;
  a CSV or Parquet table with one event a row. It needs the columns ts and kind (order, fill, price, cancel, ...), and
  for orders and fills account, instrument, side (B or S), qty, price and order_id; a fill has its order's order_id.

a table:
  ts,kind,account,instrument,side,qty,price,order_id
  2024-03-05 14:30:00,order,desk-1,ESH4,B,2,5100.25,a1
  2024-03-05 14:30:00.2,fill,desk-1,ESH4,B,2,5100.25,a1
  2024-03-05 14:31:00,price,,ESH4,,,5098.00,

its units (without them: ticks and lots as they occur, multiplier 1, USD, accounts that start empty), UNITS.toml:
  [[instruments]]
  id = "ESH4"
  tick = "0.25"
  multiplier = 50
  [[accounts]]
  id = "desk-1"
  cash = { USD = 1000000 }

RULES, a TOML file with a table for each limit:
  [[rules]]
  id = "daily-loss"
  type = "daily_loss"
  action = "PAUSE"
  [rules.params]
  limit = 50000
  tz = "America/New_York"
  roll_hour = 17

shadow asks what each rule would have said and changes nothing; enforce takes refused orders, and their fills, out of
the record. Neither the market nor a strategy reacts.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; argparse itself leaves with code 2 on bad arguments."""
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
    shape: dict[str, Any] = {"formatter_class": argparse.RawDescriptionHelpFormatter}
    parser = argparse.ArgumentParser(
        prog="riskkit",
        description="Replay recorded orders, fills and prices through risk limits.",
        epilog=EPILOG,
        **shape,
    )
    commands = parser.add_subparsers(dest="command", title="commands", metavar="{demo,replay,api}")
    demo = commands.add_parser(
        "demo", help="two examples: strategies on real prices, a simulated exchange", description=_demo.__doc__, **shape
    )
    demo.add_argument("--out", default="out", metavar="FOLDER", help="where reports and logs go (default: out)")
    demo.set_defaults(run=_demo)
    replay = commands.add_parser(
        "replay", help="a log of your own through limits of your own", description=_replay.__doc__, epilog=REPLAY_EPILOG,
        **shape,
    )  # fmt: skip
    replay.add_argument("log", metavar="LOG", type=Path, help="event log, or a table with one event a row")
    replay.add_argument("rules", metavar="RULES", type=Path, help="the limits, a TOML file")
    replay.add_argument(
        "--mode", choices=("shadow", "enforce", "both"), default="shadow", help="beside no limits (default: shadow)"
    )
    replay.add_argument("--report", type=Path, metavar="FILE.html", help="write a report with pictures")
    replay.add_argument(
        "--orphans", choices=("keep", "clip", "drop"),
        help="enforce: an exit from what is not held stands, is cut to flat, or is left out (default: as the log says, else keep)",
    )  # fmt: skip
    replay.add_argument(
        "--on-trip", choices=("leave", "cancel_working"), default="leave",
        help="enforce: what becomes of working orders at a trip (default: leave)",
    )  # fmt: skip
    replay.add_argument(
        "--sample", metavar="TIME", help="spacing of the profit curve, as 1d or 10s (default: one that suits the log)"
    )
    replay.add_argument("--plain", action="store_true", help="run the rules as plain Python: slow, the same digest")
    table = replay.add_argument_group("for a table")
    table.add_argument(
        "--units", metavar="UNITS.toml", help="ticks, lots, multipliers, currencies and opening balances"
    )
    table.add_argument("--tz", default="UTC", help="time zone of times that carry none (default: UTC)")
    table.add_argument(
        "--ts-policy", choices=("raise", "reject", "clamp", "sort"), default="raise",
        help="a time below the one before: refuse the table, skip the event, lift it, or sort (default: raise)",
    )  # fmt: skip
    table.add_argument(
        "--on-bad-order", choices=("raise", "flag"), default="raise",
        help="an order off the grid of ticks and lots: refuse the table, or flag it (default: raise)",
    )  # fmt: skip
    replay.add_argument("--kind", choices=("real", "simulated", "synthetic"), help="what the data are, for the tables")
    replay.set_defaults(run=_replay)
    api = commands.add_parser("api", help="every public name, with its examples", description=_api.__doc__, **shape)
    api.add_argument("--out", default="out/api", metavar="FOLDER", help="where the pages go (default: out/api)")
    api.set_defaults(run=_api)
    return parser


def _demo(chosen: argparse.Namespace) -> int:
    """Two examples: twenty vectorbt strategies on real daily prices, and the tape of a simulated exchange."""
    from riskkit.demo import run

    run(chosen.out)
    return DONE


def _api(chosen: argparse.Namespace) -> int:
    """Every public name as static pages, made from the docstrings (needs pdoc, which riskkit[notebooks] brings)."""
    from riskkit.api import write_api

    print(f"open {write_api(chosen.out)}")
    return DONE


def _replay(chosen: argparse.Namespace) -> int:
    """Replay a log without limits and with yours, and put the answers side by side."""
    from riskkit.replay.compare import compare
    from riskkit.replay.files import read_log
    from riskkit.replay.parameters import duration
    from riskkit.replay.ruleset import RuleSet
    from riskkit.report import write_report

    rules = RuleSet.from_toml(chosen.rules)
    spacing = None if chosen.sample is None else duration(chosen.sample, "--sample")
    if chosen.report is not None:
        chosen.report.parent.mkdir(parents=True, exist_ok=True)
    log = read_log(
        chosen.log,
        units=chosen.units,
        tz=chosen.tz,
        ts_policy=chosen.ts_policy,
        on_bad_order=chosen.on_bad_order,
        about={"kind": chosen.kind} if chosen.kind else None,
    )
    found = compare(
        log,
        rules,
        ("shadow", "enforce") if chosen.mode == "both" else (chosen.mode,),
        orphans=chosen.orphans,
        on_trip=chosen.on_trip,
        sample_ns=spacing,
        compiled=not chosen.plain,
        progress=True,
    )
    print(f"{rules}\n\n{found!r}\n")
    print("\n".join(found.sentences()))
    if chosen.report is not None:
        print(f"\nReport: {write_report(found, chosen.report)}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
