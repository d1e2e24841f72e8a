"""State of each account in a word: may it trade, only reduce, or nothing."""

from __future__ import annotations

from riskkit.replay.engine.state import State
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.schema.columns import TradingCommand
from riskkit.replay.schema.scopes import SCOPES, key_of
from riskkit.replay.schema.universe import Universe

BY_COMMAND = {0: set[str](), 1: {"paused"}, 2: {"halted"}}  # by `paused` of an account


def states_of(universe: Universe, history: RuleHistory, state: State, now: int) -> dict[str, str]:
    """ACTIVE, REDUCING, HALTED or PAUSED, by account, at a time; see `ReplayResult.states`."""
    last = history.stretches[-1]
    gated = any(rule.type == "trading_state" for rule in history.now)
    pausing = [
        (rule, table)
        for number, (rule, table) in enumerate(zip(last.rules, state.rules, strict=True))
        if number in last.on and rule.can_pause and SCOPES[rule.scope].by_account
    ]
    found = {}
    for code, account in enumerate(universe.accounts):
        record = state.accounts[code + 1]
        holding = BY_COMMAND[int(record["paused"])] | {
            rule.pause_word
            for rule, table in pausing
            if table["held_until"][key_of(rule.scope, {"account": code}, state) + 1] > now
        }
        commanded = TradingCommand(int(record["state"]) if gated else 0).name
        found[account.id] = min(holding, default=commanded).upper()  # halted is stricter than paused
    return found
