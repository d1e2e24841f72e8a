"""The generic loop decides as the loop of a rule set: every rule of the catalogue, in every scope, alone and together."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from marks import needs_compiling
from proofs.test_overrides import LIMITED, with_limits_of_one_key
from random_scenarios import CONVERTING, PARAMETERS, in_currencies, rule, scenario, with_changes
from scenario_runner import history_of, live, log_of, run
from streams import random_log

from riskkit import EventLog, InputError, Rule, RuleSet, replay_log
from riskkit.replay.engine.compiler import _generic_run
from riskkit.replay.kernels.runtime import MAX_RULES
from riskkit.replay.live.engine import Engine
from riskkit.replay.log.tiny_log import tiny_log
from riskkit.replay.rules.rule import rule_type
from riskkit.replay.run.replay_log import Stage
from riskkit.rules import MaxOrderQty, VarLimit

pytestmark = [pytest.mark.xdist_group("generic"), needs_compiling]


def rules_of(seed: int, names: list[str]) -> RuleSet:
    draw = random.Random(seed)
    return RuleSet.from_dict({"rules": [rule(draw, name, place) for place, name in enumerate(names)]})


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_rule_alone_decides_as_in_plain_python(name):
    given = scenario(len(name), 60, types=[name])
    assert run(given, "generic") == run(given, "plain")


def test_rules_together_decide_as_in_plain_python():
    for seed in range(12):
        given = scenario(seed)
        assert run(given, "generic") == run(given, "plain"), seed


@pytest.mark.parametrize("name", CONVERTING)
def test_a_rule_converts_as_in_plain_python(name):
    given = in_currencies(len(name), [name])
    assert run(given, "generic") == run(given, "plain")


def test_rules_with_a_covariance_give_one_digest():
    """A limit of value at risk keeps floats of its own, and its function is called at the end of a bar."""
    gate = {"bar_ns": "10min", "warmup": 3, "decay": "0.9", "rebuild": 7}
    rules = RuleSet([Rule("var", VarLimit(limit="40", **gate)), Rule("size", MaxOrderQty(limit=4))])
    for mode in ("shadow", "enforce"):
        log = random_log(3, 200, opened=True, venue=True, actions=True)
        assert len({replay_log(log, rules, mode, compiled=way).digest for way in (False, "generic")}) == 1


@pytest.mark.parametrize("name", LIMITED)
def test_limits_of_single_keys_decide_as_in_plain_python(name):
    mixed, *_ = with_limits_of_one_key(name, 0)
    assert run(mixed, "generic") == run(mixed, "plain")


@pytest.mark.parametrize("seed", range(6))
def test_rules_that_change_decide_as_in_plain_python(seed):
    given = with_changes(scenario(seed, 60), seed)
    assert run(given, "generic") == run(given, "plain")
    log, numbers = log_of(given)
    history, mode = history_of(given, numbers), given["mode"]
    engine = live(log, history, mode, compiled="generic", orphans="keep")
    assert engine.loop.how == "generic loop"
    assert engine.digest == replay_log(log, history, mode, compiled=False, orphans="keep").digest


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_rule_in_each_of_its_scopes_decides_as_in_plain_python(name, long):
    """In one mode after the other; each scope in both in `make fuzz`."""
    given, modes = scenario(7, types=[name]), ("shadow", "enforce")
    for number, scope in enumerate(rule_type(name).scopes, len(name)):
        one = {**given["rules"][0], "scope": scope}
        if refused(one):  # a fraction of an equity, of which this scope has none
            continue
        for mode in modes if long else modes[number % 2 :][:1]:
            varied = {**given, "mode": mode, "rules": [one]}
            assert run(varied, "generic") == run(varied, "plain"), (scope, mode)


def refused(given: dict[str, Any]) -> bool:
    try:
        RuleSet.from_dict({"rules": [given]})
    except InputError:
        return True
    return False


@pytest.mark.parametrize("total_only", [True, False])
def test_samples_have_the_path_of_plain_python(total_only):
    log, rules = random_log(0, 200), RuleSet([Rule("size", MaxOrderQty(limit=4))])
    times = np.linspace(log.columns["ts"].min(), log.columns["ts"].max() + 1, 5).astype(np.int64)
    options = {"orphans": "clip", "on_trip": "leave", "sample_at": times, "total_only": total_only}
    ways = [Stage(log, rules, "enforce", compiled=way, **options).replay(rules) for way in (False, "generic")]
    assert ways[0].paths().tolist() == ways[1].paths().tolist() and ways[0].digest == ways[1].digest


@pytest.mark.lengthy
def test_all_rules_at_once_give_one_digest_in_chunks_and_live():
    names = [*PARAMETERS, *PARAMETERS][:MAX_RULES]
    log, rules = random_log(9, 150, venue=True, actions=True), rules_of(3, names)
    digest = replay_log(log, rules, "enforce", compiled=False).digest
    assert replay_log(log, rules, "enforce", compiled="generic", chunk=7).digest == digest
    live = Engine(rules, log.universe, "enforce", compiled="generic")
    live.feed(log)
    assert live.digest == digest


def test_one_machine_code_serves_every_rule_set_and_every_log(tmp_path):
    log = random_log(2, 60)
    log.save(tmp_path / "mapped")
    log.to_parquet(tmp_path / "log.parquet")
    stored = EventLog.open(tmp_path / "mapped"), EventLog.from_parquet(tmp_path / "log.parquet")
    for one in (log, *stored, tiny_log([5, 2], marks=8)):
        for mode in ("shadow", "enforce"):
            result = replay_log(one, RuleSet([Rule("size", MaxOrderQty(limit=4))]), mode, compiled="generic")
            assert result.how == "generic loop"
    assert len(_generic_run().signatures) == 1
