"""Cash that working buys reserve, and the price at which they do."""

from __future__ import annotations

from riskkit.replay.kernels.book import WORKING, notional, order_price
from riskkit.replay.kernels.order_stops import waiting_price
from riskkit.replay.kernels.records import Record
from riskkit.replay.schema.columns import MISSING, RowFlag

BAD_PRICE = int(RowFlag.BAD_PRICE)


def hold_price(instrument: Record, side: int, price: int, reserve: int, flags: int, stop: int) -> int:
    """Price at which a buy reserves cash: its reserve price, else its limit, else its stop, else that of `order_price`."""
    if reserve != MISSING:
        return reserve
    if price == MISSING and flags & BAD_PRICE != 0:
        return MISSING
    if stop != MISSING:
        return waiting_price(instrument, price, stop)
    return order_price(instrument, side, price)


def set_hold_price(
    order: Record, instrument: Record, side: int, price: int, reserve: int, flags: int, stop: int
) -> None:
    """Store the price at which an order reserves cash, and the highest price that it may be moved to."""
    order.hold_price = hold_price(instrument, side, price, reserve, flags, stop)
    order.max_price = reserve if reserve != MISSING else price
    order.reserved = 0


def reserve_cash(order: Record, balance: Record, instrument: Record) -> None:
    """Adjust the cash that an order reserves to its lots that still work."""
    reserved = 0
    if order.status == WORKING and order.side > 0 and order.hold_price != MISSING:
        reserved = notional(instrument, max(order.qty - order.filled, 0), order.hold_price)
    balance.reserved += reserved - order.reserved
    order.reserved = reserved


def reserve_pending(
    balance: Record, instrument: Record, side: int, qty: int, price: int, reserve: int, flags: int, stop: int, sign: int
) -> None:
    """Reserve cash for a buy of a list (`sign` 1) while the later orders are checked, or release it (-1)."""
    at_price = hold_price(instrument, side, price, reserve, flags, stop)
    if side > 0 and at_price != MISSING:
        balance.reserved += sign * notional(instrument, qty, at_price)
