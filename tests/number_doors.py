"""Every place where a number, a time or a count comes in from outside, as a call with one value, for tests/house/test_fuzz_numbers.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from random_scenarios import PARAMETERS, refusing_rule

import riskkit as rk
from riskkit import desk, frtb
from riskkit import rules as catalogue
from riskkit.replay.rules.ruleset import FIELDS
from riskkit.replay.schema.columns import ANSWERS, kind_word

ORDER = {"account": "A", "instrument": "X", "side": "B"}


def tracker() -> desk.PositionTracker:
    made = desk.PositionTracker({"A": 1, "B": 1})
    made.set_price("A", 1, 1)
    return made


def manager() -> desk.RiskManager:
    made = desk.RiskManager(10_000, bars_per_day=1)
    made.add_ticker("A", price=100.0, volatility=0.02)
    return made


def session() -> rk.Session:
    rules = rk.RuleSet([rk.Rule("size", catalogue.MaxOrderQty(limit=5))])
    return rk.Session.create(rules, [rk.Instrument("X"), rk.Instrument("Y")], ["A", "B"], compiled=False)


EVENTS: dict[str, dict[str, Any]] = {
    "order": {
        **ORDER,
        "qty": 2,
        "price": 5,
        "type": "limit",
        "stop": 4,
        "offset": 1,
        "display": 1,
        "quote_qty": 20,
        "reserve": 6,
        "expires": 9,
        "order_id": "new",
    },
    "modify": {"order_id": "o", "qty": 3, "price": 5},
    "cancel": {"order_id": "o"},
    "trade": {"order_id": "o", "qty": 1, "price": 5, "trade_id": "u", "fee": 1},
    "price": {"instrument": "X", "price": 5, "bid": 4, "ask": 6},
    "close": {"instrument": "X", "price": 5},
    "dividend": {"instrument": "X", "amount": 1},
    "snapshot": {
        "account": "A",
        "positions": {"X": 3},
        "orders": [{"order_id": "o", "instrument": "X", "side": "B", "qty": 1}],
    },
    "fx": {"pair": "EURUSD", "price": 1, "bid": 1, "ask": 1},
    "cash": {"account": "A", "amount": 5, "flow": "fee"},
    "credit": {"account": "A", "reserve_id": "r", "step": "reserve", "amount": 5, "currency": "USD"},
    "equity": {"account": "A", "equity": 5},
    "closed_trade": {"account": "A", "instrument": "X", "side": "B", "pnl": 5, "ret": 1, "exit": "stop"},
    "correct": {"account": "A", "instrument": "X", "trade_id": "t", "qty": 1, "price": 5, "fee": 1},
    "bust": {"account": "A", "instrument": "X", "trade_id": "t"},
    "funding": {"instrument": "X", "rate": "0.01"},
    "expiry": {"instrument": "X", "price": 5},
    "split": {"instrument": "X", "ratio": "3/2", "orders": "finra"},
    "multiplier": {"instrument": "X", "multiplier": "2.5"},
    "phase": {"instrument": "X", "phase": "preopen"},
    "roll": {"from": "X", "to": "Y", "from_price": 5, "to_price": 6},
    "adjust": {"account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 5},
    "transfer": {"from": "A", "to": "B", "instrument": "X", "qty": 1, "price": 5},
    "order_list": {"account": "A", "orders": [{**ORDER, "qty": 1, "price": 5}], "children": 2},
    "ack": {"account": "A"},
    "error": {"account": "A", "order_id": "o"},
    "execution": {"account": "A", "strategy": "s", "connection": "c"},
    **{kind_word(kind): {"order_id": "o"} for kind in ANSWERS},
}
"""Events of a session with the order o and its fill t, by kind: each field is a door."""


def happening(kind: str, field: str) -> Callable[[Any], Any]:
    """An event with another value in a field."""

    def take(value: Any) -> Any:
        made = session()
        made.process_price(instrument="X", price=5, ts=0)
        made.process_order(**ORDER, qty=3, price=5, order_id="o", ts=0)
        made.process_trade(order_id="o", qty=1, price=5, trade_id="t", ts=0)
        return getattr(made, f"process_{kind}")(**{"ts": 1, **EVENTS[kind], field: value})

    return take


LEGS = [{"instrument": "X", "side": "B", "ratio": 1}, {"instrument": "Y", "side": "S", "ratio": 2}]
COMBINATION = {
    "account": "A", "side": "B", "qty": 2, "price": 5, "order_id": "new", "reduce_only": False, "parent_id": "o", "expires": 9,
    "strategy": "s", "connection": "c", "legs": LEGS,
}  # fmt: skip


def combined(field: str, place: int | None = None) -> Callable[[Any], Any]:
    """An order of a combination with another value in a field, or in that of a leg."""

    def take(value: Any) -> Any:
        made = session()
        made.process_price(instrument="X", price=5, ts=0)
        made.process_order(**ORDER, qty=3, price=5, order_id="o", ts=0)
        given = {field: value} if place is None else {"legs": [{**LEGS[place], field: value}, LEGS[1 - place]]}
        return made.process_order(**{"ts": 1, **COMBINATION, **given})

    return take


def holding(value: Any) -> Any:
    """A snapshot of this position."""
    return happening("snapshot", "positions")({"X": value})


def working(field: str) -> Callable[[Any], Any]:
    """A snapshot of an order with another value in a field."""
    return lambda value: happening("snapshot", "orders")(
        [{**EVENTS["snapshot"]["orders"][0], "price": 5, field: value}]
    )


def keyed(value: Any, of: Any) -> dict[Any, Any]:
    """A mapping with this key; empty if it can be none."""
    try:
        return {value: of}
    except TypeError:
        return {}


def rule_door(rule: rk.Rule, name: str) -> Callable[[Any], Any]:
    """A rule of a type with another value of a parameter, in words and as plain data, which is read again."""

    def make(value: Any) -> Any:
        other = replace(rule, parameters=rule.parameters._replace(**{name: value}))
        return str(other), rk.RuleSet.from_dict(rk.RuleSet([other]).to_dict())

    return make


def rule_entry(name: str) -> Callable[[Any], Any]:
    """A rule as plain data, with another value of a field."""
    plain = {"id": "a", "type": "max_order_qty", "params": {"limit": 5}}
    return lambda value: rk.RuleSet.from_dict({"rules": [{**plain, name: value}]})


def breaker() -> rk.CircuitBreaker:
    return rk.CircuitBreaker(daily_loss=5)


def frame(**columns: Any) -> rk.EventLog:
    """A log of one order, with other values."""
    row = {"ts": 0, "kind": "order", **ORDER, "qty": 1, "price": 1, **columns}
    return rk.EventLog.from_frame(pd.DataFrame({name: pd.Series([cell], dtype=object) for name, cell in row.items()}))


def rows(name: str) -> Callable[[Any, Path], Any]:
    """A CSV file of one order, with another text in a column."""

    def read(value: Any, folder: Path) -> Any:
        row = {"ts": 0, "kind": "order", **ORDER, "qty": 1, "price": 1, name: written(value)}
        path = folder / "rows.csv"
        text = f"{','.join(row)}\n{','.join(map(str, row.values()))}\n"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        return rk.read_log(path)

    return read


def rule_file(value: Any, folder: Path) -> Any:
    """A TOML file of one rule, with this limit."""
    path = folder / "rules.toml"
    limit = f'"{value}"' if isinstance(value, str) else written(value)
    text = f'[[rules]]\nid = "a"\ntype = "max_order_notional"\nparams = {{ limit = {limit} }}\n'
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return rk.RuleSet.from_toml(path)


def written(value: Any) -> str:
    """A value as a file has it; thousands of nines or of brackets for what Python cannot write."""
    try:
        return str(value)
    except ValueError:
        return "9" * 5_000
    except RecursionError:
        return "[" * 5_000 + "]" * 5_000


LIVE: dict[str, Callable[[Any], Any]] = {
    "tracker amount": lambda value: tracker().update("u", "m", "A", value, 1, timestamp=1),
    "tracker price": lambda value: tracker().update("u", "m", "A", 1, value, timestamp=1),
    "tracker time": lambda value: tracker().update("u", "m", "A", 1, 1, timestamp=value),
    "tracker trade id": lambda value: tracker().update("u", "m", "A", 1, 1, timestamp=1, trade_id=value),
    "tracker set_price": lambda value: tracker().set_price("A", value, 1),
    "tracker swap value": lambda value: tracker().swap("u", "m", "A", 1, "B", 1, value=value, timestamp=1),
    "tracker gas": lambda value: tracker().swap("u", "m", "A", 1, "B", 1, gas_token="A", gas_amount=value, timestamp=1),
    "tracker lot": lambda value: tracker().add_token("Z", value),
    "tracker quantum": lambda value: desk.PositionTracker({}, quantum=value),
    "tracker stale_after": lambda value: desk.PositionTracker({}, stale_after=value),
    "tracker window": lambda value: desk.PositionTracker({}, window=value),
    "tracker remember": lambda value: desk.PositionTracker({}, remember=value),
    "tracker periods": lambda value: desk.PositionTracker({}, periods_per_year=value),
    "tracker idle": lambda value: tracker().idle_positions(1, idle=value),
    "tracker rows": lambda value: tracker().ingest(
        [{"user": "u", "market": "m", "token": "A", "amount": value, "price": 1, "timestamp": 1}], on_error="raise"
    ),
    "manager cash": lambda value: desk.RiskManager(value),
    "manager lot": lambda value: desk.RiskManager(10, lot=value),
    "manager decay": lambda value: desk.RiskManager(10, decay=value),
    "manager quantity": lambda value: manager().check_trade_impact("A", value, "buy"),
    "manager side": lambda value: manager().check_trade_impact("A", 1, value),
    "manager time": lambda value: manager().check_trade_impact("A", 1, "buy", timestamp=value),
    "manager price": lambda value: manager().set_price("A", value),
    "manager limit": lambda value: manager().set_limits("a", "b", var_limit=value),
    "instrument tick": lambda value: rk.Instrument("X", tick=value),
    "instrument multiplier": lambda value: rk.Instrument("X", multiplier=value),
    "instrument id": lambda value: rk.Instrument(value),
    "breaker loss": lambda value: rk.CircuitBreaker(daily_loss=value),
    "breaker positions": lambda value: rk.CircuitBreaker(open_positions=value),
    "breaker quantum": lambda value: rk.CircuitBreaker(daily_loss=5, quantum=value),
    "breaker trade": lambda value: breaker().record_trade(value),
    "breaker now": lambda value: breaker().check_daily_reset(value),
    "session quantity": lambda value: session().process_order(**ORDER, qty=value, price=1, ts=1),
    "session price": lambda value: session().process_order(**ORDER, qty=1, price=value, ts=1),
    "session time": lambda value: session().process_order(**ORDER, qty=1, price=1, ts=value),
    "session mark": lambda value: session().process_price(instrument="X", price=value, ts=1),
    "rule count": lambda value: rk.Rule("a", catalogue.MaxOrderQty(limit=value)),
    "rule money": lambda value: rk.Rule("a", catalogue.MaxOrderNotional(limit=value)),
    "rule window": lambda value: rk.Rule("a", catalogue.OrderRate(limit=1, window_ns=value)),
    "rule hold": lambda value: rk.Rule("a", catalogue.MaxOrderQty(limit=1), hold=value),
    **{
        f"rule {rule.type} {name}": rule_door(rule, name)
        for rule in map(refusing_rule, sorted(PARAMETERS))
        for name in rule.kind.units()
    },
    **{f"rule entry {name}": rule_entry(name) for name in FIELDS},
    "rule set": lambda value: rk.RuleSet(value),
    "rule list": lambda value: rk.RuleSet.from_dict({"rules": value}),
    "frame price": lambda value: frame(price=value),
    "frame quantity": lambda value: frame(qty=value),
    "frame time": lambda value: frame(ts=value),
    "frame account": lambda value: frame(account=value),
    "frame cash": lambda value: frame(kind="cash", amount=value),
    "validate quantity": lambda value: desk.validate(
        {"ticker": "A", "side": "buy", "quantity": value, "price": 1.0}, {}, 1000.0
    ),
    "validate position": lambda value: desk.validate(
        {"ticker": "A", "side": "buy", "quantity": 1, "price": 1.0}, {"A": value}, 1000.0
    ),
    "validate size": lambda value: desk.validate(
        {"ticker": "A", "side": "buy", "quantity": 1, "price": 1.0}, {}, 1000.0, value
    ),
    "evaluate history": lambda value: desk.evaluate({"A": 1.0}, 100.0, history=[value, 100.0]),
    "risk state": lambda value: desk.RiskState().update(value),
    "limits": lambda value: desk.DeskLimits.from_dict({"var_limit": value}),
    "alert metrics": lambda value: desk.Alert("a", "b", "c", "WARN", "m", 0, metrics={"x": value}),
    "alert time": lambda value: desk.Alert("a", "b", "c", "WARN", "m", value),
    "alerts deduplicate": lambda value: desk.AlertSystem([], deduplicate=value),
    "alerts capacity": lambda value: desk.AlertSystem([lambda alert: None], capacity=value),
    "alerts keep": lambda value: desk.AlertSystem([], keep=value),
    "alerts flush": lambda value: desk.AlertSystem([]).flush(value),
    "alerts mute": lambda value: desk.AlertSystem([]).mute("a", until=value),
    "alerts retry": lambda value: desk.Retry(attempts=value),
    "stream bar": lambda value: desk.MarketStream([], bar=value),
    "stream decay": lambda value: desk.MarketStream([], decay=value),
    "stream keep": lambda value: desk.MarketStream([], keep=value),
    "stream price": lambda value: desk.MarketStream([desk.Tick(0, "A", value)]).run(),
    "stream time": lambda value: desk.MarketStream([desk.Tick(value, "A", 1.0)]).run(),
    **{
        f"session {kind} {field}": happening(kind, field)
        for kind, fields in EVENTS.items()
        for field in ("ts", *fields)
    },
    **{f"session combination {field}": combined(field) for field in ("ts", *COMBINATION)},
    **{f"session combination leg {field}": combined(field, 1) for field in LEGS[0]},
    "session snapshot position": holding,
    **{f"session snapshot order {field}": working(field) for field in ("order_id", "side", "qty", "price", "stop")},
    "session rows kind": lambda value: session().process([{"ts": 1, "kind": value, "instrument": "X", "price": 5}] * 2),
    "session instruments": lambda value: rk.Session.create(rk.RuleSet([]), value, ["A"], compiled=False),
    "session accounts": lambda value: rk.Session.create(rk.RuleSet([]), [rk.Instrument("X")], value, compiled=False),
    "session newcomers": lambda value: rk.Session.create(rk.RuleSet([]), auto_register=value, compiled=False),
    "session quantum": lambda value: rk.Session.create(rk.RuleSet([]), quantum=value, compiled=False),
    "instrument product": lambda value: rk.Instrument("X", product=value),
    "account desk": lambda value: rk.Account("A", desk=value),
    "rule history": lambda value: rk.RuleHistory.from_dict(value),
    "rule changes": lambda value: rk.RuleHistory.from_dict({"rules": [], "changes": [value]}),
    "session now": lambda value: session().tick(value),
    "session answer": lambda value: session().answer_of(value),
    "session answer of an account": lambda value: session().answer_of("o", value),
    "session command": lambda value: session().command(value),
    "session command to": lambda value: session().command("PAUSE", account=value),
    "session challenger": lambda value: session().promote(value, who="ann", why="why", ts=1),
    "session probe": lambda value: session().probe(**ORDER, qty=value, price=value),
    "session halt": lambda value: session().halt(account=value, who="ann", why="why", ts=1),
    "session signed": lambda value: session().halt(who=value, why=value, ts=1),
    "session limits": lambda value: session().set_limits({"size.limit": value}, who="ann", why="why", ts=1),
    "FRTB interest rate": lambda value: frtb.girr_delta({"EUR": {1.0: value}}),
    "FRTB tenor": lambda value: frtb.girr_delta({"EUR": keyed(value, 1.0)}),
    "FRTB equity": lambda value: frtb.equity_delta({5: [value, 1.0]}),
    "FRTB bucket": lambda value: frtb.equity_delta(keyed(value, [1.0])),
    "FRTB exchange rate": lambda value: frtb.fx_delta({"EUR": value}),
    "FRTB credit": lambda value: frtb.credit_delta({1: [("name", 5.0, "bond", value)]}),
    "FRTB name": lambda value: frtb.credit_delta({1: [(value, 5.0, value, 1.0)]}),
    "FRTB commodity": lambda value: frtb.commodity_delta({2: [("oil", value, "here", 1.0)]}),
    "FRTB jump": lambda value: frtb.jump_to_default(value, lgd=value),
    "FRTB vega weight": lambda value: frtb.tables.vega_weight(value),
    "FRTB nested shortfall": lambda value: frtb.liquidity_horizon_es([2.0, value]),
    "FRTB capital": lambda value: frtb.sensitivities_capital([{"low": 1.0, "medium": value, "high": 1.0}]),
    "FRTB issuers": lambda value: frtb.default_count_distribution(value, 0.1, 0.2),
    "tracker state": lambda value: desk.PositionTracker.from_state(value),
    "manager state": lambda value: desk.RiskManager.from_state(value),
}
FILES: dict[str, Callable[[Any, Path], Any]] = {
    "csv price": rows("price"),
    "csv quantity": rows("qty"),
    "csv time": rows("ts"),
    "toml limit": rule_file,
}
