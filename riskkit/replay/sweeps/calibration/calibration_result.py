"""Result of a calibration: the selected setting, its intervals, and its out-of-sample performance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._show import Row, Shown
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.sweeps.calibration.block_bootstrap import Resamples
from riskkit.replay.sweeps.calibration.evidence import UNCORRECTED, Evidence
from riskkit.replay.sweeps.calibration.objective import Selection, pareto_front
from riskkit.replay.sweeps.calibration.walk_forward import Split
from riskkit.replay.sweeps.grid.settings import Setting, with_setting
from riskkit.replay.sweeps.many.daily import COLUMNS, DailyFigures, daily_frame
from riskkit.replay.sweeps.many.metrics import HINDSIGHT, hindsight_rows, with_notes
from riskkit.replay.sweeps.many.order_outcome import horizon_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False, eq=False)
class Calibration(Shown):
    """Result of `calibrate`. Metrics are per trading day, so that windows of different lengths compare.

    Attributes
    ----------
    base : RuleSet
        The rules as given.
    settings : list
        The settings of the grid.
    figures : DailyFigures
        Sums by setting and day.
    selection : Selection
        Objective and constraints.
    row : int
        Row of the selected setting.
    resamples : Resamples or None
        Selections over resampled days.
    splits : tuple of Split
        Walk-forward splits.
    evidence : Evidence
        Intervals of the daily means and of the score, and tests of the choice: White's reality check, Hansen's SPA test,
        the probability of overfitting.
    block : float
        Block length of the bootstrap, days.
    horizon_ns : int or None
        Nanoseconds from an order to its valuation; None: the end of the log.
    currency : str
        Currency of money.

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=9))])
    >>> log = rk.replay.tiny_log([5], marks=8)
    >>> found = rk.calibrate(log, rules, {"size.limit": [4, 9]}, resamples=0, compiled=False)
    >>> found.chosen, found.frame["loss_avoided"].tolist()
    ({'size.limit': 4}, [10.0, 0.0])
    """

    base: RuleSet
    settings: list[Setting]
    figures: DailyFigures
    selection: Selection
    row: int
    resamples: Resamples | None
    splits: tuple[Split, ...]
    evidence: Evidence
    block: float
    horizon_ns: int | None
    currency: str

    @property
    def chosen(self) -> Setting:
        """The feasible setting with the highest score."""
        return dict(self.settings[self.row])

    def rules(self) -> RuleSet:
        """The rules with the selected setting."""
        return with_setting(self.base, self.chosen)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per setting: metrics per day, score, intervals, and the fraction of resamples that selected it.

        The interval of the score holds for a chosen setting, those of the metrics for one that is named beforehand; the
        frame's ``attrs`` say so.
        """
        metrics = self.figures.frame()
        frame = metrics.assign(score=self.selection.scores(metrics), feasible=self.selection.feasible(metrics))
        names = ("loss_avoided", self.selection.cost)
        sums = self.figures.sums.sum(axis=1)  # integers, so that ties are exact
        frame["on_front"] = pareto_front(*(sums[:, COLUMNS.index(name)] for name in names))
        frame["chosen"] = np.arange(len(frame)) == self.row
        if self.resamples is not None:
            chosen = self.resamples.chosen
            frame["chosen_share"] = np.bincount(chosen[chosen >= 0], minlength=len(frame)) / len(chosen)
        return self.evidence.columns(with_notes(frame))

    def to_frame(self) -> pd.DataFrame:
        """One row per setting."""
        return self.frame

    def by_day(self) -> pd.DataFrame:
        """Rejections of the selected setting on each trading day, indexed by the start of the day in UTC."""
        import pandas as pd

        starts = pd.to_datetime(self.figures.days.starts, utc=True)
        frame = daily_frame(self.figures.sums[self.row], 1, 0, self.figures.quantum, starts)
        return frame.drop(columns="rejected_share")

    def out_of_sample(self) -> pd.DataFrame:
        """One row per split: the setting selected in training, with its metrics in training and test.

        ``best_score`` is the score of the best feasible setting in the test window (0 if none is feasible), known only
        in hindsight. Orders less than a horizon before the end of the log are valued at its end.

        Raises
        ------
        InputError
            If there was no walk-forward evaluation.
        """
        import pandas as pd

        if not self.splits:
            raise InputError("there was no walk-forward evaluation; give train_days and test_days")
        starts = pd.to_datetime(self.figures.days.starts, utc=True)
        rows = []
        for window, row, train, test, best_score in self.splits:
            rows.append(
                {
                    "test_from": starts[window.test_from],
                    "test_to": starts[window.test_to - 1],
                    "train_days": window.known_to - window.train_from,
                    "test_days": window.test_to - window.test_from,
                    **(dict.fromkeys(self.settings[0]) if row is None else self.settings[row]),
                    "feasible": row is not None,
                    **{f"train_{name}": value for name, value in train._asdict().items()},
                    **{f"test_{name}": value for name, value in test._asdict().items()},
                    "best_score": best_score,
                }
            )
        return with_notes(pd.DataFrame(rows))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot loss avoided against cost of all settings, the Pareto front, and the selected setting's intervals."""
        from riskkit import plot

        ax = plot.axes(ax, width=7.5, height=4.6)
        frame, name = self.frame, self.selection.cost
        cost, gain = frame[name].to_numpy(float), frame["loss_avoided"].to_numpy(float)
        front = frame["on_front"].to_numpy(bool)
        ends: list[float] = []
        if self.resamples is not None:
            columns = [f"{metric}_{end}" for metric in (name, "loss_avoided") for end in ("low", "high")]
            found = frame[columns].iloc[self.row].to_numpy(float)
            ends = np.where(np.isfinite(found), found, np.repeat([cost[self.row], gain[self.row]], 2)).tolist()
        scale, unit = plot.money_scale([*cost, *gain, *ends], self.currency)
        cost, gain, ends = cost / scale, gain / scale, [end / scale for end in ends]
        x, y = cost[self.row], gain[self.row]
        order = np.flatnonzero(front)[np.lexsort((gain[front], cost[front]))]
        ax.step(cost[order], gain[order], where="post", color=plot.STRONG, lw=1.2, label="Pareto front")
        ax.plot(cost[order], gain[order], "o", color=plot.STRONG, ms=5)
        if not front.all():
            ax.plot(cost[~front], gain[~front], "x", color=plot.INK, ms=5, ls="", label="dominated")
        if ends:
            label = f"{self.evidence.coverage:.0%} intervals of the selected setting, {UNCORRECTED}"
            ax.plot(ends[:2], [y, y], color=plot.WARM, lw=1.4, label=label)
            ax.plot([x, x], ends[2:], color=plot.WARM, lw=1.4)
        ax.plot([x], [y], "D", color=plot.WARM, ms=8, label="selected")
        ax.set_xlabel(f"cost ({name.replace('_', ' ')}), {unit} per day")
        ax.set_ylabel(f"loss avoided, {unit} per day")
        chosen = ", ".join(f"{key} = {_text(value)}" for key, value in self.chosen.items())
        plot.dress(ax, f"Selected: {chosen}\n{HINDSIGHT}")
        plot.legend_below(ax)
        return ax

    def _title(self) -> str:
        return f"Calibration over {len(self.settings):,} settings and {len(self.figures.days.starts):,} trading days"

    def _rows(self) -> list[Row]:
        row, money = self.frame.iloc[self.row], f"{self.currency} per day"
        rows: list[Row] = [(f"selected {name}", value, "") for name, value in self.chosen.items()]
        rows += [("orders valued at", horizon_text(self.horizon_ns), "")]
        rows += [("orders rejected", float(row["rejected_share"]), "fraction")]
        sums: list[Row] = []
        for name in ("loss_avoided", self.selection.cost):
            sums.append((name.replace("_", " "), float(row[name]), money))
            sums += self.evidence.interval_row(name, self.row, money)
        rows += hindsight_rows(sums)
        rows += [("score", float(row["score"]), ""), *self.evidence.interval_row("score", self.row)]
        rows += [("on the Pareto front", bool(row["on_front"]), "")]
        if not (callable(self.selection.objective) or isinstance(self.selection.objective, str)):
            rows.append(("score without limits", 0.0, ""))
        if self.resamples is not None:
            unit = f"of {len(self.resamples.chosen):,} resamples, blocks of {self.block:.3g} days"
            rows.append(("selected again in", f"{row['chosen_share']:.1%}", unit))
        rows += self.evidence.rows()
        if self.splits:
            tested = np.array([split.window.test_to - split.window.test_from for split in self.splits])
            scores = {
                "in sample": [split.train.score for split in self.splits],
                "out of sample": [split.test.score for split in self.splits],
                "best possible": [split.best_score for split in self.splits],
            }
            rows.append(("walk-forward splits", len(self.splits), ""))
            for label, values in scores.items():
                rows.append((f"  mean score, {label}", float(np.array(values) @ tested / tested.sum()), ""))
                rows += self.evidence.out_of_sample_row() if label == "out of sample" else []
        return rows


def _text(value: Any) -> str:
    return f"{value:,.10g}" if isinstance(value, (int, float, np.number)) else str(value)
