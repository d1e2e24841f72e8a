"""Upper bounds: proven maxima of position, turnover and loss inside the limits, each with its argument in words.

Quantities are in lots, prices in ticks, money in lots x ticks. Each bound uses few rules; the smallest bound counts.

Loss: if Q lots are traded in total and the position never exceeds L, the larger side has at most (Q + L) / 2 lots,
since both sides add up to Q and differ by at most L. At the last mark m, B lots bought lose at most B (high - m) and S
lots sold S (m - low); the sum is linear in m and largest at an end of the band: max(B, S) x (high - low).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import NamedTuple

from riskkit.replay.kernels.integers import MILLION
from riskkit.replay.worst_case.limits import Limits, Read, Setting, days_touched, finite, most_messages


class Bound(NamedTuple):
    """An upper bound, the ids of the rules that imply it, and the argument in words."""

    value: float
    rules: tuple[str, ...] = ()
    words: str = ""


NONE = Bound(math.inf)


def upper_bound(objective: str, limits: Limits, at: Setting) -> Bound:
    """Smallest upper bound of the objective that the usable rules imply; infinite if there is none."""
    if objective == "turnover":
        return turnover(limits, at)
    return total_position(limits, at) if objective == "position" else loss(limits, at)


def turnover(limits: Limits, at: Setting) -> Bound:
    """Bound of the money traded."""
    traded, count = lots_traded(limits, at), orders(limits, at)
    worth = smallest(
        Bound(read.params.limit, (read.rule.id,), f"one order is worth at most {_money(read.params.limit)}")
        for read in limits.of("max_order_notional")
    )
    bounds = [
        _product(count, worth),
        Bound(
            _times(traded.value, at.high), traded.rules, f"{traded.words}; each lot at the highest price of the band"
        ),
    ]
    bounds += [
        _for_accounts(read, _times(finite(read.params.notional), days_touched(at.horizon)), at, "money traded", _money)
        for read in limits.of("volume_cap")
    ]
    return smallest(bounds)


def total_position(limits: Limits, at: Setting) -> Bound:
    """Bound of the sum of the accounts' positions, long or short, in lots."""
    each, traded = max_position(limits, at), lots_traded(limits, at)
    return smallest([_times_accounts(each, at), traded])


def loss(limits: Limits, at: Setting) -> Bound:
    """Bound of the money lost, at marks."""
    width = at.high - at.low
    if width == 0:
        return Bound(0, (), "the price cannot move, so nothing can be lost")
    bounds = [_trading_loss(limits, at, width)]
    bounds += [_stop_loss(read, limits, at, width) for read in limits.of("daily_loss", "drawdown")]
    if limits.solvent:
        words = "cash is never negative and no position is short, so an account can lose at most its capital"
        bounds.append(Bound(at.accounts * at.capital, tuple(limits.solvent.values()), words))
    return smallest(bounds)


# ---------------------------------------------------------------------- orders, lots, positions


def orders(limits: Limits, at: Setting) -> Bound:
    """Bound of the number of orders of all accounts."""
    bounds = []
    for read in limits.of("order_rate"):
        count, words = most_messages(read, at.horizon)
        bounds.append(_for_accounts(read, count, at, words=words))
    return smallest(bounds)


def max_order(limits: Limits, at: Setting) -> Bound:
    """Bound of the size of one order, in lots."""
    bounds = [
        Bound(read.params.limit, (read.rule.id,), f"one order has at most {read.params.limit:,} lots")
        for read in limits.of("max_order_qty")
    ]
    for read in limits.of("max_order_notional"):
        lots = read.params.limit // at.low
        words = f"one order is worth at most {_money(read.params.limit)}: {lots:,} lots at the lowest price of the band"
        bounds.append(Bound(lots, (read.rule.id,), words))
    return smallest(bounds)


def lots_traded(limits: Limits, at: Setting) -> Bound:
    """Bound of the lots traded by all accounts."""
    count, each = orders(limits, at), max_position(limits, at)
    bounds = [_product(count, max_order(limits, at)), _swings(count, each)]
    days = days_touched(at.horizon)
    for read in limits.of("volume_cap"):
        bounds.append(_for_accounts(read, _times(finite(read.params.limit), days), at, "lots traded"))
        lots = _floor(_times(finite(read.params.notional), days), at.low)
        bounds.append(_for_accounts(read, lots, at, "lots traded at the lowest price"))
    return smallest(bounds)


def _swings(count: Bound, each: Bound) -> Bound:
    """Lots of `count` orders that each move the position from one limit to the other, the first from flat."""
    if math.inf in (count.value, each.value):
        return NONE
    lots = max(2 * count.value - 1, 0) * each.value
    words = f"{count.words}; {each.words}; each order moves it at most from one end to the other, the first from flat"
    return Bound(lots, count.rules + each.rules, words)


def max_position(limits: Limits, at: Setting) -> Bound:
    """Bound of the position of one account, long or short, from the rules on positions, in lots."""
    bounds = []
    for read in limits.of("position_limit"):
        words = f"the position is at most {read.params.limit:,} lots after every order"
        bounds.append(Bound(finite(read.params.limit), (read.rule.id,), words))
        lots = _floor(finite(read.params.notional), at.low)
        words = f"the position is worth at most {_money(read.params.notional)}, {lots:,} lots at the lowest price"
        bounds.append(Bound(lots, (read.rule.id,), words))
    for read in limits.of("max_exposure"):
        lots = read.params.limit // at.low
        words = f"the exposure is at most {_money(read.params.limit)}, {lots:,} lots at the lowest price of the band"
        bounds.append(Bound(lots, (read.rule.id,), words))
    return smallest(bounds)


