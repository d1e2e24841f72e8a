"""Writes the loop: the chosen rules, fused in their declared order into one module of plain Python.

The text is ordinary Python. Compiled by numba it replays tens of millions of events a second; run as it stands it
is the slow twin that the digest is compared with. It branches on the kind of event once and calls only the rules
that listen to it; what no rule needs (marks, working orders, sampling, commands) is not written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from riskkit.replay.columns import OPTIONAL, REQUIRED, Event, Kind

__all__ = ["KEYS", "RuleShape", "Shape", "arguments", "source"]

# how the key of a rule's record is found, by scope
KEYS = {
    "account": "event.account",
    "instrument": "event.instrument",
    "product": "book.instrument.product",
    "account_instrument": "event.pair",
    "account_product": "book.position.product",
    "strategy": "event.strategy",
    "session": "event.connection",
    "desk": "book.account.desk",
    "firm": "book.account.firm",
    "global": "0",
}


TABLES = ("positions", "accounts", "instruments", "orders")  # the index -1 is the record of nothing
WORDS = ("clocks", "bounds", "sample_at", "sampled", "memory", "counts", "rows")


class RuleShape(NamedTuple):
    """What of a rule decides the text of the loop; its parameters do not."""

    scope: str
    holds: bool
    halts: bool
    latches: bool
    reduces: bool
    judges: tuple[int, ...]
    watches: tuple[int, ...]
    check: tuple[str, ...]
    record: tuple[str, ...]
    turn: tuple[str, ...] | None
    reset: tuple[str, ...] | None
    advance: tuple[str, ...] | None

    def listens(self, kind: int) -> bool:
        """Whether the rule must be looked up at this kind of event."""
        return self.judged(kind) or kind in self.watches

    def judged(self, kind: int) -> bool:
        """Whether the rule can object to this kind of event."""
        message = kind in (Kind.ORDER, Kind.MODIFY)
        return message and (self.holds or (kind in self.judges and bool(self.check)))

    def checked(self, kind: int) -> bool:
        """Whether its check is asked: a latching rule that holds answers by its pause alone."""
        return kind in self.judges and bool(self.check) and not (self.latches and self.holds)


class Shape(NamedTuple):
    """What decides the text of the loop."""

    rules: tuple[RuleShape, ...]
    enforce: bool
    marks: bool
    orders: bool
    controls: bool
    samples: bool
    cancels: bool
    modifies: bool
    others: bool
    columns: tuple[str, ...]


def arguments(shape: Shape) -> list[str]:
    """Names of the arguments of ``run``, in order."""
    names = ["start", "stop", *(f"all_{name}" for name in columns(shape))]
    names += [f"all_{name}" for name in (*TABLES, *WORDS)]
    for k in range(len(shape.rules)):
        names += [f"t{k}", f"p{k}", f"all_s{k}"]
    return names


def columns(shape: Shape) -> list[str]:
    """Names of the columns that the loop reads."""
    return [*REQUIRED, *shape.columns, *(["slots"] if shape.orders else [])]


def source(shape: Shape) -> str:
    """The module's text."""
    return "\n".join(
        [
            '"""A fused replay loop, written by riskkit.replay.source; it can be deleted at any time."""',
            "",
            *_turn_over(shape),
            "",
            *_judge(shape, Kind.ORDER),
            "",
            *(_judge(shape, Kind.MODIFY) if shape.modifies else []),
            "",
            *(_moved_function(shape) if shape.marks else []),
            "",
            *_run(shape),
            "",
        ]
    )


def _indent(lines: Iterator[str] | list[str], depth: int) -> list[str]:
    return [("    " * depth + line) if line else line for line in lines]


def _call(prefix: str, k: int, names: tuple[str, ...], accepted: str = "1") -> str:
    """A call of one of rule k's functions with the arguments that it names."""
    values = {"state": f"r{k}", "params": f"p{k}", "book": "book", "event": "event", "memory": "memory"}
    values["accepted"] = accepted
    return f"{prefix}{k}({', '.join(values[name] for name in names)})"


# ---------------------------------------------------------------------- the day


