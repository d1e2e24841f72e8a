"""The best way to sell over time: impact makes haste dear, volatility makes delay risky (Almgren and Chriss).

Money per share throughout, time in days (or any period, the same everywhere). Buying is selling with the sign turned.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_number, positive, whole_number
from riskkit._show import Row, Shown
from riskkit.var.parametric import elliptical_factor

__all__ = [
    "LinearImpact",
    "LiquidationSchedule",
    "liquidation_schedule",
    "schedule_of_urgency",
]


@dataclass(frozen=True, repr=False)
class LinearImpact(Shown):
    """A market in which impact is linear in the speed of trading.

    Attributes
    ----------
    volatility : float
        Standard deviation of the price per square root of a day: money per share, not a fraction.
    half_spread : float
        Epsilon, money per share.
    permanent : float
        Gamma, money per share by which the price stays moved for each share traded.
    temporary : float
        Eta, money per share paid for each share per day of speed.

    Examples
    --------
    >>> from riskkit import LinearImpact
    >>> LinearImpact(volatility=0.95, half_spread=0.0625, permanent=2.5e-7, temporary=2.5e-6).half_spread
    0.0625
    """

    volatility: float
    half_spread: float
    permanent: float
    temporary: float

    def __post_init__(self) -> None:
        for name in ("volatility", "half_spread", "permanent", "temporary"):
            positive(getattr(self, name), name, zero=name != "temporary")

    @classmethod
    def calibrated(cls, price_volatility: float, spread: float, daily_volume: float) -> LinearImpact:
        """The paper's rule of thumb: 10 % of a day's volume moves the price by one spread, for good.

        And at a pace of 1 % of the volume one spread is paid on top.

        Parameters
        ----------
        price_volatility : float
            Money per share per square root of a day.
        spread : float
            ask - bid, money per share.
        daily_volume : float
            Shares.

        References
        ----------
        Almgren and Chriss (2000), section 3.4 (choice of parameters).

        Examples
        --------
        >>> LinearImpact.calibrated(0.95, 0.125, 5_000_000)
        Linear impact
        -------------------------------------------------
        volatility      0.95 money per share, sqrt(day)
        half spread   0.0625 money per share
        permanent    2.5e-07 money per share, share
        temporary    2.5e-06 money per share, share / day
        """
        spread, volume = positive(spread, "spread"), positive(daily_volume, "daily_volume")
        return cls(price_volatility, spread / 2.0, spread / (0.1 * volume), spread / (0.01 * volume))

    def _title(self) -> str:
        return "Linear impact"

    def _rows(self) -> list[Row]:
        return [
            ("volatility", self.volatility, "money per share, sqrt(day)"),
            ("half spread", self.half_spread, "money per share"),
            ("permanent", self.permanent, "money per share, share"),
            ("temporary", self.temporary, "money per share, share / day"),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class LiquidationSchedule(Shown):
    """What to hold when, and what that costs.

    Attributes
    ----------
    times : (n_trades + 1,)
        Days, from 0.
    holdings : (n_trades + 1,)
        Shares held at those times, the last 0.
    risk_aversion : float
        Lambda, per unit of money.
    kappa : float
        Urgency per day; 0 trades evenly.
    expected_cost : float
        Money lost on average against the price at the start.
    cost_sd : float
        Standard deviation of that loss, money.

    Examples
    --------
    >>> from riskkit import LinearImpact, liquidation_schedule
    >>> market = LinearImpact(volatility=0.95, half_spread=0.0625, permanent=2.5e-7, temporary=2.5e-6)
    >>> plan = liquidation_schedule(1_000_000, 5, 5, market, risk_aversion=0.0)
    >>> plan.holdings.tolist()
    [1000000.0, 800000.0, 600000.0, 400000.0, 200000.0, 0.0]
    """

    times: np.ndarray
    holdings: np.ndarray
    risk_aversion: float
    kappa: float
    expected_cost: float
    cost_sd: float

    @property
    def trades(self) -> np.ndarray:
        """(n_trades,) shares sold in each interval (bought, if negative)."""
        return -np.diff(self.holdings)

    @property
    def half_life(self) -> float:
        """Days in which holdings fall by a factor of e if there were no deadline, 1 / kappa; infinite at kappa 0."""
        return math.inf if self.kappa == 0.0 else 1.0 / self.kappa

    def lvar(self, confidence: float = 0.95, *, z: float | None = None) -> float:
        """Loss not exceeded with this confidence: expected cost + z × its standard deviation; costs are normal."""
        return self.expected_cost + elliptical_factor(confidence, z=z) * self.cost_sd

    def to_frame(self) -> Any:
        """One row a time: what is held, and what was sold since the row above."""
        import pandas as pd

        sold = np.concatenate([[0.0], self.trades])
        return pd.DataFrame({"held": self.holdings, "sold": sold}, index=pd.Index(self.times, name="day"))

    def plot(self, ax: Any = None) -> Any:
        """Holdings over time."""
        ax = plot.axes(ax)
        ax.plot(
            self.times,
            self.holdings,
            marker="o",
            markersize=3,
            color=plot.STRONG,
            label=f"risk aversion {self.risk_aversion:.3g}",
        )
        plot.thousands(ax.yaxis)
        ax.set_xlabel("days")
        ax.set_ylabel("shares held")
        plot.dress(ax, "Liquidation schedule")
        ax.legend(frameon=False)
        return ax

    def _title(self) -> str:
        return f"Liquidation of {abs(self.holdings[0]):,.6g} shares in {self.times[-1]:g} days"

    def _rows(self) -> list[Row]:
        return [
            ("trades", len(self.times) - 1, ""),
            ("risk aversion", self.risk_aversion, "per unit of money"),
            ("half-life", self.half_life, "days"),
            ("first trade", float(self.trades[0]), "shares"),
            ("expected cost", self.expected_cost, "money"),
            ("standard deviation", self.cost_sd, "money"),
            ("LVaR 95%", self.lvar(), "money"),
        ]


def liquidation_schedule(
    quantity: float, days: float, n_trades: int, market: LinearImpact, *, risk_aversion: float
) -> LiquidationSchedule:
    """The schedule that minimises expected cost + risk_aversion × variance of the cost.

    Parameters
    ----------
    quantity : float
        Shares to sell; negative to buy back.
    days : float
        Until when all must be gone, above zero.
    n_trades : int
        Equal intervals in which to trade.
    market : LinearImpact
        Volatility and impact, per share and day.
    risk_aversion : float
        lambda, per unit of money, at least 0: 0 trades evenly, a large one sells at once. 1e-6 is the paper's.

    Returns
    -------
    LiquidationSchedule

    Raises
    ------
    InputError
        No shares, no time, a negative risk aversion, or intervals so short that the permanent impact alone exceeds
        the temporary: temporary <= permanent × days / n_trades / 2.

    References
    ----------
    Almgren and Chriss (2000), Optimal Execution of Portfolio Transactions, Journal of Risk 3(2), 5-39: cost and
    variance of a strategy with linear impact (section 1), optimal strategies (section 2.2), half-life (2.3).

    Examples
    --------
    >>> market = LinearImpact.calibrated(0.95, 0.125, 5_000_000)
    >>> schedule = liquidation_schedule(1_000_000, 5, 5, market, risk_aversion=0)
    >>> schedule.trades.round().tolist(), round(schedule.expected_cost)
    ([200000.0, 200000.0, 200000.0, 200000.0, 200000.0], 662500)
    >>> urgent = liquidation_schedule(1_000_000, 5, 5, market, risk_aversion=2e-6)
    >>> urgent.holdings.round().tolist()
    [1000000.0, 428599.0, 182933.0, 76296.0, 27643.0, 0.0]
    """
    shares = finite_number(quantity, "quantity")
    if shares == 0.0:
        raise InputError("quantity is zero; there is nothing to sell")
    interval = positive(days, "days") / whole_number(n_trades, "n_trades")
    aversion = positive(risk_aversion, "risk_aversion", zero=True)
    steepness = _steepness(market, interval)
    # 2 (cosh(kappa tau) - 1) / tau² = lambda sigma² / eta~, solved for kappa (section 2.2)
    kappa = 2.0 / interval * math.asinh(math.sqrt(aversion / steepness) * market.volatility * interval / 2.0)
    return schedule_of_urgency(shares, int(n_trades), interval, market, kappa, aversion)


def _steepness(market: LinearImpact, interval: float) -> float:
    """eta~: the temporary impact less what an interval's permanent impact already counts."""
    steepness = market.temporary - market.permanent * interval / 2.0
    if steepness <= 0.0:
        raise InputError(
            f"market has temporary impact {market.temporary:g} and permanent impact {market.permanent:g}, too large "
            f"for intervals of {interval:g} days: temporary must exceed permanent × interval / 2, so trade more often"
        )
    return steepness


