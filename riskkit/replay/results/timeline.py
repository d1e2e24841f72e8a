"""Time axis without long gaps: nights and weekends of an intraday log.

A gap between two events is *closed* time if it is longer than an hour and such gaps are rare in the log. In a log of
daily bars they are not, so no time is closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from riskkit._docs import counted
from riskkit.plot import TimeAxis

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
SPACINGS = tuple(DAY // parts for parts in (1, 24, 144, 1_440, 8_640, 86_400, 864_000, 8_640_000, 86_400_000))
EXCEPTION = 0.2  # of the gaps in a log
ENOUGH = 300  # samples, for a plot
MOST = 200_000  # samples, for memory
LEVELS = (
    ("10Y", 4),
    ("5Y", 4),
    ("Y", 4),
    ("M", 7),
    ("D", 10),
    ("6h", 16),
    ("h", 16),
    ("10m", 16),
    ("m", 16),
    ("s", 19),
)
CHUNK = 1 << 22


@dataclass(frozen=True, eq=False)
class Timeline:
    """The time from the first event to the last without closed time; nanoseconds since the epoch, UTC.

    Attributes
    ----------
    first, last : int
        Times of the first and the last event.
    closed : ndarray of int64, shape (n_gaps, 2)
        Start and end of each closed gap, in order.
    """

    first: int
    last: int
    closed: np.ndarray

    @classmethod
    def of(cls, ts: np.ndarray) -> Timeline:
        """The timeline of a log's times.

        Examples
        --------
        >>> sessions = [day * 86_400 + np.arange(100) for day in range(3)]
        >>> line = Timeline.of(np.concatenate(sessions) * 1_000_000_000)
        >>> len(line.closed), line.length / 1e9
        (2, 297.0)
        """
        if not len(ts):
            return cls(0, 0, np.zeros((0, 2), np.int64))
        moves, long, high = 0, [], int(ts[0])
        for start in range(0, len(ts), CHUNK):  # a log may be larger than memory
            times = np.maximum.accumulate(np.concatenate([[high], ts[start : start + CHUNK]]))
            gaps = np.diff(times)
            moves += int((gaps > 0).sum())
            at = np.flatnonzero(gaps > HOUR)
            long.append(np.column_stack([times[at], times[at + 1]]))
            high = int(times[-1])
        closed = np.concatenate(long)
        if len(closed) >= EXCEPTION * moves:
            closed = closed[:0]
        return cls(int(ts[0]), high, closed)

    @cached_property
    def _cut(self) -> np.ndarray:
        """Closed time before each gap, and in total."""
        return np.concatenate([[0], np.cumsum(self.closed[:, 1] - self.closed[:, 0])])

    @property
    def length(self) -> int:
        """Total open time, in nanoseconds."""
        return self.last - self.first - int(self._cut[-1])

    def places(self, ts: np.ndarray) -> np.ndarray:
        """Open nanoseconds from the first event to each time; a time in a closed gap counts as its start."""
        times = np.clip(np.asarray(ts, np.int64), self.first, self.last)
        gap = np.searchsorted(self.closed[:, 0], times, "right") - 1
        within = np.zeros(len(times), np.int64)
        inside = gap >= 0
        within[inside] = np.minimum(times[inside], self.closed[gap[inside], 1]) - self.closed[gap[inside], 0]
        return times - self.first - self._cut[np.maximum(gap, 0)] - within

    @property
    def spacing(self) -> int:
        """A spacing for samples: an integer fraction of a day that gives enough samples, but not too many."""
        for spacing in SPACINGS:
            if self.length // spacing >= ENOUGH:
                return spacing
            if (self.last - self.first) // spacing > MOST // 10:
                return spacing
        return SPACINGS[-1]

    def axis(self, most: int = 8, tz: str = "UTC") -> TimeAxis:
        """The axis of a plot: ticks at starts of years, months, days, ... (the first unit with four or more) of a zone."""
        count = len(self.closed)
        label = f"{tz}; {counted(count, 'gap')} of more than 1 h cut out" if count else tz
        positions, texts = np.zeros(0, np.int64), np.zeros(0, str)
        for unit, length in LEVELS:
            starts, local = _starts(unit, self.first, self.last, tz)
            found = self.places(starts)
            last = np.flatnonzero(np.diff(found, append=-1))  # the last of the ticks in one gap
            positions = found[last]
            texts = np.datetime_as_string(local[last], unit="s").astype(f"<U{length}")
            if len(positions) >= 4:
                break
        step = max(1, -(-len(positions) // most))
        shown = [text[5:].replace("T", " ") if len(text) > 10 else text for text in texts[::step].tolist()]
        return TimeAxis(float(max(self.length, 1)), positions[::step].astype(float), shown, label)


def _starts(unit: str, first: int, last: int, tz: str) -> tuple[np.ndarray, np.ndarray]:
    """Starts of calendar units of a zone from `first` (if it is one) to `last`: nanoseconds of UTC, and local times."""
    import pandas as pd

    letter: Any = unit[-1]
    step = np.timedelta64(int(unit[:-1] or 1), letter)
    ends = pd.to_datetime([first, last], utc=True).tz_convert(tz).tz_localize(None).to_numpy()
    low = ends[0].astype(f"datetime64[{unit}]").astype(f"datetime64[{letter}]")
    high = ends[1].astype(f"datetime64[{letter}]")
    if (high - low) // step > MOST:
        return np.zeros(0, np.int64), np.zeros(0, "datetime64[ns]")
    local = np.arange(low, high + 1, step).astype("datetime64[ns]")
    twice = np.ones(len(local), bool)  # an hour that comes twice starts when it comes first
    starts = pd.DatetimeIndex(local).tz_localize(tz, ambiguous=twice, nonexistent="shift_forward").asi8
    inside = (starts >= first) & (starts <= last)
    return starts[inside], local[inside]
