"""Rule sets with the semantics of named programs, exchanges and regulations.

Each function returns a `RuleSet` that decides every boundary case as its source does; `compare_presets` replays one log
under several of them and explains where they differ. Values that the source leaves to its user are arguments; a
control without a default in the source is omitted unless a value is given.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from riskkit._check import Amount, Duration, one_of
from riskkit._names import suggest_names
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.compare_rule_sets import compare_presets
from riskkit.replay.schema.durations import duration

__all__ = ["binance_margin", "cme", "compare_presets", "deribit", "deribit_margin", "exchange_core", "freqtrade"]
__all__ += ["gobreaker", "lean", "nautilus", "paradex", "reg_t", "rqalpha", "rts6"]
__all__ += ["sec_15c3_5", "stocksharp", "vnpy", "zipline"]

Protection = Literal["cooldown", "stoploss_guard", "max_drawdown", "low_profit"]
JUNE_2021 = ((50_000, "0.004"), (250_000, "0.005"), (1_000_000, "0.01"), (5_000_000, "0.025"), (20_000_000, "0.05"))
PROTECTIONS: tuple[Protection, ...] = ("cooldown", "stoploss_guard", "max_drawdown", "low_profit")
CALCULATIONS = {"ratios": "dd_trades", "equity": "dd_equity"}


# ---------------------------------------------------------------------- programs


def nautilus(
    *,
    submit: int = 100,
    modify: int = 100,
    window: Duration = "1s",
    max_notional: Amount | None = None,
    min_notional: Amount | None = None,
) -> RuleSet:
    """NautilusTrader's RiskEngine: precision, notional, trading state, then two sliding throttles.

    The windows are half open (a message exactly one window later passes) and do not count rejected messages. The
    notional checks let a market order without a price pass; a reduce-only order is exempt from the minimum.

    Parameters
    ----------
    submit, modify : int
        Orders and modifies per window (``max_order_submit_rate``, ``max_order_modify_rate``: "100/00:00:01").
    window : str or int
        Length of both windows.
    max_notional, min_notional : money, optional
        Largest and smallest order.

    References
    ----------
    nautechsystems/nautilus_trader, risk engine and throttler tests (tests/unit_tests/risk/test_engine.py,
    tests/unit_tests/common/test_throttler.py), and issue 4695 (reduce-only and the minimum).

    Examples
    --------
    >>> [rule.id for rule in nautilus()]
    ['precision', 'known', 'reduce_only', 'state', 'submit_rate', 'modify_rate']
    """
    smallest: dict[str, Any] = {"limit": min_notional, "exempt_reduce_only": True, "on_missing_price": "allow"}
    largest: dict[str, Any] = {"limit": max_notional, "on_missing_price": "allow"}
    return _rules(
        _rule("precision", "lot_tick"),
        _rule("known", "known_instrument"),
        _rule("min_notional", "min_order_notional", **smallest) if min_notional is not None else None,
        _rule("max_notional", "max_order_notional", **largest) if max_notional is not None else None,
        _rule("reduce_only", "reduce_only"),
        _rule("state", "trading_state"),
        _rule("submit_rate", "order_rate", limit=submit, window_ns=window),
        _rule("modify_rate", "order_rate", limit=modify, window_ns=window, kinds=["modify"]),
    )


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
        return _rule(id, type, scope, lookback_ns=lookback * unit, stop_ns=stop * unit, **params)

    guard, fall = {"trade_limit": guard_limit}, {"trade_limit": drawdown_limit, "max_dd": drawdown}
    low = {"trade_limit": profit_limit, "required": profit}
    rules = {
        "cooldown": lock("cooldown", "cooldown", "instrument", cooldown_stop, cooldown_stop),
        "stoploss_guard": lock("stoploss_guard", "stoploss_guard", "global", guard_lookback, guard_stop, **guard),
        "max_drawdown": lock("max_drawdown", CALCULATIONS[of], "global", drawdown_lookback, drawdown_stop, **fall),
        "low_profit": lock("low_profit", "low_profit", "instrument", profit_lookback, profit_stop, **low),
    }
    return _rules(*(rules[one_of(name, PROTECTIONS, "protections")] for name in protections))


def stocksharp(*, orders: int = 10, window: Duration = "1s", order_volume: Amount | None = None) -> RuleSet:
    """StockSharp's order frequency and order volume rules.

    A window starts with its first message. The message that *reaches* the count trips the rule and closes the window:
    the next message starts a new one at any time. An order as large as the volume trips too. The source lets the user
    choose the action; here the message is rejected.

    Parameters
    ----------
    orders : int
        Orders and replaces in a window that trip (10 is the source's default). At 1 the source never trips on the first
        message of a window; this rule does.
    window : str or int
        Length of the window.
    order_volume : quantity, optional
        Smallest order that trips.

    References
    ----------
    StockSharp/StockSharp, Algo/Risk/RiskOrderFreqRule.cs and RiskOrderVolumeRule.cs.

    Examples
    --------
    >>> stocksharp(orders=5)["order_frequency"].parameters.window
    'fixed_from_first'
    """
    frequency: dict[str, Any] = {"limit": orders, "window_ns": window, "window": "fixed_from_first", "breach": "reach"}
    frequency |= {"count": "attempted", "reset_on_trip": True, "kinds": ["order", "order_list", "modify"]}
    return _rules(
        _rule("order_frequency", "order_rate", **frequency),
        _rule("order_volume", "max_order_qty", limit=order_volume, breach="reach")
        if order_volume is not None
        else None,
    )


def vnpy(*, duplicates: int = 10, active: int = 50, volume: Amount = 500, value: Amount = 1_000_000) -> RuleSet:
    """VeighNa's riskmanager: order size and value, active orders, identical requests.

    The count of identical requests increases before the test and never decreases: the tenth of ten is rejected, and
    every later one. Market orders have no value in the source and pass the value check.

    Parameters
    ----------
    duplicates : int
        Number of the first rejected identical request (same account, instrument, side, quantity, price).
    active : int
        Maximum number of working orders.
    volume : quantity
        Largest order.
    value : money
        Largest value of a limit order.

    References
    ----------
    vnpy/vnpy_riskmanager, vnpy_riskmanager/rules (order_size_rule.py, active_order_rule.py, duplicate_order_rule.py),
    whose defaults these are.

    Examples
    --------
    >>> vnpy()["duplicate"].parameters.breach
    'reach'
    """
    return _rules(
        _rule("volume", "max_order_qty", limit=volume),
        _rule("value", "max_order_notional", limit=value, on_missing_price="allow"),
        _rule("active", "active_orders", limit=active),
        _rule("duplicate", "duplicate", limit=duplicates, breach="reach"),
    )


def zipline(*, orders_a_day: int = 9, tz: str = "UTC") -> RuleSet:
    """Zipline's ``set_max_order_count``: maximum number of orders per day.

    References
    ----------
    stefan-jansen/zipline-reloaded, tests/test_algorithm.py (test_set_max_order_count_minutely).

    Examples
    --------
    >>> len(zipline(orders_a_day=5))
    1
    """
    return _rules(_rule("order_count", "order_rate", limit=orders_a_day, window="calendar_day", tz=tz))


def rqalpha() -> RuleSet:
    """RQAlpha's self-trade validator: no order that would match a working order of the same account.

    References
    ----------
    ricequant/rqalpha, rqalpha/mod/rqalpha_mod_sys_risk/validators/self_trade_validator.py.

    Examples
    --------
    >>> rqalpha()[0].type
    'self_trade'
    """
    return _rules(_rule("self_trade", "self_trade"))


def lean(*, pct: Amount = "0.10", trailing: bool = False) -> RuleSet:
    """LEAN's MaximumDrawdownPercentPortfolio: a fall of more than `pct`, from the start or (trailing) from the peak.

    A fall of exactly `pct` does not trip. The source then closes positions; here only reducing orders pass.

    References
    ----------
    QuantConnect/Lean, Tests/Algorithm/Framework/Risk/MaximumDrawdownPercentPortfolioTests.cs.

    Examples
    --------
    >>> lean()[0].action
    'PAUSE'
    """
    return _rules(_rule("drawdown", "drawdown", action="PAUSE", pct=pct, trailing=trailing))


def gobreaker(*, failures: int = 5, open_for: Duration = "60s", probes: int = 1) -> RuleSet:
    """Gobreaker's default: *more* than five failures in a row open the breaker for a minute, then it is half-open.

    At exactly the end of that time it is half-open (the source one nanosecond later). Half-open, it admits `probes`
    requests and refuses the others; as many successes close it, one failure opens it anew. The source knows no positions;
    here an order that only reduces one always passes.

    Parameters
    ----------
    failures : int
        Failures in a row that are still allowed.
    open_for : str or int
        Time for which it is open (``Timeout``).
    probes : int
        Requests admitted while half-open (``MaxRequests``).

    References
    ----------
    sony/gobreaker, gobreaker.go (beforeRequest, onSuccess, onFailure, currentState: half-open strictly after the
    expiry) and v2/gobreaker_test.go (TestDefaultCircuitBreaker).

    Examples
    --------
    >>> gobreaker()[0].parameters.half_open
    True
    """
    params: dict[str, Any] = {"limit": failures, "breach": "exceed", "open_ns": open_for}
    params |= {"half_open": True, "probes": probes}
    return _rules(_rule("failures", "consecutive_errors", action="PAUSE", **params))


# ---------------------------------------------------------------------- exchanges and regulators


def cme(*, reject_mps: int = 500, logout_mps: int = 750, window: Duration = "3s", scope: str = "session") -> RuleSet:
    """CME Globex messaging controls: average rate over a window that starts with its first message.

    More than ``reject_mps`` times the window's seconds: a message is rejected; more than ``logout_mps`` times: the
    session is logged out. Rejected messages count.

    Parameters
    ----------
    reject_mps, logout_mps : int
        Messages per second.
    window : str or int
        Length of the window.
    scope : str
        ``session`` limits each connection; use ``account`` for a log without connections.

    References
    ----------
    CME Group, Client Systems Wiki, Messaging Controls (500 and 750 messages a second over three seconds).

    Examples
    --------
    >>> cme()[0].type
    'message_level'
    """
    params: dict[str, Any] = {"reject_mps": reject_mps, "logout_mps": logout_mps, "window_ns": window}
    return _rules(_rule("messages", "message_level", scope, **params))


def rts6(*, collar: Amount = "0.05", executions: int | None = None) -> RuleSet:
    """RTS 6, the EU's organisational requirements for algorithmic trading: Article 15(1)(a) and 15(3).

    A price further than the collar from the last price is rejected, and any price while there is none. After a number
    of automated executions a strategy is paused until it is reset manually.

    Parameters
    ----------
    collar : fraction
        Largest distance; the regulation requires a collar but does not define its width.
    executions : int, optional
        Automated executions of a strategy before the pause (the log needs strategies and executions).

    References
    ----------
    Commission Delegated Regulation (EU) 2017/589, Article 15.

    Examples
    --------
    >>> [rule.id for rule in rts6(executions=3)]
    ['collar', 'executions']
    """
    return _rules(
        _rule("collar", "price_collar", pct=collar),
        _rule("executions", "repeat_exec_throttle", "strategy", limit=executions) if executions is not None else None,
    )


def paradex(*, position: Amount = 1000) -> RuleSet:
    """Paradex's position limit: size + same-side working orders + signed position may equal it, not exceed it.

    References
    ----------
    docs.paradex.trade, risk/position-limit, worked example.

    Examples
    --------
    >>> paradex()[0].parameters.include_open
    True
    """
    return _rules(_rule("position", "position_limit", limit=position, include_open=True))


def deribit(
    *, quantity: Amount | None = 50, delta: Amount | None = None, window: Duration = "1s", frozen: Duration = "2s"
) -> RuleSet:
    """Deribit's market-maker protection: fills of more than `quantity` in a sliding window freeze quoting.

    So does a net delta of the fills that meets `delta` in a window that starts with the first one; None is no such limit.
    ``frozen=0`` freezes until a manual reset.

    References
    ----------
    docs.deribit.com and docs.paradex.trade, market-maker protection (quantity limit, delta limit, interval, frozen time).

    Examples
    --------
    >>> [rule.id for rule in deribit(delta=10)]
    ['mmp', 'delta']
    """
    times: dict[str, Any] = {"window_ns": window, "freeze_ns": frozen}
    first = {"window": "fixed_from_first", "breach": "reach"}
    return _rules(
        _rule("mmp", "mmp", action="PAUSE", qty_limit=quantity, **times) if quantity is not None else None,
        _rule("delta", "mmp", action="PAUSE", delta_limit=delta, **times, **first) if delta is not None else None,
    )


def deribit_margin(
    *, initial: Amount | None = "0.02", maintenance: Amount | None = "0.01", per_coin: Amount = "0.00005"
) -> RuleSet:
    """Deribit's margin of linear BTC contracts: a rate for no size, and `per_coin` more for each coin; None is no such margin.

    References
    ----------
    Deribit, Linear Perpetual: 25 coins at 100,000 need 53,125 and 28,125; 350 coins 1,312,500.

    Examples
    --------
    >>> [rule.type for rule in deribit_margin()]
    ['initial_margin', 'maintenance_margin']
    """
    model: dict[str, Any] = {"model": "linear_tier", "per_unit": per_coin}
    return _rules(
        _rule("initial", "initial_margin", base=initial, **model) if initial is not None else None,
        _rule("maintenance", "maintenance_margin", base=maintenance, **model) if maintenance is not None else None,
    )


def binance_margin(*, brackets: Iterable[tuple[Amount, Amount]] = JUNE_2021) -> RuleSet:
    """Maintenance margin of Binance's USDT-M futures: below it, at the liquidation price, only reducing orders pass.

    ``brackets`` are rows of (notional up to, rate) of the contract, by default those of BTCUSDT of June 2021.

    References
    ----------
    Binance, Leverage and margin of USDT-M futures; How to calculate liquidation price.

    Examples
    --------
    >>> binance_margin()[0].action
    'REDUCE_ONLY'
    """
    return _rules(_rule("maintenance", "maintenance_margin", model="brackets", table=[list(row) for row in brackets]))


def reg_t() -> RuleSet:
    """Regulation T and FINRA Rule 4210: half of the value to open; a margin call below what holding requires.

    References
    ----------
    12 CFR 220.12(a) and (c); FINRA Rule 4210(c).

    Examples
    --------
    >>> [rule.id for rule in reg_t()]
    ['initial', 'maintenance']
    """
    return _rules(
        _rule("initial", "initial_margin", model="reg_t"), _rule("maintenance", "maintenance_margin", model="reg_t")
    )


def sec_15c3_5(
    *, credit: Amount = 1_000_000, capital: Amount = 10_000_000, value: Amount = 500_000, collar: Amount = "0.1"
) -> RuleSet:
    """SEC Rule 15c3-5, market access: thresholds of a broker, whose numbers the rule leaves to it; what exceeds one is refused.

    Gross exposure with working orders of each account (`credit`) and of all (`capital`), paragraph (c)(1)(i); value and price of an
    order, and a third identical one within a second, (c)(1)(ii).

    References
    ----------
    17 CFR 240.15c3-5(c)(1).

    Examples
    --------
    >>> [rule.id for rule in sec_15c3_5()]
    ['credit', 'capital', 'value', 'collar', 'duplicate']
    """
    return _rules(
        _rule("credit", "max_exposure", limit=credit),
        _rule("capital", "max_exposure", "global", limit=capital),
        _rule("value", "max_order_notional", limit=value),
        _rule("collar", "price_collar", pct=collar),
        _rule("duplicate", "duplicate", limit=2, window_ns="1s"),
    )


def exchange_core() -> RuleSet:
    """Exchange-core's spot risk engine: a buy may cost all free cash, valued at its reserve price.

    References
    ----------
    exchange-core/exchange-core, src/test/resources/exchange/core2/tests/features/risk.feature (BasicRiskCheck).

    Examples
    --------
    >>> [rule.id for rule in exchange_core()]
    ['funds', 'reserve']
    """
    return _rules(_rule("funds", "cash"), _rule("reserve", "reserve_price"))


def _rule(id: str, type: str, scope: str = "account", action: str = "", **params: Any) -> dict[str, Any]:
    return {"id": id, "type": type, "scope": scope, **({"action": action} if action else {}), "params": params}


def _rules(*entries: dict[str, Any] | None) -> RuleSet:
    return RuleSet.from_dict({"rules": [entry for entry in entries if entry is not None]})


ELSEWHERE = {"freqtrade": "protections", "lean": "quantconnect", "nautilus": "nautilus_trader RiskEngineConfig"}
suggest_names(__name__, ELSEWHERE)
