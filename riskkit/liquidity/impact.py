"""Market impact of a trade: the square-root law, and the estimate of Almgren et al.

Impact is a positive fraction of the price, for buying and for selling; × 10,000 gives basis points. Volatility and
volume refer to the same period, a day in the papers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import labels_of, positive
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.liquidity.numbers import at_least_zero, documented, labelled, labels_among, matched

PERMANENT, TEMPORARY = 0.314, 0.142
"""Gamma and eta of Almgren et al. (2005), ± 0.041 and ± 0.0062."""


@documented
def square_root_impact(quantity: Any, adv: Any, volatility: Any, *, coefficient: float = 1.0) -> Any:
    """Mean cost of a trade by the square-root law: coefficient × volatility × sqrt(abs(quantity) / adv).

    Parameters
    ----------
    quantity : float or (n_assets,)
        Size of the trade in the unit of `adv` (shares or money); its sign does not matter.
    volatility : float or (n_assets,)
        Standard deviation of the return over the period of `adv`, a fraction.
    coefficient : float
        Coefficient of the law; empirical estimates are between 0.5 and 1.5.

    Returns
    -------
    float or (n_assets,)
        Fraction of the price, independent of the duration of the trade.

    References
    ----------
    Grinold and Kahn (2000), Active Portfolio Management, 2nd ed., chapter 16. Toth et al. (2011), Anomalous Price
    Impact and the Critical Nature of Liquidity in Financial Markets, Physical Review X 1, 021006, eq. 1.

    Examples
    --------
    >>> round(square_root_impact(10_000, 1_000_000, 0.02), 6)
    0.002
    """
    names = labels_among(quantity, adv, volatility)
    size = np.abs(matched(quantity, names, "quantity")) / at_least_zero(adv, names, "adv", above=True)
    move = positive(coefficient, "coefficient", zero=True) * at_least_zero(volatility, names, "volatility")
    return labelled(move * np.sqrt(size), names)


@dataclass(frozen=True, repr=False, eq=False)
class AlmgrenImpact(Exported):
    """Impact of trades as fractions of the price: floats for one trade, vectors for several.

    Attributes
    ----------
    permanent : float or (n_trades,)
        Permanent price change, a fraction of the price.
    temporary : float or (n_trades,)
        Additional cost during the trade, a fraction of the price.

    Examples
    --------
    >>> from riskkit.liquidity import AlmgrenImpact
    >>> impact = AlmgrenImpact(permanent=0.002, temporary=0.003)
    >>> round(impact.realized, 6)
    0.004
    """

    permanent: Any
    temporary: Any

    @property
    def realized(self) -> Any:
        """Mean cost of the trade: half of the permanent impact and all of the temporary."""
        return self.permanent / 2.0 + self.temporary

    def to_frame(self) -> Any:
        """One row per trade, fractions of the price."""
        import pandas as pd

        names = ("permanent", "temporary", "realized")
        columns = {name: np.atleast_1d(np.asarray(getattr(self, name))) for name in names}
        return pd.DataFrame(columns, index=labels_of(self.permanent, 0))

    def plot(self, ax: Any = None) -> Any:
        """Draw the cost of each trade: half of the permanent impact and all of the temporary."""
        table = 1e4 * self.to_frame()
        parts = {"half of the permanent": table["permanent"] / 2.0, "temporary": table["temporary"]}
        names = list(table.index) if np.ndim(self.permanent) else ["the trade"]
        title = f"Market impact costs {float(table['realized'].mean()):.3g} basis points a trade"
        return plot.bars(parts, names, label="basis points of the price", title=title, ax=ax)

    def _title(self) -> str:
        return "Market impact (Almgren et al. 2005)" + ("" if np.ndim(self.permanent) == 0 else ", mean of the trades")

    def _rows(self) -> list[Row]:
        legs = (("permanent", self.permanent), ("temporary", self.temporary), ("realized", self.realized))
        return [(name, float(np.mean(leg)) * 1e4, "bp") for name, leg in legs]


@documented
def almgren_impact(
    quantity: Any,
    adv: Any,
    volatility: Any,
    days: Any,
    shares_outstanding: Any,
    *,
    permanent_coefficient: float = PERMANENT,
    temporary_coefficient: float = TEMPORARY,
) -> AlmgrenImpact:
    """Market impact of a trade by the estimate of Almgren et al. (2005).

    For X shares over T days: permanent σ γ (X/V)(Θ/V)^(1/4), temporary σ η (X/(V T))^(3/5).

    Parameters
    ----------
    quantity : float or (n_assets,)
        X, shares; the sign does not matter.
    adv : float or (n_assets,)
        V, shares traded per day.
    volatility : float or (n_assets,)
        σ, standard deviation of the daily return.
    days : float or (n_assets,)
        T, duration of an evenly spread trade in trading days, above zero (0.5 for half a day).
    shares_outstanding : float or (n_assets,)
        Θ, shares outstanding.
    permanent_coefficient, temporary_coefficient : float
        γ and η. The exponent of the temporary impact is the estimated 3/5; the paper rejects a square root.

    Returns
    -------
    AlmgrenImpact
        `permanent`, `temporary` and `realized`, fractions of the price.

    References
    ----------
    Almgren, Thum, Hauptmann and Li (2005), Direct Estimation of Equity Market Impact, Risk 18(7), 57-62: sections 3-4,
    table 3.

    Examples
    --------
    >>> almgren_impact(656_100, 6_561_000, 0.0157, 0.2, 1_728_000_000)
    Market impact (Almgren et al. 2005)
    -----------------------------------
    permanent  19.8596 bp
    temporary  14.7086 bp
    realized   24.6384 bp
    """
    names = labels_among(quantity, adv, volatility, shares_outstanding, days)
    volume = at_least_zero(adv, names, "adv", above=True)
    size = np.abs(matched(quantity, names, "quantity")) / volume
    sigma = at_least_zero(volatility, names, "volatility")
    pace = size / at_least_zero(days, names, "days", above=True)
    turnover = at_least_zero(shares_outstanding, names, "shares_outstanding", above=True) / volume
    gamma = positive(permanent_coefficient, "permanent_coefficient", zero=True)
    eta = positive(temporary_coefficient, "temporary_coefficient", zero=True)
    permanent, temporary = np.broadcast_arrays(sigma * gamma * size * turnover**0.25, sigma * eta * pace**0.6)
    return AlmgrenImpact(permanent=labelled(permanent.copy(), names), temporary=labelled(temporary.copy(), names))
