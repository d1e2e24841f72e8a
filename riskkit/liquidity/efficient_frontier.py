"""Efficient frontier of liquidation schedules: the least expected cost for each risk, and the least LVaR."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array
from riskkit._excel import Exported
from riskkit._show import Row, percent
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.liquidity.numbers import documented
from riskkit.liquidity.optimal_execution import (
    LinearImpact,
    LiquidationSchedule,
    liquidation_schedule,
    schedule_of_urgency,
)
from riskkit.var.parametric import quantile_multiplier

POINTS = 41
SHARPEST = 20.0
"""kappa × interval at which all but 2e-9 of the position is sold in the first trade."""


@dataclass(frozen=True, repr=False, eq=False)
class LiquidationFrontier(Exported):
    """Efficient liquidation schedules, from even to immediate trading.

    Attributes
    ----------
    schedules : tuple[LiquidationSchedule, ...]
        Schedules by increasing risk aversion; the first trades evenly.
    confidence : float
        Confidence of the LVaR as a fraction: 0.95 for 95 %.
    z : float
        Standard normal quantile of `confidence`.
    best : LiquidationSchedule
        Schedule of least LVaR.

    Examples
    --------
    >>> from riskkit.liquidity import LinearImpact, liquidation_frontier
    >>> market = LinearImpact.calibrated(0.95, 0.125, 5_000_000)
    >>> frontier = liquidation_frontier(1_000_000, 5, 5, market, 0.95, risk_aversions=[0.0, 1e-6])
    >>> len(frontier.schedules), round(frontier.best.expected_cost)
    (2, 1078623)
    """

    schedules: tuple[LiquidationSchedule, ...]
    confidence: float
    z: float
    best: LiquidationSchedule

    def to_frame(self) -> Any:
        """One row per schedule, indexed by risk aversion."""
        import pandas as pd

        rows = [
            (item.expected_cost, item.cost_sd, item.half_life, item.lvar(self.confidence, z=self.z))
            for item in self.schedules
        ]
        index = pd.Index([item.risk_aversion for item in self.schedules], name="risk_aversion")
        return pd.DataFrame(rows, columns=["expected_cost", "cost_sd", "half_life", "lvar"], index=index)

    def plot(self, ax: Any = None) -> Any:
        """Draw expected cost over its standard deviation, and the point of least LVaR."""
        ax = plot.axes(ax, width=6.5, height=4.0)
        frame = self.to_frame()
        ax.plot(frame["cost_sd"], frame["expected_cost"], marker=".", color=plot.STRONG)
        ax.plot(self.best.cost_sd, self.best.expected_cost, "o", color=plot.WARM, label="least LVaR")
        even = self.schedules[0]
        ax.plot(even.cost_sd, even.expected_cost, "s", color=plot.INK, label="even trading")
        for axis in (ax.xaxis, ax.yaxis):
            plot.thousands(axis)
        ax.set_xlabel("standard deviation of the cost, money")
        ax.set_ylabel("expected cost, money")
        plot.dress(ax, self._title())
        ax.legend(frameon=False)
        return ax

    def _title(self) -> str:
        return "Efficient frontier of liquidation"

    def _rows(self) -> list[Row]:
        even, last = self.schedules[0], self.schedules[-1]
        level = f"LVaR {percent(self.confidence)}"
        return [
            ("even trading, expected cost", even.expected_cost, f"± {even.cost_sd:,.6g}"),
            (f"even trading, {level}", even.lvar(self.confidence, z=self.z), "money"),
            ("most urgent, expected cost", last.expected_cost, f"± {last.cost_sd:,.6g}"),
            ("least LVaR, expected cost", self.best.expected_cost, f"± {self.best.cost_sd:,.6g}"),
            (f"least {level}", self.best.lvar(self.confidence, z=self.z), "money"),
            ("at risk aversion", self.best.risk_aversion, "per unit of money"),
            ("with half-life", self.best.half_life, "days"),
        ]


@documented
def liquidation_frontier(
    quantity: float,
    days: float,
    n_trades: int,
    market: LinearImpact,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    risk_aversions: Sequence[float] | None = None,
    z: float | None = None,
) -> LiquidationFrontier:
    """Efficient frontier of liquidation schedules, and its schedule of least liquidity-adjusted VaR.

    Parameters
    ----------
    risk_aversions : sequence of float, optional
        Risk aversions of the schedules, at least 0; by default 0 and 40 values from almost even to immediate trading.

    Returns
    -------
    LiquidationFrontier
        Schedules by increasing risk aversion, and the best by LVaR.

    Raises
    ------
    InputError
        As in `liquidation_schedule`, or a market without volatility, which has no frontier.

    References
    ----------
    Almgren and Chriss (2000), Optimal Execution of Portfolio Transactions, Journal of Risk 3(2), 5-39: sections 2.1,
    2.4 (frontier) and 3.2 (value at risk, L-VaR).

    Examples
    --------
    >>> market = LinearImpact.calibrated(0.95, 0.125, 5_000_000)
    >>> frontier = liquidation_frontier(1_000_000, 5, 5, market, 0.95, risk_aversions=[0.0, 1e-6])
    >>> frontier.to_frame()[["expected_cost", "cost_sd", "lvar"]].round().to_numpy().tolist()
    [[662500.0, 1040673.0, 2374255.0], [911227.0, 603431.0, 1903782.0]]
    >>> frontier.best.lvar(0.95) < 1_903_782
    True
    """
    factor = quantile_multiplier(confidence, z=z)
    if market.price_volatility == 0.0:
        raise InputError(
            "market has no volatility, so even trading (risk_aversion=0) is optimal at every risk aversion"
        )
    even = liquidation_schedule(quantity, days, n_trades, market, risk_aversion=0.0)
    interval, count, shares = days / n_trades, int(n_trades), float(quantity)
    if risk_aversions is None:
        urgencies = np.geomspace(0.05, SHARPEST * count, POINTS - 1) / days
        schedules = [even, *(schedule_of_urgency(shares, count, interval, market, float(kappa)) for kappa in urgencies)]
    else:
        aversions = np.sort(finite_array(risk_aversions, "risk_aversions", ndim=1)).tolist()
        schedules = [
            liquidation_schedule(quantity, days, n_trades, market, risk_aversion=aversion) for aversion in aversions
        ]
    return LiquidationFrontier(
        schedules=tuple(schedules),
        confidence=float(confidence),
        z=factor,
        best=_least_lvar(shares, count, interval, market, factor, even),
    )


def _least_lvar(
    shares: float, count: int, interval: float, market: LinearImpact, z: float, even: LiquidationSchedule
) -> LiquidationSchedule:
    """The efficient schedule of least expected cost + z × sd, by search over its urgency."""
    from scipy.optimize import minimize_scalar

    def at(log_urgency: float) -> LiquidationSchedule:
        return schedule_of_urgency(shares, count, interval, market, math.exp(log_urgency) / (count * interval))

    def cost(schedule: LiquidationSchedule) -> float:
        return schedule.expected_cost + z * schedule.cost_sd

    bounds = (math.log(1e-4), math.log(SHARPEST * count))
    found = minimize_scalar(lambda x: cost(at(x)), bounds=bounds, method="bounded", options={"xatol": 1e-9})
    best = at(float(found.x))
    return best if cost(best) < cost(even) else even
