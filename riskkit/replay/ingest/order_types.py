"""Types of orders: which have a limit, and which wait for a trade at their stop."""

from __future__ import annotations

from typing import Any, NamedTuple

from riskkit._check import InputError, shown
from riskkit.replay.ingest import amount
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.replay.schema.universe import Instrument


class OrderType(NamedTuple):
    """What an order of a type has: a limit price (or may have one), and the field that says when it is triggered (empty: at once)."""

    priced: bool = True
    waits: str = ""
    pegged: bool = False  # its price follows a reference


ORDER_TYPES = {
    "limit": OrderType(),
    "market": OrderType(priced=False),
    "stop": OrderType(priced=False, waits="stop"),
    "stop_limit": OrderType(waits="stop"),
    "trailing": OrderType(priced=False, waits="offset"),
    "peg": OrderType(pegged=True),
}


def fields_of(of: OrderType) -> tuple[str, ...]:
    """The fields with a price or a distance that only some types of order have."""
    return ("offset",) if of.pegged else (of.waits,)


UNPRICED = "is the price of a {} order; leave it empty"
UNKNOWN = f"is not {', '.join([*ORDER_TYPES][:-1])} or {[*ORDER_TYPES][-1]}"
ABSENT = {
    "stop": "is not a price; this type of order has a stop, at which a trade triggers it",
    "offset": "is not a distance; this type of order has an offset from the best trade, at which its stop follows",
}
NOT_ITS = {
    name: f"is a field of other types of order ({', '.join(word for word, one in ORDER_TYPES.items() if name in fields_of(one))})"
    for name in ABSENT
}
BOTH = "is given beside a stop; a stop is fixed or follows the trades"
NO_DISTANCE = "is not above zero"


def set_prices(
    row: dict[str, int], word: Any, price: Any, instrument: Instrument, lenient: bool, nearest: bool, **stops: Any
) -> OrderType:
    """Store the limit and the stop of a live order of a type, and return that."""
    name = label_text(word).lower()
    if name not in ORDER_TYPES:
        raise InputError(f"type={shown(word)} {UNKNOWN}")
    of = ORDER_TYPES[name]
    if of.pegged and price is None:
        row["price"] = MISSING
    elif of.priced:
        row["price"] = amount.price(price, instrument, row, lenient=lenient, nearest=nearest)
    elif price is not None:
        raise InputError(f"price={shown(price)} {UNPRICED.format(name)}")
    set_stop(row, of, instrument, nearest, **stops)
    return of


def set_stop(row: dict[str, int], of: OrderType | None, instrument: Instrument, nearest: bool, **given: Any) -> None:
    """Store the stop or the distance of a live order of a type, or of a modify (None)."""
    for name, value in given.items():
        if of is not None and of.waits == name and value is None:
            raise InputError(f"{name}={shown(value)} {ABSENT[name]}")
        if value is None or (of is not None and of.pegged and name in fields_of(of)):
            continue
        if of is not None and of.waits != name:
            raise InputError(f"{name}={shown(value)} {NOT_ITS[name]}")
        if row["stop"] != MISSING:
            raise InputError(f"{name}={shown(value)} {BOTH}")
        row["stop"] = amount.price(value, instrument, row, name, nearest=nearest)
        if name == "offset":
            row["flags"] |= int(RowFlag.TRAILING)
            if row["stop"] <= 0:
                raise InputError(f"{name}={shown(value)} {NO_DISTANCE}")
