"""The book: positions, cost, realised and unrealised P&L, cash, exposure and working orders, in integers.

Each function updates the records of one position (an account in an instrument), one account and one instrument. For
every account, after every event, exactly:

    cash + value - net_deposits == realised + (value - cost) - fees + funding

where net deposits include the opening value, and value - cost is the unrealised profit at marks.

Units: a *lot* is one quantity step of the instrument, a *tick* one price step, a *quantum* the smallest amount of
money of the log (see `riskkit.replay.schema.universe.Universe`). Codes are row numbers of the tables, -1 for none.
"""

from __future__ import annotations

from typing import NamedTuple

from riskkit.replay.kernels.integers import scaled, share
from riskkit.replay.kernels.records import Record, at
from riskkit.replay.schema.columns import MISSING, CashFlowKind, FillCap, OrderStatus

UNKNOWN, WORKING, BLOCKED, DONE, CANCELLED, REDUCED = map(int, tuple(OrderStatus)[:6])
NO_CAP = int(FillCap.NONE)

# the fields of each record and their meaning. All are int64: a narrower one would wrap at other values compiled than in
# Python. Fields that every fill touches are first, in one line of the processor's cache
INSTRUMENT: dict[str, str] = dict(
    numerator="quanta of one lot at one tick: this numerator",
    denominator="over this denominator",
    qty_unit="size of one lot in the quantity unit that all instruments share",
    price_unit="size of one tick in the price unit that all instruments share",
    product="code of the product",
    first_position="code of the first position in this instrument, chained by its `next_position`",
    last_pair="code of the last position in this instrument",
    bid="best bid in ticks; MISSING before the first",
    ask="best ask in ticks; MISSING before the first",
    last="last price in ticks, of a price event; MISSING before the first",
    mark="price at which positions are valued, in ticks: last price, or a fill's before there is one",
    priced="1 after the first price event with a last price, else 0",
    lot="smallest quantity that may be traded, in lots (quantity steps)",
    tick="smallest price change that may be quoted, in ticks (price steps)",
    allows_negative="1 if prices at or below zero are allowed, else 0",
    listed="1 if declared, 0 if it only occurs in the log",
    currency="code of the currency",
    delta="millionths of a unit of the underlying in one unit of quantity",
    vega="millionths of the vega of one unit of quantity",
    mark_ts="time of the mark; this, the previous close and the times of all prices are kept if a rule needs reference prices",
    bid_ts="time of the best bid",
    ask_ts="time of the best ask",
    estimate="before the first mark: highest price of an order that worked, in ticks, without sign; MISSING if none",
    listed_estimate="the same of the earlier orders of the list in decision; MISSING if none",
    paid_numerator="quanta on one lot of a billionth of money on one unit: this numerator",
    paid_denominator="over this denominator",
    times_numerator="present multiplier over the declared one: this numerator, 0 before the first change",
    times_denominator="over this denominator, likewise",
    phase="phase of trading, as `MarketPhase`",
    luld_tier="its tier in the LULD Plan, 0 if that is not declared",
    stop_slippage="ticks added to the stop of a market order that waits for it, to value it",
    first_stop="record of the newest order that waits for its stop, chained by its `next_order`, -1 if none",
    expired="1 after its expiry, else 0",
    traded="lots of the fills of all accounts, kept if a rule needs them; else 0",
    close="previous close or settlement in ticks",
    close_ts="time of its event",
    closed="1 after the first one, else 0",
)
POSITION: dict[str, str] = dict(
    qty="lots held, negative if short",
    cost="quanta paid for the lots held, negative if short",
    realised="quanta of realised profit",
    value="quanta at the mark, negative if short",
    open_buy_qty="lots of its working buys",
    open_sell_qty="lots of its working sells",
    fill_price="price of its last fill in ticks, kept if a rule needs reference prices; MISSING before the first",
    fill_ts="time of its last fill",
    factual_qty="lots held in the log as recorded, with the fills dropped in enforce mode",
    unpriced="1 for an opening position before its first mark, else 0",
    account="code of the account",
    instrument="code of the instrument",
    next_position="code of the next position in the same instrument, -1 at the end",
    product="code of the instrument's product",
    next_of_account="code of the next position of the same account, -1 at the end",
    first_buy="record of the newest working buy, chained by its `next_order`, -1 if none",
    first_sell="record of the newest working sell, chained by its `next_order`, -1 if none",
    listed_buy="highest buy price in ticks among the earlier orders of the list in decision; -NO_OFFER if none",
    listed_sell="lowest sell price in ticks among the earlier orders of the list in decision; NO_OFFER if none",
    listed_buy_qty="lots of the earlier buys of the list in decision",
    listed_sell_qty="lots of the earlier sells of the list in decision",
    high="quanta at the mark if its working buys are filled",
    low="quanta at the mark if its working sells are filled",
    listed_high="quanta at the mark if the earlier buys of the list in decision are filled",
    listed_low="quanta at the mark if the earlier sells of the list in decision are filled",
    opening_cost="quanta: cost of the opening position, at its first mark, and of the fills whose records are gone",
    opening_realised="quanta of profit that the fills whose records are gone realised",
    code="its own code",
    opening="1 while it is flat and an order of it works, kept if a rule limits open positions; else 0",
    stated="row of the snapshot that states it, from 1, while one is taken; 1 while its lots are settled; else 0",
)
ACCOUNT: dict[str, str] = dict(
    cash="quanta of cash, all currencies together",
    cost="quanta: sum of the cost of its positions",
    realised="quanta of realised profit",
    fees="quanta of fees paid",
    value="quanta: sum of the value of its positions",
    net_deposits="quanta: opening cash and value, deposits less withdrawals",
    funding="quanta of funding and dividends received",
    external_equity="quanta of equity of the last EQUITY event",
    has_external_equity="1 after the first EQUITY event, else 0",
    external_deposits="quanta: deposits that the last EQUITY event contains",
    unknown_deposits="quanta: what an account without deposits had at its first EQUITY event beyond its own profit",
    working="number of working orders",
    peak="quanta: highest profit so far",
    drawdown="quanta: maximum drawdown of profit so far",
    paused="1 while a PAUSE command is in force, 2 while a STOP command is, else 0",
    state="trading state of the last command, as `Command`: ACTIVE, REDUCING or HALTED",
    trader="code of the trader",
    desk="code of the desk",
    firm="code of the firm",
    gross="quanta: sum of the absolute value of its positions",
    first_position="code of its first position, chained by `next_of_account`, -1 if none",
    high="quanta: sum of the `high` of its positions",
    low="quanta: sum of the `low` of its positions",
    worst="quanta: sum of the larger of `high` and `low` of its positions, without sign",
    listed_high="quanta: sum of the `listed_high` of its positions",
    listed_low="quanta: sum of the `listed_low` of its positions",
    listed_worst="quanta: sum of the larger of `listed_high` and `listed_low` of its positions, without sign",
    told_equity="quanta of equity that its groups count",
    told_deposits="quanta of deposits that its groups count",
    told_realised="quanta of realised profit, funding less fees that its groups count",
    currency="code of the first currency that it declares; 0 if it declares none",
    counted="quanta of profit that the total of its currency counts",
    total="code of that total, -1 if it has none",
)
ORDER: dict[str, str] = dict(
    status="state as `OrderStatus`",
    side="+1 buy, -1 sell",
    qty="lots ordered in all, filled ones included",
    filled="lots filled",
    price="limit in ticks; MISSING for a market order",
    fill_cap="limit of its fills in enforce mode, as `FillCap`",
    reserve="highest price of a buy as declared with the order, in ticks; MISSING if not declared",
    account="code of the account",
    pair="code of the position",
    max_price="highest price that a buy may be moved to, in ticks; MISSING for a market order without reserve",
    hold_price="price at which a buy reserves cash, in ticks; MISSING if it reserves none",
    reserved="quanta of cash that it reserves",
    strategy="code of the strategy",
    connection="code of the connection",
    flags="`Flag` bits of its order event",
    prev_order="record of the next newer working order of the position and side (or waiting for a stop), -1 if none",
    next_order="record of the next older one, -1 if none",
    child_qty="lots of its child orders, filled or working",
    parent="record of the parent order, -1 if none",
    value_price="price in ticks at which the order was valued when it came or was changed; MISSING if unknown",
    former_qty="`qty` before the last modify, which the venue may reject; MISSING if none",
    former_price="`price` before it",
    former_cap="`fill_cap` before it",
    former_hold_price="`hold_price` before it",
    former_value_price="`value_price` before it",
    former_stop="`stop` before it",
    former_offset="`offset` before it",
    number="its place among the orders that have begun to rest, kept if a rule looks at cancels by their orders; else 0",
    taken="lots that its last cancel took off the book, likewise",
    since="time of its order event, likewise",
    row="row of its order event, kept if it must be found by name (`Shape.keeps_rows`); else 0",
    release="time until which it waits its turn, kept if rules let orders wait; else 0",
    stop="price in ticks of a trade that triggers it; MISSING of an order that waits for none, or no longer",
    offset="ticks at which its stop follows the trades; 0 of a fixed stop",
    stated="row of the snapshot that states it, from 1, while one is taken; else 0",
    smp_id="number of its self-match prevention id, kept if a rule tells orders apart by it; -1 if none",
)
CASH_BALANCE: dict[str, str] = dict(  # an account's balance in one currency
    cash="quanta of cash",
    reserved="quanta that its working buys reserve",
)