def _turn_over(shape: Shape) -> list[str]:
    """Advance the calendars to `now`, sample equity, and turn the rules whose day is over."""
    lines = [f"def turn_over(now, forced, {', '.join((*TABLES, *WORDS[:-1]))}{_sized(shape)}):"]
    body = []
    if shape.samples:
        body += [
            "sample = counts[SAMPLE]",
            "while sample < counts[SAMPLES] and now >= sample_at[sample]:",
            "    for a in range(counts[ACCOUNTS]):",
            "        sampled[sample * counts[ACCOUNTS] + a] = equity(at(accounts, a))",
            "    sample += 1",
            "counts[SAMPLE] = sample",
        ]
    body += [
        "soonest = NEVER",
        "turned = 0",
        "for c in range(counts[CALENDARS]):",
        "    clock = at(clocks, c)",
        "    if forced != 0:",
        "        turned |= 1 << c",
        "    while now >= clock.end:",
        "        turned |= 1 << c",
        "        clock.start = clock.end",
        "        clock.place += 1",
        "        clock.end = bounds[clock.place] if clock.place < clock.stop else NEVER",
        "    soonest = min(soonest, clock.end)",
    ]
    if shape.samples:
        body += ["if sample < counts[SAMPLES]:", "    soonest = min(soonest, sample_at[sample])"]
    for k, rule in enumerate(shape.rules):
        if rule.turn is None and not rule.holds:
            continue
        body += [
            f"if (turned >> t{k}.calendar) & 1:",
            f"    for key in range(n{k}):",
            f"        r{k} = at(s{k}, key)",
        ]
        if rule.holds:
            body += [f"        if forced != 0 and t{k}.hold == HOLD_SESSION:", f"            r{k}.held_until = 0"]
        if rule.turn is not None:
            if "book" in rule.turn:
                body += [
                    f"        book = Book(at(positions, -1), at(accounts, r{k}.owner), at(instruments, -1), at(orders, -1), 0, 0)"
                ]
            body += [f"        {_call('turn', k, rule.turn)}"]
    return lines + _indent([*body, "return soonest"], 1)


def _sized(shape: Shape) -> str:
    """The rules as ``turn_over`` takes them, each with its number of keys."""
    return "".join(f", t{k}, p{k}, s{k}, n{k}" for k in range(len(shape.rules)))


# ---------------------------------------------------------------------- judging


def _judge(shape: Shape, kind: Kind) -> list[str]:
    """Ask every rule that judges this kind of message; nothing changes."""
    asked = [k for k, rule in enumerate(shape.rules) if rule.judged(kind)]
    lines = [
        f"def judge_{kind.name.lower()}(event, book, reducing, memory{''.join(f', t{k}, p{k}, r{k}' for k in asked)}):"
    ]
    body = ["mask = 0", "breached = 0", "cause = -1", "code = 0", "seen = 0", "limit = 0", "until = 0", "alerted = 0"]
    for k in asked:
        rule = shape.rules[k]
        body += [f"c = {Code.PASS}", "s = 0", "l = 0", "u = 0"]
        ask = []
        if rule.checked(kind):
            ask = [f"v = {_call('check', k, rule.check)}", "c = v.code", "s = v.observed", "l = v.limit"]
            if rule.reduces:
                ask = ["if reducing == 0:", *_indent(ask, 1)]
        if rule.holds:
            exempt = "" if rule.halts else " and reducing == 0"
            body += [f"if r{k}.held_until > event.ts{exempt}:", f"    c = {Code.HELD}", f"    u = r{k}.held_until"]
            body += ["else:", *_indent(ask, 1)] if ask else []
        else:
            body += ask
        bit = 1 << k
        body += [
            "if c != 0:",
            f"    mask |= {bit}",
            f"    if c != {Code.HELD}:",
            f"        breached |= {bit}",
            f"    if t{k}.blocks != 0:",
            f"        if cause < 0 or (c == {Code.HELD} and code != {Code.HELD}):",
            f"            cause = {k}",
            "            code = c",
            "            seen = s",
            "            limit = l",
            "            until = u",
            "    elif cause < 0 and alerted == 0:",
            "        alerted = 1",
            "        seen = s",
            "        limit = l",
        ]
    return lines + _indent([*body, "return Judgement(mask, breached, cause, code, seen, limit, until)"], 1)


class Code:
    """Verdict codes as the text writes them (the values of riskkit.replay.rule)."""

    PASS = 0
    HELD = 3


# ---------------------------------------------------------------------- the loop


