"""A rule that a log cannot judge is said so: every rule type over a rich log and over logs with one thing left out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from refusing import refusal

import riskkit as rk
from riskkit import Account, EventLog, InputError, Instrument, Rule, RuleSet, rules
from riskkit.replay.rules.judged import (
    cash_taken_as_zero,
    looks_at,
    not_judged,
    required_nothing,
    unknown_keys,
    unnamed_orders,
    why_not_judged,
)
from riskkit.replay.rules.rule import RuleType, rule_type, rule_types
from riskkit.replay.schema.columns import DecisionCode
from riskkit.replay.schema.scopes import QUANTITIES

SECOND = 1_000_000_000
NAMES = sorted(kind.name for kind in rule_types() if not kind.source_hash)
# the lowest limits, by rule type or by name of the parameter, so that a rule breaches as soon as it can
LIMITS = {"limit": 0, "qty_limit": 0, "trade_limit": 1, "notional": 0, "pct": 0, "money": 0, "max_dd": 0, "ticks": 0}
STRICTEST: dict[str, dict[str, object]] = {
    "session_hours": {"calendar": "XNYS"},
    "velocity": {"max_move": 0, "window_ns": "1h"},
    "pace": {"limit": 1, "window_ns": "1h", "max_queue": 0},
    "luld": {"opens": "00:00", "closes": "23:59"},
    "market_breaker": {"index": "X", "level_1": 0, "opens": "00:00", "last_halt": "23:59"},
    "self_match": {"mode": "cancel_aggressing"},
    "layering": {"prices": 1, "share": 0, "window_ns": "1h"},
    "price_band": {"variation": 0, "window_ns": None},
    "netting_set": {"netting_set": {"s": {"X": 1}}, "limit": 0},
    "scenario_limit": {"arrays": {"X": [-1]}, "limit": 0},
    "spoofing": {"multiple": 0, "share": 0, "window_ns": "1h"},
    "cancel_burst": {"limit": 1, "window_ns": "1h"},
    "quote_stuffing": {"messages": 1, "window_ns": "1h", "fills": 1, "cancels": 0, "lifetime_ns": "1h"},
    "momentum_ignition": {"move": 0, "share": 0, "window_ns": "1h", "reversal": 0, "reversal_ns": "1h"},
    "breaker": {"daily_loss": 0, "open_positions": 0, "consecutive_errors": 1, "working": False},
    "initial_margin": {"model": "brackets", "table": [[1, 1]]},
    "maintenance_margin": {"model": "linear_tier", "base": 1, "per_unit": 1},
    "known_instrument": {"instruments": ()},
    "message_level": {"reject_mps": 0, "logout_mps": 0},
    "min_order_qty": {"limit": 1_000_000},
    "min_order_notional": {"limit": 1_000_000},
    "consecutive_errors": {"limit": 1},
    "consecutive_losses": {"limit": 1},
    "repeat_exec_throttle": {"limit": 1},
    "low_profit": {"required": 1, "trade_limit": 1},
    "cash": {"fee": 1},
    "order_to_parent": {"limit": 0},
    "var_limit": {"limit": 0, "bar_ns": SECOND, "warmup": 1},
}
LOCKS = {"lookback_ns": "1d", "stop_ns": "1d", "window_ns": "1h"}


def rich() -> pd.DataFrame:
    """Every kind of event and every column, twice over, so that what the first round changes meets the second."""
    label = {"account": "A", "instrument": "X", "strategy": "s", "connection": "c"}
    order = {**label, "side": "B", "qty": 2, "price": 10}
    once = [
        {"kind": "close", "instrument": "X", "price": 10},
        {"kind": "price", "instrument": "X", "price": 10, "bid": 9, "ask": 11},
        {"kind": "equity", "account": "A", "equity": 1_000},
        {"kind": "order", **order, "order_id": "1", "reserve": 9},
        {"kind": "fill", **order, "order_id": "1", "trade_id": "1", "fee": 1},
        {"kind": "order", **order, "order_id": "2", "parent_id": "1"},
        {"kind": "modify", "account": "A", "instrument": "X", "order_id": "2", "price": 30, "children": 1},
        {"kind": "order", **order, "side": "S", "qty": 9, "price": 9, "order_id": "3", "reduce_only": True},
        {"kind": "order", **order, "qty": 1.5, "price": 12, "order_id": "4", "batch": "b"},
        {"kind": "order", **order, "side": "S", "price": 9, "order_id": "5", "batch": "b"},
        {"kind": "cancel", "account": "A", "instrument": "X", "order_id": "2"},
        {"kind": "ack", "account": "A"},
        {"kind": "error", **label},
        {"kind": "trade", **label, "side": "B", "pnl": -5, "ret": "-0.5", "exit": "stop_loss"},
        {"kind": "execution", **label},
        {"kind": "price", "instrument": "X", "price": 8},
        {"kind": "fill", **order, "side": "S", "qty": 1, "price": 7, "strategy": "s"},
        {"kind": "cancel", "account": "A", "instrument": "X", "order_id": "4"},
        {"kind": "cash", "account": "A", "amount": -300, "flow": "fee"},
        {"kind": "equity", "account": "A", "equity": -500},
        {"kind": "order", **order, "order_id": "6"},
        {"kind": "clock"},
        {"kind": "control", "cmd": "HALTED"},
        {"kind": "session"},
    ]
    again = [
        {**row, **{name: row[name] + "'" for name in ("order_id", "parent_id", "batch", "trade_id") if name in row}}
        for row in once
    ]
    frame = pd.DataFrame([*once, *again], dtype=object)
    times = [SECOND * i for i in range(len(frame))]
    for i in range(1, len(frame)):
        if frame.get("batch")[i] == "b" == frame["batch"][i - 1] or frame["batch"][i] == "b'" == frame["batch"][i - 1]:
            times[i] = times[i - 1]
    return frame.assign(ts=times)


FRAME = rich()
KINDS = sorted(set(FRAME["kind"]))
COLUMNS = ["strategy", "connection", "parent_id", "batch", "reduce_only", "reserve", "exit", "order_id", "bid", "fee"]
REFERENCES = {"order_id": ("parent_id",)}


def without(what: str) -> EventLog:
    """The rich log without a kind of event, or without a column; with `what` "desk" without the desks."""
    frame = FRAME
    if what in KINDS:
        frame = frame[frame["kind"] != what]
        if what == "order":
            frame = frame[~frame["kind"].isin(["modify", "cancel"])].drop(columns=["order_id", "parent_id"])
    elif what == "order_id":
        frame = frame[~frame["kind"].isin(["modify", "cancel"])].drop(columns=["order_id", "parent_id"])
    elif what in COLUMNS:
        frame = frame.drop(columns=what)
    elif what == "all but fills":
        frame = frame[frame["kind"] == "fill"].drop(columns=["order_id"])
    instruments = [rk.Instrument("X", tick=1, lot=1)]
    accounts = [Account("A", cash={"USD": 100}, trader="T", desk="D", firm="F")]
    return EventLog.from_frame(
        frame.dropna(axis=1, how="all"), instruments, accounts, on_bad_order="flag", ts_policy="sort", unit="ns"
    )


LOGS = {what: without(what) for what in ("nothing", *KINDS, *COLUMNS, "all but fills")}


def strictest(name: str, action: str, scope: str) -> Rule:
    if name == "session_hours":
        pytest.importorskip("exchange_calendars")
    kind = rule_type(name)
    fields = kind.parameters._fields
    given = {field: value for field, value in {**LIMITS, **LOCKS}.items() if field in fields}
    if name in STRICTEST:
        given = {**{field: LOCKS[field] for field in LOCKS if field in fields}, **STRICTEST[name]}
    given |= {"on_missing_price": "allow"} if "on_missing_price" in fields else {}
    if scope not in QUANTITIES["equity"].scopes:
        given = {field: value for field, value in given.items() if field not in kind.of_equity}
    scope = scope if scope in kind.scopes else kind.scopes[0]
    action = "QUEUE" if kind.action == "QUEUE" else action
    action = action if kind.refusable(kind.make(given)) or action != "REJECT" else "ALERT"  # of cancels
    return Rule("r", kind.make(given), scope=scope, action=action)


def acts(rule: Rule, log: EventLog) -> bool:
    """True if the rule breaches or pauses anywhere in a replay that is not refused before it starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("riskkit.replay.run.replay_log.refuse_unjudged", lambda rules, log: None)
        rows = rk.replay_log(log, RuleSet([rule]), compiled=False).rows
    codes = (DecisionCode.OBJECT, DecisionCode.HELD, DecisionCode.ALERTED, DecisionCode.TRIP)
    return bool(((rows["mask"] & 1 != 0) & np.isin(rows["code"], codes)).any())


