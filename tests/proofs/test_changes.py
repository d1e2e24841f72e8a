"""Rules that change on the way: each event is judged by the rules in force at it, in every way of running."""

from __future__ import annotations

import pytest
from hypothesis import example, settings
from hypothesis import given as over
from hypothesis import strategies as st
from naive.replay import interpret
from random_scenarios import CONVERTING, PARAMETERS, in_currencies, scenario, with_changes
from scenario_runner import history_of, live, log_of, number_of, run, unroll

from riskkit import replay_log
from riskkit.replay.live.engine import Engine
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.run.replay_log import Stage


def agree(given):
    """Decision by decision as a twin that is told of the change, and the books at the end."""
    found, twin = run(given, "plain"), interpret(given)
    assert found.decisions == twin.decisions
    assert {label: found.states.get(label, "ACTIVE") for label in twin.accounts} == twin.states()
    for label, quantity in found.positions.items():
        assert number_of(quantity) == twin.position(*label.split("|"))


SLOW = pytest.mark.slow


@pytest.mark.lengthy
@pytest.mark.parametrize("first", [0, *(pytest.param(first, marks=SLOW) for first in range(5, 40, 5))])
def test_rules_in_force_decide_as_the_naive_interpreter(first):
    for seed in range(first, first + 5):
        agree(with_changes(scenario(seed, 60), seed))


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERS)
def test_a_rule_that_changes_decides_as_the_naive_interpreter(name):
    agree(with_changes(scenario(1000 + len(name), types=[name]), 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", CONVERTING)
def test_a_rule_that_converts_and_changes_decides_as_the_naive_interpreter(name):
    agree(with_changes(in_currencies(1000 + len(name), [name]), 2))


@pytest.mark.lengthy
@over(st.integers(0, 10**6), st.integers(1, 70))
def test_a_change_does_not_depend_on_chunks_nor_on_being_written_down(seed, chunk):
    given = with_changes(scenario(seed, 40, types=["order_rate", "drawdown", "position_limit"]), seed, often=2)
    log, numbers = log_of(given)
    history = history_of(given, numbers)
    whole = replay_log(log, history, given["mode"], compiled=False)
    assert replay_log(log, history, given["mode"], compiled=False, chunk=chunk).digest == whole.digest
    again = RuleHistory.from_dict(history.to_dict())
    assert replay_log(log, again, given["mode"], compiled=False).digest == whole.digest


@pytest.mark.lengthy
@over(st.integers(0, 10**6))
@settings(max_examples=8)
@example(248366)  # a change of which the replay needs other books
@example(0)  # a rule of pairs that comes before new pairs do
def test_a_running_engine_goes_on_as_a_replay_of_its_journal(seed):
    types = ["order_rate", "drawdown", "position_limit", "max_order_qty", "daily_loss", "mmp"]
    given = with_changes(scenario(seed, 60, types=types[seed % 4 :][:3]), seed)
    log, numbers = log_of(given)
    history, mode = history_of(given, numbers), given["mode"]
    engine = live(log, history, mode)
    assert engine.digest == replay_log(log, history, mode, compiled=False).digest
    again = Engine.restore(engine.snapshot(), history.first, compiled=False)
    assert again.history == history
    assert again.digest == engine.digest


@pytest.mark.lengthy
@over(st.integers(0, 10**6))
def test_before_the_first_change_the_first_rules_decide_and_the_digest_knows_the_author(seed):
    given = with_changes(scenario(seed, 40, types=["order_rate"]), seed, often=1)
    log, numbers = log_of(given)
    history = history_of(given, numbers)
    ways = {"sample_ns": None, "orphans": "clip", "on_trip": "leave", "compiled": False}
    changed, plain = (Stage(log, rules, given["mode"], **ways).replay(rules) for rules in (history, history.first))
    start = history.changes[0].seq
    common = ["seq", "mask", "observed", "limit", "until", "cause", "code"]
    before = [result.rows[result.rows["seq"] < start][common].tolist() for result in (changed, plain)]
    assert before[0] == before[1]
    other = RuleHistory(history.first, [history.changes[0]._replace(who="Bob")])
    assert Stage(log, other, given["mode"], **ways).replay(other).digest != changed.digest


def test_a_change_by_its_time_is_that_at_the_first_event_of_the_time():
    given = with_changes(scenario(7, 40, types=["order_rate", "max_order_qty"]), 7, often=2)
    log, numbers = log_of(given)
    by_number = history_of(given, numbers)
    times = [change.ts for change in by_number.changes]
    first = [min(row for row, number in enumerate(numbers) if unroll(given)[number - 1]["ts"] >= ts) for ts in times]
    by_time, placed = (
        RuleHistory(
            by_number.first,
            [change._replace(seq=seq) for change, seq in zip(by_number.changes, seqs, strict=True)],
        )
        for seqs in ([None] * len(first), first)
    )
    one, two = (replay_log(log, history, compiled=False) for history in (by_time, placed))
    assert one.digest == two.digest
    assert [change.seq for change in one.history.changes] == first
