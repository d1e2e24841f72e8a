"""The book: positions, cost, realised and unrealised P&L, cash, exposure and working orders, in integers.

Each function works on one position (an account in an instrument), one account and one instrument, as records. For
every account, after every event, exactly:

    cash + value - flows == realised + (value - cost) - fees + funding

where flows are deposits and the opening value, and value - cost is the unrealised profit at marks.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.columns import MISSING, Flow
from riskkit.replay.integers import round_half_even, share

__all__ = ["ACCOUNT", "INSTRUMENT", "ORDER", "POSITION", "Book", "Status"]

# all fields are int64: a narrower one would wrap at other places compiled than in Python; those that every fill
# touches stand first, in one line of the processor's cache
INSTRUMENT: tuple[str, ...] = (
    "numerator",
    "denominator",
    "unit",
    "product",
    "first",
    "last_pair",
    "bid",
    "ask",
    "last",
    "mark",
    "priced",
)
POSITION: tuple[str, ...] = ("qty", "cost", "realised", "value", "buying", "selling", "record", "unpriced")
POSITION += ("account", "instrument", "next", "product")
ACCOUNT: tuple[str, ...] = ("cash", "cost", "realised", "fees", "value", "flows", "funding", "given", "has_given")
ACCOUNT += ("working", "peak", "drawdown", "paused", "state", "desk", "firm")
ORDER: tuple[str, ...] = ("status", "side", "qty", "filled", "price", "limited", "reserve", "account", "pair")

CASH_DEPOSIT = int(Flow.DEPOSIT)
CASH_FEE = int(Flow.FEE)


class Status:
    """Where an order stands."""

    NONE = 0
    WORKING = 1
    BLOCKED = 2
    DONE = 3


class Book(NamedTuple):
    """What a rule may look at: the records of the event, and what a fill or a closed trade did.

    ``realised`` is the profit that this fill or trade took, ``opened`` +1 if it opened a position from flat, -1 if it
    closed one to flat.
    """

    position: object
    account: object
    instrument: object
    order: object
    realised: int = 0
    opened: int = 0


def notional(instrument, qty, price):
    """Money of `qty` lots at `price` ticks, rounded once to the quantum, half to even."""
    if instrument.denominator == 1:
        return qty * price * instrument.numerator
    return round_half_even(qty * price * instrument.numerator, instrument.denominator)


def equity(account):
    """Equity at marks, or as it was last given from outside."""
    if account.has_given != 0:
        return account.given
    return account.cash + account.value


def profit(account):
    """Equity without what was paid in: deposits and withdrawals are neither profit nor loss."""
    return equity(account) - account.flows


def order_price(instrument, side, price):
    """The price at which an order is valued: its own, else ask or bid by side, else the last trade, else MISSING."""
    if price != MISSING:
        return price
    if side > 0 and instrument.ask != MISSING:
        return instrument.ask
    if side < 0 and instrument.bid != MISSING:
        return instrument.bid
    return instrument.last


def reduces(position, side, qty, own):
    """Whether an order only reduces: opposite to the position and, with working ones of its side, within it.

    ``own`` is what the order itself already has working (a modify).
    """
    working = position.buying if side > 0 else position.selling
    return side * position.qty < 0 and qty + working - own <= abs(position.qty)


def fill(position, account, instrument, side, qty, price, fee):
    """Book a fill; return the profit that it realised (0 where it opens or adds)."""
    money = notional(instrument, qty, price)
    held = position.qty
    realised = 0
    released = 0
    opened = money
    if held * side < 0:
        size = abs(held)
        if qty <= size:
            part = money
            closing = qty
        else:
            part = share(money, size, qty)
            closing = size
        released = share(position.cost, closing, size)
        realised = -side * part - released
        opened = money - part
    change = side * opened - released
    position.qty = held + side * qty
    position.cost += change
    position.realised += realised
    account.cost += change
    account.realised += realised
    account.cash -= side * money + fee
    account.fees += fee
    return realised


def mark(position, account, instrument):
    """Value a position at the instrument's mark."""
    value = notional(instrument, position.qty, instrument.mark)
    if position.unpriced != 0:  # an opening position is worth what its first mark says
        position.unpriced = 0
        position.cost = value
        account.cost += value
        account.flows += value
    account.value += value - position.value
    position.value = value


def quote(instrument, price, bid, ask):
    """Take in a price event; a missing part leaves what was."""
    if bid != MISSING:
        instrument.bid = bid
    if ask != MISSING:
        instrument.ask = ask
    if price != MISSING:
        instrument.last = price
        instrument.mark = price
        instrument.priced = 1


def cash_flow(account, flow, amount):
    """Book a deposit, fee, funding or dividend (amount above zero: money comes in)."""
    account.cash += amount
    if flow == CASH_DEPOSIT:
        account.flows += amount
    elif flow == CASH_FEE:
        account.fees -= amount
    else:
        account.funding += amount


def track(account):
    """Keep the highest profit and the deepest fall from it, in money."""
    now = profit(account)
    account.peak = max(account.peak, now)
    account.drawdown = max(account.drawdown, account.peak - now)


def open_order(order, position, account, side, qty, price, reserve, owner, pair):
    """Let a named order work."""
    order.status = 1
    order.side = side
    order.qty = qty
    order.filled = 0
    order.price = price
    order.limited = 0
    order.reserve = reserve
    order.account = owner
    order.pair = pair
    account.working += 1
    if side > 0:
        position.buying += qty
    else:
        position.selling += qty


def forget_order(order):
    """Wipe the record of an order that never came to work; another order may have used it before."""
    order.status = 0
    order.qty = 0
    order.filled = 0
    order.limited = 0


def close_order(order, position, account):
    """Take what still works of an order off the book."""
    if order.status == 1:
        rest = max(order.qty - order.filled, 0)
        account.working -= 1
        if order.side > 0:
            position.buying -= rest
        else:
            position.selling -= rest
    order.status = 3


def fill_order(order, position, account, qty):
    """Count a fill against its order."""
    if order.status == 1:
        rest = max(order.qty - order.filled, 0)
        taken = min(qty, rest)
        if order.side > 0:
            position.buying -= taken
        else:
            position.selling -= taken
        if qty >= rest:
            account.working -= 1
            order.status = 3
    order.filled += qty


def change_order(order, position, account, qty, price):
    """Give a working order a new quantity (in all, filled ones included) and price."""
    if order.status == 1:
        change = max(qty - order.filled, 0) - max(order.qty - order.filled, 0)
        if order.side > 0:
            position.buying += change
        else:
            position.selling += change
        if qty <= order.filled:
            account.working -= 1
            order.status = 3
    order.qty = qty
    order.price = price
    order.limited = 0


def worse(side, price, limit):
    """Whether a fill at `price` is worse than an order's limit price allows."""
    return limit != MISSING and side * price > side * limit
