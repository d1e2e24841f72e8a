"""What must not matter: labels, whole weeks, strangers, and where a log is cut; compared as whole streams of decisions.

A log is changed in a way that means nothing to its rules; then every decision row, trip and release must be what it
was, row by row and field by field, with only the codes and times that were changed on purpose mapped back.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streams import random_log, whole_lists

import riskkit as rk
from riskkit import Account, Rule, RuleSet
from riskkit.replay.live.engine import Engine
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.circuit_breaker import BreakerLimits
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import DecisionCode, EventKind, RowFlag
from riskkit.replay.schema.constants import NEVER
from riskkit.replay.schema.scopes import SCOPES
from riskkit.replay.schema.universe import Universe

WEEK = 7 * 86_400_000_000_000
EVERY_KIND = ("order", "order_list", "modify", "cancel")
# one of each way in which a rule looks at accounts and at time; zones of a fixed offset, so that weeks are alike
RULES = RuleSet(
    [
        Rule("rate", rk.rules.OrderRate(limit=3, window_ns="400s", kinds=EVERY_KIND), action="PAUSE", hold="10min"),
        Rule(
            "fixed",
            rk.rules.OrderRate(limit=4, window_ns="10min", window="fixed_from_first"),
            scope="account_instrument",
        ),
        Rule("by-day", rk.rules.OrderRate(limit=12, window="calendar_day", tz="Etc/GMT+5", roll_hour=17)),
        Rule("levels", rk.rules.MessageThrottle(reject_mps=1, logout_mps=2, window_ns="3s"), scope="session"),
        Rule("twice", rk.rules.DuplicateOrder(limit=1, window_ns="30min")),
        Rule("messages", rk.rules.OrderToTradeRatio(limit=3, window_ns="1h", least=2)),
        Rule("ordered", rk.rules.VolumeCap(limit=60, measure="ordered"), scope="account_product"),
        Rule("size", rk.rules.PositionLimit(limit=25), scope="account_instrument"),
        Rule("self", rk.rules.SelfTradePrevention()),
        Rule("working", rk.rules.MaxActiveOrders(limit=4)),
        Rule("cash", rk.rules.CashLimit()),
        Rule("gross", rk.rules.MaxExposure(limit=900)),
        Rule("day", rk.rules.DailyLoss(limit=30)),
        Rule("fall", rk.rules.DrawdownLimit(pct="0.05")),
        Rule("losses", rk.rules.ConsecutiveLosses(limit=2)),
        Rule("errors", rk.rules.ConsecutiveErrors(limit=2, open_ns="20min"), scope="strategy"),
        Rule("makers", rk.rules.MarketMakerProtection(qty_limit=12, window_ns="10min", freeze_ns="15min")),
        Rule("stops", rk.rules.StoplossGuard(trade_limit=2, lookback_ns="2h", stop_ns="1h", per_side=True)),
        Rule("state", rk.rules.TradingState()),
        Rule("breaker", BreakerLimits(daily_loss=20, open_positions=2, consecutive_errors=2)),
    ]
)
OWNED = {name for name, scope in SCOPES.items() if scope.owner}
SHARED = RuleSet(
    [
        Rule("all", rk.rules.VolumeCap(limit=150), scope="global"),
        Rule("name", rk.rules.MarketMakerProtection(30, "10min"), scope="instrument"),
    ]
)
SETTINGS = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MODES = st.sampled_from(["shadow", "enforce"])
FIELDS = ("seq", "mask", "observed", "limit", "until", "key", "cause", "code")


def stream(log: EventLog, rules: RuleSet, mode: str, **options) -> list[tuple[int, ...]]:
    """Every decision, trip and release, as plain numbers in their order."""
    return rows_of(replay_log(log, rules, mode, compiled=False, **options).rows)


def rows_of(rows: np.ndarray) -> list[tuple[int, ...]]:
    return list(zip(*(rows[name].tolist() for name in FIELDS), strict=True))


def without(rows: list[tuple[int, ...]], *names: str) -> list[tuple[int, ...]]:
    places = [place for place, name in enumerate(FIELDS) if name not in names]
    return [tuple(row[place] for place in places) for row in rows]


def copied(log: EventLog, world: Universe | None = None, **changed: np.ndarray) -> EventLog:
    columns = {name: column.copy() for name, column in log.columns.items()} | changed
    return EventLog(columns, log.pair_account, log.pair_instrument, world or log.universe)


@pytest.mark.lengthy
@SETTINGS
@given(seed=st.integers(0, 10_000), mode=MODES, opened=st.booleans())
def test_labels_do_not_matter(seed, mode, opened):
    log = random_log(seed, 120, opened=opened)
    accounts = tuple(
        Account(f"other {a.id[::-1]}", a.cash, a.positions, desk=f"desk of {a.desk}", firm="G")
        for a in log.universe.accounts
    )
    old = log.universe
    renamed = Universe(old.instruments, accounts, old.quanta, old.strategies[::-1], old.connections, old.mixed)
    both = RuleSet([*RULES, *SHARED])
    assert stream(copied(log, renamed), both, mode) == stream(log, both, mode) != []


def permuted(log: EventLog, order: list[int]) -> EventLog:
    """The same log with its accounts declared in another order: other codes, the same pairs."""
    places = np.array([*np.argsort(order), -1])
    old = log.universe
    world = Universe(
        old.instruments, tuple(old.accounts[a] for a in order), old.quanta, old.strategies, old.connections
    )
    codes = places[log.columns["account"]].astype(np.int32)
    columns = {name: column.copy() for name, column in log.columns.items()} | {"account": codes}
    return EventLog(columns, places[log.pair_account], log.pair_instrument, world)


@SETTINGS
@given(seed=st.integers(0, 10_000), mode=MODES, order=st.permutations(range(3)))
def test_the_order_of_accounts_does_not_matter(seed, mode, order):
    log = random_log(seed, 120)
    both = RuleSet([*RULES, *SHARED])
    found = stream(permuted(log, order), both, mode)
    places = np.argsort(order).tolist()
    assert _with_accounts(found, both, log.columns["account"].tolist(), None) == _with_accounts(
        stream(log, both, mode), both, log.columns["account"].tolist(), places
    )


def _with_accounts(rows, rules, accounts, places):
    """The rows with the code of an account written as another, and those of one event in a fixed order.

    A command to all and a price meet the accounts in the order of their codes, so their rows come in that order.
    """
    found = []
    for row in rows:
        seq, *_, key, cause, code = row
        by_account = (
            cause < 0 or code not in (DecisionCode.TRIP, DecisionCode.RELEASE) or rules[cause].scope == "account"
        )
        mapped = places[key] if places is not None and by_account and key >= 0 else key
        found.append((*row[:5], mapped, cause, code))
    return sorted(found)


@pytest.mark.lengthy
@SETTINGS
@given(seed=st.integers(0, 10_000), mode=MODES, weeks=st.integers(-200, 200))
def test_whole_weeks_do_not_matter(seed, mode, weeks):
    log = random_log(seed, 120)
    shift = weeks * WEEK
    later = copied(log, ts=log.columns["ts"] + shift)
    both = RuleSet([*RULES, *SHARED])
    moved = [
        tuple(row[:4]) + (row[4] - shift if 0 != row[4] != NEVER else row[4],) + tuple(row[5:])
        for row in _observed_at(stream(later, both, mode), both, -shift)
    ]
    assert moved == stream(log, both, mode) != []


def _observed_at(rows, rules, shift):
    """A lock has seen a time and holds it against a time; they move with the log."""
    locks = {k for k, rule in enumerate(rules) if rule.type == "stoploss_guard"}
    return [
        (seq, mask, seen + shift, limit + shift, until, key, cause, code)
        if _speaks(mask, cause, code, locks, rules)
        else (seq, mask, seen, limit, until, key, cause, code)
        for seq, mask, seen, limit, until, key, cause, code in rows
    ]


def _speaks(mask, cause, code, locks, rules):
    """Whether what a row has seen is a lock's: of its cause, or of the first that only warns."""
    return code == DecisionCode.OBJECT and cause in locks


