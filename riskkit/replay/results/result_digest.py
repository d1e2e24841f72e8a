"""Digest of a result: of what was replayed and of what was decided."""

from __future__ import annotations

from riskkit.replay.engine.state import Calendars
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.digest import Chain, hash_plain, seal


def digest_of(
    universe_hash: bytes,
    event_hash: bytes,
    rules: RuleSet | RuleHistory,
    mode: str,
    options: dict[str, str],
    calendars: Calendars,
    decisions: Chain,
) -> str:
    """Digest of the events, rules, days and decisions."""
    head = hash_plain([mode, options, [list(calendars.zones), calendars.bounds.tolist()]])
    return seal(universe_hash, event_hash, rules.hash, head, decisions.digest())
