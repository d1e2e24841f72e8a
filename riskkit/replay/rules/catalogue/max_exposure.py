"""Maximum exposure of an account or a group of accounts after the order, at marks.

Unit: money, gross (long plus short) or net (long less short, absolute). Source: ESMA RTS 6 (2017/589), Art. 15 and 17,
and the credit limits of clearing firms. A group's positions are netted over its accounts by instrument. Orders that
only reduce a position pass; a missing mark follows `on_missing_price`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import Record
from riskkit.replay.rules.catalogue.exposure import aged, counted, fresh_price, gross_with, net_with
from riskkit.replay.rules.parameters import (
    Breach,
    Duration,
    Flag,
    Limit,
    MissingPrice,
    Money,
    at_most,
    choice,
    if_unpriced,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow

GROSS = 0


class MaxExposure(NamedTuple):
    """Gross or net exposure is at most `limit` after the order; ``working`` counts working orders as filled.

    Of the working orders of a position those of one side count: for the gross exposure of the side that makes it largest,
    for the net exposure of the order's side, on which it is limited.

    Parameters
    ----------
    measure
        gross adds long and short positions, net subtracts them.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("max_exposure", MaxExposure(limit=1_000_000)))
    max_exposure: a gross exposure of at most 1,000,000 in money after the order, with working orders, at marks,
    for each account. Orders and modifications that would breach it are rejected, unless they only reduce a
    position (severity WARN).
    """

    limit: Limit[Money]
    measure: choice("gross", "net") = "gross"
    working: Flag = True
    max_mark_age_ns: Duration = None
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow, held: Record, instruments: Record) -> Verdict:
    """Compare the exposure after the order with the limit."""
    return converted(params, book, event, held, instruments, None)


def converted(params: Any, book: Book, event: EventRow, held: Record, instruments: Record, rate: Record) -> Verdict:
    """Compare the exposure after the order, converted, with the limit."""
    price = fresh_price(params, book, event, held, instruments)
    if price == MISSING:
        return unpriced(params.on_missing_price, 0, params.limit)
    if params.measure == GROSS:
        observed = gross_with(params, book, event, price, rate)
    else:
        observed = net_with(params, book, event, price, rate)
    return Verdict(OBJECT if observed > params.limit else PASS, observed, params.limit)


MAX_EXPOSURE = register(
    RuleType(
        name="max_exposure",
        parameters=MaxExposure,
        check=check,
        converted=converted,
        exempt_reducing=True,
        requires=frozenset({"marks", "exposures"}),
        reads=frozenset({"exposure"}),
        observes="limit",
        standing=True,
        looks_at=frozenset({"positions"}),
        one_pass=True,
        bounds="orders",
        sentence=lambda params: (
            f"a {params.measure} exposure of {at_most(params)} {params.limit} in money after the order, "
            f"{counted(params)}, at marks{aged(params)}{if_unpriced(params)}"
        ),
    )
)