@pytest.mark.lengthy
@pytest.mark.parametrize("name", NAMES)
def test_a_rule_is_said_to_be_judged_exactly_if_it_can_act(name, long):
    """By one action on every second log and by the other on the rest, of the next rule the other way round."""
    wrong, logs = [], list(LOGS.items())
    for turn, action in enumerate(("REJECT", "PAUSE"), NAMES.index(name)):
        rule = strictest(name, action, "account")
        for what, log in logs if long else logs[turn % 2 :: 2]:
            if acts(rule, log) != (why_not_judged(rule, log) == ""):
                wrong.append((what, action, why_not_judged(rule, log)))
    assert wrong == []


@pytest.mark.parametrize("scope", ["strategy", "connection"])
@pytest.mark.parametrize("name", NAMES)
def test_a_scope_without_labels_is_said(name, scope):
    if scope not in rule_type(name).scopes:
        return
    rule = strictest(name, "REJECT", scope)
    assert acts(rule, LOGS["nothing"]) and why_not_judged(rule, LOGS["nothing"]) == ""
    assert not acts(rule, LOGS[scope])
    assert f"a {scope} label (column {scope})" in why_not_judged(rule, LOGS[scope])


@pytest.mark.parametrize("scope", ["trader", "desk", "firm"])
def test_accounts_without_a_group_are_not_lumped_together(scope):
    log = EventLog.from_frame(
        FRAME[FRAME["kind"] == "order"].assign(parent_id=None), accounts=[Account("A")], unit="ns"
    )
    with pytest.raises(InputError, match=f"has the scope {scope}, and account 'A' has no {scope}, so that they would"):
        rk.replay_log(log, RuleSet([Rule("r", rules.OrderRate(limit=2, window_ns="1s"), scope=scope)]))


