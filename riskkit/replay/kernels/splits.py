"""Splits: prices, open orders and positions in new units.

Source: FINRA Rule 5330 (before it NASD Rule 3220): in a split the price of an open order to buy, and of an open stop order to sell,
falls by the value of the split, rounded up to a tick (a)(2), and its size grows to whole lots; in a reverse split such orders are
cancelled (c); open sells (d) and stops to buy (e) stay. Exchanges scale all of them by custom, to the nearest tick. Fractions of
a lot become cash at the new mark.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import CANCELLED, REDUCED, WORKING, rest_of
from riskkit.replay.kernels.integers import floor_divide, scaled, share, split_mark
from riskkit.replay.kernels.order_answers import work_again
from riskkit.replay.kernels.records import Record
from riskkit.replay.schema.columns import MISSING, SplitOrders
from riskkit.replay.schema.constants import LARGEST

FINRA, ALL, CANCEL, NONE = map(int, SplitOrders)


def is_open(order: Record) -> bool:
    """True if an order works, or the venue may bring it back."""
    return order.status == WORKING or order.status == CANCELLED or order.status == REDUCED


def is_cancelled(order: Record, new: int, old: int, mode: int) -> bool:
    """True if a split of `new` for `old` cancels an order."""
    return mode == CANCEL or (mode == FINRA and new < old and falls(order))


def is_scaled(order: Record, mode: int) -> bool:
    """True if a split scales an order that it does not cancel."""
    return mode == ALL or (mode == FINRA and falls(order))


def falls(order: Record) -> bool:
    """True of a buy that rests, and of a sell that waits for its stop."""
    return (order.side > 0) == (order.stop == MISSING)


def scale_order(
    order: Record, position: Record, account: Record, new: int, old: int, lot: int, tick: int, mode: int
) -> int:
    """Give an order its new prices and size; return the change in the number of orders that work."""
    rest = rest_of(order)
    order.price = split_price(order.price, new, old, tick, mode)
    order.stop = split_price(order.stop, new, old, tick, mode)
    order.value_price = split_price(order.value_price, new, old, tick, mode)
    order.hold_price = split_price(order.hold_price, new, old, tick, mode)
    order.reserve = split_mark(order.reserve, new, old)
    order.max_price = split_mark(order.max_price, new, old)
    order.offset = split_price(order.offset, new, old, tick, ALL)
    order.qty = order.filled + split_lots(max(order.qty - order.filled, 0), new, old, lot)
    if order.former_qty != MISSING:
        order.former_price = split_price(order.former_price, new, old, tick, mode)
        order.former_stop = split_price(order.former_stop, new, old, tick, mode)
        order.former_value_price = split_price(order.former_value_price, new, old, tick, mode)
        order.former_hold_price = split_price(order.former_hold_price, new, old, tick, mode)
        order.former_offset = split_price(order.former_offset, new, old, tick, ALL)
        order.former_qty = order.filled + split_lots(max(order.former_qty - order.filled, 0), new, old, lot)
    return work_again(order, position, account, rest) if order.status == WORKING else 0


def split_price(price: int, new: int, old: int, tick: int, mode: int) -> int:
    """A price after a split: less its value rounded up to a tick, or (`ALL`) at the nearest tick; above zero at least one tick."""
    if price == MISSING or abs(price) >= LARGEST:
        return price
    if mode == ALL:
        found = floor_divide(2 * price * old + new * tick, 2 * new * tick) * tick
    else:
        found = price + floor_divide(price * (old - new), new * tick) * tick
    return max(found, tick) if price > 0 else found


def split_lots(lots: int, new: int, old: int, lot: int) -> int:
    """Lots after a split, whole multiples of `lot` towards zero."""
    found = abs(lots) * new // (old * lot) * lot
    return found if lots >= 0 else -found


def scale_quotes(instrument: Record, new: int, old: int) -> None:
    """Give the prices of an instrument in new units."""
    instrument.bid = split_mark(instrument.bid, new, old)
    instrument.ask = split_mark(instrument.ask, new, old)
    instrument.last = split_mark(instrument.last, new, old)
    instrument.mark = split_mark(instrument.mark, new, old)
    instrument.estimate = split_mark(instrument.estimate, new, old)
    instrument.close = split_mark(instrument.close, new, old)


def split_position(position: Record, account: Record, instrument: Record, new: int, old: int) -> int:
    """Give a position its new lots, and its account cash for what is less than a lot; return the profit that this realises."""
    lots = position.qty
    position.qty = split_lots(lots, new, old, instrument.lot)
    left = lots * new - position.qty * old  # of `old` parts of a lot
    if left == 0:
        return 0
    money = 0
    if instrument.mark != MISSING:
        money = scaled(left * instrument.mark, instrument.numerator, instrument.denominator * old)
    released = share(position.cost, abs(left), abs(lots) * new)
    position.cost -= released
    position.realised += money - released
    account.cash += money
    account.cost -= released
    account.realised += money - released
    return money - released
