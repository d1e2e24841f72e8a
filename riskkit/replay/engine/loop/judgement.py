"""The verdict of the rules on an order or a modify, and what follows from it."""

from __future__ import annotations

from riskkit.replay.engine.loop.books import converted, day_of, place_of, shared_book
from riskkit.replay.engine.loop.outcomes import record_outcome
from riskkit.replay.engine.loop.records import look_up_owner, write_row
from riskkit.replay.engine.loop.variables import *
from riskkit.replay.engine.loop.working import after_change, before_change, stop_work
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import order_chains, runtime
from riskkit.replay.kernels.records import at
from riskkit.replay.kernels.runtime import Counter, Judgement
from riskkit.replay.schema.columns import MISSING, DecisionCode, EventKind, MarketPhase, MatchMode, RowFlag
from riskkit.replay.schema.constants import NEVER


def judge_message(kind, row, open_qty, working_qty):
    """Set `verdict` to the combined verdict of all rules; a PAUSE or STOP command refuses the message before any rule.

    `open_qty` is the unfilled quantity after the message; of a modify, `working_qty` of it works already.
    """
    global reducing, verdict, later
    if shape.whole:
        later = follows(row) if kind == EventKind.ORDER and "batch" in shape.columns else 0
    if shape.asks_reducing(kind):
        reducing = (
            1 if closes_lots(kind, open_qty) or ledger.reduces(position, event.side, open_qty, working_qty) else 0
        )
    else:
        reducing = 0
    for rule in shape.objecting(kind):
        if rule.nets:
            rule.reducing = (
                1
                if (rule.scope == "account" and closes_lots(kind, open_qty))
                or ledger.reduces(
                    at(rule.group_positions, place_of(rule.group, event.pair, event.strategy)),
                    event.side, open_qty, working_qty,
                )
                else 0
            )  # fmt: skip
        if "best" in rule.arguments("check"):
            find_best(rule)
        if "met" in rule.arguments("check"):
            find_met(rule)
        if "duplicates" in rule.arguments("check"):
            if kind == EventKind.ORDER:
                rule.duplicates = runtime.duplicates_before(
                    log.prev_duplicate, log.ts, row, rule.params.window_ns, rule.params.limit
                )
            else:
                rule.duplicates = 0
    verdict = judge(kind)
    if shape.controls and account.paused != 0 and (reducing == 0 or account.paused == runtime.STOPPED):
        verdict = Judgement(
            verdict.mask | runtime.COMMAND_BIT, verdict.breached, verdict.stopped,
            runtime.COMMAND, DecisionCode.HELD, 0, account.paused - runtime.PAUSED, NEVER, 0, 0,
        )  # fmt: skip


def closes_lots(kind, lots):
    """True of an order that closes what is held, which always reduces; of working orders of its side the venue takes account."""
    return shape.closes and kind == EventKind.ORDER and event.flags & RowFlag.CLOSE_POSITION != 0 and lots > 0


def follows(row):
    """1 if the next row is an order of the same list, else 0."""
    return 1 if log.batch[row] >= 0 and row + 1 < len(arrays.ts) and log.batch[row + 1] == log.batch[row] else 0


def find_best(rule):
    """Set the rule's `best` to the best working order of the other side in its scope."""
    global peer, member
    rule.best = order_chains.best_offer(position, orders, event.side, matched_id(rule))
    if rule.has_peers:
        peer_id = instrument.first_position
        while peer_id >= 0:
            peer = at(positions, peer_id)
            member = at(accounts, peer.account)
            if rule.member_key == rule.key:
                rule.best = min(rule.best, order_chains.best_offer(peer, orders, event.side, matched_id(rule)))
            peer_id = peer.next_position
    if meets_nobody():
        rule.best = order_chains.NO_OFFER


def find_met(rule):
    """Set the rule's `met` to the lots of the working orders in its scope that the order of `event` would meet."""
    global peer, member
    rule.met = order_chains.met_lots(position, orders, event.side, event.price, came_before(), matched_id(rule))
    if rule.has_peers:
        rule.met = 0
        peer_id = instrument.first_position
        while peer_id >= 0:
            peer = at(positions, peer_id)
            member = at(accounts, peer.account)
            if rule.member_key == rule.key:
                rule.met += order_chains.met_lots(
                    peer, orders, event.side, event.price, came_before(), matched_id(rule)
                )
            peer_id = peer.next_position
    if meets_nobody():
        rule.met = 0


def matched_id(rule):
    """The self-match prevention id of the orders that the order of `event` may meet."""
    return event.smp_id if rule.scope == "smp_id" else order_chains.ANY_ID


def meets_nobody():
    """True of a stop before its trigger, and while the phase of the instrument matches no orders as they come."""
    return (shape.stops and event.stop != MISSING) or (
        shape.phases and (instrument.phase == MarketPhase.PREOPEN or instrument.phase == MarketPhase.AUCTION)
    )


def came_before():
    """The row before which an order must have come to be met: that of the message, or of its list."""
    return event.batch if event.batch >= 0 else event.seq


