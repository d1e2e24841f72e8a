"""Liquidation of a portfolio: impact across assets, impact and volatility that vary over time, and the cost under stress."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array, labels_of, positive, whole_number, with_labels
from riskkit._excel import Exported
from riskkit._show import Row, Shown
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.covariance.matrices import square_matrix
from riskkit.liquidity.numbers import matched
from riskkit.var.parametric import quantile_multiplier


@dataclass(frozen=True, repr=False, eq=False)
class CrossImpact(Shown):
    """Prices of several assets that move by themselves and by what is sold, of each and of the others.

    Attributes
    ----------
    covariance : (n_assets, n_assets)
        Of the price changes of a day, (money per share)².
    temporary_slope : (n_assets,) or (n_assets, n_assets)
        Cost in money per share for each share per day of speed: row i, column j is the cost of selling i while j is sold.
        Symmetric; a vector is without cross-impact.
    permanent_slope : (n_assets,) or (n_assets, n_assets)
        Permanent price change in money per share for each share sold; zero by default.
    impact_profile, volatility_profile : (n_trades,)
        Multiples of the temporary impact and of the volatility in each interval of a liquidation; 1 by default.
    labels : Index or None
        Names of the assets, of the covariance.

    Examples
    --------
    >>> from riskkit.liquidity import CrossImpact
    >>> market = CrossImpact([[1.0, 0.5], [0.5, 1.0]], temporary_slope=[[2e-6, 1e-6], [1e-6, 2e-6]])
    >>> market.cost([[1e5, 1e5], [0, 0]], days=1)
    (60000.0, 0.0)
    """

    covariance: Any
    temporary_slope: Any
    permanent_slope: Any = 0.0
    impact_profile: Any = 1.0
    volatility_profile: Any = 1.0
    labels: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        matrix, labels = square_matrix(self.covariance, "covariance")
        set_ = object.__setattr__
        set_(self, "covariance", matrix)
        set_(self, "labels", labels)
        for name in ("temporary_slope", "permanent_slope"):
            set_(self, name, self._symmetric(getattr(self, name), name))
        for name in ("impact_profile", "volatility_profile"):
            profile = finite_array(getattr(self, name), name)
            if profile.ndim > 1 or profile.min() <= 0.0:
                raise InputError(
                    f"{name} has shape {profile.shape} and {profile.min():g}; give a multiple above zero per interval"
                )
            set_(self, name, profile)

    def _symmetric(self, value: Any, name: str) -> np.ndarray:
        n = len(self.covariance)
        array = finite_array(value, name)
        matrix = np.diag(np.broadcast_to(array, n)) if array.shape in ((), (n,)) else array
        if matrix.shape != (n, n) or not np.allclose(matrix, matrix.T):
            raise InputError(f"{name} has shape {array.shape} for {n} assets; give one per asset or a symmetric matrix")
        return matrix

    def stressed(self, *, impact: float = 1.0, volatility: float = 1.0) -> CrossImpact:
        """The same market with the temporary impact and the volatility multiplied.

        Parameters
        ----------
        impact : float
            Multiplier of the temporary impact, above zero.
        volatility : float
            Multiplier of the volatility, above zero.
        """
        return replace(
            self,
            covariance=with_labels(self.covariance, self.labels, self.labels),
            impact_profile=self.impact_profile * positive(impact, "impact"),
            volatility_profile=self.volatility_profile * positive(volatility, "volatility"),
        )

    def cost(self, holdings: Any, days: float) -> tuple[float, float]:
        """Expected cost of a liquidation in this market, and its standard deviation, money.

        Parameters
        ----------
        holdings : (n_trades + 1, n_assets)
            Shares held at equal intervals, the last row zero.
        days : float
            Time until the end in days.
        """
        held = finite_array(holdings, "holdings", ndim=2)
        if held.shape[1] != len(self.covariance) or len(held) < 2 or held[-1].any():
            raise InputError(
                f"holdings has shape {held.shape} for {len(self.covariance)} assets; give rows that end at zero"
            )
        interval = positive(days, "days") / (len(held) - 1)
        impacts, scales = self._over(len(held) - 1)
        sold = -np.diff(held, axis=0)
        expected = float(held[0] @ self.permanent_slope @ held[0]) / 2.0
        for trade, multiple in zip(sold, impacts, strict=True):
            expected += float(trade @ (multiple * self.temporary_slope / interval - self.permanent_slope / 2.0) @ trade)
        variance = interval * float((scales**2 * ((held[1:] @ self.covariance) * held[1:]).sum(axis=1)).sum())
        return expected, variance**0.5

    def _over(self, n_trades: int) -> tuple[np.ndarray, np.ndarray]:
        """Multiples of impact and volatility in each interval."""
        both = []
        for name in ("impact_profile", "volatility_profile"):
            profile = getattr(self, name)
            if profile.ndim and len(profile) != n_trades:
                raise InputError(f"{name} has {len(profile)} entries for {n_trades} trades; give one for each")
            both.append(np.broadcast_to(profile, n_trades))
        return both[0], both[1]

    def _title(self) -> str:
        return f"Market of {len(self.covariance)} assets with impact"

    def _rows(self) -> list[Row]:
        return [
            ("largest volatility", float(np.sqrt(np.diag(self.covariance).max())), "money per share, sqrt(day)"),
            ("largest temporary impact", float(np.diag(self.temporary_slope).max()), "money per share, share / day"),
            ("cross-impact", bool((self.temporary_slope != np.diag(np.diag(self.temporary_slope))).any()), ""),
        ]


@dataclass(frozen=True, repr=False, eq=False)
class PortfolioLiquidation(Exported):
    """Optimal liquidation of a portfolio.

    Attributes
    ----------
    days : float
        Time until the end, in days.
    holdings : (n_trades + 1, n_assets)
        Shares held at equal intervals; the last row is 0.
    expected_cost : float
        Expected loss against the initial prices, without spreads, money.
    cost_sd : float
        Standard deviation of the loss, money.

    Examples
    --------
    >>> from riskkit.liquidity import CrossImpact, liquidate_portfolio
    >>> market = CrossImpact([[0.9]], temporary_slope=2.5e-6)
    >>> liquidate_portfolio([1e6], 5.0, 2, market, risk_aversion=0.0).holdings.ravel().tolist()
    [1000000.0, 500000.0, 0.0]
    """

    days: float
    holdings: Any
    expected_cost: float
    cost_sd: float

    def lvar(self, confidence: float = DEFAULT_CONFIDENCE) -> float:
        """Liquidity-adjusted VaR in money: expected cost plus a normal quantile of it.

        Parameters
        ----------
        confidence : float
            0.95 for 95 %.
        """
        return self.expected_cost + quantile_multiplier(confidence) * self.cost_sd

    def to_frame(self) -> Any:
        """One row per time, in days, with the shares held."""
        import pandas as pd

        times = np.linspace(0.0, self.days, len(self.holdings))
        return pd.DataFrame(np.asarray(self.holdings), pd.Index(times, name="day"), labels_of(self.holdings, 1))

    def plot(self, ax: Any = None) -> Any:
        """Draw the fraction of each position over time."""
        ax = plot.axes(ax)
        table = self.to_frame()
        for name, column in table.items():
            if column.iloc[0]:
                ax.plot(table.index, column / column.iloc[0], marker="o", markersize=3, label=plot.literal(str(name)))
        ax.set_xlabel("days")
        ax.set_ylabel("fraction of the position")
        plot.dress(ax, self._title())
        ax.legend(frameon=False)
        return ax

    def _title(self) -> str:
        return f"Liquidation of {np.shape(self.holdings)[1]} assets in {self.days:g} days"

    def _rows(self) -> list[Row]:
        return [
            ("trades", len(self.holdings) - 1, ""),
            ("expected cost", self.expected_cost, "money"),
            ("standard deviation", self.cost_sd, "money"),
            ("LVaR 95%", self.lvar(), "money"),
        ]


def liquidate_portfolio(
    positions: Any, days: float, n_trades: int, market: CrossImpact, *, risk_aversion: float
) -> PortfolioLiquidation:
    """Optimal liquidation of a portfolio: minimize expected cost + risk_aversion × variance of the cost.

    Parameters
    ----------
    positions : (n_assets,)
        Shares, negative if short.
    days : float
        Time until the end in days, above zero.
    n_trades : int
        Number of equal trading intervals.
    market : CrossImpact
        Covariance and impact, with their profiles over the intervals.
    risk_aversion : float
        Per unit of money, at least zero.

    Returns
    -------
    PortfolioLiquidation
        Holdings (an asset may be bought for a while as a hedge of the others), expected cost and standard deviation.

    Raises
    ------
    InputError
        NaN, another number of assets, or a temporary impact that does not exceed half of the permanent one of an interval.

    References
    ----------
    Almgren and Chriss (2000), Optimal Execution of Portfolio Transactions, Journal of Risk 3(2), 5-39, appendix A (portfolios).
    Almgren (2012), Optimal trading with stochastic liquidity and volatility, SIAM J. Financial Mathematics 3, 163-181 (profiles,
    here known beforehand).

    Examples
    --------
    >>> market = CrossImpact([[1.0, 0.8], [0.8, 1.0]], temporary_slope=[2.5e-6, 2.5e-5], impact_profile=[1.0, 3.0, 1.0])
    >>> plan = liquidate_portfolio([1e5, 1e5], 3.0, 3, market, risk_aversion=1e-6)
    >>> plan.holdings.round(-2).tolist()
    [[100000.0, 100000.0], [31400.0, 54400.0], [18400.0, 40200.0], [0.0, 0.0]]
    """
    start = matched(positions, market.labels, "positions")
    if start.shape != (len(market.covariance),):
        raise InputError(f"positions has shape {start.shape} for {len(market.covariance)} assets; give one for each")
    count, duration = whole_number(n_trades, "n_trades"), positive(days, "days")
    aversion, interval = positive(risk_aversion, "risk_aversion", zero=True), duration / count
    impacts, scales = market._over(count)
    costs = [multiple * market.temporary_slope - market.permanent_slope * interval / 2.0 for multiple in impacts]
    if min(np.linalg.eigvalsh(cost)[0] for cost in costs) <= 0.0:
        raise InputError(
            "market has a temporary impact that is not positive definite, less half of the permanent one of an interval of "
            f"{interval:g} days; trade more often, or weaken the cross-impact"
        )
    keep = [np.zeros_like(market.covariance)]  # holdings after a trade as a function of those before, the last first
    for k in range(count - 2, -1, -1):
        bend = costs[k] + costs[k + 1] + aversion * interval**2 * scales[k] ** 2 * market.covariance
        keep.append(np.linalg.solve(bend - costs[k + 1] @ keep[-1], costs[k]))
    holdings = [start]
    for after in reversed(keep):
        holdings.append(after @ holdings[-1])
    held = np.array(holdings)
    expected, spread = market.cost(held, duration)
    rows = None if market.labels is None else range(count + 1)
    return PortfolioLiquidation(duration, with_labels(held, rows, market.labels), expected, spread)
