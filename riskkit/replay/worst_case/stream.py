"""Adverse order streams inside the limits: each follows a plan, becomes an `EventLog`, and is replayed.

A plan sends the largest order that the limits allow, as soon as the rate limits allow it, in one of a few patterns. It
need not be the worst stream: the replay measures a lower bound for any plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.constants import DAY_NS, LARGEST
from riskkit.replay.schema.universe import Account, Instrument
from riskkit.replay.worst_case.limits import Limits, Read, Setting, finite

INSTRUMENT = Instrument("X", tick="0.01", lot="1")
UNLIMITED_LOTS = 1_000_000  # size of an order that nothing limits
HOUR_NS = 3_600_000_000_000
ROW = ("ts", "kind", "account", "side", "qty", "price", "order_id")


class Pattern(NamedTuple):
    """Side and price to enter, price to leave, and whether the first order uses any room (eager)."""

    side: int
    enter: int
    leave: int
    eager: bool = True


class Plan:
    """A stream under construction: orders sent, positions and cash, and the room that the limits leave."""

    def __init__(self, limits: Limits, at: Setting, max_orders: int) -> None:
        self.limits, self.at = limits, at
        self.start = self.now = first_moment(limits, at)
        self.end, self.left = self.start + at.horizon, max_orders
        self.rows: list[tuple[Any, ...]] = []
        self.orders: list[tuple[int, int, int, int]] = []  # ts, account, lots, price
        self.times: list[list[int]] = [[] for _ in range(at.accounts + 1)]  # by account; the last list: all accounts
        self.position = [0] * at.accounts
        self.cash = [at.capital] * at.accounts
        self.market = 0
        self.move(at.reference)

    def move(self, price: int) -> None:
        """Move the market to a price."""
        if price != self.market:
            self.rows.append((self.now, "price", None, None, None, price, None))
            self.market = price

    def room(self, account: int, side: int, price: int) -> int:
        """Largest order that the limits allow now, in lots."""
        position = side * self.position[account]
        lots: list[float] = [UNLIMITED_LOTS]
        for read in self.limits.read:
            kind, params = read.rule.type, read.params
            if kind == "max_order_qty":
                lots.append(params.limit)
            elif kind == "max_order_notional":
                lots.append(params.limit // price)
            elif kind == "position_limit":
                lots += [finite(params.limit) - position, finite(params.notional) // price - position]
            elif kind == "max_exposure":
                lots.append(params.limit // price - position)
            elif kind == "volume_cap":
                lots.append(self.volume_left(read, account, price))
            elif kind == "cash" and side > 0:
                lots.append(self.cash[account] // price)
            elif kind == "long_only" and side < 0:
                lots.append(-position)
        return max(int(min(lots)), 0)

    def volume_left(self, read: Read, account: int, price: int) -> float:
        """Lots that a daily volume cap leaves at a price."""
        turn = last_turn(read, self.now)
        day = [
            (lots, paid) for ts, other, lots, paid in self.orders if ts >= turn and (read.shared or other == account)
        ]
        money = finite(read.params.notional) - sum(lots * paid for lots, paid in day)
        return min(finite(read.params.limit) - sum(lots for lots, _ in day), money // price)

    def next_time(self, account: int) -> int:
        """Earliest time at which the rate limits allow another order."""
        rates = self.limits.of("order_rate")
        times = [allowed_from(read, self.times[-1 if read.shared else account], self.now) for read in rates]
        return max([self.now, *times])

    def remaining(self) -> int:
        """Number of further orders that the rate limits and the plan allow."""
        saved, now, count = [list(times) for times in self.times], self.now, 0
        while count < self.left:
            account = min(range(self.at.accounts), key=self.next_time)
            self.now = self.next_time(account)
            if self.now > self.end:
                break
            self._count(account)
            count += 1
        self.times, self.now = saved, now
        return count

    def _count(self, account: int) -> None:
        self.times[account].append(self.now)
        self.times[-1].append(self.now)

    def send(self, account: int, side: int, lots: int, price: int, *, at_market: bool = True) -> bool:
        """Send an order that fills at once; False if there is no time, no room or no order left."""
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
        """Advance to the next start of a trading day; False if the horizon has none."""
        turns = [last_turn(read, self.now) + DAY_NS for read in daily(self.limits)]
        if not turns or min(turns) > self.end:
            return False
        self.now = min(turns)
        return True


# ---------------------------------------------------------------------- patterns


def plans(objective: str, limits: Limits, at: Setting, losses: list[int], max_orders: int) -> Iterator[Plan]:
    """Candidate streams; `losses` are the largest losses that the loss limits allow."""
    for act, *arguments in _patterns(objective, at, losses):
        plan = Plan(limits, at, max_orders)
        act(plan, *arguments)
        yield plan


def _patterns(objective: str, at: Setting, losses: list[int]) -> Iterator[tuple[Any, ...]]:
    """Functions that fill a plan, with their arguments."""
    for side in (1, -1):
        if objective != "loss":
            for price in dict.fromkeys((at.low, at.high, at.reference)):
                yield build_up if objective == "position" else trade_volume, Pattern(side, price, price)
            continue
        enter, leave = (at.high, at.low) if side > 0 else (at.low, at.high)
        for eager in (True, False):
            yield churn, Pattern(side, enter, leave, eager)
        for spent in dict.fromkeys([0, *losses]):
            for last in (build_up, flip):
                yield lose_first, Pattern(side, enter, leave), spent, last


def churn(plan: Plan, pattern: Pattern) -> None:
    """Enter at a bad price and leave at a worse one as often as the limits allow; end with the largest position."""
    left, eager = plan.remaining(), set(range(plan.at.accounts)) if pattern.eager else set()
    while left > 0:
        account = min(range(plan.at.accounts), key=plan.next_time)
        plan.now = max(plan.now, plan.next_time(account))
        usual = _usual_lots(plan, account, pattern)
        room = plan.room(account, pattern.side, pattern.enter)
        if room >= usual > 0 or (left <= plan.at.accounts or account in eager) and room > 0:
            sent = plan.send(account, pattern.side, room, pattern.enter)
        else:
            lots = plan.room(account, -pattern.side, pattern.leave)
            caps = [plan.volume_left(read, account, pattern.leave) for read in plan.limits.of("volume_cap")]
            spare = min(caps, default=math.inf)
            lots = lots if spare == math.inf else min(lots, int(spare) // 2)
            sent = plan.send(account, -pattern.side, lots, pattern.leave)
            if not sent:
                sent = plan.send(account, pattern.side, room, pattern.enter)
        eager.discard(account)
        left -= 1
        if not sent and not plan.next_day():
            break
    plan.move(pattern.leave)


def _usual_lots(plan: Plan, account: int, pattern: Pattern) -> int:
    """Size of an order that moves the position from one limit to the other."""
    held, plan.position[account] = plan.position[account], -pattern.side * UNLIMITED_LOTS
    lots = plan.room(account, pattern.side, pattern.enter)
    plan.position[account] = held
    ends = [
        min(finite(read.params.limit), finite(read.params.notional) // pattern.enter)
        for read in plan.limits.of("position_limit")
    ]
    ends += [read.params.limit // pattern.enter for read in plan.limits.of("max_exposure")]
    return int(min([lots, *(2 * end for end in ends)]))


def lose_first(plan: Plan, pattern: Pattern, spent: int, last: Callable[[Plan, Pattern], None]) -> None:
    """Lose the largest amount inside the loss limits, then as much at once as order and position limits allow."""
    going = True
    while going:
        for account in range(plan.at.accounts):
            _flatten(plan, account, pattern)
            _lose(plan, account, pattern, spent)
        last(plan, pattern)
        plan.move(pattern.leave)
        going = bool(list(plan.limits.of("daily_loss"))) and plan.next_day()


def _flatten(plan: Plan, account: int, pattern: Pattern) -> None:
    while plan.position[account]:
        held, side = abs(plan.position[account]), -1 if plan.position[account] > 0 else 1
        if not plan.send(account, side, min(held, plan.room(account, side, plan.market)), plan.market):
            return


def _lose(plan: Plan, account: int, pattern: Pattern, money: int) -> None:
    width = abs(pattern.enter - pattern.leave)
    while money > 0:
        lots = min(plan.room(account, pattern.side, pattern.enter), money // width) or 1
        fall = min(width, money // lots)
        leave = pattern.enter + (fall if pattern.leave > pattern.enter else -fall)
        lots = min(lots, plan.room(account, pattern.side, pattern.enter))
        if not plan.send(account, pattern.side, lots, pattern.enter) or not plan.send(
            account, -pattern.side, lots, leave
        ):
            return
        money -= lots * fall


def build_up(plan: Plan, pattern: Pattern) -> None:
    """Enter on one side until the limits allow no more."""
    open_to = set(range(plan.at.accounts))
    while open_to:
        account = min(open_to, key=plan.next_time)
        plan.now = max(plan.now, min(plan.next_time(account), plan.end))
        if not plan.send(account, pattern.side, plan.room(account, pattern.side, pattern.enter), pattern.enter):
            capped = any(plan.volume_left(read, account, pattern.enter) < 1 for read in plan.limits.of("volume_cap"))
            if not (capped and plan.left > 0 and not list(plan.limits.of("daily_loss")) and plan.next_day()):
                open_to.discard(account)


def flip(plan: Plan, pattern: Pattern) -> None:
    """Build up the other side, then reverse the position in one order far from the market."""
    build_up(plan, Pattern(-pattern.side, pattern.leave, pattern.leave))
    for account in range(plan.at.accounts):
        plan.send(
            account, pattern.side, plan.room(account, pattern.side, pattern.enter), pattern.enter, at_market=False
        )


def trade_volume(plan: Plan, pattern: Pattern) -> None:
    """Trade as much as possible at one price, on the side with more room."""
    open_to = set(range(plan.at.accounts))
    while open_to:
        account = min(open_to, key=plan.next_time)
        plan.now = max(plan.now, min(plan.next_time(account), plan.end))
        side = max((pattern.side, -pattern.side), key=lambda side: plan.room(account, side, pattern.enter))
        if not plan.send(account, side, plan.room(account, side, pattern.enter), pattern.enter):
            if plan.left < 1 or plan.next_time(account) > plan.end or not plan.next_day():
                open_to.discard(account)


# ---------------------------------------------------------------------- time


def daily(limits: Limits) -> list[Read]:
    """Rules that restart with the trading day."""
    return [
        read
        for read in limits.of("volume_cap", "daily_loss", "order_rate")
        if read.rule.type != "order_rate" or read.rule.parameters.window == "calendar_day"
    ]


def last_turn(read: Read, now: int) -> int:
    """Start of the rule's current trading day (UTC)."""
    roll = read.rule.zone()[1] * HOUR_NS
    return (now - roll) // DAY_NS * DAY_NS + roll