# ---------------------------------------------------------------------- losses


def _trading_loss(limits: Limits, at: Setting, width: int) -> Bound:
    """Loss as lots of the losing side times the width of the band."""
    traded, position = lots_traded(limits, at), _times_accounts(max_position(limits, at), at)
    if traded.value == math.inf:
        return NONE
    side, used = traded.value, traded
    if position.value < traded.value:
        side = (traded.value + position.value) // 2
        used = Bound(
            0,
            traded.rules + position.rules,
            f"{traded.words}; {position.words}; so the losing side has at most half of their sum",
        )
    count, size, each = orders(limits, at), max_order(limits, at), max_position(limits, at).value
    if count.value < math.inf and position.value < math.inf:
        lots = min(size.value, 2 * each)
        by_orders = _losing_lots(int(count.value), int(lots), int(position.value))
        if by_orders < side:
            words = "; ".join(filter(None, (count.words, size.words, position.words, "so the losing side has at most")))
            side, used = by_orders, Bound(0, count.rules + size.rules + position.rules, words)
    words = f"{used.words}: {side:,} lots; each loses at most the width of the band, {_money(width)}"
    return Bound(side * width, _distinct(used.rules), words)


def _losing_lots(count: int, size: int, limit: int) -> int:
    """Maximum of min(n size, (count - n) size + limit) over n: lots of n orders on the losing side."""
    even = (count * size + limit) // (2 * size) if size else 0
    candidates = {min(max(n, 0), count) for n in (even, even + 1)}
    return max(min(n * size, (count - n) * size + limit) for n in candidates)


def _stop_loss(read: Read, limits: Limits, at: Setting, width: int) -> Bound:
    """Loss limit, plus the loss of the largest position after the last mark inside the limit."""
    position = max_position(limits, at)
    traded = lots_traded(limits, at)
    if traded.value < position.value:
        position = traded
    size = max_order(limits, at)
    allowed, turns = allowed_loss(read, at)
    if position.value == math.inf or allowed < 0:
        return NONE
    lots = min(max(position.value, min(size.value, 2 * position.value)), traded.value)
    rules = (read.rule.id, *position.rules, *(size.rules if lots > position.value else ()))
    flips = f" (an order that flips it trades up to {lots:,})" if lots > position.value else ""
    words = (
        f"while the loss exceeds {_money(allowed)} no order opens a position; {position.words}{flips}; from the last "
        f"mark before that each of {lots:,} lots loses at most the width of the band, {_money(width)}"
    )
    if turns > 1:
        words += f"; on each of the {turns} days that the horizon can touch"
    if at.accounts > 1:
        words += f"; in each of {at.accounts:,} accounts"
    return Bound(at.accounts * turns * (allowed + lots * width), _distinct(rules), words)


def allowed_loss(read: Read, at: Setting) -> tuple[int, int]:
    """Largest loss that does not breach the rule (-1: unbounded), and how many times the rule can restart."""
    if read.rule.type == "daily_loss":
        return read.params.limit, days_touched(at.horizon)
    given, params = read.rule.parameters, read.params
    inclusive = int(given.breach == "reach")
    falls = [params.money - inclusive] if given.money is not None else []
    if given.pct is not None and at.capital > 0:
        fall = Fraction(params.pct * at.capital, MILLION)
        falls.append(math.ceil(fall) - 1 if inclusive else math.floor(fall))
    return min(falls, default=-1), 1


# ---------------------------------------------------------------------- parts


def smallest(bounds: Iterable[Bound]) -> Bound:
    """The smallest bound; the first of equal ones."""
    return min(bounds, key=lambda bound: bound.value, default=NONE)


def _product(count: Bound, each: Bound) -> Bound:
    if 0 in (count.value, each.value):
        return min(count, each, key=lambda bound: bound.value)
    return Bound(count.value * each.value, count.rules + each.rules, f"{count.words}; {each.words}")


def _for_accounts(
    read: Read,
    value: float,
    at: Setting,
    what: str = "",
    text: Callable[[float], str] = "{:,}".format,
    words: str = "",
) -> Bound:
    """Bound of all accounts from the bound of one key: once if all share the key, else once per account."""
    words = words or f"at most {text(value)} {what} on the {days_touched(at.horizon)} days that the horizon can touch"
    if read.shared or at.accounts == 1:
        return Bound(value, (read.rule.id,), words)
    return Bound(_times(value, at.accounts), (read.rule.id,), f"{words}, in each of {at.accounts:,} accounts")


def _times_accounts(each: Bound, at: Setting) -> Bound:
    words = each.words + (f", in each of {at.accounts:,} accounts" if at.accounts > 1 else "")
    return Bound(_times(each.value, at.accounts), each.rules, words)


def _times(value: float, factor: int) -> float:
    return 0 if 0 in (value, factor) else value * factor


def _floor(value: float, divisor: int) -> float:
    return value if value == math.inf else value // divisor


def _distinct(rules: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))


def _money(units: float) -> str:
    return f"{units / 100:,.2f}"
