"""Which loop "auto" takes: plain Python for what is small, and no compiler before it pays."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streams import random_log

from riskkit import Rule, RuleSet, replay_log, sweep
from riskkit.replay.engine import tiers
from riskkit.replay.engine.tiers import REVALUED, next_tier, revaluations, tier_of
from riskkit.replay.rules.custom import Count, Verdict, custom
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import MaxOrderQty, PositionLimit

RULES = RuleSet([Rule("size", MaxOrderQty(limit=4)), Rule("position", PositionLimit(limit=9))])
SMALL, MEDIUM, LARGE = 1_000, 200_000, 10**9


@pytest.fixture
def machine(monkeypatch):
    """A machine with compiled loops as given, none of them made."""
    there = SimpleNamespace(own=False, generic=False, off=False)
    monkeypatch.setattr(tiers, "is_compiled", lambda rules, shape, on_disk: there.own)
    monkeypatch.setattr(tiers, "generic_is_warm", lambda: there.generic)
    monkeypatch.setattr(tiers, "jit_is_off", lambda: there.off)
    return there


@pytest.mark.parametrize(("own", "generic", "events", "expected"), [
    (False, False, SMALL, False), (False, True, SMALL, False), (True, False, SMALL, True),
    (False, False, MEDIUM, True), (False, True, MEDIUM, "background"), (True, True, MEDIUM, True), (False, True, LARGE, "background"),
])  # fmt: skip
def test_auto_takes_what_answers_first(machine, own, generic, events, expected):
    machine.own, machine.generic = own, generic
    assert tier_of("auto", RuleHistory(RULES), None, events) == expected


def test_positions_that_prices_value_anew_take_their_share_of_events():
    """Ten accounts that hold an instrument are valued at each of its prices."""
    rows = [(EventKind.FILL, account) for account in range(10)] + [(EventKind.PRICE, -1)] * 100
    kind, account = np.array([kind for kind, _ in rows], np.int8), np.array([of for _, of in rows], np.int32)
    columns = {"kind": kind, "account": account, "instrument": np.zeros(len(rows), np.int32)}
    log = SimpleNamespace(
        columns=columns, pair_instrument=np.zeros(10, np.int32), universe=SimpleNamespace(instruments=[0])
    )
    assert revaluations(log) == 1_000 // REVALUED


def test_a_loop_that_is_asked_for_is_taken(machine):
    ways = [True, False, "generic", "background"]
    assert [tier_of(way, RuleHistory(RULES), None, SMALL) for way in ways] == ways
    machine.off = True
    assert [tier_of(way, RuleHistory(RULES), None, SMALL) for way in (True, "auto", "generic", "background")] == [
        False
    ] * 4


def test_a_rule_of_ones_own_is_plain_at_once_and_never_in_the_generic_loop(machine):
    from typing import NamedTuple

    class Parameters(NamedTuple):
        limit: Count

    def check(params, event):
        return Verdict(1 if event.qty > params.limit else 0, event.qty, params.limit)

    own = RuleSet([custom("of_ones_own", Parameters, check=check)(limit=3)])
    machine.generic = True
    for way in ("generic", "background"):
        assert tier_of(way, RuleHistory(own), None, MEDIUM) is True
    assert (
        tier_of("auto", RuleHistory(own), None, SMALL) is False
        and tier_of("auto", RuleHistory(own), None, MEDIUM) is True
    )


def test_a_small_log_is_replayed_in_plain_python_and_the_result_says_so():
    log = random_log(1, 40)
    found = replay_log(log, RULES)
    assert found.how == "plain Python" and found.digest == replay_log(log, RULES, compiled=False).digest


@pytest.fixture
def played(monkeypatch):
    """A process that has replayed nothing."""
    found = tiers.Counter()
    monkeypatch.setattr(tiers, "_played", found)
    monkeypatch.setattr(tiers, "functions_of", lambda rules, shape: ())
    return found


def test_what_comes_often_is_compiled_once_plain_python_has_taken_as_long(machine, played):
    """Two rules cost 36 µs an event and 5.8 s of the compiler: eight replays of 20,000 events."""
    ways = [next_tier("auto", RuleHistory(RULES), None, 20_000) for _ in range(12)]
    assert ways == [False] * 8 + [True] * 4
    assert next_tier("auto", RuleHistory(RULES), "another loop", 20_000) is False


def test_the_generic_loop_follows_plain_python_after_a_second(machine, played):
    machine.generic = True
    ways = [next_tier("auto", RuleHistory(RULES), None, 20_000) for _ in range(3)]
    assert ways == [False, "background", "background"]


def test_many_replays_that_are_known_to_come_are_compiled_at_once(machine, played):
    assert next_tier("auto", RuleHistory(RULES), None, 20_000, replays=9) is True
    assert next_tier("auto", RuleHistory(RULES), None, 20_000, replays=8) is False
    machine.generic = True
    ways = [next_tier("auto", RuleHistory(RULES), None, 20_000, replays=replays) for replays in (9, 2_000)]
    assert ways == ["background", True]  # 14 s of the generic loop, on all cores


def test_what_is_asked_for_does_not_count(machine, played):
    assert [next_tier(False, RuleHistory(RULES), None, LARGE) for _ in range(2)] == [False, False]
    assert next_tier("auto", RuleHistory(RULES), None, SMALL) is False


def test_a_sweep_of_a_small_log_compiles_nothing_and_one_of_many_settings_does(monkeypatch):
    log, grid = random_log(1, 60), {"size.limit": [1, 2, 3]}
    monkeypatch.setattr(tiers, "_played", tiers.Counter())
    monkeypatch.setattr(tiers, "is_compiled", lambda rules, shape, on_disk: False)
    found = sweep(log, RULES, grid, digests=True)
    assert sum(tiers._played.values()) >= 3 * len(log)  # each in plain Python, and the record
    seen = []
    monkeypatch.setattr(tiers, "tier_of", lambda compiled, history, shape, events: seen.append(events) or False)
    pd.testing.assert_frame_equal(sweep(log, RULES, grid, digests=True).frame, found.frame)
    assert max(seen) >= 3 * len(log)
