"""Plots of plain arrays, on given or new axes; results call these functions.

Colours are those of Okabe and Ito, distinguishable with colour blindness; position, dash or label repeat what a colour
shows. Font sizes are left to the style (`plt.style.use("riskkit.notebook")`). matplotlib is imported by the first plot.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

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
    "loss_histogram",
    "line_style",
    "money_scale",
    "percentages",
    "png",
    "shares",
    "shares_height",
    "signed",
    "thousands",
    "threshold",
]

INK = "#333333"
PALE = "#8c8c8c"  # the recorded log
STRONG = "#0072B2"  # with limits
WARM = "#D55E00"
GRID = "#e4e4e4"
LOOKS = ((STRONG, ""), (WARM, "//"), (PALE, ".."), ("#E69F00", "xx"), ("#56B4E9", "\\\\"))
"""Colour and hatch of each part of a bar."""
BINS = 80  # per lane
FALLS_HEIGHT = 3.0
DPI = 150  # of a report


class TimeAxis(NamedTuple):
    """Horizontal time axis from 0 to `end`, with positions and texts of the ticks, and a label."""

    end: float
    places: ArrayLike
    texts: Sequence[str]
    label: str


def axes(ax: Axes | None = None, *, width: float = 9.0, height: float = 3.4) -> Axes:
    """Return `ax`, or new axes in a figure of `width` by `height` inches."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def literal(name: Any) -> str:
    r"""A name as it is: matplotlib reads what stands between two dollars as mathematics, and fails where it is none.

    Examples
    --------
    >>> literal("US$/CA$")
    'US\\$/CA\\$'
    """
    return str(name).replace("$", "\\$")


def legible(shade: float) -> str:
    """Return the text colour on a diverging colour map at `shade` from 0 to 1: white on its dark ends."""
    return INK if 0.18 < shade < 0.82 else "white"


def money_scale(values: ArrayLike, currency: str) -> tuple[float, str]:
    """Return scale and label of the unit for amounts: 1, a thousand, a million or a billion of the currency.

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
    """Format the tick labels of an axis with commas between thousands."""
    axis.set_major_formatter(lambda value, _: f"{value + 0.0:,.10g}".replace("-", "\N{MINUS SIGN}"))


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
    ax.set_yticks(np.arange(len(names)) + 0.4, [literal(f"{name}\n{notes.get(name, '')}".strip()) for name in names])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(-0.05, max(len(names), 1) + 0.05)
    return ax


def lanes_height(count: int) -> float:
    """Height of a figure with `count` lanes, in inches."""
    return 1.4 + 0.62 * max(count, 1)


def changes_height(count: int) -> float:
    """Height of a figure of `changes` with `count` rows, in inches."""
    return 1.2 + 0.24 * max(count, 4)


def changes(
    names: Sequence[str],
    before: ArrayLike,
    after: ArrayLike,
    *,
    labels: tuple[str, str],
    unit: str,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Plot one row per name with two markers, before (open) and after (filled), joined by a line."""
    before, after = np.asarray(before, float), np.asarray(after, float)
    ax = axes(ax, height=changes_height(len(names)))
    rows = np.arange(len(names))[::-1]
    ax.hlines(rows, np.minimum(before, after), np.maximum(before, after), color=PALE, lw=1.4)
    ax.plot(before, rows, "o", mfc="white", mec=INK, ms=6, label=labels[0])
    ax.plot(after, rows, "o", color=STRONG, ms=6, label=labels[1])
    ax.axvline(0.0, color=PALE, lw=0.6, zorder=0)
    ax.set_yticks(rows, list(map(literal, names)))
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.set_xlabel(unit)
    dress(ax, title)
    ax.grid(True, axis="x", color=GRID, lw=0.6)
    ax.legend(loc="best", frameon=False)
    return ax


