"""Drawings of plain arrays: every picture of riskkit's replays is drawn here, on axes that are given or made.

Colours are those of Okabe and Ito, which colour-blind people tell apart; what a colour says, a place, a dash or a
label says too. Sizes of letters are left to the style (`plt.style.use("riskkit.notebook")`), so that every picture of a
page has the same. matplotlib is imported when a picture is asked for, never before.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "FALLS_HEIGHT",
    "INK",
    "LOOKS",
    "PALE",
    "STRONG",
    "WARM",
    "TimeAxis",
    "axes",
    "bars",
    "changes",
    "changes_height",
    "correlations",
    "curves",
    "dress",
    "falls",
    "lanes",
    "lanes_height",
    "legend_below",
    "legible",
    "line_style",
    "money_scale",
    "png",
    "signed",
    "thousands",
    "threshold",
]

INK = "#333333"
PALE = "#8c8c8c"  # the record, as it was
STRONG = "#0072B2"  # under the limits
WARM = "#D55E00"
GRID = "#e4e4e4"
LOOKS = ((STRONG, ""), (WARM, "//"), (PALE, ".."), ("#E69F00", "xx"), ("#56B4E9", "\\\\"))
"""Colour and hatch of each part of a bar."""
BINS = 80  # of a lane
FALLS_HEIGHT = 3.0
DOTS = 150  # an inch, in a report


class TimeAxis(NamedTuple):
    """A horizontal axis of time: it runs from 0 to `end`, with ticks at places, and a label."""

    end: float
    places: Any
    texts: Sequence[str]
    label: str


def axes(ax: Axes | None = None, *, width: float = 9.0, height: float = 3.4) -> Axes:
    """Return the axes that were given, or new ones in a figure of `width` by `height` inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def legible(shade: float) -> str:
    """Return the colour of a text on a field of a diverging map, at 0 to 1: white on its dark ends."""
    return INK if 0.18 < shade < 0.82 else "white"


def money_scale(values: Any, currency: str) -> tuple[float, str]:
    """Choose the unit in which amounts are drawn: 1, a thousand or a million of the currency.

    Examples
    --------
    >>> money_scale([-2_500_000.0, 10.0], "USD")
    (1000000.0, 'million USD')
    """
    largest = float(np.max(np.abs(np.asarray(values, float)), initial=0.0))
    for scale, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if largest >= scale:
            return scale, f"{word} {currency}"
    return 1.0, currency


def thousands(axis: Any) -> None:
    """Set the numbers of an axis with thousands apart, and no more digits than they have."""
    axis.set_major_formatter(lambda value, _: f"{value + 0.0:,.10g}".replace("-", "\N{MINUS SIGN}"))


def curves(x: Any, lines: Mapping[str, Any], *, label: str, title: str, time: TimeAxis, ax: Axes | None = None) -> Axes:
    """Draw curves over time, the last one strongest, each named at its end.

    Parameters
    ----------
    x : array of shape (n,)
        Places on the axis of time.
    lines : mapping of name to array of shape (n,)
        What is drawn, in the unit that `label` names.
    label, title : str
        Of the vertical axis, and the message of the picture.
    time : TimeAxis
        The horizontal axis.
    """
    ax = axes(ax)
    for name, line, style in _styled(lines):
        ax.plot(x, line, label=name, **style)
    ax.axhline(0.0, color=PALE, lw=0.6, zorder=0)
    _finish(ax, time, label, title)
    thousands(ax.yaxis)
    _name_ends(ax, lines)
    return ax


def falls(x: Any, lines: Mapping[str, Any], *, label: str, title: str, time: TimeAxis, ax: Axes | None = None) -> Axes:
    """Draw falls below the highest point so far (numbers at or above zero) as areas that hang from zero."""
    ax = axes(ax, height=FALLS_HEIGHT)
    for name, line, style in _styled(lines):
        down = -np.asarray(line, float)
        ax.fill_between(x, down, 0.0, color=style["color"], alpha=0.2, lw=0, label=name)
        ax.plot(x, down, color=style["color"], lw=0.8)
    _finish(ax, time, label, title)
    ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):,.10g}")
    below: dict[str, Any] = {"loc": "upper right", "bbox_to_anchor": (1.0, -0.15), "borderaxespad": 0.0}
    ax.legend(frameon=False, ncols=len(lines), **below)
    return ax


