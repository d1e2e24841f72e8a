"""Pegged orders: their limit is a reference price with an offset, at which they are priced where they come in and judged.

The reference is the touch (the ask of a buy, the bid of a sell), ``primary`` (the bid of a buy, the ask of a sell), the middle of both,
or the last trade; the offset is added to it, also below zero; a ``price`` is as far as the peg goes, and what a buy may be moved to.
What is between two ticks goes to the passive one. The venue moves the order with its reference without a message, which nothing
judges: here it keeps the price at which it was judged, until a modify. Source: FIX 5.0, PegPriceType (1094), PegOffsetValue (211);
RTS 9 (2017/566), Annex: updates of the price by the venue are no messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.amount import count
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.labels import label_text
from riskkit.replay.ingest.market import markets_at, touch
from riskkit.replay.ingest.order_types import ORDER_TYPES
from riskkit.replay.ingest.rows import Row
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Instrument

PEG = [*ORDER_TYPES].index("peg")
REFERENCES = ("touch", "primary", "mid", "last")
NO_REFERENCE = f"is not {', '.join(REFERENCES[:-1])} or {REFERENCES[-1]}"
NOT_PEGGED = "is a field of pegged orders (type peg)"
NO_OFFSET = "is not a number of whole ticks to be added to the reference of a pegged order"
UNKNOWN = "is not known as a reference of a pegged order: no such quote or trade of the instrument came before"
TOO_LOW = (
    "is the reference of a pegged order whose price is not above zero; declare the instrument with negative_price=True"
)


def twice_reference(market: Any, word: str, side: int) -> int:
    """Twice the reference in price steps; MISSING if it is not known."""
    if market is None:
        return MISSING
    bid, ask, last = int(market.bid), int(market.ask), int(market.last)
    if word == "mid":
        return MISSING if MISSING in (bid, ask) else bid + ask
    one = {"touch": touch(market, side), "primary": touch(market, -side), "last": last}[word]
    return MISSING if one == MISSING else 2 * one


def pegged(market: Any, word: str, side: int, offset: Fraction, limit: int, instrument: Instrument) -> tuple[int, str]:
    """Price of an order in steps, and why it has none; `offset` is in money, `limit` in steps."""
    twice = twice_reference(market, word, side)
    if twice == MISSING:
        return MISSING, UNKNOWN
    exact = Fraction(twice, 2) * instrument.price_step + offset
    ticks = side * (side * exact // instrument.tick)  # down for a buy, up for a sell
    price = int(ticks * instrument.tick / instrument.price_step)
    if limit != MISSING:
        price = side * min(side * price, side * limit)
    if price <= 0 and not instrument.negative_price:
        return MISSING, TOO_LOW
    return (price, "") if abs(price) < LARGEST else (MISSING, UNKNOWN)


def price_pegs(
    frame: Frame,
    columns: dict[str, np.ndarray],
    types: np.ndarray,
    stepped: Sequence[Instrument],
    ratios: Mapping[int, Fraction],
    lenient: np.ndarray,
) -> None:
    """Fill the prices of a frame's pegged orders, and what their buys may be moved to."""
    rows = types == PEG
    if frame.has("reference"):
        frame.refuse(~rows & ~frame.missing("reference"), "reference", NOT_PEGGED)
    for row, market in markets_at(frame, columns, ratios, rows):
        instrument = stepped[columns["instrument"][row]]
        word, offset = (
            None if frame.missing(name)[row] else frame.column(name).iloc[row] for name in ("reference", "offset")
        )
        word = "touch" if word is None else label_text(word).lower()
        if word not in REFERENCES:
            frame.refuse_row(row, "reference", NO_REFERENCE)
        steps = _offset(offset, instrument, frame.nearest)
        if steps is None:
            frame.refuse_row(row, "offset", NO_OFFSET)
        limit, side = int(columns["price"][row]), int(columns["side"][row])
        price, why = pegged(market, word, side, steps or Fraction(0), limit, instrument)
        if why and not lenient[row]:
            frame.refuse_row(row, "reference", why)
        if side > 0 and limit != MISSING:
            moved = columns.setdefault("reserve", np.full(frame.size, MISSING))
            moved[row] = limit if moved[row] == MISSING else moved[row]
        columns["price"][row] = price
        columns["flags"][row] |= int(RowFlag.BAD_PRICE) * bool(why)


def peg(row: Row, word: Any, offset: Any, instrument: Instrument, market: Any, *, lenient: bool, nearest: bool) -> None:
    """Fill the price of a live pegged order, whose price so far is its limit."""
    known = "touch" if word is None else label_text(word).lower()
    if known not in REFERENCES:
        raise InputError(f"reference={shown(word)} {NO_REFERENCE}")
    steps = _offset(offset, instrument, nearest)
    if steps is None:
        raise InputError(f"offset={shown(offset)} {NO_OFFSET}")
    price, why = pegged(market, known, row["side"], steps, row["price"], instrument)
    if why and not lenient:
        raise InputError(f"reference={shown(known)} {why}")
    if row["side"] > 0 and row["reserve"] == MISSING:
        row["reserve"] = row["price"]
    row["price"] = price
    row["flags"] |= int(RowFlag.BAD_PRICE) * bool(why)


def _offset(value: Any, instrument: Instrument, nearest: bool) -> Fraction | None:
    """What is added to a reference, in money; None if it is no number of ticks."""
    if value is None:
        return Fraction(0)
    try:
        found = count(value, instrument.tick, "offset", nearest)
    except InputError:
        return None
    return None if found.bad or found.off else found.nearest * instrument.tick