CASH_DEPOSIT = int(CashFlowKind.DEPOSIT)
CASH_FEE = int(CashFlowKind.FEE)


class Book(NamedTuple):
    """The records of an event that a rule may read, and the effect of a fill or closed trade.

    ``order`` is the record of the order that the event belongs to, ``parent`` that of a child order's parent,
    ``cash_balance`` the account's balance in the instrument's currency (each if a rule needs it). ``realised`` is the
    profit realised by this fill or trade in quanta; ``opened`` is +1 if it opened a position from flat, -1 if it closed
    one.
    """

    position: Record
    account: Record
    instrument: Record
    order: Record
    realised: int = 0
    opened: int = 0
    cash_balance: Record = None
    parent: Record = None


def notional(instrument: Record, qty: int, price: int) -> int:
    """Quanta of `qty` lots at `price` ticks, rounded once, half to even."""
    if instrument.denominator == 1:
        return qty * price * instrument.numerator
    return scaled(qty, price * instrument.numerator, instrument.denominator)


def equity(account: Record) -> int:
    """Equity at marks, or that of the last EQUITY event, in quanta."""
    if account.has_external_equity != 0:
        return account.external_equity
    return account.cash + account.value


def paid_in(account: Record) -> int:
    """Deposits and opening value that `equity` contains, in quanta."""
    if account.has_external_equity != 0:
        return account.external_deposits
    return account.net_deposits


