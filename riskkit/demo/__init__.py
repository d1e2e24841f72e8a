"""Demo of two examples, each an event log and a rule set, replayed without limits, in shadow and in enforce mode.

    python -m riskkit demo

prints a table for each example and writes a report and the log to the folder ``out``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from riskkit import datasets
from riskkit._check import optional
from riskkit.demo import exchange, strategies
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare import compare
from riskkit.replay.run.comparison import ReplayComparison
from riskkit.report.comparison import write_report

__all__ = ["ACTS", "Act", "play", "rules_path", "run"]


class Act(NamedTuple):
    """One example of the demo."""

    name: str
    log: Callable[[], EventLog]
    sample_ns: int
    remark: str


ACTS = (
    Act(
        "strategies",
        strategies.event_log,
        86_400_000_000_000,
        "The limits are round fractions of the opening capital, chosen so that some accounts reach them; an illustration.",
    ),
    Act(
        "exchange",
        exchange.event_log,
        exchange.SAMPLE_NS,
        "In the recorded log the accounts trade with one another, so their profits sum to exactly 0. Under the limits "
        "some trades lose one side: the sum is the profit that those sides would have made.",
    ),
)


def rules_path(name: str) -> Path:
    """TOML file with the limits of an example."""
    return datasets.folder() / "rules" / f"{name}.toml"


def play(act: Act, log: EventLog | None = None, *, progress: bool | None = None) -> ReplayComparison:
    """Replay an example without limits, in shadow and in enforce mode."""
    rules = RuleSet.from_toml(rules_path(act.name))
    log = act.log() if log is None else log
    return compare(log, rules, sample_ns=act.sample_ns, progress=progress)


def run(out: str | Path = "out", *, progress: bool | None = None, say: Callable[[str], object] = print) -> list[Path]:
    """Replay both examples: print tables with `say`, write reports and logs to the folder `out`.

    Returns
    -------
    list of Path
        The reports.

    Raises
    ------
    ImportError
        If vectorbt is not installed; then nothing is written.
    """
    optional("vectorbt", "notebooks")
    written = []
    for number, act in enumerate(ACTS, 1):
        found = play(act, progress=progress)
        path = write_report(found, Path(out) / f"{act.name}.html", [act.remark])
        found.log.to_parquet(path.with_suffix(".parquet"))
        written.append(path)
        say(f"Example {number} of {len(ACTS)}, limits ({rules_path(act.name).name}):\n{found.rules}\n")
        say(f"{found!r}\n")
        say("\n".join([*found.sentences(), act.remark]) + "\n")
        say(f"Report: {path}\n")
    say(
        f"Try other limits: python -m riskkit replay {written[0].with_suffix('.parquet')} YOUR_RULES.toml --mode enforce"
    )
    return written
