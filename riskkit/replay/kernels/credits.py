"""Credit that is reserved, then used or given back: the steps of one reservation.

It takes the place of an order in its record, for it is named like one: ``qty`` is its amount, ``price`` what the limits count of
it (the amount as it was converted when it was reserved), ``filled`` what was given back of it, ``since`` its time. Amounts are quanta.
"""

from __future__ import annotations

from riskkit.replay.kernels.integers import share
from riskkit.replay.kernels.records import Record
from riskkit.replay.schema.columns import CreditStep, OrderStatus

RESERVED, USED, DONE = int(OrderStatus.RESERVED), int(OrderStatus.USED), int(OrderStatus.DONE)
COMMIT, RELEASE = int(CreditStep.COMMIT), int(CreditStep.RELEASE)
RESERVE = int(CreditStep.RESERVE)


def reserve(order: Record, amount: int, counted: int, now: int) -> None:
    """Begin a reservation."""
    order.status = RESERVED
    order.side = 0
    order.qty = amount
    order.price = counted
    order.filled = 0
    order.since = now


def lapse(order: Record, now: int, lifetime: int) -> None:
    """Roll back a reservation that has lived so long (0: for ever) and is not finished."""
    if order.status == RESERVED and lifetime > 0 and now - order.since >= lifetime:
        order.status = DONE


def fits(order: Record, step: int, amount: int) -> bool:
    """True if a reservation can be finished by a step, which gives back this amount."""
    if step == RESERVE:
        return False
    if step == RELEASE:
        return order.status == USED and amount <= order.qty - order.filled
    return order.status == RESERVED


def finish(order: Record, step: int, amount: int) -> int:
    """Take a step that `fits`; return what the limits count of it."""
    if step == COMMIT:
        order.status = USED
        return order.price
    if step != RELEASE:
        order.status = DONE
        return order.price
    before = still_counted(order)
    order.filled += amount
    if order.filled == order.qty:
        order.status = DONE
    return before - still_counted(order)


def still_counted(order: Record) -> int:
    """What the limits count of the part that is not given back, rounded up."""
    return -share(-order.price, order.qty - order.filled, order.qty)
