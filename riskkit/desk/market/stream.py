"""`MarketStream`: builds bars from ticks and updates an EWMA covariance with their log returns.

Simulated, recorded and live feeds are treated alike.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from riskkit._check import Duration, whole_number
from riskkit._show import Row, Shown
from riskkit.desk.core.records import LARGEST_TIME
from riskkit.desk.market.feeds import Bar, Tick, bar_length
from riskkit.desk.market.live_covariance import LiveCovariance, log_moves
from riskkit.replay.schema.durations import MAX_AHEAD, duration


class _OpenBar:
    """The bar under construction."""

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
    """Bars, log returns and an EWMA covariance of a feed. Iterate over it, or `run` it.

    A bar contains the ticks from its start to before its end; it closes for all tickers at once, with the first tick of
    a later bar or the end of the feed. An interval without any tick is no bar; a ticker without a tick keeps its last
    close. Invalid ticks are counted in `rejected`, not raised: a tick from before the present bar ("late"), one that is
    more than `max_ahead` after the last one, unless the next one confirms it ("ahead"), a price that is not finite and
    above zero ("price"), a ticker that is not a text ("ticker").

    Parameters
    ----------
    feed : iterable of Tick or Bar
        `SimulatedTicks`, `RecordedTicks`, `RecordedBars`, or another iterable.
    bar : str or int
        Length of a bar, "1min" or nanoseconds.
    decay : float
        Of the covariance of log returns per bar. RiskMetrics' 0.94 is meant for daily bars: with bars of a minute its
        memory is 74 minutes (`riskkit.covariance.effective_observations`), half of the weight on the last eleven. For a half-life of n
        bars use ``0.5 ** (1 / n)``.
    initial : {"renormalized", "first_nonzero_square"} or float
        Initial variance, as in `LiveCovariance`: by default no bar weighs more than a later one, so that a slow decay
        does not depend on the first minute. A `RiskManager` has a covariance of its own, seeded by `warm_up`.
    keep : int
        Number of the last bars to keep.
    max_ahead : str, Timedelta or int

    Raises
    ------
    InputError
        A length, decay, initial or keep out of range.

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
        bar: Duration = "1min",
        decay: float = 0.94,
        initial: Any = "renormalized",
        keep: int = 500,
        max_ahead: Duration = MAX_AHEAD,
    ) -> None:
        self._max_ahead = duration(max_ahead, "max_ahead", zero=False)
        self._latest: int | None = None
        self._doubted: int | None = None
        self.length = bar_length(bar)
        self.covariance = LiveCovariance(decay, initial)
        self.closes: dict[str, float] = {}
        self.returns: dict[str, float] = {}
        self.bars: deque[Bar] = deque(maxlen=whole_number(keep, "keep"))
        self.rejected: Counter[str] = Counter()
        self.ticks = self.count = 0
        self._bars = self._closed(iter(feed))

    def __iter__(self) -> Iterator[Bar]:
        """Continue the stream."""
        return self

    def __next__(self) -> Bar:
        """The next bar, after the covariance is updated."""
        bar = next(self._bars)
        self.returns = log_moves(self.closes, bar.closes)
        self.covariance.step(self.returns)
        self.closes.update(bar.closes)
        self.bars.append(bar)
        self.count += 1
        return bar

    def run(self, *listeners: Callable[[Bar], Any], bars: int | None = None) -> int:
        """Read a number of bars (default all), call every listener (such as `manager.on_bar`) with each; return the count."""
        taken = 0
        for bar in islice(self, None if bars is None else whole_number(bars, "bars", at_least=0)):
            for listener in listeners:
                listener(bar)
            taken += 1
        return taken

    def to_frame(self) -> Any:
        """Closing prices of the kept bars, indexed by the end of each bar."""
        import pandas as pd

        index = pd.to_datetime([bar.timestamp for bar in self.bars], utc=True).rename("timestamp")
        return pd.DataFrame([bar.closes for bar in self.bars], index=index, columns=list(self.closes))

    def plot(self, ax: Any = None) -> Any:
        """Plot the closing prices of the kept bars, rebased to 100; return the axes."""
        from riskkit.plot import axes, literal

        ax = axes(ax)
        closes = self.to_frame()
        for ticker in closes:
            known = closes[ticker].dropna()
            ax.plot(known.index, 100.0 * known / known.iloc[0], linewidth=0.9, label=literal(ticker))
        ax.set_ylabel("price, from 100")
        if len(closes.columns):
            ax.legend(frameon=False)
        return ax

    def _closed(self, feed: Iterator[Tick | Bar]) -> Iterator[Bar]:
        """The bars of the feed, as they close."""
        building: _OpenBar | None = None
        ended = -math.inf  # end of the last bar, given or built
        for item in feed:
            if isinstance(item, Bar):
                if building is not None:
                    yield self._bar(building)
                    ended, building = building.start + self.length, None
                if item.timestamp <= ended or self._is_ahead(item.timestamp):
                    self.rejected["late" if item.timestamp <= ended else "ahead"] += 1
                    continue
                ended = item.timestamp
                yield item
                continue
            reason = self._rejection(item, building, ended)
            if reason is not None:
                self.rejected[reason] += 1
                continue
            start = item.timestamp - item.timestamp % self.length
            if building is not None and start > building.start:
                yield self._bar(building)
                ended, building = building.start + self.length, None
            if building is None:
                building = _OpenBar(start)
            building.take(item)
            self.ticks += 1
        if building is not None:
            yield self._bar(building)

    def _rejection(self, item: Any, building: _OpenBar | None, ended: float) -> str | None:
        """The reason to reject a tick, in one word, or None."""
        try:
            stamp, ticker, price = item
            if not isinstance(ticker, str) or not ticker:
                return "ticker"
            if isinstance(price, (bool, str)) or not 0.0 < price < math.inf:
                return "price"
            if isinstance(stamp, bool) or not -LARGEST_TIME < stamp < LARGEST_TIME or stamp != int(stamp):
                return "timestamp"
        except (TypeError, ValueError, ArithmeticError):
            return "not a tick"
        if stamp < (ended if building is None else building.start):
            return "late"
        return "ahead" if self._is_ahead(int(stamp)) else None

    def _is_ahead(self, stamp: int) -> bool:
        """True for a time far ahead of the last one, unless it agrees with the one before that was."""
        if self._latest is not None and stamp - self._latest > self._max_ahead:
            confirmed = self._doubted is not None and abs(stamp - self._doubted) <= self._max_ahead
            if not confirmed:
                self._doubted = stamp
                return True
        self._latest, self._doubted = stamp if self._latest is None else max(stamp, self._latest), None
        return False

    def _bar(self, built: _OpenBar) -> Bar:
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
            (
                "rejected",
                sum(self.rejected.values()),
                ", ".join(f"{n} {why}" for why, n in sorted(self.rejected.items())),
            ),
            *((ticker, price, "") for ticker, price in self.closes.items()),
        ]
