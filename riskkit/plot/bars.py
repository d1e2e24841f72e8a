"""Bars and markers, one row per name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit.plot.basics import (
    GRID,
    INK,
    LOOKS,
    PALE,
    STRONG,
    axes,
    dress,
    is_narrow,
    legend_below,
    literal,
    names_beside,
    percentages,
    thousands,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


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
    ax.set_yticks(rows, names_beside(ax, names))
    ax.set_ylim(-0.7, len(names) - 0.3)
    ax.set_xlabel(unit)
    dress(ax, title)
    ax.grid(True, axis="x", color=GRID, lw=0.6)
    ax.legend(loc="best", frameon=False)
    return ax


def bars(
    parts: Mapping[str, ArrayLike],
    names: Sequence[Any],
    *,
    label: str,
    title: str,
    errors: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot horizontal bars, one per name, of one part or several stacked, with the sum or its error beside them."""
    ax = axes(ax, height=1.3 + 0.36 * len(names))
    rows = np.arange(len(names))[::-1]
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for (part, values), (colour, hatch) in zip(parts.items(), LOOKS, strict=False):
        sizes = np.atleast_1d(np.asarray(values, float))
        starts = np.where(sizes < 0.0, low, high)
        ax.barh(rows, sizes, left=starts, height=0.6, color=colour, hatch=hatch, edgecolor="white", label=literal(part))
        low, high = low + np.minimum(sizes, 0.0), high + np.maximum(sizes, 0.0)
    if errors is not None:
        ax.errorbar(low + high, rows, xerr=np.asarray(errors, float), fmt="none", color=INK)
    for row, total in zip(rows, low + high, strict=True) if errors is None else ():
        left = total < 0.0
        text = f"{total:,.0f}" if abs(total) >= 1e4 else f"{total:,.4g}"
        ax.annotate(text, (total, row), (-4 if left else 4, 0), textcoords="offset points", fontsize="small",
                    color=INK, va="center", ha="right" if left else "left")  # fmt: skip
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks(rows, names_beside(ax, names))
    ax.set_xlabel(literal(label))
    thousands(ax.xaxis)
    ax.margins(x=0.12)
    if len(parts) > 1:
        legend_below(ax)
    dress(ax, title)
    return ax


def shares(
    parts: Mapping[str, ArrayLike],
    names: Sequence[Any],
    *,
    label: str,
    title: str,
    errors: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot fractions of several wholes side by side as percentages, one group of horizontal bars per name.

    `errors` are those of the last part.
    """
    ax = axes(ax, height=shares_height(len(names)))
    rows, width = np.arange(len(names))[::-1], 0.8 / len(parts)
    for k, ((part, values), (colour, hatch)) in enumerate(zip(parts.items(), LOOKS, strict=False)):
        places = rows + 0.4 - width * (k + 0.5)
        ax.barh(
            places, np.asarray(values, float), height=width, color=colour, hatch=hatch, edgecolor="white", label=part
        )
    if errors is not None:
        ax.errorbar(np.asarray(values, float), places, xerr=np.asarray(errors, float), fmt="none", color=INK)
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks(rows, names_beside(ax, names))
    percentages(ax.xaxis)
    ax.set_xlabel(label)
    dress(ax, title)
    if is_narrow(ax) or len(names) < 3:  # bars leave no corner free
        legend_below(ax)
    else:
        ax.legend(frameon=False, loc="best")
    return ax


def shares_height(count: int) -> float:
    """Height of a figure of `shares` with `count` names, in inches."""
    return 1.4 + 0.42 * count
