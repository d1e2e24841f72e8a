"""Leverage: gross exposure of an account or a group of accounts as a multiple of its equity, after the order, at marks.

Unit: multiple. Source: leverage limits of brokers and of ESMA's retail measures. Without equity above zero every order
that adds exposure is refused. A group's positions are netted over its accounts by instrument, its equity is the sum.
Orders that only reduce a position pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book, equity
from riskkit.replay.kernels.integers import MILLION, exceeds_fraction, fraction_of
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.exposure import aged, counted, fresh_price, gross_with
from riskkit.replay.rules.parameters import Breach, Duration, Flag, Limit, MissingPrice, Ratio, at_most, if_unpriced
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.constants import LARGEST


class Leverage(NamedTuple):
    """Gross exposure is at most `limit` times the equity after the order; ``working`` counts working orders as filled.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("leverage", Leverage(limit=3)))
    leverage: a gross exposure of at most 3 times the equity after the order, with working orders, at marks, for
    each account. Orders and modifications that would breach it are rejected, unless they only reduce a position
    (severity WARN).
    """

    limit: Limit[Ratio]
    working: Flag = True
    max_mark_age_ns: Duration = None
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow, held: Record, instruments: Record) -> Verdict:
    """Compare the gross exposure after the order with the equity."""
    return converted(params, book, event, held, instruments, None)


def converted(params: Any, book: Book, event: EventRow, held: Record, instruments: Record, rate: Record) -> Verdict:
    """Compare the gross exposure after the order with the equity, both converted."""
    price = fresh_price(params, book, event, held, instruments)
    if price == MISSING:
        return unpriced(params.on_missing_price, 0, 0)
    gross = gross_with(params, book, event, price, rate)
    account_equity = equity(book.account)
    if account_equity <= 0:
        return Verdict(OBJECT if gross > 0 else PASS, gross, 0)
    if account_equity // MILLION >= LARGEST // max(params.limit, 1):  # the limit exceeds 64 bits
        return Verdict(PASS, gross, LARGEST)
    breaches = exceeds_fraction(gross, params.limit, account_equity, params.breach)
    return Verdict(OBJECT if breaches else PASS, gross, fraction_of(account_equity, params.limit))


LEVERAGE = register(
    RuleType(
        name="leverage",
        parameters=Leverage,
        check=check,
        converted=converted,
        exempt_reducing=True,
        requires=frozenset({"marks", "exposures"}),
        reads=frozenset({"exposure", "equity"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions", "cash"}),
        sentence=lambda params: (
            f"a gross exposure of {at_most(params)} {float(params.limit):g} times the equity after the order, "
            f"{counted(params)}, at marks{aged(params)}{if_unpriced(params)}"
        ),
    )
)