def schedule_of_urgency(
    shares: float, count: int, interval: float, market: LinearImpact, kappa: float, risk_aversion: float | None = None
) -> LiquidationSchedule:
    """Holdings sinh(kappa (T - t)) / sinh(kappa T) and their cost; the risk aversion is the one of this urgency."""
    left = np.arange(count, -1, -1.0)  # intervals until the end
    urge = kappa * interval
    share = left / count
    if urge > 1e-8:  # the ratio of the two sinh in a form that does not overflow
        share = np.exp(-urge * (count - left)) * np.expm1(-2.0 * urge * left) / math.expm1(-2.0 * urge * count)
    holdings = shares * share
    sold = np.abs(np.diff(holdings))
    steepness = _steepness(market, interval)
    cost = market.permanent * shares**2 / 2.0 + market.half_spread * sold.sum() + steepness * (sold**2).sum() / interval
    if risk_aversion is None:
        risk_aversion = steepness * (2.0 * math.sinh(urge / 2.0) / interval / market.volatility) ** 2
    return LiquidationSchedule(
        times=np.arange(count + 1) * interval,
        holdings=holdings,
        risk_aversion=risk_aversion,
        kappa=kappa,
        expected_cost=float(cost),
        cost_sd=market.volatility * math.sqrt(interval * float((holdings[1:] ** 2).sum())),
    )
