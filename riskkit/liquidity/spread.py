"""Cost of the bid-ask spread, and VaR with it: constant (half of the mean spread) or exogenous (Bangia et al.).

A spread is relative, (ask - bid) / mid: 0.01 is 1 % of the price, of which a seller pays half. Costs are money,
positive for long and short positions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_number, one_of, positive
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit._tail import DEFAULT_CONFIDENCE
from riskkit.liquidity.numbers import at_least_zero, documented, labelled, labels_among, matched
from riskkit.var.parametric import quantile_multiplier


@documented
def relative_spread(bid: Any, ask: Any) -> Any:
    """Relative spread, a fraction of the mid price: 2 (ask - bid) / (ask + bid).

    Parameters
    ----------
    bid, ask : float or (n_assets,)
        Prices above zero, ask at least bid; matched by name if both are labelled.

    Returns
    -------
    float or (n_assets,)
        Fraction; 0 in a locked market.

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
        raise InputError("ask is below bid; a crossed market has no spread")
    return labelled(2.0 * (high - low) / (high + low), names)


@documented
def half_spread_cost(positions: Any, spreads: Any) -> Any:
    """Cost of closing positions at the bid or the ask instead of mid: abs(position) × spread / 2.

    Parameters
    ----------
    positions : float or (n_assets,)
        Positions at mid prices, money, negative if short.
    spreads : float or (n_assets,)
        Relative spreads, fractions; matched by name if both are labelled.

    Returns
    -------
    float or (n_assets,)
        Money, at least zero.

    References
    ----------
    Dowd (2005), Measuring Market Risk, 2nd ed., section 14.2.1 (constant spread).

    Examples
    --------
    >>> half_spread_cost([1000.0, -500.0], [0.01, 0.02]).tolist()
    [5.0, 5.0]
    """
    names = labels_among(positions, spreads)
    size = np.abs(matched(positions, names, "positions"))
    return labelled(size * at_least_zero(spreads, names, "spreads") / 2.0, names)


@documented
def bangia_tail_factor(kurtosis: float, phi: float) -> float:
    """Fat-tail factor of Bangia et al. on the volatility of the price: 1 + phi ln(kurtosis / 3).

    Parameters
    ----------
    kurtosis : float
        Kurtosis of the returns, 3 for a normal distribution; above zero.
    phi : float
        Strength of the correction, fitted to the tail probability; 0 for none.

    Returns
    -------
    float
        Factor on the volatility, for `spread_var`.

    References
    ----------
    Bangia, Diebold, Schuermann and Stroughair (1999), Modeling Liquidity Risk, section 4 (theta).

    Examples
    --------
    >>> round(bangia_tail_factor(6.0, 0.4), 6)
    1.277259
    """
    return 1.0 + finite_number(phi, "phi") * math.log(positive(kurtosis, "kurtosis") / 3.0)


Distribution = Literal["normal", "lognormal"]


@dataclass(frozen=True, repr=False)
class SpreadVar(Exported):
    """VaR of one position including the cost of its spread; money, losses positive.

    Attributes
    ----------
    price_var : float
        VaR at mid prices, money.
    spread_cost : float
        Half of the spread, at its worst if a standard deviation is given; money.
    distribution : {"normal", "lognormal"}
        Distribution of the price.

    Examples
    --------
    >>> from riskkit.liquidity import SpreadVar
    >>> lvar = SpreadVar(price_var=4.65, spread_cost=0.5, distribution="normal")
    >>> lvar.total
    5.15
    """

    price_var: float
    spread_cost: float
    distribution: Distribution

    @property
    def total(self) -> float:
        """Liquidity-adjusted VaR, with price and spread at their worst together; money."""
        return self.price_var + self.spread_cost

    def to_frame(self) -> Any:
        """Both components and their sum as a frame of one row."""
        import pandas as pd

        return pd.DataFrame([{"price_var": self.price_var, "spread_cost": self.spread_cost, "total": self.total}])

    def plot(self, ax: Any = None) -> Any:
        """Draw both components."""
        parts = {"price VaR": [self.price_var], "cost of the spread": [self.spread_cost]}
        share = f": {self.spread_cost / self.total:.0%} of it is the spread" if self.total > 0.0 else ""
        title = f"VaR with the cost of the spread{share}"
        return plot.bars(parts, ["VaR"], label="money, or a part of the value", title=title, ax=ax)

    def _title(self) -> str:
        return "VaR with the cost of the spread"

    def _rows(self) -> list[Row]:
        share = f"{self.spread_cost / self.total:.1%} of it" if self.total > 0.0 else ""
        return [
            ("price VaR", self.price_var, self.distribution),
            ("spread cost", self.spread_cost, share),
            ("liquidity-adjusted VaR", self.total, "money"),
        ]


@documented
def spread_var(
    value: float,
    volatility: float,
    spread: float,
    confidence: float = DEFAULT_CONFIDENCE,
    *,
    spread_sd: float = 0.0,
    spread_multiplier: float = 3.0,
    distribution: Distribution = "normal",
    tail_factor: float = 1.0,
    z: float | None = None,
) -> SpreadVar:
    """VaR of one position plus half of its spread, constant or at its worst (exogenous).

    Parameters
    ----------
    value : float
        Market value at mid, money, at least zero (the absolute value of a short position).
    volatility : float
        Standard deviation of the return over the horizon, a fraction: of the simple return for a normal, of the log
        return for a lognormal distribution.
    spread : float
        Mean relative spread, a fraction.
    spread_sd : float
        Standard deviation of the relative spread, a fraction; 0 for a constant spread.
    distribution : {"normal", "lognormal"}
        Price VaR value × z × volatility, or value × (1 - exp(-z × volatility)).
    tail_factor : float
        Factor on the volatility of the price; see `bangia_tail_factor`.

    Returns
    -------
    SpreadVar
        `price_var`, `spread_cost` and their sum `total`.

    References
    ----------
    Bangia, Diebold, Schuermann and Stroughair (1999), Modeling Liquidity Risk, with Implications for Traditional Market
    Risk Measurement and Management, Wharton working paper 99-06, sections 3-4. Dowd (2005), Measuring Market Risk,
    2nd ed., section 14.2.

    Examples
    --------
    >>> spread_var(100, 0.02, 0.01, confidence=0.95, z=1.65)
    VaR with the cost of the spread
    ---------------------------------------
    price VaR               3.3 normal
    spread cost             0.5 13.2% of it
    liquidity-adjusted VaR  3.8 money
    >>> exogenous = spread_var(100, 0.02, 0.01, spread_sd=0.004, distribution="lognormal", z=2.33)
    >>> round(exogenous.price_var, 6), round(exogenous.spread_cost, 6)
    (4.553089, 1.1)
    """
    one_of(distribution, get_args(Distribution), "distribution")
    value = positive(value, "value", zero=True)
    factor = quantile_multiplier(confidence, z=z)
    move = factor * positive(tail_factor, "tail_factor") * positive(volatility, "volatility", zero=True)
    worst = positive(spread_multiplier, "spread_multiplier", zero=True) * positive(spread_sd, "spread_sd", zero=True)
    worst_spread = positive(spread, "spread", zero=True) + worst
    return SpreadVar(
        price_var=value * (move if distribution == "normal" else -math.expm1(-move)),
        spread_cost=value * worst_spread / 2.0,
        distribution=distribution,
    )
