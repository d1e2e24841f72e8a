"""Options of the commands that replay a log through limits."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from riskkit.cli.of_log import ABOUT_LOG, Command, choice, with_log

if TYPE_CHECKING:
    from riskkit.replay.results.result import ReplayResult

ABOUT = f"""{ABOUT_LOG}
\b
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


def pace(text: str) -> str | float:
    """The pace of a flattening: a number if it is one."""
    try:
        return float(text)
    except ValueError:
        return text


OPTIONS = {
    "orphans": click.option(
        "--orphans", type=click.Choice(["keep", "clip", "drop"]),
        help="enforce: keep an exit from a position that is not held, clip it to flat, or drop it. [default: clip]",
    ),
    "on_trip": choice(
        "--on-trip", "leave", "cancel_working", "flatten",
        help="enforce: at a trip leave working orders, cancel them, or close positions as well.",
    ),
    "flatten": click.option(
        "--flatten", type=pace, metavar="PACE", default="touch",
        help="Pace of --on-trip flatten: touch, or a share of the market volume, as 0.1.",
    ),
    "plain": click.option("--plain", is_flag=True, help="Run the rules as plain Python: slow, same digest."),
}  # fmt: skip


def with_replay(command: Command) -> Command:
    """Decorator that adds log, rules and options of a replay; the command gets `log`, `rules` and `options`."""

    @functools.wraps(command)
    def run(*, rules: str, **given: Any) -> Any:
        from riskkit.replay.rules.ruleset import RuleSet

        options = {name: given.pop(name) for name in OPTIONS}
        options["compiled"] = False if options.pop("plain") else "auto"
        return command(rules=RuleSet.from_toml(rules), options=options, **given)

    for add in [*reversed(OPTIONS.values()), click.argument("rules", metavar="RULES")]:
        run = add(run)
    return with_log(run)


def with_result(command: Command) -> Command:
    """Decorator that replays the log in one mode; the command gets the `result`."""

    @functools.wraps(command)
    def run(*, log: Any, rules: Any, options: dict[str, Any], mode: str, **given: Any) -> Any:
        from riskkit.replay.run.replay_log import replay_log

        result: ReplayResult = replay_log(log(), rules, mode, **options)
        return command(result=result, **given)

    return with_replay(choice("--mode", "shadow", "enforce", help="Mode of the replay.")(run))
