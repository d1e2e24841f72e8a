"""Plots of returns and P&L with their risk: the loss histogram."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit.plot.basics import INK, STRONG, WARM, axes, dress, percentages, thousands
from riskkit.plot.over_time import BINS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike


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
