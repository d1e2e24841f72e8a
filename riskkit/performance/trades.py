"""Win and loss statistics of closed trades, or of periods. A gain is above zero, a loss below; zero is neither."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from riskkit import plot
from riskkit._check import OnRefusal, observations, one_of, refuse_disorder, single_series
from riskkit._excel import Exported
from riskkit._show import Row
from riskkit.performance.series import documented, gain_over_risk, per_series

Zeros = Literal["exclude", "include"]
NO_GAIN_OR_LOSS = "pnl holds only zeros; the measure needs a gain or a loss"


@documented
def win_rate(pnl: Any, *, zeros: Zeros = "exclude", on_refusal: OnRefusal = "nan") -> Any:
    """Win rate: share of gains among the trades.

    Parameters
    ----------
    zeros : {"exclude", "include"}
        Treatment of trades with a P&L of exactly zero: left out, or counted as not won.

    Returns
    -------
    float or (n_series,)
        Fraction from 0 to 1.

    References
    ----------
    Pardo (2008), The Evaluation and Optimization of Trading Strategies, 2nd ed.

    Examples
    --------
    >>> win_rate([5.0, -2.0, 0.0, 1.0]), win_rate([5.0, -2.0, 0.0, 1.0], zeros="include")
    (0.6666666666666666, 0.5)
    """
    one_of(zeros, get_args(Zeros), "zeros")
    array = observations(pnl, "pnl")
    counted = (array != 0.0).sum(axis=0) if zeros == "exclude" else np.full(array.shape[1:], len(array))
    won = (array > 0.0).sum(axis=0)
    return per_series(won / np.where(counted, counted, np.nan), pnl, NO_GAIN_OR_LOSS, on_refusal)


@documented
def average_trade(pnl: Any) -> Any:
    """Average trade (expectancy): mean P&L of all trades, including those at zero.

    Returns
    -------
    float or (n_series,)
        In the unit of `pnl`.

    Examples
    --------
    >>> average_trade([5.0, -2.0, 0.0, 1.0])
    1.0
    """
    return per_series(observations(pnl, "pnl").mean(axis=0), pnl)


@documented
def payoff_ratio(pnl: Any, *, on_refusal: OnRefusal = "nan") -> Any:
    """Payoff ratio: mean gain over mean loss.

    Returns
    -------
    float or (n_series,)
        0 without a gain, infinite without a loss.

    References
    ----------
    Pardo (2008), The Evaluation and Optimization of Trading Strategies, 2nd ed.

    Examples
    --------
    >>> payoff_ratio([6.0, -2.0, 0.0, 2.0])
    2.0
    """
    array = observations(pnl, "pnl")
    gain, loss = _mean_where(array, array > 0.0), -_mean_where(array, array < 0.0)
    return per_series(gain_over_risk(gain, loss), pnl, NO_GAIN_OR_LOSS, on_refusal)


@documented
def profit_factor(pnl: Any, *, on_refusal: OnRefusal = "nan") -> Any:
    """Profit factor: sum of gains over sum of losses.

    Returns
    -------
    float or (n_series,)
        Above 1 for a profit; 0 without a gain, infinite without a loss.

    References
    ----------
    Pardo (2008), The Evaluation and Optimization of Trading Strategies, 2nd ed.

    Examples
    --------
    >>> profit_factor([6.0, -2.0, 0.0, 2.0])
    4.0
    """
    array = observations(pnl, "pnl")
    gain, loss = np.maximum(array, 0.0).sum(axis=0), np.maximum(-array, 0.0).sum(axis=0)
    return per_series(gain_over_risk(gain, loss), pnl, NO_GAIN_OR_LOSS, on_refusal)


@documented
def max_consecutive_losses(pnl: Any) -> Any:
    """Largest number of losses in a row; a zero ends the run.

    Returns
    -------
    int or (n_series,)
        Number of trades.

    Examples
    --------
    >>> max_consecutive_losses([1.0, -1.0, -2.0, 0.0, -1.0])
    2
    """
    array = observations(pnl, "pnl")
    refuse_disorder(pnl, "pnl", repeats=True)
    if array.ndim == 1:
        return _longest_run(array < 0.0)
    return per_series(np.array([_longest_run(column < 0.0) for column in array.T]), pnl)


@dataclass(frozen=True, repr=False)
class TradeStatistics(Exported):
    """Statistics of the trades of one strategy; None for an undefined one.

    Attributes
    ----------
    n_trades : int
        Number of trades.
    n_wins : int
        Number of gains.
    n_losses : int
        Number of losses.
    win_rate : float or None
        Share of gains among gains and losses, a fraction.
    average_trade : float
        Mean P&L.
    average_win : float or None
        Mean gain.
    average_loss : float or None
        Mean loss, positive.
    payoff_ratio : float or None
        Mean gain over mean loss.
    profit_factor : float or None
        Sum of gains over sum of losses.
    longest_winning_run : int
        Largest number of gains in a row.
    longest_losing_run : int
        Largest number of losses in a row.
    current_losing_run : int
        Number of losses at the end of the series.

    Examples
    --------
    >>> from riskkit.performance import trade_statistics
    >>> record = trade_statistics([6.0, -2.0, 0.0, 2.0])
    >>> record.win_rate, record.payoff_ratio
    (0.6666666666666666, 2.0)
    """

    n_trades: int
    n_wins: int
    n_losses: int
    win_rate: float | None
    average_trade: float
    average_win: float | None
    average_loss: float | None
    payoff_ratio: float | None
    profit_factor: float | None
    longest_winning_run: int
    longest_losing_run: int
    current_losing_run: int

    def to_frame(self) -> Any:
        """All statistics as a frame of one row."""
        import pandas as pd

        return pd.DataFrame([{field.name: getattr(self, field.name) for field in fields(self)}])

    def plot(self, ax: Any = None) -> Any:
        """Draw the average win, loss and trade."""
        loss = None if self.average_loss is None else -self.average_loss
        averages = {"average win": self.average_win, "average loss": loss, "average trade": self.average_trade}
        known = {name: value for name, value in averages.items() if value is not None and np.isfinite(value)}
        title = f"{self.n_trades:,} trades: {self.n_wins:,} won, {self.n_losses:,} lost"
        return plot.bars({"": list(known.values())}, list(known), label="P&L of a trade", title=title, ax=ax)

    def _title(self) -> str:
        return "Trades"

    def _rows(self) -> list[Row]:
        return [
            ("trades", self.n_trades, f"{self.n_wins:,} won, {self.n_losses:,} lost"),
            ("win rate", self.win_rate, "of those that won or lost"),
            ("average trade", self.average_trade, ""),
            ("average win", self.average_win, ""),
            ("average loss", self.average_loss, ""),
            ("payoff ratio", self.payoff_ratio, "average win / average loss"),
            ("profit factor", self.profit_factor, "sum of wins / sum of losses"),
            ("longest winning run", self.longest_winning_run, "trades"),
            ("longest losing run", self.longest_losing_run, "trades"),
            ("losses at the end", self.current_losing_run, "trades"),
        ]


@documented
def trade_statistics(pnl: Any) -> TradeStatistics:
    """Win rate, average trade, payoff ratio, profit factor and runs of one series of trades.

    Parameters
    ----------
    pnl : (n_trades,)
        P&L of each closed trade, gains positive, oldest first.

    Returns
    -------
    TradeStatistics
        All statistics; None for undefined ones.

    References
    ----------
    Pardo (2008), The Evaluation and Optimization of Trading Strategies, 2nd ed.

    Examples
    --------
    >>> trade_statistics([6.0, -2.0, 0.0, 2.0, -1.0])
    Trades
    --------------------------------------------------------
    trades                     5 2 won, 2 lost
    win rate                 0.5 of those that won or lost
    average trade              1
    average win                4
    average loss             1.5
    payoff ratio         2.66667 average win / average loss
    profit factor        2.66667 sum of wins / sum of losses
    longest winning run        1 trade
    longest losing run         1 trade
    losses at the end          1 trade
    """
    array = single_series(pnl, "pnl")
    refuse_disorder(pnl, "pnl", repeats=True)
    won, lost = array[array > 0.0], array[array < 0.0]
    defined = won.size + lost.size > 0
    not_lost = np.flatnonzero(array >= 0.0)
    return TradeStatistics(
        n_trades=array.size,
        n_wins=won.size,
        n_losses=lost.size,
        win_rate=win_rate(array) if defined else None,
        average_trade=average_trade(array),
        average_win=float(won.mean()) if won.size else None,
        average_loss=-float(lost.mean()) if lost.size else None,
        payoff_ratio=payoff_ratio(array) if defined else None,
        profit_factor=profit_factor(array) if defined else None,
        longest_winning_run=_longest_run(array > 0.0),
        longest_losing_run=_longest_run(array < 0.0),
        current_losing_run=array.size - 1 - int(not_lost[-1]) if not_lost.size else array.size,
    )


def _mean_where(array: np.ndarray, chosen: np.ndarray) -> Any:
    """Mean of the chosen entries of each series, 0 without any."""
    return np.where(chosen, array, 0.0).sum(axis=0) / np.maximum(chosen.sum(axis=0), 1)


def _longest_run(chosen: np.ndarray) -> int:
    """Length of the longest run of true values."""
    edges = np.flatnonzero(np.diff(chosen, prepend=False, append=False))
    return int((edges[1::2] - edges[::2]).max(initial=0))
