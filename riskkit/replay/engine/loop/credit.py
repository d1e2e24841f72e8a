"""Credit that engines share: an amount is reserved, used and given back."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import converted
from riskkit.replay.engine.loop.judgement import conclude, judge
from riskkit.replay.engine.loop.outcomes import look_up_rules, record_outcome
from riskkit.replay.engine.loop.records import look_up_order, read_event, write_row
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.kernels import conversion as exchange
from riskkit.replay.kernels import credits, runtime
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Judgement
from riskkit.replay.schema.columns import CreditStep, DecisionCode, EventKind


def on_credit():
    """Reserve an amount of credit, or finish a reservation."""
    global book
    look_up_order()
    book = Book(position, account, instrument, at(orders, -1), 0, 0, None, None)
    for rule in shape.crediting:
        credits.lapse(order, now, rule.lifetime)
    if log.side[i] == CreditStep.RESERVE and log.order[i] == i:
        reserve_credit()
    elif credits.fits(order, log.side[i], log.qty[i]):
        finish_credit()
    else:
        write_row(0, 0, 0, 0, log.account[i], runtime.NO_RULE, DecisionCode.ERROR_STATE)


def reserve_credit():
    """Judge a reservation; one that a rule refuses in enforce mode counts nothing."""
    global verdict, reducing, qty
    reducing = 0
    read_event(EventKind.CREDIT, i, CreditStep.RESERVE, log.qty[i], now)
    look_up_rules(EventKind.CREDIT)
    verdict = judge(EventKind.CREDIT)
    qty = log.qty[i]
    for rule in shape.crediting:
        if rule.converts:
            qty = exchange.at_rate(at(conversions, rule.number), log.qty[i]) if converted(rule) == 0 else 0
    credits.reserve(order, log.qty[i], qty, now)
    if shape.enforce and verdict.cause != runtime.NO_RULE:
        order.status = runtime.BLOCKED
        qty = 0
    read_event(EventKind.CREDIT, i, CreditStep.RESERVE, qty, now)
    conclude(EventKind.CREDIT)


def finish_credit():
    """Use what is reserved, give it back, or give back an amount of what is used."""
    global verdict, accepted, qty
    verdict = Judgement(0, 0, 0, runtime.NO_RULE, DecisionCode.PASS, 0, 0, 0, 0, 0)
    accepted = 1
    qty = credits.finish(order, log.side[i], log.qty[i])
    read_event(EventKind.CREDIT, i, int64(log.side[i]), qty, order.since)
    look_up_rules(EventKind.CREDIT)
    record_outcome(EventKind.CREDIT)
