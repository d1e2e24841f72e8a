"""Rules and an event: their records before it, what they remember of it, and the pauses that they begin."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import day_of, gathered, owner_book, total_book
from riskkit.replay.engine.loop.records import look_up, look_up_cash, read_event, write_row
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import stop_work
from riskkit.replay.engine.shape import MESSAGES
from riskkit.replay.kernels import conversion as exchange
from riskkit.replay.kernels import runtime
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, RowFlag


def tell_rules(kind, realised):
    """Process an event that only affects rules: a closed trade, an error, an acknowledgement, an execution."""
    global book
    look_up(i)
    read_event(kind, i, int64(log.side[i]), int64(log.qty[i]), int64(log.price[i]))
    book = Book(position, account, instrument, at(orders, -1), realised, 0, None, None)
    look_up_rules(kind)
    record_outcome(kind)


def tell_market(kind):
    """Tell the rules of an instrument's price or previous close."""
    global book
    look_up(i)
    read_event(kind, i, 0, 0, int64(log.price[i]))
    book = Book(position, account, instrument, at(orders, -1), 0, 0, None, None)
    look_up_rules(kind)
    record_outcome(kind)


def look_up_rules(kind):
    """Look up the record of each rule that depends on the event, end pauses that are over, and advance windows."""
    for rule in shape.listening(kind):
        look_up_rule(rule, kind)


def look_up_rule(rule, kind):
    """Look up the record of a rule that depends on the event, end a pause that is over, and advance its window."""
    global book
    rule.state = at(rule.states, rule.key)
    if rule.used_by(kind):
        rule.state.owner = event.account
    if rule.always_keyed(kind) or rule.key >= 0:
        if rule.can_pause and rule.state.held_until != 0 and now >= rule.state.held_until:
            if rule.has("on_pause_end"):
                rule.on_pause_end()
            elif rule.gathers and rule.has("reset"):
                if gathered(rule, rule.key, -1, MISSING) == 0:
                    rule.reset(book=total_book(rule))
            elif rule.group and "book" in rule.arguments("reset"):
                rule.reset(book=owner_book(rule, rule.key))
            elif rule.has("reset"):
                rule.reset()
            rule.state.held_until = 0
        if rule.has("evict"):
            rule.evict()
        if rule.can_pause and rule.has("holds_back") and 0 < rule.state.held_until <= now:
            pause_again(rule)


def pause_again(rule):
    """Pause a key anew from the time in its record on, which is no event's; the pause may be over, too."""
    until = runtime.release_time(rule.state.held_until, rule.terms, clocks)
    if until > now:
        rule.state.held_until = until
        rule.state.trips += 1
        write_row(rule.bit, 0, 0, until, rule.key, rule.number, DecisionCode.TRIP)
    else:
        rule.on_pause_end()
        rule.state.held_until = 0


def record_outcome(kind):
    """Call the update hook of each rule for this kind of event, and pause those that trip."""
    for rule in shape.listening(kind):
        record_of(rule, kind)


def record_of(rule, kind):
    """Call the update hook of a rule for this kind of event, and pause its key if it trips."""
    if rule.always_keyed(kind) or rule.key >= 0:
        if rule.alerts(kind):
            answer = rule.check(held=positions, day=day_of(rule))
            if answer.code == DecisionCode.OBJECT:
                write_row(rule.bit, answer.observed, answer.limit, 0, event.account, -1, DecisionCode.ALERTED)
        if rule.calls_update(kind) and rule.gathers:
            trip = 0
            if gathered(rule, rule.key, -1, exchange.oldest_of(rule.terms, now)) == 0:
                trip = rule.update(book=total_book(rule), accepted=1, passed=1, released=now, day=day_of(rule))
        elif rule.calls_update(kind):
            trip = rule.update(
                accepted=accepted
                if shape.enforce and (kind in MESSAGES or kind == EventKind.CREDIT)
                else passed(rule, kind),
                passed=passed(rule, kind),
                released=release_of(rule, kind),
                day=day_of(rule),
                held=rule.group_positions if rule.group else positions,
            )
        if rule.trips_by_breach(kind) and rule.calls_update(kind):
            trip |= (verdict.breached >> rule.number) & 1
        elif rule.trips_by_breach(kind):
            trip = (verdict.breached >> rule.number) & 1
        if rule.recovers and rule.can_trip(kind) and trip < 0:
            if rule.state.held_until > now:
                write_row(rule.bit, 0, 0, now, rule.key, rule.number, DecisionCode.RELEASE)
                rule.state.held_until = 0
            trip = 0
        if rule.can_trip(kind) and trip != 0 and rule.state.held_until <= now:
            until = runtime.release_time(now, rule.terms, clocks)
            rule.state.held_until = until
            rule.state.trips += 1
            write_row(rule.bit, 0, 0, until, rule.key, rule.number, DecisionCode.TRIP)
            if shape.cancels and rule.terms.rejects == runtime.REJECTS_BREACH:
                cancel_working(rule.number, rule.key)


def release_of(rule, kind):
    """Time at which the last of the rules that let an accepted message wait lets it go; now if none does."""
    return now + verdict.until if rule.queues and rule.can_object(kind) and verdict.cause == runtime.NO_RULE else now


def passed(rule, kind):
    """1 if the rule itself passed the event."""
    return (1 if verdict.stopped & rule.bit == 0 else 0) if rule.can_object(kind) else 1


def cancel_working(number, key):
    """Cancel the working orders of a key of rule `number`.

    A cancelled order counts as refused from then on: its later fills are dropped.
    """
    global order, position, account, instrument
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        position = at(positions, order.pair)
        account = at(accounts, order.account)
        instrument = at(instruments, position.instrument)
        working_key = -1
        for rule in shape.pausing:
            if number == rule.number and (not rule.tagged or order.flags & RowFlag.MMP != 0):
                working_key = rule.order_key
        if order.status == runtime.WORKING and working_key == key:
            look_up_cash(order.account, instrument.currency)
            stop_work()
            order.status = runtime.BLOCKED
            counts[Counter.CANCELLED] += 1
