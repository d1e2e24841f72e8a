"""``riskkit demo``."""

from __future__ import annotations

import click

from riskkit.cli.answer import Answer, answers


@click.command()
@click.option("--out", default="out", metavar="FOLDER", help="Folder of reports and logs.")
@answers
def demo(out: str) -> Answer:
    """Two examples with reports in a folder.

    Strategies on real daily prices, and the trades of a simulated exchange.
    """
    from riskkit.demo import run

    said: list[str] = []
    reports = run(out, say=said.append)
    return Answer("\n".join(said), {"reports": [str(path) for path in reports], "said": said})
