"""State of each account in a word: may it trade, only reduce, or nothing."""

from __future__ import annotations

from riskkit.replay.engine.state import State
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import TradingCommand
from riskkit.replay.schema.scopes import SCOPES, key_of
from riskkit.replay.schema.universe import Universe

BY_COMMAND = {0: set[str](), 1: {"paused"}, 2: {"halted"}}  # by `paused` of an account


def states_of(universe: Universe, rules: RuleSet, state: State, now: int) -> dict[str, str]:
    """ACTIVE, REDUCING, HALTED or PAUSED, by account, at a time; see `ReplayResult.states`."""
    gated = any(rule.type == "trading_state" for rule in rules)
    pausing = [
        (rule, table)
        for rule, table in zip(rules, state.rules, strict=True)
        if rule.can_pause and SCOPES[rule.scope].by_account
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
