"""A copy that shares pages with the one before is a copy of the whole state, and costs what has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from proofs.test_proof import RULES
from scenario_runner import history_of, log_of, read
from streams import random_log, whole_lists

import riskkit as rk
from riskkit.replay.engine.state import words_per_key
from riskkit.replay.kernels.queue import FIRST, LENGTH, NEXT, QUEUE, TIME, VALUE
from riskkit.replay.live import pages, state_copies
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.limits_in_force import with_history
from riskkit.replay.live.session_status import SessionStatus
from riskkit.replay.live.state_copies import StateCopies
from riskkit.replay.schema.constants import DAY_NS

SCENARIOS = sorted((Path(__file__).parents[2] / "scenarios").glob("*.json"))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    """A page for each record and few words, so that one that is not copied shows."""
    for module in (pages, state_copies):
        monkeypatch.setattr(module, "RECORDS", 1)
        monkeypatch.setattr(module, "WORDS", 4)


def windows(live: Engine, state: Any) -> list[Any]:
    """What the rules have in the workspace: words, and entries of queues wherever they lie."""
    found: list[Any] = []
    for rule, params, table in zip(live.rules, live.params, state.rules, strict=True):
        if not rule.kind.workspace_size:
            continue
        size = words_per_key(rule, params, len(table) - 1)
        for start in table["memory"][1:].tolist():
            if not rule.kind.nodes_per_event:
                found.append(state.memory[start : start + size].tolist())
                continue
            for head in range(start, start + size, QUEUE):
                node = state.memory[head + FIRST]
                for _ in range(state.memory[head + LENGTH]):
                    found.append((int(state.memory[node + TIME]), int(state.memory[node + VALUE])))
                    node = state.memory[node + NEXT]
    return found


def same(live: Engine, copies: StateCopies) -> dict[str, int]:
    """Assert that the next copy is the state, and return how many pages it took."""
    found, state = copies.take(live), live.state
    copied = found.state()
    for name, array in state.arrays().items():
        if name not in ("orders", "fills", "memory"):
            assert copied.arrays()[name].tobytes() == array.tobytes(), name
    assert windows(live, copied) == windows(live, state)
    return found.copied


def through(live: Engine, log: Any, history: Any = None, every: int = 1) -> None:
    """Feed a log and the changes of its rules, and look after every few events."""
    copies, changes = (
        StateCopies(),
        {} if history is None else {one.seq: one for one in history.placed(log.columns).changes},
    )
    at = 0
    while at < len(log):
        if at in changes:
            live = with_history(live, live.history.then(changes[at]))
        same(live, copies)
        cut = min([at + every, len(log), *[seq for seq in changes if seq > at]])
        stop = whole_lists(log, cut) if "batch" in log.columns else cut
        live.feed(log, at, stop)
        at = stop
    same(live, copies)


@pytest.mark.parametrize("mode", ["shadow", "enforce"])
def test_a_copy_after_any_events_is_the_state(mode, long):
    for seed in range(20 if long else 2):
        log = random_log(seed, 150, opened=seed % 2 == 0, venue=True, actions=True)
        through(Engine(RULES, log.universe, mode, compiled=False), log, every=1 + seed % 3)


def test_a_copy_under_the_rules_of_a_scenario_is_the_state(long):
    for path in SCENARIOS if long else SCENARIOS[::12]:
        scenario = read(path)
        log, numbers = log_of(scenario)
        history = history_of(scenario, numbers)
        through(Engine(history.first, log.universe, scenario.get("mode", "shadow"), compiled=False), log, history)


def test_one_event_of_many_accounts_copies_the_page_of_its_account(monkeypatch):
    monkeypatch.undo()
    rules = rk.RuleSet(
        [
            rk.Rule("rate", rk.rules.OrderRate(limit=8, window_ns="1s")),
            rk.Rule("traded", rk.rules.VolumeCap(limit=10**6), scope="account_instrument"),
            rk.Rule("loss", rk.rules.DailyLoss(limit=10**6)),
        ]
    )
    accounts = [f"A{k}" for k in range(2_000)]
    session = rk.Session.create(rules, [rk.Instrument("X"), rk.Instrument("Y")], accounts, compiled=False)
    order = {"side": "B", "qty": 1, "price": 10, "instrument": "X"}
    session.process_price(ts=0, instrument="X", price=10)
    for ts, account in enumerate(accounts[::10]):
        session.process_trade(ts=ts, account=account, **order)
    before = session.status()
    session.process_order(ts=2_000, account="A1500", **order)
    after = session.status()
    by_account = {
        name: after.copy.copied[name] for name in ("accounts", "positions", "s0", "s1", "s2", "cash_balances")
    }
    assert by_account == dict.fromkeys(by_account, 1)
    assert after.copy.copied["memory"] <= 3 < len(after.copy.tables["memory"].pages)
    one, other = (status.copy.tables["accounts"].pages for status in (before, after))
    assert [page for page, (old, new) in enumerate(zip(one, other, strict=True)) if old is not new] == [
        1501 // pages.RECORDS
    ]
    assert after.utilization().equals(SessionStatus(session.engine).utilization())
    assert not before.utilization().equals(after.utilization())


def test_accounts_that_appear_are_copied_with_what_leads_to_them_and_a_new_day_with_all():
    rules = rk.RuleSet([rk.Rule("loss", rk.rules.DailyLoss(limit=10**6))])
    session = rk.Session.create(
        rules, [rk.Instrument("X"), rk.Instrument("Y")], auto_register=rk.Instrument("any"), compiled=False
    )
    session.process_price(ts=0, instrument="X", price=10)
    copies, some = StateCopies(), 0
    for number in range(150):
        ts, label = number + DAY_NS * (number // 100), f"A{number}"
        if number % 3 == 1:  # an earlier account in another instrument
            session.process_order(ts=ts, account=f"A{number // 2}", instrument="Y", side="B", qty=1, price=10)
        session.process_trade(ts=ts, account=label, instrument="X", side="B", qty=1, price=10 + number % 2)
        some += sum(same(session.engine, copies).values()) < number
        status = session.status()
        assert status.position(label, "X") == 1 and status.position(f"A{number + 1}", "X") == 0
        assert status.state_of(label) == "ACTIVE" and status.state_of(f"A{number + 1}") is None
    assert some > 50
    whole = SessionStatus(session.engine)
    assert status.accounts().equals(whole.accounts()) and status.positions().equals(whole.positions())
    session.process_trade(ts=ts, account="late", instrument="X", side="B", qty=1, price=10)
    assert status.position("late", "X") == 0 and len(status.accounts()) == 150 == len(status.universe.accounts)