def first_moment(limits: Limits, at: Setting) -> int:
    """Start time for which the horizon touches the largest number of trading days."""
    rules = daily(limits)
    if not rules:
        return DAY_NS
    turn = last_turn(rules[0], 2 * DAY_NS) + DAY_NS
    return turn - max((at.horizon % DAY_NS) // 2, 1) if at.horizon else turn


def allowed_from(read: Read, times: list[int], now: int) -> int:
    """Earliest time from `now` on at which a rate limit allows another order."""
    params, window = read.params, read.rule.parameters.window
    limit: int = params.limit
    if len(times) < limit:
        return now
    if limit == 0:
        return LARGEST
    if window == "calendar_day":
        turn = last_turn(read, now)
        return now if sum(ts >= turn for ts in times) < limit else turn + DAY_NS
    if window == "fixed_from_first":
        begin, count = times[0], 0
        for ts in times:
            begin, count = (ts, 1) if ts >= begin + params.window_ns else (begin, count + 1)
        return now if count < limit else max(now, begin + params.window_ns)
    if params.bucket_ns > 0:
        bucket: int = params.bucket_ns
        n_buckets = -(-int(params.window_ns) // bucket)
        return max(now, (times[-limit] // bucket + n_buckets) * bucket)
    return max(now, times[-limit] + int(params.window_ns))


# ---------------------------------------------------------------------- as a log


def stream_log(plan: Plan, without: frozenset[str] = frozenset()) -> EventLog:
    """Event log of the plan, without some of its orders."""
    import pandas as pd

    frame = pd.DataFrame([row for row in plan.rows if row[6] not in without], columns=list(ROW))
    frame["instrument"] = INSTRUMENT.id
    frame["account"] = [None if pd.isna(code) else f"A{int(code) + 1}" for code in frame["account"]]
    frame["side"] = [None if pd.isna(side) else "B" if side > 0 else "S" for side in frame["side"]]
    frame["price"] = [f"{int(price) // 100}.{int(price) % 100:02d}" for price in frame["price"]]
    cash = f"{plan.at.capital // 100}.{plan.at.capital % 100:02d}"
    accounts = [Account(f"A{code + 1}", {"USD": cash}) for code in range(plan.at.accounts)]
    about = {
        "title": "A worst case",
        "kind": "simulated",
        "orders": "constructed to do the most harm inside the limits",
    }
    return EventLog.from_frame(frame, [INSTRUMENT], accounts, quanta={"USD": "0.01"}, unit="ns", about=about)
