"""The replay loop: the template of the compiled loop of each rule set.

``riskkit.replay.engine.specialise`` turns this file into the loop of one `Shape` (rules, mode, columns of the log) before it
is compiled. The result is a reduced version of the same Python, so this file can be read, checked and stepped through:

- *Folded*: an expression of facts only (``shape``, ``rule``, a ``kind`` or ``sign`` passed as a constant, codes
  and constants) becomes its value, and an ``if`` on it becomes the branch that is taken.
- *Unrolled*: ``for rule in shape.rules`` is written out once for each rule. The variables of a rule (``rule.state``,
  ``rule.params``, ...) become separate variables: ``state_order_rate_0``, ``params_order_rate_0``.
- *Hooks*: ``rule.check()`` calls the function of that rule's type with the arguments in its signature: variables of
  the loop (``event``, ``book``, ``memory``, ...), and the keyword arguments given here.
- *Inlined*: each call of a function that is not in ``FUNCTIONS`` is replaced by its body; the names that it declares
  ``global`` are variables of the caller. A ``return`` in it ends the event.
- *Passed*: a function of ``FUNCTIONS`` becomes a function, one for each kind it is called with (``judge_order``). It
  gets the variables that it reads and never writes as further arguments.
- ``log.price[i]`` is the price of row i, ``arrays.price`` the array passed to ``run``, and
  ``variables["rows"]`` the variable ``rows``.

With ``compiled=False`` the specialised loop runs as plain Python with the line numbers of this file: breakpoints and
coverage work here, in the frame of ``run``.
"""

from __future__ import annotations

from typing import Any

from numpy import int64 as _int64

from riskkit.replay.engine.shape import MESSAGES, Shape, columns
from riskkit.replay.kernels import book as ledger
from riskkit.replay.kernels import (
    cash_holds,
    credits,
    dividends,
    exposure,
    fill_records,
    groups,
    order_answers,
    order_chains,
    order_stops,
    runtime,
    snapshots,
    splits,
)
from riskkit.replay.kernels import conversion as exchange
from riskkit.replay.kernels import covariance_state as covariance
from riskkit.replay.kernels import totals as sums
from riskkit.replay.kernels.book import Book
from riskkit.replay.kernels.integers import share, split_mark
from riskkit.replay.kernels.queue import FREE_NODES
from riskkit.replay.kernels.records import at, table, words
from riskkit.replay.kernels.runtime import Counter, Judgement, Orphans
from riskkit.replay.schema.columns import (
    CURRENCIES,
    MISSING,
    OPTIONAL,
    CashFlowKind,
    CreditStep,
    DecisionCode,
    EventKind,
    EventRow,
    MatchMode,
    RowFlag,
    TradingCommand,
)
from riskkit.replay.schema.constants import NEVER

FUNCTIONS = (
    "run",
    "turn_over",
    "judge",
    "moved",
    "cancel_working",
    "cancel_commanded",
    "cancel_met",
    "pay_dividend",
    "reconcile",
    "book_adjustment",
    "settle",
    "split",
)  # all others are inlined
INHERITED = RowFlag.REDUCE_ONLY | RowFlag.BAD_PRICE  # flags of an order that its modifies inherit

variable: Any = None
int64: Any = _int64
shape: Shape = variable
log = arrays = variables = variable
positions = accounts = instruments = orders = fills = cash_balances = totals = clocks = rows = variable  # of records
rates = conversions = converted_books = variable  # between currencies, and of each rule its conversion and its book
bounds = sample_at = sampled = paths = nets = memory = reals = counts = variable  # arrays of numbers
i = now = next_turn = used = variable  # row and time of the event; when the next day begins; decision rows written
position = account = instrument = order = parent_order = cash_balance = variable  # the records of the event
event = book = side = qty = price = fee = variable  # the event passed to rules, and the event executed
reducing = verdict = accepted = fill_cap = variable  # of a message
later = variable  # of an order of a list: 1 if others follow, else 0
change = committed_before = variable  # of a working order: the number of them, lots taken of its parent
rest_before = worth_before = variable  # of a working order: its lots, and their money
reserved_before = variable  # quanta of cash that an order reserves
strategy = peer = member = variable  # of a fill; a position of the same instrument, and its account
filled = variable  # record of the order of a fill that a snapshot implies
other = variable  # the instrument to which positions are rolled
noted = variable  # the record of a fill
amended_qty = amended_price = recorded = variable  # of a fill that is busted or corrected: before, and as it is now
qty_before = cash_before = realised_before = fees_before = variable  # of the position and account of a fill


# ---------------------------------------------------------------------- the loop


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


def turn_over(forced):
    """Advance calendars, samples and bars to `now`, start new days of rules; return the next time at which one is due.

    With `forced` (a SESSION event) every day is over.
    """
    global book
    if shape.samples:
        sample = counts[Counter.SAMPLE]
        while sample < counts[Counter.SAMPLES] and now >= sample_at[sample]:
            for a in range(0 if shape.netted else counts[Counter.ACCOUNTS]):
                sampled[sample * counts[Counter.ACCOUNTS] + a] = ledger.equity(at(accounts, a))
                sampled[(counts[Counter.SAMPLES] + sample) * counts[Counter.ACCOUNTS] + a] = ledger.paid_in(
                    at(accounts, a)
                )
            for t in range(counts[Counter.TOTALS]):
                sums.sample_total(at(totals, t), paths, (sample * counts[Counter.TOTALS] + t) * sums.WIDTH)
            sample += 1
        counts[Counter.SAMPLE] = sample
    soonest = NEVER
    turned = 0  # one bit per calendar
    if shape.amends and forced != 0:
        counts[Counter.SESSION_ROW] = i
    for calendar in range(counts[Counter.CALENDARS]):
        clock = at(clocks, calendar)
        if forced != 0:
            turned |= 1 << calendar
        while now >= clock.end:
            turned |= 1 << calendar
            clock.start = clock.end
            clock.place += 1
            clock.end = bounds[clock.place] if clock.place < clock.stop else NEVER
        soonest = min(soonest, clock.end)
    if shape.samples and sample < counts[Counter.SAMPLES]:
        soonest = min(soonest, sample_at[sample])
    for rule in shape.turning:
        if (turned >> rule.terms.calendar) & 1:
            for key in range(rule.n_keys):
                rule.state = at(rule.states, key)
                if rule.can_pause and forced != 0 and rule.terms.pause_end == runtime.UNTIL_SESSION:
                    rule.state.held_until = 0
                if rule.gathers and rule.has("on_new_day"):
                    if gathered(rule, key, -1, MISSING) == 0:
                        rule.on_new_day(book=total_book(rule))
                else:
                    if "book" in rule.arguments("on_new_day"):
                        book = owner_book(rule, key)
                    if rule.has("on_new_day"):
                        rule.on_new_day()
    for rule in shape.gauging:
        soonest = min(soonest, close_bar(rule, 0))
    return soonest


def note_totals():
    """Note the total profit of each currency after the events so far."""
    for t in range(counts[Counter.TOTALS]):
        sums.note_total(at(totals, t))


def close_bar(rule, forced):
    """Close a covariance's bar if its time is over, or at a CLOCK event (`forced` 1); return the end of the next bar."""
    return covariance.pass_time(now, forced, rule.params, rule.states, rule.n_keys, instruments, memory, reals)


def write_row(mask, observed, limit, until, key, cause, code):
    """Write a decision or a transition."""
    global used
    used = runtime.emit(rows, used, i, mask, observed, limit, until, key, cause, code)


# ---------------------------------------------------------------------- an event and its records


def look_up(row):
    """Look up the records of a row's position, account and instrument."""
    global position, account, instrument
    position = at(positions, log.pair[row])
    account = at(accounts, log.account[row])
    instrument = at(instruments, log.instrument[row])


