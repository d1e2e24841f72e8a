"""Orders for an amount of money: its quantity is counted where the order comes in, and every rule judges that.

The amount over the limit of the order, else over its stop, else over the ask of a buy or the bid of a sell, else over the last trade,
times the multiplier, rounded down to lots. An amount of less than a lot, or one without a price, makes a bad quantity: it is refused,
or flagged for `lot_tick`. A modify changes the quantity, not the amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from riskkit._check import InputError, shown
from riskkit.replay.ingest.frame import Frame
from riskkit.replay.ingest.market import markets_at, present, touch
from riskkit.replay.ingest.rows import Row
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.constants import LARGEST
from riskkit.replay.schema.universe import Instrument, OutOfRange, exact

FIELD = "quote_qty"
NO_AMOUNT = "is not an amount of money above zero"
NO_LOT = "is less than the price of one lot"
NO_PRICE = (
    "cannot be counted in lots before a price; no quote and no trade of the instrument came before, and it has no limit"
)
BESIDE = "is given beside a quantity; an order is for a quantity or for an amount of money"
BEYOND = "is beyond 64 bits in lots"
FLAGGED = int(RowFlag.BAD_QTY)


def lots_of(value: Any, price: int, instrument: Instrument, times: Fraction) -> tuple[int, str]:
    """Quantity steps in whole lots that an amount buys at a price in steps; 0 and the reason if it is none.

    `times` is the present multiplier over the declared one.
    """
    try:
        amount = Fraction(0) if isinstance(value, (bool, np.bool_)) else exact(value, FIELD)
    except InputError:
        amount = Fraction(0)
    if amount <= 0:
        return 0, NO_AMOUNT
    if price == MISSING or price <= 0 or price >= LARGEST:
        return 0, NO_PRICE
    lots = amount // (price * instrument.price_step * instrument.multiplier * times * instrument.lot)
    return int(lots * instrument.lot / instrument.qty_step), "" if lots else NO_LOT


def of_amounts(frame: Frame) -> np.ndarray:
    """Mask of the orders for an amount of money."""
    rows: np.ndarray = frame.rows_of(EventKind.ORDER) & ~frame.missing(FIELD)
    frame.refuse(rows & ~frame.missing("qty"), FIELD, BESIDE)
    return rows


def count_amounts(
    frame: Frame,
    columns: dict[str, np.ndarray],
    stepped: Sequence[Instrument],
    ratios: Mapping[int, Fraction],
    lenient: np.ndarray,
    times: Mapping[int, Fraction],
) -> None:
    """Fill the quantities of a frame's orders for an amount of money."""
    for row, market in markets_at(frame, columns, ratios, of_amounts(frame), times):
        given = {name: int(columns[name][row]) if name in columns else MISSING for name in ("price", "stop")}
        price = price_of(given, int(columns["flags"][row]), int(columns["side"][row]), market)
        lots, why = lots_of(frame.column(FIELD).iloc[row], price, stepped[columns["instrument"][row]], present(market))
        if lots >= LARGEST:
            frame.refuse_row(row, FIELD, BEYOND, OutOfRange)
        if why and not lenient[row]:
            frame.refuse_row(row, FIELD, why)
        columns["qty"][row] = lots
        columns["flags"][row] |= FLAGGED * bool(why)


def count_amount(row: Row, value: Any, qty: Any, instrument: Instrument, market: Any, lenient: bool) -> None:
    """Fill the quantity of a live order for an amount of money, whose prices are known."""
    if qty is not None:
        raise InputError(f"{FIELD}={shown(value)} {BESIDE}")
    lots, why = lots_of(value, price_of(row, row["flags"], row["side"], market), instrument, present(market))
    if lots >= LARGEST:
        raise InputError(f"{FIELD}={shown(value)} {BEYOND}")
    if why and not lenient:
        raise InputError(f"{FIELD}={shown(value)} {why}")
    row["qty"] = lots
    row["flags"] |= FLAGGED * bool(why)


def price_of(row: Mapping[str, int], flags: int, side: int, market: Any) -> int:
    """Price step at which an amount is counted: the limit, the stop, the touch; MISSING if none is known."""
    if flags & RowFlag.BAD_PRICE:
        return MISSING
    if row["price"] != MISSING:
        return row["price"]
    return row["stop"] if row["stop"] != MISSING and not flags & RowFlag.TRAILING else touch(market, side)
