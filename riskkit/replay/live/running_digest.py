"""The digest of a live session, kept up to date: two running hashes, so that it never needs the whole journal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from riskkit.replay.engine.state import calendars
from riskkit.replay.ingest.rows import with_every_column
from riskkit.replay.kernels.runtime import PROVEN, proven
from riskkit.replay.results.result_digest import digest_of
from riskkit.replay.rules.history import RuleHistory, as_history
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.digest import Chain, EventChain, hash_plain
from riskkit.replay.schema.universe import Universe

TAIL = "tail_"


class RunningDigest:
    """Hashes of the events and decisions so far, with the span of the events' times."""

    def __init__(self) -> None:
        self.events, self.decisions = EventChain(), Chain(PROVEN)
        self.span = (0, 0)

    @property
    def size(self) -> int:
        """Number of events so far."""
        return self.events.size

    def update(self, columns: Mapping[str, np.ndarray], rows: np.ndarray) -> None:
        """Add the next events, with all columns and numbers of the whole journal, and the next decision rows."""
        ts = columns["ts"]
        if len(ts):
            first, last = int(ts.min()), int(ts.max())
            self.span = (min(self.span[0], first), max(self.span[1], last)) if self.size else (first, last)
            self.events.update(columns)
        self.decisions.update(proven(rows))

    def digest(self, universe: Universe, rules: RuleSet | RuleHistory, mode: str, options: dict[str, str]) -> str:
        """The digest of a replay of the events so far."""
        found = calendars(as_history(rules).versions(), *self.span)
        described = hash_plain(universe.describe())
        return digest_of(described, self.events.digest(), rules, mode, options, found, self.decisions)

    def parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """A header and arrays; `of_parts` restores them."""
        header = {"events": self.events.state.hex(), "size": self.size, "span": list(self.span)}
        header["decisions"] = self.decisions.state.hex()
        arrays = {TAIL + name: column for name, column in self.events.tail.items()}
        return header, arrays | {f"{TAIL}decisions": np.frombuffer(self.decisions.open_block, np.uint8)}

    @classmethod
    def of_parts(cls, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> RunningDigest:
        """The digest that had these `parts`."""
        found, tail = cls(), {n.removeprefix(TAIL): array for n, array in arrays.items() if n.startswith(TAIL)}
        decisions = tail.pop("decisions").tobytes()
        tail = with_every_column(tail) if tail else tail
        found.events = EventChain(bytes.fromhex(header["events"]), header["size"], tail)
        found.decisions = Chain(PROVEN, bytes.fromhex(header["decisions"]), decisions)
        found.span = (header["span"][0], header["span"][1])
        return found
