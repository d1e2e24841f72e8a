"""The events of a live engine: each is checked, then journaled and decided, or refused and changes nothing."""

from __future__ import annotations

import numpy as np

from riskkit._check import InputError
from riskkit.replay.ingest.rows import DEFAULTS, DTYPES, Row, check_order, check_row, row_of
from riskkit.replay.live.compiled_step import PLACE, WORDS, Prepared
from riskkit.replay.live.engine_tables import EngineTables
from riskkit.replay.live.journal import ORDER, duplicate_fields
from riskkit.replay.live.undo import rules_at_work
from riskkit.replay.log.event_log import EventLog
from riskkit.replay.rules.currencies import refuse_live_money
from riskkit.replay.rules.splits import refuse_live_split
from riskkit.replay.schema.columns import EventKind, RowFlag

BAD_TS = int(RowFlag.BAD_TS)
FLATTEN = int(RowFlag.FLATTEN)
CLOSE_POSITION = int(RowFlag.CLOSE_POSITION)


class EngineEvents(EngineTables):
    """Takes events of integer codes."""

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

    def _submit_slowly(self, event: Prepared) -> int:
        """Take a prepared event without a compiled step, and compile one for the next."""
        rows = self.take([event.row(self.size)])
        self.make_step()
        return len(rows)

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
        self.cover()
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
        for event in events:
            if event["flags"] & CLOSE_POSITION:
                event["held"] = self._held(event)
        found = self._take_at_once(events)
        rest = events[self.size - first :]
        if not rest:
            return found
        weight = self._reach.weigh(rest)
        if not weight.fits:
            self._check_bounds(rest)
        self._reach.take(weight)
        self.begun = first
        start = len(self._journal)
        with rules_at_work():
            for event in rest:
                self._write(event)
                if not event["flags"] & BAD_TS:
                    self._journal.latest = event["ts"]
            self._keep_rows()
            rows = self._run(start)
        if len(rows):
            self.blocks.append(rows)
        self.begun = -1
        return np.concatenate([found, rows])

    def _held(self, event: Row) -> int:
        """Lots of the position of an event, either way."""
        pair = self._journal.pairs.get((event["account"], event["instrument"]))
        return 0 if pair is None or self._state is None else abs(int(self._state.positions["qty"][pair + 1]))

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

    def _check_event(self, event: Row) -> None:
        """Refuse an event of unknown codes, fills of a flattening, and money in a currency that a rule cannot add."""
        check_row(event, self._universe)
        if event["flags"] & FLATTEN:
            raise InputError(
                "the event is a fill that on_trip='flatten' made, which a live engine does not know; feed it the recorded log"
            )
        refuse_live_money(event, self.rules, self._universe)
        refuse_live_split(event, self.rules)

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

    def _write(self, event: Row) -> None:
        if self._state is None:
            self._begin(event["ts"])
        assert self._state is not None
        journal = self._journal
        journal.derive(event)
        self.make_room(1)
        journal.append(event)