@pytest.mark.lengthy
@SETTINGS
@given(seed=st.integers(0, 10_000), other=st.integers(0, 10_000), mode=MODES)
def test_a_stranger_does_not_matter(seed, other, mode):
    """Another account trades other instruments in between; every decision on the first ones stays what it was."""
    log = random_log(seed, 100)
    assert {rule.scope for rule in RULES} <= OWNED
    joined, rows_before = with_a_stranger(log, random_log(other, 60))
    result = replay_log(joined, RULES, mode, compiled=False)
    owners = [table["owner"][1:].tolist() for table in result.state.rules]
    back = []
    for row in rows_of(result.rows):
        key, cause, code = row[5:]
        released = code == DecisionCode.RELEASE and owners[cause][key] >= len(log.universe.accounts)
        cancelled = code == DecisionCode.CANCELLED  # what it has seen is the order's row
        strangers = released or (cancelled and row[2] not in rows_before)
        if row[0] in rows_before and not strangers:  # a command to all releases and cancels strangers too
            observed = rows_before[row[2]] if cancelled else row[2]
            back.append((rows_before[row[0]], row[1], observed, *row[3:]))
    # a key's code may be another; what was said, why and until when may not
    assert without(back, "key") == without(stream(log, RULES, mode), "key") != []


def with_a_stranger(log: EventLog, second: EventLog) -> tuple[EventLog, dict[int, int]]:
    """Two logs merged by time; the second's accounts, instruments, strategies and connections are its own."""
    world = _joined(log.universe, second.universe)
    a, i, s, c = (
        len(x)
        for x in (log.universe.accounts, log.universe.instruments, log.universe.strategies, log.universe.connections)
    )
    added = {name: column.copy() for name, column in second.columns.items()}
    for name, by in (("account", a), ("instrument", i), ("strategy", s), ("connection", c)):
        added[name] = np.where(added[name] >= 0, added[name] + by, -1).astype(added[name].dtype)
    alone = (added["kind"] != EventKind.CONTROL) & (
        added["kind"] != EventKind.SESSION
    )  # what is said to all is no stranger's
    alone &= added["flags"] & int(RowFlag.BAD_TS) == 0
    times = [np.maximum.accumulate(log.columns["ts"]), np.maximum.accumulate(added["ts"])]
    key = np.concatenate(times)
    whose = np.concatenate([np.zeros(len(log), int), np.ones(len(second), int)])
    keep = np.concatenate([np.ones(len(log), bool), alone])
    order = np.lexsort((np.arange(len(key)), whose, key))
    order = order[keep[order]]
    place = np.full(len(key), -1)
    place[order] = np.arange(len(order))
    columns = {}
    for name, column in log.columns.items():
        columns[name] = np.concatenate([column, added[name]])[order]
    for name in ("order", "parent", "batch"):
        rows = np.concatenate([log.columns[name], np.where(added[name] >= 0, added[name] + len(log), -1)])[order]
        columns[name] = np.where(rows >= 0, place[rows], -1)
    pairs: dict[tuple[int, int], int] = {}
    for row, pair in enumerate(zip(columns["account"].tolist(), columns["instrument"].tolist(), strict=True)):
        columns["pair"][row] = -1 if min(pair) < 0 else pairs.setdefault(pair, len(pairs))
    known = np.array(list(pairs), np.int32).reshape(-1, 2)
    return EventLog(columns, known[:, 0], known[:, 1], world), {int(place[row]): row for row in range(len(log))}


