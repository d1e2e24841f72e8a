"""Figures of every setting of a calibration by trading day, each from enforce replays, and over any sequence of days."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from riskkit._check import InputError
from riskkit.replay.rules.retuned import Setting, with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.start import Start
from riskkit.replay.sweeps.many.days import HALTED, MONEY, SUMS, Measured
from riskkit.replay.sweeps.many.figures import HOUR, PER_DAY, Record, figures_of, with_notes
from riskkit.replay.sweeps.many.policies import Policy
from riskkit.replay.sweeps.many.runner import Measure

if TYPE_CHECKING:
    import pandas as pd


class DailyRunner:
    """Figures of settings by trading day."""

    def __init__(self, measure: Measure, rules: RuleSet) -> None:
        self.measure = measure
        self.rules = rules

    def run(self, setting: Setting) -> tuple[dict[Policy, Measured], int]:
        """Figures of the days under each policy for orphan exits, and the number of orphan exits."""
        result, found = self.measure.by_policy(with_setting(self.rules, setting))
        return found, result.counts()["orphans"]

    def start(self, first: int) -> Start:
        """The recorded book at the start of a day."""
        shadow = self.measure.shadow.stage(self.rules, self.measure.options.orphans)
        return shadow.start_at(self.rules, self._row(first))

    def run_from(self, setting: Setting, start: Start, first: int, last: int) -> Measured:
        """Figures of the days from `first` (included) to `last` (excluded) of limits that are in force from `start`."""
        rules = with_setting(self.rules, setting)
        stage = self.measure.replays.stage(rules, self.measure.options.orphans)
        found = self.measure.measured(stage.replay(rules, start=start, end=self._row(last)))
        return Measured(found.sums[first:last], found.path[first:last])

    def _row(self, day: int) -> int:
        """First row of a day; one past the last after all days."""
        later = np.flatnonzero(self.measure.days.of_row >= day)
        return int(later[0]) if len(later) else len(self.measure.log)


class DailyFigures(NamedTuple):
    """Figures of every setting by trading day.

    ``sums`` are those of `riskkit.replay.sweeps.many.days.SUMS`, int64, shape (n_settings, n_days, 12); ``path`` is that
    of `Measured`, shape (n_settings, n_days, 3).
    """

    sums: np.ndarray
    path: np.ndarray
    record: Record
    labels: pd.Index

    @property
    def n_days(self) -> int:
        """Number of trading days."""
        return len(self.record.days.starts)

    def frame(self, first: int = 0, last: int | None = None) -> pd.DataFrame:
        """Figures over the days from `first` (included) to `last` (excluded)."""
        return self.frame_over(np.arange(self.n_days)[first:last])

    def frame_over(self, order: np.ndarray) -> pd.DataFrame:
        """Figures over a sequence of days; what adds up over days is per trading day, so that lengths compare."""
        return daily_frame(self.record, Measured(self.sums, self.path), order, self.labels)

    def record_frame(self, first: int = 0, last: int | None = None) -> pd.DataFrame:
        """Figures of the record over days, one row."""
        days = np.arange(self.n_days)[first:last]
        return daily_frame(self.record, Measured(*(part[None] for part in self.record.measured)), days)

    def daily(self, name: str) -> np.ndarray:
        """A figure that adds up over days, of every setting by day; float64, shape (n_settings, n_days).

        Raises
        ------
        InputError
            If the figure does not add up over days.
        """
        if name not in PER_DAY:
            raise InputError(f"{name!r} does not add up over days; {', '.join(PER_DAY)} do")
        if name == "profit_change":
            return (Measured(self.sums, self.path).gain - self.record.measured.gain) * self.record.quantum
        unit = self.record.quantum if name in MONEY else 1.0 / HOUR if name in HALTED else 1.0
        return self.sums[:, :, SUMS.index(name)] * unit


def daily_frame(record: Record, found: Measured, order: np.ndarray, index: pd.Index | None = None) -> pd.DataFrame:
    """Figures over a sequence of days, one row for each replay; what adds up over days is per trading day."""
    import pandas as pd

    figures = figures_of(record, found, order)
    for name in PER_DAY:
        if name in figures:
            figures[name] = figures[name] / len(order)
    return with_notes(pd.DataFrame(figures, index=index))
