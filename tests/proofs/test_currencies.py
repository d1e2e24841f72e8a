"""Limits that name their currency: as the naive interpreter converts, in every way of running and from every door."""

from __future__ import annotations

import numpy as np
import pytest
from marks import needs_compiling
from naive.replay import interpret
from random_scenarios import CONVERTING, in_currencies
from scenario_runner import log_of, number_of, run
from streams import random_log, whole_lists, with_every_column

from riskkit import EventLog, Rule, RuleSet
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.specialise import specialise
from riskkit.replay.live.engine import Engine
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.columns import EventKind
from riskkit.rules import (
    DailyLoss,
    DrawdownLimit,
    Leverage,
    MaxExposure,
    MaxOrderNotional,
    MinOrderNotional,
    PositionLimit,
    VolumeCap,
)


def agree(given):
    """Decision by decision, and the books at the end; one event at a time too."""
    found, twin = run(given, "plain"), interpret(given)
    assert found.decisions == twin.decisions
    assert {label: found.states.get(label, "ACTIVE") for label in twin.accounts} == twin.states()
    for label, quantity in found.positions.items():
        assert number_of(quantity) == twin.position(*label.split("|"))
    return found


@pytest.mark.lengthy
@pytest.mark.parametrize("name", CONVERTING)
def test_a_rule_converts_as_the_naive_interpreter(name):
    for seed in range(4):
        given = in_currencies(1000 * seed + len(name), [name])
        found = agree(given)
        if seed == 0:
            assert run(given, "live") == found


@pytest.mark.lengthy
@pytest.mark.parametrize("first", range(0, 8, 4))
def test_rules_together_convert_as_the_naive_interpreter(first):
    for seed in range(first, first + 4):
        agree(
            in_currencies(seed, [CONVERTING[seed % len(CONVERTING)], "max_exposure", "daily_loss", "max_order_qty"][:3])
        )


# ---------------------------------------------------------------------- every way of running

RULES = RuleSet(
    [
        Rule("net", MaxExposure(limit=900, measure="net"), scope="desk", currency="EUR", max_age_ns=50),
        Rule("day", DailyLoss(limit=30), currency="USD"),
        Rule("size", PositionLimit(notional=700), currency="JPY"),
    ]
)


def rated_log(seed, events=150):
    log, _ = log_of(in_currencies(seed, ["max_exposure"], events))
    return log


@pytest.mark.lengthy
@pytest.mark.xdist_group("generic")
@needs_compiling
def test_every_way_of_running_gives_one_digest():
    log = with_every_column(rated_log(1, 250))
    digest = replay_log(log, RULES, "enforce", compiled=False).digest
    assert replay_log(log, RULES, "enforce", compiled="generic").digest == digest, "compiled"
    assert replay_log(log, RULES, "enforce", compiled="generic", chunk=7).digest == digest, "in chunks"
    stop = whole_lists(log, 100)
    live = Engine(RULES, log.universe, "enforce", compiled=False)
    live.feed(log, 0, stop)
    live = Engine.restore(live.snapshot(), RULES, compiled=False)
    live.feed(log, stop)
    assert live.digest == digest, "one at a time, snapshot and restore"


def test_stored_logs_keep_their_rates(tmp_path):
    log = rated_log(4)
    digest = replay_log(log, RULES, compiled=False).digest
    log.to_parquet(tmp_path / "log.parquet")
    log.save(tmp_path / "log")
    for stored in (EventLog.from_parquet(tmp_path / "log.parquet"), EventLog.open(tmp_path / "log", check=True)):
        assert replay_log(stored, RULES, compiled=False).digest == digest


@pytest.mark.lengthy
def test_a_limit_in_the_only_currency_decides_as_one_that_names_none():
    kinds = {"gross": MaxExposure(limit=900), "lever": Leverage(limit="0.3"), "size": MaxOrderNotional(limit=200)}
    kinds |= {
        "day": DailyLoss(limit=9),
        "fall": DrawdownLimit(money=9, pct="0.02"),
        "least": MinOrderNotional(limit=100),
    }
    kinds |= {"volume": VolumeCap(notional=3_000), "held": PositionLimit(notional=400)}
    for seed, scope in enumerate(("account", "desk", "firm", "global")):
        log = random_log(seed, 200, opened=seed % 2 == 0, venue=True, actions=True)
        columns = {**log.columns, "kind": np.where(log.columns["kind"] == EventKind.EQUITY, 11, log.columns["kind"])}
        columns["kind"] = columns["kind"].astype(np.int8)
        log = EventLog(columns, log.pair_account, log.pair_instrument, log.universe)
        named, plain = (
            replay_log(
                log, RuleSet([Rule(id, one, scope=scope, **more) for id, one in kinds.items()]), compiled=False
            ).rows
            for more in ({"currency": "USD"}, {})
        )
        for name in ("seq", "mask", "observed", "limit", "key", "cause", "code"):
            assert (named[name] == plain[name]).all(), (scope, name)


def test_a_log_without_rates_has_the_loop_that_it_had():
    log = random_log(3, 60)
    plain = RuleSet([Rule("gross", MaxExposure(limit=9)), Rule("day", DailyLoss(limit=9))])
    shape = shape_of(plain, log.columns, enforce=True, sampled=False, cancels=False, opened=False)
    text = specialise(shape).text
    assert not any(word in text for word in ("exchange", "gather", "find_way", "conversions", "totals", "by_currency"))
