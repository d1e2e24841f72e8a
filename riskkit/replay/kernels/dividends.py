"""Cash dividends: the prices of open orders fall by them, and holders are paid. Funding of perpetual futures is paid likewise.

Source: FINRA Rule 5330 (before it NASD Rule 3220): on the ex-date the price of an open order to buy, and of an open stop order to
sell, falls by the dividend and is rounded to the next lower tick (a)(1); less than one cent changes nothing (a); orders
marked "do not reduce", open sells and open stops to buy stay. The rule has no floor: here a price above one tick stays at one tick
or above it, so that no order gets a limit that nobody can quote.
"""

from __future__ import annotations

from math import gcd

from riskkit.replay.kernels.book import CANCELLED, REDUCED, WORKING, notional
from riskkit.replay.kernels.integers import scaled
from riskkit.replay.kernels.records import Record
from riskkit.replay.schema.columns import MISSING, RATE_UNIT, RowFlag

DO_NOT_REDUCE = int(RowFlag.DO_NOT_REDUCE)
CENT = RATE_UNIT // 100


def falls(order: Record) -> bool:
    """True if the price of an order falls: of a buy that rests, and of a sell that waits for its stop.

    One that is believed cancelled or reduced falls too, for the venue may bring it back.
    """
    if order.status != WORKING and order.status != CANCELLED and order.status != REDUCED:
        return False
    return order.flags & DO_NOT_REDUCE == 0 and (order.side > 0) == (order.stop == MISSING)


def lower(order: Record, ticks: int, tick: int) -> None:
    """Lower the limit and the stop of an order, those before its last modify, and what it is valued at and reserves."""
    limited = order.price != MISSING or order.stop != MISSING
    was_limited = order.former_price != MISSING or order.former_stop != MISSING
    if limited:
        order.value_price = fallen(order.value_price, ticks, tick)
    if limited and order.reserve == MISSING:
        order.hold_price = fallen(order.hold_price, ticks, tick)
    if order.former_qty != MISSING and was_limited:
        order.former_value_price = fallen(order.former_value_price, ticks, tick)
    if order.former_qty != MISSING and was_limited and order.reserve == MISSING:
        order.former_hold_price = fallen(order.former_hold_price, ticks, tick)
    order.price = fallen(order.price, ticks, tick)
    order.stop = fallen(order.stop, ticks, tick)
    if order.former_qty != MISSING:
        order.former_price = fallen(order.former_price, ticks, tick)
        order.former_stop = fallen(order.former_stop, ticks, tick)


def fallen(price: int, ticks: int, tick: int) -> int:
    """A price less some ticks, to the next lower multiple of the quoted `tick`, which is the least; a lower one stays."""
    return max((price - ticks) // tick * tick, tick) if price > tick else price


def payment(instrument: Record, lots: int, amount: int) -> int:
    """Quanta that `lots` (below zero: short) receive of a dividend of `amount` billionths of money on one unit."""
    common = gcd(amount, instrument.paid_denominator)
    return scaled(lots, amount // common * instrument.paid_numerator, instrument.paid_denominator // common)


def funding(instrument: Record, lots: int, rate: int) -> int:
    """Quanta that `lots` receive of a funding at `rate` billionths of their value; longs pay one above zero.

    Without a mark nothing is paid.
    """
    if instrument.mark == MISSING:
        return 0
    return -scaled(notional(instrument, lots, instrument.mark), rate, RATE_UNIT)
