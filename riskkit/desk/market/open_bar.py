"""`OpenBar`: the bar under construction."""

from __future__ import annotations

from collections import Counter

from riskkit.desk.market.feeds import Tick


class OpenBar:
    """The bar under construction."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.first: dict[str, tuple[int, float]] = {}
        self.last: dict[str, tuple[int, float]] = {}
        self.high: dict[str, float] = {}
        self.low: dict[str, float] = {}
        self.count: Counter[str] = Counter()

    def take(self, tick: Tick) -> None:
        """Add a tick."""
        stamp, ticker, price = tick
        if ticker not in self.first or stamp < self.first[ticker][0]:
            self.first[ticker] = stamp, price
        if ticker not in self.last or stamp >= self.last[ticker][0]:
            self.last[ticker] = stamp, price
        self.high[ticker] = max(self.high.get(ticker, price), price)
        self.low[ticker] = min(self.low.get(ticker, price), price)
        self.count[ticker] += 1
