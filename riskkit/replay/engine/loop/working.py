"""Working orders, and all that depends on what they leave open: counts, groups, reserved cash, exposure, queues."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import balance_of, first_place, holder_of, place_of
from riskkit.replay.engine.loop.records import look_up_owner, parent_slot
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import cash_holds, exposure, groups, order_chains, order_stops, runtime
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, RowFlag
from riskkit.replay.schema.constants import NEVER


def let_work():
    """Add a named order to the working orders."""
    global change, rest_before, worth_before
    if shape.tags or shape.closes or shape.apart or ((shape.modifies or shape.dividends) and "flags" in shape.columns):
        ledger.tag_order(order, event.strategy, event.connection, event.flags)
    if shape.apart:
        order.smp_id = event.smp_id
    if shape.cash:
        cash_holds.set_hold_price(order, instrument, event.side, event.price, event.reserve, event.flags, event.stop)
    if shape.parents:
        ledger.link_child(order, parent_slot(i))
    if shape.answers:
        order.former_qty = MISSING
    if shape.keeps_rows:
        order.row = i
    if shape.queueing:
        order.release = now + verdict.until if verdict.cause == runtime.NO_RULE and event.batch < 0 else now
    if shape.numbers_orders:
        counts[Counter.ENTERED] += 1
        order.number = counts[Counter.ENTERED] if not shape.stops or event.stop == MISSING else NEVER
        order.since = now
    if shape.stops:
        order_stops.set_stop(order, event.stop, log.stop[i], event.flags)
    rest_before = worth_before = 0  # the record may hold data of another order
    change = ledger.open_order(
        order, position, account, event.side, qty, event.price, event.reserve, event.account, event.pair
    )
    value_order()
    lots_changed()
    if change != 0:
        count_working()
        join_chain()
    if shape.cash:
        hold_cash()
    if shape.enforce:
        order.fill_cap = fill_cap


def join_chain():
    """Add an order to those that wait for their stop in its instrument, or that work in its position."""
    if shape.stops and order.stop != MISSING:
        order_stops.link_stop(orders, log.slots[i], order, instrument)
    elif shape.chains:
        order_chains.link_order(orders, log.slots[i], order, position)


def trigger(slot, lots):
    """Let an order that waits for its stop be a limit or market order from now on; it is not judged again.

    One that closes what is held is for what is held now, and for the `lots` of the fill that shows its trigger.
    """
    if order.status == runtime.WORKING:
        order_stops.unlink_stop(orders, order, instrument)
        if shape.chains:
            order_chains.link_order(orders, slot, order, position)
    if shape.numbers_orders:
        counts[Counter.ENTERED] += 1
        order.number = counts[Counter.ENTERED]
    order.stop = MISSING
    if shape.closes and order.status == runtime.WORKING and order.flags & RowFlag.CLOSE_POSITION:
        close_held(lots)


def close_held(lots):
    """Let an order be for what its position holds and some lots more; it ends if that is nothing."""
    global change
    look_up_owner()
    before_change()
    change = ledger.change_order(
        order, position, account, order.filled + lots + max(-order.side * position.qty, 0), order.price
    )
    after_change()


def stop_work():
    """Remove the unfilled rest of an order from the book."""
    global change
    before_change()
    change = ledger.close_order(order, position, account)
    after_change()
    if shape.queueing and change != 0 and order.release > now:
        leave_queues()


def leave_queues():
    """Take an order that ends while it waits its turn out of the queues of the rules."""
    for rule in shape.queueing:
        if rule.order_key >= 0:
            rule.state = at(rule.states, rule.order_key)
            rule.leave(release=order.release)
    order.release = now


def before_change():
    """Store what an order works, and what a child order takes of its parent, before a fill, a modify or its end."""
    global committed_before, rest_before, worth_before
    if shape.parents:
        committed_before = ledger.committed_qty(order)
    if shape.lots:
        rest_before = ledger.rest_of(order)
    if shape.measuring:
        worth_before = ledger.worth_of(order, instrument)


def after_change():
    """Update what depends on a named order, after a fill, a modify or its end."""
    lots_changed()
    if change != 0:
        count_working()
        if (shape.answers or shape.snapshots) and change > 0:
            join_chain()
        else:
            leave_chain()
    if shape.parents:
        ledger.release_child_qty(orders, order, ledger.committed_qty(order) - committed_before)
    if shape.cash:
        hold_cash()


def leave_chain():
    """Take an order that works no longer out of its chain."""
    if shape.stops and order.stop != MISSING:
        order_stops.unlink_stop(orders, order, instrument)
    elif shape.chains:
        order_chains.unlink_order(orders, order, position)


def count_working():
    """Add `change` to the counts of working orders of the rules that keep them."""
    for rule in shape.counting:
        at(rule.states, rule.order_key).working += change


def hold_cash():
    """Adjust the cash that an order reserves in the balances of its account and groups."""
    global reserved_before
    reserved_before = order.reserved
    cash_holds.reserve_cash(order, cash_balance, instrument)
    for group in shape.cash_groups:
        balance_of(group, holder_of(group), instrument.currency).reserved += order.reserved - reserved_before


def value_order():
    """Store the price at which an order is valued while it works."""
    if shape.measuring or shape.exposures:
        order.value_price = value_price(order.side, order.price, order.stop)
    if shape.exposures:
        if exposure.raises_estimate(instrument, order.value_price):
            instrument.estimate = abs(order.value_price)
            expose_holders()
            expose_groups()


def value_price(way, limit, stop):
    """The price at which the order of the event is valued; MISSING if unknown."""
    return (
        MISSING
        if limit == MISSING and event.flags & RowFlag.BAD_PRICE
        else order_stops.waiting_price(instrument, limit, stop)
        if shape.stops and stop != MISSING
        else ledger.order_price(instrument, way, limit)
    )


def expose_holders():
    """Bring the exposure of every account in the instrument up to date."""
    pair_id = instrument.first_position
    while pair_id >= 0:
        holding = at(positions, pair_id)
        exposure.expose(holding, at(accounts, holding.account), instrument)
        pair_id = holding.next_position


def expose_groups():
    """Bring the exposure of every group in the instrument up to date."""
    for group in shape.groups:
        place = first_place(group, position.instrument)
        while place >= 0:
            holding = at(group.positions, place)
            exposure.expose(holding, at(group.accounts, holding.account), instrument)
            place = holding.next_position


def lots_changed():
    """Update what depends on the lots that an order works, and on those held."""
    if shape.lots:
        work_in_groups(order.pair, order.strategy, order.side, ledger.rest_of(order) - rest_before)
    if shape.exposures:
        exposure.expose(position, account, instrument)
    for rule in shape.measuring:
        rule.state = at(rule.states, rule.order_key)
        rule.state.open_quantity += (ledger.rest_of(order) - rest_before) * instrument.qty_unit
        rule.state.open_money += ledger.worth_of(order, instrument) - worth_before
    note_opening()


def work_in_groups(pair_id, strategy_id, way, lots):
    """Count working lots of an order in the positions of its groups."""
    for group in shape.groups:
        holding = at(group.positions, place_of(group, pair_id, strategy_id))
        groups.work(holding, way, lots)
        if shape.exposures:
            exposure.expose(holding, at(group.accounts, holding.account), instrument)


def note_opening():
    """Count a position that an order would open while it works, for the rules that limit open positions."""
    if shape.opening:
        opens = 1 if position.qty == 0 and position.open_buy_qty + position.open_sell_qty > 0 else 0
        if opens != position.opening:
            for rule in shape.opening:
                at(rule.states, rule.position_key).opening += opens - position.opening
            position.opening = opens
