"""Plots of one result: profit over time, and the times of refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError
from riskkit.replay.results.halts import BY_HAND
from riskkit.replay.results.order_messages import LocalTimes
from riskkit.replay.schema.columns import Cause

if TYPE_CHECKING:
    from riskkit.replay.results.result import ReplayResult


def equity_plot(result: ReplayResult, account: str | None, ax: Any) -> Any:
    """Plot the profit of one account, or of all in total."""
    if not len(result._samples.sample_at):
        raise InputError("this replay was not sampled; replay the log with sample_ns='1d'")
    profit = np.concatenate([[0.0], result.profit_curve(account)])
    scale, unit = plot.money_scale(profit, result.log.universe.currency)
    whose = "all accounts together" if account is None else account
    title = f"Profit of {whose} ended at {profit[-1] / scale:,.2f} {unit} ({result.mode} mode)"
    x = np.concatenate([[0.0], result.timeline.places(result._samples.sample_at)])
    return plot.curves(
        x, {result.mode: profit / scale}, label=f"profit, {unit}", title=title, time=result.timeline.axis(), ax=ax
    )


def refusals_plot(result: ReplayResult, ax: Any, tz: str) -> Any:
    """Plot the times of refusals, one lane per refusing rule."""
    zone = LocalTimes(tz).tz
    refused, timeline, ts = result.rejections(), result.timeline, result.log.columns["ts"]
    found = {name: count for name, count in result.refusals_by_rule().items() if count}
    codes = {**{rule.id: k for k, rule in enumerate(result.rules)}, BY_HAND: int(Cause.COMMAND)}
    positions = {name: timeline.places(ts[refused["seq"][refused["cause"] == codes[name]]]) for name in found}
    counted = " and ".join(f"{part:,} of {total:,} {kind}" for kind, (part, total) in result.refused_by_kind().items())
    verb = "would have been" if result.mode == "shadow" else "were"
    title = f"{counted} {verb} refused ({result.mode} mode)"
    notes = {name: f"{count:,} refused" for name, count in found.items()}
    return plot.lanes(positions, notes=notes, title=title, time=timeline.axis(tz=zone), ax=ax)
