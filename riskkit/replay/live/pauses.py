"""Pauses of a live session that are in force: which end at an event, at a price that does not grow with their number."""

from __future__ import annotations

import heapq
from collections.abc import Collection

from riskkit.replay.schema.constants import NEVER

Key = tuple[int, int]  # of a rule and of its record


class Pauses:
    """Ends of the pauses in force, by rule and key.

    Examples
    --------
    >>> pauses = Pauses()
    >>> pauses.begin((0, 7), 50); pauses.begin((1, 2), 40); pauses.begin((0, 3), NEVER)
    >>> pauses.next, pauses.ended(60), pauses.next == NEVER
    (40, [((0, 7), True), ((1, 2), True)], True)
    """

    def __init__(self) -> None:
        self._ends: dict[Key, tuple[int, int]] = {}  # end and number, in the order of the numbers
        self._queue: list[tuple[int, int, Key]] = []  # the same by end; an entry that differs from `_ends` is void
        self._begun = 0

    @property
    def next(self) -> int:
        """A time before which no pause ends by itself."""
        return self._queue[0][0] if self._queue else NEVER

    def begin(self, key: Key, until: int) -> None:
        """Begin a pause, or give it another end."""
        self._begun += 1
        number = self._ends.get(key, (0, self._begun))[1]
        self._ends[key] = until, number
        if until != NEVER:
            heapq.heappush(self._queue, (until, number, key))

    def end(self, key: Key) -> None:
        """End a pause, if there is one."""
        self._ends.pop(key, None)

    def ended(self, now: int, rules: Collection[int] = ()) -> list[tuple[Key, bool]]:
        """End the pauses that are over by `now` (True), and those of `rules` (False), in the order in which they began."""
        over = {}
        while self._queue and self._queue[0][0] <= now:
            until, number, key = heapq.heappop(self._queue)
            if self._ends.get(key) == (until, number):
                over[key] = number
        found = [(number, key, True) for key, number in over.items()]
        if rules:
            found += [(n, key, False) for key, (_, n) in self._ends.items() if key[0] in rules and key not in over]
        for _, key, _ in found:
            del self._ends[key]
        return [(key, by_time) for _, key, by_time in sorted(found)]
