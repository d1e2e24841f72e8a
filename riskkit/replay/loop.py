"""The replay loop: the text from which the compiled loop of each rule set is made.

``riskkit.replay.specialise`` turns this file into the loop of one `Shape` (rules, mode, columns of the log) before it
is compiled. What remains is the same Python with less in it, so this file can be read, checked and stepped through:

- *Folded*: an expression of facts only (``shape``, ``rule``, a ``kind`` or ``sign`` passed as a constant, the codes of
  the enumerations) becomes its value, and an ``if`` on it becomes the branch that is taken.
- *Unrolled*: ``for rule in RULES`` is written out once for each rule. The variables of a rule (``rule.state``,
  ``rule.params``, ...) become variables of their own: ``state_order_rate_0``, ``params_order_rate_0``.
- *Hooks*: ``rule.check(...)`` calls the function of that rule's type with the arguments that it names: variables of
  the loop (``event``, ``book``, ``memory``, ...), and what is passed by keyword here.
- *Inlined*: every function but those of ``FUNCTIONS`` is written out where it is called; the names that it declares
  ``global`` are variables of the function it is called from. A ``return`` in it ends the event.
- *Passed*: a function of ``FUNCTIONS`` becomes a function, one for each kind it is called with (``judge_order``). It
  takes as further arguments the variables that it reads.
- ``log.price[i]`` is the price of row i; ``arrays.price`` is the array itself, as ``run`` is given it.

With ``compiled=False`` the specialised loop runs as plain Python with the line numbers of this file: breakpoints and
coverage work here, in the one frame of ``run``.
"""

from __future__ import annotations

from typing import Any

from numpy import int64

from riskkit.replay.book import (
    Book,
    adopt,
    assume_hold,
    cash_flow,
    change_order,
    close_order,
    committed,
    equity,
    fill,
    fill_order,
    forget_order,
    give_back,
    hold_cash,
    link_order,
    list_order,
    mark,
    open_order,
    quote,
    reduces,
    tag_order,
    track,
    unlink_order,
    unlist_orders,
    value_order,
    worse,
)
from riskkit.replay.columns import MISSING, OPTIONAL, Command, Event, Flag, Kind
from riskkit.replay.covariance_state import pass_time, price_came
from riskkit.replay.integers import share
from riskkit.replay.queue import CELLS_LEFT
from riskkit.replay.records import Record, Records, at, table, words
from riskkit.replay.shape import MESSAGES, Shape, columns
from riskkit.replay.steps import (
    BLOCKED,
    COMMAND,
    COMMAND_BIT,
    HOLD_SESSION,
    LIMITED_PRICE,
    LIMITED_QTY,
    NEVER,
    UNKNOWN,
    VANISHED,
    WORKING,
    Counter,
    Decision,
    Judgement,
    Orphans,
    command,
    emit,
    is_key_of,
    join,
    keep_judgement,
    kept_judgement,
    release_time,
    stopping,
    tentative,
    twins_before,
)

FUNCTIONS = ("run", "turn_over", "judge", "moved", "cancel_working")  # all others are inlined
INHERITED = int(Flag.REDUCE_ONLY | Flag.BAD_PRICE)  # flags of an order that its modifies have too

# facts, known before the loop is compiled
shape: Shape
RULES: tuple[Any, ...]

# variables of the loop
arrays: Any
log: Any
positions: Records
accounts: Records
instruments: Records
orders: Records
purses: Records
clocks: Records
rows: Records
bounds: Any
sample_at: Any
sampled: Any
memory: Any
reals: Any
counts: Any
i: int  # the row of the event
now: int  # its time
next_turn: int  # when the next trading day, sample or bar begins
used: int  # decision rows written
position: Record
account: Record
instrument: Record
order: Record
parent_order: Record
cash_balance: Record
event: Event
book: Book
side: int
qty: int
price: int
fee: int
reducing: int
verdict: Judgement
accepted: int
clipped: int  # how an order was limited when it was let through
change: int  # of the number of working orders
committed_before: int


# ---------------------------------------------------------------------- the loop


