"""Plots of limits: a number against a threshold, and used shares of limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from riskkit.plot.basics import (
    GRID,
    INK,
    PALE,
    STRONG,
    WARM,
    axes,
    dress,
    inches,
    is_narrow,
    legend_below,
    line_style,
    literal,
    percentages,
    shortened,
    thousands,
)

LONG = 30  # letters of a name that a legend within the axes has no room for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


def threshold(
    x: ArrayLike,
    y: ArrayLike,
    now: float | None,
    *,
    name: str,
    title: str,
    label: str = "",
    tried: bool = False,
    fractions: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Plot a number against a threshold, with the value `now` marked.

    Numbers that are known at every threshold are steps; those of thresholds that were tried (`tried`) are markers, joined
    by a thin line. The axis is logarithmic if the thresholds span more than two powers of ten.
    """
    ax = axes(ax)
    limits, values = np.asarray(x, float), np.asarray(y, float)
    if tried:
        ax.plot(limits, values, "o-", color=STRONG, ms=5, lw=0.8)
    else:
        ax.step(limits, values, where="post", color=STRONG, lw=1.6)
    positive = limits[limits > 0]
    if len(positive) and positive.max() > 100 * positive.min():
        ax.set_xscale("log")
    thousands(ax.xaxis)
    if now is not None and len(limits):
        ax.axvline(now, color=WARM, lw=1.0, ls="--")
        at = np.flatnonzero(limits == now) if tried else [max(int(np.searchsorted(limits, now, "right")) - 1, 0)]
        ax.plot([now] * len(at), values[at], "o", color=WARM, ms=6)
        ax.annotate(f" now: {now:,.10g}", (now, 0.97), xycoords=("data", "axes fraction"), color=WARM, va="top")
    low, high = min(0.0, float(values.min(initial=0.0))), max(0.0, float(values.max(initial=0.0)))
    room = 0.04 * (high - low) or 1.0
    ax.set_ylim(low - room, high + 3.0 * room)
    (percentages if fractions else thousands)(ax.yaxis)
    ax.set_xlabel(literal(name), color=INK)
    ax.set_ylabel(literal(label))
    dress(ax, title)
    ax.grid(True, axis="y", color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    return ax


def exceedances(samples: Mapping[str, ArrayLike], *, label: str, title: str, ax: Axes | None = None) -> Axes:
    """Plot the fraction of each sample at or above each value; 1 is marked."""
    ax = axes(ax)
    names = shortened(list(samples), max(16, int(9 * inches(ax)) - 8))
    for i, (name, values) in enumerate(zip(names, samples.values(), strict=True)):
        sample = np.asarray(values, float)
        sample = sample[np.isfinite(sample)]
        share = np.arange(len(sample), 0, -1) / max(len(sample), 1)
        drawn = np.unique(np.linspace(0, max(len(sample) - 1, 0), 2_000).round().astype(int))[: len(sample)]
        ax.step(sample[drawn], share[drawn], where="pre", label=literal(name), lw=1.5, **line_style(i))
    ax.axvline(1.0, color=PALE, lw=1.0)
    ax.set_yscale("log")
    ax.set_xlim(0.0, None)
    percentages(ax.xaxis)
    percentages(ax.yaxis)
    ax.set_xlabel(literal(label), color=INK)
    ax.set_ylabel("share of messages at or above")
    if is_narrow(ax) or max(map(len, names), default=0) > LONG:
        legend_below(ax, columns=1)
    else:
        ax.legend(frameon=False)
    dress(ax, title)
    ax.grid(True, color=GRID, lw=0.6)
    ax.set_axisbelow(True)
    return ax
