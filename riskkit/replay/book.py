"""The book: positions, cost, realised and unrealised P&L, cash, exposure and working orders, in integers.

Each function works on one position (an account in an instrument), one account and one instrument, as records. For
every account, after every event, exactly:

    cash + value - flows == realised + (value - cost) - fees + funding

where flows are deposits and the opening value, and value - cost is the unrealised profit at marks.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.columns import MISSING, Flag, Flow, OrderStatus
from riskkit.replay.constants import LARGEST
from riskkit.replay.integers import scaled, share
from riskkit.replay.records import at

__all__ = ["ACCOUNT", "INSTRUMENT", "ORDER", "POSITION", "PURSE", "Book"]

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
    "lot",
    "tick",
    "negative",
    "listed",
    "currency",
)
POSITION: tuple[str, ...] = ("qty", "cost", "realised", "value", "buying", "selling", "record", "unpriced")
POSITION += ("account", "instrument", "next", "product", "sibling")
POSITION += ("first_buy", "first_sell", "listed_buy", "listed_sell")
ACCOUNT: tuple[str, ...] = ("cash", "cost", "realised", "fees", "value", "flows", "funding", "given", "has_given")
ACCOUNT += ("working", "peak", "drawdown", "paused", "state", "desk", "firm", "gross", "first")
ORDER: tuple[str, ...] = ("status", "side", "qty", "filled", "price", "limited", "reserve", "account", "pair")
ORDER += ("ceiling", "valued", "hold", "strategy", "connection", "flags", "above", "below", "children", "parent")
PURSE = ("cash", "held")  # an account's balance in one currency, and what its working buys hold of it

CASH_DEPOSIT = int(Flow.DEPOSIT)
CASH_FEE = int(Flow.FEE)
BAD_PRICE = int(Flag.BAD_PRICE)
UNKNOWN = int(OrderStatus.UNKNOWN)
WORKING = int(OrderStatus.WORKING)
DONE = int(OrderStatus.DONE)
ANY_PRICE = LARGEST
NO_OFFER = ANY_PRICE + 1


class Book(NamedTuple):
    """What a rule may look at: the records of the event, and what a fill or a closed trade did.

    ``order`` is the record of the order that the event belongs to, ``parent`` that of a child order's parent, ``purse``
    the account's balance in the instrument's currency (each where a rule needs it). ``realised`` is the profit that
    this fill or trade took, ``opened`` +1 if it opened a position from flat, -1 if it closed one to flat.
    """

    position: object
    account: object
    instrument: object
    order: object
    realised: int = 0
    opened: int = 0
    purse: object = None
    parent: object = None


def notional(instrument, qty, price):
    """Money of `qty` lots at `price` ticks, rounded once to the quantum, half to even."""
    if instrument.denominator == 1:
        return qty * price * instrument.numerator
    return scaled(qty, price * instrument.numerator, instrument.denominator)


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
    account.gross += abs(value) - abs(position.value)
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
    """Let a named order work; this and the steps below return by how many the working orders change."""
    order.status = WORKING
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
    return 1


def forget_order(order):
    """Wipe the record of an order that never came to work; another order may have used it before."""
    order.status = UNKNOWN
    order.side = 0
    order.qty = 0
    order.filled = 0
    order.price = MISSING
    order.limited = 0
    order.reserve = MISSING
    order.ceiling = MISSING
    order.hold = 0
    order.strategy = -1
    order.connection = -1
    order.flags = 0
    order.parent = -1


def close_order(order, position, account):
    """Take what still works of an order off the book."""
    was = order.status
    if was == 1:
        rest = max(order.qty - order.filled, 0)
        account.working -= 1
        if order.side > 0:
            position.buying -= rest
        else:
            position.selling -= rest
    order.status = DONE
    return -1 if was == 1 else 0


def fill_order(order, position, account, qty):
    """Count a fill against its order."""
    change = 0
    if order.status == WORKING:
        rest = max(order.qty - order.filled, 0)
        taken = min(qty, rest)
        if order.side > 0:
            position.buying -= taken
        else:
            position.selling -= taken
        if qty >= rest:
            account.working -= 1
            order.status = DONE
            change = -1
    if order.status != UNKNOWN:
        order.filled += qty
    return change


def change_order(order, position, account, qty, price):
    """Give a working order a new quantity (in all, filled ones included) and price."""
    change = 0
    if order.status == WORKING:
        more = max(qty - order.filled, 0) - max(order.qty - order.filled, 0)
        if order.side > 0:
            position.buying += more
        else:
            position.selling += more
        if qty <= order.filled:
            account.working -= 1
            order.status = DONE
            change = -1
    order.qty = qty
    order.price = price
    order.limited = 0
    return change


def worse(side, price, limit):
    """Whether a fill at `price` is worse than an order's limit price allows."""
    return limit != MISSING and side * price > side * limit


