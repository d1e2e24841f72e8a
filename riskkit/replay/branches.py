"""What a written loop does at each kind of event: one function for each branch of its one step."""

from __future__ import annotations

from riskkit.replay.columns import Kind
from riskkit.replay.phrases import (
    ancestor,
    announce,
    book,
    book_of_owner,
    call,
    event,
    gauge,
    indent,
    judgement,
    load,
    order_step,
    purse,
    records,
    reducing,
    settle,
    slot,
    whose_orders,
)
from riskkit.replay.shape import Shape

__all__ = [
    "cancel",
    "cancel_function",
    "cash",
    "clock",
    "control",
    "equity",
    "expiry",
    "fill",
    "markers",
    "modify",
    "moved_function",
    "order",
    "plain_watch",
    "price",
]


# ---------------------------------------------------------------------- orders


def order(shape: Shape) -> list[str]:
    """An order, or a member of a list of orders."""
    lines = [*records(), *slot(shape), *purse(shape), *ancestor(shape), "lots = qty[i]"]
    if shape.enforce:
        lines += _enforce_order(shape)
    lines += [event(shape, Kind.ORDER, qty="lots"), book(shape)]
    lines += [*load(shape, Kind.ORDER), *reducing(shape, Kind.ORDER)]
    lines += _list(shape) if "batch" in shape.columns else judgement(shape, Kind.ORDER)
    lines += ["accepted = 1 if verdict.cause == -1 else 0", *announce(), *settle(shape, Kind.ORDER)]
    if shape.parents:
        stands = "accepted != 0 and " if shape.enforce else ""
        lines += [f"if {stands}event.parent >= 0:", "    ancestor.children += lots"]
    if shape.orders:
        opened = _open(shape)
        if shape.enforce:
            opened = ["if accepted != 0:", *indent([*opened, "named.limited = clipped"])]
            opened += ["else:", "    named.status = BLOCKED"]
        lines += ["if order[i] >= 0:", *indent(opened)]
    return lines


def _open(shape: Shape) -> list[str]:
    """Let a named order work."""
    lines = []
    if shape.tags or (shape.modifies and "flags" in shape.columns):
        lines += ["tag_order(named, event.strategy, event.connection, event.flags)"]
    if shape.cash:
        lines += ["value_order(named, traded, event.side, event.price, event.reserve, event.flags)"]
    if shape.parents:
        parent = "slots[parent[i]] if parent[i] >= 0 else -1" if "parent" in shape.columns else "-1"
        lines += [f"adopt(named, {parent})"]
    fields = "event.side, lots, event.price, event.reserve, event.account, event.pair"
    return [*lines, *order_step(shape, f"open_order(named, position, owner, {fields})")]


