"""Price collar: maximum distance of an order's price from a reference price.

Unit: fraction of the reference, ticks. Source: ESMA RTS 6 (2017/589), Art. 15(1)(a). Exactly the limit passes, on both
sides; without a fresh reference `on_missing_price` decides (default: reject). Market orders have no price. The rows of
decisions have whole ticks, the distance rounded up; what is shown follows from the reference and is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._docs import counted
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.rules.catalogue.message import bad_price
from riskkit.replay.rules.catalogue.reference import Reference, reference_needs, reference_text, twice_reference
from riskkit.replay.rules.parameters import (
    Breach,
    ComparedLimit,
    Duration,
    Limit,
    MissingPrice,
    Proportion,
    Ticks,
    at_most,
)
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, CapVerdict, Measure, Observation, unpriced_cap
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.constants import LARGEST


class PriceCollar(NamedTuple):
    """A limit price is within the fraction `pct`, and within `ticks` ticks, of a reference price.

    Parameters
    ----------
    pct
        Largest distance, as a fraction of the reference.
    ticks
        Largest distance in ticks.
    reference
        The last trade (before the first price event, the last fill), the middle of bid and ask, the touch (ask of a
        buy, bid of a sell), the last fill of the account, or the previous close or settlement (``close`` events).
    max_age_ns
        Age up to which a reference price is fresh; not given: any.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("price_collar", PriceCollar(pct="0.05")))
    price_collar: a price at most 5 % away from the last trade (rejected while none is known), for each account.
    Orders and modifications that would breach it are rejected (severity WARN).
    """

    pct: Limit[Proportion] = None
    ticks: ComparedLimit[Ticks] = None
    reference: Reference = "last"
    max_age_ns: Duration = None
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


FRACTION, TICKS = 0, 1  # index of the limit


def check(params: Any, book: Book, event: EventRow) -> CapVerdict:
    """Compare the distance from the reference with the limits; the verdict has twice the reference as its base."""
    if event.price == MISSING and not bad_price(event):
        return CapVerdict(PASS, 0, 0, FRACTION, 0)
    twice = twice_reference(params, book, event)
    if event.price == MISSING or twice == MISSING:
        return unpriced_cap(params.on_missing_price, 0, 0)
    twice_distance = abs(2 * event.price - twice)
    distance = (twice_distance + 1) // 2
    if params.pct < LARGEST and exceeds_fraction(twice_distance, params.pct, abs(twice), params.breach):
        return CapVerdict(OBJECT, distance, fraction_of(abs(twice), params.pct) // 2, FRACTION, twice)
    if params.ticks < LARGEST:
        limit = params.ticks * book.instrument.tick
        if twice_distance > 2 * limit or (params.breach != 0 and twice_distance == 2 * limit):
            return CapVerdict(OBJECT, distance, limit, TICKS, twice)
    return CapVerdict(PASS, distance, 0, FRACTION, twice)


def sentence(params: PriceCollar) -> str:
    """The limit in words."""
    caps = []
    if params.pct is not None:
        caps.append(f"{float(params.pct) * 100:g} %")
    if params.ticks is not None:
        caps.append(counted(params.ticks, "tick"))
    bound = at_most(params)
    distance = f"{bound} {' and '.join(caps)}"
    return f"a price {distance} away from {reference_text(params)}"


PRICE_COLLAR = register(
    RuleType(
        name="price_collar",
        parameters=PriceCollar,
        check=check,
        observes=(Observation(Measure.DISTANCE, "pct"), Observation(Measure.DISTANCE)),
        bounds="nothing",
        requires=frozenset({"references"}),
        evidence=reference_needs,
        one_of=("pct", "ticks"),
        sentence=sentence,
    )
)