def look_up_order():
    """Look up the records of the event and of the order that it belongs to."""
    global order
    look_up(i)
    order = at(orders, log.slots[i] if shape.orders else -1)
    look_up_cash(log.account[i], instrument.currency)


def look_up_cash(account_id, currency):
    """Look up an account's balance in a currency (its only balance if accounts do not mix currencies)."""
    global cash_balance
    if shape.cash:
        cash_balance = at(
            cash_balances, account_id * counts[Counter.BALANCES] + min(currency, counts[Counter.BALANCES] - 1)
        )


def look_up_parent(row):
    """Look up the record of a child order's parent."""
    global parent_order
    if shape.parents:
        parent_order = at(orders, parent_slot(row))


def parent_slot(row):
    """The record number of a child order's parent."""
    return (log.slots[log.parent[row]] if log.parent[row] >= 0 else -1) if "parent" in shape.columns else -1


def read_event(kind, row, side, qty, price):
    """Set `event` to a row of the log with this side, quantity and price."""
    global event
    event = EventRow(
        row, now, kind, int64(log.account[row]), int64(log.instrument[row]), int64(log.pair[row]),
        side, qty, price, int64(log.order[row]),
        tag(kind, column("strategy", row), order.strategy), tag(kind, column("connection", row), order.connection),
        column("flags", row) | (order.flags & INHERITED) if shape.inherits(kind) else column("flags", row),
        order.parent if kind == EventKind.MODIFY and shape.parents else column("parent", row),
        column("batch", row), column("weight", row), fee if kind == EventKind.FILL else column("fee", row),
        column("bid", row), column("ask", row), column("reserve", row), stop_of(kind, row, side),
    )  # fmt: skip


def column(name, row):
    """The value of a column in a row, or its default if the log does not have the column."""
    return int64(log[name][row]) if name in shape.columns else OPTIONAL[name][1]


def stop_of(kind, row, side):
    """The stop of an order, or of one after a modify; MISSING of one that waits for none, and of other events."""
    return (
        order_stops.first_stop(instrument, side, column("stop", row), column("flags", row))
        if shape.stops and kind == EventKind.ORDER
        else order_stops.changed_stop(order, instrument, side, column("stop", row), column("flags", row))
        if shape.stops and kind == EventKind.MODIFY
        else MISSING
    )


def tag(kind, own, of_order):
    """The strategy or connection of an event; if a modify, cancel or fill has none, that of its order."""
    return (
        (own if own >= 0 else of_order)
        if shape.tags and kind in (EventKind.MODIFY, EventKind.CANCEL, EventKind.FILL)
        else own
    )


def message_book(order):
    """The book at an order or a modify."""
    return Book(
        position, account, instrument, order, 0, 0,
        cash_balance if shape.cash else None, parent_order if shape.parents else None,
    )  # fmt: skip


def owner_book(rule, key):
    """The book of the account or group that owns a key, without position, instrument and order."""
    return Book(
        at(positions, -1), at(rule.group_accounts, key) if rule.group else at(accounts, rule.state.owner),
        at(instruments, -1), at(orders, -1), 0, 0, None, None,
    )  # fmt: skip


def gathered(rule, key, currency, oldest):
    """Convert the books of a rule's key; 0, or below 0 if a currency has no rate."""
    return exchange.gather(
        at(conversions, rule.number), at(converted_books, rule.number), rule.group_accounts, rates, key,
        counts[Counter.CURRENCIES], currency, rule.terms, oldest, rule.read_bits,
    )  # fmt: skip


def converted(rule):
    """Find how amounts of the event become those of a rule's limit; 0, or below 0 if a currency has no rate."""
    return (
        gathered(rule, rule.key, instrument.currency, exchange.oldest_of(rule.terms, event.ts))
        if rule.gathers
        else exchange.find_way(
            at(conversions, rule.number), rates, counts[Counter.CURRENCIES], event_currency(), rule.terms,
            exchange.oldest_of(rule.terms, event.ts),
        )
    )  # fmt: skip


def event_currency():
    """Currency of the money of the event."""
    return cash_currency() if shape.credits and log.kind[i] == EventKind.CREDIT else instrument.currency


def shared_book(rule):
    """The book of a message of a rule with a group; converted if the rule adds several currencies."""
    return (
        Book(
            at(rule.group_positions, place_of(rule.group, event.pair, event.strategy)), at(converted_books, rule.number),
            instrument, book.order, 0, 0, book.cash_balance, book.parent,
        )
        if rule.gathers
        else group_book(rule)
    )  # fmt: skip


def total_book(rule):
    """The converted book of a key, without position, instrument and order."""
    return Book(
        at(positions, -1), at(converted_books, rule.number), at(instruments, -1), at(orders, -1), 0, 0, None, None,
    )  # fmt: skip


def group_book(rule):
    """The book of a message in which the records of the rule's group take the place of those of the account."""
    return Book(
        at(rule.group_positions, place_of(rule.group, event.pair, event.strategy)),
        at(rule.group_accounts, rule.key), instrument, book.order, 0, 0,
        balance_of(rule.group, rule.key, instrument.currency) if rule.group.has_cash else None, book.parent,
    )  # fmt: skip


def place_of(group, pair_id, strategy_id):
    """Number of a group's position in the instrument of `position`; -1 for a fill or an order without a strategy."""
    return (
        pair_id
        if group.by_pair
        else holder_of(group) * counts[Counter.INSTRUMENTS] + position.instrument
        if group.scope != "strategy"
        else strategy_id * counts[Counter.INSTRUMENTS] + position.instrument
        if strategy_id >= 0
        else -1
    )


def first_place(group, instrument_id):
    """Number of a group's first position in `instrument`, chained by `next_position`; -1 if there are no groups."""
    return (
        instrument.first_position
        if group.by_pair
        else instrument_id
        if group.scope != "strategy"
        else instrument_id
        if counts[Counter.STRATEGIES] > 0
        else -1
    )


def holder_of(group):
    """Number of the group to which `account` belongs; 0 for a group of all accounts."""
    return (
        account.trader
        if group.scope == "trader"
        else account.desk
        if group.scope == "desk"
        else account.firm
        if group.scope == "firm"
        else int64(log.account[i])
        if group.scope == "account"
        else 0
    )


def balance_of(group, key, currency):
    """A group's cash in a currency."""
    return at(group.cash, key * counts[Counter.BALANCES] + min(currency, counts[Counter.BALANCES] - 1))


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


def day_of(rule):
    """Start of the present trading day of a rule."""
    return at(clocks, rule.terms.calendar).start


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


# ---------------------------------------------------------------------- checks


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
            if rule.can_pause and rule.state.held_until > event.ts and (rule.halts or reducing == 0):
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


