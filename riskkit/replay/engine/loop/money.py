"""Cash that is paid in and out, dividends, funding, and equity given from outside."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import first_place, holder_of, place_of, receive_cash
from riskkit.replay.engine.loop.equity import equity_moved, tell_groups_in, tell_sums
from riskkit.replay.engine.loop.records import cash_currency, look_up, look_up_cash
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import before_change, hold_cash, lots_changed
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import dividends
from riskkit.replay.kernels import totals as sums
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import CashFlowKind, EventKind


def on_cash():
    """Book a deposit, fee, funding or dividend; the price column has the code of its currency."""
    look_up(i)
    ledger.cash_flow(account, int64(log.side[i]), log.qty[i])
    if shape.netted:
        sums.follow_total(at(totals, 0), account)
    if shape.cash:
        look_up_cash(log.account[i], cash_currency())
        receive_cash(log.qty[i], cash_currency())
    for group in shape.currency_groups:
        ledger.cash_flow(
            at(group.accounts, holder_of(group) * counts[Counter.CURRENCIES] + cash_currency()),
            int64(log.side[i]), log.qty[i],
        )  # fmt: skip
    equity_moved(log.account[i], log.pair[i], log.instrument[i])
    tell_sums()


def on_dividend():
    """Lower the prices of open orders by a dividend, and pay it, or a funding, to those who hold its instrument."""
    global used
    used = pay_dividend(used)


def pay_dividend(used):
    """Pay a dividend, after the prices of open orders, or a funding; return the number of rows written."""
    global order, position, account, instrument
    instrument = at(instruments, log.instrument[i])
    if shape.dividends and shape.orders and log.kind[i] == EventKind.DIVIDEND and log.qty[i] >= dividends.CENT:
        for slot in range(counts[Counter.SLOTS]):
            order = at(orders, slot)
            position = at(positions, order.pair)
            if position.instrument == log.instrument[i] and dividends.falls(order):
                account = at(accounts, order.account)
                look_up_cash(order.account, instrument.currency)
                before_change()
                dividends.lower(order, log.price[i], instrument.tick)
                lots_changed()
                if shape.cash:
                    hold_cash()
    pair_id = instrument.first_position
    while pair_id >= 0:
        position = at(positions, pair_id)
        if position.qty != 0:
            pay_holder(pair_id, payment(position.qty))
        pair_id = position.next_position
    for group in shape.groups:
        if group.own:
            pay_group(group)
    if shape.groups_told:
        tell_groups_in(int64(log.instrument[i]))
    return used


def payment(lots):
    """Quanta that `lots` receive of the dividend or the funding of the event."""
    return (
        dividends.funding(instrument, lots, log.qty[i])
        if shape.fundings and log.kind[i] == EventKind.FUNDING
        else dividends.payment(instrument, lots, log.qty[i])
    )


def pay_holder(pair_id, money):
    """Pay a dividend to the account of `position`, and to its groups."""
    global account, used
    account = at(accounts, position.account)
    ledger.cash_flow(account, CashFlowKind.DIVIDEND, money)
    if shape.netted:
        sums.follow_total(at(totals, 0), account)
    if shape.cash:
        look_up_cash(position.account, instrument.currency)
        receive_cash(money, instrument.currency)
    for group in shape.groups:
        if not group.own and not group.sums:
            place = place_of(group, pair_id, -1)
            ledger.cash_flow(at(group.accounts, at(group.positions, place).account), CashFlowKind.DIVIDEND, money)
    equity_moved(position.account, pair_id, log.instrument[i])


def pay_group(group):
    """Pay a dividend to each book of a group whose profit is that of its own fills."""
    place = first_place(group, int64(log.instrument[i]))
    while place >= 0:
        holding = at(group.positions, place)
        if holding.qty != 0:
            ledger.cash_flow(
                at(group.accounts, holding.account),
                CashFlowKind.DIVIDEND,
                payment(holding.qty),
            )
        place = holding.next_position


def on_equity():
    """Process an equity given from outside."""
    look_up(i)
    ledger.give_equity(account, log.qty[i])
    equity_moved(log.account[i], log.pair[i], log.instrument[i])
    tell_sums()
