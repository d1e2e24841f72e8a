"""Orders that wait for a trade at their stop, chained by instrument; before it they rest for nobody.

Source: FINRA Rule 5350(a): a stop order to buy becomes a market order when a transaction occurs at or above the stop price, one
to sell when one occurs at or below it. A stop that trails is `offset` from the best trade since the order came (the last one before
it included), and moves one way only.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import UNKNOWN
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.replay.schema.constants import LARGEST

TRAILING = int(RowFlag.TRAILING)


def first_stop(instrument: Record, side: int, given: int, flags: int) -> int:
    """Stop of an order that comes: as given, or at its distance from the last trade; beyond any price before one."""
    if given == MISSING or flags & TRAILING == 0:
        return given
    return side * LARGEST if instrument.last == MISSING else instrument.last + side * given


def changed_stop(order: Record, instrument: Record, side: int, given: int, flags: int) -> int:
    """Stop of an order after a modify, which changes nothing if it gives none or the order waits no longer.

    An order from before the log waits if it is given a stop.
    """
    if given == MISSING or (order.stop == MISSING and order.status != UNKNOWN):
        return order.stop
    return first_stop(instrument, side, given, flags)


def set_stop(order: Record, stop: int, given: int, flags: int) -> None:
    """Store the stop of an order, and its distance if one is given."""
    order.stop = stop
    if given != MISSING:
        order.offset = given if flags & TRAILING != 0 else 0


def meets_trade(order: Record, price: int) -> bool:
    """True if a trade triggers an order: at its stop or beyond; else a stop that trails follows the trade."""
    if order.side * price >= order.side * order.stop:
        return True
    if order.offset > 0:
        order.stop = order.side * min(order.side * order.stop, order.side * price + order.offset)
    return False


def waiting_price(instrument: Record, price: int, stop: int) -> int:
    """Price at which an order that waits for its stop is valued: its limit, else its stop; MISSING if no trade has set it.

    The slippage that the instrument declares is added to the stop of a buy and of a sell, since values harm as they grow.
    """
    if price != MISSING:
        return price
    return stop + instrument.stop_slippage if abs(stop) < LARGEST else MISSING


def link_stop(orders: Record, slot: int, order: Record, instrument: Record) -> None:
    """Insert an order at the head of its instrument's chain of stops."""
    order.prev_order = -1
    order.next_order = instrument.first_stop
    if instrument.first_stop >= 0:
        at(orders, instrument.first_stop).prev_order = slot
    instrument.first_stop = slot


def unlink_stop(orders: Record, order: Record, instrument: Record) -> None:
    """Remove an order from its instrument's chain of stops."""
    if order.next_order >= 0:
        at(orders, order.next_order).prev_order = order.prev_order
    if order.prev_order >= 0:
        at(orders, order.prev_order).next_order = order.next_order
    else:
        instrument.first_stop = order.next_order
