"""What rules remember across a change: kept, begun anew with the present book, or released."""

from __future__ import annotations

import numpy as np

from riskkit.replay.engine.converted import converted_books
from riskkit.replay.engine.state import (
    State,
    begin_records,
    give_versions,
    open_positions,
    owners_of,
    words_per_key,
    workspace_of,
)
from riskkit.replay.kernels.runtime import ROW
from riskkit.replay.kernels.workspace import joined
from riskkit.replay.rules.history import Stretch
from riskkit.replay.rules.money import gathers
from riskkit.replay.rules.retuned import keeps_state
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import DecisionCode
from riskkit.replay.schema.scopes import owners
from riskkit.replay.schema.universe import Universe


def change_rules(state: State, universe: Universe, before: Stretch, after: Stretch) -> np.ndarray:
    """Carry the state of rules over a change; return the RELEASE rows of pauses that end with their rule."""
    released = []
    for k, rule in enumerate(after.rules):
        old = before.rules[k]
        if rule.overrides != old.overrides:
            table = state.rules[k]
            table["version"] = 0
            known = state.positions[: 1 + np.count_nonzero(state.positions["account"][1:] >= 0)]
            keys = min(len(owners(rule.scope, universe, known)), len(table) - 1)
            give_versions(rule, table, universe, known[1:], range(keys))
        if k in before.on and k in after.on and (old == rule or carry_on(state, k, old, rule, universe)):
            if old.can_pause and not rule.can_pause:
                released.append(_release(state.rules[k], k, after))
            continue
        if k in before.on:
            released.append(_release(state.rules[k], k, after))
        if k in after.on:
            begin_anew(state, k, rule, universe)
    return np.concatenate(released) if released else np.zeros(0, ROW)


def _release(table: np.ndarray, number: int, change: Stretch) -> np.ndarray:
    """End the pauses of a rule."""
    keys = np.flatnonzero(table["held_until"][1:] > change.ts)
    table["held_until"] = 0
    rows = np.zeros(len(keys), ROW)
    rows["seq"], rows["mask"], rows["until"], rows["key"] = change.start, 1 << number, change.ts, keys
    rows["cause"], rows["code"] = number, int(DecisionCode.RELEASE)
    return rows


def carry_on(state: State, k: int, before: Rule, rule: Rule, universe: Universe) -> bool:
    """Let rule `k` go on as another version; return False, and change nothing, if it cannot keep what it remembers."""
    table = state.rules[k][1:]
    if not callable(rule.kind.workspace_size):  # as many words, whatever the limits are
        return keeps_state(before, rule)
    one, two = before.to_integers(universe), rule.to_integers(universe)
    size = words_per_key(rule, two, len(table))
    if not keeps_state(before, rule):
        return False
    if words_per_key(before, one, len(table)) == size:
        return True
    if rule.kind.resize is None:
        return False
    words = rule.kind.resize(table, one, two, state.memory)
    table["memory"] = len(state.memory) + size * np.arange(len(table))
    state.memory = joined([state.memory, words.reshape(-1)])
    return True


def begin_anew(state: State, k: int, rule: Rule, universe: Universe) -> None:
    """Start rule `k` with the present book, and without anything that it remembers.

    A covariance is of the market, credit is reserved whatever the rules are: they go on.
    """
    table, integers = state.rules[k], rule.to_integers(universe)
    table["held_until"] = table["trips"] = 0
    if rule.kind.requires & {"covariance", "credit"}:
        return
    for name in rule.kind.state:
        if name != "memory":
            table[name] = 0
    state.memory = joined([state.memory, workspace_of(rule, integers, universe, table, len(state.memory))])
    if gathers(rule):
        holders = converted_books(rule, len(table) - 1, state, universe)
    else:
        holders = owners_of(rule, state.accounts, state.groups)
    begin_records(rule, integers, table, state, holders)
    open_positions(rule, table, state.positions, state.accounts, state.instruments, state.orders)
