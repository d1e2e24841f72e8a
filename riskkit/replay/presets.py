"""How others do it, as rule sets: the semantics of a named program, exchange or regulation on riskkit's own rules.

Each function returns a `RuleSet` that decides at every boundary as its source does, so that `compare_presets` can put
the same tape through several and say where, and why, they part. What the source leaves to its user is an argument; a
control that the source has no number for is left out until one is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.events import EventLog
from riskkit.replay.parameters import duration
from riskkit.replay.result import Result
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.run import replay_log

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "cme",
    "compare_presets",
    "deribit",
    "exchange_core",
    "freqtrade",
    "gobreaker",
    "lean",
    "nautilus",
    "paradex",
    "rqalpha",
    "rts6",
    "stocksharp",
    "vnpy",
    "zipline",
]

PROTECTIONS = ("cooldown", "stoploss_guard", "max_drawdown", "low_profit")


# ---------------------------------------------------------------------- programs


def nautilus(
    *,
    submit: int = 100,
    modify: int = 100,
    window: Any = "1s",
    max_notional: Any = None,
    min_notional: Any = None,
) -> RuleSet:
    """NautilusTrader's RiskEngine: precision, notional, trading state, then two sliding throttles.

    The throttles are half open (a message exactly one window later passes) and forget what they dropped. A market order
    without a price is let through by the notional check (a warning there, ``on_missing_price="allow"`` here); an order
    flagged reduce-only is free of the minimum.

    Parameters
    ----------
    submit, modify : int
        Orders and modifies in a window (``max_order_submit_rate``, ``max_order_modify_rate``: "100/00:00:01").
    window : str or int
        Length of both windows.
    max_notional, min_notional : money, optional
        The largest and the smallest order.

    References
    ----------
    nautechsystems/nautilus_trader, risk engine and throttler tests (tests/unit_tests/risk/test_engine.py,
    tests/unit_tests/common/test_throttler.py), and issue 4695 (reduce-only and the minimum).

    Examples
    --------
    >>> [rule.id for rule in nautilus()]
    ['precision', 'known', 'reduce_only', 'state', 'submit_rate', 'modify_rate']
    """
    most = {"limit": max_notional, "on_missing_price": "allow"}
    least = {"limit": min_notional, "exempt_reduce_only": True, "on_missing_price": "allow"}
    return _rules(
        _rule("precision", "lot_tick"),
        _rule("known", "known_instrument"),
        _rule("min_notional", "min_order_notional", **least) if min_notional is not None else None,
        _rule("max_notional", "max_order_notional", **most) if max_notional is not None else None,
        _rule("reduce_only", "reduce_only"),
        _rule("state", "trading_state"),
        _rule("submit_rate", "order_rate", limit=submit, window_ns=window),
        _rule("modify_rate", "order_rate", limit=modify, window_ns=window, kinds=["modify"]),
    )


def freqtrade(
    *,
    candle: Any = "1h",
    protections: Iterable[str] = PROTECTIONS,
    cooldown_stop: int = 5,
    guard_lookback: int = 24,
    guard_limit: int = 4,
    guard_stop: int = 2,
    drawdown_lookback: int = 48,
    drawdown_limit: int = 20,
    drawdown_stop: int = 4,
    drawdown: Any = "0.2",
    profit_lookback: int = 6,
    profit_limit: int = 2,
    profit_stop: int = 60,
    profit: Any = "0.02",
    round_up: bool = True,
) -> RuleSet:
    """Freqtrade's protections: locks after closed trades, counted in candles.

    The defaults are riskkit's, in the order of size that configurations use: none is Freqtrade's own default. They need
    a log with closed trades; on a log without any they refuse nothing. An order exactly at the end of a lock passes.

    Parameters
    ----------
    candle : str or int
        The timeframe: the unit of every lookback and stop.
    protections : iterable of str
        Which of cooldown (each instrument), stoploss_guard, max_drawdown (everything) and low_profit (each instrument).
    cooldown_stop, guard_stop, drawdown_stop, profit_stop : int
        Candles that a lock lasts.
    guard_lookback, drawdown_lookback, profit_lookback : int
        Candles in which closes count.
    guard_limit, drawdown_limit, profit_limit : int
        Closes that are needed at least.
    drawdown, profit : fraction
        The largest fall of the summed returns, and the smallest sum of them.
    round_up : bool
        Whether a lock ends at the next candle (an exact one moves on by one too).

    References
    ----------
    freqtrade/freqtrade, tests/plugins/test_protections.py (test_stoploss_guard, test_CooldownPeriod,
    test_MaxDrawdown).

    Examples
    --------
    >>> [rule.id for rule in freqtrade(candle="5min", protections=["cooldown", "low_profit"])]
    ['cooldown', 'low_profit']
    """
    unit = duration(candle, "candle")
    chosen = [one_of(name, PROTECTIONS, "protections") for name in protections]
    ends: dict[str, Any] = {"candle_ns": unit} if round_up else {}
    made = {
        "cooldown": _rule(
            "cooldown", "cooldown", "instrument", stop_ns=cooldown_stop * unit, lookback_ns=cooldown_stop * unit, **ends
        ),
        "stoploss_guard": _rule(
            "stoploss_guard",
            "stoploss_guard",
            "global",
            trade_limit=guard_limit,
            lookback_ns=guard_lookback * unit,
            stop_ns=guard_stop * unit,
            **ends,
        ),
        "max_drawdown": _rule(
            "max_drawdown",
            "dd_trades",
            "global",
            max_dd=drawdown,
            lookback_ns=drawdown_lookback * unit,
            trade_limit=drawdown_limit,
            stop_ns=drawdown_stop * unit,
            **ends,
        ),
        "low_profit": _rule(
            "low_profit",
            "low_profit",
            "instrument",
            required=profit,
            lookback_ns=profit_lookback * unit,
            trade_limit=profit_limit,
            stop_ns=profit_stop * unit,
            **ends,
        ),
    }
    return _rules(*(made[name] for name in chosen))


def stocksharp(*, orders: int = 10, window: Any = "1s", order_volume: Any = None) -> RuleSet:
    """StockSharp's order frequency and order volume rules.

    A window opens with its first message. The message that *reaches* the count trips, and closes the window: the next
    one opens a new one, whatever the time. An order as large as the volume trips too. What to do then is the user's
    choice there; here the message is refused.

    Parameters
    ----------
    orders : int
        Orders and replaces in a window that trip (10 is the source's default). At 1 the source never trips on the first
        message of a window, this one does.
    window : str or int
        Length of the window.
    order_volume : quantity, optional
        The smallest order that trips.

    References
    ----------
    StockSharp/StockSharp, Algo/Risk/RiskOrderFreqRule.cs and RiskOrderVolumeRule.cs.

    Examples
    --------
    >>> stocksharp(orders=5)["order_frequency"].parameters.window
    'fixed_from_first'
    """
    frequency = {"limit": orders, "window_ns": window, "window": "fixed_from_first", "breach": "reach"}
    frequency |= {"count": "attempted", "reset_on_trip": True, "kinds": ["order", "order_list", "modify"]}
    return _rules(
        _rule("order_frequency", "order_rate", **frequency),
        _rule("order_volume", "max_order_qty", limit=order_volume, breach="reach")
        if order_volume is not None
        else None,
    )


def vnpy(
    *,
    duplicates: int = 10,
    active: int = 50,
    volume: Any = 500,
    value: Any = 1_000_000,
) -> RuleSet:
    """VeighNa's riskmanager: order size and value, active orders, identical requests.

    The count of identical requests is raised before the test and never falls: the tenth of ten is refused, and every
    one after it. Market orders have no value there: they pass the value check.

    Parameters
    ----------
    duplicates : int
        Identical requests (account, instrument, side, quantity, price) of which this many are refused.
    active : int
        Working orders at most.
    volume : quantity
        The largest order.
    value : money
        The largest value of a limit order.

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
    """Zipline's ``set_max_order_count``: so many orders a day, from zero again on the next.

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
    """RQAlpha's self-trade validator: no order that would meet one's own working order.

    References
    ----------
    ricequant/rqalpha, rqalpha/mod/rqalpha_mod_sys_risk/validators/self_trade_validator.py.

    Examples
    --------
    >>> rqalpha()[0].type
    'self_trade'
    """
    return _rules(_rule("self_trade", "self_trade"))


def lean(*, pct: Any = "0.10", trailing: bool = False) -> RuleSet:
    """LEAN's MaximumDrawdownPercentPortfolio: a fall of more than `pct`, from the start or (trailing) from the peak.

    A fall of exactly `pct` does not trip. What it does is to close positions; here only what reduces passes after it.

    References
    ----------
    QuantConnect/Lean, Tests/Algorithm/Framework/Risk/MaximumDrawdownPercentPortfolioTests.cs.

    Examples
    --------
    >>> lean()[0].action
    'PAUSE'
    """
    return _rules(_rule("drawdown", "drawdown", action="PAUSE", pct=pct, trailing=trailing))


def gobreaker(*, failures: int = 5, open_for: Any = "60s") -> RuleSet:
    """Gobreaker's default: *more* than five failures in a row open the breaker for a minute.

    References
    ----------
    sony/gobreaker, v2/gobreaker_test.go (TestDefaultCircuitBreaker).

    Examples
    --------
    >>> gobreaker()[0].parameters.breach
    'exceed'
    """
    params = {"limit": failures, "breach": "exceed", "open_ns": open_for}
    return _rules(_rule("failures", "consecutive_errors", action="PAUSE", **params))


# ---------------------------------------------------------------------- exchanges and regulators


def cme(*, reject_mps: int = 500, logout_mps: int = 750, window: Any = "3s", scope: str = "session") -> RuleSet:
    """CME Globex messaging controls: an average over a window that opens with its first message.

    Above ``reject_mps`` times the window's seconds a message is refused, above ``logout_mps`` times them the session is
    logged out. Refused messages count.

    Parameters
    ----------
    reject_mps, logout_mps : int
        Messages a second.
    window : str or int
        Length of the window.
    scope : str
        ``session`` judges each connection; ``account`` fits a log that has no connections.

    References
    ----------
    CME Group, Client Systems Wiki, Messaging Controls (500 and 750 messages a second over three seconds).

    Examples
    --------
    >>> cme()[0].type
    'message_level'
    """
    params = {"reject_mps": reject_mps, "logout_mps": logout_mps, "window_ns": window}
    return _rules(_rule("messages", "message_level", scope, **params))


def rts6(*, collar: Any = "0.05", executions: int | None = None) -> RuleSet:
    """RTS 6, the organisational requirements of the EU for algorithmic trading: Article 15(1)(a) and 15(3).

    A price further than the collar from the last one is refused, and any price while there is none. After a number of
    automated executions a strategy stands until a person lets it go on; time alone does not.

    Parameters
    ----------
    collar : fraction
        The largest distance; the regulation asks for a collar and leaves its width open.
    executions : int, optional
        Executions of a strategy without a person (the log needs strategies and executions).

    References
    ----------
    Commission Delegated Regulation (EU) 2017/589, Article 15.

    Examples
    --------
    >>> [rule.id for rule in rts6(executions=3)]
    ['collar', 'executions']
    """
    throttle: dict[str, Any] = {"limit": executions}
    return _rules(
        _rule("collar", "price_collar", pct=collar),
        _rule("executions", "repeat_exec_throttle", "strategy", **throttle) if executions is not None else None,
    )


def paradex(*, position: Any = 1000) -> RuleSet:
    """Paradex's position limit: size + same-side working orders + signed position may reach it, not exceed it.

    References
    ----------
    docs.paradex.trade, risk/position-limit, worked example.

    Examples
    --------
    >>> paradex()[0].parameters.include_open
    True
    """
    return _rules(_rule("position", "position_limit", limit=position, include_open=True))


def deribit(*, quantity: Any = 50, window: Any = "1s", frozen: Any = "2s") -> RuleSet:
    """Deribit's market-maker protection: more filled in a sliding window than `quantity` freezes quoting.

    ``frozen=0`` freezes until a person resets it.

    References
    ----------
    docs.deribit.com and docs.paradex.trade, market-maker protection (quantity limit, interval, frozen time).

    Examples
    --------
    >>> deribit()[0].type
    'mmp'
    """
    return _rules(_rule("mmp", "mmp", action="PAUSE", qty_limit=quantity, window_ns=window, freeze_ns=frozen))


def exchange_core() -> RuleSet:
    """Exchange-core's spot risk engine: a buy may cost what is free, to the last unit; and its reserve price.

    References
    ----------
    exchange-core/exchange-core, src/test/resources/exchange/core2/tests/features/risk.feature (BasicRiskCheck).

    Examples
    --------
    >>> [rule.id for rule in exchange_core()]
    ['funds', 'reserve']
    """
    return _rules(_rule("funds", "cash"), _rule("reserve", "reserve_price"))


# ---------------------------------------------------------------------- side by side


def compare_presets(
    log: EventLog, presets: Mapping[str, RuleSet], mode: str = "shadow", *, compiled: bool = True
) -> pd.DataFrame:
    """Put one log through several rule sets and say where they part.

    Parameters
    ----------
    log : EventLog
        The record that all of them see.
    presets : mapping of str to RuleSet
        By the name under which the frame shows them; at least two.
    mode : {"shadow", "enforce"}
        As in `replay_log`.
    compiled : bool
        False runs the same rules as plain Python.

    Returns
    -------
    DataFrame
        One row a pair (`first`, `second`): `refused_first` and `refused_second` (orders and modifies), `both`, `only_first`,
        `only_second`, `parts_at` (the first event on which they differ, -1 if none) and `why`, a sentence on it.
        ``attrs["presets"]`` is a frame of one row a preset: refused, the first refusal's event and rule, the rules.

    Raises
    ------
    InputError
        Where there are fewer than two rule sets, or one is none.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ts": [0, 0, 0, 999], "kind": "order", "account": "A", "instrument": "X", "side": "B",
    ...                       "qty": 1, "price": 10.0})
    >>> log = EventLog.from_frame(frame)
    >>> pair = {"nautilus": nautilus(submit=2, window=999), "stocksharp": stocksharp(orders=2, window=999)}
    >>> found = compare_presets(log, pair, compiled=False)
    >>> found.loc[0, ["both", "only_first", "only_second", "parts_at"]].to_list()
    [0, 1, 1, 1]
    """
    if len(presets) < 2:
        raise InputError(f"presets={list(presets)!r} has fewer than two rule sets; there is nothing to compare")
    for name, rules in presets.items():
        if not isinstance(rules, RuleSet):
            raise InputError(f"presets[{name!r}]={rules!r} is not a RuleSet; use presets.nautilus() or your own")
    return _differences({name: replay_log(log, rules, mode, compiled=compiled) for name, rules in presets.items()})


def _differences(results: Mapping[str, Result]) -> pd.DataFrame:
    import pandas as pd

    refused = {name: np.unique(result.refused()["seq"]) for name, result in results.items()}
    names = list(results)
    rows = []
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            apart = np.setxor1d(refused[one], refused[other])
            rows.append(
                {
                    "first": one,
                    "second": other,
                    "refused_first": len(refused[one]),
                    "refused_second": len(refused[other]),
                    "both": len(np.intersect1d(refused[one], refused[other])),
                    "only_first": len(np.setdiff1d(refused[one], refused[other])),
                    "only_second": len(np.setdiff1d(refused[other], refused[one])),
                    "parts_at": int(apart[0]) if len(apart) else -1,
                    "why": _why(results, refused, one, other, int(apart[0])) if len(apart) else "they never differ",
                }
            )
    frame = pd.DataFrame(rows)
    frame.attrs["presets"] = _each(results)
    return frame


def _each(results: Mapping[str, Result]) -> pd.DataFrame:
    """One row a preset: how much it refuses, and what it refused first."""
    import pandas as pd

    rows = {}
    for name, result in results.items():
        found = result.refused()
        first = found[0] if len(found) else None
        rule = "" if first is None or first["cause"] < 0 else result.rules[int(first["cause"])].id
        seq = -1 if first is None else int(first["seq"])
        rows[name] = {"refused": len(found), "first_seq": seq, "first_rule": rule, "rules": str(result.rules)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("preset")


def _why(results: Mapping[str, Result], refused: Mapping[str, np.ndarray], one: str, other: str, seq: int) -> str:
    """Who refuses the event on which two part, by which rule and what that says, and what the other limits instead."""
    strict, lenient = (one, other) if seq in refused[one] else (other, one)
    result = results[strict]
    row = result.refused()[result.refused()["seq"] == seq][0]
    said = str(result.rules[int(row["cause"])]) if row["cause"] >= 0 else "a person has paused it."
    others = [
        rule
        for rule in results[lenient].rules
        if row["cause"] >= 0 and rule.type == result.rules[int(row["cause"])].type
    ]
    instead = " ".join(map(str, others)) or "it has no such rule."
    return f"event {seq} is refused by {strict} ({said.rstrip('.')}) and passes {lenient} ({instead.rstrip('.')})"


def _rule(name: str, kind: str, scope: str = "account", action: str = "", **params: Any) -> dict[str, Any]:
    said = {"action": action} if action else {}
    return {"id": name, "type": kind, "scope": scope, **said, "params": params}


def _rules(*entries: dict[str, Any] | None) -> RuleSet:
    return RuleSet.from_dict({"rules": [entry for entry in entries if entry is not None]})