def profit(account: Record) -> int:
    """Equity less deposits and opening value, in quanta."""
    return equity(account) - paid_in(account)


def give_equity(account: Record, amount: int) -> None:
    """Take an equity given from outside; the first one of an account without deposits is not profit."""
    if account.has_external_equity == 0 and account.net_deposits == 0:
        account.unknown_deposits = amount - profit(account)
    account.external_equity = amount
    account.has_external_equity = 1
    account.external_deposits = account.net_deposits + account.unknown_deposits


def order_price(instrument: Record, side: int, price: int) -> int:
    """Price at which an order is valued: its limit, of a sell below the market that of the market; MISSING if unknown.

    The market, also of a market order, is the ask (buy) or bid (sell), else the mark. A sell at 1 beside a bid of 672,000
    trades at 672,000, not at 1 (Mizuho Securities and J-Com, 8 December 2005).
    """
    if price != MISSING and side > 0:
        return price
    market = instrument.mark
    if side > 0 and instrument.ask != MISSING:
        market = instrument.ask
    elif side < 0 and instrument.bid != MISSING:
        market = instrument.bid
    if price == MISSING or (market != MISSING and abs(market) > abs(price)):
        return market
    return price


def reduces(position: Record, side: int, qty: int, working_qty: int) -> bool:
    """True if an order only reduces: opposite to the position and, with the working orders of its side, within it.

    ``working_qty`` is the number of lots that the order itself has working already (a modify).
    """
    working = position.open_buy_qty if side > 0 else position.open_sell_qty
    return side * position.qty < 0 and qty + working - working_qty <= abs(position.qty)


