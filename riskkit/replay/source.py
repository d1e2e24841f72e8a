"""Writes the loop: the chosen rules, fused in their declared order into one module of plain Python.

The text is ordinary Python. Compiled by numba it replays tens of millions of events a second; run as it stands it
is the slow twin that the digest is compared with. It branches on the kind of event once and calls only the rules
that listen to it; what no rule needs (marks, working orders, sampling, commands) is not written.
"""

from __future__ import annotations

from riskkit.replay import branches
from riskkit.replay.columns import Kind
from riskkit.replay.phrases import asked_with, book_of_owner, call, gauge, indent
from riskkit.replay.shape import OPEN_SCOPES, TABLES, Shape, columns

__all__ = ["FUNCTIONS", "source"]

FUNCTIONS = ("turn_over", "judge_order", "judge_modify", "cancel_working", "moved")  # what a module has beside ``run``


def arguments(shape: Shape) -> list[str]:
    """Names of the arguments of ``run``, in order."""
    names = ["start", "stop", *(f"all_{name}" for name in columns(shape))]
    names += [f"all_{name}" for name in (*shape.tables, *shape.words)]
    for k in range(len(shape.rules)):
        names += [f"t{k}", f"p{k}", f"all_s{k}"]
    return names


def source(shape: Shape) -> str:
    """The module's text."""
    parts = [_turn_over(shape), _judge(shape, Kind.ORDER)]
    parts += [_judge(shape, Kind.MODIFY)] if shape.modifies else []
    parts += [branches.cancel_function(shape)] if shape.cancels else []
    parts += [branches.moved_function(shape)] if shape.marks else []
    head = '"""A fused replay loop, written by riskkit.replay.source; it can be deleted at any time."""'
    return "\n\n\n".join("\n".join(lines) for lines in ([head], *parts, _run(shape))) + "\n"


# ---------------------------------------------------------------------- the day


