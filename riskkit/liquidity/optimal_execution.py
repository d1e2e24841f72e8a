"""Optimal liquidation schedules: the trade-off of market impact against price risk (Almgren and Chriss).

Prices are money per share, time is in days (or any other common period). Buying is selling with the opposite sign.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_number, positive, whole_number
from riskkit._excel import Exported
from riskkit._show import Row, Shown
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.liquidity.numbers import documented
from riskkit.var.parametric import quantile_multiplier


@dataclass(frozen=True, repr=False)
class LinearImpact(Shown):
    """Market impact that is linear in the speed of trading.

    Attributes
    ----------
    price_volatility : float
        Standard deviation of the price in money per share and square root of a day.
    half_spread : float
        Half of the bid-ask spread (epsilon), money per share.
    permanent_slope : float
        Permanent price change (gamma), money per share for each share traded.
    temporary_slope : float
        Temporary cost (eta), money per share for each share per day of speed.

    Examples
    --------
    >>> from riskkit.liquidity import LinearImpact
    >>> LinearImpact(price_volatility=0.95, half_spread=0.0625, permanent_slope=2.5e-7, temporary_slope=2.5e-6).half_spread
    0.0625
    """

    price_volatility: float
    half_spread: float
    permanent_slope: float
    temporary_slope: float

    def __post_init__(self) -> None:
        for name in ("price_volatility", "half_spread", "permanent_slope", "temporary_slope"):
            positive(getattr(self, name), name, zero=name != "temporary_slope")

    @classmethod
    def calibrated(cls, price_volatility: float, bid_ask_spread: float, adv: float) -> LinearImpact:
        """Calibrate the impact by the paper's rule of thumb.

        Trading 10 % of the daily volume moves the price permanently by one spread; trading at a speed of 1 % of the
        daily volume costs one more spread.

        Parameters
        ----------
        price_volatility : float
            Standard deviation of the price in money per share and square root of a day.
        bid_ask_spread : float
            ask - bid, money per share.
        adv : float
            Average daily volume, shares.

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
        spread, volume = positive(bid_ask_spread, "bid_ask_spread"), positive(adv, "adv")
        return cls(price_volatility, spread / 2.0, spread / (0.1 * volume), spread / (0.01 * volume))

    def _title(self) -> str:
        return "Linear impact"

    def _rows(self) -> list[Row]:
        return [
            ("volatility", self.price_volatility, "money per share, sqrt(day)"),
            ("half spread", self.half_spread, "money per share"),
            ("permanent", self.permanent_slope, "money per share, share"),
            ("temporary", self.temporary_slope, "money per share, share / day"),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class LiquidationSchedule(Exported):
    """Liquidation schedule: holdings over time, and the distribution of their cost.

    Attributes
    ----------
    times : (n_trades + 1,)
        Times of the holdings in days, from 0.
    holdings : (n_trades + 1,)
        Shares held at these times; the last is 0.
    risk_aversion : float
        Risk aversion (lambda), per unit of money.
    kappa : float
        Urgency per day; 0 for even trading.
    expected_cost : float
        Expected loss against the initial price, money.
    cost_sd : float
        Standard deviation of the loss, money.

    Examples
    --------
    >>> from riskkit.liquidity import LinearImpact, liquidation_schedule
    >>> market = LinearImpact(price_volatility=0.95, half_spread=0.0625, permanent_slope=2.5e-7, temporary_slope=2.5e-6)
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
        """(n_trades,) shares sold in each interval, negative if bought."""
        return -np.diff(self.holdings)

    @property
    def half_life(self) -> float:
        """Days in which holdings without a deadline fall by a factor of e, 1 / kappa; infinite at kappa 0."""
        return math.inf if self.kappa == 0.0 else 1.0 / self.kappa

    def lvar(self, confidence: float = DEFAULT_CONFIDENCE, *, z: float | None = None) -> float:
        """Liquidity-adjusted VaR in money: expected cost + z × standard deviation, as costs are normal."""
        return self.expected_cost + quantile_multiplier(confidence, z=z) * self.cost_sd

    def to_frame(self) -> Any:
        """One row per time: shares held, and shares sold since the previous row."""
        import pandas as pd

        sold = np.concatenate([[0.0], self.trades])
        return pd.DataFrame({"held": self.holdings, "sold": sold}, index=pd.Index(self.times, name="day"))

    def plot(self, ax: Any = None) -> Any:
        """Draw the holdings over time."""
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


@documented
def liquidation_schedule(
    quantity: float, days: float, n_trades: int, market: LinearImpact, *, risk_aversion: float
) -> LiquidationSchedule:
    """Optimal liquidation schedule: minimize expected cost + risk_aversion × variance of the cost.

    Parameters
    ----------
    risk_aversion : float
        Risk aversion (lambda) per unit of money, at least 0: 0 trades evenly, a large value sells at once; 1e-6 in the
        paper.

    Returns
    -------
    LiquidationSchedule
        Holdings, expected cost and its standard deviation.

    Raises
    ------
    InputError
        No shares, no time, a negative risk aversion, or intervals so long that the permanent impact exceeds the
        temporary: temporary_slope <= permanent_slope × days / n_trades / 2.

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
    kappa = 2.0 / interval * math.asinh(math.sqrt(aversion / steepness) * market.price_volatility * interval / 2.0)
    return schedule_of_urgency(shares, int(n_trades), interval, market, kappa, aversion)


def _steepness(market: LinearImpact, interval: float) -> float:
    """eta~: the temporary slope less the part included in the permanent impact of an interval."""
    steepness = market.temporary_slope - market.permanent_slope * interval / 2.0
    if steepness <= 0.0:
        raise InputError(
            f"market has temporary_slope={market.temporary_slope:g} and permanent_slope={market.permanent_slope:g}, too "
            f"large for intervals of {interval:g} days: temporary_slope must exceed permanent_slope × interval / 2, so "
            "trade more often"
        )
    return steepness


def schedule_of_urgency(
    shares: float, count: int, interval: float, market: LinearImpact, kappa: float, risk_aversion: float | None = None
) -> LiquidationSchedule:
    """Schedule of a given urgency: holdings sinh(kappa (T - t)) / sinh(kappa T), their cost and risk aversion."""
    left = np.arange(count, -1, -1.0)  # intervals until the end
    urge = kappa * interval
    share = left / count
    if urge > 1e-8:  # the ratio of both sinh without overflow
        decay = np.expm1(-2.0 * urge * left)
        share = np.exp(-urge * (count - left)) * decay / decay[0]
    holdings = shares * share
    sold = np.abs(np.diff(holdings))
    steepness = _steepness(market, interval)
    cost = (
        market.permanent_slope * shares**2 / 2.0
        + market.half_spread * sold.sum()
        + steepness * (sold**2).sum() / interval
    )
    if risk_aversion is None:
        risk_aversion = steepness * (2.0 * math.sinh(urge / 2.0) / interval / market.price_volatility) ** 2
    return LiquidationSchedule(
        times=np.arange(count + 1) * interval,
        holdings=holdings,
        risk_aversion=risk_aversion,
        kappa=kappa,
        expected_cost=float(cost),
        cost_sd=market.price_volatility * math.sqrt(interval * float((holdings[1:] ** 2).sum())),
    )
