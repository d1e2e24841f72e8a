"""The limits of Freqtrade."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from riskkit._check import Amount, Duration, one_of
from riskkit.presets.entries import entry, rule_set
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.durations import duration

Protection = Literal["cooldown", "stoploss_guard", "max_drawdown", "low_profit"]
PROTECTIONS: tuple[Protection, ...] = ("cooldown", "stoploss_guard", "max_drawdown", "low_profit")
CALCULATIONS = {"ratios": "dd_trades", "equity": "dd_equity"}


def freqtrade(
    *,
    candle: Duration = "1h",
    protections: Iterable[Protection] = PROTECTIONS,
    cooldown_stop: int = 5,
    guard_lookback: int = 24,
    guard_limit: int = 4,
    guard_stop: int = 2,
    drawdown_lookback: int = 48,
    drawdown_limit: int = 20,
    drawdown_stop: int = 4,
    drawdown: Amount = "0.2",
    profit_lookback: int = 6,
    profit_limit: int = 2,
    profit_stop: int = 60,
    profit: Amount = "0.02",
    calculation: Literal["ratios", "equity"] = "ratios",
    round_up: bool = True,
) -> RuleSet:
    """Freqtrade's protections: locks after closed trades, counted in candles.

    The defaults are riskkit's, of the magnitude that configurations use. The rules need a log with closed trades, else they
    reject nothing. An order exactly at the end of a lock passes.

    Parameters
    ----------
    candle : str or int
        The timeframe: unit of every lookback and stop.
    protections : iterable of str
        Any of cooldown (per instrument), stoploss_guard, max_drawdown (global) and low_profit (per instrument).
    cooldown_stop, guard_stop, drawdown_stop, profit_stop : int
        Length of a lock, in candles.
    guard_lookback, drawdown_lookback, profit_lookback : int
        Candles in which closed trades count.
    guard_limit, drawdown_limit, profit_limit : int
        Minimum number of closed trades.
    drawdown, profit : fraction
        Maximum drawdown, and minimum of the summed returns.
    calculation : {"ratios", "equity"}
        What falls: the summed returns, or the equity that the trades leave (as a fraction of its peak).
    round_up : bool
        Extend a lock to the next candle (if it ends at one, to the one after).

    References
    ----------
    freqtrade/freqtrade, tests/plugins/test_protections.py (test_stoploss_guard, test_CooldownPeriod, test_MaxDrawdown).

    Examples
    --------
    >>> [rule.id for rule in freqtrade(candle="5min", protections=["cooldown", "low_profit"])]
    ['cooldown', 'low_profit']
    """
    unit, of = duration(candle, "candle"), one_of(calculation, tuple(CALCULATIONS), "calculation")

    def lock(id: str, type: str, scope: str, lookback: int, stop: int, **params: Any) -> dict[str, Any]:
        params |= {"candle_ns": unit} if round_up else {}
        return entry(id, type, scope, lookback_ns=lookback * unit, stop_ns=stop * unit, **params)

    guard, fall = {"trade_limit": guard_limit}, {"trade_limit": drawdown_limit, "max_dd": drawdown}
    low = {"trade_limit": profit_limit, "required": profit}
    rules = {
        "cooldown": lock("cooldown", "cooldown", "instrument", cooldown_stop, cooldown_stop),
        "stoploss_guard": lock("stoploss_guard", "stoploss_guard", "global", guard_lookback, guard_stop, **guard),
        "max_drawdown": lock("max_drawdown", CALCULATIONS[of], "global", drawdown_lookback, drawdown_stop, **fall),
        "low_profit": lock("low_profit", "low_profit", "instrument", profit_lookback, profit_stop, **low),
    }
    return rule_set(*(rules[one_of(name, PROTECTIONS, "protections")] for name in protections))