def judge(kind):
    """Check this kind of message against every rule that can object to it; nothing changes."""
    mask = breached = stopped = 0
    cause = runtime.NO_RULE
    code = DecisionCode.PASS
    observed = limit = until = alerted = cap = base = 0
    for rule in shape.objecting(kind):
        rule_code = DecisionCode.PASS
        rule_observed = rule_limit = rule_until = rule_cap = rule_base = 0
        if rule.always_keyed(kind) or rule.key >= 0:
            if (
                rule.can_pause
                and rule.state.held_until > event.ts
                and (rule.halts or reducing == 0)
                and (not rule.tagged or event.flags & RowFlag.MMP != 0)
            ):
                rule_code = DecisionCode.HELD
                rule_until = rule.state.held_until
            elif rule.can_pause and rule.has("holds_back") and (rule.halts or reducing == 0) and rule.holds_back():
                rule_code = DecisionCode.HELD
            elif rule.checked(kind) or rule.gathers:
                if (
                    not rule.exempt_reducing
                    or rule.halts
                    or (rule.reducing if rule.nets else reducing) == 0
                    or (rule.whole and "batch" in shape.columns and event.batch >= 0)
                ):
                    if rule.converts:
                        rule_limit = converted(rule)
                    if rule.gathers and rule_limit < 0:
                        rule_code = runtime.unrated(rule.terms.missing)
                    elif rule.checked(kind):
                        if rule.gathers or (rule.group and "book" in rule.arguments("check")):
                            answer = rule.check(
                                book=shared_book(rule), held=rule.group_positions,
                                rate=at(conversions, rule.number), day=day_of(rule),
                            )  # fmt: skip
                        else:
                            answer = rule.check(held=positions, rate=at(conversions, rule.number), day=day_of(rule))
                        rule_code = answer.code
                        rule_observed = answer.observed
                        rule_limit = answer.limit
                        if rule.caps:
                            rule_cap = answer.cap
                            rule_base = answer.base
        if rule.queues and rule_code == DecisionCode.QUEUED:
            breached |= rule.bit
            if cause == runtime.NO_RULE:
                until = max(until, rule_limit - event.ts)  # from now
        elif rule_code != DecisionCode.PASS:
            mask |= rule.bit
            if rule_code == DecisionCode.OBJECT:
                breached |= rule.bit
            if runtime.stopping(rule.terms.rejects, rule_code):
                stopped |= rule.bit
                if cause == runtime.NO_RULE or (rule_code == DecisionCode.HELD and code != DecisionCode.HELD):
                    cause = rule.number
                    code = rule_code
                    observed = rule_observed
                    limit = rule_limit
                    until = rule_until
                    cap = rule_cap
                    base = rule_base
            elif cause == runtime.NO_RULE and alerted == 0:
                alerted = 1
                observed = rule_observed
                limit = rule_limit
                cap = rule_cap
                base = rule_base
    return Judgement(mask, breached, stopped, cause, code, observed, limit, until, cap, base)


def conclude(kind):
    """Write the row of a message to which a rule objects, and call the rules' update hooks with the outcome."""
    global accepted
    accepted = 1 if verdict.cause == runtime.NO_RULE else 0
    for rule in shape.queueing:
        if rule.can_object(kind) and accepted != 0 and verdict.breached & rule.bit != 0:
            write_row(rule.bit, 0, 0, now + verdict.until, event.account, rule.number, DecisionCode.QUEUED)
    if verdict.mask != 0:
        write_row(
            verdict.mask, verdict.observed, verdict.limit, verdict.until, event.account,
            verdict.cause, verdict.code if verdict.cause != runtime.NO_RULE else DecisionCode.ALERTED,
        )  # fmt: skip
        runtime.spoke(rows, used - 1, verdict.cap, verdict.base)
    record_outcome(kind)


def prevent_matches():
    """Let the orders give way that would match, if nothing but self-match prevention refuses the message."""
    global qty, fill_cap, used
    for rule in shape.matching:
        if (
            rule.terms.rejects == runtime.REJECTS_BREACH
            and verdict.code != DecisionCode.HELD
            and verdict.stopped | rule.bit == rule.bit
        ):
            find_met(rule)
            if rule.met > 0 and rule.match_mode != MatchMode.CANCEL_AGGRESSING:
                used = cancel_met(rule.number, rule.key, rule.match_mode, qty, used)
                if rule.match_mode == MatchMode.DECREMENT and accepted != 0:
                    qty -= rule.met
                    fill_cap = runtime.CAP_QTY
                    write_row(rule.bit, i, rule.met, 0, event.account, rule.number, DecisionCode.DECREMENTED)


def cancel_met(number, key, mode, lots, used):
    """Cancel or reduce the working orders of a key of rule `number` that the order of `event` meets, by the rule's mode.

    What is cancelled counts as refused from then on. Returns the number of rows written.
    """
    global order, position, instrument, peer, member, change
    left = lots
    while left > 0:
        slot = -1
        order = at(orders, slot)  # none yet
        instrument = at(instruments, event.instrument)
        peer_id = instrument.first_position
        while peer_id >= 0:
            peer = at(positions, peer_id)
            member = at(accounts, peer.account)
            for rule in shape.matching:
                if number == rule.number and (rule.member_key == key if rule.has_peers else peer_id == event.pair):
                    slot = order_chains.first_met(
                        peer, orders, event.side, event.price, came_before(), matched_id(rule), slot
                    )
            peer_id = peer.next_position
        if slot < 0:
            break
        order = at(orders, slot)
        position = at(positions, order.pair)
        look_up_owner()
        rest = ledger.rest_of(order)
        if mode == MatchMode.DECREMENT and rest > left:
            write_row(1 << number, order.row, left, 0, order.account, number, DecisionCode.DECREMENTED)
            before_change()
            change = ledger.change_order(order, position, account, order.qty - left, order.price)
            order.fill_cap = runtime.CAP_QTY
            after_change()
        else:
            write_row(1 << number, order.row, rest, 0, order.account, number, DecisionCode.CANCELLED)
            stop_work()
            order.status = runtime.BLOCKED
            counts[Counter.CANCELLED] += 1
        left = left - rest if mode == MatchMode.DECREMENT else 0 if mode == MatchMode.CANCEL_BOTH else left
    return used
