"""Working orders chained by position and side, newest first, and the best price among them."""

from __future__ import annotations

from riskkit.replay.kernels.book import rest_of
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.schema.columns import MISSING
from riskkit.replay.schema.constants import LARGEST

ANY_PRICE = LARGEST  # the limit of a market order when prices are compared
NO_OFFER = ANY_PRICE + 1
ANY_ID = -2  # orders meet whatever their self-match prevention id


def link_order(orders: Record, slot: int, order: Record, position: Record) -> None:
    """Insert a working order at the head of its position's chain of that side."""
    head = position.first_buy if order.side > 0 else position.first_sell
    order.prev_order = -1
    order.next_order = head
    if head >= 0:
        at(orders, head).prev_order = slot
    if order.side > 0:
        position.first_buy = slot
    else:
        position.first_sell = slot


def unlink_order(orders: Record, order: Record, position: Record) -> None:
    """Remove an order that works no longer from its chain."""
    if order.next_order >= 0:
        at(orders, order.next_order).prev_order = order.prev_order
    if order.prev_order >= 0:
        at(orders, order.prev_order).next_order = order.next_order
    elif order.side > 0:
        position.first_buy = order.next_order
    else:
        position.first_sell = order.next_order


def list_order(position: Record, side: int, price: int) -> None:
    """Store the best price of a list's orders so far (a market order matches any price)."""
    if side > 0:
        position.listed_buy = max(position.listed_buy, ANY_PRICE if price == MISSING else price)
    else:
        position.listed_sell = min(position.listed_sell, -ANY_PRICE if price == MISSING else price)


def unlist_orders(position: Record) -> None:
    """Forget the prices of a list once it is decided."""
    position.listed_buy = -NO_OFFER
    position.listed_sell = NO_OFFER


def shares_id(order: Record, smp_id: int) -> bool:
    """True if an order has a self-match prevention id (ANY_ID: any, or none); one without an id (-1) shares it with nobody."""
    return smp_id == ANY_ID or (smp_id >= 0 and order.smp_id == smp_id)


def best_offer(position: Record, orders: Record, side: int, smp_id: int) -> int:
    """Best price of the other side's working orders, times `side`; a market order ranks first, NO_OFFER if none."""
    if side > 0:
        best = position.listed_sell
        slot = position.first_sell
    else:
        best = -position.listed_buy
        slot = position.first_buy
    if smp_id != ANY_ID:
        best = NO_OFFER  # the prices of a list are of orders of any id
    while slot >= 0:
        order = at(orders, slot)
        if shares_id(order, smp_id):
            best = min(best, -ANY_PRICE if order.price == MISSING else side * order.price)
        slot = order.next_order
    return best


def meets(order: Record, side: int, price: int, before: int, smp_id: int) -> bool:
    """True if an order at a price (MISSING: market) meets a working one of the other side that came before a row."""
    if not shares_id(order, smp_id):
        return False
    return order.row < before and (price == MISSING or order.price == MISSING or side * price >= side * order.price)


def met_lots(position: Record, orders: Record, side: int, price: int, before: int, smp_id: int) -> int:
    """Lots of a position's working orders that an order would meet."""
    lots = 0
    slot = position.first_sell if side > 0 else position.first_buy
    while slot >= 0:
        order = at(orders, slot)
        if meets(order, side, price, before, smp_id):
            lots += rest_of(order)
        slot = order.next_order
    return lots


def first_met(position: Record, orders: Record, side: int, price: int, before: int, smp_id: int, best: int) -> int:
    """The order that is met first, at the best price or the first to come: of a position, or `best` (-1: none)."""
    slot = position.first_sell if side > 0 else position.first_buy
    while slot >= 0:
        order = at(orders, slot)
        if meets(order, side, price, before, smp_id):
            rank = -ANY_PRICE if order.price == MISSING else side * order.price
            other = at(orders, best)
            first = -ANY_PRICE if other.price == MISSING else side * other.price
            if best < 0 or rank < first or (rank == first and order.row < other.row):
                best = slot
        slot = order.next_order
    return best