@pytest.mark.parametrize("name", NAMES)
def test_what_depends_on_unknown_openings_is_refused(name):
    log = LOGS["nothing"]
    unknown = EventLog(log.columns, log.pair_account, log.pair_instrument, log.universe, {"unknown": ["positions"]})
    rule = strictest(name, "REJECT", "account")
    reads = set(read_by(rule.kind)) & {"realised", "opened", "gross", "value", "reducing"}
    assert not reads or "positions" in looks_at(rule), reads
    if "positions" in looks_at(rule):
        with pytest.raises(InputError, match="looks at the positions of accounts, and this log does not know"):
            rk.replay_log(unknown, RuleSet([rule]))


def read_by(kind: RuleType) -> set[str]:
    """Names that a rule type's functions read, in the functions of their module that they call as well."""
    found: set[str] = set()
    waiting = [one for one in (kind.check, kind.update, kind.on_new_day) if one is not None]
    while waiting:
        function = waiting.pop()
        names = {*function.__code__.co_names, *function.__code__.co_varnames[: function.__code__.co_argcount]}
        local = [function.__globals__.get(name) for name in names - found]
        waiting += [
            one for one in local if getattr(one, "__module__", "") == function.__module__ and hasattr(one, "__code__")
        ]
        found |= names
    return found