def run(start, stop):
    """Process the events [start, stop); return the row to go on with and the number of decision rows written."""
    global positions, accounts, instruments, orders, purses, clocks, rows
    global bounds, sample_at, sampled, memory, reals, counts, i, now, next_turn, used
    positions = table(arrays.positions)
    accounts = table(arrays.accounts)
    instruments = table(arrays.instruments)
    orders = table(arrays.orders)
    if shape.cash:
        purses = table(arrays.purses)
    for name in columns(shape):
        log[name] = words(arrays[name])
    clocks = words(arrays.clocks)
    bounds = words(arrays.bounds)
    sample_at = words(arrays.sample_at)
    sampled = words(arrays.sampled)
    memory = words(arrays.memory)
    if shape.gauging:
        reals = words(arrays.reals)
    counts = words(arrays.counts)
    rows = words(arrays.rows)
    for rule in RULES:
        rule.states = table(rule.array)
        rule.n_keys = len(rule.array) - 1
    used = 0
    room = len(arrays.rows) - counts[Counter.ROOM]
    next_turn = counts[Counter.NEXT_TURN]
    i = start
    while i < stop:
        if used > room or (shape.cells > 0 and memory[CELLS_LEFT] < shape.cells):
            break
        now = log.ts[i]
        if "flags" in shape.columns:
            if log.flags[i] & Flag.BAD_TS:
                counts[Counter.ERRORS_TS] += 1
                if shape.orders:
                    if log.order[i] == i:
                        forget_order(at(orders, log.slots[i]))
                used = emit(rows, used, i, 0, 0, 0, 0, -1, -1, Decision.ERROR_TS)
                i += 1
                continue
        if now >= next_turn:
            next_turn = turn_over(0)
        kind = log.kind[i]
        if kind == Kind.ORDER:
            on_order()
        elif kind == Kind.FILL:
            on_fill()
        elif kind == Kind.PRICE:
            on_price()
        elif (shape.orders or shape.watched(Kind.CANCEL)) and kind == Kind.CANCEL:
            on_cancel()
        elif shape.modifies and kind == Kind.MODIFY:
            on_modify()
        elif shape.others and shape.orders and kind == Kind.EXPIRY:
            on_expiry()
        elif shape.others and kind == Kind.CASH:
            on_cash()
        elif shape.others and kind == Kind.EQUITY:
            on_equity()
        elif shape.others and shape.watched(Kind.TRADE) and kind == Kind.TRADE:
            tell_rules(Kind.TRADE, log.qty[i])
        elif shape.others and shape.watched(Kind.ERROR) and kind == Kind.ERROR:
            tell_rules(Kind.ERROR, 0)
        elif shape.others and shape.watched(Kind.ACK) and kind == Kind.ACK:
            tell_rules(Kind.ACK, 0)
        elif shape.others and shape.watched(Kind.EXECUTION) and kind == Kind.EXECUTION:
            tell_rules(Kind.EXECUTION, 0)
        elif shape.others and kind == Kind.SESSION:
            next_turn = turn_over(1)
        elif shape.gauging and kind == Kind.CLOCK:
            on_clock()
        elif shape.controls and kind == Kind.CONTROL:
            on_control()
        i += 1
    counts[Counter.NEXT_TURN] = next_turn
    return i, used


def turn_over(forced):
    """Move calendars, samples and bars to `now` and turn the rules whose day is over; return when the next one is.

    With `forced` (a SESSION event) every day is over.
    """
    global book
    if shape.samples:
        sample = counts[Counter.SAMPLE]
        while sample < counts[Counter.SAMPLES] and now >= sample_at[sample]:
            for account_id in range(counts[Counter.ACCOUNTS]):
                sampled[sample * counts[Counter.ACCOUNTS] + account_id] = equity(at(accounts, account_id))
                sampled[(counts[Counter.SAMPLES] + sample) * counts[Counter.ACCOUNTS] + account_id] = at(
                    accounts, account_id
                ).flows
            sample += 1
        counts[Counter.SAMPLE] = sample
    soonest = NEVER
    turned = 0  # a bit for each calendar
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
    if shape.samples:
        if sample < counts[Counter.SAMPLES]:
            soonest = min(soonest, sample_at[sample])
    for rule in RULES:
        if rule.has("turn") or rule.holds:
            if (turned >> rule.terms.calendar) & 1:
                for key in range(rule.n_keys):
                    rule.state = at(rule.states, key)
                    if rule.holds:
                        if forced != 0 and rule.terms.hold == HOLD_SESSION:
                            rule.state.held_until = 0
                    if rule.has("turn"):
                        if "book" in rule.arguments("turn"):
                            book = owner_book(rule)
                        rule.turn()
    for rule in RULES:
        if rule.covariance:
            soonest = min(soonest, close_bars(rule, 0))
    return soonest


