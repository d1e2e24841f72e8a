"""Result of `detection`: catch rate, time to the stop and loss of every setting, against its false alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, positive
from riskkit._show import Row, Shown, number, percent
from riskkit.replay.incidents.injected import Draw, Outcome
from riskkit.replay.incidents.rates import daily_interval, share_interval
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.retuned import Setting, with_setting
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.sweeps.grid.settings import index_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTE = "at other moments and seeds, not for incidents of another kind; not corrected for choosing a setting"


class Detection(Shown):
    """Result of `detection`; losses positive, in money of the log, times in seconds from the first order of an incident.

    Attributes
    ----------
    frame : DataFrame
        One row per setting, in grid order: ``runs``, ``caught`` (stopped lastingly), ``catch_rate`` with its interval,
        ``time_to_stop`` and ``loss_at_stop`` (medians of the caught), ``loss_with_limits`` and ``loss`` (means of all runs at the
        end of the incident, with and without limits), ``passed`` (mean fraction of orders that passed in runs that were not
        caught), ``refused`` (messages on the log without incident), ``false_alarms`` (a quiet day) with its interval, and
        ``alarm_days`` (fraction of days with one or more).
    runs : DataFrame
        One row per setting and injected run: incident, scale, seed and beginning, and the fields of its outcome.

    Examples
    --------
    >>> import riskkit as rk
    >>> day = rk.replay.tiny_log([1, 2, 9], spacing_ns="1min")
    >>> rules = rk.RuleSet([rk.Rule("size", rk.rules.MaxOrderQty(limit=5), action="HALT")])
    >>> found = rk.incidents.detection(day, rules, ["flash"], {"size.limit": [1, 5]}, moments=4,
    ...                                rng=np.random.default_rng(1), compiled=False)
    >>> found.runs[["incident", "stopped", "rule", "loss_with_limits"]].drop_duplicates().values.tolist()
    [['flash-crash-2010-05-06', True, 'size', 0.0]]
    >>> found.by_incident().loc[1, "catch_rate"].tolist()
    [1.0]
    """

    def __init__(
        self,
        log: EventLog,
        rules: RuleSet,
        settings: list[Setting],
        draws: list[Draw],
        outcomes: list[list[Outcome]],
        refused: np.ndarray,
        lasting_ns: int,
        coverage: float,
    ) -> None:
        import pandas as pd

        self.log = log
        self.rules = rules
        self.settings = settings
        self.lasting_ns = lasting_ns
        self.coverage = coverage
        names = list(settings[0])
        index = index_of(settings, names)
        rows = [self._row(found, days) for found, days in zip(outcomes, refused, strict=True)]
        self.frame = pd.DataFrame(rows, index=index)
        told = [
            {"incident": one.incident.id, "scale": one.scale, "at": pd.Timestamp(one.at, tz="UTC"), "seed": one.seed}
            for one in draws
        ]
        lines = [
            {**setting, **draw, **one._asdict()}
            for setting, found in zip(settings, outcomes, strict=True)
            for draw, one in zip(told, found, strict=True)
        ]
        self.runs = pd.DataFrame(lines).set_index(names)
        self.quiet_days = refused.shape[1]

    def _row(self, outcomes: list[Outcome], refused: np.ndarray) -> dict[str, Any]:
        """The figures of one setting; `refused` has the refused messages of each day."""
        caught = [one for one in outcomes if one.stopped]
        low, high = share_interval(len(caught), len(outcomes), self.coverage)
        alarms_low, alarms_high = daily_interval(refused, self.coverage)
        return {
            "runs": len(outcomes),
            "caught": len(caught),
            "catch_rate": len(caught) / len(outcomes),
            "catch_rate_low": low,
            "catch_rate_high": high,
            "time_to_stop": _median([one.time_to_stop for one in caught]),
            "loss_at_stop": _median([one.loss_at_stop for one in caught]),
            "loss_with_limits": float(np.mean([one.loss_with_limits for one in outcomes])),
            "loss": float(np.mean([one.loss for one in outcomes])),
            "passed": float(np.mean([one.passed for one in outcomes if not one.stopped] or [np.nan])),
            "refused": int(refused.sum()),
            "false_alarms": float(refused.mean()),
            "false_alarms_low": alarms_low,
            "false_alarms_high": alarms_high,
            "alarm_days": float((refused > 0).mean()),
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per setting."""
        return self.frame

    def by_incident(self) -> pd.DataFrame:
        """Catch rate, median time to the stop and mean loss with limits by setting, incident and scale."""
        names = list(self.settings[0])
        groups = self.runs.reset_index().groupby([*names, "incident", "scale"], sort=False)
        found = groups.agg(
            runs=("stopped", "size"),
            catch_rate=("stopped", "mean"),
            time_to_stop=("time_to_stop", "median"),
            loss_with_limits=("loss_with_limits", "mean"),
        )
        return found

    def best(self, *, at_most_false_alarms: float) -> Setting:
        """The setting that catches most with at most so many false alarms a quiet day.

        Of settings that catch equally many, the one with the smaller mean loss with limits, then the fewer false alarms,
        then the first. The choice is by the estimates, not by their intervals.

        Raises
        ------
        InputError
            If every setting has more false alarms.
        """
        most = positive(at_most_false_alarms, "at_most_false_alarms", zero=True)
        frame = self.frame.reset_index(drop=True)
        allowed = frame[frame["false_alarms"] <= most]
        if allowed.empty:
            raise InputError(
                f"at_most_false_alarms={most:g}: no setting has so few; the fewest are "
                f"{frame['false_alarms'].min():,.6g} a quiet day"
            )
        ranked = allowed.assign(missed=-allowed["caught"])
        order = ranked.sort_values(["missed", "loss_with_limits", "false_alarms"], kind="stable")
        return dict(self.settings[int(order.index[0])])

    def rules_of(self, setting: Setting) -> RuleSet:
        """The rule set of a setting."""
        return with_setting(self.rules, setting)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the catch rate against the false alarms a quiet day, with both intervals and labelled settings."""
        ax = plot.axes(ax, height=4.2)
        frame = self.frame.reset_index(drop=True)
        order = frame.sort_values(["false_alarms", "catch_rate"], kind="stable").index
        x, y = frame["false_alarms"].to_numpy(), frame["catch_rate"].to_numpy()
        spans = [
            np.abs(np.array([values - frame[f"{name}_low"], frame[f"{name}_high"] - values]))
            for name, values in (("false_alarms", x), ("catch_rate", y))
        ]
        ax.errorbar(x, y, xerr=spans[0], yerr=spans[1], fmt="none", ecolor=plot.PALE, elinewidth=1.0, zorder=1)
        ax.plot(x[order], y[order], "o-", color=plot.STRONG, ms=5, lw=1.0, zorder=3)
        names: dict[tuple[float, float], list[str]] = {}  # settings at one point share a label
        for point, setting in zip(zip(x.tolist(), y.tolist(), strict=True), self.settings, strict=True):
            names.setdefault(point, []).append(label_of(setting, short=True))
        for point, labels in names.items():
            ax.annotate(plot.literal("; ".join(labels)), point, (5, -11), textcoords="offset points", fontsize=8)
        above = x[x > 0]
        if len(above) and above.max() > 100 * above.min():
            ax.set_xscale("symlog", linthresh=float(above.min()))
        plot.thousands(ax.xaxis)
        ax.set_ylim(-0.05, 1.05)
        ax.set_xlabel("false alarms: messages refused a quiet day", color=plot.INK)
        ax.set_ylabel("incidents caught, share of runs")
        varied = ", ".join(self.settings[0])
        plot.dress(ax, f"Detection by {varied}: {self.frame['runs'].iloc[0]:,} injected runs a setting")
        return ax

    def _title(self) -> str:
        return f"Detection by {', '.join(self.settings[0])}"

    def _rows(self) -> list[Row]:
        frame, level = self.frame.reset_index(drop=True), percent(self.coverage)
        kinds = self.runs["incident"].unique().tolist()
        rows: list[Row] = [
            ("injected runs a setting", int(frame["runs"].iloc[0]), ", ".join(kinds)),
            ("quiet days", self.quiet_days, ""),
            ("a stop lasts at least", self.lasting_ns / 1e9, "s"),
            ("intervals", level, NOTE),
        ]
        for place, setting in enumerate(self.settings):
            one = frame.iloc[place]
            rows += [
                (label_of(setting), "", ""),
                ("  caught", _between(one, "catch_rate", 100.0, "%"), ""),
                ("  false alarms", _between(one, "false_alarms", 1.0, ""), "a quiet day"),
            ]
            if one["caught"]:
                rows += [("  time to stop (median)", float(one["time_to_stop"]), "s")]
                rows += [("  loss at stop (median)", float(one["loss_at_stop"]), self._currency)]
            if one["caught"] < one["runs"]:
                rows.append(("  not caught", f"{100 * one['passed']:.3g} % through", "of their orders, mean"))
            without = f"{self._currency}, {number(float(one['loss']))} without"
            rows.append(("  loss with limits (mean)", float(one["loss_with_limits"]), without))
        return rows

    @property
    def _currency(self) -> str:
        return self.log.universe.currency


def label_of(setting: Setting, *, short: bool = False) -> str:
    """A setting in a line; short: its values alone."""
    if short:
        return ", ".join(_value(value) for value in setting.values())
    return ", ".join(f"{name} {_value(value)}" for name, value in setting.items())


def _value(value: Any) -> str:
    return f"{value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _between(row: Any, name: str, scale: float, unit: str) -> str:
    """An estimate with its interval."""
    low, high = (f"{scale * row[f'{name}_{end}']:,.3g}" for end in ("low", "high"))
    return f"{scale * row[name]:,.3g} {unit}".rstrip() + f" ({low} to {high})"


def _median(values: list[float | None]) -> float:
    return float(np.median(np.array(values, float))) if values else float("nan")
