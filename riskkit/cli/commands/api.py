"""``riskkit api``."""

from __future__ import annotations

import click

from riskkit.cli.answer import Answer, answers


@click.command()
@click.option("--out", default="out/api", metavar="FOLDER", help="Folder of the pages.")
@answers
def api(out: str) -> Answer:
    """Reference pages of all public names (needs pdoc)."""
    from riskkit.api import write_api

    path = write_api(out)
    return Answer(f"open {path}", {"pages": str(path)})
