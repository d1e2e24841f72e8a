"""Orders of a live session that lapse by themselves, at the time that they were given."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from riskkit.replay.ingest.rows import DEFAULTS, Row
from riskkit.replay.schema.columns import EventKind

OF_ORDER = ("account", "instrument", "strategy", "connection")  # fields that an expiry has in common with its order


def lapsed(lapses: Iterable[tuple[int, int]], row_of: Callable[[int], Row], now: int) -> list[Row]:
    """EXPIRE rows of the orders that lapse by `now`, of times and numbers of orders in order of time."""
    found = []
    for expires, number in lapses:
        if expires > now:
            break
        row = {**DEFAULTS, "ts": expires, "kind": int(EventKind.EXPIRE), "order": number}
        known = row_of(number)
        found.append({**row, **{name: known[name] for name in OF_ORDER}})
    return found
