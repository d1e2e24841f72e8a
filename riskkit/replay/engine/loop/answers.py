"""Answers of the venue: an order, a cancel or a modify is rejected."""

from __future__ import annotations

from riskkit.replay.engine.loop.outcomes import tell_rules
from riskkit.replay.engine.loop.records import look_up_named
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import after_change, before_change, stop_work
from riskkit.replay.kernels import order_answers, runtime
from riskkit.replay.schema.columns import MISSING, EventKind


def on_error():
    """End the order of an error, if it names one; that of an order that was never sent has not happened."""
    if shape.answers and shape.orders and log.order[i] >= 0:
        look_up_named()
        if order.status != runtime.BLOCKED:
            end_order()
            if shape.watched(EventKind.ERROR):
                tell_rules(EventKind.ERROR, 0)
    elif shape.watched(EventKind.ERROR):
        tell_rules(EventKind.ERROR, 0)


def end_order():
    """End an order that the venue rejects; the trader has not cancelled it."""
    if log.order[i] >= 0:
        look_up_named()
        if order.status != runtime.BLOCKED and order.status != runtime.UNKNOWN:
            stop_work()


def on_cancel_reject():
    """Let an order that was believed cancelled work again, with what is left of it."""
    global change
    if log.order[i] >= 0:
        look_up_named()
        if order.status == runtime.CANCELLED:
            before_change()
            change = order_answers.work_again(order, position, account, 0)
            after_change()


def on_modify_reject():
    """Make an order what it was before its last modify."""
    global change
    if log.order[i] >= 0:
        look_up_named()
        if order.former_qty != MISSING and order.status != runtime.BLOCKED:
            before_change()
            change = order_answers.restore_former(order, position, account)
            after_change()
