"""Evidence for a choice among settings: intervals of the daily means, and tests of the choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskkit._show import Row, number
from riskkit.replay.sweeps.calibration.block_bootstrap import BlockKind, resampled_means
from riskkit.replay.sweeps.calibration.choice_tests import Overfitting, Superiority, overfitting, superiority
from riskkit.replay.sweeps.calibration.mean_interval import MIN_DAYS, MeanIntervals, mean_intervals
from riskkit.replay.sweeps.calibration.walk_forward import Split

if TYPE_CHECKING:
    import pandas as pd

UNCORRECTED = "not corrected for choosing"


@dataclass(frozen=True, eq=False)
class Evidence:
    """Intervals of the daily means, and tests of the choice.

    Attributes
    ----------
    n_days, n_candidates : int
        Trading days, and settings that satisfy the constraints, among which one is chosen.
    coverage : float
        Coverage of the intervals, a fraction.
    intervals : dict of str to MeanIntervals
        By metric, and of the score as "score" if it is a sum over days; empty without resamples.
    superiority : Superiority or None
        Tests whether any setting is better than no limits; None without resamples or if the score is no sum over days.
    overfitting : Overfitting or None
        How often the best on half of the days is below the median on the others; None if the score is no sum over days,
        or there are too few days or settings.
    out_of_sample : tuple of float or None
        Interval of the mean daily score in the test windows of the settings chosen before them.
    """

    n_days: int
    n_candidates: int
    coverage: float
    intervals: dict[str, MeanIntervals]
    superiority: Superiority | None
    overfitting: Overfitting | None
    out_of_sample: tuple[float, float] | None

    def columns(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` with the interval of each metric of each setting; the lower end of the score is that of a chosen one."""
        for name, found in self.intervals.items():
            frame[f"{name}_low"] = found.chosen_low if name == "score" else found.low
            frame[f"{name}_high"] = found.high
            corrected = f"corrected for choosing among {self.n_candidates:,} settings"
            note = corrected if name == "score" else UNCORRECTED
            frame.attrs |= {f"{name}_{end}": f"{self.coverage:.0%} interval, {note}" for end in ("low", "high")}
        return frame

    def interval_row(self, name: str, row: int, unit: str = "") -> list[Row]:
        """The interval of one setting as a row of a table; none without resamples."""
        if name not in self.intervals:
            return []
        found = self.intervals[name]
        low = found.chosen_low[row] if name == "score" else found.low[row]
        corrected = f"corrected for choosing among {self.n_candidates:,}"
        notes = ", ".join(filter(None, (unit, corrected if name == "score" else UNCORRECTED)))
        return [(f"  {self.coverage:.0%} interval", _between(float(low), float(found.high[row])), notes)]

    def out_of_sample_row(self) -> list[Row]:
        """The interval of the score in the test windows."""
        if self.out_of_sample is None:
            return []
        return [(f"    {self.coverage:.0%} interval", _between(*self.out_of_sample), "chosen before, so not corrected")]

    def rows(self) -> list[Row]:
        """Tests of the choice, and what so many days cannot show."""
        rows: list[Row] = []
        if self.superiority is not None:
            rows.append(("no setting better than no limits", self.superiority.spa, "p-value, Hansen's SPA test"))
            rows.append(("", self.superiority.reality_check, "p-value, White's reality check"))
        if self.overfitting is not None:
            unit = f"below the median out of sample, {self.overfitting.n_splits:,} splits"
            rows.append(("probability of overfitting", f"{self.overfitting.probability:.1%}", unit))
        if self.intervals:
            rows.append(
                (f"{self.n_days:,} days", "do not show what is rarer", f"than 1 day in {self.rarest_seen:,.3g}")
            )
        return rows

    @property
    def rarest_seen(self) -> float:
        """Days between events that as many days show with a probability of `coverage`; rarer ones may be missing."""
        return float(1.0 / -np.expm1(np.log1p(-self.coverage) / self.n_days))


def _between(low: float, high: float) -> str:
    if np.isnan(low) and np.isnan(high):
        return f"not known (fewer than {MIN_DAYS} days, or all alike)"
    ends = [number(end) if np.isfinite(end) else "no bound known" for end in (low, high)]
    return " to ".join(ends)


def evidence_for(
    daily: dict[str, np.ndarray],
    scores: np.ndarray | None,
    feasible: np.ndarray,
    splits: tuple[Split, ...],
    rng: np.random.Generator | None,
    *,
    resamples: int,
    coverage: float,
    block: float,
    kind: BlockKind = "stationary",
) -> Evidence:
    """Intervals and tests from daily figures; without resamples only the probability of overfitting.

    Parameters
    ----------
    daily : dict of str to (n_settings, n_days)
        Metrics of every setting by day, whose means are given intervals.
    scores : (n_settings, n_days) or None
        Daily scores less those without limits, larger is better; None if the score is not a sum over days.
    feasible : (n_settings,) of bool
        Settings that satisfy the constraints.
    splits : tuple of Split
        Walk-forward splits.
    rng, resamples, coverage, block, kind
        As in `calibrate`.
    """
    n_days = next(iter(daily.values())).shape[1]
    intervals: dict[str, MeanIntervals] = {}
    tests, outside = None, None
    if resamples and rng is not None:
        for name, series in daily.items():
            intervals[name] = mean_intervals(series, rng, resamples, coverage)
        if scores is not None:
            intervals["score"] = mean_intervals(scores, rng, resamples, coverage, candidates=feasible)
            means = resampled_means(scores[feasible], rng, resamples, block=block, kind=kind)
            tests = superiority(scores[feasible], means, block)
            if splits:
                found = mean_intervals(_scores_out_of_sample(scores, splits)[None], rng, resamples, coverage)
                outside = float(found.low[0]), float(found.high[0])
    overfit = None if scores is None else overfitting(scores[feasible])
    return Evidence(n_days, int(feasible.sum()), coverage, intervals, tests, overfit, outside)


def _scores_out_of_sample(scores: np.ndarray, splits: tuple[Split, ...]) -> np.ndarray:
    """Daily scores in the test windows of the settings chosen before them; 0 where none was."""
    parts = [
        np.zeros(window.test_to - window.test_from) if row is None else scores[row, window.test_from : window.test_to]
        for window, row in ((split.window, split.row) for split in splits)
    ]
    return np.concatenate(parts)
