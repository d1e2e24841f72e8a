"""The loop that another process compiles: its types are those of the replay, and it follows the generic loop at any event."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from marks import needs_compiling
from random_scenarios import CONVERTING, PARAMETERS, in_currencies, scenario
from scenario_runner import staged
from streams import random_log

from riskkit import Rule, RuleSet, replay_log
from riskkit.replay.engine import background
from riskkit.replay.engine.compiler import is_compiled
from riskkit.replay.engine.shape import arguments
from riskkit.replay.kernels.runtime import ROW
from riskkit.rules import MaxOrderQty, PositionLimit

RULES = RuleSet([Rule("size", MaxOrderQty(limit=4)), Rule("position", PositionLimit(limit=9))])
THEN = "generic loop, then loop of these rules"


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """A process that has replayed nothing yet, and for which 20 events are many."""
    monkeypatch.setattr(background, "LONG", 20)
    monkeypatch.setattr(background, "_begun", {})
    monkeypatch.setattr(background, "_replayed", background.Counter())


CASES = [(name, lambda name=name: scenario(len(name), 30, types=[name])) for name in PARAMETERS]
CASES += [(f"{name} in currencies", lambda name=name: in_currencies(len(name), [name])) for name in CONVERTING]


@pytest.mark.parametrize("made", [made for _, made in CASES], ids=[name for name, _ in CASES])
def test_the_other_process_compiles_for_the_types_of_the_replay(made, long):
    for mode in ("shadow", "enforce") if long else ("enforce",):
        stage, history, _ = staged({**made(), "mode": mode})
        run, rules = stage._begin(history), history.every
        part = run.parts[0]
        described = background.description(rules, part.loop.shape, {**run.columns, **run.state.arrays(), **part.fixed})
        loop, values = background.loop_of(json.loads(json.dumps(described)))
        assert loop.shape == part.loop.shape
        part.loop.compiled = True  # columns of a mapped file get the type of any other
        real = part.loop.arguments(run.state, run.columns, part.fixed, np.zeros(4, ROW))
        names = arguments(loop.shape)[2:]
        assert [*map(numba.typeof, values[2:])] == [*map(numba.typeof, real)], names


@needs_compiling
@pytest.mark.xdist_group("generic")
def test_the_own_loop_follows_the_generic_one_between_two_events(monkeypatch):
    compiled = []

    def at_once(described):
        loop, values = background.loop_of(described)
        loop.run.compile(tuple(map(numba.typeof, values)))
        compiled.append(loop)
        return SimpleNamespace(poll=lambda: 0)

    monkeypatch.setattr(background, "begin", at_once)
    log = random_log(4, 60, venue=True)
    for mode in ("shadow", "enforce"):
        expected = replay_log(log, RULES, mode, compiled=False)
        for chunk in (1, 7, 50):
            background._begun.clear()
            background._replayed.clear()
            found = replay_log(log, RULES, mode, compiled="background", chunk=chunk)
            assert (found.digest, found.how) == (expected.digest, THEN)
            assert found.state.arrays().keys() == expected.state.arrays().keys()
    assert len({loop.signatures for loop in compiled}) == 1


@needs_compiling
@pytest.mark.slow
@pytest.mark.xdist_group("generic")
def test_another_process_compiles_what_this_one_loads():
    log = random_log(5, 60)
    rules = RuleSet([Rule("size", MaxOrderQty(limit=4)), Rule("second", MaxOrderQty(limit=6))])
    first = replay_log(log, rules, "enforce", compiled="background", chunk=10)
    [(key, other)] = background._begun.items()
    assert other.wait(300) == 0 and is_compiled(rules, key[0], on_disk=True)
    second = replay_log(log, rules, "enforce", compiled="background", chunk=10)
    assert second.how == THEN and len({first.digest, second.digest}) == 1
    assert replay_log(log, rules, "enforce", compiled="auto").how == "loop of these rules"


@pytest.mark.parametrize("reason", ["fails", "cannot begin"])
@needs_compiling
@pytest.mark.xdist_group("generic")
def test_without_another_process_the_generic_loop_goes_on(monkeypatch, reason):
    begun = []

    class Process:
        def __init__(self, *_, **__):
            begun.append(self)
            if reason == "cannot begin":
                raise OSError("no more processes")
            self.stdin = open(background.os.devnull, "wb")

        def poll(self):
            return 1

    rules = RuleSet([Rule("first", MaxOrderQty(limit=3)), Rule("again", MaxOrderQty(limit=5)), *RULES])
    monkeypatch.setattr(background.subprocess, "Popen", Process)
    log = random_log(6, 60)
    found = replay_log(log, rules, "enforce", compiled="background", chunk=10)
    assert found.how == "generic loop" and len(begun) == 1
    assert found.digest == replay_log(log, rules, "enforce", compiled=False).digest
