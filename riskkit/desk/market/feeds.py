"""Feeds of prices: simulated ticks, recorded ticks, recorded bars.

A feed is any iterable of `Tick` or `Bar` in order of arrival; a live feed is one more class of this kind.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np

from riskkit._check import InputError, finite_array, finite_number, positive, shown, whole_number
from riskkit._docs import with_described_fields
from riskkit.desk.core.records import CheckedRecord, Field, Nanoseconds, as_text, mapping, nanoseconds
from riskkit.replay.schema.durations import duration

MINUTE = 60_000_000_000


@with_described_fields
class Tick(NamedTuple):
    """One price of one ticker: nanoseconds since the epoch (UTC), ticker, price.

    Attributes
    ----------
    timestamp
        Nanoseconds since the epoch, UTC.
    ticker
        The instrument.
    price
        Money of one unit.

    Examples
    --------
    >>> Tick(timestamp=0, ticker="A", price=100.0).price
    100.0
    """

    timestamp: int
    ticker: str
    price: float


_prices = mapping(as_text, positive)
Prices = Annotated[dict[str, float], Field(_prices, "money per unit")]
Counts = Annotated[
    dict[str, int], Field(mapping(as_text, lambda value, name: whole_number(value, name, at_least=0)), "count")
]


@dataclass(frozen=True, repr=False, eq=False)
class Bar(CheckedRecord):
    """Open, high, low and close of every ticker in the interval that ends at `timestamp` (excluded).

    A ticker without a tick keeps its last close, with a count of 0 in `ticks`.

    Attributes
    ----------
    timestamp
        End of the interval (excluded), nanoseconds since the epoch.
    opens
        First price by ticker, money of one unit.
    highs
        Highest price by ticker.
    lows
        Lowest price by ticker.
    closes
        Last price by ticker.
    ticks
        Number of ticks by ticker.

    Examples
    --------
    >>> Bar(60, {"A": 10.0}, {"A": 12.0}, {"A": 9.5}, {"A": 11.0}, {"A": 4}).closes
    {'A': 11.0}
    """

    timestamp: Nanoseconds
    opens: Prices
    highs: Prices
    lows: Prices
    closes: Prices
    ticks: Counts

    def to_frame(self) -> Any:
        """One row per ticker: open, high, low, close, ticks."""
        import pandas as pd

        columns = {"open": self.opens, "high": self.highs, "low": self.lows, "close": self.closes, "ticks": self.ticks}
        return pd.DataFrame(columns).rename_axis("ticker")

    def _rows(self) -> list[tuple[str, Any, str]]:
        return [(ticker, price, f"{self.ticks.get(ticker, 0)} ticks") for ticker, price in self.closes.items()]


class SimulatedTicks:
    """Ticks of correlated geometric Brownian motions; the same seed gives the same ticks.

    Each ticker has `ticks_per_minute` ticks at random instants of every minute, drawn minute by minute, so that memory
    does not grow. Minutes run round the clock, nights and weekends included, without a gap: a calendar day has 1,440.
    `minutes_per_day` only scales the daily volatility to a minute.

    Parameters
    ----------
    prices : mapping
        {ticker: first price}, in money per unit.
    seed : int or numpy.random.Generator
    volatility : float or mapping
        Of log returns, per day, as a fraction.
    correlation : float
        Between any two tickers, at least 0 and below 1.
    drift : float
        Of the log price, per day.
    start : int, datetime or ISO text
        Of the first minute.
    minutes : int, optional
        Number of minutes; None is without end.
    minutes_per_day : int
        Minutes of the day to which `volatility` belongs.
    ticks_per_minute : int
        Ticks per ticker and minute.

    Raises
    ------
    InputError
        Prices or volatilities that are not above zero, a correlation outside [0, 1), counts below 1.

    References
    ----------
    Hull (2018), Options, Futures, and Other Derivatives, 10th ed., eq. 14.16 (simulation of the logarithm).

    Examples
    --------
    >>> ticks = list(SimulatedTicks({"A": 100.0, "B": 50.0}, seed=1, minutes=2, ticks_per_minute=3))
    >>> len(ticks), ticks == list(SimulatedTicks({"A": 100.0, "B": 50.0}, seed=1, minutes=2, ticks_per_minute=3))
    (12, True)
    """

    def __init__(
        self,
        prices: Mapping[str, float],
        *,
        seed: Any,
        volatility: Any = 0.02,
        correlation: float = 0.3,
        drift: float = 0.0,
        start: Any = 0,
        minutes: int | None = None,
        minutes_per_day: int = 390,
        ticks_per_minute: int = 6,
    ) -> None:
        self.prices = _prices(prices, "prices")
        self.seed = seed if isinstance(seed, np.random.Generator) else whole_number(seed, "seed", at_least=0)
        daily = volatility if isinstance(volatility, Mapping) else dict.fromkeys(self.prices, volatility)
        absent = [ticker for ticker in self.prices if ticker not in daily]
        if absent:
            raise InputError(f"volatility has no {absent[0]!r}; give one for each ticker, or one number")
        per_tick = 1.0 / (
            whole_number(minutes_per_day, "minutes_per_day") * whole_number(ticks_per_minute, "ticks_per_minute")
        )
        self.sigma = np.array(
            [positive(daily[ticker], f"volatility of {ticker}") for ticker in self.prices]
        ) * math.sqrt(per_tick)
        self.step = finite_number(drift, "drift") * per_tick
        self.shared = finite_number(correlation, "correlation")
        if not 0.0 <= self.shared < 1.0:
            raise InputError(f"correlation={shown(correlation)} is not at least 0 and below 1")
        self.start = nanoseconds(start, "start")
        self.minutes = None if minutes is None else whole_number(minutes, "minutes", at_least=0)
        self.per_minute = int(ticks_per_minute)

    def __iter__(self) -> Iterator[Tick]:
        """Restart, with the same draws if `seed` is an integer."""
        rng = np.random.default_rng(self.seed)
        names, logs = list(self.prices), np.log(list(self.prices.values()))
        minute = 0
        while self.minutes is None or minute < self.minutes:
            draws = rng.standard_normal((self.per_minute, len(names)))
            common = rng.standard_normal((self.per_minute, 1))
            moves = math.sqrt(self.shared) * common + math.sqrt(1.0 - self.shared) * draws
            path = logs + np.cumsum(self.step + self.sigma * moves, axis=0)
            when = np.sort(rng.integers(0, MINUTE, (self.per_minute, len(names))), axis=0)
            logs = path[-1]
            for position in np.argsort(when, axis=None, kind="stable").tolist():
                row, column = divmod(position, len(names))
                stamp = self.start + minute * MINUTE + int(when[row, column])
                yield Tick(stamp, names[column], math.exp(path[row, column]))
            minute += 1


class RecordedTicks:
    """Ticks of a DataFrame, in the order of its rows.

    Parameters
    ----------
    frame : DataFrame
        Columns timestamp, ticker and price.

    Raises
    ------
    InputError
        A missing column or an invalid time. An invalid price is counted by the stream.

    Examples
    --------
    >>> import pandas as pd
    >>> next(iter(RecordedTicks(pd.DataFrame({"timestamp": [5], "ticker": ["A"], "price": [9.5]}))))
    Tick(timestamp=5, ticker='A', price=9.5)
    """

    def __init__(self, frame: Any) -> None:
        _needs(frame, ("timestamp", "ticker", "price"))
        self.columns = [nanoseconds(stamp) for stamp in frame["timestamp"]], list(frame["ticker"]), list(frame["price"])

    def __iter__(self) -> Iterator[Tick]:
        """Every tick from the first row."""
        return map(Tick._make, zip(*self.columns, strict=True))


class RecordedBars:
    """Bars of a DataFrame: closing prices with one column per ticker, or one row per bar and ticker.

    Parameters
    ----------
    frame : DataFrame
        Closing prices indexed by the end of each bar, which become its open, high and low as well; or columns
        timestamp, ticker, open, high, low and close (and ticks), all tickers of one bar together.

    Raises
    ------
    InputError
        A missing column, an invalid time, a price that is not finite and above zero.

    Examples
    --------
    >>> import pandas as pd
    >>> [bar.closes for bar in RecordedBars(pd.DataFrame({"A": [1.0, 2.0]}, index=[60, 120]))]
    [{'A': 1.0}, {'A': 2.0}]
    """

    def __init__(self, frame: Any) -> None:
        self.frame = frame
        self.long = "ticker" in getattr(frame, "columns", ())
        if self.long:
            _needs(frame, ("timestamp", "ticker", "open", "high", "low", "close"))
        elif not hasattr(frame, "columns"):
            raise InputError(f"frame came as {type(frame).__name__}; give a DataFrame")
        else:
            finite_array(frame, "frame", ndim=2)

    def __iter__(self) -> Iterator[Bar]:
        """Every bar from the first."""
        if self.long:
            for stamp, rows in self.frame.groupby("timestamp", sort=False):
                table = rows.set_index("ticker")
                counts = table["ticks"].to_dict() if "ticks" in table else dict.fromkeys(table.index, 1)
                opens, highs, lows, closes = (table[name].to_dict() for name in ("open", "high", "low", "close"))
                yield Bar(nanoseconds(stamp), opens, highs, lows, closes, counts)
            return
        names = list(map(str, self.frame.columns))
        for stamp, row in zip(self.frame.index, self.frame.to_numpy(dtype=float).tolist(), strict=True):
            known = dict(zip(names, row, strict=True))
            yield Bar(nanoseconds(stamp), known, known, known, known, dict.fromkeys(names, 1))


def bar_length(value: Any, name: str = "bar") -> int:
    """Nanoseconds of the length of a bar."""
    length = duration(value, name)
    if length == 0:
        raise InputError(f"{name}={shown(value)} is not above zero")
    return length


def _needs(frame: Any, names: tuple[str, ...]) -> None:
    absent = [name for name in names if name not in getattr(frame, "columns", ())]
    if absent:
        raise InputError(f"frame has no column {absent[0]!r}; it needs {', '.join(names)}")
