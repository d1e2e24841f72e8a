"""Other rules for a running engine: the same journal and books go on under them.

Changed numbers are other arguments of the same loop. A rule that is added or removed makes another loop, on the same state.
Where a new rule needs books that were not kept so far, they are found by a replay of the journal.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from riskkit.replay.engine.in_force import TRACKED
from riskkit.replay.engine.rule_memory import change_rules
from riskkit.replay.engine.state import rule_table
from riskkit.replay.rules.currencies import refuse_live_currencies
from riskkit.replay.rules.history import RuleHistory, Stretch

if TYPE_CHECKING:
    from riskkit.replay.live.engine import Engine

COUNTED = frozenset({"working", "volume", "opening", "covariance", "credit"})  # kept from the first event on


def with_history(engine: Engine, history: RuleHistory) -> Engine:
    """An engine that goes on under a history with one change more, at its next event; the given one is not used any more.

    Raises
    ------
    InputError
        If the rules do not fit the universe, or need books of events that are not in memory.
    """
    stretch = history.stretches[-1]
    refuse_live_currencies(stretch.rules, engine.universe)
    other = copy(engine)
    other.take_rules(history)
    if not engine.size or not _goes_on(engine, other):
        return engine.widened(engine.universe, history)
    state = engine.tables
    engine.since(engine.size)  # moves the rows of compiled steps to its blocks
    changed = [k for k, old in enumerate(engine.rules) if old != stretch.rules[k] or _switched(engine, stretch, k)]
    tables = [table.copy() if k in changed else table for k, table in enumerate(state.rules)]
    state = replace(state, rules=tables)
    for rule in list(stretch.rules)[len(tables) :]:
        positions = state.positions[: len(engine.journal.pairs) + 1]
        state.rules.append(rule_table(rule, engine.growth.padded(), positions))
    released = change_rules(state, engine.growth.padded(), history.stretches[-2], stretch)
    other.go_on(state, [*engine.blocks, released])
    return other


def _switched(engine: Engine, stretch: Stretch, k: int) -> bool:
    return (k in engine.history.stretches[-1].on) != (k in stretch.on)


def _goes_on(engine: Engine, other: Engine) -> bool:
    """True if the books that are kept are those that the other rules need."""
    kept, needed = engine.loop.shape, other.loop.shape
    added = list(other.rules)[len(engine.rules) :]
    return (
        all(getattr(kept, name) == getattr(needed, name) for name in (*TRACKED, "groups"))
        and {rule.zone() for rule in other.rules} <= engine.zones
        and not any(rule.kind.requires & COUNTED or rule.kind.shared_workspace or rule.currency for rule in added)
    )
