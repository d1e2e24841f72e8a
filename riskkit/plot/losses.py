"""Plots of returns and P&L with their risk: the loss histogram, and forecasts with their hits over time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._docs import counted
from riskkit.plot.basics import (
    INK,
    LETTER,
    STRONG,
    WARM,
    axes,
    dress,
    inches,
    is_narrow,
    legend_below,
    literal,
    thousands,
    unit_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import ArrayLike

BARS = 80


def loss_histogram(
    values: ArrayLike, lines: Mapping[str, float], *, title: str, unit: str | None = None, ax: Axes | None = None
) -> Axes:
    """Plot a histogram of returns or P&L with the losses of `lines` (VaR, ES) marked and the tail beyond the first shaded.

    Parameters
    ----------
    values : array of shape (n_obs,)
        Returns or P&L, gains positive.
    lines : mapping of name to float
        Losses, positive; the first is that of the shaded tail, and the edge of a bar.
    title : str
        Title.
    unit : str, optional
        "%" for returns or the currency of P&L; see `unit_axis`.
    """
    ax = axes(ax)
    sample, losses = np.asarray(values, float), list(lines.values())
    low, high, border = float(sample.min()), float(sample.max()), -float(losses[0])
    width = (high - low) / min(BARS, max(10, int(2 * np.sqrt(sample.size)))) or 1.0
    edges = border + width * np.arange(np.floor((low - border) / width), np.ceil((high - border) / width) + 1)
    tail = sample < border
    for part, colour, alpha in ((sample[~tail], STRONG, 0.5), (sample[tail], WARM, 1.0)):
        ax.hist(part, edges.tolist(), color=colour, alpha=alpha, edgecolor="white", lw=0.3)
    label = unit_axis(ax.xaxis, sample, unit)
    away: dict[str, Any] = {
        "xycoords": ("data", "axes fraction"),
        "textcoords": "offset points",
        "va": "top",
    }
    for (name, loss), height, dash in zip(lines.items(), (0.97, 0.86, 0.75), ("-", "--", ":"), strict=False):
        ax.axvline(-loss, color=INK, lw=1.0, ls=dash)
        text = f"{literal(name)}: {loss_text(loss, label)}"
        left, right = ax.get_xlim()
        fits = (-loss - left) / (right - left) * inches(ax) > LETTER * len(text)
        ax.annotate(text, (-loss, height), (-4 if fits else 4, 0), color=INK, fontsize="small", ha="right" if fits else "left",
                    bbox={"boxstyle": "square,pad=0.1", "fc": "white", "lw": 0}, **away)  # fmt: skip
    thousands(ax.yaxis)
    ax.set_xlabel(label)
    ax.set_ylabel("number of periods")
    dress(ax, title)
    return ax


def loss_text(loss: float, label: str) -> str:
    """A loss as it is written on an axis with the label of `unit_axis`: a percentage, or money with separators."""
    if label == "return":
        return f"{100.0 * loss:.2f}%"
    return f"{loss:,.0f}" if abs(loss) >= 100.0 else f"{loss:,.4g}"


def losses_over_time(
    places: ArrayLike,
    returns: ArrayLike,
    lines: Mapping[str, ArrayLike],
    *,
    title: str,
    note: str = "",
    unit: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot returns or P&L with the forecasts of VaR (and ES) below them, and the hits beyond the first as dots.

    Parameters
    ----------
    places : array of shape (n_obs,)
        Numbers or dates of the periods.
    returns : array of shape (n_obs,)
        Returns or P&L, gains positive.
    lines : mapping of name to array of shape (n_obs,)
        Forecasts of losses, positive; a period beyond the first is a hit.
    title : str
        Title.
    note : str
        Text after the number of hits in the legend.
    unit : str, optional
        "%" for returns or the currency of P&L; see `unit_axis`.
    """
    ax = axes(ax, width=10.0, height=4.0)
    sample, days = np.asarray(returns, float), np.asarray(places)
    hits = sample < -np.asarray(next(iter(lines.values())), float)
    ax.vlines(days, 0.0, sample, color="0.75", lw=0.6)
    for (name, line), dash, width in zip(lines.items(), ("-", "--"), (1.2, 1.0), strict=False):
        ax.plot(days, -np.asarray(line, float), color=STRONG, lw=width, ls=dash, label=literal(name))
    count = int(hits.sum())
    label = f"{counted(count, 'hit')}{note}"
    ax.plot(days[hits], sample[hits], "o", color=WARM, ms=4, label=label)
    ax.set_ylabel(unit_axis(ax.yaxis, sample, unit))
    dress(ax, title)
    if is_narrow(ax):
        legend_below(ax)
    else:
        ax.legend(loc="upper right", ncols=3, frameon=False)
    return ax
