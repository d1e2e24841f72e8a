"""The same loop, one event at a time: a live session with its journal, its snapshots, and the replay's digest.

A `LiveEngine` appends every event to a journal of the columns that a log has and lets the loop take one step over
it. So what it decides is what a replay of `LiveEngine.log` decides, to the bit, and a test says so.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.columns import MISSING, OPTIONAL, REQUIRED, Flag, Kind
from riskkit.replay.digest import SEMANTICS
from riskkit.replay.engine import TWIN_FIELDS, Engine, fixed_arguments, shape_of
from riskkit.replay.events import EventLog
from riskkit.replay.result import Result
from riskkit.replay.ruleset import RuleSet
from riskkit.replay.state import Calendars, State, calendars, grow, new_state
from riskkit.replay.steps import ROW, Counter, Orphans
from riskkit.replay.universe import Account, Instrument, Universe

__all__ = ["LiveEngine"]

YEARS_NS = 30 * 366 * 86_400_000_000_000  # how far ahead trading days are resolved
DEFAULTS = {**dict.fromkeys(REQUIRED, 0), "price": MISSING, **{name: absent for name, (_, absent) in OPTIONAL.items()}}
DEFAULTS |= {"account": -1, "instrument": -1, "pair": -1, "order": -1}
DTYPES = {**REQUIRED, **{name: dtype for name, (dtype, _) in OPTIONAL.items()}}


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
        self.size = 0
        self.blocks: list[np.ndarray] = []
        self._pairs = {pair: place for place, pair in enumerate(universe.opening_pairs())}
        self._slots: dict[int, int] = {}
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
        for name in fields:
            if name not in DEFAULTS or name == "pair":
                raise InputError(f"field {name!r} is not one of an event's; they are {', '.join(sorted(DEFAULTS))}")
        return self._take([{**DEFAULTS, **fields, "ts": ts, "kind": int(kind)}])

    def feed(self, log: EventLog, start: int = 0, stop: int | None = None) -> None:
        """Push the events [start, stop) of a log of the same universe, one at a time (a list of orders is one)."""
        columns = {name: log.columns[name] for name in DTYPES if name in log.columns}
        stop = len(log) if stop is None else stop
        batch = columns.get("batch", np.full(len(log), -1))
        row = start
        while row < stop:
            end = row + 1
            while end < stop and batch[row] >= 0 and batch[end] == batch[row]:
                end += 1
            self._take(
                [
                    {**DEFAULTS, **{name: int(column[place]) for name, column in columns.items()}}
                    for place in range(row, end)
                ]
            )
            row = end

    def _take(self, events: list[dict[str, int]]) -> np.ndarray:
        """Write an event, or the orders of one list, into the journal and take the step."""
        first = self.size
        for place, event in enumerate(events, first):
            self._check(event, place)
        for event in events:
            self._write(event)
        assert self._state is not None
        found: list[np.ndarray] = []
        place = first
        while place < self.size:
            if self._engine.make_room(self._state):
                self._extend()
            place, used = self._engine.run(place, self.size, *self._values)
            found.append(self._rows[: int(used)].copy())
        rows = np.concatenate(found)
        if len(rows):
            self.blocks.append(rows)
        return rows

    def _check(self, event: dict[str, int], place: int) -> None:
        account, instrument = event["account"], event["instrument"]
        if not -1 <= account < len(self.universe.accounts):
            raise InputError(
                f"account={account!r} is not a code of this universe (0 to {len(self.universe.accounts) - 1})"
            )
        if not -1 <= instrument < len(self.universe.instruments):
            raise InputError(f"instrument={instrument!r} is not a code of this universe")
        if not -1 <= event["order"] <= place:
            raise InputError(f"order={event['order']!r} is not the number of an event so far (0 to {place})")

    def _write(self, event: dict[str, int]) -> None:
        if self._state is None:
            self._begin(event["ts"])
        assert self._state is not None
        changed = self._make_room()
        event["pair"] = self._pair(event["account"], event["instrument"])
        event["slots"], event["twin"] = self._slot(event["order"]), self._twin(event, self.size)
        if changed or len(self._state.positions) <= len(self._pairs) or len(self._state.orders) <= len(self._slots):
            self._extend()
        place = self.size
        for name, column in self._columns.items():
            column[place] = event[name]
        self.size += 1

    def _begin(self, ts: int) -> None:
        """Start the books when the first event says what time it is."""
        self._found = calendars(self.rules, ts, ts + YEARS_NS)
        pairs = np.array(list(self._pairs), np.int32).reshape(-1, 2)
        self._state = new_state(self.universe, pairs[:, 0], pairs[:, 1], self.rules, self._params, self._found, 0)
        self._state.counts[Counter.ORPHAN_POLICY] = Orphans[self.options["orphans"].upper()]

    def _pair(self, account: int, instrument: int) -> int:
        if account < 0 or instrument < 0:
            return -1
        return self._pairs.setdefault((account, instrument), len(self._pairs))

    def _slot(self, order: int) -> int:
        return -1 if order < 0 else self._slots.setdefault(order, len(self._slots))

    def _twin(self, event: dict[str, int], place: int) -> int:
        """The order before this one that is its like; see `riskkit.replay.engine.find_twins`."""
        if event["kind"] != Kind.ORDER or event["flags"] & Flag.BAD_TS:
            return -1
        like = (*(event[name] for name in TWIN_FIELDS), event["flags"] & Flag.BAD_PRICE)
        before = self._likes.get(like, -1)
        self._likes[like] = place
        return before

    def _make_room(self) -> bool:
        """Double the journal when it is full."""
        room = len(self._columns["ts"])
        if self.size < room:
            return False
        for name, column in self._columns.items():
            larger = np.full(max(1024, 2 * room), DEFAULTS.get(name, 0), column.dtype)
            larger[:room] = column
            self._columns[name] = larger
        return True

    def _extend(self) -> None:
        """Make records for new pairs and orders, and take the arrays' new places."""
        state, found = self._state, self._found
        assert state is not None and found is not None
        pairs = np.array(list(self._pairs), np.int32).reshape(-1, 2)
        grow(state, self.universe, pairs[:, 0], pairs[:, 1], self.rules, self._params, len(self._slots))
        most = sum(map(len, state.rules)) + 8 + 2 * len(state.rules)
        state.counts[Counter.ROOM] = most
        self._rows = np.zeros(2 * most + 8, ROW)
        nothing = np.zeros(0, np.int64)
        fixed = fixed_arguments(self.rules, self._params, found, nothing, nothing.reshape(0, 1))
        self._values = self._engine.arguments(state, self._columns, fixed, self._rows)

    # ------------------------------------------------------------------ looking back

    def log(self) -> EventLog:
        """The journal as an event log; replaying it gives this session's digest."""
        columns = {}
        for name in DTYPES:
            column = self._columns[name][: self.size].copy()
            if name in REQUIRED or (column != OPTIONAL[name][1]).any():
                columns[name] = column
        pairs = np.array(list(self._pairs), np.int32).reshape(-1, 2)
        return EventLog(columns, pairs[:, 0], pairs[:, 1], self.universe)

    def result(self) -> Result:
        """Everything decided so far, as a replay would give it."""
        log = self.log()
        ts = log.columns["ts"]
        first, last = (int(ts.min()), int(ts.max())) if len(log) else (0, 0)
        found = calendars(self.rules, first, last)
        state = self._state
        if state is None:
            none = np.zeros(0, np.int32)
            state = new_state(self.universe, none, none, self.rules, self._params, found, 0)
        rows = np.concatenate(self.blocks) if self.blocks else np.zeros(0, ROW)
        nothing = np.zeros((0, len(self.universe.accounts)), np.int64)
        return Result(log, self.rules, self.mode, self.options, rows, state.copy(), found, nothing[:, 0], nothing)

    @property
    def digest(self) -> str:
        """The digest that a replay of `log` has."""
        return self.result().digest

    # ------------------------------------------------------------------ snapshots

    def snapshot(self) -> bytes:
        """The whole session as bytes: state, journal, decisions, with a checksum and the hash of its rules.

        No pickle: arrays as .npy, the rest as JSON. `restore` goes on from it to the same digest.
        """
        header = {
            "semantics": SEMANTICS,
            "rules": self.rules.hash.hex(),
            "universe": self.universe.describe(),
            "mode": self.mode,
            "options": self.options,
            "size": self.size,
            "pairs": list(map(list, self._pairs)),
            "slots": list(self._slots),
            "zones": [list(zone) for zone in self._found.zones] if self._found else [],
            "first": int(self._columns["ts"][0]) if self.size else 0,
        }
        arrays = {f"column_{name}": column[: self.size] for name, column in self._columns.items()}
        arrays["rows"] = np.concatenate(self.blocks) if self.blocks else np.zeros(0, ROW)
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
        if not header["size"]:
            return
        self.size = int(header["size"])
        self._columns = {name: arrays[f"column_{name}"] for name in self._columns}
        self.blocks = [arrays["rows"]] if len(arrays["rows"]) else []
        self._pairs = {(a, i): pair for pair, (a, i) in enumerate(header["pairs"])}
        self._slots = {order: slot for slot, order in enumerate(header["slots"])}
        known = {name: self._columns[name].tolist() for name in (*TWIN_FIELDS, "kind", "flags")}
        self._likes = {}
        for place in range(self.size):
            self._twin({name: values[place] for name, values in known.items()}, place)
        self._begin(int(header["first"]))
        assert self._state is not None
        for name in self._state.arrays():
            if name.startswith("s") and name[1:].isdigit():
                self._state.rules[int(name[1:])] = arrays[f"state_{name}"]
            else:
                setattr(self._state, name, arrays[f"state_{name}"])
        self._make_room()
        self._extend()


def universe_of(instruments: Sequence[Instrument], accounts: Iterable[Account | str], quantum: Any) -> Universe:
    """A universe for a session without a log."""
    from riskkit.replay.universe import exact

    declared = tuple(a if isinstance(a, Account) else Account(a) for a in accounts)
    currencies = dict.fromkeys(i.currency for i in instruments)
    return Universe(tuple(instruments), declared, dict.fromkeys(currencies, exact(quantum, "quantum")))
