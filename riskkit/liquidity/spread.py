"""The cost of crossing the spread, and VaR with it: constant (half of the mean spread) or exogenous (Bangia et al.).

A spread is relative: (ask - bid) / mid, so 0.01 is 1 % of the price, of which a seller pays half. Costs are money,
positive for long and short positions alike.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_number, one_of, positive
from riskkit._show import Row, Shown
from riskkit.liquidity.numbers import at_least_zero, labelled, labels_among, matched
from riskkit.var.parametric import elliptical_factor

__all__ = ["SpreadVar", "bangia_tail_factor", "half_spread_cost", "relative_spread", "spread_var"]


def relative_spread(bid: Any, ask: Any) -> Any:
    """Spread as a fraction of the mid price: 2 (ask - bid) / (ask + bid).

    Parameters
    ----------
    bid, ask : float or (n_assets,)
        Prices above zero, ask at least bid; matched by name where both are labelled.

    Returns
    -------
    float or (n_assets,)
        Fraction; 0 for a locked market.

    Raises
    ------
    InputError
        NaN, infinity, a price that is not above zero, a crossed market.

    References
    ----------
    Bangia, Diebold, Schuermann and Stroughair (1999), Modeling Liquidity Risk, section 3 (relative spread).

    Examples
    --------
    >>> round(relative_spread(99.0, 101.0), 6)
    0.02
    """
    names = labels_among(bid, ask)
    low, high = at_least_zero(bid, names, "bid", above=True), at_least_zero(ask, names, "ask", above=True)
    if (high < low).any():
        raise InputError("ask lies below bid; a crossed market has no spread to pay")
    return labelled(2.0 * (high - low) / (high + low), names)


def half_spread_cost(positions: Any, spreads: Any) -> Any:
    """Money lost by closing positions at the bid or the ask rather than at mid: |position| × spread / 2.

    Parameters
    ----------
    positions : float or (n_assets,)
        Money held at mid prices, negative when short.
    spreads : float or (n_assets,)
        Relative spreads; matched by name where both are labelled.

    Returns
    -------
    float or (n_assets,)
        Money, at least zero.

    Raises
    ------
    InputError
        NaN, infinity, a negative spread, names that do not match.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., section 14.2.1 (constant spread).

    Examples
    --------
    >>> half_spread_cost([1000.0, -500.0], [0.01, 0.02]).tolist()
    [5.0, 5.0]
    """
    names = labels_among(positions, spreads)
    held = np.abs(matched(positions, names, "positions"))
    return labelled(held * at_least_zero(spreads, names, "spreads") / 2.0, names)


def bangia_tail_factor(kurtosis: float, phi: float) -> float:
    """Bangia's correction of the price leg for fat tails: 1 + phi ln(kurtosis / 3).

    Parameters
    ----------
    kurtosis : float
        Of the returns, 3 for a normal law; above zero.
    phi : float
        How strongly it counts; fitted to the tail probability at hand, 0 for none.

    Returns
    -------
    float
        Multiple of the volatility, for `spread_var`.

    Raises
    ------
    InputError
        A kurtosis that is not above zero, or anything that is not finite.

    References
    ----------
    Bangia, Diebold, Schuermann and Stroughair (1999), Modeling Liquidity Risk, section 4 (theta).

    Examples
    --------
    >>> round(bangia_tail_factor(6.0, 0.4), 6)
    1.277259
    """
    return 1.0 + finite_number(phi, "phi") * math.log(positive(kurtosis, "kurtosis") / 3.0)


@dataclass(frozen=True, repr=False)
class SpreadVar(Shown):
    """VaR of one position with the cost of its spread; money, losses positive.

    Attributes
    ----------
    price_var : float
        Loss on mid prices.
    spread_cost : float
        Half of the spread, in the tail where its standard deviation was given.
    price : str
        Law of the price leg.

    Examples
    --------
    >>> from riskkit import SpreadVar
    >>> lvar = SpreadVar(price_var=4.65, spread_cost=0.5, price="normal")
    >>> lvar.total
    5.15
    """

    price_var: float
    spread_cost: float
    price: str

    @property
    def total(self) -> float:
        """The liquidity-adjusted VaR: price leg and spread are taken to be at their worst together."""
        return self.price_var + self.spread_cost

    def to_frame(self) -> Any:
        """One row with the legs and their sum."""
        import pandas as pd

        return pd.DataFrame([{"price_var": self.price_var, "spread_cost": self.spread_cost, "total": self.total}])

    def plot(self, ax: Any = None) -> Any:
        """Draw the two legs."""
        parts = {"price VaR": [self.price_var], "cost of the spread": [self.spread_cost]}
        share = f": {self.spread_cost / self.total:.0%} of it is the spread" if self.total > 0.0 else ""
        title = f"VaR with the cost of the spread{share}"
        return plot.bars(parts, ["VaR"], label="money, or a part of the value", title=title, ax=ax)

    def _title(self) -> str:
        return "VaR with the cost of the spread"

    def _rows(self) -> list[Row]:
        share = f"{self.spread_cost / self.total:.1%} of it" if self.total > 0.0 else ""
        return [
            ("price VaR", self.price_var, self.price),
            ("spread cost", self.spread_cost, share),
            ("liquidity-adjusted VaR", self.total, "money"),
        ]


def spread_var(
    value: float,
    volatility: float,
    spread: float,
    confidence: float = 0.95,
    *,
    spread_sd: float = 0.0,
    spread_multiplier: float = 3.0,
    price: str = "normal",
    tail_factor: float = 1.0,
    z: float | None = None,
) -> SpreadVar:
    """VaR of one position plus half of its spread, constant or at its own worst (exogenous).

    Parameters
    ----------
    value : float
        Money held at mid, above zero (of a short position the money that it owes).
    volatility : float
        Standard deviation of the return over the horizon: of the simple return if `price` is normal, of the log
        return if it is lognormal.
    spread : float
        Mean relative spread.
    confidence : float
        0.95 for 95 %.
    spread_sd : float
        Standard deviation of the relative spread; 0 for a constant spread.
    spread_multiplier : float
        Standard deviations to the worst spread. Spreads are far from normal: Bangia et al. find 2 to 4.5.
    price : {"normal", "lognormal"}
        Price leg value × z × volatility, or value × (1 - exp(-z × volatility)).
    tail_factor : float
        Multiplies the volatility of the price leg; see `bangia_tail_factor`.
    z : float, optional
        Standard normal quantile to use as it is (1.65, 2.33); without it the exact one.

    Returns
    -------
    SpreadVar
        `price_var`, `spread_cost` and their sum `total`.

    Raises
    ------
    InputError
        NaN, infinity, a negative value, volatility, spread, or confidence outside (0, 1).

    References
    ----------
    Bangia, Diebold, Schuermann and Stroughair (1999), Modeling Liquidity Risk, with Implications for Traditional Market
    Risk Measurement and Management, Wharton working paper 99-06, sections 3-4. Dowd (2005), Measuring Market Risk,
    2nd ed., section 14.2.

    Examples
    --------
    >>> spread_var(100, 0.02, 0.01, z=1.65)
    VaR with the cost of the spread
    ---------------------------------------
    price VaR               3.3 normal
    spread cost             0.5 13.2% of it
    liquidity-adjusted VaR  3.8 money
    >>> exogenous = spread_var(100, 0.02, 0.01, spread_sd=0.004, price="lognormal", z=2.33)
    >>> round(exogenous.price_var, 6), round(exogenous.spread_cost, 6)
    (4.553089, 1.1)
    """
    one_of(price, ("normal", "lognormal"), "price")
    held = positive(value, "value", zero=True)
    factor = elliptical_factor(confidence, z=z)
    move = factor * positive(tail_factor, "tail_factor") * positive(volatility, "volatility", zero=True)
    worst = positive(spread_multiplier, "spread_multiplier", zero=True) * positive(spread_sd, "spread_sd", zero=True)
    spread_then = positive(spread, "spread", zero=True) + worst
    return SpreadVar(
        price_var=held * (move if price == "normal" else -math.expm1(-move)),
        spread_cost=held * spread_then / 2.0,
        price=price,
    )
