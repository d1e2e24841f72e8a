"""Limits of single keys: each key is judged as by a rule of its own with these limits, and the others as without."""

from __future__ import annotations

import random

import pytest
from random_scenarios import PARAMETERS, rule, scenario
from scenario_runner import log_of, rules_of, run

from riskkit.replay.rules.rule import rule_type
from riskkit.replay.schema.scopes import event_label

OFTEN = ("position_limit", "max_order_qty", "duplicate", "max_exposure", "volume_cap")  # the limits of these bind soon
LIMITED = sorted(name for name in PARAMETERS if rule_type(name).limits and name != "breaker")


def other_limits(draw: random.Random, one: dict) -> dict:
    """The limits of another rule of the type, of those that this one has."""
    while True:
        params = PARAMETERS[one["type"]](draw)
        found = {
            name: params[name] for name in rule_type(one["type"]).limits if name in one["params"] and name in params
        }
        if found and found != {name: one["params"][name] for name in found}:
            return found


def with_limits_of_one_key(name: str, seed: int) -> tuple[dict, dict, dict, dict[int, str], str]:
    """A scenario with a rule of a type and limits of one key of it; with those for all; without; each event's key; this key."""
    draw = random.Random(1000 + seed)
    given = {**scenario(seed, 50, types=[name]), "mode": "shadow"}
    one = given["rules"][0]
    while one["scope"] == "global" or (name == "order_rate" and one["params"]["window"] == "sliding"):
        one = rule(draw, name, 0)
    one |= {"action": "PAUSE"} if one["action"] == "ALERT" else {}
    limits = other_limits(draw, one)
    log, numbers = log_of({**given, "rules": [one]})
    own, others = ({**given, "rules": [one | {"params": one["params"] | new}]} for new in (limits, {}))
    labels = {}
    for seq, number in enumerate(numbers):
        event = {column: int(log.columns[column][seq]) for column in ("account", "instrument")}
        tags = {name: log.columns.get(name) for name in ("strategy", "connection")}
        event |= {name: -1 if column is None else int(column[seq]) for name, column in tags.items()}
        labels[number] = event_label(rules_of(given | {"rules": [one]})[0].scope, log.universe, event)
    chosen = draw.choice(sorted({label for label in labels.values() if label}))
    return {**given, "rules": [one | {"overrides": {chosen: limits}}]}, own, others, labels, chosen


@pytest.mark.slow
@pytest.mark.parametrize("name", LIMITED)
def test_a_key_with_limits_of_its_own_is_judged_as_by_a_rule_of_its_own(name, long):
    compared = 0
    for seed in range(2 if long or name in OFTEN else 1):
        mixed, own, others, labels, chosen = with_limits_of_one_key(name, seed)
        by_own, by_others, found = (run(each, "plain").decisions for each in (own, others, mixed))
        named = {number for number in found if mixed["events"][number - 1]["kind"] == "order"}
        assert {n: found[n] for n in named} == {n: (by_own if labels[n] == chosen else by_others)[n] for n in named}
        compared += by_own != by_others
    assert compared or name not in OFTEN
