"""The answer of a calibration: the chosen setting, its intervals, and how it did on days it had not seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._show import Row, Shown
from riskkit.replay.parameters import duration_text
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.sweeps.choice import Choice, pareto_front
from riskkit.replay.sweeps.daily import COLUMNS, daily_frame
from riskkit.replay.sweeps.judged import NOTHING, Figures, Resamples, Split
from riskkit.replay.sweeps.settings import Setting, with_setting

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Calibration"]


@dataclass(frozen=True, repr=False, eq=False)
class Calibration(Shown):
    """The answer of `calibrate`. Every figure is per trading day, so that windows of different lengths compare.

    Attributes
    ----------
    base : RuleSet
        The rules as they came.
    settings : list
        What was tried.
    figures : Figures
        Sums by setting and day, in whole units.
    choice : Choice
        Objective and constraints.
    place : int
        Of the chosen setting.
    resamples : Resamples or None
        Outcomes and choices over resampled days.
    splits : tuple of Split
        The walk forward.
    coverage : float
        Of the intervals.
    block : float
        Days in a block of the bootstrap.
    horizon_ns : int or None
        How long after an order it is judged; None: at the end of the log.
    currency : str
        Of the money.

    Examples
    --------
    >>> import pandas as pd
    >>> import riskkit as rk
    >>> frame = pd.DataFrame({"ts": range(3), "kind": ["order", "fill", "price"], "account": ["A", "A", None],
    ...                       "instrument": "X", "side": ["B", "B", None], "qty": [5, 5, None],
    ...                       "price": [10, 10, 8], "order_id": ["a", "a", None]})
    >>> rules = rk.RuleSet([rk.Rule("size", rk.MaxOrderQty(limit=9))])
    >>> found = rk.calibrate(rk.EventLog.from_frame(frame), rules, {"size.limit": [4, 9]}, resamples=0, compiled=False)
    >>> found.chosen, found.frame["loss_avoided"].tolist()
    ({'size.limit': 4}, [10.0, 0.0])
    """

    base: RuleSet
    settings: list[Setting]
    figures: Figures
    choice: Choice
    place: int
    resamples: Resamples | None
    splits: tuple[Split, ...]
    coverage: float
    block: float
    horizon_ns: int | None
    currency: str

    @property
    def chosen(self) -> Setting:
        """The setting that the objective likes best among those that fit."""
        return dict(self.settings[self.place])

    def rules(self) -> RuleSet:
        """The rules with the chosen setting."""
        return with_setting(self.base, self.chosen)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a setting: outcomes per trading day, score, intervals, and the share of resamples that chose it."""
        frame = self.figures.frame()
        frame["score"] = self.choice.scores(self.figures.frame())
        frame["fits"] = self.choice.fits(self.figures.frame())
        sums = self.figures.sums.sum(axis=1)  # whole units: ties are ties
        columns = (COLUMNS.index("loss_avoided"), COLUMNS.index(self.choice.blocked))
        frame["on_front"] = pareto_front(*(sums[:, column] for column in columns))
        frame["chosen"] = np.arange(len(frame)) == self.place
        if self.resamples is not None:
            ends = [(1 - self.coverage) / 2, (1 + self.coverage) / 2]
            names = ("loss_avoided", self.choice.blocked)
            for name, drawn in zip(names, (self.resamples.avoided, self.resamples.blocked), strict=True):
                frame[f"{name}_low"], frame[f"{name}_high"] = np.quantile(drawn, ends, axis=0)
            count = np.bincount(self.resamples.chosen[self.resamples.chosen >= 0], minlength=len(frame))
            frame["chosen_share"] = count / len(self.resamples.chosen)
        return frame

    def to_frame(self) -> pd.DataFrame:
        """One row a setting."""
        return self.frame

    def by_day(self) -> pd.DataFrame:
        """What the chosen setting refused on each trading day, indexed by when the day starts, in UTC."""
        import pandas as pd

        sums = self.figures.sums[self.place]
        starts = pd.to_datetime(self.figures.days.starts, utc=True)
        return daily_frame(sums, 1, 0, self.figures.quantum, starts).drop(columns="refused_share")

    def out_of_sample(self) -> pd.DataFrame:
        """One row a split: what its training window chose, and its figures there (train) and afterwards (test).

        ``*_refused`` is the share of orders that were refused. ``best_score`` is what the best setting that fits there
        would have had in the test window (0 where none fits): nobody could have known it. Orders less than a horizon
        before the end of the log are judged at its end.

        Raises
        ------
        InputError
            Where no walk forward was asked for.
        """
        import pandas as pd

        if not self.splits:
            raise InputError("no walk forward was asked for; give train_days and test_days")
        starts = pd.to_datetime(self.figures.days.starts, utc=True)
        rows = []
        for split in self.splits:
            window = split.window
            setting = self.settings[split.place] if split.place != NOTHING else dict.fromkeys(self.settings[0])
            dates = {"test_from": starts[window.test_from], "test_to": starts[window.test_to - 1]}
            known = {"train_days": window.known_to - window.train_from, "test_days": window.test_to - window.test_from}
            rows.append({**dates, **known, **setting, "fits": split.place != NOTHING, **_figures(split)})
        return pd.DataFrame(rows)

    def plot(self, ax: Any = None) -> Any:
        """Draw every setting, the Pareto front, and the chosen point with its intervals."""
        from riskkit.replay.sweeps.front_picture import draw_front

        return draw_front(self.frame, self.choice.blocked, self.coverage, self.currency, ax)

    def _title(self) -> str:
        return f"Calibration over {len(self.settings):,} settings and {len(self.figures.days.starts):,} trading days"

    def _rows(self) -> list[Row]:
        until = "the end of the log" if self.horizon_ns is None else f"{duration_text(self.horizon_ns)} after the order"
        row, money = self.frame.iloc[self.place], f"{self.currency} a day"
        rows: list[Row] = [(f"chosen {name}", value, "") for name, value in self.chosen.items()]
        rows += [("refusals judged by prices at", until, ""), ("orders refused", float(row["refused_share"]), "share")]
        for name in ("loss_avoided", self.choice.blocked):
            said = name.replace("_", " ")
            rows.append((said, float(row[name]), money))
            if self.resamples is not None:
                between = f"{row[f'{name}_low']:,.6g} to {row[f'{name}_high']:,.6g}"
                rows.append((f"  {self.coverage:.0%} interval", between, money))
        rows += [("score", float(row["score"]), ""), ("on the Pareto front", bool(row["on_front"]), "")]
        if not (callable(self.choice.objective) or isinstance(self.choice.objective, str)):
            rows.append(("score of no limits at all", 0.0, ""))
        if self.resamples is not None:
            of = f"of {len(self.resamples.chosen):,} resamples, in blocks of {self.block:g} days"
            rows.append(("chosen again in", f"{row['chosen_share']:.1%}", of))
        if self.splits:
            tested = np.array([split.window.test_to - split.window.test_from for split in self.splits])
            rows.append(("walk-forward splits", len(self.splits), ""))
            for said, name in (("in sample", "train"), ("out of sample", "test"), ("best in hindsight", "best")):
                scores = np.array([getattr(split, f"{name}_score") for split in self.splits])
                rows.append((f"  mean score, {said}", float(scores @ tested / tested.sum()), ""))
        return rows


def _figures(split: Split) -> dict[str, float]:
    return {name: getattr(split, name) for name in split._fields if name not in ("window", "place")}