# ---------------------------------------------------------------------- records of an event


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
    """Look up an account's balance in a currency (the only one, where accounts do not mix currencies)."""
    global cash_balance
    if shape.cash:
        cash_balance = at(purses, account_id * counts[Counter.PURSES] + min(currency, counts[Counter.PURSES] - 1))


def look_up_parent(row):
    """Look up the record of a child order's parent."""
    global parent_order
    if shape.parents:
        if "parent" in shape.columns:
            parent_order = at(orders, log.slots[log.parent[row]] if log.parent[row] >= 0 else -1)
        else:
            parent_order = at(orders, -1)


def message_book(order):
    """The book at an order or a modify."""
    return Book(
        position,
        account,
        instrument,
        order,
        0,
        0,
        cash_balance if shape.cash else None,
        parent_order if shape.parents else None,
    )


def owner_book(rule):
    """The book of the account that owns a key, with nothing else in it."""
    return Book(
        at(positions, -1), at(accounts, rule.state.owner), at(instruments, -1), at(orders, -1), 0, 0, None, None
    )


def column(name, row):
    """A column's value in a row, or what stands for it where the log does not have the column."""
    return int64(log[name][row]) if name in shape.columns else OPTIONAL[name][1]


def tag(kind, own, of_order):
    """The strategy or connection of an event: its own, else (of a modify, cancel or fill) its order's."""
    return (own if own >= 0 else of_order) if shape.tags and kind in (Kind.MODIFY, Kind.CANCEL, Kind.FILL) else own


def read_event(kind, row):
    """Set `event` to a row of the log."""
    read_changed_event(kind, row, int64(log.side[row]), int64(log.qty[row]), int64(log.price[row]))


def read_changed_event(kind, row, side, qty, price):
    """Set `event` to a row of the log with another side, quantity and price."""
    global event
    event = Event(
        row,
        now,
        kind,
        int64(log.account[row]),
        int64(log.instrument[row]),
        int64(log.pair[row]),
        side,
        qty,
        price,
        int64(log.order[row]),
        tag(kind, column("strategy", row), order.strategy),
        tag(kind, column("connection", row), order.connection),
        int64(log.flags[row]) | (order.flags & INHERITED)
        if kind == Kind.MODIFY and "flags" in shape.columns
        else column("flags", row),
        order.parent if kind == Kind.MODIFY and shape.parents else column("parent", row),
        column("batch", row),
        column("weight", row),
        fee if kind == Kind.FILL else column("fee", row),
        column("bid", row),
        column("ask", row),
        column("reserve", row),
    )


def look_up_rules(kind):
    """Look up the record of every rule that listens, end the pauses that are over, and advance the windows."""
    for rule in RULES:
        if rule.listens(kind):
            rule.state = at(rule.states, rule.key)
            if rule.used_by(kind):
                rule.state.owner = event.account
            if rule.always_keyed(kind) or rule.key >= 0:
                if rule.holds:
                    if rule.state.held_until != 0 and now >= rule.state.held_until:
                        if rule.has("reset"):
                            rule.reset()
                        rule.state.held_until = 0
                if rule.has("advance"):
                    rule.advance()


# ---------------------------------------------------------------------- judging


