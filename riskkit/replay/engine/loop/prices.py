"""Quotes, trades, closes and exchange rates."""

from __future__ import annotations

from riskkit.replay.engine.loop.equity import note_price, revalue_groups, revalue_holders, tell_groups_in, tell_key
from riskkit.replay.engine.loop.outcomes import look_up_rule, record_of, tell_market
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import trigger
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import conversion as exchange
from riskkit.replay.kernels import order_stops
from riskkit.replay.kernels import totals as sums
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import CURRENCIES, MISSING, EventKind, EventRow


def on_price():
    """Process a quote, a last trade or a mark."""
    global instrument
    instrument = at(instruments, log.instrument[i])
    ledger.quote(instrument, log.price[i], quoted("bid"), quoted("ask"))
    if shape.references:
        ledger.date_quote(instrument, log.price[i], quoted("bid"), quoted("ask"), now)
    if shape.stops and shape.orders and log.price[i] != MISSING:
        trigger_stops()
    if shape.netted and log.price[i] != MISSING:
        sums.follow_net(at(totals, 0), nets, int64(log.instrument[i]), instrument, 0)
    if shape.marks and log.price[i] != MISSING:
        note_price()
        revalue_holders()
        revalue_groups(int64(log.instrument[i]))
        if shape.groups_told:
            tell_groups_in(int64(log.instrument[i]))
    if shape.watched(EventKind.PRICE):
        tell_market(EventKind.PRICE)
    if shape.holders_told:
        tell_holders()


def trigger_stops():
    """Trigger the orders whose stop a trade has reached, and let the stops that trail follow it."""
    global order, position
    slot = instrument.first_stop
    while slot >= 0:
        order = at(orders, slot)
        following = order.next_order
        if order_stops.meets_trade(order, log.price[i]):
            position = at(positions, order.pair)
            trigger(slot, 0)
        slot = following


def tell_holders():
    """Tell the rules by account and instrument of the price of an instrument."""
    global position, account, event, book
    pair_id = instrument.first_position
    while pair_id >= 0:
        position = at(positions, pair_id)
        account = at(accounts, position.account)
        event = EventRow(
            i, now, EventKind.PRICE, position.account, position.instrument, pair_id, 0, 0, int64(log.price[i]), -1,
        )  # fmt: skip
        book = Book(position, account, instrument, at(orders, -1), 0, 0, None, None)
        for rule in shape.holders_told:
            look_up_rule(rule, EventKind.PRICE)
            record_of(rule, EventKind.PRICE)
        pair_id = position.next_position


def on_close():
    """Process a previous close or settlement, which marks nothing."""
    if shape.references:
        ledger.date_close(at(instruments, log.instrument[i]), log.price[i], now)
    if shape.watched(EventKind.CLOSE):
        tell_market(EventKind.CLOSE)


def on_phase():
    """Note the phase of trading of an instrument."""
    at(instruments, log.instrument[i]).phase = int64(log.side[i])


def on_fx():
    """Process an exchange rate: profits of books in several currencies move with it."""
    exchange.note_rate(
        at(rates, log.qty[i] // CURRENCIES * counts[Counter.CURRENCIES] + log.qty[i] % CURRENCIES),
        log.price[i], quoted("bid"), quoted("ask"), now,
    )  # fmt: skip
    for rule in shape.rated:
        for key in range(rule.n_keys):
            tell_key(rule, key)


def quoted(name):
    """Bid or ask of a price event."""
    return log[name][i] if name in shape.columns else MISSING
