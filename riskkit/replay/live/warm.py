"""Compile the generic loop, and the step of a session by it, before anybody waits for them."""

from __future__ import annotations

import time

from riskkit._cache import cache_folder
from riskkit._jit import jit_is_off
from riskkit.replay.engine.compiler import generic_is_warm
from riskkit.replay.live.session import Session
from riskkit.replay.log.tiny_log import tiny_log
from riskkit.replay.rules.catalogue import MaxOrderQty
from riskkit.replay.rules.rule import Rule
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.run.replay_log import replay_log
from riskkit.replay.schema.universe import Instrument


def warm() -> str:
    """Compile the loop that holds every rule of the catalogue, unless it is kept already; a sentence says what was done."""
    if jit_is_off():
        return "NUMBA_DISABLE_JIT is set, so nothing is compiled and every replay is plain Python"
    if generic_is_warm():
        return f"the rules of the catalogue are compiled already, in {cache_folder()}"
    start = time.perf_counter()
    rules = RuleSet([Rule("size", MaxOrderQty(limit=4))])
    replay_log(tiny_log(), rules, compiled="generic")
    session = Session.create(rules, [Instrument("X")], ["A"], compiled="generic")
    for ts in range(3):  # the first events compile its step
        session.process_order(account="A", instrument="X", side="B", qty=1, price=1, ts=ts)
    return f"compiled the rules of the catalogue in {time.perf_counter() - start:.0f} s; kept in {cache_folder()}"
