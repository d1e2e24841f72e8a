"""Liquidity-adjusted VaR of a book: additive contributions of prices, liquidation time, spreads and impact."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, labels_of, positive, with_labels
from riskkit._excel import Exported
from riskkit._exposure import exposure_of
from riskkit._show import Row, percent
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.attribution import component
from riskkit.liquidity.impact import square_root_impact
from riskkit.liquidity.numbers import at_least_zero, documented, matched
from riskkit.liquidity.spread import half_spread_cost
from riskkit.liquidity.unwind import days_to_liquidate, overlap
from riskkit.pnl import aggregate as aggregate_pnl

SHOWN = 10
CAUSES = {
    "price_var": "price VaR",
    "holding_cost": "time to unwind",
    "spread_cost": "spread",
    "impact_cost": "impact",
}


@dataclass(frozen=True, repr=False, eq=False)
class LiquidityVar(Exported):
    """Liquidity-adjusted VaR by position and cause; money, losses positive, additive.

    Vectors are Series if the positions have names, else arrays.

    Attributes
    ----------
    positions : (n_assets,)
        Positions, money.
    confidence : float
        Confidence as a fraction: 0.95 for 95 %.
    price_var : (n_assets,)
        Component VaR over one period, as if all positions were sold at its end; money.
    holding_cost : (n_assets,)
        Additional VaR of a longer liquidation; money.
    spread_cost : (n_assets,)
        Half of the spread; money.
    impact_cost : (n_assets,)
        Market impact of the liquidation; money.
    days : (n_assets,) or None
        Periods to liquidate each position; None without volumes.

    Examples
    --------
    >>> from riskkit.liquidity import liquidity_var
    >>> covariance = [[0.0004, 0.0001], [0.0001, 0.0009]]
    >>> book = liquidity_var([1_000_000, 500_000], covariance, spreads=[0.001, 0.004], adv=[5e6, 5e5], confidence=0.95, z=1.65)
    >>> book.spread_cost.round(2).tolist(), book.days.round(2).tolist()
    ([500.0, 1000.0], [1.0, 5.0])
    """

    positions: Any
    confidence: float
    price_var: Any
    holding_cost: Any
    spread_cost: Any
    impact_cost: Any
    days: Any

    @property
    def component(self) -> Any:
        """Contribution of each position in money; negative for a hedge that saves more than its cost."""
        return self.price_var + self.holding_cost + self.spread_cost + self.impact_cost

    @property
    def total(self) -> float:
        """Liquidity-adjusted VaR of the book, money."""
        return float(np.sum(np.asarray(self.component)))

    @property
    def var(self) -> float:
        """VaR over one period without liquidity costs, money."""
        return float(np.sum(np.asarray(self.price_var)))

    @property
    def liquidity_cost(self) -> float:
        """Liquidity costs on top of VaR, money."""
        return self.total - self.var

    def aggregate(self, hierarchy: Any, *, total: Any = None) -> Any:
        """Sums over a book -> desk -> firm hierarchy, as in `riskkit.pnl.aggregate`: causes by node."""
        import pandas as pd

        if labels_of(self.positions, 0) is None:
            raise InputError("the positions have no names; give positions or covariance with labels")
        causes = pd.DataFrame({name: getattr(self, name) for name in CAUSES} | {"total": self.component})
        return aggregate_pnl(causes.T, hierarchy, total=total)

    def to_frame(self) -> Any:
        """One row per position: its value, periods to liquidate, the four causes and their sum."""
        import pandas as pd

        columns = {"position": self.positions, "days": self.days} | {name: getattr(self, name) for name in CAUSES}
        columns["total"] = self.component
        return pd.DataFrame({name: value for name, value in columns.items() if value is not None}).rename_axis("asset")

    def plot(self, ax: Any = None) -> Any:
        """Draw stacked bars of the causes by position, the largest on top."""
        frame = self.to_frame().sort_values("total", kind="stable")
        ax = plot.axes(ax, height=1.6 + 0.36 * len(frame))
        names = plot.names_beside(ax, frame.index)
        ends = {1.0: np.zeros(len(frame)), -1.0: np.zeros(len(frame))}  # gains stack to the left, losses to the right
        for (cause, label), (color, hatch) in zip(CAUSES.items(), plot.LOOKS, strict=False):
            size = frame[cause].to_numpy()
            start = np.where(size < 0.0, ends[-1.0], ends[1.0])
            ax.barh(names, size, left=start, color=color, hatch=hatch, edgecolor="white", label=label)
            ends = {1.0: ends[1.0] + np.maximum(size, 0.0), -1.0: ends[-1.0] + np.minimum(size, 0.0)}
        ax.axvline(0.0, color=plot.INK, linewidth=0.8)
        ax.set_xlim(min(ax.get_xlim()[0], 0.0), max(ax.get_xlim()[1], 0.0))  # the smallest bar may begin above it
        plot.thousands(ax.xaxis)
        ax.set_xlabel("loss, money")
        plot.dress(ax, self._title())
        plot.legend_below(ax)
        return ax

    def _title(self) -> str:
        return f"Liquidity-adjusted VaR {percent(self.confidence)}"

    def _rows(self) -> list[Row]:
        total = self.total
        rows: list[Row] = [("total", total, "money")]
        for name, label in CAUSES.items():
            size = float(np.sum(np.asarray(getattr(self, name))))
            rows.append((label, size, f"{size / total:.1%}" if total != 0.0 else ""))
        component, names = np.asarray(self.component), labels_of(self.positions, 0)
        days = None if self.days is None else np.asarray(self.days)
        order = np.argsort(-np.abs(component), kind="stable")
        for i in order[:SHOWN]:
            note = "" if days is None else f"{days[i]:.3g} periods to unwind"
            rows.append((f"- {i if names is None else names[i]}", float(component[i]), note))
        if len(order) > SHOWN:
            rows.append((f"- {len(order) - SHOWN} more", float(component[order[SHOWN:]].sum()), ""))
        return rows


@documented
def liquidity_var(
    positions: Any,
    covariance: Any,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    spreads: Any = 0.0,
    spread_sd: Any = 0.0,
    spread_multiplier: float = 3.0,
    adv: Any = None,
    participation: Any = 0.2,
    impact_coefficient: float = 1.0,
    z: float | None = None,
    price_components: Any = None,
) -> LiquidityVar:
    """Liquidity-adjusted VaR of a book: price risk, liquidation time, spread and impact, additive by position.

    Parameters
    ----------
    positions : (n_assets,)
        Positions, money, negative if short; all vectors are matched by name if labelled.
    covariance : (n_assets, n_assets)
        Covariance of simple returns per period (usually a day).
    spreads : float or (n_assets,)
        Mean relative spreads, fractions (0.001 for 10 bp of the price), of which half is paid.
    adv : (n_assets,), optional
        Market volume of each asset per period, money. Without it the book is sold at the end of one period without
        impact.
    impact_coefficient : float
        Coefficient of `square_root_impact`; 0 for none.
    price_components : (n_assets,), optional
        Components of a one-period VaR by another model (`attribution.historical(...).component`) instead of the normal
        ones, money; the holding cost still follows from the covariance.

    Returns
    -------
    LiquidityVar
        Worst prices and worst spreads coincide, as in Bangia et al. A position falls evenly to zero over its T periods,
        with uncorrelated losses between periods; for long T its VaR tends to sqrt(T/3) times that of one period.

    References
    ----------
    Bangia, Diebold, Schuermann and Stroughair (1999), Modeling Liquidity Risk, sections 3-4 (spread). Jorion (2007),
    Value at Risk, 3rd ed., chapter 13 (unwinding). Toth et al. (2011), Physical Review X 1, 021006, eq. 1 (impact).
    The components are Euler's, as in `riskkit.attribution.component`.

    Examples
    --------
    >>> covariance = [[0.0004, 0.0001], [0.0001, 0.0009]]
    >>> book = liquidity_var([1_000_000, 500_000], covariance, spreads=[0.001, 0.004], adv=[5e6, 5e5], confidence=0.95, z=1.65)
    >>> book
    Liquidity-adjusted VaR 95%
    --------------------------------------------
    total           77,491.2 money
    price VaR       44,427.6 57.3%
    time to unwind  7,619.36 9.8%
    spread             1,500 1.9%
    impact          23,944.3 30.9%
    - 1             44,508.1 5 periods to unwind
    - 0             32,983.1 1 periods to unwind
    """
    book = exposure_of(positions, covariance)
    names, amounts = book.labels, book.positions
    worst = positive(spread_multiplier, "spread_multiplier", zero=True) * at_least_zero(spread_sd, names, "spread_sd")
    price: Any = component(amounts, book.covariance, confidence, z=z)
    nothing = np.zeros(len(amounts))
    days, holding, impact = None, nothing, nothing
    if adv is not None:
        volume, volatility = at_least_zero(adv, names, "adv", above=True), np.sqrt(book.covariance.diagonal())
        days = np.broadcast_to(
            days_to_liquidate(amounts, volume, matched(participation, names, "participation")), amounts.shape
        )
        holding = component(amounts, book.covariance * overlap(days), confidence, z=z) - price
        impact = np.abs(amounts) * square_root_impact(amounts, volume, volatility, coefficient=impact_coefficient)
    if price_components is not None:
        price = matched(price_components, names, "price_components")
        if price.shape != amounts.shape:
            raise InputError(
                f"price_components has shape {price.shape} for {len(amounts)} positions; give one for each"
            )
    spread = half_spread_cost(amounts, at_least_zero(spreads, names, "spreads") + worst)

    def vector(array: Any) -> Any:
        return with_labels(np.broadcast_to(array, amounts.shape).copy(), names)

    return LiquidityVar(
        positions=vector(amounts),
        confidence=float(confidence),
        price_var=vector(price),
        holding_cost=vector(holding),
        spread_cost=vector(spread),
        impact_cost=vector(impact),
        days=None if days is None else vector(days),
    )
