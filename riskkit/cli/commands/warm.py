"""``riskkit warm``."""

from __future__ import annotations

import click

from riskkit.cli.answer import Answer, answers


@click.command()
@answers
def warm() -> Answer:
    """Compile the rules of the catalogue, once.

    No combination of them then waits for the compiler.
    """
    from riskkit.replay.live.warm import warm

    done = warm()
    return Answer(done, {"done": done})
