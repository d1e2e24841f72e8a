"""``riskkit report``: HTML files for a committee."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from riskkit.cli.answer import Answer, answers
from riskkit.cli.of_book import ABOUT as ABOUT_BOOK
from riskkit.cli.of_book import Book, with_book
from riskkit.cli.of_log import zone
from riskkit.cli.of_model import confidence
from riskkit.cli.of_replay import ABOUT as ABOUT_REPLAY
from riskkit.cli.of_replay import with_result

if TYPE_CHECKING:
    from riskkit.replay.results.result import ReplayResult

out = click.option("--out", required=True, metavar="FILE.html", help="The file to write.")


@click.group()
def report() -> None:
    """Reports, each as one HTML file.

    A browser prints them as PDF.
    """


@report.command(epilog=ABOUT_BOOK)
@with_book
@confidence
@click.option("--window", default=250, help="Periods from which each forecast of the backtest is made.")
@click.option("--currency", default="", help="Unit of the positions, for the headings.")
@out
@answers
def risk(book: Book, confidence: float, window: int, currency: str, out: str) -> Answer:
    """Risk tear sheet of a book.

    It has VaR by every method, a backtest, contributions, crises and drawdowns.
    """
    from riskkit.report import tear_sheet

    returns = book.returns if book.positions is None else book.assets
    options = {"positions": book.positions, "confidence": confidence, "window": window, "currency": currency}
    path = tear_sheet(returns, out, **options)
    return Answer(f"Report: {path}", {"report": str(path)})


@report.command(epilog=ABOUT_REPLAY)
@with_result
@click.option("--local", type=zone, default="UTC", metavar="ZONE", help="Time zone of hours and times.")
@out
@answers
def limits(result: ReplayResult, local: str, out: str) -> Answer:
    """What the limits of a replay refused.

    It counts by rule, instrument, account and hour, and explains each refusal.
    """
    from riskkit.report import limits

    path = limits(result, out, tz=local)
    return Answer(f"Report: {path}", {"report": str(path)})
