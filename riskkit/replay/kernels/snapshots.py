"""Snapshots of an account by its venue: the fills that they imply.

After a lost connection the venue's book replaces ours. Where a position has moved as its working orders have shrunk, the orders
have been filled (an *inferred* fill, at the order's limit); other lots are an adjustment. Source of the idea: the execution
reconciliation of NautilusTrader (mass status, inferred fills); in FIX an OrderMassStatusRequest (AF) and a RequestForPositions (AN)
ask for what a snapshot holds.
"""

from __future__ import annotations

from riskkit.replay.kernels.book import WORKING, order_price, rest_of
from riskkit.replay.kernels.records import Record, Words, at
from riskkit.replay.schema.columns import MISSING


def stated_lots(record: Record, side: Words, qty: Words) -> int:
    """Lots of a position, below zero if short, as its row states them; 0 of one that no row states."""
    return int(side[record.stated - 1]) * int(qty[record.stated - 1]) if record.stated > 0 else 0


def stated_rest(order: Record, qty: Words) -> int:
    """Rest of an order as its row states it; 0 of one that no row states."""
    return int(qty[order.stated - 1]) if order.stated > 0 else 0


def fill_price(order: Record, instrument: Record) -> int:
    """Price of an inferred fill: the order's limit, without one that of the market; MISSING if none is known."""
    return order.price if order.price != MISSING else order_price(instrument, order.side, MISSING)


def filled_lots(order: Record, gap: int, qty: Words) -> int:
    """Lots of a working order that the gap of its position tells to be filled: 0 or less if there are none."""
    return min(order.side * gap, rest_of(order) - stated_rest(order, qty))


def comes_before(order: Record, other: Record) -> bool:
    """True if an order is filled first: one that still works before one that is gone, then the first to come."""
    if (order.stated > 0) != (other.stated > 0):
        return order.stated > 0
    return order.row < other.row


def next_filled(
    positions: Record, instruments: Record, orders: Record, slots: int, account: int, side: Words, qty: Words, enforce: int
) -> int:  # fmt: skip
    """Record of the order of an account of which the next fill is inferred, -1 if there is none."""
    found = -1
    for slot in range(slots):
        order = at(orders, slot)
        if order.status == WORKING and order.account == account:
            position = at(positions, order.pair)
            gap = stated_lots(position, side, qty) - believed_lots(position, enforce)
            known = fill_price(order, at(instruments, position.instrument)) != MISSING
            if known and filled_lots(order, gap, qty) > 0 and (found < 0 or comes_before(order, at(orders, found))):
                found = slot
    return found


def believed_lots(position: Record, enforce: int) -> int:
    """Lots held so far: in enforce mode those of the log as recorded, which the venue knows."""
    return position.factual_qty if enforce != 0 else position.qty
