"""`MarketStream`: ticks become bars, bars become log returns, returns update an EWMA covariance.

The same stream runs over simulated or recorded data, or over a live feed; what it makes of them does not differ.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from riskkit._check import whole_number
from riskkit._show import Row, Shown
from riskkit.desk.market.feeds import Bar, Tick, minutes_of
from riskkit.desk.market.live_covariance import LiveCovariance, log_moves

__all__ = ["MarketStream"]


class _Open:
    """The bar that is being built."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.first: dict[str, tuple[int, float]] = {}
        self.last: dict[str, tuple[int, float]] = {}
        self.high: dict[str, float] = {}
        self.low: dict[str, float] = {}
        self.count: Counter[str] = Counter()

    def take(self, tick: Tick) -> None:
        stamp, ticker, price = tick
        if ticker not in self.first or stamp < self.first[ticker][0]:
            self.first[ticker] = stamp, price
        if ticker not in self.last or stamp >= self.last[ticker][0]:
            self.last[ticker] = stamp, price
        self.high[ticker] = max(self.high.get(ticker, price), price)
        self.low[ticker] = min(self.low.get(ticker, price), price)
        self.count[ticker] += 1


class MarketStream(Shown):
    """Ticks in; bars, log returns and an EWMA covariance out. Iterate over it, or `run` it.

    A bar holds the ticks from its start until before its end; it closes for all tickers at once, with the first tick
    of a later one or the end of the feed. A minute without any tick is no bar; a ticker without a tick stays at its
    last close. What does not fit is not raised in the middle of a stream but counted in `refused`: a tick from
    before the present bar ("late"), a price that is not finite and above zero ("price"), a ticker that is no text.

    Parameters
    ----------
    feed : iterable of Tick or Bar
        `SimulatedTicks`, `RecordedTicks`, `RecordedBars`, or a class of yours.
    bar : str or int
        Length of a bar, "1min" or nanoseconds.
    decay : float
        Of the covariance of log returns per bar. RiskMetrics' 0.94 is meant for days: of bars of a minute it remembers
        74 minutes (`riskkit.effective_days`), and half of the weight lies on the last eleven. For a half-life of so
        many bars give ``0.5 ** (1 / bars)``.
    start : {"renormalized", "first_nonzero_square"} or float
        With what the covariance begins, as in `LiveCovariance`: by default no bar weighs more than a later one, so that
        a slow decay does not hang on the first minute. A `RiskManager` that listens has a covariance of its own, which
        `warm_up` seeds.
    history : int
        How many of the last bars are kept.

    Raises
    ------
    InputError
        A length, decay, start or history out of range.

    References
    ----------
    J.P. Morgan/Reuters (1996), RiskMetrics Technical Document, 4th ed., section 5.2.1 (decay 0.94).

    Examples
    --------
    >>> minute = 60_000_000_000
    >>> ticks = [Tick(0, "A", 100.0), Tick(9, "A", 102.0), Tick(minute, "A", 101.0)]
    >>> stream = MarketStream(ticks)
    >>> [(bar.highs["A"], bar.closes["A"]) for bar in stream]
    [(102.0, 102.0), (101.0, 101.0)]
    >>> stream.returns
    {'A': -0.009852}
    """

    def __init__(
        self,
        feed: Iterable[Tick | Bar],
        *,
        bar: Any = "1min",
        decay: float = 0.94,
        start: Any = "renormalized",
        history: int = 500,
    ) -> None:
        self.length = minutes_of(bar)
        self.covariance = LiveCovariance(decay, start)
        self.closes: dict[str, float] = {}
        self.returns: dict[str, float] = {}
        self.bars: deque[Bar] = deque(maxlen=whole_number(history, "history"))
        self.refused: Counter[str] = Counter()
        self.ticks = self.count = 0
        self._bars = self._closed(iter(feed))

    def __iter__(self) -> Iterator[Bar]:
        """Go on with the stream."""
        return self

    def __next__(self) -> Bar:
        """The next bar, once the covariance has taken it."""
        bar = next(self._bars)
        self.returns = log_moves(self.closes, bar.closes)
        self.covariance.step(self.returns)
        self.closes.update(bar.closes)
        self.bars.append(bar)
        self.count += 1
        return bar

    def run(self, *listeners: Callable[[Bar], Any], bars: int | None = None) -> int:
        """Take so many bars, or all there are, and hand each to every listener (`manager.on_bar`); return how many."""
        taken = 0
        for bar in islice(self, None if bars is None else whole_number(bars, "bars", at_least=0)):
            for listener in listeners:
                listener(bar)
            taken += 1
        return taken

    def to_frame(self) -> Any:
        """Closing prices of the bars that are kept, indexed by the time at which each ended."""
        import pandas as pd

        index = pd.to_datetime([bar.timestamp for bar in self.bars], utc=True).rename("timestamp")
        return pd.DataFrame([bar.closes for bar in self.bars], index=index, columns=list(self.closes))

    def plot(self, ax: Any = None) -> Any:
        """Closing prices of the bars that are kept, each from 100; returns the axes."""
        from riskkit.plot import axes

        ax = axes(ax)
        closes = self.to_frame()
        for ticker in closes:
            known = closes[ticker].dropna()
            ax.plot(known.index, 100.0 * known / known.iloc[0], linewidth=0.9, label=ticker)
        ax.set_ylabel("price, from 100")
        if len(closes.columns):
            ax.legend(frameon=False)
        return ax

    def _closed(self, feed: Iterator[Tick | Bar]) -> Iterator[Bar]:
        """The bars of the feed, each as it closes."""
        building: _Open | None = None
        ended = -math.inf  # bars that came ready-made, and those built here, end in this order
        for item in feed:
            if isinstance(item, Bar):
                if building is not None:
                    yield self._bar(building)
                    ended, building = building.start + self.length, None
                if item.timestamp <= ended:
                    self.refused["late"] += 1
                    continue
                ended = item.timestamp
                yield item
                continue
            objection = self._objection(item, building, ended)
            if objection is not None:
                self.refused[objection] += 1
                continue
            start = item.timestamp - item.timestamp % self.length
            if building is not None and start > building.start:
                yield self._bar(building)
                ended, building = building.start + self.length, None
            if building is None:
                building = _Open(start)
            building.take(item)
            self.ticks += 1
        if building is not None:
            yield self._bar(building)

    def _objection(self, item: Any, building: _Open | None, ended: float) -> str | None:
        """Why a tick is not taken, in a word."""
        try:
            stamp, ticker, price = item
            if not isinstance(ticker, str) or not ticker:
                return "ticker"
            if isinstance(price, (bool, str)) or not 0.0 < price < math.inf:
                return "price"
            if isinstance(stamp, bool) or stamp != int(stamp):
                return "timestamp"
        except (TypeError, ValueError, OverflowError):
            return "no tick"
        return "late" if stamp < (ended if building is None else building.start) else None

    def _bar(self, built: _Open) -> Bar:
        still = self.closes
        return Bar._trusted(
            timestamp=built.start + self.length,
            opens={**still, **{ticker: price for ticker, (_, price) in built.first.items()}},
            highs={**still, **built.high},
            lows={**still, **built.low},
            closes={**still, **{ticker: price for ticker, (_, price) in built.last.items()}},
            ticks={**dict.fromkeys(still, 0), **built.count},
        )

    def _rows(self) -> list[Row]:
        return [
            ("bars", self.count, ""),
            ("ticks", self.ticks, ""),
            ("refused", sum(self.refused.values()), ", ".join(f"{n} {why}" for why, n in sorted(self.refused.items()))),
            *((ticker, price, "") for ticker, price in self.closes.items()),
        ]
