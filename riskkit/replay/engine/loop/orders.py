"""Orders, lists of orders, modifies, cancels and expiries of a trader."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import balance_of, holder_of, place_of
from riskkit.replay.engine.loop.judgement import conclude, judge_message, prevent_matches
from riskkit.replay.engine.loop.outcomes import look_up_rules, record_outcome
from riskkit.replay.engine.loop.records import (
    asked_lots,
    look_up,
    look_up_cash,
    look_up_order,
    look_up_parent,
    message_book,
    read_event,
    write_row,
)
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import (
    after_change,
    before_change,
    let_work,
    stop_work,
    value_order,
    value_price,
)
from riskkit.replay.kernels import (
    book as ledger,
)
from riskkit.replay.kernels import (
    cash_holds,
    exposure,
    order_answers,
    order_chains,
    order_stops,
    runtime,
)
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter, Judgement, Orphans
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, RowFlag


def on_order():
    """Check an order, alone or in a list, and add it to the working orders if it is accepted."""
    global qty, side, book, fill_cap, change
    look_up_order()
    look_up_parent(i)
    qty = asked_lots(i, log.qty[i])
    if shape.externals and log.flags[i] & RowFlag.EXTERNAL:
        take_external()
        return
    if shape.enforce:
        # the children of a refused order are dropped with it
        if (
            "parent" in shape.columns
            and log.parent[i] >= 0
            and at(orders, log.slots[log.parent[i]]).status == runtime.BLOCKED
        ):
            block_order()
            vanish(Counter.ORDERS_VANISHED)
            return
        fill_cap = runtime.NO_CAP
        side = int64(log.side[i])
        # an order that reduced the recorded position must not silently open or flip this one
        if side * position.factual_qty < 0 and qty <= abs(position.factual_qty):
            if side * position.qty >= 0 or qty > abs(position.qty):
                counts[Counter.ORPHANS] += 1
                if counts[Counter.ORPHAN_POLICY] != Orphans.KEEP:
                    free = abs(position.qty) if side * position.qty < 0 else 0
                    if counts[Counter.ORPHAN_POLICY] == Orphans.DROP or free == 0:
                        block_order()
                        counts[Counter.ORPHANS_DROPPED] += 1
                        write_row(0, qty, 0, 0, log.account[i], runtime.NO_RULE, DecisionCode.ORPHAN)
                        return
                    write_row(0, qty, free, 0, log.account[i], runtime.NO_RULE, DecisionCode.CLIPPED)
                    qty = free
                    fill_cap = runtime.CAP_QTY
    read_event(EventKind.ORDER, i, int64(log.side[i]), qty, int64(log.price[i]))
    book = message_book(order)
    look_up_rules(EventKind.ORDER)
    if "batch" in shape.columns:
        judge_list()
    else:
        judge_message(EventKind.ORDER, i, event.qty, 0)
    conclude(EventKind.ORDER)
    if shape.enforce and shape.matching:
        prevent_matches()
    if shape.parents and (not shape.enforce or accepted != 0) and event.parent >= 0:
        parent_order.child_qty += qty
    if shape.orders and log.order[i] >= 0:
        if not shape.enforce or accepted != 0:
            let_work()
        else:
            order.status = runtime.BLOCKED


def take_external():
    """Let an order work that somebody else has sent: nothing judges it, and it repeats nobody's order."""
    global fill_cap, verdict
    if shape.duplicates:
        log.prev_duplicate[i] = runtime.VANISHED - log.prev_duplicate[i]
    read_event(EventKind.ORDER, i, int64(log.side[i]), qty, int64(log.price[i]))
    fill_cap = runtime.NO_CAP
    if shape.queueing:
        verdict = Judgement(0, 0, 0, runtime.NO_RULE, 0, 0, 0, 0, 0, 0)
    if shape.parents and event.parent >= 0:
        parent_order.child_qty += qty
    if shape.orders and log.order[i] >= 0:
        let_work()


def block_order():
    """Refuse an order without a check, so that its fills are dropped."""
    if log.order[i] >= 0:
        order.status = runtime.BLOCKED
    if shape.duplicates:
        log.prev_duplicate[i] = runtime.VANISHED - log.prev_duplicate[i]


def vanish(counter):
    """Count an event that is skipped because its order was refused, and write its row."""
    counts[counter] += 1
    write_row(0, 0, 0, 0, log.account[i], runtime.NO_RULE, DecisionCode.VANISH)


def judge_list():
    """Check a list of orders at its first order, each with the earlier ones counted as working."""
    global verdict, book
    if log.batch[i] < 0:
        judge_message(EventKind.ORDER, i, event.qty, 0)
    else:
        if counts[Counter.LIST] != log.batch[i]:
            j = i
            combined = Judgement(0, 0, 0, -1, 0, 0, 0, 0, 0, 0)
            while j < len(arrays.ts) and log.batch[j] == log.batch[i]:
                look_up_member(j, int64(log.qty[j]), at(orders, -1))
                look_up_rules(EventKind.ORDER)
                judge_message(EventKind.ORDER, j, event.qty, 0)
                combined = runtime.merge(combined, verdict)
                count_pending(1)
                j += 1
            while j > i:
                j -= 1
                look_up_member(j, int64(log.qty[j]), at(orders, -1))
                for rule in shape.assuming:
                    rule.state = at(rule.states, rule.key)
                count_pending(-1)
            look_up_member(i, qty, order)
            for rule in shape.listening(EventKind.ORDER):
                rule.state = at(rule.states, rule.key)
            runtime.save_list_verdict(counts, combined)
            counts[Counter.LIST] = log.batch[i]
        verdict = runtime.load_list_verdict(counts)


