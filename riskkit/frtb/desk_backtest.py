"""Backtest of a desk: whether it may use an internal model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from riskkit import plot
from riskkit._check import refuse_other_rows, single_series
from riskkit._excel import Exported
from riskkit._show import Row

MOST = {0.99: 12, 0.975: 30}
"""Exceptions of twelve months up to which a desk is eligible, by the confidence of the VaR (MAR32.18)."""


@dataclass(frozen=True, repr=False, eq=False)
class DeskBacktest(Exported):
    """Outcome of the backtest of a desk.

    Attributes
    ----------
    exceptions_99, exceptions_975 : int
        Number of days with a loss over the VaR at 99 % and at 97.5 %.
    n_obs : int
        Number of days; the rules take the last twelve months.
    eligible : bool
        True with at most 12 exceptions at 99 % and 30 at 97.5 %.

    Examples
    --------
    >>> from riskkit.frtb import desk_backtest
    >>> desk_backtest([-3.0, 1.0, -1.5], [2.0] * 3, [1.0] * 3).exceptions_975
    2
    """

    exceptions_99: int
    exceptions_975: int
    n_obs: int
    eligible: bool

    def _title(self) -> str:
        return f"Backtest of a desk: {'' if self.eligible else 'not '}eligible for an internal model"

    def _rows(self) -> list[Row]:
        return [
            ("exceptions at 99%", self.exceptions_99, f"at most {MOST[0.99]}"),
            ("exceptions at 97.5%", self.exceptions_975, f"at most {MOST[0.975]}"),
            ("observations", self.n_obs, "days"),
        ]

    def to_frame(self) -> Any:
        """Exceptions and their limit by confidence."""
        import pandas as pd

        index = pd.Index([0.99, 0.975], name="confidence")
        return pd.DataFrame(
            {"exceptions": [self.exceptions_99, self.exceptions_975], "most": MOST.values()}, index=index
        )

    def plot(self, ax: Any = None) -> Any:
        """Draw the exceptions beside their limits."""
        ax = plot.axes(ax)
        ax.bar(["99%", "97.5%"], [self.exceptions_99, self.exceptions_975], color=plot.STRONG)
        ax.plot(["99%", "97.5%"], list(MOST.values()), "_", ms=40, color=plot.WARM, label="at most")
        ax.set_ylabel("exceptions")
        ax.legend(frameon=False)
        plot.dress(ax, self._title())
        return ax


def desk_backtest(pnl: Any, var_99: Any, var_975: Any) -> DeskBacktest:
    """Backtest of the VaR of a desk at both confidences of the rules.

    Parameters
    ----------
    pnl : (n_obs,)
        Actual or hypothetical P&L of the last twelve months, gains positive; a desk must pass with both.
    var_99, var_975 : (n_obs,)
        VaR forecast for each day, losses positive.

    Returns
    -------
    DeskBacktest
        Exceptions, and whether the desk is eligible.

    Raises
    ------
    InputError
        NaN, infinity or other days. A day without P&L or VaR is an exception: give one.

    References
    ----------
    Basel Framework, MAR32.18 and 32.19.

    Examples
    --------
    >>> desk_backtest([-3.0, 1.0, -1.5], [2.0] * 3, [1.0] * 3)
    Backtest of a desk: eligible for an internal model
    --------------------------------------------------
    exceptions at 99%    1 at most 12
    exceptions at 97.5%  2 at most 30
    observations         3 days
    """
    realised = single_series(pnl, "pnl", ordered=True)
    counts = []
    for forecast, name in ((var_99, "var_99"), (var_975, "var_975")):
        refuse_other_rows(forecast, name, pnl, "pnl")
        counts.append(int(np.count_nonzero(-realised > single_series(forecast, name))))
    return DeskBacktest(counts[0], counts[1], len(realised), counts[0] <= MOST[0.99] and counts[1] <= MOST[0.975])
