"""One refusal, one answer: what a rule observed is the same live, in the frame, in the explanation and in the alert.

The numbers are worked out by hand from the rules' words, for one breach of every rule type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from live_rows import submit
from test_edges import CATALOGUE, ELSEWHERE, OTHER, START, TABLE, S, event, fill, many, modify, order, price, trade

import riskkit as rk
from riskkit import Account, Instrument, Rule
from riskkit.desk.alerts.decisions import AlertMaker
from riskkit.replay.action import Action, ActionEvent
from riskkit.replay.columns import Decision
from riskkit.replay.present import Shown, present, verdict_of
from riskkit.replay.rule import rule_type
from riskkit.replay.rules import (
    ActiveOrders,
    Breaker,
    Cash,
    Concentration,
    ConsecutiveErrors,
    ConsecutiveLosses,
    Cooldown,
    DailyLoss,
    DdTrades,
    Drawdown,
    Duplicate,
    KnownInstrument,
    Leverage,
    LongOnly,
    LotTick,
    LowProfit,
    MaxExposure,
    MaxOrderNotional,
    MaxOrderQty,
    MessageLevel,
    MinOrderNotional,
    MinOrderQty,
    Mmp,
    OrderRate,
    OrderToParent,
    OrderToTrade,
    PositionLimit,
    PriceCollar,
    ReduceOnly,
    RepeatExecThrottle,
    ReservePrice,
    SelfTrade,
    StoplossGuard,
    TradingState,
    VarLimit,
    VolumeCap,
)

NAMES = ("observed", "limit", "headroom", "unit")
FALLEN = [price(), fill(), price(75, 1), order(2)]  # one lot bought at 100 with 1,000 in cash: 25, or 2.5 %
NOTHING = (None, None, None, "")
LOCKED = (START + 1, START + 100, -99, "time")
SHOWN: dict[str, tuple[Any, list[dict[str, Any]], tuple[Any, ...]]] = {
    "active_orders": (ActiveOrders(2), [order(n, order_id=n) for n in range(3)], (3, 2, -1, "count")),
    "breaker": (
        Breaker(daily_loss=50_000, open_positions=1),
        [{**fill(), "instrument": "Y"}, order(1)],
        (2, 1, -1, "count"),
    ),
    "cash": (Cash(), [order(qty=11)], (1100, 1000, -100, "USD")),
    "concentration": (Concentration("0.75"), [price(), *OTHER, order(1, qty=4)], (400, 375, -25, "USD")),
    "consecutive_errors": (ConsecutiveErrors(3), [*[event("error")] * 3, order(1)], (3, 3, 0, "count")),
    "consecutive_losses": (ConsecutiveLosses(3), [*[trade(pnl=-1)] * 3, order(1)], (3, 3, 0, "count")),
    "cooldown": (Cooldown(stop_ns=100), [trade(), order(1)], LOCKED),
    "daily_loss": (DailyLoss(20), FALLEN, (25, 20, -5, "USD")),
    "dd_trades": (DdTrades("0.1", "1s", 1, 100), [trade(ret="-0.2"), order(1)], LOCKED),
    "drawdown": (Drawdown("0.01"), FALLEN, (0.025, 0.01, -0.015, "fraction")),
    "drawdown money": (Drawdown("0.9", "20"), FALLEN, (25, 20, -5, "USD")),
    "duplicate": (Duplicate(2), many(1) * 3, (3, 2, -1, "count")),
    "known_instrument": (KnownInstrument(instruments=("Y",)), [order()], NOTHING),
    "leverage": (Leverage("0.5"), [price(), order(1, qty=6)], (600, 500, -100, "USD")),
    "long_only": (LongOnly(), [fill(qty=3), order(1, side="S", qty=4)], (4, 3, -1, "quantity")),
    "lot_tick": (LotTick(), [order(price="0")], NOTHING),
    "low_profit": (LowProfit("1s", 1, "0", 100), [trade(ret="-0.1"), order(1)], LOCKED),
    "max_exposure": (MaxExposure(500), [price(), fill(qty=3), order(1, qty=3)], (600, 500, -100, "USD")),
    "max_order_notional": (MaxOrderNotional("200.5"), [order(qty=3)], (300, 200.5, -99.5, "USD")),
    "max_order_qty": (MaxOrderQty(5), [order(qty=6)], (6, 5, -1, "quantity")),
    "message_level": (MessageLevel(1), many(2), (2, 1, -1, "count")),
    "min_order_notional": (MinOrderNotional(200), [order()], (100, 200, -100, "USD")),
    "min_order_qty": (MinOrderQty(5), [order(qty=4)], (4, 5, -1, "quantity")),
    "mmp": (Mmp(3, "1s"), [fill(qty=4), order(1)], (4, 3, -1, "quantity")),
    "order_rate": (OrderRate(3, "1s"), many(4), (4, 3, -1, "count")),
    "order_to_parent": (
        OrderToParent("0.5"),
        [order(qty=6, order_id="p"), order(1, qty=4, parent_id="p")],
        (4, 3, -1, "quantity"),
    ),
    "order_to_trade": (OrderToTrade(1, "1s"), many(3)[:2], (2, 1, -1, "messages a fill")),
    "position_limit": (PositionLimit(5, 100_000), [fill(qty=3), order(1, qty=3)], (6, 5, -1, "quantity")),
    "position_limit money": (PositionLimit(500, 50), [order(price=60)], (60, 50, -10, "USD")),
    "price_collar": (PriceCollar("0.025"), [price(), order(1, price=150)], (50, 2.5, -47.5, "price")),
    "reduce_only": (
        ReduceOnly(),
        [fill(qty=3), order(1, side="S", qty=4, reduce_only=True)],
        (4, 3, -1, "quantity"),
    ),
    "repeat_exec_throttle": (
        RepeatExecThrottle(3),
        [*[event("execution", strategy="s")] * 3, order(strategy="s")],
        (3, 3, 0, "count"),
    ),
    "reserve_price": (
        ReservePrice(),
        [order(order_id="a", reserve=101), modify(1, "a", price=102)],
        (102, 101, -1, "price"),
    ),
    "self_trade": (SelfTrade(), [order(side="S", order_id="a"), order(1, price=102)], (102, 100, -2, "price")),
    "self_trade sell": (SelfTrade(), [order(order_id="a"), order(1, side="S", price=98)], (98, 100, -2, "price")),
    "stoploss_guard": (StoplossGuard(1, "1s", 100), [trade(ret="-0.1"), order(1)], LOCKED),
    "trading_state": (TradingState(), [event("control", cmd="HALTED"), order(1)], NOTHING),
    "var_limit": (
        VarLimit(10, warmup=2, bar_ns="1s"),
        [price(100, 0), price(100, 1 * S), order(2 * S)],
        (1, 2, 1, "count"),
    ),
    "volume_cap": (VolumeCap(5, 100_000), [fill(qty=3), order(1, qty=3)], (6, 5, -1, "quantity")),
    "volume_cap money": (VolumeCap(500, 250), [fill(qty=2), order(1)], (300, 250, -50, "USD")),
}


def replayed(parameters: Any, stream: list[dict[str, Any]], cash: Any = 1_000, tick: str = "0.01", lot: str = "1"):
    """The result, the rule's row of the last event, and what it shows; None where the rule does not object."""
    rules = rk.RuleSet([Rule("r", parameters, action="REJECT")])
    things = [Instrument(label, tick=tick, lot=lot) for label in "XYVW"]
    accounts = [Account("A", {"USD": cash})]
    log = rk.EventLog.from_frame(pd.DataFrame(stream), things, accounts=accounts, on_bad_order="flag")
    result = rk.replay_log(log, rules, compiled=False)
    rows = result.rows[(result.rows["seq"] == len(log) - 1) & (result.rows["mask"] == 1)]
    if not len(rows):
        return None
    event = {name: int(log.columns[name][-1]) for name in ("instrument", "side", "price")}
    return result, rows[0], present(rules[0], verdict_of(rows[0]), log.universe, event)


