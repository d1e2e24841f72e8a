"""Slider over the values of one threshold. All values are replayed beforehand; moving the slider only draws.

`ThresholdReport` looks up and plots the metrics of each value, without widgets; `ThresholdPanel` shows them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit import plot
from riskkit._check import Amount, InputError, instance
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit._widgets import Live, board, widgets
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.log.given import needs_a_log
from riskkit.replay.rules.retuned import split_name
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.pace import TOUCH, OnTrip, Pace
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.universe import exact
from riskkit.replay.sweeps.grid.axes import axis_label
from riskkit.replay.sweeps.many.figures import hindsight_rows
from riskkit.replay.sweeps.many.runner import Mode, Orphans
from riskkit.replay.sweeps.many.sweep import SweepResult, sweep
from riskkit.replay.sweeps.one_pass.curve import ThresholdCurve
from riskkit.replay.sweeps.rule_value.utilization import utilization

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

STOPS = 30  # positions of the slider by default
MULTIPLES = ("0.1", "0.2", "0.3", "0.5", "0.7", "0.85", "1", "1.2", "1.5", "2", "3", "5", "10")
WIDTH, HEIGHT = 6.4, 3.2


class ThresholdReport(Exported):
    """Metrics of each value of one threshold, from a sweep.

    Parameters
    ----------
    found : SweepResult
        A sweep of one parameter.
    now : number
        Value of the parameter in the rule set.

    Examples
    --------
    >>> from riskkit.rules import MaxOrderQty
    >>> from riskkit import Rule, replay
    >>> log, rules = replay.tiny_log([5, 2], marks=8), RuleSet([Rule("size", MaxOrderQty(limit=9))])
    >>> found = sweep(log, rules, {"size.limit": [1, 3, 9]}, compiled=False)
    >>> answers = ThresholdReport(found, 9)
    >>> answers.at(3)["orders_rejected"], answers.at(3)["profit"], answers.profit_without
    (1, -4.0, -14.0)
    >>> answers.sentence(3)
    'size.limit = 3: 1 of 2 orders rejected; profit -4 USD, -14 without limits.'
    """

    def __init__(self, found: SweepResult, now: float) -> None:
        if len(found.settings) == 0 or len(found.settings[0]) != 1:
            raise InputError("a threshold panel needs a sweep of one parameter")
        self.found = found
        self.now = now
        self.name = str(found.frame.index.name)
        self.frame: pd.DataFrame = found.frame.sort_index()
        self.values: list[float] = self.frame.index.tolist()
        self.orders = int((found.log.columns["kind"] == EventKind.ORDER).sum())
        first = self.frame.iloc[0]
        self.profit_without = float(first["profit"] - first["profit_change"])
        self.drawdown_without = float(first["drawdown"] - first["drawdown_change"])

    @property
    def currency(self) -> str:
        """Currency of money."""
        return self.found.log.universe.currency

    def at(self, value: float) -> dict[str, Any]:
        """Metrics of one value, by the names of `riskkit.replay.sweeps.many.metrics.METRICS`.

        Raises
        ------
        InputError
            If the value was not replayed.
        """
        if value not in self.values:
            raise InputError(
                f"{self.name}={value!r} was not replayed; the values are {', '.join(map(_label, self.values))}"
            )
        row = self.values.index(value)
        return {str(name): self.frame[name].tolist()[row] for name in self.frame}

    def nearest(self, value: float) -> float:
        """The nearest replayed value; of two equally near, the lower."""
        return min(self.values, key=lambda replayed: (abs(replayed - value), replayed))

    def sentence(self, value: float) -> str:
        """Rejections and profit of one value, in words."""
        metrics = self.at(value)
        return (
            f"{self.name} = {_label(value)}: {metrics['orders_rejected']:,} of {self.orders:,} orders rejected; profit "
            f"{metrics['profit']:,.0f} {self.currency}, {self.profit_without:,.0f} without limits."
        )

    def rows_at(self, value: float) -> list[Row]:
        """Table of one value: rejections, and money with and without limits."""
        metrics, money = self.at(value), self.currency
        share = f"of {self.orders:,}" + (f", {metrics['orders_rejected'] / self.orders:.1%}" if self.orders else "")
        return [
            ("value in the rules", self.now, ""),
            ("orders rejected", metrics["orders_rejected"], share),
            ("trips", metrics["trips"], ""),
            ("profit", metrics["profit"], money),
            ("profit without limits", self.profit_without, money),
            ("drawdown of profit", metrics["drawdown"], money),
            ("drawdown of profit without limits", self.drawdown_without, money),
            ("policy for orphan exits", metrics["orphans"], f"{metrics['orphan_exits']:,} of them"),
            *hindsight_rows(
                [(name.replace("_", " "), metrics[name], money) for name in ("loss_avoided", "profit_forgone")]
            ),
        ]

    def plot_rejections(self, value: float, ax: Axes | None = None) -> Axes:
        """Plot the rejected orders of every value, with one value marked."""
        count = int(self.at(value)["orders_rejected"])
        title = f"{count:,} of {self.orders:,} orders rejected"
        rejected = self.frame["orders_rejected"].to_numpy(float)
        return self._draw(rejected, value, title=title, label="orders rejected", ax=ax)

    def plot_profit(self, value: float, ax: Axes | None = None) -> Axes:
        """Plot the profit of every value and without limits, with one value marked."""
        profit = self.frame["profit"].to_numpy(float)
        scale, unit = plot.money_scale([*profit, self.profit_without], self.currency)
        without = self.profit_without / scale
        title = f"Profit {self.at(value)['profit'] / scale:,.2f} {unit}, {without:,.2f} without limits"
        ax = self._draw(profit / scale, value, title=title, label=f"profit, {unit}", ax=ax)
        ax.axhline(without, color=plot.INK, lw=1.0, ls=":")
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, 1.15 * without), max(high, 1.15 * without))
        ax.annotate("without limits ", (1.0, without), xycoords=("axes fraction", "data"), fontsize=9, color=plot.INK,
                    ha="right", va="bottom")  # fmt: skip
        return ax

    def to_frame(self) -> pd.DataFrame:
        """One row per value, ascending."""
        return self.frame

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the rejected orders of every value."""
        return self.plot_rejections(self.nearest(self.now), ax)

    def _draw(self, y: np.ndarray, value: float, *, title: str, label: str, ax: Axes | None) -> Axes:
        x = np.array(self.values, float)
        rule, parameter = split_name(self.found.rules, self.name)
        name = axis_label(rule, parameter, self.currency, name=self.name)
        return plot.threshold(x, y, float(value), name=name, title=title, label=label, tried=True, ax=ax)

    def _title(self) -> str:
        return f"{self.name}: {len(self.values)} values from {_label(self.values[0])} to {_label(self.values[-1])}"

    def _rows(self) -> list[Row]:
        return self.rows_at(self.nearest(self.now))