def _enforce_order(shape: Shape) -> list[str]:
    """Children of refused orders vanish; orders that reduced in the record must not open or flip here unseen."""
    never_came = ["twin[i] = VANISHED - twin[i]"] if shape.twins else []
    lines = []
    if "parent" in shape.columns:
        lines += [
            "if parent[i] >= 0 and at(orders, slots[parent[i]]).status == BLOCKED:",
            "    if order[i] >= 0:",
            "        named.status = BLOCKED",
            *indent(never_came),
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
        *indent(never_came, 4),
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
    lines = ["if batch[i] < 0:", *indent(judgement(shape, Kind.ORDER)), "else:", "    if counts[LIST] != batch[i]:"]
    lookup = [*records("j"), *purse(shape, "account[j]"), event(shape, Kind.ORDER, "j")]
    looked_up = [*lookup, *ancestor(shape, "j"), book(shape, "at(orders, -1)")]
    each = [*looked_up, *load(shape, Kind.ORDER), *reducing(shape, Kind.ORDER), *judgement(shape, Kind.ORDER, "j")]
    each += ["whole = join(whole, verdict)", *_assume(shape, "1"), "j += 1"]
    counted = [k for k in shape.listening(Kind.ORDER) if shape.rules[k].assume is not None or shape.rules[k].working]
    again = [f"r{k} = at(s{k}, {shape.rules[k].key})" for k in counted]
    inner = ["j = i", "whole = Judgement(0, 0, 0, -1, 0, 0, 0, 0, 0, 0)"]
    inner += ["while j < len(all_ts) and batch[j] == batch[i]:", *indent(each)]
    inner += ["while j > i:", "    j -= 1", *indent([*looked_up, *again, *_assume(shape, "-1")])]
    back = [*records(), *purse(shape), *ancestor(shape), event(shape, Kind.ORDER, qty="lots"), book(shape)]
    back += [f"r{k} = at(s{k}, {shape.rules[k].key})" for k in shape.listening(Kind.ORDER)]
    inner += [*back, "keep_judgement(counts, whole)", "counts[LIST] = batch[i]"]
    return [*lines, *indent(inner, 2), "    verdict = kept_judgement(counts)"]


def _assume(shape: Shape, sign: str) -> list[str]:
    """Count a member of a list as if it worked while the ones after it are judged, or take that back."""
    lines = [f"tentative(position, owner, event.side, event.qty, {sign})"]
    if shape.chains:
        lines += ["list_order(position, event.side, event.price)" if sign == "1" else "unlist_orders(position)"]
    if shape.cash:
        lines += [f"assume_hold(purse, traded, event.side, event.qty, event.price, event.reserve, event.flags, {sign})"]
    for k, rule in enumerate(shape.rules):
        if rule.working:
            lines += [f"r{k}.working += {sign}"]
        if rule.assume is not None:
            lines += [call("assume", k, rule.assume, sign=sign)]
    return lines


def modify(shape: Shape) -> list[str]:
    """A change of a named order's quantity or price."""
    lines = [*records(), *slot(shape), *purse(shape)]
    lines += ["ancestor = at(orders, named.parent)"] if shape.parents else []
    if shape.enforce:
        lines += _vanish_of_blocked("named", "ORDERS_VANISHED")
    fields = {"parent": "named.parent"} if shape.parents else {}
    bad = " or flags[i] & BAD_PRICE" if "flags" in shape.columns else ""  # no number: not an unchanged price
    lines += [
        "lots = qty[i] if qty[i] > 0 else named.qty",
        f"asked = price[i] if price[i] != MISSING{bad} else named.price",
        "heading = int64(side[i]) if side[i] != 0 else named.side",
        event(shape, Kind.MODIFY, qty="lots", price="asked", side="heading", **fields),
        book(shape),
        *load(shape, Kind.MODIFY),
        *reducing(shape, Kind.MODIFY, "max(named.qty - named.filled, 0) if named.status == WORKING else 0"),
        *judgement(shape, Kind.MODIFY),
        "accepted = 1 if verdict.cause == -1 else 0",
        *announce(),
        *settle(shape, Kind.MODIFY),
    ]
    change = ["asked = asked if asked != MISSING else named.price"] if bad else []
    change += ["if named.reserve == MISSING and asked != MISSING:", "    named.valued = asked"] if shape.cash else []
    change += order_step(shape, "change_order(named, position, owner, lots, asked)")
    if shape.enforce:
        change = ["if accepted != 0:", *indent(change), "else:", "    named.limited = LIMITED_PRICE"]
    return [*lines, "if order[i] >= 0 and named.status != UNKNOWN:", *indent(change)]


def _vanish_of_blocked(named: str, counter: str) -> list[str]:
    return [
        f"if order[i] >= 0 and {named}.status == BLOCKED:",
        f"    counts[{counter}] += 1",
        "    used = emit(rows, used, i, 0, 0, 0, 0, account[i], -1, VANISH)",
        "    i += 1",
        "    continue",
    ]


def cancel(shape: Shape) -> list[str]:
    """A cancel always passes; some rules count it."""
    lines = []
    if shape.orders:
        lines += [*records(), *slot(shape), *purse(shape)]
        if shape.enforce:
            lines += _vanish_of_blocked("named", "ORDERS_VANISHED")
        lines += ["if order[i] >= 0:", *indent(order_step(shape, "close_order(named, position, owner)"))]
    if shape.watched(Kind.CANCEL):
        lines += [] if shape.orders else [*records(), *slot(shape), *purse(shape)]
        lines += [event(shape, Kind.CANCEL), book(shape, messages=False)]
        lines += [*load(shape, Kind.CANCEL), *settle(shape, Kind.CANCEL)]
    return lines


def expiry(shape: Shape) -> list[str]:
    """An order lapses."""
    if not shape.orders:
        return []
    lines = [*records(), *slot(shape), *purse(shape)]
    step = order_step(shape, "close_order(named, position, owner)")
    return [*lines, "if named.status == WORKING:", *indent(step)] if shape.enforce else [*lines, *step]


def cancel_function(shape: Shape) -> list[str]:
    """Cancel the working orders of an account, an instrument, a pair, or (all -1) of everything.

    A cancelled order counts as refused from here on: its later fills vanish.
    """
    lines = [f"def cancel_working(a, x, h, {', '.join(whose_orders(shape))}):"]
    body = [
        "named = at(orders, place)",
        "position = at(positions, named.pair)",
        "if is_key_of(named, position, a, x, h):",
    ]
    inner = ["owner = at(accounts, named.account)", "traded = at(instruments, position.instrument)"]
    inner += purse(shape, "named.account")
    inner += order_step(shape, "close_order(named, position, owner)")
    inner += ["named.status = BLOCKED", "counts[CANCELLED] += 1"]
    return lines + indent(["for place in range(counts[SLOTS]):", *indent([*body, *indent(inner)])])


# ---------------------------------------------------------------------- fills


def fill(shape: Shape) -> list[str]:
    """A fill: always booked, paused or not, unless its order was refused."""
    lines = [*records(), *slot(shape), *purse(shape)]
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
            *indent(_reprice(shape)),
        ]
    else:  # nobody asks on the way, so what is held is valued once, at the end
        lines += ["if traded.priced == 0:", "    traded.mark = price[i]"]
    lines += ["if traded.priced == 0:", *indent(_priced(shape))] if shape.gauging else []
    lines += ["was = position.qty"]
    lines += ["balance = owner.cash"] if shape.cash else []
    lines += [
        "realised = fill(position, owner, traded, heading, lots, price[i], charge)",
        "opened = (1 if was == 0 else 0) - (1 if position.qty == 0 else 0)",
    ]
    lines += ["purse.cash += owner.cash - balance"] if shape.cash else []
    if shape.orders:
        lines += ["if order[i] >= 0:", *indent(order_step(shape, "fill_order(named, position, owner, lots)"))]
    if shape.watched(Kind.FILL):
        lines += [
            event(shape, Kind.FILL, qty="lots", fee="charge"),
            book(shape, realised="realised", opened="opened", messages=False),
            *load(shape, Kind.FILL),
            *settle(shape, Kind.FILL),
        ]
    if shape.marks:
        lines += ["mark(position, owner, traded)", _moved(shape, "account[i]", "pair[i]", "instrument[i]")]
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


