"""Plots over time: curves, drawdowns, and counts of events."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from riskkit.plot.basics import (
    GRID,
    INK,
    LETTER,
    PALE,
    STRONG,
    WARM,
    axes,
    dress,
    inches,
    literal,
    names_beside,
    thousands,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike
BINS = 80  # per lane
FALLS_HEIGHT = 3.0


class TimeAxis(NamedTuple):
    """Horizontal time axis from 0 to `end`, with positions and texts of the ticks, and a label."""

    end: float
    places: ArrayLike
    texts: Sequence[str]
    label: str


def curves(
    x: ArrayLike, lines: Mapping[str, Any], *, label: str, title: str, time: TimeAxis, ax: Axes | None = None
) -> Axes:
    """Plot curves over time, the last one emphasised, each labelled at its end.

    Parameters
    ----------
    x : array of shape (n,)
        Positions on the time axis.
    lines : mapping of name to array of shape (n,)
        Values, in the unit that `label` names.
    label, title : str
        Label of the vertical axis, and title.
    time : TimeAxis
        The horizontal axis.
    """
    ax = axes(ax)
    for name, line, style in _styled(lines):
        ax.plot(x, line, label=literal(name), **style)
    ax.axhline(0.0, color=PALE, lw=0.6, zorder=0)
    _finish(ax, time, label, title)
    thousands(ax.yaxis)
    _name_ends(ax, lines)
    return ax


def falls(
    x: ArrayLike, lines: Mapping[str, Any], *, label: str, title: str, time: TimeAxis, ax: Axes | None = None
) -> Axes:
    """Plot drawdowns (at or above zero) as areas below zero."""
    ax = axes(ax, height=FALLS_HEIGHT)
    for name, line, style in _styled(lines):
        down = -np.asarray(line, float)
        ax.fill_between(x, down, 0.0, color=style["color"], alpha=0.2, lw=0, label=literal(name))
        ax.plot(x, down, color=style["color"], lw=0.8)
    _finish(ax, time, label, title)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.10g}")
    below: dict[str, Any] = {"loc": "upper right", "bbox_to_anchor": (1.0, -0.15), "borderaxespad": 0.0}
    ax.legend(frameon=False, ncols=len(lines), **below)
    return ax


def lanes(
    places: Mapping[str, ArrayLike], *, notes: Mapping[str, str], title: str, time: TimeAxis, ax: Axes | None = None
) -> Axes:
    """Plot event counts over time as histograms with 80 bins, one lane per name, each with its own scale.

    Parameters
    ----------
    places : mapping of name to array of shape (n_events,)
        Positions of the events of each lane on the time axis.
    notes : mapping of name to str
        Text below the name, such as the total.
    """
    ax = axes(ax, height=lanes_height(len(places)))
    edges = np.linspace(0.0, time.end, BINS + 1)
    names = list(places)[::-1]
    for lane, name in enumerate(names):
        counts = np.histogram(np.asarray(places[name], float), edges)[0]
        highest = max(int(counts.max(initial=0)), 1)
        ax.bar(edges[:-1], 0.78 * counts / highest, np.diff(edges), bottom=lane, align="edge", color=STRONG, lw=0)
        ax.axhline(lane, color=PALE, lw=0.6)
        where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "center"}
        ax.annotate(f"highest bar: {highest:,}", (1.0, lane + 0.89), color=INK, fontsize="small", **where)
    _finish(ax, time, "", title)
    ax.grid(False)
    texts = [
        f"{text}\n{literal(notes.get(name, ''))}".strip()
        for text, name in zip(names_beside(ax, names), names, strict=True)
    ]
    ax.set_yticks(np.arange(len(names)) + 0.4, texts)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.05, max(len(names), 1) + 0.05)
    return ax


def lanes_height(count: int) -> float:
    """Height of a figure with `count` lanes, in inches."""
    return 1.4 + 0.62 * max(count, 1)


def _styled(lines: Mapping[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    """Styles of the lines: the last emphasised, the first thin and dark."""
    last = len(lines) - 1
    looks = [{"color": INK, "lw": 0.9}, {"color": WARM, "lw": 1.1}]
    strong = {"color": STRONG, "lw": 1.6}
    return [(name, line, strong if i == last else looks[min(i, 1)]) for i, (name, line) in enumerate(lines.items())]


def _name_ends(ax: Axes, lines: Mapping[str, Any]) -> None:
    """Label each curve at its end; labels that would overlap are moved apart."""
    low, high = ax.get_ylim()
    gap = 0.075 * (high - low)
    ends = sorted((float(line[-1]), name, style["color"]) for name, line, style in _styled(lines) if len(line))
    placed = low - gap
    for end, name, colour in ends:
        placed = max(end, placed + gap)
        where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
        ax.annotate(literal(f" {name}"), (1.0, placed), color=colour, **where)


def _finish(ax: Axes, time: TimeAxis, label: str, title: str) -> None:
    room = inches(ax) / (LETTER * (2 + max(map(len, time.texts), default=0)))
    every = max(1, -(-len(time.texts) // max(1, int(room))))  # so that texts stand apart
    ax.set_xticks(np.asarray(time.places, float)[::every], list(time.texts)[::every])
    ax.set_xlim(0.0, time.end)
    ax.set_xlabel(time.label, color=INK)
    letters = int(ax.get_window_extent().height / ax.figure.dpi / LETTER)
    ax.set_ylabel(literal(textwrap.fill(label, max(20, letters))))
    dress(ax, title)
    ax.grid(True, axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
