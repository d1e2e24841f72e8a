"""Plots of matrices as colours with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit.plot.basics import INK, axes, inches, legible, literal, money_scale, shortened, thin_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

LONGEST = 14  # letters of a name below a column
LETTERS = 8  # beside each other in an inch


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
        thin_ticks(
            axis,
            [
                f"{mark:,g}" if isinstance(mark, (int, float)) and not isinstance(mark, bool) else str(mark)
                for mark in marks
            ],
            12,
        )
        axis.set_label_text(literal(name))
    if table.size <= 120:
        for row, column in np.argwhere(np.isfinite(table)).tolist():
            value = table[row, column]
            colour = "white" if value - low < 0.55 * (high - low) else "black"
            ax.text(column, row, f"{value:,.3g}", ha="center", va="center", fontsize="small", color=colour)
    ax.figure.colorbar(picture, ax=ax, label=unit.strip())
    ax.set_title(literal(title), loc="left", color=INK, wrap=True)
    ax.tick_params(colors=INK)
    return ax


def signed(
    values: ArrayLike, x: Sequence[Any], y: Sequence[Any], *, max_abs: float, title: str, ax: Axes | None = None
) -> Axes:
    """Plot a matrix of signed numbers as colours from -`max_abs` (blue) to `max_abs` (red), with the numbers if few."""
    table = np.asarray(values, float)
    ax = axes(ax, width=max(6.5, 2.2 + 0.55 * min(table.shape[1], 16)), height=1.4 + 0.42 * min(table.shape[0], 16))
    ax.grid(False)
    picture = ax.imshow(table, aspect="auto", cmap="RdBu_r", vmin=-max_abs, vmax=max_abs)
    wide = inches(ax)
    for axis, marks, limit in ((ax.xaxis, x, LONGEST), (ax.yaxis, y, max(LONGEST, int(4 * wide)))):
        thin_ticks(axis, shortened(marks, limit), 16)
    shown = [label.get_text() for label in ax.get_xticklabels()]
    if max(map(len, shown), default=0) * len(shown) > LETTERS * wide:
        ax.tick_params(axis="x", rotation=90)
    if table.size <= 144:
        for (row, column), value in np.ndenumerate(table):
            colour = legible((value / max_abs + 1.0) / 2.0)
            ax.text(
                column, row, f"{round(value, 2) + 0.0:.2f}", ha="center", va="center", fontsize="small", color=colour
            )
    ax.figure.colorbar(picture, ax=ax)
    ax.set_title(literal(title), loc="left", color=INK, wrap=True)
    ax.tick_params(colors=INK)
    return ax


def correlations(covariance: ArrayLike, marks: Sequence[Any], *, title: str, ax: Axes | None = None) -> Axes:
    """Plot the correlations of a covariance matrix; a constant series has correlation 0 with all others."""
    values = np.asarray(covariance, float)
    spread = np.sqrt(np.diag(values))
    scale = np.where(spread > 0.0, spread, 1.0)
    return signed(values / np.outer(scale, scale), marks, marks, max_abs=1.0, title=title, ax=ax)