def test_a_set_of_which_some_rules_are_judged_says_which_are_not():
    some = RuleSet([strictest("consecutive_losses", "PAUSE", "account"), Rule("size", rules.MaxOrderQty(limit=1))])
    result = rk.replay_log(LOGS["trade"], some, compiled=False)
    reason = 'it needs closed trades (rows kind="trade"), and this log has none; count fills with of="closing_fills"'
    assert result.not_judged == result.summary()["not_judged"] == {"r": reason}
    assert f"cannot be judged on this log r: {reason}" in " ".join(repr(result).split())
    assert "r" not in result.refusals_by_rule() and "by r " not in repr(result)
    assert not_judged(some, LOGS["nothing"]) == {}


def test_a_set_of_which_no_rule_is_judged_is_refused():
    with pytest.raises(InputError, match=r"no rule of this set can be judged on this log\. r: it needs orders"):
        rk.replay_log(LOGS["all but fills"], RuleSet([strictest("max_order_qty", "REJECT", "account")]))
    with pytest.raises(
        InputError, match="rule 'r' cannot be judged on this log, so no setting of it matters: it needs"
    ):
        rk.sweep(
            LOGS["trade"],
            RuleSet([strictest("consecutive_losses", "PAUSE", "account"), Rule("size", rules.MaxOrderQty(limit=1))]),
            {"r.limit": [1, 2]},
        )


OF_EQUITY = [("drawdown", {"pct": "0.1"})]
OF_EQUITY += [
    (kind.name, strictest(kind.name, kind.action, "account").parameters._asdict())
    for kind in rule_types()
    if "equity" in kind.reads
]
assert {kind.name for kind in rule_types() if kind.of_equity} <= {name for name, _ in OF_EQUITY}
BOUGHT = {"kind": "fill", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}
KNOWN = {
    "opening cash": ([], Account("A", cash={"USD": 1})),
    "an opening position": ([], Account("A", positions={"X": 1})),
    "a deposit": ([{"kind": "cash", "account": "A", "amount": 5}], Account("A")),
    "an equity": ([{"kind": "equity", "account": "A", "equity": 5}], Account("A")),
    "an opening cash of zero": ([], Account("A", cash={"USD": 0})),
    "nothing": ([], Account("A")),
    "a fee": ([{"kind": "cash", "account": "A", "amount": -5, "flow": "fee"}], Account("A")),
}


@pytest.mark.parametrize("scope", QUANTITIES["equity"].scopes)
@pytest.mark.parametrize("what", KNOWN)
@pytest.mark.parametrize(("name", "limits"), OF_EQUITY)
def test_a_limit_against_an_unknown_equity_is_refused(name, limits, what, scope):
    rows, account = KNOWN[what]
    events = [*rows, BOUGHT, {**BOUGHT, "kind": "order"}, {**BOUGHT, "kind": "trade", "pnl": 1}]
    frame = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(events)])
    accounts = [
        dataclasses.replace(account, trader="T", desk="D", firm="F"),
        Account("idle", trader="U", desk="E", firm="G"),
    ]
    log = EventLog.from_frame(frame, [rk.Instrument("X")], accounts, unit="ns")
    limited = RuleSet([Rule("r", rule_type(name).make(limits), scope=scope)])
    fraction = " and ".join(sorted(rule_type(name).of_equity & limits.keys()))
    if what not in ("nothing", "a fee") and (what != "an opening cash of zero" or not fraction):
        assert rk.replay_log(log, limited, compiled=False).not_judged == {}
        return
    measured = f"a fraction of an equity ({fraction})" if fraction else "against an equity"
    way_out = ", or a limit in money" if name == "drawdown" else ""
    assert refusal(rk.replay_log, log, limited, compiled=False) == (
        f"rule 'r' ({name}) measures {measured}, and that of account 'A' is not known: no opening cash or position, no deposit, "
        f"no row kind=\"equity\"; give accounts=[Account('A', cash=...)]{way_out}"
    )