def _run(shape: Shape) -> list[str]:
    lines = [f"def run({', '.join(arguments(shape))}):"]
    body = [f"{name} = table(all_{name})" for name in TABLES]
    body += [f"{name} = words(all_{name})" for name in (*columns(shape), *WORDS)]
    for k in range(len(shape.rules)):
        body += [f"s{k} = table(all_s{k})", f"n{k} = len(all_s{k}) - 1"]
    body += ["used = 0", "room = len(all_rows) - counts[ROOM]", "next_turn = counts[NEXT_TURN]"]
    body += ["i = start", "while i < stop:"]
    step = ["if used > room:", "    break", "now = ts[i]"]
    if "flags" in shape.columns:
        step += [
            "if flags[i] & BAD_TS:",
            "    counts[ERRORS_TS] += 1",
            *(["    if order[i] == i:", "        forget_order(at(orders, slots[i]))"] if shape.orders else []),
            "    used = emit(rows, used, i, 0, 0, 0, 0, -1, -1, ERROR_TS)",
            "    i += 1",
            "    continue",
        ]
    step += ["if now >= next_turn:", f"    next_turn = {_turn_call(shape, '0')}"]
    step += ["k = kind[i]"]
    branches = [
        (Kind.ORDER, _order(shape)),
        (Kind.FILL, _fill(shape)),
        (Kind.PRICE, _price(shape)),
        (Kind.CANCEL, _cancel(shape)),
    ]
    if shape.modifies:
        branches += [(Kind.MODIFY, _modify(shape))]
    if shape.others:
        branches += [
            (Kind.EXPIRY, _expiry(shape)),
            (Kind.CASH, _cash(shape)),
            (Kind.EQUITY, _equity(shape)),
            (Kind.TRADE, _plain_watch(shape, Kind.TRADE, "qty[i]")),
            (Kind.ERROR, _plain_watch(shape, Kind.ERROR)),
            (Kind.ACK, _plain_watch(shape, Kind.ACK)),
            (Kind.EXECUTION, _plain_watch(shape, Kind.EXECUTION)),
            (Kind.SESSION, [f"next_turn = {_turn_call(shape, '1')}"]),
        ]
    if shape.controls:
        branches += [(Kind.CONTROL, _control(shape))]
    word = "if"
    for kind, branch in branches:
        if branch:
            step += [f"{word} k == {int(kind)}:  # {kind.name}", *_indent(branch, 1)]
            word = "elif"
    step += ["i += 1"]
    return lines + _indent([*body, *_indent(step, 1), "counts[NEXT_TURN] = next_turn", "return i, used"], 1)


def _turn_call(shape: Shape, forced: str) -> str:
    return f"turn_over(now, {forced}, {', '.join((*TABLES, *WORDS[:-1]))}{_sized(shape)})"


def _event(shape: Shape, kind: Kind, **fields: str) -> str:
    """An Event of row i; a column that the log does not have is its constant."""
    values = []
    for name in Event._fields:
        if name in fields:
            values.append(fields[name])
        elif name == "seq":
            values.append("i")
        elif name == "ts":
            values.append("now")
        elif name == "kind":
            values.append(str(int(kind)))
        elif name in REQUIRED or name in shape.columns:
            values.append(f"int64({name}[i])")
        else:
            values.append(str(OPTIONAL[name][1]))
    return f"event = Event({', '.join(values)})"


def _records(pair: str = "pair[i]", account: str = "account[i]", instrument: str = "instrument[i]") -> list[str]:
    return [
        f"position = at(positions, {pair})",
        f"owner = at(accounts, {account})",
        f"traded = at(instruments, {instrument})",
    ]


def _load(shape: Shape, kind: Kind) -> list[str]:
    """Look up the record of every rule that listens, and end the pauses that are over."""
    lines = []
    for k, rule in enumerate(shape.rules):
        if not rule.listens(kind):
            continue
        lines += [f"r{k} = at(s{k}, {KEYS[rule.scope]})"]
        if rule.holds:
            lines += [f"if r{k}.held_until != 0 and now >= r{k}.held_until:", f"    r{k}.held_until = 0"]
            if rule.reset is not None:
                lines += [f"    {_call('reset', k, rule.reset)}"]
        if rule.advance is not None:
            lines += [_call("advance", k, rule.advance)]
    return lines


