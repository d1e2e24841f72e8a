"""Upper bounds: what no stream inside the limits can exceed, each with its argument in words.

Quantities are lots, prices ticks, money lots x ticks. Every bound uses few rules; the smallest is the answer.

Loss: with lots traded in all Q and a position that never exceeds L, the side on which the account ends has at most
(Q + L) / 2 lots: both sides add up to Q and differ by at most L. Against the last mark m, B lots bought lose at most
B (high - m) and S lots sold S (m - low); that sum is a line in m and largest at an end: max(B, S) x (high - low).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from riskkit.replay.integers import MILLION
from riskkit.replay.worst_case.limits import Limits, Read, Setting, days_touched, finite, most_messages

__all__ = ["Bound", "allowed_loss", "held", "one_order", "upper_bound"]


class Bound(NamedTuple):
    """A number that is not exceeded, the rules from which it follows, and the argument."""

    value: float
    rules: tuple[str, ...] = ()
    words: str = ""


NONE = Bound(math.inf)


def upper_bound(objective: str, limits: Limits, at: Setting) -> Bound:
    """The smallest bound of the harm that follows from the rules that are read; infinite where none does."""
    if objective == "turnover":
        return turnover(limits, at)
    return position(limits, at) if objective == "position" else loss(limits, at)


def turnover(limits: Limits, at: Setting) -> Bound:
    """Money traded in all."""
    traded, count = lots_traded(limits, at), orders(limits, at)
    worth = least(
        Bound(one.params.limit, (one.rule.id,), f"one order is worth at most {_money(one.params.limit)}")
        for one in limits.of("max_order_notional")
    )
    found = [
        _both(count, worth),
        Bound(
            _times(traded.value, at.high), traded.rules, f"{traded.words}; each lot at the highest price of the band"
        ),
    ]
    found += [
        _whole(one, _times(finite(one.params.notional), days_touched(at.horizon)), at, "money traded")
        for one in limits.of("volume_cap")
    ]
    return least(found)


def position(limits: Limits, at: Setting) -> Bound:
    """Lots held in all, long or short."""
    each, traded = held(limits, at), lots_traded(limits, at)
    return least([_times_accounts(each, at), traded])


def loss(limits: Limits, at: Setting) -> Bound:
    """Money lost in all, at marks."""
    width = at.high - at.low
    if width == 0:
        return Bound(0, (), "the price cannot move, so nothing can be lost")
    found = [_loss_of_trading(limits, at, width)]
    found += [_loss_of_stop(one, limits, at, width) for one in limits.of("daily_loss", "drawdown")]
    if limits.solvent:
        words = "cash never goes below zero and no position is short, so an account can lose its capital and no more"
        found.append(Bound(at.accounts * at.capital, tuple(limits.solvent.values()), words))
    return least(found)


# ---------------------------------------------------------------------- orders, lots, positions


def orders(limits: Limits, at: Setting) -> Bound:
    """Orders in the horizon, of all accounts."""
    found = []
    for one in limits.of("order_rate"):
        count, words = most_messages(one, at.horizon)
        found.append(_whole(one, count, at, "", words))
    return least(found)


def one_order(limits: Limits, at: Setting) -> Bound:
    """Lots of one order."""
    found = [
        Bound(one.params.limit, (one.rule.id,), f"one order has at most {one.params.limit:,} lots")
        for one in limits.of("max_order_qty")
    ]
    for one in limits.of("max_order_notional"):
        lots = one.params.limit // at.low
        words = f"one order is worth at most {_money(one.params.limit)}: {lots:,} lots at the lowest price of the band"
        found.append(Bound(lots, (one.rule.id,), words))
    return least(found)


def lots_traded(limits: Limits, at: Setting) -> Bound:
    """Lots traded, of all accounts."""
    count, each = orders(limits, at), held(limits, at)
    found = [_both(count, one_order(limits, at)), _swings(count, each)]
    days = days_touched(at.horizon)
    for one in limits.of("volume_cap"):
        found.append(_whole(one, _times(finite(one.params.limit), days), at, "lots traded"))
        lots = _floor(_times(finite(one.params.notional), days), at.low)
        found.append(_whole(one, lots, at, "lots traded at the lowest price"))
    return least(found)


def _swings(count: Bound, each: Bound) -> Bound:
    """Lots of `count` orders, each from one end of the allowed position to the other, the first from flat."""
    if math.inf in (count.value, each.value):
        return NONE
    lots = max(2 * count.value - 1, 0) * each.value
    words = f"{count.words}; {each.words}; an order takes it at most from one end to the other, the first one from flat"
    return Bound(lots, count.rules + each.rules, words)


def held(limits: Limits, at: Setting) -> Bound:
    """Lots that one account holds, long or short, by the rules on positions alone."""
    found = []
    for one in limits.of("position_limit"):
        words = f"the position is at most {one.params.limit:,} lots after every order"
        found.append(Bound(finite(one.params.limit), (one.rule.id,), words))
        lots = _floor(finite(one.params.notional), at.low)
        words = f"the position is worth at most {_money(one.params.notional)}, {lots:,} lots at the lowest price"
        found.append(Bound(lots, (one.rule.id,), words))
    for one in limits.of("max_exposure"):
        lots = one.params.limit // at.low
        words = f"the exposure is at most {_money(one.params.limit)}, {lots:,} lots at the lowest price of the band"
        found.append(Bound(lots, (one.rule.id,), words))
    return least(found)


# ---------------------------------------------------------------------- losses


def _loss_of_trading(limits: Limits, at: Setting, width: int) -> Bound:
    """The loss as (lots of the losing side) x (width of the band)."""
    traded, most = lots_traded(limits, at), _times_accounts(held(limits, at), at)
    if traded.value == math.inf:
        return NONE
    side, used = traded.value, traded
    if most.value < traded.value:
        side = (traded.value + most.value) // 2
        used = Bound(
            0,
            traded.rules + most.rules,
            f"{traded.words}; {most.words}; so the losing side has at most half of both together",
        )
    count, size, each = orders(limits, at), one_order(limits, at), held(limits, at).value
    if count.value < math.inf and most.value < math.inf:
        lots = min(size.value, 2 * each)
        by_orders = _losing_lots(int(count.value), int(lots), int(most.value))
        if by_orders < side:
            words = "; ".join(filter(None, (count.words, size.words, most.words, "so the losing side has at most")))
            side, used = by_orders, Bound(0, count.rules + size.rules + most.rules, words)
    words = f"{used.words}: {side:,} lots; each loses at most the width of the band, {_money(width)}"
    return Bound(side * width, _once(used.rules), words)


def _losing_lots(count: int, size: int, most: int) -> int:
    """The largest B of n orders of `size` where the other count - n let B be `most` more than they have."""
    even = (count * size + most) // (2 * size) if size else 0
    tried = {min(max(n, 0), count) for n in (even, even + 1)}
    return max(min(n * size, (count - n) * size + most) for n in tried)


def _loss_of_stop(one: Read, limits: Limits, at: Setting, width: int) -> Bound:
    """A limit on losses, and what the position that it leaves can lose from the last mark before it."""
    most = held(limits, at)
    traded = lots_traded(limits, at)
    if traded.value < most.value:
        most = traded
    size = one_order(limits, at)
    allowed, turns = allowed_loss(one, at)
    if most.value == math.inf or allowed < 0:
        return NONE
    lots = min(max(most.value, min(size.value, 2 * most.value)), traded.value)
    rules = (one.rule.id, *most.rules, *(size.rules if lots > most.value else ()))
    flips = f" (an order that flips it trades up to {lots:,})" if lots > most.value else ""
    words = (
        f"while the loss is beyond {_money(allowed)} nothing opens; {most.words}{flips}; from the last mark before that "
        f"each of {lots:,} lots loses at most the width of the band, {_money(width)}"
    )
    if turns > 1:
        words += f"; on each of {turns} days that the horizon can touch"
    if at.accounts > 1:
        words += f"; in each of {at.accounts:,} accounts"
    return Bound(at.accounts * turns * (allowed + lots * width), _once(rules), words)


def allowed_loss(one: Read, at: Setting) -> tuple[int, int]:
    """The largest loss that does not break the rule, and how often it can start anew."""
    if one.rule.type == "daily_loss":
        return one.params.limit, days_touched(at.horizon)
    given, params = one.rule.parameters, one.params
    reach = int(given.breach == "reach")
    falls = [params.money - reach] if given.money is not None else []
    if given.pct is not None:
        fall = Fraction(params.pct * at.capital, MILLION)
        falls.append(math.ceil(fall) - 1 if reach else math.floor(fall))
    return (min(falls) if falls and at.capital > 0 else -1), 1


# ---------------------------------------------------------------------- parts


def least(found: Iterable[Bound]) -> Bound:
    """The smallest bound, the first of equal ones."""
    return min(found, key=lambda bound: bound.value, default=NONE)


def _both(count: Bound, each: Bound) -> Bound:
    if 0 in (count.value, each.value):
        return min(count, each, key=lambda bound: bound.value)
    return Bound(count.value * each.value, count.rules + each.rules, f"{count.words}; {each.words}")


def _whole(one: Read, value: float, at: Setting, what: str, words: str = "") -> Bound:
    """A bound of one key, for all accounts: once where they share it, else once for each."""
    words = words or f"at most {value:,} {what} on the {days_touched(at.horizon)} days that the horizon can touch"
    if one.shared or at.accounts == 1:
        return Bound(value, (one.rule.id,), words)
    return Bound(_times(value, at.accounts), (one.rule.id,), f"{words}, in each of {at.accounts:,} accounts")


def _times_accounts(each: Bound, at: Setting) -> Bound:
    words = each.words + (f", in each of {at.accounts:,} accounts" if at.accounts > 1 else "")
    return Bound(_times(each.value, at.accounts), each.rules, words)


def _times(value: float, factor: int) -> float:
    return 0 if 0 in (value, factor) else value * factor


def _floor(value: float, divisor: int) -> float:
    return value if value == math.inf else value // divisor


def _once(rules: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))


def _money(units: int) -> str:
    return f"{units / 100:,.2f}"
