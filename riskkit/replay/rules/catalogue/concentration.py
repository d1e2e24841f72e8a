"""Concentration: the largest position of an account as a share of its gross exposure, after the order, at marks.

Unit: fraction. Source: concentration limits of funds (UCITS 5/10/40 among them). The first position of an account is
all of it: `above` says from which gross exposure on the limit holds. What only reduces a position passes.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.kernels.records import at
from riskkit.replay.rules.catalogue.exposure import gross_after, mark_of, value_after
from riskkit.replay.rules.parameters import Breach, Limit, MissingPrice, Money, Part
from riskkit.replay.rules.rule import OBJECT, PASS, Measure, RuleType, Verdict, register, unpriced
from riskkit.replay.schema.columns import MISSING


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


def largest_after(book, event, positions, mark):
    """Size of the account's largest position once the order is filled."""
    largest = abs(value_after(book, event, mark))
    pair = book.account.first_position
    while pair >= 0:
        position = at(positions, pair)
        if pair != event.pair:
            largest = max(largest, abs(position.value))
        pair = position.next_of_account
    return largest


def check(params, book, event, positions):
    """Hold the largest position after the order against its share of the gross exposure."""
    mark = mark_of(book, event)
    if mark == MISSING:
        return unpriced(params.on_missing_price, 0, 0)
    gross = gross_after(book, event, mark)
    if gross <= params.above:
        return Verdict(PASS, 0, 0)
    seen = largest_after(book, event, positions, mark)
    beyond = exceeds_fraction(seen, params.limit, gross, params.breach)
    return Verdict(OBJECT if beyond else PASS, seen, fraction_of(gross, params.limit))


def sentence(params: ConcentrationLimit) -> str:
    """What it limits, in words."""
    most = "at most" if params.breach == "exceed" else "less than"
    above = f" of more than {params.above} in money" if params.above else ""
    return f"a largest position of {most} {float(params.limit) * 100:g} % of a gross exposure{above} after the order"


CONCENTRATION = register(
    RuleType(
        name="concentration",
        parameters=ConcentrationLimit,
        check=check,
        exempt_reducing=True,
        needs=frozenset({"marks", "orders"}),
        observes=Measure.MONEY,
        standing=True,
        looks_at=frozenset({"positions"}),
        desk_limit="max_position_size",
        sentence=sentence,
    )
)