def judge(kind):
    """Ask every rule that judges this kind of message; nothing changes."""
    mask = 0
    breached = 0
    stopped = 0
    cause = -1
    code = 0
    observed = 0
    limit = 0
    until = 0
    alerted = 0
    for rule in RULES:
        if rule.judged(kind):
            rule_code = 0
            rule_observed = 0
            rule_limit = 0
            rule_until = 0
            if rule.always_keyed(kind) or rule.key >= 0:
                if rule.holds and rule.state.held_until > event.ts and (rule.halts or reducing == 0):
                    rule_code = Decision.HELD
                    rule_until = rule.state.held_until
                elif rule.checked(kind):
                    if not rule.reduces or rule.halts or reducing == 0:
                        answer = rule.check()
                        rule_code = answer.code
                        rule_observed = answer.observed
                        rule_limit = answer.limit
            if rule_code != 0:
                mask |= 1 << rule.number
                if rule_code == Decision.OBJECT:
                    breached |= 1 << rule.number
                if stopping(rule.terms.stops, rule_code):
                    stopped |= 1 << rule.number
                    if cause < 0 or (rule_code == Decision.HELD and code != Decision.HELD):
                        cause = rule.number
                        code = rule_code
                        observed = rule_observed
                        limit = rule_limit
                        until = rule_until
                elif cause < 0 and alerted == 0:
                    alerted = 1
                    observed = rule_observed
                    limit = rule_limit
    return Judgement(mask, breached, stopped, cause, code, observed, limit, until)


def judge_message(kind, row):
    """Set `verdict` to the answer of all rules; an account paused by hand is refused before any of them."""
    global verdict
    for rule in RULES:
        if rule.judged(kind) and "twins" in rule.arguments("check"):
            if kind == Kind.ORDER:
                rule.duplicates = twins_before(log.twin, log.ts, row, rule.params.window_ns, rule.params.limit)
            else:
                rule.duplicates = 0
    verdict = judge(kind)
    if shape.controls:
        if account.paused != 0 and reducing == 0:
            verdict = Judgement(
                verdict.mask | COMMAND_BIT, verdict.breached, verdict.stopped, COMMAND, Decision.HELD, 0, 0, NEVER
            )


def find_reducing(kind, working_qty):
    """Set `reducing`: whether a message only reduces a position; `working_qty` is what its order already has working."""
    global reducing
    if shape.asks_reducing(kind):
        reducing = 1 if reduces(position, event.side, remaining_qty(kind), working_qty) else 0
    else:
        reducing = 0


def remaining_qty(kind):
    """Quantity of a message that is not filled yet."""
    return event.qty if kind == Kind.ORDER else max(event.qty - order.filled, 0)


def conclude(kind):
    """Write the row of a message to which a rule objects, and tell the rules the outcome."""
    global accepted, used
    accepted = 1 if verdict.cause == -1 else 0
    if verdict.mask != 0:
        used = emit(
            rows,
            used,
            i,
            verdict.mask,
            verdict.seen,
            verdict.limit,
            verdict.until,
            event.account,
            verdict.cause,
            verdict.code if verdict.cause != -1 else Decision.ALERTED,
        )
    record_outcome(kind)


def passed(rule, kind):
    """1 if the rule itself let the event through."""
    return (1 if verdict.stopped & (1 << rule.number) == 0 else 0) if rule.judged(kind) else 1


def record_outcome(kind):
    """Call the record hook of each rule that watches this kind of event, and pause those that trip."""
    global used
    for rule in RULES:
        if rule.always_keyed(kind) or rule.key >= 0:
            if rule.told(kind):
                trip = rule.record(
                    accepted=accepted if shape.enforce and kind in MESSAGES else passed(rule, kind),
                    passed=passed(rule, kind),
                )
            if rule.trips_by_breach(kind):
                if rule.told(kind):
                    trip |= (verdict.breached >> rule.number) & 1
                else:
                    trip = (verdict.breached >> rule.number) & 1
            if rule.holds and (rule.told(kind) or rule.trips_by_breach(kind)):
                if trip != 0 and rule.state.held_until <= now:
                    until = release_time(now, rule.terms, clocks)
                    rule.state.held_until = until
                    rule.state.trips += 1
                    used = emit(rows, used, i, 1 << rule.number, 0, 0, until, rule.key, rule.number, Decision.TRIP)
                    if shape.cancels:
                        cancel_working(
                            -1 if rule.scope in ("account_instrument", "instrument", "global") else event.account,
                            event.instrument if rule.scope == "instrument" else -1,
                            event.pair if rule.scope == "account_instrument" else -1,
                        )


