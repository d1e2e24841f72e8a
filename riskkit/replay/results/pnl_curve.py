"""Profit at the samples of a replay: worst days and drawdowns, by account and in total."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.timeline import DAY


class Curve(NamedTuple):
    """Profit at the samples and its drawdown from the running peak (at least zero), in money; shape (n_samples,).

    ``worst_day`` is the smallest gain of a UTC day, None if the samples are not at ends of days.
    """

    profit: np.ndarray
    fall: np.ndarray
    worst_day: float | None
    worst_date: str | None

    @property
    def final(self) -> float:
        """Profit at the end."""
        return float(self.profit[-1]) if len(self.profit) else 0.0

    @property
    def deepest(self) -> float:
        """The maximum drawdown."""
        return float(self.fall.max(initial=0.0))


class WorstAccount(NamedTuple):
    """An amount and its account."""

    amount: float
    account: str


def curve_of(result: ReplayResult, account: str | None = None, *, currency: str | None = None) -> Curve:
    """The curve of one account, or of the total (of the accounts of a currency)."""
    profit = result.profit_curve(account, currency=currency)
    days = _day_gains(result.sample_times, profit[:, None])
    if days is None:
        return Curve(profit, falls(profit), None, None)
    dates, gains = days
    worst = int(np.argmin(gains[:, 0]))
    return Curve(profit, falls(profit), float(gains[worst, 0]), str(np.datetime64(int(dates[worst]), "D")))


def falls(profit: np.ndarray) -> np.ndarray:
    """Drawdown of each profit from the running peak, zero at the start included; along the first axis."""
    return np.maximum.accumulate(np.maximum(profit, 0.0), axis=0) - profit


def worst_day_of_account(result: ReplayResult, currency: str) -> WorstAccount | None:
    """The smallest gain of any account of a currency on any UTC day."""
    profits = result.profits().iloc[:, result.accounts_by_currency[currency]]
    days = _day_gains(result.sample_times, profits.to_numpy())
    if days is None or not profits.size:
        return None
    smallest = days[1].min(axis=0)
    index = int(np.argmin(smallest))
    return WorstAccount(float(smallest[index]), str(profits.columns[index]))


def deepest_account(result: ReplayResult, currency: str) -> WorstAccount | None:
    """The maximum drawdown of any account of a currency, at any mark."""
    fallen = result.accounts()["drawdown"].iloc[result.accounts_by_currency[currency]]
    return WorstAccount(float(fallen.max()), str(fallen.idxmax())) if len(fallen) else None


def _day_gains(times: np.ndarray, profits: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Days since 1970 and their gains (n_days, n_curves), from the last sample of each UTC day."""
    if not len(times) or DAY % int(times[1] - times[0] if len(times) > 1 else times[0]):
        return None
    dates = (times - 1) // DAY
    last = np.flatnonzero(np.diff(dates, append=dates[-1] + 1))
    return dates[last], np.diff(profits[last], axis=0, prepend=0.0)