def fill(position: Record, account: Record, instrument: Record, side: int, qty: int, price: int, fee: int) -> int:
    """Book a fill; return the profit that it realises in quanta (0 if it opens or adds)."""
    money = notional(instrument, qty, price)
    held = position.qty
    realised = 0
    released = 0
    opened = money
    if held * side < 0:
        size = abs(held)
        if qty <= size:
            closing_money = money
            closing = qty
        else:
            closing_money = share(money, size, qty)
            closing = size
        released = share(position.cost, closing, size)
        realised = -side * closing_money - released
        opened = money - closing_money
    change = side * opened - released
    position.qty = held + side * qty
    position.cost += change
    position.realised += realised
    account.cost += change
    account.realised += realised
    account.cash -= side * money + fee
    account.fees += fee
    return realised


def adjust(position: Record, account: Record, instrument: Record, side: int, qty: int, price: int) -> int:
    """Book lots that come or go without a fill, at a price but unpaid; return the profit that this realises in quanta."""
    money = side * notional(instrument, qty, price)
    account.cash += money
    account.net_deposits += money
    return fill(position, account, instrument, side, qty, price, 0)


def mark(position: Record, account: Record, instrument: Record) -> None:
    """Value a position at the instrument's mark."""
    value = notional(instrument, position.qty, instrument.mark)
    if position.unpriced != 0:  # the first mark is the cost of an opening position
        change = value - position.cost
        position.unpriced = 0
        position.cost = value
        position.opening_cost = value
        account.cost += change
        account.net_deposits += change
    account.value += value - position.value
    account.gross += abs(value) - abs(position.value)
    position.value = value


def quote(instrument: Record, price: int, bid: int, ask: int) -> None:
    """Store the prices of a price event; one that is MISSING stays as it is."""
    if bid != MISSING:
        instrument.bid = bid
    if ask != MISSING:
        instrument.ask = ask
    if price != MISSING:
        instrument.last = price
        instrument.mark = price
        instrument.priced = 1


def date_quote(instrument: Record, price: int, bid: int, ask: int, now: int) -> None:
    """Store the time of the prices of a price event."""
    if bid != MISSING:
        instrument.bid_ts = now
    if ask != MISSING:
        instrument.ask_ts = now
    if price != MISSING:
        instrument.mark_ts = now


def date_close(instrument: Record, price: int, now: int) -> None:
    """Store a previous close or settlement and its time."""
    instrument.close = price
    instrument.close_ts = now
    instrument.closed = 1


def date_fill(position: Record, instrument: Record, price: int, now: int) -> None:
    """Store price and time of a fill; before the first price event it is the mark."""
    position.fill_price = price
    position.fill_ts = now
    if instrument.priced == 0:
        instrument.mark_ts = now


def cash_flow(account: Record, flow: int, amount: int) -> None:
    """Book a deposit, fee, funding or dividend in quanta (above zero: received)."""
    account.cash += amount
    if flow == CASH_DEPOSIT:
        account.net_deposits += amount
    elif flow == CASH_FEE:
        account.fees -= amount
    else:
        account.funding += amount


def track(account: Record) -> None:
    """Update the peak of profit and the maximum drawdown."""
    now = profit(account)
    account.peak = max(account.peak, now)
    account.drawdown = max(account.drawdown, account.peak - now)