def _turn_over(shape: Shape) -> list[str]:
    """Advance the calendars to `now`, sample equity and what was paid in, and turn the rules whose day is over."""
    lines = [f"def turn_over(now, forced, {', '.join((*TABLES, *shape.words[:-1]))}{_sized(shape)}):"]
    body = []
    if shape.samples:
        body += [
            "sample = counts[SAMPLE]",
            "while sample < counts[SAMPLES] and now >= sample_at[sample]:",
            "    for a in range(counts[ACCOUNTS]):",
            "        sampled[sample * counts[ACCOUNTS] + a] = equity(at(accounts, a))",
            "        sampled[(counts[SAMPLES] + sample) * counts[ACCOUNTS] + a] = at(accounts, a).flows",
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
        each = [f"r{k} = at(s{k}, key)"]
        if rule.holds:
            each += [f"if forced != 0 and t{k}.hold == HOLD_SESSION:", f"    r{k}.held_until = 0"]
        if rule.turn is not None:
            each += [book_of_owner(k)] if "book" in rule.turn else []
            each += [call("turn", k, rule.turn)]
        body += [f"if (turned >> t{k}.calendar) & 1:", f"    for key in range(n{k}):", *indent(each, 2)]
    for k in shape.gauging:
        body += [f"soonest = min(soonest, pass_time(now, 0, {gauge(k)}))"]
    return lines + indent([*body, "return soonest"])


def _sized(shape: Shape) -> str:
    """The rules as ``turn_over`` takes them, each with its number of keys."""
    return "".join(f", t{k}, p{k}, s{k}, n{k}" for k in range(len(shape.rules)))


def _turn_call(shape: Shape, forced: str) -> str:
    return f"next_turn = turn_over(now, {forced}, {', '.join((*TABLES, *shape.words[:-1]))}{_sized(shape)})"


# ---------------------------------------------------------------------- judging


def _judge(shape: Shape, kind: Kind) -> list[str]:
    """Ask every rule that judges this kind of message; nothing changes."""
    given = asked_with(shape)
    body = ["mask = 0", "breached = 0", "stopped = 0", "cause = -1", "code = 0"]
    body += ["seen = 0", "limit = 0", "until = 0", "alerted = 0"]
    for k in shape.asked(kind):
        given += [f"t{k}", f"p{k}", f"r{k}", *([f"w{k}"] if "twins" in shape.rules[k].check else [])]
        body += _ask(shape, kind, k)
    lines = [f"def judge_{kind.name.lower()}({', '.join(given)}):"]
    return lines + indent([*body, "return Judgement(mask, breached, stopped, cause, code, seen, limit, until)"])


def _ask(shape: Shape, kind: Kind, k: int) -> list[str]:
    """What rule k says of the message."""
    rule = shape.rules[k]
    ask = []
    if rule.checked(kind):
        ask = [f"v = {call('check', k, rule.check)}", "c = v.code", "s = v.observed", "l = v.limit"]
        if rule.reduces and not rule.halts:
            ask = ["if reducing == 0:", *indent(ask)]
    if rule.holds:
        exempt = "" if rule.halts else " and reducing == 0"
        held = [f"if r{k}.held_until > event.ts{exempt}:", "    c = HELD", f"    u = r{k}.held_until"]
        ask = [*held, "else:", *indent(ask)] if ask else held
    if rule.scope in OPEN_SCOPES:
        ask = [f"if {rule.key} >= 0:", *indent(ask)]
    return [
        "c = 0",
        "s = 0",
        "l = 0",
        "u = 0",
        *ask,
        "if c != 0:",
        f"    mask |= {1 << k}",
        "    if c == OBJECT:",
        f"        breached |= {1 << k}",
        f"    if stopping(t{k}.stops, c):",
        f"        stopped |= {1 << k}",
        "        if cause < 0 or (c == HELD and code != HELD):",
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


# ---------------------------------------------------------------------- the loop


def _run(shape: Shape) -> list[str]:
    lines = [f"def run({', '.join(arguments(shape))}):"]
    body = [f"{name} = table(all_{name})" for name in shape.tables]
    body += [f"{name} = words(all_{name})" for name in (*columns(shape), *shape.words)]
    for k in range(len(shape.rules)):
        body += [f"s{k} = table(all_s{k})", f"n{k} = len(all_s{k}) - 1"]
    body += ["used = 0", "room = len(all_rows) - counts[ROOM]", "next_turn = counts[NEXT_TURN]"]
    full = "used > room" + (f" or memory[CELLS_LEFT] < {shape.cells}" if shape.cells else "")
    step = [f"if {full}:", "    break", "now = ts[i]"]
    if "flags" in shape.columns:
        step += [
            "if flags[i] & BAD_TS:",
            "    counts[ERRORS_TS] += 1",
            *(["    if order[i] == i:", "        forget_order(at(orders, slots[i]))"] if shape.orders else []),
            "    used = emit(rows, used, i, 0, 0, 0, 0, -1, -1, ERROR_TS)",
            "    i += 1",
            "    continue",
        ]
    step += ["if now >= next_turn:", f"    {_turn_call(shape, '0')}", "k = kind[i]"]
    word = "if"
    for kind, branch in _branches(shape):
        if branch:
            step += [f"{word} k == {int(kind)}:  # {kind.name}", *indent(branch)]
            word = "elif"
    body += ["i = start", "while i < stop:", *indent([*step, "i += 1"])]
    return lines + indent([*body, "counts[NEXT_TURN] = next_turn", "return i, used"])


def _branches(shape: Shape) -> list[tuple[Kind, list[str]]]:
    """What the loop does at each kind of event, the most frequent first."""
    found = [
        (Kind.ORDER, branches.order(shape)),
        (Kind.FILL, branches.fill(shape)),
        (Kind.PRICE, branches.price(shape)),
        (Kind.CANCEL, branches.cancel(shape)),
    ]
    if shape.modifies:
        found += [(Kind.MODIFY, branches.modify(shape))]
    if shape.others:
        found += [
            (Kind.EXPIRY, branches.expiry(shape)),
            (Kind.CASH, branches.cash(shape)),
            (Kind.EQUITY, branches.equity(shape)),
            (Kind.TRADE, branches.plain_watch(shape, Kind.TRADE, "qty[i]")),
            (Kind.ERROR, branches.plain_watch(shape, Kind.ERROR)),
            (Kind.ACK, branches.plain_watch(shape, Kind.ACK)),
            (Kind.EXECUTION, branches.plain_watch(shape, Kind.EXECUTION)),
            (Kind.SESSION, [_turn_call(shape, "1")]),
        ]
    if shape.gauging:
        found += [(Kind.CLOCK, branches.clock(shape))]
    if shape.controls:
        found += [(Kind.CONTROL, branches.control(shape))]
    return found
