"""The replay loop, one event at a time: a live engine with its journal, its snapshots and the digest of a replay.

An `Engine` appends every event to its journal, which has the columns of a log, and runs the loop over the new rows.
So it decides as a replay of `Engine.log` does, to the bit (tested).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.engine.compiler import ReplayLoop, Tier, fixed_arguments, shape_of
from riskkit.replay.engine.in_force import feed_parts, parts_of, shapes_of
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.shape import Shape
from riskkit.replay.engine.state import Calendars, State, calendars, hold_fills
from riskkit.replay.engine.tiers import tier_of
from riskkit.replay.ingest.bounds import check_bounds, quantum_that_fits
from riskkit.replay.ingest.event import DEFAULTS, DTYPES, Row, check_order, check_row, row_of
from riskkit.replay.kernels.runtime import DEFAULT_ORPHANS, ROW, Counter, Orphans
from riskkit.replay.live.compaction import Horizon, Parts, compacted
from riskkit.replay.live.compiled_step import HEAD, PLACE, WORDS, Prepared, Quick, can_step
from riskkit.replay.live.engine_snapshot import pack, unpack
from riskkit.replay.live.growth import Growth
from riskkit.replay.live.journal import ORDER, STEP_EVENTS, Journal, duplicate_fields
from riskkit.replay.live.open_universe import OpenUniverse
from riskkit.replay.live.overflow import Reach
from riskkit.replay.live.running_digest import RunningDigest
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.results.result import ReplayResult
from riskkit.replay.results.what_if import Explainer
from riskkit.replay.rules.currencies import refuse_live_currencies, refuse_live_money
from riskkit.replay.rules.history import RuleHistory, as_history
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import OPTIONAL, EventKind, RowFlag
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.decimals import TOO_LARGE
from riskkit.replay.schema.universe import OutOfRange, Universe, decimal_text

YEARS_NS = 30 * 366 * DAY_NS  # trading days are resolved so far ahead
BAD_TS = int(RowFlag.BAD_TS)
FLATTEN = int(RowFlag.FLATTEN)
EVENTS = 1_000_000  # for which "auto" chooses a loop
STEP_ROWS = 4096  # decision rows that compiled steps may write before they are moved away


class Past(NamedTuple):
    """Events that are not kept in memory, as columns with all names of a log, and their decision rows."""

    columns: dict[str, np.ndarray]
    rows: np.ndarray


def _no_step(block: int, events: int, count: int) -> int:
    """Fallback where no compiled step is available."""
    return -1


class Engine:
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
    >>> from riskkit.replay.schema.universe import Account, Instrument
    >>> rules = RuleSet([Rule("rate", OrderRate(limit=1, window_ns=1_000))])
    >>> universe = Universe((Instrument("X"),), (Account("A"),), {"USD": Instrument("X").tick})
    >>> live = Engine(rules, universe, compiled=False)
    >>> [len(live.push(ts, EventKind.ORDER, account=0, instrument=0, side=1, qty=1, price=100)) for ts in (0, 999, 1000)]
    [0, 1, 0]
    """

    def __init__(
        self,
        rules: RuleSet | RuleHistory,
        universe: Universe,
        mode: str = "shadow",
        *,
        orphans: str = DEFAULT_ORPHANS,
        on_trip: str = "leave",
        compiled: Tier = True,
    ) -> None:
        one_of(mode, ("shadow", "enforce"), "mode")
        one_of(orphans, ("keep", "clip", "drop"), "orphans")
        one_of(on_trip, ("leave", "cancel_working"), "on_trip")
        history = as_history(rules)
        refuse_live_currencies(history.every, universe)
        self._universe = universe  # one that gains labels, of a session
        self.mode = mode
        self.options = {"orphans": orphans, "on_trip": on_trip}
        self.compiled = compiled
        self._journal = Journal(universe)
        self._quick: Quick | None = None
        self._step_before: Quick | None = None  # of the same loop with other arguments
        self._step_at: Callable[[int, int, int], int] = _no_step
        self._address = 0
        self.extra: dict[str, Any] = {}  # the ``extra`` of the snapshot that this was restored from
        self.blocks: list[np.ndarray] = []  # decision rows since `past`
        self.past: Callable[[], Past] | None = None  # reads the events that are not kept in memory, and their decisions
        self.answers = np.zeros(0, ROW)  # decision rows of the events that are carried over
        self._proof, self._hashed = RunningDigest(), (0, 0)  # and how many rows and decisions of the journal it has
        self._reach = Reach(universe)
        self.history, self._shapes = history, list[Shape]()
        self._growth = Growth(history.every, [], universe, self._journal.pairs)
        self.take_rules(history)
        self._state: State | None = None
        self._found: Calendars | None = None
        self._first = 0  # time of the first event
        self._rows = np.zeros(0, ROW)
        self._values: list[Any] = []
        self._check_bounds([])

    def take_rules(self, history: RuleHistory) -> None:
        """Judge by the rules that are in force at the end of a history; `go_on` gives their state."""
        universe, before = self._universe, self.history.stretches[-1] if self._shapes else None
        self.history, self.rules = history, history.every
        self._params = [rule.to_integers(universe) for rule in self.rules]
        if before is not None and before.same_text(history.stretches[-1]):
            self._shapes = [*self._shapes, self._shapes[-1]]
            self._step_before = self._quick or self._step_before
        else:
            shape_for = partial(
                shape_of,
                columns={"kind": np.array([int(kind) for kind in EventKind]), **{name: None for name in OPTIONAL}},
                enforce=self.mode == "enforce",
                sampled=False,
                cancels=self.options["on_trip"] == "cancel_working",
                opened=any(account.positions for account in universe.accounts),
            )
            self._shapes = shapes_of(history, shape_for)
            tier = tier_of(self.compiled, history, self._shapes[-1], EVENTS)
            self._engine = ReplayLoop(self.rules, self._shapes[-1], compiled=tier)
            self._step_before = None
        self._growth = self._growth.under(self.rules, self._params)
        self._quick, self._step_at = None, _no_step

    def go_on(self, state: State, blocks: list[np.ndarray]) -> None:
        """Continue with the state and the decision rows of another engine of the same journal."""
        self._state, self.blocks = state, blocks
        self._extend()

    @property
    def zones(self) -> set[tuple[str, int]]:
        """Time zones and roll hours of the days that are known."""
        return set(self._found.zones) if self._found is not None else set()

    @property
    def growth(self) -> Growth:
        """The room in the tables."""
        return self._growth

    @property
    def loop(self) -> ReplayLoop:
        """The loop of the rules in force."""
        return self._engine

    @property
    def universe(self) -> Universe:
        """The labels and units as they are now; the same object until a label is added."""
        return self._universe.frozen

    @property
    def labels(self) -> Universe:
        """The labels and units, with those to come."""
        return self._universe

    def follows(self) -> bool:
        """True if the labels that the universe has gained come in without a replay; else `widened` takes them."""
        return self._growth.follows()

    @property
    def size(self) -> int:
        """Number of events so far."""
        return len(self._journal) + self._journal.shift

    @property
    def latest(self) -> int:
        """Time of the last event that was not late; `riskkit.replay.schema.columns.MISSING` before the first."""
        return self._journal.latest

    @property
    def journal(self) -> Journal:
        """The events so far."""
        return self._journal

    @property
    def finds_duplicates(self) -> bool:
        """True if a rule asks for identical orders."""
        return self._engine.shape.duplicates

    # ------------------------------------------------------------------ events

    def push(self, ts: int, kind: EventKind, **fields: int) -> np.ndarray:
        """Take one event of integer codes and return its decision rows (none: it passed).

        Parameters
        ----------
        ts : int
            Nanoseconds since the epoch, not below that of the previous event (an earlier event with the flag BAD_TS is
            counted and changes nothing).
        kind : Kind
            Kind of event.
        **fields : int
            ``account``, ``instrument``, ``side``, ``qty`` (lots), ``price`` (ticks), ``order`` (the event number of
            the order; for a new order to be referred to later its own, ``engine.size``; for orders from before the
            session -2, -3, ...) and the optional columns.

        Raises
        ------
        InputError
            If a field is unknown or a code is out of range.
        """
        return self.take([row_of(ts, kind, fields)])

    def prepare(self, ts: int, kind: EventKind, *, named: bool = False, **fields: int) -> Prepared:
        """Check one event of integer codes and store it for `submit`, which may take it once or more often.

        Parameters
        ----------
        ts, kind, **fields : int
            As in `push`; a list of orders cannot be prepared.
        named : bool
            True for an order that later events refer to, by the event number that it gets when it is taken.
        """
        row = row_of(ts, kind, fields)
        if row["batch"] >= 0:
            raise InputError(f"batch={row['batch']!r}: a list of orders is taken in one call of push or feed")
        self._check_event(row)
        row["pair"] = self._journal.pair(row["account"], row["instrument"])
        if self._state is not None:
            self.make_room(0)
        return Prepared(row, named)

    def submit(self, event: Prepared) -> int:
        """Take a prepared event and return its number of decision rows (0: it passed); `last` returns them."""
        identical = None
        if self._journal.shift:  # the numbers in the event are no places
            return self._submit_slowly(event)
        if self._engine.shape.duplicates and event.words[WORDS["kind"]] == ORDER:
            identical = duplicate_fields(event.row(self.size))
            event.words[WORDS["prev_duplicate"]] = self._journal.last_like.get(identical, -1)
        used = self._step_at(self._address, event.address, 1)
        if used < 0:
            return self._submit_slowly(event)
        if identical is not None:
            self._journal.last_like[identical] = len(self._journal) - 1
        return used

    def since(self, number: int) -> np.ndarray:
        """The decision rows of the events from `number` on."""
        self._keep_rows()
        found = [np.zeros(0, ROW)]
        for block in reversed(self.blocks):
            if len(block) and block["seq"][-1] < number:
                break
            found.append(block[np.searchsorted(block["seq"], number) :])
        return np.concatenate(found[::-1])

    def last_row(self) -> bytes:
        """The decision row that the compiled step wrote last."""
        end = ROW.itemsize * self._head[PLACE["written"]]
        row = bytes(self._row_bytes[end - ROW.itemsize : end])
        if not self._journal.shift:
            return row
        return struct.pack("=q", struct.unpack_from("=q", row)[0] + self._journal.shift) + row[8:]

    def last(self, count: int) -> np.ndarray:
        """The last `count` decision rows."""
        written = int(self._journal.head[PLACE["written"]])
        if count <= written:  # by compiled steps
            return self._numbered(self._rows[written - count : written])
        rows = self._decisions()
        return rows[len(rows) - count :]

    def _submit_slowly(self, event: Prepared) -> int:
        """Take a prepared event without a compiled step, and compile one for the next."""
        rows = self.take([event.row(self.size)])
        self.make_step()
        return len(rows)

    def make_step(self) -> Quick | None:
        """The compiled step, compiled once there is a state; None if there can be none."""
        if self._quick is None and self._state is not None and can_step(self._engine, self._values):
            again = self._step_before
            self._quick = Quick(self._engine, self._values) if again is None else again.again()
            self._quick.block[: len(HEAD)] = self._journal.head
            self._journal.head = self._quick.block[: len(HEAD)]
            self._journal.stepped = True
            self._head = self._journal.head.data
            self._extend()
        return self._quick

    def _keep_rows(self) -> None:
        """Move the decision rows of compiled steps to `blocks`."""
        written = int(self._journal.head[PLACE["written"]])
        if written:
            rows = self._numbered(self._rows[:written])
            moved = self.blocks and self.blocks[-1]["seq"][-1] == rows["seq"][-1]  # before an interrupt
            self.blocks += [] if moved else [rows]
            self._journal.head[PLACE["written"]] = 0

    def _point(self) -> None:
        """Give the compiled step the addresses of all arrays."""
        if self._quick is None:
            return
        assert self._state is not None
        head, columns = self._journal.head, self._journal.columns
        head[PLACE["slot_capacity"]] = len(self._state.orders) - 1
        for name, array in (("reach", self._reach.words), ("slots_at", columns["slots"])):
            head[PLACE[name]] = array.ctypes.data
        self._quick.point_to(self._values)
        self._step_at, self._address = self._quick.step, self._quick.address
        head[PLACE["capacity"]] = len(columns["ts"])

    def feed(self, log: EventLog, start: int = 0, stop: int | None = None) -> None:
        """Push the events [start, stop) of a log of the same universe one at a time (a list of orders in one call).

        Raises
        ------
        InputError
            If `start` or `stop` would split a list of orders; nothing is taken.
        """
        columns = {name: log.columns[name] for name in DTYPES if name in log.columns}
        stop = len(log) if stop is None else stop
        batch = columns.get("batch", np.full(len(log), -1))
        for name, cut in (("start", start), ("stop", stop)):
            if 0 < cut < len(log) and batch[cut] >= 0 and batch[cut] == batch[cut - 1]:
                raise InputError(f"{name}={cut!r} splits the list of orders that begins at event {batch[cut]}")
        row = start
        while row < stop:
            end = row + 1
            while end < stop and batch[row] >= 0 and batch[end] == batch[row]:
                end += 1
            rows = range(row, end)
            self.take([{**DEFAULTS, **{name: int(column[at]) for name, column in columns.items()}} for at in rows])
            row = end

    def take(self, events: list[Row]) -> np.ndarray:
        """Append rows of integer codes to the journal, all or none, and return their decision rows.

        Each row is a dict with a value for each of ``DEFAULTS``; the orders of a list must be in one call.
        """
        first = self.size
        for row, event in enumerate(events, first):
            self._check_event(event)
            check_order(event, row, self.latest, first)
        if self._reach.cover(self._universe):
            self._point()
        if not self._journal.shift:
            return self._take(events)
        placed = [self._journal.placed(event) for event in events]
        rows = self._take(placed)
        for event, one in zip(events, placed, strict=True):
            event["pair"] = one["pair"]
        return rows

    def _take(self, events: list[Row]) -> np.ndarray:
        """Append checked rows, whose numbers of rows are places."""
        first = self.size
        found = self._take_at_once(events)
        rest = events[self.size - first :]
        if not rest:
            return found
        weight = self._reach.weigh(rest)
        if not weight.fits:
            self._check_bounds(rest)
        self._reach.take(weight)
        start = len(self._journal)
        for event in rest:
            self._write(event)
            if not event["flags"] & BAD_TS:
                self._journal.latest = event["ts"]
        self._keep_rows()
        rows = self._run(start)
        if len(rows):
            self.blocks.append(rows)
        return np.concatenate([found, rows])

    def _take_at_once(self, events: list[Row]) -> np.ndarray:
        """Take the events, or the first of them, by the compiled step, which no signal interrupts; return their rows."""
        if self._quick is None or any(event["flags"] & BAD_TS for event in events):
            return self._rows[:0]
        journal, first = self._journal, len(self._journal)
        latest: dict[tuple[int, ...], int] = {}
        prepared = []
        for row, event in enumerate(events, first):
            event["pair"] = journal.pair(event["account"], event["instrument"])
            if self.finds_duplicates and event["kind"] == ORDER:
                identical = duplicate_fields(event)
                event["prev_duplicate"] = latest.get(identical, journal.last_like.get(identical, -1))
                latest[identical] = row
            prepared.append(Prepared(event, event["order"] == row).words)
        self.make_room(len(events))
        start = int(journal.head[PLACE["written"]])
        words = np.concatenate(prepared)
        used = self._step_at(self._address, words.ctypes.data, len(events))
        journal.last_like |= {identical: row for identical, row in latest.items() if row < len(journal)}
        return self._numbered(self._rows[start : start + max(used, 0)])

    def make_room(self, events: int) -> None:
        """Make room in all tables for so many events, and for the pairs that are known."""
        assert self._state is not None
        journal, state = self._journal, self._state
        room = int(journal.head[PLACE["capacity"]])
        journal.head[PLACE["capacity"]] = 0  # a step takes nothing if an interrupt leaves it with old addresses
        moved = (
            journal.make_room(events),
            self._engine.make_room(state),
            self._growth.admit(state, journal.slots + events),
        )
        if any(moved) or not room:
            self._extend()
        elif len(self._rows) - journal.head[PLACE["written"]] <= state.counts[Counter.ROOM]:
            self._keep_rows()
        journal.head[PLACE["capacity"]] = len(journal.columns["ts"])

    def _check_event(self, event: Row) -> None:
        """Refuse an event of unknown codes, fills of a flattening, and money in a currency that a rule cannot add."""
        check_row(event, self._universe)
        if event["flags"] & FLATTEN:
            raise InputError(
                "the event is a fill that on_trip='flatten' made, which a live engine does not know; feed it the recorded log"
            )
        refuse_live_money(event, self.rules, self._universe)

    def _run(self, first: int) -> np.ndarray:
        """Run the loop over the journal from `first` on; return the decision rows."""
        assert self._state is not None
        found: list[np.ndarray] = []
        row = first
        while row < len(self._journal):
            if self._engine.make_room(self._state):
                self._extend()
            row, used = self._engine.run(row, len(self._journal), *self._values)
            found.append(self._numbered(self._rows[: int(used)]))
        return np.concatenate(found)

    def _numbered(self, rows: np.ndarray) -> np.ndarray:
        """A copy of decision rows with the numbers of their events instead of places in the columns."""
        rows = rows.copy()
        rows["seq"] += self._journal.shift
        return rows

    def _check_bounds(self, events: list[Row]) -> None:
        """Refuse the events if the journal with them could overflow 64 bits."""
        if self._journal.shift:
            raise InputError(
                "the amounts of this session, added up without sign since it began, could overflow 64 bits with this "
                "event; begin a new session with the present positions"
            )
        columns, accounts, instruments = self._journal.with_events(events)
        try:
            check_bounds(columns, self.universe, accounts, instruments)
        except OutOfRange as problem:
            unit = quantum_that_fits(columns, self.universe, accounts, instruments)
            fits = f"quantum={decimal_text(unit)!r} fits, with rounding='nearest'" if unit is not None else TOO_LARGE
            raise InputError(f"{problem}; {fits}") from None

    def _write(self, event: Row) -> None:
        if self._state is None:
            self._begin(event["ts"])
        assert self._state is not None
        journal = self._journal
        journal.derive(event)
        self.make_room(1)
        journal.append(event)

    def _begin(self, ts: int) -> None:
        """Create the state at the time of the first event."""
        self._first = ts
        self._found = calendars(self.history.versions(), ts, ts + YEARS_NS)
        self._state = self._growth.opened(self._found)
        self._state.counts[Counter.ORPHAN_POLICY] = Orphans[self.options["orphans"].upper()]

    def _extend(self) -> None:
        """Make room for orders, fills and decisions, and collect the loop's arguments again."""
        state, found, journal = self._state, self._found, self._journal
        assert state is not None and found is not None
        slots = journal.slots if self._quick is None else max(journal.slots + 1, STEP_EVENTS // 2)
        self._growth.admit(state, slots)
        hold_fills(state, len(journal.columns["ts"]))
        room = sum(map(len, state.rules)) + 8 + 2 * len(state.rules)
        state.counts[Counter.ROOM] = room
        self._keep_rows()
        self._rows = np.zeros(2 * room + (8 if self._quick is None else STEP_ROWS), ROW)
        self._row_bytes = self._rows.view(np.uint8).data
        fixed = fixed_arguments(self.rules, self._params, found, Samples.none(1), self._universe.currencies)
        self._values = self._engine.arguments(state, journal.columns, fixed, self._rows)
        self._point()

    def widened(self, universe: Universe, history: RuleHistory | None = None) -> Engine:
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
        wider = Engine(history or self.history, universe, self.mode, **self.options, compiled=self.compiled)
        journal = self._journal
        columns = {name: column[: self.size].copy() for name, column in journal.columns.items()}
        wider._refill(columns, list(journal.pairs), journal.slots, journal.strays)
        wider._replay_again()  # observed values may have other units now
        wider.extra = self.extra
        return wider

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
        none = Samples.none(len(universe.accounts))
        parts = parts_of(self.history, self._shapes, universe, self._found, none, self.compiled)
        self.blocks = list(feed_parts(parts, self._state, journal.columns, universe, 0, self.size, through=True))
        self._extend()

    def _refill(self, columns: dict[str, np.ndarray], pairs: list[Any], slots: int, strays: dict[int, int]) -> None:
        """Take over another journal, with its bound on amounts."""
        self._journal.refill(columns, pairs, slots, strays)
        weight = self._reach.weigh(row for _, row in self._journal.rows())
        if not weight.fits:
            self._check_bounds([])
        self._reach.take(weight)

    # ------------------------------------------------------------------ results

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

    def _decisions(self) -> np.ndarray:
        self._keep_rows()
        if len(self.blocks) > 1:
            self.blocks = [np.concatenate(self.blocks)]
        return self.blocks[0] if self.blocks else np.zeros(0, ROW)

    def _past(self) -> Past | None:
        """The events before those that the journal has after its carried ones; None if there are none."""
        if not self._journal.begins_late:
            return None
        if self.past is None:
            raise InputError(
                "the events before are in the folder of the session; open that with Session.open or open_journal"
            )
        return self.past()

    def decisions_on(self, number: int) -> np.ndarray:
        """The decision rows of an event that is kept in memory."""
        rows = np.concatenate([self.answers, self._decisions()])
        return rows[rows["seq"] == number]

    @property
    def state(self) -> State:
        """The present state of all books, without spare records; before the first event, the opening state."""
        state = self._state
        if state is None:
            state = self._growth.opened(calendars(self.history.versions(), 0, 0))
        return self._growth.named(state)

    @property
    def tables(self) -> State:
        """The present state with its spare records, after the first event."""
        assert self._state is not None
        return self._state

    def result(self) -> ReplayResult:
        """All decisions so far, as the result of a replay."""
        log = self.log()
        ts = log.columns["ts"]
        first, last = (int(ts.min()), int(ts.max())) if len(log) else (0, 0)
        found = calendars(self.history.versions(), first, last)
        rows = self._decisions()
        past = self._past()
        if past:
            rows = np.concatenate([past.rows, rows])
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
    def marked(self) -> bool:
        """True if positions are valued at every price: a rule needs it, or there are opening positions."""
        return self._engine.shape.marks

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

    # ------------------------------------------------------------------ snapshots

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
        live._resume(Parts(header, arrays))
        return live

    def compact(self, ids_ns: int) -> Past:
        """Forget what later events cannot refer to (`riskkit.replay.live.compaction`); return all since the last time.

        `past` must return them from then on.

        Parameters
        ----------
        ids_ns : int
            Age up to which orders that are done, and fills, are known.
        """
        moved = Past(self._journal.since(len(self._journal.carried)), self._decisions())
        if self._state is not None:
            pairs = zip(self.rules, self._params, strict=True)
            windows = [params.window_ns for rule, params in pairs if "duplicates" in rule.kind.requires]
            own = [group for group in self._engine.shape.groups if group.own]
            self._resume(compacted(self.parts(), Horizon(ids_ns, max(windows, default=0)), own))
        return moved

    def _resume(self, parts: Parts) -> None:
        header, arrays = parts
        if not header["size"] + header["shift"]:
            return
        columns = {name: arrays[f"column_{name}"] for name in self._journal.columns}
        self._journal.refill(columns, header["pairs"], header["slots"], dict(header["strays"]))
        self._journal.columns["prev_duplicate"] = arrays["column_prev_duplicate"]  # with the changes of the loop
        self._journal.carry(arrays["carried"], header["shift"])
        self._journal.latest = header["latest"]
        self._reach.words = arrays["reach"]
        self.blocks = [arrays["rows"]] if len(arrays["rows"]) else []
        self.answers = arrays["answers"]
        self._proof = RunningDigest.of_parts(header["proof"], arrays)
        self._hashed = header["size"], len(arrays["rows"])
        if self._state is None:
            self._begin(header["first"])
        assert self._state is not None
        for name in self._state.arrays():
            self._state.put(name, arrays[f"state_{name}"])
        self._state.counts[Counter.SLOTS] = len(self._state.orders) - 1
        self._growth.note(self._state, header["capacity"])
        self._journal.make_room(1)
        self._extend()
