"""The replay loop, one event at a time: a live engine with its journal, its snapshots and the digest of a replay.

An `Engine` appends every event to its journal, which has the columns of a log, and runs the loop over the new rows.
So it decides as a replay of `Engine.log` does, to the bit (tested).
"""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.engine.compiler import Tier
from riskkit.replay.engine.in_force import feed_parts, parts_of
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.state import calendars
from riskkit.replay.ingest.rows import Row, with_every_column
from riskkit.replay.kernels.records import stacked
from riskkit.replay.kernels.runtime import DEFAULT_ORPHANS, Counter
from riskkit.replay.live.compaction import Horizon, Parts, compacted
from riskkit.replay.live.engine_events import EngineEvents
from riskkit.replay.live.engine_snapshot import pack, unpack, with_new_fields
from riskkit.replay.live.engine_tables import Past, no_step
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.live.running_digest import RunningDigest
from riskkit.replay.live.undo import rules_at_work
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.what_if import Explainer
from riskkit.replay.rules.history import RuleHistory
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.universe import Universe


class Engine(EngineEvents):
    """Rules over a stream of events of integer codes.

    Parameters
    ----------
    rules : RuleSet or RuleHistory
        In their declared order; of a history, those in force at each event. The attribute ``rules`` has every one of them.
    universe : Universe
        Instruments, accounts and units; those of a log are ``log.universe``.
    mode : {"shadow", "enforce"}
        As in `replay_log`. In enforce mode the caller sends only events that were allowed.
    orphans, on_trip : str
        As in `replay_log`.
    compiled : bool, "auto" or "generic"
        As in `replay_log`; False runs the rules as plain Python.

    Examples
    --------
    >>> from riskkit import Rule
    >>> from riskkit.rules import OrderRate
    >>> from riskkit.replay.schema.columns import EventKind
    >>> from riskkit.replay.schema.universe import Account, Instrument, Universe
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=1, window_ns=1_000))])
    >>> universe = Universe((Instrument("X"),), (Account("A"),), {"USD": Instrument("X").tick})
    >>> live = Engine(rules, universe, compiled=False)
    >>> [len(live.push(ts, EventKind.ORDER, account=0, instrument=0, side=1, qty=1, price=100)) for ts in (0, 999, 1000)]
    [0, 1, 0]
    """

    def widened(self, universe: Universe, history: RuleHistory | None = None, size: int | None = None) -> Engine:
        """The same session in a universe with additional accounts, instruments, strategies or connections at the end.

        Codes stay; ``history`` may have one change more. The journal is replayed, so the state is the same as if they had
        been declared from the start. This engine does not change.
        """
        if self._journal.begins_late:
            raise InputError(
                "under these rules a new label or currency needs all events since the session began, which are not kept in "
                "memory; declare it when the session begins"
            )
        if isinstance(self._universe, OpenUniverse):
            universe = OpenUniverse(universe, self._universe.like)
        wider = Engine(
            history or self.history, universe, self.mode, **self.options, compiled=self.compiled, events=self.events
        )
        journal = self._journal
        columns = {
            name: column[: self.size if size is None else size].copy() for name, column in journal.columns.items()
        }
        pairs, slots, strays = list(journal.pairs), journal.slots, journal.strays
        if size is not None:
            pairs = pairs[: max(len(universe.opening_pairs()), int(columns["pair"].max(initial=-1)) + 1)]
            slots = int(columns["slots"].max(initial=-1)) + 1
            strays = {order: slot for order, slot in strays.items() if slot < slots}
        wider._refill(columns, pairs, slots, strays)
        wider._replay_again()  # observed values may have other units now
        wider.extra = self.extra
        return wider

    def before(self, size: int) -> Engine:
        """The same session after its first `size` events; this engine does not change."""
        return self.widened(self._universe.frozen, size=size)

    def twin(self) -> Engine:
        """An engine that goes on by itself from here while this one stands still; it may overwrite rows beyond the last."""
        other = copy(self)
        other._journal, other._reach = self._journal.twin(), self._reach.twin()
        other._growth = self._growth.twin(other._journal.pairs)
        other._quick = other._step_before = None
        other._step_at, other._proof = no_step, RunningDigest.of_parts(*self._proof.parts())
        if self._state is None:
            other.blocks = list(self.blocks)
        else:
            self._keep_rows()
            other.go_on(self._state.copy(), self.blocks)
        return other

    def _replay_again(self) -> None:
        """Find state and decisions by a replay of the journal, each event under the rules in force at it."""
        journal, universe = self._journal, self._universe
        if not self.size:
            return
        first = self.history.stretches[0].rules
        self._growth = self._growth.under(first, [rule.to_integers(universe) for rule in first])
        self._begin(int(journal.columns["ts"][0]))
        assert self._state is not None and self._found is not None
        self._growth = self._growth.under(self.rules, self._params)
        self._growth.admit(self._state, journal.slots)
        none, padded = Samples.none(len(universe.accounts)), self._growth.padded()
        parts = parts_of(self.history, self._shapes, universe, self._found, none, self._engine.tier)
        with rules_at_work():
            blocks = list(feed_parts(parts, self._state, journal.columns, padded, 0, self.size, through=True))
        self.go_on(self._state, blocks)

    def _refill(self, columns: dict[str, np.ndarray], pairs: list[Any], slots: int, strays: dict[int, int]) -> None:
        """Take over another journal, with its bound on amounts."""
        self._journal.refill(columns, pairs, slots, strays)
        weight = self._reach.weigh(row for _, row in self._journal.rows())
        if not weight.fits:
            self._check_bounds([])
        self._reach.take(weight)

    def row(self, number: int) -> Row:
        """One event of the journal as integer codes."""
        return self._journal.row(number)

    def log(self) -> EventLog:
        """The journal as an event log; its replay has this session's digest."""
        past = self._past()
        log = self._journal.log(past.columns if past else None)
        if self.options["orphans"] != DEFAULT_ORPHANS:
            log.about["orphans"] = self.options["orphans"]
        return log

    def result(self) -> ReplayResult:
        """All decisions so far, as the result of a replay."""
        log = self.log()
        ts = log.columns["ts"]
        first, last = (int(ts.min()), int(ts.max())) if len(log) else (0, 0)
        found = calendars(self.history.versions(), first, last)
        rows = self._decisions()
        past = self._past()
        if past:
            rows = stacked([past.rows, rows])
        return ReplayResult(
            log,
            self.history,
            self.mode,
            self.options,
            rows,
            self.state.copy(),
            found,
            Samples.none(len(self._universe.accounts)),
            marked=self._engine.shape.marks,
            how=self._engine.how,
            explainer=Explainer(self._shapes, self._engine.tier),
        )

    @property
    def digest(self) -> str:
        """Digest of the result, equal to that of a replay of `log`."""
        self._prove()
        return self._proof.digest(self.universe, self.history, self.mode, self.options)

    def _prove(self) -> None:
        """Hash the events and decisions since the last time."""
        rows, (place, count) = self._decisions(), self._hashed
        self._proof.update(self._journal.since(place), rows[count:])
        self._hashed = len(self._journal), len(rows)

    def parts(self) -> Parts:
        """State, journal and decisions: a header of plain values and arrays by name."""
        self._prove()
        journal = self._journal
        proof, arrays = self._proof.parts()
        header = {
            "universe": self._universe.describe(),
            "open": self._universe.opening if isinstance(self._universe, OpenUniverse) else None,
            "capacity": self._growth.capacity,
            "mode": self.mode,
            "options": self.options,
            "size": len(journal),
            "shift": journal.shift,
            "pairs": list(map(list, journal.pairs)),
            "slots": journal.slots,
            "strays": [list(stray) for stray in journal.strays.items()],
            "first": self._first,
            "latest": journal.latest,
            "proof": proof,
            "changes": self.history.to_dict()["changes"],
            "in_force": self.history.now.hash.hex(),
        }
        arrays |= {f"column_{name}": column[: len(journal)] for name, column in journal.columns.items()}
        arrays |= {"rows": self._decisions(), "answers": self.answers, "carried": journal.carried}
        arrays["closed"] = journal.closed
        arrays["reach"] = self._reach.words
        if self._state is not None:
            arrays |= {f"state_{name}": array for name, array in self._state.arrays().items()}
            for name, used in (("state_orders", journal.slots), ("state_fills", self._state.counts[Counter.FILLS])):
                arrays[name] = arrays[name][: used + 1]  # without room for more
        return Parts(header, arrays)

    def snapshot(self, extra: dict[str, Any] | None = None) -> bytes:
        """The complete session as bytes, with a checksum and the hash of its rules.

        ``extra`` is stored as JSON; `restore` returns it in the attribute of that name. A restored session continues to
        the same digest. See `riskkit.replay.live.engine_snapshot` for the format.
        """
        header, arrays = self.parts()
        return pack(header | {"extra": extra or {}}, arrays, self.history.first)

    @classmethod
    def restore(cls, snapshot: bytes, rules: RuleSet, *, compiled: Tier = True) -> Engine:
        """Continue from a snapshot, with the same rules.

        Raises
        ------
        InputError
            If the bytes are incomplete or altered, or of other rules or another version of the semantics.
        """
        header, arrays, history = unpack(snapshot, rules)
        universe = Universe.from_description(header["universe"])
        if header["open"] is not None:
            universe = OpenUniverse.reopened(universe, header["open"])
        live = cls(history, universe, header["mode"], **header["options"], compiled=compiled)
        live.extra = header["extra"]
        live.resume(Parts(header, arrays))
        return live

    def compact(self, ids_ns: int) -> Past:
        """Forget what later events cannot refer to (`riskkit.replay.live.compaction`); return all since the last time.

        `past` must return them from then on.

        Parameters
        ----------
        ids_ns : int
            Nanoseconds: the age up to which orders that are done, and fills, are known.
        """
        moved = Past(self._journal.since(len(self._journal.carried)), self._decisions())
        if self._state is not None:
            pairs = zip(self.rules, self._params, strict=True)
            windows = [params.window_ns for rule, params in pairs if "duplicates" in rule.kind.requires]
            own = [group for group in self._engine.shape.groups if group.own]
            horizon = Horizon(ids_ns, max(windows, default=0))
            self.resume(compacted(self.parts(), horizon, own, quick=self._engine.compiled))
        return moved

    def resume(self, parts: Parts) -> None:
        """Go on where an engine of the same rules was that had these `parts`."""
        header, arrays = parts
        if not header["size"] + header["shift"]:
            return
        stored = {name.removeprefix("column_"): one for name, one in arrays.items() if name.startswith("column_")}
        self._journal.refill(with_every_column(stored), header["pairs"], header["slots"], dict(header["strays"]))
        self._journal.columns["prev_duplicate"] = arrays["column_prev_duplicate"]  # with the changes of the loop
        self._journal.carry(arrays["carried"], header["shift"], arrays["closed"])
        self._journal.latest = header["latest"]
        self._reach.words = arrays["reach"]
        self.blocks = [arrays["rows"]] if len(arrays["rows"]) else []
        self.answers = arrays["answers"]
        self._proof = RunningDigest.of_parts(header["proof"], arrays)
        self._hashed = header["size"], len(arrays["rows"])
        if self._state is None:
            self._begin(header["first"])
        assert self._state is not None
        for name, known in self._state.arrays().items():
            self._state.put(name, with_new_fields(arrays[f"state_{name}"], known, counts=name == "counts"))
        self._state.counts[Counter.SLOTS] = len(self._state.orders) - 1
        self._growth.note(self._state, header["capacity"])
        self._journal.make_room(1)
        self._extend()
