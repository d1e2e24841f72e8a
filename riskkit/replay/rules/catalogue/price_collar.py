"""Price collar: maximum distance of an order's price from the last trade.

Unit: fraction of the last trade, ticks. Source: ESMA RTS 6 (2017/589), Art. 15(1)(a). Exactly the limit passes, on both
sides; without a reference `on_missing_price` decides (default: reject). Market orders have no price.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import exceeds_fraction, fraction_of
from riskkit.replay.rules.catalogue.message import bad_price
from riskkit.replay.rules.evidence import Need
from riskkit.replay.rules.parameters import Breach, ComparedLimit, Limit, MissingPrice, Proportion, Ticks, at_most
from riskkit.replay.rules.rule import RuleType, register
from riskkit.replay.rules.verdict import OBJECT, PASS, Measure, Verdict, unpriced
from riskkit.replay.schema.columns import MISSING, EventRow
from riskkit.replay.schema.constants import LARGEST


class PriceCollar(NamedTuple):
    """A limit price is within the fraction `pct`, and within `ticks` ticks, of the last trade.

    Examples
    --------
    >>> from riskkit import Rule
    >>> print(Rule("price_collar", PriceCollar(pct="0.05")))
    price_collar: a price at most 5 % from the last trade (none known: reject), for each account; what breaches
    it is refused (WARN).
    """

    pct: Limit[Proportion] = None
    ticks: ComparedLimit[Ticks] = None
    on_missing_price: MissingPrice = "reject"
    breach: Breach = "exceed"


def check(params: Any, book: Book, event: EventRow) -> Verdict:
    """Compare the distance from the last trade with the limits."""
    if event.price == MISSING and not bad_price(event):
        return Verdict(PASS, 0, 0)
    last = book.instrument.last
    if event.price == MISSING or last == MISSING:
        return unpriced(params.on_missing_price, 0, 0)
    distance = abs(event.price - last)
    if params.pct < LARGEST and exceeds_fraction(distance, params.pct, abs(last), params.breach):
        return Verdict(OBJECT, distance, fraction_of(abs(last), params.pct))
    if params.ticks < LARGEST:
        limit = params.ticks * book.instrument.tick
        if distance > limit or (params.breach != 0 and distance == limit):
            return Verdict(OBJECT, distance, limit)
    return Verdict(PASS, distance, 0)


def sentence(params: PriceCollar) -> str:
    """The limit in words."""
    caps = []
    if params.pct is not None:
        caps.append(f"{float(params.pct) * 100:g} %")
    if params.ticks is not None:
        caps.append(f"{params.ticks:,} ticks")
    bound = at_most(params)
    distance = f"{bound} {' and '.join(caps)}"
    return f"a price {distance} from the last trade (none known: {params.on_missing_price})"


PRICE_COLLAR = register(
    RuleType(
        name="price_collar",
        parameters=PriceCollar,
        check=check,
        observes=Measure.PRICE,
        bounds="nothing",
        evidence=(Need(("last trade",)),),
        one_of=("pct", "ticks"),
        sentence=sentence,
    )
)
