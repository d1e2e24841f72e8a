"""Scenario files: read one, put it through riskkit in one of its ways, and compare what must come out.

The format is in tests/scenarios/README.md. A scenario becomes an event log by the same door that people use
(`EventLog.from_frame`), so an event may become several rows (a list of orders) and rows are mapped back to events.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskkit.replay.ingest.combos import leg_id, leg_orders
from riskkit.replay.kernels.runtime import Counter
from riskkit.replay.live.early_warning import early_warnings
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.limits_in_force import with_history
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.breaks import reconciliation_breaks
from riskkit.replay.results.cancelled import cancelled_orders
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.rules.history import RuleChange, RuleHistory
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.rules.temporary import TemporaryLimit, with_temporary_limits
from riskkit.replay.run.replay_log import Stage
from riskkit.replay.schema.columns import Cause, DecisionCode, OrderStatus
from riskkit.replay.schema.universe import Account, Instrument

ACCOUNT: dict[str, Any] = {"cash": {}, "positions": {}, "trader": "", "desk": "", "firm": ""}
WAYS = ("plain", "live", "generic", "compiled")
COMPILED: dict[str, bool | str] = {"plain": False, "generic": "generic", "compiled": True}
UNNAMED = "(unnamed)"  # what came without a strategy or a login has a key of its own, as if they were one more
KINDS = {
    "order_list": "order",
    "order_error": "error",
    "order_ack": "ack",
    "strategy_exec": "execution",
    "closed_trade": "trade",
    "cmd": "control",
    "rules": "control",
    **dict.fromkeys(("reserve", "commit", "rollback", "release"), "credit"),
}
COPIED = ("account", "instrument", "side", "qty", "price", "trade_id", "bid", "ask", "amount", "equity", "ret", "exit")
COPIED += (
    "pnl",
    "cmd",
    "strategy",
    "reserve",
    "pair",
    "trader",
    "desk",
    "firm",
    "type",
    "stop",
    "offset",
    "display",
    "dnr",
    "quote_qty",
    "close_position",
    "reference",
    "rate",
    "ratio",
    "multiplier",
    "phase",
    "external",
    "smp_id",
    "cancel_frees",
    "tif",
    "expires",
    "mmp",
)
NAMING = ("modify", "cancel", "reject", "expire", "cancel_reject", "modify_reject")
MESSAGES = ("order", "order_list", "modify", "cancel", "reserve", "commit", "rollback")
REFUSED = {DecisionCode.OBJECT, DecisionCode.NO_PRICE, DecisionCode.HELD}
Verdict = tuple[str, str | None]
RATIOS = {"rts9_number": "unexecuted_orders", "rts9_volume": "unexecuted_volume"}  # types by measure
SHORT: dict[str, dict[str, str]] = {  # other names of parameters
    "cancel_burst": {"n": "limit"},
    "spoofing": {"k": "multiple"},
    "quote_stuffing": {"n": "messages"},
    "momentum_ignition": {"ticks": "move"},
    "price_band": {"multiplierUp": "up", "multiplierDown": "down", "bidMultiplierUp": "up", "bidMultiplierDown": "down",
                   "askMultiplierUp": "ask_up", "askMultiplierDown": "ask_down"},
}  # fmt: skip


@dataclass
class Outcome:
    """What a scenario says of its events: a decision by event number (from 1), and the books at the end."""

    decisions: dict[int, Verdict]
    states: dict[str, str] = field(default_factory=dict)
    positions: dict[str, str] = field(default_factory=dict)
    fills_vanished: int = 0
    also: dict[int, list[str]] = field(default_factory=dict)  # further rules that object to a refused message
    alerts: dict[int, list[str]] = field(default_factory=dict)  # rules with the action ALERT that object to an event
    cancelled: dict[int, list[str]] = field(default_factory=dict)  # orders that a command or a rule took away
    releases: dict[int, int] = field(default_factory=dict)  # of messages that wait, when they go
    working: dict[str, str] = field(default_factory=dict)  # rests at the end, of a file with such a command or rule
    prices: dict[str, str] = field(
        default_factory=dict
    )  # prices of working orders at the end, of a file that says some
    breaks: list[dict[str, Any]] = field(default_factory=list)  # where a snapshot says something else than we believed


def read(path: Path) -> dict[str, Any]:
    """One scenario file."""
    return json.loads(path.read_text(encoding="utf-8"))


def unroll(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """The events with every `repeat` written out."""
    events = []
    frees = {"cancel_frees": scenario["cancel_frees"]} if "cancel_frees" in scenario else {}
    for event in scenario["events"]:
        event = {**frees, **event} if event["kind"] == "cancel" else event
        repeat = event.get("repeat", {})
        for turn in range(repeat.get("n", 1)):
            copy = {name: value for name, value in event.items() if name != "repeat"}
            events.append({**copy, "ts": event["ts"] + turn * repeat.get("dt_ns", 0)})
    return events


# ---------------------------------------------------------------------- scenario -> log and rules


def log_of(scenario: dict[str, Any]) -> tuple[EventLog, list[int]]:
    """The event log of a scenario, and for each of its rows the number of the event that it came from."""
    events = unroll(scenario)
    venues = {one["id"]: one.get("venue") for one in scenario.get("instruments", [])}
    rows: list[dict[str, Any]] = []
    numbers: list[int] = []
    labels = [account.id for account in _accounts(scenario, events)]
    names = _Names(next(iter(_traded(scenario, events)), "X"), labels)
    latest = events[0]["ts"]
    for number, event in enumerate(events, 1):
        late, latest = event["ts"] < latest, max(latest, event["ts"])
        for one in _at_venue(event, venues):
            for row in _rows(number, one, names, late):
                rows.append(row)
                numbers.append(number)
    frame = pd.DataFrame(rows, columns=sorted({name for row in rows for name in row}), dtype=object)
    frame["ts"] = frame["ts"].astype("int64")
    instruments, accounts = _instruments(scenario, events), _accounts(scenario, events)
    held = {account.id: set(account.cash) for account in accounts}
    for event in events:
        if event["kind"] == "cash":
            held[event["account"]].add(event["ccy"])
    mixed = any(len(currencies) > 1 for currencies in held.values())
    log = EventLog.from_frame(
        frame,
        instruments,
        accounts,
        on_bad_order="flag",
        unknown_orders="external",
        ts_policy=scenario.get("ts_policy", "reject"),
        currencies="many" if mixed else "one",
        quanta=_quanta(scenario, instruments, accounts),
        unit="ns",
    )
    for row, source in enumerate(log.source_rows.tolist()):  # an order that lapses is an event more
        if source < 0:
            numbers.insert(row, numbers[row - 1])
    return log, numbers


def _at_venue(event: dict[str, Any], venues: dict[str, Any]) -> list[dict[str, Any]]:
    """An event of a venue as one of each of its instruments."""
    if "venue" not in event:
        return [event]
    return [{**event, "instrument": label} for label, venue in venues.items() if venue == event["venue"]]


def _quanta(scenario: dict[str, Any], instruments: list[Instrument], accounts: list[Account]) -> dict[str, str] | None:
    """The unit of money in each currency, if the scenario declares one."""
    if "quantum" not in scenario:
        return None
    names = [instrument.currency for instrument in instruments] + [name for one in accounts for name in one.cash]
    names += [event["ccy"] for event in scenario["events"] if "ccy" in event]
    return dict.fromkeys(names, scenario["quantum"])


class _Names:
    """Order ids as the door wants them: one for each order, even where a scenario uses an id again."""

    def __init__(self, anything: str = "X", accounts: Sequence[str] = ()) -> None:
        self.turns: dict[tuple[str, str], int] = {}
        self.anything = anything  # an instrument
        self.accounts = accounts
        self.legs: dict[tuple[str, str], list[str]] = {}  # instruments of the orders of combinations
        self.stated: set[str] = set()  # of orders that a snapshot brought, which have no strategy and no login

    def new(self, account: str, label: str) -> str:
        self.turns[account, label] = self.turns.get((account, label), 0) + 1
        return self.known(account, label)

    def known(self, account: str, label: str) -> str:
        return f"{account}|{label}|{self.turns[account, label]}" if (account, label) in self.turns else ""


def _rows(number: int, event: dict[str, Any], names: _Names, late: bool) -> list[dict[str, Any]]:
    """One event as rows of the frame; an order that comes too late in time is not known afterwards."""
    kind = event["kind"]
    if kind == "limit":  # of a key, for a while: a change of the rules (`history_of`)
        return []
    row = {name: event[name] for name in COPIED if name in event}
    row |= {"ts": event["ts"], "kind": KINDS.get(kind, kind)}
    if kind == "rules":
        row["cmd"] = "LIMITS"
    if kind == "split":
        row["orders"] = event.get("orders", "finra")
    if "ccy" in event:
        row["currency"] = event["ccy"]
    if "session" in event:
        row["connection"] = event["session"]
    if event.get("reduce_only"):
        row["reduce_only"] = True
    order_id = names.known(event["account"], event["order_id"]) if "order_id" in event and kind != "order" else ""
    if "account" in event and kind != "cmd" and (not order_id or order_id in names.stated):
        # what names no order, or one that only the venue knew, came through the unnamed ones
        row = {"strategy": UNNAMED, "connection": UNNAMED, **row}
    if KINDS.get(kind) == "credit":
        return [_credit(event, row, names, late)]
    if kind == "order_list":
        members = event.get("orders") or [event] * event["children"]
        children = event.get("children", len(members))
        listed = {**row, "batch": f"list {number}", "children": children}
        return [{**listed, **_message({**listed, **member})} for member in members]
    if "legs" in event:
        return _combination(number, event, {**row, "batch": f"combination {number}", "children": 1}, names, late)
    if (legs := names.legs.get((event.get("account", ""), event.get("order_id", "")))) and kind in (*NAMING, "fill"):
        # a leg by its instrument, else all of them
        own = [leg for leg in legs if leg == event.get("instrument")] or legs
        return [{**row, "instrument": leg, "order_id": leg_id(order_id, leg)} for leg in own]
    if kind == "snapshot":
        return _snapshot(event, {**row, "batch": f"snapshot {number}"}, names)
    if kind in ("adjust", "transfer", "roll"):
        return _action(event, {"ts": event["ts"], "batch": f"{kind} {number}"}, names.accounts)
    if kind == "order":
        row = _message(row)
        if "parent" in event:
            row["parent_id"] = names.known(event["account"], event["parent"]) or None
        if "order_id" in event and not late:
            names.legs.pop((event["account"], event["order_id"]), None)
            row["order_id"] = names.new(event["account"], event["order_id"])
    elif order_id or kind in NAMING:
        row["order_id"] = order_id or f"{event['account']}|{event.get('order_id', number)}"  # of no order so far
    if kind == "modify":
        row["children"] = event.get("children", 1)
    return [row]


def _combination(
    number: int, event: dict[str, Any], row: dict[str, Any], names: _Names, late: bool
) -> list[dict[str, Any]]:
    """An order of a combination: a row for each of its legs."""
    named = {"order_id": names.new(event["account"], event["order_id"])} if "order_id" in event and not late else {}
    orders = leg_orders({"side": "B", **event, **named})
    if named:
        names.legs[event["account"], event["order_id"]] = [one["instrument"] for one in orders]
    wanted = ("type", "instrument", "side", "qty", "order_id")
    whole = {name: value for name, value in row.items() if name != "price"}
    return [
        {**whole, **{name: one[name] for name in wanted if name in one and (named or name != "order_id")}}
        for one in orders
    ]


def _credit(event: dict[str, Any], row: dict[str, Any], names: _Names, late: bool) -> dict[str, Any]:
    """A step of credit; an id that is used again names the last reservation."""
    account, label = event["account"], f"credit {event['reserve_id']}"
    if event["kind"] != "reserve":
        named = names.known(account, label)
    else:
        named = names.new(account, f"late {label}" if late else label)
    return {**row, "step": event["kind"], "reserve_id": named or event["reserve_id"]}


def _action(event: dict[str, Any], row: dict[str, Any], accounts: Sequence[str]) -> list[dict[str, Any]]:
    """An adjustment; a transfer as two of them; a roll as a row of what is closed, and one of what each account opens."""
    if event["kind"] == "roll":
        closed = {**row, "kind": "roll", "instrument": event["from"], "price": event["from_price"]}
        opened = {**row, "kind": "roll", "instrument": event["to"], "price": event["to_price"]}
        return [closed, *({**opened, "account": label} for label in accounts)]
    size = event["qty"].removeprefix("-")
    row |= {"kind": "adjust", "qty": size, **{name: event[name] for name in ("instrument", "price") if name in event}}
    if event["kind"] == "transfer":
        return [{**row, "account": event["from"], "side": "S"}, {**row, "account": event["to"], "side": "B"}]
    return [{**row, "account": event["account"], "side": "S" if size != event["qty"] else "B"}]


def _snapshot(event: dict[str, Any], row: dict[str, Any], names: _Names) -> list[dict[str, Any]]:
    """A snapshot: a row for each position and each order; one that holds nothing states a position of 0."""
    found, row = [], {name: value for name, value in row.items() if name not in ("strategy", "connection")}
    for label, qty in (event.get("positions") or ({} if event.get("orders") else {names.anything: "0"})).items():
        side = {"side": "S" if qty.startswith("-") else "B"} if number_of(qty) else {}
        found.append({**row, "instrument": label, "qty": qty.removeprefix("-"), **side})
    for one in event.get("orders", []):
        given = {name: one[name] for name in ("instrument", "side", "qty", "price") if name in one}
        account, label = event["account"], one["order_id"]
        if not names.known(account, label):
            names.stated.add(names.new(account, label))
        found.append({**row, **given, "order_id": names.known(account, label)})
    return found


def _message(row: dict[str, Any]) -> dict[str, Any]:
    """An order: without a type and a price it is a market order, which the door wants said."""
    return {"type": "limit" if "price" in row else "market", **row}


def _instruments(scenario: dict[str, Any], events: list[dict[str, Any]]) -> list[Instrument]:
    listed = {one["id"]: one for one in scenario.get("instruments", [])}
    return [_instrument(label, listed.get(label)) for label in _traded(scenario, events)]


def _traded(scenario: dict[str, Any], events: list[dict[str, Any]]) -> dict[str, None]:
    """Labels of the instruments: the listed ones, then the others as they appear."""
    seen = dict.fromkeys(one["id"] for one in scenario.get("instruments", []))
    for event in events:
        orders = event.get("orders", []) if event["kind"] != "split" else []
        stated = [*event.get("positions", {}), *(one["instrument"] for one in orders if "instrument" in one)]
        stated += [event["from"], event["to"]] if event["kind"] == "roll" else []
        stated += [leg["instrument"] for leg in event.get("legs", [])]
        seen |= dict.fromkeys([event["instrument"]] if "instrument" in event and "legs" not in event else stated)
    for account in scenario.get("accounts", []):
        seen |= dict.fromkeys(account.get("positions", {}))
    return seen


def _instrument(label: str, one: dict[str, Any] | None) -> Instrument:
    fields = one or {}
    return Instrument(
        label,
        tick=fields.get("tick", "0.01"),
        lot=fields.get("lot", "1"),
        multiplier=fields.get("multiplier", "1"),
        currency=fields.get("quote", "USD"),
        product=fields.get("product", label),
        negative_price=fields.get("negative_price", False),
        listed=one is not None,
        delta=fields.get("delta", "1"),
        luld_tier=fields.get("luld_tier", 0),
        vega=fields.get("vega", "0"),
        stop_slippage=fields.get("stop_slippage", "0"),
    )


def _accounts(scenario: dict[str, Any], events: list[dict[str, Any]]) -> list[Account]:
    listed = {one["id"]: one for one in scenario.get("accounts", [])}
    named = [label for event in events for label in _whose(event)]
    seen = dict.fromkeys([*listed, *named])
    return [
        Account(label, **{name: listed.get(label, {}).get(name, empty) for name, empty in ACCOUNT.items()})
        for label in seen
    ]


def _whose(event: dict[str, Any]) -> list[str]:
    """The accounts of an event."""
    if event["kind"] == "transfer":
        return [event["from"], event["to"]]
    return [event["account"]] if "account" in event else []


def history_of(scenario: dict[str, Any], numbers: list[int]) -> RuleHistory:
    """The rules of a scenario and their changes by its events, of which `numbers` are those of the rows."""
    changes = [
        RuleChange(event["ts"], rules_of(event), "Ann", "a test", seq=numbers.index(number))
        for number, event in enumerate(unroll(scenario), 1)
        if event["kind"] == "rules"
    ]
    temporary = [
        TemporaryLimit(
            event["rule"], event["key"], {"limit": event["limit"]}, event["ts"], event["until"], "Ann", "a test",
            event["approver"], bisect_right(numbers, number),
        )
        for number, event in enumerate(unroll(scenario), 1)
        if event["kind"] == "limit" and event.get("approver")
    ]  # fmt: skip
    if temporary:
        return with_temporary_limits(rules_of(scenario), temporary)
    times = sorted({rule[name] for rule in scenario["rules"] for name in ("valid_from", "valid_to") if name in rule})
    begin = unroll(scenario)[0]["ts"]  # with all rules before it, so that they keep their order
    times = [begin, *(ts for ts in times if ts > begin)] if times else []
    changes += [RuleChange(ts, rules_of(scenario, ts), "Ann", "a limit begins or ends") for ts in times]
    return RuleHistory(rules_of(scenario), sorted(changes, key=lambda one: one.ts))


def rules_of(scenario: dict[str, Any], ts: int | None = None) -> RuleSet:
    """The rule set of a scenario, or of an event that changes it; at a time only what is valid then."""
    rules = []
    for given in scenario["rules"]:
        begins, ends = given.get("valid_from", ts), given.get("valid_to")
        if ts is not None and (ts < begins or (ends is not None and ts >= ends)):
            continue
        rule = {name: value for name, value in given.items() if name not in ("valid_from", "valid_to")}
        scope = rule.get("scope", rule.get("params", {}).get("scope", "account"))
        if rule["type"] == "mmp" and any(event.get("mmp") for event in scenario.get("events", ())):
            rule["params"] = {"tagged": True, **rule["params"]}
        wanted = {**rule, "scope": scope, **_as_in_the_catalogue(rule)}
        _add_commodities(wanted, scenario)
        rules.append({name: value for name, value in wanted.items() if name != "netting_set"})
    return RuleSet.from_dict({"rules": rules})


def _as_in_the_catalogue(rule: dict[str, Any]) -> dict[str, Any]:
    """What is called otherwise in the catalogue: the ratios of RTS 9 are types of their own, of trading days."""
    params = rule.get("params", {})
    if rule["type"] == "order_to_trade" and params.get("measure", "") in RATIOS:
        kept = {name: value for name, value in params.items() if name in ("limit", "tz", "roll_hour", "breach")}
        return {"type": RATIOS[params["measure"]], "params": kept}
    if rule["type"] == "self_trade" and params.get("mode", "reject") != "reject":
        return {"type": "self_match", "params": {"mode": params["mode"]}}
    if "windows" in params:
        short, long = (
            sorted(params["windows"], key=lambda one: one["window_ns"])
            if len(params["windows"]) > 1
            else (params["windows"][0], {})
        )
        kept = {**short, **{f"long_{name}": value for name, value in long.items()}}
        return {"params": {name: value for name, value in {**params, **kept}.items() if name != "windows"}}
    if "levels_pct" in params:
        kept = {f"level_{number}": level for number, level in enumerate(params["levels_pct"], 1)}
        return {"params": {name: value for name, value in {**params, **kept}.items() if name != "levels_pct"}}
    if rule["type"] == "pace" and params.get("kind") == "token_bucket":
        kept = {name: value for name, value in params.items() if name not in ("kind", "rate", "burst")}
        return {"params": {**kept, "limit": params["burst"], "refill_ns": int(10**9 / number_of(params["rate"]))}}
    if rule["type"] == "session_hours" and "phases" in params:
        phases = {phase: params["phases"].get(phase, []) for phase in ("continuous", "preopen", "auction")}
        return {"params": {name: value for name, value in {**params, **phases}.items() if name != "phases"}}
    if rule["type"] == "dd_trades" and "calculation" in params:
        kept = {name: value for name, value in params.items() if name != "calculation"}
        return {"type": "dd_equity" if params["calculation"] == "equity" else "dd_trades", "params": kept}
    if sets := rule.get("netting_set") or (params.get("netting_set") if rule["type"] != "netting_set" else None):
        return _with_netting_sets(rule, sets)
    if rule["type"] in SHORT:
        return {"params": {SHORT[rule["type"]].get(name, name): value for name, value in params.items()}}
    if rule["type"] == "margin":
        kept = {name: value for name, value in params.items() if name != "check"}
        return {"type": f"{params.get('check', 'initial')}_margin", "params": kept}
    return {}


def _add_commodities(rule: dict[str, Any], scenario: dict[str, Any]) -> None:
    """The combined commodities of risk arrays that declare none: the instruments of one underlying, with that itself."""
    below = {one["id"]: one["underlying"] for one in scenario.get("instruments", []) if "underlying" in one}
    if below and rule.get("params", {}).get("model") == "scan" and "commodities" not in rule["params"]:
        sets: dict[str, list[str]] = {}
        for label in rule["params"]["arrays"]:
            sets.setdefault(below.get(label, label), []).append(label)
        rule["params"] = {**rule["params"], "commodities": sets}


def _with_netting_sets(rule: dict[str, Any], sets: dict[str, dict[str, str]]) -> dict[str, Any]:
    """A limit whose instruments net in sets; a net exposure nets all of them anyway."""
    params = {name: value for name, value in rule["params"].items() if name != "netting_set"}
    names = {"include_open": "working", **({"limit": "exposure"} if rule["type"] == "max_exposure" else {})}
    if params.pop("measure", "") == "net" and rule["type"] == "max_exposure":
        return {"params": {**params, "measure": "net"}}
    return {"type": "netting_set", "params": {"netting_set": sets, **{names.get(n, n): v for n, v in params.items()}}}


# ---------------------------------------------------------------------- running


def run(scenario: dict[str, Any], way: str) -> Outcome:
    """Replay a scenario as plain Python, by the generic loop, compiled, or one event at a time (live)."""
    if way == "live":
        log, numbers = log_of(scenario)
        mode, orphans = scenario.get("mode", "shadow"), scenario.get("orphans", "keep")
        engine = live(log, history_of(scenario, numbers), mode, orphans=orphans)
        result, slots = engine.result(), engine.journal.columns["slots"]
        result.log.order_labels = log.order_labels
    else:
        stage, history, numbers = staged(scenario, compiled=COMPILED[way])
        result, slots = stage.replay(history), stage.columns.get("slots")
        if not stage.shape.keeps_orders and {"working", "prices"} & set(scenario.get("expected", {})):
            tracked = run(scenario, "live")  # a replay forgets orders that nothing asks for
            found = outcome_of(scenario, result, numbers)
            return replace(found, working=tracked.working, prices=tracked.prices)
    return outcome_of(scenario, result, numbers, slots)


def staged(scenario: dict[str, Any], compiled: bool | str = False) -> tuple[Stage, RuleHistory, list[int]]:
    """A replay that is ready to run, also where the log lacks what the rules need, its rules, and the event of each row."""
    log, numbers = log_of(scenario)
    history = history_of(scenario, numbers).placed(log.columns)
    orphans = scenario.get("orphans", "keep")  # of scenario files; the default of a replay is another
    options: dict[str, Any] = {"orphans": orphans, "on_trip": "leave", "sample_ns": None, "compiled": compiled}
    return Stage(log, history, scenario.get("mode", "shadow"), **options), history, numbers


def live(log: EventLog, history: RuleHistory, mode: str, *, compiled: bool | str = False, **options: Any) -> Engine:
    """An engine that has taken a log one event at a time, and each change of the rules before its event."""
    engine = Engine(history.first, log.universe, mode, compiled=compiled, **options)
    at = 0
    for change in history.placed(log.columns).changes:
        engine.feed(log, at, change.seq)
        engine, at = with_history(engine, engine.history.then(change)), change.seq
    engine.feed(log, at)
    return engine


def outcome_of(
    scenario: dict[str, Any], result: ReplayResult, numbers: list[int], slots: np.ndarray | None = None
) -> Outcome:
    """Read decisions, states and positions off a result; `slots` are the records of orders by row."""
    events = unroll(scenario)
    decisions: dict[int, Verdict] = {
        n: ("ALLOW", None) for n, e in enumerate(events, 1) if e["kind"] in MESSAGES and not e.get("external")
    }
    cut = 0
    also: dict[int, list[str]] = {}
    alerts: dict[int, list[str]] = {}
    releases: dict[int, int] = {}
    for row in result.rows:
        number, code, cause = numbers[row["seq"]], DecisionCode(int(row["code"])), int(row["cause"])
        if code in REFUSED | {DecisionCode.ALERTED}:
            speaking = [one for bit, one in enumerate(result.rules) if int(row["mask"]) >> bit & 1]
            names = [one.id for one in speaking if one.action == "ALERT"]
            known = alerts.get(number, []) if not {"orders", "legs", "children"} & events[number - 1].keys() else []
            alerts |= {number: [*known, *names]} if names else {}
        if code in REFUSED:
            rule = "PAUSED" if code == DecisionCode.HELD or cause == Cause.COMMAND else result.rules[cause].id
            decisions[number] = ("REJECT", rule)
            objecting = [one for bit, one in enumerate(result.rules) if int(row["mask"]) >> bit & 1]
            also[number] = [one.id for one in objecting if one.action != "ALERT" and one.id != rule]
        elif code == DecisionCode.QUEUED:
            if number not in releases:
                decisions[number] = ("QUEUE", result.rules[cause].id)
            releases[number] = int(row["until"])
        elif code == DecisionCode.ERROR_STATE and events[number - 1]["kind"] in MESSAGES:
            decisions[number] = (code.name, None)
        elif code == DecisionCode.CUT and row["limit"] == 0:
            decisions[number] = ("VANISH", None)
            cut += 1
        elif code in (DecisionCode.VANISH, DecisionCode.DUP, DecisionCode.ERROR_TS):
            decisions[number] = (code.name, None)
    universe = result.log.universe
    table = result.state.positions[1:]
    positions = {}
    for record in table:
        instrument = universe.instruments[record["instrument"]]
        label = f"{universe.accounts[record['account']].id}|{instrument.id}"
        positions[label] = str(int(record["qty"]) * instrument.qty_step)
    cancelled: dict[int, list[str]] = {}
    for seq, order in cancelled_orders(result)["order"].items():
        cancelled.setdefault(numbers[int(seq)], []).append(_label(result, order))
    working, prices = {}, {}
    entered: dict[int, int] = {}  # rows of the orders by their records
    if slots is not None and {"working", "prices"} & set(scenario.get("expected", {})):
        named = np.flatnonzero(result.log.columns["order"] == np.arange(len(result.log)))
        entered = {int(slots[row]): int(row) for row in named}
    for slot, record in enumerate(result.state.orders[1:] if entered else ()):
        row = entered.get(slot, 0)
        if record["status"] == OrderStatus.WORKING and (label := _label(result, row)):
            instrument = universe.instruments[result.log.columns["instrument"][row]]
            working[label] = str(int(record["qty"] - record["filled"]) * instrument.qty_step)
            prices[label] = str(int(record["price"]) * instrument.price_step)
    vanished = int(result.state.counts[Counter.FILLS_VANISHED]) + cut
    breaks = _breaks(result, numbers)
    return Outcome(
        decisions, result.states(), positions, vanished, also, alerts, cancelled, releases, working, prices, breaks
    )


def _label(result: ReplayResult, row: int) -> str:
    """The id of an order as its scenario has it, "" without one."""
    label = result.log.order_labels.by_row.get(int(row), "||")
    whose = label.split("|", 1)[1]
    order, leg = whose.rsplit("|", 1)
    return order + "".join(leg.partition("/")[1:])


def _breaks(result: ReplayResult, numbers: list[int]) -> list[dict[str, Any]]:
    """Where snapshots said something else than we believed."""
    rows = reconciliation_breaks(result)
    found = []
    for seq, row in rows.iterrows():
        order = row["order_id"].split("|", 1)[1].rsplit("|", 1)[0] if row["order_id"] else ""
        sizes = {"ours": row["believed"], "theirs": row["venue"]}
        found.append(
            {"event": numbers[int(seq)], "what": row["what"], "id": order or f"{row['account']}|{row['instrument']}"}
            | {name: None if size != size else f"{size:.15g}" for name, size in sizes.items()}
        )
    return sorted(found, key=lambda one: (one["event"], one["what"] == "order", one["id"]))


def warnings_of(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """Early warnings of the limits of a scenario, whose events happen as they stand there."""
    log, _ = log_of(scenario)
    found = early_warnings(
        log, rules_of(scenario),
        **{"horizon" if name == "horizon_ns" else name: value for name, value in scenario["early_warning"].items()},
    )  # fmt: skip
    rows = found[["ts", "rule", "key", "time_left"]].to_dict("records")
    return [{**row, "time_left": f"{row['time_left']:g}"} for row in rows]


# ---------------------------------------------------------------------- comparing


def expected(scenario: dict[str, Any]) -> Outcome:
    """What a scenario says must come out."""
    said = scenario["expected"]
    decisions: dict[int, Verdict] = {}
    for run_of in said["decisions"]:
        for number in range(run_of["from"], run_of["to"] + 1):
            decisions[number] = (run_of["decision"], run_of["rule"])
    return Outcome(decisions, said.get("states", {}), said.get("positions", {}), said.get("fills_vanished", 0))


def differences(scenario: dict[str, Any], found: Outcome) -> list[str]:
    """Every point in which an outcome is not what the scenario expects; a position that is not there is 0."""
    must = expected(scenario)
    wrong = []
    for number in sorted(must.decisions.keys() | found.decisions.keys()):
        want, got = must.decisions.get(number), found.decisions.get(number)
        if want != got:
            wrong.append(f"event {number}: {got} instead of {want}")
    for account, state in must.states.items():
        if found.states.get(account, "ACTIVE") != state:
            wrong.append(f"account {account}: {found.states.get(account)} instead of {state}")
    for label, quantity in must.positions.items():
        if number_of(found.positions.get(label, "0")) != number_of(quantity):
            wrong.append(f"position {label}: {found.positions.get(label, '0')} instead of {quantity}")
    for number, rules in scenario["expected"].get("also", {}).items():
        if found.also.get(int(number), []) != rules:
            wrong.append(f"event {number}: also {found.also.get(int(number), [])} instead of {rules}")
    if "alerts" in scenario["expected"]:
        said = {int(number): rules for number, rules in scenario["expected"]["alerts"].items()}
        wrong += [] if found.alerts == said else [f"alerts {found.alerts} instead of {said}"]
    for number, labels in scenario["expected"].get("cancelled", {}).items():
        if found.cancelled.get(int(number), []) != labels:
            wrong.append(f"event {number}: cancelled {found.cancelled.get(int(number), [])} instead of {labels}")
    if "release" in scenario["expected"]:
        said = {int(number): ts for number, ts in scenario["expected"]["release"].items()}
        wrong += [] if found.releases == said else [f"releases {found.releases} instead of {said}"]
    for label, quantity in scenario["expected"].get("working", {}).items():
        if number_of(found.working.get(label, "0")) != number_of(quantity):
            wrong.append(f"order {label}: {found.working.get(label, '0')} works instead of {quantity}")
    if "warnings" in scenario["expected"]:
        warned, said = warnings_of(scenario), scenario["expected"]["warnings"]
        wrong += [] if warned == said else [f"warnings {warned} instead of {said}"]
    if "differences" in scenario["expected"]:
        wrong += (
            []
            if found.breaks == (said := scenario["expected"]["differences"])
            else [f"{found.breaks} instead of {said}"]
        )
    for label, price in scenario["expected"].get("prices", {}).items():
        if number_of(found.prices.get(label, "0")) != number_of(price):
            wrong.append(f"order {label}: the price {found.prices.get(label)} instead of {price}")
    if "fills_vanished" in scenario["expected"] and must.fills_vanished != found.fills_vanished:
        wrong.append(f"fills vanished: {found.fills_vanished} instead of {must.fills_vanished}")
    return wrong


def number_of(text: str) -> Fraction:
    """An exact number from a decimal or a fraction."""
    return Fraction(text)
