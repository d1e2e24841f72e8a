"""``riskkit backtest``."""

from __future__ import annotations

from typing import Any

import click

from riskkit._check import InputError
from riskkit.cli.answer import Answer, answers
from riskkit.cli.of_book import ABOUT, Book, with_book
from riskkit.cli.of_model import confidence, method


@click.command(epilog=ABOUT)
@with_book
@method
@confidence
@click.option("--window", default=250, help="Periods from which each forecast is made.")
@answers
def backtest(book: Book, method: Any, confidence: float, window: int) -> Answer:
    """Backtest of VaR and ES of a book.

    Each period is forecast from the periods before it; all tests that apply say whether the forecasts held.
    """
    from riskkit.var import rolling_var
    from riskkit.var_backtest import backtest_var

    if getattr(book.returns, "ndim", 1) > 1:
        raise InputError(f"the table has {book.returns.shape[1]} columns; give --weights or --positions of one book")
    found = backtest_var(rolling_var(book.returns, window, confidence, method))
    days = len(found.sample.returns)
    return Answer.of(found, verdict=found.verdict, hits=found.n_hits, days=days, tests=found.to_frame())