def tell_rules(kind, realised):
    """Process an event that only rules look at: a closed trade, an error, an acknowledgement, an execution."""
    global book
    look_up(i)
    read_event(kind, i)
    book = Book(position, account, instrument, at(orders, -1), realised, 0, None, None)
    look_up_rules(kind)
    record_outcome(kind)


# ---------------------------------------------------------------------- orders


def on_order():
    """Judge an order, or a member of a list of orders, and let it work if it is accepted."""
    global qty, side, book, clipped, used
    look_up_order()
    look_up_parent(i)
    qty = log.qty[i]
    if shape.enforce:
        if "parent" in shape.columns:  # a refused parent's children vanish with it
            if log.parent[i] >= 0 and at(orders, log.slots[log.parent[i]]).status == BLOCKED:
                block_order()
                vanish(Counter.ORDERS_VANISHED)
                return
        clipped = 0
        side = int64(log.side[i])
        # an order that reduced the recorded position must not open or flip this one unseen
        if side * position.record < 0 and qty <= abs(position.record):
            if side * position.qty >= 0 or qty > abs(position.qty):
                counts[Counter.ORPHANS] += 1
                if counts[Counter.ORPHAN_POLICY] != Orphans.KEEP:
                    free = abs(position.qty) if side * position.qty < 0 else 0
                    if counts[Counter.ORPHAN_POLICY] == Orphans.DROP or free == 0:
                        block_order()
                        counts[Counter.ORPHANS_DROPPED] += 1
                        used = emit(rows, used, i, 0, qty, 0, 0, log.account[i], -1, Decision.ORPHAN)
                        return
                    used = emit(rows, used, i, 0, qty, free, 0, log.account[i], -1, Decision.CLIPPED)
                    qty = free
                    clipped = LIMITED_QTY
    read_changed_event(Kind.ORDER, i, int64(log.side[i]), qty, int64(log.price[i]))
    book = message_book(order)
    look_up_rules(Kind.ORDER)
    find_reducing(Kind.ORDER, 0)
    if "batch" in shape.columns:
        judge_list()
    else:
        judge_message(Kind.ORDER, i)
    conclude(Kind.ORDER)
    if shape.parents:
        if (not shape.enforce or accepted != 0) and event.parent >= 0:
            parent_order.children += qty
    if shape.orders:
        if log.order[i] >= 0:
            if not shape.enforce or accepted != 0:
                let_work()
                if shape.enforce:
                    order.limited = clipped
            else:
                order.status = BLOCKED


def block_order():
    """Refuse an order that is not judged, so that its fills vanish."""
    if log.order[i] >= 0:
        order.status = BLOCKED
    if shape.twins:
        log.twin[i] = VANISHED - log.twin[i]


def vanish(counter):
    """Count an event that is skipped because its order was refused, and write its row."""
    global used
    counts[counter] += 1
    used = emit(rows, used, i, 0, 0, 0, 0, log.account[i], -1, Decision.VANISH)


def let_work():
    """Let a named order work."""
    global change
    if shape.tags or (shape.modifies and "flags" in shape.columns):
        tag_order(order, event.strategy, event.connection, event.flags)
    if shape.cash:
        value_order(order, instrument, event.side, event.price, event.reserve, event.flags)
    if shape.parents:
        if "parent" in shape.columns:
            adopt(order, log.slots[log.parent[i]] if log.parent[i] >= 0 else -1)
        else:
            adopt(order, -1)
    change = open_order(
        order, position, account, event.side, qty, event.price, event.reserve, event.account, event.pair
    )
    if change != 0:
        count_working()
        if shape.chains:
            link_order(orders, log.slots[i], order, position)
    if shape.cash:
        hold_cash(order, cash_balance, instrument)


def count_working():
    """Count `change` in the rules that count the working orders of their key."""
    for rule in RULES:
        if rule.working:
            at(rule.states, rule.order_key).working += change


