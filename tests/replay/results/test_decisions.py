"""Decisions hold integers until they are read: what they say does not depend on when that is."""

from __future__ import annotations

import copy
import pickle

import pytest
import random_scenarios
import scenario_runner
from live_rows import submit

from riskkit import Instrument, Rule, RuleSet
from riskkit.replay.live.session import Session
from riskkit.replay.results.decisions import Decision, DecisionKind
from riskkit.replay.results.present import present
from riskkit.rules import MaxOrderQty


def decisions(seed: int, *, at_once: bool) -> list[Decision]:
    """Decisions of a random scenario in which pairs and accounts go on to appear."""
    scenario = random_scenarios.scenario(seed, 40)
    log, _ = scenario_runner.log_of(scenario)
    session = Session(
        scenario_runner.rules_of(scenario), log.universe, on_bad_order="flag", unknown_orders="external",
        ts_policy="reject", compiled=False,
    )  # fmt: skip
    names, latest, found = scenario_runner._Names(), 0, []
    for number, event in enumerate(scenario_runner.unroll(scenario), 1):
        late, latest = event["ts"] < latest, max(latest, event["ts"])
        new = submit(session, scenario_runner._rows(number, event, names, late))
        found += [copy.copy(action) for action in new] if at_once else new
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_decision_says_the_same_when_it_is_read_later(seed):
    assert list(map(repr, decisions(seed, at_once=False))) == list(map(repr, decisions(seed, at_once=True)))


def test_a_refusal_is_put_into_words_when_it_is_read(monkeypatch):
    calls = []
    monkeypatch.setattr("riskkit.replay.results.decisions.present", lambda *args: calls.append(args) or present(*args))
    session = _session()
    action = session.process_order(account="A", instrument="X", side="B", qty=7, price=100, ts=0)[0]
    assert (action.action, action.rule, calls) == (DecisionKind.REJECT, "size", [])
    assert (action.observed, action.headroom, action.unit, len(calls)) == (7, -2, "quantity", 1)
    assert (str(action).startswith("REJECT A: the order is refused by size"), len(calls)) == (True, 1)


def test_a_decision_is_copied_compared_and_stored_by_what_it_says():
    first, second = (
        _session().process_order(account="A", instrument="X", side="B", qty=7, price=1, ts=0) for _ in "ab"
    )
    assert pickle.loads(pickle.dumps(first[0])) == copy.deepcopy(second[0]) == first[0]
    assert hash(first[0]) == hash(second[0])
    with pytest.raises(AttributeError, match="a Decision has no field 'cause'"):
        print(first[0].cause)


def _session() -> Session:
    return Session.create(RuleSet([Rule("size", MaxOrderQty(limit=5))]), [Instrument("X")], ["A"], compiled=False)