@pytest.mark.parametrize("index", ["SPX", "Y"])
def test_an_index_without_prices_in_the_log_is_said(index):
    rows = [{"kind": "close", "instrument": "X", "price": 100}, {"kind": "price", "instrument": "X", "price": 90}]
    rows += [{"kind": "order", "account": "A", "instrument": "Y", "side": "B", "qty": 1, "price": 9}]
    log = EventLog.from_frame(pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(rows)]))
    breaker = Rule("market", rules.MarketBreaker(index=index))
    assert why_not_judged(breaker, log) == (
        f"it needs previous closes (rows kind=\"close\") of '{index}', and this log has none"
    )
    assert why_not_judged(Rule("market", rules.MarketBreaker(index="X")), log) == ""


@pytest.mark.parametrize(
    ("scope", "known", "unknown"),
    [
        ("account", ["A"], ["a", "D", "X"]),
        ("desk", ["D"], ["A", "d"]),
        ("strategy", ["A/s"], ["s", "B/s"]),
        ("account_instrument", ["A/X", "*/X", "A/*"], ["A/Y", "*/Y", "B/*", "B/X"]),
    ],
)
def test_a_limit_of_a_key_that_the_log_does_not_have_is_said(scope, known, unknown):
    order = {
        "ts": 0,
        "kind": "order",
        "account": "A",
        "instrument": "X",
        "side": "B",
        "qty": 1,
        "price": 9,
        "strategy": "s",
    }
    log = EventLog.from_frame(pd.DataFrame([order]), accounts=[Account("A", desk="D")])
    size = Rule(
        "size", rules.MaxOrderQty(limit=5), scope=scope, overrides=dict.fromkeys([*known, *unknown], {"limit": 2})
    )
    said = unknown_keys([size], log)
    assert [line.split("'")[1] for line in said] == unknown
    assert all(line.startswith("size: ") and line.endswith(" of this log") for line in said)
    shown = repr(rk.replay_log(log, RuleSet([size]), compiled=False))
    assert shown.count("override of nobody") == len(unknown)


BUY = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1, "price": 10}
NO_CASH = "no opening cash, no deposit; give accounts=[Account("
CASH = RuleSet([Rule("cash", rules.CashLimit())])


def in_head(
    frame: list[dict[str, object]], accounts: list[Account], one: RuleSet = CASH, **options
) -> tuple[bool, int]:
    """Whether a replay says that cash is taken as zero, and how many orders it refuses."""
    dated = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(frame)])
    result = rk.replay_log(EventLog.from_frame(dated, accounts=accounts, **options), one, compiled=False)
    shown = "cash taken as zero" in str(result)
    assert shown == ("cash taken as zero" in repr(rk.compare(result.log, one, compiled=False).sentences()).lower())
    return shown, len(result.rejections())


@pytest.mark.parametrize(
    ("frame", "accounts", "expected"),
    [
        ([BUY], [Account("A")], (True, 1)),
        ([BUY], [Account("A", cash={"USD": 0})], (False, 1)),  # known to have none
        ([BUY], [Account("A", cash={"USD": 50})], (False, 0)),
        ([BUY], [Account("A", cash={"EUR": 50})], (True, 1)),  # nothing of the currency in which it buys
        ([{"kind": "cash", "account": "A", "amount": 50}, BUY], [Account("A")], (False, 0)),
        ([{"kind": "equity", "account": "A", "equity": 50}, BUY], [Account("A")], (True, 1)),  # equity is no cash
    ],
)
def test_a_limit_of_cash_that_nobody_said_is_said(frame, accounts, expected):
    many = {"currencies": "many"} if "EUR" in accounts[0].cash else {}
    assert in_head(frame, accounts, **many) == expected