def before_step():
    """Remember what a child order has taken of its parent, before a fill, a change or the end of it."""
    global committed_before
    if shape.parents:
        committed_before = committed(order)


def after_step():
    """Update what follows from a fill, a change or the end of an order."""
    if change != 0:
        count_working()
        if shape.chains:
            unlink_order(orders, order, position)
    if shape.parents:
        give_back(orders, order, committed(order) - committed_before)
    if shape.cash:
        hold_cash(order, cash_balance, instrument)


def stop_work():
    """Take what still works of an order off the book."""
    global change
    before_step()
    change = close_order(order, position, account)
    after_step()


def judge_list():
    """Judge a list of orders at its first, each member with those before it as if they worked."""
    global verdict, book
    if log.batch[i] < 0:
        judge_message(Kind.ORDER, i)
    else:
        if counts[Counter.LIST] != log.batch[i]:
            j = i
            combined = Judgement(0, 0, 0, -1, 0, 0, 0, 0)
            while j < len(arrays.ts) and log.batch[j] == log.batch[i]:
                look_up_member(j)
                look_up_rules(Kind.ORDER)
                find_reducing(Kind.ORDER, 0)
                judge_message(Kind.ORDER, j)
                combined = join(combined, verdict)
                assume(1)
                j += 1
            while j > i:
                j -= 1
                look_up_member(j)
                for rule in RULES:
                    if rule.listens(Kind.ORDER) and (rule.has("assume") or rule.working):
                        rule.state = at(rule.states, rule.key)
                assume(-1)
            look_up(i)
            look_up_cash(log.account[i], instrument.currency)
            look_up_parent(i)
            read_changed_event(Kind.ORDER, i, int64(log.side[i]), qty, int64(log.price[i]))
            book = message_book(order)
            for rule in RULES:
                if rule.listens(Kind.ORDER):
                    rule.state = at(rule.states, rule.key)
            keep_judgement(counts, combined)
            counts[Counter.LIST] = log.batch[i]
        verdict = kept_judgement(counts)


def look_up_member(row):
    """Look up the records of a member of a list."""
    global book
    look_up(row)
    look_up_cash(log.account[row], instrument.currency)
    read_event(Kind.ORDER, row)
    look_up_parent(row)
    book = message_book(at(orders, -1))


def assume(sign):
    """Count a member of a list as if it worked while those after it are judged (`sign` 1), or take it back (-1)."""
    tentative(position, account, event.side, event.qty, sign)
    if shape.chains:
        if sign == 1:
            list_order(position, event.side, event.price)
        else:
            unlist_orders(position)
    if shape.cash:
        assume_hold(cash_balance, instrument, event.side, event.qty, event.price, event.reserve, event.flags, sign)
    for rule in RULES:
        if rule.listens(Kind.ORDER):
            if rule.working:
                rule.state.working += sign
            if rule.has("assume"):
                rule.assume(sign=sign)


def on_modify():
    """Judge a change of a named order's quantity or price."""
    global parent_order, qty, price, side, book
    look_up_order()
    if shape.parents:
        parent_order = at(orders, order.parent)
    if shape.enforce:
        if log.order[i] >= 0 and order.status == BLOCKED:
            vanish(Counter.ORDERS_VANISHED)
            return
    qty = log.qty[i] if log.qty[i] > 0 else order.qty
    if "flags" in shape.columns:  # a price that is no number is not an unchanged price
        price = log.price[i] if log.price[i] != MISSING or log.flags[i] & Flag.BAD_PRICE else order.price
    else:
        price = log.price[i] if log.price[i] != MISSING else order.price
    side = int64(log.side[i]) if log.side[i] != 0 else order.side
    read_changed_event(Kind.MODIFY, i, side, qty, price)
    book = message_book(order)
    look_up_rules(Kind.MODIFY)
    find_reducing(Kind.MODIFY, max(order.qty - order.filled, 0) if order.status == WORKING else 0)
    judge_message(Kind.MODIFY, i)
    conclude(Kind.MODIFY)
    if log.order[i] >= 0 and order.status != UNKNOWN:
        if not shape.enforce or accepted != 0:
            change_named()
        else:
            order.limited = LIMITED_PRICE


