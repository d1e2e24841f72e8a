"""Every stream of a tiny world, tried one by one: the most harm that is possible, with no thought given to bounds.

One account, whole lots, whole prices from `low` to `high`, moments 0 ... `horizon`. At every moment the market
may go anywhere, and orders may be sent, each filled at once at its own price. Written from the meaning of the limits.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

MANY = 10**9


class World(NamedTuple):
    """The limits of the tiny world; `MANY` where there is none."""

    low: int
    high: int
    start: int
    horizon: int
    max_orders: int
    rate: int = MANY
    window: int = 1
    size: int = MANY
    notional: int = MANY
    held: int = MANY
    volume: int = MANY
    loss: int = MANY  # a loss that reaches it stops all but reducing
    largest: int = 3  # lots of an order that nothing limits


def best(world: World, objective: str) -> int:
    """The most harm of any stream: lots held, money lost at the last mark, or money traded."""

    markets = range(world.low, world.high + 1) if world.loss < MANY else (world.low, world.start, world.high)

    @cache
    def after(now: int, sent: tuple[int, ...], market: int, held: int, cash: int, traded: int, stopped: bool) -> int:
        """The most harm from here on; of money traded, what is traded from here on."""
        stopped = stopped or -(cash + held * market) >= world.loss
        found = 0
        for mark in markets:
            lost = -(cash + held * mark)
            halted = stopped or lost >= world.loss
            found = max(found, {"position": abs(held), "loss": lost, "turnover": 0}[objective])
            if now < world.horizon:
                found = max(found, after(now + 1, sent, mark, held, cash, traded, halted))
            if len(sent) >= world.max_orders or sum(ts > now - world.window for ts in sent) >= world.rate:
                continue
            for price in markets:
                for side in (1, -1):
                    for lots in range(1, min(world.size, world.largest) + 1):
                        end = held + side * lots
                        if lots * price > world.notional or side * end > world.held or traded + lots > world.volume:
                            continue
                        if halted and not (held * side < 0 and lots <= abs(held)):
                            continue
                        paid = cash - side * lots * price
                        rest = after(now, (*sent, now), mark, end, paid, traded + lots, halted)
                        found = max(found, rest + (lots * price if objective == "turnover" else 0))
        return found

    return after(0, (), world.start, 0, 0, 0, False)
