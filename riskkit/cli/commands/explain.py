"""``riskkit explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from riskkit.cli.answer import Answer, answers
from riskkit.cli.of_log import zone
from riskkit.cli.of_replay import ABOUT, with_result

if TYPE_CHECKING:
    from riskkit.replay.results.result import ReplayResult


@click.command(epilog=ABOUT)
@with_result
@click.option("--order", metavar="ID", help="The order, by its id.")
@click.option("--event", type=int, metavar="NUMBER", help="The event, by its number in the log, from 0.")
@click.option("--local", type=zone, default="UTC", metavar="ZONE", help="Time zone in which times are told.")
@answers
def explain(result: ReplayResult, order: str | None, event: int | None, local: str) -> Answer:
    """Why an order was refused, and what would have passed.

    Without --order or --event it says so of every refused order.
    """
    if order is not None and event is not None:
        raise click.UsageError("give --order or --event, not both")
    if order is None and event is None:
        refused = result.refused(tz=local)
        said = [str(sentence) for sentence in refused["sentence"]] or ["No order was refused."]
        return Answer("\n".join(said), {"refused": refused})
    found = result.explain(event, order_id=order, tz=local)
    return Answer(str(found), {"order": order, "event": event, "explanation": str(found)})