def answers(parameters: Any, stream: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Observed, limit, headroom and unit of the last event's refusal, by where they are shown."""
    result, row, shown = replayed(parameters, stream)
    found = {"present": tuple(shown[:4])}
    things, accounts = result.log.universe.instruments, result.log.universe.accounts
    options = {"mode": "shadow", "on_bad_order": "flag", "compiled": False}
    session = rk.LiveSession.declare(result.rules, things, accounts, **options)
    submit(session, stream[:-1])
    live = [action for action in submit(session, stream[-1:]) if action.action is Action.REJECT][-1]
    found["live"] = tuple(getattr(live, name) for name in NAMES)
    explanation = result.explain(int(row["seq"]))
    [objection] = explanation.objections
    found["explain"] = (objection.observed, objection.limit, objection.headroom, objection.shown.unit)
    frame = result.to_frame().loc[[int(row["seq"])]].iloc[-1]
    found["frame"] = tuple(_plain(frame[name]) for name in NAMES)
    found["alert"] = _alerted(session, live)
    for sentence in (live.reason, *str(explanation).split("\n")):
        assert str(shown) in sentence
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return value.value
    return None if not isinstance(value, str) and pd.isna(value) else value


def _alerted(session: rk.LiveSession, live: ActionEvent) -> tuple[Any, ...]:
    engine = session.engine
    [alert] = AlertMaker(engine).alerts(engine, [live], {})
    return (*(alert.metrics.get(name) for name in NAMES[:3]), live.unit)


def others(name: str, parameters: Any, limit: int) -> Iterator[Any]:
    """The parameters with one other number set to what the verdict's limit is as an integer."""
    kind = rule_type(name)
    spoke = {one.limit for one in kind.observed}
    for parameter, unit in kind.units().items():
        if unit.name not in ("count", "quantity", "money", "duration") or (parameter in spoke and not kind.caps):
            continue
        yield parameters._replace(**{parameter: str(limit / 100) if unit.name == "money" else limit})


def test_every_rule_type_has_a_row():
    assert {name.split()[0] for name in SHOWN} == set(CATALOGUE) | ELSEWHERE
    assert {name.split()[0] for name in TABLE} <= set(CATALOGUE)


@pytest.mark.parametrize("name", SHOWN)
def test_one_refusal_has_one_answer(name):
    parameters, stream, expected = SHOWN[name]
    for where, found in answers(parameters, stream).items():
        assert found == pytest.approx(expected), where


@pytest.mark.parametrize("name", SHOWN)
def test_neither_tick_nor_cash_nor_another_parameter_moves_it(name):
    """The other parameters are set to what the limit is as an integer, in whatever unit: no coincidence tells a unit."""
    parameters, stream, expected = SHOWN[name]
    worlds = [{"tick": "0.0001"}, {"lot": "0.001"}]
    worlds += [{"cash": 2_000}] if name not in ("cash", "leverage", "drawdown") else []  # which are about cash
    for world in worlds:
        assert replayed(parameters, stream, **world)[2][:4] == pytest.approx(expected), world
    _, row, _ = replayed(parameters, stream)
    compared = 0
    for changed in others(name.split()[0], parameters, int(row["limit"])):
        found = replayed(changed, stream)
        if found is not None and all(found[1][one] == row[one] for one in ("code", "cap", "observed", "limit")):
            assert found[2][:4] == pytest.approx(expected), changed
            compared += 1
    assert compared or not rule_type(name.split()[0]).caps


def test_what_the_loop_cuts_is_a_quantity():
    stream = [order(qty=4, order_id="a"), fill(1, qty=4, order_id="a"), order(2, side="S", qty=4, order_id="b")]
    stream += [fill(3, "S", qty=4, order_id="b")]
    rules = rk.RuleSet([Rule("size", MaxOrderQty(3), scope="account")])
    log = rk.EventLog.from_frame(pd.DataFrame(stream), [Instrument("X", lot="0.5")])
    result = rk.replay_log(log, rules, "enforce", orphans="drop", compiled=False)
    frame = result.to_frame()
    raw = result.rows[result.rows["code"] == Decision.ORPHAN]
    if len(raw):
        assert frame.loc[raw["seq"][0], "unit"] == "quantity"
    vanished = frame[frame["decision"].str.contains("vanished")]
    assert len(vanished) and vanished["unit"].eq("").all() and np.isnan(vanished["observed"].astype(float)).all()


def test_a_text_says_the_unit():
    assert str(Shown(1_000, 500, -500, "USD", "notional")) == "observed 1,000 USD, notional 500 USD"
    assert str(Shown(2, None, None, "count")) == "observed 2"
    assert str(Shown(0, 1, -1, "time")) == "observed 1970-01-01T00:00:00Z, limit 1970-01-01T00:00:00.000000001Z"
    assert str(Shown()) == ""
