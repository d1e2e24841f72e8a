"""Streams that do harm and stay inside the limits: each is a plan, made real as an `EventLog` and replayed.

A plan sends the largest order that its limits leave room for, at the first moment that the rate limits allow, in one of
a few patterns. It need not be the worst stream of all: what the replay measures is a lower bound whatever the plan was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from riskkit.replay.constants import DAY_NS, LARGEST
from riskkit.replay.events import EventLog
from riskkit.replay.universe import Account, Instrument
from riskkit.replay.worst_case.limits import Limits, Read, Setting, finite

__all__ = ["INSTRUMENT", "plans", "stream_log"]

INSTRUMENT = Instrument("X", tick="0.01", lot="1")
HUGE = 1_000_000  # lots of an order that nothing limits
HOUR_NS = 3_600_000_000_000
ROW = ("ts", "kind", "account", "side", "qty", "price", "order_id")


class Pattern(NamedTuple):
    """A side to enter on, prices to enter and to leave at, and whether the first order enters whatever room there is."""

    side: int
    enter: int
    leave: int
    eager: bool = True


class Plan:
    """A stream under way: what was sent, what is held, and what room the limits leave."""

    def __init__(self, limits: Limits, at: Setting, most_orders: int) -> None:
        self.limits, self.at = limits, at
        self.start = self.now = first_moment(limits, at)
        self.end, self.left = self.start + at.horizon, most_orders
        self.rows: list[tuple[Any, ...]] = []
        self.orders: list[tuple[int, int, int, int]] = []  # ts, account, lots, price
        self.times: list[list[int]] = [[] for _ in range(at.accounts + 1)]  # of each account's orders; the last: of all
        self.position = [0] * at.accounts
        self.cash = [at.capital] * at.accounts
        self.market = 0
        self.move(at.reference)

    def move(self, price: int) -> None:
        """Let the market come to a price."""
        if price != self.market:
            self.rows.append((self.now, "price", None, None, None, price, None))
            self.market = price

    def room(self, account: int, side: int, price: int) -> int:
        """Lots that an order may have now."""
        held = side * self.position[account]
        lots: list[float] = [HUGE]
        for one in self.limits.read:
            kind, params = one.rule.type, one.params
            if kind == "max_order_qty":
                lots.append(params.limit)
            elif kind == "max_order_notional":
                lots.append(params.limit // price)
            elif kind == "position_limit":
                lots += [finite(params.limit) - held, finite(params.notional) // price - held]
            elif kind == "max_exposure":
                lots.append(params.limit // price - held)
            elif kind == "volume_cap":
                lots.append(self.volume_left(one, account, price))
            elif kind == "cash" and side > 0:
                lots.append(self.cash[account] // price)
            elif kind == "long_only" and side < 0:
                lots.append(-held)
        return max(int(min(lots)), 0)

    def volume_left(self, one: Read, account: int, price: int) -> float:
        """Lots that a cap on the day's volume leaves at a price."""
        turn = last_turn(one, self.now)
        day = [(lots, paid) for ts, who, lots, paid in self.orders if ts >= turn and (one.shared or who == account)]
        money = finite(one.params.notional) - sum(lots * paid for lots, paid in day)
        return min(finite(one.params.limit) - sum(lots for lots, _ in day), money // price)

    def next_time(self, account: int) -> int:
        """The first moment at which the rate limits let another order through."""
        found = self.now
        for one in self.limits.of("order_rate"):
            found = max(found, allowed_from(one, self.times[-1 if one.shared else account], self.now))
        return found

    def remaining(self) -> int:
        """Orders that the rate limits still let through, at most as many as the plan may have."""
        kept, now, count = [list(times) for times in self.times], self.now, 0
        while count < self.left:
            account = min(range(self.at.accounts), key=self.next_time)
            self.now = self.next_time(account)
            if self.now > self.end:
                break
            self._count(account)
            count += 1
        self.times, self.now = kept, now
        return count

    def _count(self, account: int) -> None:
        self.times[account].append(self.now)
        self.times[-1].append(self.now)

    def send(self, account: int, side: int, lots: int, price: int, *, at_market: bool = True) -> bool:
        """Send an order that fills at once; False where there is no time, no room or no order left."""
        now = self.next_time(account)
        if lots < 1 or now > self.end or self.left < 1:
            return False
        self.now = now
        if at_market:
            self.move(price)
        name = f"order-{len(self.orders)}"
        for kind in ("order", "fill"):
            self.rows.append((now, kind, account, side, lots, price, name))
        self.orders.append((now, account, lots, price))
        self._count(account)
        self.position[account] += side * lots
        self.cash[account] -= side * lots * price
        self.left -= 1
        return True

    def next_day(self) -> bool:
        """Go on to the next turn of a trading day; False where the horizon has none."""
        turns = [last_turn(one, self.now) + DAY_NS for one in daily(self.limits)]
        if not turns or min(turns) > self.end:
            return False
        self.now = min(turns)
        return True


# ---------------------------------------------------------------------- patterns


def plans(objective: str, limits: Limits, at: Setting, losses: list[int], most_orders: int) -> Iterator[Plan]:
    """A few streams that do much harm; `losses` are the amounts that may be lost before a rule stops."""
    for act, *how in _ways(objective, at, losses):
        plan = Plan(limits, at, most_orders)
        act(plan, *how)
        yield plan


def _ways(objective: str, at: Setting, losses: list[int]) -> Iterator[tuple[Any, ...]]:
    """What a plan does, and how."""
    for side in (1, -1):
        if objective != "loss":
            for price in dict.fromkeys((at.low, at.high, at.reference)):
                yield pile if objective == "position" else turn_over, Pattern(side, price, price)
            continue
        enter, leave = (at.high, at.low) if side > 0 else (at.low, at.high)
        for eager in (True, False):
            yield churn, Pattern(side, enter, leave, eager)
        for spent in dict.fromkeys([0, *losses]):
            for last in (pile, flip):
                yield spend, Pattern(side, enter, leave), spent, last


def churn(plan: Plan, how: Pattern) -> None:
    """Enter at the bad price and leave at the worse one, as often as the limits allow, and end with all that may be held."""
    left, eager = plan.remaining(), set(range(plan.at.accounts)) if how.eager else set()
    while left > 0:
        account = min(range(plan.at.accounts), key=plan.next_time)
        plan.now = max(plan.now, plan.next_time(account))
        usual = _usual(plan, account, how)
        room = plan.room(account, how.side, how.enter)
        if room >= usual > 0 or (left <= plan.at.accounts or account in eager) and room > 0:
            sent = plan.send(account, how.side, room, how.enter)
        else:
            lots = plan.room(account, -how.side, how.leave)
            caps = [plan.volume_left(one, account, how.leave) for one in plan.limits.of("volume_cap")]
            spare = min(caps, default=math.inf)
            lots = lots if spare == math.inf else min(lots, int(spare) // 2)
            sent = plan.send(account, -how.side, lots, how.leave)
            if not sent:
                sent = plan.send(account, how.side, room, how.enter)
        eager.discard(account)
        left -= 1
        if not sent and not plan.next_day():
            break
    plan.move(how.leave)


def _usual(plan: Plan, account: int, how: Pattern) -> int:
    """Lots of an order from the far end of the allowed position."""
    held, plan.position[account] = plan.position[account], -how.side * HUGE
    lots = plan.room(account, how.side, how.enter)
    plan.position[account] = held
    ends = [
        min(finite(one.params.limit), finite(one.params.notional) // how.enter)
        for one in plan.limits.of("position_limit")
    ]
    ends += [one.params.limit // how.enter for one in plan.limits.of("max_exposure")]
    return int(min([lots, *(2 * end for end in ends)]))


def spend(plan: Plan, how: Pattern, spent: int, last: Callable[[Plan, Pattern], None]) -> None:
    """Lose what does not stop the account yet, then all at once as much as the limits on orders and positions allow."""
    going = True
    while going:
        for account in range(plan.at.accounts):
            _flatten(plan, account, how)
            _spend(plan, account, how, spent)
        last(plan, how)
        plan.move(how.leave)
        going = bool(list(plan.limits.of("daily_loss"))) and plan.next_day()


def _flatten(plan: Plan, account: int, how: Pattern) -> None:
    while plan.position[account]:
        held, side = abs(plan.position[account]), -1 if plan.position[account] > 0 else 1
        if not plan.send(account, side, min(held, plan.room(account, side, plan.market)), plan.market):
            return


def _spend(plan: Plan, account: int, how: Pattern, money: int) -> None:
    width = abs(how.enter - how.leave)
    while money > 0:
        lots = min(plan.room(account, how.side, how.enter), money // width) or 1
        fall = min(width, money // lots)
        leave = how.enter + (fall if how.leave > how.enter else -fall)
        lots = min(lots, plan.room(account, how.side, how.enter))
        if not plan.send(account, how.side, lots, how.enter) or not plan.send(account, -how.side, lots, leave):
            return
        money -= lots * fall


def pile(plan: Plan, how: Pattern) -> None:
    """Enter on one side until nothing is left."""
    open_to = set(range(plan.at.accounts))
    while open_to:
        account = min(open_to, key=plan.next_time)
        plan.now = max(plan.now, min(plan.next_time(account), plan.end))
        if not plan.send(account, how.side, plan.room(account, how.side, how.enter), how.enter):
            capped = any(plan.volume_left(one, account, how.enter) < 1 for one in plan.limits.of("volume_cap"))
            if not (capped and plan.left > 0 and not list(plan.limits.of("daily_loss")) and plan.next_day()):
                open_to.discard(account)


def flip(plan: Plan, how: Pattern) -> None:
    """Hold all that may be held on the other side, then turn it round in one order far from the market."""
    pile(plan, Pattern(-how.side, how.leave, how.leave))
    for account in range(plan.at.accounts):
        plan.send(account, how.side, plan.room(account, how.side, how.enter), how.enter, at_market=False)


def turn_over(plan: Plan, how: Pattern) -> None:
    """Trade as much as possible at one price, on the side that has more room."""
    open_to = set(range(plan.at.accounts))
    while open_to:
        account = min(open_to, key=plan.next_time)
        plan.now = max(plan.now, min(plan.next_time(account), plan.end))
        side = max((how.side, -how.side), key=lambda side: plan.room(account, side, how.enter))
        if not plan.send(account, side, plan.room(account, side, how.enter), how.enter):
            if plan.left < 1 or plan.next_time(account) > plan.end or not plan.next_day():
                open_to.discard(account)


# ---------------------------------------------------------------------- time


def daily(limits: Limits) -> list[Read]:
    """The rules that begin anew with the trading day."""
    return [
        one
        for one in limits.of("volume_cap", "daily_loss", "order_rate")
        if one.rule.type != "order_rate" or one.rule.parameters.window == "calendar_day"
    ]


def last_turn(one: Read, now: int) -> int:
    """The last turn of the rule's trading day (UTC)."""
    roll = one.rule.zone()[1] * HOUR_NS
    return (now - roll) // DAY_NS * DAY_NS + roll


def first_moment(limits: Limits, at: Setting) -> int:
    """When to begin: such that the horizon touches as many trading days as it can."""
    rules = daily(limits)
    if not rules:
        return DAY_NS
    turn = last_turn(rules[0], 2 * DAY_NS) + DAY_NS
    return turn - max((at.horizon % DAY_NS) // 2, 1) if at.horizon else turn


def allowed_from(one: Read, times: list[int], now: int) -> int:
    """The first moment from `now` on at which a rate limit lets another order through."""
    params, window = one.params, one.rule.parameters.window
    most = params.limit
    if len(times) < most:
        return now
    if most == 0:
        return LARGEST
    if window == "calendar_day":
        turn = last_turn(one, now)
        return now if sum(ts >= turn for ts in times) < most else turn + DAY_NS
    if window == "fixed_from_first":
        begin, count = times[0], 0
        for ts in times:
            begin, count = (ts, 1) if ts >= begin + params.window_ns else (begin, count + 1)
        return now if count < most else max(now, begin + params.window_ns)
    if params.bucket_ns > 0:
        whole = -(-params.window_ns // params.bucket_ns)
        return max(now, (times[-most] // params.bucket_ns + whole) * params.bucket_ns)
    return max(now, times[-most] + params.window_ns)


# ---------------------------------------------------------------------- as a log


def stream_log(plan: Plan, without: frozenset[str] = frozenset()) -> EventLog:
    """The plan as a real log, without some of its orders."""
    import pandas as pd

    frame = pd.DataFrame([row for row in plan.rows if row[6] not in without], columns=list(ROW))
    frame["instrument"] = INSTRUMENT.id
    frame["account"] = [None if pd.isna(code) else f"A{int(code) + 1}" for code in frame["account"]]
    frame["side"] = [None if pd.isna(side) else "B" if side > 0 else "S" for side in frame["side"]]
    frame["price"] = [f"{int(price) // 100}.{int(price) % 100:02d}" for price in frame["price"]]
    cash = f"{plan.at.capital // 100}.{plan.at.capital % 100:02d}"
    accounts = [Account(f"A{code + 1}", {"USD": cash}) for code in range(plan.at.accounts)]
    about = {"title": "A worst case", "kind": "simulated", "orders": "made to do the most harm inside the limits"}
    return EventLog.from_frame(frame, [INSTRUMENT], accounts, quanta={"USD": "0.01"}, about=about)