def judge_message(kind, row, open_qty, working_qty):
    """Set `verdict` to the combined verdict of all rules; a PAUSE or STOP command refuses the message before any rule.

    `open_qty` is the unfilled quantity after the message; of a modify, `working_qty` of it works already.
    """
    global reducing, verdict, later
    if shape.whole:
        later = follows(row) if kind == EventKind.ORDER and "batch" in shape.columns else 0
    if shape.asks_reducing(kind):
        reducing = 1 if ledger.reduces(position, event.side, open_qty, working_qty) else 0
    else:
        reducing = 0
    for rule in shape.objecting(kind):
        if rule.nets:
            rule.reducing = (
                1
                if ledger.reduces(
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


def follows(row):
    """1 if the next row is an order of the same list, else 0."""
    return 1 if log.batch[row] >= 0 and row + 1 < len(arrays.ts) and log.batch[row + 1] == log.batch[row] else 0


def find_best(rule):
    """Set the rule's `best` to the best working order of the other side in its scope."""
    global peer, member
    rule.best = order_chains.best_offer(position, orders, event.side)
    if rule.has_peers:
        peer_id = instrument.first_position
        while peer_id >= 0:
            peer = at(positions, peer_id)
            member = at(accounts, peer.account)
            if rule.member_key == rule.key:
                rule.best = min(rule.best, order_chains.best_offer(peer, orders, event.side))
            peer_id = peer.next_position
    if shape.stops and event.stop != MISSING:  # it meets nobody before its trigger
        rule.best = order_chains.NO_OFFER


def find_met(rule):
    """Set the rule's `met` to the lots of the working orders in its scope that the order of `event` would meet."""
    global peer, member
    rule.met = order_chains.met_lots(position, orders, event.side, event.price, came_before())
    if rule.has_peers:
        rule.met = 0
        peer_id = instrument.first_position
        while peer_id >= 0:
            peer = at(positions, peer_id)
            member = at(accounts, peer.account)
            if rule.member_key == rule.key:
                rule.met += order_chains.met_lots(peer, orders, event.side, event.price, came_before())
            peer_id = peer.next_position
    if shape.stops and event.stop != MISSING:
        rule.met = 0


def came_before():
    """The row before which an order must have come to be met: that of the message, or of its list."""
    return event.batch if event.batch >= 0 else event.seq


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
    global order, position, account, instrument, peer, member, change
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
                    slot = order_chains.first_met(peer, orders, event.side, event.price, came_before(), slot)
            peer_id = peer.next_position
        if slot < 0:
            break
        order = at(orders, slot)
        position = at(positions, order.pair)
        account = at(accounts, order.account)
        instrument = at(instruments, position.instrument)
        look_up_cash(order.account, instrument.currency)
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


# ---------------------------------------------------------------------- orders


def on_order():
    """Check an order, alone or in a list, and add it to the working orders if it is accepted."""
    global qty, side, book, fill_cap, change
    look_up_order()
    look_up_parent(i)
    qty = log.qty[i]
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


def let_work():
    """Add a named order to the working orders."""
    global change, rest_before, worth_before
    if shape.tags or ((shape.modifies or shape.dividends) and "flags" in shape.columns):
        ledger.tag_order(order, event.strategy, event.connection, event.flags)
    if shape.cash:
        cash_holds.set_hold_price(order, instrument, event.side, event.price, event.reserve, event.flags, event.stop)
    if shape.parents:
        ledger.link_child(order, parent_slot(i))
    if shape.answers:
        order.former_qty = MISSING
    if shape.keeps_rows:
        order.row = i
    if shape.queueing:
        order.release = now + verdict.until if verdict.cause == runtime.NO_RULE and event.batch < 0 else now
    if shape.numbers_orders:
        counts[Counter.ENTERED] += 1
        order.number = counts[Counter.ENTERED] if not shape.stops or event.stop == MISSING else NEVER
        order.since = now
    if shape.stops:
        order_stops.set_stop(order, event.stop, log.stop[i], event.flags)
    rest_before = worth_before = 0  # the record may hold data of another order
    change = ledger.open_order(
        order, position, account, event.side, qty, event.price, event.reserve, event.account, event.pair
    )
    value_order()
    lots_changed()
    if change != 0:
        count_working()
        join_chain()
    if shape.cash:
        hold_cash()
    if shape.enforce:
        order.fill_cap = fill_cap


def join_chain():
    """Add an order to those that wait for their stop in its instrument, or that work in its position."""
    if shape.stops and order.stop != MISSING:
        order_stops.link_stop(orders, log.slots[i], order, instrument)
    elif shape.chains:
        order_chains.link_order(orders, log.slots[i], order, position)


def leave_chain():
    """Take an order that works no longer out of its chain."""
    if shape.stops and order.stop != MISSING:
        order_stops.unlink_stop(orders, order, instrument)
    elif shape.chains:
        order_chains.unlink_order(orders, order, position)


def trigger(slot):
    """Let an order that waits for its stop be a limit or market order from now on; it is not judged again."""
    if order.status == runtime.WORKING:
        order_stops.unlink_stop(orders, order, instrument)
        if shape.chains:
            order_chains.link_order(orders, slot, order, position)
    if shape.numbers_orders:
        counts[Counter.ENTERED] += 1
        order.number = counts[Counter.ENTERED]
    order.stop = MISSING


def count_working():
    """Add `change` to the counts of working orders of the rules that keep them."""
    for rule in shape.counting:
        at(rule.states, rule.order_key).working += change


def before_change():
    """Store what an order works, and what a child order takes of its parent, before a fill, a modify or its end."""
    global committed_before, rest_before, worth_before
    if shape.parents:
        committed_before = ledger.committed_qty(order)
    if shape.lots:
        rest_before = ledger.rest_of(order)
    if shape.measuring:
        worth_before = ledger.worth_of(order, instrument)


def hold_cash():
    """Adjust the cash that an order reserves in the balances of its account and groups."""
    global reserved_before
    reserved_before = order.reserved
    cash_holds.reserve_cash(order, cash_balance, instrument)
    for group in shape.cash_groups:
        balance_of(group, holder_of(group), instrument.currency).reserved += order.reserved - reserved_before


def value_order():
    """Store the price at which an order is valued while it works."""
    if shape.measuring or shape.exposures:
        order.value_price = value_price(order.side, order.price, order.stop)
    if shape.exposures:
        if exposure.raises_estimate(instrument, order.value_price):
            instrument.estimate = abs(order.value_price)
            expose_holders()
            expose_groups()


def value_price(way, limit, stop):
    """The price at which the order of the event is valued; MISSING if unknown."""
    return (
        MISSING
        if limit == MISSING and event.flags & RowFlag.BAD_PRICE
        else order_stops.waiting_price(limit, stop)
        if shape.stops and stop != MISSING
        else ledger.order_price(instrument, way, limit)
    )


def lots_changed():
    """Update what depends on the lots that an order works, and on those held."""
    if shape.lots:
        work_in_groups(order.pair, order.strategy, order.side, ledger.rest_of(order) - rest_before)
    if shape.exposures:
        exposure.expose(position, account, instrument)
    for rule in shape.measuring:
        rule.state = at(rule.states, rule.order_key)
        rule.state.open_quantity += (ledger.rest_of(order) - rest_before) * instrument.qty_unit
        rule.state.open_money += ledger.worth_of(order, instrument) - worth_before
    note_opening()


def note_opening():
    """Count a position that an order would open while it works, for the rules that limit open positions."""
    if shape.opening:
        opens = 1 if position.qty == 0 and position.open_buy_qty + position.open_sell_qty > 0 else 0
        if opens != position.opening:
            for rule in shape.opening:
                at(rule.states, rule.position_key).opening += opens - position.opening
            position.opening = opens


def work_in_groups(pair_id, strategy_id, way, lots):
    """Count working lots of an order in the positions of its groups."""
    for group in shape.groups:
        holding = at(group.positions, place_of(group, pair_id, strategy_id))
        groups.work(holding, way, lots)
        if shape.exposures:
            exposure.expose(holding, at(group.accounts, holding.account), instrument)


def after_change():
    """Update what depends on a named order, after a fill, a modify or its end."""
    lots_changed()
    if change != 0:
        count_working()
        if (shape.answers or shape.snapshots) and change > 0:
            join_chain()
        else:
            leave_chain()
    if shape.parents:
        ledger.release_child_qty(orders, order, ledger.committed_qty(order) - committed_before)
    if shape.cash:
        hold_cash()


def stop_work():
    """Remove the unfilled rest of an order from the book."""
    global change
    before_change()
    change = ledger.close_order(order, position, account)
    after_change()
    if shape.queueing and change != 0 and order.release > now:
        leave_queues()


def leave_queues():
    """Take an order that ends while it waits its turn out of the queues of the rules."""
    for rule in shape.queueing:
        if rule.order_key >= 0:
            rule.state = at(rule.states, rule.order_key)
            rule.leave(release=order.release)
    order.release = now


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
    read_event(EventKind.ORDER, row, int64(log.side[row]), qty, int64(log.price[row]))
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
            order.hold_price = order_stops.waiting_price(price, order.stop)
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
        if not shape.answers:
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


def on_expiry():
    """Expire an order."""
    look_up_order()
    if log.order[i] >= 0 and (
        not shape.enforce or order.status == runtime.WORKING or (shape.answers and order.status != runtime.BLOCKED)
    ):
        stop_work()


# ---------------------------------------------------------------------- answers of the venue


def look_up_named():
    """Look up the order that the event names, and its records."""
    global order, position, account, instrument
    order = at(orders, log.slots[i])
    position = at(positions, order.pair)
    account = at(accounts, order.account)
    instrument = at(instruments, position.instrument)
    look_up_cash(order.account, instrument.currency)


def end_order():
    """End an order that the venue rejects; the trader has not cancelled it."""
    if log.order[i] >= 0:
        look_up_named()
        if order.status != runtime.BLOCKED and order.status != runtime.UNKNOWN:
            stop_work()


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


# ---------------------------------------------------------------------- snapshots of an account


def on_snapshot():
    """Make the book of an account what the venue says: at the first row of a snapshot, and each order at its own."""
    global used, i
    if log.batch[i] == i:
        used = reconcile(used)
    if counts[Counter.RECONCILING] != 0:
        i -= 1  # a fill was booked: the same row once more, with room for the decisions on the next one
    elif log.order[i] >= 0:
        take_order()


def reconcile(used):
    """Book the next fill that a snapshot implies, else what it says beyond fills; return the number of rows written."""
    global order, position, account, instrument, qty, side, fee, filled
    account = at(accounts, log.account[i])
    if counts[Counter.RECONCILING] == 0:
        note_stated()
        write_breaks()
        counts[Counter.RECONCILING] = 1
    filled = snapshots.next_filled(
        positions, instruments, orders, counts[Counter.SLOTS], int64(log.account[i]), log.side, log.qty, shape.enforce
    )
    if filled >= 0:
        order = at(orders, filled)
        position = at(positions, order.pair)
        instrument = at(instruments, position.instrument)
        look_up_cash(log.account[i], instrument.currency)
        side = order.side
        qty = snapshots.filled_lots(
            order, snapshots.stated_lots(position, log.side, log.qty) - snapshots.believed_lots(position, shape.enforce),
            log.qty,
        )  # fmt: skip
        fee = 0
        position.factual_qty += side * qty
        if shape.amends:
            note_record(order.pair, qty, snapshots.fill_price(order, instrument), order.strategy, order.connection, 0)
        book_fill(position.account, order.pair, position.instrument, snapshots.fill_price(order, instrument), 1)
    else:
        adjust_positions()
        end_unstated()
        counts[Counter.RECONCILING] = 0
    return used


def note_stated():
    """Note in the records of positions and orders which row of the snapshot states them."""
    j = i
    while j < len(arrays.ts) and log.batch[j] == i:
        if log.order[j] < 0:
            at(positions, log.pair[j]).stated = j + 1
        elif log.order[j] != j:
            at(orders, log.slots[j]).stated = j + 1
        j += 1


def write_breaks():
    """Write a row for each position and each known order of which the venue says something else."""
    global order, position
    place = account.first_position
    while place >= 0:
        position = at(positions, place)
        theirs = snapshots.stated_lots(position, log.side, log.qty)
        ours = snapshots.believed_lots(position, shape.enforce)
        if theirs != ours:
            write_row(0, place, theirs, ours, place, runtime.NO_RULE, DecisionCode.POSITION_BREAK)
        place = position.next_of_account
    first = used
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        if order.account == log.account[i] and order.status != runtime.UNKNOWN and order.status != runtime.BLOCKED:
            theirs = snapshots.stated_rest(order, log.qty)
            if theirs != ledger.rest_of(order):
                write_row(
                    0, order.row, theirs, ledger.rest_of(order), order.pair, runtime.NO_RULE, DecisionCode.ORDER_BREAK
                )
    runtime.sort_rows(rows, first, used)


def note_record(pair_id, lots, paid, strategy_id, connection_id, adjusts):
    """Note a fill of `qty` lots, or with `adjusts` 1 lots without one, of which `lots` are booked, for a bust or a correction."""
    global noted
    noted = at(fills, counts[Counter.FILLS])
    counts[Counter.FILLS] += 1
    noted.row = i
    noted.pair = pair_id
    noted.side = side
    noted.qty = lots
    noted.price = paid
    noted.fee = 0
    noted.strategy = strategy_id
    noted.connection = connection_id
    noted.recorded_qty = qty
    noted.adjusts = adjusts


def adjust_positions():
    """Give the positions of an account the lots that the venue says and no fill explains."""
    global position, instrument
    place = account.first_position
    while place >= 0:
        position = at(positions, place)
        instrument = at(instruments, position.instrument)
        gap = snapshots.stated_lots(position, log.side, log.qty) - snapshots.believed_lots(position, shape.enforce)
        position.stated = 0
        if gap != 0:
            adjust_position(place, gap)
        place = position.next_of_account


def adjust_position(place, gap):
    """Give `position` lots at the mark, unpaid and untraded, and tell the rules."""
    position.factual_qty += gap
    book_lots(place, gap, instrument.mark, 0)
    equity_moved(position.account, place, position.instrument)
    tell_groups_of(place)


def book_lots(place, gap, price, paid):
    """Give `position` lots without a fill at a price, `paid` (1) or not (0); without a price they are worth the first mark."""
    global qty, side, cash_before
    side = 1 if gap > 0 else -1
    qty = abs(gap)
    realised = 0
    if price == MISSING:
        position.qty += gap
        position.unpriced = 1 if position.qty != 0 else 0
    elif paid != 0:
        if shape.cash:
            cash_before = account.cash
        realised = ledger.fill(position, account, instrument, side, qty, price, 0)
        if shape.cash:
            look_up_cash(position.account, instrument.currency)
            receive_cash(account.cash - cash_before, instrument.currency)
    else:
        realised = ledger.adjust(position, account, instrument, side, qty, price)
        if shape.amends:
            note_record(place, qty, price, -1, -1, 1)
    for group in shape.groups:
        if not group.own:
            adjust_group(group, place, realised, price, paid)
    if shape.adjusting:
        tell_adjusted(place, gap)
    note_opening()
    if shape.marks and instrument.mark != MISSING:
        ledger.mark(position, account, instrument)
    if shape.exposures:
        exposure.expose(position, account, instrument)


def tell_groups_of(place):
    """Tell the rules of the groups of a position of `account` that their profit has moved."""
    for group in shape.groups_told:
        tell_group(group, place_of(group, place, -1))


def tell_adjusted(place, gap):
    """Tell the rules that keep positions in their records of lots that come or go without a fill."""
    global event, book
    event = EventRow(
        i, now, EventKind.FILL, position.account, position.instrument, place, side, qty, instrument.mark, -1,
    )  # fmt: skip
    opened = (1 if position.qty == gap else 0) - (1 if position.qty == 0 else 0)
    book = Book(position, account, instrument, at(orders, -1), 0, opened, None, None)
    for rule in shape.adjusting:
        if rule.always_keyed(EventKind.FILL) or rule.key >= 0:
            rule.state = at(rule.states, rule.key)
            rule.amend(sign=1, today=1)


def adjust_group(group, pair_id, realised, price, paid):
    """Book lots that come or go without a fill in a group, at a price and `paid` (1) or not (0)."""
    global member
    holding = at(group.positions, place_of(group, int64(pair_id), -1))
    member = at(group.accounts, holding.account)
    if group.sums:
        holding.qty += side * qty
    elif price == MISSING:
        holding.qty += side * qty
    elif paid != 0:
        groups.fill_part(holding, member, instrument, side, qty, price, 0, realised)
    else:
        groups.adjust_part(holding, member, instrument, side, qty, price, realised)
    if instrument.mark == MISSING:
        holding.unpriced = 1 if holding.qty != 0 else 0
    elif shape.marks:
        ledger.mark(holding, member, instrument)
    if shape.exposures:
        exposure.expose(holding, member, instrument)


def end_unstated():
    """End the orders of an account that the venue does not name, also those that it might have brought back."""
    global order, position, instrument
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        if order.account == log.account[i] and order.stated == 0 and order.status == runtime.WORKING:
            position = at(positions, order.pair)
            instrument = at(instruments, position.instrument)
            look_up_cash(order.account, instrument.currency)
            stop_work()
        elif order.account == log.account[i] and order.stated == 0 and runtime.may_return(order.status):
            order.status = runtime.DONE
        order.stated = 0


def take_order():
    """Let an order be what the venue says: one that we did not know works from now on, and is not judged."""
    global qty, price, change, fill_cap, verdict
    look_up_order()
    read_event(EventKind.ORDER, i, int64(log.side[i]), int64(log.qty[i]), int64(log.price[i]))
    qty = log.qty[i]
    if log.order[i] == i or order.status == runtime.UNKNOWN:
        write_row(0, log.order[i], qty, MISSING, event.pair, runtime.NO_RULE, DecisionCode.ORDER_BREAK)
        fill_cap = runtime.NO_CAP
        if shape.queueing:
            verdict = Judgement(0, 0, 0, runtime.NO_RULE, 0, 0, 0, 0, 0, 0)
        let_work()
        order.row = log.order[i]
    elif order.status != runtime.BLOCKED:
        if shape.enforce and order.fill_cap != runtime.NO_CAP:  # what self-match prevention or a refused modify left
            qty = min(qty, ledger.rest_of(order))
        price = log.price[i] if log.price[i] != MISSING else order.price
        if shape.cash and order.reserve == MISSING and log.price[i] != MISSING:
            order.hold_price = price
        before_change()
        change = order_answers.restate(order, position, account, qty, price)
        if log.price[i] != MISSING:
            value_order()
        after_change()


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
            if number == rule.number:
                working_key = rule.order_key
        if order.status == runtime.WORKING and working_key == key:
            look_up_cash(order.account, instrument.currency)
            stop_work()
            order.status = runtime.BLOCKED
            counts[Counter.CANCELLED] += 1


# ---------------------------------------------------------------------- fills


def on_fill():
    """Book a fill, paused or not, unless its order was refused."""
    global qty, side, fee
    look_up_order()
    if "flags" in shape.columns and log.flags[i] & RowFlag.DUPLICATE:
        counts[Counter.DUPLICATES] += 1
        write_row(0, 0, 0, 0, log.account[i], runtime.NO_RULE, DecisionCode.DUP)
        return
    qty = log.qty[i]
    side = int64(log.side[i])
    fee = log.fee[i] if "fee" in shape.columns else 0
    if shape.amends:
        note_fill()
    if shape.enforce:
        if is_recorded():
            position.factual_qty += side * qty
        if log.order[i] >= 0 and order.status == runtime.BLOCKED:
            vanish(Counter.FILLS_VANISHED)
            return
        if log.order[i] >= 0 and order.fill_cap != runtime.NO_CAP:
            taken = min(qty, max(order.qty - order.filled, 0))
            if order.fill_cap == runtime.CAP_PRICE and ledger.worse(side, log.price[i], order.price):
                taken = 0
            if taken < qty:
                counts[Counter.FILLS_CUT] += 1
                write_row(0, qty, taken, 0, log.account[i], runtime.NO_RULE, DecisionCode.CUT)
                fee = share(fee, taken, qty)
                qty = taken
                if taken == 0:
                    return
    if shape.amends:
        noted.qty = qty
        noted.fee = fee
    if log.order[i] == -1 and is_recorded():
        counts[Counter.UNNAMED_FILLS] += 1
    book_fill(log.account[i], log.pair[i], log.instrument[i], log.price[i], 0)


def book_fill(account_id, pair_id, instrument_id, paid, inferred):
    """Book a fill of `qty` at the price `paid`, and tell the rules; one that is `inferred` has no event of its own."""
    global book, event, change, qty_before, cash_before, strategy
    if shape.marks:
        if instrument.priced == 0 and instrument.mark != paid:
            instrument.mark = paid
            revalue_holders()
            revalue_groups(int64(instrument_id))
    elif instrument.priced == 0:  # marks are read only at the end
        instrument.mark = paid
    if instrument.priced == 0:
        note_price()
    if shape.references:
        ledger.date_fill(position, instrument, paid, now)
    if shape.turnover:
        instrument.traded += qty
    qty_before = position.qty
    if shape.cash:
        cash_before = account.cash
    realised = ledger.fill(position, account, instrument, side, qty, paid, fee)
    opened = (1 if qty_before == 0 else 0) - (1 if position.qty == 0 else 0)
    if shape.netted:
        sums.follow_total(at(totals, 0), account)
        sums.follow_net(at(totals, 0), nets, int64(instrument_id), instrument, side * qty)
    if shape.cash:
        receive_cash(account.cash - cash_before, instrument.currency)
    if shape.groups:
        strategy = order.strategy if inferred else tag(EventKind.FILL, column("strategy", i), order.strategy)
    for group in shape.groups:
        fill_group(group, pair_id, paid, realised)
    if shape.orders and (inferred or log.order[i] >= 0):
        if shape.stops and order.stop != MISSING:  # the venue has seen its trigger
            trigger(filled if inferred else log.slots[i])
        before_change()
        change = ledger.fill_order(order, position, account, qty)
        after_change()
    else:
        note_opening()
    if shape.watched(EventKind.FILL):
        if inferred:
            event = EventRow(
                i, now, EventKind.FILL, position.account, position.instrument, order.pair, side, qty, paid, order.row,
                order.strategy, order.connection,
            )  # fmt: skip
        else:
            read_event(EventKind.FILL, i, int64(log.side[i]), qty, int64(log.price[i]))
        book = Book(position, account, instrument, order, realised, opened, None, None)
        look_up_rules(EventKind.FILL)
        record_outcome(EventKind.FILL)
    if shape.marks:
        ledger.mark(position, account, instrument)
    if shape.exposures:
        exposure.expose(position, account, instrument)
    equity_moved(account_id, pair_id, instrument_id)
    if shape.groups_told and instrument.priced == 0:
        tell_groups_in(int64(instrument_id))
    for group in shape.groups_told:
        tell_group(group, place_of(group, int64(pair_id), strategy))


def is_recorded():
    """False for a fill of a flattening, which the record does not have."""
    return not shape.flattens or "flags" not in shape.columns or log.flags[i] & RowFlag.FLATTEN == 0


def note_fill():
    """Note a fill, of which nothing is booked yet."""
    note_record(
        log.pair[i], 0, log.price[i],
        tag(EventKind.FILL, column("strategy", i), order.strategy),
        tag(EventKind.FILL, column("connection", i), order.connection), 0,
    )  # fmt: skip


def on_amend():
    """Undo a fill (BUST), or book what it should have been at its place (CORRECT); its order stays as it is."""
    global noted, recorded, amended_qty, amended_price
    if column("fill", i) >= 0:
        place = fill_records.find_fill(fills, counts[Counter.FILLS], column("fill", i))
        if place >= 0 and at(fills, place).recorded_qty > 0:
            noted = at(fills, place)
            look_up(noted.row)
            recorded = int64(log.qty[i]) if log.kind[i] == EventKind.CORRECT else 0
            position.factual_qty += noted.side * (recorded - noted.recorded_qty)
            amended_qty = noted.qty
            amended_price = noted.price
            if noted.qty > 0:
                amend_fill()
            noted.recorded_qty = recorded


def amend_fill():
    """Book a fill with other contents, and tell the rules and groups."""
    global qty_before, cash_before, realised_before, fees_before, strategy
    strategy = noted.strategy
    qty_before = position.qty
    cash_before = account.cash
    realised_before = account.realised
    fees_before = account.fees
    fill_records.take_out(
        fills, counts[Counter.FILLS], noted.pair, fill_records.ANY_STRATEGY, position, account, instrument
    )
    for group in shape.groups:
        if group.own:
            refill_own(group, 0)
    noted.qty = recorded if noted.qty == noted.recorded_qty else min(recorded, noted.qty)
    if recorded > 0:
        noted.price = log.price[i]
        if column("fee", i) != 0:
            noted.fee = column("fee", i)
    else:
        noted.fee = 0
    fill_records.book_again(
        fills, counts[Counter.FILLS], noted.pair, fill_records.ANY_STRATEGY, position, account, instrument
    )
    if shape.cash:
        look_up_cash(position.account, instrument.currency)
        receive_cash(account.cash - cash_before, instrument.currency)
    for group in shape.groups:
        refill_group(group)
    if shape.references:
        place = fill_records.last_of(fills, counts[Counter.FILLS], noted.pair)
        position.fill_price = at(fills, place).price if place >= 0 else MISSING
        position.fill_ts = log.ts[at(fills, place).row] if place >= 0 else 0
    note_opening()
    restore_mark()
    tell_amended(-1, amended_qty, amended_price)
    if noted.qty > 0:
        tell_amended(1, noted.qty, noted.price)
    if shape.marks:
        ledger.mark(position, account, instrument)
    if shape.exposures:
        exposure.expose(position, account, instrument)
    equity_moved(position.account, noted.pair, position.instrument)
    if shape.groups_told and instrument.priced == 0:
        tell_groups_in(position.instrument)
    for group in shape.groups_told:
        tell_group(group, place_of(group, noted.pair, strategy))


def refill_own(group, again):
    """Take the fills of the strategy of a fill out of the books of its group, or (`again` 1) book them."""
    global member
    holding = at(group.positions, place_of(group, noted.pair, strategy))
    member = at(group.accounts, holding.account)
    if strategy >= 0 and again != 0:
        fill_records.book_again(fills, counts[Counter.FILLS], noted.pair, strategy, holding, member, instrument)
    elif strategy >= 0:
        fill_records.take_out(fills, counts[Counter.FILLS], noted.pair, strategy, holding, member, instrument)


def refill_group(group):
    """Book in a group what a bust or a correction changes."""
    global member
    holding = at(group.positions, place_of(group, noted.pair, strategy))
    member = at(group.accounts, holding.account)
    if group.own:
        refill_own(group, 1)
    else:
        holding.qty += position.qty - qty_before
    if not group.own and not group.sums:
        member.cash += account.cash - cash_before
        member.realised += account.realised - realised_before
        member.fees += account.fees - fees_before
    if shape.marks:
        ledger.mark(holding, member, instrument)
    if shape.exposures:
        exposure.expose(holding, member, instrument)


def restore_mark():
    """Before the first price event, value the instrument at its last fill that stands."""
    if instrument.priced == 0:
        place = fill_records.last_in(fills, counts[Counter.FILLS], positions, position.instrument)
        if shape.references and place >= 0:
            instrument.mark_ts = log.ts[at(fills, place).row]
        if place >= 0 and at(fills, place).price != instrument.mark:
            instrument.mark = at(fills, place).price
            note_price()
            if shape.marks:
                ledger.mark(position, account, instrument)
                revalue_holders()
                revalue_groups(position.instrument)


def tell_amended(sign, lots, price):
    """Undo a fill with these contents in the records of rules (`sign` -1), or count it at its time (1)."""
    global event, book
    if shape.amending:
        event = EventRow(
            noted.row, int64(log.ts[noted.row]), EventKind.FILL, position.account, position.instrument, noted.pair,
            noted.side, lots, price, -1, noted.strategy, noted.connection,
        )  # fmt: skip
        book = Book(
            position, account, instrument, at(orders, -1), account.realised - realised_before if sign < 0 else 0,
            (1 if qty_before == 0 else 0) - (1 if position.qty == 0 else 0) if sign < 0 else 0, None, None,
        )  # fmt: skip
        for rule in shape.amending:
            if rule.always_keyed(EventKind.FILL) or rule.key >= 0:
                rule.state = at(rule.states, rule.key)
                rule.amend(
                    sign=sign,
                    today=(
                        1
                        if event.ts >= at(clocks, rule.terms.calendar).start and noted.row > counts[Counter.SESSION_ROW]
                        else 0
                    ),
                )


def fill_group(group, pair_id, paid, realised):
    """Book the fill in a group."""
    global member
    holding = at(group.positions, place_of(group, int64(pair_id), strategy))
    member = at(group.accounts, holding.account)
    if group.own:
        ledger.fill(holding, member, instrument, side, qty, paid, fee)
    elif group.sums:
        holding.qty += side * qty
    else:
        groups.fill_part(holding, member, instrument, side, qty, paid, fee, realised)
    if shape.marks:
        ledger.mark(holding, member, instrument)
    if shape.exposures:
        exposure.expose(holding, member, instrument)


def receive_cash(amount, currency):
    """Add cash to the balances of the account and of its groups in a currency."""
    cash_balance.cash += amount
    for group in shape.cash_groups:
        balance_of(group, holder_of(group), currency).cash += amount


# ---------------------------------------------------------------------- lots that come and go without a fill


def on_adjust():
    """Give an account lots, or both of a transfer at its first row; what rules say of it is decided after both."""
    global used
    if column("batch", i) < 0 or column("batch", i) == i:
        used = book_adjustment(used)


def book_adjustment(used):
    """Book the lots of an adjustment or a transfer, then tell the rules; return the number of rows written."""
    j = i
    while is_adjusted(j):
        look_up(j)
        if instrument.mark == MISSING and log.price[j] != MISSING:
            value_first(int64(log.instrument[j]), log.price[j])
        position.factual_qty += int64(log.side[j]) * log.qty[j]
        book_lots(
            int64(log.pair[j]), int64(log.side[j]) * log.qty[j],
            log.price[j] if log.price[j] != MISSING else instrument.mark, 0,
        )  # fmt: skip
        j += 1
    j = i
    while is_adjusted(j):
        equity_moved(log.account[j], log.pair[j], log.instrument[j])
        j += 1
    if shape.groups_told:
        j = i
        while is_adjusted(j):
            look_up(j)
            tell_groups_of(int64(log.pair[j]))
            j += 1
    return used


def is_adjusted(row):
    """True for the row of the event, and for the others of its transfer."""
    return row == i or (row < len(arrays.ts) and column("batch", row) == i)


def value_first(code, price):
    """Value `instrument`, which has no mark yet, and the positions that wait for one."""
    instrument.mark = price
    if shape.references:
        instrument.mark_ts = now
    note_price()
    if shape.marks:
        revalue_holders()
        revalue_groups(code)


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


def move_holders():
    """Tell the rules of the accounts whose lots of `instrument` the event has changed that their equity has moved."""
    pair_id = instrument.first_position
    while pair_id >= 0:
        if at(positions, pair_id).stated != 0:
            equity_moved(at(positions, pair_id).account, pair_id, log.instrument[i])
        pair_id = at(positions, pair_id).next_position


def begin_settlement(row):
    """Look up the instrument of a row, value what waits for its first mark, and let its fills so far be final."""
    global instrument
    instrument = at(instruments, log.instrument[row])
    if instrument.mark == MISSING:
        value_first(int64(log.instrument[row]), log.price[row])
    if shape.amends:
        fill_records.settle_fills(fills, counts[Counter.FILLS], positions, int64(log.instrument[row]))


def end_expired():
    """End the orders of an instrument that expires, also those that the venue might have brought back."""
    global order, position, account, instrument
    at(instruments, log.instrument[i]).expired = 1
    first = used
    if shape.orders:
        for slot in range(counts[Counter.SLOTS]):
            order = at(orders, slot)
            position = at(positions, order.pair)
            if position.instrument == log.instrument[i] and order.status == runtime.WORKING:
                account = at(accounts, order.account)
                instrument = at(instruments, position.instrument)
                look_up_cash(order.account, instrument.currency)
                write_row(
                    0, order.row, ledger.rest_of(order), 0, order.account, runtime.NO_RULE, DecisionCode.CANCELLED
                )
                stop_work()
            elif position.instrument == log.instrument[i] and runtime.may_return(order.status):
                order.status = runtime.DONE
    runtime.sort_rows(rows, first, used)


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


# ---------------------------------------------------------------------- splits


def on_split():
    """Count an instrument in new units."""
    global used
    used = split(used)


def split(used):
    """Give orders, prices and positions of an instrument in new units, then tell the rules; return the number of rows written."""
    global position, account, instrument
    if shape.orders:
        split_orders()
    instrument = at(instruments, log.instrument[i])
    if shape.amends:
        fill_records.settle_fills(fills, counts[Counter.FILLS], positions, int64(log.instrument[i]))
    splits.scale_quotes(instrument, log.qty[i], log.price[i])
    if shape.watched(EventKind.SPLIT):
        tell_split()
    pair_id = instrument.first_position
    while pair_id >= 0:
        position = at(positions, pair_id)
        account = at(accounts, position.account)
        split_holder(pair_id)
        pair_id = position.next_position
    for group in shape.groups:
        if group.own:
            split_own(group)
    if shape.marks and instrument.mark != MISSING:
        revalue_groups(int64(log.instrument[i]))
    elif shape.exposures and instrument.first_position >= 0:
        position = at(positions, instrument.first_position)
        expose_groups()
    move_holders()
    tell_settled(i)
    return used


def split_orders():
    """Scale or cancel the open orders of an instrument that is split."""
    global order, position, account, instrument, change
    first = used
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        position = at(positions, order.pair)
        if position.instrument == log.instrument[i] and splits.is_open(order):
            account = at(accounts, order.account)
            instrument = at(instruments, position.instrument)
            look_up_cash(order.account, instrument.currency)
            if splits.is_cancelled(order, log.qty[i], log.price[i], log.side[i]):
                take_split_order(ledger.rest_of(order))
            elif splits.is_scaled(order, log.side[i]):
                before_change()
                change = splits.scale_order(
                    order, position, account, log.qty[i], log.price[i], instrument.lot, instrument.tick, log.side[i]
                )
                after_change()
                if change != 0:
                    write_row(0, order.row, 0, 0, order.account, runtime.NO_RULE, DecisionCode.CANCELLED)
    runtime.sort_rows(rows, first, used)


def take_split_order(rest):
    """End an order that a split cancels, also one that the venue might have brought back."""
    if order.status == runtime.WORKING:
        write_row(0, order.row, rest, 0, order.account, runtime.NO_RULE, DecisionCode.CANCELLED)
        stop_work()
    order.status = runtime.DONE


def tell_split():
    """Let the rules that keep prices or quantities of the instrument count in new units: its own, then those of each holder."""
    global event, book
    split_event(-1, -1)
    look_up_rules(EventKind.SPLIT)
    record_outcome(EventKind.SPLIT)
    pair_id = instrument.first_position
    while pair_id >= 0:
        split_event(at(positions, pair_id).account, pair_id)
        for rule in shape.listening(EventKind.SPLIT):
            if not rule.always_keyed(EventKind.SPLIT):
                look_up_rule(rule, EventKind.SPLIT)
                record_of(rule, EventKind.SPLIT)
        pair_id = at(positions, pair_id).next_position


def split_event(account_id, pair_id):
    """Set `event` to the split of the event, of all or of one account."""
    global event, book
    event = EventRow(
        i, now, EventKind.SPLIT, account_id, int64(log.instrument[i]), pair_id, 0, log.qty[i], log.price[i], -1,
    )  # fmt: skip
    book = Book(at(positions, pair_id), at(accounts, account_id), instrument, at(orders, -1), 0, 0, None, None)


def split_holder(pair_id):
    """Give `position` its new lots, and cash for what is less than a lot."""
    global qty, side, cash_before
    lots = position.qty
    position.factual_qty = splits.split_lots(position.factual_qty, log.qty[i], log.price[i], instrument.lot)
    if shape.references:
        position.fill_price = split_mark(position.fill_price, log.qty[i], log.price[i])
    if lots != 0:
        position.stated = 1
        cash_before = account.cash
        realised = splits.split_position(position, account, instrument, log.qty[i], log.price[i])
        write_row(0, pair_id, position.qty, lots, pair_id, runtime.NO_RULE, DecisionCode.SETTLED)
        qty = abs(position.qty - lots)
        side = 1 if position.qty > lots else -1
        if shape.cash:
            look_up_cash(position.account, instrument.currency)
            receive_cash(account.cash - cash_before, instrument.currency)
        for group in shape.groups:
            if not group.own:
                split_part(group, pair_id, position.qty - lots, account.cash - cash_before, realised)
        if shape.adjusting and position.qty != lots:
            tell_adjusted(pair_id, position.qty - lots)
        note_opening()
        if shape.marks and instrument.mark != MISSING:
            ledger.mark(position, account, instrument)
    if shape.amends:
        fill_records.settle_costs(position)
    if shape.exposures:
        exposure.expose(position, account, instrument)


def split_part(group, pair_id, gained, money, realised):
    """Book in a group what a split gives a member."""
    global member
    holding = at(group.positions, place_of(group, int64(pair_id), -1))
    member = at(group.accounts, holding.account)
    holding.qty += gained
    if not group.sums:
        member.cash += money
        member.realised += realised


def split_own(group):
    """Split the positions of each book of a group whose profit is that of its own fills."""
    place = first_place(group, int64(log.instrument[i]))
    while place >= 0:
        holding = at(group.positions, place)
        if holding.qty != 0:
            splits.split_position(holding, at(group.accounts, holding.account), instrument, log.qty[i], log.price[i])
            holding.stated = 1 if group in shape.groups_told else 0
        if shape.amends:
            fill_records.settle_costs(holding)
        place = holding.next_position


# ---------------------------------------------------------------------- marks and money


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


def trigger_stops():
    """Trigger the orders whose stop a trade has reached, and let the stops that trail follow it."""
    global order, position
    slot = instrument.first_stop
    while slot >= 0:
        order = at(orders, slot)
        following = order.next_order
        if order_stops.meets_trade(order, log.price[i]):
            position = at(positions, order.pair)
            trigger(slot)
        slot = following


def quoted(name):
    """Bid or ask of a price event."""
    return log[name][i] if name in shape.columns else MISSING


def note_price():
    """Note a price in the present bar of each rule with a covariance."""
    for rule in shape.gauging:
        covariance.price_came(at(rule.states, -1), memory)


def revalue_holders():
    """Value every account with a position in the instrument at its new mark."""
    pair_id = instrument.first_position
    while pair_id >= 0:
        holding = at(positions, pair_id)
        if holding.qty != 0:
            ledger.mark(holding, at(accounts, holding.account), instrument)
            equity_moved(holding.account, pair_id, holding.instrument)
        if shape.exposures:
            exposure.expose(holding, at(accounts, holding.account), instrument)
        pair_id = holding.next_position


def revalue_groups(instrument_id):
    """Value every group with a position in the instrument at its new mark."""
    for group in shape.groups:
        place = first_place(group, instrument_id)
        while place >= 0:
            holding = at(group.positions, place)
            if holding.qty != 0:
                ledger.mark(holding, at(group.accounts, holding.account), instrument)
            if shape.exposures:
                exposure.expose(holding, at(group.accounts, holding.account), instrument)
            place = holding.next_position


def expose_holders():
    """Bring the exposure of every account in the instrument up to date."""
    pair_id = instrument.first_position
    while pair_id >= 0:
        holding = at(positions, pair_id)
        exposure.expose(holding, at(accounts, holding.account), instrument)
        pair_id = holding.next_position


def expose_groups():
    """Bring the exposure of every group in the instrument up to date."""
    for group in shape.groups:
        place = first_place(group, position.instrument)
        while place >= 0:
            holding = at(group.positions, place)
            exposure.expose(holding, at(group.accounts, holding.account), instrument)
            place = holding.next_position


def tell_groups_in(instrument_id):
    """Tell the rules of every group with a position in the instrument that its profit has moved."""
    for group in shape.groups_told:
        place = first_place(group, instrument_id)
        while place >= 0:
            if at(group.positions, place).qty != 0:
                tell_group(group, place)
            place = at(group.positions, place).next_position


def tell_group(group, place):
    """Tell the rules on a group's profit that it may have moved."""
    global event, book
    holding = at(group.positions, place)
    event = EventRow(
        i, now, EventKind.MARK, at(positions, place).account if group.scope == "account" else -1, holding.instrument,
        place if group.by_pair else -1, 0, 0, MISSING, -1, holding.account if group.own else -1,
    )  # fmt: skip
    book = Book(holding, at(group.accounts, holding.account), instrument, at(orders, -1), 0, 0, None, None)
    for rule in shape.told_of(group):
        look_up_rule(rule, EventKind.MARK)
        record_of(rule, EventKind.MARK)


def equity_moved(account_id, pair_id, instrument_id):
    """Process a change of an account's equity, if equity is tracked."""
    global used
    if shape.marks:
        used = moved(int64(account_id), int64(pair_id), int64(instrument_id), used)


def moved(account_id, pair_id, instrument_id, used):
    """Update an account's drawdown and the rules on its equity; return the number of rows written."""
    global position, account, instrument, event, book
    position = at(positions, pair_id)
    account = at(accounts, account_id)
    instrument = at(instruments, instrument_id)
    ledger.track(account)
    if shape.samples:
        sums.follow_total(at(totals, account.total), account)
    if shape.sums:
        for group in shape.sums:
            groups.follow(at(group.accounts, holder_of(group)), account)
        groups.note_followed(account)
    if shape.listening(EventKind.MARK):
        event = EventRow(i, now, EventKind.MARK, account_id, instrument_id, pair_id, 0, 0, MISSING, -1)
        book = Book(position, account, instrument, at(orders, -1), 0, 0, None, None)
        look_up_rules(EventKind.MARK)
        record_outcome(EventKind.MARK)
    return used


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


def cash_currency():
    """Code of the currency of a cash event; of one that names none, the first that its account declares."""
    return log.price[i] if log.price[i] != MISSING else account.currency


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


def tell_sums():
    """Tell the rules on the equity of the groups of `account` that it may have moved."""
    for group in shape.sums_told:
        if group.separate:
            for rule in shape.told_of(group):
                tell_key(rule, holder_of(group))
        else:
            tell_group(group, holder_of(group) * counts[Counter.INSTRUMENTS])
    for rule in shape.rated:
        tell_key(rule, holder_of(rule.group))


# ---------------------------------------------------------------------- exchange rates


def on_fx():
    """Process an exchange rate: profits of books in several currencies move with it."""
    exchange.note_rate(
        at(rates, log.qty[i] // CURRENCIES * counts[Counter.CURRENCIES] + log.qty[i] % CURRENCIES),
        log.price[i], quoted("bid"), quoted("ask"), now,
    )  # fmt: skip
    for rule in shape.rated:
        for key in range(rule.n_keys):
            tell_key(rule, key)


def tell_key(rule, key):
    """Tell a rule that the profit of a key may have moved, in any currency."""
    global event, book
    event = EventRow(
        i, now, EventKind.MARK, key if rule.scope == "account" else -1, -1, -1, 0, 0, MISSING, -1, -1,
    )  # fmt: skip
    book = Book(
        at(positions, -1), at(rule.group_accounts, key * counts[Counter.CURRENCIES] if rule.gathers else key),
        at(instruments, -1), at(orders, -1), 0, 0, None, None,
    )  # fmt: skip
    look_up_rule(rule, EventKind.MARK)
    record_of(rule, EventKind.MARK)


# ---------------------------------------------------------------------- credit


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


# ---------------------------------------------------------------------- commands


def on_control():
    """Execute a command for one account, a group of accounts, or (-1) for all."""
    global book, used
    target = log.account[i]
    for a in range(counts[Counter.ACCOUNTS]):
        if is_addressed(a):
            runtime.command(at(accounts, a), int64(log.side[i]))
    if shape.commands and log.side[i] == TradingCommand.KILL:
        used = cancel_commanded(used)
    if log.side[i] == TradingCommand.RESUME or log.side[i] == TradingCommand.RESET:
        for rule in shape.resettable:
            for key in range(rule.n_keys):
                rule.state = at(rule.states, key)
                if (
                    key == log.price[i]
                    if shape.commands and log.qty[i] == rule.group_number
                    else (not shape.commands or log.qty[i] == 0) and (target < 0 or rule.state.owner == target)
                ):
                    if rule.can_pause and rule.state.held_until > now:
                        write_row(rule.bit, 0, 0, now, key, rule.number, DecisionCode.RELEASE)
                    if rule.gathers and rule.has("reset"):
                        if gathered(rule, key, -1, MISSING) == 0:
                            rule.reset(book=total_book(rule))
                    else:
                        if "book" in rule.arguments("reset"):
                            book = owner_book(rule, key)
                        if rule.has("reset"):
                            rule.reset()
                    if rule.can_pause:
                        rule.state.held_until = 0


def is_addressed(account_id):
    """True if the command of the event is for an account."""
    return (
        runtime.addressed(at(accounts, account_id), account_id, int64(log.account[i]), log.qty[i], log.price[i])
        if shape.commands
        else log.account[i] < 0 or log.account[i] == account_id
    )


def cancel_commanded(used):
    """Cancel the working orders of the accounts of a command, as if by a cancel each; return the number of rows written.

    No rule counts these cancels. The rows are in the order in which the orders came.
    """
    global order, position, account, instrument
    first = used
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        if order.status == runtime.WORKING and is_addressed(order.account):
            position = at(positions, order.pair)
            account = at(accounts, order.account)
            instrument = at(instruments, position.instrument)
            look_up_cash(order.account, instrument.currency)
            write_row(0, order.row, ledger.rest_of(order), 0, order.account, runtime.COMMAND, DecisionCode.CANCELLED)
            stop_work()
            counts[Counter.CANCELLED] += 1
            if shape.answers:
                order.status = runtime.CANCELLED
    runtime.sort_rows(rows, first, used)
    return used
