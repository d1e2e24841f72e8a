"""``riskkit replay``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from riskkit._files import make_folder
from riskkit.cli.answer import Answer, answers
from riskkit.cli.of_log import choice
from riskkit.cli.of_replay import ABOUT, with_replay


@click.command(epilog=ABOUT)
@with_replay
@choice("--mode", "shadow", "enforce", "both", help="Replay beside the one without limits.")
@click.option("--report", type=Path, metavar="FILE.html", help="Write an HTML report.")
@click.option(
    "--sample", metavar="TIME", help="Spacing of the profit curve, as 1d. [default: from the length of the log]"
)
@answers
def replay(
    log: Callable[[], Any], rules: Any, options: dict[str, Any], mode: str, report: Path | None, sample: str | None
) -> Answer:
    """What limits would have done to a recorded log."""
    from riskkit.replay.run.compare import compare
    from riskkit.replay.schema.durations import duration
    from riskkit.report import write_report

    spacing = None if sample is None else duration(sample, "--sample")
    if report is not None:
        make_folder(report.parent)
    modes = ("shadow", "enforce") if mode == "both" else (mode,)
    found = compare(log(), rules, modes, sample_ns=spacing, **options)  # type: ignore[arg-type]
    sentences = found.sentences()
    text = "\n".join([f"{rules}\n\n{found!r}\n", *sentences])
    facts = {
        "rules": [str(rule) for rule in rules],
        "results": {mode: result.summary() for mode, result in found.results.items()},
        "measures": found.to_frame(),
        "sentences": sentences,
    }
    if report is not None:
        facts["report"] = str(write_report(found, report))
        text += f"\n\nReport: {report}"
    return Answer(text, facts)
