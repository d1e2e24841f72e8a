"""What a live engine has in memory: rules in force, journal, state, and room for what comes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from riskkit._check import InputError, one_of
from riskkit.replay.engine.compiler import ReplayLoop, Tier, fixed_arguments, rows_of_an_event, shape_of
from riskkit.replay.engine.in_force import shapes_of
from riskkit.replay.engine.samples import Samples
from riskkit.replay.engine.shape import Shape
from riskkit.replay.engine.state import Calendars, State, calendars, hold_fills
from riskkit.replay.engine.tiers import tier_of
from riskkit.replay.ingest.bounds import check_bounds, quantum_that_fits
from riskkit.replay.ingest.rows import Row
from riskkit.replay.kernels.records import Record, Records, copied, stacked
from riskkit.replay.kernels.runtime import DEFAULT_ORPHANS, ROW, Counter, Orphans
from riskkit.replay.live.compiled_step import HEAD, PLACE, Quick, can_step
from riskkit.replay.live.growth import Growth
from riskkit.replay.live.journal import STEP_EVENTS, Journal
from riskkit.replay.live.overflow import Reach
from riskkit.replay.live.running_digest import RunningDigest
from riskkit.replay.rules.currencies import refuse_live_currencies
from riskkit.replay.rules.history import RuleHistory, as_history
from riskkit.replay.rules.ruleset import RuleSet
from riskkit.replay.schema.columns import OPTIONAL, DecisionCode, EventKind
from riskkit.replay.schema.constants import DAY_NS
from riskkit.replay.schema.decimals import TOO_LARGE
from riskkit.replay.schema.universe import OutOfRange, Universe, decimal_text

YEARS_NS = 30 * 366 * DAY_NS  # trading days are resolved so far ahead
EVENTS = 1_000_000  # for which "auto" chooses a loop
STEP_ROWS = 4096  # decision rows that compiled steps may write before they are moved away
CAPACITY, WRITTEN = PLACE["capacity"], PLACE["written"]


class Past(NamedTuple):
    """Events that are not kept in memory, as columns with all names of a log, and their decision rows."""

    columns: dict[str, np.ndarray]
    rows: np.ndarray


def no_step(block: int, events: int, count: int) -> int:
    """Fallback where no compiled step is available."""
    return -1


class EngineTables:
    """Journal, state and loop of an engine, and its decision rows so far; parameters as in `riskkit.replay.live.engine.Engine`."""

    def __init__(
        self,
        rules: RuleSet | RuleHistory,
        universe: Universe,
        mode: str = "shadow",
        *,
        orphans: str = DEFAULT_ORPHANS,
        on_trip: str = "leave",
        compiled: Tier = True,
        events: int = EVENTS,
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
        self.events = events
        self._journal = Journal(universe)
        self._quick: Quick | None = None
        self.begun = -1  # number of events before those that a call has begun to take and not ended
        self._step_before: Quick | None = None  # of the same loop with other arguments
        self._step_at: Callable[[int, int, int], int] = no_step
        self._address = 0
        self.extra: dict[str, Any] = {}  # the ``extra`` of the snapshot that this was restored from
        self.blocks: list[np.ndarray] = []  # decision rows since `past`
        self.past: Callable[[], Past] | None = None  # reads the events that are not kept in memory, and their decisions
        self.answers = np.zeros(0, ROW)  # decision rows of the events that are carried over
        self._proof, self._hashed = RunningDigest(), (0, 0)  # and how many rows and decisions of the journal it has
        self._reach = Reach(universe)
        self.history, self._shapes, self.rules = history, list[Shape](), RuleSet([])
        self._params: list[Any] = []
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
        known = {id(rule): params for rule, params in zip(self.rules, self._params, strict=True)}
        self.history, self.rules = history, history.every
        self._params = [known[id(rule)] if id(rule) in known else rule.to_integers(universe) for rule in self.rules]
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
            tier = tier_of(self.compiled, history, self._shapes[-1], self.events)
            self._engine = ReplayLoop(self.rules, self._shapes[-1], compiled=tier)
            self._step_before = None
        self._growth = self._growth.under(self.rules, self._params)
        self._quick, self._step_at = None, no_step

    def go_on(self, state: State, blocks: list[np.ndarray]) -> None:
        """Continue with the state and the decision rows of another engine of the same journal."""
        self._state, self.blocks = state, [block for block in blocks if len(block)]
        if self._step_before is None or self.make_step() is None:
            self._extend()

    @property
    def params(self) -> list[Any]:
        """The parameters of the rules, as integers."""
        return self._params

    @property
    def reach(self) -> Reach:
        """The bound on amounts."""
        return self._reach

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

    def market(self, instrument: int) -> Record | None:
        """The record of an instrument's prices; None before the first event."""
        return (
            None if self._state is None else Records(self._state.instruments, 1)[instrument]
        )  # the first is the spare

    @property
    def arguments(self) -> list[Any]:
        """The arguments of the loop; another list once a table has moved."""
        return self._values

    @property
    def marked(self) -> bool:
        """True if positions are valued at every price: a rule needs it, or there are opening positions."""
        return self._engine.shape.marks

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

    def cover(self) -> None:
        """Give the bound on amounts to the instruments that the universe has gained."""
        if self._reach.cover(self._universe):
            self._point()

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

    def meet(self, account: int, instrument: int) -> int:
        """The pair of an account, which may be new, and an instrument; of a session with a compiled step."""
        assert self._state is not None
        pair, room = self._journal.pair(account, instrument), self._head[CAPACITY]
        self._head[CAPACITY] = 0  # as in `make_room`
        if not room or self._growth.meet(self._state):
            self._extend()
        else:
            self._head[CAPACITY] = room
        return pair

    def since(self, number: int) -> np.ndarray:
        """The decision rows of the events from `number` on."""
        self._keep_rows()
        found = [np.zeros(0, ROW)]
        for block in reversed(self.blocks):
            if len(block) and block["seq"][-1] < number:
                break
            found.append(block[np.searchsorted(block["seq"], number) :])
        return stacked(found[::-1])

    def last(self, count: int) -> np.ndarray:
        """The last `count` decision rows."""
        written = int(self._journal.head[PLACE["written"]])
        if count <= written:  # by compiled steps
            return self._numbered(self._rows[written - count : written])
        rows = self._decisions()
        return rows[len(rows) - count :]

    def last_row(self) -> bytes:
        """The decision row that the compiled step wrote last."""
        row: bytes = self._row_at(self._head[WRITTEN] - 1)
        if not self._journal.shift:
            return row
        return struct.pack("=q", struct.unpack_from("=q", row)[0] + self._journal.shift) + row[8:]

    def decisions_on(self, number: int) -> np.ndarray:
        """The decision rows of an event that is kept in memory."""
        rows = stacked([self.answers, self._decisions()])
        return rows[rows["seq"] == number]

    def _keep_rows(self) -> None:
        """Move the decision rows of compiled steps to `blocks`."""
        written = int(self._journal.head[PLACE["written"]])
        if written:
            rows = self._numbered(self._rows[:written])
            moved = self.blocks and self.blocks[-1]["seq"][-1] == rows["seq"][-1]  # before an interrupt
            self.blocks += [] if moved else [rows]
            self._journal.head[PLACE["written"]] = 0

    def _decisions(self) -> np.ndarray:
        self._keep_rows()
        if len(self.blocks) > 1:
            self.blocks = [stacked(self.blocks)]
        return self.blocks[0] if self.blocks else np.zeros(0, ROW)

    def _numbered(self, rows: np.ndarray) -> np.ndarray:
        """A copy of decision rows with the numbers of their events instead of places in the columns."""
        rows = copied(rows)
        if not self._journal.shift:  # places are numbers
            return rows
        rows["seq"] += self._journal.shift
        named = np.isin(rows["code"], (DecisionCode.CANCELLED, DecisionCode.DECREMENTED, DecisionCode.ORDER_BREAK))
        rows["observed"][named] = self._journal.numbers(rows["observed"][named])
        return rows

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
        hold_fills(state, 2 * len(journal.columns["ts"]) + len(state.positions))
        room = rows_of_an_event(state, self._engine.shape)
        state.counts[Counter.ROOM] = room
        self._keep_rows()
        rows = 2 * room + (8 if self._quick is None else STEP_ROWS)
        if len(self._rows) != rows:
            self._rows = np.zeros(rows, ROW)
        self._row_at = self._rows.view(f"V{ROW.itemsize}").item  # the bytes of a row
        fixed = fixed_arguments(self.rules, self._params, found, Samples.none(1), self._universe)
        self._values = self._engine.arguments(state, journal.columns, fixed, self._rows)
        self._point()

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

    def from_event(self, number: int) -> Past:
        """The events from a number on and their decision rows, also those that are not kept in memory."""
        journal, rows = self._journal, self.since(number)
        if number >= journal.shift + len(journal.carried):
            return Past(journal.since(number - journal.shift), rows)
        past, present = self._past(), journal.since(len(journal.carried))
        assert past is not None
        columns = {name: np.concatenate([past.columns[name][number:], column]) for name, column in present.items()}
        return Past(columns, stacked([past.rows[np.searchsorted(past.rows["seq"], number) :], rows]))

    def _past(self) -> Past | None:
        """The events before those that the journal has after its carried ones; None if there are none."""
        if not self._journal.begins_late:
            return None
        if self.past is None:
            raise InputError(
                "the events before are in the folder of the session; open that with Session.open or open_journal"
            )
        return self.past()