def _settle(shape: Shape, kind: Kind) -> list[str]:
    """Tell the rules what became of the event, and trip those that say so."""
    judged_kind = kind in (Kind.ORDER, Kind.MODIFY)
    lines = []
    for k, rule in enumerate(shape.rules):
        judged = judged_kind and rule.judged(kind)
        trip = []
        if kind in rule.watches and rule.record:
            accepted = "1"
            if judged_kind and shape.enforce:
                accepted = "accepted"
            elif judged:
                accepted = f"(1 if verdict.mask & {1 << k} == 0 or t{k}.blocks == 0 else 0)"
            trip += [f"trip = {_call('record', k, rule.record, accepted)}"]
        if not rule.holds:
            lines += trip
            continue
        if judged and not rule.latches:
            breach = f"(verdict.breached >> {k}) & 1"
            trip = [*trip, f"trip |= {breach}"] if trip else [f"trip = {breach}"]
        if trip:
            lines += trip
            lines += [
                f"if trip != 0 and r{k}.held_until <= now:",
                f"    until = release_time(now, t{k}, clocks)",
                f"    r{k}.held_until = until",
                f"    r{k}.trips += 1",
                f"    used = emit(rows, used, i, {1 << k}, 0, 0, until, {KEYS[rule.scope]}, {k}, TRIP)",
            ]
            if shape.cancels:
                lines += [f"    cancel_working(orders, positions, accounts, instruments, {_owner_of(rule)}, counts)"]
    return lines


def _owner_of(rule: RuleShape) -> str:
    """Whose working orders a trip cancels, as (account, instrument, pair), -1 for any."""
    return {
        "account_instrument": "-1, -1, event.pair",
        "instrument": "-1, event.instrument, -1",
        "global": "-1, -1, -1",
    }.get(rule.scope, "event.account, -1, -1")


def _slot(shape: Shape) -> list[str]:
    return ["named = at(orders, slots[i])"] if shape.orders else ["named = at(orders, -1)"]


def _reducing(shape: Shape, kind: Kind, own: str) -> list[str]:
    needed = shape.controls or any(
        rule.judged(kind) and (rule.reduces or (rule.holds and not rule.halts)) for rule in shape.rules
    )
    if not needed:
        return ["reducing = 0"]
    quantity = "event.qty" if kind == Kind.ORDER else "max(event.qty - named.filled, 0)"
    return [f"reducing = 1 if reduces(position, event.side, {quantity}, {own}) else 0"]


def _judgement(shape: Shape, kind: Kind) -> list[str]:
    """The verdict of all rules on the event, and a person's pause of the account before any of them."""
    asked = [k for k, rule in enumerate(shape.rules) if rule.judged(kind)]
    rules = "".join(f", t{k}, p{k}, r{k}" for k in asked)
    lines = [f"verdict = judge_{kind.name.lower()}(event, book, reducing, memory{rules})"]
    if shape.controls:
        lines += [
            "if owner.paused != 0 and reducing == 0:",
            "    verdict = Judgement(verdict.mask | COMMAND_BIT, verdict.breached, COMMAND, HELD, 0, 0, NEVER)",
        ]
    return lines


def _announce() -> list[str]:
    return [
        "if verdict.mask != 0:",
        "    used = emit(rows, used, i, verdict.mask, verdict.seen, verdict.limit, verdict.until, event.account,",
        "                verdict.cause, verdict.code if verdict.cause != -1 else ALERTED)",
    ]


def _order(shape: Shape) -> list[str]:
    lines = [*_records(), *_slot(shape), "lots = qty[i]"]
    if shape.enforce:
        lines += _enforce_order(shape)
    lines += [_event(shape, Kind.ORDER, qty="lots"), "book = Book(position, owner, traded, named, 0, 0)"]
    lines += _load(shape, Kind.ORDER)
    lines += _reducing(shape, Kind.ORDER, "0")
    if "batch" in shape.columns:
        lines += _list(shape)
    else:
        lines += _judgement(shape, Kind.ORDER)
    lines += ["accepted = 1 if verdict.cause == -1 else 0"]
    lines += _announce()
    lines += _settle(shape, Kind.ORDER)
    if shape.orders:
        opened = "open_order(named, position, owner, event.side, lots, event.price, event.reserve, event.account, event.pair)"
        if shape.enforce:
            lines += [
                "if order[i] >= 0:",
                "    if accepted != 0:",
                f"        {opened}",
                "        named.limited = clipped",
                "    else:",
                "        named.status = BLOCKED",
            ]
        else:
            lines += ["if order[i] >= 0:", f"    {opened}"]
    return lines


