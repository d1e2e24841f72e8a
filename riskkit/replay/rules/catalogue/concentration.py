"""Concentration: the largest position of an account as a share of its gross exposure, after the order, at marks.

Unit: fraction. Source: concentration limits of funds (UCITS 5/10/40 among them). The first position of an account is
100 % of it: the limit applies only to a gross exposure of more than `above`. Orders that only reduce a position pass.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.rules.catalogue.exposure import gross_after, mark_of, value_after
from riskkit.replay.rules.parameters import Breach, Limit, MissingPrice, Money, Part, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow


class ConcentrationLimit(NamedTuple):
    """The largest position is at most the fraction `limit` of a gross exposure that is more than `above`.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("concentration", ConcentrationLimit(limit="0.4")))
    concentration: a largest position of at most 40 % of a gross exposure after the order, for each account;
    what breaches it is refused (WARN).
    """

    limit: Limit[Part]
    above: Money = 0
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def largest_after(book: Book, event: EventRow, positions: Record, mark: int) -> int:
    """Size of the account's largest position after the fill of the order."""
    largest = abs(value_after(book, event, mark))
    pair = book.account.first_position
    while pair >= 0:
        position = at(positions, pair)
        if pair != event.pair:
            largest = max(largest, abs(position.value))
        pair = position.next_of_account
    return largest


def check(params: Any, book: Book, event: EventRow, positions: Record) -> Verdict:
    """Compare the largest position after the order with the limit's fraction of the gross exposure."""
    mark = mark_of(book, event)
    if mark == MISSING:
        return unpriced(params.on_missing_price, 0, 0)
    gross = gross_after(book, event, mark)
    if gross <= params.above:
        return Verdict(PASS, 0, 0)
    observed = largest_after(book, event, positions, mark)
    breaches = exceeds_fraction(observed, params.limit, gross, params.breach)
    return Verdict(OBJECT if breaches else PASS, observed, fraction_of(gross, params.limit))


def sentence(params: ConcentrationLimit) -> str:
    """The limit in words."""
    bound = at_most(params)
    above = f" of more than {params.above} in money" if params.above else ""
    return f"a largest position of {bound} {float(params.limit) * 100:g} % of a gross exposure{above} after the order"


CONCENTRATION = register(
    RuleType(
        name="concentration",
        parameters=ConcentrationLimit,
        check=check,
        exempt_reducing=True,
        requires=frozenset({"marks", "orders"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions"}),
        desk_limit="max_position_size",
        sentence=sentence,
    )
)
