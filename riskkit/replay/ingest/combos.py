"""Combinations: one message for several legs, which is decided as a list of market orders, one for each leg.

An order of a combination is one message and is refused whole; each leg is judged with those before it counted as working, in
positions, exposures and cash as an order of its own. Its price is that of the package, so that no leg has one to be measured by a
collar. A leg is bought where leg and order are on one side and sold otherwise, `ratio` units for each of the order. The leg in X of the
order c has the id c/X: fills, cancels and the venue's answers name it, with the price at which the venue allocated it. Source: FIX 5.0,
NewOrderMultileg (AB): LegSymbol, LegSide, LegRatioQty, and fills reported by leg (MultiLegReportingType 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount
from riskkit.replay.ingest.fields import given_fields, refuse_unknown
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.schema.universe import decimal_text, exact

LEG = ("instrument", "side", "ratio")
NO_LEGS = "is not a list of two legs or more, each a mapping of instrument, side and ratio"
NO_RATIO = "is not a ratio; a ratio is a number above zero"
TWICE = "is the instrument of two legs; a combination has one leg in each"


def leg_id(order_id: Any, instrument: Any) -> str:
    """The id of the leg of an order in an instrument.

    Examples
    --------
    >>> leg_id("c", "ESZ6")
    'c/ESZ6'
    """
    return f"{label_text(order_id)}/{label_text(instrument)}"


def leg_orders(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The orders of the legs of a combination, by the fields of its order.

    Examples
    --------
    >>> legs = [{"instrument": "ESZ6", "side": "B", "ratio": 1}, {"instrument": "ESH7", "side": "S", "ratio": 2}]
    >>> for order in leg_orders({"side": "S", "qty": 5, "order_id": "c", "legs": legs}):
    ...     print(order)
    {'type': 'market', 'instrument': 'ESZ6', 'side': 'S', 'qty': '5', 'order_id': 'c/ESZ6'}
    {'type': 'market', 'instrument': 'ESH7', 'side': 'B', 'qty': '10', 'order_id': 'c/ESH7'}
    """
    legs = given.get("legs")
    if not isinstance(legs, (list, tuple)) or len(legs) < 2 or not all(isinstance(leg, Mapping) for leg in legs):
        raise InputError(f"legs={shown(legs)} {NO_LEGS}")
    price = given.get("price")
    if price is not None and amount.count(price, Fraction(1), "price", nearest=True).bad:
        raise InputError(f"price={shown(price)} is not a price; that of a combination is a finite number")
    side, rest = amount.side(given.get("side")), {n: v for n, v in given.items() if n not in OF_THE_WHOLE}
    orders: list[dict[str, Any]] = []
    for leg in legs:
        refuse_unknown("leg", leg, LEG)
        name = leg.get("instrument")
        if any(label_text(name) == label_text(other["instrument"]) for other in orders):
            raise InputError(f"instrument={shown(name)} {TWICE}")
        order = {"type": "market", **rest, "instrument": name}
        order["side"] = "B" if amount.side(leg.get("side")) == side else "S"
        order["qty"] = _lots(given.get("qty"), leg.get("ratio"))
        if given.get("order_id") is not None:
            order["order_id"] = leg_id(given["order_id"], name)
        orders.append(order)
    return orders


OF_THE_WHOLE = ("legs", "price", "side", "qty", "instrument", "order_id", "account")


def combo_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an order of a combination that have a value."""
    return given_fields("combination", fields)


def _lots(qty: Any, ratio: Any) -> Any:
    """Units of a leg; of a quantity that is no number that, which its order refuses or flags."""
    try:
        times = Fraction(0) if isinstance(ratio, bool) else exact(ratio, "ratio")
    except InputError:
        times = Fraction(0)
    if times <= 0:
        raise InputError(f"ratio={shown(ratio)} {NO_RATIO}")
    try:
        return qty if isinstance(qty, bool) else decimal_text(exact(qty, "qty") * times)
    except InputError:
        return qty
