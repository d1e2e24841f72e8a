"""State of each account in a word: may it trade, only reduce, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from riskkit.replay.engine.state import State
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.schema.columns import TradingCommand
from riskkit.replay.schema.scopes import SCOPES, key_of
from riskkit.replay.schema.universe import Universe

BY_COMMAND = {0: set[str](), 1: {"paused"}, 2: {"halted"}}  # by `paused` of an account


def states_of(universe: Universe, history: RuleHistory, state: State, now: int) -> dict[str, str]:
    """ACTIVE, REDUCING, HALTED or PAUSED, by account, at a time; see `ReplayResult.states`."""
    word = words_of(history, state, now)
    return {account.id: word(code) for code, account in enumerate(universe.accounts)}


def words_of(history: RuleHistory, state: Any, now: int) -> Callable[[int], str]:
    """The state of an account by its code; `state` has ``accounts`` and ``rules``, tables of records by row."""
    last = history.stretches[-1]
    gated = any(rule.type == "trading_state" for rule in history.now)
    pausing = [
        (rule, table)
        for number, (rule, table) in enumerate(zip(last.rules, state.rules, strict=True))
        if number in last.on and rule.can_pause and SCOPES[rule.scope].by_account
    ]

    def word(code: int) -> str:
        record = state.accounts[code + 1]
        holding = BY_COMMAND[int(record["paused"])] | {
            rule.pause_word
            for rule, table in pausing
            if table[key_of(rule.scope, {"account": code}, state) + 1]["held_until"] > now
        }
        commanded = TradingCommand(int(record["state"]) if gated else 0).name
        return min(holding, default=commanded).upper()  # halted is stricter than paused

    return word
