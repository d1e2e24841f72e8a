"""The journal of a live session: its events in growing columns, with the columns that the loop derives from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from copy import copy
from typing import Any

import numpy as np

from riskkit._check import InputError
from riskkit.replay.engine.order_columns import DUPLICATE_FIELDS, DUPLICATE_FLAGS, find_duplicates
from riskkit.replay.ingest.rows import DEFAULTS, DTYPES, Row
from riskkit.replay.live.compiled_step import HEAD, PLACE
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.schema.columns import MISSING, OPTIONAL, REQUIRED, EventKind, RowFlag
from riskkit.replay.schema.universe import Universe

ORDER = int(EventKind.ORDER)
BAD_TS = int(RowFlag.BAD_TS)
FIRST_EVENTS = 1024
NUMBERS = ("order", "parent", "fill", "batch")  # columns that hold the number of a row
STEP_EVENTS = 1 << 15  # room for compiled steps, which cannot make any


def duplicate_fields(event: Mapping[str, int]) -> tuple[int, ...]:
    """What two identical orders share."""
    return (*(event[name] for name in DUPLICATE_FIELDS), event["flags"] & DUPLICATE_FLAGS)


class Journal:
    """Rows of integer codes with the pair, the record and the previous identical order of each.

    Attributes
    ----------
    head : ndarray of int64
        The words of `riskkit.replay.live.compiled_step.HEAD`, among them size, time and number of records; a compiled step updates
        them too.
    columns : dict of str to ndarray
        The columns of a log, ``slots`` and ``prev_duplicate``, each longer than the journal.
    pairs : dict
        Code of each (account, instrument).
    carried : ndarray of int64
        The numbers of the first rows, which are carried over from before (`riskkit.replay.live.compaction`).
    closed : ndarray of int64
        Those of them that no event may name: fills beyond the horizon that are the last ones of their position before it.
    shift : int
        The number of every other row, less its place in the columns.
    """

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.head = np.zeros(len(HEAD), np.int64)
        self.latest = MISSING
        self.carried, self.shift, self.closed = np.zeros(0, np.int64), 0, np.zeros(0, np.int64)
        self._carried: dict[int, int] = {}
        self.pairs = {pair: code for code, pair in enumerate(universe.opening_pairs())}
        self.columns = {name: np.zeros(0, dtype) for name, dtype in DTYPES.items()}
        self.columns["slots"], self.columns["prev_duplicate"] = np.zeros(0, np.int32), np.zeros(0, np.int64)
        self.strays: dict[int, int] = {}  # records of orders without an order event
        self.stepped = False  # whether compiled steps append as well
        self.last_like: dict[tuple[int, ...], int] = {}  # row of the last order of these fields

    def __len__(self) -> int:
        """Number of rows."""
        return int(self.head[PLACE["size"]])

    def twin(self) -> Journal:
        """The same rows, and a head of its own: it may write where this one has none."""
        other = copy(self)
        other.head, other.columns, other.pairs = self.head.copy(), dict(self.columns), dict(self.pairs)
        other.strays, other.last_like, other.stepped = dict(self.strays), dict(self.last_like), False
        return other

    @property
    def slots(self) -> int:
        """Number of records of orders in use."""
        return int(self.head[PLACE["slots"]])

    @property
    def latest(self) -> int:
        """Time of the last event that was not late, MISSING before the first."""
        return int(self.head[PLACE["latest"]])

    @latest.setter
    def latest(self, ts: int) -> None:
        self.head[PLACE["latest"]] = ts

    @property
    def pair_codes(self) -> tuple[np.ndarray, np.ndarray]:
        """Accounts and instruments of the pairs."""
        codes = np.array(list(self.pairs), np.int32).reshape(-1, 2)
        return codes[:, 0], codes[:, 1]

    def carry(self, carried: np.ndarray, shift: int, closed: np.ndarray) -> None:
        """Say which rows the first ones are, the distance of the others to their number, and which no event may name."""
        self.carried, self.shift, self.closed = carried, shift, closed
        self._carried = {number: place for place, number in enumerate(carried.tolist())}
        for number in closed.tolist():
            del self._carried[number]

    @property
    def named(self) -> Set[int]:
        """The carried rows that an event may name."""
        return self._carried.keys()

    @property
    def begins_late(self) -> bool:
        """True if it has other events than the first ones, or carries some over."""
        return self.shift > 0 or len(self.carried) > 0

    def place(self, number: int) -> int:
        """Place of the row of a number; an InputError if it is not kept."""
        if number - self.shift >= len(self.carried):
            return number - self.shift
        if number not in self._carried:
            raise InputError(f"event {number} is not kept: it is older than the session's horizon")
        return self._carried[number]

    def placed(self, event: Row) -> Row:
        """A copy of an event whose numbers of rows are places."""
        return event | {name: self.place(event[name]) for name in NUMBERS if event[name] >= 0}

    def places(self, numbers: np.ndarray) -> np.ndarray:
        """Places of rows that are kept; a negative number is none and stays."""
        found: np.ndarray = np.where(numbers < 0, numbers, numbers - self.shift)
        old = (numbers >= 0) & (numbers - self.shift < len(self.carried))
        found[old] = np.searchsorted(self.carried, numbers[old])
        return found

    def numbers(self, places: np.ndarray) -> np.ndarray:
        """Numbers of rows at places; a negative place is none and stays."""
        if not self.shift:
            return places
        found: np.ndarray = np.where(places < 0, places, places + self.shift)
        old = (places >= 0) & (places < len(self.carried))
        if old.any():
            found[old] = self.carried[places[old]]
        return found

    def make_room(self, events: int) -> bool:
        """Double the columns if they have no room for so many events; return whether they moved."""
        room = len(self.columns["ts"])
        if len(self) + events <= room:
            return False
        size = max(STEP_EVENTS if self.stepped else FIRST_EVENTS, 2 * room, 2 * events)
        columns = {}
        for name, column in self.columns.items():
            columns[name] = np.zeros(size, column.dtype)
            columns[name][:room] = column
            if absent := DEFAULTS.get(name, 0):
                columns[name][room:] = absent
        self.columns.update(columns)  # all or, if it is interrupted, none
        return True

    def derive(self, event: Row) -> None:
        """Add pair, record and previous identical order to the next event."""
        event["pair"] = self.pair(event["account"], event["instrument"])
        event["slots"], event["prev_duplicate"] = self._slot(event["order"]), self._prev_duplicate(event, len(self))

    def append(self, event: Mapping[str, int]) -> None:
        """Write an event with its derived columns."""
        row = len(self)
        for name, column in self.columns.items():
            column[row] = event[name]
        self.head[PLACE["size"]] = row + 1

    def pair(self, account: int, instrument: int) -> int:
        """Code of a pair, a new one at its first event; -1 without account or instrument."""
        if account < 0 or instrument < 0:
            return -1
        return self.pairs.setdefault((account, instrument), len(self.pairs))

    def _slot(self, order: int) -> int:
        """Record of an order, a new one at its first event."""
        if order < 0:
            return -1
        if order < len(self) and self.columns["order"][order] == order:
            return int(self.columns["slots"][order])
        if order not in self.strays:
            if order < len(self):
                self.strays[order] = self.slots
            self.head[PLACE["slots"]] += 1
            return self.slots - 1
        return self.strays[order]

    def _prev_duplicate(self, event: Mapping[str, int], row: int) -> int:
        """Row of the previous identical order; see `riskkit.replay.engine.order_columns.find_duplicates`."""
        if event["kind"] != ORDER or event["flags"] & BAD_TS:
            return -1
        identical = duplicate_fields(event)
        before = self.last_like.get(identical, -1)
        self.last_like[identical] = row
        return before

    def note_orders(self, first: int) -> None:
        """Note the orders of the rows from `first` on as the last of their fields."""
        for number in range(first, len(self) + self.shift):
            event = self.row(number)
            if event["kind"] == ORDER and not event["flags"] & BAD_TS:
                self.last_like[duplicate_fields(event)] = number - self.shift

    def with_events(self, events: Iterable[Row]) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The columns of a log with some events more, and the accounts and instruments of its pairs."""
        events, pairs = list(events), dict(self.pairs)
        for event in events:
            if event["account"] >= 0 and event["instrument"] >= 0:
                event["pair"] = pairs.setdefault((event["account"], event["instrument"]), len(pairs))
        columns = {}
        for name, dtype in DTYPES.items():
            added = np.array([event[name] for event in events], dtype)
            columns[name] = np.append(self.columns[name][: len(self)], added)
        codes = np.array(list(pairs), np.int32).reshape(-1, 2)
        return columns, codes[:, 0], codes[:, 1]

    def refill(
        self, columns: dict[str, np.ndarray], pairs: Iterable[Any], slots: int, strays: Mapping[int, int]
    ) -> None:
        """Take over the columns of another journal."""
        self.head[PLACE["size"]], self.head[PLACE["slots"]] = len(columns["ts"]), slots
        self.columns.update({**columns, "prev_duplicate": find_duplicates(columns)})
        self.pairs.clear()
        self.pairs.update(((a, i), code) for code, (a, i) in enumerate(pairs))
        self.strays = dict(strays)
        timely = np.flatnonzero(columns["flags"] & BAD_TS == 0)
        if len(timely):
            self.latest = int(columns["ts"][timely[-1]])
        orders = timely[columns["kind"][timely] == ORDER]
        fields = [columns[name][orders].tolist() for name in DUPLICATE_FIELDS]
        flags = (columns["flags"][orders] & DUPLICATE_FLAGS).tolist()
        self.last_like = dict(zip(zip(*fields, flags, strict=True), orders.tolist(), strict=True))

    def row(self, number: int) -> Row:
        """One event as integer codes."""
        place = self.place(number)
        return {name: int(values[0]) for name, values in self.since(place, place + 1).items()}

    def fields(self, numbers: Sequence[int], names: Sequence[str]) -> Iterator[tuple[int, ...]]:
        """Some columns of the rows of these numbers."""
        places = self.places(np.array(numbers, np.int64))
        columns = {name: self.columns[name][places] for name in names}
        columns |= {name: self.numbers(columns[name]) for name in NUMBERS if name in columns}
        return zip(*(column.tolist() for column in columns.values()), strict=True)

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Number and integer codes of each row."""
        columns, carried = self.since(0), self.carried.tolist()
        values = zip(*(column.tolist() for column in columns.values()), strict=True)
        for place, row in enumerate(values):
            yield carried[place] if place < len(carried) else place + self.shift, dict(zip(columns, row, strict=True))

    def since(self, start: int, stop: int | None = None) -> dict[str, np.ndarray]:
        """The columns of a log from one place to another (default: the end), with numbers of rows."""
        rows = slice(start, len(self) if stop is None else stop)
        found = {name: self.columns[name][rows].copy() for name in DTYPES}
        return found | {name: self.numbers(found[name]) for name in NUMBERS}

    def log(self, before: Mapping[str, np.ndarray] | None = None) -> EventLog:
        """The events as a log, after those that are not kept, without empty optional columns."""
        columns = self.since(len(self.carried))
        if before is not None:
            columns = {name: np.concatenate([before[name], column]) for name, column in columns.items()}
        used = [name for name in columns if name in REQUIRED or (columns[name] != OPTIONAL[name][1]).any()]
        return EventLog({name: columns[name] for name in used}, *self.pair_codes, self.universe.frozen)