def look_up_member(row, qty, order):
    """Look up the records of an order of a list."""
    global book
    look_up(row)
    look_up_cash(log.account[row], instrument.currency)
    look_up_parent(row)
    read_event(EventKind.ORDER, row, int64(log.side[row]), asked_lots(row, qty), int64(log.price[row]))
    book = message_book(order)


def count_pending(sign):
    """Count an order of a list as working while the later ones are checked (`sign` 1), or undo that (-1)."""
    runtime.apply_pending(position, account, event.side, event.qty, sign)
    if shape.exposures:
        exposure.list_estimate(instrument, value_price(event.side, event.price, event.stop), sign)
        exposure.expose(position, account, instrument)
    for group in shape.groups:
        holding = at(group.positions, place_of(group, event.pair, event.strategy))
        runtime.apply_pending(holding, at(group.accounts, holding.account), event.side, event.qty, sign)
        if shape.exposures:
            exposure.expose(holding, at(group.accounts, holding.account), instrument)
    if shape.chains and sign == 1:
        if not shape.stops or event.stop == MISSING:
            order_chains.list_order(position, event.side, event.price)
    elif shape.chains:
        order_chains.unlist_orders(position)
    if shape.cash:
        cash_holds.reserve_pending(
            cash_balance, instrument, event.side, event.qty, event.price, event.reserve, event.flags, event.stop, sign
        )
        for group in shape.cash_groups:
            cash_holds.reserve_pending(
                balance_of(group, holder_of(group), instrument.currency),
                instrument, event.side, event.qty, event.price, event.reserve, event.flags, event.stop, sign,
            )  # fmt: skip
    for rule in shape.assuming:
        if rule.working:
            rule.state.working += sign
        if rule.has("apply_pending"):
            rule.apply_pending(sign=sign)


def on_modify():
    """Check a change of a named order's quantity or price."""
    global parent_order, qty, price, side, book, change
    look_up_order()
    if shape.parents:
        parent_order = at(orders, order.parent)
    if shape.enforce and log.order[i] >= 0 and order.status == runtime.BLOCKED:
        vanish(Counter.ORDERS_VANISHED)
        return
    qty = log.qty[i] if log.qty[i] > 0 else order.qty
    price = log.price[i] if log.price[i] != MISSING or has_bad_price() else order.price
    side = int64(log.side[i]) if log.side[i] != 0 else order.side
    if shape.answers and log.order[i] >= 0:
        order_answers.note_former(order)
    read_event(EventKind.MODIFY, i, side, qty, price)
    book = message_book(order)
    look_up_rules(EventKind.MODIFY)
    judge_message(
        EventKind.MODIFY, i, max(event.qty - order.filled, 0),
        max(order.qty - order.filled, 0) if order.status == runtime.WORKING else 0,
    )  # fmt: skip
    conclude(EventKind.MODIFY)
    if log.order[i] >= 0 and order.status != runtime.UNKNOWN:
        if not shape.enforce or accepted != 0:
            change_named()
        else:
            order.fill_cap = runtime.CAP_PRICE


def has_bad_price():
    """Nonzero if the price of the event is not a number, as opposed to unchanged."""
    return "flags" in shape.columns and log.flags[i] & RowFlag.BAD_PRICE


def change_named():
    """Apply the new quantity and price of a named order."""
    global price, change
    if "flags" in shape.columns:
        price = price if price != MISSING else order.price
    if shape.cash and order.reserve == MISSING and price != MISSING:
        order.hold_price = price
    if shape.stops and order.stop != MISSING:
        order_stops.set_stop(order, event.stop, log.stop[i], event.flags)
        if shape.cash and order.reserve == MISSING:
            order.hold_price = order_stops.waiting_price(instrument, price, order.stop)
    before_change()
    change = ledger.change_order(order, position, account, qty, price)
    if shape.answers and change != 0:
        order.status = runtime.REDUCED
    value_order()
    after_change()


def on_cancel():
    """Cancel an order; a cancel always passes, but some rules count it."""
    global book
    look_up_order()
    if shape.enforce and log.order[i] >= 0 and order.status == runtime.BLOCKED:
        vanish(Counter.ORDERS_VANISHED)
        return
    if shape.orders and log.order[i] >= 0:
        if shape.numbers_orders:
            order.taken = ledger.rest_of(order)
        if shape.unconfirmed and waits_for_venue():
            pass  # an expiry ends it
        elif not shape.answers:
            stop_work()
        elif order.status == runtime.WORKING:
            stop_work()
            order.status = runtime.CANCELLED
        elif order.status != runtime.CANCELLED:  # a second cancel does not confirm the first
            stop_work()
    if shape.watched(EventKind.CANCEL):
        read_event(EventKind.CANCEL, i, int64(log.side[i]), int64(log.qty[i]), int64(log.price[i]))
        book = Book(position, account, instrument, order, 0, 0, None, None)
        look_up_rules(EventKind.CANCEL)
        record_outcome(EventKind.CANCEL)


def waits_for_venue():
    """True of a cancel after which its order works on until the venue confirms it; one that still waits its turn was never sent."""
    return (
        "flags" in shape.columns
        and log.flags[i] & RowFlag.UNCONFIRMED != 0
        and (not shape.queueing or order.release <= now)
    )


def on_expiry():
    """Expire an order."""
    look_up_order()
    if log.order[i] >= 0 and (
        not shape.enforce or order.status == runtime.WORKING or (shape.answers and order.status != runtime.BLOCKED)
    ):
        stop_work()
