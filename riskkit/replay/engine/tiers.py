"""Which loop runs a rule set: plain Python, the generic loop of the catalogue, or the loop compiled for it alone.

All give the same result. Plain Python needs no compiler; the generic loop is compiled once for an installed version
(``python -m riskkit warm``) and serves every set of catalogue rules; a rule set's own loop is the fastest, and costs
seconds of compilation, for which another process is begun while the generic loop replays a long log.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from riskkit._check import one_of
from riskkit._jit import jit_is_off
from riskkit.replay.engine.compiler import Functions, Tier, functions_of, generic_is_warm, is_compiled
from riskkit.replay.engine.generic import is_generic
from riskkit.replay.engine.shape import Shape
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.schema.columns import EventKind

CHOICES: Any = (True, False, "auto", "generic", "background")
PLAIN_EVENT, PLAIN_RULE = 25e-6, 4e-6  # seconds of an event, and of a rule at an event, in plain Python on a laptop
REVALUED = 28  # positions that are valued anew in the time of an event, if half of them were there at a price
AT_ONCE = 1.0  # seconds that plain Python may take without a look for compiled loops, which take as long to load
GENERIC_EVENT = 0.35e-6  # seconds of an event in the generic loop
COMPILE, COMPILE_RULE = 3.0, 1.4  # seconds of the compiler, and for each rule

_played: Counter[tuple[Shape, Functions]] = Counter()  # events in plain Python in this process, by loop


def revaluations(log: EventLog) -> int:
    """Number of events that take as long as it takes to value positions anew at the prices of a log."""
    prices = log.columns["instrument"][log.columns["kind"] == EventKind.PRICE]
    count = len(log.universe.instruments)
    return int(np.bincount(prices, minlength=count) @ np.bincount(log.pair_instrument, minlength=count)) // REVALUED


def tier_of(compiled: Tier, history: RuleHistory, shape: Shape, events: int) -> Tier:
    """The loop to use for a number of events: True, False, "generic" or "background"; the one asked for, unless "auto" is.

    `shape` is that of the last rules.
    """
    one_of(compiled, CHOICES, "compiled")
    if jit_is_off():
        return False
    rules = history.every
    generic = all(is_generic(rule.kind) for rule in rules)
    if compiled != "auto":
        return compiled if generic or isinstance(compiled, bool) else True
    plain = events * (PLAIN_EVENT + PLAIN_RULE * len(rules))
    if is_compiled(rules, shape, on_disk=plain > AT_ONCE):
        return True
    if plain <= AT_ONCE:
        return False
    if generic and generic_is_warm():
        return "background"
    return plain > COMPILE + COMPILE_RULE * len(rules)


def next_tier(compiled: Tier, history: RuleHistory, shape: Shape, events: int, *, replays: int = 1) -> Tier:
    """As `tier_of`, for one replay of so many that are known to come, or came before in this process.

    What comes often is compiled once plain Python has taken as long for all of it, so that nobody waits more than twice as long as need be.
    """
    if compiled != "auto":
        return tier_of(compiled, history, shape, events)
    loop = shape, functions_of(history.every, shape)
    tier = tier_of("auto", history, shape, max(_played[loop] + events, replays * events))
    if tier is False:
        _played[loop] += events
    elif tier == "background" and replays > 1:  # on all cores, which leave none to another process
        return replays * events * GENERIC_EVENT > COMPILE + COMPILE_RULE * len(history.every) or tier
    return tier