def change_named():
    """Give a named order its new quantity and price."""
    global price, change
    if "flags" in shape.columns:
        price = price if price != MISSING else order.price
    if shape.cash:
        if order.reserve == MISSING and price != MISSING:
            order.valued = price
    before_step()
    change = change_order(order, position, account, qty, price)
    after_step()


def on_cancel():
    """Cancel an order; a cancel always passes, and some rules count it."""
    global book
    if shape.orders:
        look_up_order()
        if shape.enforce:
            if log.order[i] >= 0 and order.status == BLOCKED:
                vanish(Counter.ORDERS_VANISHED)
                return
        if log.order[i] >= 0:
            stop_work()
    if shape.watched(Kind.CANCEL):
        if not shape.orders:
            look_up_order()
        read_event(Kind.CANCEL, i)
        book = Book(position, account, instrument, order, 0, 0, None, None)
        look_up_rules(Kind.CANCEL)
        record_outcome(Kind.CANCEL)


def on_expiry():
    """Let an order lapse."""
    look_up_order()
    if not shape.enforce or order.status == WORKING:
        stop_work()


def cancel_working(account_id, instrument_id, pair_id):
    """Cancel the working orders of an account, an instrument or a position, or (all -1) every one.

    A cancelled order counts as refused from then on: its later fills vanish.
    """
    global order, position, account, instrument
    for slot in range(counts[Counter.SLOTS]):
        order = at(orders, slot)
        position = at(positions, order.pair)
        if is_key_of(order, position, account_id, instrument_id, pair_id):
            account = at(accounts, order.account)
            instrument = at(instruments, position.instrument)
            look_up_cash(order.account, instrument.currency)
            stop_work()
            order.status = BLOCKED
            counts[Counter.CANCELLED] += 1


# ---------------------------------------------------------------------- fills


def on_fill():
    """Book a fill: always, paused or not, unless its order was refused."""
    global qty, side, fee, book, change, used
    look_up_order()
    if "flags" in shape.columns:
        if log.flags[i] & Flag.DUPLICATE:
            counts[Counter.DUPLICATES] += 1
            used = emit(rows, used, i, 0, 0, 0, 0, log.account[i], -1, Decision.DUP)
            return
    qty = log.qty[i]
    side = int64(log.side[i])
    fee = log.fee[i] if "fee" in shape.columns else 0
    if shape.enforce:
        position.record += side * qty
        if log.order[i] >= 0 and order.status == BLOCKED:
            vanish(Counter.FILLS_VANISHED)
            return
        if log.order[i] >= 0 and order.limited != 0:
            taken = min(qty, max(order.qty - order.filled, 0))
            if order.limited == LIMITED_PRICE and worse(side, log.price[i], order.price):
                taken = 0
            if taken < qty:
                counts[Counter.FILLS_CUT] += 1
                used = emit(rows, used, i, 0, qty, taken, 0, log.account[i], -1, Decision.CUT)
                fee = share(fee, taken, qty)
                qty = taken
                if taken == 0:
                    return
    if log.order[i] < 0:
        counts[Counter.UNNAMED_FILLS] += 1
    if shape.marks:
        if instrument.priced == 0 and instrument.mark != log.price[i]:
            instrument.mark = log.price[i]
            revalue_holders()
    else:  # marks are read only at the end
        if instrument.priced == 0:
            instrument.mark = log.price[i]
    if instrument.priced == 0:
        note_price()
    qty_before = position.qty
    if shape.cash:
        cash_before = account.cash
    realised = fill(position, account, instrument, side, qty, log.price[i], fee)
    opened = (1 if qty_before == 0 else 0) - (1 if position.qty == 0 else 0)
    if shape.cash:
        cash_balance.cash += account.cash - cash_before
    if shape.orders:
        if log.order[i] >= 0:
            before_step()
            change = fill_order(order, position, account, qty)
            after_step()
    if shape.watched(Kind.FILL):
        read_changed_event(Kind.FILL, i, int64(log.side[i]), qty, int64(log.price[i]))
        book = Book(position, account, instrument, order, realised, opened, None, None)
        look_up_rules(Kind.FILL)
        record_outcome(Kind.FILL)
    if shape.marks:
        mark(position, account, instrument)
        equity_moved(log.account[i], log.pair[i], log.instrument[i])


