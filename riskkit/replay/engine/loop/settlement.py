"""Instruments that expire or are rolled into another one."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import first_place
from riskkit.replay.engine.loop.equity import equity_moved, revalue_groups, tell_group, tell_groups_of
from riskkit.replay.engine.loop.lots import book_lots, value_first
from riskkit.replay.engine.loop.records import column, look_up_owner, write_row
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import expose_groups, stop_work
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import exposure, fill_records, runtime
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind


def on_settlement():
    """Settle an instrument at its expiry, or at the first row of a roll."""
    global used
    if log.kind[i] == EventKind.EXPIRY or column("batch", i) == i:
        used = settle(used)


def settle(used):
    """Turn the positions in an instrument into cash or into those of another one; return the number of rows written."""
    global position, account, instrument, other
    if log.kind[i] == EventKind.EXPIRY:
        end_expired()
    else:
        begin_settlement(i + 1)
        other = instrument
    begin_settlement(i)
    pair_id = instrument.first_position
    while pair_id >= 0:
        position = at(positions, pair_id)
        account = at(accounts, position.account)
        settle_position(pair_id)
        instrument = at(instruments, log.instrument[i])
        pair_id = at(positions, pair_id).next_position
    for group in shape.groups:
        if group.own:
            settle_own(group)
    move_holders()
    tell_settled(i)
    if log.kind[i] == EventKind.ROLL:
        tell_settled(i + 1)
    return used


def end_expired():
    """End the orders of an instrument that expires, also those that the venue might have brought back."""
    global order, position
    at(instruments, log.instrument[i]).expired = 1
    first = used
    if shape.orders:
        for slot in range(counts[Counter.SLOTS]):
            order = at(orders, slot)
            position = at(positions, order.pair)
            if position.instrument == log.instrument[i] and order.status == runtime.WORKING:
                look_up_owner()
                write_row(
                    0, order.row, ledger.rest_of(order), 0, order.account, runtime.NO_RULE, DecisionCode.CANCELLED
                )
                stop_work()
            elif position.instrument == log.instrument[i] and runtime.may_return(order.status):
                order.status = runtime.DONE
    runtime.sort_rows(rows, first, used)


def begin_settlement(row):
    """Look up the instrument of a row, value what waits for its first mark, and let its fills so far be final."""
    global instrument
    instrument = at(instruments, log.instrument[row])
    if instrument.mark == MISSING:
        value_first(int64(log.instrument[row]), log.price[row])
    if shape.amends:
        fill_records.settle_fills(fills, counts[Counter.FILLS], positions, int64(log.instrument[row]))


def settle_position(pair_id):
    """Close `position` at the price of its settlement and, in a roll, open as much in the other instrument at its price."""
    lots = position.qty
    recorded_lots = position.factual_qty
    position.factual_qty = 0
    if lots != 0:
        settle_lots(pair_id, -lots, log.price[i])
    if shape.amends:
        fill_records.settle_costs(position)
    if log.kind[i] == EventKind.ROLL:
        gained = lots * instrument.qty_unit // other.qty_unit
        recorded_gain = recorded_lots * instrument.qty_unit // other.qty_unit
        roll_position(gained, recorded_gain)


def roll_position(gained, recorded_gain):
    """Open lots in the other instrument of a roll, in which every holder has a position."""
    global position, instrument
    rolled = account.first_position
    while rolled >= 0 and at(positions, rolled).instrument != log.instrument[i + 1]:
        rolled = at(positions, rolled).next_of_account
    if rolled >= 0:
        position = at(positions, rolled)
        position.factual_qty += recorded_gain
        if gained != 0:
            instrument = other
            settle_lots(rolled, gained, log.price[i + 1])
        if shape.amends:
            fill_records.settle_costs(position)


def settle_lots(place, gap, price):
    """Give `position` lots that its settlement pays, and write what it holds afterwards."""
    position.stated = 1
    write_row(0, place, position.qty + gap, position.qty, place, runtime.NO_RULE, DecisionCode.SETTLED)
    book_lots(place, gap, price, 1)


def settle_own(group):
    """Settle the positions of each book of a group whose profit is that of its own fills."""
    place = first_place(group, int64(log.instrument[i]))
    while place >= 0:
        lots = at(group.positions, place).qty
        settle_holding(group, place, i, -lots)
        if log.kind[i] == EventKind.ROLL:
            settle_holding(
                group, place + log.instrument[i + 1] - log.instrument[i], i + 1,
                lots * instrument.qty_unit // other.qty_unit,
            )  # fmt: skip
        place = at(group.positions, place).next_position


def settle_holding(group, place, row, gap):
    """Book lots that a settlement pays in a book of a group, at the price of a row."""
    global member
    holding = at(group.positions, place)
    member = at(group.accounts, holding.account)
    if gap != 0:
        ledger.fill(
            holding, member, at(instruments, log.instrument[row]), 1 if gap > 0 else -1, abs(gap), log.price[row], 0
        )
        holding.stated = 1 if group in shape.groups_told else 0
        if shape.marks:
            ledger.mark(holding, member, at(instruments, log.instrument[row]))
        if shape.exposures:
            exposure.expose(holding, member, at(instruments, log.instrument[row]))
    if shape.amends:
        fill_records.settle_costs(holding)


def tell_restated():
    """Value the groups of an instrument that is counted in other units, and tell the rules of those who hold it."""
    global position
    if shape.marks and instrument.mark != MISSING:
        revalue_groups(int64(log.instrument[i]))
    elif shape.exposures and instrument.first_position >= 0:
        position = at(positions, instrument.first_position)
        expose_groups()
    move_holders()
    tell_settled(i)


def move_holders():
    """Tell the rules of the accounts whose lots of `instrument` the event has changed that their equity has moved."""
    pair_id = instrument.first_position
    while pair_id >= 0:
        if at(positions, pair_id).stated != 0:
            equity_moved(at(positions, pair_id).account, pair_id, log.instrument[i])
        pair_id = at(positions, pair_id).next_position


def tell_settled(row):
    """Tell the rules of all groups of the profit of the positions in the instrument of a row that were settled."""
    global position, account, instrument
    instrument = at(instruments, log.instrument[row])
    pair_id = instrument.first_position
    while pair_id >= 0:
        position = at(positions, pair_id)
        account = at(accounts, position.account)
        if position.stated != 0:
            position.stated = 0
            tell_groups_of(pair_id)
        pair_id = at(positions, pair_id).next_position
    for group in shape.groups_told:
        if group.own:
            place = first_place(group, int64(log.instrument[row]))
            while place >= 0:
                if at(group.positions, place).stated != 0:
                    at(group.positions, place).stated = 0
                    tell_group(group, place)
                place = at(group.positions, place).next_position