def _enforce_order(shape: Shape) -> list[str]:
    """Children of refused orders vanish; orders that reduced in the record must not open or flip here unseen."""
    lines = []
    if "parent" in shape.columns:
        lines += [
            "if parent[i] >= 0 and at(orders, slots[parent[i]]).status == BLOCKED:",
            "    if order[i] >= 0:",
            "        named.status = BLOCKED",
            "    counts[ORDERS_VANISHED] += 1",
            "    used = emit(rows, used, i, 0, 0, 0, 0, account[i], -1, VANISH)",
            "    i += 1",
            "    continue",
        ]
    lines += [
        "clipped = 0",
        "heading = int64(side[i])",
        "if heading * position.record < 0 and lots <= abs(position.record):",
        "    if heading * position.qty >= 0 or lots > abs(position.qty):",
        "        counts[ORPHANS] += 1",
        "        if counts[ORPHAN_POLICY] != ORPHANS_KEEP:",
        "            free = abs(position.qty) if heading * position.qty < 0 else 0",
        "            if counts[ORPHAN_POLICY] == ORPHANS_DROP or free == 0:",
        "                if order[i] >= 0:",
        "                    named.status = BLOCKED",
        "                counts[ORPHANS_DROPPED] += 1",
        "                used = emit(rows, used, i, 0, lots, 0, 0, account[i], -1, ORPHAN)",
        "                i += 1",
        "                continue",
        "            used = emit(rows, used, i, 0, lots, free, 0, account[i], -1, CLIPPED)",
        "            lots = free",
        "            clipped = LIMITED_QTY",
    ]
    return lines


def _list(shape: Shape) -> list[str]:
    """A list is judged whole at its first order, each member with the ones before it as if they worked."""
    inner = ["j = i", "whole = Judgement(0, 0, -1, 0, 0, 0, 0)", "while j < len(all_ts) and batch[j] == batch[i]:"]
    member = [
        "position = at(positions, pair[j])",
        "owner = at(accounts, account[j])",
        "traded = at(instruments, instrument[j])",
        _event(shape, Kind.ORDER).replace("[i]", "[j]"),
        "book = Book(position, owner, traded, at(orders, -1), 0, 0)",
        *_load(shape, Kind.ORDER),
        *_reducing(shape, Kind.ORDER, "0"),
        *_judgement(shape, Kind.ORDER),
        "whole = join(whole, verdict)",
        "tentative(position, event.side, event.qty)",
        "j += 1",
    ]
    undo = ["while j > i:", "    j -= 1", "    tentative(at(positions, pair[j]), int64(side[j]), -qty[j])"]
    back = [*_records(), _event(shape, Kind.ORDER, qty="lots"), "book = Book(position, owner, traded, named, 0, 0)"]
    back += [
        f"r{k} = at(s{k}, {KEYS[shape.rules[k].scope]})"
        for k, rule in enumerate(shape.rules)
        if rule.listens(Kind.ORDER)
    ]
    lines = ["if batch[i] < 0:", *_indent(_judgement(shape, Kind.ORDER), 1)]
    lines += ["else:", "    if batch[i] == i:", *_indent(inner, 2), *_indent(member, 3), *_indent(undo, 2)]
    lines += _indent([*back, "keep_judgement(counts, whole)"], 2)
    return [*lines, "    verdict = kept_judgement(counts)"]


def _modify(shape: Shape) -> list[str]:
    lines = [*_records(), *_slot(shape)]
    if shape.enforce:
        lines += _vanish_of_blocked("at(orders, slots[i])", "ORDERS_VANISHED")
    if shape.orders:
        lines += [
            "lots = qty[i] if qty[i] != 0 else named.qty",
            "asked = price[i] if price[i] != MISSING else named.price",
        ]
        fields = {"qty": "lots", "price": "asked"}
    else:
        fields = {}
    lines += [_event(shape, Kind.MODIFY, **fields), "book = Book(position, owner, traded, named, 0, 0)"]
    lines += _load(shape, Kind.MODIFY)
    own = "max(named.qty - named.filled, 0) if named.status == WORKING else 0"
    lines += _reducing(shape, Kind.MODIFY, own)
    lines += _judgement(shape, Kind.MODIFY)
    lines += ["accepted = 1 if verdict.cause == -1 else 0"]
    lines += _announce()
    lines += _settle(shape, Kind.MODIFY)
    if shape.orders:
        change = "change_order(named, position, owner, lots, asked)"
        if shape.enforce:
            lines += ["if accepted != 0:", f"    {change}", "else:", "    named.limited = LIMITED_PRICE"]
        else:
            lines += [change]
    return lines


