"""The snapshot of a session: beside the engine its ids and policies, from which all else is rebuilt."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from riskkit._check import InputError
from riskkit._files import reading
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.ingest.event import Entries
from riskkit.replay.ingest.order_ids import OrderPolicy
from riskkit.replay.live.challengers import NOTHING, Challenged
from riskkit.replay.live.column_door import ColumnDoor
from riskkit.replay.live.engine import Engine
from riskkit.replay.live.pauses import Pauses
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import MISSING, EventKind, RowFlag
from riskkit.replay.schema.universe import Universe


class Restorable(Challenged):
    """A session that goes on from a snapshot."""

    _live: Engine
    _lock: threading.RLock
    _entries: Entries
    _door: ColumnDoor
    _pauses: Pauses
    _lapses: list[tuple[int, int]]
    _ts_policy: str
    four_eyes: bool
    notes: dict[str, Any]
    acts: list[dict[str, Any]]

    @abstractmethod
    def _start(self, live: Engine, entries: Entries, ts_policy: str) -> None:
        """Begin with an engine and ids."""

    @abstractmethod
    def _settle(self) -> None:
        """Remember what a call that was interrupted has taken."""

    @abstractmethod
    def _due(self) -> int:
        """Time at which something ends by itself."""

    def snapshot(self, notes: Mapping[str, Any] | None = None) -> bytes:
        """The complete session as bytes; see `Engine.snapshot`. `restore` returns ``notes`` (JSON) as ``notes``."""
        with self._lock:
            self._settle()
            return self._live.snapshot(self._extra(notes or {}))

    def _extra(self, notes: Mapping[str, Any]) -> dict[str, Any]:
        """What a snapshot has beside the engine: ids and policies."""
        entries = self._entries
        like = entries.auto_register
        return {
            "orders": [list(order) for order in entries.orders.labels()],
            "order_policy": list(entries.orders.policy),
            "trades": list(entries.fills.codes.items()),
            "currencies": list(entries.currencies.items()),
            "forgotten": [entries.orders.forgotten, entries.fills.forgotten],
            "on_bad_order": "flag" if entries.flag else "raise",
            "rounding": "nearest" if entries.nearest else "refuse",
            "ts_policy": self._ts_policy,
            "four_eyes": self.four_eyes,
            "acts": self.acts,
            "auto_register": None if like is None else Universe((like,), (), {}).describe(),
            "notes": dict(notes),
        }

    @classmethod
    def restore(
        cls, snapshot: bytes, rules: RuleSet, *, shadow: Mapping[str, RuleSet] = NOTHING, compiled: Tier = "auto"
    ) -> Self:
        """Continue from a snapshot, with the same rules, and challengers as for `Session`.

        Raises
        ------
        InputError
            If the bytes are incomplete or altered, or of other rules or another version of the semantics.
        """
        with reading("the snapshot", "a session"):
            session = cls._restored(Engine.restore(snapshot, rules, compiled=compiled))
            session._challenge_all(shadow, snapshot)
            return session

    @classmethod
    def _restored(cls, live: Engine) -> Self:
        """The session of an engine that was restored with what a session adds."""
        if "orders" not in live.extra:
            raise InputError("the snapshot is of an Engine, not of a Session; restore it with Engine.restore")
        extra, session = live.extra, cls.__new__(cls)
        described, policy = extra["auto_register"], OrderPolicy(*extra["order_policy"])
        auto_register = Universe.from_description(described).instruments[0] if described else None
        entries = Entries(live.labels, extra["on_bad_order"], auto_register, extra["rounding"], policy)
        session._start(live, entries, extra["ts_policy"])
        session.four_eyes, session.acts = extra["four_eyes"], extra["acts"]
        session._recall(extra)
        return session

    def _recall(self, extra: Mapping[str, Any]) -> None:
        """Rebuild ids of orders and trades, pauses and lapses from the rows that are kept."""
        live, entries = self._live, self._entries
        self.notes = dict(extra["notes"])
        ids = {number: label for label, number in extra["orders"]}
        entries.fills.codes.update(extra["trades"])
        entries.currencies.update(extra["currencies"])
        entries.orders.forgotten, entries.fills.forgotten = extra["forgotten"]
        lapses: dict[int, tuple[int, int]] = {}
        for number, row in live.journal.rows():
            entries.remember(row, number, ids.get(number if row["order"] == number else row["order"]))
            if row["kind"] == EventKind.EXPIRE:
                lapses.pop(row["order"], None)
            elif row["expires"] != MISSING and row["order"] >= 0 and not row["flags"] & RowFlag.BAD_TS:
                lapses[number] = (row["expires"], number)
        self._lapses = sorted(lapses.values())
        self._recall_pauses()
        self._door.kept = live.size
        if live.size:
            self._door.open(self._due())

    def _recall_pauses(self) -> None:
        """Read the pauses in force from the state."""
        live, self._pauses = self._live, Pauses()
        for k, table in enumerate(live.state.rules):
            for key in np.flatnonzero(table["held_until"][1:] > max(live.latest, 0)).tolist():
                self._pauses.begin((k, key), int(table["held_until"][key + 1]))
