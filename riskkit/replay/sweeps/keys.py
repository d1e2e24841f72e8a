"""Which key of a rule's scope each event belongs to: the columns of a log as the loop keys its records."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np

from riskkit.replay.columns import Kind
from riskkit.replay.events import EventLog
from riskkit.replay.rule import Rule

__all__ = ["count_of_keys", "keys_of", "labels_of"]

COLUMNS = {"account": "account", "instrument": "instrument", "account_instrument": "pair"}
OPEN = {"strategy": "strategy", "session": "connection"}
GROUPS = ("desk", "firm")


def keys_of(log: EventLog, scope: str, rows: np.ndarray) -> np.ndarray | None:
    """The key of each of the `rows` (int64, -1 where it has none); None where only the loop can tell.

    A modify takes the strategy or connection of its order, and an account's products are numbered by the loop.
    """
    columns, universe = log.columns, log.universe
    if scope in COLUMNS:
        return columns[COLUMNS[scope]][rows].astype(np.int64)
    if scope in OPEN:
        if OPEN[scope] not in columns:
            return np.full(len(rows), -1, np.int64)
        if (columns["kind"][rows] != Kind.ORDER).any():
            return None
        return columns[OPEN[scope]][rows].astype(np.int64)
    if scope == "global":
        return np.zeros(len(rows), np.int64)
    if scope == "product":
        return _numbered(one.product for one in universe.instruments)[columns["instrument"][rows]]
    if scope in GROUPS:
        return _numbered(getattr(one, scope) for one in universe.accounts)[columns["account"][rows]]
    return None


def labels_of(log: EventLog, rule: Rule, keys: Iterable[int]) -> list[str]:
    """What keys of a rule's scope are called."""
    from riskkit.replay.holds import key_label

    return [key_label(log, rule, key) if key >= 0 else "(none)" for key in keys]


def count_of_keys(keys: np.ndarray) -> int:
    """One more than the largest key."""
    return int(keys.max(initial=-1)) + 1


def _numbered(names: Iterable[Hashable]) -> np.ndarray:
    """The place of each name among the distinct ones, in order of appearance; -1 at the end for no name."""
    listed = list(names)
    places = {name: place for place, name in enumerate(dict.fromkeys(listed))}
    return np.array([*(places[name] for name in listed), -1], np.int64)