# ---------------------------------------------------------------------- marks and money


def on_price():
    """Take in a quote, a last trade or a mark."""
    global instrument
    instrument = at(instruments, log.instrument[i])
    quote(
        instrument,
        log.price[i],
        log.bid[i] if "bid" in shape.columns else MISSING,
        log.ask[i] if "ask" in shape.columns else MISSING,
    )
    if shape.marks:
        if log.price[i] != MISSING:
            note_price()
            revalue_holders()


def note_price():
    """Tell the rules that keep a covariance that this bar has a price."""
    for rule in RULES:
        if rule.covariance:
            price_came(at(rule.states, -1), memory)


def close_bars(rule, told):
    """Close the bar of a covariance if its time has come, or (`told` 1) by a CLOCK event; return when the next ends."""
    return pass_time(now, told, rule.params, rule.states, rule.n_keys, instruments, memory, reals)


def on_clock():
    """Close the bars that end by CLOCK events; the time itself has been taken in."""
    for rule in RULES:
        if rule.covariance:
            close_bars(rule, 1)


def revalue_holders():
    """Value every account that holds the instrument at its new mark."""
    pair_id = instrument.first
    while pair_id >= 0:
        holding = at(positions, pair_id)
        if holding.qty != 0:
            mark(holding, at(accounts, holding.account), instrument)
            equity_moved(holding.account, pair_id, holding.instrument)
        pair_id = holding.next


def equity_moved(account_id, pair_id, instrument_id):
    """Follow a change of an account's equity."""
    global used
    used = moved(int64(account_id), int64(pair_id), int64(instrument_id))


def moved(account_id, pair_id, instrument_id):
    """Keep an account's drawdown and tell the rules that watch its equity; return the number of rows written."""
    global position, account, instrument, event, book
    position = at(positions, pair_id)
    account = at(accounts, account_id)
    instrument = at(instruments, instrument_id)
    track(account)
    if shape.listened(Kind.MARK):
        event = Event(i, now, Kind.MARK, account_id, instrument_id, pair_id, 0, 0, MISSING, -1)
        book = Book(position, account, instrument, at(orders, -1), 0, 0, None, None)
        look_up_rules(Kind.MARK)
        record_outcome(Kind.MARK)
    return used


def on_cash():
    """Book a deposit, fee, funding or dividend; the price column has the code of its currency."""
    look_up(i)
    cash_flow(account, int64(log.side[i]), log.qty[i])
    if shape.cash:
        currency = log.price[i] if log.price[i] != MISSING else 0
        look_up_cash(log.account[i], currency)
        cash_balance.cash += log.qty[i]
    if shape.marks:
        equity_moved(log.account[i], log.pair[i], log.instrument[i])


def on_equity():
    """Take in an equity that is given from outside."""
    look_up(i)
    account.given = log.qty[i]
    account.has_given = 1
    if shape.marks:
        equity_moved(log.account[i], log.pair[i], log.instrument[i])


# ---------------------------------------------------------------------- commands


def on_control():
    """Carry out a command given by hand, for one account or (-1) for all."""
    global book, used
    target = log.account[i]
    for account_id in range(counts[Counter.ACCOUNTS]):
        if target < 0 or target == account_id:
            command(at(accounts, account_id), int64(log.side[i]))
    if log.side[i] == Command.RESUME or log.side[i] == Command.RESET:
        for rule in RULES:
            if rule.holds or rule.has("reset"):
                for key in range(rule.n_keys):
                    rule.state = at(rule.states, key)
                    if target < 0 or rule.state.owner == target:
                        if rule.holds:
                            if rule.state.held_until > now:
                                used = emit(
                                    rows, used, i, 1 << rule.number, 0, 0, now, key, rule.number, Decision.RELEASE
                                )
                        if rule.has("reset"):
                            if "book" in rule.arguments("reset"):
                                book = owner_book(rule)
                            rule.reset()
                        if rule.holds:
                            rule.state.held_until = 0
