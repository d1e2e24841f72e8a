"""Orders that wait for a trade at a stop: as the naive interpreter decides, in every way, and in no loop without them."""

from __future__ import annotations

import pytest
from proofs.test_scenarios import agree
from random_scenarios import PARAMETERS, scenario, with_stops
from rows import load
from scenario_runner import run
from streams import random_log

from riskkit import Rule, RuleSet, replay_log
from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.order_columns import assign_slots
from riskkit.replay.engine.specialise import specialise
from riskkit.rules import PositionLimit, SelfTradePrevention

LOOKING = sorted(
    {"self_trade", "self_match", "price_collar", "cash", "layering", "spoofing", "duplicate", "max_order_notional"}
)
SELF, SIZE = RuleSet([Rule("self", SelfTradePrevention())]), Rule("size", PositionLimit(limit=5))


@pytest.mark.parametrize("name", LOOKING)
def test_a_rule_alone_decides_as_the_naive_interpreter(name, long):
    others = sorted(PARAMETERS)
    for seed in range(40 if long else 1):
        agree(with_stops(scenario(1000 * seed + len(name), types=[name, others[seed % len(others)]][: 1 + long]), seed))


@pytest.mark.parametrize("name", LOOKING)
def test_rules_that_look_at_prices_decide_live_as_in_a_replay(name):
    given = with_stops(scenario(len(name), types=[name, "order_rate"]), 5)
    assert run(given, "live") == run(given, "plain")


def test_an_order_of_a_list_that_waits_meets_nobody():
    stop = {"kind": "order", "ts": 2, "account": "A", "instrument": "X", "qty": 1, "batch": "l"}
    log = load(
        {**stop, "side": "B", "type": "stop", "stop": 110},
        {**stop, "side": "S", "price": 100},
    )
    assert len(replay_log(log, SELF, compiled=False).rejections()) == 0


def test_an_order_that_waits_keeps_its_record_where_no_rule_looks_at_working_orders():
    order = {"kind": "order", "account": "A", "instrument": "X", "side": "B", "qty": 1}
    stops = [{**order, "ts": ts, "type": "stop", "stop": 110, "order_id": f"o{ts}"} for ts in range(3)]
    log, rules = load(*stops, {"kind": "price", "ts": 9, "instrument": "X", "price": 110}), RuleSet([SIZE])
    slots, records = assign_slots(
        log.columns, shape_of(rules, log.columns, enforce=False, sampled=False, cancels=False, opened=False)
    )
    assert slots.tolist() == [0, 1, 2, -1] and records == 3
    assert len(replay_log(log, rules, compiled=False).rows) == 0  # a record of two orders would be a chain without end


def test_a_loop_without_stops_has_nothing_of_them():
    rules = RuleSet([*SELF, SIZE])
    columns = random_log(3, 60).columns
    options = {"enforce": True, "sampled": True, "cancels": True, "opened": True}
    with_them = specialise(shape_of(rules, columns, **options)).text
    without = specialise(shape_of(rules, {n: c for n, c in columns.items() if n != "stop"}, **options)).text
    assert "link_stop" in with_them and "first_stop" in with_them
    assert "_stop" not in without and "waiting_price" not in without
