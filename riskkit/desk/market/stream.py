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
from riskkit.desk.core.state_digest import digest_of
from riskkit.desk.market.feeds import Bar, Tick, bar_length
from riskkit.desk.market.live_covariance import LiveCovariance, log_moves
from riskkit.desk.market.open_bar import OpenBar
from riskkit.desk.market.persistence import plain_state, restored_stream
from riskkit.replay.schema.durations import MAX_AHEAD, duration


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
        self._feed = iter(feed)
        self._waiting: Tick | Bar | None = None
        self._building: OpenBar | None = None
        self._ended: int | None = None
        """End of the last bar, given or built."""

    def __iter__(self) -> Iterator[Bar]:
        """Continue the stream."""
        return self

    def __next__(self) -> Bar:
        """The next bar, after the covariance is updated."""
        try:
            bar = self._closed()
        except StopIteration:
            if self._building is None:
                raise
            bar = self._finished(self._building)
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

    def state(self) -> dict[str, Any]:
        """The complete state as plain data for JSON, with the bar under construction; not the feed."""
        return plain_state(self)

    @classmethod
    def from_state(cls, state: Any, feed: Iterable[Tick | Bar] = ()) -> MarketStream:
        """Continue from a `state` with a feed of what comes next; malformed or inconsistent data raise `InputError`."""
        options, fill = restored_stream(state)
        made = cls(feed, **options)
        fill(made)
        return made

    @property
    def digest(self) -> str:
        """SHA-256 of the state."""
        return digest_of(type(self).__name__, self.state())

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

    def _closed(self) -> Bar:
        """Read the feed until a bar closes; the tick that closes it waits for the next call."""
        while True:
            item, self._waiting = next(self._feed) if self._waiting is None else self._waiting, None
            reason = None if isinstance(item, Bar) else self._rejection(item)
            if reason is not None:
                self.rejected[reason] += 1
                continue
            start = item[0] - item[0] % self.length if not isinstance(item, Bar) else item.timestamp
            if self._building is not None and (isinstance(item, Bar) or start > self._building.start):
                self._waiting = item
                return self._finished(self._building)
            if not isinstance(item, Bar):
                self._building = self._building or OpenBar(start)
                self._building.take(Tick(*item))
                self.ticks += 1
            elif self._takes(start):
                self._ended = start
                return item

    def _finished(self, built: OpenBar) -> Bar:
        """The bar of the ticks so far."""
        self._ended, self._building = built.start + self.length, None
        return self._bar(built)

    def _takes(self, stamp: int) -> bool:
        """Whether a given bar is later than the last one and not too far ahead; else it is counted."""
        late = self._ended is not None and stamp <= self._ended
        if late or self._is_ahead(stamp):
            self.rejected["late" if late else "ahead"] += 1
            return False
        return True

    def _rejection(self, item: Any) -> str | None:
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
        begun = self._ended if self._building is None else self._building.start
        if begun is not None and stamp < begun:
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

    def _bar(self, built: OpenBar) -> Bar:
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
