"""``riskkit risk``."""

from __future__ import annotations

from typing import Any

import click

from riskkit.cli.answer import Answer, answers
from riskkit.cli.of_book import ABOUT, Book, with_book
from riskkit.cli.of_model import confidence, method


@click.command(epilog=ABOUT)
@with_book
@method
@confidence
@answers
def risk(book: Book, method: Any, confidence: float) -> Answer:
    """VaR and ES of a book.

    Losses of one period are fractions, or with --positions money.
    """
    from riskkit.var import value_at_risk

    found = value_at_risk(book.returns, confidence, method)
    return Answer.of(found, method=found.method, observations=found.n_obs, estimates=found.to_frame())