# ---------------------------------------------------------------------- what only some rules need


def tag_order(order, strategy, connection, flags):
    """Remember through what a named order came, and how it was flagged."""
    order.strategy = strategy
    order.connection = connection
    order.flags = flags


def link_order(orders, slot, order, position):
    """Put a working order at the head of its position's chain of that side."""
    first = position.first_buy if order.side > 0 else position.first_sell
    order.above = -1
    order.below = first
    if first >= 0:
        at(orders, first).above = slot
    if order.side > 0:
        position.first_buy = slot
    else:
        position.first_sell = slot


def unlink_order(orders, order, position):
    """Take an order that works no longer out of its chain."""
    if order.below >= 0:
        at(orders, order.below).above = order.above
    if order.above >= 0:
        at(orders, order.above).below = order.below
    elif order.side > 0:
        position.first_buy = order.below
    else:
        position.first_sell = order.below


def hold_price(instrument, side, price, reserve, flags):
    """The price at which a buy holds cash: its reserve, else its price, else what a market order is valued at."""
    if reserve != MISSING:
        return reserve
    if price == MISSING and flags & BAD_PRICE != 0:
        return MISSING
    return order_price(instrument, side, price)


def value_order(order, instrument, side, price, reserve, flags):
    """Remember at what price a named order holds cash, and the highest price that it may be moved to."""
    order.valued = hold_price(instrument, side, price, reserve, flags)
    order.ceiling = reserve if reserve != MISSING else price
    order.hold = 0


def hold_cash(order, purse, instrument):
    """Bring what a named order holds of its account's cash to what still works of it."""
    held = 0
    if order.status == WORKING and order.side > 0 and order.valued != MISSING:
        held = notional(instrument, max(order.qty - order.filled, 0), order.valued)
    purse.held += held - order.hold
    order.hold = held


def assume_hold(purse, instrument, side, qty, price, reserve, flags, sign):
    """Hold cash for a buy of a list (`sign` 1) while the orders after it are judged, or give it back (-1)."""
    valued = hold_price(instrument, side, price, reserve, flags)
    if side > 0 and valued != MISSING:
        purse.held += sign * notional(instrument, qty, valued)


def committed(order):
    """Lots that an order has taken of its parent: filled ones, and those that still work."""
    return max(order.qty, order.filled) if order.status == WORKING else order.filled


def adopt(order, parent):
    """Begin a named order's own count of children, and remember whose child it is."""
    order.children = 0
    order.parent = parent


def give_back(orders, order, lots):
    """Count a change of a child order's lots for its parent."""
    if order.parent >= 0:
        at(orders, order.parent).children += lots


def list_order(position, side, price):
    """Remember the best price of a list's orders so far, for those after it (a market order meets any)."""
    if side > 0:
        position.listed_buy = max(position.listed_buy, ANY_PRICE if price == MISSING else price)
    else:
        position.listed_sell = min(position.listed_sell, -ANY_PRICE if price == MISSING else price)


def unlist_orders(position):
    """The list is judged: none of its orders stands in the way any more."""
    position.listed_buy = -NO_OFFER
    position.listed_sell = NO_OFFER