class ThresholdPanel(Live):
    """Slider over the values of a threshold, with plots and a table of the selected value.

    Attributes
    ----------
    answers : ThresholdReport
        The metrics shown; moving the slider replays nothing.
    widget : ipywidgets.VBox
        The widget that a notebook displays for this object.
    slider, table, pictures
        Parts of the widget; ``slider.value`` is the selected value.

    Examples
    --------
    >>> from riskkit.rules import MaxOrderQty
    >>> from riskkit import Rule, replay
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=4))])
    >>> found = sweep(replay.tiny_log([5, 2, 1]), rules, {"size.limit": [1, 4]}, compiled=False)
    >>> panel = ThresholdPanel(ThresholdReport(found, 4))
    >>> panel.slider.value = 1
    >>> panel.value, panel.answers.at(panel.value)["orders_rejected"]
    (1, 2)
    """

    def __init__(self, answers: ThresholdReport) -> None:
        make = widgets()
        self.answers = answers
        self._drawn: dict[float, tuple[bytes, bytes]] = {}
        wide = make.Layout(width="95%")
        self.slider = make.SelectionSlider(
            options=[(_label(value), value) for value in answers.values],
            value=answers.nearest(answers.now),
            description=answers.name,
            style={"description_width": "initial"},
            layout=wide,
        )
        self.table = make.HTML()
        self.pictures = tuple(make.Image(format="png", layout=make.Layout(width="49%")) for _ in range(2))
        self.widget = board(self.slider, make.HBox(self.pictures), self.table)
        self.slider.observe(self._moved, names="value")
        self._moved()

    @property
    def value(self) -> float:
        """The selected value."""
        return self.slider.value

    def _moved(self, change: Any = None) -> None:
        self.table.value = self._repr_html_()
        for picture, drawn in zip(self.pictures, self._pictures(self.value), strict=True):
            picture.value = drawn

    def _pictures(self, value: float) -> tuple[bytes, bytes]:
        if value not in self._drawn:
            self._drawn[value] = (
                plot.png(lambda ax: self.answers.plot_rejections(value, ax), width=WIDTH, height=HEIGHT),
                plot.png(lambda ax: self.answers.plot_profit(value, ax), width=WIDTH, height=HEIGHT),
            )
        return self._drawn[value]

    def _title(self) -> str:
        return self.answers.sentence(self.value)

    def _rows(self) -> list[Row]:
        return self.answers.rows_at(self.value)


