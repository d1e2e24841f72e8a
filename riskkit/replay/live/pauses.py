"""Pauses of a live session that are in force: which end at an event, at a price that does not grow with their number."""

from __future__ import annotations

import heapq
from collections.abc import Collection

from riskkit.replay.schema.constants import NEVER

Key = tuple[int, int]  # of a rule and of its record


class Pauses:
    """Ends of the pauses in force, by rule and key: all that is known of them is in the state too.

    Examples
    --------
    >>> pauses = Pauses()
    >>> pauses.begin((0, 7), 50); pauses.begin((1, 2), 40); pauses.begin((0, 3), NEVER)
    >>> pauses.next, pauses.ended(60), pauses.next == NEVER
    (40, [((0, 7), 50), ((1, 2), 40)], True)
    """

    def __init__(self) -> None:
        self._ends: dict[Key, int] = {}
        self._queue: list[tuple[int, Key]] = []  # the same by end; an entry that differs from `_ends` is void

    @property
    def next(self) -> int:
        """A time before which no pause ends by itself."""
        return self._queue[0][0] if self._queue else NEVER

    def begin(self, key: Key, until: int) -> None:
        """Begin a pause, or give it another end."""
        self._ends[key] = until
        if until != NEVER:
            heapq.heappush(self._queue, (until, key))

    def end(self, key: Key) -> None:
        """End a pause, if there is one."""
        self._ends.pop(key, None)

    def ended(self, now: int, rules: Collection[int] = ()) -> list[tuple[Key, int | None]]:
        """End the pauses that are over by `now`, with their ends, and those of `rules` (None), in the order of the rules."""
        over: dict[Key, int | None] = {}
        while self._queue and self._queue[0][0] <= now:
            until, key = heapq.heappop(self._queue)
            if self._ends.get(key) == until:
                over[key] = until
        if rules:
            over |= {key: None for key in self._ends if key[0] in rules and key not in over}
        for key in over:
            del self._ends[key]
        return sorted(over.items())