# ---------------------------------------------------------------------- marks and money


def markers(shape: Shape) -> list[int]:
    """The rules that watch an account's equity."""
    return [k for k, rule in enumerate(shape.rules) if rule.listens(Kind.MARK)]


def _moved_arguments(shape: Shape) -> list[str]:
    names = [*shape.tables, "clocks", "memory", "counts", "rows", "used"]
    tables = [f"s{k}" for k in shape.counting] if shape.cancels else []
    for k in markers(shape):
        names += [f"t{k}", f"p{k}"]
        tables += [] if f"s{k}" in tables else [f"s{k}"]
    return [*names, *tables]


def _moved(shape: Shape, account: str, pair: str, instrument: str) -> str:
    """Tell that an account's equity has moved."""
    places = f"int64({account}), int64({pair}), int64({instrument})"
    return f"used = moved(i, now, {places}, {', '.join(_moved_arguments(shape))})"


def moved_function(shape: Shape) -> list[str]:
    """Keep an account's drawdown, and tell the rules that watch its equity."""
    lines = [f"def moved(i, now, a, h, x, {', '.join(_moved_arguments(shape))}):"]
    body = ["position = at(positions, h)", "owner = at(accounts, a)", "traded = at(instruments, x)", "track(owner)"]
    if markers(shape):
        body += [
            f"event = Event(i, now, {int(Kind.MARK)}, a, x, h, 0, 0, MISSING, -1)",
            book(shape, "at(orders, -1)", messages=False),
            *load(shape, Kind.MARK),
            *settle(shape, Kind.MARK),
        ]
    return lines + indent([*body, "return used"])


