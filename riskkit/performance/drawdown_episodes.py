"""Table of drawdowns: start, trough, end, depth and recovery of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import labels_of, one_of, single_series, whole_number, with_labels
from riskkit._docs import counted
from riskkit._excel import Exported
from riskkit._show import Row, Shown, amounts, short_label
from riskkit.performance.drawdown import drawdown_series
from riskkit.performance.series import Input, documented

Order = Literal["depth", "time"]


@dataclass(frozen=True, repr=False)
class Drawdown(Shown):
    """One drawdown. Labels are those of the input, else row numbers; counts include both ends.

    Attributes
    ----------
    start : label
        First period below the peak.
    trough : label
        Period of the lowest point (the first of several).
    end : label or None
        Period of full recovery; None if open.
    depth : float
        Positive fraction of the peak; with ``input="pnl"`` in the unit of the P&L.
    length : int
        Number of periods from `start` to `end`, or to the last period if open.
    to_trough : int
        Number of periods from `start` to `trough`.
    recovery : int or None
        Number of periods from `trough` to `end`, the trough not counted; None if open.

    Examples
    --------
    >>> round(drawdown_table([0.1, -0.2, 0.3])[0].depth, 9)
    0.2
    """

    start: Any
    trough: Any
    end: Any
    depth: float
    length: int
    to_trough: int
    recovery: int | None

    @property
    def recovered(self) -> bool:
        """True after full recovery."""
        return self.end is not None

    @property
    def under_water(self) -> int:
        """Number of periods that ended below the peak: `length` without the period of recovery."""
        return self.length - self.recovered

    def _title(self) -> str:
        return f"Drawdown from {short_label(self.start)} to {'the end, open' if self.end is None else short_label(self.end)}"

    def _rows(self) -> list[Row]:
        return [
            ("depth", amounts([self.depth], fractions=plot.is_fractions(self.depth))[0], "below the peak"),
            ("trough", short_label(self.trough), f"after {counted(self.to_trough, 'period')}"),
            ("length", self.length, "periods"),
            ("recovery", self.recovery, "periods from the trough"),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class DrawdownTable(Exported):
    """Drawdowns of one series: a sequence of `Drawdown`.

    Attributes
    ----------
    drawdowns : tuple[Drawdown, ...]
        Drawdowns in the chosen order.
    path : (n_obs,)
        Drawdown of every period, as in `drawdown_series`.
    order : {"depth", "time"}
        Order of the drawdowns.
    input : {"returns", "summed_returns", "prices", "pnl"}
        Meaning of the values: the drawdowns of P&L are in its unit, all others fractions of the peak.

    Examples
    --------
    >>> from riskkit.performance import drawdown_table
    >>> table = drawdown_table([0.10, -0.20, 0.05, -0.10])
    >>> len(table), round(table[0].depth, 6), table[0].recovered
    (1, 0.244, False)
    """

    drawdowns: tuple[Drawdown, ...]
    path: Any
    order: Order
    input: Input = "returns"

    def __len__(self) -> int:
        return len(self.drawdowns)

    def __getitem__(self, index: int) -> Drawdown:
        return self.drawdowns[index]

    @property
    def current_drawdown(self) -> float:
        """Drawdown at the end of the series; 0 at a peak."""
        return float(np.asarray(self.path)[-1])

    def to_frame(self) -> Any:
        """One row per drawdown, ranked from 1 in the order of the table."""
        import pandas as pd

        names = ("start", "trough", "end", "depth", "length", "to_trough", "recovery", "under_water", "recovered")
        columns = {name: [getattr(drawdown, name) for drawdown in self.drawdowns] for name in names}
        frame = pd.DataFrame(columns, index=pd.RangeIndex(1, len(self) + 1, name="rank"))
        return frame.astype({"depth": float, "length": int, "to_trough": int, "recovery": "Int64", "under_water": int})

    def plot(self, ax: Any = None) -> Any:
        """Draw the drawdown path, with the depth of the five deepest of the table, of those that can be seen."""
        ax = plot.axes(ax)
        fall = np.asarray(self.path)
        rows = labels_of(self.path, 0)
        where = np.arange(len(fall)) if rows is None else rows
        ax.plot(where, -fall, linewidth=0.9, color=plot.WARM)
        ax.fill_between(where, -fall, 0.0, alpha=0.25, color=plot.WARM, linewidth=0.0)
        deep = [(rank, item) for rank, item in enumerate(self.drawdowns, start=1) if item.depth > 0.2 * fall.max()]
        for rank, drawdown in sorted(deep, key=lambda item: -item[1].depth)[:5]:
            ax.annotate(
                f"{rank}: {drawdown.depth:,.0f}" if self.input == "pnl" else f"{rank}: {drawdown.depth:.1%}",
                (drawdown.trough, -drawdown.depth),
                textcoords="offset points",
                xytext=(0, -10),
                ha="center",
                fontsize="small",
            )
        ax.margins(x=0.01, y=0.25)  # room for the depths below the line
        ax.set_ylim(top=0.0)
        if self.input == "pnl":
            plot.thousands(ax.yaxis)
        else:
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.set_ylabel("below the peak")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        word = "drawdown" if len(self) == 1 else "drawdowns"
        how = "deepest first" if self.order == "depth" else "in order of time"
        return f"{len(self)} {word}, {how}" if self.drawdowns else "No drawdown"

    def _rows(self) -> list[Row]:
        depths = amounts([item.depth for item in self.drawdowns], fractions=self.input != "pnl")
        return [
            (
                f"{rank}. {short_label(item.start)}",
                depth,
                f"low {short_label(item.trough)}, {'open' if item.end is None else 'regained ' + short_label(item.end)}, "
                f"{counted(item.length, 'period')}",
            )
            for rank, (item, depth) in enumerate(zip(self.drawdowns, depths, strict=True), start=1)
        ]


@documented
def drawdown_table(
    values: Any, *, input: Input = "returns", top: int | None = None, order: Order = "depth"
) -> DrawdownTable:
    """All drawdowns of a series, including one that is open at the end.

    Parameters
    ----------
    values : (n_obs,)
        Simple returns per period, or prices or P&L (see `input`), oldest first. The labels of a Series name the periods.
    top : int, optional
        Number of deepest drawdowns to keep; all by default.
    order : {"depth", "time"}
        Deepest first (equal depths by time), or in order of time.

    Returns
    -------
    DrawdownTable
        Empty if wealth never falls.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> table = drawdown_table([100, 101, 99, 98, 97, 101, 99], input="prices")
    >>> table
    2 drawdowns, deepest first
    ----------------------------------------
    1. 2  3.96% low 4, regained 5, 4 periods
    2. 6  1.98% low 6, open, 1 period
    >>> [(item.under_water, item.recovered) for item in table]
    [(3, True), (1, False)]
    """
    one_of(input, get_args(Input), "input")
    one_of(order, get_args(Order), "order")
    name = "returns" if input == "summed_returns" else input
    fall = drawdown_series(single_series(values, name, ordered=True), input=input)
    rows = labels_of(values, 0)
    label = (lambda row: row) if rows is None else (lambda row: rows[row])
    found = [_measure(fall, first, last, label) for first, last in _runs(fall > 0.0)]
    ranked = sorted(range(len(found)), key=lambda i: -found[i].depth)
    chosen = ranked if top is None else ranked[: whole_number(top, "top")]
    if order == "time":
        chosen.sort()
    path = with_labels(fall, rows, name=getattr(values, "name", None))
    return DrawdownTable(tuple(found[i] for i in chosen), path, order, input)


def _runs(under: np.ndarray) -> list[tuple[int, int]]:
    """First and last row of every run of true values."""
    edges = np.flatnonzero(np.diff(under, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))


def _measure(fall: np.ndarray, first: int, last: int, label: Callable[[int], Any]) -> Drawdown:
    """The drawdown below the peak from row `first` to row `last`."""
    trough = first + int(np.argmax(fall[first : last + 1]))
    is_open = last == len(fall) - 1
    return Drawdown(
        start=label(first),
        trough=label(trough),
        end=None if is_open else label(last + 1),
        depth=float(fall[trough]),
        length=last - first + (1 if is_open else 2),
        to_trough=trough - first + 1,
        recovery=None if is_open else last + 1 - trough,
    )