def _vanish_of_blocked(order: str, counter: str) -> list[str]:
    return [
        f"if order[i] >= 0 and {order}.status == BLOCKED:",
        f"    counts[{counter}] += 1",
        "    used = emit(rows, used, i, 0, 0, 0, 0, account[i], -1, VANISH)",
        "    i += 1",
        "    continue",
    ]


def _cancel(shape: Shape) -> list[str]:
    lines = []
    if shape.orders:
        lines += [*_records(), *_slot(shape)]
        if shape.enforce:
            lines += _vanish_of_blocked("named", "ORDERS_VANISHED")
        lines += ["close_order(named, position, owner)"]
    if any(Kind.CANCEL in rule.watches for rule in shape.rules):
        lines += [] if shape.orders else [*_records(), "named = at(orders, -1)"]
        lines += [_event(shape, Kind.CANCEL), "book = Book(position, owner, traded, named, 0, 0)"]
        lines += [*_load(shape, Kind.CANCEL), *_settle(shape, Kind.CANCEL)]
    return lines


def _expiry(shape: Shape) -> list[str]:
    if not shape.orders:
        return []
    lines = [*_records(), *_slot(shape)]
    guard = "if named.status == WORKING:" if shape.enforce else "if True:"
    return [*lines, guard, "    close_order(named, position, owner)"]


def _fill(shape: Shape) -> list[str]:
    lines = [*_records(), *_slot(shape)]
    if "flags" in shape.columns:
        lines += [
            "if flags[i] & DUPLICATE:",
            "    counts[DUPLICATES] += 1",
            "    used = emit(rows, used, i, 0, 0, 0, 0, account[i], -1, DUP)",
            "    i += 1",
            "    continue",
        ]
    lines += ["lots = qty[i]", "heading = int64(side[i])"]
    lines += ["charge = fee[i]" if "fee" in shape.columns else "charge = 0"]
    if shape.enforce:
        lines += _enforce_fill()
    lines += ["if order[i] < 0:", "    counts[UNNAMED_FILLS] += 1"]
    if shape.marks:
        lines += [
            "if traded.priced == 0 and traded.mark != price[i]:",
            "    traded.mark = price[i]",
            *_indent(_reprice(shape), 1),
        ]
    lines += [
        "was = position.qty",
        "realised = fill(position, owner, traded, heading, lots, price[i], charge)",
        "opened = (1 if was == 0 else 0) - (1 if position.qty == 0 else 0)",
    ]
    if shape.orders:
        lines += ["if order[i] >= 0:", "    fill_order(named, position, owner, lots)"]
    if any(Kind.FILL in rule.watches for rule in shape.rules):
        lines += [
            _event(shape, Kind.FILL, qty="lots", fee="charge"),
            "book = Book(position, owner, traded, named, realised, opened)",
        ]
        lines += [*_load(shape, Kind.FILL), *_settle(shape, Kind.FILL)]
    if shape.marks:
        lines += ["mark(position, owner, traded)", _moved("account[i]", "pair[i]", "instrument[i]", shape)]
    return lines


def _enforce_fill() -> list[str]:
    """A refused order takes its fills with it; a limited one takes them up to what it may have."""
    return [
        "position.record += heading * lots",
        *_vanish_of_blocked("named", "FILLS_VANISHED"),
        "if order[i] >= 0 and named.limited != 0:",
        "    taken = min(lots, max(named.qty - named.filled, 0))",
        "    if named.limited == LIMITED_PRICE and worse(heading, price[i], named.price):",
        "        taken = 0",
        "    if taken < lots:",
        "        counts[FILLS_CUT] += 1",
        "        used = emit(rows, used, i, 0, lots, taken, 0, account[i], -1, CUT)",
        "        charge = share(charge, taken, lots)",
        "        lots = taken",
        "        if taken == 0:",
        "            i += 1",
        "            continue",
    ]


