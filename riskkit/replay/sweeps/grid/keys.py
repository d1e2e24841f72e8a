"""Key of each event in a rule's scope, computed from the columns of a log as in the loop."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.rule import Rule
from riskkit.replay.schema.columns import EventKind
from riskkit.replay.schema.scopes import SCOPES, key_label


def keys_of(log: EventLog, scope: str, rows: np.ndarray) -> np.ndarray | None:
    """The key of each of the `rows` (int64, -1 if none); None if only the loop knows the keys.

    A modify takes the strategy or connection of its order, and an account's products are numbered by the loop.
    """
    row, columns, universe = SCOPES[scope], log.columns, log.universe
    if not row.record:
        return np.zeros(len(rows), np.int64)
    if row.record == "event":
        if row.is_open and row.field not in columns:
            return np.full(len(rows), -1, np.int64)
        if row.is_open and (columns["kind"][rows] != EventKind.ORDER).any():
            return None
        return columns[row.field][rows].astype(np.int64)
    if row.record == "position":
        return None
    of = universe.instruments if row.record == "instrument" else universe.accounts
    names = list(dict.fromkeys(getattr(record, row.field) for record in of))
    codes = np.array([*(names.index(getattr(record, row.field)) for record in of), -1], np.int64)
    return codes[columns[row.record][rows]]


def labels_of(log: EventLog, rule: Rule, keys: Iterable[int]) -> list[str]:
    """The labels of keys of a rule's scope."""
    pairs = log.pair_account, log.pair_instrument
    return [key_label(rule.scope, key, log.universe, *pairs) if key >= 0 else "(none)" for key in keys]


def count_of_keys(keys: np.ndarray) -> int:
    """One more than the largest key."""
    return int(keys.max(initial=-1)) + 1
