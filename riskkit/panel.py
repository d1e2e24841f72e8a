"""A panel for moving a threshold and seeing the answer at once: every value was replayed before, moving only draws.

`ThresholdAnswers` is what there is to be said of each value, without any widget; `ThresholdPanel` shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError
from riskkit._show import Row, Shown
from riskkit._widgets import Live, board, widgets
from riskkit.replay.columns import Kind
from riskkit.replay.events import EventLog
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.sweeps.curve import Curve
from riskkit.replay.sweeps.sweep import SweepResult, sweep
from riskkit.replay.sweeps.utilization import utilization
from riskkit.replay.universe import exact

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ThresholdAnswers", "ThresholdPanel", "threshold_panel"]

STOPS = 30  # of the slider, if no values are named
MULTIPLES = ("0.1", "0.2", "0.3", "0.5", "0.7", "0.85", "1", "1.2", "1.5", "2", "3", "5", "10")
WIDTH, HEIGHT = 6.4, 3.2


class ThresholdAnswers(Shown):
    """What each value of one threshold does to a record: a sweep, ready to be looked up.

    Parameters
    ----------
    found : SweepResult
        Of one parameter.
    now : number
        Its value in the rule set.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit import MaxOrderQty, Rule
    >>> frame = pd.DataFrame({"ts": range(5), "kind": ["order", "fill", "order", "fill", "price"],
    ...                       "account": ["A"] * 4 + [None], "instrument": "X", "side": ["B"] * 4 + [None],
    ...                       "qty": [5, 5, 2, 2, None], "price": [10, 10, 10, 10, 8],
    ...                       "order_id": ["a", "a", "b", "b", None]})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=9))])
    >>> found = sweep(EventLog.from_frame(frame), rules, {"size.limit": [1, 3, 9]}, compiled=False)
    >>> answers = ThresholdAnswers(found, 9)
    >>> answers.at(3)["orders_rejected"], answers.at(3)["profit"], answers.profit_without
    (1, -4.0, -14.0)
    >>> answers.sentence(3)
    'size.limit = 3: 1 of 2 orders refused; profit -4 USD, -14 without limits.'
    """

    def __init__(self, found: SweepResult, now: Any) -> None:
        if len(found.settings) == 0 or len(found.settings[0]) != 1:
            raise InputError("a threshold panel needs a sweep of one parameter")
        self.found = found
        self.now = now
        self.name = str(found.frame.index.name)
        self.frame: pd.DataFrame = found.frame.sort_index()
        self.values: list[Any] = self.frame.index.tolist()
        self.orders = int((found.log.columns["kind"] == Kind.ORDER).sum())
        first = self.frame.iloc[0]
        self.profit_without = float(first["profit"] - first["profit_change"])
        self.drawdown_without = float(first["drawdown"] - first["drawdown_change"])

    @property
    def currency(self) -> str:
        """In which money is counted."""
        return self.found.log.universe.currency

    def at(self, value: Any) -> dict[str, Any]:
        """The outcomes under a value, by the names of `riskkit.replay.sweeps.outcome.OUTCOMES`.

        Raises
        ------
        InputError
            Where the value was not replayed.
        """
        if value not in self.values:
            raise InputError(
                f"{self.name}={value!r} was not replayed; the values are {', '.join(map(_label, self.values))}"
            )
        place = self.values.index(value)
        return {str(name): self.frame[name].tolist()[place] for name in self.frame}

    def nearest(self, value: Any) -> Any:
        """The value that was replayed and lies nearest, the lower of two."""
        return min(self.values, key=lambda one: (abs(one - value), one))

    def sentence(self, value: Any) -> str:
        """What a value does, in words."""
        one = self.at(value)
        return (
            f"{self.name} = {_label(value)}: {one['orders_rejected']:,} of {self.orders:,} orders refused; profit "
            f"{one['profit']:,.0f} {self.currency}, {self.profit_without:,.0f} without limits."
        )

    def rows_at(self, value: Any) -> list[Row]:
        """The table of one value: what is refused, and money with the limits and without any."""
        one, money = self.at(value), self.currency
        share = f"of {self.orders:,}" + (f", {one['orders_rejected'] / self.orders:.1%}" if self.orders else "")
        return [
            ("as the rules stand", self.now, ""),
            ("orders refused", one["orders_rejected"], share),
            ("trips", one["trips"], ""),
            ("profit", one["profit"], money),
            ("profit without limits", self.profit_without, money),
            ("deepest fall", one["drawdown"], money),
            ("deepest fall without limits", self.drawdown_without, money),
            ("refused orders later lost", one["loss_avoided"], money),
            ("refused orders later earned", one["profit_forgone"], money),
        ]

    def plot_refused(self, value: Any, ax: Any = None) -> Any:
        """Draw the orders refused under every value, with one marked; returns the axes."""
        count = int(self.at(value)["orders_rejected"])
        title = f"{count:,} of {self.orders:,} orders refused"
        refused = self.frame["orders_rejected"].to_numpy(float)
        return self._draw(refused, value, title=title, label="orders refused", ax=ax)

    def plot_profit(self, value: Any, ax: Any = None) -> Any:
        """Draw the profit under every value, with one marked, beside the profit without limits; returns the axes."""
        profit = self.frame["profit"].to_numpy(float)
        scale, unit = plot.money_scale([*profit, self.profit_without], self.currency)
        without = self.profit_without / scale
        title = f"Profit {self.at(value)['profit'] / scale:,.2f} {unit}, {without:,.2f} without limits"
        ax = self._draw(profit / scale, value, title=title, label=f"profit, {unit}", ax=ax)
        ax.axhline(without, color=plot.INK, lw=1.0, ls=":")
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, 1.15 * without), max(high, 1.15 * without))
        ax.annotate("without limits ", (1.0, without), xycoords=("axes fraction", "data"), fontsize=9, color=plot.INK,
                    ha="good_rejections", va="bottom")  # fmt: skip
        return ax

    def to_frame(self) -> pd.DataFrame:
        """One row a value, rising."""
        return self.frame

    def plot(self, ax: Any = None) -> Any:
        """Draw the orders refused under every value; returns the axes."""
        return self.plot_refused(self.nearest(self.now), ax)

    def _draw(self, y: np.ndarray, value: Any, *, title: str, label: str, ax: Any) -> Any:
        x = np.array(self.values, float)
        ax = plot.threshold(x, y, float(value), name=self.name, title=title, label=label, ax=ax)
        ax.plot(x, y, "o", color=plot.STRONG, ms=3)  # what was replayed; between two dots nothing is known
        return ax

    def _title(self) -> str:
        return f"{self.name}: {len(self.values)} values from {_label(self.values[0])} to {_label(self.values[-1])}"

    def _rows(self) -> list[Row]:
        return self.rows_at(self.nearest(self.now))


class ThresholdPanel(Live):
    """A slider over the values of a threshold; beside it what the value does, drawn when the slider moves.

    Attributes
    ----------
    answers : ThresholdAnswers
        What is shown; no move of the slider replays anything.
    widget : ipywidgets.VBox
        What a notebook shows; the object itself shows it too.
    slider, table, pictures
        Its parts; ``slider.value`` is the value.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit import MaxOrderQty, Rule
    >>> frame = pd.DataFrame({"ts": range(3), "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": [5, 2, 1], "price": 10})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=4))])
    >>> found = sweep(EventLog.from_frame(frame), rules, {"size.limit": [1, 4]}, compiled=False)
    >>> panel = ThresholdPanel(ThresholdAnswers(found, 4))
    >>> panel.slider.value = 1
    >>> panel.value, panel.answers.at(panel.value)["orders_rejected"]
    (1, 2)
    """

    def __init__(self, answers: ThresholdAnswers) -> None:
        make = widgets()
        self.answers = answers
        self._drawn: dict[Any, tuple[bytes, bytes]] = {}
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
    def value(self) -> Any:
        """Where the slider stands."""
        return self.slider.value

    def _moved(self, change: Any = None) -> None:
        self.table.value = self._repr_html_()
        for picture, drawn in zip(self.pictures, self._pictures(self.value), strict=True):
            picture.value = drawn

    def _pictures(self, value: Any) -> tuple[bytes, bytes]:
        if value not in self._drawn:
            of = self.answers
            self._drawn[value] = (
                plot.png(lambda ax: of.plot_refused(value, ax), width=WIDTH, height=HEIGHT),
                plot.png(lambda ax: of.plot_profit(value, ax), width=WIDTH, height=HEIGHT),
            )
        return self._drawn[value]

    def _title(self) -> str:
        return self.answers.sentence(self.value)

    def _rows(self) -> list[Row]:
        return self.answers.rows_at(self.value)


def threshold_panel(
    log: EventLog,
    rules: RuleSet,
    rule: str,
    parameter: str | None = None,
    values: Iterable[Any] | None = None,
    *,
    mode: str = "enforce",
    orphans: str | None = None,
    on_trip: str = "leave",
    sample_ns: int | None = None,
    compiled: bool = True,
    progress: bool = False,
) -> ThresholdPanel:
    """Replay a record under many values of one threshold, and give a panel on which a person moves it.

    Parameters
    ----------
    log : EventLog
        The record.
    rules : RuleSet
        The limits; the others stay as they are.
    rule : str
        The id of the rule whose threshold is moved.
    parameter : str, optional
        Its parameter; by default its limit.
    values : iterable of numbers, optional
        The stops of the slider; the value in the rules is one of them in any case. By default 30 of those at which the
        refusals change, where one pass tells them (`utilization`); else multiples of the value in the rules.
    mode, orphans, on_trip, sample_ns, compiled, progress
        As of `riskkit.sweep`, which finds the answers here and now; moving the slider only draws.

    Returns
    -------
    ThresholdPanel

    Raises
    ------
    InputError
        Where there is no such rule or parameter, the rules do not set it, or a value is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskkit import MaxOrderQty, Rule
    >>> frame = pd.DataFrame({"ts": range(5), "kind": ["order", "fill", "order", "fill", "price"],
    ...                       "account": ["A"] * 4 + [None], "instrument": "X", "side": ["B"] * 4 + [None],
    ...                       "qty": [5, 5, 2, 2, None], "price": [10, 10, 10, 10, 8],
    ...                       "order_id": ["a", "a", "b", "b", None]})
    >>> rules = RuleSet([Rule("size", MaxOrderQty(limit=9))])
    >>> panel = threshold_panel(EventLog.from_frame(frame), rules, "size", values=[1, 3], compiled=False)
    >>> panel.slider.value = 3
    >>> print(panel.answers.sentence(panel.value))
    size.limit = 3: 1 of 2 orders refused; profit -4 USD, -14 without limits.
    """
    curve = utilization(log, rules, compiled=compiled).curve(rule, parameter)
    now = _number(getattr(curve.rule.parameters, curve.parameter), f"{rule}.{curve.parameter}")
    chosen = _stops(curve, now) if values is None else [_number(value, "values") for value in values]
    grid = {f"{rule}.{curve.parameter}": sorted({*chosen, now})}
    options: dict[str, Any] = {"orphans": orphans, "on_trip": on_trip, "sample_ns": sample_ns, "compiled": compiled}
    found = sweep(log, rules, grid, mode, digests=False, progress=progress, **options)
    return ThresholdPanel(ThresholdAnswers(found, now))


def _label(value: Any) -> str:
    """A value as it is read: whole ones without a point, thousands set apart."""
    return f"{value:,.10g}"


def _number(value: Any, name: str) -> Any:
    """A whole number where it is one, else the nearest float: what a slider can hold and the rules can read."""
    if value is None:
        raise InputError(f"{name} is not set in these rules; set it to the value it has now, and then move it")
    number = exact(value, name)
    return int(number) if number.denominator == 1 else float(number)


def _stops(curve: Curve, now: Any) -> list[Any]:
    """Values worth a look: those at which something changes, evenly among them, or multiples of the present one."""
    if not curve.exact:
        some = [exact(multiple, "multiple") * exact(now, "now") for multiple in MULTIPLES]
        return [max(1, int(value)) if isinstance(now, int) else float(value) for value in some]
    limits, _ = curve.steps()
    places = np.unique(np.linspace(0, len(limits) - 1, min(STOPS, len(limits))).round().astype(np.int64))
    unit = exact(curve.unit, "unit")
    return [_number(limit * unit, "limit") for limit in limits[places].tolist()]
