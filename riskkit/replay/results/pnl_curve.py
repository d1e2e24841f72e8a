"""Profit over time: at the samples, its drawdown after every event, and its worst trading day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.trading_day import TradingDay


class Curve(NamedTuple):
    """Profit of one account or of a total, in money.

    ``profit`` and ``fall`` (below the highest profit of the samples so far, at least zero) are at the samples, shape
    (n_samples,); ``deepest`` is the maximum drawdown after any event. ``worst_day`` is the smallest gain of a trading
    day, None if the samples are not at ends of days.
    """

    profit: np.ndarray
    fall: np.ndarray
    deepest: float
    worst_day: float | None
    worst_date: str | None

    @property
    def final(self) -> float:
        """Profit at the end."""
        return float(self.profit[-1]) if len(self.profit) else 0.0


class WorstAccount(NamedTuple):
    """An amount and its account."""

    amount: float
    account: str


def curve_of(
    result: ReplayResult,
    account: str | None = None,
    *,
    currency: str | None = None,
    day: TradingDay | None = None,
) -> Curve:
    """The curve of one account, or of the total (of the accounts of a currency); by default with the rules' own days."""
    profit = result.profit_curve(account, currency=currency)
    deepest = result.drawdown(currency) if account is None else float(result.accounts()["drawdown"][account])
    days = _day_gains(result, profit[:, None], TradingDay.of(result.rules) if day is None else day)
    if days is None:
        return Curve(profit, falls(profit), deepest, None, None)
    dates, gains = days
    worst = int(np.argmin(gains[:, 0]))
    return Curve(profit, falls(profit), deepest, float(gains[worst, 0]), dates[worst])


def falls(profit: np.ndarray) -> np.ndarray:
    """Drawdown of each profit from the running peak, zero at the start included; along the first axis."""
    return np.maximum.accumulate(np.maximum(profit, 0.0), axis=0) - profit


def worst_day_of_account(result: ReplayResult, currency: str, day: TradingDay) -> WorstAccount | None:
    """The smallest gain of any account of a currency on any trading day."""
    profits = result.profits().iloc[:, result.accounts_by_currency[currency]]
    days = _day_gains(result, profits.to_numpy(), day)
    if days is None or not profits.size:
        return None
    smallest = days[1].min(axis=0)
    index = int(np.argmin(smallest))
    return WorstAccount(float(smallest[index]), str(profits.columns[index]))


def deepest_account(result: ReplayResult, currency: str) -> WorstAccount | None:
    """The maximum drawdown of any account of a currency, after any event."""
    fallen = result.accounts()["drawdown"].iloc[result.accounts_by_currency[currency]]
    return WorstAccount(float(fallen.max()), str(fallen.idxmax())) if len(fallen) else None


def _day_gains(result: ReplayResult, profits: np.ndarray, day: TradingDay) -> tuple[list[str], np.ndarray] | None:
    """Dates of the trading days and their gains (n_days, n_curves); None if the end of a day was not sampled."""
    times, starts = result.sample_times, day.starts(result.log.columns["ts"])
    rows = np.searchsorted(times, starts[1:])
    if not len(times) or rows[-1] >= len(times) or (times[rows] != starts[1:]).any():
        return None
    return [day.date(start) for start in starts[:-1].tolist()], np.diff(profits[rows], axis=0, prepend=0.0)
