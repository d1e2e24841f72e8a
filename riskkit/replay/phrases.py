"""The phrases of a written loop: looking records up, asking the rules, telling them, and an order's steps."""

from __future__ import annotations

from collections.abc import Iterable

from riskkit.replay.columns import FACTS, OPTIONAL, REQUIRED, Event, Kind
from riskkit.replay.scopes import SCOPES
from riskkit.replay.shape import NAMED_KEYS, OPEN_SCOPES, RuleShape, Shape

__all__ = [
    "announce",
    "asked_with",
    "book",
    "book_of_owner",
    "call",
    "event",
    "gauge",
    "indent",
    "judgement",
    "load",
    "order_step",
    "purse",
    "records",
    "reducing",
    "settle",
    "slot",
    "whose_orders",
]


def indent(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Set lines in by `depth`."""
    return [("    " * depth + line) if line else line for line in lines]


def call(prefix: str, k: int, names: tuple[str, ...], accepted: str = "1", passed: str = "1", sign: str = "1") -> str:
    """A call of one of rule k's functions with the arguments that it names."""
    values = {"state": f"r{k}", "params": f"p{k}", "twins": f"w{k}"}
    values |= {name: name for name in ("book", "event", "memory", "reals", "reducing", "orders", "positions")}
    values |= {"accepted": accepted, "passed": passed, "sign": sign}
    return f"{prefix}{k}({', '.join(values[name] for name in names)})"


# ---------------------------------------------------------------------- looking up


def records(row: str = "i") -> list[str]:
    """The position, account and instrument of a row."""
    return [
        f"position = at(positions, pair[{row}])",
        f"owner = at(accounts, account[{row}])",
        f"traded = at(instruments, instrument[{row}])",
    ]


def slot(shape: Shape, row: str = "i") -> list[str]:
    """The record of a row's order."""
    return [f"named = at(orders, slots[{row}])"] if shape.orders else ["named = at(orders, -1)"]


def purse(shape: Shape, account: str = "account[i]", currency: str = "traded.currency") -> list[str]:
    """The account's balance in the instrument's currency (the only one, where accounts do not mix currencies)."""
    if not shape.cash:
        return []
    return [f"purse = at(purses, {account} * counts[PURSES] + min({currency}, counts[PURSES] - 1))"]


def book(shape: Shape, named: str = "named", realised: str = "0", opened: str = "0", messages: bool = True) -> str:
    """What a rule may look at."""
    balance = "purse" if shape.cash and messages else "None"
    parent = "ancestor" if shape.parents and messages else "None"
    return f"book = Book(position, owner, traded, {named}, {realised}, {opened}, {balance}, {parent})"


def book_of_owner(k: int) -> str:
    """The book of the account that owns a key of rule k, with nothing else in it."""
    nothing = "at(instruments, -1), at(orders, -1), 0, 0, None, None"
    return f"book = Book(at(positions, -1), at(accounts, r{k}.owner), {nothing})"


def ancestor(shape: Shape, row: str = "i") -> list[str]:
    """The record of a child order's parent."""
    if not shape.parents:
        return []
    if "parent" not in shape.columns:
        return ["ancestor = at(orders, -1)"]
    return [f"ancestor = at(orders, slots[parent[{row}]] if parent[{row}] >= 0 else -1)"]


def event(shape: Shape, kind: Kind, row: str = "i", **fields: str) -> str:
    """An Event of a row; a column that the log does not have is its constant."""
    if shape.tags and kind in (Kind.MODIFY, Kind.CANCEL, Kind.FILL):
        for name in ("strategy", "connection"):  # what comes of an order came through what the order came through
            own = f"int64({name}[{row}])" if name in shape.columns else "-1"
            fields.setdefault(name, f"({own} if {own} >= 0 else named.{name})")
    if kind == Kind.MODIFY and "flags" in shape.columns:
        fields.setdefault("flags", f"(int64(flags[{row}]) | (named.flags & INHERITED))")
    values = []
    for name in Event._fields:
        if name in fields:
            values.append(fields[name])
        elif name == "seq":
            values.append(row)
        elif name == "ts":
            values.append("now")
        elif name == "kind":
            values.append(str(int(kind)))
        elif name in REQUIRED or name in shape.columns:
            values.append(f"int64({name}[{row}])")
        else:
            values.append(str(OPTIONAL[name][1]))
    return f"event = Event({', '.join(values)})"


def load(shape: Shape, kind: Kind) -> list[str]:
    """Look up the record of every rule that listens, and end the pauses that are over."""
    lines = []
    for k in shape.listening(kind):
        rule = shape.rules[k]
        lines += [f"r{k} = at(s{k}, {rule.key})"]
        if kind in SCOPES[rule.scope].used_by:
            lines += [f"r{k}.owner = event.account"]
        renew = []
        if rule.holds:
            renew += [f"if r{k}.held_until != 0 and now >= r{k}.held_until:"]
            renew += [f"    {call('reset', k, rule.reset)}"] if rule.reset is not None else []
            renew += [f"    r{k}.held_until = 0"]
        if rule.advance is not None:
            renew += [call("advance", k, rule.advance)]
        lines += _where_keyed(rule, kind, renew)
    return lines


def _where_keyed(rule: RuleShape, kind: Kind, lines: list[str]) -> list[str]:
    """The lines, only where an event of this kind has a key of the rule's scope if it may lack one."""
    if lines and (
        rule.scope in OPEN_SCOPES or (SCOPES[rule.scope].has_instrument and "instrument" not in FACTS[kind].needs)
    ):
        return [f"if {rule.key} >= 0:", *indent(lines)]
    return lines


# ---------------------------------------------------------------------- asking


def reducing(shape: Shape, kind: Kind, own: str = "0") -> list[str]:
    """Whether a message only reduces a position; `own` is what a modify's order already has working."""
    needed = shape.controls or any(
        rule.judged(kind) and (rule.reduces or (rule.holds and not rule.halts) or "reducing" in rule.check)
        for rule in shape.rules
    )
    if not needed:
        return ["reducing = 0"]
    quantity = "event.qty" if kind == Kind.ORDER else "max(event.qty - named.filled, 0)"
    return [f"reducing = 1 if reduces(position, event.side, {quantity}, {own}) else 0"]


def judgement(shape: Shape, kind: Kind, row: str = "i") -> list[str]:
    """The verdict of all rules on the event, and a person's pause of the account before any of them."""
    lines = []
    given = asked_with(shape)
    for k in shape.asked(kind):
        given += [f"t{k}", f"p{k}", f"r{k}"]
        if "twins" in shape.rules[k].check:
            seen = f"twins_before(twin, ts, {row}, p{k}.window_ns, p{k}.limit)" if kind == Kind.ORDER else "0"
            lines += [f"w{k} = {seen}"]
            given += [f"w{k}"]
    lines += [f"verdict = judge_{kind.name.lower()}({', '.join(given)})"]
    if shape.controls:
        lines += [
            "if owner.paused != 0 and reducing == 0:",
            "    verdict = Judgement(",
            "        verdict.mask | COMMAND_BIT, verdict.breached, verdict.stopped, COMMAND, HELD, 0, 0, NEVER, 0, 0)",
        ]
    return lines


def gauge(k: int) -> str:
    """Rule k with all that its covariance is made of."""
    return f"p{k}, s{k}, n{k}, instruments, memory, reals"


def asked_with(shape: Shape) -> list[str]:
    """What all rules are asked with."""
    reals = ["reals"] if shape.gauging else []
    return ["event", "book", "reducing", "memory", *reals, "orders", "positions"]


def announce() -> list[str]:
    """Write the row of a message to which somebody objects."""
    return [
        "if verdict.mask != 0:",
        "    used = emit(rows, used, i, verdict.mask, verdict.seen, verdict.limit, verdict.until, event.account,",
        "                verdict.cause, verdict.code if verdict.cause != -1 else ALERTED)",
        "    spoke(rows, used - 1, verdict.cap, verdict.base)",
    ]


# ---------------------------------------------------------------------- telling


def settle(shape: Shape, kind: Kind) -> list[str]:
    """Tell the rules what became of the event, and trip those that say so."""
    message = kind in (Kind.ORDER, Kind.MODIFY)
    lines = []
    for k, rule in enumerate(shape.rules):
        judged = message and rule.judged(kind)
        tell = []
        if kind in rule.watches and rule.record:
            passed = f"(1 if verdict.stopped & {1 << k} == 0 else 0)" if judged else "1"
            accepted = "accepted" if message and shape.enforce else passed
            tell += [f"trip = {call('record', k, rule.record, accepted, passed)}"]
        if rule.holds:
            if judged and rule.trips and not rule.latches:
                breach = f"(verdict.breached >> {k}) & 1"
                tell = [*tell, f"trip |= {breach}"] if tell else [f"trip = {breach}"]
            if tell:
                tell += _trip(shape, k)
        lines += _where_keyed(rule, kind, tell)
    return lines


def _trip(shape: Shape, k: int) -> list[str]:
    """Begin a pause of rule k's key."""
    rule = shape.rules[k]
    lines = [
        f"if trip != 0 and r{k}.held_until <= now:",
        f"    until = release_time(now, t{k}, clocks)",
        f"    r{k}.held_until = until",
        f"    r{k}.trips += 1",
        f"    used = emit(rows, used, i, {1 << k}, 0, 0, until, {rule.key}, {k}, TRIP)",
    ]
    if shape.cancels:
        lines += [f"    cancel_working({', '.join([_owner_of(rule), *whose_orders(shape)])})"]
    return lines


def _owner_of(rule: RuleShape) -> str:
    """Whose working orders a trip cancels, as (account, instrument, pair), -1 for any."""
    return SCOPES[rule.scope].trips


def whose_orders(shape: Shape) -> list[str]:
    """What cancelling working orders changes."""
    return [*shape.tables, "counts", *(f"s{k}" for k in shape.counting)]


def order_step(shape: Shape, step: str, slot_of: str = "slots[i]") -> list[str]:
    """A step of a named order, and what follows where it begins or ceases to work."""
    follows = [f"at(s{k}, {NAMED_KEYS[shape.rules[k].scope]}).working += change" for k in shape.counting]
    if shape.chains:
        link = f"link_order(orders, {slot_of}, named, position)"
        unlink = "unlink_order(orders, named, position)"
        follows += [link if step.startswith("open_order") else unlink]
    lines = [f"change = {step}", "if change != 0:", *indent(follows)] if follows else [step]
    if shape.parents and not step.startswith("open_order"):
        lines = ["lots_before = committed(named)", *lines]
        lines += ["give_back(orders, named, committed(named) - lots_before)"]
    return lines + (["hold_cash(named, purse, traded)"] if shape.cash else [])
