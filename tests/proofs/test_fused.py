"""The loop compiled for a rule set decides as plain Python does: few loops that hold what those of all scenarios hold.

Compiling costs many seconds a loop, by the length of its text. So rules of types whose events are alike share a random scenario,
and only what is in none of these is taken from the scenario files. A test adds up what is in the loops: statements of the
template, types, hooks, actions, scopes and books. The files' own loops are compiled in `make fuzz`, a few of them always: what they
alone hold runs compiled in the catalogue's loop, and in these loops as plain Python (test_scenarios.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from marks import needs_compiling
from proofs.test_proof import RULES
from random_scenarios import KINDS, PARAMETERS, scenario
from scenario_runner import differences, outcome_of, read, run, staged
from streams import random_log

from riskkit.replay.engine.compiler import shape_of
from riskkit.replay.engine.shape import Shape
from riskkit.replay.engine.specialise import specialise

FILES = Path(__file__).parents[1] / "scenarios"
TOGETHER = {
    "locks": (2, "cooldown consecutive_losses dd_trades dd_equity low_profit stoploss_guard", "order closed_trade"),
    "changes": (3, "reserve_price duplicate cash", "order modify fill"),
    "orders": (
        2,
        "max_order_qty min_order_qty min_order_notional max_order_notional lot_tick known_instrument price_collar "
        "price_band velocity luld market_breaker",
        "order price close",
    ),
    "flow": (
        144,
        "layering spoofing cancel_burst quote_stuffing momentum_ignition",
        "order modify cancel fill price",
    ),
    "ratio": (0, "order_to_trade unexecuted_volume", "order modify cancel fill"),
    "positions": (
        9,
        "concentration leverage long_only reduce_only trading_state order_to_parent message_level "
        "repeat_exec_throttle consecutive_errors self_trade active_orders",
        "order fill price cancel order_error strategy_exec cmd",
    ),
}  # seed, types of rules, kinds of events
ALONE = (
    "ec01",
    "ns01",
    "mm04",
    "sm05",
    "sc01",
    "sm02",
    "fx03",
    "vg01",
    "sv01",
    "mg02",
    "mg04",
    "mm01",
    "kl01",
    "mk10",
    "tr01",
    "tr02",
    "pc04",
    "st05",
    "or03",
    "or05",
    "rc02",
    "rc04",
    "rc05",
    "ca01",
    "ca03",
    "ca05",
    "cs03",
    "cs04",
    "cr04",
    "cr05",
    "fx01",
    "sl04",
    "tr09",
    "pb05",
    "ca06",
    "ca07",
    "vs05",
    "mk14",
    "fx05",
)

ALWAYS = "vg01", "fx01", "mg04", "cr05", "ca03"  # floats, currencies, margin, credit, contract actions


def together(name: str) -> dict[str, Any]:
    seed, types, kinds = TOGETHER[name]
    return scenario(seed, 250, types=types.split(), without=KINDS.keys() - kinds.split())


def file(start: str) -> dict[str, Any]:
    return read(next(FILES.glob(f"{start}-*.json")))


@pytest.mark.slow
@needs_compiling
@pytest.mark.parametrize("name", TOGETHER)
def test_rules_in_one_loop_decide_as_in_plain_python(name):
    given = together(name)
    stage, history, numbers = staged(given)
    plain = stage.replay(history)
    assert run(given, "compiled") == outcome_of(given, plain, numbers, stage.columns.get("slots"))
    spoke = int(np.bitwise_or.reduce(plain.rows["mask"]))
    assert [rule.type for bit, rule in enumerate(plain.rules) if not spoke >> bit & 1] == [], "a rule that never acts"


@pytest.mark.slow
@needs_compiling
def test_a_file_comes_out_as_it_says_by_the_loop_of_its_rules(long):
    pytest.importorskip("exchange_calendars")
    for given in map(file, ALONE if long else ALWAYS):
        assert differences(given, run(given, "compiled")) == [], given["id"]


# ---------------------------------------------------------------------- nothing is left out


def held(shape: Shape, rules: Iterable[Any]) -> set[Any]:
    """What is in the text of a loop: statements by their line in the template, and facts of its rules."""
    lines = {node.lineno for node in ast.walk(specialise(shape).tree) if isinstance(node, ast.stmt)}
    facts = {fact for rule in rules for fact in (("type", rule.type), ("action", rule.action), ("scope", rule.scope))}
    for one in shape.rules:
        facts |= {name for name, value in one._asdict().items() if value is True}
        facts.add(one.group)
        for name in ("reads", "hooks", "checks_on", "updates_on", "alerts_on"):
            facts |= {(name, value) for value in getattr(one, name) or ()}
    return lines | facts


def held_by(given: dict[str, Any]) -> set[Any]:
    stage, history, _ = staged(given)
    return held(stage.shape, history.first)


@pytest.mark.slow
def test_the_loops_hold_all_that_those_of_the_files_hold_and_every_rule_type():
    pytest.importorskip("exchange_calendars")
    log = random_log(3, 120, venue=True)
    options = {"sampled": False, "cancels": False, "opened": False}
    found = set()
    for enforce in (False, True):  # of test_proof.py
        found |= held(shape_of(RULES, log.columns, enforce=enforce, **options), RULES)
    found = found.union(*(held_by(together(name)) for name in TOGETHER), *map(held_by, map(file, ALONE)))
    assert {("type", name) for name in PARAMETERS} - found == set()
    for path in sorted(FILES.glob("*.json")):
        assert held_by(read(path)) - found == set(), path.stem