def lanes(
    places: Mapping[str, Any], *, notes: Mapping[str, str], title: str, time: TimeAxis, ax: Axes | None = None
) -> Axes:
    """Draw how often things happened over time, a lane for each: bars of 80 stretches, each lane in its own scale.

    Parameters
    ----------
    places : mapping of name to array of shape (n_events,)
        Places of the events of each lane on the axis.
    notes : mapping of name to str
        What stands beneath the name, such as the total.
    """
    ax = axes(ax, height=lanes_height(len(places)))
    edges = np.linspace(0.0, time.end, BINS + 1)
    names = list(places)[::-1]
    for lane, name in enumerate(names):
        counts = np.histogram(np.asarray(places[name], float), edges)[0]
        most = max(int(counts.max(initial=0)), 1)
        ax.bar(edges[:-1], 0.78 * counts / most, np.diff(edges), bottom=lane, align="edge", color=STRONG, lw=0)
        ax.axhline(lane, color=PALE, lw=0.6)
        where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "center"}
        ax.annotate(f"highest bar: {most:,}", (1.0, lane + 0.89), color=INK, fontsize="small", **where)
    _finish(ax, time, "", title)
    ax.grid(False)
    ax.set_yticks(np.arange(len(names)) + 0.4, [f"{name}\n{notes.get(name, '')}".strip() for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.05, max(len(names), 1) + 0.05)
    return ax


def lanes_height(count: int) -> float:
    """Inches that so many lanes need."""
    return 1.4 + 0.62 * max(count, 1)


def changes_height(count: int) -> float:
    """Inches that so many rows of `changes` need."""
    return 1.2 + 0.24 * max(count, 4)


def changes(
    names: Sequence[str],
    before: Any,
    after: Any,
    *,
    labels: tuple[str, str],
    unit: str,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Draw a row for each name with two marks, before (open) and after (filled), and the way between them."""
    before, after = np.asarray(before, float), np.asarray(after, float)
    ax = axes(ax, height=changes_height(len(names)))
    rows = np.arange(len(names))[::-1]
    ax.hlines(rows, np.minimum(before, after), np.maximum(before, after), color=PALE, lw=1.4)
    ax.plot(before, rows, "o", mfc="white", mec=INK, ms=6, label=labels[0])
    ax.plot(after, rows, "o", color=STRONG, ms=6, label=labels[1])
    ax.axvline(0.0, color=PALE, lw=0.6, zorder=0)
    ax.set_yticks(rows, list(names))
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.set_xlabel(unit)
    _title(ax, title)
    _bare(ax)
    ax.grid(True, axis="x", color=GRID, lw=0.6)
    ax.legend(loc="best", frameon=False)
    return ax


def threshold(
    x: Any, y: Any, now: float | None, *, name: str, title: str, label: str = "", ax: Axes | None = None
) -> Axes:
    """Draw a number against a threshold, as steps, with the value `now` marked.

    The axis is logarithmic where the thresholds span more than two powers of ten.
    """
    ax = axes(ax)
    places, values = np.asarray(x, float), np.asarray(y, float)
    ax.step(places, values, where="post", color=STRONG, lw=1.6)
    above = places[places > 0]
    if len(above) and above.max() > 100 * above.min():
        ax.set_xscale("log")
    thousands(ax.xaxis)
    if now is not None and len(places):
        found = float(values[max(int(np.searchsorted(places, now, "right")) - 1, 0)])
        ax.axvline(now, color=WARM, lw=1.0, ls="--")
        ax.plot([now], [found], "o", color=WARM, ms=5)
        ax.annotate(f" now: {now:,.10g}", (now, 0.97), xycoords=("data", "axes fraction"), color=WARM, va="top")
    ax.set_ylim(min(0.0, float(values.min(initial=0.0))), None)
    thousands(ax.yaxis)
    ax.set_xlabel(name, color=INK)
    ax.set_ylabel(label)
    _title(ax, title)
    _bare(ax)
    ax.grid(True, axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    return ax


def exceedances(samples: Mapping[str, Any], *, label: str, title: str, ax: Axes | None = None) -> Axes:
    """Draw, for each sample in rising order, the share of it that lies at or above each value; 1 is marked."""
    ax = axes(ax)
    for place, (name, values) in enumerate(samples.items()):
        found = np.asarray(values, float)
        found = found[np.isfinite(found)]
        share = np.arange(len(found), 0, -1) / max(len(found), 1)
        some = np.unique(np.linspace(0, max(len(found) - 1, 0), 2_000).round().astype(int))[: len(found)]
        ax.step(found[some], share[some], where="pre", label=name, lw=1.5, **line_style(place))
    ax.axvline(1.0, color=PALE, lw=1.0)
    ax.set_yscale("log")
    ax.set_xlim(0.0, None)
    ax.set_xlabel(label, color=INK)
    ax.set_ylabel("share of messages at or above")
    ax.legend(frameon=False)
    _title(ax, title)
    _bare(ax)
    ax.grid(True, color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    return ax


def heat(
    values: Any, x: Sequence[Any], y: Sequence[Any], *, names: tuple[str, str], title: str, ax: Axes | None = None
) -> Axes:
    """Draw a table as colours, with its numbers where they fit: columns `x` to the right, rows `y` upwards."""
    table = np.asarray(values, float)
    scale, unit = money_scale(table[np.isfinite(table)], "")
    table = table / scale
    ax = axes(ax, width=7.5, height=4.6)
    ax.grid(False)
    low, high = (float(np.nanmin(table)), float(np.nanmax(table))) if np.isfinite(table).any() else (0.0, 0.0)
    picture = ax.imshow(table, origin="lower", aspect="auto", cmap="cividis", vmin=low, vmax=high)
    for axis, marks, name in ((ax.xaxis, x, names[0]), (ax.yaxis, y, names[1])):
        some = range(0, len(marks), max(1, -(-len(marks) // 12)))
        axis.set_ticks(
            list(some), [f"{marks[place]:,g}" if _is_number(marks[place]) else str(marks[place]) for place in some]
        )
        axis.set_label_text(name)
    if table.size <= 120:
        for row, column in np.argwhere(np.isfinite(table)).tolist():
            value = table[row, column]
            colour = "white" if value - low < 0.55 * (high - low) else "black"
            ax.text(column, row, f"{value:,.3g}", ha="center", va="center", fontsize="small", color=colour)
    ax.figure.colorbar(picture, ax=ax, label=unit.strip())
    _title(ax, title)
    ax.tick_params(colors=INK)
    return ax


def bars(parts: Mapping[str, Any], names: Sequence[Any], *, label: str, title: str, ax: Axes | None = None) -> Axes:
    """Draw lying bars, one for each name, of one part or of several behind one another, with the sum beside them."""
    ax = axes(ax, height=1.3 + 0.36 * len(names))
    places = np.arange(len(names))[::-1]
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for (part, values), (colour, hatch) in zip(parts.items(), LOOKS, strict=False):
        sizes = np.atleast_1d(np.asarray(values, float))
        starts = np.where(sizes < 0.0, low, high)
        ax.barh(places, sizes, left=starts, height=0.6, color=colour, hatch=hatch, edgecolor="white", label=part)
        low, high = low + np.minimum(sizes, 0.0), high + np.maximum(sizes, 0.0)
    for place, total in zip(places, low + high, strict=True):
        left = total < 0.0
        text = f"{total:,.0f}" if abs(total) >= 1e4 else f"{total:,.4g}"
        ax.annotate(text, (total, place), (-4 if left else 4, 0), textcoords="offset points", fontsize="small",
                    color=INK, va="center", ha="right" if left else "left")  # fmt: skip
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks(places, [str(name) for name in names])
    ax.set_xlabel(label)
    thousands(ax.xaxis)
    ax.margins(x=0.12)
    if len(parts) > 1:
        legend_below(ax)
    _title(ax, title)
    _bare(ax)
    return ax


def line_style(place: int) -> dict[str, Any]:
    """Colour and dash of the line number `place` among equals."""
    colours = (STRONG, WARM, "#009E73", "#CC79A7", INK, "#E69F00", "#56B4E9")
    return {"color": colours[place % len(colours)], "ls": ("-", "--", "-.", ":")[place % 4]}


def dress(ax: Axes, title: str) -> None:
    """Give a picture its message at the left, and no frame at the top and the right."""
    _title(ax, title)
    _bare(ax)


def legend_below(ax: Axes) -> None:
    """Name the parts of bars beneath the axes, where no bar can be hidden."""
    from matplotlib.transforms import ScaledTranslation

    inches = ScaledTranslation(0.0, -0.52, ax.figure.dpi_scale_trans)  # beneath, whatever the height
    place: dict[str, Any] = {"bbox_to_anchor": (0.0, 0.0), "bbox_transform": ax.transAxes + inches}
    names = len(ax.get_legend_handles_labels()[1])
    ax.legend(frameon=False, loc="upper left", borderaxespad=0.0, ncols=names, **place)


def signed(values: Any, x: Any, y: Any, *, most: float, title: str, ax: Axes | None = None) -> Axes:
    """Draw a table of numbers of both signs as colours from -`most` (blue) to `most` (red), with the numbers if few."""
    table = np.asarray(values, float)
    ax = axes(ax, width=max(6.5, 2.2 + 0.55 * min(table.shape[1], 16)), height=1.4 + 0.42 * min(table.shape[0], 16))
    ax.grid(False)
    picture = ax.imshow(table, aspect="auto", cmap="RdBu_r", vmin=-most, vmax=most)
    for axis, marks in ((ax.xaxis, x), (ax.yaxis, y)):
        some = list(range(0, len(marks), max(1, -(-len(marks) // 16))))
        axis.set_ticks(some, [str(marks[place]) for place in some])
    if table.size <= 144:
        for (row, column), value in np.ndenumerate(table):
            colour = legible((value / most + 1.0) / 2.0)
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize="small", color=colour)
    ax.figure.colorbar(picture, ax=ax)
    _title(ax, title)
    ax.tick_params(colors=INK)
    return ax


def correlations(covariance: Any, marks: Sequence[Any], *, title: str, ax: Axes | None = None) -> Axes:
    """Draw the correlations of a covariance matrix; a series that does not move correlates with none."""
    values = np.asarray(covariance, float)
    spread = np.sqrt(np.diag(values))
    scale = np.where(spread > 0.0, spread, 1.0)
    return signed(values / np.outer(scale, scale), marks, marks, most=1.0, title=title, ax=ax)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def png(draw: Callable[[Axes], Any], *, width: float = 9.0, height: float = 3.4) -> bytes:
    """Draw one picture off screen and return it as PNG, the same bytes for the same picture.

    Parameters
    ----------
    draw : function of Axes
        Draws on the axes that it is given.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own settings do not belong in a report
        matplotlib.rc("font", size=9)
        matplotlib.rc("axes", titlesize=11)
        figure: Figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=DOTS, metadata={"Software": None})
    return picture.getvalue()


def _styled(lines: Mapping[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    """The record thin and dark, the last curve strong."""
    last = len(lines) - 1
    looks = [{"color": INK, "lw": 0.9}, {"color": WARM, "lw": 1.1}]
    strong = {"color": STRONG, "lw": 1.6}
    return [
        (name, line, strong if place == last else looks[min(place, 1)])
        for place, (name, line) in enumerate(lines.items())
    ]


def _name_ends(ax: Axes, lines: Mapping[str, Any]) -> None:
    """Write each curve's name at its end, pushed apart where two would meet."""
    low, high = ax.get_ylim()
    apart = 0.075 * (high - low)
    ends = sorted((float(line[-1]), name, style["color"]) for name, line, style in _styled(lines) if len(line))
    placed = low - apart
    for end, name, colour in ends:
        placed = max(end, placed + apart)
        where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "va": "center", "annotation_clip": False}
        ax.annotate(f" {name}", (1.0, placed), color=colour, **where)


def _finish(ax: Axes, time: TimeAxis, label: str, title: str) -> None:
    ax.set_xticks(np.asarray(time.places, float), list(time.texts))
    ax.set_xlim(0.0, time.end)
    ax.set_xlabel(time.label, color=INK)
    ax.set_ylabel(label)
    _title(ax, title)
    _bare(ax)
    ax.grid(True, axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)


def _title(ax: Axes, title: str) -> None:
    ax.set_title(title, loc="left", color=INK)


def _bare(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK)