def _reprice(shape: Shape) -> list[str]:
    """Every account that holds the instrument is valued at its new mark."""
    inner = ["mark(holding, at(accounts, holding.account), traded)"]
    inner += [_moved(shape, "holding.account", "h", "holding.instrument")]
    lines = ["h = traded.first", "while h >= 0:", "    holding = at(positions, h)"]
    return [*lines, "    if holding.qty != 0:", *indent(inner, 2), "    h = holding.next"]


def price(shape: Shape) -> list[str]:
    """A quote, a last trade, a mark."""
    bid = "bid[i]" if "bid" in shape.columns else "MISSING"
    ask = "ask[i]" if "ask" in shape.columns else "MISSING"
    lines = ["traded = at(instruments, instrument[i])", f"quote(traded, price[i], {bid}, {ask})"]
    if shape.marks:
        lines += ["if price[i] != MISSING:", *indent([*_priced(shape), *_reprice(shape)])]
    return lines


def _priced(shape: Shape) -> list[str]:
    """Tell the rules that keep a covariance that this bar has a price."""
    return [f"price_came(at(s{k}, -1), memory)" for k in shape.gauging]


def clock(shape: Shape) -> list[str]:
    """A CLOCK event tells the time (which the loop has seen already), and may close the bars of a covariance."""
    return [f"pass_time(now, 1, {gauge(k)})" for k in shape.gauging]


def cash(shape: Shape) -> list[str]:
    """A deposit, fee, funding or dividend; its currency's code stands in the price."""
    lines = [*records(), "cash_flow(owner, int64(side[i]), qty[i])"]
    if shape.cash:
        lines += ["currency = price[i] if price[i] != MISSING else 0", *purse(shape, currency="currency")]
        lines += ["purse.cash += qty[i]"]
    return lines + ([_moved(shape, "account[i]", "pair[i]", "instrument[i]")] if shape.marks else [])


def equity(shape: Shape) -> list[str]:
    """Equity given from outside."""
    lines = [*records(), "owner.given = qty[i]", "owner.has_given = 1"]
    return lines + ([_moved(shape, "account[i]", "pair[i]", "instrument[i]")] if shape.marks else [])


# ---------------------------------------------------------------------- what only rules and people say


def plain_watch(shape: Shape, kind: Kind, realised: str = "0") -> list[str]:
    """An event that only rules look at."""
    if not shape.watched(kind):
        return []
    lines = [*records(), event(shape, kind), book(shape, "at(orders, -1)", realised, messages=False)]
    return [*lines, *load(shape, kind), *settle(shape, kind)]


def control(shape: Shape) -> list[str]:
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
            ]
        if rule.reset is not None:
            inner += indent([book_of_owner(k)] if "book" in rule.reset else [])
            inner += [f"    {call('reset', k, rule.reset)}"]
        inner += [f"    r{k}.held_until = 0"] if rule.holds else []
        lines += [f"    for key in range(n{k}):", *indent(inner, 2)]
    return [*lines, "    pass"]
