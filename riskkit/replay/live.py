"""The same loop, one event at a time: a live session with its journal, its snapshots, and the replay's digest.

A `LiveEngine` appends every event to a journal of the columns that a log has and lets the loop take one step over
it. So what it decides is what a replay of `LiveEngine.log` decides, to the bit, and a test says so.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.columns import MISSING, OPTIONAL, REQUIRED, Flag, Kind
from riskkit.replay.constants import DAY_NS
from riskkit.replay.digest import SEMANTICS
from riskkit.replay.door import check_bounds
from riskkit.replay.engine import TWIN_FIELDS, Engine, find_twins, fixed_arguments, shape_of
from riskkit.replay.events import EventLog
from riskkit.replay.quick import HEAD, PLACE, Prepared, Quick, can_step
from riskkit.replay.reach import Reach
from riskkit.replay.reasons import Asker
from riskkit.replay.result import Result
from riskkit.replay.rows import DEFAULTS, DTYPES, check_place, check_row, row_of
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.state import Calendars, State, calendars, grow, new_state, opening
from riskkit.replay.steps import ROW, Counter, Orphans
from riskkit.replay.universe import Universe

__all__ = ["LiveEngine"]

YEARS_NS = 30 * 366 * DAY_NS  # how far ahead trading days are resolved
ORDER = int(Kind.ORDER)
BAD_TS, BAD_PRICE = int(Flag.BAD_TS), int(Flag.BAD_PRICE)
STEP_EVENTS = 1 << 15  # room that is made for compiled steps, so that few of them must wait for more
STEP_ROWS = 4096  # decision rows that compiled steps may write until they are moved away


def _long_way(block: int, event: int) -> int:
    """Stands where no compiled step can."""
    return -1


class LiveEngine:
    """Rules over events as they come.

    Parameters
    ----------
    rules : RuleSet
        In their declared order.
    universe : Universe
        Instruments, accounts and units; take a log's with ``log.universe``.
    mode : {"shadow", "enforce"}
        As in `replay_log`. In enforce mode the events that come are those that were allowed outside as well.
    orphans, on_trip : str
        As in `replay_log`.
    compiled : bool
        False runs the plain twin.

    Examples
    --------
    >>> from riskkit.replay.rule import Rule
    >>> from riskkit.replay.rules import OrderRate
    >>> from riskkit.replay.universe import Account, Instrument
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=1, window_ns=1_000))])
    >>> universe = Universe((Instrument("X"),), (Account("A"),), {"USD": Instrument("X").tick})
    >>> live = LiveEngine(rules, universe, compiled=False)
    >>> [len(live.push(ts, Kind.ORDER, account=0, instrument=0, side=1, qty=1, price=100)) for ts in (0, 999, 1000)]
    [0, 1, 0]
    """

    def __init__(
        self,
        rules: RuleSet,
        universe: Universe,
        mode: str = "shadow",
        *,
        orphans: str = "keep",
        on_trip: str = "leave",
        compiled: bool = True,
    ) -> None:
        one_of(mode, ("shadow", "enforce"), "mode")
        one_of(orphans, ("keep", "clip", "drop"), "orphans")
        one_of(on_trip, ("leave", "cancel_working"), "on_trip")
        self.rules = rules
        self.universe = universe
        self.mode = mode
        self.options = {"orphans": orphans, "on_trip": on_trip}
        self.compiled = compiled
        self._head = np.zeros(len(HEAD), np.int64)  # the words that a compiled step keeps as well
        self.latest = MISSING
        self._quick: Quick | None = None
        self._step_at: Callable[[int, int], int] = _long_way
        self._address = 0
        self.extra: dict[str, Any] = {}  # what the snapshot that this was restored from carried besides
        self.blocks: list[np.ndarray] = []
        self._reach = Reach(universe)
        self._pairs = {pair: place for place, pair in enumerate(universe.opening_pairs())}
        self._strays: dict[int, int] = {}  # records of orders that no order event has named
        self._columns = {name: np.zeros(0, dtype) for name, dtype in DTYPES.items()}
        self._columns["slots"], self._columns["twin"] = np.zeros(0, np.int32), np.zeros(0, np.int64)
        self._likes: dict[tuple[int, ...], int] = {}
        self._params = [rule.integers(universe) for rule in rules]
        every = {"kind": np.array([int(kind) for kind in Kind]), **{name: None for name in OPTIONAL}}
        opened = any(account.positions for account in universe.accounts)
        cancels = on_trip == "cancel_working"
        shape = shape_of(rules, every, enforce=mode == "enforce", sampled=False, cancels=cancels, opened=opened)
        self._engine = Engine(rules, shape, compiled=compiled)
        self._state: State | None = None
        self._found: Calendars | None = None
        self._rows = np.zeros(0, ROW)
        self._values: list[Any] = []
        self._bound([])

    @property
    def size(self) -> int:
        """Events taken so far."""
        return int(self._head[PLACE["size"]])

    @size.setter
    def size(self, events: int) -> None:
        self._head[PLACE["size"]] = events

    @property
    def _slots(self) -> int:
        """Records of orders in use."""
        return int(self._head[PLACE["slots"]])

    @property
    def latest(self) -> int:
        """Time of the last event that was not late; `riskkit.replay.columns.MISSING` before the first."""
        return int(self._head[PLACE["latest"]])

    @latest.setter
    def latest(self, ts: int) -> None:
        self._head[PLACE["latest"]] = ts

    # ------------------------------------------------------------------ events

    def push(self, ts: int, kind: Kind, **fields: int) -> np.ndarray:
        """Take one event of integer codes and return its decision rows (none: it passed).

        Parameters
        ----------
        ts : int
            Nanoseconds since the epoch, not below the event before (such a one is refused, not raised, if it comes
            with the flag BAD_TS).
        kind : Kind
            What happened.
        **fields : int
            ``account``, ``instrument``, ``side``, ``qty`` (lots), ``price`` (ticks), ``order`` (the event number of
            the order; for a named order its own, ``engine.size``) and the optional columns.

        Raises
        ------
        InputError
            Where a field is unknown or a code is out of range.
        """
        return self.take([row_of(ts, kind, fields)])

    def prepare(self, ts: int, kind: Kind, *, named: bool = False, **fields: int) -> Prepared:
        """Check one event of integer codes and build it, to be taken by `submit`, once or more often.

        Parameters
        ----------
        ts, kind, **fields : int
            As of `push`; a list of orders cannot be prepared.
        named : bool
            Whether it is an order that can be named again: by the number that it is given when it is taken.
        """
        row = row_of(ts, kind, fields)
        if row["batch"] >= 0:
            raise InputError(f"batch={row['batch']!r}: a list of orders is taken whole, by push or feed")
        check_row(row, self.universe)
        row["pair"] = self._pair(row["account"], row["instrument"])
        if self._state is not None and len(self._state.positions) <= len(self._pairs):
            self._extend()
        return Prepared(row, named)

    def submit(self, event: Prepared) -> int:
        """Take a prepared event and return how many decision rows it gave (0: it passed); `last` has them."""
        used = self._step_at(self._address, event.address)
        return used if used >= 0 else self._submit_long(event)

    def last(self, count: int) -> np.ndarray:
        """The last `count` decision rows."""
        rows = self._decisions()
        return rows[len(rows) - count :]

    def _submit_long(self, event: Prepared) -> int:
        """Take a prepared event as any other, and have a compiled step for those that come."""
        rows = self.take([event.row(self.size)])
        if self._quick is None and can_step(self._engine, self._values):
            self._quick = Quick(self._engine, self._values)
            self._quick.block[: len(HEAD)] = self._head
            self._head = self._quick.block[: len(HEAD)]
            self._extend()
        return len(rows)

    def _keep_rows(self) -> None:
        """Move the rows that compiled steps have written out of their way."""
        written = int(self._head[PLACE["written"]])
        if written:
            self.blocks.append(self._rows[:written].copy())
            self._head[PLACE["written"]] = 0

    def _point(self) -> None:
        """Tell the compiled step where everything is."""
        if self._quick is None:
            return
        assert self._state is not None
        room = len(self._columns["ts"]), len(self._state.orders) - 1, self._engine.shape.cells
        for name, value in zip(("capacity", "slot_capacity", "cells"), room, strict=True):
            self._head[PLACE[name]] = value
        for name, array in (("reach", self._reach.words), ("slots_at", self._columns["slots"])):
            self._head[PLACE[name]] = array.ctypes.data
        self._quick.point_to(self._values)
        self._step_at, self._address = self._quick.step, self._quick.address

    def feed(self, log: EventLog, start: int = 0, stop: int | None = None) -> None:
        """Push the events [start, stop) of a log of the same universe, one at a time (a list of orders is one).

        Raises
        ------
        InputError
            Where `start` or `stop` would cut a list of orders in two; nothing is taken.
        """
        columns = {name: log.columns[name] for name in DTYPES if name in log.columns}
        stop = len(log) if stop is None else stop
        batch = columns.get("batch", np.full(len(log), -1))
        for name, cut in (("start", start), ("stop", stop)):
            if 0 < cut < len(log) and batch[cut] >= 0 and batch[cut] == batch[cut - 1]:
                raise InputError(f"{name}={cut!r} cuts the list of orders that event {batch[cut]} begins in two")
        row = start
        while row < stop:
            end = row + 1
            while end < stop and batch[row] >= 0 and batch[end] == batch[row]:
                end += 1
            self.take(
                [
                    {**DEFAULTS, **{name: int(column[place]) for name, column in columns.items()}}
                    for place in range(row, end)
                ]
            )
            row = end

    def take(self, events: list[dict[str, int]]) -> np.ndarray:
        """Write rows of integer codes into the journal, all or none, and take them; return their decision rows.

        Each row is a dict with a value for each of ``DEFAULTS``; the orders of one list come in one call.
        """
        first = self.size
        for place, event in enumerate(events, first):
            check_row(event, self.universe)
            check_place(event, place, self.latest, first)
        weight = self._reach.weigh(events)
        if not weight.fits:
            self._bound(events)
        self._reach.take(weight)
        for event in events:
            self._write(event)
            if not event["flags"] & BAD_TS:
                self.latest = event["ts"]
        self._keep_rows()
        rows = self._step(first)
        if len(rows):
            self.blocks.append(rows)
        return rows

    def _step(self, first: int) -> np.ndarray:
        """Let the loop take in the journal from `first` on."""
        assert self._state is not None
        found: list[np.ndarray] = []
        place = first
        while place < self.size:
            if self._engine.make_room(self._state):
                self._extend()
            place, used = self._engine.run(place, self.size, *self._values)
            found.append(self._rows[: int(used)].copy())
        return np.concatenate(found)

    def _bound(self, events: list[dict[str, int]]) -> None:
        """Ask the door whether the journal with these events could leave 64 bits; refuse them if it could."""
        columns = {name: self._columns[name][: self.size] for name in DTYPES}
        pairs = dict(self._pairs)
        for event in events:
            if event["account"] >= 0 and event["instrument"] >= 0:
                event["pair"] = pairs.setdefault((event["account"], event["instrument"]), len(pairs))
        for name, dtype in DTYPES.items():
            columns[name] = np.append(columns[name], np.array([event[name] for event in events], dtype))
        known = np.array(list(pairs), np.int32).reshape(-1, 2)
        check_bounds(columns, self.universe, known[:, 0], known[:, 1])

    def _write(self, event: dict[str, int]) -> None:
        if self._state is None:
            self._begin(event["ts"])
        assert self._state is not None
        changed = self._make_room()
        event["pair"] = self._pair(event["account"], event["instrument"])
        event["slots"], event["twin"] = self._slot(event["order"]), self._twin(event, self.size)
        if changed or len(self._state.positions) <= len(self._pairs) or len(self._state.orders) <= self._slots:
            self._extend()
        place = self.size
        for name, column in self._columns.items():
            column[place] = event[name]
        self.size += 1

    def _begin(self, ts: int) -> None:
        """Start the books when the first event says what time it is."""
        self._found = calendars(self.rules, ts, ts + YEARS_NS)
        self._state = self._opened(self._found)
        self._state.counts[Counter.ORPHAN_POLICY] = Orphans[self.options["orphans"].upper()]

    def _opened(self, found: Calendars) -> State:
        pairs = np.array(list(self._pairs), np.int32).reshape(-1, 2)
        opened = opening(self.universe, pairs[:, 0], pairs[:, 1])
        return new_state(self.universe, opened, self.rules, self._params, found, 0)

    def _pair(self, account: int, instrument: int) -> int:
        if account < 0 or instrument < 0:
            return -1
        return self._pairs.setdefault((account, instrument), len(self._pairs))

    def _slot(self, order: int) -> int:
        """The record of an order: its own, or a new one at its first event."""
        if order < 0:
            return -1
        if order < self.size and self._columns["order"][order] == order:
            return int(self._columns["slots"][order])
        if order not in self._strays:
            if order < self.size:
                self._strays[order] = self._slots
            self._head[PLACE["slots"]] += 1
            return self._slots - 1
        return self._strays[order]

    def _twin(self, event: dict[str, int], place: int) -> int:
        """The order before this one that is its like; see `riskkit.replay.engine.find_twins`."""
        if event["kind"] != ORDER or event["flags"] & BAD_TS:
            return -1
        like = (*(event[name] for name in TWIN_FIELDS), event["flags"] & BAD_PRICE)
        before = self._likes.get(like, -1)
        self._likes[like] = place
        return before

    def _make_room(self) -> bool:
        """Double the journal when it is full."""
        room = len(self._columns["ts"])
        if self.size < room:
            return False
        for name, column in self._columns.items():
            larger = np.full(
                max(1024 if self._quick is None else STEP_EVENTS, 2 * room), DEFAULTS.get(name, 0), column.dtype
            )
            larger[:room] = column
            self._columns[name] = larger
        return True

    def _extend(self) -> None:
        """Make records for new pairs and orders, and take the arrays' new places."""
        state, found = self._state, self._found
        assert state is not None and found is not None
        pairs = np.array(list(self._pairs), np.int32).reshape(-1, 2)
        room = self._slots if self._quick is None else max(self._slots, STEP_EVENTS // 2)
        grow(state, self.universe, pairs[:, 0], pairs[:, 1], self.rules, self._params, room)
        most = sum(map(len, state.rules)) + 8 + 2 * len(state.rules)
        state.counts[Counter.ROOM] = most
        self._keep_rows()
        self._rows = np.zeros(2 * most + (8 if self._quick is None else STEP_ROWS), ROW)
        nothing = np.zeros(0, np.int64)
        fixed = fixed_arguments(self.rules, self._params, found, nothing, nothing.reshape(0, 1))
        self._values = self._engine.arguments(state, self._columns, fixed, self._rows)
        self._point()

    def widened(self, universe: Universe) -> LiveEngine:
        """The same session in a universe with more labels at its ends: accounts, instruments, strategies, connections.

        What is there keeps its codes. The journal is replayed, so the state is what it would be had they been declared
        from the start. This engine stays as it is.
        """
        wider = LiveEngine(self.rules, universe, self.mode, **self.options, compiled=self.compiled)
        columns = {name: column[: self.size].copy() for name, column in self._columns.items()}
        wider._refill(columns, list(self._pairs), self._slots, self._strays)
        if self.size:
            wider._begin(int(columns["ts"][0]))
            wider._extend()
            wider.blocks = [wider._step(0)]  # what was seen may be counted in other units now
        wider.extra = self.extra
        return wider

    def _refill(self, columns: dict[str, np.ndarray], pairs: list[Any], slots: int, strays: Mapping[int, int]) -> None:
        """Take over a journal before anything was decided: its columns, and what is derived from them."""
        self.size = len(columns["ts"])
        self._columns.update({**columns, "twin": find_twins(columns)})
        self._pairs = {(a, i): pair for pair, (a, i) in enumerate(pairs)}
        self._head[PLACE["slots"]] = slots
        self._strays = dict(strays)
        lists = {name: column.tolist() for name, column in columns.items()}
        self._likes = {}
        events = [{name: values[place] for name, values in lists.items()} for place in range(self.size)]
        for place, event in enumerate(events):
            self._twin(event, place)
            if not event["flags"] & BAD_TS:
                self.latest = event["ts"]
        weight = self._reach.weigh(events)
        if not weight.fits:
            self._bound([])
        self._reach.take(weight)

    # ------------------------------------------------------------------ looking back

    def row(self, place: int) -> dict[str, int]:
        """One event of the journal as integer codes."""
        return {name: int(self._columns[name][place]) for name in DTYPES}

    def log(self) -> EventLog:
        """The journal as an event log; replaying it gives this session's digest."""
        columns = {}
        for name in DTYPES:
            column = self._columns[name][: self.size].copy()
            if name in REQUIRED or (column != OPTIONAL[name][1]).any():
                columns[name] = column
        pairs = np.array(list(self._pairs), np.int32).reshape(-1, 2)
        return EventLog(columns, pairs[:, 0], pairs[:, 1], self.universe)

    def _decisions(self) -> np.ndarray:
        self._keep_rows()
        if len(self.blocks) > 1:
            self.blocks = [np.concatenate(self.blocks)]
        return self.blocks[0] if self.blocks else np.zeros(0, ROW)

    @property
    def state(self) -> State:
        """The books as they are; before the first event, as they open."""
        if self._state is None:
            return self._opened(calendars(self.rules, 0, 0))
        return self._state

    def result(self) -> Result:
        """Everything decided so far, as a replay would give it."""
        log = self.log()
        ts = log.columns["ts"]
        first, last = (int(ts.min()), int(ts.max())) if len(log) else (0, 0)
        found = calendars(self.rules, first, last)
        rows = self._decisions()
        nothing = np.zeros((0, len(self.universe.accounts)), np.int64)
        result = Result(
            log, self.rules, self.mode, self.options, rows, self.state.copy(), found, nothing[:, 0], nothing
        )
        result.asker, result.marked = Asker(self._engine), self._engine.shape.marks
        return result

    @property
    def marked(self) -> bool:
        """Whether what is held is valued at every price: where a rule needs it, or a position was there before."""
        return self._engine.shape.marks

    @property
    def digest(self) -> str:
        """The digest that a replay of `log` has."""
        return self.result().digest

    # ------------------------------------------------------------------ snapshots

    def snapshot(self, extra: dict[str, Any] | None = None) -> bytes:
        """The whole session as bytes: state, journal, decisions, with a checksum and the hash of its rules.

        ``extra`` is carried along as JSON; `restore` gives it back in the attribute of that name. No pickle: arrays as
        .npy, the rest as JSON. `restore` goes on from it to the same digest.
        """
        header = {
            "semantics": SEMANTICS,
            "rules": self.rules.hash.hex(),
            "universe": self.universe.describe(),
            "mode": self.mode,
            "options": self.options,
            "size": self.size,
            "pairs": list(map(list, self._pairs)),
            "slots": self._slots,
            "strays": [list(stray) for stray in self._strays.items()],
            "zones": [list(zone) for zone in self._found.zones] if self._found else [],
            "first": int(self._columns["ts"][0]) if self.size else 0,
            "extra": extra or {},
        }
        arrays = {f"column_{name}": column[: self.size] for name, column in self._columns.items()}
        arrays["rows"] = self._decisions()
        if self._state is not None:
            arrays |= {f"state_{name}": array for name, array in self._state.arrays().items()}
        out = io.BytesIO()
        text = json.dumps(header).encode()
        arrays["header"] = np.frombuffer(text, np.uint8)
        np.savez(out, allow_pickle=False, **arrays)
        body = out.getvalue()
        return hashlib.blake2b(body, digest_size=32).digest() + body

    @classmethod
    def restore(cls, snapshot: bytes, rules: RuleSet, *, compiled: bool = True) -> LiveEngine:
        """Go on from a snapshot, with the same rules.

        Raises
        ------
        InputError
            Where the bytes are torn or altered, or were taken under other rules or another version of the semantics.
        """
        check, body = snapshot[:32], snapshot[32:]
        if hashlib.blake2b(body, digest_size=32).digest() != check:
            raise InputError("the snapshot is torn or altered: its checksum does not fit; take an older one")
        with np.load(io.BytesIO(body), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(arrays.pop("header").tobytes())
        if header["semantics"] != SEMANTICS:
            raise InputError(f"the snapshot has semantics {header['semantics']}; this riskkit decides by {SEMANTICS}")
        if header["rules"] != rules.hash.hex():
            raise InputError(
                "the snapshot was taken under other rules; restore it with the rules that it was taken with"
            )
        universe = Universe.from_description(header["universe"])
        live = cls(rules, universe, header["mode"], **header["options"], compiled=compiled)
        live._resume(header, arrays)
        return live

    def _resume(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.extra = header["extra"]
        if not header["size"]:
            return
        columns = {name: arrays[f"column_{name}"] for name in self._columns}
        self._refill(columns, header["pairs"], header["slots"], {order: slot for order, slot in header["strays"]})
        self._columns["twin"] = arrays["column_twin"]  # as the loop has left it
        self.blocks = [arrays["rows"]] if len(arrays["rows"]) else []
        self._begin(int(header["first"]))
        assert self._state is not None
        for name in self._state.arrays():
            if name.startswith("s") and name[1:].isdigit():
                self._state.rules[int(name[1:])] = arrays[f"state_{name}"]
            else:
                setattr(self._state, name, arrays[f"state_{name}"])
        self._make_room()
        self._extend()
