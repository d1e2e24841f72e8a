"""P&L of an option by steps of price and volatility: full revaluation beside the expansion by sensitivities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import InputError, finite_array, finite_number
from riskkit._show import Row, Shown
from riskkit.instruments.european import OptionType, european_option


@dataclass(frozen=True, repr=False, eq=False)
class OptionLadder(Shown):
    """P&L of an option position by shifts of the spot price and the volatility.

    Attributes
    ----------
    revalued : DataFrame (n_spots, n_volatilities)
        By full revaluation, money.
    expanded : DataFrame (n_spots, n_volatilities)
        By delta, gamma and vega, money.

    Examples
    --------
    >>> from riskkit.instruments import option_ladder
    >>> option_ladder(100.0, 105.0, 0.25, 0.25, rate=0.02).revalued.shape
    (7, 3)
    """

    revalued: Any
    expanded: Any

    @property
    def error(self) -> Any:
        """Expansion less full revaluation, money: what a limit on sensitivities does not see."""
        return self.expanded - self.revalued

    def _title(self) -> str:
        return f"P&L at {self.revalued.shape[0]} prices and {self.revalued.shape[1]} volatilities"

    def _rows(self) -> list[Row]:
        return [
            ("worst, revalued", float(self.revalued.to_numpy().min()), "money"),
            ("worst, by sensitivities", float(self.expanded.to_numpy().min()), "money"),
            ("largest error", float(np.abs(self.error.to_numpy()).max()), "money"),
        ]

    def plot(self, ax: Any = None) -> Any:
        """Draw both P&Ls over the spot price, at the volatility shift nearest to none."""
        ax = plot.axes(ax)
        column = self.revalued.columns[int(np.argmin(np.abs(self.revalued.columns)))]
        ax.plot(self.revalued.index, self.revalued[column], color=plot.STRONG, label="revalued")
        ax.plot(self.expanded.index, self.expanded[column], ls="--", color=plot.WARM, label="delta, gamma and vega")
        ax.set_xlabel("relative change of the spot price")
        ax.legend(frameon=False)
        plot.dress(ax, "P&L")
        return ax


def option_ladder(
    spot: float,
    strike: float,
    years: float,
    volatility: float,
    *,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
    option: OptionType = "call",
    quantity: float = 1.0,
    spot_shifts: Any = (-0.2, -0.1, -0.05, 0.0, 0.05, 0.1, 0.2),
    volatility_shifts: Any = (-0.05, 0.0, 0.05),
) -> OptionLadder:
    """P&L of an option position by shifts of the spot price and the volatility, at once, without time passing.

    Parameters
    ----------
    spot, strike, years, volatility, rate, dividend_yield, option
        As in `european_option`, numbers.
    quantity : float
        Number of units of the underlying, negative for options sold.
    spot_shifts : (n_spots,)
        Relative changes of the spot price, fractions above -1.
    volatility_shifts : (n_volatilities,)
        Changes of the volatility, which stays above zero.

    Returns
    -------
    OptionLadder
        Money, by full revaluation and by sensitivities: second order in the price, first in the volatility.

    Raises
    ------
    InputError
        As in `european_option`; a shift to a price or volatility not above zero.

    References
    ----------
    Hull (2018), Options, Futures, and Other Derivatives, 10th ed., chapter 19 (Taylor expansion of a portfolio).

    Examples
    --------
    >>> option_ladder(100.0, 105.0, 0.25, 0.25, rate=0.02, spot_shifts=[-0.1, 0.1], volatility_shifts=[0.0]).error.round(3)
            0.0
    -0.1  0.141
     0.1  0.011
    """
    import pandas as pd

    moves, changes = (
        finite_array(spot_shifts, "spot_shifts", ndim=1),
        finite_array(volatility_shifts, "volatility_shifts", ndim=1),
    )
    if moves.min() <= -1.0:
        raise InputError(f"spot_shifts holds {moves.min():g}, which leaves no price above zero; -0.2 is a fall of 20 %")
    if changes.min() <= -volatility:
        raise InputError(
            f"volatility_shifts holds {changes.min():g}, which leaves none of a volatility of {volatility:g}"
        )
    units = finite_number(quantity, "quantity")
    terms: dict[str, Any] = {"rate": rate, "dividend_yield": dividend_yield, "option": option}
    now = european_option(spot, strike, years, volatility, **terms)
    shifted = european_option(spot * (1.0 + moves)[:, None], strike, years, volatility + changes[None, :], **terms)
    step = (spot * moves)[:, None]
    expanded = now.delta * step + 0.5 * now.gamma * step**2 + now.vega * changes[None, :]
    rows, columns = pd.Index(moves), pd.Index(changes)
    return OptionLadder(
        pd.DataFrame(units * (shifted.price - now.price), rows, columns), pd.DataFrame(units * expanded, rows, columns)
    )
