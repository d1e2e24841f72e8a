"""Where alert ids come from: a running hash over a session's journal, event by event.

The replay's digest proves a whole run and is computed when it is asked for; an alert needs a hash as of its event,
now. This one is over the same material (semantics, rules, mode, integer events), so sessions with equal journals have
equal chains at every event, whether compiled or not, and after a snapshot too.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from riskkit.replay.columns import OPTIONAL
from riskkit.replay.digest import SEMANTICS
from riskkit.replay.entry import DTYPES
from riskkit.replay.live import LiveEngine

__all__ = ["DigestChain", "alert_id"]

NAMES = tuple(name for name in DTYPES if name != "pair")  # a pair is derived from account and instrument
FEW = 8
"""So many events at most does a watcher leave for later."""
COPIED = 40
"""In the time of reading one event by itself so many are copied with the whole journal."""


class DigestChain:
    """The hash of one session's journal up to an event.

    Parameters
    ----------
    engine : LiveEngine
        Its rules and mode begin the chain.
    """

    def __init__(self, engine: LiveEngine) -> None:
        terms = json.dumps([SEMANTICS, engine.mode, engine.options], sort_keys=True)
        self._start = hashlib.sha256(engine.rules.hash + terms.encode())
        self._hash = self._start.copy()
        self.events = 0

    def at(self, engine: LiveEngine, seq: int) -> bytes:
        """The hash of all events up to number `seq`, which is one of them."""
        if seq + 1 < self.events:  # decisions were handed over late: begin anew, and keep the place
            earlier = self._start.copy()
            earlier.update(_rows(engine, 0, seq + 1))
            return earlier.digest()
        self._follow(engine, seq + 1)
        return self._hash.digest()

    def keep_up(self, engine: LiveEngine) -> None:
        """Take in the events so far once there are some, so that no alert has to wait for many."""
        if engine.size - self.events >= FEW:
            self._follow(engine, engine.size)

    def _follow(self, engine: LiveEngine, stop: int) -> None:
        self._hash.update(_rows(engine, self.events, stop))
        self.events = stop


def alert_id(chain: bytes, seq: int, rule: str, key: str, action: str) -> str:
    """16 hexadecimal digits for what a rule did to a key at an event.

    Examples
    --------
    >>> alert_id(b"", 3, "MaxExposure", "A", "REJECT")
    'adb4d1b441dfa27c'
    """
    text = json.dumps([seq, rule, key, action], ensure_ascii=True)
    return hashlib.sha256(chain + text.encode()).hexdigest()[:16]


def _rows(engine: LiveEngine, start: int, stop: int) -> bytes:
    """Events [start, stop) of the journal, one after the other, each as its integers."""
    if COPIED * (stop - start) <= stop:
        events = (engine.row(place) for place in range(start, stop))
        return b"".join(np.array([event[name] for name in NAMES], "<i8").tobytes() for event in events)
    columns: Any = engine.log().columns
    table = np.empty((stop - start, len(NAMES)), "<i8")
    for place, name in enumerate(NAMES):
        table[:, place] = columns[name][start:stop] if name in columns else OPTIONAL[name][1]
    return table.tobytes()