def _moved(account: str, pair: str, instrument: str, shape: Shape) -> str:
    """Tell that an account's equity has moved."""
    rules = "".join(f", t{k}, p{k}, s{k}" for k in _markers(shape))
    places = f"int64({account}), int64({pair}), int64({instrument})"
    return f"used = moved(i, now, {places}, positions, accounts, instruments, orders, clocks, memory, counts, rows, used{rules})"


def _markers(shape: Shape) -> list[int]:
    return [k for k, rule in enumerate(shape.rules) if rule.listens(Kind.MARK)]


def _moved_function(shape: Shape) -> list[str]:
    """Keep an account's drawdown, and tell the rules that watch its equity."""
    rules = "".join(f", t{k}, p{k}, s{k}" for k in _markers(shape))
    lines = [
        "def moved(i, now, a, h, x, positions, accounts, instruments, orders, clocks, memory, counts, rows, used"
        + rules
        + "):"
    ]
    body = ["position = at(positions, h)", "owner = at(accounts, a)", "traded = at(instruments, x)", "track(owner)"]
    if _markers(shape):
        body += [
            f"event = Event(i, now, {int(Kind.MARK)}, a, x, h, 0, 0, MISSING, -1)",
            "book = Book(position, owner, traded, at(orders, -1), 0, 0)",
            *_load(shape, Kind.MARK),
            *_settle(shape, Kind.MARK),
        ]
    return lines + _indent([*body, "return used"], 1)


def _reprice(shape: Shape) -> list[str]:
    """Every account that holds the instrument is valued at its new mark."""
    inner = ["mark(holding, at(accounts, holding.account), traded)"]
    inner += [_moved("holding.account", "h", "holding.instrument", shape)]
    lines = ["h = traded.first", "while h >= 0:", "    holding = at(positions, h)"]
    return [*lines, "    if holding.qty != 0:", *_indent(inner, 2), "    h = holding.next"]


def _price(shape: Shape) -> list[str]:
    bid = "bid[i]" if "bid" in shape.columns else "MISSING"
    ask = "ask[i]" if "ask" in shape.columns else "MISSING"
    lines = ["traded = at(instruments, instrument[i])", f"quote(traded, price[i], {bid}, {ask})"]
    if shape.marks:
        lines += ["if price[i] != MISSING:", *_indent(_reprice(shape), 1)]
    return lines


def _cash(shape: Shape) -> list[str]:
    lines = [*_records(), "cash_flow(owner, int64(side[i]), qty[i])"]
    return lines + ([_moved("account[i]", "pair[i]", "instrument[i]", shape)] if shape.marks else [])


def _equity(shape: Shape) -> list[str]:
    lines = [*_records(), "owner.given = qty[i]", "owner.has_given = 1"]
    return lines + ([_moved("account[i]", "pair[i]", "instrument[i]", shape)] if shape.marks else [])


def _plain_watch(shape: Shape, kind: Kind, realised: str = "0") -> list[str]:
    """An event that only rules look at."""
    if not any(kind in rule.watches for rule in shape.rules):
        return []
    lines = [*_records(), _event(shape, kind), f"book = Book(position, owner, traded, at(orders, -1), {realised}, 0)"]
    return [*lines, *_load(shape, kind), *_settle(shape, kind)]


def _control(shape: Shape) -> list[str]:
    """A person's command, for one account or for all."""
    lines = [
        "who = account[i]",
        "for a in range(counts[ACCOUNTS]):",
        "    if who < 0 or who == a:",
        "        command(at(accounts, a), int64(side[i]))",
        "if side[i] == RESUME or side[i] == RESET:",
    ]
    for k, rule in enumerate(shape.rules):
        if not rule.holds and rule.reset is None:
            continue
        inner = [f"r{k} = at(s{k}, key)", f"if who < 0 or r{k}.owner == who:"]
        if rule.holds:
            inner += [
                f"    if r{k}.held_until > now:",
                f"        used = emit(rows, used, i, {1 << k}, 0, 0, now, key, {k}, RELEASE)",
                f"    r{k}.held_until = 0",
            ]
        if rule.reset is not None:
            inner += [
                f"    book = Book(at(positions, -1), at(accounts, r{k}.owner), at(instruments, -1), at(orders, -1), 0, 0)"
            ] * ("book" in rule.reset)
            inner += [f"    {_call('reset', k, rule.reset)}"]
        lines += [f"    for key in range(n{k}):", *_indent(inner, 2)]
    return [*lines, "    pass"]