def threshold(
    x: ArrayLike, y: ArrayLike, now: float | None, *, name: str, title: str, label: str = "", ax: Axes | None = None
) -> Axes:
    """Plot a number against a threshold, as steps, with the value `now` marked.

    The axis is logarithmic if the thresholds span more than two powers of ten.
    """
    ax = axes(ax)
    limits, values = np.asarray(x, float), np.asarray(y, float)
    ax.step(limits, values, where="post", color=STRONG, lw=1.6)
    positive = limits[limits > 0]
    if len(positive) and positive.max() > 100 * positive.min():
        ax.set_xscale("log")
    thousands(ax.xaxis)
    if now is not None and len(limits):
        value = float(values[max(int(np.searchsorted(limits, now, "right")) - 1, 0)])
        ax.axvline(now, color=WARM, lw=1.0, ls="--")
        ax.plot([now], [value], "o", color=WARM, ms=5)
        ax.annotate(f" now: {now:,.10g}", (now, 0.97), xycoords=("data", "axes fraction"), color=WARM, va="top")
    ax.set_ylim(min(0.0, float(values.min(initial=0.0))), None)
    thousands(ax.yaxis)
    ax.set_xlabel(literal(name), color=INK)
    ax.set_ylabel(literal(label))
    dress(ax, title)
    ax.grid(True, axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    return ax


def exceedances(samples: Mapping[str, ArrayLike], *, label: str, title: str, ax: Axes | None = None) -> Axes:
    """Plot the fraction of each sample at or above each value; 1 is marked."""
    ax = axes(ax)
    for i, (name, values) in enumerate(samples.items()):
        sample = np.asarray(values, float)
        sample = sample[np.isfinite(sample)]
        share = np.arange(len(sample), 0, -1) / max(len(sample), 1)
        drawn = np.unique(np.linspace(0, max(len(sample) - 1, 0), 2_000).round().astype(int))[: len(sample)]
        ax.step(sample[drawn], share[drawn], where="pre", label=literal(name), lw=1.5, **line_style(i))
    ax.axvline(1.0, color=PALE, lw=1.0)
    ax.set_yscale("log")
    ax.set_xlim(0.0, None)
    ax.set_xlabel(literal(label), color=INK)
    ax.set_ylabel("share of messages at or above")
    ax.legend(frameon=False)
    dress(ax, title)
    ax.grid(True, color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    return ax


def heat(
    values: ArrayLike, x: Sequence[Any], y: Sequence[Any], *, names: tuple[str, str], title: str, ax: Axes | None = None
) -> Axes:
    """Plot a heat map with numbers if they fit: columns `x` to the right, rows `y` upwards."""
    table = np.asarray(values, float)
    scale, unit = money_scale(table[np.isfinite(table)], "")
    table = table / scale
    ax = axes(ax, width=7.5, height=4.6)
    ax.grid(False)
    low, high = (float(np.nanmin(table)), float(np.nanmax(table))) if np.isfinite(table).any() else (0.0, 0.0)
    picture = ax.imshow(table, origin="lower", aspect="auto", cmap="cividis", vmin=low, vmax=high)
    for axis, marks, name in ((ax.xaxis, x, names[0]), (ax.yaxis, y, names[1])):
        _thin_ticks(axis, [f"{mark:,g}" if _is_number(mark) else str(mark) for mark in marks], 12)
        axis.set_label_text(literal(name))
    if table.size <= 120:
        for row, column in np.argwhere(np.isfinite(table)).tolist():
            value = table[row, column]
            colour = "white" if value - low < 0.55 * (high - low) else "black"
            ax.text(column, row, f"{value:,.3g}", ha="center", va="center", fontsize="small", color=colour)
    ax.figure.colorbar(picture, ax=ax, label=unit.strip())
    ax.set_title(literal(title), loc="left", color=INK)
    ax.tick_params(colors=INK)
    return ax


def bars(
    parts: Mapping[str, ArrayLike], names: Sequence[Any], *, label: str, title: str, ax: Axes | None = None
) -> Axes:
    """Plot horizontal bars, one per name, of one part or several stacked, with the sum beside them."""
    ax = axes(ax, height=1.3 + 0.36 * len(names))
    rows = np.arange(len(names))[::-1]
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for (part, values), (colour, hatch) in zip(parts.items(), LOOKS, strict=False):
        sizes = np.atleast_1d(np.asarray(values, float))
        starts = np.where(sizes < 0.0, low, high)
        ax.barh(rows, sizes, left=starts, height=0.6, color=colour, hatch=hatch, edgecolor="white", label=literal(part))
        low, high = low + np.minimum(sizes, 0.0), high + np.maximum(sizes, 0.0)
    for row, total in zip(rows, low + high, strict=True):
        left = total < 0.0
        text = f"{total:,.0f}" if abs(total) >= 1e4 else f"{total:,.4g}"
        ax.annotate(text, (total, row), (-4 if left else 4, 0), textcoords="offset points", fontsize="small",
                    color=INK, va="center", ha="right" if left else "left")  # fmt: skip
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks(rows, [literal(name) for name in names])
    ax.set_xlabel(literal(label))
    thousands(ax.xaxis)
    ax.margins(x=0.12)
    if len(parts) > 1:
        legend_below(ax)
    dress(ax, title)
    return ax


def percentages(axis: Any) -> None:
    """Format the tick labels of an axis of fractions as percentages."""
    axis.set_major_formatter(lambda value, _: f"{100.0 * value + 0.0:,.6g}%".replace("-", "\N{MINUS SIGN}"))


def loss_histogram(
    values: ArrayLike, lines: Mapping[str, float], *, label: str, title: str, fractions: bool, ax: Axes | None = None
) -> Axes:
    """Plot a histogram of returns or P&L with the losses of `lines` (VaR, ES) marked and the tail beyond the first shaded.

    Parameters
    ----------
    values : array of shape (n_obs,)
        Returns or P&L, gains positive.
    lines : mapping of name to float
        Losses, positive; the first is that of the shaded tail.
    label, title : str
        Label of the horizontal axis, and title.
    fractions : bool
        True for returns, shown as percentages; False for money.
    """
    ax = axes(ax)
    sample, losses = np.asarray(values, float), list(lines.values())
    edges = np.histogram_bin_edges(sample, bins=min(BINS, max(10, int(2 * np.sqrt(sample.size)))))
    counts = np.histogram(sample, edges)[0]
    ax.stairs(counts, edges, fill=True, color=STRONG, alpha=0.45)
    ax.stairs(np.histogram(sample[sample < -losses[0]], edges)[0], edges, fill=True, color=WARM)
    for (name, loss), height, dash in zip(lines.items(), (0.97, 0.86, 0.75), ("-", "--", ":"), strict=False):
        text = f"{100.0 * loss:.2f}%" if fractions else f"{loss:,.0f}"
        ax.axvline(-loss, color=INK, lw=1.0, ls=dash)
        where: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points", "ha": "right"}
        ax.annotate(f"{name} {text}", (-loss, height), (-4, 0), va="top", color=INK, fontsize="small",
                    bbox={"boxstyle": "square,pad=0.1", "fc": "white", "lw": 0}, **where)  # fmt: skip
    (percentages if fractions else thousands)(ax.xaxis)
    thousands(ax.yaxis)
    ax.set_xlabel(label)
    ax.set_ylabel("number of periods")
    dress(ax, title)
    return ax


def shares(
    parts: Mapping[str, ArrayLike], names: Sequence[Any], *, label: str, title: str, ax: Axes | None = None
) -> Axes:
    """Plot fractions of several wholes side by side as percentages, one group of horizontal bars per name."""
    ax = axes(ax, height=shares_height(len(names)))
    rows, width = np.arange(len(names))[::-1], 0.8 / len(parts)
    for k, ((part, values), (colour, hatch)) in enumerate(zip(parts.items(), LOOKS, strict=False)):
        places = rows + 0.4 - width * (k + 0.5)
        ax.barh(
            places, np.asarray(values, float), height=width, color=colour, hatch=hatch, edgecolor="white", label=part
        )
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks(rows, [str(name) for name in names])
    percentages(ax.xaxis)
    ax.set_xlabel(label)
    dress(ax, title)
    ax.legend(frameon=False, loc="best")
    return ax


def shares_height(count: int) -> float:
    """Height of a figure of `shares` with `count` names, in inches."""
    return 1.4 + 0.42 * count


def line_style(i: int) -> dict[str, Any]:
    """Colour and dash of line `i` of several equal ones."""
    colours = (STRONG, WARM, "#009E73", "#CC79A7", INK, "#E69F00", "#56B4E9")
    return {"color": colours[i % len(colours)], "ls": ("-", "--", "-.", ":")[i % 4]}


def dress(ax: Axes, title: str) -> None:
    """Set a left-aligned title and remove the frame at the top and the right."""
    ax.set_title(literal(title), loc="left", color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(colors=INK)


def legend_below(ax: Axes) -> None:
    """Put the legend below the axes, where it hides nothing."""
    from matplotlib.transforms import ScaledTranslation

    inches = ScaledTranslation(0.0, -0.52, ax.figure.dpi_scale_trans)  # below, at any height
    anchor: dict[str, Any] = {"bbox_to_anchor": (0.0, 0.0), "bbox_transform": ax.transAxes + inches}
    names = len(ax.get_legend_handles_labels()[1])
    ax.legend(frameon=False, loc="upper left", borderaxespad=0.0, ncols=names, **anchor)


def signed(
    values: ArrayLike, x: Sequence[Any], y: Sequence[Any], *, max_abs: float, title: str, ax: Axes | None = None
) -> Axes:
    """Plot a matrix of signed numbers as colours from -`max_abs` (blue) to `max_abs` (red), with the numbers if few."""
    table = np.asarray(values, float)
    ax = axes(ax, width=max(6.5, 2.2 + 0.55 * min(table.shape[1], 16)), height=1.4 + 0.42 * min(table.shape[0], 16))
    ax.grid(False)
    picture = ax.imshow(table, aspect="auto", cmap="RdBu_r", vmin=-max_abs, vmax=max_abs)
    for axis, marks in ((ax.xaxis, x), (ax.yaxis, y)):
        _thin_ticks(axis, list(map(str, marks)), 16)
    if table.size <= 144:
        for (row, column), value in np.ndenumerate(table):
            colour = legible((value / max_abs + 1.0) / 2.0)
            ax.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize="small", color=colour)
    ax.figure.colorbar(picture, ax=ax)
    ax.set_title(literal(title), loc="left", color=INK)
    ax.tick_params(colors=INK)
    return ax


def correlations(covariance: ArrayLike, marks: Sequence[Any], *, title: str, ax: Axes | None = None) -> Axes:
    """Plot the correlations of a covariance matrix; a constant series has correlation 0 with all others."""
    values = np.asarray(covariance, float)
    spread = np.sqrt(np.diag(values))
    scale = np.where(spread > 0.0, spread, 1.0)
    return signed(values / np.outer(scale, scale), marks, marks, max_abs=1.0, title=title, ax=ax)


def _thin_ticks(axis: Any, texts: Sequence[str], limit: int) -> None:
    """Label every k-th position of an axis, so that there are at most `limit` ticks."""
    shown = range(0, len(texts), max(1, -(-len(texts) // limit)))
    axis.set_ticks(list(shown), [literal(texts[i]) for i in shown])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def png(draw: Callable[[Axes], Any], *, width: float = 9.0, height: float = 3.4) -> bytes:
    """Return the plot that `draw` makes on given axes as PNG; equal plots give equal bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # user settings must not change a report
        matplotlib.rc("font", size=9)
        matplotlib.rc("axes", titlesize=11)
        figure: Figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=DPI, metadata={"Software": None})
    return picture.getvalue()


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
    ax.set_xticks(np.asarray(time.places, float), list(time.texts))
    ax.set_xlim(0.0, time.end)
    ax.set_xlabel(time.label, color=INK)
    ax.set_ylabel(literal(label))
    dress(ax, title)
    ax.grid(True, axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
