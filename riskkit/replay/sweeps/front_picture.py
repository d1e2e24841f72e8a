"""The picture of a calibration: what each setting saves against what it spoils."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["draw_front"]


def draw_front(frame: pd.DataFrame, blocked: str, coverage: float, currency: str, ax: Any = None) -> Any:
    """Draw all settings, the Pareto front as steps, and the chosen point with its intervals.

    Parameters
    ----------
    frame : DataFrame
        `Calibration.frame`.
    blocked : str
        The column to the right; to the top is what was saved.
    coverage : float
        Of the intervals, for the legend.
    currency : str
        Of the money.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    """
    from riskkit import plot

    ax = plot.axes(ax, width=7.5, height=4.6)
    cost, gain = frame[blocked].to_numpy(float), frame["loss_avoided"].to_numpy(float)
    chosen, front = int(np.flatnonzero(frame["chosen"])[0]), frame["on_front"].to_numpy(bool)
    names = (f"{blocked}_low", f"{blocked}_high", "loss_avoided_low", "loss_avoided_high")
    ends = frame.iloc[chosen][list(names)].astype(float).tolist() if names[0] in frame else []
    scale, unit = plot.money_scale([*cost, *gain, *ends], currency)
    cost, gain, ends = cost / scale, gain / scale, [end / scale for end in ends]
    order = np.flatnonzero(front)[np.lexsort((gain[front], cost[front]))]
    ax.step(cost[order], gain[order], where="post", color=plot.STRONG, lw=1.2, label="Pareto front")
    ax.plot(cost[order], gain[order], "o", color=plot.STRONG, ms=5)
    if not front.all():
        ax.plot(cost[~front], gain[~front], "x", color=plot.INK, ms=5, ls="", label="beaten by another setting")
    if ends:
        ax.plot(ends[:2], [gain[chosen]] * 2, color=plot.WARM, lw=1.4, label=f"{coverage:.0%} intervals of the chosen")
        ax.plot([cost[chosen]] * 2, ends[2:], color=plot.WARM, lw=1.4)
    ax.plot([cost[chosen]], [gain[chosen]], "D", color=plot.WARM, ms=8, label="chosen")
    ax.set_xlabel(f"good flow blocked ({blocked.replace('_', ' ')}), {unit} a day")
    ax.set_ylabel(f"loss avoided, {unit} a day")
    said = ", ".join(f"{name} = {_value(value)}" for name, value in _setting(frame, chosen).items())
    plot.dress(ax, f"Chosen: {said}")
    plot.legend_below(ax)
    return ax


def _setting(frame: pd.DataFrame, place: int) -> dict[str, Any]:
    values = frame.index[place]
    return dict(zip(map(str, frame.index.names), values if frame.index.nlevels > 1 else (values,), strict=True))


def _value(value: Any) -> str:
    return f"{value:,.10g}" if isinstance(value, (int, float, np.number)) else str(value)
