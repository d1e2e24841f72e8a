"""The table of drawdowns: when each began, how deep it went, and whether it has been recovered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import labels_of, one_of, whole_number, with_labels
from riskkit._show import Row, Shown
from riskkit.performance.drawdown import WEALTH_OF, drawdown_path
from riskkit.performance.series import single_series

__all__ = ["Drawdown", "DrawdownTable", "drawdown_table"]

ORDERS = ("depth", "time")


@dataclass(frozen=True, repr=False)
class Drawdown(Shown):
    """One fall below a peak. Labels are those of the input, else row numbers; counts include both ends.

    Examples
    --------
    >>> round(drawdown_table([0.1, -0.2, 0.3])[0].depth, 9)
    0.2
    """

    start: Any
    """First period under water."""
    trough: Any
    """Period of the lowest point (the first, if it was reached twice)."""
    end: Any
    """Period in which the peak was regained; None while it is not."""
    depth: float
    """Positive fraction of the peak."""
    length: int
    """Periods from `start` to `end`; to the last one if still open."""
    to_trough: int
    """Periods from `start` to `trough`."""
    recovery: int | None
    """Periods from `trough` to `end`, the trough not counted; None while open."""

    @property
    def recovered(self) -> bool:
        """Whether the peak was regained."""
        return self.end is not None

    @property
    def under_water(self) -> int:
        """Periods that ended below the peak: `length` without the period of recovery."""
        return self.length - self.recovered

    def _title(self) -> str:
        return f"Drawdown from {_short(self.start)} to {'the end, open' if self.end is None else _short(self.end)}"

    def _rows(self) -> list[Row]:
        return [
            ("depth", self.depth, "of the peak"),
            ("trough", _short(self.trough), f"after {self.to_trough} periods"),
            ("length", self.length, "periods"),
            ("recovery", self.recovery, "periods from the trough"),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class DrawdownTable(Shown):
    """Drawdowns of one series. Iterates over and indexes its `Drawdown`s.

    Attributes
    ----------
    drawdowns : tuple[Drawdown, ...]
        In the order asked for.
    path : (n_obs,)
        Drawdown of every period, as `drawdown_path` gives it.
    order : str
        "depth" or "time".

    Examples
    --------
    >>> from riskkit import drawdown_table
    >>> table = drawdown_table([0.10, -0.20, 0.05, -0.10])
    >>> len(table), round(table[0].depth, 6), table[0].recovered
    (1, 0.244, False)
    """

    drawdowns: tuple[Drawdown, ...]
    path: Any
    order: str

    def __len__(self) -> int:
        return len(self.drawdowns)

    def __getitem__(self, place: int) -> Drawdown:
        return self.drawdowns[place]

    @property
    def current(self) -> float:
        """Drawdown at the end of the series; 0 at a peak."""
        return float(np.asarray(self.path)[-1])

    def to_frame(self) -> Any:
        """One row a drawdown, numbered from 1 in the order of the table."""
        import pandas as pd

        names = ("start", "trough", "end", "depth", "length", "to_trough", "recovery", "under_water", "recovered")
        columns = {name: [getattr(drawdown, name) for drawdown in self.drawdowns] for name in names}
        frame = pd.DataFrame(columns, index=pd.RangeIndex(1, len(self) + 1, name="rank"))
        return frame.astype({"depth": float, "length": int, "to_trough": int, "recovery": "Int64", "under_water": int})

    def plot(self, ax: Any = None) -> Any:
        """The path under water, the five deepest of the table named."""
        ax = plot.axes(ax)
        fall = np.asarray(self.path)
        rows = labels_of(self.path, 0)
        where = np.arange(len(fall)) if rows is None else rows
        ax.plot(where, -fall, linewidth=0.9, color=plot.WARM)
        ax.fill_between(where, -fall, 0.0, alpha=0.25, color=plot.WARM, linewidth=0.0)
        for place, drawdown in sorted(enumerate(self.drawdowns, start=1), key=lambda item: -item[1].depth)[:5]:
            ax.annotate(
                f"{place}: {drawdown.depth:.1%}",
                (drawdown.trough, -drawdown.depth),
                textcoords="offset points",
                xytext=(0, -10),
                ha="center",
                fontsize="small",
            )
        ax.margins(x=0.01, y=0.12)
        ax.set_ylim(top=0.0)
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.set_ylabel("below the peak")
        plot.dress(ax, self._title())
        return ax

    def _title(self) -> str:
        word = "drawdown" if len(self) == 1 else "drawdowns"
        how = "deepest first" if self.order == "depth" else "in order of time"
        return f"{len(self)} {word}, {how}" if self.drawdowns else "No drawdown"

    def _rows(self) -> list[Row]:
        return [
            (
                f"{place}. {_short(item.start)}",
                item.depth,
                f"low {_short(item.trough)}, {'open' if item.end is None else 'regained ' + _short(item.end)}, "
                f"{item.length} periods",
            )
            for place, item in enumerate(self.drawdowns, start=1)
        ]


def drawdown_table(values: Any, *, of: str = "returns", top: int | None = None, order: str = "depth") -> DrawdownTable:
    """Every drawdown of a series, the one that is still open at the end included.

    Parameters
    ----------
    values : (n_obs,)
        Simple returns per period, or prices; oldest first. With a Series, its labels name the periods.
    of : {"returns", "summed_returns", "prices"}
        What wealth is made of; see `drawdown_path`.
    top : int, optional
        Keep only the deepest.
    order : {"depth", "time"}
        Deepest first (equal depths by time), or in order of time.

    Returns
    -------
    DrawdownTable
        Empty when wealth never falls.

    Raises
    ------
    InputError
        As `drawdown_path`, or more than one series.

    References
    ----------
    Bacon (2008), Practical Portfolio Performance Measurement and Attribution, 2nd ed., chapter 4.

    Examples
    --------
    >>> table = drawdown_table([100, 101, 99, 98, 97, 101, 99], of="prices")
    >>> table
    2 drawdowns, deepest first
    -------------------------------------------
    1. 2  0.039604 low 4, regained 5, 4 periods
    2. 6  0.019802 low 6, open, 1 periods
    >>> [(item.under_water, item.recovered) for item in table]
    [(3, True), (1, False)]
    """
    one_of(of, WEALTH_OF, "of")
    one_of(order, ORDERS, "order")
    series = single_series(values, "prices" if of == "prices" else "returns")
    fall = drawdown_path(series, of=of)
    rows = labels_of(values, 0)
    label = (lambda place: place) if rows is None else (lambda place: rows[place])
    found = [_measure(fall, first, last, label) for first, last in _runs(fall > 0.0)]
    ranks = sorted(range(len(found)), key=lambda place: -found[place].depth)
    kept = ranks if top is None else ranks[: whole_number(top, "top")]
    if order == "time":
        kept.sort()
    path = with_labels(fall, rows, name=getattr(values, "name", None))
    return DrawdownTable(tuple(found[place] for place in kept), path, order)


def _runs(under: np.ndarray) -> list[tuple[int, int]]:
    """First and last row of every unbroken run of true values."""
    edges = np.flatnonzero(np.diff(under, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))


def _measure(fall: np.ndarray, first: int, last: int, label: Callable[[int], Any]) -> Drawdown:
    """The drawdown that is under water from row `first` to row `last`."""
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


def _short(label: Any) -> str:
    """A day without its midnight; anything else as it prints."""
    text = str(label)
    return text.removesuffix(" 00:00:00")
