"""Result of a calibration: the selected setting, its enforced curve, its intervals, and its out-of-sample performance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ORPHANS_ARE
from riskkit.replay.rules.retuned import Setting, with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.trading_day import TradingDay
from riskkit.replay.run.compare import compare
from riskkit.replay.run.comparison import ReplayComparison
from riskkit.replay.run.pace import OnTrip, Pace
from riskkit.replay.sweeps.calibration.block_bootstrap import Resamples
from riskkit.replay.sweeps.calibration.evidence import Evidence
from riskkit.replay.sweeps.calibration.objective import Selection, pareto_front
from riskkit.replay.sweeps.calibration.walk_forward import Split
from riskkit.replay.sweeps.many.daily import DailyFigures
from riskkit.replay.sweeps.many.days import Measured
from riskkit.replay.sweeps.many.figures import figures_of, hindsight_rows, with_notes
from riskkit.replay.sweeps.many.order_outcome import horizon_text
from riskkit.replay.sweeps.many.policies import Policy, agree, disagreement

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False, eq=False)
class Calibration(Exported):
    """Result of `calibrate`. Amounts and counts are per trading day, so that windows of different lengths compare.

    Attributes
    ----------
    log : EventLog
        The record.
    base : RuleSet
        The rules as given.
    settings : list
        The settings of the grid.
    by_policy : dict of str to DailyFigures
        Figures by setting and day under each policy for orphan exits.
    orphan_exits : tuple of int
        Number of orphan exits of each setting.
    orphans : str
        Policy for orphan exits under which the setting is selected.
    on_trip, flatten : str
        As given.
    selection : Selection
        Objective and constraints.
    row : int
        Row of the selected setting.
    resamples : Resamples or None
        Selections over resampled days.
    splits : tuple of Split
        Walk-forward splits.
    state : str
        State of the limits at the start of a window: "carried" or "fresh".
    evidence : Evidence
        Intervals of the daily means and of the score, and tests of the choice: White's reality check, Hansen's SPA test,
        the probability of overfitting.
    block : float
        Block length of the bootstrap, days.
    horizon_ns : int or None
        Nanoseconds from an order to its valuation in hindsight; None: the end of the log.
    day : TradingDay
        Start of a trading day.
    compiled : bool or str
        As in `riskkit.replay_log`.

    Examples
    --------
    >>> import riskkit as rk
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=9))])
    >>> log = rk.replay.tiny_log([5], marks=8)
    >>> found = rk.calibrate(log, rules, {"size.limit": [4, 9]}, resamples=0, compiled=False)
    >>> found.chosen, found.frame["profit_change"].tolist()
    ({'size.limit': 4}, [10.0, 0.0])
    """

    log: EventLog
    base: RuleSet
    settings: list[Setting]
    by_policy: dict[Policy, DailyFigures]
    orphan_exits: tuple[int, ...]
    orphans: Policy
    on_trip: OnTrip
    flatten: Pace
    selection: Selection
    row: int
    resamples: Resamples | None
    splits: tuple[Split, ...]
    evidence: Evidence
    state: str
    block: float
    horizon_ns: int | None
    day: TradingDay
    compiled: Tier

    @property
    def figures(self) -> DailyFigures:
        """Figures by setting and day under the policy of the selection."""
        return self.by_policy[self.orphans]

    @property
    def currency(self) -> str:
        """Currency of money."""
        return self.log.universe.currency

    @property
    def chosen(self) -> Setting:
        """The feasible setting with the highest score."""
        return dict(self.settings[self.row])

    def rules(self) -> RuleSet:
        """The rules with the selected setting."""
        return with_setting(self.base, self.chosen)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per setting: figures, score, interval of the score, and the fraction of resamples that selected it.

        ``orphans`` is the policy of the figures, ``profit_change_keep`` and so on those under each policy, and
        ``policies_agree`` is False where their signs differ. ``on_front``: no other setting has at least its profit at no
        larger drawdown, and one of them better. The interval of the score holds for a chosen setting, that of the profit
        change for one that is named beforehand; the frame's ``attrs`` say so.
        """
        figures = self.figures.frame()
        frame = figures.assign(score=self.selection.scores(figures), feasible=self.selection.feasible(figures))
        frame["on_front"] = pareto_front(figures["profit_change"], figures["drawdown"])
        frame["chosen"] = np.arange(len(frame)) == self.row
        frame["orphans"], frame["orphan_exits"] = self.orphans, self.orphan_exits
        for policy in self.by_policy:
            frame[f"profit_change_{policy}"] = self.policies.xs(policy, level="orphans")["profit_change"].to_numpy()
        changes = frame[[f"profit_change_{policy}" for policy in self.by_policy]].to_numpy()
        frame["policies_agree"] = [agree(row) for row in changes.tolist()]
        if self.resamples is not None:
            chosen = self.resamples.chosen
            frame["chosen_share"] = np.bincount(chosen[chosen >= 0], minlength=len(frame)) / len(chosen)
        return self.evidence.columns(with_notes(frame))

    @cached_property
    def policies(self) -> pd.DataFrame:
        """Figures of every setting under every policy for orphan exits; the last level of the index is the policy."""
        import pandas as pd

        frames = {policy: figures.frame() for policy, figures in self.by_policy.items()}
        frame = pd.concat(frames, names=["orphans"])
        levels = [*range(1, frame.index.nlevels), 0]
        order = np.arange(len(frame)).reshape(len(frames), -1).T.ravel()
        return with_notes(frame.iloc[order].reorder_levels(levels))

    @property
    def warnings(self) -> list[str]:
        """Sentences on what makes the selection doubtful: policies for orphan exits that disagree in sign."""
        own = {policy: self.frame[f"profit_change_{policy}"].tolist()[self.row] for policy in self.by_policy}
        found = [disagreement(own, "the profit change per day", self.currency)]
        others = int((~self.frame["policies_agree"].drop(self.frame.index[self.row])).sum())
        if others:
            found.append(f"the policies disagree in the sign of the profit change of {others:,} settings not selected")
        return [sentence for sentence in found if sentence]

    def to_frame(self) -> pd.DataFrame:
        """One row per setting."""
        return self.frame

    def by_day(self) -> pd.DataFrame:
        """Figures of the selected setting on each trading day, indexed by the start of the day in UTC."""
        import pandas as pd

        figures = self.figures
        own, record = Measured(figures.sums[self.row], figures.path[self.row]), figures.record
        days = [figures_of(record, own, np.array([day])) for day in range(figures.n_days)]
        return with_notes(pd.DataFrame(days, index=pd.to_datetime(record.days.starts, utc=True)))

    @cached_property
    def comparison(self) -> ReplayComparison:
        """The record beside the enforced replay of the selected setting: curves, accounts and rules."""
        return compare(
            self.log,
            self.rules(),
            ("enforce",),
            orphans=self.orphans,
            on_trip=self.on_trip,
            flatten=self.flatten,
            compiled=self.compiled,
        )

    def out_of_sample(self) -> pd.DataFrame:
        """One row per split: the setting selected in training, with its figures in training and test.

        ``best_score`` is the score of the best feasible setting in the test window (that of the record if none is
        feasible), known only afterwards. In hindsight, orders less than a horizon before the end of the log are valued
        at its end.

        Raises
        ------
        InputError
            If there was no walk-forward evaluation.
        """
        import pandas as pd

        if not self.splits:
            raise InputError("there was no walk-forward evaluation; give train_days and test_days")
        starts = pd.to_datetime(self.figures.record.days.starts, utc=True)
        rows = []
        for window, row, train, test, best_score in self.splits:
            rows.append(
                {
                    "test_from": starts[window.test_from],
                    "test_to": starts[window.test_to - 1],
                    "train_days": window.known_to - window.train_from,
                    "test_days": window.test_to - window.test_from,
                    "state": self.state,
                    **(dict.fromkeys(self.settings[0]) if row is None else self.settings[row]),
                    "feasible": row is not None,
                    **{f"train_{name}": value for name, value in train._asdict().items()},
                    **{f"test_{name}": value for name, value in test._asdict().items()},
                    "best_score": best_score,
                }
            )
        return with_notes(pd.DataFrame(rows))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the total profit of the record and under the selected setting, enforced."""
        from riskkit import plot

        ax = self.comparison.plot_profit(ax)
        title = ax.get_title(loc="left")
        ax.set_title(
            f"Selected: {plot.literal(self._chosen_text())}, orphan exits {ORPHANS_ARE[self.orphans]}\n{title}",
            loc="left",
        )
        return ax

    def plot_front(self, ax: Axes | None = None) -> Axes:
        """Plot profit change against drawdown of all settings, the Pareto front, and the selected setting."""
        from riskkit import plot

        ax = plot.axes(ax, width=7.5, height=4.6)
        frame = self.frame
        cost, gain = frame["drawdown"].to_numpy(float), frame["profit_change"].to_numpy(float)
        front = frame["on_front"].to_numpy(bool)
        (scale, unit), (daily, unit_of_day) = (plot.money_scale(values, self.currency) for values in (cost, gain))
        cost, gain = cost / scale, gain / daily
        order = np.flatnonzero(front)[np.lexsort((gain[front], cost[front]))]
        ax.step(cost[order], gain[order], where="post", color=plot.STRONG, lw=1.2, label="Pareto front")
        ax.plot(cost[order], gain[order], "o", color=plot.STRONG, ms=5)
        if not front.all():
            ax.plot(cost[~front], gain[~front], "x", color=plot.INK, ms=5, ls="", label="dominated")
        ax.plot([cost[self.row]], [gain[self.row]], "D", color=plot.WARM, ms=8, label="selected")
        ax.set_xlabel(f"drawdown after any event, {unit}")
        ax.set_ylabel(f"profit change, {unit_of_day} per day")
        plot.dress(ax, f"Selected: {self._chosen_text()}, orphan exits {ORPHANS_ARE[self.orphans]}")
        plot.legend_below(ax)
        return ax

    def _chosen_text(self) -> str:
        return ", ".join(f"{key} = {_text(value)}" for key, value in self.chosen.items())

    def _title(self) -> str:
        return f"Calibration over {len(self.settings):,} settings and {self.figures.n_days:,} trading days"

    def _rows(self) -> list[Row]:
        row, money = self.frame.iloc[self.row], self.currency
        record = self.figures.record_frame().iloc[0]
        rows: list[Row] = [(f"selected {name}", value, "") for name, value in self.chosen.items()]
        rows += [("  for", self.selection.name, "of the enforced replay"), ("trading day", str(self.day), "")]
        for name, unit in ENFORCED_ROWS.items():
            unit = unit.format(money=money)
            rows += [(name.replace("_", " "), float(row[name]), unit)]
            rows += [("  of the record", float(record[name]), unit)] if name in OF_THE_RECORD else []
            rows += self.evidence.interval_row(name, self.row, unit)
        rows += [("orphan exits", int(row["orphan_exits"]), ORPHANS_ARE[self.orphans])]
        if row["orphan_exits"]:
            rows += [
                (f"  profit change if {ORPHANS_ARE[policy]}", float(row[f"profit_change_{policy}"]), f"{money} per day")
                for policy in self.by_policy
            ]
        if self.warnings:
            rows.append(("warning", "orphan policies disagree in sign", "see warnings"))
        rows += [("score", float(row["score"]), ""), *self.evidence.interval_row("score", self.row)]
        rows += [("on the Pareto front", bool(row["on_front"]), "")]
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
            rows.append(("walk-forward splits", len(self.splits), f"{self.state} state"))
            for label, values in scores.items():
                rows.append((f"  mean score, {label}", float(np.array(values) @ tested / tested.sum()), ""))
                rows += self.evidence.out_of_sample_row() if label == "out of sample" else []
        rows.append(("orders valued in hindsight at", horizon_text(self.horizon_ns), ""))
        sums = [(name.replace("_", " "), float(row[name]), f"{money} per day") for name in IN_HINDSIGHT_ROWS]
        return rows + hindsight_rows(sums)


ENFORCED_ROWS = {
    "profit_change": "{money} per day",
    "profit": "{money} per day",
    "drawdown": "{money}, after any event",
    "worst_day": "{money}",
    "expected_shortfall": "{money}, worst 5 % of days",
    "rejected_share": "fraction of orders",
    "hours_halted_calendar": "hours per day",
    "hours_halted_trading": "hours per day",
}
OF_THE_RECORD = ("profit", "drawdown", "worst_day", "expected_shortfall")
IN_HINDSIGHT_ROWS = ("loss_avoided", "profit_forgone")


def _text(value: Any) -> str:
    return f"{value:,.10g}" if isinstance(value, (int, float, np.number)) else str(value)