def _joined(one: Universe, two: Universe) -> Universe:
    import dataclasses

    strangers = tuple(dataclasses.replace(x, id=f"other {x.id}", product=f"other {x.product}") for x in two.instruments)
    accounts = tuple(
        dataclasses.replace(x, id=f"other {x.id}", desk="far", firm="away", trader="stranger") for x in two.accounts
    )
    return Universe(
        (*one.instruments, *strangers),
        (*one.accounts, *accounts),
        one.quanta,
        (*one.strategies, *(f"other {x}" for x in two.strategies)),
        (*one.connections, *(f"other {x}" for x in two.connections)),
    )


@pytest.mark.lengthy
@SETTINGS
@given(seed=st.integers(0, 10_000), mode=MODES, data=st.data())
def test_where_a_log_is_cut_does_not_matter(seed, mode, data):
    log = random_log(seed, 100)
    both = RuleSet([*RULES, *SHARED])
    whole = stream(log, both, mode)
    assert stream(log, both, mode, chunk=data.draw(st.integers(1, len(log)))) == whole
    stops = sorted(data.draw(st.sets(st.integers(0, len(log)), max_size=3)))
    stops = [whole_lists(log, stop) for stop in stops]
    live, done = Engine(both, log.universe, mode, compiled=False), 0
    for stop in stops:
        live.feed(log, done, stop)
        live, done = Engine.restore(live.snapshot(), both, compiled=False), stop
    live.feed(log, done)
    assert rows_of(live.result().rows) == whole


def test_the_compiled_loop_is_as_blind_to_weeks_and_labels():
    """One rule set, one shape: the loop is compiled once for the log, the later log and the renamed one."""
    few = RuleSet([RULES["rate"], RULES["by-day"], RULES["size"], RULES["day"], RULES["breaker"]])
    log = random_log(17, 150)
    later = copied(log, ts=log.columns["ts"] + 3 * WEEK)
    found = [rows_of(replay_log(one, few, "enforce").rows) for one in (log, later, permuted(log, [0, 1, 2]))]
    assert found[0] == stream(log, few, "enforce") == found[2]
    assert without(found[1], "until") == without(found[0], "until") != []
