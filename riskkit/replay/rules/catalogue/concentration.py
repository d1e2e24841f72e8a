"""Concentration: the largest position of a book as a share of its gross exposure, after the order, at marks.

Unit: fraction. Source: concentration limits of funds (UCITS 5/10/40 among them). The first position of an account is
100 % of it: the limit applies only to a gross exposure of more than `above`. Orders that only reduce a position pass,
and single orders that do not raise the largest share, but for those that enlarge the only position; a list of orders is judged
as a whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of, share
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.rules.catalogue.exposure import (
    after,
    aged,
    before,
    counted,
    fresh_price,
    gross_before,
    gross_with,
)
from riskkit.replay.rules.parameters import (
    Breach,
    Duration,
    Flag,
    Limit,
    MissingPrice,
    Money,
    Proportion,
    at_most,
    if_unpriced,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow


class ConcentrationLimit(NamedTuple):
    """The largest position is at most the fraction `limit` of a gross exposure that is more than `above`.

    Parameters
    ----------
    limit
        Largest share of the gross exposure that one instrument may have.
    above
        Gross exposure up to which any share passes.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("concentration", ConcentrationLimit(limit="0.4")))
    concentration: a largest position of at most 40 % of the gross exposure after the order, with working
    orders, for each account. Orders and modifications that would breach it are rejected, unless they only
    reduce a position (severity WARN).
    """

    limit: Limit[Proportion]
    above: Money = 0
    working: Flag = True
    max_mark_age_ns: Duration = None
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def largest_other(params: Any, book: Book, held: Record) -> int:
    """Exposure of the book's largest position in another instrument."""
    largest = 0
    place = book.account.first_position
    while place >= 0:
        position = at(held, place)
        if position.instrument != book.position.instrument:
            largest = max(largest, before(params, position).gross)
        place = position.next_of_account
    return largest


def check(params: Any, book: Book, event: EventRow, held: Record, instruments: Record, later: int) -> Verdict:
    """Compare the largest position after the order, or the whole list, with the limit's fraction of the exposure."""
    price = fresh_price(params, book, event, held, instruments)
    if price == MISSING:
        return unpriced(params.on_missing_price, 0, 0)
    gross = gross_with(params, book, event, price, None)
    if gross <= params.above or later != 0:
        return Verdict(PASS, 0, 0)
    others = largest_other(params, book, held)
    observed = max(others, after(params, book, event, price).gross)
    breaches = exceeds_fraction(observed, params.limit, gross, params.breach)
    if breaches and event.batch < 0 and gross_before(params, book) > 0:
        largest = max(others, before(params, book.position).gross)
        grows = observed == gross and observed > largest  # a share of 100 % that is not raised and yet is more
        breaches = grows or observed > share(gross, largest, gross_before(params, book))
    return Verdict(OBJECT if breaches else PASS, observed, fraction_of(gross, params.limit))


def sentence(params: ConcentrationLimit) -> str:
    """The limit in words."""
    bound = at_most(params)
    above = f", once that exceeds {params.above} in money" if params.above else ""
    size = f"{float(params.limit) * 100:g} %"
    marks = f", at marks{aged(params)}" if params.max_mark_age_ns is not None else ""
    share = f"a largest position of {bound} {size} of the gross exposure after the order{above}"
    return f"{share}, {counted(params)}{marks}{if_unpriced(params)}"


CONCENTRATION = register(
    RuleType(
        name="concentration",
        parameters=ConcentrationLimit,
        check=check,
        exempt_reducing=True,
        requires=frozenset({"marks", "exposures"}),
        reads=frozenset({"share"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions"}),
        desk_limit="max_position_size",
        sentence=sentence,
    )
)
