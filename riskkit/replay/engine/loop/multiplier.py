"""Another multiplier of an instrument: its positions and working orders are worth more or less from now on."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import first_place, place_of, receive_cash
from riskkit.replay.engine.loop.records import look_up_cash, look_up_owner
from riskkit.replay.engine.loop.settlement import tell_restated
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import hold_cash
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import exposure, fill_records, multipliers, runtime
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING


def on_multiplier():
    """Count the money of an instrument at another multiplier."""
    global used
    used = multiply(used)


def multiply(used):
    """Take the value of positions and orders out of the books, and back in at the new multiplier; then tell the rules.

    Returns the number of rows written.
    """
    global instrument
    if shape.amends:
        fill_records.settle_fills(fills, counts[Counter.FILLS], positions, int64(log.instrument[i]))
    count_worth(-1)
    multipliers.take_multiplier(at(instruments, log.instrument[i]), log.qty[i], log.price[i])
    count_worth(1)
    instrument = at(instruments, log.instrument[i])
    tell_restated()
    return used


def count_worth(sign):
    """Count the money of what is held and of what works in an instrument (`sign` 1), or count it no longer (-1)."""
    global order, position, account, instrument
    instrument = at(instruments, log.instrument[i])
    pair_id = instrument.first_position
    while pair_id >= 0:
        position = at(positions, pair_id)
        account = at(accounts, position.account)
        shift_holder(pair_id, sign)
        pair_id = position.next_position
    for group in shape.groups:
        if group.own:
            shift_own(group, sign)
    if shape.orders and (shape.measuring or shape.cash):
        for slot in range(counts[Counter.SLOTS]):
            order = at(orders, slot)
            position = at(positions, order.pair)
            if position.instrument == log.instrument[i] and order.status == runtime.WORKING:
                look_up_owner()
                count_order(sign)
    instrument = at(instruments, log.instrument[i])


def count_order(sign):
    """Count the money of the rest of a working order, and what it reserves."""
    for rule in shape.measuring:
        at(rule.states, rule.order_key).open_money += sign * ledger.worth_of(order, instrument)
    if shape.cash and sign > 0:
        hold_cash()


def shift_holder(pair_id, sign):
    """Count the value of `position` in its cost, in its account and in the groups whose profit is that of their parts."""
    global member
    if position.qty != 0 and instrument.mark != MISSING:
        position.stated = 1
        money = multipliers.shift_cost(position, account, instrument, sign)
        if shape.cash:
            look_up_cash(position.account, instrument.currency)
            receive_cash(-money, instrument.currency)
        for group in shape.groups:
            if not group.own and not group.sums:
                member = at(group.accounts, at(group.positions, place_of(group, int64(pair_id), -1)).account)
                member.cash -= money
    if shape.amends and sign > 0:
        fill_records.settle_costs(position)
    if shape.marks and sign > 0 and instrument.mark != MISSING:
        ledger.mark(position, account, instrument)
    if shape.exposures and sign > 0:
        exposure.expose(position, account, instrument)


def shift_own(group, sign):
    """Count the value of the positions of each book of a group whose profit is that of its own fills."""
    place = first_place(group, int64(log.instrument[i]))
    while place >= 0:
        holding = at(group.positions, place)
        if holding.qty != 0 and instrument.mark != MISSING:
            multipliers.shift_cost(holding, at(group.accounts, holding.account), instrument, sign)
            holding.stated = 1 if group in shape.groups_told else 0
        if shape.amends and sign > 0:
            fill_records.settle_costs(holding)
        place = holding.next_position
