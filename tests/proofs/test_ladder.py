"""The ladder of actions: what a milder action stops first, a stricter one stops too."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive.rules import TYPES
from random_scenarios import PARAMETERS, SURVEILLANCE, scenario
from scenario_runner import run
from streams import random_log

from riskkit import Rule, RuleSet
from riskkit.replay.live.engine import Engine
from riskkit.replay.rules.rule import ACTIONS, rule_type
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import DecisionCode
from riskkit.rules import MaxOrderQty

PROBING = ("half_open", "probes", "probe_timeout_ns")
LADDER = tuple(action for action in ACTIONS if action not in ("ALERT", "QUEUE"))


def refused(given, action) -> list[int]:
    """Numbers of the events that a scenario's only rule refuses with an action."""
    rule = given["rules"][0]
    lasting = {name: value for name, value in rule["params"].items() if name not in PROBING}
    rules = [{**rule, "params": lasting, "action": action, "hold": "reset"}]
    decisions = run({**given, "mode": "shadow", "rules": rules}, "plain").decisions
    return [number for number, (decision, _) in sorted(decisions.items()) if decision == "REJECT"]


@pytest.mark.lengthy
@settings(max_examples=60)
@given(st.sampled_from(sorted(PARAMETERS.keys() - SURVEILLANCE - {"pace"})), st.integers(0, 10**6))
def test_a_stricter_action_stops_whatever_a_milder_one_stops_first(name, seed):
    """Without commands a trip lasts, so a halt stops all that a pause stops; what REJECT stops first, all stop."""
    given = scenario(seed, 40, types=[name], without=["cmd"], narrow=True)
    assume(given["rules"][0]["params"].get("of") != "cancels")  # which are never refused
    stopped = {action: refused(given, action) for action in LADDER}
    for action in LADDER[1:]:
        assert set(stopped["REJECT"][:1]) <= set(stopped[action]), action
    assert set(stopped["REDUCE_ONLY"]) == set(stopped["PAUSE"]) <= set(stopped["HALT"])


@pytest.mark.parametrize("action", LADDER)
def test_the_order_that_breaches_is_refused(action):
    log = random_log(3, 60)
    rules = RuleSet([Rule("size", MaxOrderQty(limit=3), action=action)])
    result = replay_log(log, rules, compiled=False)
    first = next(row for row in result.rows if row["code"] == DecisionCode.OBJECT)
    large = (log.columns["kind"] <= 1) & (log.columns["qty"] > 3)
    assert first["seq"] == large.argmax()
    trips = [int(row["seq"]) for row in result.transitions() if row["code"] == DecisionCode.TRIP]
    assert trips[:1] == ([] if action == "REJECT" else [first["seq"]])
    live = Engine(rules, log.universe, compiled=False)
    live.feed(log)
    assert live.digest == result.digest


@pytest.mark.lengthy
@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 3), st.sampled_from([None, 0, 1, 3]))
def test_a_queue_never_stops_what_a_refusal_would_admit(seed, limit, max_queue):
    """With a queue no message is refused that a rate limit of the same numbers lets pass; without one they are the same."""
    given = scenario(seed, 60, types=["pace"], without=["order_list", "cmd"])
    common = {"id": "r", "scope": "account", "severity": "WARN"}
    numbers = {"limit": limit, "window_ns": 10}
    queue = {} if max_queue is None else {"max_queue": max_queue}
    ways = [
        {**common, "type": "order_rate", "action": "REJECT", "params": numbers},
        {**common, "type": "pace", "action": "QUEUE", "params": {**numbers, **queue}},
    ]
    stopped = []
    for rule in ways:
        found = run({**given, "mode": "shadow", "rules": [rule]}, "plain").decisions
        stopped.append({number for number, (decision, _) in found.items() if decision == "REJECT"})
    assert stopped[1] <= stopped[0] and (max_queue is not None or not stopped[1])
    assert max_queue != 0 or stopped[1] == stopped[0]


@pytest.mark.parametrize("name", sorted(PARAMETERS.keys() - {"pace"}))
def test_the_sentence_says_whether_the_breaching_message_is_refused(name):
    """A type that judges messages refuses the one that breaches; one that watches a state trips from the next event on."""
    kind = rule_type(name)
    samples = scenario(1, 1, types=[name])["rules"][0]["params"]
    for action in ("REDUCE_ONLY", "PAUSE", "HALT"):
        rule = kind(
            name, action=action, **{key: value for key, value in samples.items() if key in kind.parameters._fields}
        )
        said = "that would breach it are rejected" if rule.refuses else "After a breach, "
        assert said in str(rule)
        assert rule.refuses != TYPES[name].speaks_by_pausing
