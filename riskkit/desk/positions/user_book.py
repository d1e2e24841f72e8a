"""The record of one user: sums in quanta, the last periods and closing trades, and the measures that rest on them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.desk.amounts import Unit
from riskkit.desk.positions.records import UserMetrics
from riskkit.performance import max_drawdown, sharpe_ratio, win_rate
from riskkit.var import historical_risk

__all__ = ["UserBook"]


class UserBook:
    """Sums of one user, and two windows.

    Parameters
    ----------
    window : int
        How many periods and how many closing trades are kept.
    """

    __slots__ = ("closed", "cost", "fees", "gross", "keys", "profit", "realised", "returns", "traded", "trades")

    def __init__(self, window: int) -> None:
        self.keys: dict[Any, None] = {}
        self.cost = self.realised = self.fees = self.traded = self.trades = 0
        self.profit = self.gross = 0  # at the end of the last period
        self.closed: deque[int] = deque(maxlen=window)
        self.returns: deque[float] = deque(maxlen=window)

    def take(self, realised: int, cost: int, *, closes: bool) -> None:
        """Count what a fill realised, and how it moved the cost of what is held."""
        self.realised += realised
        self.cost += cost
        if closes:
            self.closed.append(realised)

    def count_trade(self, money: int) -> None:
        """Count a trade, once whatever its legs."""
        self.trades += 1
        self.traded += money

    def end_period(self, profit: int, gross: int) -> None:
        """Keep the return since the last period; none where nothing was held at its start."""
        if self.gross:
            self.returns.append((profit - self.profit) / self.gross)
        self.profit, self.gross = profit, gross

    def metrics(
        self, user: str, money: Unit, gross: int, concentration: float | None, unrealised: int, periods_per_year: float
    ) -> UserMetrics:
        """The measures, from riskkit's own models."""
        returns, exposure = list(self.returns), money.number(gross)
        return UserMetrics(
            user=user,
            total_exposure=exposure,
            concentration=concentration,
            var_95=_defined(lambda: float(np.asarray(historical_risk(returns, 0.95).var)) * exposure),
            max_drawdown=_defined(lambda: max_drawdown(returns, of="summed_returns")),
            sharpe=_defined(lambda: sharpe_ratio(returns, periods_per_year)),
            win_rate=_defined(lambda: win_rate([float(one) for one in self.closed])),
            average_trade_size=money.number(self.traded) / self.trades if self.trades else None,
            trades=self.trades,
            realised=money.number(self.realised),
            unrealised=money.number(unrealised),
            fees=money.number(self.fees),
            periods=len(returns),
        )


def _defined(measure: Callable[[], float]) -> float | None:
    """The measure, or None where the record is too short or too still for it."""
    try:
        return measure()
    except InputError:
        return None
