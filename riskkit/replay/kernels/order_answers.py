"""Orders that the venue brings back: a cancel or a modify that it rejects has not happened."""

from __future__ import annotations

from riskkit.replay.kernels.book import DONE, REDUCED, WORKING, rest_of
from riskkit.replay.kernels.records import Record
from riskkit.replay.schema.columns import MISSING


def work_again(order: Record, position: Record, account: Record, rest: int) -> int:
    """Let an order work that was brought back or changed, of which `rest` lots were working."""
    change = 0
    works = order.filled < order.qty
    if order.status == WORKING and not works:
        order.status = DONE
        change = -1
    elif order.status != WORKING and works:
        order.status = WORKING
        change = 1
    account.working += change
    more = rest_of(order) - rest
    if order.side > 0:
        position.open_buy_qty += more
    else:
        position.open_sell_qty += more
    return change


def restate(order: Record, position: Record, account: Record, rest: int, price: int) -> int:
    """Make an order what the venue says that it is: its rest, and its limit; it may work again."""
    working = rest_of(order)
    order.qty = order.filled + rest
    order.price = price
    order.former_qty = MISSING
    return work_again(order, position, account, working)


def note_former(order: Record) -> None:
    """Store what an order is before a modify."""
    order.former_qty = order.qty
    order.former_price = order.price
    order.former_cap = order.fill_cap
    order.former_hold_price = order.hold_price
    order.former_value_price = order.value_price
    order.former_stop = order.stop
    order.former_offset = order.offset


def restore_former(order: Record, position: Record, account: Record) -> int:
    """Make an order what it was before its last modify."""
    rest = rest_of(order)
    order.qty = order.former_qty
    order.price = order.former_price
    order.fill_cap = order.former_cap
    order.hold_price = order.former_hold_price
    order.value_price = order.former_value_price
    order.former_qty = MISSING
    if order.stop != MISSING:  # no trade has triggered it since
        order.stop = order.former_stop
        order.offset = order.former_offset
    if order.status == WORKING or order.status == REDUCED:
        return work_again(order, position, account, rest)
    return 0
