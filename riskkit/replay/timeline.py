"""An axis of time that leaves out the stretches in which nothing happened: nights, weekends, holidays.

Where a log covers 33 years of daily bars or three short sessions, its events are what a picture should give room to.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from riskkit.plot import TimeAxis
from riskkit.replay.parameters import duration_text

__all__ = ["Timeline"]

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
SPACINGS = tuple(
    DAY // parts for parts in (1, 24, 144, 1_440, 8_640, 86_400, 864_000, 8_640_000, 86_400_000)
)  # a day, an hour, ten minutes, ... a millisecond: whole parts of a day
ENOUGH = 300  # stretches with events, for a picture
MOST = 200_000  # stretches in all, for the memory of samples
LOOKED_AT = 2_000_000  # events, to choose a spacing
LEVELS = (4, 7, 10, 13, 15, 16, 18, 19)  # characters of an ISO time: year, month, day, hour, ten minutes, minute, ...


@dataclass(frozen=True, eq=False)
class Timeline:
    """Stretches of equal length that hold an event, side by side.

    Attributes
    ----------
    spacing : int
        Length of a stretch in nanoseconds, a whole part of a UTC day.
    stretches : ndarray of int64, shape (n,)
        Numbers of the stretches that hold an event: ``ts // spacing``, increasing.
    """

    spacing: int
    stretches: np.ndarray

    @classmethod
    def of(cls, ts: np.ndarray) -> Timeline:
        """Choose the longest spacing that tells at least 300 stretches apart, as far as there are so many.

        Examples
        --------
        >>> days = np.arange(3, dtype=np.int64) * 86_400_000_000_000
        >>> Timeline.of(np.concatenate([day + np.arange(200) * 1_000_000_000 for day in days])).spacing
        1000000000
        """
        if not len(ts):
            return cls(DAY, np.zeros(0, np.int64))
        seen = ts[:: max(1, len(ts) // LOOKED_AT)]
        span = int(ts.max()) - int(ts.min())
        chosen = DAY
        for spacing in SPACINGS:
            if span // spacing > MOST:
                break
            chosen = spacing
            if len(np.unique(seen // spacing)) >= ENOUGH:
                break
        return cls(chosen, np.unique(ts // chosen))

    def __len__(self) -> int:
        """The number of stretches."""
        return len(self.stretches)

    def places(self, ts: np.ndarray) -> np.ndarray:
        """Places of times on the axis: whole numbers at the start of a stretch; a time in a gap stands at its end."""
        number = ts // self.spacing
        place = np.searchsorted(self.stretches, number)
        inside = (place < len(self)) & (self.stretches[np.minimum(place, len(self) - 1)] == number)
        return place + np.where(inside, (ts % self.spacing) / self.spacing, 0.0)

    @cached_property
    def ends(self) -> np.ndarray:
        """The instant after each stretch, as samples are taken there; shape (n,)."""
        return (self.stretches + 1) * self.spacing

    def axis(self, most: int = 8) -> TimeAxis:
        """The axis as it is drawn: ticks at starts of years, months, days, ... whichever first gives three or more."""
        label = f"UTC; stretches of {duration_text(self.spacing)} without an event are left out"
        if not len(self):
            return TimeAxis(1.0, np.zeros(0), [], label)
        texts = np.datetime_as_string(np.asarray(self.stretches * self.spacing, "datetime64[ns]"), unit="s")
        starts, length = np.zeros(1, np.int64), 4
        for length in LEVELS:
            _, starts = np.unique(texts.astype(f"<U{length}"), return_index=True)
            if len(starts) >= 3:
                break
        starts = starts[:: -(-len(starts) // most)]
        return TimeAxis(float(len(self)), starts.astype(float), [_shown(str(texts[i]), length) for i in starts], label)


def _shown(text: str, length: int) -> str:
    """The part of an ISO time that says what a tick is about."""
    if length <= 10:
        return text[:length]
    return text[5:16].replace("T", " ") if length <= 16 else text[11:19]