def open_order(
    order: Record, position: Record, account: Record, side: int, qty: int, price: int, reserve: int, account_code: int,
    pair: int,
) -> int:  # fmt: skip
    """Put an order on the book; like the functions below, return the change in the number of working orders."""
    order.status = WORKING
    order.side = side
    order.qty = qty
    order.filled = 0
    order.price = price
    order.fill_cap = NO_CAP
    order.reserve = reserve
    order.account = account_code
    order.pair = pair
    account.working += 1
    if side > 0:
        position.open_buy_qty += qty
    else:
        position.open_sell_qty += qty
    return 1


def reset_order(order: Record) -> None:
    """Reset the record of an order that never worked; it may hold data of another order."""
    order.status = UNKNOWN
    order.side = 0
    order.qty = 0
    order.filled = 0
    order.price = MISSING
    order.fill_cap = NO_CAP
    order.reserve = MISSING
    order.max_price = MISSING
    order.reserved = 0
    order.strategy = -1
    order.connection = -1
    order.flags = 0
    order.parent = -1
    order.stop = MISSING


def close_order(order: Record, position: Record, account: Record) -> int:
    """Take the rest of an order off the book."""
    was = order.status
    if was == WORKING:
        rest = max(order.qty - order.filled, 0)
        account.working -= 1
        if order.side > 0:
            position.open_buy_qty -= rest
        else:
            position.open_sell_qty -= rest
    order.status = DONE
    return -1 if was == WORKING else 0


def fill_order(order: Record, position: Record, account: Record, qty: int) -> int:
    """Count a fill against its order."""
    change = 0
    if order.status == WORKING:
        rest = max(order.qty - order.filled, 0)
        taken = min(qty, rest)
        if order.side > 0:
            position.open_buy_qty -= taken
        else:
            position.open_sell_qty -= taken
        if qty >= rest:
            account.working -= 1
            order.status = DONE
            change = -1
    if order.status != UNKNOWN:
        order.filled += qty
    return change


def change_order(order: Record, position: Record, account: Record, qty: int, price: int) -> int:
    """Give a working order a new quantity (in all, filled lots included) and price."""
    change = 0
    if order.status == WORKING:
        more = max(qty - order.filled, 0) - max(order.qty - order.filled, 0)
        if order.side > 0:
            position.open_buy_qty += more
        else:
            position.open_sell_qty += more
        if qty <= order.filled:
            account.working -= 1
            order.status = DONE
            change = -1
    order.qty = qty
    order.price = price
    order.fill_cap = NO_CAP
    return change


def worse(side: int, price: int, limit: int) -> bool:
    """True if a fill at `price` is worse than an order's limit price allows."""
    return limit != MISSING and side * price > side * limit


# ---------------------------------------------------------------------- state that only some rules need


def tag_order(order: Record, strategy: int, connection: int, flags: int) -> None:
    """Store the order's strategy, connection and flags."""
    order.strategy = strategy
    order.connection = connection
    order.flags = flags


def committed_qty(order: Record) -> int:
    """Lots that a child order takes of its parent: filled ones and working ones."""
    return max(order.qty, order.filled) if order.status == WORKING else order.filled


def link_child(order: Record, parent: int) -> None:
    """Link an order to its parent's record, with no child lots of its own."""
    order.child_qty = 0
    order.parent = parent


def release_child_qty(orders: Record, order: Record, lots: int) -> None:
    """Add a change of a child order's lots to its parent's count."""
    if order.parent >= 0:
        at(orders, order.parent).child_qty += lots


def rest_of(order: Record) -> int:
    """Lots of an order that work."""
    return max(order.qty - order.filled, 0) if order.status == WORKING else 0


def worth_of(order: Record, instrument: Record) -> int:
    """Money of the lots of an order that work, in quanta without sign; 0 if no price was known."""
    return abs(notional(instrument, rest_of(order), order.value_price)) if order.value_price != MISSING else 0