@needs_a_log
def threshold_panel(
    log: EventLog,
    rules: RuleSet,
    rule: str,
    parameter: str | None = None,
    values: Iterable[Amount] | None = None,
    *,
    mode: Mode = "enforce",
    orphans: Orphans | None = None,
    on_trip: OnTrip = "leave",
    flatten: Pace = TOUCH,
    compiled: Tier = "auto",
    progress: bool | None = None,
) -> ThresholdPanel:
    """Replay a log under many values of one threshold, and return a slider over them.

    Parameters
    ----------
    log : EventLog
        Recorded events.
    rules : RuleSet
        The limits; other rules stay as they are.
    rule : str
        Id of the rule whose threshold varies.
    parameter : str, optional
        Name of the threshold; by default the rule's limit.
    values : iterable of numbers, optional
        Positions of the slider; the value in the rules is always added. By default 30 values at which the rejections
        change, if one pass gives them (`utilization`), else multiples of the value in the rules.
    mode, orphans, on_trip, flatten, compiled, progress
        As in `riskkit.sweep`, which runs in this call.

    Returns
    -------
    ThresholdPanel

    Raises
    ------
    InputError
        If there is no such rule or parameter, the rules do not set it, or a value is not a number.

    Examples
    --------
    >>> from riskkit.rules import MaxOrderQty
    >>> from riskkit import Rule, replay
    >>> log, rules = replay.tiny_log([5, 2], marks=8), RuleSet([Rule("size", MaxOrderQty(limit=9))])
    >>> panel = threshold_panel(log, rules, "size", values=[1, 3], compiled=False)
    >>> panel.slider.value = 3
    >>> print(panel.answers.sentence(panel.value))
    size.limit = 3: 1 of 2 orders rejected; profit -4 USD, -14 without limits.
    """
    instance(rules, RuleSet, "rules")
    curve = utilization(log, rules, compiled=compiled).curve(rule, parameter)
    now = _number(getattr(curve.rule.parameters, curve.parameter), f"{rule}.{curve.parameter}")
    chosen = _stops(curve, now) if values is None else [_number(value, "values") for value in values]
    grid = {f"{rule}.{curve.parameter}": sorted({*chosen, now})}
    options: dict[str, Any] = {"orphans": orphans, "on_trip": on_trip, "flatten": flatten, "compiled": compiled}
    found = sweep(log, rules, grid, mode, digests=False, progress=progress, **options)
    return ThresholdPanel(ThresholdReport(found, now))


def _label(value: float) -> str:
    """A value as text: integers without a point, thousands separated by commas."""
    return f"{value:,.10g}"


def _number(value: Amount | None, name: str) -> float:
    """An int if exact, else the nearest float; both fit a slider and a rule."""
    if value is None:
        raise InputError(f"{name} is not set in these rules; set it before varying it")
    number = exact(value, name)
    return int(number) if number.denominator == 1 else float(number)


def _stops(curve: ThresholdCurve, now: float) -> list[float]:
    """Default values: limits at which the rejections change, evenly chosen, or multiples of the current one."""
    if not curve.exact:
        multiples = [exact(multiple, "multiple") * exact(now, "now") for multiple in MULTIPLES]
        return [max(1, int(value)) if isinstance(now, int) else float(value) for value in multiples]
    limits, _ = curve.steps()
    chosen = np.unique(np.linspace(0, len(limits) - 1, min(STOPS, len(limits))).round().astype(np.int64))
    unit = exact(curve.unit, "unit")
    return [_number(limit * unit, "limit") for limit in limits[chosen].tolist()]