def test_the_cash_of_a_desk_is_that_of_any_of_its_accounts():
    desk, other = Account("A", desk="D"), Account("B", desk="D", cash={"USD": 50})
    at_desk = RuleSet([Rule("cash", rules.CashLimit(), scope="desk")])
    assert in_head([BUY], [desk, other], at_desk) == (False, 0)
    assert in_head([BUY], [desk, other]) == (True, 1)
    both = EventLog.from_frame(pd.DataFrame([{"ts": 0, **BUY}, {"ts": 1, **BUY, "account": "C"}]))
    (said,) = cash_taken_as_zero(CASH, both)
    assert (
        said
        == f"cash: account 'A' and 1 other have no cash in USD before they sell: {NO_CASH}'A', cash={{'USD': ...}})]"
    )


SCAN = {"model": "scan", "arrays": {"Y": [-5, 5]}}
BRACKETS = {"model": "brackets", "table": {"Y": [[1000, "0.1"]], "Z": [[1000, "0.1"]]}}


@pytest.mark.parametrize("kind", [rules.InitialMargin, rules.MaintenanceMargin])
@pytest.mark.parametrize("data", [SCAN, BRACKETS])
def test_instruments_that_a_margin_has_no_data_of_are_said(kind, data):
    """Held, traded, or from the opening: all of these require nothing."""
    rows = [{"kind": "price", "instrument": "Y", "price": 1}, {**BUY, "kind": "fill"}, {**BUY, "instrument": "Y"}]
    account = Account("A", cash={"USD": 50}, positions={"W": 3})
    dated = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(rows)])
    log = EventLog.from_frame(dated, [*map(Instrument, "WXYZ")], accounts=[account])
    rule = Rule("margin", kind(**data))
    (said,) = required_nothing([rule], log)
    assert said.startswith("margin: its data have nothing of ") and "and 1 other, and positions in them" in said
    assert "no data" in str(rk.replay_log(log, RuleSet([rule]), compiled=False))
    for whole in ({"table": {"*": [[1000, "0.1"]]}}, {"table": [[1000, "0.1"]]}):
        assert required_nothing([Rule("margin", kind("brackets", **whole))], log) == []
    assert required_nothing([Rule("margin", kind())], log) == []


@pytest.mark.parametrize("kind", [rules.InitialMargin, rules.MaintenanceMargin])
@pytest.mark.parametrize(
    "data",
    [
        {"model": "linear_tier", "base": 0},
        {"model": "linear_tier", "base": "0.0", "per_unit": 0},
        {"model": "brackets", "table": {}},
        {"model": "brackets", "table": [[1000, 0], [2000, "0"]]},
        {"model": "scan", "arrays": {"X": [0, 0.0], "Y": ["0", 0]}},
    ],
)
def test_a_margin_that_requires_nothing_of_anybody_is_refused(kind, data):
    with pytest.raises(InputError, match="nothing of anybody|nothing is required of anybody"):
        Rule("margin", kind(**data))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (rules.MaxExposure(500), True),
        (rules.MaxExposure(500, working=False), False),
        (rules.PositionLimit(5), True),
        (rules.PositionLimit(5, include_open=False), False),
        (rules.MaxActiveOrders(5), True),
        (rules.CashLimit(), True),
        (rules.InitialMargin(), True),
        (rules.MaintenanceMargin(), False),
        (rules.BreakerLimits(daily_loss=5), False),
        (rules.BreakerLimits(open_positions=5), True),
        (rules.MaxOrderQty(5), False),
    ],
)
def test_orders_without_an_id_which_never_work_are_said(rule, said):
    account, market = Account("A", cash={"USD": 50}), {**BUY, "price": None, "type": "market"}
    for rows, count in (
        ([BUY, BUY], "2 of 2 limit orders have no id"),
        ([BUY, {**BUY, "order_id": "1"}], "1 of 2 limit orders has no id"),
        ([{**BUY, "order_id": "1"}, market], ""),
    ):
        dated = pd.DataFrame([{"ts": ts, **row} for ts, row in enumerate(rows)])
        log = EventLog.from_frame(dated, accounts=[account])
        found = unnamed_orders([Rule("r", rule)], log)
        assert found.startswith(count) if said and count else found == ""
