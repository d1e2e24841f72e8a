"""Trading day of a rule set: the time zone and hour at which the days of its rules start."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.calendar import day_starts

UTC = ("UTC", 0)


class TradingDay(NamedTuple):
    """Start of a trading day, as in `riskkit.replay.schema.calendar.day_starts`.

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("loss", rk.rules.DailyLoss(limit=100, tz="America/New_York", roll_hour=17))])
    >>> print(TradingDay.of(rules), TradingDay.of(rk.RuleSet([])), sep="; ")
    from 17:00 America/New_York; from 0:00 UTC
    """

    tz: str = "UTC"
    roll_hour: int = 0

    @classmethod
    def of(cls, rules: RuleSet, tz: str | None = None, roll_hour: int | None = None) -> TradingDay:
        """The day of the first rule that has another one than that of UTC, else UTC; what is given goes first."""
        own = next((rule.zone() for rule in rules if rule.zone() != UTC), UTC)
        zone = own if tz is None else (tz, 0)
        return cls(zone[0], zone[1] if roll_hour is None else roll_hour)

    def __str__(self) -> str:
        """Return the start of the day in words."""
        return f"from {self.roll_hour}:00 {self.tz}"

    def starts(self, ts: np.ndarray) -> np.ndarray:
        """Starts of the days from that of the first of these times to the one after the last, nanoseconds."""
        first, last = (int(ts.min()), int(ts.max())) if len(ts) else (0, 0)
        return day_starts(self.tz, self.roll_hour, first, last)

    def date(self, start: int) -> str:
        """Date of the day that starts at a time: that of its start, or of the midnight after it."""
        local = dt.datetime.fromtimestamp(start / 1e9, ZoneInfo(self.tz))
        return str((local + dt.timedelta(days=1 if self.roll_hour else 0)).date())
