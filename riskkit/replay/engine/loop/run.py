"""Each event of a log in its turn, by its kind."""

from __future__ import annotations

from riskkit.replay.engine.loop.amends import on_amend
from riskkit.replay.engine.loop.answers import end_order, on_cancel_reject, on_error, on_modify_reject
from riskkit.replay.engine.loop.commands import on_control
from riskkit.replay.engine.loop.credit import on_credit
from riskkit.replay.engine.loop.days import close_bar, turn_over
from riskkit.replay.engine.loop.fills import on_fill
from riskkit.replay.engine.loop.lots import on_adjust
from riskkit.replay.engine.loop.money import on_cash, on_dividend, on_equity
from riskkit.replay.engine.loop.multiplier import on_multiplier
from riskkit.replay.engine.loop.orders import on_cancel, on_expiry, on_modify, on_order
from riskkit.replay.engine.loop.outcomes import tell_rules
from riskkit.replay.engine.loop.prices import on_close, on_fx, on_phase, on_price
from riskkit.replay.engine.loop.records import write_row
from riskkit.replay.engine.loop.settlement import on_settlement
from riskkit.replay.engine.loop.snapshot import on_snapshot
from riskkit.replay.engine.loop.split import on_split
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.shape import columns
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import runtime
from riskkit.replay.kernels import totals as sums
from riskkit.replay.kernels.queue import FREE_NODES
from riskkit.replay.kernels.records import at, table, words
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import DecisionCode, EventKind, RowFlag


def run(start, stop):
    """Process the events [start, stop); return the next row to process and the number of decision rows written."""
    global i, now, next_turn, used
    for name in shape.tables:
        variables[name] = table(arrays[name])
    for name in columns(shape):
        log[name] = words(arrays[name])
    for name in shape.words:
        variables[name] = words(arrays[name])
    for rule in shape.rules:
        rule.states = table(rule.array)
        rule.n_keys = len(rule.array) - 1
        if rule.overridden:
            rule.versions = table(rule.table)
    used = 0
    room = len(arrays.rows) - counts[Counter.ROOM]
    next_turn = counts[Counter.NEXT_TURN]
    i = start
    while i < stop:
        if used > room or (shape.nodes_per_event > 0 and memory[FREE_NODES] < shape.nodes_per_event):
            break
        now = log.ts[i]
        if "flags" in shape.columns and log.flags[i] & RowFlag.BAD_TS:
            counts[Counter.ERRORS_TS] += 1
            if shape.orders and log.order[i] == i:
                ledger.reset_order(at(orders, log.slots[i]))
            write_row(0, 0, 0, 0, -1, runtime.NO_RULE, DecisionCode.ERROR_TS)
            i += 1
            continue
        if shape.samples:
            note_totals()
        if now >= next_turn:
            next_turn = turn_over(0)
        kind = log.kind[i]
        if kind == EventKind.ORDER:
            on_order()
        elif kind == EventKind.FILL:
            on_fill()
        elif kind == EventKind.PRICE:
            on_price()
        elif (shape.orders or shape.watched(EventKind.CANCEL)) and kind == EventKind.CANCEL:
            on_cancel()
        elif shape.modifies and kind == EventKind.MODIFY:
            on_modify()
        elif shape.others and shape.orders and kind == EventKind.EXPIRE:
            on_expiry()
        elif shape.answers and shape.orders and kind == EventKind.REJECT:
            end_order()
        elif shape.answers and shape.orders and kind == EventKind.CANCEL_REJECT:
            on_cancel_reject()
        elif shape.answers and shape.orders and kind == EventKind.MODIFY_REJECT:
            on_modify_reject()
        elif shape.amends and (kind == EventKind.BUST or kind == EventKind.CORRECT):
            on_amend()
        elif shape.others and kind == EventKind.CASH:
            on_cash()
        elif shape.dividends and kind == EventKind.DIVIDEND:
            on_dividend()
        elif shape.fundings and kind == EventKind.FUNDING:
            on_dividend()
        elif shape.snapshots and kind == EventKind.SNAPSHOT:
            on_snapshot()
        elif shape.adjusts and kind == EventKind.ADJUST:
            on_adjust()
        elif shape.settles and (kind == EventKind.EXPIRY or kind == EventKind.ROLL):
            on_settlement()
        elif shape.splits and kind == EventKind.SPLIT:
            on_split()
        elif shape.multipliers and kind == EventKind.MULTIPLIER:
            on_multiplier()
        elif shape.phases and kind == EventKind.PHASE:
            on_phase()
        elif shape.credits and kind == EventKind.CREDIT:
            on_credit()
        elif shape.converting and kind == EventKind.FX:
            on_fx()
        elif shape.others and kind == EventKind.EQUITY:
            on_equity()
        elif shape.others and shape.watched(EventKind.TRADE) and kind == EventKind.TRADE:
            tell_rules(EventKind.TRADE, log.qty[i])
        elif (
            shape.others
            and (shape.watched(EventKind.ERROR) or (shape.answers and shape.orders))
            and kind == EventKind.ERROR
        ):
            on_error()
        elif shape.others and (shape.references or shape.watched(EventKind.CLOSE)) and kind == EventKind.CLOSE:
            on_close()
        elif shape.others and shape.watched(EventKind.ACK) and kind == EventKind.ACK:
            tell_rules(EventKind.ACK, 0)
        elif shape.others and shape.watched(EventKind.EXECUTION) and kind == EventKind.EXECUTION:
            tell_rules(EventKind.EXECUTION, 0)
        elif shape.others and kind == EventKind.SESSION:
            next_turn = turn_over(1)
        elif shape.gauging and kind == EventKind.CLOCK:
            for rule in shape.gauging:
                close_bar(rule, 1)
        elif shape.controls and kind == EventKind.CONTROL:
            on_control()
        i += 1
    counts[Counter.NEXT_TURN] = next_turn
    return i, used


def note_totals():
    """Note the total profit of each currency after the events so far."""
    for t in range(counts[Counter.TOTALS]):
        sums.note_total(at(totals, t))
