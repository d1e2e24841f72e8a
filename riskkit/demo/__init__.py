"""The demo in two acts: one event log each, a rule set from a TOML file, replays without limits, in shadow and enforced.

    python -m riskkit demo

prints a table for each act and writes to the folder ``out``: a report, and the log for trying other rules on it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from riskkit import datasets
from riskkit._check import optional
from riskkit.demo import exchange, strategies
from riskkit.replay.compare import compare
from riskkit.replay.comparison import Comparison
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.report import write_report

__all__ = ["ACTS", "Act", "play", "rules_path", "run"]


class Act(NamedTuple):
    """One act of the demo."""

    name: str
    log: Callable[[], EventLog]
    sample_ns: int
    remark: str


ACTS = (
    Act(
        "strategies",
        strategies.event_log,
        86_400_000_000_000,
        "The limits are round shares of the opening capital, chosen so that some accounts meet them; an illustration.",
    ),
    Act(
        "exchange",
        exchange.event_log,
        exchange.SAMPLE_NS,
        "In the record the names trade with one another, so their profits add up to exactly 0. Under the limits some "
        "trades lose one side: the sum is what those sides would have lost or won.",
    ),
)


def rules_path(name: str) -> Path:
    """The TOML file with the limits of an act."""
    return datasets.folder() / "rules" / f"{name}.toml"


def play(act: Act, log: EventLog | None = None, *, progress: bool = False) -> Comparison:
    """Replay an act without limits, in shadow and enforced."""
    rules = RuleSet.from_toml(rules_path(act.name))
    log = act.log() if log is None else log
    return compare(log, rules, sample_ns=act.sample_ns, progress=progress)


def run(out: str | Path = "out", *, progress: bool = True, say: Callable[[str], object] = print) -> list[Path]:
    """Play both acts: tables to `say`, reports and logs into the folder `out`.

    Returns
    -------
    list of Path
        The reports.

    Raises
    ------
    ImportError
        Where vectorbt is not installed; nothing is written then.
    """
    optional("vectorbt", "notebooks")
    Path(out).mkdir(parents=True, exist_ok=True)
    written = []
    for number, act in enumerate(ACTS, 1):
        found = play(act, progress=progress)
        path = write_report(found, Path(out) / f"{act.name}.html", [act.remark])
        found.log.to_parquet(path.with_suffix(".parquet"))
        written.append(path)
        say(f"Act {number} of {len(ACTS)}, limits ({rules_path(act.name).name}):\n{found.rules}\n")
        say(f"{found!r}\n")
        say("\n".join([*found.sentences(), act.remark]) + "\n")
        say(f"Report: {path}\n")
    say(
        f"Try other limits: python -m riskkit replay {written[0].with_suffix('.parquet')} YOUR_RULES.toml --mode enforce"
    )
    return written
